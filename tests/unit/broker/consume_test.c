/* Retrieval and query through a store that completes at once or later. */
#include "broker/consume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct city {
    struct store store;
    struct broker broker;
    struct arena *arena;
    struct caller caller;
    const struct doc *docs[3];
    enum status status;
    bool later;
    struct store_call *waiting;
    unsigned done;
};

static bool complete(struct city *c, struct store_call *call)
{
    call->status = c->status;
    c->waiting = call;
    return !c->later;
}

static bool get(struct store *s, struct store_get *g)
{
    struct city *c = container_of(s, struct city, store);
    g->doc = c->status == OK ? c->docs[0] : NULL;
    return complete(c, &g->call);
}

static bool query(struct store *s, struct store_query *q)
{
    struct city *c = container_of(s, struct city, store);
    q->docs = c->docs;
    q->doc_count = 3;
    return complete(c, &q->call);
}

static const struct store_ops OPS = {.get = get, .query = query};

static int setup(void **state)
{
    struct city *c = calloc(1, sizeof *c);
    c->store.ops = &OPS;
    c->broker = (struct broker){.store = &c->store};
    c->arena = arena_new(0);
    for (unsigned i = 0; i < 3; i++) {
        struct entity e = {.type_count = 1, .types = (uint32_t[]){7}, .expires_at = TIME_NONE};
        e.id = arena_printf(c->arena, "urn:x:%u", i);
        struct doc *d = arena_alloc(c->arena, doc_size(&e));
        doc_encode(&e, d);
        doc_set_seq(d, i + 1);
        c->docs[i] = d;
    }
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

struct retrieving {
    struct consume_retrieve r;
    struct city *city;
};

static void retrieved(struct consume_retrieve *r)
{
    container_of(r, struct retrieving, r)->city->done++;
}

struct querying {
    struct consume_query q;
    struct city *city;
};

static void queried(struct consume_query *q)
{
    container_of(q, struct querying, q)->city->done++;
}

static void is_entity(struct city *c, const struct consume_item *item, const char *id)
{
    struct entity e;
    assert_int_equal(item->count, 1);
    consume_entity(item, c->arena, &e);
    assert_true(str_eq(e.id, str_of(id)));
}

static void retrieve(void **state)
{
    struct city *c = *state;
    struct retrieving now = {.r = {.done = retrieved}, .city = c}, then = now, none = now;
    assert_true(consume_retrieve(&c->broker, &now.r));
    assert_int_equal(now.r.status, OK);
    is_entity(c, &now.r.item, "urn:x:0");
    assert_int_equal(c->done, 0); /* completed at once: nobody is called */
    c->later = true;
    assert_false(consume_retrieve(&c->broker, &then.r));
    c->waiting->done(c->waiting);
    assert_int_equal(c->done, 1);
    is_entity(c, &then.r.item, "urn:x:0");
    assert_int_equal(then.r.warning_count, 0);
    c->later = false;
    c->status = E_NOT_FOUND;
    assert_true(consume_retrieve(&c->broker, &none.r));
    assert_int_equal(none.r.status, E_NOT_FOUND);
    assert_int_equal(none.r.item.count, 0);
}

static void queries(void **state)
{
    struct city *c = *state;
    struct querying now = {.q = {.local.arena = c->arena, .done = queried}, .city = c}, then = now, failed = now;
    assert_true(consume_query(&c->broker, &now.q));
    assert_int_equal(now.q.count, 3);
    is_entity(c, &now.q.items[0], "urn:x:0");
    is_entity(c, &now.q.items[2], "urn:x:2");
    c->later = true;
    assert_false(consume_query(&c->broker, &then.q));
    c->waiting->done(c->waiting);
    assert_int_equal(c->done, 1);
    assert_int_equal(then.q.count, 3);
    c->later = false;
    c->status = E_TOO_COMPLEX;
    assert_true(consume_query(&c->broker, &failed.q));
    assert_int_equal(failed.q.status, E_TOO_COMPLEX);
    assert_int_equal(failed.q.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(retrieve, setup, teardown),
        cmocka_unit_test_setup_teardown(queries, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
