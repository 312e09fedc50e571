/* Who is filed under a key: a hash table of lists, in which anybody is taken out in one step. */
#ifndef BROKER_WATCH_TABLE_H
#define BROKER_WATCH_TABLE_H

#include <stdint.h>

struct watch_table;
struct watcher;

struct watch_entry {
    struct watcher *watcher;
    uint32_t number; /* of the key among its keys */
};
struct watch_list {
    const struct watch_entry *entries;
    uint32_t count;
};

/* Caller owns. moved: entry number `number` of watcher now stands at position `at` of its list. */
struct watch_table *watch_table_new(void (*moved)(struct watcher *watcher, uint32_t number,
                                                  uint32_t at));
void watch_table_free(struct watch_table *t); /* NULL is fine */
void watch_table_add(struct watch_table *t, uint64_t key, struct watch_entry e);
void watch_table_remove(struct watch_table *t, uint64_t key, uint32_t at);
/* Borrowed until the table changes. */
struct watch_list watch_table_find(const struct watch_table *t, uint64_t key);
/* They are about to be looked for: so that the processor fetches them side by side. */
void watch_table_near(const struct watch_table *t, const uint64_t *keys, uint32_t count);

#endif
