/* Collecting bodies; see the header. */
#include "net/http_body.h"

#include <assert.h>
#include <stdlib.h>

enum {
    IN_ARENA_MAX = 4096,
    FIRST_MAX = 1 << 20,
    KEPT_BYTES_MAX = 1 << 20, /* a block beyond this is not kept */
};

void http_body_pool_free(struct http_body_pool *pool)
{
    while (pool->count)
        free(pool->kept[--pool->count].p);
}

static void block_take(struct http_body *b, struct http_body_pool *pool, size_t bytes)
{
    b->block = true;
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->kept[i].cap < bytes)
            continue;
        b->p = pool->kept[i].p;
        b->cap = pool->kept[i].cap;
        pool->kept[i] = pool->kept[--pool->count];
        return;
    }
    b->p = mem_alloc(bytes);
    b->cap = bytes;
}

void http_body_release(struct http_body *b, struct http_body_pool *pool)
{
    if (b->block && pool->count < HTTP_BODY_KEPT && b->cap <= KEPT_BYTES_MAX) {
        pool->kept[pool->count].p = b->p;
        pool->kept[pool->count++].cap = b->cap;
    } else if (b->block) {
        free(b->p);
    }
    *b = (struct http_body){0};
}

void http_body_prepare(struct http_body *b, struct http_body_pool *pool, struct arena *a,
                       uint64_t announced)
{
    b->announced = announced;
    if (announced > IN_ARENA_MAX) {
        block_take(b, pool, announced < FIRST_MAX ? (size_t)announced : FIRST_MAX);
    } else if (announced) {
        b->cap = (size_t)announced;
        b->p = arena_alloc(a, b->cap);
    }
}

static void grow(struct http_body *b, struct http_body_pool *pool, size_t bytes)
{
    if (!b->cap) {
        block_take(b, pool, bytes > IN_ARENA_MAX ? bytes : IN_ARENA_MAX);
        return;
    }
    assert(b->block); /* what is in the arena has its announced size */
    size_t cap = b->cap;
    while (cap < bytes)
        cap *= b->announced ? 4 : 2;
    if (b->announced && cap > b->announced)
        cap = (size_t)b->announced;
    b->p = mem_realloc(b->p, cap);
    b->cap = cap;
}

void http_body_add(struct http_body *b, struct http_body_pool *pool, const char *p, size_t n)
{
    if (n > b->cap - b->n)
        grow(b, pool, b->n + n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}
