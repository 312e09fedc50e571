/* Linked entities over a store that is an array, completing at once or later; what it
 * lends is wiped before the next level, as a store may do. */
#include "broker/linked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ENTITIES = 6, EXPIRED = 5, TERM_TO = 3, TERM_ALSO = 4 };

struct city {
    struct store store;
    struct broker broker;
    struct runner runner;
    struct store_call *waiting;
    bool later;
    enum status status;
    uint32_t queries, asked_for;
    struct entity entities[ENTITIES];
    struct attr attrs[ENTITIES][2];
    void *lent[ENTITIES];
    struct arena *arena;
    struct join join;
    struct represent represent;
    struct link_node root;
    struct linked linked;
    bool done;
};

static void take_back(struct city *c)
{
    for (int i = 0; i < ENTITIES; i++) {
        free(c->lent[i]);
        c->lent[i] = NULL;
    }
}

static void *lend(struct city *c, uint32_t i)
{
    struct doc *d = aligned_alloc(8, (doc_size(&c->entities[i]) + 7) / 8 * 8);
    doc_encode(&c->entities[i], d);
    doc_set_seq(d, i + 1);
    c->lent[i] = d;
    return d;
}

static bool query(struct store *s, struct store_query *q)
{
    struct city *c = container_of(s, struct city, store);
    struct filter_env env = {.arena = c->arena};
    take_back(c);
    c->queries++;
    assert_int_equal(q->filter->kind, FILTER_IDS);
    assert_int_equal(q->limit, q->filter->count);
    c->asked_for += q->filter->count;
    q->docs = arena_array(q->arena, const struct doc *, ENTITIES);
    q->doc_count = 0;
    for (uint32_t i = 0; i < ENTITIES; i++)
        if (i != EXPIRED && filter_match(q->filter, &c->entities[i], &env))
            q->docs[q->doc_count++] = lend(c, i);
    q->call.status = c->status;
    c->waiting = &q->call;
    return !c->later;
}

static const struct store_ops OPS = {.query = query};

static void link_add(struct city *c, int from, const char *objects, uint32_t term)
{
    struct entity *e = &c->entities[from];
    struct attr *a = &c->attrs[from][e->attr_count++];
    *a = (struct attr){.term = term, .kind = ATTR_RELATIONSHIP, .dataset = STR(""), .observed_at = TIME_NONE, .expires_at = TIME_NONE};
    a->value = (struct value){.kind = objects[0] == '[' ? VALUE_JSON : VALUE_STRING, .text = str_of(objects), .plain = true};
    e->attrs = c->attrs[from];
}

/* 0 → 1, 1 → [2, 3], 2 → 0, 3 → 4 → nobody; 0 → 3 too; 5 has expired: the store shows it no more */
static int setup(void **state)
{
    struct city *c = calloc(1, sizeof *c);
    static uint32_t type[] = {7};
    c->store.ops = &OPS;
    c->broker = (struct broker){.store = &c->store};
    c->arena = arena_new(0);
    for (int i = 0; i < ENTITIES; i++)
        c->entities[i] = (struct entity){.id = arena_printf(c->arena, "urn:x:%d", i), .types = type, .type_count = 1,
                                         .expires_at = TIME_NONE};
    link_add(c, 0, "urn:x:1", TERM_TO);
    link_add(c, 0, "urn:x:3", TERM_ALSO);
    link_add(c, 1, "[\"urn:x:2\",\"urn:x:3\"]", TERM_TO);
    link_add(c, 2, "urn:x:0", TERM_TO);
    link_add(c, 2, "urn:x:5", TERM_ALSO);
    link_add(c, 3, "urn:x:4", TERM_TO);
    link_add(c, 4, "urn:x:nobody", TERM_TO);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    take_back(c);
    arena_free(c->arena);
    free(c);
    return 0;
}

static void linked_done(struct linked *l)
{
    container_of(l, struct city, linked)->done = true;
}

static void resolve(struct city *c, enum join_kind kind, uint32_t level)
{
    c->join.kind = (uint8_t)kind;
    c->join.level = level;
    c->root = (struct link_node){.entity = &c->entities[0]};
    uint32_t max = c->linked.entities_max ? c->linked.entities_max : 100;
    c->linked = (struct linked){.home = &c->runner, .arena = c->arena, .join = &c->join, .represent = &c->represent,
                                .roots = &c->root, .root_count = 1, .entities_max = max, .done = linked_done};
    c->queries = c->asked_for = 0;
    c->done = false;
    c->done = linked_resolve(&c->broker, &c->linked);
    while (!c->done)
        c->waiting->done(c->waiting);
    take_back(c);
}

static void assert_found(struct city *c, const char *const *ids, uint32_t n)
{
    assert_int_equal(c->linked.status, OK);
    assert_int_equal(c->linked.found_count, n);
    for (uint32_t i = 0; i < n; i++)
        assert_true(str_eq(c->linked.found[i]->entity->id, str_of(ids[i])));
}

static void test_levels(struct city *c, enum join_kind kind)
{
    static const char *const IDS[] = {"urn:x:1", "urn:x:3", "urn:x:2", "urn:x:4"};
    resolve(c, kind, 1);
    assert_found(c, IDS, 2);
    assert_int_equal(c->queries, 1);
    resolve(c, kind, 2);
    assert_found(c, IDS, 4);
    assert_int_equal(c->queries, 2);
    resolve(c, kind, 30); /* the ring ends; nobody and 5 are asked for once */
    assert_found(c, IDS, 4);
    assert_int_equal(c->queries, 3);
    assert_int_equal(c->asked_for, 6);
}

static void at_once(void **state)
{
    test_levels(*state, JOIN_INLINE);
    test_levels(*state, JOIN_FLAT);
}

static void later(void **state)
{
    struct city *c = *state;
    c->later = true;
    test_levels(c, JOIN_INLINE);
    test_levels(c, JOIN_FLAT);
}

static void edges(void **state)
{
    struct city *c = *state;
    resolve(c, JOIN_INLINE, 3);
    const struct link_node *one = links_find(&c->root, &c->attrs[0][0], 0);
    const struct link_node *three = links_find(&c->root, &c->attrs[0][1], 0);
    assert_int_equal(c->root.edge_count, 2);
    assert_true(str_eq(one->entity->id, STR("urn:x:1")));
    assert_true(str_eq(three->entity->id, STR("urn:x:3")));
    assert_int_equal(one->edge_count, 1); /* to 2; 3 is nearer by the other way */
    assert_int_equal(one->edges[0].object, 0);
    assert_null(links_find(one, one->entity->attrs, 1));
    assert_null(links_find(&c->root, &c->attrs[1][0], 0));
    assert_int_equal(three->edge_count, 1);
}

static void contained(void **state)
{
    static const char *const IDS[] = {"urn:x:1", "urn:x:2"};
    static const struct str MET[] = {{"urn:x:3", 7}, {"urn:y:none", 10}};
    struct city *c = *state;
    c->join.contained = MET;
    c->join.contained_count = 2;
    resolve(c, JOIN_FLAT, 9);
    assert_found(c, IDS, 2);
}

static void bounds_and_failures(void **state)
{
    struct city *c = *state;
    c->linked.entities_max = 3;
    resolve(c, JOIN_FLAT, 2);
    assert_int_equal(c->linked.status, E_TOO_COMPLEX);
    assert_string_equal(c->linked.why.limit, "limits.linked_entities");
    c->linked.entities_max = 100;
    c->status = E_TIMEOUT;
    for (int i = 0; i < 2; i++) {
        c->later = i;
        resolve(c, JOIN_FLAT, 2);
        assert_int_equal(c->linked.status, E_TIMEOUT);
        assert_int_equal(c->queries, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(later, setup, teardown),
        cmocka_unit_test_setup_teardown(edges, setup, teardown),
        cmocka_unit_test_setup_teardown(contained, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_and_failures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
