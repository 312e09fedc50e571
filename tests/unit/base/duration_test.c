/* ISO 8601 durations: which forms are taken, and their size. */
#include "test.h"

#include "base/time.h"

static void reads(const char *text, int64_t months, int64_t us)
{
    struct duration d = {-1, -1};
    if (!duration_parse(str_of(text), &d))
        fail_msg("%s is refused", text);
    if (d.months != months || d.us != us)
        fail_msg("%s is %lld months and %lld us", text, (long long)d.months, (long long)d.us);
}

static void reads_the_parts(void **state)
{
    (void)state;
    const int64_t s = 1000000, day = 86400 * s;
    reads("P1Y", 12, 0);
    reads("P2M", 2, 0);
    reads("P1W", 0, 7 * day);
    reads("P3D", 0, 3 * day);
    reads("PT4H", 0, 4 * 3600 * s);
    reads("PT5M", 0, 300 * s);
    reads("PT6.7S", 0, 6700000);
    reads("PT6,000001S", 0, 6000001);
    reads("P1Y2M3DT4H5M6.7S", 14, 3 * day + 4 * 3600 * s + 5 * 60 * s + 6700000);
    reads("PT0S", 0, 0);
    reads("PT0.5H", 0, 1800 * s);
    reads("P0.5D", 0, day / 2);
    reads("P1M1DT1M", 1, day + 60 * s);
    reads("PT36H", 0, 36 * 3600 * s);
}

static void refuses_everything_else(void **state)
{
    (void)state;
    const char *bad[] = {
        "",
        "P",
        "PT",
        "P1",
        "1D",
        "P1DT",
        "P-1D",
        "-P1D",
        "P1H",
        "PT1D",
        "PT1Y",
        "P1D1Y",
        "P1Y1Y",
        "PT1S1M",
        "P0.5Y",
        "P0.5M",
        "PT1.5M3S",
        "PT.5S",
        "PT5.S",
        "PT1TS",
        "p1d",
        "P1 D",
        "P1D ",
        "P1DT1",
        "P99999999999999999999D",
        "P9999999999999999D",
        "PT1.0000000001S",
        "PTT1S",
    };
    struct duration d;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (duration_parse(str_of(bad[i]), &d))
            fail_msg("%s is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_parts),
        cmocka_unit_test(refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
