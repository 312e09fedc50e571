/* Coordinates of a GeoJSON geometry as flat arrays: what validation checks, and what
 * relations and distances are computed from. Internal to model/geometry*.c. */
#ifndef MODEL_GEOMETRY_SHAPE_H
#define MODEL_GEOMETRY_SHAPE_H

#include "base/json.h"
#include "base/status.h"
#include "model/entity.h"

#include <stdbool.h>
#include <stdint.h>

enum geometry_kind {
    GEOMETRY_POINT,
    GEOMETRY_MULTI_POINT,
    GEOMETRY_LINE,
    GEOMETRY_MULTI_LINE,
    GEOMETRY_POLYGON,
    GEOMETRY_MULTI_POLYGON,
    GEOMETRY_KIND_COUNT /* none of them */
};

struct position {
    double lon, lat; /* degrees; altitudes are checked, then left out */
};

/* positions[0..] belong to lines[0], up to but not including line_ends[0], and so on;
 * lines likewise to polygons. A Point, a MultiPoint and a LineString are one line, a
 * Polygon's rings are lines of one polygon. */
struct geometry_shape {
    enum geometry_kind kind;
    struct position *positions;
    uint32_t position_count, position_room;
    uint32_t *line_ends;
    uint32_t line_count, line_room;
    uint32_t *polygon_ends;
    uint32_t polygon_count, polygon_room;
    struct box box;
};

/* GEOMETRY_KIND_COUNT when it is no name of a supported type (GeometryCollection is none,
 * clause 4.7.1). */
enum geometry_kind geometry_kind_of(struct str name);
const char *geometry_kind_name(enum geometry_kind kind);

/* Checks the "coordinates" of kind (RFC 7946 section 3.1) and says their box. shape: NULL, or a
 * zeroed or used shape, which is filled. at: where coordinates stands. E_BAD_DATA, or E_LIMIT
 * "limits.coordinates". */
MUST_USE enum status geometry_shape_check(enum geometry_kind kind, const struct json *coordinates,
                                          uint32_t coordinates_max, const struct at *at,
                                          struct geometry_shape *shape, struct box *box,
                                          struct why *why);
/* Fills a zeroed or used shape from the text of a VALUE_GEO. False when the text is no geometry. */
bool geometry_shape_scan(struct str text, struct geometry_shape *shape);
void geometry_shape_clear(struct geometry_shape *s); /* keeps the room */
void geometry_shape_add(struct geometry_shape *s, struct position p);
void geometry_shape_end_line(struct geometry_shape *s);
void geometry_shape_end_polygon(struct geometry_shape *s);
void geometry_shape_free(struct geometry_shape *s); /* its arrays */

/* Empty: west > east. */
#define GEOMETRY_BOX_EMPTY ((struct box){400, 100, -400, -100})
static inline void geometry_box_add(struct box *b, struct position p)
{
    b->west = p.lon < b->west ? p.lon : b->west;
    b->east = p.lon > b->east ? p.lon : b->east;
    b->south = p.lat < b->south ? p.lat : b->south;
    b->north = p.lat > b->north ? p.lat : b->north;
}

#endif
