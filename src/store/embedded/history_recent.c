/* A hash table with chains; groups of an entity in one growing block. */
#include "store/embedded/history_recent.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/varint.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 64, GROUPS_FIRST = 64 };

struct recent {
    struct recent_entry **buckets;
    uint32_t size, count;
    size_t bytes;
};

struct recent *recent_new(void)
{
    struct recent *r = mem_zalloc(sizeof *r);
    r->size = BUCKETS_FIRST;
    r->buckets = mem_zalloc(r->size * sizeof r->buckets[0]);
    return r;
}

void recent_free(struct recent *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->size; i++)
        for (struct recent_entry *e = r->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e->groups);
            free(e);
        }
    free(r->buckets);
    free(r);
}

const struct recent_entry *recent_find(const struct recent *r, struct str id, uint64_t hash)
{
    const struct recent_entry *e = r->buckets[hash & (r->size - 1)];
    while (e && !(e->hash == hash && str_eq(e->id, id)))
        e = e->next;
    return e;
}

static void put(struct recent *r, struct recent_entry *e)
{
    struct recent_entry **bucket = &r->buckets[e->hash & (r->size - 1)];
    e->next = *bucket;
    *bucket = e;
}

static void grow(struct recent *r)
{
    struct recent_entry **old = r->buckets;
    uint32_t size = r->size;
    r->size *= 2;
    r->buckets = mem_zalloc(r->size * sizeof r->buckets[0]);
    for (uint32_t i = 0; i < size; i++)
        for (struct recent_entry *e = old[i], *next; e; e = next) {
            next = e->next;
            put(r, e);
        }
    free(old);
}

static struct recent_entry *entry(struct recent *r, struct str id, uint64_t hash)
{
    struct recent_entry *e = (struct recent_entry *)recent_find(r, id, hash);
    if (e)
        return e;
    if (r->count++ == r->size)
        grow(r);
    e = mem_zalloc(sizeof *e + id.n);
    memcpy(e + 1, id.p, id.n);
    e->id = (struct str){(char *)(e + 1), id.n};
    e->hash = hash;
    e->plain = true;
    r->bytes += sizeof *e + id.n + sizeof r->buckets[0];
    put(r, e);
    return e;
}

static void reserve(struct recent *r, struct recent_entry *e, size_t n)
{
    size_t room = e->room ? e->room : GROUPS_FIRST;
    while (room - e->n < n)
        room *= 2;
    if (room == e->room)
        return;
    r->bytes += room - e->room;
    e->groups = mem_realloc(e->groups, room);
    e->room = room;
}

size_t recent_add(struct recent *r, struct str id, uint64_t hash, uint64_t seq, struct str items, bool plain)
{
    size_t before = r->bytes;
    struct recent_entry *e = entry(r, id, hash);
    reserve(r, e, 2 * VARINT_BYTES_MAX + items.n);
    char *to = varint_put(varint_put(e->groups + e->n, seq), items.n);
    memcpy(to, items.p, items.n);
    e->n = (size_t)(to - e->groups) + items.n;
    e->plain = e->plain && plain;
    return r->bytes - before;
}

void recent_prepend(struct recent *r, struct recent *older)
{
    for (uint32_t i = 0; i < older->size; i++)
        for (const struct recent_entry *o = older->buckets[i]; o; o = o->next) {
            struct recent_entry *e = entry(r, o->id, o->hash);
            reserve(r, e, o->n);
            memmove(e->groups + o->n, e->groups, e->n);
            memcpy(e->groups, o->groups, o->n);
            e->n += o->n;
            e->plain = e->plain && o->plain;
        }
    recent_free(older);
}

uint32_t recent_count(const struct recent *r)
{
    return r->count;
}

size_t recent_bytes(const struct recent *r)
{
    return r->bytes;
}

static int by_id(const void *x, const void *y)
{
    const struct recent_entry *a = *(const struct recent_entry *const *)x, *b = *(const struct recent_entry *const *)y;
    return str_cmp(a->id, b->id);
}

const struct recent_entry **recent_sorted(const struct recent *r)
{
    const struct recent_entry **all = mem_alloc((r->count + 1) * sizeof *all);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->size; i++)
        for (const struct recent_entry *e = r->buckets[i]; e; e = e->next)
            all[n++] = e;
    qsort(all, n, sizeof *all, by_id);
    return all;
}
