/* What options stand for where they leave it to the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/options.h"

#define MIB ((size_t)1 << 20)

static void test_request_memory_follows_the_machine(void **state)
{
    (void)state;
    assert_int_equal(options_request_memory(0, 512 * MIB), 128 * MIB);
    assert_int_equal(options_request_memory(0, 64 * 1024 * MIB), 2048 * MIB);
    assert_int_equal(options_request_memory(4096 * MIB, 512 * MIB), 4096 * MIB); /* who says so gets it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_memory_follows_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
