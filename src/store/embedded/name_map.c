/* Sorted blocks: a key is found by two binary searches, inserted by moving half a block. */
#include "store/embedded/name_map.h"

#include "base/arena.h"

#include <stdlib.h>

enum { BLOCK = 128 };

struct entry {
    struct str key;
    void *value;
};

struct block {
    uint32_t n;
    struct entry entries[BLOCK];
};

struct name_map {
    struct block **blocks; /* none is empty */
    uint32_t count, room;
    size_t entries;
};

struct name_map *name_map_new(void)
{
    return mem_zalloc(sizeof(struct name_map));
}

void name_map_free(struct name_map *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->count; i++)
        free(m->blocks[i]);
    free(m->blocks);
    free(m);
}

/* Block that holds key or would take it; 0 when there is none. */
static uint32_t find_block(const struct name_map *m, struct str key)
{
    uint32_t low = 0, high = m->count;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(m->blocks[mid]->entries[0].key, key) <= 0)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* First entry of b that is not below key. */
static uint32_t find_entry(const struct block *b, struct str key, bool *found)
{
    uint32_t low = 0, high = b->n;
    *found = false;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(b->entries[mid].key, key);
        if (c == 0)
            *found = true;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void *name_map_get(const struct name_map *m, struct str key)
{
    if (!m->count)
        return NULL;
    const struct block *b = m->blocks[find_block(m, key)];
    bool found;
    uint32_t i = find_entry(b, key, &found);
    return found ? b->entries[i].value : NULL;
}

static struct block *add_block(struct name_map *m, uint32_t at)
{
    if (m->count == m->room) {
        m->room = m->room ? 2 * m->room : 4;
        m->blocks = mem_realloc(m->blocks, m->room * sizeof m->blocks[0]);
    }
    memmove(m->blocks + at + 1, m->blocks + at, (m->count - at) * sizeof m->blocks[0]);
    m->count++;
    struct block *b = mem_alloc(sizeof *b);
    b->n = 0;
    m->blocks[at] = b;
    return b;
}

/* Splits the full block at i, at its end when it is the last one: keys often come in order. */
static void split(struct name_map *m, uint32_t i, uint32_t at)
{
    struct block *right = add_block(m, i + 1), *left = m->blocks[i];
    uint32_t keep = at == BLOCK && i + 2 == m->count ? BLOCK - 1 : BLOCK / 2;
    right->n = BLOCK - keep;
    memcpy(right->entries, left->entries + keep, right->n * sizeof right->entries[0]);
    left->n = keep;
}

void *name_map_put(struct name_map *m, struct str key, void *value)
{
    if (!m->count)
        add_block(m, 0);
    uint32_t i = find_block(m, key);
    bool found;
    uint32_t at = find_entry(m->blocks[i], key, &found);
    if (found) {
        struct entry *e = &m->blocks[i]->entries[at];
        void *old = e->value;
        *e = (struct entry){key, value};
        return old;
    }
    if (m->blocks[i]->n == BLOCK) {
        split(m, i, at);
        i = find_block(m, key);
        at = find_entry(m->blocks[i], key, &found);
    }
    struct block *b = m->blocks[i];
    memmove(b->entries + at + 1, b->entries + at, (b->n - at) * sizeof b->entries[0]);
    b->entries[at] = (struct entry){key, value};
    b->n++;
    m->entries++;
    return NULL;
}

void *name_map_remove(struct name_map *m, struct str key)
{
    if (!m->count)
        return NULL;
    uint32_t i = find_block(m, key);
    struct block *b = m->blocks[i];
    bool found;
    uint32_t at = find_entry(b, key, &found);
    if (!found)
        return NULL;
    void *old = b->entries[at].value;
    b->n--;
    memmove(b->entries + at, b->entries + at + 1, (b->n - at) * sizeof b->entries[0]);
    m->entries--;
    if (!b->n) {
        free(b);
        m->count--;
        memmove(m->blocks + i, m->blocks + i + 1, (m->count - i) * sizeof m->blocks[0]);
    }
    return old;
}

size_t name_map_count(const struct name_map *m)
{
    return m->entries;
}

size_t name_map_bytes(const struct name_map *m)
{
    return sizeof *m + m->room * sizeof m->blocks[0] + m->count * sizeof(struct block);
}

struct name_cursor name_map_from(const struct name_map *m, struct str key, bool behind)
{
    struct name_cursor c = {.map = m};
    if (!m->count || str_absent(key))
        return c;
    c.block = find_block(m, key);
    bool found;
    c.at = find_entry(m->blocks[c.block], key, &found);
    if (found && behind)
        c.at++;
    return c;
}

bool name_next(struct name_cursor *c)
{
    while (c->block < c->map->count && c->at >= c->map->blocks[c->block]->n) {
        c->block++;
        c->at = 0;
    }
    if (c->block >= c->map->count)
        return false;
    const struct entry *e = &c->map->blocks[c->block]->entries[c->at++];
    c->key = e->key;
    c->value = e->value;
    return true;
}
