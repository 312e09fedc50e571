/* A tenant: its committed state, its indexes, its documents, and what changed since the
 * last fold. And the directory of all tenants, read without locks.
 *
 * A tenant's number is never given again, so it is key prefix and generation in one: a
 * tenant made anew under an old name shares nothing with the old one. */
#ifndef STORE_EMBEDDED_TENANT_H
#define STORE_EMBEDDED_TENANT_H

#include "store/embedded/block.h"
#include "store/embedded/index.h"
#include "store/embedded/name_map.h"
#include "store/embedded/state.h"
#include "store/store.h"

#include <pthread.h>

struct recent;

struct tenant {
    uint32_t id; /* 0 is never used; 1 is the default tenant's first */
    struct str name;
    uint64_t hash;
    _Atomic uint32_t holders; /* the directory, and whoever keeps it over a quiescent point */
    struct reclaim *reclaim;
    struct blocks *blocks;

    _Atomic(struct state *) state; /* lock-free readers; replaced when it is renumbered */

    pthread_rwlock_t lock; /* below; written by the committer */
    uint64_t renumbered;   /* times */
    uint64_t last_created; /* created_seq of the last slot */
    bool unsorted;         /* replay inserted an entity behind younger ones */
    uint64_t version;      /* sequence of the last change to state or index */
    struct index *index;
    struct name_map *documents[STORE_KIND_COUNT];
    /* since the last fold began */
    struct bitmap *dirty;             /* slots */
    struct bitmap *folding;           /* slots that the fold under way writes */
    uint32_t folded_to;               /* those below this one are written */
    bool keeps;                       /* the fold has still to write versions up to folding_seq */
    uint64_t folding_seq;
    struct doc **kept;                /* versions of others that were replaced meanwhile: copies */
    uint32_t kept_count, kept_room;
    struct name_map *folding_documents; /* struct dirty_key of the fold under way; NULL: none is */
    struct name_map *dirty_documents; /* struct dirty_key */
    struct recent *recent;            /* history; and what of it the fold under way writes: */
    struct recent *folding_recent;    /* NULL: none is */
    uint64_t *tombstones;             /* created_seq of deleted entities that the base may hold */
    uint32_t tombstone_count, tombstone_room;

    /* the writers' lock */
    bool deleted_ahead;        /* its deletion is on its way */
    struct tenant *next_ahead; /* in the list of those whose creation is */
};

/* A document that changed since the last fold; the key stands behind it. */
struct dirty_key {
    uint8_t kind;
    struct str key; /* kind, then the document's key */
    /* of the fold under way */
    bool written;
    bool replaced;         /* by a younger one before it was written: */
    struct document *kept; /* what it was, owned; NULL: there was none */
};

/* holders is 1. */
struct tenant *tenant_new(struct reclaim *r, struct blocks *b, uint32_t id, struct str name);
struct tenant *tenant_hold(struct tenant *t);
/* The last one retires it, documents and all. */
void tenant_release(struct tenant *t);
static inline struct state *tenant_state(const struct tenant *t)
{
    return atomic_load_explicit(&t->state, memory_order_acquire);
}

/* Under the tenant's lock, for writing. */
void tenant_mark_document(struct tenant *t, uint8_t kind, struct str key);
void tenant_free_dirty(struct tenant *t, struct name_map *dirty); /* any thread */
/* old at slot is about to be replaced or removed: a fold that has still to write it gets a copy. */
void tenant_keep_version(struct tenant *t, uint32_t slot, const struct doc *old);
/* The same for a document; NULL: there is none. True: the fold has taken old over. */
bool tenant_keep_document(struct tenant *t, uint8_t kind, struct str key, struct document *old);
void tenant_mark_tombstone(struct tenant *t, uint64_t created_seq);
/* Moves live entities to slots without holes, in order of creation; indexes are made anew. Under
 * the lock. */
void tenant_renumber(struct tenant *t);
/* Memory of tables and indexes, without the entities' blocks. Under the lock. */
size_t tenant_bytes(const struct tenant *t);

/* The directory: immutable, replaced as a whole. */
struct tenants {
    uint32_t count, mask;
    struct tenant *cells[]; /* open addressing by name's hash */
};
/* Borrowed while online. NULL when there is none. */
struct tenant *tenants_find(const struct tenants *d, struct str name);
struct tenant *tenants_find_id(const struct tenants *d, uint32_t id);
/* A copy with t added, or without it. */
struct tenants *tenants_with(const struct tenants *d, struct tenant *t);
struct tenants *tenants_without(const struct tenants *d, const struct tenant *t);

#endif
