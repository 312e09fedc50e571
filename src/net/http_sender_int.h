/* What the parts of the sender share.
 *
 *   http_sender.c             posts, deadlines, life
 *   http_sender_url.c         what is taken, and the head of a request
 *   http_sender_origin.c      receivers: names, queues, who may open a connection
 *   http_sender_connection.c  one connection: connecting → sending, receiving → idle → … → closed
 *
 * A post is in exactly one place: the queue of its origin, a connection, or the list of those that
 * ended and will be told. */
#ifndef NET_HTTP_SENDER_INT_H
#define NET_HTTP_SENDER_INT_H

#include "base/buf.h"
#include "base/link.h"
#include "net/http_answer.h"
#include "net/http_sender.h"

enum { HEAD_BYTES_MAX = 256 << 10 };

struct post_queue {
    struct http_post *first, **end;
    uint32_t count;
};
void post_queue_init(struct post_queue *q);
void post_queue_append(struct post_queue *q, struct http_post *p);
void post_queue_prepend(struct post_queue *q, struct http_post *p);
struct http_post *post_queue_take(struct post_queue *q);

struct origin {
    struct origin *chain; /* of the table */
    struct http_sender *sender;
    uint64_t hash;
    struct str host; /* behind this struct; without brackets */
    struct str authority; /* as in the URL */
    uint16_t port;
    bool numeric;
    bool resolving;
    bool suspect; /* failed last time */
    struct resolve resolve;
    struct address addresses[RESOLVED_MAX];
    uint32_t address_count;
    int64_t resolved_until_us;
    struct post_queue waiting;
    uint32_t connections;
    struct link all;     /* its connections */
    struct link idle;    /* of these, the ones without a post; last used last */
    struct link starved; /* in the sender's list of those that wait for a connection */
    struct link quiet;   /* in the sender's list of those that nobody uses */
    struct loop_timer timer; /* deadlines of waiting posts */
};

struct connection {
    struct loop_fd fd; /* -1: closed */
    struct origin *origin;
    struct link link; /* of the origin's connections */
    struct link idle; /* of the origin's idle ones */
    struct link old;  /* of the sender's idle ones, oldest first */
    struct http_post *post;
    struct buf head;
    size_t sent; /* of head and body */
    uint32_t events;
    uint32_t posts; /* that it has carried */
    uint32_t address; /* being tried */
    uint8_t phase;  /* enum phase */
    bool answered;  /* some byte of the answer came */
    bool cut;       /* its status came before the request was out */
    int failed;     /* errno of what failed at once */
    char refused[ADDRESS_TEXT_MAX];
    struct http_answer answer;
    struct loop_timer timer;
    int64_t deadline_us;
};
enum phase { CONNECTING, BUSY, DRAINING /* status known, body still coming */, IDLE };

struct http_sender {
    struct loop *loop;
    struct http_sender_options options;
    struct str user_agent;
    struct origin **table;
    size_t table_size; /* a power of two */
    uint32_t origin_count, quiet_count;
    struct link quiet;
    struct link starved[2];        /* [suspect] */
    uint32_t connections[2];       /* [suspect] */
    struct link old; /* idle connections of all origins */
    struct post_queue ended; /* to be told soon */
    struct loop_timer ended_timer;
    uint64_t posts, opened;
};

/* ---- http_sender_url.c ---- */
struct url {
    struct str authority, host, path; /* path with query; "" is "/" */
    uint16_t port;
};
bool http_url_parse(struct str url, struct url *out);
MUST_USE enum status http_head_write(struct buf *b, const struct http_sender *s, struct http_post *p);

/* ---- http_sender.c ---- */
/* done is called later. */
void post_end(struct http_sender *s, struct http_post *p, enum status status);

/* ---- http_sender_origin.c ---- */
/* Made when there is none. */
struct origin *origin_find(struct http_sender *s, const struct url *u);
void origin_post(struct origin *o, struct http_post *p);
/* Gives waiting posts to connections, as far as there are any. */
void origin_dispatch(struct origin *o);
/* How its last post fared. origin_feed() must follow. */
void origin_judge(struct origin *o, bool failed);
/* A connection is free or gone: first for its own posts, then for others. */
void origin_feed(struct origin *o);
/* In use, or kept for what is known of it. May free one that nobody uses. */
void origin_settle(struct origin *o);
void origins_free(struct http_sender *s);

/* ---- http_sender_connection.c ---- */
/* Opens one for the post. What fails at once is told later, so that nothing here calls back. */
void connection_open(struct origin *o, struct http_post *p);
/* The same on an idle one. */
void connection_use(struct connection *c, struct http_post *p);
/* c is gone, its post is not told. */
void connection_close(struct connection *c);

#endif
