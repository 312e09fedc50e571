/* Temporal edits (clauses 5.6.11 … 5.6.16): what they need is looked up on the writing worker, one edit of an entity after
 * another; what they do goes into the log as items. */
#include "base/hash.h"
#include "base/time.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_item.h"
#include "store/embedded/history_job.h"
#include "store/embedded/history_key.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_US = 100 };

struct recording {
    struct embedded *e;
    struct store_record *r;
    struct op *op;
    struct tenant *tenant; /* NULL: there is none yet */
    const struct record_edit *edit;
    struct record_result *result;
    struct arena *arena; /* of one edit */
    struct history_view view;
    struct buf items;
    struct why why;
};

static enum status unknown(struct recording *w)
{
    return why_set(&w->why, E_NOT_FOUND, NULL, "nothing is known of %.*s", STR_ARG(w->edit->id));
}

static void put(struct recording *w, const struct item *i)
{
    item_write(&w->items, i);
}

/* ---- adding ---- */

/* Sub-attributes that a client gave are of the same change and time as what they belong to. */
static void stamp_subs(struct recording *w, struct attr *a, uint64_t seq)
{
    struct attr *subs = arena_array(w->arena, struct attr, a->sub_count);
    for (uint32_t i = 0; i < a->sub_count; i++) {
        subs[i] = a->subs[i];
        subs[i].seq = seq;
        subs[i].created_at = subs[i].modified_at = w->r->now_us;
        stamp_subs(w, &subs[i], seq);
    }
    a->subs = subs;
}

static void put_new(struct recording *w, const struct point *given, uint32_t index)
{
    struct item i = {.kind = ITEM_POINT, .point = *given};
    struct point *p = &i.point;
    p->attr.seq = 0;
    p->index = index;
    p->attr.created_at = p->attr.modified_at = w->r->now_us;
    stamp_subs(w, &p->attr, 0);
    if (p->attr.value.kind != VALUE_NULL)
        p->deleted_at = TIME_NONE;
    else if (p->deleted_at == TIME_NONE)
        p->deleted_at = p->attr.observed_at != TIME_NONE ? p->attr.observed_at : w->r->now_us;
    put(w, &i);
}

static void put_all(struct recording *w)
{
    const struct evolution *f = w->edit->fragment;
    put(w, &(struct item){
               .kind = ITEM_GROWN, .modified_at = w->r->now_us, .type_count = f->type_count, .types = f->types});
    if (f->expires_at != TIME_NONE)
        put(w, &(struct item){.kind = ITEM_EXPIRES, .expires_at = f->expires_at});
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t k = 0; k < f->series[i].count; k++)
            put_new(w, &f->series[i].points[k], k);
}

static void put_copies(struct recording *w)
{
    const struct evolution *f = w->edit->fragment;
    put(w, &(struct item){.kind = ITEM_TYPES, .type_count = f->type_count, .types = f->types});
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t k = 0; k < f->series[i].count; k++)
            put(w, &(struct item){.kind = ITEM_POINT, .point = f->series[i].points[k]});
    put(w, &(struct item){.kind = ITEM_LIFE,
                          .created_at = f->created_at,
                          .modified_at = f->modified_at,
                          .deleted_at = f->deleted_at});
}

static enum status add(struct recording *w)
{
    bool there = w->tenant && history_view_exists(&w->view);
    if (!there && w->edit->kind == RECORD_EDIT_ADD)
        return unknown(w);
    w->result->created = !there;
    if (w->edit->kind == RECORD_EDIT_COPY)
        put_copies(w);
    else
        put_all(w);
    return OK;
}

/* ---- series ---- */

/* What today's version has in that series, if it counts. */
static bool current(const struct recording *w, uint32_t term, struct str dataset, struct attr *out)
{
    const struct doc *d = w->view.doc;
    uint32_t i = d && term != TERM_SCOPE ? doc_find_attr(d, term) : UINT32_MAX;
    for (; i != UINT32_MAX && i < doc_attr_count(d) && doc_attr_term(d, i) == term; i++) {
        doc_attr(d, i, w->arena, out);
        if (str_eq(out->dataset, dataset))
            return history_view_current(&w->view, out);
    }
    return false;
}

/* datasetIds of the attribute's series, past and of today, each once, that the edit means. */
static uint32_t datasets(const struct recording *w, struct str **out)
{
    const struct past *p = &w->view.past;
    const struct doc *d = w->view.doc;
    uint32_t term = w->edit->term, n = 0;
    uint32_t i = d && term != TERM_SCOPE ? doc_find_attr(d, term) : UINT32_MAX;
    *out = arena_array(w->arena, struct str, p->count + (d ? doc_attr_count(d) : 0));
    for (uint32_t k = 0; k < p->count; k++)
        if (p->series[k].term == term)
            (*out)[n++] = p->series[k].dataset;
    for (; i != UINT32_MAX && i < doc_attr_count(d) && doc_attr_term(d, i) == term; i++) {
        struct attr a;
        doc_attr_alone(d, i, &a);
        if (!past_find(p, term, a.dataset))
            (*out)[n++] = a.dataset;
    }
    uint32_t meant = 0;
    for (uint32_t k = 0; k < n; k++)
        if (w->edit->all_datasets || str_eq((*out)[k], w->edit->dataset))
            (*out)[meant++] = (*out)[k];
    return meant;
}

static bool has_instances(const struct recording *w, struct str dataset)
{
    struct attr a;
    const struct past_series *s = past_find(&w->view.past, w->edit->term, dataset);
    return (s && (s->count || s->open.n || s->sealed || past_has_kept(s))) || current(w, w->edit->term, dataset, &a);
}

static enum status no_attribute(struct recording *w)
{
    return why_set(&w->why, E_NOT_FOUND, NULL, "the evolution of %.*s has no instance of that attribute%s",
                   STR_ARG(w->edit->id), w->edit->all_datasets ? "" : " and datasetId");
}

static enum status delete_attr(struct recording *w)
{
    struct str *names;
    uint32_t n = datasets(w, &names);
    for (uint32_t i = 0; i < n; i++)
        if (has_instances(w, names[i]))
            put(w, &(struct item){.kind = ITEM_DROP_SERIES, .term = w->edit->term, .dataset = names[i]});
    return w->items.n ? OK : no_attribute(w);
}

/* ---- instances ---- */

struct search {
    const struct recording *w;
    const struct past_series *series;
    bool last;          /* any: the last one found stays */
    struct point found; /* in the recording's arena */
    bool there;
};

static void take(struct search *f, const struct point *p)
{
    const struct record_edit *edit = f->w->edit;
    if (f->last ? f->there && point_order(&f->found, p) > 0
                : p->attr.seq != edit->instance_seq || p->index != edit->instance_index)
        return;
    f->found = *p;
    f->there = true;
}

static bool search_chunk(void *arg, struct str key, struct str bytes)
{
    struct search *f = arg;
    struct chunk c;
    struct why why = {0};
    struct arena *a = f->w->arena;
    uint64_t seq = f->w->edit->instance_seq;
    (void)key;
    if (chunk_read_summary(bytes, &c.summary, &why) != OK ||
        (!f->last && (seq < c.summary.seq_min || seq > c.summary.seq_max)) ||
        (f->last && f->there && c.summary.last_place < point_place(&f->found)) ||
        chunk_open(&c, arena_dup(a, bytes), &why) != OK)
        return true;
    struct point *points = arena_array(a, struct point, c.summary.count);
    if (chunk_points(&c, f->series->term, f->series->dataset, f->w->view.past.term_max, a, points, &why) != OK)
        return true;
    for (uint32_t i = 0; i < c.summary.count; i++)
        if (!past_edited(f->series, points[i].attr.seq, points[i].index)) /* what stands instead is not sealed */
            take(f, &points[i]);
    return f->last || !f->there;
}

/* In what is past; OK also when it is not there. */
static enum status search(struct recording *w, struct past_series *s, struct search *f)
{
    f->w = w;
    f->series = s;
    past_open(&w->view.past, s);
    for (uint32_t i = 0; i < s->count; i++)
        take(f, &s->points[i]);
    if ((f->there && !f->last) || !s->sealed || s->emptied || !w->view.base)
        return OK;
    struct str from = history_key_series(w->tenant->id, w->edit->id, s->term, s->dataset, w->arena);
    return base_view_range(w->view.base, from, history_key_end(from, w->arena), f->last, search_chunk, f, &w->why);
}

/* The instance that the edit names. */
static enum status find_instance(struct recording *w, struct point *out, bool *is_current)
{
    const struct record_edit *edit = w->edit;
    struct str *names;
    struct str iri = edit->term == TERM_SCOPE ? STR("https://uri.etsi.org/ngsi-ld/scope") : terms_iri(w->e->terms, edit->term);
    struct attr a;
    uint32_t n = datasets(w, &names);
    for (uint32_t i = 0; i < n; i++) {
        struct past_series *s = past_find(&w->view.past, edit->term, names[i]);
        struct search f = {0};
        if (!instance_id_is(edit->instance_id, edit->id, iri, names[i], edit->instance_seq, edit->instance_index))
            continue;
        enum status st = s ? search(w, s, &f) : OK;
        if (st != OK)
            return st;
        *is_current = !f.there && current(w, edit->term, names[i], &a) && a.seq == edit->instance_seq &&
                      edit->instance_index == 0;
        if (f.there || *is_current) {
            *out = f.there ? f.found : (struct point){.attr = a, .deleted_at = TIME_NONE};
            return OK;
        }
    }
    return why_set(&w->why, E_NOT_FOUND, NULL, "%.*s has no instance %.*s of that attribute", STR_ARG(edit->id),
                   STR_ARG(edit->instance_id));
}

static enum status change_instance(struct recording *w)
{
    struct point was = {0};
    bool is_current = false;
    enum status st = find_instance(w, &was, &is_current);
    if (st != OK)
        return st;
    if (w->edit->kind == RECORD_EDIT_DELETE_INSTANCE) {
        put(w, &(struct item){.kind = ITEM_DROP_POINT,
                              .term = was.attr.term,
                              .dataset = was.attr.dataset,
                              .seq = was.attr.seq,
                              .index = was.index,
                              .current = is_current});
        return OK;
    }
    struct item i = {.kind = ITEM_MODIFY, .point = w->edit->fragment->series[0].points[0], .current = is_current};
    struct point *p = &i.point;
    p->attr.term = was.attr.term;
    p->attr.dataset = was.attr.dataset;
    p->attr.seq = was.attr.seq;
    p->index = was.index;
    p->attr.created_at = was.attr.created_at;
    p->attr.modified_at = w->r->now_us > was.attr.modified_at ? w->r->now_us : was.attr.modified_at;
    stamp_subs(w, &p->attr, was.attr.seq);
    if (p->attr.value.kind != VALUE_NULL)
        p->deleted_at = TIME_NONE;
    else if (p->deleted_at == TIME_NONE)
        p->deleted_at = p->attr.observed_at != TIME_NONE ? p->attr.observed_at : w->r->now_us;
    put(w, &i);
    return OK;
}

/* ---- ends ---- */

static enum status mark_series(struct recording *w, struct past_series *s)
{
    struct search f = {.last = true};
    enum status st = search(w, s, &f);
    if (st != OK || !f.there || f.found.deleted_at != TIME_NONE)
        return st;
    int64_t now_us = w->r->now_us;
    struct point p = {.attr = {.term = s->term,
                               .kind = f.found.attr.kind,
                               .dataset = s->dataset,
                               .value = {.kind = VALUE_NULL},
                               .observed_at = TIME_NONE,
                               .expires_at = TIME_NONE,
                               .created_at = f.found.attr.created_at,
                               .modified_at = now_us},
                      .deleted_at = now_us};
    put(w, &(struct item){.kind = ITEM_POINT, .point = p});
    return OK;
}

static enum status mark_deleted(struct recording *w)
{
    const struct record_edit *edit = w->edit;
    struct past *p = &w->view.past;
    enum status st = OK;
    if (edit->whole && p->deleted_at != TIME_NONE)
        return unknown(w);
    for (uint32_t i = 0; i < p->count && st == OK; i++) {
        struct past_series *s = &p->series[i];
        bool meant = s->term == edit->term && (edit->all_datasets || str_eq(s->dataset, edit->dataset));
        if (edit->whole || meant)
            st = mark_series(w, s);
    }
    if (st == OK && edit->whole)
        put(w, &(struct item){.kind = ITEM_LIFE,
                              .created_at = TIME_NONE,
                              .modified_at = w->r->now_us,
                              .deleted_at = w->r->now_us});
    return st != OK || w->items.n ? st : no_attribute(w);
}

/* ---- an edit ---- */

static enum status work_out(struct recording *w)
{
    uint8_t kind = w->edit->kind;
    if (kind == RECORD_EDIT_UPSERT || kind == RECORD_EDIT_ADD || kind == RECORD_EDIT_COPY)
        return add(w);
    if (!w->tenant || !history_view_exists(&w->view))
        return unknown(w);
    switch ((enum record_edit_kind)kind) {
    case RECORD_EDIT_DELETE_ATTR:
        return delete_attr(w);
    case RECORD_EDIT_MODIFY_INSTANCE:
    case RECORD_EDIT_DELETE_INSTANCE:
        return change_instance(w);
    case RECORD_EDIT_MARK_DELETED:
        return w->view.doc ? unknown(w) : mark_deleted(w);
    case RECORD_EDIT_DELETE:
        put(w, &(struct item){.kind = ITEM_DROP_ALL});
        return OK;
    case RECORD_EDIT_UPSERT:
    case RECORD_EDIT_ADD:
    case RECORD_EDIT_COPY:
        break;
    }
    return why_set(&w->why, E_INTERNAL, NULL, "an unknown kind of temporal edit");
}

/* The last change of the entity's history that is on its way; 0: none is. */
static uint64_t on_its_way(const struct recording *w, uint64_t hash)
{
    struct heads *heads = &w->e->commit.heads;
    const struct pending *p = w->tenant ? heads_find(heads, w->tenant, HEAD_HISTORY, w->edit->id, hash) : NULL;
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
        w->tenant = commit_tenant(e, w->r->caller->tenant, &ahead);
    }
    w->why = w->r->call.why;
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
    if (!w->tenant)
        w->tenant = write_make_tenant(w->e, w->op, w->r->caller->tenant, w->r->now_us);
    struct pending *p = pending_of(w->tenant, w->edit->id, items, w->r->now_us);
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
    w->result->created = false;
    w->result->why = arena_alloc(w->r->arena, sizeof w->why);
    *w->result->why = w->why;
}

static void fail_call(struct recording *w, enum status st)
{
    commit_fail(w->op, &w->why);
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
    uint64_t hash = hash_str(w->edit->id);
    *w->result = (struct record_result){.status = OK};
    why_clear(&w->why);
    enum status st = wait_for_heads(w, hash);
    if (st != OK) {
        fail_call(w, st);
        return;
    }
    struct tenant *t = w->tenant;
    commit_unlock(e);
    sweep_edit_begin(e); /* what it finds stays until it is queued */
    arena_reset(w->arena);
    buf_clear(&w->items);
    w->view = (struct history_view){0};
    past_init(&w->view.past, 0, w->arena);
    if (t)
        st = history_view_open(e, t, w->edit->id, w->arena, &w->view, &w->why);
    if (st == OK)
        st = work_out(w);
    history_view_close(e, &w->view);
    commit_lock(e);
    if (st == OK && e->commit.stopped) { /* since this edit began */
        fail_call(w, commit_open(e, &w->why));
        sweep_edit_end(e, 0);
        return;
    }
    bool ahead;
    w->tenant = commit_tenant(e, w->r->caller->tenant, &ahead);
    if (st == OK && !w->tenant && !w->r->create_tenant)
        st = why_set(&w->why, E_NO_TENANT, NULL, "tenant %.*s does not exist", STR_ARG(w->r->caller->tenant));
    if (st == OK)
        enqueue(w, buf_view(&w->items));
    else
        refuse(w, st);
    sweep_edit_end(e, st == OK && names_instance(w->edit) ? w->result->seq : 0);
}

/* ---- without looking ---- */

enum { BLIND_AT_ONCE = 64 };

/* Queues edits whose items lie one behind the other, up to where ends says. The lock is held. */
static void enqueue_all(struct recording *w, uint32_t first, uint32_t n, const size_t *ends)
{
    for (uint32_t i = 0; i < n; i++) {
        size_t from = i ? ends[i - 1] : 0;
        w->edit = &w->r->edits[first + i];
        w->result = &w->r->results[first + i];
        *w->result = (struct record_result){.status = OK};
        enqueue(w, str_head(str_from(buf_view(&w->items), from), ends[i] - from));
    }
}

/* The lock was given up: are log and tenant what they were? */
static bool can_go_on(struct recording *w)
{
    struct embedded *e = w->e;
    bool ahead;
    enum status st = e->commit.stopped ? commit_open(e, &w->why) : OK;
    w->tenant = commit_tenant(e, w->r->caller->tenant, &ahead);
    if (st == OK && !w->tenant && !w->r->create_tenant)
        st = why_set(&w->why, E_NO_TENANT, NULL, "tenant %.*s does not exist", STR_ARG(w->r->caller->tenant));
    if (st != OK)
        commit_fail(w->op, &w->why);
    return st == OK;
}

/* On the caller's thread: nothing is read. */
static bool record_blind(struct embedded *e, struct store_record *r)
{
    struct recording w = {.e = e, .r = r, .arena = arena_new(0)};
    size_t ends[BLIND_AT_ONCE];
    bool ahead = false;
    r->call.status = OK;
    r->call.cancelled = false;
    why_clear(&r->call.why);
    buf_init(&w.items, SIZE_MAX / 2);
    commit_lock(e);
    r->call.status = write_begin(e, r->caller->tenant, r->create_tenant, &w.tenant, &ahead, &r->call.why);
    bool done = r->call.status != OK;
    if (!done)
        w.op = commit_op(e, &r->call);
    for (uint32_t first = 0, n; !done && first < r->count; first += n) {
        n = r->count - first < BLIND_AT_ONCE ? r->count - first : BLIND_AT_ONCE;
        commit_unlock(e);
        arena_reset(w.arena);
        buf_clear(&w.items);
        for (uint32_t i = 0; i < n; i++) {
            w.edit = &r->edits[first + i];
            put_all(&w);
            ends[i] = w.items.n;
        }
        commit_lock(e);
        if (!can_go_on(&w))
            break;
        enqueue_all(&w, first, n, ends);
    }
    if (!done)
        done = commit_seal(e, w.op);
    commit_unlock(e);
    arena_free(w.arena);
    buf_free(&w.items);
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
    struct recording w = {.e = e, .r = r};
    bool ahead = false;
    commit_lock(e);
    r->call.status = write_begin(e, r->caller->tenant, r->create_tenant, &w.tenant, &ahead, &r->call.why);
    if (r->call.status != OK) {
        commit_unlock(e);
        history_answer(&r->call);
        return;
    }
    w.op = commit_op(e, &r->call);
    w.arena = arena_new(0);
    buf_init(&w.items, SIZE_MAX / 2);
    for (uint32_t i = 0; i < r->count; i++) {
        w.edit = &r->edits[i];
        w.result = &r->results[i];
        run_edit(&w);
    }
    bool done = commit_seal(e, w.op);
    commit_unlock(e);
    commit_nudge(e);
    arena_free(w.arena);
    buf_free(&w.items);
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
