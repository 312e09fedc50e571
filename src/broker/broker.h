/* The broker: the use cases of NGSI-LD over a store, without any protocol. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "broker/contexts.h"
#include "broker/ports.h"
#include "broker/registration_cache.h"
#include "model/registration.h"
#include "model/subscription.h"
#include "store/store.h"

/* What the configuration says of subscriptions, and where their counters are. */
struct broker_subscriptions {
    struct subscription_limits limits;
    uint64_t most;    /* of a tenant, "limits.subscriptions" */
    size_t bytes_max; /* of one as it is stored, "limits.subscription_bytes" */
    /* False: none of that subscription. NULL: nobody counts. Any thread. */
    bool (*counters)(void *arg, struct str tenant, struct str id, struct subscription_counters *out);
    void *counters_arg;
    bool (*source_counters)(void *arg, struct str tenant, struct str id, struct subscription_counters *out);
    void *source_counters_arg; /* the same for subscriptions to registrations */
    /* Each URL of an @context that one refers to, while a lock is held; the args as above. NULL: there are none. */
    void (*contexts)(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg);
    void (*source_contexts)(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg);
};
struct notify; /* broker/notify.h */

/* The same of context source registrations. */
struct broker_registrations {
    struct registration_limits limits;
    uint64_t most;    /* of a tenant, "limits.registrations" */
    size_t bytes_max; /* of one as it is stored, "limits.registration_bytes" */
    struct registration_cache *compiled; /* for queries; NULL: none are kept */
};

struct broker {
    struct store *store;
    struct terms *terms;
    struct contexts *contexts;
    struct entity_maps *maps;
    struct snapshots *snapshots;
    struct broker_ports *ports;
    struct broker_subscriptions subscriptions;
    struct notify *notify;
    struct broker_registrations registrations;
    _Atomic bool closing; /* the city is stopping: operations in steps end with E_CANCELLED at the next one */
};

#endif
