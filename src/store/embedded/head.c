/* A chained hash table that grows with the queue. */
#include "store/embedded/head.h"

#include "base/arena.h"

#include <stdlib.h>

enum { SIZE_MIN = 256 };

void heads_init(struct heads *h)
{
    *h = (struct heads){.size = SIZE_MIN, .buckets = mem_zalloc(SIZE_MIN * sizeof(struct head *))};
}

void heads_free(struct heads *h)
{
    heads_clear(h);
    free(h->buckets);
}

static struct head **find(const struct heads *h, struct tenant *t, uint8_t kind, struct str key,
                          uint64_t hash)
{
    struct head **at = &h->buckets[hash & (h->size - 1)];
    while (*at && !((*at)->hash == hash && (*at)->tenant == t && (*at)->kind == kind &&
                    str_eq((*at)->key, key)))
        at = &(*at)->next;
    return at;
}

struct head *heads_find(const struct heads *h, struct tenant *t, uint8_t kind, struct str key,
                        uint64_t hash)
{
    return h->count ? *find(h, t, kind, key, hash) : NULL;
}

static void grow(struct heads *h)
{
    uint32_t size = 2 * h->size;
    struct head **buckets = mem_zalloc(size * sizeof(struct head *));
    for (uint32_t i = 0; i < h->size; i++)
        for (struct head *e = h->buckets[i], *next; e; e = next) {
            next = e->next;
            e->next = buckets[e->hash & (size - 1)];
            buckets[e->hash & (size - 1)] = e;
        }
    free(h->buckets);
    h->buckets = buckets;
    h->size = size;
}

void heads_set(struct heads *h, struct tenant *t, uint8_t kind, struct str key, uint64_t hash,
               struct pending *p)
{
    struct head **at = find(h, t, kind, key, hash);
    if (!*at) {
        if (h->count == h->size) {
            grow(h);
            at = find(h, t, kind, key, hash);
        }
        *at = mem_alloc(sizeof **at);
        **at = (struct head){.hash = hash, .tenant = t, .kind = kind};
        h->count++;
    }
    (*at)->key = key;
    (*at)->newest = p;
}

void heads_drop(struct heads *h, struct tenant *t, uint8_t kind, struct str key, uint64_t hash,
                struct pending *p)
{
    struct head **at = find(h, t, kind, key, hash), *e = *at;
    if (!e || e->newest != p)
        return;
    *at = e->next;
    free(e);
    h->count--;
}

void heads_clear(struct heads *h)
{
    for (uint32_t i = 0; i < h->size; i++) {
        for (struct head *e = h->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
        h->buckets[i] = NULL;
    }
    h->count = 0;
}
