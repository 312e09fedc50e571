/* One stream, on its request's loop:
 *
 *   attached to the hub → told how to begin → the entities, page by page, as the reader takes them;
 *   what the hub says meanwhile is held → ready → what the hub says, as it comes → closed
 *
 * A reader that lets more than pending_bytes_max gather is ended; it comes back with Last-Event-ID. */
#include "front/live_int.h"

#include "base/time.h"
#include "front/ngsild/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_ENTITIES = 200, OUT_BYTES_MAX = 64 << 20, PIECE_BYTES = 64 << 10 };
#define RETRY_US 5000            /* a full pipe is tried again after */
#define STUCK_US INT64_C(30000000) /* a reader that takes nothing for so long is ended */

/* ---- life ---- */

void live_stream_ref(struct live_stream *s)
{
    atomic_fetch_add(&s->refs, 1);
}

void live_stream_free(struct live_stream *s)
{
    struct live *l = s->live;
    pthread_mutex_lock(&l->lock);
    link_remove(&s->all);
    l->stream_count--;
    pthread_mutex_unlock(&l->lock);
    live_queue_clear(&s->queue);
    live_queue_clear(&s->held);
    live_query_free(s->offered);
    live_query_free(s->query);
    arena_free(s->page);
    buf_free(&s->out);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void live_stream_unref(struct live_stream *s)
{
    if (atomic_fetch_sub(&s->refs, 1) == 1)
        live_stream_free(s);
}

/* ---- from the hub ---- */

static void post(struct live_stream *s)
{
    if (s->posted)
        return;
    s->posted = true;
    live_stream_ref(s);
    runner_post(loop_runner(s->loop), &s->task);
}

void live_stream_tell(struct live_stream *s, struct live_message *m)
{
    pthread_mutex_lock(&s->lock);
    if (!m || s->queue.bytes + m->n > s->live->options.pending_bytes_max) {
        s->overflow = true;
        live_queue_clear(&s->queue);
    }
    if (!s->overflow)
        live_queue_append(&s->queue, m);
    post(s);
    pthread_mutex_unlock(&s->lock);
}

void live_stream_begin(struct live_stream *s, enum live_begin how, uint64_t seq)
{
    pthread_mutex_lock(&s->lock);
    s->begin = how;
    s->begin_seq = seq;
    post(s);
    pthread_mutex_unlock(&s->lock);
}

/* ---- to the reader ---- */

static void end(struct live_stream *s)
{
    if (s->ended || s->closed)
        return;
    s->ended = true;
    http_stream_end(&s->http);
}

/* A reader that takes too little is ended; it may come back. */
static void drop(struct live_stream *s)
{
    if (s->ended || s->closed)
        return;
    atomic_fetch_add_explicit(&s->live->dropped, 1, memory_order_relaxed);
    end(s);
}

static void count_event(struct live_stream *s)
{
    if (!s->ended && !s->closed)
        atomic_fetch_add_explicit(&s->live->events, 1, memory_order_relaxed);
}

static void tell_text(struct live_stream *s, struct str text)
{
    if (!s->ended && !s->closed && !http_stream_write(&s->http, text))
        drop(s);
    s->progress_us = time_monotonic();
}

static void tell_message(struct live_stream *s, struct live_message *m)
{
    count_event(s); /* first: who has read it finds it counted */
    tell_text(s, (struct str){m->text, m->n});
    live_message_unref(m);
}

static void held_tell(struct live_stream *s)
{
    for (struct live_message *m; (m = live_queue_take(&s->held));)
        tell_message(s, m);
}

static void entities_end(struct live_stream *s)
{
    struct buf b;
    buf_init(&b, 200);
    buf_lit(&b, "event: ready\nid: ");
    live_hub_id(s->live, &b, s->begin_seq);
    buf_lit(&b, "\ndata: {}\n\n");
    s->entities_done = true;
    s->told_id = s->begin_seq;
    tell_text(s, buf_view(&b));
    buf_free(&b);
    buf_free(&s->out);
    held_tell(s);
    loop_timer_set(s->loop, &s->timer, time_monotonic() + s->live->options.heartbeat_us);
}

/* ---- the entities at the beginning ---- */

static void page_fetch(struct live_stream *s);

/* What is left of the page, as far as the reader takes it; then the next one. */
static void page_write(struct live_stream *s)
{
    while (s->out_at < s->out.n && !s->ended && !s->closed) {
        struct str piece = str_head(str_from(buf_view(&s->out), s->out_at), PIECE_BYTES);
        int64_t now = time_monotonic();
        if (http_stream_write(&s->http, piece)) {
            s->out_at += piece.n;
            s->progress_us = now;
        } else if (now - s->progress_us > STUCK_US) {
            drop(s);
        } else {
            loop_timer_set(s->loop, &s->timer, now + RETRY_US);
            return;
        }
    }
    if (s->ended || s->closed)
        return;
    if (s->call.local.more)
        page_fetch(s);
    else
        entities_end(s);
}

static void page_represent(struct live_stream *s)
{
    struct represent r = s->query->represent;
    r.arena = s->page;
    buf_clear(&s->out);
    s->out_at = 0;
    for (uint32_t i = 0; i < s->call.count; i++) {
        struct entity e;
        consume_entity(&s->call.items[i], s->page, &e);
        if (!represent_leaves(&r, &e))
            continue;
        buf_lit(&s->out, "event: entity\ndata: ");
        represent_entity(&s->out, &r, &e);
        buf_lit(&s->out, "\n\n");
        count_event(s);
    }
    if (s->call.local.doc_count)
        s->after = doc_created_seq(s->call.local.docs[s->call.local.doc_count - 1]);
}

static void error_tell(struct live_stream *s, enum status status, const struct why *why)
{
    struct buf b;
    buf_init(&b, 16 << 10);
    buf_lit(&b, "event: error\ndata: ");
    problem_write(&b, status, why, STR_NONE);
    buf_lit(&b, "\n\n");
    tell_text(s, buf_view(&b));
    buf_free(&b);
    end(s);
}

static void page_come(struct live_stream *s)
{
    if (s->ended || s->closed)
        return;
    if (s->call.status == E_NO_TENANT) { /* the first write makes it */
        entities_end(s);
    } else if (s->call.status != OK) {
        error_tell(s, s->call.status, &s->call.local.call.why);
    } else {
        page_represent(s);
        if (s->out.full)
            end(s);
        else
            page_write(s);
    }
}

static void page_done(struct consume_query *call)
{
    struct live_stream *s = container_of(call, struct live_stream, call);
    page_come(s);
    live_stream_unref(s);
}

/* In one round of the loop: what is found is borrowed, and nothing is between two of them. */
static void page_query(struct live_stream *s)
{
    struct exchange *x = &s->query->x;
    arena_reset(s->page);
    s->call.local = (struct store_query){
        .call = {.home = loop_runner(s->loop), .deadline_us = time_monotonic() + x->api->limits.request_us},
        .caller = &x->caller,
        .filter = x->filter,
        .after_seq = s->after,
        .limit = PAGE_ENTITIES,
        .arena = s->page,
        .visit_max = x->api->limits.visit,
    };
    s->call.done = page_done;
    live_stream_ref(s);
    if (consume_query(x->broker, &s->call))
        page_done(&s->call);
}

/* In a round of its own: others have their turn. */
static void page_fetch(struct live_stream *s)
{
    s->progress_us = time_monotonic();
    loop_timer_set(s->loop, &s->timer, 0);
    s->page_due = true;
}

/* ---- the course ---- */

static void begin_run(struct live_stream *s, enum live_begin how)
{
    s->begun = true;
    s->progress_us = time_monotonic();
    if (how == LIVE_RESET)
        tell_text(s, STR("event: reset\nid:\ndata: {}\n\n"));
    if (how != LIVE_FOLLOW) {
        page_fetch(s);
        return;
    }
    s->entities_done = true;
    s->told_id = s->begin_seq;
    held_tell(s); /* what the hub told already, ahead of saying how to begin */
    loop_timer_set(s->loop, &s->timer, time_monotonic() + s->live->options.heartbeat_us);
}

static void hold(struct live_stream *s, struct live_message *m)
{
    if (s->held.bytes + m->n > s->live->options.pending_bytes_max)
        drop(s);
    else
        live_queue_append(&s->held, m);
    live_message_unref(m);
}

static void queue_run(struct task *task)
{
    struct live_stream *s = container_of(task, struct live_stream, task);
    pthread_mutex_lock(&s->lock);
    struct live_queue mine;
    live_queue_init(&mine);
    for (struct live_message *m; (m = live_queue_take(&s->queue)); live_message_unref(m))
        live_queue_append(&mine, m);
    s->posted = false;
    bool overflow = s->overflow;
    enum live_begin how = s->begin;
    pthread_mutex_unlock(&s->lock);
    if (overflow)
        drop(s);
    if (!s->begun && how != LIVE_WAIT && !s->ended && !s->closed)
        begin_run(s, how);
    for (struct live_message *m; (m = live_queue_take(&mine));) {
        if (s->entities_done)
            tell_message(s, m);
        else
            hold(s, m);
    }
    live_stream_unref(s);
}

/* Also tells where a stream stands that nothing was told for long, so that it can go on from there. */
static void heartbeat(struct live_stream *s)
{
    uint64_t processed = atomic_load(&s->live->processed); /* read first: all before is in the queue or told */
    struct buf b;
    pthread_mutex_lock(&s->lock);
    bool behind = s->queue.first != NULL;
    pthread_mutex_unlock(&s->lock);
    buf_init(&b, 200);
    if (!behind && processed > s->told_id) {
        buf_lit(&b, "id: ");
        live_hub_id(s->live, &b, processed);
        buf_char(&b, '\n');
        s->told_id = processed;
    }
    buf_lit(&b, ": still here\n\n");
    tell_text(s, buf_view(&b));
    buf_free(&b);
}

static void timer_due(struct loop_timer *t)
{
    struct live_stream *s = container_of(t, struct live_stream, timer);
    if (s->closed)
        return;
    if (s->page_due) {
        s->page_due = false;
        page_query(s);
    } else if (!s->entities_done) {
        page_write(s);
    } else {
        heartbeat(s);
        loop_timer_set(s->loop, t, time_monotonic() + s->live->options.heartbeat_us);
    }
}

static void closed(struct http_stream *http)
{
    struct live_stream *s = container_of(http, struct live_stream, http);
    s->closed = true;
    loop_timer_clear(s->loop, &s->timer);
    live_queue_clear(&s->held);
    if (s->attached)
        live_hub_detach(s);
    live_stream_unref(s);
}

/* ---- opening ---- */

/* Last-Event-ID: START-SEQ. */
static void resume_read(struct live_stream *s, struct http_request *r)
{
    struct str id = str_trim(http_request_header(r, "Last-Event-ID"));
    size_t dash = str_find_char(id, '-');
    char start[24];
    int n = snprintf(start, sizeof start, "%" PRIx64, s->live->start);
    unsigned long long seq = 0;
    s->resume = id.n > 0;
    s->resume_known = dash != STR_NPOS && str_eq(str_head(id, dash), (struct str){start, (size_t)n}) &&
                      str_to_u64(str_from(id, dash + 1), UINT64_MAX, &seq);
    s->resume_seq = seq;
}

static struct live_stream *stream_new(struct live *l, struct exchange *x)
{
    struct live_stream *s = mem_zalloc(sizeof *s);
    s->live = l;
    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    live_queue_init(&s->queue);
    live_queue_init(&s->held);
    link_init(&s->all);
    link_init(&s->link);
    buf_init(&s->out, OUT_BYTES_MAX);
    s->page = arena_new(0);
    s->loop = x->http->loop;
    s->task.run = queue_run;
    s->timer.fire = timer_due;
    s->http.closed = closed;
    pthread_mutex_lock(&l->lock);
    bool room = l->stream_count < l->options.streams_max;
    link_append(&l->all, &s->all);
    l->stream_count++;
    pthread_mutex_unlock(&l->lock);
    if (!room)
        why_limit(&x->why, E_BUSY, NULL, "live.streams", "%u live streams are open, which is as many as there may be",
                  l->options.streams_max);
    return s;
}

void live_stream_open(struct live *l, struct exchange *x)
{
    struct live_stream *s = stream_new(l, x);
    enum status st = x->why.status;
    if (st == OK)
        st = live_query_new(&s->query, x);
    if (st == OK)
        st = live_query_new(&s->offered, x);
    if (st == OK)
        st = live_hub_start(l, &x->why);
    if (st != OK) {
        live_stream_free(s);
        answer_why(x);
        return;
    }
    atomic_fetch_add_explicit(&l->opened, 1, memory_order_relaxed);
    resume_read(s, x->http);
    struct http_response head = {.status = 200};
    http_response_header(&head, "Content-Type", STR("text/event-stream"));
    http_response_header(&head, "Cache-Control", STR("no-store"));
    if (!str_absent(x->tenant_echo))
        http_response_header(&head, "NGSILD-Tenant", x->tenant_echo);
    struct http_request *http = x->http;
    exchange_end(x);
    live_stream_ref(s); /* http_stream_start may find that the reader has gone */
    http_stream_start(http, &head, &s->http);
    if (!s->closed) {
        tell_text(s, STR("retry: 2000\n\n"));
        s->attached = true;
        live_hub_attach(s);
    }
    live_stream_unref(s);
}
