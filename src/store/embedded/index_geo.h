/* Cells of geometries: which boxes may touch a box.
 *
 * The earth is a square of 360° × 360°, halved 29 times (7 cm). A point is keyed by its
 * finest cell. A box is keyed by the finest cell of its south-west corner at a level where
 * it reaches no farther than the next cell east and north; so a search looks one cell
 * farther west and south. Within a level cells follow a Z-order curve: a rectangle is a
 * few ranges of keys.
 *
 *   key: level (6 bits) | Z-order of column and row (58 bits) */
#ifndef STORE_EMBEDDED_INDEX_GEO_H
#define STORE_EMBEDDED_INDEX_GEO_H

#include "model/entity.h"
#include "store/embedded/ordered.h"
#include "store/embedded/slots.h"

uint64_t index_geo_key(struct box b);
/* About how many entries index_geo_collect() will look at. */
uint64_t index_geo_estimate(const struct ordered *cells, struct box reach);
/* Adds the slots whose boxes may touch reach: never one too few. */
void index_geo_collect(const struct ordered *cells, struct box reach, struct slots *out);

#endif
