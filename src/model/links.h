/* Linked entities (CIM 009 clause 4.5.23): what is asked for, which Relationships of
 * an entity lead on, and the graph that was found. Whoever holds the entities finds
 * it (broker/linked.h); a representation shows it inline, or writes its nodes one
 * after another.
 *
 * Only attributes of the entity itself lead on, and only those that show. */
#ifndef MODEL_LINKS_H
#define MODEL_LINKS_H

#include "model/represent.h"

#include <stdint.h>

enum join_kind { JOIN_NONE, JOIN_INLINE, JOIN_FLAT };

struct join {
    uint8_t kind;                /* enum join_kind */
    uint32_t level;              /* Relationships followed one after another, from 1 */
    const struct str *contained; /* containedBy: met before, not fetched again */
    uint32_t contained_count;
};

struct link_edge;
/* One entity of the graph. In an inline graph it is reached once from each linking entity. */
struct link_node {
    const struct entity *entity;
    const struct projection *pick, *omit; /* of this entity; NULL: all of it */
    uint32_t edge_count;
    struct link_edge *edges; /* in the order of the entity's instances, then of their objects */
};
struct link_edge {
    const struct attr *attr; /* an instance of the entity, by address */
    uint32_t object;         /* position in its list of objects, 0 when it has one */
    struct link_node *node;
};

/* A URI that a Relationship which shows leads to. */
struct link_target {
    const struct attr *attr;
    uint32_t object;
    struct str id;
    const struct projection *pick, *omit; /* of the entity there */
};
/* Calls found for each, in order. Of r, what it says about instances counts; pick and omit are the node's. */
void links_each(const struct represent *r, const struct link_node *n,
                void (*found)(void *arg, const struct link_target *t), void *arg);
/* Does anything of the node's entity show? */
bool links_leaves(const struct represent *r, const struct link_node *n);
/* The node one edge away, or NULL. */
const struct link_node *links_find(const struct link_node *n, const struct attr *a, uint32_t object);
/* r for that node: its projection, itself without @context and as no Feature. */
struct represent links_inner(const struct represent *r, const struct link_node *n);

#endif
