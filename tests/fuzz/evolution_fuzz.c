/* Temporal evolutions from anywhere. Every refusal has a reason; what is read is in order, every lossless representation of
 * it reads back as the same, and whatever it holds can be aggregated. */
#include "fuzz.h"

#include "model/reader.h"
#include "model/represent_temporal.h"

enum { DEPTH_MAX = 40, BYTES_MAX = 1 << 18, PERIODS_MAX = 50 };

static const struct json_limits JSON = {.depth_max = DEPTH_MAX, .bytes_max = BYTES_MAX};
static const struct reader_limits LIMITS = {
    .attrs_max = 200,
    .depth_max = 5,
    .types_max = 4,
    .scopes_max = 4,
    .name_bytes_max = 400,
    .coordinates_max = 500,
    .instances_max = 100,
};

/* The terms of the process, renewed before they are many. */
static void setup(void)
{
    static struct terms *terms;
    if (terms && terms_count(terms) < 50000)
        return;
    struct terms *old = terms;
    terms = terms_new(1u << 20);
    context_setup(terms);
    terms_free(old);
}

static void check_order(const struct evolution *e)
{
    uint32_t instances = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        const struct series *s = &e->series[i], *before = i ? &e->series[i - 1] : NULL;
        fuzz_require(s->count > 0);
        fuzz_require(!before || before->term < s->term || (before->term == s->term && str_cmp(before->dataset, s->dataset) < 0));
        for (uint32_t j = 0; j < s->count; j++) {
            const struct point *p = &s->points[j];
            fuzz_require(p->attr.term == s->term && str_eq(p->attr.dataset, s->dataset));
            fuzz_require(p->attr.kind != ATTR_UNKNOWN && p->attr.value.kind != VALUE_NONE);
            fuzz_require(j == 0 || point_order(p - 1, p) < 0);
        }
        instances += s->count;
    }
    fuzz_require(instances <= LIMITS.instances_max);
}

static bool same(const struct evolution *x, const struct evolution *y)
{
    bool same = str_eq(x->id, y->id) && x->type_count == y->type_count && x->expires_at == y->expires_at && x->count == y->count;
    for (uint32_t i = 0; same && i < x->count; i++) {
        same = x->series[i].count == y->series[i].count;
        for (uint32_t j = 0; same && j < x->series[i].count; j++) {
            const struct point *p = &x->series[i].points[j], *q = &y->series[i].points[j];
            same = attr_same(&p->attr, &q->attr) && p->attr.observed_at == q->attr.observed_at && p->deleted_at == q->deleted_at;
        }
    }
    return same;
}

static void check_form(const struct reader *r, const struct represent_temporal *rep, const struct evolution *e, bool lossless)
{
    const struct json_limits deeper = {.depth_max = DEPTH_MAX + 6, .bytes_max = SIZE_MAX};
    struct evolution again;
    struct json v;
    struct buf b;
    buf_init(&b, 1 << 26);
    represent_evolution(&b, rep, e);
    fuzz_require(!b.full);
    fuzz_require(json_read(r->arena, buf_view(&b), &deeper, &v, NULL) == OK);
    if (lossless) {
        fuzz_require(reader_evolution(r, &v, STR_NONE, NULL, &again, NULL) == OK);
        fuzz_require(same(e, &again));
    }
    buf_free(&b);
}

/* When the first instance is, by what periods go by. */
static int64_t first_of(const struct series *s)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < s->count; i++) {
        int64_t us = point_time(&s->points[i], TIME_OBSERVED_AT);
        us = us != TIME_NONE ? us : point_place(&s->points[i]);
        first = us < first ? us : first;
    }
    return first;
}

static void check_aggregates(const struct reader *r, struct represent_temporal *rep, struct evolution *e)
{
    struct temporal_query q = {
        .from_us = INT64_MIN, .to_us = INT64_MAX, .methods = AGGREGATE_BIT(AGGREGATE_METHOD_COUNT) - 1, .period = {.months = 1}};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        struct series *s = &e->series[i];
        s->aggregates = aggregates_begin(&q, PERIODS_MAX, r->arena);
        aggregates_start(s->aggregates, first_of(s));
        for (uint32_t j = 0; j < s->count; j++)
            aggregates_add(s->aggregates, &s->points[j]);
        s->count = 0;
        enum status st = aggregates_end(s->aggregates, NULL);
        fuzz_require(st == OK || st == E_TOO_COMPLEX); /* all can be counted */
        if (st == OK)
            e->series[kept++] = *s;
    }
    e->count = kept;
    rep->query = &q;
    rep->format = TEMPORAL_AGGREGATED;
    check_form(r, rep, e, false);
}

static void try_evolution(struct arena *a, const struct json *v)
{
    struct reader r = {.context = context_core(), .limits = &LIMITS, .arena = a, .observed_at = TIME_NONE};
    struct represent_temporal rep = {.base = {.context = r.context, .arena = a, .sys_attrs = true}};
    struct evolution e;
    struct point p;
    struct why why;
    why_clear(&why);
    uint32_t term = context_expand_term(r.context, STR("speed"), true, a, NULL);
    enum status st = reader_instance(&r, term, v, NULL, &p, &why);
    fuzz_require((st == OK) == (why.text[0] == 0) && st == why.status);
    why_clear(&why);
    st = reader_evolution_fragment(&r, v, STR_NONE, NULL, &e, &why);
    fuzz_require((st == OK) == (why.text[0] == 0) && st == why.status);
    why_clear(&why);
    st = reader_evolution(&r, v, STR_NONE, NULL, &e, &why);
    fuzz_require((st == OK) == (why.text[0] == 0) && st == why.status);
    if (st != OK)
        return;
    check_order(&e);
    for (int format = TEMPORAL_NORMALIZED; format <= TEMPORAL_VALUES; format++) {
        rep.format = (uint8_t)format;
        check_form(&r, &rep, &e, format != TEMPORAL_VALUES);
    }
    check_aggregates(&r, &rep, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct json v;
    setup();
    struct arena *a = arena_new(0);
    if (json_read(a, text, &JSON, &v, NULL) == OK)
        try_evolution(a, &v);
    arena_free(a);
    return 0;
}
