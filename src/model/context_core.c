/* The core context, all its published versions, and the security vocabulary it
 * refers to: documents put together from the generated table when first asked for,
 * kept until the end, and the newest core as the context behind all others. */
#include "model/context_core.h"
#include "model/context_build.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION_FIRST = 3, VERSION_LAST = 9, DOCUMENTS = VERSION_LAST - VERSION_FIRST + 2 };
enum { PROOF = DOCUMENTS - 1, NEWEST = DOCUMENTS - 2, NO_DOCUMENT = DOCUMENTS };

static struct context *core;

struct context *context_core(void)
{
    assert(core && "context_setup() comes first");
    return core;
}

struct str context_core_iri(void)
{
    return STR("https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld");
}

/* Which version of the core an IRI names, or NO_DOCUMENT. Both schemes are in use. */
static unsigned core_version(struct str iri)
{
    static const char *const STARTS[] = {
        "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context",
        "http://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context",
    };
    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++) {
        struct str start = str_of(STARTS[i]);
        if (!str_starts(iri, start))
            continue;
        struct str rest = str_from(iri, start.n);
        if (str_eq(rest, STR(".jsonld")))
            return NEWEST;
        if (rest.n == sizeof "-v1.N.jsonld" - 1 && str_starts(rest, STR("-v1.")) &&
            str_ends(rest, STR(".jsonld")) && rest.p[4] >= '0' + VERSION_FIRST &&
            rest.p[4] <= '0' + VERSION_LAST)
            return (unsigned)(rest.p[4] - '0' - VERSION_FIRST);
    }
    return NO_DOCUMENT;
}

bool context_is_core_iri(struct str iri)
{
    return core_version(iri) != NO_DOCUMENT;
}

static struct json text_of(const char *z)
{
    return (struct json){.kind = JSON_STRING, .string = str_of(z)};
}

/* A table row in the making of one document. */
struct maker {
    struct arena *arena;
    unsigned document;
};

/* The name a row gives in the context of parent ("" at the top); NULL when it belongs elsewhere. */
static const char *name_in(const struct maker *m, const struct context_row *row, struct str parent)
{
    struct str term = str_of(row->term);
    if (!(row->documents >> m->document & 1) || !str_starts(term, parent))
        return NULL;
    const char *name = row->term + parent.n;
    if (parent.n && *name++ != '>')
        return NULL;
    return strchr(name, '>') ? NULL : name;
}

static bool has_scoped(const struct maker *m, const struct context_row *row)
{
    for (unsigned i = 0; i < CONTEXT_ROW_COUNT; i++)
        if (name_in(m, &CONTEXT_ROWS[i], str_of(row->term)))
            return true;
    return false;
}

static struct json context_of(const struct maker *m, struct str parent);

static struct json definition_of(const struct maker *m, const struct context_row *row,
                                 const char *name)
{
    if (strcmp(name, "@protected") == 0)
        return (struct json){.kind = JSON_BOOL, .boolean = true};
    if (strcmp(name, "@version") == 0)
        return (struct json){.kind = JSON_REAL, .real = 1.1};
    bool scoped = has_scoped(m, row);
    if (!row->type && !row->container && !scoped)
        return text_of(row->id);
    struct json_member *members = arena_array(m->arena, struct json_member, 4);
    uint32_t n = 0;
    members[n++] = (struct json_member){STR("@id"), text_of(row->id)};
    if (row->type)
        members[n++] = (struct json_member){STR("@type"), text_of(row->type)};
    if (row->container)
        members[n++] = (struct json_member){STR("@container"), text_of(row->container)};
    if (scoped)
        members[n++] = (struct json_member){STR("@context"), context_of(m, str_of(row->term))};
    return (struct json){.kind = JSON_OBJECT, .n = n, .members = members};
}

/* An object, or an array of it and the document that the scoped context includes. */
static struct json context_of(const struct maker *m, struct str parent)
{
    struct json object = {.kind = JSON_OBJECT};
    const char *remote = NULL;
    object.members = arena_array(m->arena, struct json_member, CONTEXT_ROW_COUNT);
    for (unsigned i = 0; i < CONTEXT_ROW_COUNT; i++) {
        const struct context_row *row = &CONTEXT_ROWS[i];
        const char *name = name_in(m, row, parent);
        if (!name)
            continue;
        if (strcmp(name, "@remote") == 0)
            remote = row->id;
        else
            object.members[object.n++] =
                (struct json_member){str_of(name), definition_of(m, row, name)};
    }
    if (!remote)
        return object;
    struct json *both = arena_array(m->arena, struct json, 2);
    both[0] = object;
    both[1] = text_of(remote);
    return (struct json){.kind = JSON_ARRAY, .n = 2, .items = both};
}

const struct json *context_core_document(struct str iri)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct arena *arena; /* never freed */
    static struct json *made[DOCUMENTS];
    unsigned document = core_version(iri);
    if (str_eq(iri, STR("https://w3id.org/security/data-integrity/v2")))
        document = PROOF;
    if (document == NO_DOCUMENT)
        return NULL;
    pthread_mutex_lock(&lock);
    if (!made[document]) {
        if (!arena)
            arena = arena_new(0);
        struct maker m = {arena, document};
        struct json_member *member = arena_alloc(arena, sizeof *member);
        *member = (struct json_member){STR("@context"), context_of(&m, STR(""))};
        made[document] = arena_alloc(arena, sizeof *made[document]);
        *made[document] = (struct json){.kind = JSON_OBJECT, .n = 1, .members = member};
    }
    const struct json *out = made[document];
    pthread_mutex_unlock(&lock);
    return out;
}

void context_setup(struct terms *terms)
{
    const struct context_limits limits = {
        .terms_max = UINT32_MAX, .remotes_max = 0, .depth_max = 16};
    struct arena *a = arena_new(0);
    struct str missing;
    struct why why = {0};
    struct builder b = {.arena = a, .limits = &limits, .missing = &missing, .why = &why};
    struct place p = {.builtin = true};
    struct scope s;
    if (core)
        context_free(core);
    context_scope_init(&s, NULL, &b);
    const struct json *spec = json_get(context_core_document(context_core_iri()), STR("@context"));
    if (context_process(&b, &s, spec, &p) != OK) {
        fprintf(stderr, "the core context: %s: %s\n", why.pointer, why.text);
        abort();
    }
    core = context_freeze(&s, NULL, terms);
    core->vocab_memo = mem_zalloc(VOCAB_MEMO_SLOTS * sizeof *core->vocab_memo);
    core->block_bytes += VOCAB_MEMO_SLOTS * sizeof *core->vocab_memo;
    arena_free(a);
}
