/* How long an answer may be kept, from its headers (RFC 9111 sections 4.2.1 and 5.2.2). */
#ifndef NET_HTTP_FRESHNESS_H
#define NET_HTTP_FRESHNESS_H

#include "base/str.h"

#include <stdint.h>

struct http_freshness {
    int64_t shared_s, max_age_s, expires, date, age_s; /* -1: not seen; expires, date: Unix time */
    bool forbidden;                                    /* no-store or no-cache */
};

void http_freshness_init(struct http_freshness *f);
/* One header line, with or without its line end. */
void http_freshness_header(struct http_freshness *f, struct str line);
/* What is left of the lifetime the origin states, at least 0; -1 when it states none.
 * received: Unix time of the answer, for one without Date. */
int64_t http_freshness_seconds(const struct http_freshness *f, int64_t received);

#endif
