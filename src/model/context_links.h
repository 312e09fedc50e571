/* The @context that an HTTP Link header names (RFC 8288; JSON-LD 1.1, section 6.2;
 * CIM 009 clause 6.3.5). */
#ifndef MODEL_CONTEXT_LINKS_H
#define MODEL_CONTEXT_LINKS_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* value: of one Link header, or of several joined by commas. *target: of the link whose relation is
 * http://www.w3.org/ns/json-ld#context, absent when there is none; borrowed from value. Other links
 * are passed over. E_INVALID_REQUEST, with the column, when value is no list of links; E_BAD_DATA
 * when two links name a context. The arena is for scratch. */
MUST_USE enum status context_links_find(struct str value, struct arena *a, struct str *target,
                                        struct why *why);

#endif
