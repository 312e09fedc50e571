/* Doubles as text: the shortest, exact both ways, by the grammar of JSON. */
#include "test.h"

#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void formats_as(double d, const char *expected)
{
    char text[NUMBER_TEXT_MAX];
    assert_str(((struct str){text, number_format(d, text)}), expected);
}

static void formats_the_shortest(void **state)
{
    (void)state;
    formats_as(25, "25");
    formats_as(0.1, "0.1");
    formats_as(1e22, "1e+22");
    formats_as(0, "0");
    formats_as(-0.0, "-0.0");
    formats_as(-2.5, "-2.5");
    formats_as(100000, "100000");
    formats_as(999999999999999, "999999999999999");
    formats_as(1e15, "1e+15");
    formats_as(1.0 / 3, "0.3333333333333333");
    formats_as(DBL_MAX, "1.7976931348623157e+308");
    formats_as(DBL_TRUE_MIN, "5e-324");
}

static void reads_back_bit_equal(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = test_random(&seed);
        if (i % 3 == 0) /* near whole numbers too */
            bits = (bits & 0x800FFFFFFFFFFFFFULL) | (1023 + (bits >> 52) % 70) << 52;
        double d, again;
        char text[NUMBER_TEXT_MAX];
        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d))
            continue;
        struct str s = {text, number_format(d, text)};
        if (!number_parse(s, &again) || memcmp(&d, &again, sizeof d) != 0)
            fail_msg("%a became %.*s", d, STR_ARG(s));
    }
}

static void length_follows_the_grammar(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t n;
    } cases[] = {
        {"0", 1},    {"-0", 2}, {"01", 1},  {"-", 0},    {"", 0},         {"1.", 1},
        {"1.5", 3},  {".5", 0}, {"1e", 1},  {"1e+", 1},  {"1e+5", 4},     {"1E-05x", 5},
        {"1.e5", 1}, {"+1", 0}, {"Inf", 0}, {"12,3", 2}, {"-12.50e3", 8}, {"0x10", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(number_length(str_of(cases[i].text)), cases[i].n);
}

static void parses_whole_numbers_only(void **state)
{
    (void)state;
    double d;
    const char *bad[] = {"", " 1", "1 ", "01", "nan", "inf", "1e400", "-1e400", "0x1p3", "1_0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_parse(str_of(bad[i]), &d));
    assert_true(number_parse(STR("1e-400"), &d) && d == 0);
    assert_true(number_parse(STR("123456789012345678901234567890"), &d));
    assert_true(d == 123456789012345678901234567890.0);
}

/* strtod of the C library is the second opinion. */
static void agrees_with_strtod(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 50000; i++) {
        char text[64];
        double d;
        int n = snprintf(text, sizeof text, "%lld.%llue%d", (long long)test_random(&seed) >> 8,
                         (unsigned long long)test_random(&seed) >> 20,
                         (int)(test_random(&seed) % 600) - 300);
        bool ok = number_parse((struct str){text, (size_t)n}, &d);
        double expected = strtod(text, NULL);
        if (ok != isfinite(expected) || (ok && d != expected))
            fail_msg("%s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_the_shortest),       cmocka_unit_test(reads_back_bit_equal),
        cmocka_unit_test(length_follows_the_grammar), cmocka_unit_test(parses_whole_numbers_only),
        cmocka_unit_test(agrees_with_strtod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
