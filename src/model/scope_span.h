/* When scopes are valid: from the time they were set until they were set anew or removed (CIM 009 clause 4.18, annex
 * C.5.16), and so which instances of a temporal evolution a scope query means. */
#ifndef MODEL_SCOPE_SPAN_H
#define MODEL_SCOPE_SPAN_H

#include "model/filter.h"
#include "model/temporal.h"

struct scope_span {
    int64_t from_us, to_us; /* from is inclusive, to exclusive; INT64_MAX: still */
    const struct point *point; /* what says so */
};

/* The spans in which scopes (a series of TERM_SCOPE; NULL: none) match expr, of those that touch the time q asks about,
 * in order. In the arena. */
uint32_t scope_spans(const struct scope_expr *expr, const struct series *scopes, const struct temporal_query *q,
                     struct arena *a, struct scope_span **out);
/* Does p lie in one of them? */
bool scope_spans_have(const struct scope_span *spans, uint32_t count, const struct temporal_query *q, const struct point *p);
/* The time by which q places p: the property asked about, or where it stands when it has none. */
int64_t temporal_place(const struct temporal_query *q, const struct point *p);

#endif
