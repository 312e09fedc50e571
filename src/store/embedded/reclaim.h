/* Memory that readers without locks may still look at, freed when every reader has
 * passed a quiescent point.
 *
 * A reader is online between two waits for events, and may use whatever it found while
 * it is. What a writer has unlinked is stamped with the epoch that ended with it; a
 * reader that came online in a later epoch cannot have seen it. So a batch is freed when
 * no reader is left that came online in its epoch or before.
 *
 *     reader:  epoch := now;  full barrier;  follow pointers …;  epoch := 0
 *     writer:  unlink;  full barrier;  stamp := now++;  … free when all epochs are 0 or > stamp
 *
 * A pin is a reader without a thread: a query that yields to its loop keeps what it found. */
#ifndef STORE_EMBEDDED_RECLAIM_H
#define STORE_EMBEDDED_RECLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reclaim;

/* Caller owns. */
struct reclaim *reclaim_new(void);
/* Frees what is still waiting; no reader may be left. */
void reclaim_free(struct reclaim *r);

/* The calling thread: enter once (online), leave at the end. */
void reclaim_enter(struct reclaim *r);
void reclaim_leave(struct reclaim *r);
void reclaim_offline(struct reclaim *r); /* holds nothing */
void reclaim_online(struct reclaim *r);
bool reclaim_is_online(struct reclaim *r);

/* A pin keeps everything that the calling thread, which is online, has found. */
struct reclaim_pin;
struct reclaim_pin *reclaim_pin(struct reclaim *r);
/* The calling thread, which is online, now holds it until it goes offline; frees the pin. */
void reclaim_unpin(struct reclaim *r, struct reclaim_pin *p);

/* Hands over n unlinked things, each to be released with release(arg, thing). Any thread. */
void reclaim_retire(struct reclaim *r, void **things, size_t n,
                    void (*release)(void *arg, void *thing), void *arg);
/* Frees what may be freed; true when nothing waits any more. */
bool reclaim_run(struct reclaim *r);

#endif
