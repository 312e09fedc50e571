/* Is a point in a polygon? By counting the edges that a ray from it crosses, with a doubt
 * admitted where rounding may have decided. */
#include "model/geometry_int.h"

#include <float.h>
#include <math.h>

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
static enum geometry_place locate_in_ring(const struct position *p, uint32_t n, struct position q)
{
    bool inside = false;
    for (uint32_t i = 1; i < n; i++) {
        struct position a = p[i - 1], b = p[i];
        if ((a.lat > q.lat) == (b.lat > q.lat) && a.lat != q.lat && b.lat != q.lat)
            continue;
        if (a.lon < q.lon && b.lon < q.lon)
            continue;
        if (b.lon == q.lon && b.lat == q.lat)
            return GEOMETRY_ON_EDGE;
        if (a.lat == q.lat && b.lat == q.lat) {
            if (fmin(a.lon, b.lon) <= q.lon && q.lon <= fmax(a.lon, b.lon))
                return GEOMETRY_ON_EDGE;
            continue;
        }
        if ((a.lat > q.lat) == (b.lat > q.lat))
            continue; /* touches the ray's line from below */
        int side = turn(a, b, q);
        if (side == 2)
            return GEOMETRY_UNSURE;
        if (side == 0)
            return GEOMETRY_ON_EDGE;
        inside ^= (side > 0) == (b.lat > a.lat);
    }
    return inside ? GEOMETRY_INSIDE : GEOMETRY_OUTSIDE;
}

static enum geometry_place locate_in_polygon(const struct geometry_shape *s, uint32_t polygon,
                                             struct position q)
{
    uint32_t first = polygon ? s->polygon_ends[polygon - 1] : 0;
    for (uint32_t i = first; i < s->polygon_ends[polygon]; i++) {
        uint32_t from = i ? s->line_ends[i - 1] : 0;
        enum geometry_place place = locate_in_ring(s->positions + from, s->line_ends[i] - from, q);
        if (place == GEOMETRY_UNSURE || place == GEOMETRY_ON_EDGE)
            return place;
        if ((place == GEOMETRY_INSIDE) != (i == first)) /* outside the shell, or in a hole */
            return GEOMETRY_OUTSIDE;
    }
    return GEOMETRY_INSIDE;
}

/* In a MultiPolygon, on an edge of two polygons is a doubt. */
enum geometry_place geometry_locate(const struct geometry_shape *s, struct position q)
{
    enum geometry_place found = GEOMETRY_OUTSIDE;
    for (uint32_t i = 0; i < s->polygon_count; i++) {
        enum geometry_place place = locate_in_polygon(s, i, q);
        if (place == GEOMETRY_UNSURE || place == GEOMETRY_INSIDE)
            return place;
        if (place == GEOMETRY_ON_EDGE && found == GEOMETRY_ON_EDGE)
            return GEOMETRY_UNSURE;
        if (place == GEOMETRY_ON_EDGE)
            found = GEOMETRY_ON_EDGE;
    }
    return found;
}
