/* Reading a temporal query, and telling whether an instance is meant. */
#include "model/temporal.h"

#include "model/aggregate.h"

static const char *const RELATIONS[] = {
    [TIMEREL_BEFORE] = "before", [TIMEREL_AFTER] = "after", [TIMEREL_BETWEEN] = "between"};
static const char *const PROPERTIES[] = {[TIME_OBSERVED_AT] = "observedAt",
                                         [TIME_CREATED_AT] = "createdAt",
                                         [TIME_MODIFIED_AT] = "modifiedAt",
                                         [TIME_DELETED_AT] = "deletedAt"};
static const char *const METHODS[] = {[AGGREGATE_TOTAL_COUNT] = "totalCount",
                                      [AGGREGATE_DISTINCT_COUNT] = "distinctCount",
                                      [AGGREGATE_SUM] = "sum",
                                      [AGGREGATE_AVG] = "avg",
                                      [AGGREGATE_MIN] = "min",
                                      [AGGREGATE_MAX] = "max",
                                      [AGGREGATE_STDDEV] = "stddev",
                                      [AGGREGATE_SUMSQ] = "sumsq"};

const char *aggregate_name(int method)
{
    return METHODS[method];
}

const char *time_property_name(enum time_property property)
{
    return PROPERTIES[property];
}

static enum status read_range(const struct temporal_words *w, struct temporal_query *q, struct why *why)
{
    int64_t at, end;
    if (str_absent(w->timerel) && str_absent(w->time_at) && str_absent(w->end_time_at))
        return OK;
    for (uint8_t i = TIMEREL_BEFORE; i <= TIMEREL_BETWEEN; i++)
        if (str_eq(w->timerel, str_of(RELATIONS[i])))
            q->relation = i;
    if (q->relation == TIMEREL_ANY)
        return why_set(why, E_BAD_DATA, NULL, "timerel must be before, after or between");
    if (!time_parse(w->time_at, &at))
        return why_set(why, E_BAD_DATA, NULL, "timerel needs a timeAt that is a DateTime");
    if (q->relation == TIMEREL_BEFORE)
        q->to_us = at;
    else
        q->from_us = at;
    if (q->relation == TIMEREL_BETWEEN) {
        if (!time_parse(w->end_time_at, &end) || end < at)
            return why_set(why, E_BAD_DATA, NULL, "between needs an endTimeAt that is not before timeAt");
        q->to_us = end;
    }
    q->must_have = true;
    return OK;
}

static enum status read_property(struct str text, struct temporal_query *q, struct why *why)
{
    if (str_absent(text))
        return OK;
    uint8_t i = 0;
    while (i < TIME_PROPERTY_COUNT && !str_eq(text, str_of(PROPERTIES[i])))
        i++;
    if (i == TIME_PROPERTY_COUNT)
        return why_set(why, E_BAD_DATA, NULL, "timeproperty must be observedAt, createdAt, modifiedAt or deletedAt");
    q->property = i;
    q->must_have = true;
    return OK;
}

static enum status read_last_n(struct str text, uint32_t max, struct temporal_query *q, struct why *why)
{
    uint64_t n = 0;
    if (str_absent(text))
        return OK;
    bool number = text.n > 0;
    for (size_t i = 0; i < text.n && number; i++) {
        number = text.p[i] >= '0' && text.p[i] <= '9';
        n = n > UINT32_MAX ? n : n * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (!number || n == 0)
        return why_set(why, E_BAD_DATA, NULL, "lastN must be a positive integer");
    if (n > max)
        return why_limit(why, E_LIMIT, NULL, "limits.last_n", "lastN is at most %u", max);
    q->last_n = (uint32_t)n;
    return OK;
}

static enum status read_methods(struct str text, struct temporal_query *q, struct why *why)
{
    if (!text.n)
        return why_set(why, E_BAD_DATA, NULL, "aggregatedValues need aggrMethods");
    for (struct str rest = text; !str_absent(rest);) {
        size_t comma = str_find_char(rest, ',');
        struct str name = str_head(rest, comma);
        rest = comma == STR_NPOS ? STR_NONE : str_from(rest, comma + 1);
        int i = 0;
        while (i < AGGREGATE_METHOD_COUNT && !str_eq(name, str_of(METHODS[i])))
            i++;
        if (i == AGGREGATE_METHOD_COUNT)
            return why_set(why, E_BAD_DATA, NULL, "aggrMethods: '%.*s' is none of totalCount, distinctCount, sum, avg, min, max, "
                           "stddev and sumsq", STR_ARG(name));
        q->methods |= AGGREGATE_BIT(i);
    }
    return OK;
}

/* Would [from, to) have more than max periods? Cheap: looks where the period after max of them begins. */
static bool too_many(const struct temporal_query *q, uint32_t max)
{
    bool whole = q->period.months == 0 && q->period.us == 0;
    return q->relation == TIMEREL_BETWEEN && !whole && time_add(q->from_us, q->period, max) < q->to_us;
}

static enum status read_aggregation(const struct temporal_words *w, uint32_t buckets_max, struct temporal_query *q,
                                    struct why *why)
{
    enum status st = read_methods(w->aggr_methods, q, why);
    if (st != OK)
        return st;
    if (!str_absent(w->aggr_period_duration) && !duration_parse(w->aggr_period_duration, &q->period))
        return why_set(why, E_BAD_DATA, NULL, "aggrPeriodDuration must be an ISO 8601 duration, as PT1H or P1M");
    if (q->period.months < 0 || q->period.us < 0)
        return why_set(why, E_BAD_DATA, NULL, "aggrPeriodDuration must not be negative");
    if (too_many(q, buckets_max))
        return why_limit(why, E_LIMIT, NULL, "limits.aggregation_periods",
                         "the time asked about has more than %u periods of aggrPeriodDuration", buckets_max);
    return OK;
}

enum status temporal_read(const struct temporal_words *w, const struct temporal_limits *limits,
                          struct temporal_query *out, struct why *why)
{
    *out = (struct temporal_query){.from_us = INT64_MIN, .to_us = INT64_MAX};
    enum status st = read_range(w, out, why);
    if (st == OK)
        st = read_property(w->timeproperty, out, why);
    if (st == OK)
        st = read_last_n(w->last_n, limits ? limits->last_n_max : UINT32_MAX, out, why);
    if (st == OK && w->aggregated)
        st = read_aggregation(w, limits ? limits->buckets_max : UINT32_MAX, out, why);
    return st;
}

bool temporal_match(const struct temporal_query *q, const struct point *p)
{
    int64_t us = q->by_place ? point_place(p) : point_time(p, q->property);
    return us == TIME_NONE ? !q->must_have : us >= q->from_us && us < q->to_us;
}
