/* The thread, what is posted to it, and what anybody may look up.
 *
 * The thread runs what is posted one step at a time: changes (snapshot_order.c), slices of
 * fills, and once a second a look for what has expired. A step waits for the store's
 * completions in a queue of their own, so that it cannot be overtaken by another step. */
#include "broker/snapshots_int.h"

#include "base/time.h"

#include <stdlib.h>
#include <time.h>

enum { TICK_S = 1 };

/* ---- the thread's queues ---- */

static void post_chain(struct runner *runner, struct task *first)
{
    struct snapshot_queue *q = container_of(runner, struct snapshot_queue, runner);
    pthread_mutex_lock(&q->owner->lock);
    *q->last = first;
    while (*q->last)
        q->last = &(*q->last)->next;
    pthread_cond_broadcast(&q->owner->wake); /* the starter may wait too */
    pthread_mutex_unlock(&q->owner->lock);
}

static void post(struct runner *runner, struct task *task)
{
    task->next = NULL;
    post_chain(runner, task);
}

static void queue_init(struct snapshot_queue *q, struct snapshots *s)
{
    *q = (struct snapshot_queue){.runner = {post, post_chain}, .owner = s, .last = &q->first};
}

/* Under the lock. */
static struct task *queue_take(struct snapshot_queue *q)
{
    struct task *t = q->first;
    if (t && !(q->first = t->next))
        q->last = &q->first;
    return t;
}

int64_t snapshots_now(const struct snapshots *s)
{
    return s->clock->now_us(s->clock);
}

bool snapshots_stopping(struct snapshots *s)
{
    pthread_mutex_lock(&s->lock);
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

void snapshots_wait(struct snapshots *s, const bool *done)
{
    while (!*done) {
        store_thread_offline(s->broker->store);
        pthread_mutex_lock(&s->lock);
        struct task *t;
        while (!(t = queue_take(&s->completions)))
            pthread_cond_wait(&s->wake, &s->lock);
        pthread_mutex_unlock(&s->lock);
        store_thread_online(s->broker->store);
        t->run(t);
    }
}

/* ---- changes ---- */

static void call_finish(struct task *task)
{
    struct snapshot_call *c = container_of(task, struct snapshot_call, task);
    c->done(c);
}

static void call_run(struct task *task)
{
    struct snapshot_call *c = container_of(task, struct snapshot_call, task);
    snapshot_order_run(c->owner, c);
    c->status = c->why.status;
    c->task.run = call_finish;
    runner_post(c->home, &c->task);
}

void snapshots_call(struct snapshots *s, struct snapshot_call *c)
{
    why_clear(&c->why);
    c->owner = s;
    c->purge_count = 0;
    c->task = (struct task){.run = call_run};
    pthread_mutex_lock(&s->lock);
    bool taken = !s->stopping;
    if (taken) {
        *s->work.last = &c->task;
        s->work.last = &c->task.next;
        pthread_cond_broadcast(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (taken)
        return;
    if (c->order == SNAPSHOT_ORDER_CREATE)
        c->queries->release(c->queries);
    c->status = why_set(&c->why, E_CANCELLED, NULL, "the city is stopping");
    c->task.run = call_finish;
    runner_post(c->home, &c->task);
}

/* ---- lookups ---- */

enum status snapshots_enter(struct snapshots *s, struct str tenant, struct str id, struct arena *a, struct str *held_in,
                            struct why *why)
{
    int64_t now = snapshots_now(s);
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry *e = snapshot_entry_find(s, tenant, id);
    bool there = e && e->s.expires_at > now, ready = there && e->s.status != SNAPSHOT_PREPARING;
    if (ready) {
        *held_in = arena_dup(a, e->held_in);
        e->last_used_at = now;
    }
    pthread_mutex_unlock(&s->lock);
    if (!there)
        return why_set(why, E_NOT_FOUND, NULL, "there is no snapshot %.*s", STR_ARG(id));
    return ready ? OK : why_set(why, E_BUSY, NULL, "the snapshot %.*s is being prepared", STR_ARG(id));
}

bool snapshots_owner(struct snapshots *s, struct str held_in, struct arena *a, struct str *tenant, struct str *id)
{
    if (!str_starts(held_in, STR(SNAPSHOT_HELD_PREFIX)))
        return false;
    pthread_mutex_lock(&s->lock);
    const struct snapshot_entry *e = s->entries;
    while (e && !str_eq(e->held_in, held_in))
        e = e->next;
    if (e) {
        *tenant = arena_dup(a, e->tenant);
        *id = arena_dup(a, e->s.id);
    }
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

bool snapshots_held(struct str tenant)
{
    return str_starts(tenant, STR(SNAPSHOT_HELD_PREFIX));
}

bool snapshots_get(struct snapshots *s, struct str tenant, struct str id, struct arena *a, struct snapshot *out)
{
    int64_t now = snapshots_now(s);
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry *e = snapshot_entry_find(s, tenant, id);
    bool there = e && e->s.expires_at > now;
    if (there) {
        *out = snapshot_dup(&e->s, a);
        out->last_used_at = e->last_used_at;
    }
    pthread_mutex_unlock(&s->lock);
    return there;
}

/* ---- the thread ---- */

/* The next thing to do, or NULL: a second is over. False: the end. */
static bool next_task(struct snapshots *s, struct task **out)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_S;
    pthread_mutex_lock(&s->lock);
    while (!(*out = queue_take(&s->work)) && !s->stopping)
        if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != 0)
            break;
    bool go_on = *out || !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct snapshots *s = arg;
    struct task *t;
    pthread_setname_np(pthread_self(), "snapshot");
    store_thread_enter(s->broker->store);
    s->load_status = snapshot_keep_load(s, &s->load_why);
    pthread_mutex_lock(&s->lock);
    s->loaded = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    int64_t looked = 0;
    for (;;) {
        store_thread_offline(s->broker->store);
        bool go_on = next_task(s, &t);
        store_thread_online(s->broker->store);
        if (!go_on)
            break;
        if (t)
            t->run(t);
        if (time_monotonic() - looked < TICK_S * INT64_C(1000000) || snapshots_stopping(s))
            continue;
        looked = time_monotonic();
        snapshot_entry_expire(s);
    }
    store_thread_leave(s->broker->store);
    return NULL;
}

enum status snapshots_start(struct snapshots **out, struct broker *b, const struct snapshots_options *o, struct why *why)
{
    struct snapshots *s = mem_zalloc(sizeof *s);
    pthread_condattr_t attr;
    *out = s;
    s->broker = b;
    s->o = *o;
    s->clock = b->ports->clock;
    why_clear(&s->load_why);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    queue_init(&s->work, s);
    queue_init(&s->completions, s);
    if (pthread_create(&s->thread, NULL, run, s) != 0)
        return why_set(why, E_INTERNAL, NULL, "no thread for the snapshots");
    s->running = true;
    pthread_mutex_lock(&s->lock);
    while (!s->loaded)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    if (s->load_status != OK)
        *why = s->load_why;
    return s->load_status;
}

void snapshots_stop(struct snapshots *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->running)
        pthread_join(s->thread, NULL);
    s->running = false;
}

void snapshots_free(struct snapshots *s)
{
    if (!s)
        return;
    for (struct task *t; (t = queue_take(&s->work));) /* notices that were cancelled */
        t->run(t);
    for (struct snapshot_entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        snapshot_entry_free(e);
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s);
}
