/* The outbox's own parts, for its two files. */
#ifndef BROKER_OUTBOX_INT_H
#define BROKER_OUTBOX_INT_H

#include "broker/outbox.h"

#include <pthread.h>

struct outbox_doc {
    uint32_t refs;  /* of what waits */
    uint32_t holds; /* of what is being saved; not counted in the outbox's bytes */
    char bytes[] __attribute__((aligned(8)));
};

/* One change, or several of one entity merged, waiting in a lane. */
struct due {
    struct due *next, *prev;               /* in the lane */
    struct due *same_older, *same_newer;   /* of the same entity */
    struct due_entity *entity;
    uint64_t first_seq, last_seq;
    int64_t at_us;
    struct outbox_doc *before, *after;
    bool created; /* there was no version before */
};

/* What waits in one lane of one entity. */
struct due_entity {
    struct due_entity *next; /* of one bucket */
    struct lane *lane;
    uint64_t hash;
    struct due *oldest, *newest;
};

struct lane {
    struct lane *next;               /* of one bucket */
    struct lane *next_ready;
    struct lane *next_changed, *prev_changed; /* counters, longest ago first */
    struct lane *next_waiting, *prev_waiting; /* lanes that are not empty */
    struct lane *next_alike, *prev_alike;     /* of one size */
    struct str tenant, id;           /* owned */
    uint64_t hash;
    struct subscription *subscription;
    void *watcher;                   /* of who puts in */
    struct delivery *delivery;       /* of who takes out */
    struct due *first, *last, *untaken;
    uint32_t count, taken;
    uint64_t mark;      /* of outbox_reposition() */
    uint64_t delivered; /* nothing up to this change is due any more */
    struct subscription_counters counters;
    uint8_t size; /* bits of how many may be dropped; 0: none */
    bool ready, changed;
    _Atomic bool removed;
};

enum { LANE_SIZES = 33 };

struct outbox {
    struct outbox_options o;
    void (*wake)(void *arg);
    void *wake_arg;
    pthread_mutex_t lock; /* everything below */
    struct lane **lanes;
    uint32_t lane_count, lane_mask;
    struct due_entity **entities;
    uint64_t entity_count, entity_mask;
    struct lane *ready, **ready_last;
    struct lane *changed, *changed_last;
    struct lane *waiting; /* those with something in them */
    struct lane *freezing; /* of these, the next that outbox_freeze() takes */
    struct lane *alike[LANE_SIZES]; /* lanes by size, to find a fat one */
    bool woken;
    uint64_t marks;
    uint64_t seq; /* everything up to this change has been put in */
    struct outbox_stats stats;
};

static inline void outbox_lock(struct outbox *o)
{
    pthread_mutex_lock(&o->lock);
}

static inline void outbox_unlock(struct outbox *o)
{
    pthread_mutex_unlock(&o->lock);
}

/* For all below, the lock is held. */

/* ---- outbox.c: lanes ---- */
struct lane *lane_find(const struct outbox *o, struct str tenant, struct str id);
void lane_mark_ready(struct outbox *o, struct lane *lane);
void lane_mark_changed(struct outbox *o, struct lane *lane);
void lane_unmark_changed(struct outbox *o, struct lane *lane);

/* ---- outbox_due.c: what waits in them ---- */
struct outbox_doc *doc_copy(struct outbox *o, const struct doc *d, size_t n);
struct outbox_doc *doc_share(struct outbox *o, struct outbox_doc **copy, const struct doc *d);
void doc_release(struct outbox *o, struct outbox_doc *d);
struct outbox_doc *doc_hold(struct outbox_doc *d); /* NULL is fine, for both */
void doc_let_go(struct outbox_doc *d);
/* Takes over the references of fresh, which becomes the lane's last. */
void due_append(struct outbox *o, struct lane *lane, struct due fresh);
void due_remove(struct outbox *o, struct lane *lane, struct due *d);
void due_remove_all(struct outbox *o, struct lane *lane);
/* After a change of count or taken. */
void lane_note_size(struct outbox *o, struct lane *lane);
/* Makes room for d, the lane's newest: by merging it with an older one of the same entity, or by
 * dropping the lane's oldest, or those of lanes that have most. When all else is taken by delivery, d
 * itself is dropped; only one that waits alone may be larger than the bound. */
void due_make_room(struct outbox *o, struct lane *lane, struct due *d);

#endif
