/* Query string and path variables. */
#ifndef FRONT_NGSILD_PARAMS_H
#define FRONT_NGSILD_PARAMS_H

#include "front/ngsild/exchange.h"

/* Percent-decodes into the arena; with plus, '+' is a space. False: a broken escape or a NUL. */
MUST_USE bool params_decode(struct arena *a, struct str s, bool plus, struct str *out);
/* Percent-encodes what may not stand in a path segment or a query value. */
struct str params_encode(struct arena *a, struct str s);
/* Fills x->params and x->keywords; InvalidRequest for what the operation does not take (clause 6.3.20). */
MUST_USE enum status params_read(struct exchange *x);
/* true/false parameter; absent is false. */
MUST_USE enum status params_bool(struct exchange *x, uint32_t param, bool *out);
/* Decimal parameter of at most max; absent leaves *out. */
MUST_USE enum status params_u64(struct exchange *x, uint32_t param, uint64_t max, const char *limit, uint64_t *out);
/* Comma separated list; at most max parts, none empty. */
MUST_USE enum status params_list(struct exchange *x, uint32_t param, uint32_t max, struct str **out, uint32_t *count);
/* The query string again, with limit and offset replaced, parameters in alphabetical order. */
struct str params_page(struct exchange *x, uint64_t limit, uint64_t offset);

#endif
