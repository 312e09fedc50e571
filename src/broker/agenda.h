/* What is due when: a binary heap of moments. Not thread-safe. */
#ifndef BROKER_AGENDA_H
#define BROKER_AGENDA_H

#include <stdint.h>

/* Part of whatever is due. */
struct agenda_item {
    int64_t due_us;
    uint32_t at; /* place in the heap, from 1; 0: not on the agenda. Zero it before first use */
};

struct agenda {
    struct agenda_item **items;
    uint32_t count, room;
};

/* Moves an item that is on it already. */
void agenda_set(struct agenda *g, struct agenda_item *i, int64_t due_us);
void agenda_clear(struct agenda *g, struct agenda_item *i);
/* The first that is due at now_us, taken off; or NULL. */
struct agenda_item *agenda_next(struct agenda *g, int64_t now_us);
/* INT64_MAX: nothing is due ever. */
int64_t agenda_first_us(const struct agenda *g);
void agenda_free(struct agenda *g);

#endif
