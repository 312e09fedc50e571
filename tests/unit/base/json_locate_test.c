/* The explaining reader alone: places and kinds of faults. */
#include "test.h"

#include "base/json_locate.h"

static void accepts_json(void **state)
{
    (void)state;
    const char *good[] = {"0",       " [ ] ",  "{\"a\":[{},[],\"\\uD83D\\uDE00\"]}",
                          "-0.0e-0", "1e-400", "\"\x7F\"",
                          "[[[]]]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (json_locate(str_of(good[i]), 3).fault != JSON_FAULT_NONE)
            fail_msg("%s", good[i]);
}

static void tells_the_kinds_apart(void **state)
{
    (void)state;
    assert_int_equal(json_locate(STR(""), 3).fault, JSON_FAULT_EMPTY);
    assert_int_equal(json_locate(STR("[[[[]]]]"), 3).fault, JSON_FAULT_DEPTH);
    assert_int_equal(json_locate(STR("[[[]]]"), 3).fault, JSON_FAULT_NONE);
    assert_int_equal(json_locate(STR("\"\xC3(\""), 3).fault, JSON_FAULT_UTF8);
    assert_int_equal(json_locate(STR("1e999"), 3).fault, JSON_FAULT_NUMBER);
    assert_int_equal(json_locate(STR("1 1"), 3).fault, JSON_FAULT_SYNTAX);
}

static void columns_count_characters(void **state)
{
    (void)state;
    struct json_place p = json_locate(STR("[\n\"\xE6\xB5\x8E\xE5\x8D\x97\" x]"), 3);
    assert_int_equal(p.offset, 11);
    assert_int_equal(p.line, 2);
    assert_int_equal(p.column, 6);
}

static void levels_alternate_beyond_one_byte_of_bits(void **state)
{
    (void)state;
    struct str good = STR("[{\"a\":[[{\"b\":[[[{\"c\":[{}]}]]]}]]}]");
    assert_int_equal(json_locate(good, 20).fault, JSON_FAULT_NONE);
    struct str bad = STR("[{\"a\":[[{\"b\":[[[{\"c\":[{}]]]]]}]]}]");
    struct json_place p = json_locate(bad, 20);
    assert_string_equal(p.text, "expected ',' or '}'");
    assert_int_equal(p.offset, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_json),
        cmocka_unit_test(tells_the_kinds_apart),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(levels_alternate_beyond_one_byte_of_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
