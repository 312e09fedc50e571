/* The syntax of IRIs and JSON-LD keywords, as far as contexts need it. */
#ifndef MODEL_CONTEXT_IRI_H
#define MODEL_CONTEXT_IRI_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

/* Starts with a scheme and a colon (RFC 3986 section 3.1). */
bool context_iri_has_scheme(struct str s);
/* Has a scheme and no byte that an IRI cannot have (RFC 3987 section 2.2). */
bool context_iri_is_absolute(struct str s);
/* Ends in a character after which a name may be appended (RFC 3986 gen-delims). */
bool context_iri_ends_in_delimiter(struct str s);
/* A keyword of JSON-LD 1.1. */
bool context_iri_is_keyword(struct str s);
/* "@" and letters only: reserved for keywords to come, ignored where it is none. */
bool context_iri_has_keyword_form(struct str s);
/* ref against base (RFC 3986 section 5.2). Absent when ref is relative and base no absolute IRI.
 * The result lives in the arena or is ref. */
struct str context_iri_resolve(struct str base, struct str ref, struct arena *a);
/* One after another, in the arena. */
struct str context_iri_join(const struct str *parts, size_t count, struct arena *a);

#endif
