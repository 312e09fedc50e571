/* ISO 8601 durations: "P" date parts, then "T" and clock parts, each at most once
 * and in this order. The last part may have a fraction, unless it counts years or
 * months, which have no fixed length. */
#include "base/time.h"

#define US_SECOND ((int64_t)1000000)

struct part {
    char letter;
    bool clock;         /* stands behind the "T" */
    int64_t months, us; /* of one; one of them is 0 */
};

static const struct part PARTS[] = {
    {'Y', false, 12, 0},
    {'M', false, 1, 0},
    {'W', false, 0, 7 * 86400 * US_SECOND},
    {'D', false, 0, 86400 * US_SECOND},
    {'H', true, 0, 3600 * US_SECOND},
    {'M', true, 0, 60 * US_SECOND},
    {'S', true, 0, US_SECOND},
};
enum { PARTS_N = sizeof PARTS / sizeof *PARTS, FRACTION_DIGITS_MAX = 9 };

struct amount {
    int64_t whole;
    int64_t fraction, fraction_unit; /* fraction / fraction_unit; unit 1: none given */
};

static bool is_digit(struct str s)
{
    return s.n && s.p[0] >= '0' && s.p[0] <= '9';
}

static bool take_amount(struct str *s, struct amount *a)
{
    *a = (struct amount){.fraction_unit = 1};
    if (!is_digit(*s))
        return false;
    for (; is_digit(*s); *s = str_from(*s, 1))
        if (__builtin_mul_overflow(a->whole, 10, &a->whole) ||
            __builtin_add_overflow(a->whole, s->p[0] - '0', &a->whole))
            return false;
    if (s->n == 0 || (s->p[0] != '.' && s->p[0] != ','))
        return true;
    *s = str_from(*s, 1);
    int digits = 0;
    for (; is_digit(*s); *s = str_from(*s, 1)) {
        if (digits++ == FRACTION_DIGITS_MAX)
            return false;
        a->fraction = a->fraction * 10 + (s->p[0] - '0');
        a->fraction_unit *= 10;
    }
    return digits > 0;
}

static bool add_part(struct duration *d, const struct part *part, const struct amount *a)
{
    int64_t months, us;
    if (part->months && a->fraction_unit > 1)
        return false;
    __extension__ __int128 fraction = (__int128)a->fraction * part->us / a->fraction_unit;
    return !__builtin_mul_overflow(a->whole, part->months, &months) &&
           !__builtin_mul_overflow(a->whole, part->us, &us) &&
           !__builtin_add_overflow(us, (int64_t)fraction, &us) &&
           !__builtin_add_overflow(d->months, months, &d->months) &&
           !__builtin_add_overflow(d->us, us, &d->us);
}

bool duration_parse(struct str s, struct duration *out)
{
    struct duration d = {0, 0};
    bool clock = false;
    size_t next = 0; /* the first part that may still come */
    if (s.n < 2 || s.p[0] != 'P')
        return false;
    s = str_from(s, 1);
    while (s.n) {
        struct amount a;
        if (s.p[0] == 'T' && !clock) {
            clock = true;
            s = str_from(s, 1);
        }
        if (!take_amount(&s, &a) || s.n == 0)
            return false;
        while (next < PARTS_N && (PARTS[next].letter != s.p[0] || PARTS[next].clock != clock))
            next++;
        if (next == PARTS_N || !add_part(&d, &PARTS[next++], &a))
            return false;
        s = str_from(s, 1);
        if (a.fraction_unit > 1 && s.n)
            return false;
    }
    *out = d;
    return true;
}
