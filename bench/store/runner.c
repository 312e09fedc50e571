/* See runner.h: calls of a store complete where a thread waits for them. */
#include "runner.h"

#include "base/time.h"

#include <stdio.h>
#include <sys/resource.h>

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

double now(void)
{
    return (double)time_monotonic() / 1e6;
}

double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void figure(const char *name, double value, const char *unit)
{
    printf("%-52s %14.1f %s\n", name, value, unit);
    fflush(stdout);
}
