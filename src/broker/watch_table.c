/* See watch_table.h. Keys are hashes already; cells are chained. */
#include "broker/watch_table.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>

struct cell {
    struct cell *next;
    uint64_t key;
    uint32_t count, room;
    struct watch_entry *entries;
};

struct watch_table {
    void (*moved)(struct watcher *watcher, uint32_t number, uint32_t at);
    struct cell **buckets;
    uint64_t mask;
    uint64_t cells;
    size_t bytes;
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

static void free_cell(struct cell *c)
{
    free(c->entries);
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

void watch_table_add(struct watch_table *t, uint64_t key, struct watch_entry e)
{
    struct cell **at = place_of(t, key), *c = *at;
    if (!c) {
        c = *at = mem_zalloc(sizeof *c);
        c->key = key;
        t->bytes += sizeof *c;
        if (++t->cells > t->mask)
            grow(t);
    }
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : 1;
        c->entries = mem_realloc(c->entries, room * sizeof c->entries[0]);
        t->bytes += (room - c->room) * sizeof c->entries[0];
        c->room = room;
    }
    c->entries[c->count++] = e;
    t->moved(e.watcher, e.number, c->count - 1);
}

void watch_table_remove(struct watch_table *t, uint64_t key, uint32_t at)
{
    struct cell **place = place_of(t, key), *c = *place;
    assert(c && at < c->count);
    c->entries[at] = c->entries[--c->count];
    if (at < c->count)
        t->moved(c->entries[at].watcher, c->entries[at].number, at);
    if (c->count)
        return;
    *place = c->next;
    t->cells--;
    t->bytes -= sizeof *c + c->room * sizeof c->entries[0];
    free_cell(c);
}

struct watch_list watch_table_find(const struct watch_table *t, uint64_t key)
{
    const struct cell *c = *place_of(t, key);
    return c ? (struct watch_list){c->entries, c->count} : (struct watch_list){NULL, 0};
}

size_t watch_table_bytes(const struct watch_table *t)
{
    return t->bytes + (t->mask + 1) * sizeof(struct cell *);
}
