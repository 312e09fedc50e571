/* What the files of the HTTP server share. Nobody else includes this.
 *
 * http_server.c      listens, drives libmicrohttpd from the loop, drains, stops
 * http_connection.c  counts connections, drops slow ones, closes refused ones gently
 * http_request.c     collects a request within its limits and hands it over
 * http_body.c        where a body is collected
 * http_response.c    answers, now or later
 * http_stream.c      endless answers
 *
 * A connection is in one phase at a time; http_connection_enter() is the only place that changes
 * it:
 *
 *     accept → WAITING ──request line──▶ RECEIVING ──complete──▶ ANSWERING
 *                 ▲                          │                      │
 *                 └──────── sent, kept ──────┼──────────────────────┘
 *     closed ◀───────────────────────────────┴── any phase
 *
 * A connection beyond the limits is REFUSED instead of WAITING and RECEIVING. All but ANSWERING
 * have a deadline; as its span is the same for all connections of a phase, a list a phase in order
 * of entry is sorted by deadline.
 *
 * A request that is not answered at once waits in one of two ways. Suspended in libmicrohttpd, it
 * costs three system calls more (out of the epoll set, a futile read, into the set again). Parked,
 * it stays where it is and libmicrohttpd asks for its answer each time it runs: cheaper when the
 * answer comes soon and few wait. So up to PARKED_MAX are parked, those that wait longer than
 * PARKED_SPAN_US are suspended. libmicrohttpd cannot tell parked requests from work to do, hence
 * `active`: how many it can get on with.
 *
 * A request lives from its request line until libmicrohttpd has completed it and the handler has
 * answered it, whichever is later. */
#ifndef NET_HTTP_SERVER_INT_H
#define NET_HTTP_SERVER_INT_H

#include "base/link.h"
#include "net/address.h"
#include "net/http_body.h"
#include "net/http_server.h"

#include <microhttpd.h>
#include <stdatomic.h>

/* ---- connections ---- */

enum phase { PHASE_WAITING, PHASE_RECEIVING, PHASE_REFUSED, PHASE_ANSWERING, PHASES };

struct peer;

struct connection {
    struct link link; /* in the server's list of its phase, or of the fresh */
    struct http_server *server;
    struct peer *peer;
    int64_t since_us; /* entered its phase; valid for phases with a deadline */
    int fd;
    uint8_t phase;
    bool linger;         /* closed with unread bytes: let the answer arrive first */
    enum status refused; /* OK, E_BUSY, E_TOO_MANY_REQUESTS */
    uint8_t address_length;
    char address[ADDRESS_TEXT_MAX];
};

void http_connection_notify(void *server, struct MHD_Connection *mhd, void **context,
                            enum MHD_ConnectionNotificationCode code);
void http_connection_enter(struct connection *c, enum phase phase);
/* Makes libmicrohttpd close it at its next run. */
void http_connection_drop(struct connection *c);
void http_connection_drop_waiting(struct http_server *s);
/* Reads and forgets what the client still sends, for a bounded time, so that closing does not
 * reset the connection before the client has read its answer. */
void http_connection_linger(struct connection *c);
void http_connection_lingering_end(struct http_server *s);
void http_connection_deadlines(struct loop_timer *t);

/* ---- requests ---- */

struct request {
    struct http_request pub;
    struct link link; /* in the server's list of open requests */
    struct http_server *server;
    struct connection *connection;
    struct MHD_Connection *mhd; /* NULL: completed by libmicrohttpd */
    struct str uri;             /* as sent, in the arena */
    struct http_body body;
    size_t forgotten; /* bytes of a body that became too large */
    bool head_seen;   /* the handler was called for the head */
    bool handed;      /* handle or refuse was called */
    bool answered;    /* http_respond or http_stream_start was called */
    bool active;      /* counted in the server's `active` */
    bool suspended;   /* in libmicrohttpd */
    bool parked;
    int64_t parked_us;           /* since when */
    struct MHD_Response *answer; /* given while parked, to be queued when asked for */
    int answer_status;
    struct why why; /* status != OK: to be refused */
};

void *http_request_start(void *server, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_request_continue(void *server, struct MHD_Connection *mhd, const char *url,
                                      const char *method, const char *version, const char *upload,
                                      size_t *upload_bytes, void **context);
void http_request_completed(void *server, struct MHD_Connection *mhd, void **context,
                            enum MHD_RequestTerminationCode why);
/* Gives arena and body back; what the handler borrowed ends here. */
void http_request_release(struct request *r);
/* Frees r once it is both answered and completed. */
void http_request_settle(struct request *r);
/* libmicrohttpd can get on with r, or not. */
void http_request_activate(struct request *r, bool active);
/* Queues response (one reference is taken over) and lets the connection go on. */
void http_response_queue(struct request *r, int status, struct MHD_Response *response);
/* Gives back a reference that http_response_queue() did not take over. */
void http_response_release(const struct http_server *s, struct MHD_Response *response);
struct MHD_Response *http_response_finish(const struct request *r, const struct http_response *a,
                                          struct MHD_Response *m);

/* Ends all streams, with an error when at_once. */
void http_stream_end_all(struct http_server *s, bool at_once);

/* ---- the server ---- */

enum { POOL_MAX = 128, PARKED_MAX = 256, PARKED_SPAN_US = 100000 };

struct http_server {
    struct http_server_options options;
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct MHD_Response *empty; /* shared by all answers without headers and body */
    struct loop_fd epoll;        /* libmicrohttpd's own */
    struct loop_timer run_timer; /* when libmicrohttpd wants to run without an event */
    struct loop_timer deadline_timer;
    int listen_fd;
    char address[ADDRESS_TEXT_MAX];
    size_t address_length;
    bool draining;
    bool stopped;
    struct link fresh; /* of phases with a deadline: not looked at since they entered it */
    struct link phases[PHASES];
    struct link requests; /* open: started and not yet freed */
    size_t requests_open;
    size_t parked, active;
    size_t moves;   /* counts whatever shows that libmicrohttpd gets on */
    int64_t now_us; /* when it began to run: the time for whatever needs no better one */
    struct link streams;
    struct link lingering;
    size_t lingering_count;
    struct peers *peers;
    struct request *request_pool[POOL_MAX];
    struct arena *arena_pool[POOL_MAX];
    size_t requests_pooled, arenas_pooled;
    struct http_body_pool bodies;
    _Atomic uint64_t connections_now, connections_total, requests_total, refused_total,
        timeouts_total, bytes_in, bytes_out;
};

/* Runs libmicrohttpd before the loop waits again. */
void http_server_kick(struct http_server *s);
/* Frees a stopped server once no handler holds a request of it. */
void http_server_settle(struct http_server *s);

/* Written by one thread, read by any. */
static inline void stat_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* ---- connections per peer address ---- */

struct peers *http_peers_new(void);
void http_peers_free(struct peers *p);
/* One more; the peer's count is in *now. */
struct peer *http_peers_enter(struct peers *p, const struct sockaddr *address, uint32_t *now);
void http_peers_leave(struct peers *p, struct peer *peer);

#endif
