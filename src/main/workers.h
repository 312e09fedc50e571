/* The threads that serve requests: each has a loop, and an HTTP server of its own on the address that all share.
 *
 * Made, listening, started; then drained, ended, stopped, freed. What was never reached at the start is no fault at
 * the end, but only threads that listen are drained. */
#ifndef MAIN_WORKERS_H
#define MAIN_WORKERS_H

#include "net/http_server.h"
#include "net/loop.h"

struct workers;

/* Caller owns; free with workers_free(). */
struct workers *workers_new(size_t count);
/* All listen on the address the first one got, so that port 0 is one port. E_IO and the like. */
MUST_USE enum status workers_listen(struct workers *ws, const struct http_server_options *o, const struct loop_hooks *hooks,
                                    struct why *why);
MUST_USE enum status workers_start(struct workers *ws, struct why *why);
/* One for each thread; NULL before they listen. Borrowed until workers_free(). */
struct http_server **workers_servers(struct workers *ws);
/* "127.0.0.1:1026", as bound. */
struct str workers_address(const struct workers *ws);

/* Nobody new comes in; waits until open requests have been answered, at most until then (monotonic, as the next). */
void workers_drain(struct workers *ws, int64_t until_us);
/* The threads end when no handler waits for the store or an @context any more. False when that cannot be waited for,
 * which is logged: nothing may be freed then. */
MUST_USE bool workers_end(struct workers *ws, int64_t until_us);
/* The servers end; loops still take what is posted. */
void workers_stop(struct workers *ws);
void workers_free(struct workers *ws);

#endif
