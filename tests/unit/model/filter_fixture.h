/* A small city of entities, as trees and as blocks, and queries on it, for tests of
 * filters and orders. */
#ifndef TESTS_FILTER_FIXTURE_H
#define TESTS_FILTER_FIXTURE_H

#include "model/doc.h"
#include "model/filter.h"

enum { CITY_MAX = 1000 };

struct city {
    struct arena *arena;   /* what lives as long as the test */
    struct arena *scratch; /* of one evaluation */
    struct terms *terms;
    struct context *context;
    struct filter_limits limits;
    struct filter_reader reader;
    uint32_t count;
    struct entity entities[CITY_MAX];
    const struct doc *docs[CITY_MAX];
    struct filter_env env;
    uint32_t lookups;
};

/* For cmocka_unit_test_setup_teardown. The context has the terms and prefixes of the tests. */
int city_setup(void **state);
int city_teardown(void **state);

/* Adds an entity in normalized or concise JSON; ids must be new. Created at 2020-01-01T00:00:00Z
 * and modified at 2020-06-01T00:00:00Z unless the members created_at, modified_at of the result are
 * set; then call city_encode. */
struct entity *city_add(struct city *c, const char *json);
/* Makes the block of the last entity added again. */
void city_encode(struct city *c);

/* Reads what must be fine. Free with filter_free(). */
struct filter *city_q(struct city *c, const char *q);
/* q must be refused with status, at column (0: says none), with a text that contains part. */
void city_refuses(struct city *c, const char *q, enum status status, unsigned column,
                  const char *part);
/* Does entity i match? Tree and block must agree, linked entities given either way. */
bool city_matches(struct city *c, const struct filter *f, uint32_t i);
/* The entities that match q must be those whose ids end in one of the words of `expected`. */
void city_expect(struct city *c, const char *q, const char *expected);

#endif
