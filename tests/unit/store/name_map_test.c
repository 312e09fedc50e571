/* The ordered map of names against a plain array. */
#include "fixture.h"

#include "store/embedded/name_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 3000 };

static char names[KEYS][16];
static bool there[KEYS];
static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20) % n;
}

static void assert_whole(const struct name_map *m)
{
    size_t n = 0;
    struct str last = STR_NONE;
    for (struct name_cursor c = name_map_from(m, STR_NONE, false); name_next(&c); n++) {
        assert_true(str_absent(last) || str_cmp(last, c.key) < 0);
        assert_true(there[*(uint32_t *)c.value]);
        last = c.key;
    }
    size_t expected = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        expected += there[i];
    assert_int_equal(n, expected);
    assert_int_equal(name_map_count(m), expected);
}

static void test_puts_gets_and_removes(void **state_)
{
    (void)state_;
    static uint32_t numbers[KEYS];
    struct name_map *m = name_map_new();
    for (uint32_t i = 0; i < KEYS; i++) {
        numbers[i] = i;
        snprintf(names[i], sizeof names[i], "k%u", i * 7919 % 100003);
    }
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t i = below(KEYS);
        struct str key = str_of(names[i]);
        void *expected = there[i] ? &numbers[i] : NULL;
        assert_ptr_equal(name_map_get(m, key), expected);
        if (below(round < 10000 ? 3 : 2)) {
            assert_ptr_equal(name_map_put(m, key, &numbers[i]), expected);
            there[i] = true;
        } else {
            assert_ptr_equal(name_map_remove(m, key), expected);
            there[i] = false;
        }
        if (round % 1000 == 0)
            assert_whole(m);
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        (void)name_map_remove(m, str_of(names[i]));
        there[i] = false;
    }
    assert_whole(m);
    name_map_free(m);
}

static void test_cursor_starts_at_or_behind_a_name(void **state_)
{
    (void)state_;
    struct name_map *m = name_map_new();
    for (uint32_t i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof names[i], "%04u", i * 2);
        name_map_put(m, str_of(names[i]), names[i]);
    }
    for (uint32_t i = 0; i < 1999; i += 7) {
        char key[16];
        snprintf(key, sizeof key, "%04u", i);
        for (int behind = 0; behind < 2; behind++) {
            struct name_cursor c = name_map_from(m, str_of(key), behind);
            uint32_t expected = i % 2 ? i + 1 : behind ? i + 2 : i;
            if (expected < 2000) {
                assert_true(name_next(&c));
                assert_int_equal(strtoul(c.value, NULL, 10), expected);
            } else {
                assert_false(name_next(&c));
            }
        }
    }
    name_map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_puts_gets_and_removes),
        cmocka_unit_test(test_cursor_starts_at_or_behind_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
