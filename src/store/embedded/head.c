/* A chained hash table that grows with the queue; the changes themselves are the links. */
#include "store/embedded/head.h"

#include "base/arena.h"
#include "store/embedded/commit.h"

#include <stdlib.h>

enum { SIZE_MIN = 256 };

void heads_init(struct heads *h)
{
    *h = (struct heads){.size = SIZE_MIN,
                        .buckets = mem_zalloc(SIZE_MIN * sizeof(struct pending *))};
}

void heads_free(struct heads *h)
{
    free(h->buckets);
}

static struct pending **bucket(const struct heads *h, uint64_t hash)
{
    return &h->buckets[hash & (h->size - 1)];
}

static struct pending **find(const struct heads *h, const struct tenant *t, uint8_t kind,
                             struct str key, uint64_t hash)
{
    struct pending **at = bucket(h, hash);
    while (*at && !((*at)->hash == hash && (*at)->tenant == t && (*at)->document_kind == kind &&
                    str_eq((*at)->key, key)))
        at = &(*at)->head.next;
    return at;
}

struct pending *heads_find(const struct heads *h, struct tenant *t, uint8_t kind, struct str key,
                           uint64_t hash)
{
    return h->count ? *find(h, t, kind, key, hash) : NULL;
}

static void grow(struct heads *h)
{
    struct heads bigger = {.size = 2 * h->size, .count = h->count};
    bigger.buckets = mem_zalloc(bigger.size * sizeof(struct pending *));
    for (uint32_t i = 0; i < h->size; i++)
        for (struct pending *p = h->buckets[i], *next; p; p = next) {
            next = p->head.next;
            struct pending **at = bucket(&bigger, p->hash);
            p->head.next = *at;
            *at = p;
        }
    free(h->buckets);
    *h = bigger;
}

static void take_out(struct heads *h, struct pending **at)
{
    (*at)->head.newest = false;
    *at = (*at)->head.next;
    h->count--;
}

void heads_set(struct heads *h, struct pending *p)
{
    struct pending **at = find(h, p->tenant, p->document_kind, p->key, p->hash);
    if (*at)
        take_out(h, at);
    if (h->count == h->size)
        grow(h);
    at = bucket(h, p->hash);
    p->head.next = *at;
    p->head.newest = true;
    *at = p;
    h->count++;
}

void heads_drop(struct heads *h, struct pending *p)
{
    if (!p->head.newest)
        return;
    struct pending **at = bucket(h, p->hash);
    while (*at != p)
        at = &(*at)->head.next;
    take_out(h, at);
}

void heads_clear(struct heads *h)
{
    for (uint32_t i = 0; i < h->size; i++)
        while (h->buckets[i])
            take_out(h, &h->buckets[i]);
}
