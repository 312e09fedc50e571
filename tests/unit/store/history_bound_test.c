/* The bound of history on the disk: the oldest goes first, of all tenants, until there is room. */
#include "opened.h"
#include "recorder.h"
#include "sweeper.h"

#include "model/aggregate.h"
#include "store/embedded/embedded_int.h"

#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000)
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

enum { TEXT = 4000, MIB = 1 << 20 };

static struct opened o;
static struct fixture *const f = &o.fixture;
static uint32_t state_of_random;

static int setup(void **state)
{
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    o.wall.now = 1000 * DAY;
    opened_start(*state);
    state_of_random = 1;
    return 0;
}

static void bound(const char *line, uint64_t bytes)
{
    struct why why = {0};
    struct str lines[1] = {str_of(line)};
    struct store_retention r = {
        .rules = retention_new(lines, *line != 0, &why), .disk_bytes_max = bytes, .sweep_interval_us = 30 * DAY};
    assert_non_null(r.rules);
    store_retain(f->store, &r);
}

/* n texts that nothing compresses, one an hour. */
static void put_texts(const char *id, int64_t from, uint32_t n)
{
    char *text = mem_alloc(TEXT);
    for (uint32_t i = 0; i < n; i++) {
        struct evolution *e = recorder_evolution(f, id, 0, 1);
        struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = str_of(id), .fragment = e};
        for (unsigned k = 0; k < TEXT; k++)
            text[k] = (char)('0' + ((state_of_random = state_of_random * 1664525 + 1013904223) >> 16) % 64);
        e->series->points[0].attr.value = (struct value){.kind = VALUE_STRING, .text = {text, TEXT}};
        e->series->points[0].attr.observed_at = from + i * HOUR;
        assert_int_equal(recorder_edit(f, &edit).status, OK);
        if (i % 300 == 299)
            sweeper_fold(f);
    }
    free(text);
}

static uint32_t count(const char *id)
{
    const struct series *s = recorder_series(f, id);
    return s ? s->count : 0;
}

/* With those of which there is an aggregate. */
static int64_t total(const char *id)
{
    struct temporal_query q = {.from_us = 0, .to_us = INT64_MAX, .methods = AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT)};
    struct store_evolve v = {.id = str_of(id), .time = &q, .points_max = 10, .buckets_max = 10};
    assert_int_equal(fixture_evolve(f, &v), OK);
    return aggregates_period(v.evolutions[0].series[0].aggregates, 0)->values[AGGREGATE_TOTAL_COUNT].value.integer;
}

static int64_t first(const char *id)
{
    return recorder_series(f, id)->points[0].attr.observed_at;
}

static struct bound *figures(void)
{
    return &embedded_of(f->store)->history.bound;
}

static void test_the_oldest_goes_first_of_all_tenants(void **state)
{
    (void)state;
    put_texts("urn:old", 900 * DAY, 300);
    put_texts("urn:young", 990 * DAY, 200);
    f->caller.tenant = STR("other");
    put_texts("urn:old", 900 * DAY, 300);
    put_texts("urn:middle", 950 * DAY, 300);
    sweeper_run(f);
    assert_true(figures()->bytes > 3 * MIB);
    bound("", 1200000); /* about a third */
    sweeper_run(f);
    assert_true(figures()->forced >= 1);
    assert_in_range(figures()->bytes, 800000, 1200000);
    assert_true(figures()->forced_us > 900 * DAY && figures()->forced_us < 990 * DAY);
    assert_int_equal(count("urn:old"), 0);
    assert_true(count("urn:middle") > 50);
    assert_true(first("urn:middle") + 300 * HOUR > figures()->forced_us);
    f->caller.tenant = STR("");
    assert_int_equal(count("urn:old"), 0);
    assert_int_equal(count("urn:young"), 200);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

static void test_below_the_bound_nothing_is_forced(void **state)
{
    (void)state;
    bound("", 4 * MIB);
    put_texts("urn:e", 900 * DAY, 300);
    for (int i = 0; i < 3; i++)
        sweeper_run(f);
    assert_int_equal(figures()->forced, 0);
    assert_true(figures()->forced_us == INT64_MIN);
    assert_int_equal(count("urn:e"), 300);
    assert_in_range(figures()->bytes, MIB / 2, 2 * MIB);
}

static void test_it_is_swept_far_enough_for_a_while(void **state)
{
    (void)state;
    bound("", 1500000);
    put_texts("urn:e", 900 * DAY, 600);
    sweeper_run(f);
    uint64_t forced = figures()->forced;
    assert_true(forced >= 1);
    put_texts("urn:e", 940 * DAY, 20);
    sweeper_run(f);
    sweeper_run(f);
    assert_int_equal(figures()->forced, forced);
    put_texts("urn:e", 941 * DAY, 200);
    sweeper_run(f);
    assert_true(figures()->forced > forced);
    assert_in_range(figures()->bytes, MIB, 1500000);
}

static void test_aggregates_stay_where_a_policy_keeps_them(void **state)
{
    (void)state;
    bound("keep=900d days=forever", MIB);
    put_texts("urn:e", 900 * DAY, 600);
    sweeper_run(f);
    assert_true(figures()->forced >= 1);
    assert_true(sweeper_swept(f).aggregated > 200);
    assert_int_equal(sweeper_swept(f).kept_dropped, 0);
    assert_int_equal(total("urn:e"), 600);
}

/* All is of one day, which aggregates are kept of: it goes in part. */
static void test_a_part_of_an_aggregates_time_goes(void **state)
{
    (void)state;
    enum { BYTES = 60000 };
    bound("keep=900d days=forever", BYTES);
    put_texts("urn:e", 990 * DAY, 23);
    sweeper_run(f);
    assert_true(figures()->bytes <= BYTES);
    assert_in_range(count("urn:e"), 10, 20);
    assert_int_equal(total("urn:e"), 23);
}

/* They alone are too much. */
static void test_aggregates_go_when_nothing_else_can(void **state)
{
    (void)state;
    bound("keep=1h minutes=forever", 1 << 30);
    for (int i = 0; i < 30; i++)
        put_texts("urn:e", (900 + i) * DAY, 20);
    sweeper_run(f);
    uint64_t all = sweeper_figures(f)->kept[RETENTION_MINUTES];
    assert_int_equal(all, 600);
    bound("keep=1h minutes=forever", 300000);
    sweeper_run(f);
    assert_true(figures()->forced >= 1);
    assert_in_range(sweeper_figures(f)->kept[RETENTION_MINUTES], 60, 400);
    assert_true(figures()->bytes <= 300000);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

static void test_a_bound_that_cannot_be_kept_is_given_up(void **state)
{
    (void)state;
    struct edit edit = fixture_create(f, "urn:e", "T", 1);
    assert_int_equal(fixture_edit(f, &edit).status, OK);
    bound("", 10);
    put_texts("urn:e", 900 * DAY, 30);
    sweeper_run(f); /* ends */
    sweeper_run(f);
    assert_non_null(fixture_get(f, "urn:e"));
    assert_int_equal(sweeper_figures(f)->under_way, false);
}

static void test_the_folds_thread_keeps_the_bound(void **state)
{
    (void)state;
    put_texts("urn:e", 900 * DAY, 600);
    struct store_retention r = {.disk_bytes_max = MIB, .sweep_interval_us = 1000};
    store_retain(f->store, &r);
    for (int i = 0; i < 1000 && (figures()->forced == 0 || figures()->bytes > MIB || sweeper_figures(f)->sweeps < 5); i++)
        opened_wait(&o);
    assert_true(figures()->forced > 0);
    assert_true(figures()->bytes <= MIB);
    assert_in_range(count("urn:e"), 100, 400);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_oldest_goes_first_of_all_tenants),
        TEST(test_below_the_bound_nothing_is_forced),
        TEST(test_it_is_swept_far_enough_for_a_while),
        TEST(test_aggregates_stay_where_a_policy_keeps_them),
        TEST(test_a_part_of_an_aggregates_time_goes),
        TEST(test_aggregates_go_when_nothing_else_can),
        TEST(test_a_bound_that_cannot_be_kept_is_given_up),
        TEST(test_the_folds_thread_keeps_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
