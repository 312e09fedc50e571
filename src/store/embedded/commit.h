/* The commit queue: from the writers' lock to the log, and from the log to everybody.
 *
 *   writer:    lock; preconditions against heads; sequence; queue; unlock
 *   committer: takes a group; log; sync; publishes in order; tells listeners; drops heads; answers
 *
 * One log, one committer, one order. When a group cannot be written, it and everything
 * queued behind it (which may build on it) is answered with the reason, and all heads go. */
#ifndef STORE_EMBEDDED_COMMIT_H
#define STORE_EMBEDDED_COMMIT_H

#include "store/embedded/head.h"
#include "store/embedded/record.h"
#include "store/embedded/tenant.h"

struct embedded;

enum {
    PENDING_BARRIER = 0
}; /* no record: its operation waits for what is before it in the queue */

/* One change on its way. */
struct pending {
    struct pending *next;
    struct head head;
    struct op *op; /* NULL: nobody waits for this one */
    size_t bytes;  /* about, of the queue */
    struct tenant *tenant;
    uint8_t kind; /* enum record_kind, or PENDING_BARRIER */
    uint8_t document_kind;
    uint64_t seq;
    uint64_t origin; /* as struct record's; TERMS: first id, changed_count: how many */
    int64_t at_us;
    uint64_t hash;             /* of key */
    struct str key;            /* id or document's key: in doc, or behind this struct */
    struct doc *doc;           /* ENTITY: owned until it is published */
    struct document *document; /* DOCUMENT: one reference */
    struct str items;          /* HISTORY: behind this struct */
    const struct doc *base;    /* ENTITY…: the committed version that it was worked out from, and */
    uint32_t slot;             /* where that stood; or NULL: it is to be looked up */
    const struct doc *before;  /* filled in when published; retired behind the listeners */
    uint32_t changed_count;
    uint32_t *changed; /* behind this struct; NULL: not known */
};
/* Room for changed terms and a copy of key (absent: none). */
struct pending *pending_new(uint8_t kind, uint32_t changed_room, struct str key);
/* HISTORY, with a copy of items. */
struct pending *pending_new_history(struct str key, struct str items);

/* A write that is waiting. Fields are under the writers' lock. */
struct op {
    struct store_call *call; /* NULL once it is answered */
    struct op *prev, *next;  /* all that wait */
    uint32_t left;           /* changes not yet committed */
    bool sealed;             /* all its changes are queued */
    enum status status;      /* why it failed */
    struct why *why;
    int64_t start_us;
};

struct commit {
    pthread_mutex_t lock; /* the writers' lock */
    pthread_cond_t wake;  /* the committer's */
    bool waiting;         /* the committer is */
    _Atomic bool nudge_owed; /* a thread is busy with writes and will say when it is done:
                                commit_nudge() */
    _Atomic int64_t gather_until_us; /* monotonic; how long the committer believes that */
    bool stopping;
    _Atomic bool stopped; /* a sync failed: nothing is written until a restart */
    struct why stopped_why;
    struct pending *first, **last;
    size_t queued_bytes;
    uint64_t seq;          /* last one given */
    uint64_t moves;        /* of heads: changes queued or dropped so far */
    uint32_t terms_queued; /* ids up to this one are in the log or the queue */
    uint32_t tenant_id;    /* last one given */
    uint32_t tenant_count; /* with those on their way */
    struct heads heads;
    struct tenant *ahead; /* tenants whose creation is on its way */
    struct op *ops;
    struct op *spare_ops; /* to be used again */
    uint32_t spare_op_count;
    pthread_t thread;
    bool running;

    uint32_t terms_durable; /* the committer's, as the next */
    uint64_t fold_asked;    /* segment at which a fold was asked for */
    _Atomic uint64_t commits, groups, commit_us_total;
    _Atomic bool refusing;  /* the last group was refused for want of space */
    char refusing_why[160]; /* under lock */
};

void commit_init(struct embedded *e);
MUST_USE enum status commit_start(struct embedded *e, struct why *why);
/* Commits what is queued, then ends the thread. */
void commit_stop(struct embedded *e);
void commit_free(struct embedded *e);

/* ---- for writers; those marked L want the lock held ---- */
void commit_lock(struct embedded *e);
void commit_unlock(struct embedded *e);
/* L. OK, or why nothing can be queued now. */
MUST_USE enum status commit_open(struct embedded *e, struct why *why);
/* L. The tenant of that name as of the end of the queue. NULL: none. *ahead: that is not committed
 * yet. */
struct tenant *commit_tenant(struct embedded *e, struct str name, bool *ahead);
/* L. Gives p its sequence and queues it; terms that it may use go before it. */
void commit_enqueue(struct embedded *e, struct pending *p);
/* L. Registers op for call. */
struct op *commit_op(struct embedded *e, struct store_call *call);
/* L. All changes of op are queued. True: nothing is left to wait for, op is gone. */
bool commit_seal(struct embedded *e, struct op *op);
/* L. op fails with why, once all its changes are settled. */
void commit_fail(struct op *op, const struct why *why);
/* The calling thread is about to wait: wakes the committer for what was queued meanwhile. No lock
 * is held. */
void commit_nudge(struct embedded *e);
/* The calling thread goes on: only if something has been queued for long. */
void commit_nudge_late(struct embedded *e);
/* ---- for the committer ---- */
/* Answers to be posted, one chain a runner. Zeroed at first. */
struct answers {
    struct chain {
        struct runner *home;
        struct task *first, **last;
    } * chains;
    uint32_t count, room;
};
/* L. One change of p's operation is settled; the last one answers it. */
void commit_settle(struct commit *c, struct pending *p, enum status status, const struct why *why,
                   struct answers *a, int64_t now_us);
/* Of a call's task, on its loop: tells that it is done. */
void commit_run_done(struct task *task);
/* Without the lock. */
void commit_post(struct answers *a);
/* L. Threads are busy with writes, and will say when they are done: commit_nudge(). */
void commit_owe_nudge(struct commit *c);

/* ---- for upkeep and callers ---- */
/* Answers waiting writes whose deadline has passed. Any thread. */
void commit_expire_calls(struct embedded *e, int64_t now_us);
/* Gives up a waiting write. */
void commit_cancel(struct embedded *e, struct store_call *call);

#endif
