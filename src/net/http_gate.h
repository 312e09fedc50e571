/* POSTs and other calls to many receivers through libcurl, let through a gate so that a silent one costs
 * nobody else anything: for what http_sender does not take, above all https.
 *
 * Each receiver ("origin": host and port) has so many calls under way at most, the others wait
 * here; one that failed last time shares a quarter of all with its like (net/share.h). A call's time-out
 * counts from its start, waiting included. */
#ifndef NET_HTTP_GATE_H
#define NET_HTTP_GATE_H

#include "base/link.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdint.h>

struct http_gate;
struct gate_origin;

/* Runs on the client's loop. client: borrowed, not used by others, with room for as many connections. */
struct http_gate *http_gate_new(struct loop *loop, struct http_client *client, uint32_t calls_max,
                                uint32_t calls_per_origin_max);
/* What waits or is under way ends with E_CANCELLED. Not inside done. NULL is fine. */
void http_gate_free(struct http_gate *g);

struct gate_call {
    struct http_call call; /* as for http_call_start(), but for its done, which is the gate's */
    /* Called once, on the loop's thread, never inside http_gate_start; the call's out members are valid inside.
     * E_TIMEOUT also when its turn did not come. */
    void (*done)(struct gate_call *c);
    /* the gate's */
    struct gate_origin *origin;
    struct link link;
    struct loop_timer timer;
    int64_t deadline_us;
};

void http_gate_start(struct http_gate *g, struct gate_call *c);

struct http_gate_stats {
    uint32_t under_way, waiting, origins;
};
struct http_gate_stats http_gate_stats(const struct http_gate *g);

#endif
