/* The small map from terms to pointers. */
#include "fixture.h"

#include "store/embedded/term_map.h"

static void test_empty(void **state)
{
    (void)state;
    struct term_map m = {0};
    assert_null(term_map_find(&m, 1));
    term_map_free(&m);
}

static void test_many(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char values[N];
    struct term_map m = {0};
    for (uint32_t i = 0; i < N; i++) {
        void **at = term_map_at(&m, 1 + i * 7);
        assert_null(*at);
        *at = &values[i];
    }
    assert_int_equal(m.count, N);
    for (uint32_t i = 0; i < N; i++) {
        assert_ptr_equal(*term_map_find(&m, 1 + i * 7), &values[i]);
        assert_ptr_equal(*term_map_at(&m, 1 + i * 7), &values[i]);
        assert_null(term_map_find(&m, 2 + i * 7));
    }
    assert_int_equal(m.count, N);
    term_map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty), cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
