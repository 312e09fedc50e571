/* Why: a CSV file says nothing about its encoding, and one byte of another encoding would make the
 * whole request unreadable; so every row is checked. Overlong forms, surrogates and anything above
 * U+10FFFF are refused, as RFC 3629 demands. */
#include "sense/utf8.h"

#include <stdint.h>

/* Bytes of the sequence that begins at p, or 0 when it is not well-formed. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char lead = p[0], low = 0x80, high = 0xBF;
    size_t n;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        n = 2;
    else if (lead >= 0xE0 && lead <= 0xEF)
        n = 3;
    else if (lead >= 0xF0 && lead <= 0xF4)
        n = 4;
    else
        return 0;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return n;
}

size_t utf8_find_invalid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        uint64_t word;
        if (s.n - i >= sizeof word) {
            memcpy(&word, p + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        size_t n = utf8_sequence(p + i, s.n - i);
        if (n == 0)
            return i;
        i += n;
    }
    return STR_NPOS;
}

struct str utf8_head(struct str s, size_t bytes_max)
{
    size_t n = s.n < bytes_max ? s.n : bytes_max;
    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return (struct str){s.p, n};
}
