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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_full_disk_is_refused_and_survived),
        TEST(test_what_builds_on_a_refused_change_is_refused),
        TEST(test_refused_tenants_and_terms_come_again),
        TEST(test_failed_sync_stops_writing_until_a_restart),
        TEST(test_fold_without_space_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
