/* Entity maps as the other operations use them: named by a header, made on the way
 * (clauses 5.5.14, 6.4.3.2, 6.5.3.1). */
#ifndef FRONT_NGSILD_ENTITY_MAPS_H
#define FRONT_NGSILD_ENTITY_MAPS_H

#include "broker/entity_map.h"
#include "front/ngsild/query_input.h"
#include "net/http_server.h"

/* The map that the header NGSILD-EntityMap names, by its location or its id, for the caller to release; NULL when
 * there is no such header, or no such map any more. *named: there is a header. */
struct entity_map *entity_maps_named(struct exchange *x, bool *named);
/* The lifetime asked for, or NULL; in the arena. */
const struct duration *entity_maps_wish(struct exchange *x, const struct query_input *in);
/* NGSILD-EntityMap: where m is. */
struct http_header entity_maps_header(struct exchange *x, const struct entity_map *m);
/* A map of the one entity, for the caller to release. */
MUST_USE enum status entity_maps_of_one(struct exchange *x, const struct query_input *in, struct str id,
                                        struct entity_map **out);
/* Ends the exchange with m, which it releases; created: its location, too. */
void entity_maps_answer(struct exchange *x, int status, struct entity_map *m, bool created);

#endif
