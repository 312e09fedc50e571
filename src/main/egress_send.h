/* How messages leave the city: by the scheme of their URI, each transport with connections of its own. */
#ifndef MAIN_EGRESS_SEND_H
#define MAIN_EGRESS_SEND_H

#include "base/config.h"
#include "broker/ports.h"
#include "net/loop.h"

struct egress_sender;

MUST_USE enum status egress_sender_new(struct egress_sender **out, struct loop *loop, const struct config *config,
                                       struct why *why);
/* Any thread: broker_ports.send. */
void egress_send(struct egress_sender *e, struct port_send *s);
/* What is under way ends with E_CANCELLED, and what comes later. On the loop's thread; NULL is fine. */
void egress_sender_close(struct egress_sender *e);
/* After the loop has ended. */
void egress_sender_free(struct egress_sender *e);

#endif
