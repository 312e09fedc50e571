/* Slots and ids of a tenant's entities. */
#include "fixture.h"

#include "base/hash.h"
#include "store/embedded/state.h"

#include "base/time.h"

#include <stdio.h>

enum { N = 5000 };

static struct reclaim *r;
static struct state *s;
static struct arena *a;

static int setup(void **state)
{
    (void)state;
    r = reclaim_new();
    reclaim_enter(r);
    s = state_new(r);
    a = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    state_free(s);
    reclaim_leave(r);
    reclaim_free(r);
    arena_free(a);
    return 0;
}

static struct str id_of(uint32_t i)
{
    return arena_printf(a, "urn:e:%u", i);
}

static const struct doc *doc_of(uint32_t i, uint64_t seq)
{
    struct entity e = {.id = id_of(i), .created_at = TIME_NONE, .modified_at = TIME_NONE, .expires_at = TIME_NONE};
    struct doc *d = arena_alloc(a, doc_size(&e));
    doc_encode(&e, d);
    doc_set_seq(d, seq);
    return d;
}

static const struct doc *find(uint32_t i, uint32_t *slot)
{
    return state_find(s, id_of(i), hash_str(id_of(i)), slot);
}

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(state_slots(s) + state_count(s), 0);
    assert_null(find(1, NULL));
}

static void test_slots_in_order_of_insertion(void **state)
{
    (void)state;
    uint32_t slot;
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(state_insert(s, doc_of(i, i + 1), hash_str(id_of(i))), i);
    assert_int_equal(state_count(s), N);
    for (uint32_t i = 0; i < N; i++) {
        const struct doc *d = find(i, &slot);
        assert_int_equal(slot, i);
        assert_ptr_equal(d, state_at(s, i));
        assert_int_equal(doc_seq(d), i + 1);
    }
    assert_null(find(N, NULL));
}

static void test_removed_slots_are_holes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N; i++)
        state_insert(s, doc_of(i, i + 1), hash_str(id_of(i)));
    for (uint32_t i = 0; i < N; i += 2)
        state_remove(s, i, hash_str(id_of(i)));
    assert_int_equal(state_count(s), N / 2);
    assert_int_equal(state_slots(s), N);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(find(i, NULL) != NULL, i % 2);
        assert_int_equal(state_at(s, i) != NULL, i % 2);
    }
    uint32_t slot;
    assert_int_equal(state_insert(s, doc_of(4, N + 1), hash_str(id_of(4))), N); /* never given twice */
    assert_non_null(find(4, &slot));
    assert_int_equal(slot, N);
}

static void test_versions_are_replaced_in_place(void **state)
{
    (void)state;
    uint32_t slot = state_insert(s, doc_of(1, 1), hash_str(id_of(1)));
    state_replace(s, slot, doc_of(1, 9));
    assert_int_equal(doc_seq(find(1, NULL)), 9);
    assert_int_equal(state_count(s), 1);
    assert_true(state_bytes(s) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_slots_in_order_of_insertion),
        TEST(test_removed_slots_are_holes),
        TEST(test_versions_are_replaced_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
