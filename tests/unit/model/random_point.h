/* Random instances of one series, of many manners, and the comparison of two. Same seed, same instances. */
#ifndef TESTS_RANDOM_POINT_H
#define TESTS_RANDOM_POINT_H

#include "model/evolution.h"
#include "random_entity.h"

/* What the values are. */
enum random_values {
    RANDOM_DECIMALS,
    RANDOM_COUNTS,
    RANDOM_DOUBLES,
    RANDOM_EXTREMES,
    RANDOM_BOOLEANS,
    RANDOM_STRINGS,
    RANDOM_JSON,
    RANDOM_PLACES,
    RANDOM_FIGURES, /* lines, polygons */
    RANDOM_ANY,
    RANDOM_VALUES_COUNT
};

/* n instances in point_order(); everything in the arena, or static. */
struct point *random_points(struct random *r, struct arena *a, enum random_values values, uint32_t n);
/* Equal in every field, to the bit. */
bool point_same(const struct point *a, const struct point *b);

#endif
