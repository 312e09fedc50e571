/* Why: the options of "wellspring import" in one table. Start at import_options_read(). */
#include "sense/import.h"

#include <stdlib.h>
#include <string.h>

const char import_usage[] =
    "  --to URL             the city (http://127.0.0.1:1026)\n"
    "  --tenant NAME        its tenant\n"
    "  --mapping NAME       mapping file, or one that is built in (docs/import.md)\n"
    "  --type TYPE          type of GeoJSON features without a mapping\n"
    "  --context URL|JSON   @context of entities that have none\n"
    "  --update             keep attributes that the input does not mention\n"
    "  --dry-run            check everything, send nothing\n"
    "  --report FILE        rejected rows as CSV: file, line, id, reason\n"
    "  --resume             go on where the same import was interrupted\n"
    "  --state FILE         where to remember how far it got\n"
    "  --requests N         requests at once (4)\n"
    "  --batch-entities N   entities in a request (1000)\n"
    "  --batch-bytes N      bytes of a request (1048576)\n"
    "  --download-bytes N   bytes of a download (1073741824)\n"
    "  --timeout SECONDS    for one request (60)\n"
    "  --patience SECONDS   with a city that takes nothing (60)\n"
    "  --json               summary as JSON on stdout\n"
    "  --quiet              no progress bar\n";

void import_options_preset(struct import_options *o)
{
    *o = (struct import_options){
        .to = "http://127.0.0.1:1026",
        .requests = 4,
        .batch_entities = 1000,
        .batch_bytes = 1u << 20,
        .download_bytes = 1u << 30,
        .timeout_s = 60,
        .patience_s = 60,
    };
    o->egress.connections_max = 64;
    o->egress.user_agent = STR("wellspring");
}

enum flag_kind { FLAG_TEXT, FLAG_BOOL, FLAG_U32, FLAG_SIZE };

struct flag {
    const char *name;
    enum flag_kind kind;
    size_t offset;
    unsigned long long min, max;
};

#define AT(member) offsetof(struct import_options, member)

static const struct flag flags[] = {
    {"--to", FLAG_TEXT, AT(to), 0, 0},
    {"--tenant", FLAG_TEXT, AT(tenant), 0, 0},
    {"--mapping", FLAG_TEXT, AT(mapping), 0, 0},
    {"--type", FLAG_TEXT, AT(type), 0, 0},
    {"--context", FLAG_TEXT, AT(context), 0, 0},
    {"--report", FLAG_TEXT, AT(report), 0, 0},
    {"--state", FLAG_TEXT, AT(state), 0, 0},
    {"--update", FLAG_BOOL, AT(update), 0, 0},
    {"--dry-run", FLAG_BOOL, AT(dry_run), 0, 0},
    {"--resume", FLAG_BOOL, AT(resume), 0, 0},
    {"--json", FLAG_BOOL, AT(json), 0, 0},
    {"--quiet", FLAG_BOOL, AT(quiet), 0, 0},
    {"--requests", FLAG_U32, AT(requests), 1, 64},
    {"--batch-entities", FLAG_U32, AT(batch_entities), 1, 100000},
    {"--batch-bytes", FLAG_SIZE, AT(batch_bytes), 1, 1u << 30},
    {"--download-bytes", FLAG_SIZE, AT(download_bytes), 1, 1ull << 40},
    {"--timeout", FLAG_U32, AT(timeout_s), 1, 86400},
    {"--patience", FLAG_U32, AT(patience_s), 0, 86400},
};

static const struct flag *flag_find(struct str name)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (str_eq(name, str_of(flags[i].name)))
            return &flags[i];
    return NULL;
}

static enum status flag_set(struct import_options *o, const struct flag *f, const char *value,
                            struct why *why)
{
    char *at = (char *)o + f->offset;
    unsigned long long n = 0;
    if (f->kind == FLAG_TEXT) {
        memcpy(at, &value, sizeof value);
        return OK;
    }
    if (!str_to_u64(str_of(value), f->max, &n) || n < f->min)
        return why_set(why, E_BAD_DATA, NULL, "%s takes a number from %llu to %llu", f->name,
                       f->min, f->max);
    if (f->kind == FLAG_U32)
        *(uint32_t *)(void *)at = (uint32_t)n;
    else
        *(size_t *)(void *)at = (size_t)n;
    return OK;
}

/* Takes one flag, with its value from the same or the next argument; *i moves on to it. */
static enum status flag_take(struct import_options *o, int argc, char **argv, int *i,
                             struct why *why)
{
    struct str arg = str_of(argv[*i]);
    size_t equals = str_find_char(arg, '=');
    const struct flag *f = flag_find(equals == STR_NPOS ? arg : str_head(arg, equals));
    if (!f)
        return why_set(why, E_BAD_DATA, NULL, "unknown option %s\n%s", argv[*i], import_usage);
    if (f->kind == FLAG_BOOL) {
        if (equals != STR_NPOS)
            return why_set(why, E_BAD_DATA, NULL, "%s takes no value", f->name);
        *(bool *)((char *)o + f->offset) = true;
        return OK;
    }
    if (equals != STR_NPOS)
        return flag_set(o, f, argv[*i] + equals + 1, why);
    if (*i + 1 >= argc)
        return why_set(why, E_BAD_DATA, NULL, "%s needs a value", f->name);
    return flag_set(o, f, argv[++*i], why);
}

enum status import_options_read(struct import_options *o, int argc, char **argv, struct why *why)
{
    bool names_only = false;
    int inputs = 0;
    for (int i = 0; i < argc; i++) {
        if (!names_only && strcmp(argv[i], "--") == 0) {
            names_only = true;
            continue;
        }
        if (names_only || argv[i][0] != '-') {
            argv[inputs++] = argv[i];
            continue;
        }
        enum status st = flag_take(o, argc, argv, &i, why);
        if (st != OK)
            return st;
    }
    if (inputs == 0)
        return why_set(why, E_BAD_DATA, NULL, "import needs a FILE, a DIRECTORY or an ADDRESS");
    o->inputs = (const char *const *)argv;
    o->input_count = (size_t)inputs;
    return OK;
}
