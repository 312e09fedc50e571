/* What broker/contexts.c keeps: documents by URL or local identifier, active contexts by what the request said, and failed
 * fetches by URL, within one bound.
 *
 * Active contexts are found without a lock, since nearly every request with an @context asks for one that is there.
 * All else is called under the lock of the owner. What has been used stays before what has not: an entry whose turn
 * it is to go and that was hit since its last turn gets another one. */
#ifndef BROKER_CONTEXT_CACHE_H
#define BROKER_CONTEXT_CACHE_H

#include "base/json.h"
#include "base/status.h"
#include "broker/named.h"
#include "model/context.h"

#include <stdatomic.h>

struct context_cache;

enum cached_kind { CACHED_DOCUMENT, CACHED_CONTEXT, CACHED_FAILURE };

/* Where a document came from (clause 5.13.1). */
enum document_origin { DOCUMENT_FETCHED, DOCUMENT_PRELOADED, DOCUMENT_HOSTED, DOCUMENT_IMPLICIT };

/* A parsed document. */
struct document {
    uint32_t refs; /* entries that hold it; changed under the lock */
    struct arena *arena; /* holds json, text and tenant */
    struct json json;
    uint8_t origin; /* enum document_origin */
    int64_t created_us;
    struct str text;   /* of those that are served; absent else */
    struct str tenant; /* whose it is, of those that are served */
    struct str id;     /* local identifier, of those that are served */
    struct named same; /* of those implicitly created: by what they say, see contexts_kept.c */
    uint64_t mark;     /* something refers to it, as of that look */
};

struct cached {
    /* the caller's, before context_cache_add() */
    bool pinned; /* never expires, never goes, is not subject to the bound */
    int64_t expires_us;
    size_t bytes;              /* besides the entry itself, its key and the context, which are counted anyway */
    struct document *document; /* CACHED_DOCUMENT: one reference */
    struct context *context;   /* CACHED_CONTEXT: one reference */
    struct str *parts;         /* CACHED_CONTEXT: keys of the documents it was built from, owned */
    uint32_t part_count;
    struct why why;            /* CACHED_FAILURE */
    /* the cache's */
    uint8_t kind;
    uint64_t hash;
    struct str key; /* owned */
    _Atomic uint64_t hits;
    _Atomic int64_t used_us; /* by the last hit; 0: none yet */
    uint64_t hits_counted;   /* of a CACHED_CONTEXT: added to the uses of its parts */
    uint64_t uses;           /* of a CACHED_DOCUMENT, as of context_cache_settle() */
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
/* The document of key, which then is not counted as used; NULL: none, or stale. */
struct cached *context_cache_document(struct context_cache *c, struct str key, int64_t now_us);
/* The document whose number, context_cache_number() of its key, that is. */
struct cached *context_cache_numbered(struct context_cache *c, uint64_t number, int64_t now_us);
uint64_t context_cache_number(struct str key);
/* Calls each with every document that is not stale, in no order. */
void context_cache_each_document(struct context_cache *c, int64_t now_us, void (*each)(void *arg, struct cached *e),
                                 void *arg);
/* Brings the uses of all documents up to date. */
void context_cache_settle(struct context_cache *c);
/* Takes a document away, and what was built from it. */
void context_cache_remove(struct context_cache *c, struct cached *document);
/* What was built from the document of key goes: it has changed. */
void context_cache_forget(struct context_cache *c, struct str key);
/* Back within the bound. */
void context_cache_trim(struct context_cache *c);

/* bytes: exact, of pinned entries too, and of what contexts remember as they are used. */
struct context_cache_stats {
    uint64_t documents, contexts, bytes, hits, evictions;
};
void context_cache_stats(const struct context_cache *c, struct context_cache_stats *out);

#endif
