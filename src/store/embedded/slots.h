/* Slots being gathered from an ordered index, in whatever order it has them, to become a set. */
#ifndef STORE_EMBEDDED_SLOTS_H
#define STORE_EMBEDDED_SLOTS_H

#include "store/embedded/bitmap.h"

struct slots {
    uint32_t *p;
    size_t n, room;
};

void slots_add_slow(struct slots *s, uint32_t slot);
static inline void slots_add(struct slots *s, uint32_t slot)
{
    if (s->n < s->room)
        s->p[s->n++] = slot;
    else
        slots_add_slow(s, slot);
}
/* Caller owns the set; s is empty again. */
struct bitmap *slots_take(struct slots *s);

#endif
