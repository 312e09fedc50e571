/* Sets of slots, beside an array of flags. */
#include "fixture.h"

#include "store/embedded/bitmap.h"

enum { N = 70000, STEP = 3 }; /* more than one of CRoaring's containers */

static bool flags[N];

static struct bitmap *every(uint32_t step)
{
    struct bitmap *b = bitmap_new();
    for (uint32_t i = 0; i < N; i += step)
        bitmap_add(b, i);
    return b;
}

static void test_members(void **state)
{
    (void)state;
    struct bitmap *b = bitmap_new();
    uint64_t count = 0;
    for (uint32_t i = 0, slot = 1; i < 50000; i++, slot = (slot * 48271u + 11) % N) {
        if (i % 3) {
            bitmap_add(b, slot);
            count += !flags[slot];
        } else {
            bitmap_remove(b, slot);
            count -= flags[slot];
        }
        flags[slot] = i % 3 != 0;
    }
    assert_int_equal(bitmap_count(b), count);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(bitmap_has(b, i), flags[i]);
    bitmap_free(b);
}

static void test_many_members_at_once(void **state)
{
    (void)state;
    struct bitmap *ones = every(1), *b = bitmap_new();
    static uint32_t slots[N];
    for (uint32_t i = 0; i < N; i++)
        slots[i] = N - 1 - i;
    bitmap_add_many(b, slots, 0);
    assert_int_equal(bitmap_count(b), 0);
    bitmap_add_many(b, slots, N);
    bitmap_add_many(b, slots + 10, 10);
    assert_true(bitmap_equal(ones, b));
    bitmap_free(ones);
    bitmap_free(b);
}

static void test_ranks_and_reading(void **state)
{
    (void)state;
    struct bitmap *b = every(STEP);
    uint32_t slot, slots[4];
    assert_int_equal(bitmap_rank(b, 0), 0);
    assert_int_equal(bitmap_rank(b, 3001), 1001);
    assert_true(bitmap_select(b, 20000, &slot));
    assert_int_equal(slot, 60000);
    assert_false(bitmap_select(b, bitmap_count(b), &slot));
    assert_int_equal(bitmap_read(b, 65535, slots, 4), 4);
    assert_int_equal(slots[0], 65535);
    assert_int_equal(slots[3], 65544);
    assert_int_equal(bitmap_read(b, N - 1, slots, 4), (N - 1) % STEP == 0);
    bitmap_free(b);
}

static void test_combinations(void **state)
{
    (void)state;
    struct bitmap *twos = every(2), *threes = every(3), *sixes = every(6);
    struct bitmap *both = bitmap_and(twos, threes), *rest = bitmap_without(twos, sixes);
    assert_true(bitmap_equal(both, sixes));
    assert_int_equal(bitmap_and_count(twos, threes), bitmap_count(sixes));
    assert_int_equal(bitmap_count(rest), bitmap_count(twos) - bitmap_count(sixes));
    assert_false(bitmap_has(rest, 12));
    bitmap_add_all(rest, sixes);
    assert_true(bitmap_equal(rest, twos));
    struct bitmap *copy = bitmap_copy(twos);
    bitmap_remove(copy, 2);
    assert_true(bitmap_has(twos, 2));
    assert_false(bitmap_equal(copy, twos));
    struct bitmap *all[] = {twos, threes, sixes, both, rest, copy};
    for (int i = 0; i < 6; i++)
        bitmap_free(all[i]);
}

static void test_made_of_slots_in_any_order(void **state)
{
    (void)state;
    struct bitmap *b = bitmap_of((uint32_t[]){9, 2, 9, 70000}, 4);
    assert_int_equal(bitmap_count(b), 3);
    assert_true(bitmap_has(b, 2) && bitmap_has(b, 9) && bitmap_has(b, 70000));
    assert_true(bitmap_bytes(b) > 0);
    bitmap_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_many_members_at_once),
        cmocka_unit_test(test_ranks_and_reading),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_made_of_slots_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
