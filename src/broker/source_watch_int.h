/* Shared by the files of source_watch.h. */
#ifndef BROKER_SOURCE_WATCH_INT_H
#define BROKER_SOURCE_WATCH_INT_H

#include "broker/agenda.h"
#include "broker/notice.h"
#include "broker/source_watch.h"
#include "model/registration.h"

#include <pthread.h>
#include <stdatomic.h>

/* Clause 5.3.3. */
enum trigger_reason { NEWLY_MATCHING, UPDATED, NO_LONGER_MATCHING };

/* One registration. Strings are the entry's. */
struct source {
    struct source *next;
    struct source_watch *watch;
    struct source_tenant *tenant;
    struct str id, stored;
    uint64_t seq;
    struct agenda_item expiry;
    struct store_put put; /* its deletion */
    struct caller caller;
    bool deleting, gone; /* gone: heard, while its deletion is under way */
};

/* A change that one subscription is to be told of. */
struct telling {
    struct telling *next;
    uint8_t reason; /* enum trigger_reason */
    struct str stored;
};

/* One subscription. */
struct watcher {
    struct watcher *next;
    struct source_watch *watch;
    struct source_tenant *tenant;
    struct subscription *s;
    struct str stored;
    struct arena *arena; /* of the query */
    struct registration_query query;
    struct filter *csf;
    struct telling *first, **last;
    uint32_t waiting;
    bool whole; /* all that match are to be told */
    bool busy, removed;
    uint32_t attempts, failures;
    struct agenda_item due;
    int64_t not_before_us, interval_due_us; /* monotonic */
    struct subscription_counters counters;  /* under the lock */
};

/* There is one as long as it has members: sources and watchers, also those that are gone and still
 * under way. */
struct source_tenant {
    struct source_tenant *next;
    struct source *sources;
    struct watcher *watchers;
    uint32_t members;
    struct str name;
};

struct heard;

struct source_watch {
    struct notify_options o;
    struct terms *terms;
    struct store_listener listener;
    pthread_mutex_t lock; /* what other threads look at: heard, tenants' lists, counters */
    struct heard *heard, **heard_last;
    struct source_tenant *tenants;
    /* the host's thread, once started */
    struct broker *broker;
    struct notify_host *host;
    struct task wake;
    _Atomic bool woken; /* wake is posted, and has not run */
    struct agenda agenda, expiries;
    _Atomic uint64_t under_way;
    _Atomic bool started, stopping;
};

/* ---- source_watch.c ---- */
/* The host's alarm for what is due first. */
void source_watch_set_alarm(struct source_watch *w);
/* A member is gone. */
void source_tenant_leave(struct source_watch *w, struct source_tenant *t);

/* ---- source_tell.c ---- */
/* What has changed of one registration; either is absent when it was not there, or is not any more.
 */
void tell_change(struct source_watch *w, struct source_tenant *t, struct str before,
                 struct str after);
/* Does what a watcher that is not busy has to do now; it may be gone afterwards. */
void tell_step(struct watcher *w);
void tell_forget(struct watcher *w); /* what waits */
void watcher_free(struct watcher *w);

#endif
