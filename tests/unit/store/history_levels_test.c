/* What sweeps keep of what they drop, judged by sums over a plain list of all values there ever were: by the day they must be the
 * same, whatever has been swept, folded, dropped by half and come late. */
#include "opened.h"
#include "recorder.h"
#include "sweeper.h"

#include "model/aggregate.h"
#include "store/embedded/base.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_key.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000)
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

enum { ENTITIES = 4, VALUES_MAX = 200000, DAYS = 400, ROUNDS = 40 };

static struct opened o;
static struct fixture *const f = &o.fixture;
static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 4) * n >> 28);
}

static int setup(void **state)
{
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    o.wall.now = 1000 * DAY;
    opened_start(*state);
    random_state = 7;
    return 0;
}

/* ---- what there is ---- */

struct value_at {
    int64_t at, value;
    bool observed;
};
static struct {
    struct value_at all[VALUES_MAX];
    uint32_t count;
} known[ENTITIES];

static const char *const IDS[ENTITIES] = {"urn:a", "urn:b", "urn:c", "urn:d"};

static void forget_all(void)
{
    for (int i = 0; i < ENTITIES; i++)
        known[i].count = 0;
}

/* ---- doing ---- */

/* n instances; those of the last entity have no observedAt. */
static void put(int entity, uint32_t n, int64_t (*when)(uint32_t i))
{
    struct evolution *e = recorder_evolution(f, IDS[entity], 0, n);
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = str_of(IDS[entity]), .fragment = e};
    bool observed = entity != ENTITIES - 1;
    f->now_us = o.wall.now - 1000; /* recorder_edit() adds these */
    for (uint32_t i = 0; i < n; i++) {
        struct attr *a = &e->series->points[i].attr;
        struct value_at *v = &known[entity].all[known[entity].count++];
        *v = (struct value_at){observed ? when(i) : o.wall.now, (int64_t)random_below(2000) - 1000, observed};
        assert_true(known[entity].count < VALUES_MAX);
        a->value.integer = v->value;
        a->observed_at = observed ? v->at : TIME_NONE;
    }
    assert_int_equal(recorder_edit(f, &edit).status, OK);
}

static int64_t just_now(uint32_t i)
{
    return o.wall.now - i * MINUTE - random_below(60) * S;
}

static int64_t long_ago(uint32_t i)
{
    (void)i;
    return o.wall.now - (int64_t)random_below((uint32_t)(o.wall.now / HOUR - 1000 * 24 + 48)) * HOUR - random_below(3600) * S;
}

/* ---- comparing ---- */

static const struct series *ask(int entity, const struct temporal_query *q)
{
    struct store_evolve v = {.id = str_of(IDS[entity]), .time = q, .points_max = VALUES_MAX, .buckets_max = 100000};
    enum status st = fixture_evolve(f, &v);
    return st == OK && v.evolutions[0].count ? &v.evolutions[0].series[0] : NULL;
}

struct plain {
    int64_t count, sum, squares, min, max;
};

static void add_plain(struct plain *p, int64_t value)
{
    p->min = p->count && p->min < value ? p->min : value;
    p->max = p->count && p->max > value ? p->max : value;
    p->count++;
    p->sum += value;
    p->squares += value * value;
}

static double number(const struct aggregate_period *p, enum aggregate_method m)
{
    assert_true(p->values[m].there);
    return p->values[m].value.kind == VALUE_INT ? (double)p->values[m].value.integer : p->values[m].value.real;
}

static void assert_period(const struct aggregate_period *p, const struct plain *plain)
{
    double n = (double)plain->count, mean = (double)plain->sum / n;
    assert_true(number(p, AGGREGATE_TOTAL_COUNT) == n);
    assert_true(number(p, AGGREGATE_SUM) == (double)plain->sum);
    assert_true(number(p, AGGREGATE_SUMSQ) == (double)plain->squares);
    assert_true(number(p, AGGREGATE_MIN) == (double)plain->min);
    assert_true(number(p, AGGREGATE_MAX) == (double)plain->max);
    assert_true(fabs(number(p, AGGREGATE_AVG) - mean) < 1e-9 * (1 + fabs(mean)));
    assert_true(fabs(number(p, AGGREGATE_STDDEV) - sqrt(fmax((double)plain->squares / n - mean * mean, 0))) < 1e-5);
}

static const uint32_t ALL = AGGREGATE_BIT(AGGREGATE_METHOD_COUNT) - 1;

/* By periods of so long, from a time on that is a whole number of them. */
static void compare(int entity, int64_t from_us, int64_t period_us)
{
    static struct plain plain[DAYS * 24];
    uint32_t periods = 0, n = (uint32_t)((o.wall.now + DAY - from_us) / period_us) + 1;
    struct temporal_query q = {.relation = TIMEREL_AFTER, .property = TIME_OBSERVED_AT, .from_us = from_us, .to_us = INT64_MAX,
                               .methods = ALL, .period = {.us = period_us}};
    assert_true(n <= DAYS * 24);
    memset(plain, 0, sizeof plain);
    for (uint32_t i = 0; i < known[entity].count; i++)
        if (known[entity].all[i].at >= from_us)
            add_plain(&plain[(known[entity].all[i].at - from_us) / period_us], known[entity].all[i].value);
    for (uint32_t i = 0; i < n; i++)
        periods += plain[i].count > 0;
    const struct series *s = ask(entity, &q);
    if (!s) {
        assert_int_equal(periods, 0);
        return;
    }
    assert_int_equal(aggregates_count(s->aggregates), periods);
    for (uint32_t i = 0; i < periods; i++) {
        const struct aggregate_period *p = aggregates_period(s->aggregates, i);
        assert_period(p, &plain[(p->from_us - from_us) / period_us]);
    }
}

/* Instances that are not too old are all there, and none that has long been. */
static void compare_raw(int entity, int64_t keep_us, int64_t slack_us)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    uint32_t least = 0, most = 0, got = 0;
    for (uint32_t i = 0; i < known[entity].count; i++) {
        least += known[entity].all[i].at >= o.wall.now - keep_us;
        most += known[entity].all[i].at >= o.wall.now - keep_us - slack_us;
    }
    const struct series *s = ask(entity, &ALWAYS);
    for (uint32_t i = 0; s && i < s->count; i++) {
        int64_t at = point_place(&s->points[i]);
        assert_true(at >= o.wall.now - keep_us - slack_us);
        got += at >= o.wall.now - keep_us;
    }
    assert_int_equal(got, least);
    assert_true(!s || s->count <= most);
}

/* ---- all levels ---- */

static void some_round(unsigned round)
{
    o.wall.now += (int64_t)random_below(3 * 24) * HOUR + random_below(3600) * S;
    for (int i = 0; i < ENTITIES; i++) {
        put(i, 1 + random_below(800), just_now);
        if (random_below(3) == 0)
            put(i, 1 + random_below(50), long_ago);
        if (random_below(4) == 0)
            sweeper_fold(f);
    }
    if (round % 8 == 7) {
        opened_again(&o);
        sweeper_retain(f, "keep=2d minutes=10d hours=30d days=forever");
    }
}

static void test_all_values_are_there_by_the_day(void **state)
{
    (void)state;
    forget_all();
    sweeper_retain(f, "keep=2d minutes=10d hours=30d days=forever");
    for (unsigned round = 0; round < ROUNDS; round++) {
        some_round(round);
        sweeper_run(f);
        for (int i = 0; i < ENTITIES; i++) {
            compare(i, 900 * DAY, DAY);
            compare(i, (o.wall.now / DAY - 29) * DAY, HOUR); /* as long as hours are kept */
            compare_raw(i, 2 * DAY, 2 * DAY / 16 + MINUTE);
        }
    }
    assert_true(sweeper_figures(f)->kept[RETENTION_MINUTES] > 0);
    assert_true(sweeper_figures(f)->kept[RETENTION_HOURS] > 0);
    assert_true(sweeper_figures(f)->kept[RETENTION_DAYS] > 0);
    assert_int_equal(sweeper_swept(f).kept_dropped, 0);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

static void test_the_second_time_nothing_happens(void **state)
{
    (void)state;
    forget_all();
    sweeper_retain(f, "keep=2d minutes=10d hours=30d days=forever");
    for (unsigned round = 0; round < 16; round++) {
        some_round(0);
        sweeper_run(f);
        uint64_t before[] = {sweeper_swept(f).dropped, sweeper_swept(f).aggregated, sweeper_swept(f).kept_moved, sweeper_swept(f).chunks_rewritten,
                             sweeper_figures(f)->kept[0], sweeper_figures(f)->kept[1], sweeper_figures(f)->kept[2]};
        sweeper_run(f);
        uint64_t after[] = {sweeper_swept(f).dropped, sweeper_swept(f).aggregated, sweeper_swept(f).kept_moved, sweeper_swept(f).chunks_rewritten,
                            sweeper_figures(f)->kept[0], sweeper_figures(f)->kept[1], sweeper_figures(f)->kept[2]};
        assert_memory_equal(before, after, sizeof before);
    }
}

static void test_aggregates_go_when_no_level_keeps_them(void **state)
{
    (void)state;
    forget_all();
    sweeper_retain(f, "keep=1d hours=4d");
    put(0, 600, just_now);
    int64_t put_at = o.wall.now;
    o.wall.now += 2 * DAY;
    sweeper_run(f);
    assert_int_equal(sweeper_swept(f).aggregated, 600);
    compare(0, 900 * DAY, DAY);
    o.wall.now = put_at + 5 * DAY;
    sweeper_run(f);
    assert_int_equal(sweeper_figures(f)->kept[RETENTION_HOURS], 0);
    assert_true(sweeper_swept(f).kept_dropped >= 10);
    known[0].count = 0;
    compare(0, 900 * DAY, DAY);
    o.wall.now += DAY; /* it was made less than a day ago, until now */
    sweeper_run(f);
    struct temporal_query q = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct store_evolve v = {.id = STR("urn:a"), .time = &q, .points_max = 10};
    assert_int_equal(fixture_evolve(f, &v), E_NOT_FOUND);
}

static void test_a_level_that_is_given_up_goes_on_to_the_next(void **state)
{
    (void)state;
    forget_all();
    sweeper_retain(f, "keep=1d minutes=30d days=forever");
    put(0, 600, just_now);
    o.wall.now += 3 * DAY;
    sweeper_run(f);
    assert_true(sweeper_figures(f)->kept[RETENTION_MINUTES] > 100);
    assert_int_equal(sweeper_figures(f)->kept[RETENTION_DAYS], 0);
    sweeper_retain(f, "keep=1d days=forever");
    sweeper_run(f);
    assert_int_equal(sweeper_figures(f)->kept[RETENTION_MINUTES], 0);
    assert_in_range(sweeper_figures(f)->kept[RETENTION_DAYS], 1, 2);
    compare(0, 900 * DAY, DAY);
    sweeper_retain(f, "keep=1d minutes=30d days=forever"); /* what is in a day is no minute any more */
    put(0, 5, long_ago);
    sweeper_run(f);
    compare(0, 900 * DAY, DAY);
}

/* ---- what is asked ---- */

static const struct series *ask_days(uint32_t methods, bool must_have, enum time_property property, uint32_t last_n, int64_t period_us)
{
    struct temporal_query q = {.relation = TIMEREL_AFTER, .property = (uint8_t)property, .must_have = must_have,
                               .from_us = 900 * DAY, .to_us = INT64_MAX, .methods = methods, .period = {.us = period_us},
                               .last_n = last_n};
    return ask(0, &q);
}

static void test_what_is_kept_answers_what_it_can(void **state)
{
    (void)state;
    forget_all();
    o.wall.now = 1000 * DAY + 12 * HOUR;
    sweeper_retain(f, "keep=1d hours=forever");
    put(0, 100, just_now);
    o.wall.now += 3 * DAY;
    put(0, 10, just_now);
    sweeper_run(f);
    const struct series *s = ask_days(ALL, true, TIME_OBSERVED_AT, 0, DAY);
    assert_int_equal(aggregates_count(s->aggregates), 2);
    assert_int_equal(aggregates_kind(s->aggregates), ATTR_PROPERTY);
    assert_false(aggregates_period(s->aggregates, 0)->values[AGGREGATE_DISTINCT_COUNT].there);
    assert_true(aggregates_period(s->aggregates, 1)->values[AGGREGATE_DISTINCT_COUNT].there);
    /* periods shorter than an hour, other times, and the last n are told from instances alone */
    assert_int_equal(aggregates_count(ask_days(ALL, true, TIME_OBSERVED_AT, 0, HOUR)->aggregates), 3);
    s = ask_days(ALL, true, TIME_OBSERVED_AT, 0, MINUTE);
    assert_in_range(aggregates_count(s->aggregates), 1, 10);
    assert_int_equal(aggregates_count(ask_days(ALL, true, TIME_MODIFIED_AT, 0, DAY)->aggregates), 1);
    assert_int_equal(aggregates_count(ask_days(ALL, true, TIME_OBSERVED_AT, 50, DAY)->aggregates), 1);
    /* all in one, and from the first on */
    s = ask_days(AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT), true, TIME_OBSERVED_AT, 0, 0);
    assert_true(number(aggregates_period(s->aggregates, 0), AGGREGATE_TOTAL_COUNT) == 110);
    struct temporal_query open = {.property = TIME_OBSERVED_AT, .from_us = INT64_MIN, .to_us = INT64_MAX, .methods = ALL,
                                  .period = {.us = DAY}};
    s = ask(0, &open);
    assert_int_equal(aggregates_count(s->aggregates), 2);
    assert_true(aggregates_period(s->aggregates, 0)->from_us % HOUR == 0);
    assert_true(number(aggregates_period(s->aggregates, 0), AGGREGATE_TOTAL_COUNT) == 100);
}

/* By its type, with nothing but aggregates left. */
static void test_an_entity_is_found_by_what_is_kept(void **state)
{
    (void)state;
    forget_all();
    sweeper_retain(f, "keep=1d days=forever");
    put(0, 100, just_now);
    o.wall.now += 3 * DAY;
    sweeper_run(f);
    uint32_t term = fixture_term(f, "value"), other = fixture_term(f, "other");
    struct temporal_query q = {.property = TIME_OBSERVED_AT, .must_have = true, .from_us = 900 * DAY, .to_us = INT64_MAX, .methods = ALL};
    struct store_evolve v = {.filter = fixture_of_type(f, "T"), .time = &q, .terms = &term, .term_count = 1, .points_max = 100,
                             .buckets_max = 10, .limit = 10};
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_int_equal(v.evolution_count, 1);
    assert_true(number(aggregates_period(v.evolutions[0].series[0].aggregates, 0), AGGREGATE_TOTAL_COUNT) == 100);
    q.from_us = o.wall.now; /* not in this time, */
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_int_equal(v.evolution_count, 0);
    q.from_us = 900 * DAY; /* by this attribute, */
    v.terms = &other;
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_int_equal(v.evolution_count, 0);
    v.terms = &term; /* nor for an instance */
    q.methods = 0;
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_int_equal(v.evolution_count, 0);
}

static void test_other_values_are_kept_as_well_as_they_can_be(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"pear", "apple", "zebra", "melon"};
    sweeper_retain(f, "keep=1d days=forever");
    struct evolution *e = recorder_evolution(f, "urn:a", 0, 4);
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:a"), .fragment = e};
    for (int i = 0; i < 4; i++) {
        e->series->points[i].attr.observed_at = 1000 * DAY + i * HOUR;
        e->series->points[i].attr.value = (struct value){.kind = VALUE_STRING, .text = str_of(TEXTS[i])};
    }
    char longer[3000];
    memset(longer, 'x', sizeof longer);
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    e->id = edit.id = STR("urn:b");
    for (int i = 0; i < 4; i++)
        e->series->points[i].attr.value = (struct value){.kind = VALUE_BOOL, .boolean = i < 3};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    e->id = edit.id = STR("urn:c");
    for (int i = 0; i < 4; i++)
        e->series->points[i].attr.value = (struct value){.kind = VALUE_STRING, .text = {longer, sizeof longer}};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    o.wall.now = 1003 * DAY;
    sweeper_run(f);
    assert_int_equal(sweeper_swept(f).aggregated, 12);
    struct temporal_query q = {.property = TIME_OBSERVED_AT, .from_us = 900 * DAY, .to_us = INT64_MAX, .methods = ALL, .period = {.us = DAY}};
    const struct aggregate_period *p = aggregates_period(ask(0, &q)->aggregates, 0);
    assert_true(number(p, AGGREGATE_TOTAL_COUNT) == 4);
    assert_true(str_eq(p->values[AGGREGATE_MIN].value.text, STR("apple")));
    assert_true(str_eq(p->values[AGGREGATE_MAX].value.text, STR("zebra")));
    assert_false(p->values[AGGREGATE_SUM].there);
    p = aggregates_period(ask(1, &q)->aggregates, 0);
    assert_true(number(p, AGGREGATE_SUM) == 3);
    p = aggregates_period(ask(2, &q)->aggregates, 0);
    assert_int_equal(p->values[AGGREGATE_MIN].value.text.n, KEPT_TEXT_MAX);
}

static void test_deleting_deletes_what_is_kept_too(void **state)
{
    (void)state;
    struct record_edit edits[] = {
        {.kind = RECORD_EDIT_DELETE_ATTR, .id = STR("urn:a"), .term = fixture_term(f, "value"), .all_datasets = true},
        {.kind = RECORD_EDIT_DELETE, .id = STR("urn:b")},
    };
    forget_all();
    sweeper_retain(f, "keep=1d days=forever");
    put(0, 100, just_now);
    put(1, 100, just_now);
    put(2, 100, just_now);
    o.wall.now += 3 * DAY;
    sweeper_run(f);
    assert_int_equal(sweeper_swept(f).aggregated, 300);
    for (int i = 0; i < 2; i++) {
        edits[i].term = fixture_term(f, "value");
        assert_int_equal(recorder_edit(f, &edits[i]).status, OK);
        known[i].count = 0;
        compare(i, 900 * DAY, DAY);
        assert_int_equal(recorder_edit(f, &edits[i]).status, E_NOT_FOUND);
    }
    sweeper_fold(f);
    for (int i = 0; i < 3; i++)
        compare(i, 900 * DAY, DAY);
    put(0, 10, long_ago); /* once more, and not what was before */
    compare(0, 900 * DAY, DAY);
    sweeper_run(f);
    compare(0, 900 * DAY, DAY);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

/* ---- records ---- */

static uint32_t make_records(struct kept_aggregate *all, struct arena *a)
{
    uint32_t n = 0;
    for (uint32_t span = 0; span < KEPT_SPANS; span += 1 + random_below(20)) {
        struct kept_aggregate *k = &all[n++];
        *k = (struct kept_aggregate){.from_us = -KEPT_SPANS * MINUTE + span * MINUTE};
        for (uint32_t i = 0, values = 1 + random_below(3); i < values; i++) {
            struct point p = {.attr = {.kind = ATTR_PROPERTY, .value = {.kind = VALUE_REAL}}, .deleted_at = TIME_NONE};
            p.attr.value.real = random_below(8) ? random_below(1000) / 8.0 : 1e308;
            if (random_below(4) == 0)
                p.attr.value = (struct value){.kind = VALUE_STRING, .text = arena_printf(a, "text %u", random_below(50))};
            kept_aggregate_add(k, &p, a);
        }
    }
    return n;
}

static void test_records_come_back_as_they_were(void **state)
{
    (void)state;
    struct kept_aggregate all[KEPT_SPANS], *back;
    struct buf b;
    uint32_t n, m;
    buf_init(&b, SIZE_MAX / 2);
    for (int round = 0; round < 50; round++) {
        n = make_records(all, f->arena);
        buf_clear(&b);
        kept_write(&b, RETENTION_MINUTES, all, n);
        assert_int_equal(kept_read(buf_view(&b), RETENTION_MINUTES, -KEPT_SPANS * MINUTE, f->arena, &back, &m, &(struct why){0}), OK);
        assert_int_equal(m, n);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(back[i].from_us == all[i].from_us && back[i].count == all[i].count && back[i].kind == all[i].kind);
            assert_int_equal(back[i].classes, all[i].classes);
            if (all[i].sums.n == 1)
                all[i].sums.squares_rest = 0; /* of an infinite square it is no number */
            if (all[i].sums.n)
                assert_memory_equal(&back[i].sums, &all[i].sums, sizeof all[i].sums);
            assert_true(str_eq(back[i].least, all[i].least) && str_eq(back[i].greatest, all[i].greatest));
        }
        ((char *)b.p)[random_below((uint32_t)b.n)] ^= (char)(1 << random_below(8));
        assert_int_equal(kept_read(buf_view(&b), RETENTION_MINUTES, -KEPT_SPANS * MINUTE, f->arena, &back, &m, &(struct why){0}), E_DAMAGED);
    }
    buf_free(&b);
}

static void test_keys_say_what_they_are_of(void **state)
{
    (void)state;
    uint8_t time, level;
    int64_t at;
    uint32_t number;
    struct str series = kept_key_series(3, STR("urn:e"), 9, STR("urn:d"), f->arena);
    struct str of_level = kept_key_level(series, KEPT_MODIFIED, RETENTION_HOURS, f->arena);
    struct str early = kept_key_record(of_level, -KEPT_SPANS * HOUR, 0, f->arena), late = kept_key_record(of_level, 0, 5, f->arena);
    assert_true(str_cmp(early, late) < 0);
    assert_true(kept_key_parts(late, &time, &level, &at, &number));
    assert_int_equal(time, KEPT_MODIFIED);
    assert_int_equal(level, RETENTION_HOURS);
    assert_int_equal(at, 0);
    assert_int_equal(number, 5);
    assert_true(kept_key_parts(early, &time, &level, &at, &number) && at == -KEPT_SPANS * HOUR);
    assert_false(kept_key_parts(kept_key_record(of_level, 1, 0, f->arena), &time, &level, &at, &number));
    assert_true(kept_record_at(RETENTION_MINUTES, -1) == -DAY);
    assert_true(kept_span_at(RETENTION_DAYS, DAY + 1) == DAY);
}

static void overwrite(struct str key, struct str bytes)
{
    struct embedded *e = embedded_of(f->store);
    struct why why = {0};
    pthread_mutex_lock(&e->fold.work);
    base_put_past(e->fold.base, key, bytes);
    assert_int_equal(base_show(e->fold.base, &why), OK);
    pthread_mutex_unlock(&e->fold.work);
}

/* A record that cannot be read is left as it is, told of, and what comes then is kept beside it. */
static void test_a_damaged_record_is_left_alone(void **state)
{
    (void)state;
    struct embedded *e = embedded_of(f->store);
    struct why why = {0};
    forget_all();
    sweeper_retain(f, "keep=1d days=forever");
    put(0, 50, just_now);
    int64_t record = kept_record_at(RETENTION_DAYS, o.wall.now);
    o.wall.now += 3 * DAY;
    sweeper_run(f);
    struct str key = kept_key_record(kept_key_level(kept_key_series(1, STR("urn:a"), fixture_term(f, "value"), STR(""), f->arena),
                                                    KEPT_OBSERVED, RETENTION_DAYS, f->arena),
                                     record, 0, f->arena);
    overwrite(key, STR("nothing of the kind"));
    known[0].count = 0;
    compare(0, 900 * DAY, DAY);
    assert_int_equal(e->history.damaged, 1);
    put(0, 40, long_ago);
    o.wall.now += 3 * DAY;
    sweeper_run(f);
    compare(0, 900 * DAY, DAY);
    assert_int_equal(e->history.damaged, 2);
    struct embedded_report report;
    opened_shut(&o);
    assert_int_equal(embedded_check(o.dir, &report, NULL, NULL, &why), E_DAMAGED);
    opened_start(&o);
}

/* Of a head that cannot be read, what is kept is found by its keys. */
static void test_what_is_kept_outlives_the_head(void **state)
{
    (void)state;
    forget_all();
    sweeper_retain(f, "keep=1d minutes=10d days=forever");
    put(0, 50, long_ago);
    o.wall.now += 3 * DAY;
    put(0, 50, just_now);
    sweeper_run(f);
    o.wall.now += 2 * DAY;
    sweeper_run(f);
    compare(0, 900 * DAY, DAY);
    overwrite(history_key_head(1, STR("urn:a"), f->arena), STR("no head"));
    compare(0, 900 * DAY, DAY);
    put(0, 50, long_ago);
    sweeper_run(f); /* the fold writes it anew */
    compare(0, 900 * DAY, DAY);
    assert_int_equal(sweeper_swept(f).kept_dropped, 0);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_records_come_back_as_they_were),
        TEST(test_keys_say_what_they_are_of),
        TEST(test_aggregates_go_when_no_level_keeps_them),
        TEST(test_a_level_that_is_given_up_goes_on_to_the_next),
        TEST(test_what_is_kept_answers_what_it_can),
        TEST(test_an_entity_is_found_by_what_is_kept),
        TEST(test_other_values_are_kept_as_well_as_they_can_be),
        TEST(test_deleting_deletes_what_is_kept_too),
        TEST(test_a_damaged_record_is_left_alone),
        TEST(test_what_is_kept_outlives_the_head),
        TEST(test_the_second_time_nothing_happens),
        TEST(test_all_values_are_there_by_the_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
