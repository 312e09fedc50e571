/* Contexts from anywhere. The input is a JSON object: "@context", "documents" (the
 * remote ones, by URL) and "names". Whatever is accepted gives names that lead back:
 * what a name expands to compacts to a name that expands to the same. */
#include "fuzz.h"

#include "base/json.h"
#include "model/context.h"

#define BASE "https://base.example/a/b"

struct loader {
    struct context_loader loader;
    const struct json *documents;
};

static const struct json *load(struct context_loader *l, struct str url)
{
    return json_get(((struct loader *)l)->documents, url);
}

/* The terms of the process, renewed before they are many. */
static struct terms *setup(void)
{
    static struct terms *terms;
    if (terms && terms_count(terms) < 100000)
        return terms;
    struct terms *old = terms;
    terms = terms_new(1u << 20);
    context_setup(terms);
    terms_free(old);
    return terms;
}

static void check_name(const struct context *c, struct terms *terms, struct str name,
                       struct arena *a)
{
    struct str iri = context_expand(c, name, a);
    uint32_t id = context_expand_term(c, name, true, a, NULL);
    fuzz_require(str_absent(iri) == (id == TERM_NONE));
    if (id == TERM_NONE)
        return;
    fuzz_require(str_eq(terms_iri(terms, id), iri));
    fuzz_require(context_expand_term(c, name, false, a, NULL) == id);
    struct str back = context_compact(c, iri, a);
    fuzz_require(str_eq(context_compact_term(c, id), back));
    fuzz_require(str_eq(context_compact_term(c, id), back));
    /* an IRI whose scheme somebody made a prefix has no name at all */
    fuzz_require(str_eq(back, iri) || str_eq(context_expand(c, back, a), iri));
}

static void check_names(const struct context *c, struct terms *terms, const struct json *v,
                        struct arena *a)
{
    if (v->kind == JSON_STRING)
        check_name(c, terms, v->string, a);
    for (uint32_t i = 0; v->kind == JSON_ARRAY && i < v->n; i++)
        check_names(c, terms, &v->items[i], a);
    for (uint32_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++) {
        check_name(c, terms, v->members[i].key, a);
        check_names(c, terms, &v->members[i].value, a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct json_limits json_limits = {.depth_max = 32, .bytes_max = 1 << 20};
    struct context_limits limits = {.terms_max = 200, .remotes_max = 8, .depth_max = 8};
    struct arena *a = arena_new(0);
    struct json input;
    struct terms *terms = setup();
    if (json_read(a, (struct str){(const char *)data, size}, &json_limits, &input, NULL) != OK) {
        arena_free(a);
        return 0;
    }
    struct loader l = {{load}, json_get(&input, STR("documents"))};
    struct context *c;
    struct str missing;
    struct why why = {0};
    limits.scoped_refused = size % 4 == 0;
    enum status st = context_build(&c, json_get(&input, STR("@context")), STR(BASE), &l.loader,
                                   &limits, a, &missing, &why);
    fuzz_require(st == OK || st == E_BAD_DATA || st == E_LIMIT || st == E_CONTEXT);
    fuzz_require((st == OK) == (c != NULL) && (st == E_CONTEXT) == !str_absent(missing));
    fuzz_require(st == why.status);
    if (st == OK) {
        check_names(c, terms, &input, a);
        fuzz_require(context_bytes(c) > 0);
        context_unref(c);
    }
    arena_free(a);
    return 0;
}
