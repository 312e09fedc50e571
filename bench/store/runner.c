/* See runner.h: calls of a store complete where a thread waits for them. */
#include "runner.h"

#include "base/time.h"
#include "store/embedded/embedded.h"

#include <stdio.h>
#include <stdlib.h>

static void post_chain(struct runner *runner, struct task *first)
{
    struct waiter *w = container_of(runner, struct waiter, runner);
    pthread_mutex_lock(&w->lock);
    *w->last = first;
    while (*w->last)
        w->last = &(*w->last)->next;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void post(struct runner *runner, struct task *task)
{
    task->next = NULL;
    post_chain(runner, task);
}

void waiter_init(struct waiter *w)
{
    *w = (struct waiter){.runner = {post, post_chain}};
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
}

void waiter_run(struct store *store, struct waiter *w)
{
    store_thread_offline(store);
    pthread_mutex_lock(&w->lock);
    while (!w->first)
        pthread_cond_wait(&w->wake, &w->lock);
    struct task *t = w->first;
    w->first = NULL;
    w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    store_thread_online(store);
    for (struct task *next; t; t = next) {
        next = t->next;
        t->run(t);
    }
}

struct store *bench_open(const char *dir, struct terms *terms)
{
    struct embedded_options o = {.dir = dir,
                                 .segment_bytes = 64 << 20,
                                 .log_bytes_max = (size_t)1 << 30,
                                 .group_bytes_max = 4 << 20,
                                 .tenants_max = 10,
                                 .clock = &clock_system};
    struct store *store;
    struct why why = {0};
    if (embedded_open(&store, terms, &o, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    store_thread_enter(store);
    return store;
}

void bench_close(struct store *store)
{
    store_thread_leave(store);
    store_close(store);
}
