/* Putting together what several sources say about the same entities (CIM 009
 * clauses 4.5.5, 5.7.1.4, 5.7.2.4). */
#ifndef BROKER_MERGE_H
#define BROKER_MERGE_H

#include "model/doc.h"
#include "model/entity.h"

/* What one source answered about one entity: a block of the local store or a tree. Exactly one is set. */
struct fragment {
    const struct doc *doc;
    const struct entity *entity;
    bool auxiliary; /* fills gaps only */
};

/* The tree of a fragment, in the arena. */
void fragment_entity(const struct fragment *f, struct arena *a, struct entity *out);

/* Merges fragments of one entity: types and scopes are united; of instances with the same attribute and datasetId
 * the one with the latest observedAt wins, then the latest modifiedAt, then the earlier source; auxiliary ones never win. */
void merge_fragments(const struct fragment *fragments, uint32_t count, struct arena *a, struct entity *out);

#endif
