/* The intern table: chunks of names by id, and a hash table of ids by name.
 *
 *   chunks ──► [ chunk 0 ] [ chunk 1 ] …      struct str by id-1; a chunk never moves
 *   table  ──► slots: hash (high 32 bits) | id, open addressing, at most half full
 *
 * Invariants
 *  - One writer at a time (lock); readers never lock.
 *  - A new name is written in this order: the entry, the count, the slot. So who
 *    finds an id by its name also sees a count that includes it, and who sees a
 *    count may read every entry up to it.
 *  - A full hash table is replaced by one twice its size. Readers may still be in
 *    the old one, so it is kept until the end; all old ones together are smaller
 *    than the one in use. */
#include "model/terms.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK_ENTRIES 1024u
#define TABLE_SLOTS_MIN 1024u

struct table {
    struct table *older;
    uint32_t mask;
    _Atomic uint64_t slots[]; /* 0: empty */
};

struct terms {
    _Atomic(struct table *) table;
    _Atomic uint32_t count;
    uint32_t count_max;
    pthread_mutex_t lock;
    struct arena *names; /* the bytes; written under the lock */
    _Atomic(struct str *) chunks[];
};

static struct table *table_new(uint32_t slots, struct table *older)
{
    struct table *t = mem_zalloc(sizeof *t + slots * sizeof t->slots[0]);
    t->older = older;
    t->mask = slots - 1;
    return t;
}

static uint32_t chunk_count(uint32_t count_max)
{
    return count_max / CHUNK_ENTRIES + 1;
}

struct terms *terms_new(uint32_t count_max)
{
    assert(count_max > 0 && count_max <= UINT32_MAX / 4);
    struct terms *t = mem_zalloc(sizeof *t + chunk_count(count_max) * sizeof t->chunks[0]);
    t->count_max = count_max;
    t->names = arena_new(0);
    pthread_mutex_init(&t->lock, NULL);
    atomic_store(&t->table, table_new(TABLE_SLOTS_MIN, NULL));
    return t;
}

void terms_free(struct terms *t)
{
    if (!t)
        return;
    for (struct table *h = atomic_load(&t->table), *older; h; h = older) {
        older = h->older;
        free(h);
    }
    for (uint32_t i = 0; i < chunk_count(t->count_max); i++)
        free(atomic_load(&t->chunks[i]));
    arena_free(t->names);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

struct str terms_iri(const struct terms *t, uint32_t id)
{
    assert(id != TERM_NONE && id <= terms_count(t));
    const struct str *chunk =
        atomic_load_explicit(&t->chunks[(id - 1) / CHUNK_ENTRIES], memory_order_acquire);
    return chunk[(id - 1) % CHUNK_ENTRIES];
}

uint32_t terms_count(const struct terms *t)
{
    return atomic_load_explicit(&t->count, memory_order_acquire);
}

static uint32_t find(const struct terms *t, struct str iri, uint64_t hash)
{
    const struct table *h = atomic_load_explicit(&t->table, memory_order_acquire);
    for (uint32_t i = (uint32_t)hash & h->mask;; i = (i + 1) & h->mask) {
        uint64_t slot = atomic_load_explicit(&h->slots[i], memory_order_acquire);
        if (slot == 0)
            return TERM_NONE;
        if (slot >> 32 == hash >> 32 && str_eq(terms_iri(t, (uint32_t)slot), iri))
            return (uint32_t)slot;
    }
}

uint32_t terms_find(const struct terms *t, struct str iri)
{
    return find(t, iri, hash_str(iri));
}

static void table_put(struct table *h, uint64_t hash, uint32_t id)
{
    uint32_t i = (uint32_t)hash & h->mask;
    while (atomic_load_explicit(&h->slots[i], memory_order_relaxed) != 0)
        i = (i + 1) & h->mask;
    uint64_t slot = (hash & 0xffffffff00000000u) | id;
    atomic_store_explicit(&h->slots[i], slot, memory_order_release);
}

static void table_grow(struct terms *t)
{
    struct table *old = atomic_load_explicit(&t->table, memory_order_relaxed);
    struct table *h = table_new((old->mask + 1) * 2, old);
    for (uint32_t id = 1; id <= terms_count(t); id++)
        table_put(h, hash_str(terms_iri(t, id)), id);
    atomic_store_explicit(&t->table, h, memory_order_release);
}

/* Under the lock; the name is not in the table. */
static uint32_t add(struct terms *t, struct str iri, uint64_t hash)
{
    uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
    if (n == t->count_max)
        return TERM_NONE;
    struct table *h = atomic_load_explicit(&t->table, memory_order_relaxed);
    if (n >= h->mask / 2)
        table_grow(t);
    uint32_t id = n + 1;
    struct str *chunk = atomic_load_explicit(&t->chunks[n / CHUNK_ENTRIES], memory_order_relaxed);
    if (!chunk) {
        chunk = mem_alloc(CHUNK_ENTRIES * sizeof *chunk);
        atomic_store_explicit(&t->chunks[n / CHUNK_ENTRIES], chunk, memory_order_release);
    }
    chunk[n % CHUNK_ENTRIES] = arena_dup(t->names, iri);
    atomic_store_explicit(&t->count, id, memory_order_release);
    table_put(atomic_load_explicit(&t->table, memory_order_relaxed), hash, id);
    return id;
}

uint32_t terms_intern(struct terms *t, struct str iri, struct why *why)
{
    uint64_t hash = hash_str(iri);
    uint32_t id = find(t, iri, hash);
    if (id != TERM_NONE)
        return id;
    pthread_mutex_lock(&t->lock);
    id = find(t, iri, hash); /* another thread may have been quicker */
    if (id == TERM_NONE)
        id = add(t, iri, hash);
    pthread_mutex_unlock(&t->lock);
    if (id == TERM_NONE)
        why_limit(why, E_LIMIT, NULL, "limits.terms",
                  "the city knows %u type and attribute names already, which is its maximum",
                  t->count_max);
    return id;
}
