/* Notification behaviour (CIM 009 clause 5.8.6): from changes to messages that arrive.
 *
 *   the store's thread   hears of changes → watch.h: for whom → outbox.h: what is due
 *   the host's thread    takes what is due, lane by lane → notice.h → the port → settles
 *
 * One message of a subscription is under way at a time, so an entity's versions arrive in
 * order. Of all subscriptions that tell one receiver only so many messages are: the others
 * wait for their turn (receiver.h). One that is slow or dead costs nobody else anything. A message that does not
 * arrive is tried again, with growing pauses, so many times; what is then given up is counted.
 * What waits outlives a crash: docs/decisions/0014. */
#ifndef BROKER_NOTIFY_H
#define BROKER_NOTIFY_H

#include "broker/broker.h"
#include "broker/outbox.h"
#include "broker/watch.h"

struct notify;

struct notify_options {
    struct subscription_limits limits;
    uint32_t waiting_max;       /* changes waiting for one subscription, "subscriptions.waiting" */
    size_t waiting_bytes_max;   /* of all, "subscriptions.waiting_bytes" */
    size_t message_bytes_max;   /* of one message, "subscriptions.message_bytes" */
    uint32_t entities_max;      /* changed ones in one message, "subscriptions.message_entities" */
    uint32_t interval_max;      /* in one message of a timeInterval, "subscriptions.interval_entities" */
    uint32_t linked_max;        /* Relationships followed for one, "limits.linked_entities" */
    uint32_t attempts_max;      /* for one message, "subscriptions.attempts" */
    uint32_t timeout_ms;        /* of an endpoint without one, "subscriptions.timeout" */
    uint32_t http_max;          /* messages under way to one receiver, "egress.connections_per_host" */
    uint32_t mqtt_max;          /* to one MQTT server, "egress.mqtt_under_way" */
    int64_t cooldown_us;        /* after a failure, likewise, "subscriptions.cooldown" */
    int64_t cooldown_max_us;    /* pauses double up to that, "subscriptions.cooldown_max" */
};

/* Whose thread delivers. */
struct notify_host {
    struct runner *runner;
    /* Calls notify_tick() on that thread at due_us (monotonic), or not at all: INT64_MAX. Only the
     * last call counts. */
    void (*alarm)(struct notify_host *h, int64_t due_us);
};

/* Caller owns. It hears nothing before it is given to a store (notify_listener), and sends nothing
 * before it is started. */
struct notify *notify_new(const struct notify_options *o, struct terms *terms);
struct store_listener *notify_listener(struct notify *n);
void notify_start(struct notify *n, struct broker *b, struct notify_host *h);
void notify_tick(struct notify *n);

/* Any thread. Nothing is begun any more; what is under way ends when it does. */
void notify_stop(struct notify *n);
/* Any thread: nothing is under way. */
bool notify_is_idle(const struct notify *n);
/* On the host's thread, when nothing is: counters are written a last time, which is under way again. */
void notify_end(struct notify *n);
/* When the store is closed and the host's thread has ended. NULL is fine. */
void notify_free(struct notify *n);

/* As struct broker_subscriptions has it: arg is the notify. */
bool notify_counters(void *arg, struct str tenant, struct str id,
                     struct subscription_counters *out);

/* Likewise. */
void notify_contexts(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg);

struct notify_stats {
    struct watch_stats watch;
    struct outbox_stats outbox;
    uint64_t under_way; /* messages */
};
void notify_stats(struct notify *n, struct notify_stats *out);

#endif
