/* Snapshots (CIM 009 clauses 4.3.7, 5.5.15, 5.16): what queries found, copied into a
 * tenant of the store that no client can name, where every operation works on it as on
 * any tenant. The copy survives restarts and is isolated from what it was made of.
 *
 * One thread of their own makes, copies, ends and stores them, in small steps; requests
 * hand it their changes and go on. Why: docs/decisions/0012. */
#ifndef BROKER_SNAPSHOTS_H
#define BROKER_SNAPSHOTS_H

#include "broker/broker.h"
#include "model/links.h"
#include "model/snapshot.h"

struct snapshots_options {
    uint32_t snapshots_max;  /* "limits.snapshots" */
    uint32_t entities_max;   /* of one, "limits.snapshot_entities" */
    uint32_t instances_max;  /* of evolutions in one, "limits.snapshot_instances" */
    int64_t lifetime_us;     /* when none is asked for, "limits.snapshot_lifetime"; none lives longer */
    uint32_t linked_max;     /* Relationships followed for a slice of a query with join, "limits.linked_entities" */
    uint32_t send_timeout_ms;
};

struct snapshots;
/* Starts the thread and loads what is stored. Caller owns. */
MUST_USE enum status snapshots_start(struct snapshots **out, struct broker *b, const struct snapshots_options *o,
                                     struct why *why);
/* Ends the thread, before the ports end; calls are cancelled from then on. A snapshot in preparation has failed, as
 * the next start will say. s may be NULL. */
void snapshots_stop(struct snapshots *s);
/* Behind the last request and the last message. s may be NULL. */
void snapshots_free(struct snapshots *s);

/* ---- from any thread, at once ---- */

/* The tenant of the store that holds the entities of a snapshot; the snapshot counts as used. E_NOT_FOUND; E_BUSY
 * while it is being prepared. */
MUST_USE enum status snapshots_enter(struct snapshots *s, struct str tenant, struct str id, struct arena *a,
                                     struct str *held_in, struct why *why);
/* The other way round: whose entities does a tenant of the store hold? False: it is a tenant of clients. */
bool snapshots_owner(struct snapshots *s, struct str held_in, struct arena *a, struct str *tenant, struct str *id);
/* Does it hold entities of a snapshot, or did it? Nobody but the snapshots makes such a tenant. */
bool snapshots_held(struct str tenant);
/* A copy in the arena; false when there is none. */
bool snapshots_get(struct snapshots *s, struct str tenant, struct str id, struct arena *a, struct snapshot *out);

/* ---- changes ---- */

/* One query to be executed. */
struct snapshot_query {
    const struct filter *filter;
    struct represent represent; /* which members are wanted; arena is the fill's */
    struct join join;           /* linked entities become part of the snapshot */
};
/* One temporal query: as it would be asked of the store, but for caller, page and arena; of its terms, omit are left out. */
struct snapshot_temporal_query {
    struct store_evolve asked;
    const struct projection *omit;
};
/* The queries of one snapshot, owned by its maker. */
struct snapshot_queries {
    struct snapshot_query *queries;
    struct snapshot_temporal_query *temporal;
    uint32_t count, temporal_count;
    void (*release)(struct snapshot_queries *q); /* on the thread of the snapshots, once */
};

enum snapshot_order { SNAPSHOT_ORDER_CREATE, SNAPSHOT_ORDER_CLONE, SNAPSHOT_ORDER_CHANGE, SNAPSHOT_ORDER_DELETE, SNAPSHOT_ORDER_PURGE };
struct snapshot_call {
    /* in */
    enum snapshot_order order;
    struct str tenant;
    struct str id;                     /* CLONE: the source; CHANGE, DELETE */
    struct snapshot given;             /* CREATE, CLONE */
    struct snapshot_queries *queries;  /* CREATE: handed over */
    const struct json *fragment;       /* CHANGE */
    const struct filter *filter;       /* PURGE */
    struct arena *arena;
    struct runner *home;
    void (*done)(struct snapshot_call *c); /* on home, never inside the call */
    /* out */
    enum status status;
    struct why why;
    struct snapshot result; /* CREATE, CLONE, CHANGE; in the arena */
    struct str *purged;     /* PURGE: ids, and for each how it went */
    struct why *purge_why;
    uint32_t purge_count;
    /* private */
    struct task task;
    struct snapshots *owner;
};
void snapshots_call(struct snapshots *s, struct snapshot_call *c);

#endif
