/* What is committed in a tenant: the current version of each entity, by slot and by id.
 *
 *   slots   chunk ─► [ doc | doc | NULL | … ]     in order of creation; a hole once deleted
 *   ids     cells: hash (high 32 bits) | slot + 1  open addressing, 0 empty, DELETED
 *
 * One writer; readers need no lock, only to be online (reclaim.h). A slot is written
 * before the cell that leads to it. Slots are never given twice: holes go when the whole
 * state is made anew. */
#ifndef STORE_EMBEDDED_STATE_H
#define STORE_EMBEDDED_STATE_H

#include "model/doc.h"
#include "store/embedded/reclaim.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct state;

#define STATE_NO_SLOT UINT32_MAX

/* Caller owns. Tables that are replaced go through r. */
struct state *state_new(struct reclaim *r);
/* Does not free the documents. */
void state_free(struct state *s);

/* NULL when absent. hash: hash_str(id). *slot may be NULL. Borrowed while online. */
const struct doc *state_find(const struct state *s, struct str id, uint64_t hash, uint32_t *slot);
/* state_find() of this hash comes soon. */
void state_prefetch(const struct state *s, uint64_t hash);
/* NULL when it is a hole. slot < state_slots(). */
const struct doc *state_at(const struct state *s, uint32_t slot);
uint32_t state_slots(const struct state *s); /* given so far, holes among them */
uint32_t state_count(const struct state *s); /* entities */

/* The writer's. Inserts at the next slot, and returns it. */
uint32_t state_insert(struct state *s, const struct doc *d, uint64_t hash);
void state_replace(struct state *s, uint32_t slot, const struct doc *d);
void state_remove(struct state *s, uint32_t slot, uint64_t hash);
/* Memory of the tables. */
size_t state_bytes(const struct state *s);

#endif
