/* struct bitmap is CRoaring's bitmap under a name of ours. */
#include "store/embedded/bitmap.h"

#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>

/* CRoaring says NULL when memory is out. */
static struct bitmap *made(roaring_bitmap_t *r)
{
    if (!r) {
        fputs("out of memory (bitmap)\n", stderr);
        abort();
    }
    return (struct bitmap *)r;
}

static roaring_bitmap_t *in(struct bitmap *b)
{
    return (roaring_bitmap_t *)b;
}

static const roaring_bitmap_t *of(const struct bitmap *b)
{
    return (const roaring_bitmap_t *)b;
}

struct bitmap *bitmap_new(void)
{
    return made(roaring_bitmap_create());
}

struct bitmap *bitmap_copy(const struct bitmap *b)
{
    return made(roaring_bitmap_copy(of(b)));
}

struct bitmap *bitmap_of(const uint32_t *slots, size_t n)
{
    return made(roaring_bitmap_of_ptr(n, slots));
}

struct bitmap *bitmap_and(const struct bitmap *a, const struct bitmap *b)
{
    return made(roaring_bitmap_and(of(a), of(b)));
}

struct bitmap *bitmap_without(const struct bitmap *a, const struct bitmap *b)
{
    return made(roaring_bitmap_andnot(of(a), of(b)));
}

void bitmap_free(struct bitmap *b)
{
    if (b)
        roaring_bitmap_free(of(b));
}

void bitmap_add(struct bitmap *b, uint32_t slot)
{
    roaring_bitmap_add(in(b), slot);
}

void bitmap_add_many(struct bitmap *b, const uint32_t *slots, size_t n)
{
    roaring_bitmap_add_many(in(b), n, slots);
}

void bitmap_remove(struct bitmap *b, uint32_t slot)
{
    roaring_bitmap_remove(in(b), slot);
}

void bitmap_add_all(struct bitmap *b, const struct bitmap *other)
{
    roaring_bitmap_or_inplace(in(b), of(other));
}

bool bitmap_has(const struct bitmap *b, uint32_t slot)
{
    return roaring_bitmap_contains(of(b), slot);
}

uint64_t bitmap_count(const struct bitmap *b)
{
    return roaring_bitmap_get_cardinality(of(b));
}

uint64_t bitmap_and_count(const struct bitmap *a, const struct bitmap *b)
{
    return roaring_bitmap_and_cardinality(of(a), of(b));
}

bool bitmap_equal(const struct bitmap *a, const struct bitmap *b)
{
    return roaring_bitmap_equals(of(a), of(b));
}

bool bitmap_select(const struct bitmap *b, uint64_t rank, uint32_t *slot)
{
    return rank <= UINT32_MAX && roaring_bitmap_select(of(b), (uint32_t)rank, slot);
}

uint64_t bitmap_rank(const struct bitmap *b, uint32_t slot)
{
    return slot ? roaring_bitmap_rank(of(b), slot - 1) : 0;
}

uint32_t bitmap_read(const struct bitmap *b, uint32_t from, uint32_t *out, uint32_t max)
{
    roaring_uint32_iterator_t it;
    roaring_init_iterator(of(b), &it);
    if (!roaring_move_uint32_iterator_equalorlarger(&it, from))
        return 0;
    return roaring_read_uint32_iterator(&it, out, max);
}

size_t bitmap_bytes(const struct bitmap *b)
{
    return sizeof(roaring_bitmap_t) + roaring_bitmap_size_in_bytes(of(b));
}
