/* Two tables of units, largest first, and what reads and writes by them. */
#include "base/units.h"

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit BYTES[] = {
    {"TiB", (int64_t)1 << 40},
    {"GiB", 1 << 30},
    {"MiB", 1 << 20},
    {"KiB", 1 << 10},
    {"TB", 1000000000000},
    {"GB", 1000000000},
    {"MB", 1000000},
    {"kB", 1000},
    {"KB", 1000},
    {"B", 1},
};

static const struct unit DURATIONS[] = {
    {"d", 86400000000}, {"h", 3600000000}, {"min", 60000000},
    {"s", 1000000},     {"ms", 1000},      {"us", 1},
};

#define COUNT(units) (sizeof(units) / sizeof *(units))

static bool parse(struct str s, const struct unit *units, size_t n, bool bare, int64_t *out)
{
    size_t digits = 0;
    unsigned long long amount;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    if (!str_to_u64(str_head(s, digits), INT64_MAX, &amount))
        return false;
    struct str name = str_trim(str_from(s, digits));
    if (name.n == 0) {
        *out = (int64_t)amount;
        return bare || amount == 0;
    }
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_of(units[i].name)))
            return !__builtin_mul_overflow((int64_t)amount, units[i].size, out);
    return false;
}

static void write(struct buf *b, const struct unit *units, size_t n, int64_t v)
{
    size_t i = 0;
    while (i + 1 < n && (v == 0 || v % units[i].size != 0))
        i++;
    buf_i64(b, v / units[i].size);
    buf_char(b, ' ');
    buf_str(b, str_of(units[i].name));
}

bool units_parse_bytes(struct str s, int64_t *bytes)
{
    return parse(s, BYTES, COUNT(BYTES), true, bytes);
}

bool units_parse_duration(struct str s, int64_t *us)
{
    return parse(s, DURATIONS, COUNT(DURATIONS), false, us);
}

void units_write_bytes(struct buf *b, int64_t bytes)
{
    write(b, BYTES, COUNT(BYTES), bytes);
}

void units_write_duration(struct buf *b, int64_t us)
{
    if (us == 0)
        buf_lit(b, "0 s");
    else
        write(b, DURATIONS, COUNT(DURATIONS), us);
}
