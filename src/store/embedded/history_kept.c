/* Bytes and keys of kept aggregates. Most columns are there only for those that need them: one value alone says all that its
 * sums would. */
#include "store/embedded/history_kept.h"

#include "base/hash.h"
#include "store/embedded/history_column.h"
#include "store/embedded/history_key.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <string.h>

enum { VERSION = 1, KIND_BITS = 4, KEY_TAIL = 14, SUM_COLUMNS = 6 };
enum { DOUBLES_AS_NUMBERS, DOUBLES_AS_BITS };

static_assert(2 * (int)KEPT_SPANS <= (int)COLUMN_VALUES_MAX, "a column has them all");

/* ---- times ---- */

enum kept_time kept_time_of(const struct point *p)
{
    return p->attr.observed_at != TIME_NONE ? KEPT_OBSERVED : KEPT_MODIFIED;
}

static int64_t floor_to(int64_t us, int64_t unit)
{
    int64_t rest = us % unit;
    return us - (rest < 0 ? rest + unit : rest);
}

int64_t kept_span_at(enum retention_level level, int64_t us)
{
    return floor_to(us, retention_level_us(level));
}

int64_t kept_record_at(enum retention_level level, int64_t us)
{
    return floor_to(us, KEPT_SPANS * retention_level_us(level));
}

bool kept_fits(int64_t us)
{
    int64_t margin = KEPT_SPANS * retention_level_us(RETENTION_DAYS);
    return us > INT64_MIN + margin && us < INT64_MAX - margin;
}

/* ---- columns ---- */

static void write_doubles(struct buf *b, const double *v, uint32_t n)
{
    int64_t bits[KEPT_SPANS];
    bool finite = true;
    for (uint32_t i = 0; i < n; i++) {
        bits[i] = column_to_bits(v[i]);
        finite = finite && isfinite(v[i]);
    }
    if (!n)
        return;
    buf_char(b, finite ? DOUBLES_AS_NUMBERS : DOUBLES_AS_BITS);
    if (finite) {
        struct arena *scratch = arena_new(0);
        column_numbers_write(b, bits, NULL, n, scratch);
        arena_free(scratch);
    } else {
        column_ints_write(b, bits, n);
    }
}

static void read_doubles(struct column_source *s, uint32_t n, double *v)
{
    int64_t bits[KEPT_SPANS];
    if (!n || s->bad)
        return;
    uint8_t how = column_byte_read(s);
    if (how == DOUBLES_AS_NUMBERS) {
        (void)column_doubles_read(s, n, v);
        return;
    }
    s->bad = s->bad || how != DOUBLES_AS_BITS || !column_ints_read(s, n, bits);
    for (uint32_t i = 0; !s->bad && i < n; i++)
        v[i] = column_to_double(bits[i]);
}

/* Sums of more than one number, in the order of the format. */
static double *sum_column(struct sums *s, int column)
{
    double *const COLUMNS[SUM_COLUMNS] = {&s->sum, &s->sum_rest, &s->squares, &s->squares_rest, &s->m2, &s->max};
    return COLUMNS[column];
}

static void write_sums(struct buf *b, const struct kept_aggregate *all, uint32_t n)
{
    int64_t counts[KEPT_SPANS];
    double v[KEPT_SPANS];
    struct sums many[KEPT_SPANS];
    uint32_t rows = 0, more = 0;
    for (uint32_t i = 0; i < n; i++)
        if (kept_aggregate_has_sums(all[i].classes)) {
            v[rows] = all[i].sums.min;
            counts[rows++] = (int64_t)all[i].sums.n;
            if (all[i].sums.n > 1)
                many[more++] = all[i].sums;
        }
    if (!rows)
        return;
    column_ints_write(b, counts, rows);
    write_doubles(b, v, rows);
    for (int column = 0; column < SUM_COLUMNS; column++) {
        for (uint32_t i = 0; i < more; i++)
            v[i] = *sum_column(&many[i], column);
        write_doubles(b, v, more);
    }
}

static void read_sums(struct column_source *s, struct kept_aggregate *all, uint32_t n)
{
    int64_t counts[KEPT_SPANS];
    double v[KEPT_SPANS];
    uint32_t rows = 0, more = 0, row = 0;
    for (uint32_t i = 0; i < n; i++)
        rows += kept_aggregate_has_sums(all[i].classes);
    if (!rows || !column_ints_read(s, rows, counts))
        return;
    read_doubles(s, rows, v);
    for (uint32_t i = 0; i < n && !s->bad; i++)
        if (kept_aggregate_has_sums(all[i].classes)) {
            double x = v[row];
            all[i].sums = (struct sums){.n = (uint64_t)counts[row++], .sum = x, .squares = x * x, .min = x, .max = x};
            s->bad = all[i].sums.n == 0 || all[i].sums.n > all[i].count;
            more += all[i].sums.n > 1;
        }
    for (int column = 0; column < SUM_COLUMNS && !s->bad; column++) {
        read_doubles(s, more, v);
        row = 0;
        for (uint32_t i = 0; i < n && !s->bad; i++)
            if (all[i].sums.n > 1)
                *sum_column(&all[i].sums, column) = v[row++];
    }
}

static void write_texts(struct buf *b, const struct kept_aggregate *all, uint32_t n)
{
    struct str texts[2 * KEPT_SPANS];
    int64_t orders[2 * KEPT_SPANS];
    uint8_t flags[2 * KEPT_SPANS] = {0};
    uint32_t rows = 0;
    for (uint32_t i = 0; i < n; i++)
        if (kept_aggregate_has_texts(all[i].classes)) {
            texts[rows] = all[i].least;
            orders[rows++] = all[i].least_order;
            texts[rows] = all[i].greatest;
            orders[rows++] = all[i].greatest_order;
        }
    if (!rows)
        return;
    struct arena *scratch = arena_new(0);
    column_texts_write(b, texts, flags, rows, scratch);
    column_ints_write(b, orders, rows);
    arena_free(scratch);
}

static void read_texts(struct column_source *s, struct kept_aggregate *all, uint32_t n, struct arena *a)
{
    struct str texts[2 * KEPT_SPANS];
    int64_t orders[2 * KEPT_SPANS];
    uint8_t flags[2 * KEPT_SPANS];
    uint32_t rows = 0;
    for (uint32_t i = 0; i < n; i++)
        rows += 2 * kept_aggregate_has_texts(all[i].classes);
    if (!rows || s->bad || !column_texts_read(s, rows, a, texts, flags, NULL) || !column_ints_read(s, rows, orders))
        return;
    rows = 0;
    for (uint32_t i = 0; i < n; i++)
        if (kept_aggregate_has_texts(all[i].classes)) {
            all[i].least = texts[rows];
            all[i].least_order = orders[rows++];
            all[i].greatest = texts[rows];
            all[i].greatest_order = orders[rows++];
            s->bad = s->bad || all[i].least.n > KEPT_TEXT_MAX || all[i].greatest.n > KEPT_TEXT_MAX;
        }
}

/* ---- a record ---- */

void kept_write(struct buf *b, enum retention_level level, const struct kept_aggregate *all, uint32_t n)
{
    int64_t spans[KEPT_SPANS], counts[KEPT_SPANS], kinds[KEPT_SPANS];
    size_t from = b->n;
    assert(n > 0 && n <= KEPT_SPANS);
    for (uint32_t i = 0; i < n; i++) {
        spans[i] = (all[i].from_us - kept_record_at(level, all[0].from_us)) / retention_level_us(level);
        counts[i] = (int64_t)all[i].count;
        kinds[i] = all[i].kind | (int64_t)all[i].classes << KIND_BITS;
    }
    buf_char(b, VERSION);
    buf_le32(b, n);
    column_ints_write(b, spans, n);
    column_ints_write(b, counts, n);
    column_ints_write(b, kinds, n);
    write_sums(b, all, n);
    write_texts(b, all, n);
    buf_le32(b, crc32c(0, b->p + from, b->n - from));
}

static bool read_rows(struct column_source *s, enum retention_level level, int64_t record_us, struct kept_aggregate *all,
                      uint32_t n)
{
    int64_t spans[KEPT_SPANS], counts[KEPT_SPANS], kinds[KEPT_SPANS];
    if (!column_ints_read(s, n, spans) || !column_ints_read(s, n, counts) || !column_ints_read(s, n, kinds))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int64_t classes = kinds[i] >> KIND_BITS, kind = kinds[i] & ((1 << KIND_BITS) - 1);
        if (spans[i] < (i ? spans[i - 1] + 1 : 0) || spans[i] >= KEPT_SPANS || counts[i] < 1 || classes < 1 ||
            classes >> KEPT_CLASSES || kind < ATTR_PROPERTY || kind >= ATTR_KIND_COUNT)
            return false;
        all[i] = (struct kept_aggregate){.from_us = record_us + spans[i] * retention_level_us(level),
                                         .count = (uint64_t)counts[i],
                                         .kind = (uint8_t)kind,
                                         .classes = (uint32_t)classes};
    }
    return true;
}

static enum status damaged(struct why *why)
{
    return why_set(why, E_DAMAGED, NULL, "kept aggregates of a history are not what was written");
}

enum status kept_read(struct str bytes, enum retention_level level, int64_t record_us, struct arena *a,
                      struct kept_aggregate **all, uint32_t *n, struct why *why)
{
    enum { HEAD = 5, CRC = 4 };
    uint32_t crc;
    if (bytes.n < HEAD + CRC)
        return damaged(why);
    memcpy(&crc, bytes.p + bytes.n - CRC, CRC);
    if (le32toh(crc) != crc32c(0, bytes.p, bytes.n - CRC))
        return damaged(why);
    if (bytes.p[0] != VERSION)
        return why_set(why, E_NOT_SUPPORTED, NULL, "kept aggregates of version %d; this program knows version %d", bytes.p[0],
                       VERSION);
    memcpy(n, bytes.p + 1, sizeof *n);
    *n = le32toh(*n);
    if (*n < 1 || *n > KEPT_SPANS || !kept_fits(record_us))
        return damaged(why);
    struct column_source s = {.rest = {bytes.p + HEAD, bytes.n - HEAD - CRC}};
    *all = arena_array(a, struct kept_aggregate, *n);
    if (!read_rows(&s, level, record_us, *all, *n))
        return damaged(why);
    read_sums(&s, *all, *n);
    read_texts(&s, *all, *n, a);
    return s.bad || s.rest.n ? damaged(why) : OK;
}

uint32_t kept_count(struct str bytes)
{
    uint32_t n;
    if (bytes.n < 1 + sizeof n)
        return 0;
    memcpy(&n, bytes.p + 1, sizeof n);
    return le32toh(n);
}

/* ---- keys ---- */

struct str kept_key_entity(struct str head, struct arena *a)
{
    struct str key = arena_dup(a, head);
    *(char *)key.p = '8';
    return key;
}

bool kept_key_read_series(struct str key, size_t entity, uint32_t *term, struct str *dataset)
{
    uint32_t big;
    if (key.n < entity + sizeof big + 1 + KEY_TAIL || key.p[key.n - KEY_TAIL - 1] != 0)
        return false;
    memcpy(&big, key.p + entity, sizeof big);
    *term = be32toh(big);
    *dataset = (struct str){key.p + entity + sizeof big, key.n - KEY_TAIL - 1 - entity - sizeof big};
    return true;
}

struct str kept_key_series(uint32_t tenant, struct str id, uint32_t term, struct str dataset, struct arena *a)
{
    struct str key = history_key_series(tenant, id, term, dataset, a);
    *(char *)key.p = '8';
    return key;
}

static char *extended(struct str key, size_t more, struct arena *a)
{
    char *p = arena_alloc(a, key.n + more);
    memcpy(p, key.p, key.n);
    return p;
}

struct str kept_key_level(struct str series, enum kept_time time, enum retention_level level, struct arena *a)
{
    char *p = extended(series, 2, a);
    p[series.n] = (char)time;
    p[series.n + 1] = (char)level;
    return (struct str){p, series.n + 2};
}

struct str kept_key_record(struct str level, int64_t record_us, uint32_t number, struct arena *a)
{
    uint64_t flipped = htobe64((uint64_t)record_us ^ UINT64_C(1) << 63);
    uint32_t big = htobe32(number);
    char *p = extended(level, sizeof flipped + sizeof big, a);
    memcpy(p + level.n, &flipped, sizeof flipped);
    memcpy(p + level.n + sizeof flipped, &big, sizeof big);
    return (struct str){p, level.n + sizeof flipped + sizeof big};
}

bool kept_key_parts(struct str key, uint8_t *time, uint8_t *level, int64_t *record_us, uint32_t *number)
{
    uint64_t flipped;
    uint32_t big;
    if (key.n < KEY_TAIL + 5)
        return false;
    const char *p = key.p + key.n - KEY_TAIL;
    *time = (uint8_t)p[0];
    *level = (uint8_t)p[1];
    memcpy(&flipped, p + 2, sizeof flipped);
    memcpy(&big, p + 2 + sizeof flipped, sizeof big);
    *record_us = (int64_t)(be64toh(flipped) ^ UINT64_C(1) << 63);
    *number = be32toh(big);
    return *time < KEPT_TIME_COUNT && *level < RETENTION_LEVEL_COUNT && kept_fits(*record_us) &&
           kept_record_at((enum retention_level)*level, *record_us) == *record_us;
}
