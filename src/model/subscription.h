/* Subscriptions (CIM 009 clauses 5.2.12 … 5.2.15, 5.2.22, 5.2.33), in two forms:
 *
 *   stored    a JSON document that needs no @context to be understood: names are IRIs,
 *             defaults are filled in; what was written is kept where it must be shown again
 *   compiled  struct subscription: filters, terms, numbers; immutable, shared by
 *             reference counts, never written back
 *
 * Reading an input gives the stored form, a fragment changes it (5.5.8), compiling it
 * gives the other, with nothing fetched: a start-up needs no network.
 *
 * Subscriptions to context source registrations (5.11) are the same type. Where they bring no
 * jsonldContext, clause 5.11.2.4 goes by 5.2.12 alone: a default is used, the member is not made.
 */
#ifndef MODEL_SUBSCRIPTION_H
#define MODEL_SUBSCRIPTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "model/context.h"
#include "model/filter.h"
#include "model/links.h"
#include "model/represent.h"

#include <stdatomic.h>

/* What happened to an entity, and what a subscription asks for (notificationTrigger). entityUpdated
 * is the last three together; the default is TRIGGER_ATTR_CREATED | TRIGGER_ATTR_UPDATED. */
enum {
    TRIGGER_ENTITY_CREATED = 1,
    TRIGGER_ENTITY_DELETED = 2,
    TRIGGER_ATTR_CREATED = 4,
    TRIGGER_ATTR_UPDATED = 8,
    TRIGGER_ATTR_DELETED = 16,
};

enum notify_media { NOTIFY_JSON, NOTIFY_LD_JSON, NOTIFY_GEO_JSON };

/* An EntitySelector; an entity must meet all that is given. id goes before idPattern. */
struct entity_selector {
    struct type_expr *type; /* NULL: "*" */
    struct str *ids;
    uint32_t id_count;
    struct pattern *id_pattern; /* NULL: none */
    struct str id_prefix;       /* what every match of id_pattern begins with; may be empty */
};

struct key_value {
    struct str key, value;
};

struct subscription {
    _Atomic uint32_t refs;
    struct arena *arena; /* owns all below */
    struct str tenant;
    struct str id;
    bool of_registrations; /* clause 5.11; set by whoever compiles, before others see it */
    bool settled;          /* every name is a term; else see subscription_resolve() */
    struct str stored;     /* what it was compiled from, when it is not settled */

    /* what is watched */
    struct entity_selector *selectors; /* any of these; none: every entity */
    uint32_t selector_count;
    struct name *watched; /* none: every attribute */
    uint32_t watched_count;
    uint32_t triggers;        /* TRIGGER_… */
    struct filter *condition; /* q AND geoQ AND scopeQ; NULL: none */
    struct filter *q, *geo,
        *scope; /* its parts, for an index; NULL: not given. Owned by condition */

    /* when */
    bool active; /* isActive */
    bool local_only;
    int64_t expires_at;    /* µs, TIME_NONE: never */
    int64_t interval_us;   /* timeInterval; 0: on change */
    int64_t throttling_us; /* 0: none */

    /* what is told */
    uint8_t format; /* enum represent_format */
    bool sys_attrs, show_changes;
    struct projection *pick, *omit; /* `attributes` becomes a pick that has id, type and scope */
    struct str lang;                /* absent: none */
    struct str *datasets;
    uint32_t dataset_count;
    uint8_t join; /* enum join_kind */
    uint32_t join_level;
    struct str conformance; /* ngsildConformance, absent: none */

    /* where to */
    struct str uri;
    uint8_t media;          /* enum notify_media */
    struct str context_url; /* jsonldContext: the @context of notifications; a URL, always there */
    struct key_value *receiver; /* headers of HTTP, metadata of MQTT */
    uint32_t receiver_count;
    struct key_value *notifier; /* MQTT-Version, MQTT-QoS … */
    uint32_t notifier_count;
    uint32_t timeout_ms;  /* 0: the default */
    uint32_t cooldown_ms; /* 0: the default */
};

struct subscription_limits {
    struct filter_limits filter;
    struct projection_limits projection;
    uint32_t selectors_max;  /* "limits.subscription_selectors" */
    uint32_t names_max;      /* watchedAttributes and the like, "limits.subscription_names" */
    uint32_t pairs_max;      /* receiverInfo, notifierInfo, "limits.subscription_pairs" */
    uint32_t timeout_max_ms; /* of an endpoint, "subscriptions.timeout" */
    int64_t interval_min_us; /* timeInterval, "subscriptions.interval_min"; stored ones are raised to it */
};

/* May messages go there? scheme://host…; of MQTT a topic too. E_BAD_DATA. */
MUST_USE enum status endpoint_check(struct str uri, const struct at *at, struct why *why);
bool endpoint_is_mqtt(struct str uri);
/* receiverInfo of an HTTP endpoint: headers that say where a message ends, and to whom it goes, are the sender's. list: where
 * the pairs are; NULL pairs are fine. */
MUST_USE enum status endpoint_check_receiver(const struct json *pairs, const struct at *list, struct why *why);

/* What both forms are read with. context_url: jsonldContext when the input has none (5.8.1.4). */
struct subscription_reader {
    const struct context *context;
    struct terms *terms;
    const struct subscription_limits *limits;
    struct arena *arena;
    struct str context_url;
    int64_t now_us;
    bool of_registrations;
};

/* body: the Subscription as it came, its "@context" taken out or not. id: given to one that has
 * none. E_BAD_DATA and others with the member's pointer. */
MUST_USE enum status subscription_read(const struct subscription_reader *r, const struct json *body,
                                       struct str id, struct buf *stored, struct why *why);
/* stored with the fragment applied (5.8.2.4, 5.5.8; NGSI-LD Null removes a member). */
MUST_USE enum status subscription_change(const struct subscription_reader *r, struct str stored,
                                         const struct json *fragment, struct buf *changed,
                                         struct why *why);
/* One reference, the caller's. stored as written by the two above: E_DAMAGED when it is not. */
MUST_USE enum status subscription_compile(struct subscription **out, struct str tenant,
                                          struct str stored, const struct terms *terms,
                                          const struct subscription_limits *limits,
                                          struct why *why);
/* When names of *s were unknown to the city: compiles it again, for entities that have them now.
 * Worth a try when terms_count() has grown. *s is replaced, and its reference given back. */
MUST_USE enum status subscription_resolve(struct subscription **s, const struct terms *terms,
                                          const struct subscription_limits *limits,
                                          struct why *why);
struct subscription *subscription_ref(struct subscription *s);
void subscription_unref(struct subscription *s); /* NULL is fine */

/* What happened to its notifications (5.2.14.2), kept apart from the subscription itself. */
struct subscription_counters {
    uint64_t sent, failed;    /* attempts; retried deliveries count as sent and failed */
    uint64_t merged, dropped; /* changes; what is given up is dropped, too */
    int64_t last_notification, last_success, last_failure; /* µs, TIME_NONE: never */
    bool last_failed;
};
/* As retrieved (5.8.3): names compacted, also those in q and the like, which would mean something
 * else to who reads them with another @context; status and counters added (NULL: none yet).
 * at_context: JSON text of an "@context" member, absent: none. sys_attrs: createdAt and modifiedAt.
 */
MUST_USE enum status subscription_represent(struct buf *b, struct str stored,
                                            const struct context *context,
                                            const struct subscription_counters *counters,
                                            struct str at_context, bool sys_attrs, int64_t now_us,
                                            struct arena *a, struct why *why);

#endif
