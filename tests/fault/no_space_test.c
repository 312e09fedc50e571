/* A full disk and a failing one, seen from outside: clear answers, reads go on, nothing
 * acknowledged is lost, writing goes on when there is space. The shim's budget reaches RocksDB's
 * files too. */
#include "../unit/store/fixture.h"

#include "../unit/store/fault_io.h"
#include "base/time.h"
#include "fault_shim.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[256], shadow[300];
static struct fixture f;
static struct fault_io io;
static struct embedded_options options;

static void start(void)
{
    struct why why = {0};
    fixture_init(&f);
    if (embedded_open(&f.store, f.terms, &options, &why) != OK)
        fail_msg("%s", why.text);
    store_thread_enter(f.store);
}

static void shut(void)
{
    store_thread_leave(f.store);
    store_close(f.store);
    fixture_free(&f);
}

static int setup(void **state)
{
    (void)state;
    fixture_directory(dir, sizeof dir);
    fault_io_init(&io);
    options = fixture_options(dir, &clock_system);
    options.segment_bytes = 64 << 10;
    options.io = &io.io;
    start();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shut();
    fixture_remove(dir);
    return 0;
}

static enum status put(uint32_t i, int64_t value, struct why *why)
{
    char id[32];
    snprintf(id, sizeof id, "urn:e:%u", i);
    struct edit e = fixture_create(&f, id, "T", value);
    e.kind = EDIT_UPSERT_REPLACE;
    struct async a;
    fixture_start(&f, &a, &e, 1);
    enum status st = fixture_wait(&f, &a);
    if (st == OK)
        st = a.results[0].status;
    if (why)
        *why = a.apply.call.why;
    return st;
}

/* -1: absent. */
static int64_t value_of(uint32_t i)
{
    char id[32];
    snprintf(id, sizeof id, "urn:e:%u", i);
    const struct doc *d = fixture_get(&f, id);
    struct value v = {.integer = -1};
    if (d)
        doc_attr_value(d, 0, &v);
    return v.integer;
}

static void test_full_disk_is_refused_and_survived(void **state)
{
    (void)state;
    enum { N = 200 };
    int64_t acknowledged[N];
    for (uint32_t i = 0; i < N; i++)
        acknowledged[i] = -1;
    uint32_t refused = 0;
    for (int64_t round = 0; round < 12; round++) {
        io.budget = 500 + round * 1777; /* the disk fills up at another byte each time */
        struct why why = {0};
        enum status st = OK;
        for (uint32_t i = 0; i < N && st == OK; i++) {
            st = put(i, round, &why);
            if (st == OK)
                acknowledged[i] = round;
        }
        if (st != OK) {
            refused++;
            assert_int_equal(st, E_NO_SPACE);
            assert_non_null(strstr(why.text, "No space left"));
            struct store_stats s;
            store_stats(f.store, &s);
            assert_true(s.read_only);
            assert_true(s.reason[0]);
            assert_true(store_ready(f.store)[0]);
        }
        for (uint32_t i = 0; i < N; i++) /* reads go on, and say what was acknowledged */
            assert_int_equal(value_of(i), acknowledged[i]);
        io.budget = INT64_MAX;
        assert_int_equal(put(0, round, NULL), OK); /* so does writing, when there is space */
        acknowledged[0] = round;
        assert_string_equal(store_ready(f.store), "");
    }
    assert_true(refused > 5);
    shut();
    start();
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(value_of(i), acknowledged[i]);
}

static void test_what_builds_on_a_refused_change_is_refused(void **state)
{
    (void)state;
    assert_int_equal(put(1, 1, NULL), OK);
    fault_io_hold(&io);
    struct edit first = fixture_create(&f, "urn:e:7", "T", 1);
    struct async held, a, b, c;
    fixture_start(&f, &held, &first, 1); /* this one is in the log already */
    store_thread_offline(f.store);
    fault_io_wait(&io);
    store_thread_online(f.store);
    struct edit create = fixture_create(&f, "urn:e:2", "T", 1),
                again = fixture_create(&f, "urn:e:2", "T", 2);
    const struct entity *e = fixture_entity(&f, "urn:e:2", "T", "value", 5);
    struct edit update = {.kind = EDIT_UPDATE, .id = e->id, .fragment = e};
    fixture_start(&f, &a, &create, 1);
    fixture_start(&f, &b, &update, 1);
    fixture_start(&f, &c, &again, 1);
    assert_int_equal(c.results[0].status, E_EXISTS);
    io.budget = 100;
    fault_io_release(&io);
    assert_int_equal(fixture_wait(&f, &held), OK);
    assert_int_equal(fixture_wait(&f, &a), E_NO_SPACE);
    assert_int_equal(fixture_wait(&f, &b), E_NO_SPACE);
    assert_int_equal(fixture_wait(&f, &c),
                     E_NO_SPACE); /* it does not exist: that answer would be a lie */
    assert_int_equal(value_of(2), -1);
    io.budget = INT64_MAX;
    assert_int_equal(fixture_edit(&f, &update).status, E_NOT_FOUND);
    assert_int_equal(fixture_edit(&f, &create).status, OK);
    shut();
    start();
    assert_int_equal(value_of(2), 1);
    assert_int_equal(value_of(7), 1);
}

/* Tenants and terms that were on their way come again. */
static void test_refused_tenants_and_terms_come_again(void **state)
{
    (void)state;
    assert_int_equal(put(1, 1, NULL), OK);
    f.caller.tenant = STR("north");
    (void)fixture_term(&f, "https://example.org/never-seen-before");
    io.budget = 10;
    assert_int_equal(put(2, 2, NULL), E_NO_SPACE);
    assert_false(store_tenant_exists(f.store, STR("north")));
    io.budget = INT64_MAX;
    assert_int_equal(put(2, 3, NULL), OK);
    assert_int_equal(fixture_drop_tenant(&f, "north"), OK);
    assert_int_equal(put(2, 4, NULL), OK);
    io.budget = 10;
    assert_int_equal(fixture_drop_tenant(&f, "north"), E_NO_SPACE);
    io.budget = INT64_MAX;
    assert_int_equal(value_of(2), 4);
    shut();
    start();
    f.caller.tenant = STR("north");
    assert_int_equal(value_of(2), 4);
    assert_true(terms_find(f.terms, STR("https://example.org/never-seen-before")) != TERM_NONE);
}

static void test_failed_sync_stops_writing_until_a_restart(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(put(i, 1, NULL), OK);
    io.sync_errors = 1;
    struct why why = {0};
    assert_int_equal(put(3, 2, &why), E_UNKNOWN_OUTCOME);
    assert_true(why.text[0]);
    unsigned syncs = io.syncs;
    assert_int_equal(put(4, 2, &why), E_BUSY); /* the disk works again, but nobody asks it */
    assert_non_null(strstr(why.text, "restart"));
    assert_int_equal(io.syncs, syncs);
    assert_int_equal(fixture_put(&f, STORE_CONTEXT, "k", "v"), E_BUSY);
    for (uint32_t i = 0; i < 10; i++) /* and nobody reads what may be undone */
        assert_int_equal(value_of(i), 1);
    struct store_stats s;
    store_stats(f.store, &s);
    assert_true(s.read_only);
    assert_true(store_ready(f.store)[0]);
    shut();
    start();
    int64_t v = value_of(3);
    assert_true(v == 1 || v == 2);
    assert_int_equal(value_of(4), 1);
    assert_int_equal(put(4, 5, NULL), OK);
    assert_string_equal(store_ready(f.store), "");
}

/* RocksDB finds no space: the log keeps everything, and the fold is made later. */
static void test_fold_without_space_comes_again(void **state)
{
    (void)state;
    snprintf(shadow, sizeof shadow, "%s-shadow", dir);
    fault_shim_start(dir, shadow, 0);
    struct embedded *e = embedded_of(f.store);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(put(i, 1, NULL), OK);
    for (int64_t budget = 0; budget < 20000; budget += 3000) {
        struct why why = {0};
        fault_shim_budget(budget);
        pthread_mutex_lock(&e->fold.work);
        enum status st = fold_now(e, &why);
        pthread_mutex_unlock(&e->fold.work);
        fault_shim_budget(INT64_MAX);
        assert_int_equal(put((uint32_t)(budget / 3000), 2, NULL), OK);
        if (st != OK && st != E_NO_SPACE)
            fail_msg("%s", why.text);
        if (st == OK)
            break;
    }
    struct why why = {0};
    pthread_mutex_lock(&e->fold.work);
    assert_int_equal(fold_now(e, &why), OK);
    pthread_mutex_unlock(&e->fold.work);
    assert_int_equal(e->fold.seq, store_seq(f.store));
    shut();
    start();
    for (uint32_t i = 10; i < 50; i++)
        assert_int_equal(value_of(i), 1);
    assert_int_equal(value_of(0), 2);
    fixture_remove(shadow);
}

/* Until nobody writes any more, or n were taken. What the last one was told is in why. */
static enum status write_on(uint32_t n, struct why *why)
{
    enum status st = OK;
    for (uint32_t i = 0; i < n && st == OK; i++)
        st = put(100 + i % 50, i, why);
    return st;
}

static uint64_t log_most(void)
{
    return options.log_bytes_max + options.segment_bytes + options.group_bytes_max;
}

static struct store_stats stats(void)
{
    struct store_stats s;
    store_stats(f.store, &s);
    return s;
}

static void wait_a_little(void)
{
    store_thread_offline(f.store);
    usleep(10000);
    store_thread_online(f.store);
}

/* The log takes what the base cannot, up to its bound; then writes are refused until it can. */
static void test_folds_that_fail_bound_the_log(void **state)
{
    (void)state;
    char base[300];
    snprintf(base, sizeof base, "%s/base", dir);
    snprintf(shadow, sizeof shadow, "%s-shadow", dir);
    assert_int_equal(put(1, 7, NULL), OK);
    shut();
    options.log_bytes_max = 512 << 10;
    start();
    fold_want(embedded_of(f.store));
    for (int i = 0; i < 1000 && !stats().folded_seq; i++)
        wait_a_little();
    fault_shim_start(base, shadow, 0); /* the log is elsewhere */
    fault_shim_budget(0);
    struct why why = {0};
    assert_int_equal(write_on(20000, &why), E_NO_SPACE);
    assert_string_equal(why.limit, "store.log_bytes");
    assert_non_null(strstr(store_ready(f.store), "log is full"));
    assert_true(stats().read_only && stats().fold_failing);
    assert_true(stats().log_bytes >= stats().log_bytes_max && stats().log_bytes <= log_most());
    struct edit gone = {.kind = EDIT_DELETE, .id = STR("urn:e:1")};
    assert_int_equal(fixture_edit(&f, &gone).status, E_NO_SPACE); /* that is a record too */
    assert_int_equal(value_of(1), 7);
    fault_shim_budget(INT64_MAX);
    for (int i = 0; i < 3000 && store_ready(f.store)[0]; i++) /* nobody writes meanwhile */
        wait_a_little();
    assert_string_equal(store_ready(f.store), "");
    assert_false(stats().read_only || stats().fold_failing);
    assert_true(stats().log_bytes < stats().log_bytes_max);
    assert_int_equal(write_on(100, &why), OK);
    shut();
    start();
    assert_int_equal(value_of(1), 7);
    assert_int_equal(value_of(149), 99);
    fixture_remove(shadow);
}

struct slow_fold {
    pthread_t thread;
    struct embedded *e;
    _Atomic bool over;
};

/* Holds folds up until the log is at its bound for a while. */
static void *hold_up(void *arg)
{
    struct slow_fold *s = arg;
    pthread_mutex_lock(&s->e->fold.work);
    for (int i = 0, full = 0; i < 3000 && full < 30; i++) {
        struct store_stats now;
        usleep(10000);
        store_stats(&s->e->store, &now);
        full += now.log_bytes >= now.log_bytes_max;
        s->over = s->over || now.log_bytes > log_most();
    }
    pthread_mutex_unlock(&s->e->fold.work);
    return NULL;
}

/* Folds that take their time are waited for; nobody is refused. */
static void test_folds_that_lag_slow_writes_down(void **state)
{
    (void)state;
    shut();
    options.log_bytes_max = 512 << 10;
    start();
    struct slow_fold slow = {.e = embedded_of(f.store)};
    assert_int_equal(pthread_create(&slow.thread, NULL, hold_up, &slow), 0);
    struct why why = {0};
    for (int i = 0; i < 100 && stats().log_bytes < options.log_bytes_max; i++)
        assert_int_equal(write_on(200, &why), OK);
    assert_int_equal(write_on(2000, &why), OK); /* these wait */
    assert_true(stats().folded_seq > 0);
    store_thread_offline(f.store);
    pthread_join(slow.thread, NULL);
    store_thread_online(f.store);
    assert_false(slow.over);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_full_disk_is_refused_and_survived),
        TEST(test_what_builds_on_a_refused_change_is_refused),
        TEST(test_refused_tenants_and_terms_come_again),
        TEST(test_failed_sync_stops_writing_until_a_restart),
        TEST(test_fold_without_space_comes_again),
        TEST(test_folds_that_fail_bound_the_log),
        TEST(test_folds_that_lag_slow_writes_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
