/* The shim over std::to_chars and std::from_chars, which are the exact and fast
 * conversions that C17 lacks. Nothing here throws. */
extern "C" {
#include "base/arena.h"
#include "base/number.h"
}

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

/* Numbers of up to six decimals, as sensors send them, at a third of to_chars' cost.
 * m / 1e6 is the double nearest to that decimal (both exact, one rounding), and a
 * decimal of at most 15 digits that gives d is the only one, so the shortest.
 * Returns 0 when d is no such number. */
static size_t format_decimal(double d, char *out)
{
    const double scale = 1e6, size_min = 1e-3, size_max = 1e9; /* below, "1e-04" is shorter */
    double size = std::fabs(d);
    if (!(size >= size_min && size < size_max))
        return 0;
    uint64_t m = static_cast<uint64_t>(size * scale + 0.5);
    if (static_cast<double>(m) / scale != size)
        return 0;
    char *p = out;
    if (d < 0)
        *p++ = '-';
    p = std::to_chars(p, p + NUMBER_TEXT_MAX - 1, m / 1000000).ptr;
    uint32_t fraction = static_cast<uint32_t>(m % 1000000), digits = 6;
    if (fraction == 0)
        return static_cast<size_t>(p - out);
    for (; fraction % 10 == 0; digits--)
        fraction /= 10;
    *p++ = '.';
    for (uint32_t i = digits; i-- > 0; fraction /= 10)
        p[i] = static_cast<char>('0' + fraction % 10);
    return static_cast<size_t>(p + digits - out);
}

size_t number_format(double d, char out[NUMBER_TEXT_MAX])
{
    /* to_chars prefers "1e+06"; whole numbers of up to 15 digits read better plain. */
    const double plain_max = 1e15;
    char *end = out + NUMBER_TEXT_MAX;
    size_t decimal = format_decimal(d, out);
    if (decimal)
        return decimal;
    if (d > -plain_max && d < plain_max) {
        int64_t whole = static_cast<int64_t>(d);
        if (static_cast<double>(whole) == d && (whole != 0 || !std::signbit(d)))
            return static_cast<size_t>(std::to_chars(out, end, whole).ptr - out);
    }
    char *stop = std::to_chars(out, end, d).ptr;
    if (d == 0) { /* "-0" alone would read back as the integer 0 */
        *stop++ = '.';
        *stop++ = '0';
    }
    return static_cast<size_t>(stop - out);
}

/* from_chars calls both ends of the range an error; strtod tells them apart. */
static bool parse_extreme(struct str s, double *out)
{
    char *text = static_cast<char *>(mem_alloc(s.n + 1));
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *out = strtod(text, nullptr);
    free(text);
    return std::isfinite(*out);
}

bool number_parse(struct str s, double *out)
{
    if (s.n == 0 || number_length(s) != s.n)
        return false;
    std::from_chars_result r = std::from_chars(s.p, s.p + s.n, *out);
    if (r.ec == std::errc::result_out_of_range)
        return parse_extreme(s, out);
    return r.ec == std::errc() && r.ptr == s.p + s.n;
}
