/* Many entities into an index at once, as a start does. What index_add() would do is done once for
 * many that have the same types and the same attributes of the same kinds (one shape), and
 * geometries and ends are sorted once: an index comes out as if they had been added one by one.
 *
 * Costs up to 16 bytes an entity with a geometry, and as much again for a moment, until it is
 * flushed. */
#ifndef STORE_EMBEDDED_INDEX_BULK_H
#define STORE_EMBEDDED_INDEX_BULK_H

#include "store/embedded/index.h"

struct index_bulk;

/* Caller owns. */
struct index_bulk *index_bulk_new(void);
/* What is not flushed is forgotten. NULL is fine. */
void index_bulk_free(struct index_bulk *b);
/* For the index that has what is flushed next, without indexes of values; slots ascend and are new
 * to it. d stays until then. */
void index_bulk_add(struct index_bulk *b, struct index *ix, uint32_t slot, const struct doc *d);
/* Now it is all in. */
void index_bulk_flush(struct index_bulk *b, struct index *ix);

#endif
