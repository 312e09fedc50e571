/* The @contexts that requests name: resolved, built, cached within a bound
 * (CIM 009 clauses 5.5.5, 5.5.7, 6.3.5, 6.3.16).
 *
 * Two caches: remote documents by URL, with the freshness their origin stated, and
 * active contexts by what the request said (a URL, or the JSON text of an inline
 * @context). Documents preloaded from a folder never expire and are not bounded.
 * Several requests that miss the same document wait for one fetch; a failed fetch is
 * remembered briefly. Thread-safe; what is cached is found without a lock. The bound
 * covers what contexts remember as they are used: the next request trims that.
 *
 * Documents that the city itself serves (clause 5.13) stand among the others, by their local identifiers; hosted.h
 * keeps them in the store. A request that names the URL of one needs no network. */
#ifndef BROKER_CONTEXTS_H
#define BROKER_CONTEXTS_H

#include "broker/ports.h"
#include "model/context.h"

#include <stdbool.h>

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
    uint32_t hosted_max;        /* documents that the city serves, "contexts.hosted" */
    size_t hosted_bytes_max;    /* their text, "contexts.hosted_bytes" */
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

/* ---- what is kept (clause 5.13) ---- */

enum context_kind { CONTEXT_ANY, CONTEXT_CACHED, CONTEXT_HOSTED, CONTEXT_IMPLICIT };
/* "Cached" …; for CONTEXT_ANY it is "". */
const char *context_kind_name(enum context_kind k);

/* Strings in the arena of the call. */
struct context_info {
    uint8_t kind;         /* enum context_kind */
    struct str url;       /* where it was fetched; absent when the city serves it */
    struct str local_id;  /* a URN; of those that are served, the last segment of their path */
    struct str text;      /* {"@context": …}, of those that are served */
    const char *origin;   /* "fetched", "preloaded", "built in", "hosted" */
    bool fixed;           /* cannot be removed: built in or preloaded */
    bool built_in;
    int64_t created_us, expires_us, used_us; /* TIME_NONE: never */
    uint64_t hits;        /* times it was found here */
};

/* What tenant may see of the kind, in order of identifiers. */
uint32_t contexts_list(struct contexts *c, struct str tenant, enum context_kind kind, struct arena *a,
                       struct context_info **out);
/* By local identifier, by URL if it is cached, or by the URL it is served at. tenant: whose view; absent: anybody's,
 * who knows its identifier. use: it counts as found, once out is filled. False: there is none. */
bool contexts_find(struct contexts *c, struct str tenant, struct str id, bool use, struct arena *a,
                   struct context_info *out);
/* Is spec, the value of an "@context", well-formed (clause 5.5.4)? Remote documents that are not at hand are not
 * looked into. E_BAD_DATA. */
MUST_USE enum status contexts_check(struct contexts *c, const struct json *spec, struct arena *a, struct why *why);
/* The identifier of the implicitly created one with this text; absent when there is none. In the arena. */
struct str contexts_implicit(struct contexts *c, struct str tenant, struct str text, struct arena *a);
/* The implicitly created ones that nothing refers to and nobody has used since before_us, longest unused first, at
 * most `most`. referred calls mark with every URL that something stored refers to; nothing changes meanwhile. In the
 * arena. */
struct context_unused {
    struct str id, tenant;
    int64_t used_us;
};
struct contexts_referred {
    void (*call)(struct contexts_referred *r, void (*mark)(void *arg, struct str url), void *arg);
};
uint32_t contexts_unused(struct contexts *c, int64_t before_us, struct contexts_referred *referred, uint32_t most,
                         struct arena *a, struct context_unused **out);
uint32_t contexts_hosted_max(const struct contexts *c);
/* Makes room for one more of so many bytes. E_TOO_MANY_REQUESTS with the limit. Undone by contexts_unreserve() unless
 * contexts_host() follows. */
MUST_USE enum status contexts_reserve(struct contexts *c, size_t bytes, struct why *why);
void contexts_unreserve(struct contexts *c, size_t bytes);
/* Serves text, for which room is reserved, from now on. */
MUST_USE enum status contexts_host(struct contexts *c, struct str id, struct str text, enum context_kind kind,
                                   struct str tenant, int64_t created_us, struct why *why);
/* Removes a document, by local identifier or URL, and what was built from it. */
void contexts_drop(struct contexts *c, struct str key);
/* All that the tenant has served. */
void contexts_drop_tenant(struct contexts *c, struct str tenant);

/* Fetches a cached document again (clause 5.13.5.4); what is there stays until the new one has come. */
struct contexts_reload {
    struct runner *home; /* where done is called; never inside the start */
    struct str url;
    struct arena *arena; /* r's own lifetime; waits meanwhile */
    void (*done)(struct contexts_reload *r);
    /* out */
    enum status status; /* E_CONTEXT: it cannot be had, or is invalid */
    struct why why;
    /* private */
    struct port_fetch fetch;
    struct task task;
    struct contexts *owner;
};
/* True: refused at once, done is not called. */
bool contexts_reload(struct contexts *c, struct contexts_reload *r);

struct contexts_stats {
    uint64_t documents, contexts, bytes, hits, misses, fetches, failures, evictions;
};
void contexts_stats(struct contexts *c, struct contexts_stats *out);

#endif
