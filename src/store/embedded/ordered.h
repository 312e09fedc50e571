/* An ordered set of (key, slot): the values of an attribute, the cells of its geometries,
 * the times at which entities expire. Sorted blocks under a sorted directory, about 17
 * bytes an entry. No locking of its own. */
#ifndef STORE_EMBEDDED_ORDERED_H
#define STORE_EMBEDDED_ORDERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ordered;

/* Caller owns. */
struct ordered *ordered_new(void);
void ordered_free(struct ordered *o);
/* False when the pair is there already; when it is not there. */
bool ordered_add(struct ordered *o, uint64_t key, uint32_t slot);
bool ordered_remove(struct ordered *o, uint64_t key, uint32_t slot);
/* Adds many: quickly when o is empty and they are very many. Pairs of one key come in order of
 * slots; pairs are changed. */
struct ordered_pair {
    uint64_t key;
    uint32_t slot;
};
void ordered_fill(struct ordered *o, struct ordered_pair *pairs, size_t n);
uint64_t ordered_count(const struct ordered *o);
/* About how many have low <= key <= high: exact for few, by blocks for many. */
uint64_t ordered_estimate(const struct ordered *o, uint64_t low, uint64_t high);
size_t ordered_bytes(const struct ordered *o);

/* struct ordered_cursor c = ordered_from(o, low, high); while (ordered_next(&c)) … c.key, c.slot …
 * The set must not change meanwhile. */
struct ordered_cursor {
    const struct ordered *set;
    uint32_t block, at;
    uint64_t high;
    uint64_t key;
    uint32_t slot;
};
struct ordered_cursor ordered_from(const struct ordered *o, uint64_t low, uint64_t high);
bool ordered_next(struct ordered_cursor *c);

#endif
