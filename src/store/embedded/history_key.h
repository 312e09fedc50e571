/* Keys of the history in the base (docs/formats/history.md):
 *
 *   '6' tenant id 00                                   head of an entity's past
 *   '6' tenant id 00 term dataset 00 place number      a sealed chunk of a series
 *   '7' tenant id                                      an entity that is known by its past alone
 *
 * tenant, term, place (sign flipped) and number are big-endian. No id and no datasetId contains a zero. */
#ifndef STORE_EMBEDDED_HISTORY_KEY_H
#define STORE_EMBEDDED_HISTORY_KEY_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct str history_key_head(uint32_t tenant, struct str id, struct arena *a);
/* Behind all that begins with key: the end of a range. */
struct str history_key_end(struct str key, struct arena *a);
/* Of which entity a head is; borrowed from key. False: it is a chunk's key. */
bool history_key_head_parts(struct str key, uint32_t *tenant, struct str *id);
/* The first key that may come behind it. */
struct str history_key_after(struct str key, struct arena *a);
struct str history_key_series(uint32_t tenant, struct str id, uint32_t term, struct str dataset, struct arena *a);
struct str history_key_chunk(struct str series, int64_t place, uint32_t number, struct arena *a);
/* Series of a chunk, by its key, of which the head's is the first head_bytes; dataset borrows from it. False: it is none. */
MUST_USE bool history_key_read_chunk(struct str key, size_t head_bytes, uint32_t *term, struct str *dataset);
/* Place and number of a chunk, by its key. */
int64_t history_key_place(struct str key);
uint32_t history_key_number(struct str key);
struct str history_key_gone(uint32_t tenant, struct str id, struct arena *a);
/* What of such a key is the id. */
struct str history_key_gone_id(struct str key);

#endif
