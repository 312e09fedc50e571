/* The directory repeats each block's first entry, so that a search touches one block. */
#include "store/embedded/ordered.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256, COUNT_BLOCKS = 32 };
enum { SORT_MIN = 512, DIGITS = 256 };
enum { BLOCK_FILLED = BLOCK * 3 / 4 }; /* leaves room, so that what comes next splits no block */

struct block {
    uint64_t keys[BLOCK];
    uint32_t slots[BLOCK];
};

struct row {
    uint64_t key; /* first of the block */
    uint32_t slot;
    uint32_t n; /* never 0 */
    struct block *block;
};

struct ordered {
    struct row *rows;
    uint32_t count, room;
    uint64_t entries;
};

struct ordered *ordered_new(void)
{
    return mem_zalloc(sizeof(struct ordered));
}

void ordered_free(struct ordered *o)
{
    if (!o)
        return;
    for (uint32_t i = 0; i < o->count; i++)
        free(o->rows[i].block);
    free(o->rows);
    free(o);
}

static bool below(uint64_t key, uint32_t slot, uint64_t other_key, uint32_t other_slot)
{
    return key != other_key ? key < other_key : slot < other_slot;
}

/* Block that holds the pair or would take it. */
static uint32_t find_row(const struct ordered *o, uint64_t key, uint32_t slot)
{
    uint32_t low = 0, high = o->count;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (below(key, slot, o->rows[mid].key, o->rows[mid].slot))
            high = mid;
        else
            low = mid;
    }
    return low;
}

/* First entry of the row's block that is not below the pair. */
static uint32_t find_entry(const struct row *r, uint64_t key, uint32_t slot)
{
    uint32_t low = 0, high = r->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (below(r->block->keys[mid], r->block->slots[mid], key, slot))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_at(const struct row *r, uint32_t at, uint64_t key, uint32_t slot)
{
    return at < r->n && r->block->keys[at] == key && r->block->slots[at] == slot;
}

static void add_row(struct ordered *o, uint32_t at)
{
    if (o->count == o->room) {
        o->room = o->room ? 2 * o->room : 4;
        o->rows = mem_realloc(o->rows, o->room * sizeof o->rows[0]);
    }
    memmove(o->rows + at + 1, o->rows + at, (o->count - at) * sizeof o->rows[0]);
    o->count++;
    o->rows[at] = (struct row){.block = mem_alloc(sizeof(struct block))};
}

static void copy(struct block *to, uint32_t to_at, const struct block *from, uint32_t from_at,
                 uint32_t n)
{
    memmove(to->keys + to_at, from->keys + from_at, n * sizeof to->keys[0]);
    memmove(to->slots + to_at, from->slots + from_at, n * sizeof to->slots[0]);
}

static void name_row(struct row *r)
{
    r->key = r->block->keys[0];
    r->slot = r->block->slots[0];
}

/* Splits the full block i: in the middle, or at its end when entries come in order. */
static void split(struct ordered *o, uint32_t i, uint32_t at)
{
    add_row(o, i + 1);
    struct row *left = &o->rows[i], *right = &o->rows[i + 1];
    uint32_t keep = at == BLOCK && i + 2 == o->count ? BLOCK - 1 : BLOCK / 2;
    copy(right->block, 0, left->block, keep, BLOCK - keep);
    right->n = BLOCK - keep;
    left->n = keep;
    name_row(right);
}

bool ordered_add(struct ordered *o, uint64_t key, uint32_t slot)
{
    if (!o->count)
        add_row(o, 0);
    uint32_t i = find_row(o, key, slot);
    uint32_t at = find_entry(&o->rows[i], key, slot);
    if (is_at(&o->rows[i], at, key, slot))
        return false;
    if (o->rows[i].n == BLOCK) {
        split(o, i, at);
        i = find_row(o, key, slot);
        at = find_entry(&o->rows[i], key, slot);
    }
    struct row *r = &o->rows[i];
    copy(r->block, at + 1, r->block, at, r->n - at);
    r->block->keys[at] = key;
    r->block->slots[at] = slot;
    r->n++;
    name_row(r);
    o->entries++;
    return true;
}

/* By one byte of the key, in the order in which they stand otherwise. from[0] … to[n - 1]. */
static void sort_digit(const struct ordered_pair *from, struct ordered_pair *to, size_t n,
                       uint32_t shift, const size_t *counts)
{
    size_t at[DIGITS], sum = 0;
    for (uint32_t i = 0; i < DIGITS; i++) {
        at[i] = sum;
        sum += counts[i];
    }
    for (size_t i = 0; i < n; i++)
        to[at[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

/* By key, byte after byte. What all keys share is passed over. */
static void sort_pairs(struct ordered_pair *pairs, size_t n)
{
    size_t counts[sizeof pairs->key][DIGITS] = {0};
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < sizeof pairs->key; k++)
            counts[k][pairs[i].key >> 8 * k & (DIGITS - 1)]++;
    struct ordered_pair *other = mem_alloc(n * sizeof *other), *from = pairs, *to = other;
    for (uint32_t k = 0; k < sizeof pairs->key; k++) {
        if (counts[k][pairs[0].key >> 8 * k & (DIGITS - 1)] == n)
            continue;
        sort_digit(from, to, n, 8 * k, counts[k]);
        struct ordered_pair *last = from;
        from = to;
        to = last;
    }
    if (from != pairs)
        memcpy(pairs, from, n * sizeof *pairs);
    free(other);
}

/* Behind all that is there. */
static void append(struct ordered *o, struct ordered_pair p)
{
    struct row *r = o->count ? &o->rows[o->count - 1] : NULL;
    if (r && r->block->keys[r->n - 1] == p.key && r->block->slots[r->n - 1] == p.slot)
        return;
    if (!r || r->n == BLOCK_FILLED) {
        add_row(o, o->count);
        r = &o->rows[o->count - 1];
        r->key = p.key;
        r->slot = p.slot;
    }
    r->block->keys[r->n] = p.key;
    r->block->slots[r->n++] = p.slot;
    o->entries++;
}

void ordered_fill(struct ordered *o, struct ordered_pair *pairs, size_t n)
{
    bool append_all = !o->count && n >= SORT_MIN;
    if (append_all)
        sort_pairs(pairs, n);
    for (size_t i = 0; i < n; i++) {
        if (append_all)
            append(o, pairs[i]);
        else
            ordered_add(o, pairs[i].key, pairs[i].slot);
    }
}

static void drop_row(struct ordered *o, uint32_t i)
{
    free(o->rows[i].block);
    o->count--;
    memmove(o->rows + i, o->rows + i + 1, (o->count - i) * sizeof o->rows[0]);
}

/* A block that became small is poured into its right neighbour's place. */
static void merge(struct ordered *o, uint32_t i)
{
    if (i + 1 >= o->count || o->rows[i].n + o->rows[i + 1].n > BLOCK / 2)
        return;
    struct row *left = &o->rows[i], *right = &o->rows[i + 1];
    copy(left->block, left->n, right->block, 0, right->n);
    left->n += right->n;
    drop_row(o, i + 1);
}

bool ordered_remove(struct ordered *o, uint64_t key, uint32_t slot)
{
    if (!o->count)
        return false;
    uint32_t i = find_row(o, key, slot);
    struct row *r = &o->rows[i];
    uint32_t at = find_entry(r, key, slot);
    if (!is_at(r, at, key, slot))
        return false;
    r->n--;
    copy(r->block, at, r->block, at + 1, r->n - at);
    o->entries--;
    if (!r->n) {
        drop_row(o, i);
        return true;
    }
    name_row(r);
    merge(o, i);
    return true;
}

uint64_t ordered_count(const struct ordered *o)
{
    return o->entries;
}

uint64_t ordered_estimate(const struct ordered *o, uint64_t low, uint64_t high)
{
    if (!o->count || low > high)
        return 0;
    uint32_t first = find_row(o, low, 0), last = find_row(o, high, UINT32_MAX);
    uint32_t head = find_entry(&o->rows[first], low, 0);
    uint32_t tail = find_entry(&o->rows[last], high, UINT32_MAX);
    if (is_at(&o->rows[last], tail, high, UINT32_MAX))
        tail++;
    if (first == last)
        return tail - head;
    uint64_t n = o->rows[first].n - head + tail;
    uint32_t between = last - first - 1;
    if (between > COUNT_BLOCKS)
        return n + (uint64_t)((double)between * (double)o->entries / o->count);
    for (uint32_t i = first + 1; i < last; i++)
        n += o->rows[i].n;
    return n;
}

size_t ordered_bytes(const struct ordered *o)
{
    return sizeof *o + o->room * sizeof o->rows[0] + o->count * sizeof(struct block);
}

struct ordered_cursor ordered_from(const struct ordered *o, uint64_t low, uint64_t high)
{
    struct ordered_cursor c = {.set = o, .high = high};
    if (o->count) {
        c.block = find_row(o, low, 0);
        c.at = find_entry(&o->rows[c.block], low, 0);
    }
    return c;
}

bool ordered_next(struct ordered_cursor *c)
{
    while (c->block < c->set->count && c->at >= c->set->rows[c->block].n) {
        c->block++;
        c->at = 0;
    }
    if (c->block >= c->set->count)
        return false;
    const struct block *b = c->set->rows[c->block].block;
    c->key = b->keys[c->at];
    c->slot = b->slots[c->at];
    if (c->key > c->high)
        return false;
    c->at++;
    return true;
}
