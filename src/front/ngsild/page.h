/* Pages of lists (CIM 009 clauses 5.5.9, 6.3.10, 6.3.13). */
#ifndef FRONT_NGSILD_PAGE_H
#define FRONT_NGSILD_PAGE_H

#include "front/ngsild/exchange.h"

struct page {
    uint64_t limit, offset;
    bool count; /* the number of results is wanted */
};

enum { PAGE_HEADERS_MAX = 3 };

/* From the parameters. */
MUST_USE enum status page_read(struct exchange *x, struct page *p);
/* Results-Count and the links to the pages around; more: there are elements behind this page.
 * Returns how many headers these are. */
size_t page_headers(struct exchange *x, const struct page *p, uint64_t total, bool more,
                    struct http_header headers[PAGE_HEADERS_MAX]);

#endif
