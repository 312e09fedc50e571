/* Why: road files are lines; a segment needs its ends, its length and an id of its own. */
#include "sense/shape.h"

#include <math.h>

#define EARTH_RADIUS_M 6371008.8

/* The array of positions of a line, or of one line of a MultiLineString; NULL otherwise. */
static const struct json *shape_positions(const struct json *geometry, bool last)
{
    const struct json *coordinates = json_get(geometry, STR("coordinates"));
    if (!json_is(coordinates, JSON_ARRAY) || coordinates->n == 0)
        return NULL;
    if (json_is_string(json_get(geometry, STR("type")), STR("LineString")))
        return coordinates;
    if (!json_is_string(json_get(geometry, STR("type")), STR("MultiLineString")))
        return NULL;
    const struct json *line = &coordinates->items[last ? coordinates->n - 1 : 0];
    return json_is(line, JSON_ARRAY) && line->n > 0 ? line : NULL;
}

static const struct json *shape_point(const struct json *geometry)
{
    bool point = json_is_string(json_get(geometry, STR("type")), STR("Point"));
    return point ? json_get(geometry, STR("coordinates")) : NULL;
}

const struct json *shape_start(const struct json *geometry)
{
    const struct json *line = shape_positions(geometry, false);
    return line ? &line->items[0] : shape_point(geometry);
}

const struct json *shape_end(const struct json *geometry)
{
    const struct json *line = shape_positions(geometry, true);
    return line ? &line->items[line->n - 1] : shape_point(geometry);
}

static bool shape_position(const struct json *p, double *lon, double *lat)
{
    return json_is(p, JSON_ARRAY) && p->n >= 2 && json_number(&p->items[0], lon) &&
           json_number(&p->items[1], lat);
}

/* Haversine. */
static double shape_distance_m(double lon1, double lat1, double lon2, double lat2)
{
    const double rad = M_PI / 180;
    double sin_lat = sin((lat2 - lat1) * rad / 2), sin_lon = sin((lon2 - lon1) * rad / 2);
    double h = sin_lat * sin_lat + cos(lat1 * rad) * cos(lat2 * rad) * sin_lon * sin_lon;
    return 2 * EARTH_RADIUS_M * asin(sqrt(h < 1 ? h : 1));
}

static bool shape_add_line(const struct json *line, double *metres)
{
    double lon, lat, next_lon, next_lat;
    if (!json_is(line, JSON_ARRAY) || line->n == 0 || !shape_position(&line->items[0], &lon, &lat))
        return false;
    for (uint32_t i = 1; i < line->n; i++) {
        if (!shape_position(&line->items[i], &next_lon, &next_lat))
            return false;
        *metres += shape_distance_m(lon, lat, next_lon, next_lat);
        lon = next_lon;
        lat = next_lat;
    }
    return true;
}

bool shape_length_m(const struct json *geometry, double *metres)
{
    const struct json *coordinates = json_get(geometry, STR("coordinates"));
    *metres = 0;
    if (json_is_string(json_get(geometry, STR("type")), STR("LineString")))
        return shape_add_line(coordinates, metres);
    if (!json_is_string(json_get(geometry, STR("type")), STR("MultiLineString")) ||
        !json_is(coordinates, JSON_ARRAY))
        return false;
    for (uint32_t i = 0; i < coordinates->n; i++)
        if (!shape_add_line(&coordinates->items[i], metres))
            return false;
    return true;
}

uint64_t shape_digest(struct str minified)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < minified.n; i++)
        h = (h ^ (unsigned char)minified.p[i]) * UINT64_C(0x100000001b3);
    return h;
}
