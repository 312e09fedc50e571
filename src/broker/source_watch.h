/* Context source registration subscriptions (CIM 009 clause 5.11.7): who is told of which
 * registrations, and registrations that expire (5.9.2.4).
 *
 *   the store's thread   hears of registrations and subscriptions, and copies them
 *   the host's thread    keeps both by tenant; compares what matched before and after → messages
 *
 * One message of a subscription is under way at a time. What does not arrive is tried again, as
 * notify.h has it; what waits does not outlive a restart: everything that matches can be asked for
 * at any time. Counters do. */
#ifndef BROKER_SOURCE_WATCH_H
#define BROKER_SOURCE_WATCH_H

#include "broker/broker.h"
#include "broker/notify.h"

struct source_watch;

/* o: the same as of notifications. Caller owns. It hears nothing before it is given to a store. */
struct source_watch *source_watch_new(const struct notify_options *o, struct terms *terms);
struct store_listener *source_watch_listener(struct source_watch *w);
/* h->alarm calls source_watch_tick(). */
void source_watch_start(struct source_watch *w, struct broker *b, struct notify_host *h);
void source_watch_tick(struct source_watch *w);
/* Any thread. Nothing is begun any more; and is nothing under way? */
void source_watch_stop(struct source_watch *w);
bool source_watch_is_idle(const struct source_watch *w);
/* On the host's thread, when nothing is: counters are written a last time, which is under way again. */
void source_watch_end(struct source_watch *w);
/* When the store is closed and the host's thread has ended. NULL is fine. */
void source_watch_free(struct source_watch *w);

/* As struct broker_subscriptions has it: arg is the source_watch. */
bool source_watch_counters(void *arg, struct str tenant, struct str id,
                           struct subscription_counters *out);
void source_watch_contexts(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg);

#endif
