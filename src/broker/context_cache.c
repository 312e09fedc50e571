/* A hash with chains that readers follow while one writer, who has the owner's lock, changes them.
 *
 * A reader counts itself in at one of READERS counters, follows a chain, takes a reference to the context and counts
 * itself out. An entry that leaves is unlinked first and freed once every counter has been seen at zero since: who
 * came later cannot find it. Both sides look in sequentially consistent order, so either the reader sees that the
 * entry is gone or the writer sees the reader. Nobody waits: what cannot be freed yet is looked at again at the next
 * change.
 *
 * `bytes` holds what is subject to the bound. A context adds to it by itself as its memo grows (context_account()),
 * and takes all of that back when it leaves. */
#include "broker/context_cache.h"

#include "base/hash.h"

#include <stdlib.h>

enum { BUCKETS = 4096, READERS = 64 };

/* A cache line, so that threads stay apart. */
struct reader {
    _Atomic uint64_t inside;
    _Atomic uint64_t hits;
    char pad[64 - 2 * sizeof(uint64_t)];
};

struct context_cache {
    struct reader readers[READERS];
    _Atomic(struct cached *) buckets[BUCKETS];
    size_t bytes_max;
    _Atomic size_t bytes; /* of all that is not pinned */
    size_t pinned_bytes;
    struct cached *newest, *oldest;
    uint32_t turns;          /* entries between them */
    struct cached *unlinked; /* by older, as the next */
    struct cached *leaving;  /* unlinked before every counter of pending was looked at */
    uint64_t pending;        /* counters that were not at zero since */
    uint64_t documents, contexts, evictions;
};

struct context_cache *context_cache_new(size_t bytes_max)
{
    struct context_cache *c = mem_zalloc(sizeof *c);
    c->bytes_max = bytes_max;
    return c;
}

static void cached_free(struct cached *e)
{
    if (e->document && --e->document->refs == 0) {
        arena_free(e->document->arena);
        free(e->document);
    }
    if (e->context)
        context_unref(e->context);
    for (uint32_t i = 0; i < e->part_count; i++)
        free((void *)(uintptr_t)e->parts[i].p);
    free(e->parts);
    free((void *)(uintptr_t)e->key.p);
    free(e);
}

static void free_all(struct cached *e)
{
    for (struct cached *next; e; e = next) {
        next = e->older;
        cached_free(e);
    }
}

/* ---- readers ---- */

struct context *context_cache_hit(struct context_cache *c, const void *reader, struct str key, int64_t now_us)
{
    uint64_t hash = hash_str(key) + CACHED_CONTEXT;
    struct reader *r = &c->readers[hash_u64((uint64_t)(uintptr_t)reader) % READERS];
    struct context *found = NULL;
    atomic_fetch_add(&r->inside, 1);
    for (struct cached *e = atomic_load(&c->buckets[hash % BUCKETS]); e; e = atomic_load(&e->chain)) {
        if (e->hash != hash || e->kind != CACHED_CONTEXT || !str_eq(e->key, key))
            continue;
        if (e->expires_us > now_us) {
            found = context_ref(e->context);
            atomic_fetch_add_explicit(&e->hits, 1, memory_order_relaxed);
            atomic_store_explicit(&e->used_us, now_us, memory_order_relaxed);
            atomic_fetch_add_explicit(&r->hits, 1, memory_order_relaxed);
        }
        break;
    }
    atomic_fetch_sub_explicit(&r->inside, 1, memory_order_release);
    return found;
}

bool context_cache_is_over(const struct context_cache *c)
{
    return atomic_load_explicit(&c->bytes, memory_order_relaxed) > c->bytes_max;
}

/* Frees what no reader can be looking at any more. */
static void reclaim(struct context_cache *c)
{
    if (!c->leaving) {
        c->leaving = c->unlinked;
        c->unlinked = NULL;
        c->pending = UINT64_MAX;
    }
    for (uint32_t i = 0; c->leaving && i < READERS; i++)
        if (atomic_load(&c->readers[i].inside) == 0)
            c->pending &= ~(UINT64_C(1) << i);
    if (c->pending)
        return;
    free_all(c->leaving);
    c->leaving = NULL;
}

/* ---- entries ---- */

static void turn_remove(struct context_cache *c, struct cached *e)
{
    if (e->newer)
        e->newer->older = e->older;
    else
        c->newest = e->older;
    if (e->older)
        e->older->newer = e->newer;
    else
        c->oldest = e->newer;
    e->newer = e->older = NULL;
    c->turns--;
}

static void turn_add(struct context_cache *c, struct cached *e)
{
    e->older = c->newest;
    e->newer = NULL;
    if (c->newest)
        c->newest->newer = e;
    else
        c->oldest = e;
    c->newest = e;
    c->turns++;
}

static struct cached *lookup(struct context_cache *c, enum cached_kind kind, struct str key)
{
    uint64_t hash = hash_str(key) + kind;
    struct cached *e = atomic_load(&c->buckets[hash % BUCKETS]);
    while (e && (e->hash != hash || e->kind != kind || !str_eq(e->key, key)))
        e = atomic_load(&e->chain);
    return e;
}

/* What a context was hit is use of its documents. */
static void settle(struct context_cache *c, struct cached *e)
{
    uint64_t hits = atomic_load_explicit(&e->hits, memory_order_relaxed);
    int64_t used_us = atomic_load_explicit(&e->used_us, memory_order_relaxed);
    for (uint32_t i = 0; i < e->part_count; i++) {
        struct cached *d = lookup(c, CACHED_DOCUMENT, e->parts[i]);
        if (!d)
            continue;
        d->uses += hits - e->hits_counted;
        if (used_us > atomic_load_explicit(&d->used_us, memory_order_relaxed))
            atomic_store_explicit(&d->used_us, used_us, memory_order_relaxed);
    }
    e->hits_counted = hits;
}

static void entry_remove(struct context_cache *c, struct cached *e)
{
    settle(c, e);
    _Atomic(struct cached *) *at = &c->buckets[e->hash % BUCKETS];
    while (atomic_load(at) != e)
        at = &atomic_load(at)->chain;
    atomic_store(at, atomic_load(&e->chain));
    if (e->pinned) {
        c->pinned_bytes -= e->bytes;
    } else {
        turn_remove(c, e);
        atomic_fetch_sub(&c->bytes, e->bytes);
    }
    if (e->context)
        context_account(e->context, NULL);
    c->documents -= e->kind == CACHED_DOCUMENT;
    c->contexts -= e->kind == CACHED_CONTEXT;
    e->older = c->unlinked;
    c->unlinked = e;
}

/* Others than keep go, those first that nobody asked for. */
static void trim(struct context_cache *c, struct cached *keep)
{
    uint32_t chances = c->turns;
    while (context_cache_is_over(c) && c->oldest && !(c->oldest == keep && c->newest == keep)) {
        struct cached *e = c->oldest;
        uint64_t hits = atomic_load_explicit(&e->hits, memory_order_relaxed);
        bool stays = e == keep || (hits != e->hits_seen && chances > 0);
        if (!stays) {
            entry_remove(c, e);
            c->evictions++;
            continue;
        }
        chances -= e != keep;
        e->hits_seen = hits;
        turn_remove(c, e);
        turn_add(c, e);
    }
    reclaim(c);
}

struct cached *context_cache_find(struct context_cache *c, enum cached_kind kind, struct str key, int64_t now_us)
{
    struct cached *e = lookup(c, kind, key);
    if (e && e->expires_us <= now_us) {
        entry_remove(c, e);
        return NULL;
    }
    if (e) {
        atomic_fetch_add_explicit(&e->hits, 1, memory_order_relaxed);
        if (kind == CACHED_CONTEXT)
            atomic_store_explicit(&e->used_us, now_us, memory_order_relaxed);
    }
    return e;
}

void context_cache_add(struct context_cache *c, struct cached *e, enum cached_kind kind, struct str key)
{
    struct cached *old = lookup(c, kind, key);
    if (old)
        entry_remove(c, old);
    e->kind = (uint8_t)kind;
    e->key = mem_dup(key);
    e->hash = hash_str(key) + kind;
    e->bytes += sizeof *e + key.n;
    c->documents += kind == CACHED_DOCUMENT;
    c->contexts += kind == CACHED_CONTEXT;
    _Atomic(struct cached *) *bucket = &c->buckets[e->hash % BUCKETS];
    atomic_init(&e->chain, atomic_load(bucket));
    atomic_store(bucket, e);
    if (e->pinned) {
        c->pinned_bytes += e->bytes;
        return;
    }
    turn_add(c, e);
    atomic_fetch_add(&c->bytes, e->bytes);
    if (e->context)
        context_account(e->context, &c->bytes);
    trim(c, e);
}

/* ---- documents ---- */

struct cached *context_cache_document(struct context_cache *c, struct str key, int64_t now_us)
{
    struct cached *e = lookup(c, CACHED_DOCUMENT, key);
    return e && e->expires_us > now_us ? e : NULL;
}

uint64_t context_cache_number(struct str key)
{
    return hash_str(key) + CACHED_DOCUMENT;
}

struct cached *context_cache_numbered(struct context_cache *c, uint64_t number, int64_t now_us)
{
    struct cached *e = atomic_load(&c->buckets[number % BUCKETS]);
    while (e && (e->hash != number || e->kind != CACHED_DOCUMENT))
        e = atomic_load(&e->chain);
    return e && e->expires_us > now_us ? e : NULL;
}

void context_cache_each_document(struct context_cache *c, int64_t now_us, void (*each)(void *arg, struct cached *e),
                                 void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct cached *e = atomic_load(&c->buckets[i]), *next; e; e = next) {
            next = atomic_load(&e->chain);
            if (e->kind == CACHED_DOCUMENT && e->expires_us > now_us)
                each(arg, e);
        }
    }
}

void context_cache_settle(struct context_cache *c)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct cached *e = atomic_load(&c->buckets[i]); e; e = atomic_load(&e->chain))
            settle(c, e);
}

static bool has_part(const struct cached *e, struct str key)
{
    for (uint32_t i = 0; i < e->part_count; i++)
        if (str_eq(e->parts[i], key))
            return true;
    return false;
}

void context_cache_forget(struct context_cache *c, struct str key)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct cached *e = atomic_load(&c->buckets[i]), *next; e; e = next) {
            next = atomic_load(&e->chain);
            if (has_part(e, key))
                entry_remove(c, e);
        }
    }
    reclaim(c);
}

void context_cache_remove(struct context_cache *c, struct cached *document)
{
    context_cache_forget(c, document->key);
    entry_remove(c, document);
    reclaim(c);
}

void context_cache_trim(struct context_cache *c)
{
    trim(c, NULL);
}

void context_cache_free(struct context_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct cached *e; (e = atomic_load(&c->buckets[i]));)
            entry_remove(c, e);
    free_all(c->leaving);
    free_all(c->unlinked);
    free(c);
}

void context_cache_stats(const struct context_cache *c, struct context_cache_stats *out)
{
    *out = (struct context_cache_stats){
        .documents = c->documents,
        .contexts = c->contexts,
        .bytes = atomic_load(&c->bytes) + c->pinned_bytes,
        .evictions = c->evictions,
    };
    for (size_t i = 0; i < READERS; i++)
        out->hits += atomic_load_explicit(&c->readers[i].hits, memory_order_relaxed);
}
