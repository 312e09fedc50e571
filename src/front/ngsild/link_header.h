/* The Link header (RFC 8288) as far as it names a JSON-LD @context. */
#ifndef FRONT_NGSILD_LINK_HEADER_H
#define FRONT_NGSILD_LINK_HEADER_H

#include "net/http_server.h"

/* Target of the link with rel="http://www.w3.org/ns/json-ld#context", absent when there is none. Two such links, or
 * a header that is no list of links: E_BAD_DATA. */
MUST_USE enum status link_header_context(const struct http_request *r, struct str *target, struct why *why);
/* The same of one header value, for tests. *target is left alone when there is none. */
MUST_USE enum status link_header_read(struct str value, struct str *target, struct why *why);

#endif
