/* From evolutions to JSON: temporal (CIM 009 clauses 4.5.6 … 4.5.8), simplified (4.5.9, "temporalValues") and aggregated
 * (4.5.19, "aggregatedValues") representations. */
#ifndef MODEL_REPRESENT_TEMPORAL_H
#define MODEL_REPRESENT_TEMPORAL_H

#include "model/aggregate.h"
#include "model/represent.h"

enum represent_temporal_format { TEMPORAL_NORMALIZED, TEMPORAL_CONCISE, TEMPORAL_VALUES, TEMPORAL_AGGREGATED };

struct represent_temporal {
    struct represent base;        /* context, arena, pick, omit, lang, datasets, sys_attrs, at_context */
    uint8_t format;               /* enum represent_temporal_format */
    const struct temporal_query *query; /* methods; which time goes with a value in the simplified form */
};

/* One evolution as a JSON object. Every attribute is an array of its instances, all datasets in one, in order of time;
 * with lastN, latest first is not meant: order stays by time. instanceId is always shown (4.5.7); createdAt, modifiedAt
 * with sysAttrs; deletedAt where there is one. An attribute of whose series a partial answer has left out all (struct series,
 * model/evolution.h) is an empty list. */
void represent_evolution(struct buf *b, const struct represent_temporal *r, const struct evolution *e);
/* Does any instance show? */
bool represent_evolution_leaves(const struct represent_temporal *r, const struct evolution *e);

#endif
