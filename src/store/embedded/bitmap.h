/* Sets of slots. The only file that knows CRoaring (0.2.66, its old interface).
 * No locking of its own. */
#ifndef STORE_EMBEDDED_BITMAP_H
#define STORE_EMBEDDED_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bitmap;

/* Caller owns each that is returned. */
struct bitmap *bitmap_new(void);
struct bitmap *bitmap_copy(const struct bitmap *b);
struct bitmap *bitmap_of(const uint32_t *slots, size_t n);
struct bitmap *bitmap_and(const struct bitmap *a, const struct bitmap *b);
struct bitmap *bitmap_without(const struct bitmap *a, const struct bitmap *b);
void bitmap_free(struct bitmap *b);

void bitmap_add(struct bitmap *b, uint32_t slot);
void bitmap_add_many(struct bitmap *b, const uint32_t *slots, size_t n);
void bitmap_remove(struct bitmap *b, uint32_t slot);
void bitmap_add_all(struct bitmap *b, const struct bitmap *other);
bool bitmap_has(const struct bitmap *b, uint32_t slot);
uint64_t bitmap_count(const struct bitmap *b);
uint64_t bitmap_and_count(const struct bitmap *a, const struct bitmap *b);
bool bitmap_equal(const struct bitmap *a, const struct bitmap *b);
/* The slot with `rank` smaller ones; false when there are not so many. */
bool bitmap_select(const struct bitmap *b, uint64_t rank, uint32_t *slot);
uint64_t bitmap_rank(const struct bitmap *b, uint32_t slot); /* members below slot */
/* Up to max members from `from` on, ascending; returns how many. */
uint32_t bitmap_read(const struct bitmap *b, uint32_t from, uint32_t *out, uint32_t max);
size_t bitmap_bytes(const struct bitmap *b);

#endif
