/* What the tests of this folder share: cmocka with what it needs, and strings. */
#ifndef TESTS_SENSE_CHECK_H
#define TESTS_SENSE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#include <stdio.h>

#define assert_str(s, literal) assert_str_at((s), (literal), __FILE__, __LINE__)

static inline void assert_str_at(struct str s, const char *expected, const char *file, int line)
{
    if (!str_eq(s, str_of(expected))) {
        print_error("\"%.*s\" is not \"%s\"\n", STR_ARG(s), expected);
        _fail(file, line);
    }
}

#endif
