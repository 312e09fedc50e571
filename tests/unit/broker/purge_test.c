/* Purging over a store that is an array, completing at once or later. */
#include "broker/purge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ENTITIES_MAX = 1300 };

struct city {
    struct store store;
    struct broker broker;
    struct broker_ports ports;
    struct clock clock;
    struct runner runner;
    struct task *posted;
    size_t ran; /* posted tasks */
    const struct doc *docs[ENTITIES_MAX]; /* by sequence minus one; NULL: deleted */
    uint32_t count;
    uint32_t page_max;   /* the store gives less than asked for */
    bool later;          /* completes by posting */
    bool born_meanwhile; /* one entity comes with every query */
    enum status query_fails, apply_fails;
    uint32_t queries, applies, edits;
    uint32_t closes_with; /* this query the city begins to stop */
    struct edit last;
    uintptr_t deepest, shallowest; /* where the stack stood in queries */
    struct arena *arena;
    struct caller caller;
    struct purge purge;
    bool done;
};

static int64_t clock_now(struct clock *c)
{
    (void)c;
    return 1000;
}

static void post(struct runner *r, struct task *t)
{
    struct city *c = container_of(r, struct city, runner);
    assert_null(c->posted);
    c->posted = t;
}

static bool complete(struct city *c, struct store_call *call, enum status status)
{
    why_clear(&call->why);
    call->status = status == OK ? OK : why_set(&call->why, status, NULL, "as the test wants");
    if (c->later)
        runner_post(call->home, &call->task);
    return !c->later;
}

static void run_done(struct task *t)
{
    struct store_call *call = container_of(t, struct store_call, task);
    call->done(call);
}

static void entity_add(struct city *c)
{
    assert_true(c->count < ENTITIES_MAX);
    struct entity e = {.type_count = 1, .types = (uint32_t[]){7}, .expires_at = TIME_NONE};
    e.id = arena_printf(c->arena, "urn:x:%u", c->count + 1);
    struct doc *d = arena_alloc(c->arena, doc_size(&e));
    doc_encode(&e, d);
    doc_set_seq(d, ++c->count);
    c->docs[c->count - 1] = d;
}

static bool query(struct store *s, struct store_query *q)
{
    struct city *c = container_of(s, struct city, store);
    int here;
    uintptr_t at = (uintptr_t)&here;
    c->deepest = at < c->deepest ? at : c->deepest;
    c->shallowest = at > c->shallowest ? at : c->shallowest;
    if (++c->queries == c->closes_with)
        c->broker.closing = true;
    assert_ptr_equal(q->caller, &c->caller);
    uint32_t limit = c->page_max && c->page_max < q->limit ? c->page_max : q->limit;
    q->docs = arena_array(q->arena, const struct doc *, limit);
    q->doc_count = 0;
    q->more = false;
    for (uint32_t i = (uint32_t)q->after_seq; i < c->count && !q->more; i++) {
        if (c->docs[i] && q->doc_count == limit)
            q->more = true;
        else if (c->docs[i])
            q->docs[q->doc_count++] = c->docs[i];
    }
    if (c->born_meanwhile)
        entity_add(c);
    q->call.task.run = run_done;
    return complete(c, &q->call, c->query_fails);
}

static bool apply(struct store *s, struct store_apply *a)
{
    struct city *c = container_of(s, struct city, store);
    c->applies++;
    assert_int_equal(a->now_us, 1000);
    assert_false(a->create_tenant);
    for (uint32_t i = 0; i < a->count; i++) {
        unsigned seq = 0;
        c->edits++;
        c->last = a->edits[i];
        assert_int_equal(sscanf(a->edits[i].id.p, "urn:x:%u", &seq), 1);
        assert_non_null(c->docs[seq - 1]);
        if (a->edits[i].kind == EDIT_DELETE)
            c->docs[seq - 1] = NULL;
        a->results[i].changed = a->edits[i].kind == EDIT_DELETE || seq % 2;
    }
    a->call.task.run = run_done;
    return complete(c, &a->call, c->apply_fails);
}

static uint64_t last_seq(struct store *s)
{
    return container_of(s, struct city, store)->count;
}

static const struct store_ops OPS = {.query = query, .apply = apply, .seq = last_seq};

static int setup(void **state)
{
    struct city *c = calloc(1, sizeof *c);
    c->store.ops = &OPS;
    c->clock.now_us = clock_now;
    c->ports.clock = &c->clock;
    c->broker = (struct broker){.store = &c->store, .ports = &c->ports};
    c->runner.post = post;
    c->arena = arena_new(0);
    c->deepest = UINTPTR_MAX;
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    arena_free(c->arena);
    free(c);
    return 0;
}

static void purge_done(struct purge *p)
{
    struct city *c = container_of(p, struct city, purge);
    assert_false(c->done);
    c->done = true;
}

static void purge(struct city *c, uint32_t entities)
{
    for (uint32_t i = 0; i < entities; i++)
        entity_add(c);
    c->purge.caller = &c->caller;
    c->purge.home = &c->runner;
    c->purge.done = purge_done;
    purge_start(&c->broker, &c->purge);
    while (c->posted) {
        struct task *t = c->posted;
        c->posted = NULL;
        c->ran++;
        t->run(t);
    }
    assert_true(c->done);
}

static void nothing_to_purge(void **state)
{
    struct city *c = *state;
    purge(c, 0);
    assert_int_equal(c->purge.status, OK);
    assert_int_equal(c->purge.purged, 0);
    assert_int_equal(c->applies, 0);
}

static void all_go_slice_by_slice(void **state)
{
    struct city *c = *state;
    purge(c, 1250);
    assert_int_equal(c->purge.status, OK);
    assert_int_equal(c->purge.purged, 1250);
    assert_int_equal(c->applies, 3);
    for (uint32_t i = 0; i < c->count; i++)
        assert_null(c->docs[i]);
}

static void the_same_when_the_store_takes_its_time(void **state)
{
    struct city *c = *state;
    c->later = true;
    purge(c, 1250);
    assert_int_equal(c->purge.status, OK);
    assert_int_equal(c->purge.purged, 1250);
}

static void slices_yield_and_do_not_nest(void **state)
{
    struct city *c = *state;
    c->page_max = 1;
    purge(c, 1000);
    assert_int_equal(c->purge.purged, 1000);
    assert_int_equal(c->queries, 1000);
    assert_int_equal(c->ran, 999); /* the loop had its turn between any two */
    assert_true(c->shallowest - c->deepest < 4096);
}

static void entities_created_meanwhile_stay(void **state)
{
    struct city *c = *state;
    c->page_max = 10;
    c->born_meanwhile = true;
    purge(c, 100);
    assert_int_equal(c->purge.purged, 100);
    for (uint32_t i = 0; i < 100; i++)
        assert_null(c->docs[i]);
    for (uint32_t i = 100; i < c->count; i++)
        assert_non_null(c->docs[i]);
    assert_true(c->queries < 15);
}

static void attributes_are_pruned_and_changes_counted(void **state)
{
    struct city *c = *state;
    const uint32_t terms[] = {3, 4};
    c->purge.terms = terms;
    c->purge.term_count = 2;
    c->purge.keep = true;
    purge(c, 600);
    assert_int_equal(c->edits, 600);
    assert_int_equal(c->purge.purged, 300); /* every second one had something to lose */
    assert_int_equal(c->last.kind, EDIT_PRUNE);
    assert_int_equal(c->last.flags, EDIT_KEEP);
    assert_int_equal(c->last.term_count, 2);
}

static void failures_end_it(void **state)
{
    struct city *c = *state;
    c->query_fails = E_NO_TENANT;
    purge(c, 10);
    assert_int_equal(c->purge.status, E_NO_TENANT);
    assert_string_equal(c->purge.why.text, "as the test wants");
    c->query_fails = OK;
    c->apply_fails = E_NO_SPACE;
    c->later = true;
    c->done = false;
    purge(c, 0);
    assert_int_equal(c->purge.status, E_NO_SPACE);
    assert_int_equal(c->purge.purged, 0);
}

static void stopping_ends_it_between_slices(void **state)
{
    struct city *c = *state;
    c->page_max = 10;
    c->closes_with = 2;
    purge(c, 100);
    assert_int_equal(c->purge.status, E_CANCELLED);
    assert_non_null(strstr(c->purge.why.text, "20 entities"));
    assert_int_equal(c->purge.purged, 20);
    assert_int_equal(c->queries, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_to_purge, setup, teardown),
        cmocka_unit_test_setup_teardown(all_go_slice_by_slice, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_when_the_store_takes_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(slices_yield_and_do_not_nest, setup, teardown),
        cmocka_unit_test_setup_teardown(entities_created_meanwhile_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(attributes_are_pruned_and_changes_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_end_it, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_ends_it_between_slices, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
