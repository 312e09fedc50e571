/* Aggregated values of a series (CIM 009 clause 4.5.19): each method over each period of a time range. Numbers come one
 * by one, in columns, or as what a chunk's header sums up; all other kinds of values as points. */
#ifndef MODEL_AGGREGATE_H
#define MODEL_AGGREGATE_H

#include "model/temporal.h"

/* What is known of n numbers without looking at each. */
struct number_summary {
    uint64_t count;
    double sum, sumsq, min, max;
};

struct aggregates; /* growing, then finished, in an arena */

/* For instances of one attribute in the range of q. The periods begin at q's start; with an open start, at the first
 * instance's place. buckets_max: "limits.aggregation_periods" → E_TOO_COMPLEX from aggregates_end(). */
struct aggregates *aggregates_begin(const struct temporal_query *q, uint32_t buckets_max, struct arena *a);
/* Instances come in any order. p is in the range already (temporal_match); its time is of q's property. */
void aggregates_add(struct aggregates *g, const struct point *p);
/* Numbers of a Property at times (of q's property); those out of the range are left out. Any order. */
void aggregates_add_numbers(struct aggregates *g, const int64_t *times, const double *numbers, uint32_t n);
/* Would all from first to last fall into one period, and do the methods asked for need no more than a summary? Then
 * aggregates_add_summary() does it. Never with distinctCount. */
bool aggregates_take_summary(const struct aggregates *g, int64_t first, int64_t last);
void aggregates_add_summary(struct aggregates *g, int64_t first, const struct number_summary *s);
/* After the last. E_TOO_COMPLEX; E_BAD_REQUEST-like (InvalidRequest, 5.7.4.4) when the values allow none of the methods
 * asked for: see why. */
MUST_USE enum status aggregates_end(struct aggregates *g, struct why *why);

/* Of finished ones. A period without an instance is left out. */
struct aggregate_value {
    bool there;           /* the method applies to what the period has */
    struct value value;   /* number, string, DateTime …, as text or number */
};
struct aggregate_period {
    int64_t from_us, to_us; /* as in the answer */
    struct aggregate_value values[AGGREGATE_METHOD_COUNT];
};
uint32_t aggregates_count(const struct aggregates *g);
const struct aggregate_period *aggregates_period(const struct aggregates *g, uint32_t i);
uint8_t aggregates_kind(const struct aggregates *g); /* enum attr_kind of the instances: the label (4.5.19.0) */
/* "avg" … of an enum aggregate_method. */
const char *aggregate_name(int method);

#endif
