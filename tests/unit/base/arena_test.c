/* Arenas: alignment, growth in place, the soft maximum, reuse after a reset. */
#include "test.h"

#include "base/arena.h"

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    char *last = NULL;
    for (size_t n = 0; n < 3000; n += 7) {
        char *p = arena_alloc(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0xAB, n);
        assert_ptr_not_equal(p, last);
        last = n ? p : last;
    }
    arena_free(a);
}

static void zalloc_clears_reused_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    memset(arena_alloc(a, 4000), 0xFF, 4000);
    arena_reset(a);
    const char *p = arena_zalloc(a, 4000);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(p[i], 0);
    arena_free(a);
}

static void grow_keeps_the_content(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    unsigned *p = NULL;
    for (unsigned i = 0; i < 10000; i++) {
        p = arena_grow(a, p, i * sizeof *p, (i + 1) * sizeof *p);
        p[i] = i;
        if (i % 1000 == 999)
            arena_alloc(a, 8); /* no longer the last allocation */
    }
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(p[i], i);
    arena_free(a);
}

static void grow_of_the_last_stays_in_place(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    char *p = arena_alloc(a, 16);
    assert_ptr_equal(arena_grow(a, p, 16, 64), p);
    arena_alloc(a, 16);
    assert_ptr_not_equal(arena_grow(a, p, 64, 128), p);
    arena_free(a);
}

static void maximum_is_soft_and_forgotten_by_reset(void **state)
{
    (void)state;
    struct arena *a = arena_new(1000);
    arena_alloc(a, 1000 - 1000 % 16);
    assert_false(arena_over(a));
    arena_alloc(a, 100);
    assert_true(arena_over(a));
    size_t first = arena_held(a);
    assert_true(first > 1100);
    arena_alloc(a, 100000);
    assert_true(arena_held(a) > first + 100000);
    arena_reset(a);
    assert_int_equal(arena_held(a), first); /* the first chunk is kept */
    assert_int_equal(arena_bytes(a), 0);
    assert_false(arena_over(a));
    arena_free(a);
}

static void texts_end_in_nul(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct str s = arena_printf(a, "%d of %s", 7, "nine");
    assert_string_equal(s.p, "7 of nine");
    assert_int_equal(s.n, 9);
    struct str copy = arena_dup(a, str_head(s, 4));
    assert_string_equal(copy.p, "7 of");
    assert_int_equal(arena_dup(a, STR_NONE).n, 0);
    struct str parts[] = {STR("7"), STR_NONE, STR(""), STR(" of"), s};
    assert_string_equal(arena_join(a, parts, 5).p, "7 of7 of nine");
    assert_int_equal(arena_join(a, parts, 5).n, 13);
    assert_string_equal(arena_join(a, parts, 0).p, "");
    arena_free(a);
}

static void rewinding_gives_back_what_came_since(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct arena_mark empty = arena_mark(a);
    size_t nothing = arena_held(a);
    const char *first = arena_dup(a, STR("first")).p;
    struct arena_mark m = arena_mark(a);
    size_t held = arena_held(a), bytes = arena_bytes(a);
    char *next = arena_alloc(a, 16);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(a, 1000), 7, 1000);
    assert_true(arena_held(a) > held + 90000);
    arena_rewind(a, m);
    assert_int_equal(arena_held(a), held);
    assert_int_equal(arena_bytes(a), bytes);
    assert_string_equal(first, "first");
    assert_ptr_equal(arena_alloc(a, 16), next);
    arena_rewind(a, empty);
    assert_int_equal(arena_held(a), nothing);
    assert_non_null(arena_alloc(a, 16));
    arena_free(a);
}

static void small_ones_hold_little(void **state)
{
    (void)state;
    struct arena *a = arena_new_small(), *large = arena_new(0);
    char *first = arena_alloc(a, 100);
    memset(first, 1, 100);
    (void)arena_alloc(large, 100);
    assert_true(arena_held(a) < 1200);
    assert_true(arena_held(large) > 8000);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(a, 100), 2, 100);
    assert_int_equal(first[99], 1);
    arena_free(a);
    arena_free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(zalloc_clears_reused_memory),
        cmocka_unit_test(grow_keeps_the_content),
        cmocka_unit_test(grow_of_the_last_stays_in_place),
        cmocka_unit_test(maximum_is_soft_and_forgotten_by_reset),
        cmocka_unit_test(texts_end_in_nul),
        cmocka_unit_test(rewinding_gives_back_what_came_since),
        cmocka_unit_test(small_ones_hold_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
