/* Interned IRIs: a 32-bit id for every type and attribute name the city uses.
 *
 * Ids are dense, start at 1, never change and never go away while the process
 * runs. Looking up and reading are lock-free from any thread; interning takes a
 * short lock. A store writes the terms it has not logged yet ahead of the first
 * record that may use them, so an id on disk always has its IRI before it. Names
 * that only appear in queries are looked up, never interned. */
#ifndef MODEL_TERMS_H
#define MODEL_TERMS_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

#define TERM_NONE 0u

struct terms;

/* Caller owns. count_max: most ids in all ("limits.terms"). */
struct terms *terms_new(uint32_t count_max);
void terms_free(struct terms *t);
/* TERM_NONE when unknown. */
uint32_t terms_find(const struct terms *t, struct str iri);
/* TERM_NONE, with why (E_LIMIT "limits.terms"), when the table is full. */
uint32_t terms_intern(struct terms *t, struct str iri, struct why *why);
/* Borrowed: valid as long as the table. id must be known. */
struct str terms_iri(const struct terms *t, uint32_t id);
/* Highest id in use; 0 when empty. */
uint32_t terms_count(const struct terms *t);

#endif
