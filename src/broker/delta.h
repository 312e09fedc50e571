/* What a change did to the attributes of an entity (CIM 009 clause 5.8.6): an attribute
 * changes when any member of it, children included, gets another value; writing the
 * same again is none. Pure. */
#ifndef BROKER_DELTA_H
#define BROKER_DELTA_H

#include "base/arena.h"
#include "model/doc.h"

#include <stdint.h>

/* One attribute and what became of its instances: TRIGGER_ATTR_… of model/subscription.h. */
struct delta_attr {
    uint32_t term;
    uint32_t triggers;
};

struct delta {
    uint32_t entity;   /* TRIGGER_ENTITY_CREATED, TRIGGER_ENTITY_DELETED, or 0 */
    uint32_t triggers; /* of all attributes and the entity together */
    uint32_t count;
    struct delta_attr *attrs; /* by term; in the arena */
};

/* before NULL: created; after NULL: deleted; not both. Scratch and result in the arena. */
void delta_of(const struct doc *before, const struct doc *after, struct arena *a,
              struct delta *out);

#endif
