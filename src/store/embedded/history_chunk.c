/* Chunks, opened: the header, and the columns that are read alone. Whole instances are in history_chunk_points.c, the
 * writer in history_chunk_write.c. The checksums find what chance does to bytes; still nothing here trusts a length. */
#include "store/embedded/history_chunk_int.h"

#include "base/hash.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static enum status damaged(struct why *why, const char *what)
{
    return why_set(why, E_DAMAGED, NULL, "a chunk of the history is damaged: %s", what);
}

/* ---- the header ---- */

static int64_t plus(int64_t a, uint64_t b)
{
    return (int64_t)((uint64_t)a + b);
}

static int64_t times_unit(int64_t v, int64_t unit_us)
{
    return (int64_t)((uint64_t)v * (uint64_t)unit_us);
}

static bool stands_before(uint8_t from, uint32_t order)
{
    for (uint32_t i = 0; i < order; i++)
        if (CHUNK_TIME_ORDER[i] == from)
            return true;
    return false;
}

/* Where its range begins and how far it goes, from the other property's for two of the forms. */
static void read_range(struct column_source *s, struct chunk *c, enum time_property k)
{
    struct chunk_time *t = &c->times[k];
    struct chunk_summary *u = &c->summary;
    int64_t first = column_int_read(s);
    switch ((enum chunk_form)t->form) {
    case FORM_CONSTANT:
        t->constant = times_unit(first, t->unit_us);
        u->first[k] = u->last[k] = t->constant;
        break;
    case FORM_DISTANCE:
        t->constant = times_unit(first, t->unit_us);
        u->first[k] = plus(u->first[t->from], (uint64_t)t->constant);
        u->last[k] = plus(u->last[t->from], (uint64_t)t->constant);
        break;
    case FORM_COLUMN:
        u->first[k] = times_unit(first, t->unit_us);
        u->last[k] = plus(u->first[k], column_uint_read(s) * (uint64_t)t->unit_us);
        break;
    case FORM_FROM:
        u->first[k] = plus(u->first[t->from], (uint64_t)first);
        u->last[k] = plus(u->first[k], column_uint_read(s));
        break;
    case FORM_ABSENT:
    case FORM_COUNT:
        break;
    }
    s->bad = s->bad || u->first[k] == TIME_NONE || u->last[k] < u->first[k];
}

static void read_time_header(struct column_source *s, struct chunk *c, uint32_t order)
{
    enum time_property k = CHUNK_TIME_ORDER[order];
    uint8_t first = column_byte_read(s);
    struct chunk_time *t = &c->times[k];
    *t = (struct chunk_time){.form = first & ((1 << FORM_BITS) - 1),
                             .from = first >> FROM_SHIFT & 3,
                             .unit_us = CHUNK_UNIT_US[first >> UNIT_SHIFT & 3]};
    c->summary.every[k] = first & EVERY_BIT;
    c->summary.first[k] = c->summary.last[k] = TIME_NONE;
    if (t->form == FORM_ABSENT || t->form >= FORM_COUNT) {
        s->bad = s->bad || first != FORM_ABSENT;
        return;
    }
    if (t->form == FORM_DISTANCE || t->form == FORM_FROM)
        s->bad = s->bad || !stands_before(t->from, order) || c->times[t->from].form == FORM_ABSENT ||
                 c->summary.every[t->from] != c->summary.every[k];
    if (!s->bad)
        read_range(s, c, k);
}

static void read_places(struct column_source *s, struct chunk_summary *u)
{
    uint8_t which = column_byte_read(s);
    if (which < TIME_PROPERTY_COUNT) {
        u->first_place = u->first[which];
        u->last_place = u->last[which];
        return;
    }
    s->bad = s->bad || which != PLACES_OWN;
    u->first_place = column_int_read(s);
    u->last_place = plus(u->first_place, column_uint_read(s));
    s->bad = s->bad || u->last_place < u->first_place;
}

static double read_short_double(struct column_source *s, double before)
{
    uint8_t how = column_byte_read(s);
    if (how == SHORT_SAME)
        return before;
    if (how == SHORT_RAW)
        return column_double_read(s);
    s->bad = s->bad || how > SHORT_POWER_MAX;
    double power = 1;
    for (int p = 0; p < how && p < SHORT_POWER_MAX; p++)
        power *= 10;
    return (double)column_int_read(s) / power;
}

static void read_number_summary(struct column_source *s, struct chunk *c)
{
    uint8_t first = column_byte_read(s);
    struct chunk_summary *u = &c->summary;
    c->values = first & (VALUES_SUMMED - 1);
    u->numbers = first & VALUES_SUMMED;
    s->bad = s->bad || first >= 2 * VALUES_SUMMED || (c->values >= VALUES_COUNT && c->values != VALUES_MIXED) ||
             (u->numbers && c->values != VALUES_NUMBER);
    if (!u->numbers || s->bad)
        return;
    u->summary.count = u->count;
    u->summary.min = read_short_double(s, 0);
    u->summary.max = read_short_double(s, u->summary.min);
    u->summary.sum = read_short_double(s, u->summary.max);
    u->summary.sumsq = read_short_double(s, u->summary.sum);
}

static void read_fields(struct column_source *s, struct chunk *c)
{
    uint64_t n = column_uint_read(s);
    c->summary.count = (uint32_t)n;
    s->bad = s->bad || n < 1 || n > CHUNK_POINTS_MAX;
    for (uint32_t i = 0; i < TIME_PROPERTY_COUNT && !s->bad; i++)
        read_time_header(s, c, i);
    read_places(s, &c->summary);
    c->summary.seq_min = column_uint_read(s);
    uint64_t more = column_uint_read(s);
    c->summary.seq_max = c->summary.seq_min + more;
    s->bad = s->bad || c->summary.seq_max < c->summary.seq_min;
    read_number_summary(s, c);
}

static bool checksum_holds(struct str bytes, size_t n)
{
    uint32_t crc;
    memcpy(&crc, bytes.p + n, sizeof crc);
    return le32toh(crc) == crc32c(0, bytes.p, n);
}

/* Leaves in *s the header's fields, in *rest what follows it. */
static enum status find_header(struct str bytes, struct column_source *s, struct str *rest, struct why *why)
{
    struct column_source whole = {.rest = bytes};
    uint8_t version = column_byte_read(&whole);
    if (version > CHUNK_VERSION)
        return why_set(why, E_NOT_SUPPORTED, NULL, "a chunk of the history is of a newer version, %u", version);
    uint64_t n = column_uint_read(&whole);
    if (whole.bad || version != CHUNK_VERSION)
        return damaged(why, "its header is cut off");
    *s = (struct column_source){.rest = column_bytes_read(&whole, n)};
    size_t header = bytes.n - whole.rest.n;
    (void)column_bytes_read(&whole, sizeof(uint32_t));
    if (whole.bad)
        return damaged(why, "its header is cut off");
    if (!checksum_holds(bytes, header))
        return damaged(why, "its header's checksum does not hold");
    *rest = whole.rest;
    return OK;
}

enum status chunk_read_summary(struct str bytes, struct chunk_summary *out, struct why *why)
{
    struct chunk c = {.bytes = bytes};
    struct column_source s = {.bad = false};
    struct str rest = STR_NONE;
    enum status st = find_header(bytes, &s, &rest, why);
    if (st != OK)
        return st;
    read_fields(&s, &c);
    if (s.bad)
        return damaged(why, "its header is not what was written");
    *out = c.summary;
    return OK;
}

enum status chunk_open(struct chunk *c, struct str bytes, struct why *why)
{
    struct column_source s = {.bad = false};
    struct str rest = STR_NONE;
    *c = (struct chunk){.bytes = bytes};
    enum status st = find_header(bytes, &s, &rest, why);
    if (st != OK)
        return st;
    if (rest.n < sizeof(uint32_t) || !checksum_holds(bytes, bytes.n - sizeof(uint32_t)))
        return damaged(why, "its checksum does not hold");
    read_fields(&s, c);
    uint64_t there = column_uint_read(&s);
    s.bad = s.bad || there >> COLUMN_COUNT;
    struct column_source columns = {.rest = str_head(rest, rest.n - sizeof(uint32_t))};
    for (uint32_t k = 0; k < COLUMN_COUNT && !s.bad; k++) {
        if (there >> k & 1)
            c->columns[k] = column_bytes_read(&columns, column_uint_read(&s));
        s.bad = s.bad || columns.bad;
    }
    if (s.bad || s.rest.n || columns.rest.n)
        return damaged(why, "its header is not what was written");
    return OK;
}

/* ---- columns ---- */

/* Times that some instances do not have stand together; spreads them out. */
static bool spread(struct column_source *s, const struct chunk *c, enum time_property k, int64_t *out)
{
    const struct chunk_time *t = &c->times[k];
    int64_t there[CHUNK_POINTS_MAX], present[CHUNK_POINTS_MAX];
    uint32_t n = 0, count = c->summary.count;
    if (!column_ints_read(s, count, there))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        n += there[i] == 1;
        s->bad = s->bad || (uint64_t)there[i] > 1;
    }
    if (s->bad || (t->form == FORM_COLUMN && !column_ints_read(s, n, present)))
        return false;
    n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!there[i])
            out[i] = TIME_NONE;
        else
            out[i] = plus(c->summary.first[k], t->form == FORM_COLUMN ? (uint64_t)times_unit(present[n++], t->unit_us) : 0);
    }
    return true;
}

static bool read_times(const struct chunk *c, enum time_property k, int64_t *out);

/* From another property's, which those that have it have. */
static bool read_from(struct column_source *s, const struct chunk *c, const struct chunk_time *t, int64_t *out)
{
    int64_t distances[CHUNK_POINTS_MAX];
    uint32_t n = 0, count = c->summary.count;
    if (!read_times(c, (enum time_property)t->from, out))
        return false;
    for (uint32_t i = 0; i < count; i++)
        n += out[i] != TIME_NONE;
    if (t->form == FORM_FROM && !column_ints_read(s, n, distances))
        return false;
    n = 0;
    for (uint32_t i = 0; i < count; i++)
        if (out[i] != TIME_NONE)
            out[i] = plus(out[i], t->form == FORM_FROM ? (uint64_t)distances[n++] * (uint64_t)t->unit_us
                                                       : (uint64_t)t->constant);
    return true;
}

static bool read_times(const struct chunk *c, enum time_property k, int64_t *out)
{
    const struct chunk_time *t = &c->times[k];
    struct column_source s = {.rest = c->columns[COLUMN_TIMES + k]};
    uint32_t n = c->summary.count;
    bool every = c->summary.every[k];
    if (t->form == FORM_DISTANCE || t->form == FORM_FROM) {
        if (!read_from(&s, c, t, out))
            return false;
    } else if (t->form != FORM_ABSENT && !every) {
        if (!spread(&s, c, k, out))
            return false;
    } else if (t->form == FORM_COLUMN) {
        if (!column_ints_read(&s, n, out))
            return false;
        for (uint32_t i = 0; i < n; i++)
            out[i] = plus(times_unit(out[i], t->unit_us), (uint64_t)c->summary.first[k]);
    } else {
        for (uint32_t i = 0; i < n; i++)
            out[i] = t->form == FORM_CONSTANT ? t->constant : TIME_NONE;
    }
    return !s.bad && !s.rest.n;
}

enum status chunk_times(const struct chunk *c, enum time_property property, int64_t *out, struct why *why)
{
    return read_times(c, property, out) ? OK : damaged(why, "its times are not what was written");
}

enum status chunk_numbers(const struct chunk *c, double *out, struct why *why)
{
    assert(c->summary.numbers);
    struct column_source s = {.rest = c->columns[COLUMN_NUMBERS]};
    if (!column_doubles_read(&s, c->summary.count, out) || s.rest.n)
        return damaged(why, "its numbers are not what was written");
    return OK;
}

bool chunk_read_seqs(const struct chunk *c, int64_t *out)
{
    struct column_source s = {.rest = c->columns[COLUMN_SEQ]};
    uint32_t n = c->summary.count;
    if (c->summary.seq_min == c->summary.seq_max)
        memset(out, 0, n * sizeof *out);
    else if (!column_ints_read(&s, n, out))
        return false;
    for (uint32_t i = 0; i < n; i++)
        out[i] = plus(out[i], c->summary.seq_min);
    return !s.rest.n;
}

bool chunk_read_indexes(const struct chunk *c, int64_t *out)
{
    struct column_source s = {.rest = c->columns[COLUMN_INDEX]};
    uint32_t n = c->summary.count;
    if (!s.rest.n) {
        memset(out, 0, n * sizeof *out);
        return true;
    }
    if (!column_ints_read(&s, n, out) || s.rest.n)
        return false;
    bool bad = false;
    for (uint32_t i = 0; i < n; i++)
        bad |= (uint64_t)out[i] > UINT32_MAX;
    return !bad;
}

enum status chunk_find(const struct chunk *c, uint64_t seq, uint32_t index, uint32_t *at, struct why *why)
{
    int64_t seqs[CHUNK_POINTS_MAX], indexes[CHUNK_POINTS_MAX];
    *at = UINT32_MAX;
    if (seq < c->summary.seq_min || seq > c->summary.seq_max)
        return OK;
    if (!chunk_read_seqs(c, seqs) || !chunk_read_indexes(c, indexes))
        return damaged(why, "its instances are not what was written");
    for (uint32_t i = 0; i < c->summary.count && *at == UINT32_MAX; i++)
        if ((uint64_t)seqs[i] == seq && indexes[i] == index)
            *at = i;
    return OK;
}
