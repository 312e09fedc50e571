/* Instances as bytes; docs/formats/history.md draws them. Whole numbers are LEB128, signed ones zigzagged before; times
 * are distances, so that they are short. */
#include "model/evolution.h"

#include "base/varint.h"
#include "model/doc.h"

#include <math.h>
#include <string.h>

/* What follows, as bits of a mask. */
enum {
    HAS_DATASET = 1,
    HAS_UNIT_CODE = 2,
    HAS_VALUE_TYPE = 4,
    HAS_OBJECT_TYPE = 8,
    HAS_OBSERVED_AT = 16,
    HAS_EXPIRES_AT = 32,
    HAS_SUBS = 64,
    HAS_DELETED_AT = 128,
    HAS_FLAG = 256, /* a Boolean's value; a string is plain; a geometry is a point */
    HAS_ALL = 511,
};

/* ---- writing ---- */

/* Wraps around, as the reader does. */
static void write_time(struct buf *b, int64_t us, int64_t from)
{
    varint_write_signed(b, (int64_t)((uint64_t)us - (uint64_t)from));
}

static void write_double(struct buf *b, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    buf_le64(b, bits);
}

static void write_value(struct buf *b, const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case VALUE_INT:
        varint_write_signed(b, v->integer);
        break;
    case VALUE_REAL:
        write_double(b, v->real);
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        varint_write_text(b, v->text);
        break;
    case VALUE_GEO:
        write_double(b, v->box.west);
        write_double(b, v->box.south);
        if (!v->point) {
            write_double(b, v->box.east);
            write_double(b, v->box.north);
        }
        varint_write_text(b, v->text);
        break;
    case VALUE_NONE:
    case VALUE_NULL:
    case VALUE_BOOL:
        break;
    }
}

static bool value_flag(const struct value *v)
{
    return (v->kind == VALUE_BOOL && v->boolean) || (v->kind == VALUE_STRING && v->plain) ||
           (v->kind == VALUE_GEO && v->point);
}

static uint32_t mask_of(const struct attr *a)
{
    return (a->unit_code.p ? HAS_UNIT_CODE : 0) | (a->value_type.p ? HAS_VALUE_TYPE : 0) |
           (a->object_type.p ? HAS_OBJECT_TYPE : 0) | (a->expires_at != TIME_NONE ? HAS_EXPIRES_AT : 0) |
           (a->sub_count ? HAS_SUBS : 0);
}

static void write_sub(struct buf *b, const struct attr *a, int64_t from_us, uint64_t seq);

/* Members that a shape has: those that mask_of() names. */
static void write_members(struct buf *b, const struct attr *a)
{
    if (a->unit_code.p)
        varint_write_text(b, a->unit_code);
    if (a->value_type.p)
        varint_write_text(b, a->value_type);
    if (a->object_type.p)
        varint_write_text(b, a->object_type);
    if (a->expires_at != TIME_NONE)
        write_time(b, a->expires_at, a->modified_at);
    if (a->sub_count)
        varint_write(b, a->sub_count);
    for (uint32_t i = 0; i < a->sub_count; i++)
        write_sub(b, &a->subs[i], a->modified_at, a->seq);
}

/* All of an instance but what is its place in a series; from_us, seq: what times and the change are told from. */
static void write_attr(struct buf *b, const struct attr *a, int64_t deleted_at, int64_t from_us, uint64_t seq)
{
    uint32_t mask = mask_of(a) | (a->dataset.n ? HAS_DATASET : 0) | (a->observed_at != TIME_NONE ? HAS_OBSERVED_AT : 0) |
                    (deleted_at != TIME_NONE ? HAS_DELETED_AT : 0) | (value_flag(&a->value) ? HAS_FLAG : 0);
    buf_char(b, (char)(a->kind | a->value.kind << 4));
    varint_write(b, mask);
    varint_write(b, a->term);
    write_time(b, a->modified_at, from_us);
    write_time(b, a->created_at, a->modified_at);
    write_time(b, (int64_t)a->seq, (int64_t)seq);
    if (a->dataset.n)
        varint_write_text(b, a->dataset);
    if (a->observed_at != TIME_NONE)
        write_time(b, a->observed_at, a->modified_at);
    if (deleted_at != TIME_NONE)
        write_time(b, deleted_at, a->modified_at);
    write_value(b, &a->value);
    write_members(b, a);
}

static void write_sub(struct buf *b, const struct attr *a, int64_t from_us, uint64_t seq)
{
    write_attr(b, a, TIME_NONE, from_us, seq);
}

void point_write(struct buf *b, const struct point *p)
{
    write_attr(b, &p->attr, p->deleted_at, 0, 0);
    varint_write(b, p->index);
}

void point_shape_write(struct buf *b, const struct point *p)
{
    buf_char(b, (char)p->attr.kind);
    varint_write(b, mask_of(&p->attr));
    write_members(b, &p->attr);
}

/* ---- reading ---- */

struct source {
    struct str rest;
    struct arena *arena;
    uint32_t term_max;
    bool bad; /* cut off, or not what was written */
};

static uint64_t read_uint(struct source *s)
{
    uint64_t v;
    s->bad = !varint_take(&s->rest, &v) || s->bad;
    return v;
}

static int64_t read_int(struct source *s)
{
    return varint_unzigzag(read_uint(s));
}

static int64_t read_time(struct source *s, int64_t from)
{
    return (int64_t)((uint64_t)read_int(s) + (uint64_t)from);
}

static struct str read_text(struct source *s)
{
    struct str text = STR("");
    s->bad = !varint_take_text(&s->rest, &text) || s->bad;
    return text;
}

static double read_double(struct source *s)
{
    double d;
    if (s->rest.n < sizeof d) {
        s->bad = true;
        return 0;
    }
    memcpy(&d, s->rest.p, sizeof d);
    s->rest = str_from(s->rest, sizeof d);
    s->bad = s->bad || !isfinite(d);
    return d;
}

static void read_geometry(struct source *s, bool point, struct value *v)
{
    v->point = point;
    v->box.west = v->box.east = read_double(s);
    v->box.south = v->box.north = read_double(s);
    if (!point) {
        v->box.east = read_double(s);
        v->box.north = read_double(s);
    }
    v->text = read_text(s);
}

static struct value read_value(struct source *s, uint8_t kind, bool flag)
{
    struct value v = {.kind = kind};
    switch ((enum value_kind)kind) {
    case VALUE_BOOL:
        v.boolean = flag;
        break;
    case VALUE_INT:
        v.integer = read_int(s);
        break;
    case VALUE_REAL:
        v.real = read_double(s);
        break;
    case VALUE_STRING:
        v.plain = flag;
        v.text = read_text(s);
        break;
    case VALUE_JSON:
        v.text = read_text(s);
        break;
    case VALUE_GEO:
        read_geometry(s, flag, &v);
        break;
    case VALUE_NULL:
        break;
    case VALUE_NONE:
    default:
        s->bad = true;
    }
    bool flagged = kind == VALUE_BOOL || kind == VALUE_STRING || kind == VALUE_GEO;
    s->bad = s->bad || (flag && !flagged);
    return v;
}

static void read_attr(struct source *s, uint32_t depth, int64_t from_us, uint64_t seq, struct attr *a, int64_t *deleted_at);

static void read_subs(struct source *s, uint32_t depth, struct attr *a)
{
    uint64_t n = read_uint(s);
    if (n == 0 || n > s->rest.n || depth == DOC_DEPTH_MAX) { /* each takes a byte at least */
        s->bad = true;
        return;
    }
    a->subs = arena_zarray(s->arena, struct attr, (size_t)n);
    a->sub_count = (uint32_t)n;
    for (uint32_t i = 0; i < a->sub_count && !s->bad; i++) {
        int64_t none;
        read_attr(s, depth + 1, a->modified_at, a->seq, &a->subs[i], &none);
        s->bad = s->bad || none != TIME_NONE || a->subs[i].term == TERM_SCOPE;
        if (i)
            s->bad = s->bad || attr_order(&a->subs[i - 1], &a->subs[i]) >= 0;
    }
}

static void read_members(struct source *s, uint32_t depth, uint32_t mask, struct attr *a)
{
    a->unit_code = mask & HAS_UNIT_CODE ? read_text(s) : STR_NONE;
    a->value_type = mask & HAS_VALUE_TYPE ? read_text(s) : STR_NONE;
    a->object_type = mask & HAS_OBJECT_TYPE ? read_text(s) : STR_NONE;
    a->expires_at = mask & HAS_EXPIRES_AT ? read_time(s, a->modified_at) : TIME_NONE;
    a->sub_count = 0;
    a->subs = NULL;
    if (mask & HAS_SUBS && !s->bad)
        read_subs(s, depth, a);
}

static uint8_t read_byte(struct source *s)
{
    if (!s->rest.n) {
        s->bad = true;
        return 0;
    }
    uint8_t c = (uint8_t)s->rest.p[0];
    s->rest = str_from(s->rest, 1);
    return c;
}

static void read_attr(struct source *s, uint32_t depth, int64_t from_us, uint64_t seq, struct attr *a,
                      int64_t *deleted_at)
{
    uint8_t kinds = read_byte(s);
    uint64_t mask = read_uint(s), term = read_uint(s);
    *a = (struct attr){.kind = kinds & 15, .term = (uint32_t)term};
    s->bad = s->bad || a->kind == ATTR_UNKNOWN || a->kind >= ATTR_KIND_COUNT || mask > HAS_ALL || term > s->term_max;
    a->modified_at = read_time(s, from_us);
    a->created_at = read_time(s, a->modified_at);
    a->seq = (uint64_t)read_time(s, (int64_t)seq);
    a->dataset = mask & HAS_DATASET ? read_text(s) : STR("");
    a->observed_at = mask & HAS_OBSERVED_AT ? read_time(s, a->modified_at) : TIME_NONE;
    *deleted_at = mask & HAS_DELETED_AT ? read_time(s, a->modified_at) : TIME_NONE;
    a->value = read_value(s, kinds >> 4, mask & HAS_FLAG);
    if (!s->bad)
        read_members(s, depth, (uint32_t)mask, a);
}

static enum status outcome(const struct source *s, struct why *why)
{
    return s->bad ? why_set(why, E_DAMAGED, NULL, "an instance in the history is not what was written") : OK;
}

enum status point_read(struct str *bytes, uint32_t term_max, struct arena *a, struct point *out, struct why *why)
{
    struct source s = {.rest = *bytes, .arena = a, .term_max = term_max};
    read_attr(&s, 0, 0, 0, &out->attr, &out->deleted_at);
    uint64_t index = s.bad ? 0 : read_uint(&s);
    out->index = (uint32_t)index;
    s.bad = s.bad || index > UINT32_MAX;
    *bytes = s.rest;
    return outcome(&s, why);
}

enum status point_shape_read(struct str *bytes, uint32_t term_max, struct arena *a, struct point *out, struct why *why)
{
    struct source s = {.rest = *bytes, .arena = a, .term_max = term_max};
    out->attr.kind = read_byte(&s);
    uint64_t mask = s.bad ? 0 : read_uint(&s);
    uint64_t known = HAS_UNIT_CODE | HAS_VALUE_TYPE | HAS_OBJECT_TYPE | HAS_EXPIRES_AT | HAS_SUBS;
    s.bad = s.bad || out->attr.kind == ATTR_UNKNOWN || out->attr.kind >= ATTR_KIND_COUNT || mask & ~known;
    if (!s.bad)
        read_members(&s, 0, (uint32_t)mask, &out->attr);
    *bytes = s.rest;
    return outcome(&s, why);
}
