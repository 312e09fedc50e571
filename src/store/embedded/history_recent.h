/* What changes did to temporal evolutions since the last fold: groups of items by entity, in order. One table is filled by
 * the committer while a fold writes the one before it. No locking of its own. */
#ifndef STORE_EMBEDDED_HISTORY_RECENT_H
#define STORE_EMBEDDED_HISTORY_RECENT_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct recent;

struct recent_entry {
    struct recent_entry *next;        /* in its bucket */
    const struct recent_entry *before; /* the one that was made before it, which lies close by */
    uint64_t hash;
    struct recent_block *first, *last; /* groups */
    uint32_t n;                        /* bytes of them */
    uint32_t id_n;
    bool plain; /* nothing but instances of an entity that was there */
    char id[];
};

struct recent *recent_new(void);
void recent_free(struct recent *r); /* NULL is fine */
/* Appends a group of change seq. hash: hash_str(id). plain: nothing but instances, of an entity that was there and still is.
 * Returns by how much memory grew. */
size_t recent_add(struct recent *r, struct str id, uint64_t hash, uint64_t seq, struct str items, bool plain);
/* recent_add() of this hash comes soon: first its bucket is fetched into the cache, then the entry there. */
void recent_prefetch(const struct recent *r, uint64_t hash);
void recent_prefetch_entry(const struct recent *r, uint64_t hash);
/* NULL: nothing happened to it. */
const struct recent_entry *recent_find(const struct recent *r, struct str id, uint64_t hash);
struct str recent_id(const struct recent_entry *e);
/* All groups of an entity: where they are, or copied. */
struct str recent_groups(const struct recent_entry *e, struct arena *a);
/* Puts what older has in front; takes older over. */
void recent_prepend(struct recent *r, struct recent *older);
uint32_t recent_count(const struct recent *r);
size_t recent_bytes(const struct recent *r); /* 0 while nothing is in it */
/* All, in no order. */
void recent_each(const struct recent *r, void (*each)(void *arg, const struct recent_entry *e), void *arg);
/* All, by id. Caller frees the array. */
const struct recent_entry **recent_sorted(const struct recent *r);

#endif
