/* What expires by the embedded store's own clock (clause 4.22): swept away in the background, and many at once
 * cost those who ask nothing. That what has expired is not there is the contract's. */
#include "opened.h"

#include "base/time.h"

#include <stdio.h>

static struct opened o;
static struct fixture *const f = &o.fixture;

static void test_what_has_expired_goes_within_a_second(void **state)
{
    (void)state;
    struct entity *e = fixture_entity(f, "urn:e:1", "A", "value", 1);
    e->expires_at = o.wall.now + 1000;
    struct edit edits[2] = {{.kind = EDIT_CREATE, .id = e->id, .fragment = e}};
    struct entity *g = fixture_entity(f, "urn:e:2", "A", "value", 1);
    g->attrs[0].expires_at = o.wall.now + 1000;
    edits[1] = (struct edit){.kind = EDIT_CREATE, .id = g->id, .fragment = g};
    struct edit_result r[2];
    f->now_us = o.wall.now;
    assert_int_equal(fixture_apply(f, edits, 2, r), OK);
    uint64_t seq = store_seq(f->store);
    opened_again(&o);
    assert_non_null(fixture_get(f, "urn:e:1"));
    o.wall.now += 5000;
    for (int i = 0; i < 300 && store_seq(f->store) < seq + 2; i++) {
        opened_wait(&o);
    }
    assert_null(fixture_get(f, "urn:e:1"));
    const struct doc *d = fixture_get(f, "urn:e:2");
    assert_non_null(d);
    assert_int_equal(doc_attr_count(d), 0);
    assert_int_equal(store_seq(f->store), seq + 2); /* logged changes */
    opened_again(&o);
    assert_null(fixture_get(f, "urn:e:1"));
}

struct counted {
    struct store_listener listener;
    _Atomic uint64_t created, deleted; /* counted by the committer */
};

static void count_changes(struct store_listener *l, const struct change *changes, uint32_t n)
{
    struct counted *c = container_of(l, struct counted, listener);
    for (uint32_t i = 0; i < n; i++) {
        c->created += !changes[i].before;
        c->deleted += !changes[i].after;
    }
}

/* One in a hundred stays. */
static void fill_transient(uint32_t n, int64_t end)
{
    enum { BATCH = 1000 };
    static struct edit edits[BATCH];
    static struct edit_result r[BATCH];
    for (uint32_t i = 0; i < n;) {
        uint32_t k = 0;
        for (; k < BATCH && i < n; k++, i++) {
            char id[32];
            snprintf(id, sizeof id, "urn:e:%u", i);
            struct entity *e = fixture_entity(f, id, i % 100 ? "A" : "B", "value", i);
            e->expires_at = i % 100 ? end : TIME_NONE;
            edits[k] = (struct edit){.kind = EDIT_CREATE, .id = e->id, .fragment = e};
        }
        assert_int_equal(fixture_apply(f, edits, k, r), OK);
        arena_reset(f->arena);
    }
}

/* 99,000 end at once: nobody sees one from then on, and no query looks at them. */
static void test_many_expire_at_once(void **state)
{
    (void)state;
    enum { ALL = 100000, LEFT = 1000 };
    static struct counted heard = {.listener.changes = count_changes}; /* asked while the store is open */
    fill_transient(ALL, o.wall.now + 1000);
    store_listen(f->store, &heard.listener);
    o.wall.alone = true; /* nothing is swept away yet */
    o.wall.now += 1000;
    f->now_us = o.wall.now;
    for (int i = 0; i < 3; i++) {
        struct store_query gone = {.filter = fixture_of_type(f, "A"), .limit = 20, .count = i != 1},
                           page = {.limit = 20, .offset = 10, .count = i == 2};
        assert_int_equal(fixture_query(f, &gone), OK);
        assert_int_equal(gone.doc_count + gone.total, 0);
        assert_int_equal(gone.explain.visited, 0);
        assert_int_equal(fixture_query(f, &page), OK);
        assert_int_equal(page.doc_count, 20);
        assert_true(str_eq(doc_id(page.docs[0]), STR("urn:e:1000")));
        assert_true(page.more);
        assert_int_equal(page.total, i == 2 ? LEFT : 0);
        assert_int_equal(page.explain.visited, 20);
    }
    struct edit again = fixture_create(f, "urn:e:77", "A", 1);
    assert_int_equal(fixture_edit(f, &again).status, OK);
    o.wall.alone = false;
    struct store_stats s;
    for (int i = 0; i < 20000; i++) { /* minutes, where others want the processor */
        store_stats(f->store, &s);
        if (s.entities == LEFT + 1 && heard.deleted == ALL - LEFT)
            break;
        opened_wait(&o);
    }
    assert_int_equal(s.entities, LEFT + 1);
    assert_int_equal(heard.deleted, ALL - LEFT); /* each once */
    assert_int_equal(heard.created, 1);
    struct store_query left = {.limit = 1, .count = true};
    assert_int_equal(fixture_query(f, &left), OK);
    assert_int_equal(left.total, LEFT + 1);
}

#define TEST(name) OPENED_TEST(name, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_has_expired_goes_within_a_second),
        TEST(test_many_expire_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
