/* Threads for calls that read the disk, so that no loop waits for it: one for readers, one for temporal edits, which look
 * first at what is there. */
#include "base/time.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_job.h"
#include "store/embedded/history_recent.h"

#include <stdlib.h>
#include <string.h>

void history_answer(struct store_call *call)
{
    call->impl = NULL;
    call->task = (struct task){.run = commit_run_done};
    runner_post(call->home, &call->task);
}

bool history_is_over(struct store_call *call)
{
    if (__atomic_load_n(&call->cancelled, __ATOMIC_RELAXED)) /* said on another thread */
        call->status = why_set(&call->why, E_CANCELLED, NULL, "cancelled");
    else if (call->deadline_us && call->deadline_us < time_monotonic())
        call->status = why_set(&call->why, E_TIMEOUT, NULL, "the history took too long");
    return call->status != OK;
}

bool history_queue(struct history_worker *w, struct history_job *j)
{
    j->call->status = OK;
    j->call->cancelled = false;
    j->call->impl = j;
    why_clear(&j->call->why);
    j->next = NULL;
    pthread_mutex_lock(&w->lock);
    bool running = w->running && !w->stopping;
    if (running) {
        *w->last = j;
        w->last = &j->next;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    if (running)
        return false;
    j->call->impl = NULL;
    j->call->status = why_set(&j->call->why, E_BUSY, NULL, "the store is closing");
    free(j);
    return true;
}

static void *run(void *arg)
{
    struct history_worker *w = arg;
    pthread_setname_np(pthread_self(), "history");
    reclaim_enter(w->e->reclaim);
    for (;;) {
        reclaim_offline(w->e->reclaim);
        pthread_mutex_lock(&w->lock);
        while (!w->first && !w->stopping)
            pthread_cond_wait(&w->wake, &w->lock);
        struct history_job *j = w->first;
        if (j) {
            w->first = j->next;
            if (!w->first)
                w->last = &w->first;
        }
        pthread_mutex_unlock(&w->lock);
        reclaim_online(w->e->reclaim);
        if (!j)
            break;
        if (history_is_over(j->call))
            history_answer(j->call);
        else
            j->run(w->e, j);
        free(j);
    }
    reclaim_leave(w->e->reclaim);
    return NULL;
}

static void init(struct embedded *e, struct history_worker *w)
{
    w->e = e;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
}

static enum status start(struct history_worker *w, struct why *why)
{
    int error = pthread_create(&w->thread, NULL, run, w);
    if (error)
        return why_set(why, E_INTERNAL, NULL, "starting a thread: %s", strerror(error));
    w->running = true;
    return OK;
}

/* What is queued is done first. */
static void stop(struct history_worker *w)
{
    if (!w->running)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->running = false;
}

static void destroy(struct history_worker *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
}

void history_init(struct embedded *e)
{
    struct history *h = &e->history;
    h->scratch = arena_new(0);
    buf_init(&h->items, SIZE_MAX / 2);
    pthread_rwlock_init(&h->base_lock, NULL);
    pthread_mutex_init(&h->told_lock, NULL);
    init(e, &h->reader);
    init(e, &h->writer);
    sweep_init(e);
}

void history_stats(struct embedded *e, struct store_stats *out)
{
    struct history *h = &e->history;
    out->history.bytes = h->bytes;
    out->history.bytes_max = e->o.history_bytes_max;
    out->history.points = h->points;
    out->history.sealed = h->sealed;
    out->history.damaged = h->damaged;
    out->history.heads_damaged = h->heads_damaged;
    out->history.reads = h->reads;
    out->history.chunks_read = h->chunks_read;
    out->history.chunks_summed = h->chunks_summed;
    out->history.chunks_skipped = h->chunks_skipped;
    sweep_stats(e, out);
    bound_stats(e, out);
}

enum status history_start(struct embedded *e, struct why *why)
{
    enum status st = start(&e->history.reader, why);
    return st == OK ? start(&e->history.writer, why) : st;
}

void history_stop(struct embedded *e)
{
    stop(&e->history.writer);
    stop(&e->history.reader);
}

void history_free(struct embedded *e)
{
    struct history *h = &e->history;
    destroy(&h->reader);
    destroy(&h->writer);
    sweep_free(e);
    pthread_rwlock_destroy(&h->base_lock);
    pthread_mutex_destroy(&h->told_lock);
    free(h->told);
    arena_free(h->scratch);
    buf_free(&h->items);
}
