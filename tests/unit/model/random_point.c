/* See random_point.h: times of every manner, and values that take every way of coding them. */
#include "random_point.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define TERM 3

static bool one_in(struct random *r, uint32_t n)
{
    return random_below(r, n) == 0;
}

/* ---- times ---- */

enum manner { ABSENT, SAME, REGULAR, JITTERED, GAPS, WILD, MANNERS };

struct times {
    enum manner manner;
    bool some; /* have none */
    int64_t unit, step, at;
};

static struct times random_times(struct random *r)
{
    static const int64_t UNITS[] = {1, 1000, 1000000, 60000000};
    struct times t = {.manner = (enum manner)random_below(r, MANNERS), .some = one_in(r, 5)};
    t.unit = UNITS[random_below(r, 4)];
    t.step = t.unit * (1 + (int64_t)random_below(r, 90));
    t.at = RANDOM_TIME / 60000000 * 60000000 + t.unit * (int64_t)random_below(r, 1000);
    return t;
}

static int64_t next_time(struct random *r, struct times *t)
{
    static const int64_t FAR[] = {INT64_MAX, INT64_MIN + 1, 0, -1};
    if (t->manner == ABSENT || (t->some && one_in(r, 3)))
        return TIME_NONE;
    if (t->manner == WILD)
        return one_in(r, 20) ? FAR[random_below(r, 4)] : RANDOM_TIME + (int64_t)(random_next(r) >> 20);
    if (t->manner != SAME)
        t->at += t->step;
    if (t->manner == GAPS && one_in(r, 30))
        t->at += t->unit * (int64_t)random_below(r, 1 << 20);
    return t->at + (t->manner == JITTERED ? t->unit * (int64_t)random_below(r, 40) : 0);
}

struct clocks {
    struct times of[TIME_PROPERTY_COUNT];
    int64_t apart;
    bool follow; /* created is modified, observed is a constant before it */
};

static void set_times(struct random *r, struct clocks *c, struct point *p)
{
    p->attr.modified_at = next_time(r, &c->of[TIME_MODIFIED_AT]);
    p->attr.created_at = c->follow ? p->attr.modified_at : next_time(r, &c->of[TIME_CREATED_AT]);
    p->attr.observed_at = next_time(r, &c->of[TIME_OBSERVED_AT]);
    if (c->follow)
        p->attr.observed_at = p->attr.modified_at == TIME_NONE ? TIME_NONE : p->attr.modified_at / 2 - c->apart;
    if (c->follow && p->attr.observed_at != TIME_NONE)
        p->attr.observed_at = p->attr.modified_at < INT64_MIN + c->apart + 1 ? p->attr.modified_at
                                                                            : p->attr.modified_at - c->apart;
    p->deleted_at = next_time(r, &c->of[TIME_DELETED_AT]);
}

/* ---- values ---- */

static struct value text_value(uint8_t kind, struct str text, bool plain)
{
    return (struct value){.kind = kind, .plain = plain, .text = text};
}

static struct value real(double d)
{
    return (struct value){.kind = VALUE_REAL, .real = d};
}

static struct value integer(int64_t v)
{
    return (struct value){.kind = VALUE_INT, .integer = v};
}

static double random_double(struct random *r)
{
    for (;;) {
        uint64_t bits = random_next(r);
        double d;
        memcpy(&d, &bits, sizeof d);
        if (isfinite(d))
            return d;
    }
}

static struct value random_extreme(struct random *r)
{
    static const double REALS[] = {0,        -0.0,     DBL_MAX,          -DBL_MAX, DBL_MIN, 4.9406564584124654e-324,
                                   1e308,    1e-308,   9007199254740993.0, 0.1,      1e22,    -1e15,
                                   1e-15,    123456.7, 9007199254740992, 0.3,      2.5e-7,  1.7976931348623157e308,
                                   -1e-300, 1.0 / 3};
    static const int64_t INTEGERS[] = {INT64_MAX, INT64_MIN, INT64_MAX - 1, 9007199254740993, -9007199254740993, 0, -1, 7};
    if (one_in(r, 3))
        return integer(INTEGERS[random_below(r, 8)]);
    return one_in(r, 4) ? real(random_double(r)) : real(REALS[random_below(r, 20)]);
}

struct maker {
    enum random_values values;
    uint32_t digits;
    int64_t at, x, y;
    uint32_t manner;
};

static const double POWER[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static struct value random_decimal(struct random *r, struct maker *m)
{
    m->at += (int64_t)random_below(r, 7) - 3;
    double d = (double)m->at / POWER[m->digits];
    if (m->manner == 1 && one_in(r, 100))
        return real(1.0 / (1 + random_below(r, 1000)));
    if (m->manner == 2 && one_in(r, 200))
        return real(-0.0);
    if (m->manner >= 3 && d == floor(d)) /* as JSON readers see "20" among "20.5" */
        return integer((int64_t)d);
    return m->manner == 5 && one_in(r, 50) ? integer(INT64_MAX - random_below(r, 9)) : real(d);
}

static struct value random_place(struct random *r, struct arena *a, struct maker *m)
{
    m->x += (int64_t)random_below(r, 2001) - 1000;
    m->y += (int64_t)random_below(r, 2001) - 1000;
    double x = (double)m->x / 1e6, y = (double)m->y / 1e6;
    struct buf b;
    buf_init(&b, 512);
    buf_lit(&b, "{\"type\":\"Point\",\"coordinates\":[");
    buf_double(&b, x);
    buf_char(&b, ',');
    buf_double(&b, y);
    if (m->manner == 1)
        buf_printf(&b, ",%d", (int)random_below(r, 9));
    if (m->manner == 2 && one_in(r, 20))
        buf_lit(&b, ".0");
    buf_str(&b, m->manner == 3 ? STR("],\"bbox\":[1,2]}") : STR("]}"));
    struct value v = text_value(VALUE_GEO, arena_dup(a, buf_view(&b)), false);
    buf_free(&b);
    v.point = m->manner != 4;
    v.box = (struct box){x, y, x, y};
    if (!v.point)
        v.box.north += 0.5;
    return v;
}

static void random_position(struct random *r, struct maker *m, struct buf *b, struct box *box)
{
    m->x += (int64_t)random_below(r, 201) - 100;
    m->y += (int64_t)random_below(r, 201) - 100;
    double x = m->manner == 4 ? random_double(r) : (double)m->x / 1e6, y = (double)m->y / 1e6;
    box->west = x < box->west ? x : box->west;
    box->east = x > box->east ? x : box->east;
    box->south = y < box->south ? y : box->south;
    box->north = y > box->north ? y : box->north;
    buf_char(b, '[');
    buf_double(b, x);
    buf_char(b, ',');
    buf_double(b, y);
    if (m->manner == 1 || (m->manner == 2 && one_in(r, 50)))
        buf_lit(b, ",12.5");
    if (m->manner == 3 && one_in(r, 50))
        buf_lit(b, "0"); /* not as we write it */
    buf_char(b, ']');
}

/* Arrays in arrays of positions; now and then none. */
static void random_array(struct random *r, struct maker *m, unsigned depth, struct buf *b, struct box *box)
{
    if (depth == 1) {
        random_position(r, m, b, box);
        return;
    }
    uint32_t n = 1 + random_below(r, depth == 2 ? 12 : 3);
    buf_char(b, '[');
    for (uint32_t i = m->manner == 5 && one_in(r, 100) ? n : 0; i < n; i++) {
        random_array(r, m, depth - 1, b, box);
        if (i + 1 < n)
            buf_char(b, ',');
    }
    buf_char(b, ']');
}

static struct value random_figure(struct random *r, struct arena *a, struct maker *m)
{
    static const char *const TYPES[] = {"Point", "MultiPoint", "Polygon", "MultiPolygon", "Beyond"};
    unsigned depth = 1 + random_below(r, m->manner == 5 ? 5 : 4);
    struct box box = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    struct buf b;
    if (one_in(r, 4)) { /* the same again */
        m->x = m->at * 1000;
        m->y = m->at;
    }
    buf_init(&b, 1 << 20);
    buf_printf(&b, "{\"type\":\"%s\",\"coordinates\":", TYPES[depth - 1]);
    random_array(r, m, depth, &b, &box);
    buf_str(&b, m->manner == 2 && one_in(r, 3) ? STR(",\"bbox\":[1,2]}") : STR("}"));
    struct value v = text_value(VALUE_GEO, arena_dup(a, buf_view(&b)), false);
    buf_free(&b);
    v.point = depth == 1;
    v.box = isinf(box.west) || (m->manner == 5 && one_in(r, 50)) ? (struct box){-1, -0.0, 0.0, 1} : box;
    return v;
}

static struct value value_of(struct random *r, struct arena *a, struct maker *m)
{
    switch (m->values) {
    case RANDOM_DECIMALS:
        return random_decimal(r, m);
    case RANDOM_COUNTS:
        return integer(random_below(r, 200));
    case RANDOM_DOUBLES:
        return real(20 + sin((double)(m->at += 1)) * 5);
    case RANDOM_EXTREMES:
        return random_extreme(r);
    case RANDOM_BOOLEANS:
        return (struct value){.kind = VALUE_BOOL, .boolean = one_in(r, 3)};
    case RANDOM_STRINGS:
        return text_value(VALUE_STRING, arena_printf(a, "state%u", random_below(r, m->manner > 2 ? 5 : 100000)),
                          m->manner == 1 || one_in(r, 4));
    case RANDOM_JSON:
        return text_value(VALUE_JSON, arena_printf(a, "{\"load\":%u,\"lanes\":[%u,null]}", random_below(r, 900),
                                                   random_below(r, 3)), false);
    case RANDOM_PLACES:
        return random_place(r, a, m);
    case RANDOM_FIGURES:
        return random_figure(r, a, m);
    case RANDOM_ANY:
    case RANDOM_VALUES_COUNT:
        break;
    }
    struct maker other = *m;
    other.values = (enum random_values)random_below(r, RANDOM_ANY);
    return value_of(r, a, &other);
}

/* ---- instances ---- */

/* Kind and members as an attribute of a random entity has them. */
static struct attr random_shape(struct random *r, struct arena *a)
{
    struct entity e;
    do {
        random_entity(r, a, 1 + random_next(r) % 1000000, &e);
    } while (!e.attr_count);
    return e.attrs[random_below(r, e.attr_count)];
}

static int by_order(const void *a, const void *b)
{
    return point_order(a, b);
}

static void set_members(struct random *r, struct arena *a, uint32_t manner, const struct attr *common, struct attr *out)
{
    struct attr own = *common;
    if (manner == 0) {
        own = (struct attr){.kind = ATTR_PROPERTY, .expires_at = TIME_NONE};
    } else if (manner == 3 && one_in(r, 3)) {
        own = random_shape(r, a);
    } else if (manner == 2) { /* a sub-attribute that came with the instance */
        own.subs = arena_array(a, struct attr, 1);
        own.sub_count = 1;
        own.subs[0] = (struct attr){.term = 1,
                                    .kind = ATTR_PROPERTY,
                                    .dataset = STR(""),
                                    .value = integer(5),
                                    .observed_at = TIME_NONE,
                                    .expires_at = TIME_NONE,
                                    .created_at = out->modified_at,
                                    .modified_at = out->modified_at,
                                    .seq = out->seq};
    }
    out->kind = own.kind;
    out->unit_code = own.unit_code;
    out->value_type = own.value_type;
    out->object_type = own.object_type;
    out->expires_at = own.expires_at;
    out->subs = own.subs;
    out->sub_count = own.sub_count;
}

struct point *random_points(struct random *r, struct arena *a, enum random_values values, uint32_t n)
{
    struct clocks c = {.apart = 1 + (int64_t)random_below(r, 5000), .follow = one_in(r, 3)};
    for (int k = 0; k < TIME_PROPERTY_COUNT; k++)
        c.of[k] = random_times(r);
    struct maker m = {.values = values, .digits = random_below(r, 7), .at = 200 + random_below(r, 9), .x = 117000000,
                      .y = 36650000, .manner = random_below(r, 6)};
    uint32_t members = random_below(r, 4);
    struct attr common = random_shape(r, a);
    struct str dataset = one_in(r, 2) ? STR("") : STR("urn:d:1");
    bool one_change = one_in(r, 4), deletions = one_in(r, 4);
    uint64_t seq = 1 + (random_next(r) >> random_below(r, 60)) / 2;
    struct point *points = arena_array(a, struct point, n);
    for (uint32_t i = 0; i < n; i++) {
        struct point *p = &points[i];
        *p = (struct point){.attr = {.term = TERM, .dataset = dataset}};
        set_times(r, &c, p);
        seq += one_change ? 0 : 1 + (one_in(r, 2) ? 0 : random_below(r, 1000));
        p->attr.seq = seq;
        p->index = one_change ? i : one_in(r, 50) ? random_below(r, 3) : 0;
        p->attr.value = value_of(r, a, &m);
        if (deletions && one_in(r, 40))
            p->attr.value = (struct value){.kind = VALUE_NULL};
        set_members(r, a, members, &common, &p->attr);
    }
    qsort(points, n, sizeof *points, by_order);
    return points;
}

bool point_same(const struct point *a, const struct point *b)
{
    struct attr x = a->attr, y = b->attr;
    struct entity one = {.attr_count = 1, .attrs = &x}, other = {.attr_count = 1, .attrs = &y};
    return tree_same(&one, &other) && a->index == b->index && a->deleted_at == b->deleted_at;
}
