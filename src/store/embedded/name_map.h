/* An ordered map from byte strings to pointers: documents by key, scopes by name.
 * Sorted blocks under a sorted directory; good for some millions of names.
 * No locking of its own. */
#ifndef STORE_EMBEDDED_NAME_MAP_H
#define STORE_EMBEDDED_NAME_MAP_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_map;

/* Caller owns; keys and values belong to the caller too. */
struct name_map *name_map_new(void);
void name_map_free(struct name_map *m);
/* NULL when absent. */
void *name_map_get(const struct name_map *m, struct str key);
/* Sets key, which must live as long as the entry (in what value points to), and returns the value
 * it had. */
void *name_map_put(struct name_map *m, struct str key, void *value);
/* Returns what was removed, or NULL. */
void *name_map_remove(struct name_map *m, struct str key);
size_t name_map_count(const struct name_map *m);
size_t name_map_bytes(const struct name_map *m); /* of its own memory */

/* for (struct name_cursor c = name_map_from(m, key, false); name_next(&c);) … c.key, c.value …
 * The map must not change meanwhile. */
struct name_cursor {
    const struct name_map *map;
    uint32_t block, at;
    struct str key;
    void *value;
};
/* From key on, or behind it. STR_NONE: from the start. */
struct name_cursor name_map_from(const struct name_map *m, struct str key, bool behind);
bool name_next(struct name_cursor *c);

#endif
