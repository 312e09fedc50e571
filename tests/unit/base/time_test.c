/* Times: the strict form of clause 4.6.3, the lenient one, the calendar. */
#include "test.h"

#include "base/time.h"

#include <stdio.h>
#include <time.h>

static int64_t at(const char *text)
{
    int64_t us;
    if (!time_parse(str_of(text), &us))
        fail_msg("%s is refused", text);
    return us;
}

static void gives(int64_t us, const char *expected)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format(us, text);
    assert_int_equal(n, strlen(text));
    assert_string_equal(text, expected);
}

static void reads_the_strict_form(void **state)
{
    (void)state;
    assert_true(at("1970-01-01T00:00:00Z") == 0);
    assert_true(at("2020-01-31T23:59:59Z") == 1580515199000000);
    assert_true(at("1969-12-31T23:59:59.999999Z") == -1);
    assert_true(at("2020-02-29T00:00:00Z") == 1582934400000000);
    assert_true(at("2000-02-29T00:00:00.5Z") == 951782400500000);
    assert_true(at("2000-02-29T00:00:00,25Z") == 951782400250000);
    assert_true(at("2000-02-29T00:00:00.000001Z") == 951782400000001);
    assert_true(at("0000-01-01T00:00:00Z") == -62167219200000000);
    assert_true(at("9999-12-31T23:59:59.999999Z") == 253402300799999999);
}

static void refuses_all_other_forms(void **state)
{
    (void)state;
    const char *bad[] = {
        "",
        "2020-01-31",
        "2020-01-31T23:59:59",
        "2020-01-31T23:59Z",
        "2020-01-31 23:59:59Z",
        "2020-01-31t23:59:59Z",
        "2020-01-31T23:59:59z",
        "2020-01-31T23:59:59+00:00",
        "2020-01-31T23:59:59.Z",
        "2020-01-31T23:59:59.1234567Z",
        "2020-01-31T24:00:00Z",
        "2020-01-31T23:60:00Z",
        "2020-01-31T23:59:60Z",
        "2020-00-31T23:59:59Z",
        "2020-13-31T23:59:59Z",
        "2020-04-31T23:59:59Z",
        "2020-01-00T23:59:59Z",
        "2019-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "20200131T235959Z",
        "2020-1-31T23:59:59Z",
        "+2020-01-31T23:59:59Z",
        "2020-01-31T23:59:59Z ",
        " 2020-01-31T23:59:59Z",
        "2020-01-31T-1:59:59Z",
    };
    int64_t us;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (time_parse(str_of(bad[i]), &us))
            fail_msg("%s is taken", bad[i]);
}

static void formats_zero_three_or_six_digits(void **state)
{
    (void)state;
    gives(0, "1970-01-01T00:00:00Z");
    gives(-1, "1969-12-31T23:59:59.999999Z");
    gives(1580515199500000, "2020-01-31T23:59:59.500Z");
    gives(1580515199000010, "2020-01-31T23:59:59.000010Z");
    gives(INT64_MIN, "0000-01-01T00:00:00Z");
    gives(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

/* The C library's gmtime is the second opinion, over all the years it shares. */
static void agrees_with_gmtime(void **state)
{
    (void)state;
    uint64_t seed = 11;
    const int64_t first = -62167219200, range = 253402300800 + 62167219200;
    for (int i = 0; i < 100000; i++) {
        time_t s = (time_t)(first + (int64_t)(test_random(&seed) % (uint64_t)range));
        struct tm tm;
        char expected[64], text[TIME_TEXT_MAX];
        gmtime_r(&s, &tm);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        time_format((int64_t)s * 1000000, text);
        assert_string_equal(text, expected);
        assert_true(at(text) == (int64_t)s * 1000000);
    }
}

static void lenient_takes_zones_and_spaces(void **state)
{
    (void)state;
    const int64_t expected = at("2020-01-31T22:00:00Z");
    const char *good[] = {"2020-01-31T22:00:00Z",      "2020-01-31 22:00:00Z",
                          "2020-02-01T00:00:00+02:00", "2020-01-31T20:30:00-0130",
                          "2020-02-01T06:00:00",       "2020-02-01 06:00:00.000"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t us;
        assert_true(time_parse_lenient(str_of(good[i]), 8 * 60, &us));
        assert_true(us == expected);
    }
    const char *bad[] = {"2020-02-01T00:00:00+2",
                         "2020-02-01T00:00:00 +02:00",
                         "2020-02-01T00:00:00+24:00",
                         "2020-02-01T00:00:00+02:60",
                         "2020-02-01",
                         "2020-02-01X00:00:00",
                         "0000-01-01T00:00:00+00:01",
                         "9999-12-31T23:59:59-00:01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t us;
        assert_false(time_parse_lenient(str_of(bad[i]), 0, &us));
    }
}

static void reads_dates_and_clocks(void **state)
{
    (void)state;
    int64_t us;
    assert_true(time_parse_date(STR("2020-01-31"), &us) && us == 1580428800000000);
    assert_false(time_parse_date(STR("2020-01-31Z"), &us));
    assert_false(time_parse_date(STR("2020-02-30"), &us));
    assert_true(time_parse_clock(STR("23:59:59.5Z"), &us) && us == 86399500000);
    assert_true(time_parse_clock(STR("00:00:00Z"), &us) && us == 0);
    assert_false(time_parse_clock(STR("23:59:59"), &us));
    assert_false(time_parse_clock(STR("24:00:00Z"), &us));
}

static void adds_by_the_calendar(void **state)
{
    (void)state;
    const struct {
        const char *from;
        struct duration d;
        int64_t times;
        const char *to;
    } cases[] = {
        {"2020-01-31T12:00:00Z", {1, 0}, 1, "2020-02-29T12:00:00Z"},
        {"2020-01-31T12:00:00Z", {1, 0}, 2, "2020-03-31T12:00:00Z"},
        {"2020-01-31T12:00:00Z", {1, 0}, -2, "2019-11-30T12:00:00Z"},
        {"2020-02-29T00:00:00Z", {12, 0}, 1, "2021-02-28T00:00:00Z"},
        {"2020-02-29T00:00:00Z", {12, 0}, 4, "2024-02-29T00:00:00Z"},
        {"2020-12-31T23:59:59Z", {0, 1000000}, 1, "2021-01-01T00:00:00Z"},
        {"1970-01-01T00:00:00Z", {0, 1000000}, -1, "1969-12-31T23:59:59Z"},
        {"2020-01-30T23:00:00Z", {1, 3600000000}, 1, "2020-03-01T00:00:00Z"},
        {"2020-01-01T00:00:00Z", {INT64_MAX, 0}, 3, "9999-12-31T23:59:59.999999Z"},
        {"2020-01-01T00:00:00Z", {0, INT64_MAX}, INT64_MIN, "0000-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        gives(time_add(at(cases[i].from), cases[i].d, cases[i].times), cases[i].to);
}

static void clocks_advance(void **state)
{
    (void)state;
    int64_t first = time_monotonic();
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
    assert_true(time_monotonic() - first >= 2000);
    assert_true(clock_system.now_us(&clock_system) > at("2024-01-01T00:00:00Z"));
    assert_true(time_now() > at("2024-01-01T00:00:00Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_strict_form),
        cmocka_unit_test(refuses_all_other_forms),
        cmocka_unit_test(formats_zero_three_or_six_digits),
        cmocka_unit_test(agrees_with_gmtime),
        cmocka_unit_test(lenient_takes_zones_and_spaces),
        cmocka_unit_test(reads_dates_and_clocks),
        cmocka_unit_test(adds_by_the_calendar),
        cmocka_unit_test(clocks_advance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
