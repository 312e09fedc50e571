/* A look-up cannot be interrupted, so its thread is detached and shares nothing but `struct shared`,
 * which the last of them frees: whoever goes, resolver or thread, waits for nobody.
 *
 * One task carries all results home; it is posted when the first of them comes. */
#include "net/resolver.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 4, WAITING_MAX = 4096, IDLE_S = 10 };

struct lookup {
    struct lookup *next;
    struct resolve *asked; /* NULL: cancelled. The loop's thread alone looks at it */
    enum status status;
    uint32_t count;
    struct address addresses[RESOLVED_MAX];
    char port[8];
    char host[];
};

struct list {
    struct lookup *first, **end;
};

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct list waiting, ended;
    uint32_t waiting_count, threads, idle;
    bool posted, closed;
    struct runner *home;
    struct task task;
};

struct resolver {
    struct shared *shared;
};

static void list_init(struct list *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void list_append(struct list *l, struct lookup *k)
{
    k->next = NULL;
    *l->end = k;
    l->end = &k->next;
}

static struct lookup *list_take(struct list *l)
{
    struct lookup *k = l->first;
    if (k && !(l->first = k->next))
        l->end = &l->first;
    return k;
}

static void list_free(struct list *l)
{
    for (struct lookup *k; (k = list_take(l));)
        free(k);
}

static void shared_free(struct shared *s)
{
    list_free(&s->waiting);
    list_free(&s->ended);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void look_up(struct lookup *k)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV}, *found;
    if (getaddrinfo(k->host, k->port, &hints, &found) != 0) {
        k->status = E_IO;
        return;
    }
    for (struct addrinfo *a = found; a && k->count < RESOLVED_MAX; a = a->ai_next) {
        struct address *to = &k->addresses[k->count++];
        memcpy(&to->storage, a->ai_addr, a->ai_addrlen);
        to->length = a->ai_addrlen;
    }
    freeaddrinfo(found);
    k->status = k->count ? OK : E_IO;
}

/* Under the lock. */
static void ended(struct shared *s, struct lookup *k)
{
    if (s->closed) {
        free(k);
        return;
    }
    list_append(&s->ended, k);
    if (!s->posted) {
        s->posted = true;
        runner_post(s->home, &s->task);
    }
}

/* Under the lock; false when there was nothing for IDLE_S. */
static bool wait_for_work(struct shared *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_S;
    s->idle++;
    int waited = 0;
    while (!s->waiting.first && !s->closed && waited == 0)
        waited = pthread_cond_timedwait(&s->work, &s->lock, &until);
    s->idle--;
    return s->waiting.first && !s->closed;
}

static void *thread_main(void *arg)
{
    struct shared *s = arg;
    pthread_setname_np(pthread_self(), "resolve");
    pthread_mutex_lock(&s->lock);
    while (wait_for_work(s)) {
        struct lookup *k = list_take(&s->waiting);
        s->waiting_count--;
        pthread_mutex_unlock(&s->lock);
        look_up(k);
        pthread_mutex_lock(&s->lock);
        ended(s, k);
    }
    bool last = --s->threads == 0 && s->closed;
    pthread_mutex_unlock(&s->lock);
    if (last)
        shared_free(s);
    return NULL;
}

static void home_run(struct task *task)
{
    struct shared *s = container_of(task, struct shared, task);
    pthread_mutex_lock(&s->lock);
    struct list mine;
    list_init(&mine);
    for (struct lookup *k; (k = list_take(&s->ended));)
        list_append(&mine, k);
    s->posted = false;
    pthread_mutex_unlock(&s->lock);
    for (struct lookup *k; (k = list_take(&mine));) {
        struct resolve *q = k->asked;
        if (q) {
            q->impl = NULL;
            q->status = k->status;
            q->count = k->count;
            memcpy(q->addresses, k->addresses, k->count * sizeof *k->addresses);
            q->done(q);
        }
        free(k);
    }
}

struct resolver *resolver_new(struct runner *home)
{
    struct resolver *r = mem_zalloc(sizeof *r);
    struct shared *s = mem_zalloc(sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    list_init(&s->waiting);
    list_init(&s->ended);
    s->home = home;
    s->task.run = home_run;
    r->shared = s;
    return r;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    struct shared *s = r->shared;
    pthread_mutex_lock(&s->lock);
    s->closed = true;
    bool last = s->threads == 0;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    if (last)
        shared_free(s);
    free(r);
}

/* Under the lock; false when there is no thread to look anything up. */
static bool thread_wanted(struct shared *s)
{
    pthread_t thread;
    if (s->idle > s->waiting_count || s->threads == THREADS_MAX)
        return true;
    if (pthread_create(&thread, NULL, thread_main, s) != 0)
        return s->threads > 0;
    pthread_detach(thread);
    s->threads++;
    return true;
}

void resolve_start(struct resolver *r, struct resolve *q)
{
    struct shared *s = r->shared;
    struct lookup *k = mem_zalloc(sizeof *k + q->host.n + 1);
    memcpy(k->host, q->host.p, q->host.n);
    snprintf(k->port, sizeof k->port, "%u", q->port);
    k->asked = q;
    q->impl = k;
    pthread_mutex_lock(&s->lock);
    if (s->waiting_count < WAITING_MAX && thread_wanted(s)) {
        list_append(&s->waiting, k);
        s->waiting_count++;
        pthread_cond_signal(&s->work);
    } else {
        k->status = E_BUSY;
        ended(s, k);
    }
    pthread_mutex_unlock(&s->lock);
}

void resolve_cancel(struct resolve *q)
{
    struct lookup *k = q->impl;
    if (k)
        k->asked = NULL;
    q->impl = NULL;
}

bool resolve_numeric(struct str host, uint16_t port, struct address *out)
{
    char text[INET6_ADDRSTRLEN];
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    memset(out, 0, sizeof *out);
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&out->storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&out->storage;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        out->length = sizeof *four;
        return true;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        out->length = sizeof *six;
        return true;
    }
    return false;
}
