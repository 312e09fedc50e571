/* Sizes and durations with units. */
#include "test.h"

#include "base/units.h"

static void reads_sizes(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {
        {"0", 0},
        {"4096", 4096},
        {"64 MiB", 64 << 20},
        {"64MiB", 64 << 20},
        {"1 GB", 1000000000},
        {"2 kB", 2000},
        {"1 TiB", (int64_t)1 << 40},
        {"7 B", 7},
        {"1 GiB", 1 << 30},
        {"3 MB", 3000000},
        {"5 KiB", 5120},
        {"1 TB", 1000000000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t bytes;
        assert_true(units_parse_bytes(str_of(cases[i].text), &bytes));
        assert_true(bytes == cases[i].bytes);
    }
    const char *bad[] = {
        "", "MiB", "-1", "1.5 MiB", "1 mib", "9223372036854775808", "8388608 TiB", "1 M", "1 s"};
    int64_t bytes;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(units_parse_bytes(str_of(bad[i]), &bytes));
}

static void reads_durations(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"0", 0},
        {"5 us", 5},
        {"250 ms", 250000},
        {"30 s", 30000000},
        {"5 min", 300000000},
        {"2 h", 7200000000},
        {"1 d", 86400000000},
        {"30s", 30000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us;
        assert_true(units_parse_duration(str_of(cases[i].text), &us));
        assert_true(us == cases[i].us);
    }
    const char *bad[] = {"", "5", "5 m", "5 sec", "s", "-1 s", "1.5 s", "106751992 d"};
    int64_t us;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(units_parse_duration(str_of(bad[i]), &us));
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    const int64_t values[] = {0,       1,          999,         1000,     1024,     1500,
                              1 << 20, 3600000000, 86400000000, 90000000, INT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct buf b;
        int64_t again = -1;
        buf_init(&b, 100);
        units_write_bytes(&b, values[i]);
        assert_true(units_parse_bytes(buf_view(&b), &again) && again == values[i]);
        buf_clear(&b);
        units_write_duration(&b, values[i]);
        assert_true(units_parse_duration(buf_view(&b), &again) && again == values[i]);
        buf_free(&b);
    }
}

static void writes_the_largest_whole_unit(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    units_write_bytes(&b, 64 << 20);
    buf_char(&b, ' ');
    units_write_bytes(&b, 3000);
    buf_char(&b, ' ');
    units_write_duration(&b, 90000000);
    buf_char(&b, ' ');
    units_write_duration(&b, 300000000);
    assert_str(buf_view(&b), "64 MiB 3 kB 90 s 5 min");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(writes_the_largest_whole_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
