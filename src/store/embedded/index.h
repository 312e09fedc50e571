/* The indexes of a tenant: which slots have a type, an attribute, a scope, a geometry near
 * here, a value between those, an end before then. Kept by the committer under the tenant's
 * lock, so that they agree with the state; read under it.
 *
 * Each index gives a set that holds every entity meant: exactly these (types, attributes,
 * scopes) or a few more (cells, values), which evaluation sorts out. */
#ifndef STORE_EMBEDDED_INDEX_H
#define STORE_EMBEDDED_INDEX_H

#include "model/doc.h"
#include "store/embedded/bitmap.h"
#include "store/embedded/census.h"
#include "store/embedded/index_expiry.h"
#include "store/embedded/index_value.h"
#include "store/embedded/name_map.h"
#include "store/embedded/ordered.h"
#include "store/embedded/state.h"
#include "store/embedded/term_map.h"

/* A scope that entities have; the name stands behind it. */
struct index_scope {
    struct bitmap *slots;
    struct str name;
};

struct index {
    struct bitmap *live;        /* every entity */
    struct term_map types;      /* struct bitmap */
    struct term_map attrs;      /* struct bitmap */
    struct name_map *scopes;    /* struct index_scope */
    struct term_map cells;      /* struct ordered: geometries of an attribute, index_geo.h */
    struct index_expiry ends;   /* entities that end themselves */
    struct index_expiry parts;  /* entities in which something ends before they do */
    struct census *census;      /* how many of what */
    struct index_value *values; /* ordered indexes on attributes that queries use */
};

/* Caller owns. */
struct index *index_new(void);
void index_free(struct index *ix);
void index_add(struct index *ix, uint32_t slot, const struct doc *d);
void index_remove(struct index *ix, uint32_t slot, const struct doc *d);
/* Touches only what differs. changed: terms of the n attributes that may; NULL: not known. */
void index_replace(struct index *ix, uint32_t slot, const struct doc *before,
                   const struct doc *after, const uint32_t *changed, uint32_t n);
size_t index_bytes(const struct index *ix);

/* NULL: no entity ever had it. Borrowed; live as long as ix. */
const struct bitmap *index_type(const struct index *ix, uint32_t term);
const struct bitmap *index_attr(const struct index *ix, uint32_t term);
const struct ordered *index_cells(const struct index *ix, uint32_t term);
struct index_value *index_value_of(const struct index *ix, uint32_t term);

/* Puts the next n slots of s into v. True: there are more. */
bool index_value_build(struct index_value *v, const struct state *s, uint32_t n);

/* Makes everything anew from s and compares. Returns the number of disagreements; text says the
 * first. */
uint64_t index_verify(const struct index *ix, const struct state *s, char *text, size_t n);

#endif
