/* The life of a context: the core stays, all others are counted. */
#include "model/context_internal.h"

#include <stdlib.h>

struct context *context_ref(struct context *c)
{
    if (c != c->core)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void context_unref(struct context *c)
{
    if (!c || c == c->core)
        return;
    if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        context_free(c);
}

void context_free(struct context *c)
{
    context_memo_free(c);
    pthread_mutex_destroy(&c->lock);
    free(c->vocab_memo);
    free(c);
}

size_t context_bytes(const struct context *c)
{
    return c->block_bytes + atomic_load_explicit(&c->memo_bytes, memory_order_relaxed);
}

void context_account(struct context *c, _Atomic size_t *account)
{
    if (c == c->core)
        return;
    pthread_mutex_lock(&c->lock);
    if (c->account)
        atomic_fetch_sub_explicit(c->account, context_bytes(c), memory_order_relaxed);
    c->account = account;
    if (account)
        atomic_fetch_add_explicit(account, context_bytes(c), memory_order_relaxed);
    pthread_mutex_unlock(&c->lock);
}
