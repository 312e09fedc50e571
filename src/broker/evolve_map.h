/* Entity maps of temporal queries (CIM 009 clauses 5.5.9.3, 5.5.14, 5.7.4.4): the ids that one found, in its order, fixed
 * for those that follow, which are asked of these alone. */
#ifndef BROKER_EVOLVE_MAP_H
#define BROKER_EVOLVE_MAP_H

#include "broker/entity_map.h"
#include "broker/evolve.h"

struct evolve_map {
    /* in */
    struct store_evolve asked;     /* the query as it would be without a map; its page does not matter */
    uint64_t print;                /* of the filters */
    const struct duration *wish;   /* NULL, or how long it is wanted */
    void (*done)(struct evolve_map *m);
    /* out */
    enum status status;
    struct why why;
    struct entity_map *map; /* one holder, the caller; NULL unless OK */
    /* private */
    struct broker *broker;
    struct evolve_query query;
    struct temporal_query time;
};
/* Finds what matches and publishes the map of it. True: completed at once. */
bool evolve_map_make(struct broker *b, struct evolve_map *m);

/* Ids of the map that are left, in the arena; they borrow from the map while it is held. */
struct evolve_among {
    struct str *ids;
    uint32_t *positions;
    uint32_t count;
};
/* From the n-th of them on. */
struct evolve_among evolve_map_read(struct entity_map *map, uint64_t n, struct arena *a);
/* Removes those that a query by the map's own filters missed (struct store_evolve). */
void evolve_map_prune(struct entity_map *map, const struct evolve_among *among, const bool *missed);

#endif
