/* What every cmocka test of base needs: cmocka wants four headers before its own. */
#ifndef TEST_UNIT_BASE_TEST_H
#define TEST_UNIT_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define assert_str(actual, expected)                                                               \
    do {                                                                                           \
        struct str actual_ = (actual), expected_ = str_of(expected);                               \
        assert_int_equal(actual_.n, expected_.n);                                                  \
        if (expected_.n)                                                                           \
            assert_memory_equal(actual_.p, expected_.p, expected_.n);                              \
    } while (0)

/* A reproducible stream of numbers (xorshift64*); state must not be 0. */
static inline uint64_t test_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DULL;
}

#endif
