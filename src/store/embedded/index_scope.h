/* Entities by scope pattern (clause 4.19). Scopes are kept by name, so that a pattern's
 * levels before its first wildcard bound what is tried. */
#ifndef STORE_EMBEDDED_INDEX_SCOPE_H
#define STORE_EMBEDDED_INDEX_SCOPE_H

#include "store/embedded/index.h"

/* About how many entities. */
uint64_t index_scope_estimate(const struct index *ix, struct str pattern);
/* Adds exactly those that have a scope meeting the pattern. */
void index_scope_collect(const struct index *ix, struct str pattern, struct bitmap *out);

#endif
