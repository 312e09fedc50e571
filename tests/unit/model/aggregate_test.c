/* Aggregated values against plain loops in long double over all values of each period, for numbers in every way they can
 * be given; then every column of the tables of clause 4.5.19.1, and the bounds. */
#include "model/aggregate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define EACH_METHOD (AGGREGATE_BIT(AGGREGATE_METHOD_COUNT) - 1)
#define SUMMED (EACH_METHOD & ~AGGREGATE_BIT(AGGREGATE_DISTINCT_COUNT))
enum { VALUES_MAX = 600 };

static int64_t at(const char *text)
{
    int64_t us;
    assert_true(time_parse(str_of(text), &us));
    return us;
}

static struct temporal_query query(const char *from, const char *to, const char *period, uint32_t methods)
{
    struct temporal_query q = {.from_us = from ? at(from) : INT64_MIN, .to_us = to ? at(to) : INT64_MAX, .methods = methods};
    assert_true(duration_parse(str_of(period), &q.period));
    return q;
}

static uint64_t seed = 1;
static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* ---- the oracle ---- */

struct expected {
    int64_t from, to;
    uint32_t n, distinct;
    long double sum, squares, deviation, min, max;
};

static struct expected expect(const double *x, uint32_t n, int64_t from, int64_t to)
{
    struct expected e = {.from = from, .to = to, .n = n, .min = x[0], .max = x[0]};
    for (uint32_t i = 0; i < n; i++) {
        bool before = false;
        e.sum += x[i];
        e.squares += (long double)x[i] * x[i];
        e.min = x[i] < e.min ? x[i] : e.min;
        e.max = x[i] > e.max ? x[i] : e.max;
        for (uint32_t j = 0; j < i; j++)
            before |= x[j] == x[i];
        e.distinct += !before;
    }
    for (uint32_t i = 0; i < n; i++)
        e.deviation += (x[i] - e.sum / n) * (x[i] - e.sum / n);
    e.deviation = sqrtl(e.deviation / n);
    return e;
}

static void assert_close(const struct aggregate_value *v, long double expected, long double scale)
{
    assert_true(v->there && v->value.kind == VALUE_REAL);
    if (fabsl(v->value.real - expected) > 1e-13L * scale)
        fail_msg("%.17g, not %.17Lg", v->value.real, expected);
}

static void check_period(const struct aggregate_period *p, const struct expected *e, uint32_t methods)
{
    const struct aggregate_value *v = p->values;
    assert_int_equal(p->from_us, e->from);
    assert_int_equal(p->to_us, e->to);
    assert_int_equal(v[AGGREGATE_TOTAL_COUNT].value.integer, e->n);
    long double largest = fmaxl(fabsl(e->min), fabsl(e->max));
    assert_close(&v[AGGREGATE_SUM], e->sum, fmaxl(fabsl(e->sum), largest));
    assert_close(&v[AGGREGATE_AVG], e->sum / e->n, largest);
    assert_close(&v[AGGREGATE_MIN], e->min, 0);
    assert_close(&v[AGGREGATE_MAX], e->max, 0);
    assert_close(&v[AGGREGATE_SUMSQ], e->squares, e->squares);
    assert_close(&v[AGGREGATE_STDDEV], e->deviation, 100 * e->deviation + largest * 1e-3L);
    assert_int_equal(v[AGGREGATE_DISTINCT_COUNT].there, !!(methods & AGGREGATE_BIT(AGGREGATE_DISTINCT_COUNT)));
    if (v[AGGREGATE_DISTINCT_COUNT].there)
        assert_int_equal(v[AGGREGATE_DISTINCT_COUNT].value.integer, e->distinct);
}

/* Goes through the periods one after the other. */
static void check(const struct aggregates *g, const struct temporal_query *q, const int64_t *times, const double *numbers,
                  uint32_t n)
{
    static double in[VALUES_MAX];
    int64_t first = INT64_MAX, last = INT64_MIN;
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++)
        if (times[i] >= q->from_us && times[i] < q->to_us) {
            first = times[i] < first ? times[i] : first;
            last = times[i] > last ? times[i] : last;
        }
    bool whole = q->period.months == 0 && q->period.us == 0;
    int64_t origin = q->from_us == INT64_MIN ? first : q->from_us;
    for (int64_t k = 0; first <= last && (whole ? k == 0 : time_add(origin, q->period, k) <= last); k++) {
        int64_t from = whole ? origin : time_add(origin, q->period, k);
        int64_t to = whole ? (q->to_us == INT64_MAX ? last : q->to_us) : time_add(origin, q->period, k + 1);
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++)
            if (times[i] >= from && (whole || times[i] < to) && times[i] >= q->from_us && times[i] < q->to_us)
                in[count++] = numbers[i];
        if (count == 0)
            continue;
        struct expected e = expect(in, count, from, to);
        assert_true(found < aggregates_count(g));
        check_period(aggregates_period(g, found++), &e, q->methods);
    }
    assert_int_equal(found, aggregates_count(g));
}

/* ---- numbers, in every way ---- */

static struct point number_point(int64_t us, double number)
{
    struct point p = {.attr = {.kind = ATTR_PROPERTY,
                               .observed_at = us,
                               .created_at = TIME_NONE,
                               .modified_at = TIME_NONE,
                               .value = {.kind = VALUE_REAL, .real = number}},
                      .deleted_at = TIME_NONE};
    return p;
}

enum way { BY_POINTS, BY_COLUMN, BY_COLUMNS, BY_SUMMARIES, WAYS };

static void add_summary(struct aggregates *g, const int64_t *times, const double *x, uint32_t n)
{
    struct number_summary s = {.count = n, .min = x[0], .max = x[0]};
    long double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += x[i];
        squares += (long double)x[i] * x[i];
        s.min = x[i] < s.min ? x[i] : s.min;
        s.max = x[i] > s.max ? x[i] : s.max;
    }
    s.sum = (double)sum;
    s.sumsq = (double)squares;
    if (!aggregates_take_summary(g, times[0], times[n - 1]) || !aggregates_add_summary(g, times[0], times[n - 1], &s))
        aggregates_add_numbers(g, times, x, n);
}

static void feed(struct aggregates *g, enum way way, const int64_t *times, const double *numbers, uint32_t n)
{
    uint32_t step;
    if (way == BY_COLUMN) {
        aggregates_add_numbers(g, times, numbers, n);
        return;
    }
    for (uint32_t i = 0; i < n; i += step) {
        step = way == BY_POINTS ? 1 : (uint32_t)(draw() % 7) + 1;
        step = step > n - i ? n - i : step;
        if (way == BY_SUMMARIES) {
            add_summary(g, times + i, numbers + i, step);
        } else if (way == BY_COLUMNS) {
            aggregates_add_numbers(g, times + i, numbers + i, step);
        } else {
            struct point p = number_point(times[i], numbers[i]);
            aggregates_add(g, &p);
        }
    }
}

static void numbers_agree_with_plain_loops(void **state)
{
    (void)state;
    static const char *const PERIODS[] = {"PT0S", "PT1H", "P1D", "PT7M", "P1M", "P1Y", "P1M3DT5H", "P5W", "P2M"};
    static const char *const RANGES[][2] = {{"2020-01-31T05:00:00Z", NULL}, {NULL, NULL},
                                            {NULL, "2020-03-01T00:00:00Z"}, {"2020-01-31T05:00:00Z", "2020-02-29T12:30:00Z"}};
    static int64_t times[VALUES_MAX];
    static double numbers[VALUES_MAX];
    for (uint32_t round = 0; round < 2000; round++) {
        struct arena *a = arena_new(0);
        const char *const *range = RANGES[draw() % 4];
        uint32_t n = (uint32_t)(draw() % (draw() % 8 ? 40 : VALUES_MAX));
        enum way way = (enum way)(draw() % WAYS);
        struct temporal_query q = query(range[0], range[1], PERIODS[draw() % 9], way == BY_SUMMARIES ? SUMMED : EACH_METHOD);
        double offset = draw() % 4 ? 20 : 1e9, unit = draw() % 2 ? 0.1 : 1;
        int64_t us = at("2020-01-30T00:00:00Z"), least = INT64_MAX;
        for (uint32_t i = 0; i < n; i++) {
            us += (int64_t)(draw() % 8 ? draw() % (3600 * 9) : draw() % (86400 * 9)) * SECOND / 3;
            times[i] = us;
            numbers[i] = offset + unit * (double)((int64_t)(draw() % 200) - 100);
        }
        for (uint32_t i = 0; i < n && draw() % 2 && way <= BY_COLUMNS; i++) { /* out of order */
            uint32_t j = (uint32_t)(draw() % n);
            int64_t t = times[i];
            times[i] = times[j];
            times[j] = t;
        }
        for (uint32_t i = 0; i < n; i++)
            least = times[i] < least ? times[i] : least;
        struct aggregates *g = aggregates_begin(&q, 100000, a);
        assert_int_equal(aggregates_wait(g), !range[0] && (q.period.months || q.period.us));
        aggregates_start(g, least);
        feed(g, way, times, numbers, n);
        assert_int_equal(aggregates_end(g, NULL), OK);
        check(g, &q, times, numbers, n);
        arena_free(a);
    }
}

/* Where a sum of squares has no digits left for it, the deviation is still right, and a summary is refused. */
static void deviations_survive_great_offsets(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query(NULL, NULL, "PT0S", EACH_METHOD);
    struct aggregates *g = aggregates_begin(&q, 10, a);
    double x[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    int64_t times[] = {0, 1, 2, 3};
    struct number_summary s = {4, 4e9 + 40, 4e18 + 8e10 + 490, 1e9 + 4, 1e9 + 16};
    aggregates_add_numbers(g, times, x, 3);
    assert_false(aggregates_take_summary(g, 0, 3)); /* nor with distinctCount */
    q.methods = SUMMED;
    struct aggregates *refuses = aggregates_begin(&q, 10, a);
    assert_true(aggregates_take_summary(refuses, 0, 3));
    assert_false(aggregates_add_summary(refuses, 0, 3, &s));
    aggregates_add_numbers(g, times + 3, x + 3, 1);
    assert_int_equal(aggregates_end(g, NULL), OK);
    double deviation = aggregates_period(g, 0)->values[AGGREGATE_STDDEV].value.real;
    assert_true(fabs(deviation - sqrt(22.5)) < 1e-12);
    arena_free(a);
}

/* A summary must fall into one period. */
static void summaries_fit_into_periods(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query(NULL, "1970-01-01T02:30:00Z", "PT1H", SUMMED);
    struct aggregates *g = aggregates_begin(&q, 10, a);
    aggregates_start(g, 10 * SECOND);
    assert_false(aggregates_take_summary(g, 9 * SECOND, 11 * SECOND));
    assert_true(aggregates_take_summary(g, 10 * SECOND, 3609 * SECOND));
    assert_false(aggregates_take_summary(g, 10 * SECOND, 3610 * SECOND));
    assert_false(aggregates_take_summary(g, 2 * 3600 * SECOND + 11 * SECOND, 9000 * SECOND)); /* beyond the range */
    arena_free(a);
}

/* Sums lose nothing: a plain loop over these gives 0 or 2. */
static void sums_are_compensated(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query(NULL, NULL, "PT0S", SUMMED);
    struct aggregates *one = aggregates_begin(&q, 10, a), *each = aggregates_begin(&q, 10, a);
    double x[] = {1, 1e100, 1, -1e100, 1};
    int64_t times[] = {0, 1, 2, 3, 4};
    aggregates_add_numbers(one, times, x, 5);
    for (int i = 0; i < 5; i++)
        aggregates_add_numbers(each, times + i, x + i, 1);
    assert_int_equal(aggregates_end(one, NULL), OK);
    assert_int_equal(aggregates_end(each, NULL), OK);
    assert_true(aggregates_period(one, 0)->values[AGGREGATE_SUM].value.real == 3);
    assert_true(aggregates_period(each, 0)->values[AGGREGATE_SUM].value.real == 3);
    arena_free(a);
}

static void infinite_sums_are_not_there(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query(NULL, NULL, "PT0S", SUMMED);
    struct aggregates *g = aggregates_begin(&q, 10, a);
    double x[] = {1.7e308, 1.7e308};
    aggregates_add_numbers(g, (int64_t[]){0, 1}, x, 2);
    assert_int_equal(aggregates_end(g, NULL), OK);
    const struct aggregate_value *v = aggregates_period(g, 0)->values;
    assert_false(v[AGGREGATE_SUM].there || v[AGGREGATE_SUMSQ].there);
    assert_true(v[AGGREGATE_MAX].there && v[AGGREGATE_MAX].value.real == 1.7e308);
    arena_free(a);
}

/* ---- the tables ---- */

#define TYPED(type, text) "{\"@type\":\"" type "\",\"@value\":\"" text "\"}"

struct column {
    const char *what;
    uint8_t kind;      /* enum attr_kind */
    uint8_t value;     /* VALUE_STRING or VALUE_JSON */
    const char *type;  /* valueType */
    const char *texts[5];
    const char *gives[AGGREGATE_METHOD_COUNT]; /* in the order of enum aggregate_method; NULL: N/A */
};

static const struct column COLUMNS[] = {
    {"string", ATTR_PROPERTY, VALUE_STRING, NULL, {"b", "a", "é", "a"}, {"4", "3", NULL, NULL, "a", "é"}},
    {"array", ATTR_PROPERTY, VALUE_JSON, NULL, {"[1,2]", "[]", "[{\"a\":[1,2]},\",\",3,4]", "[1,2]"},
     {"4", "3", "8", "2", "0", "4"}},
    {"list", ATTR_LIST_PROPERTY, VALUE_JSON, NULL, {"[1,2]", "[1]"}, {"2", "2", "3", "1.5", "1", "2"}},
    {"object", ATTR_PROPERTY, VALUE_JSON, NULL,
     {"{\"a\":1,\"b\":[{\"c\":1,\"d\":2}]}", "{\"b\":[{\"d\":2.0,\"c\":1}],\"a\":1}", "{\"a\":1}"}, {"3", "2"}},
    {"json", ATTR_JSON_PROPERTY, VALUE_JSON, NULL, {"{\"a\":1}", "null", "null"}, {"3", "2"}},
    {"DateTime", ATTR_PROPERTY, VALUE_JSON, NULL,
     {TYPED("DateTime", "2020-01-01T00:00:00Z"), TYPED("DateTime", "2020-01-01T00:00:00.5Z")},
     {"2", "2", NULL, NULL, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z"}},
    {"DateTime", ATTR_PROPERTY, VALUE_STRING, "https://uri.etsi.org/ngsi-ld/DateTime",
     {"2020-01-01T00:00:00.5Z", "2020-01-01T00:00:00Z"},
     {"2", "2", NULL, NULL, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z"}},
    {"Date", ATTR_PROPERTY, VALUE_STRING, "http://www.w3.org/2001/XMLSchema#date", {"2020-01-31", "2019-12-01", "2020-01-31"},
     {"3", "2", NULL, NULL, "2019-12-01", "2020-01-31"}},
    {"Time", ATTR_PROPERTY, VALUE_JSON, NULL, {TYPED("Time", "08:10:00Z"), TYPED("Time", "07:50:00Z"), TYPED("Time", "09:00:01Z")},
     {"3", "3", NULL, "08:20:00.333333Z", "07:50:00Z", "09:00:01Z"}},
    {"bare Time", ATTR_PROPERTY, VALUE_STRING, NULL, {"23:59:59Z", "00:00:01Z"},
     {"2", "2", NULL, "12:00:00Z", "00:00:01Z", "23:59:59Z"}},
    {"URI", ATTR_PROPERTY, VALUE_JSON, NULL, {TYPED("URI", "urn:x:a"), TYPED("URI", "urn:x:b"), TYPED("URI", "urn:x:a")}, {"3", "2"}},
    {"vocab", ATTR_VOCAB_PROPERTY, VALUE_STRING, NULL, {"urn:x:a", "urn:x:b", "urn:x:a"}, {"3", "2"}},
    {"typed number", ATTR_PROPERTY, VALUE_JSON, NULL, {"{\"@type\":\"@json\",\"@value\":3}", "{\"@type\":\"@json\",\"@value\":1}"},
     {"2", "2", "4", "2", "1", "3", "1", "10"}},
    {"no Date", ATTR_PROPERTY, VALUE_JSON, NULL, {TYPED("Date", "soon"), TYPED("Date", "later")}, {"2", "2", NULL, NULL, "later", "soon"}},
    {"geo", ATTR_GEO_PROPERTY, VALUE_JSON, NULL, {"{\"type\":\"Point\",\"coordinates\":[1,2]}"}, {"1", "1"}},
    {"language", ATTR_LANGUAGE_PROPERTY, VALUE_JSON, NULL, {"{\"en\":\"a\"}", "{\"en\":\"a\"}"}, {"2", "1"}},
    {"relationship", ATTR_RELATIONSHIP, VALUE_STRING, NULL, {"urn:x:a", "urn:x:b", "urn:x:a"}, {"3", "2"}},
    {"relationships", ATTR_RELATIONSHIP, VALUE_JSON, NULL, {"[\"urn:x:a\",\"urn:x:b\"]", "[\"urn:x:b\",\"urn:x:c\"]"}, {"2", "3"}},
    {"list of them", ATTR_LIST_RELATIONSHIP, VALUE_JSON, NULL, {"[\"urn:x:a\",\"urn:x:a\"]"}, {"1", "1"}},
};

static struct point text_point(const struct column *c, int i)
{
    struct point p = number_point(at("2020-01-01T00:00:00Z") + i, 0);
    p.attr.kind = c->kind;
    p.attr.value = (struct value){.kind = c->value, .text = str_of(c->texts[i])};
    p.attr.value_type = c->type ? str_of(c->type) : STR_NONE;
    return p;
}

static void assert_gives(const char *what, const struct aggregate_value *v, const char *text)
{
    char got[64] = "nothing";
    if (v->there && v->value.kind == VALUE_STRING)
        snprintf(got, sizeof got, "%.*s", STR_ARG(v->value.text));
    else if (v->there && v->value.kind == VALUE_INT)
        snprintf(got, sizeof got, "%lld", (long long)v->value.integer);
    else if (v->there)
        snprintf(got, sizeof got, "%.17g", v->value.real);
    if (strcmp(got, text ? text : "nothing") != 0)
        fail_msg("%s: %s, not %s", what, got, text ? text : "nothing");
}

static void each_data_type_has_its_methods(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
        const struct column *c = &COLUMNS[i];
        struct arena *a = arena_new(0);
        struct temporal_query q = query("2020-01-01T00:00:00Z", NULL, "P1D", EACH_METHOD);
        struct aggregates *g = aggregates_begin(&q, 10, a);
        for (int j = 0; j < 5 && c->texts[j]; j++) {
            struct point p = text_point(c, j);
            aggregates_add(g, &p);
        }
        assert_int_equal(aggregates_end(g, NULL), OK);
        assert_int_equal(aggregates_count(g), 1);
        assert_int_equal(aggregates_kind(g), c->kind);
        for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
            assert_gives(c->what, &aggregates_period(g, 0)->values[m], c->gives[m]);
        arena_free(a);
    }
}

static void booleans_are_numbers(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query(NULL, NULL, "PT0S", EACH_METHOD);
    struct aggregates *g = aggregates_begin(&q, 10, a);
    for (int i = 0; i < 4; i++) {
        struct point p = number_point(i, 1);
        if (i)
            p.attr.value = (struct value){.kind = VALUE_BOOL, .boolean = i != 2};
        aggregates_add(g, &p);
    }
    assert_int_equal(aggregates_end(g, NULL), OK);
    static const char *const GIVES[] = {"4", "3", "3", "0.75", "0", "1", "0.4330127018922193", "3"};
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        assert_gives(aggregate_name(m), &aggregates_period(g, 0)->values[m], GIVES[m]);
    arena_free(a);
}

/* What cannot be compared is counted only; deletions are no values. */
static void mixed_values_and_deletions(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query(NULL, NULL, "PT0S", EACH_METHOD);
    struct aggregates *g = aggregates_begin(&q, 10, a);
    struct point p = number_point(1, 5), text = text_point(&COLUMNS[0], 0), gone = number_point(2, 0);
    text.attr.observed_at = 3;
    gone.attr.value.kind = VALUE_NULL;
    aggregates_add(g, &p);
    aggregates_add(g, &gone);
    aggregates_add(g, &text);
    assert_int_equal(aggregates_end(g, NULL), OK);
    const struct aggregate_period *period = aggregates_period(g, 0);
    static const char *const GIVES[AGGREGATE_METHOD_COUNT] = {"2", "2"};
    for (int m = 0; m < AGGREGATE_METHOD_COUNT; m++)
        assert_gives(aggregate_name(m), &period->values[m], GIVES[m]);
    assert_int_equal(period->from_us, 1);
    assert_int_equal(period->to_us, 3);
    arena_free(a);
}

/* ---- what is refused ---- */

static void methods_must_apply(void **state)
{
    (void)state;
    struct why why;
    struct arena *a = arena_new(0);
    for (int mixed = 0; mixed < 2; mixed++) {
        uint32_t methods = AGGREGATE_BIT(AGGREGATE_AVG) | (mixed ? AGGREGATE_BIT(AGGREGATE_MAX) : 0);
        struct temporal_query q = query(NULL, NULL, "PT1H", methods);
        struct aggregates *g = aggregates_begin(&q, 10, a);
        struct point p = text_point(&COLUMNS[0], 0);
        aggregates_start(g, p.attr.observed_at);
        aggregates_add(g, &p);
        why_clear(&why);
        assert_int_equal(aggregates_end(g, &why), mixed ? OK : E_INVALID_REQUEST);
    }
    struct temporal_query q = query(NULL, NULL, "PT1H", AGGREGATE_BIT(AGGREGATE_AVG));
    struct aggregates *none = aggregates_begin(&q, 10, a);
    assert_int_equal(aggregates_end(none, &why), OK);
    assert_int_equal(aggregates_count(none), 0);
    arena_free(a);
}

static void periods_are_limited(void **state)
{
    (void)state;
    struct why why;
    for (uint32_t most = 9; most <= 10; most++) {
        struct arena *a = arena_new(0);
        struct temporal_query q = query("2020-01-01T00:00:00Z", NULL, "PT1S", SUMMED);
        struct aggregates *g = aggregates_begin(&q, most, a);
        for (int i = 0; i < 10; i++) { /* far apart: those without an instance do not count */
            struct point p = number_point(q.from_us + i * 1000000 * SECOND, 1);
            aggregates_add(g, &p);
        }
        why_clear(&why);
        assert_int_equal(aggregates_end(g, &why), most == 10 ? OK : E_TOO_COMPLEX);
        assert_string_equal(why.limit, most == 10 ? "" : "limits.aggregation_periods");
        arena_free(a);
    }
}

static void different_values_are_limited(void **state)
{
    (void)state;
    struct why why;
    for (uint32_t most = 9; most <= 10; most++) {
        struct arena *a = arena_new(0);
        struct temporal_query q = query(NULL, NULL, "PT0S", AGGREGATE_BIT(AGGREGATE_DISTINCT_COUNT));
        struct aggregates *g = aggregates_begin(&q, 1, a);
        aggregates_bound(g, most);
        for (int i = 0; i < 10000; i++) {
            struct point p = number_point(i, i % 10);
            aggregates_add(g, &p);
        }
        why_clear(&why);
        assert_int_equal(aggregates_end(g, &why), most == 10 ? OK : E_TOO_COMPLEX);
        assert_string_equal(why.limit, most == 10 ? "" : "limits.aggregation_values");
        arena_free(a);
    }
}

/* The whole calendar and its end, beyond which no period goes. */
static void the_calendar_has_ends(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct temporal_query q = query("0000-01-01T00:00:00Z", NULL, "P9998Y", EACH_METHOD);
    struct aggregates *g = aggregates_begin(&q, 10, a);
    int64_t times[] = {at("0000-01-01T00:00:00Z"), at("9997-12-31T23:59:59.999999Z"), at("9998-01-01T00:00:00Z"),
                       at("9999-12-31T23:59:59.999999Z")};
    aggregates_add_numbers(g, times, (double[]){1, 2, 3, 4}, 4);
    assert_int_equal(aggregates_end(g, NULL), OK);
    assert_int_equal(aggregates_count(g), 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(aggregates_period(g, i)->values[AGGREGATE_TOTAL_COUNT].value.integer, 2);
    assert_int_equal(aggregates_period(g, 1)->from_us, times[2]);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_agree_with_plain_loops), cmocka_unit_test(deviations_survive_great_offsets),
        cmocka_unit_test(sums_are_compensated),           cmocka_unit_test(infinite_sums_are_not_there),
        cmocka_unit_test(each_data_type_has_its_methods), cmocka_unit_test(booleans_are_numbers),
        cmocka_unit_test(mixed_values_and_deletions),     cmocka_unit_test(methods_must_apply),
        cmocka_unit_test(periods_are_limited),
        cmocka_unit_test(different_values_are_limited),            cmocka_unit_test(summaries_fit_into_periods),
        cmocka_unit_test(the_calendar_has_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
