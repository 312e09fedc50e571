/* Queries that make an entity map or page through one (CIM 009 clauses 5.5.9.3, 5.5.14,
 * 5.14.4), in slices: between two of them others get their turn. */
#ifndef BROKER_MAP_QUERY_H
#define BROKER_MAP_QUERY_H

#include "broker/consume.h"
#include "broker/entity_map.h"

/* Finds the candidates, in order, and publishes the map of them. */
struct map_make {
    /* in */
    const struct caller *caller;
    const struct filter *filter;
    const struct order *order;
    uint64_t print;                /* of the filters */
    const struct duration *wish;   /* NULL, or how long it is wanted */
    struct runner *home;
    int64_t deadline_us;
    struct arena *arena;
    uint32_t visit_max;
    void (*done)(struct map_make *m);
    /* out */
    enum status status;
    struct why why;
    struct entity_map *map; /* one holder, the caller; NULL unless OK */
    /* private */
    struct broker *broker;
    struct consume_query query;
    struct arena *slice;
    struct task next;
    uint64_t after_seq;
};
/* done is called once, possibly before this returns. */
void map_make_start(struct broker *b, struct map_make *m);

/* One page of the entities of a map that match. */
struct map_page {
    /* in */
    struct entity_map *map;      /* held by the caller */
    const struct caller *caller;
    const struct filter *filter;
    bool prune;                  /* the filters are the map's own: what no longer matches is removed from it */
    bool count;                  /* total wanted: looks at the whole map */
    uint64_t offset;             /* entities of the map; without prune: that match */
    uint32_t limit;
    struct runner *home;
    int64_t deadline_us;
    struct arena *arena;
    void (*done)(struct map_page *p);
    /* out */
    enum status status;
    struct why why;
    struct consume_item *items; /* in the map's order; they borrow nothing from the store */
    uint32_t item_count;
    uint64_t total; /* when count */
    bool more;
    /* private */
    struct broker *broker;
    struct consume_query query;
    struct arena *slice;
    struct task next;
    struct str *ids;
    uint32_t *positions;
    uint32_t id_count, at;
    uint64_t skip, matched;
};
/* done is called once, possibly before this returns. */
void map_page_start(struct broker *b, struct map_page *p);

#endif
