/* Statements wait in one list for a few threads. */
#include "sql/sql.h"

#include "sql/guard.h"
#include "sql/session.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct thread {
    struct sql *owner;
    pthread_t id;
    struct wait wait;
    struct sql_call *running; /* under the lock */
};

struct sql {
    struct sql_options options;
    pthread_mutex_t lock; /* of all below but the totals */
    pthread_cond_t wake;
    struct sql_call *first, **last;
    uint32_t waiting;
    struct thread *threads;
    uint32_t thread_count;
    bool stopping;
    _Atomic uint64_t statements, refused, rows, running;
};

struct sql *sql_new(const struct sql_options *o)
{
    struct sql *q = mem_zalloc(sizeof *q);
    q->options = *o;
    q->last = &q->first;
    q->threads = mem_zalloc(o->threads * sizeof *q->threads);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, NULL);
    return q;
}

void sql_free(struct sql *q)
{
    if (!q)
        return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    free(q->threads);
    free(q);
}

static void answered(struct task *t)
{
    struct sql_call *call = container_of(t, struct sql_call, task);
    call->done(call);
}

static void answer(struct sql *q, struct sql_call *call)
{
    atomic_fetch_add_explicit(&q->statements, 1, memory_order_relaxed);
    if (call->status != OK)
        atomic_fetch_add_explicit(&q->refused, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&q->rows, call->rows, memory_order_relaxed);
    call->task = (struct task){.run = answered};
    runner_post(call->home, &call->task);
}

/* Under the lock. NULL: the threads end. */
static struct sql_call *take(struct sql *q, struct thread *t)
{
    t->running = NULL;
    while (!q->first && !q->stopping)
        pthread_cond_wait(&q->wake, &q->lock);
    struct sql_call *call = q->first;
    if (!call)
        return NULL;
    q->first = call->next;
    if (!q->first)
        q->last = &q->first;
    q->waiting--;
    return t->running = call;
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;
    struct sql *q = t->owner;
    struct sql_call *call;
    pthread_setname_np(pthread_self(), "sql");
    store_thread_enter(q->options.store);
    store_thread_offline(q->options.store);
    pthread_mutex_lock(&q->lock);
    while ((call = take(q, t))) {
        pthread_mutex_unlock(&q->lock);
        atomic_fetch_add(&q->running, 1);
        store_thread_online(q->options.store);
        session_run(&q->options, call, &t->wait);
        store_thread_offline(q->options.store);
        atomic_fetch_sub(&q->running, 1);
        pthread_mutex_lock(&q->lock);
        t->running = NULL; /* nobody cancels it any more */
        pthread_mutex_unlock(&q->lock);
        answer(q, call);
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    store_thread_online(q->options.store);
    store_thread_leave(q->options.store);
    return NULL;
}

/* Under the lock: all of them, with the first statement. False: there is none. */
static bool threads_start(struct sql *q)
{
    if (!q->thread_count)
        guard_memory(q->options.memory_max);
    while (q->thread_count < q->options.threads) {
        struct thread *t = &q->threads[q->thread_count];
        t->owner = q;
        wait_init(&t->wait, q->options.store);
        if (pthread_create(&t->id, NULL, thread_main, t) != 0) {
            wait_destroy(&t->wait);
            break;
        }
        q->thread_count++;
    }
    return q->thread_count > 0;
}

void sql_start(struct sql *q, struct sql_call *call)
{
    call->next = NULL;
    call->rows = 0;
    call->status = OK;
    why_clear(&call->why);
    atomic_init(&call->cancelled, false);
    pthread_mutex_lock(&q->lock);
    if (q->stopping)
        call->status = why_set(&call->why, E_BUSY, NULL, "the city is stopping");
    else if (q->waiting >= q->options.waiting_max)
        call->status = why_limit(&call->why, E_BUSY, NULL, "limits.sql_waiting", "%u statements are waiting", q->waiting);
    else if (!threads_start(q))
        call->status = why_set(&call->why, E_IO, NULL, "no thread for statements");
    bool queued = call->status == OK;
    if (queued) {
        *q->last = call;
        q->last = &call->next;
        q->waiting++;
        pthread_cond_signal(&q->wake);
    }
    pthread_mutex_unlock(&q->lock);
    if (!queued)
        answer(q, call);
}

void sql_cancel(struct sql_call *call)
{
    atomic_store(&call->cancelled, true);
}

void sql_stats(struct sql *q, struct sql_stats *out)
{
    *out = (struct sql_stats){
        .statements = atomic_load_explicit(&q->statements, memory_order_relaxed),
        .refused = atomic_load_explicit(&q->refused, memory_order_relaxed),
        .rows = atomic_load_explicit(&q->rows, memory_order_relaxed),
        .running = atomic_load_explicit(&q->running, memory_order_relaxed),
    };
}

void sql_stop(struct sql *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    for (struct sql_call *c = q->first; c; c = c->next)
        sql_cancel(c);
    for (uint32_t i = 0; i < q->thread_count; i++)
        if (q->threads[i].running)
            sql_cancel(q->threads[i].running);
    pthread_cond_broadcast(&q->wake);
    pthread_mutex_unlock(&q->lock);
    for (uint32_t i = 0; i < q->thread_count; i++) {
        pthread_join(q->threads[i].id, NULL);
        wait_destroy(&q->threads[i].wait);
    }
    q->thread_count = 0;
}
