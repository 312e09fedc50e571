/* Times, durations, numbers and units from anywhere: what is read is written and
 * read again as the same value. */
#include "fuzz.h"

#include "base/number.h"
#include "base/time.h"
#include "base/units.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

static void check_time(struct str s)
{
    char text[TIME_TEXT_MAX];
    int64_t us, lenient, again;
    bool strict = time_parse(s, &us);
    if (strict) {
        size_t n = time_format(us, text);
        fuzz_require(time_parse((struct str){text, n}, &again) && again == us);
        fuzz_require(time_parse_lenient(s, 60, &lenient) && lenient == us);
    } else if (time_parse_lenient(s, 60, &lenient)) {
        size_t n = time_format(lenient, text);
        fuzz_require(time_parse((struct str){text, n}, &again) && again == lenient);
    }
    if (time_parse_clock(s, &us))
        fuzz_require(us >= 0 && us < 86400000000);
    if (time_parse_date(s, &us))
        fuzz_require(us % 86400000000 == 0);
}

static void check_duration(struct str s)
{
    struct duration d;
    char text[TIME_TEXT_MAX];
    if (!duration_parse(s, &d))
        return;
    fuzz_require(d.months >= 0 && d.us >= 0);
    int64_t later = time_add(1580515199000000, d, 1);
    fuzz_require(later >= 1580515199000000);
    fuzz_require(time_add(1580515199000000, d, -1) <= 1580515199000000);
    fuzz_require(time_format(later, text) >= 20);
}

static void check_number(struct str s)
{
    double d, again;
    size_t n = number_length(s);
    fuzz_require(n <= s.n);
    if (!number_parse(s, &d))
        return;
    fuzz_require(n == s.n && isfinite(d));
    char text[NUMBER_TEXT_MAX];
    fuzz_require(number_parse((struct str){text, number_format(d, text)}, &again));
    fuzz_require(again == d && signbit(again) == signbit(d));
}

static void check_units(struct str s)
{
    struct buf b;
    int64_t v, again;
    buf_init(&b, 100);
    if (units_parse_bytes(s, &v)) {
        units_write_bytes(&b, v);
        fuzz_require(units_parse_bytes(buf_view(&b), &again) && again == v);
    }
    buf_clear(&b);
    if (units_parse_duration(s, &v)) {
        units_write_duration(&b, v);
        fuzz_require(units_parse_duration(buf_view(&b), &again) && again == v);
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = {(const char *)data, size};
    check_time(s);
    check_duration(s);
    check_number(s);
    check_units(s);
    fuzz_require(utf8_length(s) <= size);
    utf8_valid(s);
    return 0;
}
