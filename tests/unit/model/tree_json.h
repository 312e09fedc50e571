/* Entity trees from and to a JSON notation close to normalized NGSI-LD, so that
 * tests of edits can be read. It is not the reader: nothing is validated or
 * expanded (a name is its own IRI), times are numbers (µs).
 *
 *   {"type": ["T"], "scope": ["/a"], "expiresAt": 9,
 *    "speed": [{"type": "Property", "value": 1, "datasetId": "urn:d:1", "unitCode": "KMH",
 *               "accuracy": {"type": "Property", "value": 2}}]}
 *
 * In fragments "urn:ngsi-ld:null" and its forms stand for NGSI-LD Null. An attribute
 * that is no object, or has a value without a type, is guessed to be a Property;
 * "@lang" and "@observedAt" set struct attr's lang and a common observedAt.
 * Written are also createdAt, modifiedAt and "@seq"; instances always as arrays. */
#ifndef TESTS_TREE_JSON_H
#define TESTS_TREE_JSON_H

#include "base/json.h"
#include "model/entity.h"

void tree_read(struct arena *a, struct terms *terms, struct str id, const struct json *v,
               struct entity *out);
/* Instances of the attribute `name`: an object or an array of them. */
uint32_t tree_read_attr(struct arena *a, struct terms *terms, struct str name, const struct json *v,
                        struct attr **out);
void tree_write(struct buf *b, const struct terms *terms, const struct entity *e);
/* The whole of text, which is valid. */
struct json *tree_parse(struct arena *a, struct str text);

#endif
