/* Files from anywhere: every entity that an importer makes is JSON with an id, every
 * refusal has a reason, and going on from any mark gives the rest.
 *
 * The first byte of the input chooses format and mapping; 'm' reads a mapping of the input's own,
 * up to a NUL, and then a table. */
#include "fuzz.h"

#include "base/hash.h"
#include "sense/source.h"

enum { ITEMS_MAX = 4096 };

static const char TABLE[] =
    "{\"zone\":\"+08:00\",\"missing\":[\"\",\"NA\"],\"optional\":[\"c\",\"d\"],\"entities\":["
    "{\"id\":\"urn:x:{a}-{b:03}\",\"type\":\"A\",\"scope\":\"/"
    "{b}\",\"observedAt\":\"{c}\",\"attributes\":{"
    "\"n\":{\"column\":\"a\",\"type\":\"number\",\"scale\":2,\"min\":-5},\"s\":{\"column\":\"b\"},"
    "\"l\":{\"column\":\"b\",\"separator\":\";\",\"type\":\"json\"},\"z\":{\"column\":\"b\","
    "\"lang\":\"zh\"},"
    "\"g\":{\"point\":[\"a\",\"b\"]},\"r\":{\"relationship\":\"{b}{a}\"},"
    "\"m\":{\"column\":\"d\",\"map\":{\"x\":1,\"y\":null},\"otherwise\":true}}},"
    "{\"id\":\"urn:y:{a}:{@line}:{@record}\",\"type\":[\"B\"],\"onlyIf\":[\"d\"],\"attributes\":{"
    "\"t\":{\"column\":\"c\",\"type\":\"datetime\"},\"b\":{\"column\":\"d\",\"type\":\"boolean\","
    "\"required\":true}}}]}";
static const char ROADS[] =
    "{\"format\":\"geojson\",\"split\":\"lines\",\"@context\":\"http://c\",\"entities\":["
    "{\"id\":\"urn:r:{@digest}:{@record}:{@part}\",\"type\":\"R\",\"attributes\":{\"location\":{"
    "\"geometry\":\"shape\"},"
    "\"from\":{\"geometry\":\"start\"},\"to\":{\"geometry\":\"end\"},\"length\":{\"geometry\":"
    "\"length\"},"
    "\"class\":{\"column\":\"highway\",\"type\":\"string\"},\"any\":{\"column\":\"any\"}}}]}";

struct input {
    const char *name;
    struct str text;
    struct source_options options;
};

static struct source *open_source(const struct input *in)
{
    struct source *s = NULL;
    struct blob blob;
    struct why why;
    char *block = mem_alloc(in->text.n + 1);
    if (in->text.n)
        memcpy(block, in->text.p, in->text.n);
    blob_take(&blob, block, in->text.n);
    why_clear(&why);
    enum status st = source_open(&s, in->name, &blob, &in->options, &why);
    fuzz_require((st == OK) == (s != NULL));
    fuzz_require((st == OK) == (why.text[0] == 0));
    return s;
}

/* What an item says, as a number that does not depend on where it lies. */
static uint64_t check_item(const struct source_item *item)
{
    static const struct json_limits limits = {.depth_max = 300, .bytes_max = 1 << 26};
    if (item->why) {
        fuzz_require(item->why->text[0] != 0);
        fuzz_require(item->why->status != OK);
        return hash_str(str_of(item->why->text)) ^ item->line;
    }
    struct arena *a = arena_new(0);
    struct json tree;
    fuzz_require(json_read(a, item->json, &limits, &tree, NULL) == OK);
    fuzz_require(tree.kind == JSON_OBJECT && item->id.n > 0);
    fuzz_require(item->own_context == (json_get(&tree, STR("@context")) != NULL));
    arena_free(a);
    return hash_str(item->json) ^ item->line;
}

static void check(const struct input *in)
{
    static uint64_t seen[ITEMS_MAX];
    static struct source_mark marks[ITEMS_MAX];
    struct source_item item;
    uint32_t n = 0;
    struct source *s = open_source(in);
    if (!s)
        return;
    while (n < ITEMS_MAX && source_next(s, &item)) {
        seen[n] = check_item(&item);
        marks[n++] = item.after;
    }
    source_free(s);
    if (n == 0)
        return;
    uint32_t from = (uint32_t)(in->text.n % n);
    s = open_source(in);
    source_seek(s, &marks[from]);
    for (uint32_t i = from + 1; i < n; i++) {
        fuzz_require(source_next(s, &item));
        fuzz_require(check_item(&item) == seen[i]);
    }
    fuzz_require(n == ITEMS_MAX || !source_next(s, &item));
    source_free(s);
}

static enum status set_mapping(struct input *in, struct str text, struct mapping *m,
                               struct arena *a)
{
    struct why why;
    why_clear(&why);
    enum status st = mapping_read(m, text, a, &why);
    fuzz_require((st == OK) == (why.text[0] == 0));
    in->options.mapping = m;
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);
    struct mapping m;
    struct input in = {.name = "x.csv", .options = {.limits = {1 << 16, 1 << 20, 64}}};
    enum status st = OK;
    if (size == 0)
        goto out;
    in.text = (struct str){(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 't':
        st = set_mapping(&in, STR(TABLE), &m, a);
        break;
    case 'r':
        in.name = "x.json";
        st = set_mapping(&in, STR(ROADS), &m, a);
        break;
    case 'm': {
        size_t end = str_find_char(in.text, 0);
        st = set_mapping(&in, str_head(in.text, end), &m, a);
        in.text = str_from(in.text, end == STR_NPOS ? in.text.n : end + 1);
        in.name = m.kind == MAPPING_GEOJSON ? "x.geojson" : "x.csv";
        break;
    }
    case 'f':
        in.name = "x.geojson";
        in.options.type = STR("Feature");
        in.options.context = STR("[\"http://c\"]");
        break;
    case 'z':
        in.name = "x.zip";
        break;
    default:
        in.name = "x.ndjson";
        in.options.context = STR("\"http://c\"");
        break;
    }
    if (st == OK)
        check(&in);
out:
    arena_free(a);
    return 0;
}
