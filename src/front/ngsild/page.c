/* limit, offset and count in, links to the neighbours and the number of results out; the same for every list. */
#include "front/ngsild/page.h"

#include "front/ngsild/negotiate.h"
#include "front/ngsild/params.h"

#include <inttypes.h>

enum status page_read(struct exchange *x, struct page *p)
{
    const struct ngsild_limits *limits = &x->api->limits;
    *p = (struct page){.limit = limits->page_default};
    enum status st = params_u64(x, PARAM_LIMIT, limits->page, "limits.page", &p->limit);
    if (st == OK)
        st = params_u64(x, PARAM_OFFSET, limits->offset, "limits.offset", &p->offset);
    if (st == OK)
        st = params_bool(x, PARAM_COUNT, &p->count);
    if (st == OK && !p->limit && !p->count)
        return why_set(&x->why, E_BAD_DATA, NULL, "limit=0 is allowed together with count=true only");
    return st;
}

static struct http_header link_to(struct exchange *x, uint64_t limit, uint64_t offset, const char *rel)
{
    struct str path = x->http->path;
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return (struct http_header){"Link", arena_printf(x->arena, "<%.*s%.*s>; rel=\"%s\"; type=\"%s\"", STR_ARG(path),
                                                     STR_ARG(params_page(x, limit, offset)), rel, media_name(x->accept))};
}

size_t page_headers(struct exchange *x, const struct page *p, uint64_t total, bool more,
                    struct http_header headers[PAGE_HEADERS_MAX])
{
    size_t n = 0;
    if (p->count)
        headers[n++] = (struct http_header){"NGSILD-Results-Count", arena_printf(x->arena, "%" PRIu64, total)};
    if (p->offset > 0 && p->limit)
        headers[n++] = link_to(x, p->limit, p->offset > p->limit ? p->offset - p->limit : 0, "prev");
    if (more && p->limit)
        headers[n++] = link_to(x, p->limit, p->offset + p->limit, "next");
    return n;
}
