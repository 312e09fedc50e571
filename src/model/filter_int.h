/* What the files that evaluate filters share. */
#ifndef MODEL_FILTER_INT_H
#define MODEL_FILTER_INT_H

#include "model/filter.h"

/* Does the geometry v meet g? False for other values. */
bool filter_geo_match(const struct geo_filter *g, const struct value *v);

/* Does the value of an attribute instance of that kind meet the operator and operands of c? What
 * lies on the way to it (links, path, member) is not looked at, c->value_path is. a: scratch. */
bool filter_value_match(const struct compare *c, enum attr_kind kind, const struct value *v,
                        struct arena *a);
/* The same for the member c->member of an attribute. */
bool filter_member_match(const struct compare *c, const struct attr *attr, struct arena *a);
/* The same for a time. TIME_NONE: there is none. */
bool filter_time_match(const struct compare *c, int64_t us);

#endif
