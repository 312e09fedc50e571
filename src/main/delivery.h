/* The thread that delivers notifications: a loop of its own, so that making messages costs
 * neither those who write nor those who read.
 *
 * Its end, in order: delivery_drain() begins nothing any more; egress_stop() cancels what is
 * under way; delivery_join() writes the last counters; then the store closes, which saves what
 * still waits; delivery_free(). */
#ifndef MAIN_DELIVERY_H
#define MAIN_DELIVERY_H

#include "broker/notify.h"
#include "broker/source_watch.h"
#include "net/loop.h"

struct delivery_thread;

MUST_USE enum status delivery_start(struct delivery_thread **out, struct notify *n, struct source_watch *w,
                                    struct broker *b, const struct loop_hooks *hooks, struct why *why);
/* Messages that are under way may arrive until then (monotonic). */
void delivery_drain(struct delivery_thread *d, int64_t until_us);
/* False when the thread still waits for the store then (monotonic): nothing may be freed. */
MUST_USE bool delivery_join(struct delivery_thread *d, int64_t due_us);
void delivery_free(struct delivery_thread *d); /* NULL is fine */

#endif
