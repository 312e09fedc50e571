/* The query languages. The first byte says which ('q', 't'ypes, 's'copes, 'g'eorel,
 * 'o'rderBy, idPattern 'p'), the rest is the text. Whatever is accepted is asked about a
 * few entities, as trees and as blocks: they must agree, and logic must hold. */
#include "fuzz.h"

#include "model/doc.h"
#include "model/filter.h"
#include "model/iri_text.h"
#include "model/pattern.h"
#include "model/reader.h"

#define HEAD "{\"id\":\"urn:ngsi-ld:"
static const char *const ENTITIES[] = {
    HEAD "a\",\"type\":\"A\",\"scope\":\"/a/"
         "b\",\"a\":1,\"b\":\"x\",\"r\":{\"object\":\"urn:ngsi-ld:b\"},"
         "\"location\":{\"type\":\"Point\",\"coordinates\":[8,40]}}",
    HEAD "b\",\"type\":[\"A\",\"B\"],\"scope\":[\"/a\",\"/c/d\"],"
         "\"a\":{\"value\":[1,\"x\",true],\"observedAt\":\"2020-01-01T00:00:00Z\",\"s\":{"
         "\"value\":2.5}},"
         "\"b\":{\"languageMap\":{\"en\":\"x\",\"de\":[\"y\",\"z\"]}},\"r\":{\"object\":[\"urn:"
         "ngsi-ld:a\",\"urn:ngsi-ld:b\"]}}",
    HEAD "c\",\"type\":\"C\",\"a\":{\"value\":{\"b\":{\"c\":[1,2]},\"d\":\"x\\n\\u00e9\"}},"
         "\"b\":{\"vocab\":\"A\"},\"r\":{\"objectList\":[\"urn:ngsi-ld:a\",\"urn:ngsi-ld:c\"]},"
         "\"location\":{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[9,0],[9,50],[0,0]]]}}",
    HEAD "d\",\"type\":\"D\",\"a\":[{\"value\":\"2020-01-01T00:00:00Z\"},{\"value\":\"2020-01-01\","
         "\"datasetId\":\"urn:d:1\"},"
         "{\"value\":\"10:00:00Z\",\"datasetId\":\"urn:d:2\"}],\"b\":{\"value\":{\"@type\":\"T\","
         "\"@value\":3}}}",
};
enum { COUNT = sizeof ENTITIES / sizeof *ENTITIES };

/* Made once: the city that is asked. */
struct city {
    struct arena *arena;
    struct terms *terms;
    struct entity entities[COUNT];
    struct doc *docs[COUNT];
};

static const struct city *city(void)
{
    static struct city c;
    const struct json_limits json = {32, 1 << 16};
    const struct reader_limits limits = {.attrs_max = 100,
                                         .depth_max = 8,
                                         .types_max = 8,
                                         .scopes_max = 8,
                                         .name_bytes_max = 1000,
                                         .coordinates_max = 100};
    if (c.arena)
        return &c;
    c.arena = arena_new(0);
    c.terms = terms_new(1000);
    context_setup(c.terms);
    struct reader r = {.context = context_core(),
                       .limits = &limits,
                       .arena = c.arena,
                       .mode = READER_ENTITY,
                       .observed_at = TIME_NONE};
    for (int i = 0; i < COUNT; i++) {
        struct json v;
        struct entity *e = &c.entities[i];
        fuzz_require(json_read(c.arena, str_of(ENTITIES[i]), &json, &v, NULL) == OK);
        fuzz_require(reader_entity(&r, &v, STR_NONE, NULL, e, NULL) == OK);
        e->created_at = e->modified_at = 1577836800000000 + i;
        e->created_seq = e->seq = (uint64_t)i + 1;
        for (uint32_t k = 0; k < e->attr_count; k++)
            e->attrs[k].created_at = e->attrs[k].modified_at = e->created_at;
        c.docs[i] = arena_alloc(c.arena, doc_size(e));
        doc_encode(e, c.docs[i]);
    }
    return &c;
}

static const struct entity *lookup(struct filter_env *env, struct str id)
{
    (void)env;
    for (int i = 0; i < COUNT; i++)
        if (str_eq(city()->entities[i].id, id))
            return &city()->entities[i];
    return NULL;
}

/* A bit for each entity that matches. */
static unsigned ask(const struct filter *f, struct arena *a)
{
    struct filter_env env = {.arena = a, .lookup = lookup};
    unsigned found = 0;
    for (int i = 0; i < COUNT; i++) {
        bool tree = filter_match(f, &city()->entities[i], &env);
        fuzz_require(tree == filter_match_doc(f, city()->docs[i], &env));
        found |= (unsigned)tree << i;
    }
    return found;
}

static void check_status(enum status st, const struct why *why, const char *name)
{
    fuzz_require(st == OK || st == E_BAD_DATA || st == E_TOO_COMPLEX || st == E_LIMIT);
    fuzz_require(st == why->status && (st == OK) == (why->text[0] == 0));
    fuzz_require(st != E_BAD_DATA || strncmp(why->text, name, strlen(name)) == 0);
}

/* text in other words must have the answers `expected`, if it is not too complex. */
static void check_rewrite(const struct filter_reader *r, const char *fmt, struct str text,
                          unsigned expected)
{
    struct filter *f = NULL;
    struct str words = str_of(fmt), part, out = STR("");
    while (str_split(&words, '@', &part))
        out = arena_printf(r->arena, "%.*s%.*s%.*s", STR_ARG(out), STR_ARG(part),
                           str_absent(words) ? 0 : (int)text.n, text.p);
    enum status st = filter_read_q(r, out, &f, NULL);
    fuzz_require(st == OK || st == E_TOO_COMPLEX);
    if (st == OK)
        fuzz_require(ask(f, r->arena) == expected);
    filter_free(f);
}

/* The stored form of text must be read without a @context, have the same answers, and be shown as
 * something that has the stored form again. */
static void check_stored(const struct filter_reader *r, struct str text, unsigned expected)
{
    struct iri_edits edits = {0}, again = {0};
    struct filter *f = NULL;
    bool unknown = false;
    struct filter_reader w = *r, s = {.limits = r->limits, .arena = r->arena};
    s.stored = city()->terms;
    s.unknown = &unknown;
    w.edits = &edits;
    fuzz_require(filter_read_q(&w, text, &f, NULL) == OK);
    filter_free(f);
    struct str stored = iri_edits_apply(&edits, text, r->arena);
    fuzz_require(filter_read_q(&s, stored, &f, NULL) == OK);
    fuzz_require(ask(f, r->arena) == expected);
    filter_free(f);
    struct str shown = iri_text_show(stored, r->context, r->arena);
    w.edits = &again;
    if (filter_read_q(&w, shown, &f, NULL) != OK)
        return; /* an IRI that the grammar cannot express once it is whole */
    filter_free(f);
    if (again.count == edits.count)
        fuzz_require(str_eq(iri_edits_apply(&again, shown, r->arena), stored));
}

static void try_q(const struct filter_reader *r, struct str text, struct why *why)
{
    struct filter *f = NULL;
    enum status st = filter_read_q(r, text, &f, why);
    check_status(st, why, "q: ");
    fuzz_require((st == OK) == (f != NULL));
    if (st != OK)
        return;
    unsigned found = ask(f, r->arena), all = (1u << COUNT) - 1;
    (void)filter_has_attribute(f);
    fuzz_require(filter_link_depth(f) <= r->limits->depth_max);
    filter_free(f);
    check_stored(r, text, found);
    check_rewrite(r, "(@)", text, found);
    check_rewrite(r, "!(@)", text, all & ~found);
    check_rewrite(r, "@|@", text, found);
    check_rewrite(r, "(@);(@)", text, found);
    check_rewrite(r, "(@);!(@)", text, 0);
    check_rewrite(r, "@|!(@)", text, all);
}

static void try_types(const struct filter_reader *r, struct str text, struct why *why)
{
    struct type_expr *x = NULL;
    enum status st = filter_read_types(r, text, &x, why);
    check_status(st, why, "type: ");
    if (st == OK)
        ask(filter_of_type(r->arena, x), r->arena);
}

static void try_scopes(const struct filter_reader *r, struct str text, struct why *why)
{
    struct scope_expr *x = NULL;
    enum status st = filter_read_scopes(r, text, &x, why);
    check_status(st, why, "scopeQ: ");
    if (st == OK)
        ask(filter_of_scope(r->arena, x), r->arena);
}

/* "georel\ngeometry\ncoordinates" */
static void try_geo(const struct filter_reader *r, struct str text, struct why *why)
{
    struct str georel = STR(""), geometry = STR(""), coordinates = text;
    const struct json_limits json = {16, 1 << 16};
    struct json v;
    struct filter *f = NULL;
    if (!str_split(&coordinates, '\n', &georel) || !str_split(&coordinates, '\n', &geometry) ||
        str_absent(coordinates) || json_read(r->arena, coordinates, &json, &v, NULL) != OK)
        return;
    enum status st = filter_read_geo(r, georel, geometry, &v, STR_NONE, &f, why);
    check_status(st, why, "");
    if (st == OK)
        ask(f, r->arena);
    filter_free(f);
}

/* "orderBy\ncollation\norderFrom"; the last two may be missing. */
static void try_order(const struct filter_reader *r, struct str text, struct why *why)
{
    struct str by = STR(""), collation = STR_NONE;
    struct order *o = NULL;
    if (!str_split(&text, '\n', &by))
        return;
    str_split(&text, '\n', &collation);
    enum status st = order_read(r, by, collation, text, STR_NONE, &o, why);
    check_status(st, why, "");
    if (st != OK)
        return;
    struct order_top *t = order_top_new(o, COUNT);
    for (int i = 0; i < COUNT; i++)
        order_top_add(t, city()->docs[i]);
    const struct doc **docs;
    fuzz_require(order_top_take(t, r->arena, &docs) == COUNT);
    for (int i = 1; i < COUNT; i++) {
        struct entity a, b;
        doc_decode(docs[i - 1], r->arena, &a);
        doc_decode(docs[i], r->arena, &b);
        int c = order_compare(o, &a, &b, r->arena);
        fuzz_require(c < 0 || (c == 0 && a.created_seq < b.created_seq));
        fuzz_require(order_compare(o, &b, &a, r->arena) == -c);
    }
    order_top_free(t);
    order_free(o);
}

static void try_pattern(const struct filter_reader *r, struct str text, struct why *why)
{
    struct pattern *p = NULL;
    enum status st = filter_read_pattern(r, text, &p, why);
    check_status(st, why, "idPattern: ");
    if (st != OK)
        return;
    if (pattern_match(p, text))
        fuzz_require(str_starts(text, pattern_prefix(p)));
    fuzz_require(pattern_prefix(p).n <= text.n);
    struct filter *f = filter_of_pattern(r->arena, p);
    ask(f, r->arena);
    filter_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct filter_limits limits = {64, 16, 200, 100};
    if (size == 0 || size > 2000)
        return 0;
    struct str text = {(const char *)data + 1, size - 1}, name = STR("b");
    struct arena *a = arena_new(0);
    (void)city(); /* before its context is used */
    struct filter_reader r = {.context = context_core(), .limits = &limits, .arena = a};
    r.expand_values = &name;
    r.expand_value_count = size % 3 == 0;
    struct why why = {0};
    switch (data[0]) {
    case 'q':
        try_q(&r, text, &why);
        break;
    case 't':
        try_types(&r, text, &why);
        break;
    case 's':
        try_scopes(&r, text, &why);
        break;
    case 'g':
        try_geo(&r, text, &why);
        break;
    case 'o':
        try_order(&r, text, &why);
        break;
    case 'p':
        try_pattern(&r, text, &why);
        break;
    default:
        break;
    }
    arena_free(a);
    return 0;
}
