/* What a context is made of; only the context_*.c files look in here.
 *
 * A context is one block, written once by context_freeze() and never changed:
 *
 *   struct context | definitions | names | iris | prefixes | bytes of all strings
 *
 * with three ways in:
 *   names     hash of a term        → definition
 *   iris      hash of a full IRI    → definition of the best term for it
 *   prefixes  sorted by their IRI, each with its nearest shorter prefix, so that
 *             all prefixes of an IRI are found by one binary search and a walk
 *
 * User contexts hold only what is theirs; the core context is looked at as well,
 * and first. A user's definition of a core term is never kept. Two things change
 * in a finished context, both caches that any thread may read and write: the term
 * ids of definitions, and the memo of compacted names. */
#ifndef MODEL_CONTEXT_INTERNAL_H
#define MODEL_CONTEXT_INTERNAL_H

#include "model/context.h"

#include <pthread.h>
#include <stdatomic.h>

struct definition {
    struct str term;
    struct str iri;       /* absent: the term stands for nothing; a keyword: an alias */
    struct str type;      /* coercion; absent when none */
    struct str container; /* absent when none */
    bool prefix;          /* may start compact IRIs */
    bool reverse;
    bool guarded; /* @protected; only while building */
    bool dropped; /* takes back an earlier definition; only while building */
};

struct name_slot {
    uint32_t tag;   /* upper half of the hash */
    uint32_t place; /* of the definition, plus one; 0: empty */
};

/* Open addressing, at most half full. */
struct name_index {
    uint32_t mask;
    struct name_slot *slots;
};

struct prefix {
    const struct definition *definition;
    uint32_t shorter; /* the longest other prefix whose IRI starts this one: place plus one */
};

enum { MEMO_ROOTS = 25, MEMO_CHUNK = 256, VOCAB_MEMO_SLOTS = 4096 };

/* Compacted names by term id. Chunk n of 256 ids hangs in root log2(n + 1), so that
 * a context pays for the ids it has seen. A slot is 0 (unknown), odd (bytes to leave
 * out at the front of the IRI, times two, plus one) or the address of a struct str. */
typedef _Atomic uintptr_t memo_slot;
typedef _Atomic(memo_slot *) memo_chunk;

struct context {
    _Atomic uint32_t refs;
    const struct context *core; /* itself in the core context */
    struct terms *terms;
    struct str vocab; /* the core's */
    size_t block_bytes;
    uint32_t count;
    struct definition *definitions;
    _Atomic uint32_t *ids; /* of each definition's IRI; TERM_NONE until somebody asked */
    struct name_index names;
    struct name_index iris;
    uint32_t prefix_count;
    struct prefix *prefixes;
    bool has_colons;              /* some term looks like a compact IRI */
    _Atomic uint64_t *vocab_memo; /* core only, VOCAB_MEMO_SLOTS of them (context_expand.c) */

    pthread_mutex_t lock; /* over the three below and growth of the memo */
    struct arena *memo_strings;
    _Atomic size_t memo_bytes;
    _Atomic size_t *account; /* where all bytes are counted as well; NULL: nowhere */
    _Atomic(memo_chunk *) memo[MEMO_ROOTS];
};

/* Definition of name among c's own; NULL when there is none. */
static inline const struct definition *context_own(const struct context *c, struct str name,
                                                   uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash & c->names.mask;; i = (i + 1) & c->names.mask) {
        struct name_slot s = c->names.slots[i];
        if (s.place == 0)
            return NULL;
        if (s.tag == tag && str_eq(c->definitions[s.place - 1].term, name))
            return &c->definitions[s.place - 1];
    }
}

/* The core's definition of name, else c's own; *owner says whose it is. */
static inline const struct definition *context_find(const struct context *c, struct str name,
                                                    uint64_t hash, const struct context **owner)
{
    const struct definition *d = context_own(c->core, name, hash);
    *owner = c->core;
    if (d || c->core == c)
        return d;
    *owner = c;
    return context_own(c, name, hash);
}

/* One malloc'ed block from a finished scope; core is NULL when the core itself is made.
 * NULL when the scope adds nothing to the core. The caller owns one reference. */
struct scope;
struct context *context_freeze(const struct scope *scope, const struct context *core,
                               struct terms *terms);
void context_memo_free(struct context *c);
/* Whatever its references say. */
void context_free(struct context *c);

#endif
