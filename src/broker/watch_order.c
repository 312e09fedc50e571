/* See watch_order.h. Under each key a treap in the order of lower ends, of which every node knows
 * the highest upper end below it (an interval tree: Cormen et al., Introduction to Algorithms, 14.3).
 * Invariants: an inner node's priority is not below its children's; `most` is right; no key without a
 * node. Cells of keys are chained. */
#include "broker/watch_order.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

struct watch_node {
    struct watch_node *left, *right;
    uint64_t key, priority;
    struct watch_range range;
    double most; /* upper end of all from here down */
    struct watcher *watcher;
};

struct cell {
    struct cell *next;
    uint64_t key;
    struct watch_node *root;
};

struct watch_order {
    struct cell **buckets;
    uint64_t mask, cells;
    uint64_t added; /* ever: priorities are made of it */
};

enum { BUCKETS_MIN = 16 };

struct watch_order *watch_order_new(void)
{
    struct watch_order *o = mem_zalloc(sizeof *o);
    o->mask = BUCKETS_MIN - 1;
    o->buckets = mem_zalloc(BUCKETS_MIN * sizeof(struct cell *));
    return o;
}

static void free_nodes(struct watch_node *n)
{
    if (!n)
        return;
    free_nodes(n->left);
    free_nodes(n->right);
    free(n);
}

void watch_order_free(struct watch_order *o)
{
    if (!o)
        return;
    for (uint64_t i = 0; i <= o->mask; i++)
        for (struct cell *c = o->buckets[i], *next; c; c = next) {
            next = c->next;
            free_nodes(c->root);
            free(c);
        }
    free(o->buckets);
    free(o);
}

/* ---- keys ---- */

static struct cell **place_of(const struct watch_order *o, uint64_t key)
{
    struct cell **at = &o->buckets[key & o->mask];
    while (*at && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

static void grow(struct watch_order *o)
{
    struct cell **old = o->buckets;
    uint64_t count = o->mask + 1;
    o->mask = 2 * count - 1;
    o->buckets = mem_zalloc(2 * count * sizeof(struct cell *));
    for (uint64_t i = 0; i < count; i++)
        for (struct cell *c = old[i], *next; c; c = next) {
            next = c->next;
            struct cell **at = &o->buckets[c->key & o->mask];
            c->next = *at;
            *at = c;
        }
    free(old);
}

static struct cell *cell_make(struct watch_order *o, uint64_t key)
{
    struct cell **at = place_of(o, key), *c = *at;
    if (c)
        return c;
    c = *at = mem_zalloc(sizeof *c);
    c->key = key;
    if (++o->cells > o->mask)
        grow(o);
    return c;
}

/* ---- trees ---- */

static bool is_before(const struct watch_node *a, const struct watch_node *b)
{
    if (a->range.low != b->range.low)
        return a->range.low < b->range.low;
    if (a->range.high != b->range.high)
        return a->range.high < b->range.high;
    return (uintptr_t)a < (uintptr_t)b;
}

static void refresh(struct watch_node *n)
{
    n->most = n->range.high;
    if (n->left && n->left->most > n->most)
        n->most = n->left->most;
    if (n->right && n->right->most > n->most)
        n->most = n->right->most;
}

/* t into those before `at` and those behind. */
static void split(struct watch_node *t, const struct watch_node *at, struct watch_node **before,
                  struct watch_node **behind)
{
    if (!t) {
        *before = *behind = NULL;
    } else if (is_before(t, at)) {
        split(t->right, at, &t->right, behind);
        *before = t;
        refresh(t);
    } else {
        split(t->left, at, before, &t->left);
        *behind = t;
        refresh(t);
    }
}

static struct watch_node *join(struct watch_node *before, struct watch_node *behind)
{
    if (!before || !behind)
        return before ? before : behind;
    if (before->priority > behind->priority) {
        before->right = join(before->right, behind);
        refresh(before);
        return before;
    }
    behind->left = join(before, behind->left);
    refresh(behind);
    return behind;
}

static struct watch_node *insert(struct watch_node *t, struct watch_node *n)
{
    if (!t || n->priority > t->priority) {
        split(t, n, &n->left, &n->right);
        refresh(n);
        return n;
    }
    struct watch_node **side = is_before(n, t) ? &t->left : &t->right;
    *side = insert(*side, n);
    refresh(t);
    return t;
}

static struct watch_node *take_out(struct watch_node *t, const struct watch_node *n)
{
    assert(t);
    if (t == n)
        return join(t->left, t->right);
    struct watch_node **side = is_before(n, t) ? &t->left : &t->right;
    *side = take_out(*side, n);
    refresh(t);
    return t;
}

/* ---- what others call ---- */

struct watch_node *watch_order_add(struct watch_order *o, uint64_t key, struct watch_range r,
                                   struct watcher *watcher)
{
    struct watch_node *n = mem_zalloc(sizeof *n);
    struct cell *c = cell_make(o, key);
    n->key = key;
    n->priority = hash_u64(++o->added);
    n->range = r;
    n->watcher = watcher;
    c->root = insert(c->root, n);
    return n;
}

void watch_order_remove(struct watch_order *o, struct watch_node *n)
{
    struct cell **at = place_of(o, n->key), *c = *at;
    assert(c);
    c->root = take_out(c->root, n);
    free(n);
    if (c->root)
        return;
    *at = c->next;
    o->cells--;
    free(c);
}

static uint64_t visit(const struct watch_node *t, struct watch_range r, struct watch_order_found *f)
{
    uint64_t seen = 0;
    for (; t && t->most >= r.low; t = t->right) {
        seen += 1 + visit(t->left, r, f);
        if (t->range.low > r.high)
            break;
        if (t->range.high >= r.low)
            f->found(f, t->watcher);
    }
    return seen;
}

uint64_t watch_order_find(const struct watch_order *o, uint64_t key, struct watch_range r,
                          struct watch_order_found *f)
{
    const struct cell *c = *place_of(o, key);
    return c ? visit(c->root, r, f) : 0;
}
