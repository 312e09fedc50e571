/* What importers ask of a GeoJSON geometry (RFC 7946): its ends, its length, and a
 * digest that stays the same when the file is sorted differently. */
#ifndef SENSE_SHAPE_H
#define SENSE_SHAPE_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* First and last position of a LineString or MultiLineString; a Point is both. Borrowed from the
 * geometry; NULL when it has none. */
const struct json *shape_start(const struct json *geometry);
const struct json *shape_end(const struct json *geometry);
/* Length of a LineString or MultiLineString in metres on a sphere of 6,371,008.8 m (IUGG mean
 * radius); false for other geometries and positions that are no numbers. */
bool shape_length_m(const struct json *geometry, double *metres);
/* 64-bit FNV-1a over the minified text: stable across runs and machines. */
uint64_t shape_digest(struct str minified);

#endif
