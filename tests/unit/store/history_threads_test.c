/* Instances recorded and read on several threads while folds take and seal them. Instances are only added, so a reader knows
 * how many there must be at least, and can be at most. */
#include "fixture.h"

#include "base/time.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { ENTITIES = 4, WRITERS = 2, READERS = 2, ROUNDS = 120, RECORDED = 40 };

static char dir[256];
static struct store *store;
static struct terms *terms;
static uint32_t type, value;
static _Atomic bool stop;
static _Atomic uint32_t started[ENTITIES], acknowledged[ENTITIES];
static _Atomic uint64_t reads;

/* Assertions of cmocka belong to its own thread. */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* One of the threads that work on the store. */
struct worker {
    pthread_t thread;
    unsigned number;
    struct waiter waiter;
    struct arena *arena;
    struct caller caller;
    bool done;
    union {
        struct store_record record;
        struct store_apply apply;
        struct store_evolve evolve;
    };
};

static void record_done(struct store_call *call)
{
    container_of(call, struct worker, record.call)->done = true;
}

static void apply_done(struct store_call *call)
{
    container_of(call, struct worker, apply.call)->done = true;
}

static void evolve_done(struct store_call *call)
{
    container_of(call, struct worker, evolve.call)->done = true;
}

static struct attr number(int64_t v, int64_t observed_at)
{
    return (struct attr){.term = value,
                         .kind = ATTR_PROPERTY,
                         .dataset = STR(""),
                         .value = {.kind = VALUE_INT, .integer = v},
                         .observed_at = observed_at,
                         .expires_at = TIME_NONE,
                         .created_at = TIME_NONE,
                         .modified_at = TIME_NONE};
}

static void record_some(struct worker *w, unsigned i)
{
    struct record_result result = {0};
    struct point points[RECORDED];
    struct series series = {.term = value, .dataset = STR(""), .count = RECORDED, .points = points};
    struct evolution e = {.id = arena_printf(w->arena, "urn:e:%u", i), .type_count = 1, .types = &type, .count = 1, .series = &series};
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = e.id, .fragment = &e};
    e.created_at = e.modified_at = e.deleted_at = e.expires_at = TIME_NONE;
    for (uint32_t k = 0; k < RECORDED; k++)
        points[k] = (struct point){.attr = number(k, time_now() - k * 1000), .deleted_at = TIME_NONE};
    w->record = (struct store_record){.call = {.home = &w->waiter.runner, .done = record_done},
                                      .caller = &w->caller,
                                      .edits = &edit,
                                      .count = 1,
                                      .results = &result,
                                      .arena = w->arena,
                                      .create_tenant = true,
                                      .now_us = time_now()};
    started[i] += RECORDED;
    w->done = store_record(store, &w->record);
    waiter_until(&w->waiter, store, &w->done);
    must(w->record.call.status == OK && result.status == OK, "instances were not recorded");
    acknowledged[i] += RECORDED;
}

static void change_one(struct worker *w, unsigned i)
{
    struct edit_result result;
    struct attr a = number(1, TIME_NONE);
    struct entity e = {.id = arena_printf(w->arena, "urn:e:%u", i), .type_count = 1, .types = &type, .attr_count = 1, .attrs = &a};
    struct edit edit = {.kind = EDIT_UPSERT_REPLACE, .id = e.id, .fragment = &e};
    e.created_at = e.modified_at = e.expires_at = TIME_NONE;
    w->apply = (struct store_apply){.call = {.home = &w->waiter.runner, .done = apply_done},
                                    .caller = &w->caller,
                                    .edits = &edit,
                                    .count = 1,
                                    .results = &result,
                                    .arena = w->arena,
                                    .create_tenant = true,
                                    .now_us = time_now()};
    started[i]++;
    w->done = store_apply(store, &w->apply);
    waiter_until(&w->waiter, store, &w->done);
    must(w->apply.call.status == OK && result.status == OK, "an entity was not changed");
    acknowledged[i]++;
}

static void *write_history(void *arg)
{
    struct worker *w = arg;
    store_thread_enter(store);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned i = (round + w->number) % ENTITIES;
        arena_reset(w->arena);
        if (round % 3)
            record_some(w, i);
        else
            change_one(w, i);
    }
    store_thread_leave(store);
    return NULL;
}

static void judge(const struct store_evolve *v, uint32_t least, uint32_t most)
{
    must(v->call.status == OK || (v->call.status == E_NOT_FOUND && least == 0) || v->call.status == E_NO_TENANT,
         v->call.why.text);
    if (!v->evolution_count)
        return;
    must(v->evolutions[0].count == 1, "an evolution is not of one series");
    const struct series *s = &v->evolutions[0].series[0];
    must(s->count >= least, "an acknowledged instance was not seen");
    must(s->count <= most, "there are more instances than were recorded");
    for (uint32_t i = 1; i < s->count; i++)
        must(point_order(&s->points[i - 1], &s->points[i]) < 0, "instances are out of order, or doubled");
}

static void *read_history(void *arg)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct worker *w = arg;
    store_thread_enter(store);
    for (unsigned round = w->number; !stop; round++) {
        unsigned i = round % ENTITIES;
        arena_reset(w->arena);
        uint32_t least = acknowledged[i];
        w->evolve = (struct store_evolve){.call = {.home = &w->waiter.runner, .done = evolve_done},
                                          .caller = &w->caller,
                                          .id = arena_printf(w->arena, "urn:e:%u", i),
                                          .time = &ALWAYS,
                                          .points_max = 1000000,
                                          .arena = w->arena};
        w->done = store_evolve(store, &w->evolve);
        waiter_until(&w->waiter, store, &w->done);
        judge(&w->evolve, least, started[i]);
        reads++;
    }
    store_thread_leave(store);
    return NULL;
}

static void *fold_on_and_on(void *arg)
{
    struct embedded *e = embedded_of(store);
    (void)arg;
    store_thread_enter(store);
    while (!stop) {
        struct why why = {0};
        pthread_mutex_lock(&e->fold.work);
        must(fold_now(e, &why) == OK, why.text);
        pthread_mutex_unlock(&e->fold.work);
        store_thread_offline(store);
        store_thread_online(store);
    }
    store_thread_leave(store);
    return NULL;
}

static void begin(struct worker *w, unsigned number, void *(*run)(void *))
{
    *w = (struct worker){.number = number, .arena = arena_new(0), .caller = {.tenant = STR("")}};
    waiter_init(&w->waiter);
    pthread_create(&w->thread, NULL, run, w);
}

static void end(struct worker *w)
{
    pthread_join(w->thread, NULL);
    arena_free(w->arena);
}

static void open_store(void)
{
    struct embedded_options o = fixture_options(dir, &clock_system);
    struct why why = {0};
    o.history_bytes_max = 64 << 10;
    terms = terms_new(1000);
    if (embedded_open(&store, terms, &o, &why) != OK)
        fail_msg("%s", why.text);
    type = terms_intern(terms, STR("T"), NULL);
    value = terms_intern(terms, STR("value"), NULL);
}

static void test_readers_see_all_that_was_recorded(void **state)
{
    (void)state;
    struct worker writers[WRITERS], readers[READERS], folder;
    fixture_directory(dir, sizeof dir);
    open_store();
    for (unsigned i = 0; i < WRITERS; i++)
        begin(&writers[i], i, write_history);
    for (unsigned i = 0; i < READERS; i++)
        begin(&readers[i], i, read_history);
    begin(&folder, 0, fold_on_and_on);
    for (unsigned i = 0; i < WRITERS; i++)
        end(&writers[i]);
    stop = true;
    for (unsigned i = 0; i < READERS; i++)
        end(&readers[i]);
    end(&folder);
    assert_true(reads > 0);
    assert_true(embedded_of(store)->history.sealed > 0);
    store_close(store);
    terms_free(terms);
    struct embedded_report report;
    struct why why = {0};
    if (embedded_check(dir, &report, NULL, NULL, &why) != OK)
        fail_msg("%s", why.text);
    fixture_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_see_all_that_was_recorded)};
    return cmocka_run_group_tests_name("store/history_threads", tests, NULL, NULL);
}
