/* The way out: one thread behind the guard, for whatever the broker wants to have from the
 * network and for its messages to receivers, which are made on it too (main/delivery.h). */
#ifndef MAIN_EGRESS_H
#define MAIN_EGRESS_H

#include "base/config.h"
#include "broker/ports.h"
#include "net/loop.h"

struct egress;

MUST_USE enum status egress_start(struct egress **out, const struct config *config, const struct loop_hooks *hooks,
                                  struct why *why); /* hooks may be NULL */
/* The broker's ports, fetching and sending through this egress. */
struct broker_ports *egress_ports(struct egress *e);
struct loop *egress_loop(struct egress *e);
/* What is under way ends with E_CANCELLED, where its home is, and so does all that is begun from here on. */
void egress_cancel(struct egress *e);
/* After that, when nothing is begun any more: joins the thread. */
void egress_stop(struct egress *e);
/* After it was stopped, when nobody looks at the ports any more: their clock is asked to the end. NULL is fine. */
void egress_free(struct egress *e);

#endif
