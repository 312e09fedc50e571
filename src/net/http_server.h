/* HTTP/1.1 server behind a seam: bytes, headers and limits, nothing of NGSI-LD.
 *
 * One instance serves one listening address on one loop; several loops may share
 * the address (SO_REUSEPORT), each with an instance of its own. A request is
 * handed over once its body is complete and within the limits; what breaks a
 * limit is answered through `refuse`, so that the front end words all errors. The
 * handler answers now or later, once, on the loop's thread. What is no HTTP, or could
 * be read in two ways, is answered with a bare 400; a head far beyond the limits with a
 * bare 414 or 431. A chunked body that grows too large is refused at its end, or cut off
 * at twice the limit. A connection that has asked once keeps header_bytes_max + 4 KiB
 * (16 KiB at least). The implementation
 * (libmicrohttpd today) is hidden here so that a core of our own can take over. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "net/loop.h"

#include <stdint.h>

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_OTHER,
};

/* All str are borrowed: valid until the request is answered. Owned by the server. */
struct http_request {
    enum http_method method;
    struct str method_name;
    struct str path;  /* as sent: still percent-encoded, starts with '/' */
    struct str query; /* as sent, behind '?', "" when none */
    struct str body;
    struct str peer;  /* "127.0.0.1:51234" */
    struct arena *arena; /* lives until the answer has been handed over */
    struct loop *loop;
    int64_t start_us;    /* monotonic, when the head was complete */
    void *user;          /* the front end's own */
};

/* First header of that name (case-insensitive), without surrounding blanks; absent when none.
 * Copied into the request's arena. */
struct str http_request_header(const struct http_request *r, const char *name);
/* How many headers of that name there are; the nth through http_request_header_at. */
size_t http_request_header_count(const struct http_request *r, const char *name);
/* The nth of them, from 0; absent when there are fewer. */
struct str http_request_header_at(const struct http_request *r, const char *name, size_t n);

/* Has the client closed its end before it was answered? On the loop's thread. */
bool http_request_abandoned(const struct http_request *r);

struct http_header {
    const char *name; /* static or in the request's arena */
    struct str value;
};

#define HTTP_RESPONSE_HEADERS_MAX 16

struct http_response {
    int status;
    size_t header_count;
    struct http_header headers[HTTP_RESPONSE_HEADERS_MAX];
    struct str body; /* copied or taken before http_respond returns, see body_owned */
    void *body_owned; /* malloc'd block that contains body: the server frees it. NULL: body is copied */
};

static inline void http_response_header(struct http_response *a, const char *name, struct str value)
{
    if (a->header_count < HTTP_RESPONSE_HEADERS_MAX)
        a->headers[a->header_count++] = (struct http_header){name, value};
}

/* Exactly once per request, on its loop's thread. The request is gone afterwards.
 * Sends Content-Length, Date; HEAD drops the body. */
void http_respond(struct http_request *r, const struct http_response *a);

/* An endless answer (server-sent events). After http_stream_start the handler writes with
 * http_stream_write; `closed` is called once when the peer went away or the stream was ended. */
struct http_stream {
    void (*closed)(struct http_stream *s);
    void *impl;
};
void http_stream_start(struct http_request *r, const struct http_response *head, struct http_stream *s);
/* False when more than pending_bytes_max are unsent: the reader is too slow; nothing was taken. */
MUST_USE bool http_stream_write(struct http_stream *s, struct str bytes);
void http_stream_end(struct http_stream *s);

struct http_server_options {
    struct str address;  /* "127.0.0.1:1026", "[::1]:1026", port 0: any free */
    bool address_shared; /* another instance of ours listens there already: else that is an error */
    uint32_t connections_max;
    uint32_t connections_per_peer_max; /* 0: no limit */
    uint32_t idle_timeout_s;    /* silent or slow clients are dropped */
    uint32_t request_timeout_s; /* head and body must arrive within */
    size_t uri_bytes_max;       /* E_URI_TOO_LONG */
    size_t header_bytes_max;    /* request line and headers: E_HEADERS_TOO_LARGE */
    size_t body_bytes_max;      /* E_TOO_LARGE */
    size_t arena_bytes_max;     /* soft maximum of a request's arena */
    size_t stream_pending_bytes_max;
    void *arg;
    void (*handle)(void *arg, struct http_request *r);
    /* The request broke a limit (why->limit names it) or the server is full (E_BUSY): answer it. */
    void (*refuse)(void *arg, struct http_request *r, const struct why *why);
    /* After an answer was handed over, for the access log; may be NULL. */
    void (*answered)(void *arg, const struct http_request *r, int status, size_t body_bytes);
};

struct http_server;

/* Listens and serves on loop. E_IO with the reason when the address cannot be had. */
MUST_USE enum status http_server_start(struct http_server **out, struct loop *loop,
                                       const struct http_server_options *options, struct why *why);
/* The address really bound ("127.0.0.1:40213"). */
struct str http_server_address(const struct http_server *s);
/* Stops accepting; open requests are still answered. Then http_server_idle() tells. */
void http_server_drain(struct http_server *s);
bool http_server_idle(const struct http_server *s);
/* How many requests handlers hold that they have not answered. On the loop's thread. */
size_t http_server_held(const struct http_server *s);
/* Closes everything and frees. On the loop's thread outside of handlers, or after the loop ended.
 * A handler that still holds a request must answer it all the same (nothing is sent), but look at
 * nothing of it any more. */
void http_server_stop(struct http_server *s);

/* Counters, readable from any thread. bytes_in: heads and bodies; bytes_out: bodies. */
struct http_server_stats {
    uint64_t connections_now, connections_total, requests_total, refused_total, timeouts_total;
    uint64_t bytes_in, bytes_out;
};
void http_server_stats(const struct http_server *s, struct http_server_stats *out);

#endif
