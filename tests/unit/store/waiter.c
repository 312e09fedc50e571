/* See waiter.h. */
#include "waiter.h"

static void post_chain(struct runner *runner, struct task *first)
{
    struct waiter *w = container_of(runner, struct waiter, runner);
    pthread_mutex_lock(&w->lock);
    w->posts++;
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

void waiter_run(struct waiter *w, struct store *s)
{
    store_thread_offline(s);
    pthread_mutex_lock(&w->lock);
    while (!w->first)
        pthread_cond_wait(&w->wake, &w->lock);
    struct task *t = w->first;
    w->first = NULL;
    w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    store_thread_online(s);
    for (struct task *next; t; t = next) {
        next = t->next;
        t->run(t);
    }
}

void waiter_until(struct waiter *w, struct store *s, const bool *done)
{
    while (!*done)
        waiter_run(w, s);
}
