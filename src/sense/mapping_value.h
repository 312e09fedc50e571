/* Private to mapping_apply: one value on its way from a file to JSON. */
#ifndef SENSE_MAPPING_VALUE_H
#define SENSE_MAPPING_VALUE_H

#include "sense/mapping.h"

/* Absent, or one of the mapping's marks for a missing value. */
bool mapping_is_missing(const struct mapping *m, const struct json *v);
/* Appends v as the attribute's type demands: map, conversion, scale, bounds. E_NOT_FOUND: the map
 * says that there is no value. E_BAD_DATA: why->text begins with the value and says what is wrong
 * with it; what was appended is then void. */
MUST_USE enum status mapping_put_value(const struct mapping_attr *a, const struct json *v,
                                       int zone_minutes, struct buf *out, struct why *why);
/* Appends a number exactly as written where JSON allows that; false when v is no finite number. */
bool mapping_put_number(const struct json *v, struct buf *out, double *number);

#endif
