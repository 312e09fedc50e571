/* What broker/contexts.c keeps: remote documents by URL, active contexts by what the request said, and failed
 * fetches by URL, within one bound.
 *
 * Active contexts are found without a lock, since nearly every request with an @context asks for one that is there.
 * All else is called under the lock of the owner. What has been used stays before what has not: an entry whose turn
 * it is to go and that was hit since its last turn gets another one. */
#ifndef BROKER_CONTEXT_CACHE_H
#define BROKER_CONTEXT_CACHE_H

#include "base/json.h"
#include "base/status.h"
#include "model/context.h"

#include <stdatomic.h>

struct context_cache;

enum cached_kind { CACHED_DOCUMENT, CACHED_CONTEXT, CACHED_FAILURE };

/* A parsed document. */
struct document {
    uint32_t refs; /* entries that hold it; changed under the lock */
    struct arena *arena; /* holds json */
    struct json json;
};

struct cached {
    /* the caller's, before context_cache_add() */
    bool pinned; /* never expires, never goes, is not subject to the bound */
    int64_t expires_us;
    size_t bytes;              /* besides the entry itself, its key and the context, which are counted anyway */
    struct document *document; /* CACHED_DOCUMENT: one reference */
    struct context *context;   /* CACHED_CONTEXT: one reference */
    struct why why;            /* CACHED_FAILURE */
    /* the cache's */
    uint8_t kind;
    uint64_t hash;
    struct str key; /* owned */
    _Atomic uint64_t hits;
    uint64_t hits_seen;            /* at its last turn */
    _Atomic(struct cached *) chain;
    struct cached *newer, *older; /* turns; not for pinned entries */
};

/* Caller owns; nobody may be asking when it is freed. */
struct context_cache *context_cache_new(size_t bytes_max);
void context_cache_free(struct context_cache *c);

/* The active context of key, with one reference, NULL when it is not there or stale. Any thread, no lock; reader is
 * what stands for the thread, so that threads stay apart. */
struct context *context_cache_hit(struct context_cache *c, const void *reader, struct str key, int64_t now_us);
/* The bytes have grown beyond the bound, as they may when names are looked up. Any thread. */
bool context_cache_is_over(const struct context_cache *c);

/* ---- under the owner's lock ---- */

/* Borrowed until the lock is given back. What is stale goes. */
struct cached *context_cache_find(struct context_cache *c, enum cached_kind kind, struct str key, int64_t now_us);
/* Takes e, made by mem_zalloc, in the place of what has this key. Others go until the bound is kept. */
void context_cache_add(struct context_cache *c, struct cached *e, enum cached_kind kind, struct str key);
/* Back within the bound. */
void context_cache_trim(struct context_cache *c);

/* bytes: exact, of pinned entries too, and of what contexts remember as they are used. */
struct context_cache_stats {
    uint64_t documents, contexts, bytes, hits, evictions;
};
void context_cache_stats(const struct context_cache *c, struct context_cache_stats *out);

#endif
