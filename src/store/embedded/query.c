/* Queries: candidates in order of creation, by batches taken under the tenant's lock and
 * looked at outside it; a long query yields to its loop between slices.
 *
 * A batch's slots and versions are read under one lock, so what the index's own bitmaps say
 * holds for these versions. Sets that were copied when the plan was made may be out of date
 * by then: once the tenant has changed, every document is tried on the whole tree.
 *
 * What has expired when the query starts is not there (4.22), swept away or not: the index knows
 * which entities are over, and they are passed by; the few of which only a part is over are tried,
 * without that part, on the whole tree. */
#include "base/arena.h"
#include "base/time.h"
#include "model/order.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, PROBES_MAX = 4096, RESET_EVERY = 256, ROOM_FIRST = 32 };
enum { PARTS_MAX = 1024 }; /* entities tried before the sets are the answer */

struct query {
    struct embedded *e;
    struct store_query *q;
    struct tenant *t;
    struct plan plan;
    bool planned;
    bool whole;        /* the plan's copies are out of date */
    int64_t now_us;    /* of what has expired */
    uint64_t next_seq; /* candidates up to here are done */
    uint32_t next_slot;
    uint64_t probes;
    uint64_t skip; /* matches still to be skipped */
    uint64_t matched;
    bool counted;          /* matched is all of them: the sets said so */
    uint32_t room;         /* of q->docs */
    struct order_top *top; /* when ordered */
    struct arena *scratch; /* of evaluation */
    struct read_env env;
    struct reclaim_pin *pin; /* since it yielded */
};

static void finish(struct query *r, enum status status)
{
    struct store_query *q = r->q;
    if (status != OK)
        q->call.status = status;
    if (r->top && status == OK) {
        const struct doc **docs;
        uint32_t n = order_top_take(r->top, q->arena, &docs);
        q->docs = docs + (q->offset < n ? q->offset : n);
        q->doc_count = q->offset < n ? n - (uint32_t)q->offset : 0;
        q->more = r->matched > q->offset + q->doc_count;
    }
    if (r->top)
        order_top_free(r->top);
    q->explain.index = r->plan.index;
    q->explain.candidates = r->plan.candidates;
    q->explain.matched = r->matched;
    if (q->count)
        q->total = r->matched;
    plan_free(&r->plan);
    arena_free(r->scratch);
    if (r->pin)
        reclaim_unpin(r->e->reclaim, r->pin);
    atomic_fetch_add_explicit(&r->e->queries, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->e->candidates, q->explain.candidates, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->e->visited, q->explain.visited, memory_order_relaxed);
}

/* First slot whose entity was created behind next_seq. Slots are in order of creation, with holes.
 */
static uint32_t slot_behind(struct query *r)
{
    const struct state *s = tenant_state(r->t);
    const struct bitmap *live = r->t->index->live;
    uint32_t low = 0, high = state_slots(s);
    if (!r->next_seq)
        return 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2, slot;
        if (!bitmap_read(live, mid, &slot, 1) || slot >= high)
            high = mid;
        else if (doc_created_seq(state_at(s, slot)) > r->next_seq)
            high = mid;
        else
            low = slot + 1;
    }
    return low;
}

/* Under the lock: makes the plan, or makes it anew when slots have moved. */
static void plan(struct query *r)
{
    struct store_query *q = r->q;
    bool all = q->count || q->order;
    struct plan_need need = {
        .first = all ? UINT64_MAX : r->skip + (q->limit - q->doc_count) + 1,
        .now_us = time_monotonic(),
    };
    if (r->planned)
        plan_free(&r->plan);
    plan_make(&r->plan, r->t, q->caller->filter, q->filter, &need, q->arena);
    if (!r->planned && r->plan.wanted_count)
        upkeep_want_values(r->e, r->t, r->plan.wanted, r->plan.wanted_count);
    r->planned = true;
    r->whole = false;
    r->next_slot = slot_behind(r);
}

/* The lock for reading, with all passed that has ended by now. */
static void lock(struct query *r)
{
    pthread_rwlock_rdlock(&r->t->lock);
    while (index_expiry_is_due(&r->t->index->ends, r->now_us) ||
           index_expiry_is_due(&r->t->index->parts, r->now_us)) {
        pthread_rwlock_unlock(&r->t->lock);
        pthread_rwlock_wrlock(&r->t->lock);
        index_expiry_pass(&r->t->index->ends, r->now_us);
        index_expiry_pass(&r->t->index->parts, r->now_us);
        pthread_rwlock_unlock(&r->t->lock);
        pthread_rwlock_rdlock(&r->t->lock);
    }
}

/* What is left of d, if f fits that; else NULL. Borrowed from d, or until the next document. */
static const struct doc *fits(struct query *r, const struct filter *f, const struct doc *d)
{
    if (!r->scratch) {
        r->scratch = arena_new(0);
        read_env_init(&r->env, r->t, r->now_us, r->scratch);
    }
    if (++r->q->explain.visited % RESET_EVERY == 0)
        arena_reset(r->scratch);
    const struct doc *seen = read_seen(d, r->now_us, r->scratch);
    return seen && filter_match_doc(f, seen, &r->env.env) ? seen : NULL;
}

/* ---- when the sets are the answer ---- */

/* Can f, which sets answer, change its mind about an entity that loses a part? */
static bool asks_parts(const struct filter *f)
{
    bool asks = f && f->kind == FILTER_ATTRS;
    if (f && (f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_NOT))
        for (uint32_t i = 0; i < f->count && !asks; i++)
            asks = asks_parts(f->parts[i]);
    return asks;
}

/* Takes those out of the one set of the plan that do not fit without the part that is over. False:
 * they are too many to try here. */
static bool sift_parts(struct query *r)
{
    uint32_t slots[PARTS_MAX + 1];
    if (!asks_parts(r->plan.whole) ||
        !bitmap_and_count(r->plan.lead.slots, r->t->index->parts.over))
        return true;
    struct bitmap *lost = bitmap_and(r->plan.lead.slots, r->t->index->parts.over);
    struct bitmap *out = bitmap_new();
    uint32_t n = bitmap_read(lost, 0, slots, PARTS_MAX + 1);
    for (uint32_t i = 0; i < n && n <= PARTS_MAX; i++)
        if (!fits(r, r->plan.whole, state_at(tenant_state(r->t), slots[i])))
            bitmap_add(out, slots[i]);
    plan_merge(&r->plan, out);
    bitmap_free(lost);
    bitmap_free(out);
    return n <= PARTS_MAX;
}

/* Counts and skips the offset without touching documents, where no part is left to evaluation.
 * False: nothing is left to do. Under the lock, once. */
static bool count_and_skip(struct query *r)
{
    struct store_query *q = r->q;
    if (r->plan.rest || r->top)
        return true;
    const struct index *ix = r->t->index;
    bool none_over = !bitmap_count(ix->ends.over) && !bitmap_count(ix->parts.over);
    if (q->count && !q->limit && r->plan.narrow_count == 1 && !r->next_slot && none_over) {
        r->matched = bitmap_and_count(r->plan.lead.slots, r->plan.narrow[0].slots);
        return false;
    }
    if (!q->count && r->skip < BATCH)
        return true;
    plan_merge(&r->plan, ix->ends.over);
    if (!sift_parts(r))
        return true;
    const struct bitmap *all = r->plan.lead.slots;
    uint64_t before = bitmap_rank(all, r->next_slot);
    if (q->count) {
        r->matched = bitmap_count(all) - before;
        r->counted = true;
    }
    if (r->skip && !bitmap_select(all, before + r->skip, &r->next_slot))
        return false;
    r->skip = 0;
    return q->limit > 0;
}

/* ---- batches ---- */

struct batch {
    uint32_t n;
    bool last; /* no candidates behind it */
    const struct doc *docs[BATCH];
};

static bool in_all(struct query *r, uint32_t slot)
{
    for (uint32_t i = 0; i < r->plan.narrow_count; i++, r->probes++)
        if (!bitmap_has(r->plan.narrow[i].slots, slot))
            return false;
    return true;
}

/* Has it ended? Counted with the probes: many of them are taken out of the set at once. */
static bool is_over(struct query *r, uint32_t slot)
{
    bool over = bitmap_has(r->t->index->ends.over, slot);
    r->probes += over;
    return over;
}

/* Takes the next candidates. False: nothing is left to do. */
static bool take(struct query *r, struct batch *b)
{
    struct store_query *q = r->q;
    uint32_t slots[BATCH];
    bool go_on = true;
    b->n = 0;
    lock(r);
    if (!r->planned) {
        plan(r);
        go_on = count_and_skip(r);
    } else if (r->plan.renumbered != r->t->renumbered) {
        plan(r);
    } else if (r->plan.made && r->plan.version != r->t->version) {
        r->whole = true;
    }
    if (r->probes > PROBES_MAX) {
        plan_merge(&r->plan, r->t->index->ends.over);
        r->probes = 0;
    }
    uint64_t need = r->top || q->count ? BATCH : r->skip + (q->limit - q->doc_count) + 1;
    uint32_t most = need < BATCH ? (uint32_t)need : BATCH;
    uint32_t n = go_on ? bitmap_read(r->plan.lead.slots, r->next_slot, slots, most) : 0;
    const struct state *s = tenant_state(r->t);
    for (uint32_t i = 0; i < n; i++) {
        bool meant = (r->whole || in_all(r, slots[i])) && !is_over(r, slots[i]);
        const struct doc *d = meant ? state_at(s, slots[i]) : NULL;
        if (d)
            b->docs[b->n++] = d;
    }
    if (n)
        r->next_slot = slots[n - 1] + 1;
    b->last = n < most;
    pthread_rwlock_unlock(&r->t->lock);
    return go_on;
}

/* What the query sees of d, if it matches; else NULL. As with fits(). */
static const struct doc *match(struct query *r, const struct doc *d)
{
    bool over = read_is_over(d, r->now_us);
    const struct filter *f = r->whole || over ? r->plan.whole : r->plan.rest;
    return f || over ? fits(r, f, d) : d;
}

/* Of what a match shows, as long as the answer. */
static const struct doc *keep(struct query *r, const struct doc *found, const struct doc *seen)
{
    if (seen == found)
        return found;
    void *kept = arena_alloc(r->q->arena, doc_bytes(seen));
    memcpy(kept, seen, doc_bytes(seen));
    return kept;
}

static void add_to_page(struct query *r, const struct doc *d)
{
    struct store_query *q = r->q;
    if (q->doc_count == r->room) {
        uint32_t room = r->room ? 4 * r->room : ROOM_FIRST;
        room = room < q->limit ? room : q->limit;
        q->docs = arena_grow(q->arena, (void *)q->docs, r->room * sizeof *q->docs,
                             room * sizeof *q->docs);
        r->room = room;
    }
    if (!r->plan.rest && !r->whole)
        q->explain.visited++;
    q->docs[q->doc_count++] = d;
}

/* One more match. True: nothing else is wanted. */
static bool add(struct query *r, const struct doc *found, const struct doc *seen)
{
    struct store_query *q = r->q;
    if (!r->counted)
        r->matched++;
    if (r->top) {
        order_top_add(r->top, keep(r, found, seen));
    } else if (r->skip) {
        r->skip--;
    } else if (q->doc_count < q->limit) {
        add_to_page(r, keep(r, found, seen));
    } else {
        q->more = true;
        return !q->count || r->counted;
    }
    return false;
}

/* ---- slices ---- */

/* Works until the query is finished (true) or its slice is over. */
static bool run(struct query *r)
{
    struct store_query *q = r->q;
    uint64_t end = q->explain.visited + r->e->o.visit_slice;
    for (struct batch b = {0}; !b.last && take(r, &b);) {
        for (uint32_t i = 0; i < b.n; i++) {
            if (q->visit_max && q->explain.visited >= q->visit_max) {
                finish(r,
                       why_set(&q->call.why, E_TOO_COMPLEX, NULL,
                               "more than %u entities would have to be looked at", q->visit_max));
                return true;
            }
            r->next_seq = doc_created_seq(b.docs[i]);
            const struct doc *d = match(r, b.docs[i]);
            if (d && add(r, b.docs[i], d)) {
                finish(r, OK);
                return true;
            }
        }
        if (q->explain.visited >= end && !b.last)
            return false;
    }
    finish(r, OK);
    return true;
}

static void resume(struct task *task)
{
    struct store_call *call = container_of(task, struct store_call, task);
    struct query *r = call->impl;
    bool finished = true;
    if (call->cancelled)
        finish(r, why_set(&call->why, E_CANCELLED, NULL, "cancelled"));
    else if (call->deadline_us && call->deadline_us < time_monotonic())
        finish(r, why_set(&call->why, E_TIMEOUT, NULL, "the query took too long"));
    else
        finished = run(r);
    if (finished)
        call->done(call);
    else
        runner_post(call->home, &call->task);
}

/* What was found stays, although the thread may wait before the next slice. */
static void yield(struct query *r)
{
    struct store_query *q = r->q;
    struct query *kept = arena_alloc(q->arena, sizeof *kept);
    *kept = *r;
    kept->pin = reclaim_pin(r->e->reclaim);
    q->call.impl = kept;
    q->call.task = (struct task){.run = resume};
    runner_post(q->call.home, &q->call.task);
}

bool query_run(struct store *s, struct store_query *q)
{
    struct query r = {.e = embedded_of(s), .q = q, .skip = q->offset, .next_seq = q->after_seq};
    assert(reclaim_is_online(r.e->reclaim));
    r.now_us = read_now(r.e);
    q->docs = NULL;
    q->doc_count = 0;
    q->total = 0;
    q->more = false;
    q->explain = (struct store_explain){.index = "scan"};
    q->call.cancelled = false;
    r.t = read_tenant(r.e, q->caller->tenant, &q->call);
    if (!r.t)
        return true;
    uint64_t keep = q->offset + q->limit;
    if (q->order && q->limit)
        r.top = order_top_new(q->order, keep < UINT32_MAX / 4 ? (uint32_t)keep : UINT32_MAX / 4);
    if (run(&r))
        return true;
    yield(&r);
    return false;
}
