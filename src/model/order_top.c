/* The best of many. Entries gather in a list of up to 2 × keep; when it is full it is
 * sorted and cut to keep, and from then on whatever weighs more than the last one kept is
 * turned away after its first key. So n entities cost n first keys, and far fewer than n
 * log n comparisons when keep is small.
 *
 * Entries and the bytes of their keys live in one of two arenas; a cut copies what stays
 * to the other and forgets the first, so memory follows keep, not n. */
#include "model/order_key.h"

#include <assert.h>
#include <stdlib.h>

enum { LIST_FIRST = 64, SORT_KEY_BYTES_MAX = 1 << 16 };

struct entry {
    const struct doc *doc;
    uint64_t created_seq;
    struct order_weight weights[];
};

struct order_top {
    const struct order *order;
    size_t keep;
    struct entry **list;
    size_t count, room;
    const struct entry
        *last; /* of those kept by a cut: others must weigh less. NULL before the first */
    struct arena *here, *other; /* entries; the spare */
    struct arena *scratch;
    struct buf bytes;
    struct order_weight *weights; /* of the entity at hand */
};

struct order_top *order_top_new(const struct order *o, uint32_t keep)
{
    struct order_top *t = mem_zalloc(sizeof *t);
    t->order = o;
    t->keep = keep;
    t->here = arena_new(0);
    t->other = arena_new(0);
    t->scratch = arena_new(0);
    t->weights = mem_alloc(o->count * sizeof *t->weights);
    buf_init(&t->bytes, SORT_KEY_BYTES_MAX);
    return t;
}

void order_top_free(struct order_top *t)
{
    if (!t)
        return;
    buf_free(&t->bytes);
    free(t->weights);
    free(t->list);
    arena_free(t->here);
    arena_free(t->other);
    arena_free(t->scratch);
    free(t);
}

static int compare_entries(const void *x, const void *y, void *context)
{
    const struct order *o = context;
    const struct entry *a = *(struct entry *const *)x, *b = *(struct entry *const *)y;
    for (uint32_t i = 0; i < o->count; i++) {
        int c = order_weight_compare(&o->keys[i], &a->weights[i], &b->weights[i]);
        if (c)
            return c;
    }
    return (a->created_seq > b->created_seq) - (a->created_seq < b->created_seq);
}

static bool has_bytes(const struct order_weight *w)
{
    return w->rank == RANK_STRING || w->rank == RANK_OBJECT || w->rank == RANK_ARRAY;
}

static struct entry *copy_entry(const struct order_top *t, struct arena *a, const struct doc *d,
                                uint64_t seq, const struct order_weight *weights)
{
    size_t n = t->order->count * sizeof *weights;
    struct entry *e = arena_alloc(a, sizeof *e + n);
    e->doc = d;
    e->created_seq = seq;
    memcpy(e->weights, weights, n);
    for (uint32_t i = 0; i < t->order->count; i++)
        if (has_bytes(&e->weights[i]))
            e->weights[i].bytes = arena_dup(a, e->weights[i].bytes);
    return e;
}

static void sort(struct order_top *t)
{
    if (t->count)
        qsort_r(t->list, t->count, sizeof *t->list, compare_entries, (void *)t->order);
}

static void cut(struct order_top *t)
{
    sort(t);
    t->count = t->keep;
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *e = t->list[i];
        t->list[i] = copy_entry(t, t->other, e->doc, e->created_seq, e->weights);
    }
    arena_reset(t->here);
    struct arena *spare = t->here;
    t->here = t->other;
    t->other = spare;
    t->last = t->list[t->count - 1];
}

/* Makes the weights of d. False when one shows that d comes behind the last one kept. The bytes of
 * all weights but the last computed move to the scratch arena. */
static bool weigh(struct order_top *t, const struct doc *d)
{
    struct filter_subject s = {.doc = d};
    bool level = t->last != NULL; /* so far as heavy as the last */
    for (uint32_t i = 0; i < t->order->count; i++) {
        struct order_weight *w = &t->weights[i];
        order_weigh(t->order, &t->order->keys[i], &s, &t->bytes, t->scratch, w);
        int c = level ? order_weight_compare(&t->order->keys[i], w, &t->last->weights[i]) : -1;
        if (c > 0)
            return false;
        level = c == 0;
        if (has_bytes(w))
            w->bytes = arena_dup(t->scratch, w->bytes);
    }
    return !level || doc_created_seq(d) < t->last->created_seq;
}

void order_top_add(struct order_top *t, const struct doc *d)
{
    if (t->keep == 0)
        return;
    if (weigh(t, d)) {
        if (t->count == t->room) {
            t->room = t->room ? t->room * 2 : LIST_FIRST;
            t->list = mem_realloc(t->list, t->room * sizeof(struct entry *));
        }
        t->list[t->count++] = copy_entry(t, t->here, d, doc_created_seq(d), t->weights);
        if (t->count >= 2 * t->keep && t->count >= LIST_FIRST)
            cut(t);
    }
    arena_reset(t->scratch);
}

uint32_t order_top_take(struct order_top *t, struct arena *a, const struct doc ***docs)
{
    sort(t);
    t->count = t->count < t->keep ? t->count : t->keep;
    *docs = arena_array(a, const struct doc *, t->count);
    for (size_t i = 0; i < t->count; i++)
        (*docs)[i] = t->list[i]->doc;
    return (uint32_t)t->count;
}
