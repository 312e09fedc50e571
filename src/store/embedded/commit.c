/* The queue as writers see it, and the answers they wait for. The thread is committer.c. */
#include "store/embedded/commit.h"

#include "base/arena.h"
#include "store/embedded/embedded_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPARE_OPS_MAX = 1024,
    GATHER_US = 1000, /* that a group waits for threads that are busy, at most */
};

struct pending *pending_new(uint8_t kind, uint32_t changed_room, struct str key)
{
    size_t changed = changed_room * sizeof(uint32_t);
    struct pending *p = mem_alloc(sizeof *p + changed + key.n);
    *p = (struct pending){.kind = kind, .changed = changed ? (uint32_t *)(p + 1) : NULL};
    if (!str_absent(key)) {
        char *at = (char *)(p + 1) + changed;
        memcpy(at, key.p, key.n);
        p->key = (struct str){at, key.n};
    }
    return p;
}

struct pending *pending_new_history(struct str key, struct str items)
{
    struct pending *p = mem_alloc(sizeof *p + key.n + items.n);
    char *at = (char *)(p + 1);
    memcpy(at, key.p, key.n);
    memcpy(at + key.n, items.p, items.n);
    *p = (struct pending){.kind = RECORD_HISTORY, .key = {at, key.n}, .items = {at + key.n, items.n}};
    return p;
}

void commit_init(struct embedded *e)
{
    struct commit *c = &e->commit;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attr);
    pthread_condattr_destroy(&attr);
    c->last = &c->first;
    heads_init(&c->heads);
}

void commit_free(struct embedded *e)
{
    assert(!e->commit.first && !e->commit.running);
    heads_free(&e->commit.heads);
    for (struct op *op = e->commit.spare_ops, *next; op; op = next) {
        next = op->next;
        free(op);
    }
    pthread_mutex_destroy(&e->commit.lock);
    pthread_cond_destroy(&e->commit.wake);
}

void commit_lock(struct embedded *e)
{
    pthread_mutex_lock(&e->commit.lock);
}

void commit_unlock(struct embedded *e)
{
    pthread_mutex_unlock(&e->commit.lock);
}

/* ---- writers ---- */

enum status commit_open(struct embedded *e, struct why *why)
{
    struct commit *c = &e->commit;
    if (c->stopped)
        return why_set(why, E_BUSY, NULL,
                       "writing has stopped until a restart, because a sync of the log failed: %s",
                       c->stopped_why.text);
    if (c->stopping)
        return why_set(why, E_BUSY, NULL, "the store is closing");
    if (c->queued_bytes > e->queue_bytes_max)
        return why_set(why, E_BUSY, NULL, "%zu bytes are waiting to be written", c->queued_bytes);
    return OK;
}

struct tenant *commit_tenant(struct embedded *e, struct str name, bool *ahead)
{
    for (struct tenant *t = e->commit.ahead; t; t = t->next_ahead)
        if (str_eq(t->name, name) && !t->deleted_ahead) {
            *ahead = true;
            return t;
        }
    struct tenant *t = tenants_find(e->tenants, name);
    *ahead = t && t->deleted_ahead;
    return *ahead ? NULL : t;
}

void commit_owe_nudge(struct commit *c)
{
    if (c->nudge_owed)
        return;
    c->gather_until_us = time_monotonic() + GATHER_US;
    atomic_store_explicit(&c->nudge_owed, true, memory_order_relaxed);
}

/* True: the committer is to be signalled, better without the lock, which it takes first. */
static bool to_be_woken(struct commit *c)
{
    bool wake = c->waiting && c->first;
    if (wake)
        c->waiting = false;
    return wake;
}

void commit_nudge(struct embedded *e)
{
    struct commit *c = &e->commit;
    if (!atomic_load_explicit(&c->nudge_owed, memory_order_relaxed))
        return;
    commit_lock(e);
    atomic_store_explicit(&c->nudge_owed, false, memory_order_relaxed);
    bool wake = to_be_woken(c);
    commit_unlock(e);
    if (wake)
        pthread_cond_signal(&c->wake);
}

void commit_nudge_late(struct embedded *e)
{
    const struct commit *c = &e->commit;
    if (atomic_load_explicit(&c->nudge_owed, memory_order_relaxed) &&
        time_monotonic() >= atomic_load_explicit(&c->gather_until_us, memory_order_relaxed))
        commit_nudge(e);
}

static void append(struct embedded *e, struct pending *p)
{
    struct commit *c = &e->commit;
    p->next = NULL;
    *c->last = p;
    c->last = &p->next;
    p->bytes =
        sizeof *p + (p->doc ? doc_bytes(p->doc) : 0) + (p->document ? p->document->bytes.n : 0) + p->items.n;
    c->queued_bytes += p->bytes;
    if (p->op)
        p->op->left++;
    if (reclaim_is_online(e->reclaim))
        commit_owe_nudge(c);
    else if (to_be_woken(c))
        pthread_cond_signal(&c->wake);
}

static void append_terms(struct embedded *e)
{
    uint32_t known = terms_count(e->terms);
    if (known == e->commit.terms_queued)
        return;
    struct pending *p = pending_new(RECORD_TERMS, 0, STR_NONE);
    p->origin = e->commit.terms_queued + 1;
    p->changed_count = known - e->commit.terms_queued;
    e->commit.terms_queued = known;
    append(e, p);
}

void commit_enqueue(struct embedded *e, struct pending *p)
{
    struct commit *c = &e->commit;
    c->moves++;
    if (p->kind != PENDING_BARRIER) {
        append_terms(e);
        p->seq = ++c->seq;
    }
    if (p->doc)
        doc_set_seq(p->doc, p->seq);
    if (p->document)
        p->document->seq = p->seq;
    append(e, p);
}

struct op *commit_op(struct embedded *e, struct store_call *call)
{
    struct commit *c = &e->commit;
    struct op *op = c->spare_ops;
    if (op) {
        c->spare_ops = op->next;
        c->spare_op_count--;
    } else {
        op = mem_alloc(sizeof *op);
    }
    *op = (struct op){.call = call, .start_us = time_monotonic(), .next = c->ops};
    if (c->ops)
        c->ops->prev = op;
    c->ops = op;
    call->impl = op;
    return op;
}

static void op_free(struct commit *c, struct op *op)
{
    if (op->prev)
        op->prev->next = op->next;
    else
        c->ops = op->next;
    if (op->next)
        op->next->prev = op->prev;
    free(op->why);
    if (c->spare_op_count == SPARE_OPS_MAX) {
        free(op);
        return;
    }
    op->next = c->spare_ops;
    c->spare_ops = op;
    c->spare_op_count++;
}

void commit_fail(struct op *op, const struct why *why)
{
    if (op->status != OK)
        return;
    op->status = why->status;
    op->why = mem_alloc(sizeof *op->why);
    *op->why = *why;
}

bool commit_seal(struct embedded *e, struct op *op)
{
    op->sealed = true;
    if (op->left)
        return false;
    op->call->impl = NULL;
    op->call->status = op->status;
    if (op->status != OK)
        op->call->why = *op->why;
    op_free(&e->commit, op);
    return true;
}

/* ---- answers ---- */

void commit_run_done(struct task *task)
{
    struct store_call *call = container_of(task, struct store_call, task);
    call->done(call);
}

static void answer(struct answers *a, struct op *op, enum status status, const struct why *why)
{
    struct store_call *call = op->call;
    if (!call)
        return;
    op->call = NULL;
    call->impl = NULL;
    call->status = status;
    if (status != OK && why)
        call->why = *why;
    call->task = (struct task){.run = commit_run_done};
    uint32_t i = 0;
    while (i < a->count && a->chains[i].home != call->home)
        i++;
    if (i == a->room) {
        a->room = a->room ? 2 * a->room : 8;
        a->chains = mem_realloc(a->chains, a->room * sizeof a->chains[0]);
    }
    if (i == a->count) {
        a->chains[i] = (struct chain){.home = call->home};
        a->count++;
    }
    struct chain *c = &a->chains[i];
    if (c->first)
        *c->last = &call->task;
    else
        c->first = &call->task;
    c->last = &call->task.next;
}

void commit_post(struct answers *a)
{
    for (uint32_t i = 0; i < a->count; i++)
        a->chains[i].home->post_chain(a->chains[i].home, a->chains[i].first);
    free(a->chains);
}

void commit_settle(struct commit *c, struct pending *p, enum status status, const struct why *why,
                   struct answers *a, int64_t now_us)
{
    struct op *op = p->op;
    if (!op)
        return;
    if (status != OK)
        commit_fail(op, why);
    if (--op->left || !op->sealed)
        return;
    if (op->status == OK) {
        c->commits++;
        c->commit_us_total += (uint64_t)(now_us - op->start_us);
    }
    answer(a, op, op->status, op->why);
    op_free(c, op);
}

void commit_expire_calls(struct embedded *e, int64_t now_us)
{
    struct answers a = {0};
    struct why why = {0};
    (void)why_set(&why, E_TIMEOUT, NULL, "the change was not durable in time; it may still happen");
    commit_lock(e);
    for (struct op *op = e->commit.ops; op; op = op->next)
        if (op->call && op->sealed && op->call->deadline_us && op->call->deadline_us < now_us)
            answer(&a, op, E_TIMEOUT, &why);
    commit_unlock(e);
    commit_post(&a);
}

void commit_cancel(struct embedded *e, struct store_call *call)
{
    struct answers a = {0};
    struct why why = {0};
    (void)why_set(&why, E_CANCELLED, NULL, "cancelled; the change may still happen");
    commit_lock(e);
    __atomic_store_n(&call->cancelled, true, __ATOMIC_RELAXED); /* a worker of the history may look */
    for (struct op *op = e->commit.ops; op; op = op->next)
        if (op->call == call && op->sealed)
            answer(&a, op, E_CANCELLED, &why);
    commit_unlock(e);
    commit_post(&a);
}
