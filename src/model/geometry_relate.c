/* Topological relations of simple features (OGC 06-103r4, which CIM 009 clause 4.10
 * refers to), in the plane of longitude and latitude, by GEOS with a prepared
 * reference. Boxes that do not touch decide most cases; points against points and
 * against small polygons, the usual questions of a city, are answered here without
 * GEOS, unless rounding leaves a doubt. What GEOS cannot decide (a self-crossing ring)
 * does not match. */
#include "model/geometry_int.h"

#include <assert.h>
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

/* Caller owns (GEOSGeom_destroy_r); NULL when GEOS cannot. */
static GEOSGeometry *to_geos(GEOSContextHandle_t geos, const struct geometry_shape *s)
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

/* The engine, with the reference prepared; NULL when GEOS cannot. */
static struct geometry_engine *prepare(const struct geometry *g)
{
    struct geometry_engine *e = g->engine;
    struct geometry_prepared *p = &e->lonlat;
    if (!e->geos)
        e->geos = GEOS_init_r();
    if (!p->geometry)
        p->geometry = to_geos(e->geos, &g->shape);
    if (p->geometry && !p->prepared)
        p->prepared = GEOSPrepare_r(e->geos, p->geometry);
    return p->prepared ? e : NULL;
}

/* ---- relations ---- */

/* Two points are the same or have nothing in common. */
static bool relate_points(bool same, enum relation rel)
{
    return rel == DISJOINT ? !same : same && rel != OVERLAPS;
}

/* A point target against a polygon. */
static bool relate_point_to_area(enum geometry_place place, enum relation rel)
{
    switch (rel) {
    case WITHIN:
        return place == GEOMETRY_INSIDE;
    case INTERSECTS:
        return place != GEOMETRY_OUTSIDE;
    case DISJOINT:
        return place == GEOMETRY_OUTSIDE;
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
    case EQUALS: /* the same positions are equal though the shape crosses itself, which Equals
                    cannot judge */
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
    struct geometry_engine *e = prepare(g);
    if (!e || !geometry_shape_scan(target->text, &e->target))
        return false;
    GEOSGeometry *t = to_geos(e->geos, &e->target);
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
        enum geometry_place place =
            geometry_locate(&g->shape, (struct position){target->box.west, target->box.south});
        if (place != GEOMETRY_UNSURE)
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
