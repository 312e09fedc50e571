/* The hub: changes come from the committer as copies, are told to whoever watches, and kept in a ring of
 * bounded size for streams that come back. Nothing is copied while nobody has watched for a while. */
#include "front/live_int.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdlib.h>

#define REST_US INT64_C(300000000) /* unused for so long: nothing is recorded any more */

/* ---- messages ---- */

void live_message_unref(struct live_message *m)
{
    if (atomic_fetch_sub(&m->refs, 1) == 1)
        free(m);
}

void live_queue_init(struct live_queue *q)
{
    q->first = NULL;
    q->end = &q->first;
    q->bytes = 0;
}

void live_queue_append(struct live_queue *q, struct live_message *m)
{
    struct live_node *n = mem_alloc(sizeof *n);
    *n = (struct live_node){.message = m};
    atomic_fetch_add(&m->refs, 1);
    *q->end = n;
    q->end = &n->next;
    q->bytes += m->n + sizeof *n;
}

struct live_message *live_queue_take(struct live_queue *q)
{
    struct live_node *n = q->first;
    if (!n)
        return NULL;
    struct live_message *m = n->message;
    q->first = n->next;
    if (!q->first)
        q->end = &q->first;
    q->bytes -= m->n + sizeof *n;
    free(n);
    return m;
}

void live_queue_clear(struct live_queue *q)
{
    for (struct live_message *m; (m = live_queue_take(q));)
        live_message_unref(m);
}

void live_hub_id(const struct live *l, struct buf *b, uint64_t seq)
{
    buf_printf(b, "%" PRIx64 "-%" PRIu64, l->start, seq);
}

/* ---- the committer's side ---- */

static const struct doc *copy_doc(char **at, const struct doc *d)
{
    if (!d)
        return NULL;
    size_t n = doc_bytes(d);
    const struct doc *copy = memcpy(*at, d, n);
    *at += (n + 7) / 8 * 8;
    return copy;
}

static struct live_record *record_of(const struct change *c)
{
    size_t docs = (c->before ? doc_bytes(c->before) + 7 : 0) + (c->after ? doc_bytes(c->after) + 7 : 0);
    size_t bytes = sizeof(struct live_record) + docs + c->tenant.n;
    struct live_record *r = mem_alloc(bytes);
    char *at = (char *)(r + 1);
    *r = (struct live_record){.seq = c->seq, .bytes = bytes, .tenant_gone = c->kind == CHANGE_TENANT};
    r->before = copy_doc(&at, c->before);
    r->after = copy_doc(&at, c->after);
    if (c->tenant.n)
        memcpy(at, c->tenant.p, c->tenant.n);
    r->tenant = (struct str){at, c->tenant.n};
    link_init(&r->link);
    return r;
}

static void inbox_free(struct live *l)
{
    for (struct live_record *r = l->inbox, *next; r; r = next) {
        next = r->next;
        free(r);
    }
    l->inbox = NULL;
    l->inbox_end = &l->inbox;
    l->inbox_bytes = 0;
}

static void changes(struct store_listener *listener, const struct change *c, uint32_t count)
{
    struct live *l = container_of(listener, struct live, listener);
    if (!atomic_load_explicit(&l->recording, memory_order_acquire))
        return;
    struct live_record *first = NULL, **end = &first;
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (c[i].kind != CHANGE_ENTITY && !(c[i].kind == CHANGE_TENANT && c[i].gone))
            continue;
        struct live_record *r = record_of(&c[i]);
        *end = r;
        end = &r->next;
        bytes += r->bytes;
    }
    if (!first)
        return;
    pthread_mutex_lock(&l->lock);
    *l->inbox_end = first;
    l->inbox_end = end;
    l->inbox_bytes += bytes;
    if (l->inbox_bytes > l->options.ring_bytes_max) { /* the hub does not keep up */
        inbox_free(l);
        l->inbox_overrun = true;
    }
    bool post = !l->inbox_posted;
    l->inbox_posted = true;
    pthread_mutex_unlock(&l->lock);
    if (post)
        runner_post(loop_runner(l->loop), &l->inbox_task);
}

/* ---- the ring ---- */

static void ring_clear(struct live *l)
{
    while (!link_alone(&l->ring)) {
        struct live_record *r = container_of(l->ring.next, struct live_record, link);
        link_remove(&r->link);
        free(r);
    }
    l->ring_bytes = 0;
}

static void ring_add(struct live *l, struct live_record *r)
{
    if (!l->ring_active) {
        l->ring_active = true;
        l->ring_base = r->seq - 1;
    }
    link_append(&l->ring, &r->link);
    l->ring_bytes += r->bytes;
    while (l->ring_bytes > l->options.ring_bytes_max) {
        struct live_record *oldest = container_of(l->ring.next, struct live_record, link);
        l->ring_base = oldest->seq;
        l->ring_bytes -= oldest->bytes;
        link_remove(&oldest->link);
        free(oldest);
    }
}

static void inbox_run(struct task *task)
{
    struct live *l = container_of(task, struct live, inbox_task);
    pthread_mutex_lock(&l->lock);
    struct live_record *r = l->inbox;
    bool overrun = l->inbox_overrun;
    l->inbox = NULL;
    l->inbox_end = &l->inbox;
    l->inbox_bytes = 0;
    l->inbox_posted = l->inbox_overrun = false;
    pthread_mutex_unlock(&l->lock);
    if (overrun) { /* everybody has missed something */
        live_view_break_all(l);
        ring_clear(l);
        l->ring_active = false;
    }
    for (struct live_record *next; r; r = next) {
        next = r->next;
        uint64_t seq = r->seq;
        live_view_change(l, r);
        ring_add(l, r);
        atomic_store(&l->processed, seq);
    }
}

/* ---- streams ---- */

static bool can_resume(const struct live *l, const struct live_stream *s)
{
    return s->resume && s->resume_known && l->ring_active && s->resume_seq >= l->ring_base &&
           s->resume_seq <= atomic_load(&l->processed);
}

static void attach_run(struct task *task)
{
    struct live_stream *s = container_of(task, struct live_stream, attach);
    struct live *l = s->live;
    if (!atomic_exchange(&l->recording, true)) { /* what came late when it ended is not joined by what comes now */
        ring_clear(l);
        l->ring_active = false;
    }
    l->unused_since_us = 0;
    bool resumes = can_resume(l, s);
    if (!l->ring_active) {
        l->ring_active = true;
        l->ring_base = store_seq(l->options.api->broker->store);
    }
    live_view_join(l, s);
    for (struct link *i = l->ring.next; resumes && i != &l->ring; i = i->next) {
        const struct live_record *r = container_of(i, struct live_record, link);
        if (r->seq > s->resume_seq)
            live_view_replay(l, s, r);
    }
    live_stream_begin(s, resumes ? LIVE_FOLLOW : s->resume ? LIVE_RESET : LIVE_ENTITIES,
                      resumes ? s->resume_seq : l->ring_base > atomic_load(&l->processed) ? l->ring_base
                                                                                          : atomic_load(&l->processed));
}

void live_hub_attach(struct live_stream *s)
{
    live_stream_ref(s);
    s->attach.run = attach_run;
    runner_post(loop_runner(s->live->loop), &s->attach);
}

static void detach_run(struct task *task)
{
    struct live_stream *s = container_of(task, struct live_stream, detach);
    struct live *l = s->live;
    live_view_leave(s);
    if (link_alone(&l->filters)) {
        l->unused_since_us = time_monotonic();
        loop_timer_set(l->loop, &l->rest, l->unused_since_us + REST_US);
    }
    live_stream_unref(s);
}

void live_hub_detach(struct live_stream *s)
{
    s->detach.run = detach_run;
    runner_post(loop_runner(s->live->loop), &s->detach);
}

static void rest_due(struct loop_timer *t)
{
    struct live *l = container_of(t, struct live, rest);
    if (!l->unused_since_us)
        return;
    atomic_store_explicit(&l->recording, false, memory_order_release);
    ring_clear(l);
    l->ring_active = false;
}

/* ---- life ---- */

static void *thread_main(void *arg)
{
    struct live *l = arg;
    pthread_setname_np(pthread_self(), "live");
    loop_run(l->loop);
    return NULL;
}

enum status live_hub_start(struct live *l, struct why *why)
{
    enum status st = OK;
    pthread_mutex_lock(&l->lock);
    if (!l->running) {
        st = loop_new(&l->loop, NULL);
        if (st == OK && pthread_create(&l->thread, NULL, thread_main, l) != 0) {
            loop_free(l->loop);
            st = E_IO;
        }
        l->running = st == OK;
    }
    pthread_mutex_unlock(&l->lock);
    return st == OK ? OK : why_set(why, st, NULL, "no thread for live streams");
}

struct live *live_new(const struct live_options *o)
{
    struct live *l = mem_zalloc(sizeof *l);
    l->options = *o;
    l->listener.changes = changes;
    l->start = (uint64_t)time_now();
    pthread_mutex_init(&l->lock, NULL);
    link_init(&l->all);
    link_init(&l->ring);
    link_init(&l->filters);
    l->inbox_end = &l->inbox;
    l->inbox_task.run = inbox_run;
    l->rest.fire = rest_due;
    l->scratch = arena_new(0);
    return l;
}

void live_stats(struct live *l, struct live_stats *out)
{
    pthread_mutex_lock(&l->lock);
    out->streams = l->stream_count;
    pthread_mutex_unlock(&l->lock);
    out->opened = atomic_load_explicit(&l->opened, memory_order_relaxed);
    out->events = atomic_load_explicit(&l->events, memory_order_relaxed);
    out->dropped = atomic_load_explicit(&l->dropped, memory_order_relaxed);
}

void live_listen(struct live *l)
{
    store_listen(l->options.api->broker->store, &l->listener);
}

static void end_run(struct task *task)
{
    loop_stop(container_of(task, struct live, end_task)->loop);
}

void live_stop(struct live *l)
{
    if (!l || !l->running)
        return;
    atomic_store(&l->recording, false);
    l->end_task.run = end_run;
    runner_post(loop_runner(l->loop), &l->end_task);
    pthread_join(l->thread, NULL);
}

void live_free(struct live *l)
{
    if (!l)
        return;
    while (!link_alone(&l->all)) {
        struct live_stream *s = container_of(l->all.next, struct live_stream, all);
        live_view_leave(s);
        live_stream_free(s);
    }
    ring_clear(l);
    inbox_free(l);
    if (l->running)
        loop_free(l->loop);
    arena_free(l->scratch);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
