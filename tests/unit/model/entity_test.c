/* Entity trees: order of instances, looking up, comparing. */
#include "model/entity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct attr attr_of(uint32_t term, const char *dataset)
{
    return (struct attr){
        .term = term,
        .kind = ATTR_PROPERTY,
        .dataset = str_of(dataset),
        .value = {.kind = VALUE_INT, .integer = term},
        .observed_at = TIME_NONE,
        .expires_at = TIME_NONE,
    };
}

static void test_order_is_term_then_dataset(void **state)
{
    (void)state;
    struct attr attrs[] = {attr_of(3, ""), attr_of(2, "urn:b"), attr_of(2, "urn:a:x"),
                           attr_of(2, ""), attr_of(2, "urn:a"), attr_of(1, "urn:z")};
    static const struct {
        uint32_t term;
        const char *dataset;
    } SORTED[] = {{1, "urn:z"}, {2, ""}, {2, "urn:a"}, {2, "urn:a:x"}, {2, "urn:b"}, {3, ""}};
    const struct attr *dup = NULL;
    assert_true(attrs_sort(attrs, 6, &dup));
    assert_null(dup);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(attrs[i].term, SORTED[i].term);
        assert_true(str_eq(attrs[i].dataset, str_of(SORTED[i].dataset)));
    }
    assert_true(attrs_sort(attrs, 0, &dup));
}

static void test_same_instance_twice_is_found(void **state)
{
    (void)state;
    struct attr attrs[] = {attr_of(2, "urn:a"), attr_of(1, ""), attr_of(2, "urn:a")};
    const struct attr *dup = NULL;
    assert_false(attrs_sort(attrs, 3, &dup));
    assert_int_equal(dup->term, 2);
    struct attr sorted[] = {attr_of(1, ""), attr_of(1, "")};
    assert_false(attrs_sort(sorted, 2, &dup));
    assert_ptr_equal(dup, &sorted[1]);
}

static void test_looking_up(void **state)
{
    (void)state;
    struct attr attrs[] = {attr_of(1, ""), attr_of(4, ""), attr_of(4, "urn:a"),
                           attr_of(7, "urn:a")};
    struct entity e = {.attr_count = 4, .attrs = attrs};
    struct attr owner = {.sub_count = 4, .subs = attrs};
    uint32_t count = 99;
    assert_ptr_equal(entity_attr(&e, 4, &count), &attrs[1]);
    assert_int_equal(count, 2);
    assert_ptr_equal(attr_sub(&owner, 7, &count), &attrs[3]);
    assert_int_equal(count, 1);
    for (uint32_t term = 0; term < 9; term++) {
        bool there = term == 1 || term == 4 || term == 7;
        assert_int_equal(entity_attr(&e, term, &count) != NULL, there);
        assert_int_equal(count > 0, there);
        assert_int_equal(entity_attr(&e, term, NULL) != NULL, there);
    }
    assert_ptr_equal(entity_instance(&e, 4, STR("urn:a")), &attrs[2]);
    assert_ptr_equal(entity_instance(&e, 4, STR("")), &attrs[1]);
    assert_null(entity_instance(&e, 4, STR("urn:b")));
    assert_null(entity_instance(&e, 7, STR("")));
    assert_null(entity_instance(&e, 5, STR("")));
    struct entity empty = {0};
    assert_null(entity_attr(&empty, 1, &count));
    assert_int_equal(count, 0);
}

static void test_types(void **state)
{
    (void)state;
    uint32_t types[] = {5, 2};
    struct entity e = {.type_count = 2, .types = types};
    assert_true(entity_has_type(&e, 2) && entity_has_type(&e, 5));
    assert_false(entity_has_type(&e, 3));
}

/* Each change below makes another instance of it; times and sequences of the system do not. */
static void test_same_means_content(void **state)
{
    (void)state;
    struct attr sub = attr_of(9, ""), base = attr_of(1, "");
    base.subs = &sub;
    base.sub_count = 1;
    struct attr same = base, same_sub = sub;
    same.created_at = same.modified_at = 5;
    same.seq = 7;
    same_sub.modified_at = 8;
    same.subs = &same_sub;
    assert_true(attr_same(&base, &same));
    struct attr other[12], other_sub = sub;
    for (int i = 0; i < 12; i++)
        other[i] = base;
    other[0].term = 2;
    other[1].kind = ATTR_RELATIONSHIP;
    other[2].dataset = STR("urn:a");
    other[3].value.integer = 0;
    other[4].value = (struct value){.kind = VALUE_REAL, .real = 1};
    other[5].unit_code = STR("CEL");
    other[6].value_type = STR("urn:t");
    other[7].object_type = STR("\"urn:t\"");
    other[8].observed_at = 0;
    other[9].expires_at = 0;
    other[10].sub_count = 0;
    other_sub.value.integer = 0;
    other[11].subs = &other_sub;
    for (int i = 0; i < 12; i++)
        assert_false(attr_same(&base, &other[i]));
}

static void test_same_values(void **state)
{
    (void)state;
    static const struct value VALUES[] = {
        {.kind = VALUE_BOOL, .boolean = false},
        {.kind = VALUE_BOOL, .boolean = true},
        {.kind = VALUE_INT, .integer = 1},
        {.kind = VALUE_REAL, .real = 1},
        {.kind = VALUE_REAL, .real = 1.5},
        {.kind = VALUE_STRING, .text = {"1", 1}},
        {.kind = VALUE_STRING, .text = {"12", 2}},
        {.kind = VALUE_JSON, .text = {"1", 1}},
        {.kind = VALUE_GEO, .text = {"1", 1}},
        {.kind = VALUE_GEO, .text = {"2", 1}},
        {.kind = VALUE_NONE},
        {.kind = VALUE_NULL},
    };
    enum { COUNT = sizeof VALUES / sizeof *VALUES };
    struct attr a = attr_of(1, ""), b = attr_of(1, "");
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            a.value = VALUES[i];
            b.value = VALUES[k];
            assert_int_equal(attr_same(&a, &b), i == k);
        }
    }
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(attr_kind_name(ATTR_PROPERTY), "Property");
    assert_string_equal(attr_kind_name(ATTR_LIST_RELATIONSHIP), "ListRelationship");
    for (int i = 0; i < ATTR_KIND_COUNT; i++)
        assert_non_null(attr_kind_name((enum attr_kind)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_term_then_dataset),
        cmocka_unit_test(test_same_instance_twice_is_found),
        cmocka_unit_test(test_looking_up),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_same_means_content),
        cmocka_unit_test(test_same_values),
        cmocka_unit_test(test_kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
