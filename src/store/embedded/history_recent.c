/* A hash table with chains; groups of an entity in a list of blocks, the next of which is half as large as all before it. All
 * in an arena, which goes as a whole. */
#include "store/embedded/history_recent.h"

#include "base/hash.h"
#include "base/varint.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 64, BLOCK_LEAST = 64, BLOCK_MOST = 64 << 10, GROUP_HEAD_MAX = 2 * VARINT_BYTES_MAX };

struct recent_block {
    struct recent_block *next;
    uint32_t n, room;
    char bytes[];
};

struct recent {
    struct recent_entry **buckets;
    const struct recent_entry *newest;
    uint32_t size, count;
    struct arena *arena;
    size_t empty; /* bytes that the arena costs when nothing is in it */
    struct recent *older; /* whose groups stand in front of ours; its table is empty */
};

struct recent *recent_new(void)
{
    struct recent *r = mem_zalloc(sizeof *r);
    r->size = BUCKETS_FIRST;
    r->buckets = mem_zalloc(r->size * sizeof r->buckets[0]);
    r->arena = arena_new_small();
    r->empty = arena_held(r->arena);
    return r;
}

void recent_free(struct recent *r)
{
    for (struct recent *older; r; r = older) {
        older = r->older;
        arena_free(r->arena);
        free(r->buckets);
        free(r);
    }
}

static struct recent_entry **bucket(const struct recent *r, uint64_t hash)
{
    return &r->buckets[hash & (r->size - 1)];
}

void recent_prefetch(const struct recent *r, uint64_t hash)
{
    __builtin_prefetch(bucket(r, hash), 1);
}

void recent_prefetch_entry(const struct recent *r, uint64_t hash)
{
    const struct recent_entry *e = *bucket(r, hash);
    __builtin_prefetch(e, 1);
    __builtin_prefetch((const void *)((uintptr_t)e + 64), 1); /* there may be none */
}

const struct recent_entry *recent_find(const struct recent *r, struct str id, uint64_t hash)
{
    const struct recent_entry *e = *bucket(r, hash);
    while (e && !(e->hash == hash && str_eq(recent_id(e), id)))
        e = e->next;
    return e;
}

struct str recent_id(const struct recent_entry *e)
{
    return (struct str){e->id, e->id_n};
}

static void put(struct recent *r, struct recent_entry *e)
{
    struct recent_entry **at = bucket(r, e->hash);
    e->next = *at;
    *at = e;
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
    e = arena_alloc(r->arena, sizeof *e + id.n);
    *e = (struct recent_entry){.before = r->newest, .hash = hash, .id_n = (uint32_t)id.n, .plain = true};
    memcpy(e->id, id.p, id.n);
    put(r, e);
    r->newest = e;
    return e;
}

/* Room for n more bytes. */
static struct recent_block *reserve(struct recent *r, struct recent_entry *e, size_t n)
{
    struct recent_block *last = e->last;
    if (last && last->room - last->n >= n)
        return last;
    size_t room = e->n / 2 < BLOCK_LEAST ? BLOCK_LEAST : e->n / 2 > BLOCK_MOST ? BLOCK_MOST : e->n / 2;
    room = room < n ? n : room;
    assert(room <= UINT32_MAX);
    struct recent_block *b = arena_alloc(r->arena, sizeof *b + room);
    *b = (struct recent_block){.room = (uint32_t)room};
    if (last)
        last->next = b;
    else
        e->first = b;
    e->last = b;
    return b;
}

size_t recent_add(struct recent *r, struct str id, uint64_t hash, uint64_t seq, struct str items, bool plain)
{
    size_t before = recent_bytes(r);
    struct recent_entry *e = entry(r, id, hash);
    char head[GROUP_HEAD_MAX];
    size_t head_n = (size_t)(varint_put(varint_put(head, seq), items.n) - head);
    struct recent_block *b = reserve(r, e, head_n + items.n);
    memcpy(b->bytes + b->n, head, head_n);
    memcpy(b->bytes + b->n + head_n, items.p, items.n);
    b->n += (uint32_t)(head_n + items.n);
    e->n += (uint32_t)(head_n + items.n);
    e->plain = e->plain && plain;
    return recent_bytes(r) - before;
}

struct str recent_groups(const struct recent_entry *e, struct arena *a)
{
    if (e->first == e->last)
        return (struct str){e->first->bytes, e->first->n};
    char *all = arena_alloc(a, e->n);
    size_t n = 0;
    for (const struct recent_block *b = e->first; b; n += b->n, b = b->next)
        memcpy(all + n, b->bytes, b->n);
    return (struct str){all, n};
}

void recent_prepend(struct recent *r, struct recent *older)
{
    for (uint32_t i = 0; i < older->size; i++)
        for (const struct recent_entry *o = older->buckets[i]; o; o = o->next) {
            struct recent_entry *e = entry(r, recent_id(o), o->hash);
            o->last->next = e->first;
            e->first = o->first;
            e->last = e->last ? e->last : o->last;
            e->n += o->n;
            e->plain = e->plain && o->plain;
        }
    free(older->buckets);
    older->buckets = NULL;
    older->size = older->count = 0;
    older->newest = NULL;
    struct recent **at = &r->older;
    while (*at)
        at = &(*at)->older;
    *at = older;
}

uint32_t recent_count(const struct recent *r)
{
    return r->count;
}

size_t recent_bytes(const struct recent *r)
{
    size_t bytes = 0;
    for (; r; r = r->older)
        bytes += arena_held(r->arena) - r->empty + (r->size > BUCKETS_FIRST ? r->size * sizeof r->buckets[0] : 0);
    return bytes;
}

void recent_each(const struct recent *r, void (*each)(void *arg, const struct recent_entry *e), void *arg)
{
    for (const struct recent_entry *e = r->newest; e; e = e->before)
        each(arg, e);
}

/* ---- in order ---- */

struct place {
    uint64_t key; /* what stands behind the bytes that all have in common */
    const struct recent_entry *entry;
};

static int by_id(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return str_cmp(recent_id(a->entry), recent_id(b->entry));
}

static size_t in_common(struct str a, struct str b, size_t most)
{
    size_t n = 0;
    while (n < most && n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

static uint64_t key_behind(struct str id, size_t n)
{
    uint64_t big = 0;
    struct str rest = str_from(id, n);
    memcpy(&big, rest.p, rest.n < sizeof big ? rest.n : sizeof big);
    return be64toh(big);
}

const struct recent_entry **recent_sorted(const struct recent *r)
{
    const struct recent_entry **all = mem_alloc((r->count + 1) * sizeof *all);
    struct place *places = mem_alloc((r->count + 1) * sizeof *places);
    uint32_t n = 0;
    size_t common = SIZE_MAX;
    for (const struct recent_entry *e = r->newest; e; e = e->before) {
        places[n].entry = e;
        common = in_common(recent_id(e), recent_id(places[0].entry), common);
        n++;
    }
    for (uint32_t i = 0; i < n; i++)
        places[i].key = key_behind(recent_id(places[i].entry), common);
    qsort(places, n, sizeof *places, by_id);
    for (uint32_t i = 0; i < n; i++)
        all[i] = places[i].entry;
    free(places);
    return all;
}
