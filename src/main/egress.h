/* The way out: one thread behind the guard, for whatever the broker wants to have from the
 * network and for its messages to receivers. */
#ifndef MAIN_EGRESS_H
#define MAIN_EGRESS_H

#include "base/config.h"
#include "broker/ports.h"

struct egress;

MUST_USE enum status egress_start(struct egress **out, const struct config *config, struct why *why);
/* The broker's ports, fetching and sending through this egress. */
struct broker_ports *egress_ports(struct egress *e);
/* Cancels what is under way, which completes, and joins the thread. Nobody may fetch or send
 * any more; where sends are done must still run. */
void egress_stop(struct egress *e);
/* After it was stopped, when nobody looks at the ports any more: their clock is asked to the end. NULL is fine. */
void egress_free(struct egress *e);

#endif
