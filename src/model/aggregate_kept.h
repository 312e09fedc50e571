/* Kept aggregates: what stays of the values of a minute, an hour or a day of a series when the instances themselves are
 * dropped (model/retention.h). Every method of clause 4.5.19 can be told from them but distinctCount, and aggregates
 * of shorter spans make up those of longer ones, with no more lost than rounding takes anyway. */
#ifndef MODEL_AGGREGATE_KEPT_H
#define MODEL_AGGREGATE_KEPT_H

#include "base/arena.h"
#include "model/evolution.h"

#include <stdint.h>

/* What is known of numbers: sums with what rounding took from them, and the squared distances from the mean. */
struct sums {
    uint64_t n;
    double sum, sum_rest, squares, squares_rest, m2, min, max;
};

enum {
    KEPT_TEXT_MAX = 1024, /* bytes of a least or greatest text; of longer ones the beginning is kept */
    KEPT_CLASSES = 9,     /* bits in use */
};

struct kept_aggregate {
    int64_t from_us;  /* where its span begins: so many spans since 1970 */
    uint64_t count;   /* values; 0: nothing yet */
    uint8_t kind;     /* enum attr_kind, of the first */
    uint32_t classes; /* which kinds of values there were, as bits; what they mean is the aggregation's */
    struct sums sums; /* of what is counted as numbers: .n of them */
    struct str least, greatest; /* of texts and times of day; absent: none */
    int64_t least_order, greatest_order;
};

/* Adds the value of p, which is no deletion. Texts are copied into a. */
void kept_aggregate_add(struct kept_aggregate *k, const struct point *p, struct arena *a);
/* Adds what more has; its texts are borrowed. k->from_us stays. */
void kept_aggregate_merge(struct kept_aggregate *k, const struct kept_aggregate *more);
/* Do values of these classes have sums, and texts? False of both: they are only counted. */
bool kept_aggregate_has_sums(uint32_t classes);
bool kept_aggregate_has_texts(uint32_t classes);

#endif
