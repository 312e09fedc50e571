/* Which tenants a write may make. */
#include "broker/provide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int64_t clock_now(struct clock *c)
{
    (void)c;
    return 1000;
}

static bool apply(struct store *s, struct store_apply *a)
{
    (void)s;
    (void)a;
    return true;
}

static bool makes(const char *tenant, enum edit_kind kind)
{
    static const struct store_ops OPS = {.apply = apply};
    struct store store = {&OPS};
    struct clock clock = {clock_now};
    struct broker_ports ports = {.clock = &clock};
    struct broker b = {.store = &store, .ports = &ports};
    struct caller caller = {.tenant = str_of(tenant)};
    struct edit edits[] = {{.kind = EDIT_DELETE}, {.kind = (uint8_t)kind}};
    struct store_apply a = {.caller = &caller, .edits = edits, .count = 2, .create_tenant = true};
    assert_true(provide_edits(&b, &a));
    assert_int_equal(a.now_us, 1000);
    return a.create_tenant;
}

static void creations_make_a_tenant(void **state)
{
    (void)state;
    assert_true(makes("north", EDIT_CREATE));
    assert_true(makes("", EDIT_UPSERT_REPLACE));
    assert_false(makes("north", EDIT_DELETE));
}

/* A snapshot may be deleted between a write's look at it and the write. */
static void no_write_makes_the_tenant_of_a_snapshot(void **state)
{
    (void)state;
    assert_false(makes("/snapshot/0123", EDIT_CREATE));
    assert_false(makes("/snapshot/0123", EDIT_UPSERT_UPDATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(creations_make_a_tenant),
                                       cmocka_unit_test(no_write_makes_the_tenant_of_a_snapshot)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
