/* What changes did to temporal evolutions since the last fold: groups of items by entity, in order. One table is filled by
 * the committer while a fold writes the one before it. No locking of its own. */
#ifndef STORE_EMBEDDED_HISTORY_RECENT_H
#define STORE_EMBEDDED_HISTORY_RECENT_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct recent;

struct recent_entry {
    struct recent_entry *next; /* in its bucket */
    uint64_t hash;
    struct str id; /* behind this struct */
    char *groups;
    size_t n, room;
    bool plain; /* nothing but instances of an entity that was there */
};

struct recent *recent_new(void);
void recent_free(struct recent *r); /* NULL is fine */
/* Appends a group of change seq. hash: hash_str(id). plain: nothing but instances, of an entity that was there and still is.
 * Returns by how much memory grew. */
size_t recent_add(struct recent *r, struct str id, uint64_t hash, uint64_t seq, struct str items, bool plain);
/* NULL: nothing happened to it. */
const struct recent_entry *recent_find(const struct recent *r, struct str id, uint64_t hash);
/* Puts what older has in front; frees older. */
void recent_prepend(struct recent *r, struct recent *older);
uint32_t recent_count(const struct recent *r);
size_t recent_bytes(const struct recent *r);
/* All, by id. Caller frees the array. */
const struct recent_entry **recent_sorted(const struct recent *r);

#endif
