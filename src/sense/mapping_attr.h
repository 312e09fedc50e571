/* Private to the mapping readers: one attribute of an entity in a mapping. */
#ifndef SENSE_MAPPING_ATTR_H
#define SENSE_MAPPING_ATTR_H

#include "sense/mapping.h"
#include "sense/member.h"

MUST_USE enum status mapping_read_attr(struct member_reader *r, struct str name,
                                       const struct json *v, const struct at *at,
                                       struct mapping_attr *out);

#endif
