/* Posts that come and those that have ended, and the sender's life. */
#include "net/http_sender_int.h"

#include "base/time.h"

#include <assert.h>
#include <stdlib.h>

enum { TABLE_FIRST = 256 };

void post_queue_init(struct post_queue *q)
{
    q->first = NULL;
    q->end = &q->first;
    q->count = 0;
}

void post_queue_append(struct post_queue *q, struct http_post *p)
{
    p->next = NULL;
    *q->end = p;
    q->end = &p->next;
    q->count++;
}

void post_queue_prepend(struct post_queue *q, struct http_post *p)
{
    if (!q->first)
        q->end = &p->next;
    p->next = q->first;
    q->first = p;
    q->count++;
}

struct http_post *post_queue_take(struct post_queue *q)
{
    struct http_post *p = q->first;
    if (!p)
        return NULL;
    q->first = p->next;
    if (!q->first)
        q->end = &q->first;
    q->count--;
    return p;
}

void post_end(struct http_sender *s, struct http_post *p, enum status status)
{
    p->status = status;
    post_queue_append(&s->ended, p);
    loop_timer_set(s->loop, &s->ended_timer, 0);
}

/* As many as there are now: those that done starts and that end at once wait for the next round. */
static void tell_ended(struct loop_timer *t)
{
    struct http_sender *s = container_of(t, struct http_sender, ended_timer);
    for (uint32_t n = s->ended.count; n; n--) {
        struct http_post *p = post_queue_take(&s->ended);
        p->done(p);
    }
    if (s->ended.first)
        loop_timer_set(s->loop, t, 0);
}

struct http_sender *http_sender_new(struct loop *loop, const struct http_sender_options *o)
{
    struct http_sender *s = mem_zalloc(sizeof *s);
    s->loop = loop;
    s->options = *o;
    s->user_agent = mem_dup(o->user_agent);
    s->table_size = TABLE_FIRST;
    s->table = mem_zalloc(s->table_size * sizeof(struct origin *));
    link_init(&s->quiet);
    link_init(&s->starved[0]);
    link_init(&s->starved[1]);
    link_init(&s->old);
    post_queue_init(&s->ended);
    s->ended_timer.fire = tell_ended;
    return s;
}

void http_sender_free(struct http_sender *s)
{
    if (!s)
        return;
    origins_free(s);
    loop_timer_clear(s->loop, &s->ended_timer);
    for (struct http_post *p; (p = post_queue_take(&s->ended));)
        p->done(p);
    free(s->table);
    free((void *)(uintptr_t)s->user_agent.p);
    free(s);
}

void http_post_start(struct http_sender *s, struct http_post *p)
{
    struct url u;
    assert(p->done && p->timeout_ms > 0);
    p->status = OK;
    p->http_status = 0;
    p->again = false;
    p->deadline_us = time_monotonic() + (int64_t)p->timeout_ms * 1000;
    why_clear(&p->why);
    s->posts++;
    if (!http_url_parse(p->url, &u))
        post_end(s, p, why_set(&p->why, E_BAD_DATA, NULL, "the URL is none of plain HTTP"));
    else
        origin_post(origin_find(s, &u), p);
}

struct http_sender_stats http_sender_stats(const struct http_sender *s)
{
    return (struct http_sender_stats){.posts = s->posts,
                                      .connections_opened = s->opened,
                                      .connections = s->connections[0] + s->connections[1],
                                      .origins = s->origin_count};
}
