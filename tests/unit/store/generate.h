/* Random edits, filters and orders over a small city, so that they often meet. Same seed, same
 * stream. */
#ifndef TESTS_STORE_GENERATE_H
#define TESTS_STORE_GENERATE_H

#include "base/arena.h"
#include "model/edit.h"
#include "model/filter.h"
#include "model/order.h"
#include "model/terms.h"

struct generator {
    uint64_t state;
    struct arena *arena; /* of what is made; the caller's to reset */
    struct terms *terms;
    uint32_t ids; /* how many different entities there are */
    int64_t now_us;
};

/* The arena is made here, for the caller to free. */
void generate_init(struct generator *g, uint64_t seed, struct terms *terms, uint32_t ids);
uint32_t generate_below(struct generator *g, uint32_t n);
struct str generate_id(struct generator *g);
struct edit generate_edit(struct generator *g);
/* Free with filter_free(). Never NULL. */
struct filter *generate_filter(struct generator *g, int depth);
/* Free with order_free(). */
struct order *generate_order(struct generator *g);
struct order *generate_id_order(struct generator *g); /* of ids alone */

#endif
