/* Outgoing HTTP(S), all of it behind one guard.
 *
 * The guard looks at the address really connected to, so that a name cannot point
 * somewhere else after the check: link-local, multicast, unspecified and the
 * configured ranges are refused. No redirect is followed, no proxy of the
 * environment is used unless configured; size and time are bounded. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;

struct http_client_options {
    const struct str *refuse; /* CIDR ranges "10.0.0.0/8", "fd00::/8", refused besides the built-in ones */
    size_t refuse_count;
    const struct str *allow; /* CIDR ranges allowed although a rule refuses them */
    size_t allow_count;
    size_t connections_max;
    size_t connections_per_host_max; /* 0: no limit of its own; further calls to it wait */
    struct str user_agent;
};

/* Runs on loop; calls are made and completed on its thread. */
MUST_USE enum status http_client_new(struct http_client **out, struct loop *loop,
                                     const struct http_client_options *o, struct why *why);
/* Cancels what is under way. Not inside done. */
void http_client_free(struct http_client *c);

struct http_call {
    /* in; borrowed until done */
    const char *method; /* "GET" */
    struct str url;
    const struct str *headers; /* "Accept: application/ld+json" */
    size_t header_count;
    struct str body;
    size_t answer_bytes_max;
    bool answer_dropped; /* only its status counts: OK, with no bytes, even for one beyond the maximum */
    uint32_t timeout_ms;
    /* NULL: the answer is kept. Else a 2xx answer is handed on as it comes, on the loop's thread, and time-out is how long it may
     * be silent, in whole seconds; false ends the call with E_CANCELLED. Nothing of the client may be called in it. */
    bool (*arrived)(struct http_call *call, struct str bytes);
    /* Called once, on the loop's thread, never inside http_call_start. */
    void (*done)(struct http_call *call);
    /* out; valid inside done */
    enum status status; /* OK: an HTTP answer came, whatever http_status says */
    int http_status;
    struct str content_type;
    struct str answer;
    int64_t max_age_s; /* freshness by Cache-Control s-maxage/max-age or Expires (RFC 9111 4.2.1); -1: not stated */
    int64_t retry_after_s; /* the pause that its Retry-After asks for (RFC 9110 section 10.2.3); 0: none */
    struct why why;
    void *impl;
};

void http_call_start(struct http_client *c, struct http_call *call);
/* done is called with E_CANCELLED before this returns. Nothing happens after done. */
void http_call_cancel(struct http_client *c, struct http_call *call);

/* Statuses: E_FORBIDDEN (the guard refused the address), E_TOO_LARGE, E_TIMEOUT, E_BAD_DATA (the URL
 * or a header), E_CANCELLED, E_IO. */

/* The guard alone, for other clients (MQTT, importers). address: numeric. */
struct egress_guard;
MUST_USE enum status egress_guard_new(struct egress_guard **out, const struct str *refuse,
                                      size_t refuse_count, const struct str *allow,
                                      size_t allow_count, struct why *why);
void egress_guard_free(struct egress_guard *g);
struct sockaddr;
bool egress_guard_allows(const struct egress_guard *g, const struct sockaddr *address);

#endif
