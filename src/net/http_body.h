/* Where a request's body is collected: a small one in the request's arena, a large one in a block
 * of its own. A few blocks are kept, as fresh memory from the kernel costs more than the copy. */
#ifndef NET_HTTP_BODY_H
#define NET_HTTP_BODY_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_BODY_KEPT = 4 };

struct http_body_pool {
    struct {
        char *p;
        size_t cap;
    } kept[HTTP_BODY_KEPT];
    size_t count;
};
void http_body_pool_free(struct http_body_pool *pool);

struct http_body {
    char *p;
    size_t n, cap;
    uint64_t announced; /* Content-Length, 0: not known */
    bool block;         /* p is not the arena's */
};
/* announced bytes, which need not come: no more than 1 MiB is taken for them at first. */
void http_body_prepare(struct http_body *b, struct http_body_pool *pool, struct arena *a,
                       uint64_t announced);
/* The caller keeps b->n + n within the limit. */
void http_body_add(struct http_body *b, struct http_body_pool *pool, const char *p, size_t n);
void http_body_release(struct http_body *b, struct http_body_pool *pool);

#endif
