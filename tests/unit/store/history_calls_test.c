/* Calls about history when something is in their way: a disk that is full, fails or does not answer, a deadline, a caller
 * who has gone. */
#include "opened.h"
#include "recorder.h"

#include "base/time.h"
#include "store/embedded/base.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_item.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct opened o;
static struct fixture *const f = &o.fixture;
static struct store_call *cancelled; /* by the next one who reads chunks */

enum status __real_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);
enum status __wrap_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);

enum status __wrap_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why)
{
    if (cancelled)
        store_cancel(f->store, cancelled);
    return __real_base_view_range(v, from, to, backwards, pair, arg, why);
}

/* The log fails when this thread writes that many more items. */
static _Thread_local unsigned items_left;

void __real_item_write(struct buf *b, const struct item *i);
void __wrap_item_write(struct buf *b, const struct item *i);

void __wrap_item_write(struct buf *b, const struct item *i)
{
    if (items_left && --items_left == 0) {
        o.io.sync_errors = 1;
        fault_io_release(&o.io);
        while (!store_ready(f->store)[0])
            usleep(1000);
    }
    __real_item_write(b, i);
}

static int setup(void **state)
{
    cancelled = NULL;
    items_left = 0;
    return opened_setup(state);
}

/* ---- a temporal edit under way ---- */

struct call {
    struct store_record record;
    struct record_edit edits[2];
    struct record_result results[2];
    bool done;
};

static void set_done(struct store_call *call)
{
    container_of(call, struct call, record.call)->done = true;
}

/* n edits of one entity, each of one instance. */
static void prepare(struct call *c, uint32_t n, int64_t deadline_us)
{
    *c = (struct call){.record = {.call = {.home = &f->waiter.runner, .done = set_done, .deadline_us = deadline_us},
                                  .caller = &f->caller,
                                  .edits = c->edits,
                                  .count = n,
                                  .results = c->results,
                                  .arena = f->arena,
                                  .now_us = f->now_us += 1000}};
    for (uint32_t i = 0; i < n; i++)
        c->edits[i] = (struct record_edit){
            .kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = recorder_evolution(f, "urn:e", 100 + i, 1)};
}

static void start(struct call *c, uint32_t n, int64_t deadline_us)
{
    prepare(c, n, deadline_us);
    c->done = store_record(f->store, &c->record);
}

static void start_blind(struct call *c)
{
    prepare(c, 1, 0);
    c->record.blind = true;
    c->done = store_record(f->store, &c->record);
}

static enum status end(struct call *c)
{
    waiter_until(&f->waiter, f->store, &c->done);
    return c->record.call.status;
}

/* ---- tests ---- */

static void test_a_full_disk_is_told(void **state)
{
    (void)state;
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = recorder_evolution(f, "urn:e", 2, 1)};
    recorder_put(f, "urn:e", 1, 1);
    o.io.budget = 0;
    struct record_result r = recorder_edit(f, &edit);
    assert_int_equal(r.status, E_NO_SPACE);
    assert_true(r.why->text[0]);
    recorder_assert_range(f, "urn:e", 1, 1);
    o.io.budget = INT64_MAX;
    recorder_put(f, "urn:e", 2, 1);
    recorder_assert_range(f, "urn:e", 1, 2);
    opened_again(&o);
    recorder_assert_range(f, "urn:e", 1, 2);
}

static void test_an_edit_behind_one_that_does_not_end_has_a_deadline(void **state)
{
    (void)state;
    struct call first, second;
    recorder_put(f, "urn:e", 1, 1);
    fault_io_hold(&o.io);
    start(&first, 1, 0);
    store_thread_offline(f->store);
    fault_io_wait(&o.io);
    store_thread_online(f->store);
    start(&second, 1, time_monotonic() + 50000);
    enum status st = end(&second);
    bool first_done = first.done;
    fault_io_release(&o.io);
    assert_int_equal(st, E_TIMEOUT);
    assert_false(first_done);
    assert_int_equal(end(&first), OK);
    assert_int_equal(recorder_series(f, "urn:e")->count, 2);
}

static void test_an_edit_behind_one_that_does_not_end_is_cancelled(void **state)
{
    (void)state;
    struct call first, second;
    recorder_put(f, "urn:e", 1, 1);
    fault_io_hold(&o.io);
    start(&first, 1, 0);
    store_thread_offline(f->store);
    fault_io_wait(&o.io);
    store_thread_online(f->store);
    start(&second, 1, 0);
    store_cancel(f->store, &second.record.call);
    enum status st = end(&second);
    fault_io_release(&o.io);
    assert_int_equal(st, E_CANCELLED);
    assert_int_equal(end(&first), OK);
    assert_int_equal(recorder_series(f, "urn:e")->count, 2);
}

static bool is_under_way(const struct call *c)
{
    struct embedded *e = embedded_of(f->store);
    commit_lock(e);
    const struct op *op = e->commit.ops;
    while (op && op->call != &c->record.call)
        op = op->next;
    commit_unlock(e);
    return op;
}

static bool is_queued(uint64_t seq)
{
    struct embedded *e = embedded_of(f->store);
    commit_lock(e);
    bool is = e->commit.seq >= seq;
    commit_unlock(e);
    return is;
}

/* Somebody records instances of the entity all the time, so that something of it is always on its way. */
static void test_an_edit_does_not_wait_for_what_comes_later(void **state)
{
    (void)state;
    enum { TRIES = 200 };
    struct call before, edit, after;
    unsigned tries = 0;
    recorder_put(f, "urn:e", 1, 1);
    fault_io_hold(&o.io);
    start_blind(&before);
    store_thread_offline(f->store);
    fault_io_wait(&o.io);
    store_thread_online(f->store);
    start(&edit, 1, 0);
    while (!is_under_way(&edit))
        opened_wait(&o);
    start_blind(&after);
    fault_io_step(&o.io); /* "before" is there now, "after" on its way */
    while (!is_queued(after.results[0].seq + 1) && tries++ < TRIES)
        opened_wait(&o);
    fault_io_release(&o.io);
    assert_true(tries < TRIES);
    assert_int_equal(end(&before), OK);
    assert_int_equal(end(&after), OK);
    assert_int_equal(end(&edit), OK);
    assert_int_equal(recorder_series(f, "urn:e")->count, 4);
}

/* The second edit waits for the first, which fails and takes the log with it. */
static void test_nothing_is_written_to_a_log_that_failed(void **state)
{
    (void)state;
    struct call c;
    recorder_put(f, "urn:e", 1, 1);
    o.io.sync_errors = 1;
    start(&c, 2, 0);
    assert_int_equal(end(&c), E_UNKNOWN_OUTCOME);
    assert_int_equal(c.results[1].status, E_BUSY);
    start(&c, 1, 0);
    assert_int_equal(end(&c), E_BUSY);
    recorder_assert_range(f, "urn:e", 1, 1);
}

/* Many at once are queued by and by. */
static void test_points_are_not_written_to_a_log_that_failed(void **state)
{
    (void)state;
    enum { MANY = 200, LATE = 300 }; /* two items each */
    struct record_edit edits[MANY];
    struct record_result results[MANY];
    struct call first;
    for (uint32_t i = 0; i < MANY; i++)
        edits[i] = (struct record_edit){
            .kind = RECORD_EDIT_UPSERT, .id = STR("urn:f"), .fragment = recorder_evolution(f, "urn:f", i, 1)};
    struct store_record r = {.caller = &f->caller,
                             .edits = edits,
                             .count = MANY,
                             .results = results,
                             .arena = f->arena,
                             .now_us = f->now_us,
                             .blind = true};
    recorder_put(f, "urn:e", 1, 1);
    fault_io_hold(&o.io);
    start(&first, 1, 0);
    store_thread_offline(f->store);
    fault_io_wait(&o.io);
    store_thread_online(f->store);
    items_left = LATE;
    assert_int_equal(fixture_record(f, &r), E_BUSY);
    assert_int_equal(end(&first), E_UNKNOWN_OUTCOME);
    recorder_assert_range(f, "urn:e", 1, 1);
}

static void test_a_reader_who_goes_does_not_read_on(void **state)
{
    (void)state;
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    recorder_put(f, "urn:e", 1, 4000);
    assert_true(opened_fold(&o));
    struct store_evolve v = {.id = STR("urn:e"), .time = &ALWAYS, .points_max = 100000};
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_int_equal(v.explain.chunks_read, 3);
    cancelled = &v.call;
    assert_int_equal(fixture_evolve(f, &v), E_CANCELLED);
    assert_int_equal(v.explain.chunks_read, 1);
}

/* Memory of the answer, beyond what it shows. */
static size_t memory_of(struct store_evolve *v)
{
    size_t before = arena_bytes(f->arena);
    assert_int_equal(fixture_evolve(f, v), OK);
    return arena_bytes(f->arena) - before;
}

static void test_what_is_not_shown_takes_no_memory(void **state)
{
    (void)state;
    enum { POINTS = 16384, ENTITIES = 400, MOST = 200 << 10 };
    struct temporal_query time = {.from_us = INT64_MIN, .to_us = INT64_MAX, .methods = AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT)};
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = recorder_evolution(f, "urn:e", 1, POINTS)};
    for (uint32_t i = 0; i < POINTS; i++)
        edit.fragment->series[0].points[i].attr.value = (struct value){.kind = VALUE_BOOL, .boolean = i % 2};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(opened_fold(&o));
    struct store_evolve v = {.id = STR("urn:e"), .time = &time, .points_max = 1000, .buckets_max = 10};
    assert_true(memory_of(&v) < MOST);
    assert_int_equal(v.explain.chunks_read, POINTS / 1024);
    struct filter *filter = fixture_of_type(f, "T");
    for (uint32_t i = 0; i < ENTITIES; i++)
        recorder_put(f, arena_printf(f->arena, "urn:f:%u", i).p, 1, 10);
    time = (struct temporal_query){.from_us = INT64_MAX - 1, .to_us = INT64_MAX, .must_have = true};
    v = (struct store_evolve){.filter = filter, .time = &time, .points_max = 1000, .limit = ENTITIES};
    assert_true(memory_of(&v) < MOST);
    assert_int_equal(v.evolution_count, 0);
    assert_int_equal(v.explain.entities, 1 + ENTITIES);
}

static void test_backups_carry_history(void **state)
{
    (void)state;
    char copy[300], restored[300];
    struct why why = {0};
    snprintf(copy, sizeof copy, "%s-copy", o.dir);
    snprintf(restored, sizeof restored, "%s-restored", o.dir);
    recorder_put(f, "urn:e", 1, 3000);
    assert_true(opened_fold(&o));
    recorder_put(f, "urn:e", 3001, 10); /* in the log alone */
    assert_int_equal(store_backup(f->store, copy, &why), OK);
    recorder_put(f, "urn:e", 3011, 10); /* too late */
    opened_shut(&o);
    assert_int_equal(embedded_restore(copy, restored, &why), OK);
    struct embedded_report report;
    assert_int_equal(embedded_check(restored, &report, NULL, NULL, &why), OK);
    const char *dir = o.options.dir;
    o.options.dir = restored;
    opened_start(&o);
    recorder_assert_range(f, "urn:e", 1, 3010);
    opened_shut(&o);
    o.options.dir = dir;
    opened_start(&o);
    recorder_assert_range(f, "urn:e", 1, 3020);
    fixture_remove(copy);
    fixture_remove(restored);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_full_disk_is_told),
        TEST(test_an_edit_behind_one_that_does_not_end_has_a_deadline),
        TEST(test_an_edit_behind_one_that_does_not_end_is_cancelled),
        TEST(test_an_edit_does_not_wait_for_what_comes_later),
        TEST(test_nothing_is_written_to_a_log_that_failed),
        TEST(test_points_are_not_written_to_a_log_that_failed),
        TEST(test_a_reader_who_goes_does_not_read_on),
        TEST(test_what_is_not_shown_takes_no_memory),
        TEST(test_backups_carry_history),
    };
    return cmocka_run_group_tests_name("store/history_calls", tests, NULL, NULL);
}
