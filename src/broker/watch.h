/* Which subscriptions a change is for (CIM 009 clauses 5.2.33, 5.8.6). An index over
 * tenant, id, idPattern, type, attribute, scope, geo cell, value and interval finds candidates
 * (watch_keys.h), which are then checked whole; candidates are counted, so that the work
 * can be held against how many there are. One thread at a time. */
#ifndef BROKER_WATCH_H
#define BROKER_WATCH_H

#include "broker/delta.h"
#include "model/subscription.h"
#include "store/store.h"

struct watch;
struct watcher; /* one subscription in the index */

struct watch_options {
    const struct terms *terms;
    const struct subscription_limits *limits;
    /* A name that nothing had when the subscription came is known now: s, compiled anew, takes the
     * old one's place. Borrowed. */
    void (*learnt)(void *arg, void *owner, struct subscription *s);
    void *arg;
};

/* Caller owns. */
struct watch *watch_new(const struct watch_options *o);
void watch_free(struct watch *w); /* NULL is fine */

/* owner is whoever it is for. The watcher is the index's; it holds a reference on s. */
struct watcher *watch_add(struct watch *w, struct subscription *s, void *owner);
void watch_remove(struct watch *w, struct watcher *watcher);

/* Calls found once for each subscription that the change of an entity is for. env: to follow
 * relationships; its arena is the call's scratch, too. */
struct watch_found {
    void (*found)(struct watch_found *f, void *owner, const struct subscription *s,
                  const struct delta *delta);
};
void watch_change(struct watch *w, const struct change *c, struct filter_env *env,
                  struct watch_found *f);

struct watch_stats {
    uint64_t watchers, changes, keys, candidates, matched;
};
void watch_stats(const struct watch *w, struct watch_stats *out);

#endif
