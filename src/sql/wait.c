/* Tasks are taken one by one; between them the thread holds nothing of the store. */
#include "sql/wait.h"

#include "base/arena.h"

#include <time.h>

enum { LOOK_EVERY_MS = 50 }; /* for a cancelled statement */

static void post_chain(struct runner *r, struct task *first)
{
    struct wait *w = container_of(r, struct wait, runner);
    pthread_mutex_lock(&w->lock);
    *w->last = first;
    while (first->next)
        first = first->next;
    w->last = &first->next;
    pthread_cond_signal(&w->posted);
    pthread_mutex_unlock(&w->lock);
}

static void post(struct runner *r, struct task *t)
{
    t->next = NULL;
    post_chain(r, t);
}

void wait_init(struct wait *w, struct store *store)
{
    *w = (struct wait){.runner = {post, post_chain}, .store = store};
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->posted, &attributes);
    pthread_condattr_destroy(&attributes);
    w->last = &w->first;
}

void wait_destroy(struct wait *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->posted);
}

static void done(struct store_call *call)
{
    container_of(call->home, struct wait, runner)->done = true;
}

void wait_prepare(struct wait *w, struct store_call *call, int64_t deadline_us)
{
    *call = (struct store_call){.home = &w->runner, .deadline_us = deadline_us, .done = done};
    w->done = false;
}

/* NULL: none came in time. */
static struct task *take(struct wait *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_EVERY_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    store_thread_offline(w->store);
    pthread_mutex_lock(&w->lock);
    if (!w->first)
        pthread_cond_timedwait(&w->posted, &w->lock, &until);
    struct task *t = w->first;
    if (t)
        w->first = t->next;
    if (!w->first)
        w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    store_thread_online(w->store);
    return t;
}

enum status wait_for(struct wait *w, struct store_call *call, bool completed)
{
    bool told = false;
    while (!completed && !w->done) {
        struct task *t = take(w);
        if (t)
            t->run(t);
        if (!told && !w->done && w->cancelled && atomic_load(w->cancelled)) {
            store_cancel(w->store, call);
            told = true;
        }
    }
    return call->status;
}
