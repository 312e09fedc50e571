/* Entity maps of temporal queries (CIM 009 clauses 5.5.14, 5.7.4.4): the ids that one found, fixed for those that follow.
 * Evolutions are found in the order of their ids, so whoever asks within a map asks for these ids besides. */
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

/* The ids of the map that are left, as a filter in the arena; they borrow from the map while it is held. */
struct filter *evolve_map_filter(struct entity_map *map, struct arena *a);

#endif
