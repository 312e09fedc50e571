/* Which instances of a temporal evolution are meant, and what is to be worked out from them: the temporal query
 * (CIM 009 clauses 4.11, 5.2.21) and the aggregation (4.5.19). */
#ifndef MODEL_TEMPORAL_H
#define MODEL_TEMPORAL_H

#include "base/status.h"
#include "base/time.h"
#include "model/evolution.h"

#include <stdbool.h>
#include <stdint.h>

enum time_relation { TIMEREL_ANY, TIMEREL_BEFORE, TIMEREL_AFTER, TIMEREL_BETWEEN };

enum aggregate_method {
    AGGREGATE_TOTAL_COUNT,
    AGGREGATE_DISTINCT_COUNT,
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_STDDEV,
    AGGREGATE_SUMSQ,
    AGGREGATE_METHOD_COUNT
};
#define AGGREGATE_BIT(method) (UINT32_C(1) << (method))

struct temporal_query {
    uint8_t relation; /* enum time_relation */
    uint8_t property; /* enum time_property */
    bool must_have;   /* only instances that have the property: a relation or a property was given */
    bool by_place;    /* instead of a property: where instances stand in their series (point_place()). With methods: the property
                         is TIME_OBSERVED_AT, and need not be there */
    int64_t from_us;  /* inclusive; INT64_MIN: open */
    int64_t to_us;    /* exclusive; INT64_MAX: open */
    uint32_t last_n;  /* 0: all */
    uint32_t methods; /* AGGREGATE_BIT of each; 0: no aggregation */
    struct duration period; /* of a bucket; zero: one bucket for the whole range */
};

/* What is given, by name as in 5.2.21; absent: not given. aggregated: the representation asked for is the aggregated one. */
struct temporal_words {
    struct str timerel, time_at, end_time_at, timeproperty;
    struct str last_n;
    struct str aggr_methods; /* comma separated */
    struct str aggr_period_duration;
    bool aggregated;
};
struct temporal_limits {
    uint32_t last_n_max;  /* "limits.last_n" */
    uint32_t buckets_max; /* "limits.aggregation_periods" */
};
/* "observedAt" … */
const char *time_property_name(enum time_property property);
/* E_BAD_DATA names the member; limits (NULL: none) are kept where the words alone tell (inverted ranges, more periods than may be). */
MUST_USE enum status temporal_read(const struct temporal_words *w, const struct temporal_limits *limits,
                                   struct temporal_query *out, struct why *why);
/* Does the time of p satisfy q? last_n is not looked at. */
bool temporal_match(const struct temporal_query *q, const struct point *p);

#endif
