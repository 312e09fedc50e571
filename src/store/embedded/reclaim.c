/* Epochs and batches; see reclaim.h for why this is right. */
#include "store/embedded/reclaim.h"

#include "base/arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct reclaim_pin {
    struct reclaim *owner;
    struct reclaim_pin *next; /* of the owner's readers; under its lock */
    struct reclaim_pin *mine; /* of this thread's readers, one a store */
    _Atomic uint64_t epoch;   /* 0: offline */
};

struct batch {
    struct batch *next;
    uint64_t epoch;
    void (*release)(void *arg, void *thing);
    void *arg;
    size_t n;
    void *things[];
};

struct reclaim {
    _Atomic uint64_t epoch;
    pthread_mutex_t lock; /* the two lists */
    struct reclaim_pin *readers;
    struct batch *oldest, *newest;
};

static _Thread_local struct reclaim_pin *mine;

struct reclaim *reclaim_new(void)
{
    struct reclaim *r = mem_zalloc(sizeof *r);
    r->epoch = 1;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

static void batches_release(struct batch *b)
{
    while (b) {
        struct batch *next = b->next;
        for (size_t i = 0; i < b->n; i++)
            b->release(b->arg, b->things[i]);
        free(b);
        b = next;
    }
}

void reclaim_free(struct reclaim *r)
{
    if (!r)
        return;
    assert(!r->readers);
    batches_release(r->oldest);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct reclaim_pin *reader_of(struct reclaim *r)
{
    struct reclaim_pin *p = mine;
    while (p && p->owner != r)
        p = p->mine;
    return p;
}

static void link_reader(struct reclaim *r, struct reclaim_pin *p)
{
    pthread_mutex_lock(&r->lock);
    p->next = r->readers;
    r->readers = p;
    pthread_mutex_unlock(&r->lock);
}

static void unlink_reader(struct reclaim *r, struct reclaim_pin *p)
{
    pthread_mutex_lock(&r->lock);
    struct reclaim_pin **at = &r->readers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    pthread_mutex_unlock(&r->lock);
}

/* The exchange is the full barrier of reclaim.h: pointers are followed only behind it. */
static void come_online(struct reclaim *r, struct reclaim_pin *p)
{
    atomic_exchange(&p->epoch, atomic_load(&r->epoch));
}

void reclaim_enter(struct reclaim *r)
{
    assert(!reader_of(r));
    struct reclaim_pin *p = mem_zalloc(sizeof *p);
    p->owner = r;
    p->mine = mine;
    mine = p;
    link_reader(r, p);
    come_online(r, p);
}

void reclaim_leave(struct reclaim *r)
{
    struct reclaim_pin **at = &mine;
    while (*at && (*at)->owner != r)
        at = &(*at)->mine;
    struct reclaim_pin *p = *at;
    assert(p);
    *at = p->mine;
    unlink_reader(r, p);
    free(p);
}

void reclaim_offline(struct reclaim *r)
{
    struct reclaim_pin *p = reader_of(r);
    assert(p);
    atomic_store_explicit(&p->epoch, 0, memory_order_release);
}

void reclaim_online(struct reclaim *r)
{
    struct reclaim_pin *p = reader_of(r);
    assert(p);
    if (!atomic_load_explicit(&p->epoch, memory_order_relaxed))
        come_online(r, p);
}

bool reclaim_is_online(struct reclaim *r)
{
    struct reclaim_pin *p = reader_of(r);
    return p && atomic_load_explicit(&p->epoch, memory_order_relaxed);
}

struct reclaim_pin *reclaim_pin(struct reclaim *r)
{
    struct reclaim_pin *self = reader_of(r), *p = mem_zalloc(sizeof *p);
    assert(self);
    p->owner = r;
    p->epoch = self->epoch;
    link_reader(r, p);
    return p;
}

void reclaim_unpin(struct reclaim *r, struct reclaim_pin *p)
{
    struct reclaim_pin *self = reader_of(r);
    assert(self && self->epoch);
    if (p->epoch < self->epoch)
        atomic_store(&self->epoch, p->epoch);
    unlink_reader(r, p);
    free(p);
}

void reclaim_retire(struct reclaim *r, void **things, size_t n,
                    void (*release)(void *arg, void *thing), void *arg)
{
    if (!n)
        return;
    struct batch *b = mem_alloc(sizeof *b + n * sizeof b->things[0]);
    *b = (struct batch){.release = release, .arg = arg, .n = n};
    memcpy(b->things, things, n * sizeof b->things[0]);
    pthread_mutex_lock(&r->lock);
    b->epoch = atomic_fetch_add(&r->epoch, 1);
    if (r->newest)
        r->newest->next = b;
    else
        r->oldest = b;
    r->newest = b;
    pthread_mutex_unlock(&r->lock);
}

bool reclaim_run(struct reclaim *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t least = UINT64_MAX;
    for (struct reclaim_pin *p = r->oldest ? r->readers : NULL; p; p = p->next) {
        uint64_t epoch = atomic_load(&p->epoch);
        if (epoch && epoch < least)
            least = epoch;
    }
    struct batch *free_these = r->oldest, *last = NULL;
    struct batch *b = r->oldest;
    while (b && b->epoch < least) {
        last = b;
        b = b->next;
    }
    r->oldest = b;
    if (!b)
        r->newest = NULL;
    if (last)
        last->next = NULL;
    else
        free_these = NULL;
    bool empty = !b;
    pthread_mutex_unlock(&r->lock);
    batches_release(free_these);
    return empty;
}
