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

size_t number_format(double d, char out[NUMBER_TEXT_MAX])
{
    /* to_chars prefers "1e+06"; whole numbers of up to 15 digits read better plain. */
    const double plain_max = 1e15;
    char *end = out + NUMBER_TEXT_MAX;
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
