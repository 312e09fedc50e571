/* The Prefer header (RFC 7240) as far as NGSI-LD uses it (CIM 009 clause 6.3.6): which
 * version the answer is to keep to, and where GeoJSON has its @context. */
#ifndef FRONT_NGSILD_PREFER_H
#define FRONT_NGSILD_PREFER_H

#include "net/http_server.h"

struct prefer {
    bool versioned;    /* ngsi-ld=<version> was given and understood */
    bool json_body;    /* body=json */
    unsigned minor;    /* the version that applies is 1.minor */
    struct str version; /* "1.minor", to be answered; static */
};

/* What is not understood is ignored; of a preference that is given twice, the first counts. */
void prefer_read(const struct http_request *r, struct prefer *out);
/* The same of one header value, for tests. */
void prefer_read_value(struct str value, struct prefer *out);

#endif
