/* Reasons: the first one wins, the pointer is escaped and never overflows. */
#include "test.h"

#include "base/status.h"
#include "base/utf8.h"

#include <stdio.h>

static void first_reason_wins(void **state)
{
    (void)state;
    struct why why;
    why_clear(&why);
    assert_int_equal(why_set(&why, E_BAD_DATA, NULL, "first %d", 1), E_BAD_DATA);
    assert_int_equal(why_set(&why, E_NOT_FOUND, NULL, "second"), E_NOT_FOUND);
    assert_int_equal(why.status, E_BAD_DATA);
    assert_string_equal(why.text, "first 1");
    assert_int_equal(why_set(NULL, E_BUSY, NULL, "nobody asks"), E_BUSY);
}

static void pointer_follows_rfc_6901(void **state)
{
    (void)state;
    struct why why;
    struct at root = {NULL, STR("a/b"), 0};
    struct at element = {&root, STR_NONE, 12};
    struct at leaf = {&element, STR("m~n"), 0};
    why_clear(&why);
    why_set(&why, E_BAD_DATA, &leaf, "x");
    assert_string_equal(why.pointer, "/a~1b/12/m~0n");
}

static void pointer_of_any_length_is_cut(void **state)
{
    (void)state;
    char key[600];
    memset(key, '/', sizeof key);
    struct why why;
    for (size_t n = 100; n < sizeof key; n++) {
        struct at up = {NULL, {key, n}, 0};
        struct at at = {&up, STR("tail"), 0};
        why_clear(&why);
        why_set(&why, E_BAD_DATA, &at, "x");
        assert_true(strlen(why.pointer) < sizeof why.pointer);
    }
}

static void what_is_told_is_utf8(void **state)
{
    (void)state;
    struct why why;
    char text[1000];
    why_clear(&why);
    why_set(&why, E_BAD_DATA, NULL, "a\xa0\xa0z\xe5\x9f\x8e%s", "\xe5\x9f");
    assert_string_equal(why.text, "a?z\xe5\x9f\x8e?");
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xe5\x9f\x8e", 4);
    why_clear(&why);
    why_set(&why, E_BAD_DATA, &(struct at){.key = str_of(text)}, "%s", text);
    assert_true(utf8_valid(str_of(why.text)));
    assert_true(utf8_valid(str_of(why.pointer)));
    assert_int_equal(strlen(why.text), 511 / 3 * 3 + 1);
}

static void limits_have_names(void **state)
{
    (void)state;
    struct why why;
    why_clear(&why);
    assert_int_equal(why_limit(&why, E_LIMIT, NULL, "limits.json_depth", "at most %d", 3), E_LIMIT);
    assert_string_equal(why.limit, "limits.json_depth");
    assert_string_equal(why.text, "at most 3");
}

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i <= E_INTERNAL; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(status_name((enum status)i), status_name((enum status)j));
    assert_string_equal(status_name((enum status)9999), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_reason_wins),
        cmocka_unit_test(pointer_follows_rfc_6901),
        cmocka_unit_test(pointer_of_any_length_is_cut),
        cmocka_unit_test(what_is_told_is_utf8),
        cmocka_unit_test(limits_have_names),
        cmocka_unit_test(every_status_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
