/* Which registration subscriptions a registration may concern, found by the ids and types that they ask for: so
 * that those about something else cost nothing. What is found is not yet matched. */
#ifndef BROKER_SOURCE_INDEX_H
#define BROKER_SOURCE_INDEX_H

#include "base/arena.h"
#include "broker/watch_table.h"
#include "model/registration.h"

struct watcher;

/* A place in the index. */
struct source_key {
    uint64_t key;
    uint32_t at;
};

/* In its tenant's index, by its query, which stays as it is until it is taken out. */
void source_index_add(struct watcher *x);
void source_index_remove(struct watcher *x); /* one that is not in it is fine */

struct source_found {
    struct watcher **watchers; /* in the arena, each once, in no order */
    uint32_t count, room;
};
struct source_tenant;
/* was, is: the registration before and after; NULL: it was not there, or is not any more. */
struct source_found source_index_find(struct source_tenant *t, const struct registration *was,
                                      const struct registration *is, struct arena *a);

#endif
