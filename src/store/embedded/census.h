/* The census of a tenant: how many entities have each type, how many instances each attribute
 * has, of which kinds, and which types and attributes occur together (CIM 009 clauses 5.7.5 …
 * 5.7.10). Kept with the indexes, so that discovery looks at names, never at entities.
 *
 *   census ── side TYPES ── name ── pairs of that type ──┐
 *         └── side ATTRS ── name ── pairs of that attr ──┴─ pair: instances by kind
 *
 * What counts nothing any more leaves its lists at once: listing is proportional to what
 * exists, whatever existed before. No locking of its own. */
#ifndef STORE_EMBEDDED_CENSUS_H
#define STORE_EMBEDDED_CENSUS_H

#include "model/doc.h"
#include "store/embedded/term_map.h"

#include <stdbool.h>

enum { CENSUS_RECENT = 64 };
enum census_side { CENSUS_TYPES, CENSUS_ATTRS, CENSUS_SIDES };

/* A type and an attribute that some entity has both of. */
struct census_pair {
    uint32_t terms[CENSUS_SIDES];
    struct census_name *names[CENSUS_SIDES];
    uint64_t total;                      /* instances; never 0 */
    uint64_t instances[ATTR_KIND_COUNT]; /* of the attribute in entities of the type */
    struct census_pair *chain;
    struct census_pair *next[CENSUS_SIDES], *previous[CENSUS_SIDES]; /* of the same name */
};

struct census_name {
    uint32_t term;
    uint64_t count; /* entities of a type, instances of an attribute; 0: in no list */
    uint64_t instances[ATTR_KIND_COUNT]; /* of an attribute */
    struct census_pair *pairs;
    struct census_name *next, *previous;
};

struct census {
    struct term_map names[CENSUS_SIDES];    /* struct census_name */
    struct census_name *live[CENSUS_SIDES]; /* those that count something */
    struct census_pair **buckets;           /* NULL while empty */
    uint32_t bucket_count, pair_count;
    struct census_pair *recent[CENSUS_RECENT]; /* by place in the entity: the next one is often alike */
};

/* Caller owns. */
struct census *census_new(void);
void census_free(struct census *c);
void census_add(struct census *c, const struct doc *d);
/* count > 0 entities with the types of d and its attributes, of its kinds. */
void census_add_like(struct census *c, const struct doc *d, uint64_t count);
/* d, or as much, was added before. */
void census_remove(struct census *c, const struct doc *d);
/* NULL: counts nothing. Borrowed until the next change. */
const struct census_name *census_name(const struct census *c, enum census_side side, uint32_t term);
const struct census_pair *census_pair(const struct census *c, uint32_t type, uint32_t attr);
bool census_equal(const struct census *a, const struct census *b);
size_t census_bytes(const struct census *c);

#endif
