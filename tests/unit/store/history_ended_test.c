/* Evolutions with an end of their own (4.22): sweeps take away all that is in them, whatever policies say. */
#include "opened.h"
#include "recorder.h"
#include "sweeper.h"

#include "store/embedded/base_db.h"
#include "store/embedded/embedded_int.h"

#define S INT64_C(1000000)
#define HOUR (3600 * S)
#define END (10 * HOUR)
#define SETTLED (END + 2 * 60 * S) /* no change of before the end can be on its way */

enum { CHUNK = 1024 };

static struct opened o;
static struct fixture *const f = &o.fixture;

static int setup(void **state)
{
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    opened_start(*state);
    o.wall.now = f->now_us = END - HOUR;
    return 0;
}

/* ends_at TIME_NONE: says nothing of an end. */
static void put(const char *id, int64_t from, uint32_t n, int64_t ends_at)
{
    struct evolution *e = recorder_evolution(f, id, from, n);
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = str_of(id), .fragment = e};
    e->expires_at = ends_at;
    assert_int_equal(recorder_edit(f, &edit).status, OK);
}

static bool count_pair(void *arg, struct str key, struct str bytes)
{
    (void)bytes;
    *(unsigned *)arg += key.p[0] >= '6' && key.p[0] <= '8';
    return true;
}

/* History's keys in the base, which is sound. */
static unsigned keys(void)
{
    unsigned n = 0;
    opened_shut(&o);
    struct base_db *db = opened_db(&o);
    assert_null(base_db_each(db, STR(""), count_pair, &n));
    base_db_close(db);
    opened_assert_sound(&o);
    opened_start(&o);
    return n;
}

static void sweep_at(int64_t us)
{
    o.wall.now = f->now_us = us;
    assert_int_equal(sweeper_try(f), OK);
}

/* More chunks than a step takes, and another entity behind it. */
static void test_all_of_it_goes(void **state)
{
    (void)state;
    enum { CHUNKS = 70 };
    for (uint32_t i = 0; i < CHUNKS; i++)
        put("urn:e", 1 + i * CHUNK, CHUNK, END);
    put("urn:e", 1 + CHUNKS * CHUNK, 10, END);
    put("urn:f", 1, 10, TIME_NONE);
    sweeper_fold(f);
    sweeper_retain(f, "keep=forever");
    sweep_at(END - 1);
    assert_int_equal(sweeper_swept(f).dropped, 0);
    recorder_assert_range(f, "urn:e", 1, CHUNKS * CHUNK + 10);
    sweep_at(SETTLED);
    assert_int_equal(sweeper_swept(f).dropped, CHUNKS * CHUNK + 10);
    assert_int_equal(sweeper_swept(f).chunks_dropped, CHUNKS);
    assert_true(embedded_of(f->store)->history.bound.dropped > CHUNKS * 100);
    assert_null(recorder_series(f, "urn:e"));
    assert_int_equal(keys(), 2); /* urn:f's head, and that it is known by its history */
    recorder_assert_range(f, "urn:f", 1, 10);
    put("urn:e", 5, 3, TIME_NONE); /* another evolution */
    recorder_assert_range(f, "urn:e", 5, 3);
    sweeper_fold(f);
    recorder_assert_range(f, "urn:e", 5, 3);
}

static void test_its_aggregates_go(void **state)
{
    (void)state;
    put("urn:e", 1, 100, END);
    sweeper_retain(f, "keep=1h minutes=forever");
    sweeper_fold(f);
    sweep_at(END - 1);
    assert_int_equal(sweeper_swept(f).aggregated, 100);
    sweep_at(SETTLED);
    assert_int_equal(sweeper_swept(f).kept_dropped, 1);
    assert_int_equal(keys(), 0);
}

/* What the entity has today is of the evolution that is over; what it gets is not. */
static void test_an_entity_of_today_stays(void **state)
{
    (void)state;
    struct edit edit = fixture_create(f, "urn:e", "T", 1);
    assert_int_equal(fixture_edit(f, &edit).status, OK);
    put("urn:e", 1, 10, END);
    sweeper_fold(f);
    sweeper_retain(f, "keep=forever");
    sweep_at(SETTLED);
    assert_true(sweeper_swept(f).dropped >= 10);
    assert_null(recorder_series(f, "urn:e"));
    assert_non_null(fixture_get(f, "urn:e"));
    (void)keys();
    assert_null(recorder_series(f, "urn:e"));
    put("urn:e", 50, 3, TIME_NONE);
    recorder_assert_range(f, "urn:e", 50, 3);
    sweeper_fold(f);
    (void)keys();
    recorder_assert_range(f, "urn:e", 50, 3);
}

/* A change that is not folded may have moved the end. */
static void test_a_later_end_counts(void **state)
{
    (void)state;
    put("urn:e", 1, 10, END);
    sweeper_fold(f);
    sweeper_retain(f, "keep=forever");
    put("urn:e", 11, 10, END + HOUR);
    sweep_at(SETTLED); /* without a fold */
    recorder_assert_range(f, "urn:e", 1, 20);
    sweeper_fold(f);
    sweep_at(SETTLED);
    recorder_assert_range(f, "urn:e", 1, 20);
    sweep_at(SETTLED + HOUR);
    assert_int_equal(keys(), 0);
}

static void wait_until_dropped(uint64_t dropped, uint64_t sweeps)
{
    for (int i = 0; i < 1000 && (sweeper_swept(f).dropped < dropped || sweeper_figures(f)->sweeps < sweeps); i++)
        opened_wait(&o);
    assert_int_equal(sweeper_swept(f).dropped, dropped);
    assert_true(sweeper_figures(f)->sweeps >= sweeps);
}

/* Without a policy or a bound: what was there at the start is found, and what ends later is looked for again. */
static void test_the_folds_thread_takes_them_away(void **state)
{
    (void)state;
    struct why why = {0};
    put("urn:e", 1, 10, END);
    opened_again(&o);
    struct store_retention r = {.rules = retention_new(NULL, 0, &why), .sweep_interval_us = 1000};
    store_retain(f->store, &r);
    wait_until_dropped(0, 1);
    o.wall.now = f->now_us = SETTLED;
    wait_until_dropped(10, 2);
    opened_wait(&o);
    uint64_t sweeps = sweeper_figures(f)->sweeps; /* the last for now */
    put("urn:f", 1, 10, END + HOUR);
    opened_wait(&o);
    assert_int_equal(sweeper_figures(f)->sweeps, sweeps);
    sweeper_fold(f);
    o.wall.now = f->now_us = SETTLED + HOUR;
    fold_look_again(embedded_of(f->store)); /* folds are made by the thread itself otherwise */
    wait_until_dropped(20, sweeps + 1);
    assert_int_equal(keys(), 0);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_of_it_goes),
        TEST(test_its_aggregates_go),
        TEST(test_an_entity_of_today_stays),
        TEST(test_a_later_end_counts),
        TEST(test_the_folds_thread_takes_them_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
