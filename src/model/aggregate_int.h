/* Shared by aggregate.c (periods), aggregate_kept.c (what stays of values that go), aggregate_value.c (what a value is by the tables of clause 4.5.19.1),
 * aggregate_number.c (sums) and aggregate_distinct.c (which values were there). */
#ifndef MODEL_AGGREGATE_INT_H
#define MODEL_AGGREGATE_INT_H

#include "model/aggregate.h"
#include "model/aggregate_kept.h"

/* The columns of the tables; URI, objects, geometries and language maps can only be counted. */
enum class {
    CLASS_NUMBER,
    CLASS_BOOLEAN, /* a number, but true is not the same value as 1 */
    CLASS_STRING,
    CLASS_ARRAY,
    CLASS_DATE_TIME,
    CLASS_DATE,
    CLASS_TIME,
    CLASS_RELATIONSHIP,
    CLASS_OTHER,
    CLASS_COUNT
};

/* One value, as the methods see it. */
struct item {
    int64_t us;      /* when; the time of the instance */
    uint8_t class;   /* enum class */
    bool single;     /* of CLASS_RELATIONSHIP: text is the one target, not an array of them */
    double number;   /* numbers, Booleans, the size of an array, µs since midnight of a Time */
    int64_t order;   /* µs of DateTime and Date */
    struct str text; /* what is shown of strings, DateTimes …; else what tells values apart */
};

struct bucket {
    int64_t index, from, to; /* from inclusive, to exclusive */
    uint64_t count;
    uint64_t distinct;
    bool indistinct;  /* of some values it is not known whether they differ from others */
    uint32_t classes; /* bits */
    struct sums sums;
    struct str least, greatest; /* strings, DateTimes …, in the arena; absent: none yet */
    int64_t least_order, greatest_order;
};

/* ---- aggregate.c ---- */

/* Keeps the least and the greatest of texts, in a: of the one and order, and of what is known already (absent: nothing). */
struct extremes {
    struct str *least, *greatest;
    int64_t *least_order, *greatest_order;
};
void extremes_add(const struct extremes *x, struct str text, int64_t order, struct arena *a);

/* ---- aggregate_value.c ---- */

/* text borrows from p, or is in a. */
struct item aggregate_item(const struct point *p, int64_t us, struct arena *a);
/* AGGREGATE_BIT of the methods that apply when a period has values of these classes. */
uint32_t aggregate_allowed(uint32_t classes);
/* What method gives for b. */
struct aggregate_value aggregate_result(const struct bucket *b, enum aggregate_method method, struct arena *a);

/* ---- aggregate_number.c ---- */

/* methods: what need not be known is not worked out. */
void sums_add(struct sums *s, const double *numbers, uint32_t n, uint32_t methods);
void sums_merge(struct sums *s, const struct sums *more);
/* False: its m2 would be mostly rounding errors. */
bool sums_of_summary(const struct number_summary *from, struct sums *out);
double sums_mean(const struct sums *s);

/* ---- aggregate_distinct.c ---- */

struct distinct; /* the values that each bucket had; starts as NULL */

/* Counts those of the item that bucket did not have before. */
uint64_t distinct_add(struct distinct **set, uint32_t bucket, const struct item *item, struct arena *a);
uint32_t distinct_count(const struct distinct *set); /* NULL: 0 */
uint64_t distinct_add_number(struct distinct **set, uint32_t bucket, double number, struct arena *a);

#endif
