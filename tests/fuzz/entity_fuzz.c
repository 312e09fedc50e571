/* Entities from anywhere, in every mode. Every refusal has a reason; what is read is
 * in order, goes through the stored form unharmed, and every lossless representation
 * of it reads back as the same. Text that is no JSON is tried as a projection. */
#include "fuzz.h"

#include "model/doc.h"
#include "model/reader.h"
#include "model/represent.h"

enum { DEPTH_MAX = 40, BYTES_MAX = 1 << 18 };

static const struct json_limits JSON = {.depth_max = DEPTH_MAX, .bytes_max = BYTES_MAX};
static const struct reader_limits LIMITS = {
    .attrs_max = 200,
    .depth_max = 5,
    .types_max = 4,
    .scopes_max = 4,
    .name_bytes_max = 400,
    .coordinates_max = 500,
};

struct run {
    struct terms *terms;
    struct context *user; /* made of a few terms, some odd */
    struct arena *arena;
};

static struct context *user_context(struct arena *a)
{
    static const char TEXT[] =
        "{\"ex\":\"http://example.org/"
        "\",\"speed\":\"ex:speed\",\"tempo\":\"ex:speed\",\"Bus\":\"ex:Bus\","
        "\"wert\":\"https://uri.etsi.org/ngsi-ld/hasValue\",\"nothing\":null,\"kind\":\"@type\","
        "\"odd name\":\"ex:odd\",\"by\":{\"@id\":\"ex:by\",\"@type\":\"@id\"}}";
    static const struct context_limits limits = {
        .terms_max = 100, .remotes_max = 1, .depth_max = 4};
    struct context *c = NULL;
    struct str missing;
    struct json v;
    fuzz_require(json_read(a, str_of(TEXT), &JSON, &v, NULL) == OK);
    fuzz_require(context_build(&c, &v, STR_NONE, NULL, &limits, a, &missing, NULL) == OK);
    return c;
}

/* The terms of the process, renewed before they are many. */
static struct run *setup(void)
{
    static struct run run;
    if (run.terms && terms_count(run.terms) < 50000)
        return &run;
    struct terms *old = run.terms;
    if (run.user)
        context_unref(run.user);
    run.terms = terms_new(1u << 20);
    context_setup(run.terms);
    struct arena *a = arena_new(0);
    run.user = user_context(a);
    arena_free(a);
    terms_free(old);
    return &run;
}

static void check_attrs(const struct attr *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        fuzz_require(a[i].term != TERM_NONE && a[i].kind < ATTR_KIND_COUNT && a[i].seq == 0);
        fuzz_require(a[i].dataset.p != NULL);
        fuzz_require(i == 0 || attr_order(&a[i - 1], &a[i]) < 0);
        check_attrs(a[i].subs, a[i].sub_count);
    }
}

static bool same(const struct entity *x, const struct entity *y)
{
    if (!str_eq(x->id, y->id) || x->type_count != y->type_count ||
        x->scope_count != y->scope_count || x->expires_at != y->expires_at ||
        x->attr_count != y->attr_count)
        return false;
    for (uint32_t i = 0; i < x->type_count; i++)
        if (x->types[i] != y->types[i])
            return false;
    for (uint32_t i = 0; i < x->scope_count; i++)
        if (!str_eq(x->scopes[i], y->scopes[i]))
            return false;
    for (uint32_t i = 0; i < x->attr_count; i++)
        if (!attr_same(&x->attrs[i], &y->attrs[i]))
            return false;
    return true;
}

static struct str represent(struct run *run, const struct represent *rep, const struct entity *e)
{
    struct buf b;
    buf_init(&b, 1 << 26);
    represent_entity(&b, rep, e);
    fuzz_require(!b.full);
    struct str text = arena_dup(run->arena, buf_view(&b));
    buf_free(&b);
    return text;
}

static void check_stored(struct run *run, struct entity *e)
{
    struct entity back;
    e->created_at = e->modified_at = 1;
    size_t n = doc_size(e);
    void *block = arena_alloc(run->arena, n);
    doc_encode(e, block);
    doc_set_seq(block, 1);
    fuzz_require(doc_check(block, n, terms_count(run->terms), NULL) == OK);
    doc_decode(block, run->arena, &back);
    fuzz_require(same(e, &back));
}

static void check_forms(struct run *run, const struct reader *r, const struct entity *e)
{
    const struct json_limits deeper = {.depth_max = DEPTH_MAX + 2, .bytes_max = SIZE_MAX};
    struct represent rep = {.context = r->context, .arena = run->arena, .sys_attrs = true};
    struct entity again;
    struct json v;
    for (rep.format = REPRESENT_NORMALIZED; rep.format <= REPRESENT_CONCISE; rep.format++) {
        fuzz_require(json_read(run->arena, represent(run, &rep, e), &deeper, &v, NULL) == OK);
        fuzz_require(reader_entity(r, &v, STR_NONE, NULL, &again, NULL) == OK);
        fuzz_require(same(e, &again));
    }
    rep.lang = STR("fr-CH, fr;q=0.9, *;q=0.5");
    for (int i = 0; i < 6; i++) {
        rep.format = (uint8_t)(i % 3);
        rep.geojson = i >= 3;
        fuzz_require(json_read(run->arena, represent(run, &rep, e), &deeper, &v, NULL) == OK);
    }
}

static void try_entity(struct run *run, const struct context *c, enum reader_mode mode,
                       bool simplified, const struct json *v)
{
    struct reader r = {.context = c,
                       .limits = &LIMITS,
                       .arena = run->arena,
                       .mode = mode,
                       .simplified = simplified,
                       .lang = STR("en"),
                       .observed_at = TIME_NONE};
    struct entity e;
    struct why why;
    why_clear(&why);
    enum status st = reader_entity(&r, v, STR_NONE, NULL, &e, &why);
    fuzz_require((st == OK) == (why.text[0] == 0) && st == why.status);
    if (st != OK)
        return;
    check_attrs(e.attrs, e.attr_count);
    if (mode != READER_ENTITY)
        return;
    check_stored(run, &e);
    r.simplified = false;
    check_forms(run, &r, &e);
}

static void try_attr(struct run *run, enum reader_mode mode, const struct json *v)
{
    struct reader r = {.context = run->user,
                       .limits = &LIMITS,
                       .arena = run->arena,
                       .mode = mode,
                       .observed_at = TIME_NONE};
    struct attr *attrs;
    uint32_t n;
    struct why why;
    why_clear(&why);
    uint32_t term = context_expand_term(run->user, STR("speed"), true, run->arena, NULL);
    enum status st = reader_attr(&r, term, v, NULL, &attrs, &n, &why);
    fuzz_require((st == OK) == (why.text[0] == 0));
    if (st == OK)
        check_attrs(attrs, n);
}

static void try_projection(struct run *run, struct str text)
{
    static const struct projection_limits limits = {.names_max = 50, .depth_max = 5};
    struct projection *p;
    struct why why;
    why_clear(&why);
    enum status st = projection_read(&p, text, run->user, &limits, run->arena, &why);
    fuzz_require((st == OK) == (why.text[0] == 0));
    for (uint32_t i = 1; st == OK && i < p->count; i++)
        fuzz_require(p->terms[i - 1] < p->terms[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run *run = setup();
    struct str text = {(const char *)data, size};
    struct json v;
    run->arena = arena_new(0);
    if (json_read(run->arena, text, &JSON, &v, NULL) == OK) {
        for (int mode = READER_ENTITY; mode <= READER_MERGE; mode++) {
            try_entity(run, run->user, (enum reader_mode)mode, false, &v);
            try_entity(run, context_core(), (enum reader_mode)mode, true, &v);
            try_attr(run, (enum reader_mode)mode, &v);
        }
    } else {
        try_projection(run, text);
    }
    arena_free(run->arena);
    return 0;
}
