/* Media types and the @context a request names (CIM 009 clauses 6.3.4, 6.3.5). */
#ifndef FRONT_NGSILD_NEGOTIATE_H
#define FRONT_NGSILD_NEGOTIATE_H

#include "front/ngsild/exchange.h"

/* Chooses x->accept by RFC 9110 section 12.5.1; GeoJSON only where geo is true. E_NOT_ACCEPTABLE. */
MUST_USE enum status negotiate_accept(struct exchange *x, bool geo);
/* GeoJSON is no answer of operations other than consumption: E_NOT_ACCEPTABLE when it is all that is accepted. */
MUST_USE enum status negotiate_no_geo(struct exchange *x);
/* Sets x->content. E_MEDIA_TYPE; application/merge-patch+json only for PATCH. */
MUST_USE enum status negotiate_content(struct exchange *x);
/* Finds the @context in Link header or body by the rules of 6.3.5; sets x->spec. E_INVALID_REQUEST when a Link header
 * is no list of links, E_BAD_DATA when the rules are broken. */
MUST_USE enum status negotiate_context(struct exchange *x);
/* Weight in thousandths that the parameters of a media range give it; 1000 when they say nothing that can be understood. */
int negotiate_quality(struct str parameters);
/* "application/json" … */
const char *media_name(enum media m);

#endif
