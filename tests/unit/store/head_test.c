/* The newest changes on their way. */
#include "fixture.h"

#include "base/hash.h"
#include "store/embedded/commit.h"

#include <stdio.h>
#include <stdlib.h>

enum { N = 2000 };

static struct heads heads;
static struct pending *changes[2][N];
static int tenants[2]; /* only their addresses are looked at */

static struct tenant *tenant(int i)
{
    return (struct tenant *)(void *)&tenants[i];
}

static struct str key_of(uint32_t i)
{
    static char text[32];
    snprintf(text, sizeof text, "urn:e:%u", i);
    return str_of(text);
}

static struct pending *change_of(uint32_t i, int t)
{
    struct pending *p = pending_new(RECORD_ENTITY_DELETE, 0, key_of(i));
    p->tenant = tenant(t);
    p->hash = hash_str(p->key);
    return p;
}

static struct pending *find(uint32_t i, int t, uint8_t kind)
{
    return heads_find(&heads, tenant(t), kind, key_of(i), hash_str(key_of(i)));
}

static int setup(void **state)
{
    (void)state;
    heads_init(&heads);
    for (uint32_t i = 0; i < N; i++)
        for (int t = 0; t < 2; t++)
            changes[t][i] = change_of(i, t);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    heads_free(&heads);
    for (uint32_t i = 0; i < N; i++)
        for (int t = 0; t < 2; t++)
            free(changes[t][i]);
    return 0;
}

static void test_found_by_tenant_kind_and_key(void **state)
{
    (void)state;
    assert_null(find(1, 0, 0));
    for (uint32_t i = 0; i < N; i++)
        heads_set(&heads, changes[0][i]);
    heads_set(&heads, changes[1][7]);
    for (uint32_t i = 0; i < N; i++)
        assert_ptr_equal(find(i, 0, 0), changes[0][i]);
    assert_ptr_equal(find(7, 1, 0), changes[1][7]);
    assert_null(find(8, 1, 0));
    assert_null(find(7, 0, STORE_CONTEXT));
    assert_null(find(N, 0, 0));
}

static void test_only_the_newest_counts(void **state)
{
    (void)state;
    struct pending *later = change_of(3, 0);
    heads_set(&heads, changes[0][3]);
    heads_set(&heads, later);
    assert_ptr_equal(find(3, 0, 0), later);
    heads_drop(&heads, changes[0][3]); /* committed; the later one is not */
    assert_ptr_equal(find(3, 0, 0), later);
    heads_drop(&heads, later);
    assert_null(find(3, 0, 0));
    free(later);
}

static void test_all_go(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N; i++)
        heads_set(&heads, changes[0][i]);
    heads_clear(&heads);
    for (uint32_t i = 0; i < N; i++)
        assert_null(find(i, 0, 0));
    heads_set(&heads, changes[0][5]);
    assert_ptr_equal(find(5, 0, 0), changes[0][5]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_found_by_tenant_kind_and_key),
        TEST(test_only_the_newest_counts),
        TEST(test_all_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
