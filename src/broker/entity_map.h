/* Entity maps (CIM 009 clauses 4.5.25, 5.2.39, 5.5.14, 5.14): the ids of the entities a
 * query found, fixed for the requests that follow. They live in memory, as clause
 * 5.14.1.1 allows: one that has expired, or that a restart took along, is made anew by
 * whoever refers to it. All entities are held here, so each id maps to "@none".
 *
 * Thread-safe. Ids are never moved; those that no longer fit are marked as removed. */
#ifndef BROKER_ENTITY_MAP_H
#define BROKER_ENTITY_MAP_H

#include "base/arena.h"
#include "base/status.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct entity_map_options {
    uint32_t maps_max;     /* "limits.entity_maps" */
    uint32_t entities_max; /* of one map, "limits.entity_map_entities" */
    size_t bytes_max;      /* of all, "limits.entity_map_bytes" */
    int64_t lifetime_us;   /* when none is asked for, "limits.entity_map_lifetime"; no map lives longer */
    struct clock *clock;
};

struct entity_maps;
/* Caller owns. */
struct entity_maps *entity_maps_new(const struct entity_map_options *o);
/* Every map must have been let go. maps may be NULL. */
void entity_maps_free(struct entity_maps *maps);
const struct entity_map_options *entity_maps_options(const struct entity_maps *maps);
/* Forgets the maps of a tenant. */
void entity_maps_forget(struct entity_maps *maps, struct str tenant);

struct entity_map;
/* A map to be filled; one holder, the caller. print: of the query's filters, see entity_map_print(). */
struct entity_map *entity_map_new(struct entity_maps *maps, struct str tenant, uint64_t print);
/* E_TOO_MANY_RESULTS (limits.entity_map_entities), E_TOO_MANY_REQUESTS (limits.entity_map_bytes). */
MUST_USE enum status entity_map_add(struct entity_map *m, struct str id, struct why *why);
/* Gives it an id and an expiry, from when on it can be found. wish: NULL, or how long it is wanted.
 * E_TOO_MANY_REQUESTS (limits.entity_maps). */
MUST_USE enum status entity_map_publish(struct entity_map *m, const struct duration *wish, struct why *why);

/* One holder more, the caller; NULL when there is none or it has expired. */
struct entity_map *entity_map_find(struct entity_maps *maps, struct str tenant, struct str id);
struct entity_map *entity_map_hold(struct entity_map *m);
/* m may be NULL. */
void entity_map_release(struct entity_map *m);
/* It cannot be found from now on. */
void entity_map_delete(struct entity_map *m);

/* As long as the map is held. */
struct str entity_map_id(const struct entity_map *m);
uint64_t entity_map_print(const struct entity_map *m);
int64_t entity_map_expires_at(const struct entity_map *m);
/* Bounded by the lifetime; a time that is past ends the map. */
void entity_map_set_expiry(struct entity_map *m, int64_t at_us);

/* Positions count all ids, removed ones too. */
uint32_t entity_map_end(const struct entity_map *m);
/* Position of the n-th id (from 0) that is not removed; the end when there are fewer. */
uint32_t entity_map_seek(struct entity_map *m, uint64_t n);
/* Up to `most` ids from position `from` on that are not removed; *next: where to go on. */
uint32_t entity_map_read(struct entity_map *m, uint32_t from, uint32_t most, struct str *ids, uint32_t *positions,
                         uint32_t *next);
void entity_map_remove(struct entity_map *m, uint32_t position);

#endif
