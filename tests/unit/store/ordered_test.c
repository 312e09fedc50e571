/* The ordered set against a plain sorted array. */
#include "fixture.h"

#include "store/embedded/ordered.h"

#include <stdlib.h>
#include <string.h>

struct pair {
    uint64_t key;
    uint32_t slot;
};

static uint64_t state = 88172645463325252u;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int order(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    return a->key != b->key ? (a->key > b->key) - (a->key < b->key)
                            : (a->slot > b->slot) - (a->slot < b->slot);
}

/* Where it is, or UINT32_MAX. */
static uint32_t find(const struct pair *all, uint32_t n, struct pair p)
{
    for (uint32_t i = 0; i < n; i++)
        if (order(&all[i], &p) == 0)
            return i;
    return UINT32_MAX;
}

static void assert_range(const struct ordered *o, const struct pair *all, uint32_t n, uint64_t low,
                         uint64_t high)
{
    struct ordered_cursor c = ordered_from(o, low, high);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].key < low || all[i].key > high)
            continue;
        assert_true(ordered_next(&c));
        assert_true(c.key == all[i].key && c.slot == all[i].slot);
        count++;
    }
    assert_false(ordered_next(&c));
    uint64_t estimate = ordered_estimate(o, low, high);
    assert_true(estimate <= 2 * count + 256 && count <= 2 * estimate + 256);
    if (count < 256)
        assert_true(estimate <= 512);
}

/* keys_max small: many slots a key. */
static void play(uint64_t keys_max, uint32_t rounds, uint32_t remove_one_in)
{
    struct ordered *o = ordered_new();
    struct pair *all = calloc(rounds, sizeof *all);
    uint32_t n = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        struct pair p = {random_number() % keys_max, (uint32_t)(random_number() % 1000)};
        if (i % 50 == 0)
            p.key = i % 100 ? UINT64_MAX : 0;
        uint32_t at = find(all, n, p);
        if (random_number() % remove_one_in == 0) {
            if (at == UINT32_MAX && n)
                p = all[at = (uint32_t)(random_number() % n)];
            assert_int_equal(ordered_remove(o, p.key, p.slot), at != UINT32_MAX);
            if (at != UINT32_MAX)
                all[at] = all[--n];
        } else {
            assert_int_equal(ordered_add(o, p.key, p.slot), at == UINT32_MAX);
            if (at == UINT32_MAX)
                all[n++] = p;
        }
        assert_int_equal(ordered_count(o), n);
        if (i % 500 == 499) {
            qsort(all, n, sizeof *all, order);
            assert_range(o, all, n, 0, UINT64_MAX);
            uint64_t low = random_number() % keys_max;
            assert_range(o, all, n, low, low + keys_max / 10);
            assert_range(o, all, n, low, low);
        }
    }
    while (n) {
        n--;
        assert_true(ordered_remove(o, all[n].key, all[n].slot));
    }
    assert_int_equal(ordered_count(o), 0);
    assert_range(o, all, 0, 0, UINT64_MAX);
    ordered_free(o);
    free(all);
}

static void test_many_keys(void **state_)
{
    (void)state_;
    play(UINT64_MAX, 6000, 5);
}

static void test_few_keys(void **state_)
{
    (void)state_;
    play(7, 6000, 3);
}

static void test_shrinking(void **state_)
{
    (void)state_;
    play(100000, 6000, 2);
}

static void test_ascending_entries_fill_their_blocks(void **state_)
{
    (void)state_;
    struct ordered *o = ordered_new();
    for (uint32_t i = 0; i < 100000; i++)
        assert_true(ordered_add(o, i, i));
    assert_true(ordered_bytes(o) < 100000 * 14);
    ordered_free(o);
}

/* A set filled at once is the one that additions make, whether something was there or not. */
static void assert_fills(size_t n, uint64_t keys_max, uint32_t there)
{
    struct ordered *filled = ordered_new(), *added = ordered_new();
    struct ordered_pair *pairs = calloc(n + 1, sizeof *pairs);
    for (uint32_t i = 0; i < there; i++) {
        ordered_add(filled, i, 5);
        ordered_add(added, i, 5);
    }
    for (size_t i = 0; i < n; i++) { /* now and then a pair twice */
        pairs[i] = (struct ordered_pair){random_number() % keys_max, (uint32_t)(i / 2)};
        if (i % 10 == 1)
            pairs[i].key = pairs[i - 1].key;
        if (i % 50 < 2)
            pairs[i].key = i % 100 < 50 ? UINT64_MAX : 0;
        ordered_add(added, pairs[i].key, pairs[i].slot);
    }
    ordered_fill(filled, pairs, n);
    assert_int_equal(ordered_count(filled), ordered_count(added));
    struct ordered_cursor x = ordered_from(filled, 0, UINT64_MAX),
                          y = ordered_from(added, 0, UINT64_MAX);
    while (ordered_next(&y))
        assert_true(ordered_next(&x) && x.key == y.key && x.slot == y.slot);
    assert_false(ordered_next(&x));
    for (size_t i = 0; i < n; i++) /* and it goes on as any other */
        assert_int_equal(ordered_remove(filled, pairs[i].key, pairs[i].slot),
                         ordered_remove(added, pairs[i].key, pairs[i].slot));
    assert_int_equal(ordered_count(filled), ordered_count(added));
    ordered_free(filled);
    ordered_free(added);
    free(pairs);
}

static void test_filling(void **state_)
{
    (void)state_;
    const size_t sizes[] = {0, 1, 100, 511, 512, 5000, 70000};
    const uint64_t keys[] = {1, 7, 100000, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            for (uint32_t there = 0; there < 1000; there += 500)
                assert_fills(sizes[i], keys[k], there);
}

static void test_filling_leaves_room(void **state_)
{
    (void)state_;
    struct ordered *o = ordered_new();
    struct ordered_pair pairs[1920];
    for (uint32_t i = 0; i < 1920; i++)
        pairs[i] = (struct ordered_pair){2 * (1919 - i), i};
    ordered_fill(o, pairs, 1920);
    size_t bytes = ordered_bytes(o);
    for (uint32_t i = 0; i < 192; i++)
        assert_true(ordered_add(o, 20 * i + 1, 0));
    assert_int_equal(ordered_bytes(o), bytes);
    ordered_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_few_keys),
        cmocka_unit_test(test_shrinking),
        cmocka_unit_test(test_ascending_entries_fill_their_blocks),
        cmocka_unit_test(test_filling),
        cmocka_unit_test(test_filling_leaves_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
