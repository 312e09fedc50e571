/* Validation of geometries and the boxes around them. Relations are in
 * geometry_relate.c, distances in geometry_distance.c, both on the flat
 * coordinates of geometry_shape.h.
 *
 * Coordinates are planar, as RFC 7946 section 3.1.9 wants them: a box never wraps,
 * and what crosses the antimeridian is cut there by its producer. Distances alone go
 * around the globe, so a box that is grown over ±180° covers all longitudes. */
#include "model/geometry_int.h"

#include <math.h>
#include <stdlib.h>

bool geometry_looks_like(const struct json *v)
{
    const struct json *type = json_get(v, STR("type"));
    return json_is(type, JSON_STRING) && geometry_kind_of(type->string) < GEOMETRY_KIND_COUNT &&
           json_is(json_get(v, STR("coordinates")), JSON_ARRAY);
}

enum status geometry_value(const struct json *v, uint32_t coordinates_max, struct arena *a,
                           const struct at *at, struct value *out, struct why *why)
{
    if (!json_is(v, JSON_OBJECT))
        return why_set(why, E_BAD_DATA, at, "expected a GeoJSON geometry, found %s",
                       v ? json_kind_name((enum json_kind)v->kind) : "nothing");
    const struct json *type = json_get(v, STR("type"));
    struct at at_type = {at, STR("type"), 0}, at_coordinates = {at, STR("coordinates"), 0};
    enum geometry_kind kind =
        json_is(type, JSON_STRING) ? geometry_kind_of(type->string) : GEOMETRY_KIND_COUNT;
    if (kind == GEOMETRY_KIND_COUNT)
        return why_set(why, E_BAD_DATA, type ? &at_type : at,
                       "expected a GeoJSON geometry type other than GeometryCollection");
    const struct json *coordinates = json_get(v, STR("coordinates"));
    if (!coordinates)
        return why_set(why, E_BAD_DATA, at, "a geometry needs \"coordinates\"");
    struct box box;
    enum status st =
        geometry_shape_check(kind, coordinates, coordinates_max, &at_coordinates, NULL, &box, why);
    if (st == OK)
        *out = (struct value){.kind = VALUE_GEO,
                              .point = kind == GEOMETRY_POINT,
                              .text = json_text(a, v),
                              .box = box};
    return st;
}

enum status geometry_new(struct str type, const struct json *coordinates, uint32_t coordinates_max,
                         struct geometry **out, struct box *box, struct why *why)
{
    enum geometry_kind kind = geometry_kind_of(type);
    if (kind == GEOMETRY_KIND_COUNT)
        return why_set(why, E_BAD_DATA, NULL,
                       "geometry: expected Point, MultiPoint, LineString, MultiLineString, Polygon "
                       "or MultiPolygon, found \"%.*s\"",
                       (int)(type.n < 64 ? type.n : 64), type.n ? type.p : "");
    if (!coordinates)
        return why_set(why, E_BAD_DATA, NULL, "coordinates: missing");
    struct geometry *g = mem_zalloc(sizeof *g);
    g->engine = mem_zalloc(sizeof *g->engine);
    struct at at = {NULL, STR("coordinates"), 0};
    enum status st =
        geometry_shape_check(kind, coordinates, coordinates_max, &at, &g->shape, box, why);
    if (st != OK) {
        geometry_free(g);
        return st;
    }
    g->projection = geometry_plane_at((box->west + box->east) / 2, (box->south + box->north) / 2);
    geod_init(&g->ellipsoid, 6378137, 1 / 298.257223563); /* WGS84 */
    *out = g;
    return OK;
}

static void prepared_free(GEOSContextHandle_t geos, struct geometry_prepared *p)
{
    if (p->prepared)
        GEOSPreparedGeom_destroy_r(geos, p->prepared);
    if (p->geometry)
        GEOSGeom_destroy_r(geos, p->geometry);
}

void geometry_free(struct geometry *g)
{
    if (!g)
        return;
    struct geometry_engine *e = g->engine;
    if (e->geos) {
        prepared_free(e->geos, &e->lonlat);
        GEOS_finish_r(e->geos);
    }
    geometry_facets_free(&e->reference);
    geometry_facets_free(&e->projected);
    geometry_shape_free(&e->target);
    free(e);
    geometry_shape_free(&g->shape);
    free(g);
}

/* Least metres of a degree of latitude on WGS84 is 110,574 (at the equator); the least radius
 * of curvature, 6,335,439 m, makes every angle that a distance spans too large, never too small. */
#define LEAST_METRES_PER_DEGREE 110570.0
#define LEAST_RADIUS_M 6335400.0
#define DEGREES (180.0 / M_PI)

struct box geometry_grow(struct box b, double metres)
{
    if (!(metres > 0))
        return b;
    double dlat = metres / LEAST_METRES_PER_DEGREE + 1e-9;
    double angle = metres / LEAST_RADIUS_M + 1e-9;
    struct box out = {-180, fmax(b.south - dlat, -90), 180, fmin(b.north + dlat, 90)};
    double reach = fmax(fabs(b.south), fabs(b.north)) / DEGREES;
    /* A circle of that angle about the highest latitude: it holds a pole, or spans asin(…). */
    if (angle >= M_PI / 2 || reach + angle >= M_PI / 2)
        return out;
    double dlon = asin(sin(angle) / cos(reach)) * DEGREES + 1e-9;
    if (b.west - dlon >= -180 && b.east + dlon <= 180) {
        out.west = b.west - dlon;
        out.east = b.east + dlon;
    }
    return out;
}

bool box_touches(struct box a, struct box b)
{
    return a.west <= b.east && b.west <= a.east && a.south <= b.north && b.south <= a.north;
}
