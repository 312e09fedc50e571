/* A small map from terms to pointers: bitmaps by type, by attribute. */
#ifndef STORE_EMBEDDED_TERM_MAP_H
#define STORE_EMBEDDED_TERM_MAP_H

#include <stdint.h>

struct term_cell {
    uint32_t term; /* TERM_NONE: empty */
    void *value;
};
struct term_map {
    struct term_cell *cells; /* NULL while empty */
    uint32_t count, size;
};

/* Address of term's value, or NULL. */
void **term_map_find(const struct term_map *m, uint32_t term);
/* Likewise; an entry with NULL is made when there is none. Valid until the next is made. */
void **term_map_at(struct term_map *m, uint32_t term);
/* Frees the table, not the values. */
void term_map_free(struct term_map *m);

#endif
