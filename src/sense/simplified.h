/* Entities in simplified representation (key-values, CIM 009 clause 4.5.4) and their
 * way back to the normalized one.
 *
 * A member becomes a Property, unless its value is a GeoJSON geometry (GeoProperty),
 * an id "urn:ngsi-ld:…" or an array of them (Relationship), or one of the objects
 * {"languageMap": …}, {"vocab": …}, {"json": …} that the representation defines. */
#ifndef SENSE_SIMPLIFIED_H
#define SENSE_SIMPLIFIED_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>

/* True when no member is an attribute in normalized or concise form. */
bool simplified_is(const struct json *entity);
/* The entity in normalized form. */
void simplified_write(const struct json *entity, struct buf *out);
/* One member's value as a normalized attribute. */
void simplified_write_attr(const struct json *value, struct buf *out);

#endif
