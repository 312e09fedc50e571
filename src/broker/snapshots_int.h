/* What the parts of the snapshots share: snapshots.c (thread, lookups), snapshot_entry.c (the
 * table), snapshot_order.c (changes), snapshot_keep.c (what the store has of them),
 * snapshot_fill.c (copying entities). All but the table's lookups runs on their thread. */
#ifndef BROKER_SNAPSHOTS_INT_H
#define BROKER_SNAPSHOTS_INT_H

#include "broker/snapshots.h"

#include <pthread.h>
#include <stdatomic.h>

enum { DOCUMENT_BYTES_MAX = 256 << 20 };

struct snapshot_entry {
    struct arena *arena; /* of what stays */
    struct str tenant, held_in;
    struct arena *texts; /* of s */
    struct snapshot s;
    _Atomic int64_t last_used_at;
    int64_t stored_used_at; /* of it, what is stored */
    struct snapshot_fill *fill; /* under way */
    struct snapshot_entry *next;
};

/* Tasks posted from anywhere, run by the thread; or completions that a step waits for. */
struct snapshot_queue {
    struct runner runner;
    struct snapshots *owner;
    struct task *first, **last;
};

struct snapshots {
    struct broker *broker;
    struct snapshots_options o;
    struct clock *clock;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* below */
    pthread_cond_t wake;
    struct snapshot_queue work, completions;
    bool stopping, loaded;
    struct snapshot_entry *entries;
    uint32_t count;
    uint64_t made;
    /* the thread's own */
    enum status load_status;
    struct why load_why;
};

int64_t snapshots_now(const struct snapshots *s);
/* Runs completions until *done. */
void snapshots_wait(struct snapshots *s, const bool *done);
bool snapshots_stopping(struct snapshots *s);

/* ---- snapshot_entry.c: the table ---- */

/* NULL: there is none. Under the lock, or on the thread. */
struct snapshot_entry *snapshot_entry_find(const struct snapshots *s, struct str tenant, struct str id);
/* A copy of what is given, in no table yet; owned by the caller until it is added. */
struct snapshot_entry *snapshot_entry_new(struct str tenant, struct str held_in, const struct snapshot *given);
void snapshot_entry_add(struct snapshots *s, struct snapshot_entry *e);
void snapshot_entry_free(struct snapshot_entry *e);
/* What GET shows changes. */
void snapshot_entry_set(struct snapshots *s, struct snapshot_entry *e, const struct snapshot *to);
/* Sets the result, stores it, tells the endpoint. */
void snapshot_entry_finish(struct snapshots *s, struct snapshot_entry *e, enum snapshot_status status, struct str details,
                           struct str temporal_details);
/* Ends a snapshot, and frees e when that succeeds. told: its endpoint learns of it. */
enum status snapshot_entry_end(struct snapshots *s, struct snapshot_entry *e, bool told, struct why *why);
/* Ends what has expired; stores when what was used since was used last. */
void snapshot_entry_expire(struct snapshots *s);

/* snapshot_order.c: what is asked; how it went is in c. */
void snapshot_order_run(struct snapshots *s, struct snapshot_call *c);

/* ---- snapshot_keep.c: what the store has of them ---- */

#define SNAPSHOT_HELD_PREFIX "/snapshot/" /* no tenant of clients has a '/' */
/* Writes `to` as the entry's document. */
enum status snapshot_keep_put(struct snapshots *s, struct snapshot_entry *e, const struct snapshot *to,
                              bool only_absent, struct why *why);
enum status snapshot_keep_delete(struct snapshots *s, const struct snapshot_entry *e, struct why *why);
/* Makes the tenant that holds the entities; also an empty snapshot can be asked. */
MUST_USE enum status snapshot_keep_hold(struct snapshots *s, const struct snapshot_entry *e, struct why *why);
void snapshot_keep_release(struct snapshots *s, struct str held_in);
/* At the start: fills the table. */
MUST_USE enum status snapshot_keep_load(struct snapshots *s, struct why *why);

/* ---- snapshot_past.c: evolutions ---- */

/* Copying what one query finds, or all; step by step. */
struct snapshot_past {
    struct snapshots *s;
    const struct snapshot_temporal_query *query; /* NULL: everything */
    struct str from, into;  /* tenants of the store */
    uint64_t until_seq;     /* changes behind it are of the copying itself, or of clients meanwhile */
    struct arena *arena;    /* of ids */
    struct str *ids;        /* that may be meant; NULL before the first step */
    uint32_t id_count, at;
    uint64_t found;
    uint64_t *instances;    /* copied into the snapshot in all */
};
/* *more: there is another step to do. */
MUST_USE enum status snapshot_past_step(struct snapshot_past *p, struct arena *scratch, bool *more, struct why *why);

/* snapshot_tell.c: the endpoint, if there is one, learns how it is. */
void snapshot_tell(struct snapshots *s, const struct snapshot_entry *e, bool deleted);

/* snapshot_fill.c: starts filling e, by queries (taken over) or from another's entities. */
void snapshot_fill_start(struct snapshots *s, struct snapshot_entry *e, struct snapshot_queries *queries,
                         struct str copy_of);
/* Ends it without a result; e is going away. */
void snapshot_fill_cancel(struct snapshot_fill *f);

#endif
