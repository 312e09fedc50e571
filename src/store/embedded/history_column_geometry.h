/* What the columns of geometries share: those of points and texts, and those of what is made of many positions. */
#ifndef STORE_EMBEDDED_HISTORY_COLUMN_GEOMETRY_H
#define STORE_EMBEDDED_HISTORY_COLUMN_GEOMETRY_H

#include "store/embedded/history_column.h"

/* Takes a number that we would write the same off the front of *rest. */
bool column_coordinate_take(struct str *rest, double *out);
/* A column of real numbers. */
bool column_side_read(struct column_source *s, uint32_t n, int64_t *out);
/* West, south and, of 4 sides, east, north of each. */
void column_boxes_write(struct buf *b, const struct value *v, uint32_t n, uint32_t sides, struct arena *scratch);
bool column_boxes_read(struct column_source *s, struct value *v, uint32_t n, uint32_t sides);

/* ---- history_column_shapes.c: at least one ---- */
/* False: there is nothing to be gained, and what was written is of no use. */
bool column_shapes_write(struct buf *b, const struct value *v, uint32_t n, struct arena *scratch);
bool column_shapes_read(struct column_source *s, uint32_t n, struct arena *a, struct value *out);

#endif
