/* Periods of aggregated values (CIM 009 clause 4.5.19). Only those with an instance are kept, in the order in which they
 * turned up, with a table from their number to their place; the last one met is looked at first, so that instances in
 * order of time cost one comparison each.
 *
 * The standard deviation is that of the values themselves, all of which are known (divided by n, not n - 1): one value
 * deviates by 0. */
#include "model/aggregate_int.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

#define NOWHERE UINT32_MAX
enum { COLUMN_MAX = 64 };

struct aggregates {
    struct arena *arena;
    struct temporal_query q;
    uint32_t buckets_max;
    bool whole;   /* one period for the whole range */
    bool started; /* origin is known */
    bool over;     /* there are too many periods, */
    bool too_many; /* or different values */
    uint32_t distinct_max;
    uint8_t kind;
    int64_t origin;     /* where period 0 begins */
    int64_t least_us;   /* of all instances; greatest_us too: of a whole range with open sides */
    int64_t greatest_us;
    uint32_t current; /* or NOWHERE */
    uint32_t count, room;
    struct bucket *buckets;
    uint32_t places_room; /* a power of two */
    uint32_t *places;     /* place + 1 of a bucket by the hash of its index; 0: free */
    struct distinct *distinct;
    uint32_t column_count; /* numbers of points, gathered to be added together */
    int64_t column_times[COLUMN_MAX];
    double column_numbers[COLUMN_MAX];
    uint64_t values;
    struct aggregate_period *periods;
};

struct aggregates *aggregates_begin(const struct temporal_query *q, uint32_t buckets_max, struct arena *a)
{
    struct aggregates *g = arena_zalloc(a, sizeof *g);
    g->arena = a;
    g->q = *q;
    g->buckets_max = buckets_max;
    g->whole = q->period.months == 0 && q->period.us == 0;
    g->started = g->whole || q->from_us != INT64_MIN;
    g->origin = q->from_us;
    g->least_us = INT64_MAX;
    g->greatest_us = INT64_MIN;
    g->current = NOWHERE;
    return g;
}

void aggregates_bound(struct aggregates *g, uint32_t distinct_max)
{
    g->distinct_max = distinct_max;
}

bool aggregates_wait(const struct aggregates *g)
{
    return !g->started;
}

void aggregates_start(struct aggregates *g, int64_t first_us)
{
    if (g->started)
        return;
    g->started = true;
    g->origin = first_us;
}

/* ---- periods ---- */

static bool in_range(const struct aggregates *g, int64_t us)
{
    return us != TIME_NONE && us >= g->origin && us >= g->q.from_us && us < g->q.to_us;
}

/* Which period us falls into, and where that begins and ends. */
static int64_t locate(const struct aggregates *g, int64_t us, int64_t *from, int64_t *to)
{
    const struct duration d = g->q.period;
    const int64_t month_us = INT64_C(2629746) * 1000000; /* on average: a first guess */
    if (g->whole) {
        *from = g->q.from_us;
        *to = g->q.to_us;
        return 0;
    }
    int64_t i = d.months == 0 ? (us - g->origin) / d.us
                              : (int64_t)((double)(us - g->origin) / ((double)d.months * (double)month_us + (double)d.us));
    *from = time_add(g->origin, d, i);
    while (*from > us && i > 0)
        *from = time_add(g->origin, d, --i);
    *to = time_add(g->origin, d, i + 1);
    for (int64_t end; *to <= us && (end = time_add(g->origin, d, i + 2)) > *to; i++) { /* none begins where the calendar ends */
        *from = *to;
        *to = end;
    }
    return i;
}

static uint32_t *place_of(const struct aggregates *g, int64_t index)
{
    uint32_t i = (uint32_t)hash_u64((uint64_t)index) & (g->places_room - 1);
    while (g->places[i] && g->buckets[g->places[i] - 1].index != index)
        i = (i + 1) & (g->places_room - 1);
    return &g->places[i];
}

static void grow(struct aggregates *g)
{
    uint32_t room = g->room ? g->room * 2 : 8;
    g->buckets = arena_grow(g->arena, g->buckets, g->room * sizeof *g->buckets, room * sizeof *g->buckets);
    g->room = room;
    g->places_room = room * 2;
    g->places = arena_zarray(g->arena, uint32_t, g->places_room);
    for (uint32_t i = 0; i < g->count; i++)
        *place_of(g, g->buckets[i].index) = i + 1;
}

/* The period of us, made where there is none; NULL when there would be too many. */
static struct bucket *bucket_at(struct aggregates *g, int64_t us)
{
    int64_t from, to;
    if (g->current != NOWHERE) {
        struct bucket *b = &g->buckets[g->current];
        if (us >= b->from && us < b->to)
            return b;
    }
    int64_t index = locate(g, us, &from, &to);
    if (g->count == g->room)
        grow(g);
    uint32_t *place = place_of(g, index);
    if (!*place) {
        if (g->count == g->buckets_max) {
            g->over = true;
            return NULL;
        }
        g->buckets[g->count] = (struct bucket){.index = index, .from = from, .to = to};
        *place = ++g->count;
    }
    g->current = *place - 1;
    return &g->buckets[g->current];
}

/* ---- values ---- */

void extremes_add(const struct extremes *x, struct str text, int64_t order, struct arena *a)
{
    int least = -1, greatest = 1;
    if (!str_absent(*x->least)) {
        least = order != *x->least_order ? (order < *x->least_order ? -1 : 1) : str_cmp(text, *x->least);
        greatest = order != *x->greatest_order ? (order < *x->greatest_order ? -1 : 1) : str_cmp(text, *x->greatest);
    }
    if (least < 0 || greatest > 0)
        text = a ? arena_dup(a, text) : text;
    if (least < 0) {
        *x->least = text;
        *x->least_order = order;
    }
    if (greatest > 0) {
        *x->greatest = text;
        *x->greatest_order = order;
    }
}

static void keep_text(struct bucket *b, struct str text, int64_t order, struct arena *a)
{
    const struct extremes x = {&b->least, &b->greatest, &b->least_order, &b->greatest_order};
    extremes_add(&x, text, order, a);
}

static void note_time(struct aggregates *g, int64_t us)
{
    g->least_us = us < g->least_us ? us : g->least_us;
    g->greatest_us = us > g->greatest_us ? us : g->greatest_us;
}

/* Is distinctCount asked for, and room for more? Looked at once for a run of values. */
static bool counts_distinct(struct aggregates *g)
{
    g->too_many = g->distinct_max && distinct_count(g->distinct) > g->distinct_max;
    return (g->q.methods & AGGREGATE_BIT(AGGREGATE_DISTINCT_COUNT)) && !g->too_many;
}

static void add_item(struct aggregates *g, const struct item *item)
{
    struct bucket *b = in_range(g, item->us) ? bucket_at(g, item->us) : NULL;
    if (!b)
        return;
    note_time(g, item->us);
    b->count++;
    b->classes |= UINT32_C(1) << item->class;
    switch ((enum class)item->class) {
    case CLASS_NUMBER:
    case CLASS_BOOLEAN:
    case CLASS_ARRAY:
        sums_add(&b->sums, &item->number, 1, g->q.methods);
        break;
    case CLASS_TIME:
        sums_add(&b->sums, &item->number, 1, g->q.methods);
        keep_text(b, item->text, item->order, g->arena);
        break;
    case CLASS_STRING:
    case CLASS_DATE_TIME:
    case CLASS_DATE:
        keep_text(b, item->text, item->order, g->arena);
        break;
    default:
        break;
    }
    if (counts_distinct(g))
        b->distinct += distinct_add(&g->distinct, g->current, item, g->arena);
}

/* ---- columns of numbers ---- */

/* How many from the first on are at least from and less than to. */
static uint32_t run_length(const int64_t *times, uint32_t n, int64_t from, int64_t to)
{
    enum { STEP = 8 };
    uint64_t width = (uint64_t)to - (uint64_t)from; /* as unsigned: one comparison, also of open ranges */
    uint32_t i = 1;
    for (uint32_t out = 0; i + STEP <= n; i += STEP) {
        for (uint32_t k = 0; k < STEP; k++)
            out |= (uint64_t)times[i + k] - (uint64_t)from >= width;
        if (out)
            break;
    }
    while (i < n && (uint64_t)times[i] - (uint64_t)from < width)
        i++;
    return i;
}

static void add_run(struct aggregates *g, struct bucket *b, const int64_t *times, const double *numbers, uint32_t n)
{
    b->count += n;
    b->classes |= UINT32_C(1) << CLASS_NUMBER;
    sums_add(&b->sums, numbers, n, g->q.methods);
    for (uint32_t i = 0; i < n && g->whole; i++)
        note_time(g, times[i]);
    if (counts_distinct(g))
        for (uint32_t i = 0; i < n; i++)
            b->distinct += distinct_add_number(&g->distinct, g->current, numbers[i], g->arena);
}

static void add_numbers(struct aggregates *g, const int64_t *times, const double *numbers, uint32_t n)
{
    for (uint32_t i = 0, run; i < n && !g->over; i += run) {
        run = 1;
        struct bucket *b = in_range(g, times[i]) ? bucket_at(g, times[i]) : NULL;
        if (!b)
            continue;
        int64_t from = b->from > g->q.from_us ? b->from : g->q.from_us;
        int64_t to = b->to < g->q.to_us ? b->to : g->q.to_us;
        run = run_length(times + i, n - i, from, to);
        add_run(g, b, times + i, numbers + i, run);
    }
}

void aggregates_add_numbers(struct aggregates *g, const int64_t *times, const double *numbers, uint32_t n)
{
    if (g->values == 0)
        g->kind = ATTR_PROPERTY;
    g->values += n;
    assert(g->started);
    add_numbers(g, times, numbers, n);
}

/* ---- points ---- */

static void add_column(struct aggregates *g)
{
    add_numbers(g, g->column_times, g->column_numbers, g->column_count);
    g->column_count = 0;
}

static void add_to_column(struct aggregates *g, const struct item *item)
{
    if (g->column_count == COLUMN_MAX)
        add_column(g);
    g->column_times[g->column_count] = item->us;
    g->column_numbers[g->column_count++] = item->number;
}

void aggregates_add(struct aggregates *g, const struct point *p)
{
    int64_t us = point_time(p, (enum time_property)g->q.property);
    if (g->over || p->attr.value.kind == VALUE_NULL || p->attr.value.kind == VALUE_NONE)
        return;
    if (g->values++ == 0)
        g->kind = p->attr.kind;
    struct item item = aggregate_item(p, us != TIME_NONE ? us : point_place(p), g->arena);
    assert(g->started);
    if (item.class == CLASS_NUMBER)
        add_to_column(g, &item);
    else
        add_item(g, &item);
}

/* ---- summaries ---- */

bool aggregates_take_summary(const struct aggregates *g, int64_t first, int64_t last)
{
    int64_t from, to;
    if ((g->q.methods & AGGREGATE_BIT(AGGREGATE_DISTINCT_COUNT)) || !in_range(g, first) || !in_range(g, last))
        return false;
    (void)locate(g, first, &from, &to);
    return last < to;
}

bool aggregates_add_summary(struct aggregates *g, int64_t first, int64_t last, const struct number_summary *s)
{
    struct sums sums;
    if (!sums_of_summary(s, &sums) && (g->q.methods & AGGREGATE_BIT(AGGREGATE_STDDEV)))
        return false;
    struct bucket *b = bucket_at(g, first);
    if (!b || s->count == 0)
        return true; /* too many periods: said at the end */
    if (g->values == 0)
        g->kind = ATTR_PROPERTY;
    g->values += s->count;
    note_time(g, first);
    note_time(g, last);
    b->count += s->count;
    b->classes |= UINT32_C(1) << CLASS_NUMBER;
    sums_merge(&b->sums, &sums);
    return true;
}

/* ---- kept aggregates ---- */

static void add_kept(struct aggregates *g, const struct kept_aggregate *k)
{
    struct bucket *b = in_range(g, k->from_us) ? bucket_at(g, k->from_us) : NULL;
    if (!b)
        return;
    note_time(g, k->from_us);
    b->count += k->count;
    b->classes |= k->classes;
    b->indistinct = true;
    if (k->sums.n)
        sums_merge(&b->sums, &k->sums);
    if (str_absent(k->least))
        return;
    keep_text(b, k->least, k->least_order, g->arena);
    keep_text(b, k->greatest, k->greatest_order, g->arena);
}

bool aggregates_take_kept(const struct aggregates *g, int64_t span_us)
{
    return g->whole || g->q.period.months > 0 || g->q.period.us >= span_us;
}

void aggregates_add_kept(struct aggregates *g, const struct kept_aggregate *k)
{
    if (g->over)
        return;
    if (g->values == 0)
        g->kind = k->kind;
    g->values += k->count;
    assert(g->started);
    add_kept(g, k);
}

/* ---- the end ---- */

static int by_index(const void *a, const void *b)
{
    const struct bucket *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static void finish(struct aggregates *g, const struct bucket *b, struct aggregate_period *p)
{
    *p = (struct aggregate_period){.from_us = b->from, .to_us = b->to};
    if (g->whole && g->q.from_us == INT64_MIN)
        p->from_us = g->least_us;
    if (g->whole && g->q.to_us == INT64_MAX)
        p->to_us = g->greatest_us;
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        if (g->q.methods & AGGREGATE_BIT(m))
            p->values[m] = aggregate_result(b, (enum aggregate_method)m, g->arena);
}

enum status aggregates_end(struct aggregates *g, struct why *why)
{
    uint32_t allowed = 0;
    add_column(g);
    if (g->over)
        return why_limit(why, E_TOO_COMPLEX, NULL, "limits.aggregation_periods",
                         "the values fall into more than %u periods of aggrPeriodDuration", g->buckets_max);
    (void)counts_distinct(g);
    if (g->too_many)
        return why_limit(why, E_TOO_COMPLEX, NULL, "limits.aggregation_values", "distinctCount would have to count more than %u values",
                         g->distinct_max);
    for (uint32_t i = 0; i < g->count; i++)
        allowed |= aggregate_allowed(g->buckets[i].classes);
    if (g->count && !(allowed & g->q.methods))
        return why_set(why, E_INVALID_REQUEST, NULL,
                       "none of the aggrMethods applies to values of that kind (clause 4.5.19.1)");
    if (g->count)
        qsort(g->buckets, g->count, sizeof *g->buckets, by_index);
    g->periods = arena_array(g->arena, struct aggregate_period, g->count);
    for (uint32_t i = 0; i < g->count; i++)
        finish(g, &g->buckets[i], &g->periods[i]);
    return OK;
}

uint32_t aggregates_count(const struct aggregates *g)
{
    return g->periods ? g->count : 0;
}

const struct aggregate_period *aggregates_period(const struct aggregates *g, uint32_t i)
{
    return &g->periods[i];
}

uint8_t aggregates_kind(const struct aggregates *g)
{
    return g->kind;
}
