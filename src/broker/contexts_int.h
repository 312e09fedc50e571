/* Shared by contexts.c (resolving), contexts_kept.c (listing, hosting, dropping) and contexts_reload.c. */
#ifndef BROKER_CONTEXTS_INT_H
#define BROKER_CONTEXTS_INT_H

#include "broker/context_cache.h"
#include "broker/contexts.h"

#include <pthread.h>

struct fetching {
    struct port_fetch fetch;
    struct fetching *next;
    struct contexts *owner;
    struct contexts_call *waiters;
};

struct contexts {
    struct contexts_options o;
    struct context_cache *cache;
    pthread_mutex_t lock;
    struct fetching *fetching;
    uint32_t fetching_count;
    uint32_t reloading_count;
    bool stopped;
    int64_t now_us; /* when the lock was taken */
    int64_t start_us;
    uint64_t misses, fetches, failures;
    struct named_table implicit; /* documents, by what they say */
    uint64_t marks;
    uint32_t hosted_count;
    size_t hosted_bytes;
};

void contexts_lock(struct contexts *c);
void contexts_unlock(struct contexts *c);
/* Parses text as a context document; without a reference yet. Needs no lock. */
MUST_USE enum status contexts_document(const struct contexts *c, struct str url, struct str text, struct document **out,
                                       struct why *why);
void contexts_document_free(struct document *d);
/* An entry of d; its bytes count at the first one. */
struct cached *contexts_entry(struct document *d, int64_t expires_us);
/* A fetch of url, for the port; the URL is a copy to be freed. */
struct port_fetch contexts_fetch(const struct contexts *c, struct str url, void (*done)(struct port_fetch *f));
/* What came; NULL with the reason. Without the lock: reading takes its time. */
struct document *contexts_fetched(const struct contexts *c, const struct port_fetch *f, struct why *why);
/* With the lock. Until when what came is fresh. */
int64_t contexts_fresh_until(const struct contexts *c, const struct port_fetch *f);
/* With the lock. Could spec be built? What is missing is E_CONTEXT, with its URL in *missing. */
MUST_USE enum status contexts_try(struct contexts *c, const struct json *spec, struct arena *a, struct str *missing,
                                  struct why *why);
/* The local identifier in a URL of an @context that is served here, decoded; url itself when it is none. In the arena
 * or borrowed. */
struct str contexts_local(struct str url, struct arena *a);

#endif
