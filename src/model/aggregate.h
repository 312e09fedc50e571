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

struct kept_aggregate;
struct aggregates; /* growing, then finished, in an arena */

/* For instances of one attribute in the range of q, which is copied. The periods begin at q's start; with an open start,
 * at the first instance's time. One with PT0S spans q's range, an open side of which ends at the outermost instance. A
 * period is as long as was asked for, also the last of a range that is no multiple of it.
 * buckets_max: periods with an instance, "limits.aggregation_periods" → E_TOO_COMPLEX from aggregates_end(). */
struct aggregates *aggregates_begin(const struct temporal_query *q, uint32_t buckets_max, struct arena *a);
/* With distinctCount, so many different values of all periods at most, 0: any number; "limits.aggregation_values" → E_TOO_COMPLEX
 * from aggregates_end(). */
void aggregates_bound(struct aggregates *g, uint32_t distinct_max);
/* Is the start of the periods not known yet? Then aggregates_start() comes before the first instance. */
bool aggregates_wait(const struct aggregates *g);
/* With an open start: the time of the first instance; any that is before is left out. Else nothing. */
void aggregates_start(struct aggregates *g, int64_t first_us);
/* Instances come in any order. p is in the range already (temporal_match); its time is of q's property, or its place
 * when it has none. Deletions are no values and are left out. p need not outlive the call. */
void aggregates_add(struct aggregates *g, const struct point *p);
/* Numbers of a Property at times (of q's property); those out of the range are left out. Any order; fast when ascending. */
void aggregates_add_numbers(struct aggregates *g, const int64_t *times, const double *numbers, uint32_t n);
/* Would all from first to last fall into one period, and do the methods asked for need no more than a summary? Then
 * aggregates_add_summary() does it. Never with distinctCount. */
bool aggregates_take_summary(const struct aggregates *g, int64_t first, int64_t last);
/* False, and nothing is added: a standard deviation was asked for and would be lost to rounding in s (its sum of squares
 * is too great for it); add the numbers themselves. */
MUST_USE bool aggregates_add_summary(struct aggregates *g, int64_t first, int64_t last, const struct number_summary *s);
/* Aggregates of this span can be added: no period asked for is shorter. */
bool aggregates_take_kept(const struct aggregates *g, int64_t span_us);
/* In the range or not; it belongs to the period in which it begins. A period that has one has no distinctCount. k need not
 * outlive the call. */
void aggregates_add_kept(struct aggregates *g, const struct kept_aggregate *k);
/* After the last. E_TOO_COMPLEX; E_INVALID_REQUEST (5.7.4.4) when the values allow none of the methods asked for. Whether
 * that is an error, because the attribute was asked for by name, or the attribute is left out, is the caller's to say. */
MUST_USE enum status aggregates_end(struct aggregates *g, struct why *why);

/* Of finished ones. A period without an instance is left out. */
struct aggregate_value {
    bool there;         /* the method was asked for, and applies to what the period has */
    struct value value; /* VALUE_INT, VALUE_REAL, or VALUE_STRING: also a DateTime, Date or Time */
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
