/* The message of a notification (CIM 009 clauses 5.3.1, 5.8.6, 6.3.8, 7.2): headers and
 * body from a subscription and what is due. Pure, but for looking up linked entities. */
#ifndef BROKER_NOTICE_H
#define BROKER_NOTICE_H

#include "broker/outbox.h"
#include "model/context.h"

struct notice {
    const struct subscription *subscription;
    const struct context *context;
    const struct due_item *items;
    uint32_t count;
    int64_t now_us;
    struct str mark; /* what makes its id, with the subscription: the same message has the same again */
    struct arena *arena;
    struct buf *body; /* empty; its maximum is the message's */
    /* out, in the arena */
    struct str *headers; /* of HTTP */
    uint32_t header_count;
    uint32_t entities; /* in it; 0: projections leave nothing of any, so nothing is sent */
    uint8_t mqtt_version, mqtt_qos;
};
/* False: larger than the body's maximum. */
bool notice_write(struct notice *n);

#endif
