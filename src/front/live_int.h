/* What the parts of the live front share.
 *
 *   live_query.c   what a request asks for, in memory of its own: it outlives the request
 *   live_hub.c     the hub's thread: recent changes, who watches what
 *   live_view.c    matching and representing, on the hub's thread
 *   live_stream.c  one stream, on its request's loop: the entities, then events from the hub
 *
 * The committer hands copies of changes to the hub, the hub hands messages to streams; both through
 * a list under a lock that is held for a few instructions, and a task that says that there is something. */
#ifndef FRONT_LIVE_INT_H
#define FRONT_LIVE_INT_H

#include "base/link.h"
#include "front/live.h"
#include "front/ngsild/query_input.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- what is asked for ---- */

struct live_query {
    struct arena *arena;
    struct exchange x; /* of this arena, with the context and the filter */
    struct query_input in;
    struct represent represent;
    struct arena *view_arena; /* of the representation, which is made again when names become known */
    uint32_t terms_seen;
    struct str tenant;
    struct str filter_key, view_key; /* equal keys: equal queries, equal views */
};

/* x: read and with its context resolved. Errors go to x->why. */
MUST_USE enum status live_query_new(struct live_query **out, struct exchange *x);
void live_query_free(struct live_query *q);
/* Names that no entity had before may be known now. */
void live_query_refresh(struct live_query *q);
/* Parameters of the URL, tenant, context and accept among them, into x. */
MUST_USE enum status live_query_read(struct exchange *x);

/* ---- messages ---- */

struct live_message {
    atomic_uint refs;
    size_t n;
    char text[];
};
void live_message_unref(struct live_message *m);

struct live_node {
    struct live_node *next;
    struct live_message *message;
};
struct live_queue {
    struct live_node *first, **end;
    size_t bytes;
};
void live_queue_init(struct live_queue *q);
void live_queue_append(struct live_queue *q, struct live_message *m); /* one more reference */
struct live_message *live_queue_take(struct live_queue *q);           /* the caller's; NULL: empty */
void live_queue_clear(struct live_queue *q);

/* ---- changes ---- */

struct live_record {
    struct link link;          /* of the ring */
    struct live_record *next;  /* of the inbox */
    uint64_t seq;
    size_t bytes;
    bool tenant_gone;
    struct str tenant;
    const struct doc *before, *after;
};

/* ---- who watches ---- */

struct live_filter;
struct live_view {
    struct live_filter *filter;
    struct link link; /* of the filter's */
    struct live_query *query;
    struct link streams;
};
struct live_filter {
    struct link link; /* of the hub's */
    struct live_query *query; /* of one of the views */
    struct link views;
};

/* ---- streams ---- */

enum live_begin { LIVE_WAIT, LIVE_FOLLOW, LIVE_ENTITIES, LIVE_RESET };

struct live_stream {
    struct live *live;
    struct link all; /* every stream there is, under live->lock */
    atomic_uint refs; /* the request's loop, the hub, each task and query under way */

    /* under its lock */
    pthread_mutex_t lock;
    struct live_queue queue; /* from the hub */
    enum live_begin begin;
    uint64_t begin_seq;
    bool posted, overflow;
    struct task task; /* there is something in the queue */

    /* the hub's */
    struct task attach, detach;
    struct link link; /* of the view's */
    struct live_view *view;
    struct live_query *offered; /* becomes the view's when there is none like it */
    uint64_t resume_seq;
    bool resume, resume_known; /* Last-Event-ID was given; is of this start */

    /* its loop's */
    struct loop *loop;
    struct http_stream http;
    struct live_query *query; /* for the entities at the beginning */
    struct consume_query call;
    struct arena *page;
    struct live_queue held; /* what comes meanwhile */
    struct buf out;         /* written as the reader takes it */
    size_t out_at;
    uint64_t after;
    uint64_t told_id; /* the last one that a silent stream was told */
    int64_t progress_us;
    struct loop_timer timer;
    bool begun, attached, page_due, entities_done, ended, closed;
};

struct live {
    struct live_options options;
    struct store_listener listener;
    uint64_t start; /* tells the streams of one start of the program from those of another */
    atomic_bool recording;
    atomic_uint_fast64_t processed; /* sequence of the last change that all streams were told of */
    atomic_uint_fast64_t opened, events, dropped; /* struct live_stats */

    pthread_mutex_t lock;
    struct link all;
    uint32_t stream_count;
    struct live_record *inbox, **inbox_end;
    size_t inbox_bytes;
    bool inbox_posted, inbox_overrun;
    bool running, stopped;

    /* the hub's thread's */
    struct loop *loop;
    pthread_t thread;
    struct task inbox_task, end_task;
    struct loop_timer rest;
    int64_t unused_since_us;
    struct link ring; /* oldest first */
    size_t ring_bytes;
    bool ring_active;
    uint64_t ring_base; /* every change behind it is in the ring or on its way */
    struct link filters;
    struct arena *scratch;
};

/* ---- live_hub.c ---- */
/* Starts the thread when it does not run. */
MUST_USE enum status live_hub_start(struct live *l, struct why *why);
void live_hub_attach(struct live_stream *s);
void live_hub_detach(struct live_stream *s);
void live_hub_id(const struct live *l, struct buf *b, uint64_t seq);

/* ---- live_view.c: on the hub's thread ---- */
void live_view_join(struct live *l, struct live_stream *s);
void live_view_leave(struct live_stream *s);
/* Tells all streams whose query the change concerns. */
void live_view_change(struct live *l, const struct live_record *r);
/* Tells this one alone. */
void live_view_replay(struct live *l, struct live_stream *s, const struct live_record *r);
/* Every stream is to end; it comes back and begins anew. */
void live_view_break_all(struct live *l);

/* ---- live_stream.c ---- */
/* From the hub; m NULL: the stream has missed something and must end. */
void live_stream_tell(struct live_stream *s, struct live_message *m);
void live_stream_begin(struct live_stream *s, enum live_begin how, uint64_t seq);
void live_stream_ref(struct live_stream *s);
void live_stream_unref(struct live_stream *s);
/* Whatever still refers to it: nothing runs any more. */
void live_stream_free(struct live_stream *s);
void live_stream_open(struct live *l, struct exchange *x);

#endif
