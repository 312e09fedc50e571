/* Numbers. Most are short decimals: one power of ten makes whole numbers of them, and dividing by it gives the very double
 * again, since both are exact and a division rounds once. What is no such decimal is told apart when it is rare; when it
 * is not, doubles are XORed with the one before, and the zeros at the end of a block's are left out. */
#include "store/embedded/history_column.h"

#include "base/varint.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* First byte. */
enum {
    XORED = 1,
    KINDS_SHIFT = 1, /* two bits: enum kinds */
    ODD = 8,         /* scaled: some numbers are told apart */
    POWER_SHIFT = 4, /* scaled: of ten */
};
/* Which are integers. */
enum kinds { KINDS_REAL, KINDS_INTEGER, KINDS_WHOLE /* those that are whole */, KINDS_TOLD };

enum { POWER_MAX = 15, SHIFT_BLOCK = 128 };
#define EXACT_MAX 9007199254740992.0 /* 2^53: up to here doubles hold every integer */

static const double POWER[POWER_MAX + 1] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
static const int64_t WHOLE_POWER[POWER_MAX + 1] = {1,
                                                   10,
                                                   100,
                                                   1000,
                                                   10000,
                                                   100000,
                                                   1000000,
                                                   10000000,
                                                   100000000,
                                                   1000000000,
                                                   10000000000,
                                                   100000000000,
                                                   1000000000000,
                                                   10000000000000,
                                                   100000000000000,
                                                   1000000000000000};

/* ---- writing ---- */

/* Is d a whole number of 10^-power, exactly? */
static bool scale(double d, unsigned power, int64_t *mantissa)
{
    double scaled = d * POWER[power];
    if (!(fabs(scaled) < EXACT_MAX))
        return false;
    *mantissa = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    return column_to_bits((double)*mantissa / POWER[power]) == column_to_bits(d);
}

static bool scale_whole(int64_t v, unsigned power, int64_t *mantissa)
{
    if (power == 0) {
        *mantissa = v;
        return true;
    }
    int64_t most = (int64_t)EXACT_MAX / WHOLE_POWER[power];
    if (v > most || v < -most)
        return false;
    *mantissa = v * WHOLE_POWER[power];
    return true;
}

struct scaling {
    unsigned power;
    uint32_t odd;       /* numbers that do not fit */
    uint32_t odd_max;
    bool any_real, any_whole, rule_holds;
    int64_t *mantissas;
    uint8_t *fits;
};

/* The least power that all but a few of the reals are whole numbers of; false: too many have none. */
static bool choose_power(struct scaling *c, const int64_t *bits, const uint8_t *whole, uint32_t n)
{
    uint32_t need[POWER_MAX + 2] = {0};
    unsigned guess = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (whole && whole[i])
            continue;
        double d = column_to_double(bits[i]);
        int64_t m;
        unsigned power = guess > 1 ? guess - 1 : 0;
        if (power && scale(d, power, &m))
            power = 0; /* fewer may do */
        while (power <= POWER_MAX && !scale(d, power, &m))
            power++;
        need[power]++;
        if (power <= POWER_MAX)
            guess = power > guess ? power : guess;
        else if (need[power] > c->odd_max)
            return false;
    }
    uint32_t above = need[POWER_MAX + 1];
    c->power = POWER_MAX;
    while (c->power > 0 && above + need[c->power] <= c->odd_max)
        above += need[c->power--];
    return true;
}

/* Fills in all mantissas; false: too many do not fit. */
static bool scale_all(struct scaling *c, const int64_t *bits, const uint8_t *whole, uint32_t n)
{
    int64_t last = 0;
    c->rule_holds = true;
    for (uint32_t i = 0; i < n; i++) {
        bool is_whole = whole && whole[i];
        c->any_whole = c->any_whole || is_whole;
        c->any_real = c->any_real || !is_whole;
        c->fits[i] = is_whole ? scale_whole(bits[i], c->power, &c->mantissas[i])
                              : scale(column_to_double(bits[i]), c->power, &c->mantissas[i]);
        if (!c->fits[i]) {
            c->mantissas[i] = last;
            c->rule_holds = c->rule_holds && !is_whole;
            c->odd++;
        } else {
            bool looks_whole = c->mantissas[i] % WHOLE_POWER[c->power] == 0;
            c->rule_holds = c->rule_holds && looks_whole == is_whole;
        }
        last = c->mantissas[i];
    }
    return c->odd <= c->odd_max;
}

static enum kinds kinds_of(bool any_real, bool any_whole, bool rule_holds)
{
    if (!any_whole)
        return KINDS_REAL;
    if (!any_real)
        return KINDS_INTEGER;
    return rule_holds ? KINDS_WHOLE : KINDS_TOLD;
}

static void write_told(struct buf *b, const uint8_t *whole, uint32_t n, struct arena *scratch)
{
    int64_t *told = arena_array(scratch, int64_t, n);
    for (uint32_t i = 0; i < n; i++)
        told[i] = whole[i];
    column_ints_write(b, told, n);
}

static void write_scaled(struct buf *b, const struct scaling *c, const int64_t *bits, const uint8_t *whole, uint32_t n,
                         struct arena *scratch)
{
    enum kinds kinds = kinds_of(c->any_real, c->any_whole, c->rule_holds);
    buf_char(b, (char)(kinds << KINDS_SHIFT | (c->odd ? ODD : 0) | c->power << POWER_SHIFT));
    if (kinds == KINDS_TOLD)
        write_told(b, whole, n, scratch);
    column_ints_write(b, c->mantissas, n);
    if (!c->odd)
        return;
    varint_write(b, c->odd);
    uint32_t from = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (c->fits[i])
            continue;
        varint_write(b, i - from);
        buf_le64(b, (uint64_t)bits[i]);
        from = i;
    }
}

/* As a double where an integer is one. */
static bool as_double(int64_t v, int64_t *bits)
{
    if (v > (int64_t)EXACT_MAX || v < -(int64_t)EXACT_MAX)
        return false;
    *bits = column_to_bits((double)v);
    return true;
}

static bool looks_whole(double d)
{
    return fabs(d) <= EXACT_MAX && (double)(int64_t)d == d && !(d == 0 && signbit(d));
}

/* Fills in x: doubles' bits, or integers' own where those tell which they are. */
static enum kinds xor_kinds(const int64_t *bits, const uint8_t *whole, uint32_t n, int64_t *x)
{
    bool any_real = false, any_whole = false, rule = true;
    for (uint32_t i = 0; i < n; i++) {
        bool is_whole = whole && whole[i];
        any_real = any_real || !is_whole;
        any_whole = any_whole || is_whole;
        x[i] = bits[i];
        rule = rule && (is_whole ? as_double(bits[i], &x[i]) : !looks_whole(column_to_double(bits[i])));
    }
    enum kinds kinds = kinds_of(any_real, any_whole, rule);
    if (kinds != KINDS_WHOLE)
        memcpy(x, bits, n * sizeof *x);
    return kinds;
}

static void write_xored(struct buf *b, const int64_t *bits, const uint8_t *whole, uint32_t n, struct arena *scratch)
{
    int64_t *x = arena_array(scratch, int64_t, n);
    enum kinds kinds = xor_kinds(bits, whole, n, x);
    buf_char(b, (char)(XORED | kinds << KINDS_SHIFT));
    if (kinds == KINDS_TOLD)
        write_told(b, whole, n, scratch);
    for (uint32_t i = n; i-- > 1;)
        x[i] ^= x[i - 1];
    for (uint32_t from = 0; from < n; from += SHIFT_BLOCK) {
        uint32_t to = n - from < SHIFT_BLOCK ? n : from + SHIFT_BLOCK;
        uint64_t all = 0;
        for (uint32_t i = from ? from : 1; i < to; i++)
            all |= (uint64_t)x[i];
        unsigned shift = all ? (unsigned)__builtin_ctzll(all) : 0;
        buf_char(b, (char)shift);
        if (from == 0)
            buf_le64(b, (uint64_t)x[0]);
        for (uint32_t i = from ? from : 1; i < to; i++)
            x[i] = (int64_t)((uint64_t)x[i] >> shift);
        uint32_t first = from ? from : 1;
        column_ints_write(b, x + first, to - first);
    }
}

void column_numbers_write(struct buf *b, const int64_t *bits, const uint8_t *whole, uint32_t n, struct arena *scratch)
{
    assert(n <= COLUMN_VALUES_MAX);
    if (!n)
        return;
    struct scaling c = {.odd_max = n / 32};
    c.mantissas = arena_array(scratch, int64_t, n);
    c.fits = arena_array(scratch, uint8_t, n);
    if (choose_power(&c, bits, whole, n) && scale_all(&c, bits, whole, n))
        write_scaled(b, &c, bits, whole, n, scratch);
    else
        write_xored(b, bits, whole, n, scratch);
}

/* ---- reading ---- */

struct form {
    bool xored, odd;
    enum kinds kinds;
    unsigned power;
};

/* And the kinds that are told, to whole. */
static struct form read_form(struct column_source *s, uint32_t n, int64_t *scratch, uint8_t *whole)
{
    uint8_t first = column_byte_read(s);
    struct form f = {.xored = first & XORED,
                     .odd = first & ODD,
                     .kinds = (enum kinds)(first >> KINDS_SHIFT & 3),
                     .power = first >> POWER_SHIFT};
    s->bad = s->bad || (f.xored && (f.odd || f.power)) || (f.power && f.kinds == KINDS_INTEGER);
    if (f.kinds != KINDS_TOLD) {
        memset(whole, f.kinds == KINDS_INTEGER, n);
    } else if (column_ints_read(s, n, scratch)) {
        for (uint32_t i = 0; i < n; i++) {
            whole[i] = scratch[i] != 0;
            s->bad = s->bad || (uint64_t)scratch[i] > 1;
        }
    }
    return f;
}

/* The next number told apart, to *at and *bits; *at from the last one's. */
static bool read_odd(struct column_source *s, uint32_t n, uint32_t *at, int64_t *bits)
{
    uint64_t step = column_uint_read(s);
    double d = column_double_read(s);
    s->bad = s->bad || step >= n - *at;
    if (s->bad)
        return false;
    *at += (uint32_t)step;
    *bits = column_to_bits(d);
    return true;
}

static bool read_xors(struct column_source *s, uint32_t n, int64_t *out)
{
    uint64_t last = 0;
    for (uint32_t from = 0; from < n && !s->bad; from += SHIFT_BLOCK) {
        uint32_t to = n - from < SHIFT_BLOCK ? n : from + SHIFT_BLOCK, first = from ? from : 1;
        unsigned shift = column_byte_read(s);
        if (from == 0) {
            last = (uint64_t)column_to_bits(column_double_read(s));
            out[0] = (int64_t)last;
        }
        s->bad = s->bad || shift > 63;
        if (!column_ints_read(s, to - first, out + first))
            return false;
        for (uint32_t i = first; i < to; i++)
            out[i] = (int64_t)(last ^= (uint64_t)out[i] << shift);
    }
    return !s->bad;
}

static bool all_finite(const int64_t *bits, const uint8_t *whole, uint32_t n)
{
    const uint64_t exponent = UINT64_C(0x7ff) << 52;
    bool bad = false;
    for (uint32_t i = 0; i < n; i++)
        bad |= ((uint64_t)bits[i] & exponent) == exponent && !whole[i];
    return !bad;
}

static void read_xored(struct column_source *s, const struct form *f, uint32_t n, int64_t *bits, uint8_t *whole)
{
    s->bad = !read_xors(s, n, bits) || s->bad || !all_finite(bits, whole, n);
    for (uint32_t i = 0; i < n && f->kinds == KINDS_WHOLE && !s->bad; i++) {
        double d = column_to_double(bits[i]);
        whole[i] = looks_whole(d);
        if (whole[i])
            bits[i] = (int64_t)d;
    }
}

/* Scaled by ten or more, all are whole numbers that doubles hold. */
static bool in_range(const int64_t *mantissas, uint32_t n, unsigned power)
{
    const uint64_t most = (uint64_t)EXACT_MAX;
    bool beyond = false;
    for (uint32_t i = 0; i < n && power; i++)
        beyond |= (uint64_t)mantissas[i] + most > 2 * most;
    return !beyond;
}

static void unscale(const struct form *f, uint32_t n, int64_t *bits, uint8_t *whole)
{
    int64_t one = WHOLE_POWER[f->power];
    double power = POWER[f->power];
    for (uint32_t i = 0; i < n; i++) {
        if (f->kinds == KINDS_WHOLE)
            whole[i] = bits[i] % one == 0;
        bits[i] = whole[i] ? bits[i] / one : column_to_bits((double)bits[i] / power);
    }
}

bool column_numbers_read(struct column_source *s, uint32_t n, int64_t *bits, uint8_t *whole)
{
    if (!n || s->bad)
        return !s->bad;
    struct form f = read_form(s, n, bits, whole);
    if (s->bad)
        return false;
    if (f.xored) {
        read_xored(s, &f, n, bits, whole);
        return !s->bad;
    }
    s->bad = !column_ints_read(s, n, bits) || !in_range(bits, n, f.power);
    if (s->bad)
        return false;
    unscale(&f, n, bits, whole);
    uint64_t odd = f.odd ? column_uint_read(s) : 0;
    uint32_t at = 0;
    s->bad = s->bad || odd > n;
    for (uint64_t i = 0; i < odd && !s->bad; i++) {
        int64_t told;
        if (!read_odd(s, n, &at, &told))
            break;
        bits[at] = told;
        whole[at] = f.kinds == KINDS_TOLD && whole[at];
        s->bad = !all_finite(&bits[at], &whole[at], 1);
    }
    return !s->bad;
}

static bool read_scaled_doubles(struct column_source *s, uint32_t n, unsigned power, double *out)
{
    int64_t mantissas[COLUMN_VALUES_MAX];
    s->bad = !column_ints_read(s, n, mantissas) || !in_range(mantissas, n, power);
    if (s->bad)
        return false;
    double ten = POWER[power];
    for (uint32_t i = 0; i < n; i++)
        out[i] = (double)mantissas[i] / ten;
    return true;
}

bool column_doubles_read(struct column_source *s, uint32_t n, double *out)
{
    assert(n <= COLUMN_VALUES_MAX);
    struct column_source ahead = *s;
    uint8_t first = column_byte_read(&ahead);
    unsigned power = first >> POWER_SHIFT;
    enum kinds kinds = (enum kinds)(first >> KINDS_SHIFT & 3);
    if (n && !ahead.bad && !(first & (XORED | ODD)) && kinds != KINDS_TOLD && !(power && kinds == KINDS_INTEGER)) {
        *s = ahead;
        return read_scaled_doubles(s, n, power, out);
    }
    int64_t bits[COLUMN_VALUES_MAX];
    uint8_t whole[COLUMN_VALUES_MAX];
    if (!column_numbers_read(s, n, bits, whole))
        return false;
    for (uint32_t i = 0; i < n; i++)
        out[i] = whole[i] ? (double)bits[i] : column_to_double(bits[i]);
    return true;
}
