/* The nearest points of two shapes in a plane: segment by segment, where the boxes around
 * facets of up to 8 segments leave a chance. (GEOS offers the same; 3.11 crashes on lines
 * without length.)
 *
 * Cost: boxes of all facets against all, some 2 ns each, plus the segments of few. */
#include "model/geometry_int.h"

#include <math.h>
#include <stdlib.h>

enum { FACET_SEGMENTS = 8 };

static void add_facet(struct geometry_facets *f, uint32_t from, uint32_t to)
{
    if (f->count == f->room) {
        f->room = f->room ? f->room * 2 : 8;
        f->facets = mem_realloc(f->facets, f->room * sizeof *f->facets);
    }
    struct geometry_facet *facet = &f->facets[f->count++];
    *facet = (struct geometry_facet){GEOMETRY_BOX_EMPTY, from, to};
    for (uint32_t i = from; i < to; i++)
        geometry_box_add(&facet->box, f->shape.positions[i]);
}

void geometry_facets_make(struct geometry_facets *f)
{
    const struct geometry_shape *s = &f->shape;
    f->count = 0;
    for (uint32_t line = 0, from = 0; line < s->line_count; from = s->line_ends[line++]) {
        uint32_t end = s->line_ends[line], shared = geometry_has_lines(s) ? 1 : 0;
        for (uint32_t i = from; i + shared < end; i += FACET_SEGMENTS) {
            uint32_t to = i + FACET_SEGMENTS + shared;
            add_facet(f, i, to < end ? to : end);
        }
    }
}

void geometry_facets_free(struct geometry_facets *f)
{
    geometry_shape_free(&f->shape);
    free(f->facets);
}

static double square(double x)
{
    return x * x;
}

/* Between two points; between two boxes. Squared, as all distances here. */
static double apart(struct position a, struct position b)
{
    return square(a.lon - b.lon) + square(a.lat - b.lat);
}

static double boxes_apart(struct box a, struct box b)
{
    double x = fmax(0, fmax(a.west - b.east, b.west - a.east));
    double y = fmax(0, fmax(a.south - b.north, b.south - a.north));
    return square(x) + square(y);
}

struct best {
    double distance;
    struct position p, q; /* of the first shape and of the second */
};

static void offer(struct best *best, struct position p, struct position q)
{
    double d = apart(p, q);
    if (d < best->distance)
        *best = (struct best){d, p, q};
}

/* The point of segment ab that is nearest to q. */
static struct position foot(struct position a, struct position b, struct position q)
{
    double x = b.lon - a.lon, y = b.lat - a.lat, length = x * x + y * y;
    if (!(length > 0))
        return a;
    double t = ((q.lon - a.lon) * x + (q.lat - a.lat) * y) / length;
    t = fmin(1, fmax(0, t));
    return (struct position){a.lon + x * t, a.lat + y * t};
}

static double side(struct position a, struct position b, struct position q)
{
    return (b.lon - a.lon) * (q.lat - a.lat) - (b.lat - a.lat) * (q.lon - a.lon);
}

/* Does each of the two have the other's ends on different sides? */
static bool cross(struct position a, struct position b, struct position c, struct position d)
{
    return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

static void try_segments(struct best *best, const struct position *p, const struct position *q)
{
    if (cross(p[0], p[1], q[0], q[1])) {
        *best = (struct best){0, p[0], p[0]};
        return;
    }
    for (int i = 0; i < 2; i++) {
        offer(best, foot(p[0], p[1], q[i]), q[i]);
        offer(best, p[i], foot(q[0], q[1], p[i]));
    }
}

static void try_facets(struct best *best, const struct geometry_facets *a,
                       const struct geometry_facet *x, const struct geometry_facets *b,
                       const struct geometry_facet *y)
{
    bool a_lines = geometry_has_lines(&a->shape), b_lines = geometry_has_lines(&b->shape);
    for (uint32_t i = x->from; i + a_lines < x->to; i++) {
        const struct position *p = &a->shape.positions[i];
        for (uint32_t j = y->from; j + b_lines < y->to; j++) {
            const struct position *q = &b->shape.positions[j];
            if (a_lines && b_lines)
                try_segments(best, p, q);
            else if (a_lines)
                offer(best, foot(p[0], p[1], *q), *q);
            else if (b_lines)
                offer(best, *p, foot(q[0], q[1], *p));
            else
                offer(best, *p, *q);
        }
    }
}

static bool holds_point(const struct geometry_shape *area, struct position p)
{
    struct box point = {p.lon, p.lat, p.lon, p.lat};
    return box_touches(area->box, point) && geometry_locate(area, p) == GEOMETRY_INSIDE;
}

/* Is a point of `inner`, or the beginning of one of its lines, in a polygon of `outer`? */
static bool holds(const struct geometry_shape *outer, const struct geometry_shape *inner)
{
    bool lines = geometry_has_lines(inner);
    uint32_t n = lines ? inner->line_count : inner->position_count;
    for (uint32_t i = 0; outer->polygon_count && i < n; i++)
        if (holds_point(outer, inner->positions[lines && i ? inner->line_ends[i - 1] : i]))
            return true;
    return false;
}

/* The pair of facets whose boxes are nearest: where to begin, so that others can be left out. */
static void try_likeliest(struct best *best, const struct geometry_facets *a,
                          const struct geometry_facets *b)
{
    uint32_t x = 0, y = 0;
    double least = INFINITY;
    for (uint32_t i = 0; i < a->count; i++) {
        for (uint32_t j = 0; j < b->count; j++) {
            double d = boxes_apart(a->facets[i].box, b->facets[j].box);
            if (d < least) {
                least = d;
                x = i;
                y = j;
            }
        }
    }
    try_facets(best, a, &a->facets[x], b, &b->facets[y]);
}

bool geometry_nearest(const struct geometry_facets *a, const struct geometry_facets *b,
                      struct position *p, struct position *q)
{
    struct best best = {INFINITY, a->shape.positions[0], b->shape.positions[0]};
    if (holds(&a->shape, &b->shape) || holds(&b->shape, &a->shape))
        return true;
    if (a->count * (uint64_t)b->count > 1)
        try_likeliest(&best, a, b);
    for (uint32_t i = 0; i < a->count && best.distance > 0; i++) {
        const struct geometry_facet *x = &a->facets[i];
        if (boxes_apart(x->box, b->shape.box) >= best.distance)
            continue;
        for (uint32_t j = 0; j < b->count; j++)
            if (boxes_apart(x->box, b->facets[j].box) < best.distance)
                try_facets(&best, a, x, b, &b->facets[j]);
    }
    *p = best.p;
    *q = best.q;
    return best.distance <= 0;
}
