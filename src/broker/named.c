/* See named.h. As many buckets as names, at least. */
#include "broker/named.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>

enum { BUCKETS_MIN = 8 };

static struct named **place(const struct named_table *t, struct str name, uint64_t hash)
{
    struct named **at = &t->buckets[hash & t->mask];
    while (*at && ((*at)->hash != hash || !str_eq((*at)->name, name)))
        at = &(*at)->next;
    return at;
}

struct named *named_find(const struct named_table *t, struct str name)
{
    return t->count ? *place(t, name, hash_str(name)) : NULL;
}

static void grow(struct named_table *t)
{
    struct named_table old = *t;
    uint32_t buckets = old.buckets ? 2 * (old.mask + 1) : BUCKETS_MIN;
    t->mask = buckets - 1;
    t->buckets = mem_zalloc(buckets * sizeof *t->buckets);
    for (uint32_t i = 0; old.buckets && i <= old.mask; i++)
        for (struct named *n = old.buckets[i], *next; n; n = next) {
            struct named **at = &t->buckets[n->hash & t->mask];
            next = n->next;
            n->next = *at;
            *at = n;
        }
    free(old.buckets);
}

void named_add(struct named_table *t, struct named *n, struct str name)
{
    if (!t->buckets || t->count > t->mask)
        grow(t);
    n->name = name;
    n->hash = hash_str(name);
    n->next = t->buckets[n->hash & t->mask];
    t->buckets[n->hash & t->mask] = n;
    t->count++;
}

void named_remove(struct named_table *t, struct named *n)
{
    struct named **at = &t->buckets[n->hash & t->mask];
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    t->count--;
}

static struct named *first_from(const struct named_table *t, uint32_t bucket)
{
    for (uint32_t i = bucket; t->buckets && i <= t->mask; i++)
        if (t->buckets[i])
            return t->buckets[i];
    return NULL;
}

struct named *named_first(const struct named_table *t)
{
    return t->count ? first_from(t, 0) : NULL;
}

struct named *named_next(const struct named_table *t, const struct named *n)
{
    return n->next ? n->next : first_from(t, (uint32_t)(n->hash & t->mask) + 1);
}

void named_free(struct named_table *t)
{
    free(t->buckets);
    *t = (struct named_table){0};
}
