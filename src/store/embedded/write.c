/* The writing calls: preconditions against heads, the next version, a place in the queue.
 *
 * Versions are worked out without the writers' lock, a few edits at a time, from what is
 * newest when they start; under the lock it is checked that it still is, and what is not is
 * worked out again there. So writers of different entities do not wait for one another. */
#include "base/arena.h"
#include "base/hash.h"
#include "store/embedded/embedded_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 32 };

/* What an edit came to, until it is queued. */
struct staged {
    uint64_t hash;
    const struct doc *base; /* the version it was worked out from; NULL: absent */
    uint32_t slot;          /* of that, when it is committed */
    bool from_head;         /* which is not committed yet */
    struct pending *ended;  /* before the change: the base goes, because it has expired */
    struct pending *change; /* NULL: nothing changes */
};

struct writing {
    struct embedded *e;
    struct store_apply *a;
    struct op *op;
    struct tenant *tenant; /* NULL: there is none yet */
    bool ahead;            /* that, or what an edit found, is not committed yet */
    uint32_t first, count; /* edits at hand */
    uint64_t moves;        /* of heads, when they were looked up */
    struct staged staged[AT_ONCE];
};

/* ---- one edit ---- */

/* Terms of attributes that the change sets or removes. old or next may be NULL. */
static void note_changed(struct pending *p, const struct entity *old, const struct entity *next)
{
    uint32_t i = 0, k = 0, n = old ? old->attr_count : 0, m = next ? next->attr_count : 0;
    while (i < n || k < m) {
        uint32_t gone = i < n ? old->attrs[i].term : UINT32_MAX;
        uint32_t here = k < m ? next->attrs[k].term : UINT32_MAX;
        uint32_t term = gone < here ? gone : here;
        uint32_t before = 0, after = 0;
        bool set = false;
        for (; i < n && old->attrs[i].term == term; i++)
            before++;
        for (; k < m && next->attrs[k].term == term; k++) {
            set = set || next->attrs[k].seq == 0;
            after++;
        }
        if (set || before != after)
            p->changed[p->changed_count++] = term;
    }
}

static struct pending *deletion_of(const struct doc *base, const struct entity *old)
{
    struct pending *p = pending_new(RECORD_ENTITY_DELETE, old->attr_count, old->id);
    p->origin = doc_created_seq(base);
    note_changed(p, old, NULL);
    return p;
}

/* old NULL: there was none. bytes: doc_size(next). */
static struct pending *change_of(struct embedded *e, const struct entity *old,
                                 const struct entity *next, size_t bytes)
{
    uint32_t room = (old ? old->attr_count : 0) + next->attr_count;
    struct pending *p = pending_new(RECORD_ENTITY, room, STR_NONE);
    p->doc = block_new(&e->blocks, bytes);
    doc_encode(next, p->doc);
    p->key = doc_id(p->doc);
    note_changed(p, old, next);
    return p;
}

static void give(struct writing *w, const struct staged *s, struct pending *p)
{
    p->hash = s->hash;
    p->at_us = w->a->now_us;
    p->op = w->op;
}

static void forget(struct writing *w, struct staged *s)
{
    if (!s->change)
        return;
    block_free(&w->e->blocks, s->change->doc);
    free(s->change);
    free(s->ended);
    s->ended = s->change = NULL;
}

static void refuse(struct writing *w, uint32_t i, struct staged *s, const struct why *why)
{
    struct edit_result *r = &w->a->results[i];
    forget(w, s);
    *r = (struct edit_result){.status = why->status};
    r->why = arena_alloc(w->a->arena, sizeof *r->why);
    *r->why = *why;
}

/* Works out what edit i makes of s->base. */
static void work_out(struct writing *w, uint32_t i, struct staged *s)
{
    struct store_apply *a = w->a;
    struct edit_result *r = &a->results[i];
    struct entity old, next;
    struct why why = {0};
    if (s->base)
        doc_decode(s->base, a->arena, &old);
    *r = (struct edit_result){0};
    edit_apply(&a->edits[i], s->base ? &old : NULL, a->now_us, a->arena, &next, r);
    s->ended = s->change = NULL;
    if (r->status != OK || !r->changed)
        return;
    if (r->deleted) {
        give(w, s, s->change = deletion_of(s->base, &old));
        return;
    }
    const struct entity *was = s->base && !r->expired ? &old : NULL;
    size_t bytes = doc_size(&next);
    if (growth_check(&w->e->o.growth, was, was ? doc_bytes(s->base) : 0, &next, bytes, &why) !=
        OK) {
        refuse(w, i, s, &why);
        return;
    }
    if (r->expired)
        give(w, s, s->ended = deletion_of(s->base, &old));
    give(w, s, s->change = change_of(w->e, was, &next, bytes));
}

/* Finds the newest version of the entity. The lock is held. */
static void look_up(struct writing *w, struct str id, struct staged *s)
{
    s->base = NULL;
    s->from_head = false;
    if (!w->tenant)
        return;
    const struct pending *head = heads_find(&w->e->commit.heads, w->tenant, 0, id, s->hash);
    s->from_head = head != NULL;
    s->base = head ? head->doc : state_find(tenant_state(w->tenant), id, s->hash, &s->slot);
}

/* Too full for this change? */
static enum status check_room(struct embedded *e, size_t before, size_t after, struct why *why)
{
    size_t now = e->blocks.bytes + e->table_bytes, max = e->o.state_bytes_max;
    if (after > before && now > max && (!before || now > max + max / 8))
        return why_limit(
            why, E_NO_SPACE, NULL, "store.state_bytes",
            "the memory for entities is full (%zu of %zu bytes); deletions are possible", now, max);
    if (!before && e->disk_low)
        return why_limit(why, E_NO_SPACE, NULL, "store.disk_reserve",
                         "the disk is nearly full; deletions are possible");
    return OK;
}

struct tenant *write_make_tenant(struct embedded *e, struct op *op, struct str name, int64_t at_us)
{
    struct commit *c = &e->commit;
    struct tenant *t = tenant_new(e->reclaim, &e->blocks, ++c->tenant_id, name);
    t->next_ahead = c->ahead;
    c->ahead = t;
    c->tenant_count++;
    struct pending *p = pending_new(RECORD_TENANT, 0, t->name);
    p->tenant = t;
    p->op = op;
    p->at_us = at_us;
    commit_enqueue(e, p);
    return t;
}

static void enqueue(struct writing *w, uint32_t i, struct staged *s)
{
    struct pending *p = s->change;
    struct why why = {0};
    size_t before = s->base ? doc_bytes(s->base) : 0;
    if (p->doc && check_room(w->e, before, doc_bytes(p->doc), &why) != OK) {
        refuse(w, i, s, &why);
        return;
    }
    if (!w->tenant)
        w->tenant = write_make_tenant(w->e, w->op, w->a->caller->tenant, w->a->now_us);
    struct pending *replaces = s->ended ? s->ended : p;
    if (!s->from_head) {
        replaces->base = s->base;
        replaces->slot = s->slot;
    }
    if (s->ended) {
        s->ended->tenant = w->tenant;
        commit_enqueue(w->e, s->ended);
    }
    p->tenant = w->tenant;
    commit_enqueue(w->e, p);
    heads_set(&w->e->commit.heads, p);
    w->a->results[i].seq = p->seq;
    s->ended = s->change = NULL;
}

/* ---- a few edits ---- */

/* Looks up what the edits at hand start from. The lock is held. */
static void stage(struct writing *w)
{
    w->moves = w->e->commit.moves;
    for (uint32_t k = 0; k < w->count; k++) {
        struct staged *s = &w->staged[k];
        struct str id = w->a->edits[w->first + k].id;
        s->hash = hash_str(id);
        look_up(w, id, s);
    }
}

/* Queues the edits at hand, those again worked out whose start has moved on. The lock is held. */
static void queue(struct writing *w)
{
    for (uint32_t k = 0; k < w->count; k++) {
        struct staged *s = &w->staged[k];
        const struct doc *base = s->base;
        if (w->e->commit.moves != w->moves)
            look_up(w, w->a->edits[w->first + k].id, s);
        if (base != s->base) {
            forget(w, s);
            work_out(w, w->first + k, s);
        }
        if (s->change)
            enqueue(w, w->first + k, s);
        else if (s->from_head)
            w->ahead = true;
    }
}

static struct pending *barrier(struct op *op)
{
    struct pending *p = pending_new(PENDING_BARRIER, 0, STR_NONE);
    p->op = op;
    return p;
}

enum status write_begin(struct embedded *e, struct str name, bool create, struct tenant **t, bool *ahead,
                        struct why *why)
{
    enum status st = commit_open(e, why);
    if (st != OK)
        return st;
    *t = commit_tenant(e, name, ahead);
    if (*t)
        return OK;
    if (!create)
        return why_set(why, E_NO_TENANT, NULL, "tenant %.*s does not exist", STR_ARG(name));
    if (e->commit.tenant_count >= e->o.tenants_max)
        return why_limit(why, E_LIMIT, NULL, "limits.tenants", "at most %u tenants",
                         e->o.tenants_max);
    return OK;
}

/* write_begin() refused the call, perhaps because of something that is not committed yet. The lock is
 * held. */
static bool refuse_call(struct embedded *e, struct store_call *call, bool ahead)
{
    if (call->status != E_NO_TENANT || !ahead)
        return true;
    struct op *op = commit_op(e, call);
    commit_fail(op, &call->why);
    commit_enqueue(e, barrier(op));
    return commit_seal(e, op);
}

static void call_start(struct store_call *call)
{
    call->status = OK;
    call->cancelled = false;
    call->impl = NULL;
    why_clear(&call->why);
}

/* The end of a writing call, under the lock: what depends on changes not committed yet waits for
 * them. */
static bool finish(struct embedded *e, struct op *op, bool ahead)
{
    if (ahead)
        commit_enqueue(e, barrier(op));
    return commit_seal(e, op);
}

bool write_apply(struct store *s, struct store_apply *a)
{
    struct writing w = {.e = embedded_of(s), .a = a};
    assert(reclaim_is_online(w.e->reclaim));
    call_start(&a->call);
    commit_lock(w.e);
    a->call.status =
        write_begin(w.e, a->caller->tenant, a->create_tenant, &w.tenant, &w.ahead, &a->call.why);
    if (a->call.status != OK) {
        bool done = refuse_call(w.e, &a->call, w.ahead);
        commit_unlock(w.e);
        return done;
    }
    w.op = commit_op(w.e, &a->call);
    while (w.first < a->count) {
        w.count = a->count - w.first < AT_ONCE ? a->count - w.first : AT_ONCE;
        stage(&w);
        commit_unlock(w.e);
        for (uint32_t k = 0; k < w.count; k++)
            work_out(&w, w.first + k, &w.staged[k]);
        commit_lock(w.e);
        bool ahead;
        w.tenant = commit_tenant(w.e, a->caller->tenant, &ahead);
        queue(&w);
        w.first += w.count;
    }
    bool done = finish(w.e, w.op, w.ahead);
    commit_unlock(w.e);
    return done;
}

/* ---- documents ---- */

/* Is there such a document, as of the end of the queue? seq: of the change that wrote it, UINT64_MAX
 * while that has none. The lock is held. */
static bool document_there(struct embedded *e, struct tenant *t, const struct store_put *p,
                           uint64_t hash, bool *from_head, uint64_t *seq)
{
    *from_head = false;
    *seq = UINT64_MAX;
    if (!t)
        return false;
    const struct pending *head = heads_find(&e->commit.heads, t, p->kind, p->key, hash);
    *from_head = head != NULL;
    if (head)
        return head->document != NULL;
    pthread_rwlock_rdlock(&t->lock);
    const struct document *d = name_map_get(t->documents[p->kind], p->key);
    if (d)
        *seq = d->seq;
    pthread_rwlock_unlock(&t->lock);
    return d != NULL;
}

static enum status check_document(struct embedded *e, const struct store_put *p, bool there,
                                  uint64_t seq, struct why *why)
{
    if (p->only_absent && there)
        return why_set(why, E_EXISTS, NULL, "%.*s exists already", STR_ARG(p->key));
    if (p->only_present && !there)
        return why_set(why, E_NOT_FOUND, NULL, "%.*s does not exist", STR_ARG(p->key));
    if (p->only_seq && p->only_seq != seq)
        return why_set(why, E_CONFLICT, NULL, "%.*s was changed meanwhile", STR_ARG(p->key));
    return str_absent(p->bytes) || there ? OK : check_room(e, 0, 1, why);
}

static void enqueue_document(struct embedded *e, struct op *op, struct tenant *t,
                             const struct store_put *p, uint64_t hash)
{
    bool delete = str_absent(p->bytes);
    struct pending *c = pending_new(delete ? RECORD_DOCUMENT_DELETE : RECORD_DOCUMENT, 0, p->key);
    c->op = op;
    c->tenant = t;
    c->document_kind = p->kind;
    c->hash = hash;
    c->at_us = e->o.clock->now_us(e->o.clock);
    if (!delete)
        c->document = document_new(&e->blocks, 0, p->key, p->bytes);
    commit_enqueue(e, c);
    heads_set(&e->commit.heads, c);
}

bool write_put(struct store *s, struct store_put *p)
{
    struct embedded *e = embedded_of(s);
    assert(reclaim_is_online(e->reclaim));
    assert(p->kind > 0 && p->kind < STORE_KIND_COUNT);
    call_start(&p->call);
    uint64_t hash = hash_str(p->key);
    struct tenant *t;
    bool ahead = false, from_head;
    commit_lock(e);
    p->call.status = write_begin(e, p->caller->tenant, p->create_tenant, &t, &ahead, &p->call.why);
    if (p->call.status != OK) {
        bool done = refuse_call(e, &p->call, ahead);
        commit_unlock(e);
        return done;
    }
    struct op *op = commit_op(e, &p->call);
    uint64_t seq;
    bool there = document_there(e, t, p, hash, &from_head, &seq);
    struct why why = {0};
    if (check_document(e, p, there, seq, &why) != OK) {
        commit_fail(op, &why);
    } else if (there || !str_absent(p->bytes)) {
        if (!t)
            t = write_make_tenant(e, op, p->caller->tenant, e->o.clock->now_us(e->o.clock));
        enqueue_document(e, op, t, p, hash);
        from_head = false;
    }
    bool done = finish(e, op, ahead || from_head);
    commit_unlock(e);
    return done;
}

/* ---- tenants ---- */

bool write_tenant_delete(struct store *s, struct store_tenant_delete *d)
{
    struct embedded *e = embedded_of(s);
    call_start(&d->call);
    struct tenant *t;
    bool ahead = false;
    if (d->tenant.n == 0) {
        d->call.status =
            why_set(&d->call.why, E_BAD_DATA, NULL, "the default tenant cannot be deleted");
        return true;
    }
    commit_lock(e);
    d->call.status = write_begin(e, d->tenant, false, &t, &ahead, &d->call.why);
    bool done = d->call.status != OK && refuse_call(e, &d->call, ahead);
    if (d->call.status == OK) {
        struct op *op = commit_op(e, &d->call);
        struct pending *p = pending_new(RECORD_TENANT_DELETE, 0, t->name);
        p->op = op;
        p->tenant = t;
        p->at_us = e->o.clock->now_us(e->o.clock);
        t->deleted_ahead = true;
        e->commit.tenant_count--;
        commit_enqueue(e, p);
        (void)finish(e, op, false);
    }
    commit_unlock(e);
    return done;
}
