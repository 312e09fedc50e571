/* What sweeps take away, and what they leave. Instances of urn:e and others are observed at times that are their values, in
 * microseconds; most tests count in minutes. */
#include "opened.h"
#include "recorder.h"
#include "sweeper.h"

#include "base/hash.h"
#include "store/embedded/base.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_recent.h"

#include <string.h>

#define S INT64_C(1000000)
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

enum { CHUNK = 1024 };

static struct opened o;
static struct fixture *const f = &o.fixture;
static bool show_fails;

enum status __real_base_show(struct base *b, struct why *why);
enum status __wrap_base_show(struct base *b, struct why *why);

enum status __wrap_base_show(struct base *b, struct why *why)
{
    return show_fails ? why_set(why, E_IO, NULL, "on purpose") : __real_base_show(b, why);
}

/* ---- a disk that does not give one entity back ---- */

static const char *unreadable; /* its id; NULL: none */

enum status __real_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);
enum status __wrap_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);

struct passing_on {
    bool (*pair)(void *arg, struct str key, struct str bytes);
    void *arg;
    bool met;
};

static bool pass_on(void *arg, struct str key, struct str bytes)
{
    struct passing_on *p = arg;
    size_t n = strlen(unreadable);
    p->met = key.n > 5 + n && memcmp(key.p + 5, unreadable, n) == 0;
    return !p->met && p->pair(p->arg, key, bytes);
}

enum status __wrap_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why)
{
    struct passing_on p = {pair, arg, false};
    if (!unreadable)
        return __real_base_view_range(v, from, to, backwards, pair, arg, why);
    enum status st = __real_base_view_range(v, from, to, backwards, pass_on, &p, why);
    return st == OK && p.met ? why_set(why, E_DAMAGED, NULL, "on purpose") : st;
}

static int setup(void **state)
{
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    opened_start(*state);
    show_fails = false;
    unreadable = NULL;
    return 0;
}

/* ---- doing ---- */

/* As if it were that time. */
static void sweep_at(int64_t us)
{
    sweeper_fold(f);
    o.wall.now = us;
    assert_int_equal(sweeper_try(f), OK);
}

/* Values step apart. */
static void put(const char *id, int64_t from, uint32_t n, int64_t step)
{
    struct evolution *e = recorder_evolution(f, id, 0, n);
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = str_of(id), .fragment = e};
    for (uint32_t i = 0; i < n; i++) {
        struct attr *a = &e->series->points[i].attr;
        a->observed_at = a->value.integer = from + i * step;
    }
    assert_int_equal(recorder_edit(f, &edit).status, OK);
}

static uint32_t count(const char *id)
{
    const struct series *s = recorder_series(f, id);
    return s ? s->count : 0;
}

static int64_t first(const char *id)
{
    return recorder_series(f, id)->points[0].attr.observed_at;
}

static void assert_checks_clean(void)
{
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

/* ---- instances ---- */

static void test_open_instances_go_when_they_are_too_old(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    put("urn:e", 0, 120, MINUTE);
    sweep_at(119 * MINUTE);
    assert_int_equal(count("urn:e"), 61); /* what is as old as may be stays */
    assert_true(first("urn:e") == 59 * MINUTE);
    assert_int_equal(sweeper_swept(f).dropped, 59);
    assert_int_equal(sweeper_figures(f)->sweeps, 1);
    assert_true(sweeper_figures(f)->last_at_us == 119 * MINUTE);
    assert_checks_clean();
    assert_int_equal(count("urn:e"), 61);
}

static void test_sweeping_again_does_nothing(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=20h");
    put("urn:e", 0, 3 * CHUNK + 7, MINUTE);
    sweep_at(40 * HOUR);
    uint64_t dropped = sweeper_swept(f).dropped, rewritten = sweeper_swept(f).chunks_rewritten;
    uint32_t left = count("urn:e");
    sweep_at(40 * HOUR);
    assert_int_equal(sweeper_swept(f).dropped, dropped);
    assert_int_equal(sweeper_swept(f).chunks_rewritten, rewritten);
    assert_int_equal(count("urn:e"), left);
    assert_int_equal(sweeper_figures(f)->sweeps, 2);
    opened_again(&o);
    sweeper_retain(f, "keep=20h");
    sweep_at(40 * HOUR);
    assert_int_equal(sweeper_swept(f).dropped, 0);
    assert_int_equal(count("urn:e"), left);
}

static void test_sealed_chunks_go_whole_or_are_rewritten(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1000min");
    put("urn:e", 0, 3 * CHUNK, MINUTE);
    sweeper_fold(f);
    assert_int_equal(embedded_of(f->store)->history.sealed, 3);
    sweep_at((CHUNK + 1000) * MINUTE);
    assert_int_equal(sweeper_swept(f).chunks_dropped, 1);
    assert_int_equal(sweeper_swept(f).chunks_rewritten, 0);
    assert_true(first("urn:e") == CHUNK * MINUTE);
    /* the second may outstay by a sixteenth of the time … */
    sweep_at((CHUNK + 1062) * MINUTE);
    assert_int_equal(sweeper_swept(f).chunks_rewritten, 0);
    assert_true(first("urn:e") == CHUNK * MINUTE);
    /* … and no longer */
    sweep_at((CHUNK + 1063) * MINUTE);
    assert_int_equal(sweeper_swept(f).chunks_rewritten, 1);
    assert_true(first("urn:e") == (CHUNK + 63) * MINUTE);
    assert_int_equal(count("urn:e"), 2 * CHUNK - 63);
    assert_int_equal(sweeper_swept(f).dropped, CHUNK + 63);
    assert_checks_clean();
    assert_int_equal(count("urn:e"), 2 * CHUNK - 63);
}

static void test_more_chunks_than_a_step_takes(void **state)
{
    (void)state;
    enum { CHUNKS = 80 };
    sweeper_retain(f, "keep=1h");
    for (unsigned i = 0; i < CHUNKS; i++)
        put("urn:e", i * CHUNK * S, CHUNK, S);
    put("urn:f", 0, 10, S);
    sweep_at(CHUNKS * CHUNK * S);
    assert_true(count("urn:e") >= 3600 && count("urn:e") <= 3600 + 3600 / 16 + 1);
    assert_true(sweeper_swept(f).chunks_dropped > 64);
    assert_int_equal(count("urn:f"), 0);
    assert_checks_clean();
}

static void test_late_instances_go_with_the_next_sweep(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    put("urn:e", 10 * HOUR, 10, MINUTE);
    sweep_at(10 * HOUR);
    put("urn:e", HOUR, 5, MINUTE);
    assert_int_equal(count("urn:e"), 15);
    sweep_at(10 * HOUR);
    assert_int_equal(count("urn:e"), 10);
    assert_int_equal(sweeper_swept(f).dropped, 5);
}

static void test_what_is_current_stays(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    f->now_us = HOUR;
    struct edit edit = fixture_create(f, "urn:e", "T", 1);
    assert_int_equal(fixture_edit(f, &edit).status, OK);
    put("urn:e", 0, 3, MINUTE);
    assert_int_equal(count("urn:e"), 4);
    sweep_at(100 * DAY);
    assert_int_equal(count("urn:e"), 1);
    assert_non_null(fixture_get(f, "urn:e"));
    assert_checks_clean();
    assert_int_equal(count("urn:e"), 1);
}

/* ---- which ---- */

static void test_types_and_tenants_have_their_own_time(void **state)
{
    (void)state;
    struct why why = {0};
    struct str lines[] = {STR("keep=3h"), STR("type=https://example.org/Short keep=1h"), STR("tenant=other keep=2h")};
    struct store_retention r = {.rules = retention_new(lines, 3, &why), .sweep_interval_us = 30 * DAY};
    store_retain(f->store, &r);
    put("urn:e", 0, 6 * 60, MINUTE);
    struct evolution *e = recorder_evolution(f, "urn:short", 0, 1);
    e->types[0] = terms_intern(f->terms, STR("https://example.org/Short"), &why);
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:short"), .fragment = e};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    put("urn:both", 0, 6 * 60, MINUTE);
    edit.id = STR("urn:both"); /* the longer of the two */
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    edit.id = STR("urn:short");
    for (unsigned i = 1; i < 6 * 60; i++) {
        e->series->points[0].attr.observed_at = i * MINUTE;
        assert_int_equal(recorder_edit(f, &edit).status, OK);
    }
    f->caller.tenant = STR("other");
    put("urn:e", 0, 6 * 60, MINUTE);
    sweep_at(6 * HOUR);
    assert_int_equal(count("urn:e"), 120);
    f->caller.tenant = STR("");
    assert_int_equal(count("urn:e"), 180);
    assert_int_equal(count("urn:both"), 180);
    assert_int_equal(count("urn:short"), 60);
}

static void test_other_rules_hold_from_the_next_sweep_on(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=3h");
    put("urn:e", 0, 6 * 60, MINUTE);
    sweep_at(6 * HOUR);
    assert_int_equal(count("urn:e"), 180);
    sweeper_retain(f, "keep=1h");
    sweep_at(6 * HOUR);
    assert_int_equal(count("urn:e"), 60);
    sweeper_retain(f, "keep=forever");
    sweep_at(60 * HOUR);
    assert_int_equal(count("urn:e"), 60);
}

/* ---- entities ---- */

static enum status status_of(const char *id)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct store_evolve v = {.id = str_of(id), .time = &ALWAYS, .points_max = 100000};
    return fixture_evolve(f, &v);
}

static uint32_t known(void)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct store_evolve v = {.time = &ALWAYS, .points_max = 100000, .limit = 100};
    assert_int_equal(fixture_evolve(f, &v), OK);
    return v.evolution_count;
}

static void test_an_entity_is_forgotten_with_its_last_instance(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    o.wall.now = f->now_us = 10 * HOUR;
    struct edit edit = fixture_create(f, "urn:e", "T", 1);
    assert_int_equal(fixture_edit(f, &edit).status, OK);
    assert_int_equal(fixture_edit(f, &(struct edit){.kind = EDIT_DELETE, .id = STR("urn:e")}).status, OK);
    put("urn:f", 9 * HOUR, 5, MINUTE);
    sweep_at(10 * HOUR + 30 * MINUTE);
    assert_int_equal(status_of("urn:e"), OK); /* its deletion is an instance */
    assert_int_equal(count("urn:f"), 0);
    assert_int_equal(status_of("urn:f"), OK); /* it was made less than an hour ago */
    sweep_at(12 * HOUR);
    assert_int_equal(status_of("urn:e"), E_NOT_FOUND);
    assert_int_equal(status_of("urn:f"), E_NOT_FOUND);
    assert_int_equal(known(), 0);
    assert_checks_clean();
    assert_int_equal(known(), 0);
    put("urn:f", 13 * HOUR, 2, MINUTE);
    sweep_at(13 * HOUR);
    assert_int_equal(count("urn:f"), 2);
}

/* Its head would go, and with it what it says of the changes it has. */
static void test_an_entity_with_changes_on_their_way_is_not_forgotten(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    f->now_us = 10 * HOUR;
    put("urn:e", 9 * HOUR, 5, MINUTE);
    sweeper_fold(f);
    put("urn:e", 0, 5, MINUTE);
    o.wall.now = 100 * HOUR;
    assert_int_equal(sweeper_try(f), OK); /* without a fold */
    assert_int_equal(count("urn:e"), 5);
    sweep_at(100 * HOUR);
    assert_int_equal(status_of("urn:e"), E_NOT_FOUND);
}

static struct record_result put_scope(int64_t at, const char *scope)
{
    struct evolution *e = recorder_evolution(f, "urn:e", at, 1);
    e->series->term = e->series->points[0].attr.term = TERM_SCOPE;
    e->series->points[0].attr.value = (struct value){.kind = VALUE_STRING, .text = str_of(scope)};
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = e};
    return recorder_edit(f, &edit);
}

static void test_the_scope_that_is_valid_stays(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    put_scope(1 * HOUR, "/a");
    put_scope(2 * HOUR, "/b");
    put_scope(9 * HOUR + 30 * MINUTE, "/c");
    sweep_at(10 * HOUR);
    const struct series *s = recorder_series(f, "urn:e");
    assert_int_equal(s->count, 2);
    assert_true(str_eq(s->points[0].attr.value.text, STR("/b")));
    sweep_at(100 * HOUR);
    s = recorder_series(f, "urn:e");
    assert_int_equal(s->count, 1);
    assert_true(str_eq(s->points[0].attr.value.text, STR("/c")));
    uint64_t dropped = sweeper_swept(f).dropped;
    sweep_at(100 * HOUR);
    assert_int_equal(sweeper_swept(f).dropped, dropped);
}

/* ---- edits ---- */

/* The edit names an instance that the sweep would take away: first it is folded. */
static void test_an_edit_that_is_not_folded_holds_the_sweep_up(void **state)
{
    (void)state;
    struct embedded *e = embedded_of(f->store);
    sweeper_retain(f, "keep=1h");
    put("urn:e", 0, 10, MINUTE);
    sweeper_fold(f);
    struct record_edit edit = recorder_of_instance(f, RECORD_EDIT_MODIFY_INSTANCE, "urn:e", &recorder_series(f, "urn:e")->points[3]);
    edit.fragment = recorder_evolution(f, "urn:e", 100 * HOUR, 1);
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    o.wall.now = 10 * HOUR;
    assert_int_equal(sweeper_try(f), OK);
    assert_int_equal(sweeper_figures(f)->sweeps, 0);
    assert_true(sweep_needs_fold(e));
    assert_int_equal(count("urn:e"), 10);
    sweeper_fold(f);
    assert_false(sweep_needs_fold(e));
    assert_int_equal(sweeper_try(f), OK);
    assert_int_equal(sweeper_figures(f)->sweeps, 1);
    recorder_assert_range(f, "urn:e", 100 * HOUR, 1);
}

static void test_an_instance_that_is_gone_is_not_found(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    put("urn:e", 0, 600, MINUTE);
    struct record_edit edit = recorder_of_instance(f, RECORD_EDIT_DELETE_INSTANCE, "urn:e", &recorder_series(f, "urn:e")->points[3]);
    sweep_at(10 * HOUR);
    assert_int_equal(recorder_edit(f, &edit).status, E_NOT_FOUND);
    assert_int_equal(count("urn:e"), 60);
}

/* ---- faults ---- */

static void test_a_sweep_that_fails_is_begun_again(void **state)
{
    (void)state;
    sweeper_retain(f, "keep=1h");
    put("urn:e", 0, 600, MINUTE);
    sweeper_fold(f);
    o.wall.now = 10 * HOUR;
    show_fails = true;
    assert_int_equal(sweeper_try(f), E_IO);
    assert_int_equal(sweeper_figures(f)->sweeps, 0);
    show_fails = false;
    assert_int_equal(sweeper_try(f), OK);
    assert_int_equal(sweeper_figures(f)->sweeps, 1);
    assert_int_equal(count("urn:e"), 60);
}

static void test_what_cannot_be_read_is_passed_by(void **state)
{
    (void)state;
    static const char *const IDS[] = {"urn:e:1", "urn:e:2", "urn:e:3", "urn:e:9", "urn:f"};
    sweeper_retain(f, "keep=1h");
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++)
        put(IDS[i], 0, 10, MINUTE);
    unreadable = "urn:e:2";
    sweep_at(100 * HOUR);
    assert_int_equal(sweeper_figures(f)->sweeps, 1);
    assert_int_equal(sweeper_swept(f).dropped, 40);
    unreadable = NULL;
    assert_int_equal(count("urn:e:2"), 10);
    assert_int_equal(count("urn:e:3"), 0);
    assert_int_equal(count("urn:f"), 0);
    assert_checks_clean();
}

static void test_the_folds_thread_sweeps_by_itself(void **state)
{
    (void)state;
    struct why why = {0};
    struct str lines[1] = {STR("keep=1h")};
    o.wall.now = 10 * HOUR;
    put("urn:e", 0, 600, MINUTE);
    struct store_retention r = {.rules = retention_new(lines, 1, &why), .sweep_interval_us = 1000};
    store_retain(f->store, &r);
    for (int i = 0; i < 1000 && sweeper_figures(f)->sweeps < 3; i++)
        opened_wait(&o);
    assert_true(sweeper_figures(f)->sweeps >= 3);
    assert_int_equal(count("urn:e"), 60);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_open_instances_go_when_they_are_too_old),
        TEST(test_sweeping_again_does_nothing),
        TEST(test_sealed_chunks_go_whole_or_are_rewritten),
        TEST(test_more_chunks_than_a_step_takes),
        TEST(test_late_instances_go_with_the_next_sweep),
        TEST(test_what_is_current_stays),
        TEST(test_types_and_tenants_have_their_own_time),
        TEST(test_other_rules_hold_from_the_next_sweep_on),
        TEST(test_an_entity_is_forgotten_with_its_last_instance),
        TEST(test_an_entity_with_changes_on_their_way_is_not_forgotten),
        TEST(test_the_scope_that_is_valid_stays),
        TEST(test_an_edit_that_is_not_folded_holds_the_sweep_up),
        TEST(test_an_instance_that_is_gone_is_not_found),
        TEST(test_a_sweep_that_fails_is_begun_again),
        TEST(test_what_cannot_be_read_is_passed_by),
        TEST(test_the_folds_thread_sweeps_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
