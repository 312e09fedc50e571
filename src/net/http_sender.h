/* POSTs to many receivers over plain HTTP/1.1, cheaply: for notifications, where libcurl's 26 µs a
 * request are most of what one costs. What it does not take (TLS, credentials in the URL), http_client does.
 *
 * Each receiver ("origin": host and port) has connections of its own, kept and used again, and a
 * queue of posts that wait for one. A receiver that does not answer keeps at most
 * connections_per_origin_max of them, and one that has failed last time shares a quarter of all
 * connections with its like, so that no number of dead receivers takes them from the living. No
 * redirect is followed; of an answer only the status is kept. A connection that the receiver closed
 * while it was idle costs one silent try more; the receiver may see that post twice. */
#ifndef NET_HTTP_SENDER_H
#define NET_HTTP_SENDER_H

#include "base/status.h"
#include "base/str.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/resolver.h"

#include <stdbool.h>
#include <stdint.h>

struct http_sender;

struct http_sender_options {
    const struct egress_guard *guard; /* borrowed */
    struct resolver *resolver;        /* borrowed; of the same loop */
    uint32_t connections_max;
    uint32_t connections_per_origin_max;
    int64_t idle_us; /* a connection that is unused for so long is closed */
    struct str user_agent;
};

/* Runs on loop; calls are made and completed on its thread. */
struct http_sender *http_sender_new(struct loop *loop, const struct http_sender_options *o);
/* What is under way ends with E_CANCELLED. Not inside done. */
void http_sender_free(struct http_sender *s);

struct http_post {
    /* in; borrowed until done */
    struct str url; /* one that http_sender_takes() */
    const struct str *headers; /* "Content-Type: application/json" */
    uint32_t header_count;
    struct str body;
    uint32_t timeout_ms; /* from the start to the status, waiting included */
    /* Called once, on the loop's thread, never inside http_post_start. */
    void (*done)(struct http_post *p);
    /* out; valid inside done */
    enum status status; /* OK: an answer came. E_FORBIDDEN, E_TIMEOUT, E_BAD_DATA, E_CANCELLED, E_IO, E_BUSY */
    int http_status;
    struct why why;
    /* the sender's */
    struct http_post *next;
    int64_t deadline_us;
    bool again;
};

/* http://HOST[:PORT][/…] with nothing unusual in it. */
bool http_sender_takes(struct str url);
void http_post_start(struct http_sender *s, struct http_post *p);

/* Headers that say where a message ends or what happens to its connection: the transport's own. */
bool http_header_is_transport(struct str name);

struct http_sender_stats {
    uint64_t posts, connections_opened;
    uint32_t connections, origins;
};
struct http_sender_stats http_sender_stats(const struct http_sender *s);

#endif
