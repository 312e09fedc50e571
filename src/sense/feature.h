/* A GeoJSON feature without a mapping.
 *
 * A feature that is an NGSI-LD entity in GeoJSON representation (CIM 009 clause
 * 4.5.16: "id" is a URI, "properties" has a "type" and attributes) becomes that
 * entity again. Any other takes its type from the options, its id from the feature
 * or from its geometry, and its properties as they are. */
#ifndef SENSE_FEATURE_H
#define SENSE_FEATURE_H

#include "sense/source_impl.h"

/* Adds the entity, or the reason why there is none. geometry may be NULL; digest is of it. */
void feature_add(struct source *s, const struct json *feature, const struct json *geometry,
                 struct str digest);

#endif
