/* Names that come and go, while all are looked at. */
#include "broker/named.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { THINGS = 1000 };

struct thing {
    struct named named;
    char name[16];
    bool seen;
};

static void all_are_found_and_removed(void **state)
{
    static struct thing things[THINGS];
    struct named_table t = {0};
    (void)state;
    assert_null(named_first(&t));
    assert_null(named_find(&t, STR("0")));
    for (int i = 0; i < THINGS; i++) {
        snprintf(things[i].name, sizeof things[i].name, "%d", i);
        named_add(&t, &things[i].named, str_of(things[i].name));
    }
    for (int i = 0; i < THINGS; i++)
        assert_ptr_equal(named_find(&t, str_of(things[i].name)), &things[i].named);
    assert_null(named_find(&t, STR("x")));
    uint32_t seen = 0;
    for (struct named *n = named_first(&t), *next; n; n = next, seen++) {
        struct thing *thing = (struct thing *)n;
        next = named_next(&t, n);
        assert_false(thing->seen);
        thing->seen = true;
        if (seen % 2)
            named_remove(&t, n);
    }
    assert_int_equal(seen, THINGS);
    assert_int_equal(t.count, THINGS / 2);
    for (struct named *n; (n = named_first(&t));)
        named_remove(&t, n);
    assert_int_equal(t.count, 0);
    named_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_found_and_removed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
