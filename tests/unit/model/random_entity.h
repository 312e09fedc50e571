/* Random but valid entity trees, and the comparison of whole trees, for the tests
 * of documents and edits. Same seed, same trees. */
#ifndef TESTS_RANDOM_ENTITY_H
#define TESTS_RANDOM_ENTITY_H

#include "model/entity.h"

struct random {
    uint64_t state;
};
uint64_t random_next(struct random *r);
/* 0 … n - 1. */
uint32_t random_below(struct random *r, uint32_t n);

#define RANDOM_TERM_MAX 12
#define RANDOM_TIME 1700000000000000 /* µs; random times lie after it, mostly */

/* A version whose sequence is `seq` (attributes of this or older ones); everything in the arena. */
void random_entity(struct random *r, struct arena *a, uint64_t seq, struct entity *out);
struct value random_value(struct random *r, struct arena *a, enum attr_kind kind);

/* Equal in every field; empty and NULL arrays are the same. */
bool tree_same(const struct entity *a, const struct entity *b);

#endif
