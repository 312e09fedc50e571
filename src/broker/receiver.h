/* Whose turn it is to send to a receiver. Only so many messages are under way to one; who wants to send
 * more waits for a turn, in order, before it takes anything or writes anything: what waits then waits in
 * the outbox, where it is bounded, safe, and merged, and no message spends its time in a queue.
 * A receiver is the scheme and authority of the URIs that lead to it; it is known while somebody sends to it
 * or waits. Not thread-safe. */
#ifndef BROKER_RECEIVER_H
#define BROKER_RECEIVER_H

#include "base/link.h"
#include "broker/named.h"

#include <stdbool.h>

struct receiver;

struct receivers {
    struct named_table table;
    uint32_t http_max, mqtt_max; /* messages under way to one */
};
/* With the receivers that are left: whoever had a turn, or waited for one, does nothing with it any more. */
void receivers_free(struct receivers *all);

/* Part of who sends, zeroed before first use: one message under way at a time. */
struct turn {
    struct link link; /* of those that wait */
    struct receiver *receiver; /* that it sends to or waits for, or NULL */
    bool has;
};

/* True: it may send to uri now, until turn_end(). False: go() of turn_pass() is called with it when it may
 * try again; a wait for another receiver is given up. */
bool turn_take(struct receivers *all, struct turn *t, struct str uri);
/* It waits no longer; no effect on one that has its turn. */
void turn_leave(struct receivers *all, struct turn *t);
/* What was taken is over. turn_pass() must follow, and may come after t is gone. */
struct receiver *turn_end(struct turn *t);
/* Those that wait try again, as many as may. Inside go() the same receiver may be passed on to. */
void turn_pass(struct receivers *all, struct receiver *r, void (*go)(struct turn *t));

#endif
