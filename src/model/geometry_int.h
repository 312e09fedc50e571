/* What the files of the geometry module share. */
#ifndef MODEL_GEOMETRY_INT_H
#define MODEL_GEOMETRY_INT_H

#include "model/geometry.h"
#include "model/geometry_shape.h"

#include <geodesic.h>
#include <geos_c.h>

/* A copy of the reference in GEOS, prepared for many comparisons. Made at first use: most questions
 * about points never need it. */
struct geometry_prepared {
    GEOSGeometry *geometry;
    const GEOSPreparedGeometry *prepared;
};

/* Spherical azimuthal equidistant projection; the plane is in radians. */
struct geometry_plane {
    double lon0, sin0, cos0;
};

/* Up to 8 neighbouring segments of a line, or points, and the box around them. */
struct geometry_facet {
    struct box box;
    uint32_t from, to; /* positions; a segment joins each to the next */
};

/* A shape whose nearest points to another one are asked for. */
struct geometry_facets {
    struct geometry_shape shape;
    struct geometry_facet *facets;
    uint32_t count, room;
};

/* The mutable part of a reference: what makes it usable from one thread at a time. */
struct geometry_engine {
    GEOSContextHandle_t geos;
    struct geometry_prepared lonlat;  /* for relations */
    struct geometry_facets reference; /* in the plane; empty before its first use */
    struct geometry_shape target;     /* scratch: the value at hand … */
    struct geometry_facets projected; /* … and in the plane */
};

struct geometry {
    struct geometry_shape shape;
    struct geometry_plane projection;
    struct geod_geodesic ellipsoid;
    struct geometry_engine *engine;
};

static inline bool geometry_is_point(const struct geometry *g)
{
    return g->shape.kind == GEOMETRY_POINT;
}

struct geometry_plane geometry_plane_at(double lon, double lat);

enum geometry_place {
    GEOMETRY_OUTSIDE,
    GEOMETRY_INSIDE,
    GEOMETRY_ON_EDGE,
    GEOMETRY_UNSURE /* rounding may have decided */
};
/* Where q is, seen from the polygons of s. */
enum geometry_place geometry_locate(const struct geometry_shape *s, struct position q);

static inline bool geometry_has_lines(const struct geometry_shape *s)
{
    return s->kind != GEOMETRY_POINT && s->kind != GEOMETRY_MULTI_POINT;
}

/* Divides f->shape into facets. */
void geometry_facets_make(struct geometry_facets *f);
void geometry_facets_free(struct geometry_facets *f);
/* True when the two meet (up to rounding). Else *p and *q are a point of each, as near as possible.
 */
bool geometry_nearest(const struct geometry_facets *a, const struct geometry_facets *b,
                      struct position *p, struct position *q);

#endif
