/* A small table of shapes, each with the slots that wait; a list of pairs for each ordered set. */
#include "store/embedded/index_bulk.h"

#include "base/arena.h"
#include "store/embedded/index_geo.h"
#include "store/embedded/index_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPES = 128, SLOTS = 512 };

/* Words: number of types, types, attributes (term, kind). */
struct shape {
    uint64_t *words;
    uint32_t count, room;
    uint32_t slots[SLOTS];
    uint32_t n;
    const struct doc *example; /* while there are slots */
};

/* Entries of one ordered set. */
struct gathered {
    struct ordered *set;
    struct ordered_pair *pairs;
    size_t n, room;
};

struct index_bulk {
    struct shape shapes[SHAPES]; /* by hash; a newcomer flushes the one that is there */
    uint64_t *words;             /* of the entity at hand */
    uint32_t room;
    struct term_map cells; /* struct gathered: geometries of an attribute */
    struct gathered ends, parts;
};

struct index_bulk *index_bulk_new(void)
{
    return mem_zalloc(sizeof(struct index_bulk));
}

void index_bulk_free(struct index_bulk *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; i < SHAPES; i++)
        free(b->shapes[i].words);
    for (uint32_t i = 0; i < b->cells.size; i++) {
        struct gathered *g = b->cells.cells[i].value;
        if (g)
            free(g->pairs);
        free(g);
    }
    term_map_free(&b->cells);
    free(b->ends.pairs);
    free(b->parts.pairs);
    free(b->words);
    free(b);
}

/* ---- types, attributes and counts, by shape ---- */

static void mark(struct term_map *m, uint32_t term, const uint32_t *slots, uint32_t n)
{
    void **at = term_map_at(m, term);
    if (!*at)
        *at = bitmap_new();
    bitmap_add_many(*at, slots, n);
}

static void flush_shape(struct shape *s, struct index *ix)
{
    const struct doc *d = s->example;
    if (!s->n)
        return;
    bitmap_add_many(ix->live, s->slots, s->n);
    for (uint32_t i = 0, n = doc_type_count(d); i < n; i++)
        mark(&ix->types, doc_type(d, i), s->slots, s->n);
    for (uint32_t i = 0, n = doc_attr_count(d); i < n; i++)
        if (i == 0 || doc_attr_term(d, i) != doc_attr_term(d, i - 1))
            mark(&ix->attrs, doc_attr_term(d, i), s->slots, s->n);
    census_add_like(ix->census, d, s->n);
    s->n = 0;
    s->example = NULL;
}

/* Returns their number. */
static uint32_t take_words(struct index_bulk *b, const struct doc *d)
{
    uint32_t types = doc_type_count(d), attrs = doc_attr_count(d), n = 0;
    if (b->room < 1 + types + attrs) {
        b->room = 1 + types + attrs;
        b->words = mem_realloc(b->words, b->room * sizeof *b->words);
    }
    b->words[n++] = types;
    for (uint32_t i = 0; i < types; i++)
        b->words[n++] = doc_type(d, i);
    for (uint32_t i = 0; i < attrs; i++)
        b->words[n++] = (uint64_t)doc_attr_term(d, i) << 8 | doc_attr_kind(d, i);
    return n;
}

static struct shape *shape_of(struct index_bulk *b, struct index *ix, const struct doc *d)
{
    uint32_t n = take_words(b, d);
    uint64_t hash = n;
    for (uint32_t i = 0; i < n; i++)
        hash = (hash ^ b->words[i]) * UINT64_C(0x9E3779B97F4A7C15);
    struct shape *s = &b->shapes[(hash >> 32) % SHAPES];
    if (s->count == n && memcmp(s->words, b->words, n * sizeof *b->words) == 0)
        return s;
    flush_shape(s, ix);
    if (s->room < n) {
        s->words = mem_realloc(s->words, n * sizeof *s->words);
        s->room = n;
    }
    memcpy(s->words, b->words, n * sizeof *s->words);
    s->count = n;
    return s;
}

/* ---- ordered sets ---- */

static void gather(struct gathered *g, uint64_t key, uint32_t slot)
{
    if (g->n == g->room) {
        g->room = g->room ? 2 * g->room : 64;
        g->pairs = mem_realloc(g->pairs, g->room * sizeof *g->pairs);
    }
    g->pairs[g->n++] = (struct ordered_pair){key, slot};
}

static void gather_cell(struct index_bulk *b, struct index *ix, uint32_t slot, uint32_t term,
                        const struct value *v)
{
    void **at = term_map_at(&b->cells, term);
    if (!*at)
        *at = mem_zalloc(sizeof(struct gathered));
    struct gathered *g = *at;
    g->set = index_cells_at(ix, term);
    gather(g, index_geo_key(v->box), slot);
}

static void gather_ends(struct index_bulk *b, struct index *ix, uint32_t slot, const struct doc *d)
{
    int64_t own = doc_own_expires_at(d), part = index_part_end(d);
    b->ends.set = ix->ends.ends;
    b->parts.set = ix->parts.ends;
    if (own != TIME_NONE)
        gather(&b->ends, index_expiry_key(own), slot);
    if (part != TIME_NONE)
        gather(&b->parts, index_expiry_key(part), slot);
    index_expiry_set(&ix->ends, slot, own);
    index_expiry_set(&ix->parts, slot, part);
}

static void flush_gathered(struct gathered *g)
{
    if (g->n)
        ordered_fill(g->set, g->pairs, g->n);
    free(g->pairs);
    *g = (struct gathered){0};
}

/* ---- entities ---- */

void index_bulk_add(struct index_bulk *b, struct index *ix, uint32_t slot, const struct doc *d)
{
    assert(!ix->values);
    struct shape *s = shape_of(b, ix, d);
    s->example = d;
    s->slots[s->n++] = slot;
    for (uint32_t i = 1 + doc_type_count(d); i < s->count; i++) {
        if ((s->words[i] & 255) != ATTR_GEO_PROPERTY)
            continue;
        struct value value;
        doc_attr_value(d, i - 1 - doc_type_count(d), &value);
        if (value.kind == VALUE_GEO)
            gather_cell(b, ix, slot, (uint32_t)(s->words[i] >> 8), &value);
    }
    if (s->n == SLOTS)
        flush_shape(s, ix);
    if (doc_scope_count(d))
        index_mark_scopes(ix, slot, d, true);
    if (doc_expires_at(d) != TIME_NONE)
        gather_ends(b, ix, slot, d);
}

void index_bulk_flush(struct index_bulk *b, struct index *ix)
{
    for (uint32_t i = 0; i < SHAPES; i++)
        flush_shape(&b->shapes[i], ix);
    for (uint32_t i = 0; i < b->cells.size; i++) {
        struct gathered *g = b->cells.cells[i].value;
        if (g)
            flush_gathered(g);
        free(g);
    }
    term_map_free(&b->cells);
    flush_gathered(&b->ends);
    flush_gathered(&b->parts);
}
