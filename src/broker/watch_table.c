/* See watch_table.h. Keys are hashes already; cells are chained. Most have one entry, which stands in the cell. */
#include "broker/watch_table.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

struct cell {
    struct cell *next;
    uint64_t key;
    uint32_t count, room; /* room 0: in the cell */
    union {
        struct watch_entry one;
        struct watch_entry *many;
    };
};

struct watch_table {
    void (*moved)(struct watcher *watcher, uint32_t number, uint32_t at);
    struct cell **buckets;
    uint64_t mask;
    uint64_t cells;
};

enum { BUCKETS_MIN = 64 };

struct watch_table *watch_table_new(void (*moved)(struct watcher *watcher, uint32_t number,
                                                  uint32_t at))
{
    struct watch_table *t = mem_zalloc(sizeof *t);
    t->moved = moved;
    t->mask = BUCKETS_MIN - 1;
    t->buckets = mem_zalloc(BUCKETS_MIN * sizeof(struct cell *));
    return t;
}

static struct watch_entry *entries_of(struct cell *c)
{
    return c->room ? c->many : &c->one;
}

static void free_cell(struct cell *c)
{
    if (c->room)
        free(c->many);
    free(c);
}

void watch_table_free(struct watch_table *t)
{
    if (!t)
        return;
    for (uint64_t i = 0; i <= t->mask; i++)
        for (struct cell *c = t->buckets[i], *next; c; c = next) {
            next = c->next;
            free_cell(c);
        }
    free(t->buckets);
    free(t);
}

static struct cell **place_of(const struct watch_table *t, uint64_t key)
{
    struct cell **at = &t->buckets[key & t->mask];
    while (*at && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

static void grow(struct watch_table *t)
{
    struct cell **old = t->buckets;
    uint64_t count = t->mask + 1;
    t->mask = 2 * count - 1;
    t->buckets = mem_zalloc(2 * count * sizeof(struct cell *));
    for (uint64_t i = 0; i < count; i++)
        for (struct cell *c = old[i], *next; c; c = next) {
            next = c->next;
            struct cell **at = &t->buckets[c->key & t->mask];
            c->next = *at;
            *at = c;
        }
    free(old);
}

static void make_room(struct cell *c)
{
    if (c->count == 0 || c->count < c->room)
        return;
    uint32_t room = c->room ? 2 * c->room : 4;
    struct watch_entry one = c->one, *old = c->room ? c->many : NULL;
    c->many = mem_realloc(old, room * sizeof one);
    if (!c->room)
        c->many[0] = one;
    c->room = room;
}

void watch_table_add(struct watch_table *t, uint64_t key, struct watch_entry e)
{
    struct cell **at = place_of(t, key), *c = *at;
    if (!c) {
        c = *at = mem_zalloc(sizeof *c);
        c->key = key;
        if (++t->cells > t->mask)
            grow(t);
    }
    make_room(c);
    entries_of(c)[c->count++] = e;
    t->moved(e.watcher, e.number, c->count - 1);
}

void watch_table_remove(struct watch_table *t, uint64_t key, uint32_t at)
{
    struct cell **place = place_of(t, key), *c = *place;
    assert(c && at < c->count);
    struct watch_entry *entries = entries_of(c);
    entries[at] = entries[--c->count];
    if (at < c->count)
        t->moved(entries[at].watcher, entries[at].number, at);
    if (c->count)
        return;
    *place = c->next;
    t->cells--;
    free_cell(c);
}

struct watch_list watch_table_find(const struct watch_table *t, uint64_t key)
{
    struct cell *c = *place_of(t, key);
    return c ? (struct watch_list){entries_of(c), c->count} : (struct watch_list){NULL, 0};
}

void watch_table_near(const struct watch_table *t, const uint64_t *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(&t->buckets[keys[i] & t->mask]);
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(t->buckets[keys[i] & t->mask]);
}
