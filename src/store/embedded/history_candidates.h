/* Whose evolutions a query may mean: entities of today, those of which something happened since the last fold, those that the base lists as
 * known by their past alone. In ascending order of their ids, so many at a time that a page costs no look at all of
 * them in order; with another order than that, all at once. */
#ifndef STORE_EMBEDDED_HISTORY_CANDIDATES_H
#define STORE_EMBEDDED_HISTORY_CANDIDATES_H

#include "store/store.h"

struct candidates;
struct embedded;
struct tenant;

/* v's, which is borrowed. */
struct candidates *candidates_open(struct embedded *e, struct tenant *t, const struct store_evolve *v);
void candidates_close(struct candidates *c);
/* The next ones, until the call after: none are left when *n is 0. */
MUST_USE enum status candidates_next(struct candidates *c, struct str **ids, uint32_t *n, struct why *why);

#endif
