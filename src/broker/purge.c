/* State machine: query a slice → apply its edits → next slice … → done. A step that
 * completes later comes back through …_done. Between slices the purge goes to the back
 * of the loop's queue, even when all completed at once: others get their turn, and the
 * stack does not grow with the number of slices. */
#include "broker/purge.h"

#include "broker/provide.h"

#include <stdatomic.h>

enum { SLICE = 500 };

static void advance(struct task *task);

static void finish(struct purge *p, enum status status, const struct why *why)
{
    p->status = status;
    if (why)
        p->why = *why;
    arena_free(p->slice);
    p->done(p);
}

static void apply_finished(struct purge *p)
{
    if (p->apply.call.status != OK) {
        finish(p, p->apply.call.status, &p->apply.call.why);
        return;
    }
    for (uint32_t i = 0; i < p->apply.count; i++)
        p->purged += p->apply.results[i].changed;
    if (p->query.more && p->next_seq < p->until_seq) {
        p->next.run = advance;
        runner_post(p->home, &p->next);
    } else {
        finish(p, OK, NULL);
    }
}

static void apply_done(struct store_call *call)
{
    apply_finished(container_of(container_of(call, struct store_apply, call), struct purge, apply));
}

static uint32_t edits_make(struct purge *p, struct edit *edits)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->query.doc_count; i++) {
        const struct doc *d = p->query.docs[i];
        p->next_seq = doc_created_seq(d);
        if (p->next_seq > p->until_seq)
            break;
        edits[n++] = (struct edit){
            .kind = p->terms ? EDIT_PRUNE : EDIT_DELETE,
            .flags = (p->keep ? EDIT_KEEP : 0) | (p->scope ? EDIT_SCOPE : 0),
            .id = arena_dup(p->slice, doc_id(d)),
            .terms = p->terms,
            .term_count = p->term_count,
        };
    }
    return n;
}

static void query_finished(struct purge *p)
{
    if (p->query.call.status != OK) {
        finish(p, p->query.call.status, &p->query.call.why);
        return;
    }
    struct edit *edits = arena_array(p->slice, struct edit, p->query.doc_count);
    uint32_t n = edits_make(p, edits);
    if (n == 0) {
        finish(p, OK, NULL);
        return;
    }
    p->apply = (struct store_apply){
        .call = {.home = p->home, .done = apply_done},
        .caller = p->caller,
        .edits = edits,
        .count = n,
        .results = arena_zarray(p->slice, struct edit_result, n),
        .arena = p->slice,
    };
    if (provide_edits(p->broker, &p->apply))
        apply_finished(p);
}

static void query_done(struct store_call *call)
{
    query_finished(container_of(container_of(call, struct store_query, call), struct purge, query));
}

static void advance(struct task *task)
{
    struct purge *p = container_of(task, struct purge, next);
    if (atomic_load_explicit(&p->broker->closing, memory_order_relaxed)) {
        why_set(&p->why, E_CANCELLED, NULL, "the city is stopping: %llu entities were purged, not all",
                (unsigned long long)p->purged);
        finish(p, E_CANCELLED, NULL);
        return;
    }
    arena_reset(p->slice);
    p->query = (struct store_query){
        .call = {.home = p->home, .done = query_done},
        .caller = p->caller,
        .filter = p->filter,
        .after_seq = p->next_seq,
        .limit = SLICE,
        .arena = p->slice,
    };
    if (store_query(p->broker->store, &p->query))
        query_finished(p);
}

void purge_start(struct broker *b, struct purge *p)
{
    p->broker = b;
    p->slice = arena_new(0);
    p->until_seq = store_seq(b->store);
    p->next_seq = 0;
    p->purged = 0;
    why_clear(&p->why);
    advance(&p->next);
}
