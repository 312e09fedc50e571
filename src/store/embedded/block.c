/* malloc, and a count. */
#include "store/embedded/block.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { OVERHEAD = 16 }; /* of malloc, about */

struct doc *block_new(struct blocks *b, size_t n)
{
    atomic_fetch_add_explicit(&b->bytes, n + OVERHEAD, memory_order_relaxed);
    return mem_alloc(n);
}

void block_free(struct blocks *b, const struct doc *d)
{
    if (!d)
        return;
    atomic_fetch_sub_explicit(&b->bytes, doc_bytes(d) + OVERHEAD, memory_order_relaxed);
    free((void *)d);
}

static size_t document_bytes(struct str key, struct str bytes)
{
    return sizeof(struct document) + key.n + bytes.n + OVERHEAD;
}

struct document *document_new(struct blocks *b, uint64_t seq, struct str key, struct str bytes)
{
    struct document *d = mem_alloc(sizeof *d + key.n + bytes.n);
    char *at = (char *)(d + 1);
    atomic_init(&d->refs, 1);
    d->seq = seq;
    d->key = (struct str){at, key.n};
    d->bytes = (struct str){at + key.n, bytes.n};
    if (key.n)
        memcpy(at, key.p, key.n);
    if (bytes.n)
        memcpy(at + key.n, bytes.p, bytes.n);
    atomic_fetch_add_explicit(&b->bytes, document_bytes(key, bytes), memory_order_relaxed);
    return d;
}

struct document *document_ref(struct document *d)
{
    atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void document_unref(struct blocks *b, struct document *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
        return;
    atomic_fetch_sub_explicit(&b->bytes, document_bytes(d->key, d->bytes), memory_order_relaxed);
    free(d);
}
