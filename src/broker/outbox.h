/* Due notifications, kept until they are delivered: one lane a subscription, in the order
 * of the changes. A lane holds so many, and all together so many bytes. When something comes to
 * a full lane, the oldest of the same entity is merged into what follows it; if there is none, the
 * lane's oldest goes. Both are counted, on the subscription and in all.
 *
 * Changes are put in by whoever hears of them, one thread; one other takes out and settles
 * (broker/notify.h). Both may ask for counters, any thread may. */
#ifndef BROKER_OUTBOX_H
#define BROKER_OUTBOX_H

#include "base/buf.h"
#include "model/doc.h"
#include "model/subscription.h"

struct outbox;
struct lane;
struct due_entity;

/* A version of an entity, shared by all that wait with it. */
struct outbox_doc;
const struct doc *outbox_doc_of(const struct outbox_doc *d);

struct outbox_options {
    uint32_t lane_max;        /* changes waiting for one subscription, "subscriptions.waiting" */
    size_t bytes_max;         /* of versions waiting, "subscriptions.waiting_bytes" */
    const struct terms *terms; /* what is restored is checked against them */
};

/* Caller owns. wake: a lane has work, or is gone, since outbox_next() last gave NULL; any thread,
 * no lock held. */
struct outbox *outbox_new(const struct outbox_options *o, void (*wake)(void *arg), void *arg);
void outbox_free(struct outbox *o); /* NULL is fine */

/* ---- who puts in ---- */

/* The lane of that subscription, or NULL. Valid until it is removed. */
struct lane *outbox_find(struct outbox *o, struct str tenant, struct str id);
/* Makes the lane, or gives the subscription of an existing one its new version. */
struct lane *outbox_set(struct outbox *o, struct subscription *s);
void outbox_remove(struct outbox *o, struct lane *lane);
/* Every lane there is; the lock is held meanwhile. */
void outbox_each(struct outbox *o, void (*each)(void *arg, struct lane *lane), void *arg);
/* The @context of each subscription; likewise. */
void outbox_each_context(struct outbox *o, void (*each)(void *arg, struct str url), void *arg);
/* All lanes of a tenant that is gone; each goes to gone first. */
void outbox_remove_tenant(struct outbox *o, struct str tenant,
                          void (*gone)(void *arg, struct lane *lane), void *arg);
struct str lane_tenant(const struct lane *lane); /* borrowed from the lane, as the next */
struct str lane_id(const struct lane *lane);
/* Whatever the putting thread hangs on it. */
void lane_set_watcher(struct lane *lane, void *watcher);
void *lane_watcher(const struct lane *lane);

/* One change of an entity, being put into lanes; copies are made once, when needed. */
struct outbox_change {
    uint64_t seq;
    int64_t at_us;
    const struct doc *before, *after; /* borrowed until outbox_end */
    /* private */
    struct outbox_doc *before_copy, *after_copy;
};
/* with_before: the version before the change is wanted, too. */
void outbox_put(struct outbox *o, struct lane *lane, struct outbox_change *c, bool with_before);
void outbox_end(struct outbox *o, struct outbox_change *c);
/* An outcome of a batch: wakes once. seq: every change up to this one has been put in. */
void outbox_flush(struct outbox *o, uint64_t seq);

/* ---- who takes out ---- */

/* Whoever takes out is about to ask: no wake() before outbox_next() gives NULL. */
void outbox_begin(struct outbox *o);
/* A lane that has something to do, or NULL. Removed ones come last of all: nobody else has them. */
struct lane *outbox_next(struct outbox *o);
/* A lane that is removed LEAVES until outbox_next() has given it out once more; then it is LEFT to who takes out. */
enum lane_life { LANE_LIVES, LANE_LEAVES, LANE_LEFT };
enum lane_life outbox_life(struct outbox *o, const struct lane *lane);
void lane_free(struct outbox *o, struct lane *lane); /* one that is left */
/* The same, and of a lane that lives its subscription as of now, one reference, the caller's, and how
 * many changes wait. */
enum lane_life outbox_look(struct outbox *o, const struct lane *lane, struct subscription **s,
                           uint32_t *waiting);

/* fresh is the same with more names known: takes the place of old, unless that was changed meanwhile. */
void outbox_renew(struct outbox *o, struct lane *lane, const struct subscription *old,
                  struct subscription *fresh);

struct due_item {
    uint64_t first_seq, last_seq;
    int64_t at_us;
    const struct doc *before, *after; /* before NULL: created, or not wanted; after NULL: deleted */
};
/* What goes into the next message: the front of the lane, until an entity comes for the second time,
 * or `room` are there. What was taken and not settled is given again, as it was. Borrowed until it
 * is settled. */
uint32_t outbox_take(struct outbox *o, struct lane *lane, struct due_item *items, uint32_t room);
/* What was taken is done with; given_up: it did not arrive and never will. True: there is more. */
bool outbox_settle(struct outbox *o, struct lane *lane, bool given_up);
/* Everything that waits goes, uncounted when the subscription does not want it any more. */
void outbox_clear(struct outbox *o, struct lane *lane);
/* After an attempt at time now; what was taken, if anything, is settled if it arrived. */
void outbox_count(struct outbox *o, struct lane *lane, bool ok, int64_t now_us);

/* What the taking thread knows of a lane; it alone looks at it. */
struct delivery;
void lane_set_delivery(struct lane *lane, struct delivery *d);
struct delivery *lane_delivery(const struct lane *lane);

/* ---- figures ---- */

/* False: no such subscription. */
bool outbox_counters(struct outbox *o, struct str tenant, struct str id,
                     struct subscription_counters *out);

struct outbox_stats {
    uint64_t lanes, waiting, bytes;
    uint64_t put, delivered, merged, dropped, given_up, sent, failed; /* totals */
};
void outbox_stats(struct outbox *o, struct outbox_stats *out);

/* ---- across a restart (docs/formats/outbox.md) ---- */

/* Everything that waits, while nothing is put in; versions are shared, not copied. What is delivered
 * meanwhile may be left out. */
struct outbox_frozen;
struct outbox_frozen *outbox_freeze(struct outbox *o);
/* Lane by lane, whatever happens to the outbox meanwhile; no lock is held in put. Frees frozen. */
void outbox_save(struct outbox *o, struct outbox_frozen *frozen,
                 void (*put)(void *arg, struct str key, struct str bytes), void *arg);
/* One lane back; what is damaged, or has no lane any more, is left out. */
void outbox_restore(struct outbox *o, struct str key, struct str bytes);

/* How far lanes have come, for a crash: everything up to seq is delivered but for the lanes that are
 * listed with how far they are. At most `lanes_max` are listed, so seq may be held back. */
void outbox_position(struct outbox *o, uint32_t lanes_max, struct buf *b);
/* What was delivered before the crash waits no longer, and is not put in again. */
void outbox_reposition(struct outbox *o, struct str bytes);

/* Counters of one lane, changed since they were last asked for; false: none is. Longest ago first.
 * Key in the arena. */
bool outbox_changed_counters(struct outbox *o, struct arena *a, struct str *tenant, struct str *id,
                             struct buf *b);
void outbox_restore_counters(struct outbox *o, struct str tenant, struct str id, struct str bytes);

#endif
