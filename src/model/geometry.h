/* GeoJSON geometries (RFC 7946, CIM 009 clause 4.7): validation, boxes, exact
 * relations (GEOS, as PostGIS uses it) and geodesic distances in metres. */
#ifndef MODEL_GEOMETRY_H
#define MODEL_GEOMETRY_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "model/entity.h"

struct geometry; /* parsed and prepared; usable from one thread at a time unless said otherwise */

/* Checks v as a GeoJSON geometry other than GeometryCollection: positions of two or three finite
 * numbers within ±180/±90, closed rings of four or more, no more than coordinates_max positions.
 * Fills a VALUE_GEO (text minified). */
MUST_USE enum status geometry_value(const struct json *v, uint32_t coordinates_max, struct arena *a,
                                    const struct at *at, struct value *out, struct why *why);
/* For queries: type "Point" and its coordinates. Caller owns; geometry_free(). */
MUST_USE enum status geometry_new(struct str type, const struct json *coordinates,
                                  uint32_t coordinates_max, struct geometry **out, struct box *box,
                                  struct why *why);
void geometry_free(struct geometry *g);
/* Is it an object that looks like a supported geometry? (concise inference, clause 4.5.2.3) */
bool geometry_looks_like(const struct json *v);

bool geometry_within(const struct geometry *reference, const struct value *target);
bool geometry_contains(const struct geometry *reference, const struct value *target);
bool geometry_intersects(const struct geometry *reference, const struct value *target);
bool geometry_equals(const struct geometry *reference, const struct value *target);
bool geometry_disjoint(const struct geometry *reference, const struct value *target);
bool geometry_overlaps(const struct geometry *reference, const struct value *target);
/* Geodesic metres on WGS84 between the nearest points; NAN when target is no geometry. Exact
 * between points, for others see geometry_distance.c. */
double geometry_distance_m(const struct geometry *reference, const struct value *target);
/* distance <= metres, mostly without computing it. */
bool geometry_is_near(const struct geometry *reference, const struct value *target, double metres);
/* distance > metres, likewise. */
bool geometry_is_beyond(const struct geometry *reference, const struct value *target,
                        double metres);
/* Haversine metres (clause 4.23.1) between the nearest points; NAN likewise. */
double geometry_haversine_m(const struct geometry *reference, const struct value *target);
/* Box grown by metres on every side; never smaller than the true reach. */
struct box geometry_grow(struct box b, double metres);
bool box_touches(struct box a, struct box b);

#endif
