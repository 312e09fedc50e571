/* Slots in chunks, ids in a hash table; see state.h. */
#include "store/embedded/state.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 512, IDS_BITS_MIN = 4, DIRECTORY_MIN = 4 };

#define DELETED ((uint64_t)UINT32_MAX) /* low half: slot + 1 */

struct ids {
    uint32_t bits;
    _Atomic uint64_t cells[];
};

struct chunk {
    _Atomic(const struct doc *) docs[CHUNK];
};

struct directory {
    uint32_t room;
    struct chunk *chunks[];
};

struct state {
    struct reclaim *reclaim;
    _Atomic(struct ids *) ids;
    _Atomic(struct directory *) directory;
    _Atomic uint32_t slots;
    _Atomic uint32_t count;
    uint64_t used; /* cells that are not empty, deleted ones among them */
};

static void release(void *arg, void *thing)
{
    (void)arg;
    free(thing);
}

static struct ids *ids_new(uint32_t bits)
{
    struct ids *t = mem_zalloc(sizeof *t + (sizeof t->cells[0] << bits));
    t->bits = bits;
    return t;
}

struct state *state_new(struct reclaim *r)
{
    struct state *s = mem_zalloc(sizeof *s);
    s->reclaim = r;
    s->ids = ids_new(IDS_BITS_MIN);
    return s;
}

void state_free(struct state *s)
{
    if (!s)
        return;
    struct directory *d = s->directory;
    for (uint32_t i = 0; d && i * CHUNK < s->slots; i++)
        free(d->chunks[i]);
    free(d);
    free(s->ids);
    free(s);
}

static uint64_t first_cell(uint32_t tag, uint32_t bits)
{
    return tag >> (32 - bits);
}

const struct doc *state_at(const struct state *s, uint32_t slot)
{
    const struct directory *d = atomic_load_explicit(&s->directory, memory_order_acquire);
    return atomic_load_explicit(&d->chunks[slot / CHUNK]->docs[slot % CHUNK], memory_order_acquire);
}

/* The id stands behind tables of the block: its lines are asked for together with the header's. */
static void fetch(const struct doc *d)
{
    __builtin_prefetch(d);
    __builtin_prefetch((const char *)d + 64);
    __builtin_prefetch((const char *)d + 128);
}

void state_prefetch(const struct state *s, uint64_t hash)
{
    const struct ids *t = atomic_load_explicit(&s->ids, memory_order_acquire);
    __builtin_prefetch(&t->cells[first_cell((uint32_t)(hash >> 32), t->bits)], 1);
}

const struct doc *state_find(const struct state *s, struct str id, uint64_t hash, uint32_t *slot)
{
    const struct ids *t = atomic_load_explicit(&s->ids, memory_order_acquire);
    uint32_t tag = (uint32_t)(hash >> 32);
    uint64_t mask = ((uint64_t)1 << t->bits) - 1;
    for (uint64_t i = first_cell(tag, t->bits);; i = (i + 1) & mask) {
        uint64_t cell = atomic_load_explicit(&t->cells[i], memory_order_acquire);
        if (!cell)
            return NULL;
        if (cell >> 32 != tag || (uint32_t)cell == UINT32_MAX)
            continue;
        const struct doc *d = state_at(s, (uint32_t)cell - 1);
        if (d)
            fetch(d);
        if (d && str_eq(doc_id(d), id)) {
            if (slot)
                *slot = (uint32_t)cell - 1;
            return d;
        }
    }
}

uint32_t state_slots(const struct state *s)
{
    return atomic_load_explicit(&s->slots, memory_order_acquire);
}

uint32_t state_count(const struct state *s)
{
    return atomic_load_explicit(&s->count, memory_order_relaxed);
}

/* ---- the writer ---- */

static void ids_put(struct ids *t, uint64_t cell)
{
    uint64_t mask = ((uint64_t)1 << t->bits) - 1;
    uint64_t i = first_cell((uint32_t)(cell >> 32), t->bits);
    while (atomic_load_explicit(&t->cells[i], memory_order_relaxed))
        i = (i + 1) & mask;
    atomic_store_explicit(&t->cells[i], cell, memory_order_release);
}

/* A table at most three quarters full; the next one starts at most half full. */
static void ids_make_room(struct state *s)
{
    struct ids *old = s->ids;
    uint64_t size = (uint64_t)1 << old->bits;
    if ((s->used + 1) * 4 <= size * 3)
        return;
    uint32_t bits = IDS_BITS_MIN;
    while (((uint64_t)1 << bits) < 2 * ((uint64_t)s->count + 1))
        bits++;
    struct ids *t = ids_new(bits);
    s->used = 0;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t cell = atomic_load_explicit(&old->cells[i], memory_order_relaxed);
        if (cell && (uint32_t)cell != UINT32_MAX) {
            ids_put(t, cell);
            s->used++;
        }
    }
    atomic_store_explicit(&s->ids, t, memory_order_release);
    reclaim_retire(s->reclaim, (void *[]){old}, 1, release, NULL);
}

static struct chunk *chunk_for(struct state *s, uint32_t slot)
{
    struct directory *d = s->directory;
    uint32_t n = slot / CHUNK;
    if (!d || n == d->room) {
        uint32_t room = d ? 2 * d->room : DIRECTORY_MIN;
        struct directory *bigger = mem_zalloc(sizeof *bigger + room * sizeof bigger->chunks[0]);
        bigger->room = room;
        if (d) {
            memcpy(bigger->chunks, d->chunks, d->room * sizeof d->chunks[0]);
            reclaim_retire(s->reclaim, (void *[]){d}, 1, release, NULL);
        }
        atomic_store_explicit(&s->directory, bigger, memory_order_release);
        d = bigger;
    }
    if (slot % CHUNK == 0)
        d->chunks[n] = mem_zalloc(sizeof(struct chunk));
    return d->chunks[n];
}

uint32_t state_insert(struct state *s, const struct doc *d, uint64_t hash)
{
    ids_make_room(s);
    uint32_t slot = s->slots;
    assert(slot < STATE_NO_SLOT - 1);
    struct chunk *c = chunk_for(s, slot);
    atomic_store_explicit(&c->docs[slot % CHUNK], d, memory_order_release);
    atomic_store_explicit(&s->slots, slot + 1, memory_order_release);
    ids_put(s->ids, (hash >> 32) << 32 | (slot + 1));
    s->used++;
    s->count++;
    return slot;
}

static void slot_set(struct state *s, uint32_t slot, const struct doc *d)
{
    struct directory *dir = s->directory;
    atomic_store_explicit(&dir->chunks[slot / CHUNK]->docs[slot % CHUNK], d, memory_order_release);
}

void state_replace(struct state *s, uint32_t slot, const struct doc *d)
{
    slot_set(s, slot, d);
}

void state_remove(struct state *s, uint32_t slot, uint64_t hash)
{
    struct ids *t = s->ids;
    uint64_t mask = ((uint64_t)1 << t->bits) - 1;
    uint64_t cell = (hash >> 32) << 32 | (slot + 1);
    uint64_t i = first_cell((uint32_t)(hash >> 32), t->bits);
    while (t->cells[i] != cell)
        i = (i + 1) & mask;
    atomic_store_explicit(&t->cells[i], DELETED, memory_order_release);
    slot_set(s, slot, NULL);
    s->count--;
}

size_t state_bytes(const struct state *s)
{
    const struct directory *d = s->directory;
    size_t chunks = (s->slots + CHUNK - 1) / CHUNK;
    return sizeof *s + (sizeof(uint64_t) << s->ids->bits) + chunks * sizeof(struct chunk) +
           (d ? d->room * sizeof d->chunks[0] : 0);
}
