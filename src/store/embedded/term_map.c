/* Open addressing, at most half full; entries stay. */
#include "store/embedded/term_map.h"

#include "base/arena.h"

#include <stdlib.h>

static struct term_cell *probe(const struct term_map *m, uint32_t term)
{
    uint32_t i =
        term * 2654435769u & (m->size - 1); /* Knuth's multiplier: terms are dense numbers */
    while (m->cells[i].term && m->cells[i].term != term)
        i = (i + 1) & (m->size - 1);
    return &m->cells[i];
}

void **term_map_find(const struct term_map *m, uint32_t term)
{
    if (!m->size || !term)
        return NULL;
    struct term_cell *c = probe(m, term);
    return c->term ? &c->value : NULL;
}

static void grow(struct term_map *m)
{
    struct term_map bigger = {.size = m->size ? 2 * m->size : 8, .count = m->count};
    bigger.cells = mem_zalloc(bigger.size * sizeof bigger.cells[0]);
    for (uint32_t i = 0; i < m->size; i++)
        if (m->cells[i].term)
            *probe(&bigger, m->cells[i].term) = m->cells[i];
    free(m->cells);
    *m = bigger;
}

void **term_map_at(struct term_map *m, uint32_t term)
{
    if (2 * (m->count + 1) > m->size)
        grow(m);
    struct term_cell *c = probe(m, term);
    if (!c->term) {
        c->term = term;
        m->count++;
    }
    return &c->value;
}

void term_map_free(struct term_map *m)
{
    free(m->cells);
    *m = (struct term_map){0};
}
