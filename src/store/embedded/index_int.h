/* What index.c and index_bulk.c share. */
#ifndef STORE_EMBEDDED_INDEX_INT_H
#define STORE_EMBEDDED_INDEX_INT_H

#include "store/embedded/index.h"

void index_mark_scopes(struct index *ix, uint32_t slot, const struct doc *d, bool there);
/* The geometries of an attribute, none as yet perhaps. Lives as long as ix. */
struct ordered *index_cells_at(struct index *ix, uint32_t term);
/* When the first of d's parts ends, if that is before the entity itself does. */
int64_t index_part_end(const struct doc *d);

#endif
