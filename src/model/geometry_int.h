/* What the files of the geometry module share. */
#ifndef MODEL_GEOMETRY_INT_H
#define MODEL_GEOMETRY_INT_H

#include "model/geometry.h"
#include "model/geometry_shape.h"

#include <geodesic.h>
#include <geos_c.h>

/* A copy of the reference in GEOS, prepared for many comparisons. Made at first use: points
 * compared with points never need it. */
struct geometry_prepared {
    GEOSGeometry *geometry;
    const GEOSPreparedGeometry *prepared;
};

/* Spherical azimuthal equidistant projection; the plane is in radians. */
struct geometry_plane {
    double lon0, sin0, cos0;
};

/* The mutable part of a reference: what makes it usable from one thread at a time. */
struct geometry_engine {
    GEOSContextHandle_t geos;
    struct geometry_prepared lonlat; /* for relations */
    struct geometry_prepared plane;  /* for nearest points */
    struct geometry_shape target;    /* scratch: the value at hand … */
    struct geometry_shape projected; /* … and in the plane */
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

/* Caller owns (GEOSGeom_destroy_r); NULL when GEOS cannot. */
GEOSGeometry *geometry_to_geos(GEOSContextHandle_t geos, const struct geometry_shape *s);
/* The engine, with its context; made at first use. */
struct geometry_engine *geometry_engine_of(const struct geometry *g);
/* Fills p from s unless it is filled. False when GEOS cannot. */
bool geometry_prepare(GEOSContextHandle_t geos, const struct geometry_shape *s,
                      struct geometry_prepared *p);
struct geometry_plane geometry_plane_at(double lon, double lat);

#endif
