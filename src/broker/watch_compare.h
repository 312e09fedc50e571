/* What a q says of the value of one attribute, for an index: whatever it matches has that value, or one
 * in that interval. Of the forms of clause 4.9 those that name an attribute alone, and strings or numbers. */
#ifndef BROKER_WATCH_COMPARE_H
#define BROKER_WATCH_COMPARE_H

#include "broker/watch_order.h"
#include "model/filter.h"

#include <stdbool.h>

/* An equality with strings or numbers that every match must meet, or NULL. q may be NULL. Borrowed from it. */
const struct compare *watch_equality(const struct filter *q);
/* The numbers of which every match must have one, or one below and one above, in the instances of *attr.
 * False: q says none. attr: borrowed from q. */
bool watch_interval(const struct filter *q, const struct name **attr, struct watch_range *r);

#endif
