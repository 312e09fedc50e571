/* See history_candidates.h. The least ids behind the last one are gathered in a heap, whose root is the greatest of them. What is
 * looked for in vain is found in the next round, which takes more. */
#include "store/embedded/history_candidates.h"

#include "base/time.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_recent.h"
#include "store/embedded/plan.h"

#include <stdlib.h>

enum {
    ROOM_FIRST = 64,
    MOST_FIRST = 256,       /* ids of the first round, at least */
    MOST_GROWS = 8,
    PARTS_UP_TO = 16 << 10, /* rather than more, all: each round looks at all of what is in memory */
    SLOTS_AT_ONCE = 256,
};

struct candidates {
    struct embedded *e;
    struct tenant *tenant;
    const struct store_evolve *v;
    struct arena *arena; /* of a round */
    struct str *ids;     /* a heap as soon as there are `most` */
    uint32_t count, room, most;
    bool in_parts, left_out; /* there are more ids than these */
    bool over;
    struct str last; /* given out, owned; absent: none */
};

/* The ids that f names, if it means no others; else NULL. */
static const struct filter *named_ids(const struct filter *f)
{
    if (!f || f->kind == FILTER_IDS)
        return f;
    for (uint32_t i = 0; f->kind == FILTER_AND && i < f->count; i++) {
        const struct filter *found = named_ids(f->parts[i]);
        if (found)
            return found;
    }
    return NULL;
}

struct candidates *candidates_open(struct embedded *e, struct tenant *t, const struct store_evolve *v)
{
    struct candidates *c = mem_zalloc(sizeof *c);
    uint64_t wanted = v->offset < PARTS_UP_TO ? v->offset + v->limit + 1 : UINT64_MAX;
    *c = (struct candidates){.e = e, .tenant = t, .v = v, .arena = arena_new(0), .most = UINT32_MAX, .last = STR_NONE};
    c->in_parts = !v->order && !v->count && !v->ids_alone && wanted <= PARTS_UP_TO;
    if (c->in_parts)
        c->most = wanted > MOST_FIRST ? (uint32_t)wanted : MOST_FIRST;
    return c;
}

void candidates_close(struct candidates *c)
{
    arena_free(c->arena);
    free((char *)c->last.p);
    free(c);
}

/* ---- the heap ---- */

static void swap(struct str *a, struct str *b)
{
    struct str was = *a;
    *a = *b;
    *b = was;
}

static void sift_down(struct candidates *c, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < c->count; at = child) {
        if (child + 1 < c->count && str_cmp(c->ids[child + 1], c->ids[child]) > 0)
            child++;
        if (str_cmp(c->ids[child], c->ids[at]) <= 0)
            return;
        swap(&c->ids[child], &c->ids[at]);
    }
}

/* Is it one of the least, as far as is known? */
static bool wants(struct candidates *c, struct str id)
{
    if (!str_absent(c->last) && str_cmp(id, c->last) <= 0)
        return false;
    if (c->count < c->most)
        return true;
    c->left_out = true;
    return str_cmp(id, c->ids[0]) < 0;
}

static void add(struct candidates *c, struct str id)
{
    id = arena_dup(c->arena, id);
    if (c->count == c->most) {
        c->ids[0] = id;
        sift_down(c, 0);
        return;
    }
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : ROOM_FIRST;
        c->ids = arena_grow(c->arena, c->ids, c->room * sizeof id, room * sizeof id);
        c->room = room;
    }
    c->ids[c->count++] = id;
    for (uint32_t i = c->count / 2; c->count == c->most && i > 0; i--)
        sift_down(c, i - 1);
}

/* ---- where they come from ---- */

/* Entities of today that may be meant. */
static void add_current(struct candidates *c)
{
    struct tenant *t = c->tenant;
    struct plan plan;
    struct plan_need need = {.first = UINT64_MAX, .now_us = time_monotonic()};
    uint32_t slots[SLOTS_AT_ONCE], from = 0, n;
    const struct doc *docs[SLOTS_AT_ONCE];
    pthread_rwlock_rdlock(&t->lock);
    plan_make(&plan, t, c->v->caller->filter, c->v->filter, &need, c->arena);
    while ((n = bitmap_read(plan.lead.slots, from, slots, SLOTS_AT_ONCE))) {
        for (uint32_t i = 0; i < n; i++) {
            docs[i] = state_at(tenant_state(t), slots[i]);
            __builtin_prefetch(docs[i]);
        }
        for (uint32_t i = 0; i < n; i++)
            if (docs[i] && wants(c, doc_id(docs[i])))
                add(c, doc_id(docs[i]));
        from = slots[n - 1] + 1;
    }
    pthread_rwlock_unlock(&t->lock);
    plan_free(&plan);
}

static void add_recent(void *arg, const struct recent_entry *entry)
{
    struct candidates *c = arg;
    if (wants(c, recent_id(entry)) && !state_find(tenant_state(c->tenant), recent_id(entry), entry->hash, NULL))
        add(c, recent_id(entry));
}

/* They come in order, so behind one that is not wanted none is. */
static bool add_gone(void *arg, struct str key, struct str bytes)
{
    struct candidates *c = arg;
    (void)bytes;
    bool wanted = wants(c, history_key_gone_id(key));
    if (wanted)
        add(c, history_key_gone_id(key));
    return wanted;
}

/* Those of old that the base lists. After what is in memory, so that none is missed. */
static enum status add_past(struct candidates *c, struct why *why)
{
    struct embedded *e = c->e;
    enum status st = OK;
    pthread_rwlock_rdlock(&e->history.base_lock);
    if (e->fold.lost)
        st = why_set(why, E_BUSY, NULL, "the base store could not be opened again after a fault");
    if (e->fold.base) {
        struct base_view *view = base_view_open(e->fold.base);
        struct str from = history_key_gone(c->tenant->id, str_absent(c->last) ? STR("") : c->last, c->arena);
        struct str to = history_key_gone(c->tenant->id + 1, STR(""), c->arena);
        if (!str_absent(c->last))
            from = history_key_after(from, c->arena);
        st = base_view_range(view, from, to, false, add_gone, c, why);
        base_view_close(view);
    }
    pthread_rwlock_unlock(&e->history.base_lock);
    return st;
}

static enum status gather(struct candidates *c, struct why *why)
{
    const struct store_evolve *v = c->v;
    const struct filter *named = v->among ? NULL : named_ids(v->filter);
    c->in_parts = c->in_parts && !named && !v->among;
    if (!c->in_parts)
        c->most = UINT32_MAX;
    for (uint32_t i = 0; v->among && i < v->among_count; i++)
        add(c, v->among[i]);
    for (uint32_t i = 0; named && i < named->count; i++)
        add(c, named->ids[i]);
    if (v->among || named)
        return OK;
    struct tenant *t = c->tenant;
    add_current(c);
    pthread_rwlock_rdlock(&t->lock);
    recent_each(t->recent, add_recent, c);
    if (t->folding_recent)
        recent_each(t->folding_recent, add_recent, c);
    pthread_rwlock_unlock(&t->lock);
    return add_past(c, why);
}

/* ---- a round ---- */

static void sort(struct candidates *c)
{
    uint32_t n = 0;
    order_ids(c->v->order, c->ids, c->count);
    for (uint32_t i = 0; i < c->count; i++)
        if (!n || !str_eq(c->ids[n - 1], c->ids[i]))
            c->ids[n++] = c->ids[i];
    c->count = n;
}

enum status candidates_next(struct candidates *c, struct str **ids, uint32_t *n, struct why *why)
{
    *n = 0;
    if (c->over)
        return OK;
    arena_reset(c->arena);
    c->ids = NULL;
    c->count = c->room = 0;
    c->left_out = false;
    enum status st = gather(c, why);
    if (st != OK)
        return st;
    if (!c->v->among)
        sort(c);
    c->over = !c->left_out;
    if (!c->over) {
        free((char *)c->last.p);
        c->last = mem_dup(c->ids[c->count - 1]);
        c->most = c->most < PARTS_UP_TO ? c->most * MOST_GROWS : UINT32_MAX;
    }
    *ids = c->ids;
    *n = c->count;
    return OK;
}
