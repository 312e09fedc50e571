/* How far an entity may grow by one edit after another. The reader bounds what one request brings;
 * this bounds what is stored. What is beyond a bound already, because that was lowered, may still
 * change, but not grow. */
#ifndef MODEL_GROWTH_H
#define MODEL_GROWTH_H

#include "base/status.h"
#include "model/entity.h"

/* 0: no bound. */
struct growth_limits {
    size_t bytes_max;    /* of the document: "limits.entity_bytes" → E_TOO_LARGE */
    uint32_t attrs_max;  /* instances, sub-attributes included: "limits.attributes" → E_LIMIT */
    uint32_t types_max;  /* "limits.types" → E_LIMIT */
    uint32_t scopes_max; /* "limits.scopes" → E_LIMIT */
};

/* May old (NULL: absent), of old_bytes, become next, of next_bytes (doc_size())? */
enum status growth_check(const struct growth_limits *l, const struct entity *old, size_t old_bytes,
                         const struct entity *next, size_t next_bytes, struct why *why);

#endif
