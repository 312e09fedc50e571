/* Ids alone in the order that a query asks for (clause 4.23): computed once each, as order_top.c does for entities. */
#include "model/order_key.h"

#include <stdlib.h>

enum { SORT_KEY_BYTES_MAX = 1 << 16 };

struct weighed {
    struct order_weight weight;
    struct str id;
};

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* Ids that the collation holds equal follow one another by code points. */
static int by_weight(const void *x, const void *y, void *key)
{
    const struct weighed *a = x, *b = y;
    int c = order_weight_compare(key, &a->weight, &b->weight);
    return c ? c : str_cmp(a->id, b->id);
}

static void sort_weighed(const struct order *o, struct str *ids, uint32_t n)
{
    struct arena *a = arena_new(0);
    struct weighed *all = arena_array(a, struct weighed, n);
    struct buf bytes;
    buf_init(&bytes, SORT_KEY_BYTES_MAX);
    for (uint32_t i = 0; i < n; i++) {
        struct entity e = {.id = ids[i]};
        all[i].id = ids[i];
        order_weigh(o, &o->keys[0], &(struct filter_subject){.tree = &e}, &bytes, a, &all[i].weight);
        all[i].weight.bytes = arena_dup(a, all[i].weight.bytes);
    }
    qsort_r(all, n, sizeof *all, by_weight, &o->keys[0]);
    for (uint32_t i = 0; i < n; i++)
        ids[i] = all[i].id;
    buf_free(&bytes);
    arena_free(a);
}

void order_ids(const struct order *o, struct str *ids, uint32_t n)
{
    if (n > 1 && o)
        sort_weighed(o, ids, n);
    else if (n > 1)
        qsort(ids, n, sizeof *ids, by_text);
}
