/* UTF-8: every code point there and back, and what is not well-formed. */
#include "test.h"

#include "base/utf8.h"

static void every_code_point_is_one_sequence(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char text[4];
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        size_t n = utf8_encode(c, text);
        if (utf8_length((struct str){text, n}) != n ||
            (n > 1 && utf8_length((struct str){text, n - 1}) != 0))
            fail_msg("U+%04X", c);
    }
}

static void refuses_what_is_malformed(void **state)
{
    (void)state;
    const char *bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC3",
        "\xC3(",
        "\xE0\x80\x80",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xE2\x82",
        "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xF0\x9F\x98",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(utf8_length(str_of(bad[i])), 0);
    assert_int_equal(utf8_length(STR_NONE), 0);
}

static void validates_whole_strings(void **state)
{
    (void)state;
    assert_true(utf8_valid(STR("")));
    assert_true(utf8_valid(STR("Gr\xC3\xBC\xC3\x9F"
                               "e \xE6\xB5\x8E\xE5\x8D\x97 \xF0\x9F\x98\x80")));
    assert_false(utf8_valid(STR("ok until \xFF here")));
    assert_false(utf8_valid(STR("cut \xE6\xB5")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_one_sequence),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(validates_whole_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
