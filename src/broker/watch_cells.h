/* A grid over the earth, on levels: level 0 is one cell, each level has four where the one before has one. Areas of
 * subscriptions are filed by the cells that they touch, on one level; a change asks for its cells on all that are in use. */
#ifndef BROKER_WATCH_CELLS_H
#define BROKER_WATCH_CELLS_H

#include "model/entity.h"

enum { WATCH_CELL_LEVELS = 24 };

/* From and to, both included. */
struct watch_cells {
    uint32_t west, east, south, north;
};
/* Those that the box touches. */
struct watch_cells watch_cells_of(struct box b, uint32_t level);
uint64_t watch_cells_count(struct watch_cells c);
/* The finest level at which the box is no larger than a cell, so that it touches four at most. */
uint32_t watch_cells_level(struct box b);
/* Is the box told by its cells? Not one over the date line or a pole, nor a very large one. */
bool watch_cells_tell(struct box b);

#endif
