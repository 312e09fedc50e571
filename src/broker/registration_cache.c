/* See registration_cache.h. A hand goes round the buckets: what was used since it last came by stays. */
#include "broker/registration_cache.h"

#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BUCKETS_MIN = 64, BYTES_A_BUCKET = 4096 };

struct registration_cache {
    pthread_rwlock_t lock; /* everything below */
    struct registration_cached **buckets;
    uint32_t mask, hand;
    size_t bytes_max, bytes;
    uint64_t count;
    _Atomic uint64_t hits, misses;
};

struct registration_cache *registration_cache_new(size_t bytes_max)
{
    struct registration_cache *c = mem_zalloc(sizeof *c);
    uint32_t buckets = BUCKETS_MIN;
    while (buckets < UINT32_MAX / 2 && buckets < bytes_max / BYTES_A_BUCKET)
        buckets *= 2;
    c->bytes_max = bytes_max;
    c->mask = buckets - 1;
    c->buckets = mem_zalloc(buckets * sizeof(struct registration_cached *));
    pthread_rwlock_init(&c->lock, NULL);
    return c;
}

void registration_cached_free(struct registration_cached *r)
{
    registration_free(r->registration);
    arena_free(r->arena);
}

void registration_cache_free(struct registration_cache *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i <= c->mask; i++)
        for (struct registration_cached *r; (r = c->buckets[i]);) {
            c->buckets[i] = r->next;
            registration_cached_free(r);
        }
    pthread_rwlock_destroy(&c->lock);
    free(c->buckets);
    free(c);
}

void registration_cache_begin(struct registration_cache *c)
{
    if (c)
        pthread_rwlock_rdlock(&c->lock);
}

void registration_cache_end(struct registration_cache *c)
{
    if (c)
        pthread_rwlock_unlock(&c->lock);
}

static struct registration_cached *lookup(const struct registration_cache *c, uint64_t seq)
{
    struct registration_cached *r = c->buckets[hash_u64(seq) & c->mask];
    while (r && r->seq != seq)
        r = r->next;
    return r;
}

const struct registration *registration_cache_find(struct registration_cache *c, uint64_t seq, struct str id)
{
    struct registration_cached *r = c ? lookup(c, seq) : NULL;
    if (!r || !str_eq(r->registration->id, id)) {
        if (c)
            atomic_fetch_add_explicit(&c->misses, 1, memory_order_relaxed);
        return NULL;
    }
    atomic_fetch_add_explicit(&c->hits, 1, memory_order_relaxed);
    atomic_store_explicit(&r->used, true, memory_order_relaxed);
    return r->registration;
}

static void turn(struct registration_cache *c)
{
    struct registration_cached **at = &c->buckets[c->hand++ & c->mask];
    while (*at) {
        struct registration_cached *r = *at;
        if (atomic_exchange_explicit(&r->used, false, memory_order_relaxed)) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        c->bytes -= r->bytes;
        c->count--;
        registration_cached_free(r);
    }
}

void registration_cache_add(struct registration_cache *c, struct registration_cached *r)
{
    r->bytes = arena_held(r->arena);
    if (!c || r->bytes > c->bytes_max) {
        registration_cached_free(r);
        return;
    }
    pthread_rwlock_wrlock(&c->lock);
    bool there = lookup(c, r->seq);
    if (!there) {
        while (c->bytes + r->bytes > c->bytes_max)
            turn(c);
        struct registration_cached **at = &c->buckets[hash_u64(r->seq) & c->mask];
        r->next = *at;
        *at = r;
        c->bytes += r->bytes;
        c->count++;
    }
    pthread_rwlock_unlock(&c->lock);
    if (there)
        registration_cached_free(r);
}

void registration_cache_stats(struct registration_cache *c, struct registration_cache_stats *out)
{
    pthread_rwlock_rdlock(&c->lock);
    *out = (struct registration_cache_stats){c->count, c->bytes, atomic_load(&c->hits), atomic_load(&c->misses)};
    pthread_rwlock_unlock(&c->lock);
}
