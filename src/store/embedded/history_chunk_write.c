/* Chunks, written: the columns first, aside, since the header in front of them tells how long they are. */
#include "store/embedded/history_chunk_int.h"

#include "base/hash.h"
#include "base/varint.h"

#include <assert.h>
#include <string.h>

/* A column of so many times that takes no more, and a few bytes a block, is as good as any. */
enum { REGULAR_LEAST = 64, REGULAR_BYTES = 16, FEW = 32 }; /* FEW: are soon put together with others, and not worth a search */

struct writer {
    struct arena *arena;
    const struct point *points;
    uint32_t n;
    struct buf body;
    size_t ends[COLUMN_COUNT];
    struct chunk_summary summary;
    uint8_t values;
    int64_t *times[TIME_PROPERTY_COUNT];
    bool present[TIME_PROPERTY_COUNT];
    struct told {
        uint8_t form, unit, from;
        int64_t constant;
        int64_t *column; /* of those that have the time, in units; written from the first on */
        uint32_t column_n;
    } told[TIME_PROPERTY_COUNT];
};

static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* ---- times ---- */

static void gather_times(struct writer *w)
{
    for (uint32_t k = 0; k < TIME_PROPERTY_COUNT; k++)
        w->times[k] = arena_array(w->arena, int64_t, w->n);
    for (uint32_t i = 0; i < w->n; i++) {
        const struct point *p = &w->points[i];
        w->times[TIME_OBSERVED_AT][i] = p->attr.observed_at;
        w->times[TIME_CREATED_AT][i] = p->attr.created_at;
        w->times[TIME_MODIFIED_AT][i] = p->attr.modified_at;
        w->times[TIME_DELETED_AT][i] = p->deleted_at;
    }
}

static void sum_up_times(struct writer *w, enum time_property k)
{
    struct chunk_summary *s = &w->summary;
    int64_t first = INT64_MAX, last = TIME_NONE;
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        int64_t t = w->times[k][i], late = t == TIME_NONE ? INT64_MAX : t;
        first = late < first ? late : first;
        last = t > last ? t : last; /* TIME_NONE is the least */
        n += t != TIME_NONE;
    }
    s->first[k] = n ? first : TIME_NONE;
    s->last[k] = last;
    s->every[k] = n == w->n;
    w->present[k] = n;
}

/* Have the same instances both times? */
static bool same_presence(const struct writer *w, enum time_property a, enum time_property b)
{
    if (w->summary.every[a] && w->summary.every[b])
        return true;
    for (uint32_t i = 0; i < w->n; i++)
        if ((w->times[a][i] == TIME_NONE) != (w->times[b][i] == TIME_NONE))
            return false;
    return true;
}

/* With a unit that the compiler knows, so that it need not divide. */
static inline __attribute__((always_inline)) bool multiples(const int64_t *v, uint32_t n, int64_t unit)
{
    for (uint32_t i = 0; i < n; i++)
        if (v[i] % unit)
            return false;
    return true;
}

static inline __attribute__((always_inline)) void divide(int64_t *v, uint32_t n, int64_t unit)
{
    for (uint32_t i = 0; i < n; i++)
        v[i] /= unit;
}

/* Turns v to the coarsest unit that all are whole multiples of; which it is. */
static uint8_t to_units(int64_t *v, uint32_t n)
{
    if (multiples(v, n, CHUNK_UNIT_US[3])) {
        divide(v, n, CHUNK_UNIT_US[3]);
        return 3;
    }
    if (multiples(v, n, CHUNK_UNIT_US[2])) {
        divide(v, n, CHUNK_UNIT_US[2]);
        return 2;
    }
    if (multiples(v, n, CHUNK_UNIT_US[1])) {
        divide(v, n, CHUNK_UNIT_US[1]);
        return 1;
    }
    return 0;
}

static bool all_same(const int64_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (v[i] != v[0])
            return false;
    return true;
}

/* The times that are there, or their distances from another property's. */
static int64_t *gather(const struct writer *w, enum time_property k, const int64_t *from, uint32_t *n)
{
    int64_t *v = arena_array(w->arena, int64_t, w->n);
    *n = 0;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->times[k][i] != TIME_NONE)
            v[(*n)++] = from ? minus(w->times[k][i], from[i]) : w->times[k][i];
    return v;
}

/* Are all distances from another property's times the same? Then that is told, which nothing is shorter than. */
static bool try_constant_distance(struct writer *w, enum time_property k, enum time_property from)
{
    const int64_t *t = w->times[k], *u = w->times[from];
    int64_t distance = minus(w->summary.first[k], w->summary.first[from]);
    for (uint32_t i = 0; i < w->n; i++)
        if (t[i] != TIME_NONE && minus(t[i], u[i]) != distance)
            return false;
    uint8_t unit = to_units(&distance, 1);
    w->told[k] = (struct told){FORM_DISTANCE, unit, (uint8_t)from, distance, NULL, 0};
    return true;
}

static void try_distances(struct writer *w, enum time_property k, enum time_property from, size_t *least)
{
    uint32_t n;
    int64_t *v = gather(w, k, w->times[from], &n);
    uint8_t unit = to_units(v, n);
    size_t bytes = column_ints_bytes(v, n);
    if (bytes >= *least)
        return;
    *least = bytes;
    w->told[k] = (struct told){FORM_FROM, unit, (uint8_t)from, 0, v, n};
}

static void choose_form(struct writer *w, uint32_t order)
{
    enum time_property k = CHUNK_TIME_ORDER[order];
    if (!w->present[k])
        return;
    uint32_t n;
    int64_t *v = gather(w, k, NULL, &n);
    uint8_t unit = to_units(v, n);
    bool constant = all_same(v, n);
    w->told[k] = (struct told){constant ? FORM_CONSTANT : FORM_COLUMN, unit, 0, v[0], v, n};
    size_t least = constant || n < FEW ? 0 : column_ints_bytes(v, n);
    bool settled = constant || n < FEW || (n >= REGULAR_LEAST && least <= REGULAR_BYTES + n / 64);
    for (uint32_t i = 0; i < order; i++) {
        enum time_property from = CHUNK_TIME_ORDER[i];
        uint8_t form = w->told[from].form;
        bool constant_from = form == FORM_CONSTANT;
        if (form == FORM_ABSENT || form == FORM_DISTANCE || constant != constant_from || !same_presence(w, k, from))
            continue;
        if (try_constant_distance(w, k, from))
            return;
        if (!settled)
            try_distances(w, k, from, &least);
    }
}

static void write_time_column(struct writer *w, enum time_property k)
{
    struct told *t = &w->told[k];
    bool own = t->form == FORM_CONSTANT || t->form == FORM_COLUMN;
    if (own && !w->summary.every[k]) {
        int64_t *there = arena_array(w->arena, int64_t, w->n);
        for (uint32_t i = 0; i < w->n; i++)
            there[i] = w->times[k][i] != TIME_NONE;
        column_ints_write(&w->body, there, w->n);
    }
    for (uint32_t i = 0; i < t->column_n && t->form == FORM_COLUMN; i++)
        t->column[i] = minus(t->column[i], w->summary.first[k] / CHUNK_UNIT_US[t->unit]);
    if (t->form == FORM_COLUMN || t->form == FORM_FROM)
        column_ints_write(&w->body, t->column, t->column_n);
}

/* ---- the change and the index ---- */

static void write_seqs(struct writer *w)
{
    struct chunk_summary *s = &w->summary;
    int64_t *v = arena_array(w->arena, int64_t, w->n);
    s->seq_min = s->seq_max = w->points[0].attr.seq;
    for (uint32_t i = 0; i < w->n; i++) {
        uint64_t seq = w->points[i].attr.seq;
        v[i] = (int64_t)seq;
        s->seq_min = seq < s->seq_min ? seq : s->seq_min;
        s->seq_max = seq > s->seq_max ? seq : s->seq_max;
    }
    for (uint32_t i = 0; i < w->n; i++)
        v[i] = minus(v[i], (int64_t)s->seq_min);
    if (s->seq_min != s->seq_max)
        column_ints_write(&w->body, v, w->n);
}

static void write_indexes(struct writer *w)
{
    int64_t *v = arena_array(w->arena, int64_t, w->n);
    bool any = false;
    for (uint32_t i = 0; i < w->n; i++) {
        v[i] = w->points[i].index;
        any = any || v[i];
    }
    if (any)
        column_ints_write(&w->body, v, w->n);
}

/* ---- values ---- */

static uint8_t class_of(const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case VALUE_NULL:
        return VALUES_NULL;
    case VALUE_BOOL:
        return VALUES_BOOLEAN;
    case VALUE_INT:
    case VALUE_REAL:
        return VALUES_NUMBER;
    case VALUE_STRING:
        return VALUES_STRING;
    case VALUE_JSON:
        return VALUES_JSON;
    case VALUE_GEO:
        return VALUES_GEOMETRY;
    case VALUE_NONE:
        break;
    }
    assert(!"an instance has a value");
    return VALUES_NULL;
}

static void write_kinds(struct writer *w)
{
    int64_t *v = arena_array(w->arena, int64_t, w->n);
    w->summary.numbers = true;
    for (uint32_t i = 0; i < w->n; i++) {
        v[i] = class_of(&w->points[i].attr.value);
        w->summary.numbers =
            w->summary.numbers && v[i] == VALUES_NUMBER && w->points[i].attr.kind == ATTR_PROPERTY;
    }
    w->values = all_same(v, w->n) ? (uint8_t)v[0] : VALUES_MIXED;
    if (w->values == VALUES_MIXED)
        column_ints_write(&w->body, v, w->n);
}

static void write_booleans(struct writer *w)
{
    int64_t *v = arena_array(w->arena, int64_t, w->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->points[i].attr.value.kind == VALUE_BOOL)
            v[n++] = w->points[i].attr.value.boolean;
    column_ints_write(&w->body, v, n);
}

static void sum_up_number(struct number_summary *s, double d)
{
    if (!s->count || d < s->min)
        s->min = d;
    if (!s->count || d > s->max)
        s->max = d;
    s->count++;
    s->sum += d;
    s->sumsq += d * d;
}

static void write_numbers(struct writer *w)
{
    int64_t *bits = arena_array(w->arena, int64_t, w->n);
    uint8_t *whole = arena_array(w->arena, uint8_t, w->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct value *v = &w->points[i].attr.value;
        if (class_of(v) != VALUES_NUMBER)
            continue;
        whole[n] = v->kind == VALUE_INT;
        if (whole[n])
            bits[n] = v->integer;
        else
            memcpy(&bits[n], &v->real, sizeof v->real);
        if (w->summary.numbers)
            sum_up_number(&w->summary.summary, whole[n] ? (double)v->integer : v->real);
        n++;
    }
    column_numbers_write(&w->body, bits, whole, n, w->arena);
}

static void write_texts(struct writer *w)
{
    struct str *texts = arena_array(w->arena, struct str, w->n);
    uint8_t *flags = arena_array(w->arena, uint8_t, w->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct value *v = &w->points[i].attr.value;
        if (v->kind != VALUE_STRING && v->kind != VALUE_JSON)
            continue;
        texts[n] = v->text;
        flags[n++] = v->kind == VALUE_STRING && v->plain;
    }
    column_texts_write(&w->body, texts, flags, n, w->arena);
}

static void write_geometries(struct writer *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++)
        n += w->points[i].attr.value.kind == VALUE_GEO;
    struct value *v = n ? arena_array(w->arena, struct value, n) : NULL;
    n = 0;
    for (uint32_t i = 0; i < w->n && v; i++)
        if (w->points[i].attr.value.kind == VALUE_GEO)
            v[n++] = w->points[i].attr.value;
    column_geometries_write(&w->body, v, n, w->arena);
}

/* ---- shapes ---- */

/* What differs between instances beside the columns: mostly nothing. */
static void write_shapes(struct writer *w)
{
    struct str *shapes = arena_array(w->arena, struct str, w->n);
    uint8_t *flags = arena_zarray(w->arena, uint8_t, w->n);
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    for (uint32_t i = 0; i < w->n; i++) {
        buf_clear(&b);
        point_shape_write(&b, &w->points[i]);
        shapes[i] = i && str_eq(buf_view(&b), shapes[i - 1]) ? shapes[i - 1] : arena_dup(w->arena, buf_view(&b));
    }
    buf_free(&b);
    column_texts_write(&w->body, shapes, flags, w->n, w->arena);
}

/* ---- the header ---- */

static void write_time_header(struct buf *b, const struct writer *w, enum time_property k)
{
    const struct told *t = &w->told[k];
    const struct chunk_summary *s = &w->summary;
    int64_t unit = CHUNK_UNIT_US[t->unit];
    buf_char(b, (char)(t->form | t->unit << UNIT_SHIFT | t->from << FROM_SHIFT | (s->every[k] ? EVERY_BIT : 0)));
    switch ((enum chunk_form)t->form) {
    case FORM_CONSTANT:
    case FORM_DISTANCE:
        varint_write_signed(b, t->constant);
        break;
    case FORM_COLUMN:
        varint_write_signed(b, s->first[k] / unit);
        varint_write(b, ((uint64_t)s->last[k] - (uint64_t)s->first[k]) / (uint64_t)unit);
        break;
    case FORM_FROM:
        varint_write_signed(b, minus(s->first[k], s->first[t->from]));
        varint_write(b, (uint64_t)s->last[k] - (uint64_t)s->first[k]);
        break;
    case FORM_ABSENT:
    case FORM_COUNT:
        break;
    }
}

static void write_places(struct buf *b, const struct writer *w)
{
    const struct chunk_summary *s = &w->summary;
    for (uint8_t k = 0; k < TIME_PROPERTY_COUNT; k++)
        if (s->first[k] == s->first_place && s->last[k] == s->last_place) {
            buf_char(b, (char)k);
            return;
        }
    buf_char(b, PLACES_OWN);
    varint_write_signed(b, s->first_place);
    varint_write(b, (uint64_t)s->last_place - (uint64_t)s->first_place);
}

/* As a whole number of 10^-power where that is exact and short. */
static void write_short_double(struct buf *b, double d, double before)
{
    if (memcmp(&d, &before, sizeof d) == 0) {
        buf_char(b, (char)SHORT_SAME);
        return;
    }
    double power = 1;
    for (int p = 0; p <= SHORT_POWER_MAX; p++, power *= 10) {
        double scaled = d * power;
        if (!(scaled < 1e15 && scaled > -1e15))
            break;
        int64_t m = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
        double again = (double)m / power;
        if (memcmp(&again, &d, sizeof d) == 0) {
            buf_char(b, (char)p);
            varint_write_signed(b, m);
            return;
        }
    }
    buf_char(b, (char)SHORT_RAW);
    column_double_write(b, d);
}

static void write_summary(struct buf *b, const struct writer *w)
{
    const struct number_summary *s = &w->summary.summary;
    buf_char(b, (char)(w->values | (w->summary.numbers ? VALUES_SUMMED : 0)));
    if (!w->summary.numbers)
        return;
    write_short_double(b, s->min, 0);
    write_short_double(b, s->max, s->min);
    write_short_double(b, s->sum, s->max);
    write_short_double(b, s->sumsq, s->sum);
}

static void write_header(struct buf *b, const struct writer *w)
{
    varint_write(b, w->n);
    for (uint32_t i = 0; i < TIME_PROPERTY_COUNT; i++)
        write_time_header(b, w, CHUNK_TIME_ORDER[i]);
    write_places(b, w);
    varint_write(b, w->summary.seq_min);
    varint_write(b, w->summary.seq_max - w->summary.seq_min);
    write_summary(b, w);
    uint32_t there = 0;
    size_t from = 0;
    for (uint32_t k = 0; k < COLUMN_COUNT; from = w->ends[k++])
        there |= (uint32_t)(w->ends[k] > from) << k;
    varint_write(b, there);
    from = 0;
    for (uint32_t k = 0; k < COLUMN_COUNT; from = w->ends[k++])
        if (w->ends[k] > from)
            varint_write(b, w->ends[k] - from);
}

static void write_columns(struct writer *w)
{
    static void (*const WRITE[])(struct writer *) = {
        [COLUMN_SEQ] = write_seqs,         [COLUMN_INDEX] = write_indexes,
        [COLUMN_KINDS] = write_kinds,      [COLUMN_BOOLEANS] = write_booleans,
        [COLUMN_NUMBERS] = write_numbers,  [COLUMN_TEXTS] = write_texts,
        [COLUMN_GEOMETRIES] = write_geometries, [COLUMN_SHAPES] = write_shapes,
    };
    gather_times(w);
    for (uint32_t k = 0; k < TIME_PROPERTY_COUNT; k++)
        sum_up_times(w, (enum time_property)k);
    for (uint32_t i = 0; i < TIME_PROPERTY_COUNT; i++)
        choose_form(w, i);
    for (uint32_t k = 0; k < COLUMN_COUNT; k++) {
        if (k < TIME_PROPERTY_COUNT)
            write_time_column(w, (enum time_property)k);
        else
            WRITE[k](w);
        w->ends[k] = w->body.n;
    }
    w->summary.first_place = point_place(&w->points[0]);
    w->summary.last_place = point_place(&w->points[w->n - 1]);
}

void chunk_write(struct buf *b, const struct point *points, uint32_t n)
{
    assert(n >= 1 && n <= CHUNK_POINTS_MAX);
    struct writer w = {.arena = arena_new(0), .points = points, .n = n};
    struct buf header;
    buf_init(&w.body, SIZE_MAX / 2);
    buf_init(&header, 4096);
    write_columns(&w);
    write_header(&header, &w);
    size_t from = b->n;
    buf_char(b, CHUNK_VERSION);
    varint_write(b, header.n);
    buf_str(b, buf_view(&header));
    if (!b->full)
        buf_le32(b, crc32c(0, b->p + from, b->n - from));
    buf_str(b, buf_view(&w.body));
    if (!b->full)
        buf_le32(b, crc32c(0, b->p + from, b->n - from));
    buf_free(&header);
    buf_free(&w.body);
    arena_free(w.arena);
}
