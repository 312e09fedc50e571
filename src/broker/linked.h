/* Linked entity retrieval (CIM 009 clauses 4.5.23, 5.7.1.5, 5.7.2.5): the entities
 * that the Relationships of some entities lead to, level by level, one query of the
 * store a level. For answers and notifications alike.
 *
 * A URI that was encountered before is not followed again, which ends every cycle:
 * flat, no entity is there twice, the given ones included; inline, none is below the
 * same given entity twice, and the nearest Relationship has it. What is not held here
 * stays a URI. */
#ifndef BROKER_LINKED_H
#define BROKER_LINKED_H

#include "broker/broker.h"
#include "model/links.h"

struct linked {
    /* in */
    const struct caller *caller;
    struct runner *home;
    int64_t deadline_us;
    struct arena *arena;
    const struct join *join;            /* kind is not JOIN_NONE */
    const struct represent *represent;  /* of the answer: only what shows is followed */
    struct link_node *roots;            /* entity, pick and omit are set; trees that do not borrow from the store */
    uint32_t root_count;
    uint32_t entities_max;              /* Relationships followed, "limits.linked_entities": E_TOO_COMPLEX */
    /* NULL, or called once with each linked entity before it is looked at; may change it. */
    void (*prepare)(struct linked *l, struct entity *e);
    void (*done)(struct linked *l);
    /* out */
    enum status status;
    struct why why;
    struct link_node **found; /* linked entities, nearest first; the roots' edges lead to them */
    uint32_t found_count;
    /* private */
    struct broker *broker;
    struct store_query query;
    struct linked_walk *walk;
};
/* True: completed at once, done is not called. */
bool linked_resolve(struct broker *b, struct linked *l);

#endif
