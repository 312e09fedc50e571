/* Whole instances of a chunk: all its columns, side by side. */
#include "store/embedded/history_chunk_int.h"

#include "model/doc.h"

#include <string.h>

enum { SUBS_BYTES_MAX = 256 << 20 }; /* of what a chunk of CHUNK_BYTES_MAX may become in memory */

struct reader {
    const struct chunk *c;
    uint32_t n;
    uint32_t term_max;
    struct arena *arena; /* of the result */
    struct point *out;
};

/* ---- times, change, index ---- */

static bool read_times(const struct reader *r)
{
    int64_t t[CHUNK_POINTS_MAX];
    for (uint32_t k = 0; k < TIME_PROPERTY_COUNT; k++) {
        if (chunk_times(r->c, (enum time_property)k, t, NULL) != OK)
            return false;
        for (uint32_t i = 0; i < r->n; i++) {
            struct point *p = &r->out[i];
            int64_t *to[] = {[TIME_OBSERVED_AT] = &p->attr.observed_at,
                             [TIME_CREATED_AT] = &p->attr.created_at,
                             [TIME_MODIFIED_AT] = &p->attr.modified_at,
                             [TIME_DELETED_AT] = &p->deleted_at};
            *to[k] = t[i];
        }
    }
    return true;
}

static bool read_identities(const struct reader *r)
{
    int64_t v[CHUNK_POINTS_MAX];
    if (!chunk_read_seqs(r->c, v))
        return false;
    for (uint32_t i = 0; i < r->n; i++)
        r->out[i].attr.seq = (uint64_t)v[i];
    if (!chunk_read_indexes(r->c, v))
        return false;
    for (uint32_t i = 0; i < r->n; i++)
        r->out[i].index = (uint32_t)v[i];
    return true;
}

/* ---- values ---- */

/* Classes to kinds of values; the column of numbers tells which of them are integers. */
static bool read_kinds(const struct reader *r)
{
    static const uint8_t KIND[VALUES_COUNT] = {VALUE_NULL, VALUE_BOOL, VALUE_REAL, VALUE_STRING, VALUE_JSON, VALUE_GEO};
    int64_t v[CHUNK_POINTS_MAX];
    struct column_source s = {.rest = r->c->columns[COLUMN_KINDS]};
    bool mixed = r->c->values == VALUES_MIXED;
    if (mixed && !column_ints_read(&s, r->n, v))
        return false;
    for (uint32_t i = 0; i < r->n; i++) {
        uint64_t class = mixed ? (uint64_t)v[i] : r->c->values;
        if (class >= VALUES_COUNT)
            return false;
        r->out[i].attr.value.kind = KIND[class];
    }
    return !s.rest.n;
}

static uint32_t count_of(const struct reader *r, uint8_t kind, uint8_t or_kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n; i++)
        n += r->out[i].attr.value.kind == kind || r->out[i].attr.value.kind == or_kind;
    return n;
}

static bool read_booleans(const struct reader *r)
{
    int64_t v[CHUNK_POINTS_MAX];
    struct column_source s = {.rest = r->c->columns[COLUMN_BOOLEANS]};
    uint32_t n = 0;
    if (!column_ints_read(&s, count_of(r, VALUE_BOOL, VALUE_BOOL), v) || s.rest.n)
        return false;
    for (uint32_t i = 0; i < r->n; i++) {
        struct value *to = &r->out[i].attr.value;
        if (to->kind != VALUE_BOOL)
            continue;
        if ((uint64_t)v[n] > 1)
            return false;
        to->boolean = v[n++];
    }
    return true;
}

static bool read_numbers(const struct reader *r)
{
    int64_t bits[CHUNK_POINTS_MAX];
    uint8_t whole[CHUNK_POINTS_MAX];
    struct column_source s = {.rest = r->c->columns[COLUMN_NUMBERS]};
    uint32_t n = 0;
    if (!column_numbers_read(&s, count_of(r, VALUE_REAL, VALUE_REAL), bits, whole) || s.rest.n)
        return false;
    for (uint32_t i = 0; i < r->n; i++) {
        struct value *to = &r->out[i].attr.value;
        if (to->kind != VALUE_REAL)
            continue;
        to->kind = whole[n] ? VALUE_INT : VALUE_REAL;
        to->integer = bits[n++]; /* a double's bits too */
    }
    return true;
}

static bool read_texts(const struct reader *r)
{
    struct str texts[CHUNK_POINTS_MAX];
    uint8_t flags[CHUNK_POINTS_MAX];
    struct column_source s = {.rest = r->c->columns[COLUMN_TEXTS]};
    uint32_t n = 0;
    if (!column_texts_read(&s, count_of(r, VALUE_STRING, VALUE_JSON), r->arena, texts, flags, NULL) || s.rest.n)
        return false;
    for (uint32_t i = 0; i < r->n; i++) {
        struct value *to = &r->out[i].attr.value;
        if (to->kind != VALUE_STRING && to->kind != VALUE_JSON)
            continue;
        if (flags[n] && to->kind != VALUE_STRING)
            return false;
        to->plain = flags[n];
        to->text = texts[n++];
    }
    return true;
}

static bool read_geometries(const struct reader *r)
{
    struct column_source s = {.rest = r->c->columns[COLUMN_GEOMETRIES]};
    uint32_t n = count_of(r, VALUE_GEO, VALUE_GEO);
    struct value *v = n ? arena_array(r->arena, struct value, n) : NULL;
    if (!column_geometries_read(&s, n, r->arena, v) || s.rest.n)
        return false;
    n = 0;
    for (uint32_t i = 0; i < r->n; i++)
        if (r->out[i].attr.value.kind == VALUE_GEO)
            r->out[i].attr.value = v[n++];
    return true;
}

/* ---- shapes ---- */

static bool read_shape(const struct reader *r, struct str bytes, struct point *p)
{
    return point_shape_read(&bytes, r->term_max, r->arena, p, NULL) == OK && !bytes.n;
}

/* What a shape gives every instance alike; what holds times is read for each. */
static void copy_shape(const struct attr *from, struct attr *to)
{
    to->kind = from->kind;
    to->unit_code = from->unit_code;
    to->value_type = from->value_type;
    to->object_type = from->object_type;
    to->expires_at = TIME_NONE;
    to->subs = NULL;
    to->sub_count = 0;
}

static bool read_shapes(const struct reader *r)
{
    struct str shapes[CHUNK_POINTS_MAX];
    uint8_t flags[CHUNK_POINTS_MAX];
    uint32_t which[CHUNK_POINTS_MAX];
    struct column_source s = {.rest = r->c->columns[COLUMN_SHAPES]};
    if (!column_texts_read(&s, r->n, r->arena, shapes, flags, which) || s.rest.n)
        return false;
    size_t before = arena_bytes(r->arena);
    for (uint32_t i = 0; i < r->n; i++) {
        struct point *p = &r->out[i], *last = i ? p - 1 : NULL;
        if (last && which[i] == which[i - 1] && !last->attr.sub_count && last->attr.expires_at == TIME_NONE)
            copy_shape(&last->attr, &p->attr);
        else if (!read_shape(r, shapes[i], p) || arena_bytes(r->arena) - before > SUBS_BYTES_MAX)
            return false;
    }
    return true;
}

enum status chunk_points(const struct chunk *c, uint32_t term, struct str dataset, uint32_t term_max, struct arena *a,
                         struct point *out, struct why *why)
{
    struct reader r = {.c = c, .n = c->summary.count, .term_max = term_max, .arena = a, .out = out};
    for (uint32_t i = 0; i < r.n; i++)
        out[i] = (struct point){.attr = {.term = term, .dataset = dataset}};
    if (!read_times(&r) || !read_identities(&r) || !read_kinds(&r) || !read_booleans(&r) || !read_numbers(&r) ||
        !read_texts(&r) || !read_geometries(&r) || !read_shapes(&r))
        return why_set(why, E_DAMAGED, NULL, "a chunk of the history is damaged: its instances are not what was written");
    return OK;
}
