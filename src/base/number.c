/* The grammar of a JSON number (RFC 8259 section 6); the conversions are in
 * number_chars.cpp. */
#include "base/number.h"

static size_t digits(struct str s, size_t at)
{
    size_t from = at;
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at - from;
}

size_t number_length(struct str s)
{
    size_t at = s.n && s.p[0] == '-';
    size_t whole = digits(s, at);
    if (whole == 0)
        return 0;
    at += s.p[at] == '0' ? 1 : whole;
    if (at < s.n && s.p[at] == '.') {
        size_t fraction = digits(s, at + 1);
        if (fraction == 0)
            return at;
        at += 1 + fraction;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        size_t sign = at + 1 < s.n && (s.p[at + 1] == '+' || s.p[at + 1] == '-');
        size_t exponent = digits(s, at + 1 + sign);
        if (exponent)
            at += 1 + sign + exponent;
    }
    return at;
}
