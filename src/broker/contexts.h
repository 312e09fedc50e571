/* The @contexts that requests name: resolved, built, cached within a bound
 * (CIM 009 clauses 5.5.5, 5.5.7, 6.3.5, 6.3.16).
 *
 * Two caches: remote documents by URL, with the freshness their origin stated, and
 * active contexts by what the request said (a URL, or the JSON text of an inline
 * @context). Documents preloaded from a folder never expire and are not bounded.
 * Several requests that miss the same document wait for one fetch; a failed fetch is
 * remembered briefly. Thread-safe; what is cached is found without a lock. The bound
 * covers what contexts remember as they are used: the next request trims that. */
#ifndef BROKER_CONTEXTS_H
#define BROKER_CONTEXTS_H

#include "broker/ports.h"
#include "model/context.h"

struct contexts;

struct contexts_options {
    struct broker_ports *ports;
    struct context_limits limits;
    size_t cache_bytes_max;     /* documents fetched and active contexts, "contexts.cache_bytes" */
    size_t document_bytes_max;  /* one remote document, "contexts.document_bytes" */
    uint32_t fetches_max;       /* under way at once, "contexts.fetches" */
    uint32_t timeout_ms;        /* of a fetch, "contexts.timeout" */
    int64_t fresh_us;           /* when the origin says nothing, "contexts.fresh" */
    uint32_t json_depth_max;
};

/* Caller owns. */
struct contexts *contexts_new(const struct contexts_options *o);
/* From now on nothing is fetched: what is not at hand is refused with E_CANCELLED. Call it before the port ends. */
void contexts_stop(struct contexts *c);
/* Every fetch must have ended. c may be NULL. */
void contexts_free(struct contexts *c);

/* Loads every *.json and *.jsonld below dir. URLs come from dir/index.json ({"url": "file", …}) where there
 * is one, else from the path: dir/HOST/PATH is https://HOST/PATH and http://HOST/PATH. */
MUST_USE enum status contexts_preload(struct contexts *c, const char *dir, uint32_t *count, struct why *why);

struct contexts_call {
    struct task task;
    struct runner *home;      /* where done is called */
    struct arena *arena;      /* scratch and error texts; the request's, which waits meanwhile */
    const struct json *spec;  /* value of "@context"; NULL: the core context */
    void (*done)(struct contexts_call *call);
    /* out */
    enum status status;
    struct why why;
    struct context *context;  /* one reference, the caller's */
    /* private */
    struct contexts *owner;
    struct contexts_call *next;
    struct str key;
    uint32_t fetches; /* waited for so far */
    int64_t since_us;
};
/* True: completed at once, done is not called. */
bool contexts_resolve(struct contexts *c, struct contexts_call *call);

struct contexts_stats {
    uint64_t documents, contexts, bytes, hits, misses, fetches, failures, evictions;
};
void contexts_stats(struct contexts *c, struct contexts_stats *out);

#endif
