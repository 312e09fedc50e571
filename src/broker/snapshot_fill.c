/* Filling a snapshot: query by query, slice by slice, what is found is cut to what was
 * asked for and copied with its times; entities first, then temporal evolutions (snapshot_past.c). Between slices the thread's other work gets its
 * turn. An entity that several queries find has the members that any of them asked for. */
#include "broker/consume.h"
#include "broker/linked.h"
#include "broker/provide.h"
#include "broker/snapshots_int.h"

#include "base/time.h"

#include <stdlib.h>

enum { SLICE = 500, DETAILS_BYTES_MAX = 1 << 20 };

struct snapshot_fill {
    struct task task;
    struct snapshots *s;
    struct snapshot_entry *entry;
    bool cancelled;
    struct snapshot_queries *queries; /* NULL: a clone */
    struct str from;                  /* tenant of the store that is read */
    struct arena *arena;              /* the fill's */
    struct arena *slice;
    uint32_t at;       /* query under way; temporal ones come behind the others */
    struct snapshot_past past;
    uint64_t instances; /* of evolutions, copied in all */
    uint64_t after_seq, until_seq, found;
    uint32_t entities; /* copied in all */
    bool any_result, any_success, all_results;
    struct buf details; /* of entity queries, then of temporal ones */
    struct str entity_details;
    bool cloning_past;
};

static void fill_free(struct snapshot_fill *f)
{
    if (!f->cancelled)
        f->entry->fill = NULL;
    if (f->queries)
        f->queries->release(f->queries);
    buf_free(&f->details);
    if (f->past.arena)
        arena_free(f->past.arena);
    arena_free(f->slice);
    arena_free(f->arena);
}

void snapshot_fill_cancel(struct snapshot_fill *f)
{
    f->cancelled = true;
}

/* ---- calls that are waited for ---- */

struct waited_query {
    struct consume_query q;
    bool done;
};
static void query_done(struct consume_query *q)
{
    container_of(q, struct waited_query, q)->done = true;
}

struct waited_linked {
    struct linked l;
    bool done;
};
static void linked_done(struct linked *l)
{
    container_of(l, struct waited_linked, l)->done = true;
}

struct waited_apply {
    struct store_apply a;
    bool done;
};
static void apply_done(struct store_call *call)
{
    container_of(container_of(call, struct store_apply, call), struct waited_apply, a)->done = true;
}

/* ---- one slice ---- */

static const struct snapshot_query *query_of(const struct snapshot_fill *f)
{
    return f->queries ? &f->queries->queries[f->at] : NULL;
}

/* Copies the entities. */
static enum status copy(struct snapshot_fill *f, struct entity **entities, uint32_t n, struct why *why)
{
    struct caller into = {.tenant = f->entry->held_in};
    struct edit *edits = arena_zarray(f->slice, struct edit, n);
    for (uint32_t i = 0; i < n; i++)
        edits[i] = (struct edit){.kind = EDIT_COPY, .id = entities[i]->id, .fragment = entities[i]};
    struct waited_apply w = {.a = {.call = {.home = &f->s->completions.runner, .done = apply_done},
                                   .caller = &into,
                                   .edits = edits,
                                   .count = n,
                                   .results = arena_zarray(f->slice, struct edit_result, n),
                                   .arena = f->slice}};
    if (!n)
        return OK;
    if (f->entities + n > f->s->o.entities_max) /* those that are there already count: the bound is not passed */
        return why_limit(why, E_TOO_MANY_RESULTS, NULL, "limits.snapshot_entities",
                         "a snapshot has at most %u entities (limits.snapshot_entities)", f->s->o.entities_max);
    w.done = provide_edits(f->s->broker, &w.a);
    snapshots_wait(f->s, &w.done);
    enum status st = w.a.call.status;
    if (st != OK)
        *why = w.a.call.why;
    for (uint32_t i = 0; i < n && st == OK; i++) {
        st = w.a.results[i].status;
        if (st != OK && w.a.results[i].why)
            *why = *w.a.results[i].why;
        f->entities += w.a.results[i].created;
    }
    return st;
}

/* The linked entities of those found, cut to what the query asks of them. */
static enum status copy_linked(struct snapshot_fill *f, struct entity **entities, uint32_t n, struct why *why)
{
    const struct snapshot_query *q = query_of(f);
    struct caller from = {.tenant = f->from};
    struct waited_linked w = {.l = {.caller = &from, .home = &f->s->completions.runner, .arena = f->slice,
                                    .join = &q->join, .represent = &q->represent, .root_count = n,
                                    .entities_max = f->s->o.linked_max, .done = linked_done}};
    struct join flat = q->join;
    flat.kind = JOIN_FLAT;
    w.l.join = &flat;
    w.l.roots = arena_zarray(f->slice, struct link_node, n);
    for (uint32_t i = 0; i < n; i++)
        w.l.roots[i] = (struct link_node){.entity = entities[i], .pick = q->represent.pick, .omit = q->represent.omit};
    w.done = linked_resolve(f->s->broker, &w.l);
    snapshots_wait(f->s, &w.done);
    if (w.l.status != OK) {
        *why = w.l.why;
        return w.l.status;
    }
    struct entity **linked = arena_array(f->slice, struct entity *, w.l.found_count);
    for (uint32_t i = 0; i < w.l.found_count; i++) {
        struct represent r = links_inner(&q->represent, w.l.found[i]);
        r.arena = f->slice;
        linked[i] = arena_array(f->slice, struct entity, 1);
        represent_keep(&r, w.l.found[i]->entity, linked[i]);
    }
    return copy(f, linked, w.l.found_count, why);
}

/* *more: there are entities behind this slice. */
static enum status slice(struct snapshot_fill *f, bool *more, struct why *why)
{
    const struct snapshot_query *q = query_of(f);
    struct caller from = {.tenant = f->from};
    struct waited_query w = {.q = {.local = {.call = {.home = &f->s->completions.runner},
                                             .caller = &from,
                                             .filter = q ? q->filter : NULL,
                                             .after_seq = f->after_seq,
                                             .limit = SLICE,
                                             .arena = f->slice},
                                   .done = query_done}};
    w.done = consume_query(f->s->broker, &w.q);
    snapshots_wait(f->s, &w.done);
    if (w.q.status != OK) {
        *why = w.q.local.call.why;
        return w.q.status;
    }
    *more = w.q.local.more;
    if (w.q.local.doc_count)
        f->after_seq = doc_created_seq(w.q.local.docs[w.q.local.doc_count - 1]);
    *more = *more && f->after_seq < f->until_seq;
    struct entity **all = arena_array(f->slice, struct entity *, w.q.count), **cut = arena_array(f->slice, struct entity *, w.q.count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < w.q.count; i++) {
        struct represent r = q ? q->represent : (struct represent){0};
        r.arena = f->slice;
        all[n] = arena_array(f->slice, struct entity, 1);
        cut[n] = arena_array(f->slice, struct entity, 1);
        consume_entity_kept(&w.q.items[i], f->slice, all[n]);
        represent_keep(&r, all[n], cut[n]);
        n++;
    }
    f->found += n;
    enum status st = copy(f, cut, n, why);
    return st == OK && n && q && q->join.kind ? copy_linked(f, all, n, why) : st;
}

/* ---- the whole ---- */

static void detail_add(struct snapshot_fill *f, const char *result, struct str problem)
{
    buf_lit(&f->details, ",");
    buf_printf(&f->details, "{\"resultStatus\":\"%s\"", result);
    if (!str_absent(problem)) {
        buf_lit(&f->details, ",\"problemDetails\":");
        buf_str(&f->details, problem);
    }
    buf_char(&f->details, '}');
}

static struct str as_array(struct snapshot_fill *f, struct str items)
{
    return items.n ? arena_printf(f->arena, "[%.*s]", STR_ARG(str_from(items, 1))) : STR_NONE;
}

static void entity_queries_over(struct snapshot_fill *f)
{
    f->entity_details = as_array(f, arena_dup(f->arena, buf_view(&f->details)));
    buf_clear(&f->details);
}

/* One query is over. */
static void query_over(struct snapshot_fill *f, enum status status, const struct why *why)
{
    if (status != OK)
        detail_add(f, "failure", snapshot_problem(f->arena, status, why->text));
    else
        detail_add(f, f->found ? "success" : "empty", STR_NONE);
    f->any_success |= status == OK;
    f->any_result |= status == OK && f->found;
    f->all_results &= status == OK && f->found;
    f->found = f->after_seq = 0;
    f->at++;
    if (f->at == f->queries->count)
        entity_queries_over(f);
}

/* The temporal query under way, or for a clone all that is past; begun when it is not yet. */
static enum status past_step(struct snapshot_fill *f, bool *more, struct why *why)
{
    struct snapshot_past *p = &f->past;
    if (!p->arena)
        *p = (struct snapshot_past){
            .s = f->s,
            .query = f->queries ? &f->queries->temporal[f->at - f->queries->count] : NULL,
            .from = f->from,
            .into = f->entry->held_in,
            .until_seq = f->until_seq,
            .arena = arena_new(0),
            .instances = &f->instances,
        };
    enum status st = snapshot_past_step(p, f->slice, more, why);
    f->found = p->found;
    if (st != OK || !*more) {
        arena_free(p->arena);
        p->arena = NULL;
    }
    return st;
}

static void finish(struct snapshot_fill *f)
{
    struct str temporal = as_array(f, buf_view(&f->details));
    enum snapshot_status status = f->all_results   ? SNAPSHOT_SUCCESS
                                  : f->any_result  ? SNAPSHOT_PARTIAL
                                  : f->any_success ? SNAPSHOT_EMPTY
                                                   : SNAPSHOT_FAILURE;
    snapshot_entry_finish(f->s, f->entry, status, f->entity_details, temporal);
}

static void finish_clone(struct snapshot_fill *f, enum status status, const struct why *why)
{
    const struct snapshot *s = &f->entry->s;
    if (status == OK) {
        snapshot_entry_finish(f->s, f->entry, SNAPSHOT_SUCCESS, s->details, s->temporal_details);
        return;
    }
    struct str problem = snapshot_problem(f->arena, status, why->text);
    snapshot_entry_finish(f->s, f->entry, SNAPSHOT_FAILURE, snapshot_failures(f->arena, s->queries, problem),
                          snapshot_failures(f->arena, s->temporal_queries, problem));
}

/* True: there is more to do. */
static bool clone_step(struct snapshot_fill *f, struct why *why)
{
    bool more = false;
    enum status st = f->cloning_past ? past_step(f, &more, why) : slice(f, &more, why);
    if (st == OK && (more || !f->cloning_past)) {
        f->cloning_past |= !more;
        return true;
    }
    finish_clone(f, st, why);
    return false;
}

static bool queries_step(struct snapshot_fill *f, struct why *why)
{
    const struct snapshot_queries *q = f->queries;
    bool more = false;
    if (f->at == q->count + q->temporal_count) {
        finish(f);
        return false;
    }
    enum status st = f->at < q->count ? slice(f, &more, why) : past_step(f, &more, why);
    if (st != OK || !more)
        query_over(f, st, why);
    return true;
}

static void advance(struct task *task)
{
    struct snapshot_fill *f = container_of(task, struct snapshot_fill, task);
    struct why why;
    why_clear(&why);
    if (f->cancelled || snapshots_stopping(f->s)) {
        fill_free(f);
        return;
    }
    arena_reset(f->slice);
    if (f->queries ? queries_step(f, &why) : clone_step(f, &why))
        runner_post(&f->s->work.runner, &f->task);
    else
        fill_free(f);
}

void snapshot_fill_start(struct snapshots *s, struct snapshot_entry *e, struct snapshot_queries *queries,
                         struct str copy_of)
{
    struct arena *a = arena_new(0);
    struct snapshot_fill *f = arena_zarray(a, struct snapshot_fill, 1);
    *f = (struct snapshot_fill){
        .task = {.run = advance},
        .s = s,
        .entry = e,
        .queries = queries,
        .from = arena_dup(a, queries ? e->tenant : copy_of),
        .arena = a,
        .slice = arena_new(0),
        .until_seq = store_seq(s->broker->store),
        .all_results = true,
        .entity_details = STR_NONE,
    };
    buf_init(&f->details, DETAILS_BYTES_MAX);
    e->fill = f;
    runner_post(&s->work.runner, &f->task);
}
