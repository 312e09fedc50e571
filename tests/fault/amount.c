/* See amount.h. */
#include "amount.h"

#include "loop.h"
#include "model/aggregate.h"

#include <string.h>

const struct str AMOUNT_DATASETS[AMOUNT_SERIES] = {{"", 0}, {"urn:d:1", 7}};

void amount_add(struct amount *a, int64_t value, int times)
{
    a->count += times;
    a->sum += times * value;
    a->squares = (int64_t)((uint64_t)a->squares + (uint64_t)times * (uint64_t)value * (uint64_t)value);
}

bool amount_same(const struct amount a[AMOUNT_SERIES], const struct amount b[AMOUNT_SERIES])
{
    return memcmp(a, b, AMOUNT_SERIES * sizeof a[0]) == 0;
}

static int64_t whole(const struct aggregate_period *p, enum aggregate_method m)
{
    const struct aggregate_value *v = &p->values[m];
    return !v->there ? 0 : v->value.kind == VALUE_INT ? v->value.integer : (int64_t)v->value.real;
}

void amount_read(const struct caller *caller, struct str id, struct arena *a, struct amount out[AMOUNT_SERIES])
{
    const uint32_t methods =
        AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT) | AGGREGATE_BIT(AGGREGATE_SUM) | AGGREGATE_BIT(AGGREGATE_SUMSQ);
    struct store_evolve v = loop_evolve(caller, id, methods, a);
    memset(out, 0, AMOUNT_SERIES * sizeof out[0]);
    for (uint32_t i = 0; v.evolution_count && i < v.evolutions[0].count; i++) {
        const struct series *s = &v.evolutions[0].series[i];
        const struct aggregate_period *p = aggregates_period(s->aggregates, 0);
        out[s->dataset.n > 0] = (struct amount){whole(p, AGGREGATE_TOTAL_COUNT), whole(p, AGGREGATE_SUM), whole(p, AGGREGATE_SUMSQ)};
    }
}
