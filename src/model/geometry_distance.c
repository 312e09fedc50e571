/* Distances in metres between the nearest points of two geometries.
 *
 * Between points: the geodesic on WGS84 (Karney's algorithm, nanometres), or the
 * great circle (Haversine, CIM 009 clause 4.23.1). Otherwise the nearest points are
 * found first, in an azimuthal equidistant projection around the reference, and their
 * distance is taken. Lines are straight in longitude and latitude (RFC 7946
 * section 3.1.1); what spans more than 0.05° is divided before it is projected, which
 * leaves 0.4 m between the line and what is measured (more when a geometry's length
 * passes 200°: there are at most 4,096 divisions). The projection's distortion moves
 * nearest points along the geometry, so a distance can come out too long, never too
 * short: by under 0.01 % when both geometries lie within 100 km, under 1 % within
 * 1,500 km; it is exact in that respect when the reference is a point.
 *
 * The globe is closed here: the antimeridian and the poles are places like others. */
#include "model/geometry_int.h"

#include <math.h>

/* Mean radius of WGS84, (2a + b) / 3. */
#define EARTH_RADIUS_M 6371008.771415
#define RADIAN (M_PI / 180.0)
/* The geodesic differs from the great circle by at most 0.56 % (the radii of curvature of WGS84 lie
 * between 6,335,439 m and 6,399,594 m). */
#define GEODESIC_PER_HAVERSINE 0.0065

static double haversine_m(struct position a, struct position b)
{
    double s = sin((b.lat - a.lat) * RADIAN / 2), t = sin((b.lon - a.lon) * RADIAN / 2);
    double h = s * s + cos(a.lat * RADIAN) * cos(b.lat * RADIAN) * t * t;
    return 2 * EARTH_RADIUS_M * asin(sqrt(h < 1 ? h : 1));
}

static double geodesic_m(const struct geod_geodesic *ellipsoid, struct position a,
                         struct position b)
{
    double metres;
    geod_inverse(ellipsoid, a.lat, a.lon, b.lat, b.lon, &metres, NULL, NULL);
    return metres;
}

/* ---- the plane ---- */

struct geometry_plane geometry_plane_at(double lon, double lat)
{
    return (struct geometry_plane){lon * RADIAN, sin(lat * RADIAN), cos(lat * RADIAN)};
}

static struct position project(const struct geometry_plane *p, struct position q)
{
    double sin_lat = sin(q.lat * RADIAN), cos_lat = cos(q.lat * RADIAN);
    double dlon = q.lon * RADIAN - p->lon0;
    double x = cos_lat * sin(dlon);
    double y = p->cos0 * sin_lat - p->sin0 * cos_lat * cos(dlon);
    double z = p->sin0 * sin_lat + p->cos0 * cos_lat * cos(dlon);
    double h = hypot(x, y);
    if (h < 1e-15) /* the centre, or its antipode */
        return (struct position){z > 0 ? 0 : M_PI, 0};
    double k = atan2(h, z) / h;
    return (struct position){x * k, y * k};
}

static struct position unproject(const struct geometry_plane *p, double x, double y)
{
    double c = hypot(x, y);
    if (c < 1e-15)
        return (struct position){p->lon0 / RADIAN, atan2(p->sin0, p->cos0) / RADIAN};
    double sin_c = sin(c), cos_c = cos(c);
    double sin_lat = cos_c * p->sin0 + y * sin_c * p->cos0 / c;
    double lon = p->lon0 + atan2(x * sin_c, c * p->cos0 * cos_c - y * p->sin0 * sin_c);
    return (struct position){lon / RADIAN, asin(fmax(-1, fmin(1, sin_lat))) / RADIAN};
}

#define DIVISION_DEGREES 0.05
#define DIVISIONS_MAX 4096

static double span(struct position a, struct position b)
{
    return fmax(fabs(b.lon - a.lon), fabs(b.lat - a.lat));
}

/* Degrees between divisions of s, so that they do not become too many. */
static double division_of(const struct geometry_shape *s)
{
    double length = 0;
    for (uint32_t i = 1; geometry_has_lines(s) && i < s->position_count; i++)
        length += span(s->positions[i - 1], s->positions[i]);
    return fmax(DIVISION_DEGREES, length / DIVISIONS_MAX);
}

/* Around the antipode of the centre, which the plane shows as its rim, places beside one another
 * lie far apart, and what is straight between them would cross the plane: they are joined along the
 * rim. */
static void add_along_rim(struct geometry_shape *out, struct position to)
{
    const double turn_max = 0.1; /* radians: the chord stays beyond 0.998 of its ends' distance */
    struct position from = out->positions[out->position_count - 1];
    double r = hypot(from.lon, from.lat), s = hypot(to.lon, to.lat);
    if (r < M_PI / 2 || s < M_PI / 2)
        return;
    double angle = atan2(from.lat, from.lon);
    double turn = remainder(atan2(to.lat, to.lon) - angle, 2 * M_PI);
    uint32_t pieces = (uint32_t)ceil(fabs(turn) / turn_max);
    for (uint32_t k = 1; k < pieces; k++) {
        double t = (double)k / pieces, c = r + (s - r) * t;
        geometry_shape_add(out,
                           (struct position){c * cos(angle + turn * t), c * sin(angle + turn * t)});
    }
}

static void add_projected(const struct geometry_plane *p, struct position q, bool joined,
                          struct geometry_shape *out)
{
    struct position projected = project(p, q);
    if (joined)
        add_along_rim(out, projected);
    geometry_shape_add(out, projected);
}

static void project_line(const struct geometry_plane *p, const struct position *from, uint32_t n,
                         double division, struct geometry_shape *out)
{
    for (uint32_t i = 0; i < n; i++) {
        bool joined = i && division > 0;
        if (joined) {
            struct position a = from[i - 1], b = from[i];
            uint32_t pieces = (uint32_t)ceil(span(a, b) / division);
            for (uint32_t k = 1; k < pieces; k++) {
                double t = (double)k / pieces;
                struct position q = {a.lon + (b.lon - a.lon) * t, a.lat + (b.lat - a.lat) * t};
                add_projected(p, q, true, out);
            }
        }
        add_projected(p, from[i], joined, out);
    }
    geometry_shape_end_line(out); /* a ring stays closed: equal positions are projected equally */
}

static void project_shape(const struct geometry_plane *p, const struct geometry_shape *s,
                          struct geometry_shape *out)
{
    geometry_shape_clear(out);
    out->kind = s->kind;
    double division = geometry_has_lines(s) ? division_of(s) : 0;
    uint32_t from = 0, polygon = 0;
    for (uint32_t i = 0; i < s->line_count; i++) {
        project_line(p, s->positions + from, s->line_ends[i] - from, division, out);
        from = s->line_ends[i];
        if (polygon < s->polygon_count && s->polygon_ends[polygon] == i + 1) {
            geometry_shape_end_polygon(out);
            polygon++;
        }
    }
}

/* ---- nearest points ---- */

struct nearest {
    bool together; /* they meet: distance 0 */
    struct position a, b;
};

static void project_facets(const struct geometry_plane *p, const struct geometry_shape *s,
                           struct geometry_facets *out)
{
    project_shape(p, s, &out->shape);
    geometry_facets_make(out);
}

/* False when target is no geometry. */
static bool find_nearest(const struct geometry *g, const struct value *target, struct nearest *out)
{
    struct geometry_engine *e = g->engine;
    struct position p, q;
    if (!geometry_shape_scan(target->text, &e->target))
        return false;
    if (e->reference.count == 0)
        project_facets(&g->projection, &g->shape, &e->reference);
    project_facets(&g->projection, &e->target, &e->projected);
    out->together = geometry_nearest(&e->reference, &e->projected, &p, &q);
    out->a = unproject(&g->projection, p.lon, p.lat);
    out->b = unproject(&g->projection, q.lon, q.lat);
    return true;
}

static struct position point_of(const struct value *v)
{
    return (struct position){v->box.west, v->box.south};
}

/* ---- distances ---- */

double geometry_distance_m(const struct geometry *reference, const struct value *target)
{
    if (target->kind != VALUE_GEO)
        return NAN;
    struct nearest n;
    if (geometry_is_point(reference) && target->point)
        return geodesic_m(&reference->ellipsoid, reference->shape.positions[0], point_of(target));
    if (!find_nearest(reference, target, &n))
        return NAN;
    return n.together ? 0 : geodesic_m(&reference->ellipsoid, n.a, n.b);
}

/* For two points, whether the great circle alone tells: -1 nearer than metres, 1 farther, 0 not
 * known. */
static int tell_by_haversine(const struct geometry *g, const struct value *target, double metres)
{
    if (target->kind != VALUE_GEO || !target->point || !geometry_is_point(g))
        return 0;
    double about = haversine_m(g->shape.positions[0], point_of(target));
    return (about * (1 - GEODESIC_PER_HAVERSINE) > metres) -
           (about * (1 + GEODESIC_PER_HAVERSINE) < metres);
}

bool geometry_is_near(const struct geometry *reference, const struct value *target, double metres)
{
    int told = tell_by_haversine(reference, target, metres);
    return told ? told < 0 : geometry_distance_m(reference, target) <= metres;
}

bool geometry_is_beyond(const struct geometry *reference, const struct value *target, double metres)
{
    int told = tell_by_haversine(reference, target, metres);
    return told ? told > 0 : geometry_distance_m(reference, target) > metres;
}

double geometry_haversine_m(const struct geometry *reference, const struct value *target)
{
    if (target->kind != VALUE_GEO)
        return NAN;
    struct nearest n;
    if (geometry_is_point(reference) && target->point)
        return haversine_m(reference->shape.positions[0], point_of(target));
    if (!find_nearest(reference, target, &n))
        return NAN;
    return n.together ? 0 : haversine_m(n.a, n.b);
}
