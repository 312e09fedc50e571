/* Bounds on what edits may make of an entity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/growth.h"

static const struct growth_limits LIMITS = {
    .bytes_max = 1000, .attrs_max = 4, .types_max = 2, .scopes_max = 2};

static enum status check(const struct entity *old, size_t old_bytes, const struct entity *next,
                         size_t next_bytes, const char *limit)
{
    struct why why = {0};
    enum status st = growth_check(&LIMITS, old, old_bytes, next, next_bytes, &why);
    assert_string_equal(why.limit, limit);
    return st;
}

static void test_bytes(void **state)
{
    (void)state;
    struct entity e = {0};
    assert_int_equal(check(NULL, 0, &e, 1000, ""), OK);
    assert_int_equal(check(NULL, 0, &e, 1001, "limits.entity_bytes"), E_TOO_LARGE);
    assert_int_equal(check(&e, 1500, &e, 1500, ""), OK); /* the bound was lowered */
    assert_int_equal(check(&e, 1500, &e, 1501, "limits.entity_bytes"), E_TOO_LARGE);
}

static void test_types_and_scopes(void **state)
{
    (void)state;
    struct entity two = {.type_count = 2, .scope_count = 2}, types = {.type_count = 3},
                  scopes = {.scope_count = 3};
    assert_int_equal(check(NULL, 0, &two, 100, ""), OK);
    assert_int_equal(check(&two, 90, &types, 100, "limits.types"), E_LIMIT);
    assert_int_equal(check(&two, 90, &scopes, 100, "limits.scopes"), E_LIMIT);
    assert_int_equal(check(&types, 90, &types, 100, ""), OK);
}

static void test_attributes_at_any_depth(void **state)
{
    (void)state;
    struct attr deepest[2] = {{.term = 1}, {.term = 2}},
                deep = {.sub_count = 2, .subs = deepest}, top[2] = {{.sub_count = 1, .subs = &deep}};
    struct entity four = {.attr_count = 1, .attrs = top}, five = {.attr_count = 2, .attrs = top};
    assert_int_equal(check(NULL, 0, &four, 100, ""), OK);
    assert_int_equal(check(&four, 90, &five, 100, "limits.attributes"), E_LIMIT);
    assert_int_equal(check(NULL, 0, &five, 100, "limits.attributes"), E_LIMIT);
    assert_int_equal(check(&five, 90, &five, 100, ""), OK);
}

static void test_no_bounds(void **state)
{
    (void)state;
    struct growth_limits none = {0};
    struct entity e = {.type_count = 9, .scope_count = 9};
    struct why why = {0};
    assert_int_equal(growth_check(&none, NULL, 0, &e, SIZE_MAX, &why), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_types_and_scopes),
        cmocka_unit_test(test_attributes_at_any_depth),
        cmocka_unit_test(test_no_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
