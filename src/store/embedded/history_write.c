/* Temporal edits (clauses 5.6.11 … 5.6.16) on their way into the log: on the writing worker, one edit of an entity
 * after another, because each looks at what those before have left; without looking, on the caller's thread. */
#include "base/hash.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_edit.h"
#include "store/embedded/history_item.h"
#include "store/embedded/history_job.h"

#include <stdlib.h>
#include <unistd.h>

enum { WAIT_US = 100 };

struct recording {
    struct embedded *e;
    struct store_record *r;
    struct op *op;
    struct record_result *result; /* of the edit at hand */
    struct history_edit edit;     /* its tenant: NULL until there is one; its arena: of one edit */
};

/* ---- an edit ---- */

/* The last change of the entity's history that is on its way; 0: none is. */
static uint64_t on_its_way(const struct recording *w, uint64_t hash)
{
    struct heads *heads = &w->e->commit.heads;
    struct tenant *t = w->edit.tenant;
    const struct pending *p = t ? heads_find(heads, t, HEAD_HISTORY, w->edit.asked->id, hash) : NULL;
    return p ? p->seq : 0;
}

/* Waits until what of the entity's history is on its way now has come, as long as the call may take; not for what comes
 * later, which may never end. The lock is held, and given up meanwhile. */
static enum status wait_for_heads(struct recording *w, uint64_t hash)
{
    struct embedded *e = w->e;
    uint64_t last = on_its_way(w, hash);
    while (!history_is_over(&w->r->call) && e->committed_seq < last && on_its_way(w, hash)) {
        commit_unlock(e);
        commit_nudge(e);
        reclaim_offline(e->reclaim);
        usleep(WAIT_US);
        reclaim_online(e->reclaim);
        commit_lock(e);
        bool ahead;
        w->edit.tenant = commit_tenant(e, w->r->caller->tenant, &ahead);
    }
    w->edit.why = w->r->call.why;
    return w->r->call.status;
}

static struct pending *pending_of(struct tenant *t, struct str id, struct str items, int64_t now_us)
{
    struct pending *p = pending_new_history(id, items);
    p->tenant = t;
    p->document_kind = HEAD_HISTORY;
    p->hash = hash_str(id);
    p->at_us = now_us;
    return p;
}

static void queue(struct embedded *e, struct pending *p)
{
    commit_enqueue(e, p);
    heads_set(&e->commit.heads, p);
}

static void enqueue(struct recording *w, struct str items)
{
    if (!w->edit.tenant)
        w->edit.tenant = write_make_tenant(w->e, w->op, w->r->caller->tenant, w->r->now_us);
    struct pending *p = pending_of(w->edit.tenant, w->edit.asked->id, items, w->r->now_us);
    p->op = w->op;
    queue(w->e, p);
    w->result->seq = p->seq;
}

void history_touch(struct embedded *e, struct tenant *t, struct str id)
{
    struct buf items;
    struct why why;
    bool ahead;
    buf_init(&items, SIZE_MAX / 2);
    item_write(&items, &(struct item){.kind = ITEM_TYPES}); /* none */
    commit_lock(e);
    if (commit_open(e, &why) == OK && commit_tenant(e, t->name, &ahead) == t &&
        !heads_find(&e->commit.heads, t, HEAD_HISTORY, id, hash_str(id)))
        queue(e, pending_of(t, id, buf_view(&items), read_now(e)));
    commit_unlock(e);
    commit_nudge(e);
    buf_free(&items);
}

static void refuse(struct recording *w, enum status st)
{
    w->result->status = st;
    w->result->why = arena_alloc(w->r->arena, sizeof w->edit.why);
    *w->result->why = w->edit.why;
}

static void fail_call(struct recording *w, enum status st)
{
    commit_fail(w->op, &w->edit.why);
    refuse(w, st);
}

static bool names_instance(const struct record_edit *edit)
{
    return edit->kind == RECORD_EDIT_MODIFY_INSTANCE || edit->kind == RECORD_EDIT_DELETE_INSTANCE;
}

/* The lock is held when it begins and when it ends. */
static void run_edit(struct recording *w)
{
    struct embedded *e = w->e;
    struct history_edit *h = &w->edit;
    uint64_t hash = hash_str(h->asked->id);
    *w->result = (struct record_result){.status = OK};
    h->created = false;
    why_clear(&h->why);
    enum status st = wait_for_heads(w, hash);
    if (st != OK) {
        fail_call(w, st);
        return;
    }
    struct tenant *t = h->tenant;
    commit_unlock(e);
    sweep_edit_begin(e); /* what it finds stays until it is queued */
    arena_reset(h->arena);
    buf_clear(&h->items);
    h->view = (struct history_view){0};
    past_init(&h->view.past, 0, h->arena);
    if (t)
        st = history_view_open(e, t, h->asked->id, h->arena, &h->view, &h->why);
    if (st == OK)
        st = history_edit_work_out(h);
    history_view_close(e, &h->view);
    commit_lock(e);
    if (st == OK && e->commit.stopped) { /* since this edit began */
        fail_call(w, commit_open(e, &h->why));
        sweep_edit_end(e, 0);
        return;
    }
    bool ahead;
    h->tenant = commit_tenant(e, w->r->caller->tenant, &ahead);
    if (st == OK && !h->tenant && !w->r->create_tenant)
        st = why_set(&h->why, E_NO_TENANT, NULL, "tenant %.*s does not exist", STR_ARG(w->r->caller->tenant));
    if (st == OK)
        enqueue(w, buf_view(&h->items));
    else
        refuse(w, st);
    w->result->created = st == OK && h->created;
    sweep_edit_end(e, st == OK && names_instance(h->asked) ? w->result->seq : 0);
}

/* ---- without looking ---- */

enum { BLIND_AT_ONCE = 64 };

/* Queues edits whose items lie one behind the other, up to where ends says. The lock is held. */
static void enqueue_all(struct recording *w, uint32_t first, uint32_t n, const size_t *ends)
{
    for (uint32_t i = 0; i < n; i++) {
        size_t from = i ? ends[i - 1] : 0;
        w->edit.asked = &w->r->edits[first + i];
        w->result = &w->r->results[first + i];
        *w->result = (struct record_result){.status = OK};
        enqueue(w, str_head(str_from(buf_view(&w->edit.items), from), ends[i] - from));
    }
}

/* The lock was given up: are log and tenant what they were? */
static bool can_go_on(struct recording *w)
{
    struct embedded *e = w->e;
    bool ahead;
    enum status st = e->commit.stopped ? commit_open(e, &w->edit.why) : OK;
    w->edit.tenant = commit_tenant(e, w->r->caller->tenant, &ahead);
    if (st == OK && !w->edit.tenant && !w->r->create_tenant)
        st = why_set(&w->edit.why, E_NO_TENANT, NULL, "tenant %.*s does not exist", STR_ARG(w->r->caller->tenant));
    if (st != OK)
        commit_fail(w->op, &w->edit.why);
    return st == OK;
}

/* On the caller's thread: nothing is read. */
static bool record_blind(struct embedded *e, struct store_record *r)
{
    struct recording w = {.e = e, .r = r, .edit = {.terms = e->terms, .now_us = r->now_us, .arena = arena_new(0)}};
    size_t ends[BLIND_AT_ONCE];
    bool ahead = false;
    r->call.status = OK;
    r->call.cancelled = false;
    why_clear(&r->call.why);
    buf_init(&w.edit.items, SIZE_MAX / 2);
    commit_lock(e);
    r->call.status = write_begin(e, r->caller->tenant, r->create_tenant, &w.edit.tenant, &ahead, &r->call.why);
    bool done = r->call.status != OK;
    if (!done)
        w.op = commit_op(e, &r->call);
    for (uint32_t first = 0, n; !done && first < r->count; first += n) {
        n = r->count - first < BLIND_AT_ONCE ? r->count - first : BLIND_AT_ONCE;
        commit_unlock(e);
        arena_reset(w.edit.arena);
        buf_clear(&w.edit.items);
        for (uint32_t i = 0; i < n; i++) {
            w.edit.asked = &r->edits[first + i];
            history_edit_add(&w.edit);
            ends[i] = w.edit.items.n;
        }
        commit_lock(e);
        if (!can_go_on(&w))
            break;
        enqueue_all(&w, first, n, ends);
    }
    if (!done)
        done = commit_seal(e, w.op);
    commit_unlock(e);
    arena_free(w.edit.arena);
    buf_free(&w.edit.items);
    return done;
}

/* ---- the call ---- */

struct record_job {
    struct history_job job;
    struct store_record *r;
};

static void run(struct embedded *e, struct history_job *job)
{
    struct store_record *r = container_of(job, struct record_job, job)->r;
    struct recording w = {.e = e, .r = r, .edit = {.terms = e->terms, .now_us = r->now_us}};
    bool ahead = false;
    commit_lock(e);
    r->call.status = write_begin(e, r->caller->tenant, r->create_tenant, &w.edit.tenant, &ahead, &r->call.why);
    if (r->call.status != OK) {
        commit_unlock(e);
        history_answer(&r->call);
        return;
    }
    w.op = commit_op(e, &r->call);
    w.edit.arena = arena_new(0);
    buf_init(&w.edit.items, SIZE_MAX / 2);
    for (uint32_t i = 0; i < r->count; i++) {
        w.edit.asked = &r->edits[i];
        w.result = &r->results[i];
        run_edit(&w);
    }
    bool done = commit_seal(e, w.op);
    commit_unlock(e);
    commit_nudge(e);
    arena_free(w.edit.arena);
    buf_free(&w.edit.items);
    if (done)
        history_answer(&r->call);
}

bool history_record(struct store *s, struct store_record *r)
{
    if (r->blind)
        return record_blind(embedded_of(s), r);
    struct record_job *j = mem_zalloc(sizeof *j);
    j->job = (struct history_job){.call = &r->call, .run = run};
    j->r = r;
    return history_queue(&embedded_of(s)->history.writer, &j->job);
}
