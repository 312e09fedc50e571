/* Topological relations of simple features (OGC 06-103r4, which CIM 009 clause 4.10
 * refers to), in the plane of longitude and latitude, by GEOS with a prepared
 * reference. Boxes that do not touch decide most cases; points against points and
 * against small polygons, the usual questions of a city, are answered here without
 * GEOS, unless rounding leaves a doubt. What GEOS cannot decide (a self-crossing ring)
 * does not match. */
#include "model/geometry_int.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum relation { WITHIN, CONTAINS, INTERSECTS, EQUALS, DISJOINT, OVERLAPS };

/* ---- to GEOS ---- */

static GEOSCoordSequence *to_sequence(GEOSContextHandle_t geos, const struct geometry_shape *s,
                                      uint32_t from, uint32_t to)
{
    static_assert(sizeof(struct position) == 2 * sizeof(double), "positions are pairs of doubles");
    return GEOSCoordSeq_copyFromBuffer_r(geos, &s->positions[from].lon, to - from, 0, 0);
}

static GEOSGeometry *to_point(GEOSContextHandle_t geos, const struct geometry_shape *s, uint32_t i)
{
    return GEOSGeom_createPointFromXY_r(geos, s->positions[i].lon, s->positions[i].lat);
}

static GEOSGeometry *to_line(GEOSContextHandle_t geos, const struct geometry_shape *s, uint32_t i)
{
    GEOSCoordSequence *c = to_sequence(geos, s, i ? s->line_ends[i - 1] : 0, s->line_ends[i]);
    return c ? GEOSGeom_createLineString_r(geos, c) : NULL;
}

static GEOSGeometry *to_ring(GEOSContextHandle_t geos, const struct geometry_shape *s, uint32_t i)
{
    GEOSCoordSequence *c = to_sequence(geos, s, i ? s->line_ends[i - 1] : 0, s->line_ends[i]);
    return c ? GEOSGeom_createLinearRing_r(geos, c) : NULL;
}

static void destroy_all(GEOSContextHandle_t geos, GEOSGeometry **parts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        GEOSGeom_destroy_r(geos, parts[i]);
}

typedef GEOSGeometry *part_maker(GEOSContextHandle_t geos, const struct geometry_shape *s,
                                 uint32_t i);

/* parts[0..n) from `first` on; false, and none, when one fails. */
static bool make_parts(GEOSContextHandle_t geos, const struct geometry_shape *s, part_maker *make,
                       uint32_t first, uint32_t n, GEOSGeometry **parts)
{
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = make(geos, s, first + i);
        if (!parts[i]) {
            destroy_all(geos, parts, i);
            return false;
        }
    }
    return true;
}

static GEOSGeometry *to_polygon(GEOSContextHandle_t geos, const struct geometry_shape *s,
                                uint32_t i)
{
    uint32_t first = i ? s->polygon_ends[i - 1] : 0, n = s->polygon_ends[i] - first;
    GEOSGeometry **rings = mem_alloc(n * sizeof(GEOSGeometry *));
    GEOSGeometry *out = NULL;
    if (make_parts(geos, s, to_ring, first, n, rings))
        out = GEOSGeom_createPolygon_r(geos, rings[0], rings + 1, n - 1);
    free(rings);
    return out;
}

static GEOSGeometry *to_collection(GEOSContextHandle_t geos, const struct geometry_shape *s,
                                   int type, part_maker *make, uint32_t n)
{
    GEOSGeometry **parts = mem_alloc(n * sizeof(GEOSGeometry *));
    GEOSGeometry *out = NULL;
    if (make_parts(geos, s, make, 0, n, parts))
        out = GEOSGeom_createCollection_r(geos, type, parts, n);
    free(parts);
    return out;
}

GEOSGeometry *geometry_to_geos(GEOSContextHandle_t geos, const struct geometry_shape *s)
{
    switch (s->kind) {
    case GEOMETRY_POINT:
        return to_point(geos, s, 0);
    case GEOMETRY_MULTI_POINT:
        return to_collection(geos, s, GEOS_MULTIPOINT, to_point, s->position_count);
    case GEOMETRY_LINE:
        return to_line(geos, s, 0);
    case GEOMETRY_MULTI_LINE:
        return to_collection(geos, s, GEOS_MULTILINESTRING, to_line, s->line_count);
    case GEOMETRY_POLYGON:
        return to_polygon(geos, s, 0);
    case GEOMETRY_MULTI_POLYGON:
        return to_collection(geos, s, GEOS_MULTIPOLYGON, to_polygon, s->polygon_count);
    case GEOMETRY_KIND_COUNT:
        break;
    }
    return NULL;
}

struct geometry_engine *geometry_engine_of(const struct geometry *g)
{
    if (!g->engine->geos)
        g->engine->geos = GEOS_init_r();
    return g->engine;
}

bool geometry_prepare(GEOSContextHandle_t geos, const struct geometry_shape *s,
                      struct geometry_prepared *p)
{
    if (p->prepared)
        return true;
    if (!p->geometry)
        p->geometry = geometry_to_geos(geos, s);
    if (p->geometry)
        p->prepared = GEOSPrepare_r(geos, p->geometry);
    return p->prepared != NULL;
}

/* ---- a point in a polygon ---- */

enum place { OUTSIDE, INSIDE, ON_EDGE, UNSURE };

/* Sign of the turn a → b → q: 1 left, -1 right, 0 straight on, 2 when rounding may have decided it
 * (the first filter of Shewchuk's orient2d). */
static int turn(struct position a, struct position b, struct position q)
{
    double left = (a.lon - q.lon) * (b.lat - q.lat);
    double right = (a.lat - q.lat) * (b.lon - q.lon);
    double det = left - right;
    double doubt = (3 + 16 * DBL_EPSILON / 2) * (DBL_EPSILON / 2) * (fabs(left) + fabs(right));
    if (fabs(det) < doubt)
        return 2;
    return (det > 0) - (det < 0);
}

/* Counts the edges that a ray from q to the east crosses. */
static enum place locate_in_ring(const struct position *p, uint32_t n, struct position q)
{
    bool inside = false;
    for (uint32_t i = 1; i < n; i++) {
        struct position a = p[i - 1], b = p[i];
        if ((a.lat > q.lat) == (b.lat > q.lat) && a.lat != q.lat && b.lat != q.lat)
            continue;
        if (a.lon < q.lon && b.lon < q.lon)
            continue;
        if (b.lon == q.lon && b.lat == q.lat)
            return ON_EDGE;
        if (a.lat == q.lat && b.lat == q.lat) {
            if (fmin(a.lon, b.lon) <= q.lon && q.lon <= fmax(a.lon, b.lon))
                return ON_EDGE;
            continue;
        }
        if ((a.lat > q.lat) == (b.lat > q.lat))
            continue; /* touches the ray's line from below */
        int side = turn(a, b, q);
        if (side == 2)
            return UNSURE;
        if (side == 0)
            return ON_EDGE;
        inside ^= (side > 0) == (b.lat > a.lat);
    }
    return inside ? INSIDE : OUTSIDE;
}

static enum place locate_in_polygon(const struct geometry_shape *s, uint32_t polygon,
                                    struct position q)
{
    uint32_t first = polygon ? s->polygon_ends[polygon - 1] : 0;
    for (uint32_t i = first; i < s->polygon_ends[polygon]; i++) {
        uint32_t from = i ? s->line_ends[i - 1] : 0;
        enum place place = locate_in_ring(s->positions + from, s->line_ends[i] - from, q);
        if (place == UNSURE || place == ON_EDGE)
            return place;
        if ((place == INSIDE) != (i == first)) /* outside the shell, or in a hole */
            return OUTSIDE;
    }
    return INSIDE;
}

/* In a MultiPolygon, on an edge of two polygons is left to GEOS. */
static enum place locate(const struct geometry_shape *s, struct position q)
{
    enum place found = OUTSIDE;
    for (uint32_t i = 0; i < s->polygon_count; i++) {
        enum place place = locate_in_polygon(s, i, q);
        if (place == UNSURE || place == INSIDE)
            return place;
        if (place == ON_EDGE && found == ON_EDGE)
            return UNSURE;
        if (place == ON_EDGE)
            found = ON_EDGE;
    }
    return found;
}

/* ---- relations ---- */

/* Two points are the same or have nothing in common. */
static bool relate_points(bool same, enum relation rel)
{
    return rel == DISJOINT ? !same : same && rel != OVERLAPS;
}

/* A point target against a polygon. */
static bool relate_point_to_area(enum place place, enum relation rel)
{
    switch (rel) {
    case WITHIN:
        return place == INSIDE;
    case INTERSECTS:
        return place != OUTSIDE;
    case DISJOINT:
        return place == OUTSIDE;
    case CONTAINS:
    case EQUALS:
    case OVERLAPS:
        break; /* need the dimension of the other, or at least as much */
    }
    return false;
}

static bool ask_geos(GEOSContextHandle_t geos, const struct geometry_prepared *reference,
                     const GEOSGeometry *target, enum relation rel)
{
    switch (rel) {
    case WITHIN:
        return GEOSPreparedContains_r(geos, reference->prepared, target) == 1;
    case CONTAINS:
        return GEOSPreparedWithin_r(geos, reference->prepared, target) == 1;
    case INTERSECTS:
        return GEOSPreparedIntersects_r(geos, reference->prepared, target) == 1;
    case EQUALS: /* the same positions are equal though the shape crosses itself, which Equals cannot judge */
        return GEOSEqualsExact_r(geos, reference->geometry, target, 0) == 1 ||
               GEOSEquals_r(geos, reference->geometry, target) == 1;
    case DISJOINT:
        return GEOSPreparedDisjoint_r(geos, reference->prepared, target) == 1;
    case OVERLAPS:
        return GEOSPreparedOverlaps_r(geos, reference->prepared, target) == 1;
    }
    return false;
}

static bool relate_by_geos(const struct geometry *g, const struct value *target, enum relation rel)
{
    struct geometry_engine *e = geometry_engine_of(g);
    if (!geometry_shape_scan(target->text, &e->target) ||
        !geometry_prepare(e->geos, &g->shape, &e->lonlat))
        return false;
    GEOSGeometry *t = geometry_to_geos(e->geos, &e->target);
    bool answer = t && ask_geos(e->geos, &e->lonlat, t, rel);
    if (t)
        GEOSGeom_destroy_r(e->geos, t);
    return answer;
}

/* Above so many positions the index of a prepared geometry is faster than looking at each edge. */
enum { LOCATE_POSITIONS_MAX = 96 };

static bool box_inside(struct box a, struct box b)
{
    return a.west >= b.west && a.east <= b.east && a.south >= b.south && a.north <= b.north;
}

/* What boxes alone exclude. */
static bool boxes_exclude(struct box reference, struct box target, enum relation rel)
{
    return !box_touches(reference, target) ||
           ((rel == WITHIN || rel == EQUALS) && !box_inside(target, reference)) ||
           ((rel == CONTAINS || rel == EQUALS) && !box_inside(reference, target));
}

static bool relate(const struct geometry *g, const struct value *target, enum relation rel)
{
    if (target->kind != VALUE_GEO)
        return false;
    if (boxes_exclude(g->shape.box, target->box, rel))
        return rel == DISJOINT;
    if (target->point && geometry_is_point(g))
        return relate_points(true, rel); /* their boxes are themselves */
    if (target->point && g->shape.polygon_count && g->shape.position_count < LOCATE_POSITIONS_MAX) {
        enum place place =
            locate(&g->shape, (struct position){target->box.west, target->box.south});
        if (place != UNSURE)
            return relate_point_to_area(place, rel);
    }
    return relate_by_geos(g, target, rel);
}

bool geometry_within(const struct geometry *reference, const struct value *target)
{
    return relate(reference, target, WITHIN);
}

bool geometry_contains(const struct geometry *reference, const struct value *target)
{
    return relate(reference, target, CONTAINS);
}

bool geometry_intersects(const struct geometry *reference, const struct value *target)
{
    return relate(reference, target, INTERSECTS);
}

bool geometry_equals(const struct geometry *reference, const struct value *target)
{
    return relate(reference, target, EQUALS);
}

bool geometry_disjoint(const struct geometry *reference, const struct value *target)
{
    return relate(reference, target, DISJOINT);
}

bool geometry_overlaps(const struct geometry *reference, const struct value *target)
{
    return relate(reference, target, OVERLAPS);
}
