/* The few string functions that are more than a line. */
#include "base/str.h"

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t str_find(struct str s, struct str part)
{
    if (part.n == 0)
        return 0;
    const char *hit = s.n ? memmem(s.p, s.n, part.p, part.n) : NULL;
    return hit ? (size_t)(hit - s.p) : STR_NPOS;
}

bool str_eq_fold(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *part)
{
    if (str_absent(*rest))
        return false;
    size_t at = str_find_char(*rest, sep);
    if (at == STR_NPOS) {
        *part = *rest;
        *rest = STR_NONE;
    } else {
        *part = str_head(*rest, at);
        *rest = str_from(*rest, at + 1);
    }
    return true;
}

bool str_to_u64(struct str s, unsigned long long max, unsigned long long *out)
{
    unsigned long long v = 0;
    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(v, 10ULL, &v) ||
            __builtin_add_overflow(v, (unsigned long long)digit, &v))
            return false;
    }
    if (v > max)
        return false;
    *out = v;
    return true;
}
