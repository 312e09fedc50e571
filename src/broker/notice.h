/* The message of a notification (CIM 009 clauses 5.3.1, 5.8.6, 6.3.8, 7.2): headers and
 * body from a subscription and what is due. Pure: entities that are linked to are found
 * between the two steps, by whoever can (broker/linked.h). */
#ifndef BROKER_NOTICE_H
#define BROKER_NOTICE_H

#include "broker/outbox.h"
#include "model/context.h"
#include "model/links.h"

struct notice_entity {
    struct entity now, before; /* now: as it shows, with NGSI-LD Null for what is gone */
    bool changed;              /* before is to be shown */
    bool deleted;
    int64_t deleted_at; /* 0: nothing is gone */
};

struct notice {
    const struct subscription *subscription;
    const struct context *context;
    const struct due_item *items;
    uint32_t count;
    int64_t now_us;
    struct str mark; /* what makes its id, with the subscription: the same message has the same again */
    struct arena *arena;
    struct buf *body; /* empty; its maximum is the message's */
    struct str registrations;   /* JSON array that is told of instead of items (5.3.2); absent: none */
    const char *trigger_reason; /* of these, clause 5.3.3 */
    struct str tenant, snapshot; /* of a subscription within a snapshot: whose it is (clause 6.3.22); absent: none */
    bool keep;        /* trees must not borrow from the items */
    /* made by notice_begin() */
    struct represent represent;
    struct notice_entity *entities; /* those of which something shows: none is nothing to send */
    struct link_node *roots;        /* the same, as roots of a graph */
    uint32_t entity_count;
    /* what was found from there, flat, before notice_write() */
    struct link_node **linked;
    uint32_t linked_count;
    /* made by notice_write(), in the arena */
    struct str *headers; /* of HTTP */
    uint32_t header_count;
    uint8_t mqtt_version, mqtt_qos;
};
void notice_begin(struct notice *n);
/* ngsildConformance, of an entity that is linked to. */
void notice_conform(const struct notice *n, struct entity *e);
/* False: larger than the body's maximum. */
bool notice_write(struct notice *n);
/* The beginning of an MQTT message (clause 7.2): the body follows, and "}". */
void notice_write_metadata(struct buf *b, const struct key_value *m, uint32_t count);

#endif
