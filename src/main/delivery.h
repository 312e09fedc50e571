/* Notifications on the egress's thread: they are made where they are sent, so that handing them over costs
 * nothing, and neither those who write nor those who read wait for them.
 *
 * Its end, in order: delivery_drain() begins nothing any more; egress_cancel() ends what is
 * under way; delivery_end() writes the last counters; egress_stop(); then the store closes, which saves
 * what still waits; delivery_free(). */
#ifndef MAIN_DELIVERY_H
#define MAIN_DELIVERY_H

#include "broker/notify.h"
#include "broker/source_watch.h"
#include "net/loop.h"

struct delivery_host;

/* On that loop, which is running and outlives it. */
struct delivery_host *delivery_start(struct notify *n, struct source_watch *w, struct broker *b, struct loop *loop);
/* Messages that are under way may arrive until then (monotonic). */
void delivery_drain(struct delivery_host *d, int64_t until_us);
/* False when something still waits for the store then (monotonic): nothing may be freed. */
MUST_USE bool delivery_end(struct delivery_host *d, int64_t due_us);
void delivery_free(struct delivery_host *d); /* NULL is fine */

#endif
