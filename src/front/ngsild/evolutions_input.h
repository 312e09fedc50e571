/* What a request says of time, aggregation and temporal representation (CIM 009 clauses 4.11, 4.5.19, 6.3.12), in URL
 * parameters or in a Query body (5.2.21, 5.2.44). */
#ifndef FRONT_NGSILD_EVOLUTIONS_INPUT_H
#define FRONT_NGSILD_EVOLUTIONS_INPUT_H

#include "front/ngsild/query_input.h"
#include "model/represent_temporal.h"
#include "store/store.h"

struct evolutions_input {
    struct query_input query;
    struct temporal_query time;
    struct represent_temporal show; /* its query is &time */
    const uint32_t *terms; /* attributes wanted; NULL: all */
    uint32_t term_count;
    const uint32_t *unshown; /* attributes that are left out, but count when entities are looked for */
    uint32_t unshown_count;
    bool all_unshown;
};

/* in->query is filled already. whole: a query, which must say a time; else a retrieval, which may. */
MUST_USE enum status evolutions_input_params(struct exchange *x, bool whole, struct evolutions_input *in);
MUST_USE enum status evolutions_input_body(struct exchange *x, struct evolutions_input *in);
/* What the store is asked then, but for the call itself and the page. */
struct store_evolve evolutions_input_asked(struct exchange *x, const struct evolutions_input *in, const struct query_parts *parts);

#endif
