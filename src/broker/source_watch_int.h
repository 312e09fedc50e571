/* Shared by the files of source_watch.h. */
#ifndef BROKER_SOURCE_WATCH_INT_H
#define BROKER_SOURCE_WATCH_INT_H

#include "broker/agenda.h"
#include "broker/named.h"
#include "broker/notice.h"
#include "broker/source_index.h"
#include "broker/source_watch.h"
#include "broker/state_write.h"
#include "model/registration.h"

#include <pthread.h>
#include <stdatomic.h>

/* Clause 5.3.3. */
enum trigger_reason { NEWLY_MATCHING, UPDATED, NO_LONGER_MATCHING };

/* One registration. Strings are the entry's. */
struct source {
    struct named named; /* by its id, in its tenant */
    struct source_watch *watch;
    struct source_tenant *tenant;
    struct str id, stored;
    uint64_t seq, mark;
    struct agenda_item expiry;
    struct store_put put; /* its deletion */
    struct caller caller;
    bool deleting, gone; /* gone: heard, while its deletion is under way */
};

/* A change that one subscription is to be told of. */
struct telling {
    struct telling *next;
    uint64_t seq;
    uint8_t reason; /* enum trigger_reason */
    struct str stored;
};

/* One subscription. */
struct watcher {
    struct named named; /* by its id, in its tenant */
    struct source_watch *watch;
    struct source_tenant *tenant;
    struct subscription *s;
    struct str id, stored;
    uint64_t seq, mark;
    struct arena *arena; /* of the query */
    struct registration_query query;
    struct filter *csf;
    struct source_key *keys; /* of the index; one of an interval has none */
    uint32_t key_count;
    uint64_t lookup; /* the last that found it */
    struct telling *first, **last;
    uint32_t waiting;
    uint32_t taken;     /* of these, what the message is made of that did not arrive */
    bool whole;         /* all that match are to be told */
    uint64_t whole_seq; /* the change because of which they are */
    int64_t whole_us;   /* or the time: wall, else 0 */
    bool busy, removed;
    uint32_t attempts, failures;
    struct agenda_item due, keep;
    int64_t not_before_us, interval_due_us; /* monotonic */
    struct subscription_counters counters;  /* under the lock */
};

/* There is one as long as it has members: sources and watchers, also those that are gone and still
 * under way. */
struct source_tenant {
    struct named named; /* name: owned */
    struct named_table sources, watchers;
    struct watch_table *index; /* of watchers; NULL: nobody was in it yet */
    uint64_t lookup;           /* counts them */
    uint32_t members;
    uint64_t mark;
};

/* What the store told. */
struct heard {
    struct heard *next;
    uint8_t kind; /* enum store_kind; 0: the tenant is gone */
    bool live;    /* after the start */
    uint64_t seq;
    size_t bytes_all;              /* with all that stands behind the struct: */
    struct str tenant, key, bytes; /* bytes absent: deleted */
};

/* Everything is read anew, because not all was heard. */
struct relisting {
    struct arena *arena; /* of names; NULL: not now */
    struct str *tenants;
    uint32_t tenant_count, at;
    uint8_t kind;
    bool live;
    uint64_t mark; /* of what was found this time */
    struct caller caller;
    struct store_list list;
};

struct source_watch {
    struct notify_options o;
    struct terms *terms;
    struct store_listener listener;
    pthread_mutex_t lock; /* what other threads look at: heard, watchers of tenants, counters */
    struct heard *heard, **heard_last;
    size_t heard_bytes;
    bool lost, lost_live; /* more was heard than may wait, and is forgotten */
    struct named_table tenants;
    /* the host's thread, once started */
    struct broker *broker;
    struct notify_host *host;
    struct task wake;
    _Atomic bool woken; /* wake is posted, and has not run */
    struct relisting relisting;
    struct agenda agenda, expiries, keeps;
    struct state_writer writer;
    uint64_t candidates; /* subscriptions looked at because of changes */
    _Atomic uint64_t under_way;
    _Atomic bool started, stopping;
};

/* ---- source_hear.c ---- */
void source_hear_init(struct source_watch *w);
void source_hear_post(struct source_watch *w);
void source_hear_free(struct source_watch *w);

/* ---- source_watch.c ---- */
/* The host's alarm for what is due first. */
void source_watch_set_alarm(struct source_watch *w);
struct source_tenant *source_tenant_find(const struct source_watch *w, struct str name);
/* A member is gone. */
void source_tenant_leave(struct source_watch *w, struct source_tenant *t);
/* What is heard takes effect, unless that is known. */
void source_watch_heard(struct source_watch *w, const struct heard *h);

/* ---- source_tell.c ---- */
/* What has changed of one registration by change seq; either is absent when it was not there, or is
 * not any more. */
void tell_change(struct source_watch *w, struct source_tenant *t, uint64_t seq, struct str before,
                 struct str after);
/* All that match are to be told, because of that change. */
void tell_whole(struct watcher *w, uint64_t seq);
/* Does what a watcher that is not busy has to do now; it may be gone afterwards. */
void tell_step(struct watcher *w);
void tell_forget(struct watcher *w); /* what waits */
void watcher_free(struct watcher *w);

/* ---- source_keep.c: counters as documents ---- */
/* They have changed: they are written within a second or so. */
void source_keep_soon(struct watcher *w);
void source_keep_run(struct source_watch *w);
void source_keep_last(struct source_watch *w);
/* The subscription is gone. */
void source_keep_forget(struct watcher *w);

#endif
