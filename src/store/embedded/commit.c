/* The queue, seen by writers, and the committer's thread. */
#include "store/embedded/commit.h"

#include "base/arena.h"
#include "base/log.h"
#include "store/embedded/embedded_int.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    RECLAIM_MS = 20,
    PRIORITY = -10,
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

/* Threads that are busy with writes say when they are done: commit_nudge(). */
static void owe_nudge(struct commit *c)
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
        sizeof *p + (p->doc ? doc_bytes(p->doc) : 0) + (p->document ? p->document->bytes.n : 0);
    c->queued_bytes += p->bytes;
    if (p->op)
        p->op->left++;
    if (reclaim_is_online(e->reclaim))
        owe_nudge(c);
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

static void run_done(struct task *task)
{
    struct store_call *call = container_of(task, struct store_call, task);
    call->done(call);
}

/* Answers to be posted, one chain a runner. */
struct answers {
    struct chain {
        struct runner *home;
        struct task *first, **last;
    } * chains;
    uint32_t count, room;
};

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
    call->task = (struct task){.run = run_done};
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

static void post(struct answers *a)
{
    for (uint32_t i = 0; i < a->count; i++)
        a->chains[i].home->post_chain(a->chains[i].home, a->chains[i].first);
    free(a->chains);
}

/* The lock is held. One change of p's operation is settled. */
static void settle(struct commit *c, struct pending *p, enum status status, const struct why *why,
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
    post(&a);
}

void commit_cancel(struct embedded *e, struct store_call *call)
{
    struct answers a = {0};
    struct why why = {0};
    (void)why_set(&why, E_CANCELLED, NULL, "cancelled; the change may still happen");
    commit_lock(e);
    call->cancelled = true;
    for (struct op *op = e->commit.ops; op; op = op->next)
        if (op->call == call && op->sealed)
            answer(&a, op, E_CANCELLED, &why);
    commit_unlock(e);
    post(&a);
}

/* ---- the committer ---- */

static void log_terms(struct embedded *e, const struct pending *p)
{
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    for (uint32_t i = 0; i < p->changed_count; i++) {
        struct str iri = terms_iri(e->terms, (uint32_t)p->origin + i);
        buf_le32(&b, (uint32_t)iri.n);
        buf_str(&b, iri);
    }
    struct record r = {.kind = RECORD_TERMS, .origin = p->origin, .block = buf_view(&b)};
    journal_add(e->journal, &r);
    buf_free(&b);
}

static void log_pending(struct embedded *e, const struct pending *p)
{
    if (p->kind == PENDING_BARRIER)
        return;
    if (p->kind == RECORD_TERMS) {
        log_terms(e, p);
        return;
    }
    struct record r = {
        .kind = p->kind,
        .document_kind = p->document_kind,
        .seq = p->seq,
        .origin = p->origin,
        .at_us = p->at_us,
        .tenant = p->tenant->id,
        .changed_count = p->changed_count,
        .changed = p->changed,
    };
    if (p->kind != RECORD_ENTITY)
        r.key = p->key;
    if (p->doc)
        r.block = (struct str){(const char *)p->doc, doc_bytes(p->doc)};
    if (p->document)
        r.block = p->document->bytes;
    journal_add(e->journal, &r);
}

/* Cuts a group off the front of the queue. The lock is held. */
static struct pending *take_group(struct embedded *e)
{
    struct commit *c = &e->commit;
    struct pending *first = c->first, *last = first;
    size_t bytes = first->bytes;
    while (last->next && bytes + last->next->bytes <= e->o.group_bytes_max) {
        last = last->next;
        bytes += last->bytes;
    }
    c->first = last->next;
    if (!c->first)
        c->last = &c->first;
    last->next = NULL;
    return first;
}

/* first is durable: everybody may see it. */
static void commit_group(struct embedded *e, struct pending *first)
{
    struct commit *c = &e->commit;
    struct answers a = {0};
    pthread_mutex_lock(&e->publish_lock);
    publish_group(e, first);
    e->published_segment = journal_segment(e->journal);
    publish_tell(e, first); /* within: what listeners save is of the moment that a fold takes */
    pthread_mutex_unlock(&e->publish_lock);
    if (e->published_segment - e->fold.segment >= e->fold_segments &&
        c->fold_asked != e->published_segment) {
        c->fold_asked = e->published_segment;
        fold_want(e);
    }
    int64_t now_us = time_monotonic();
    commit_lock(e);
    c->refusing = false;
    c->groups++;
    for (struct pending *p = first; p; p = p->next) {
        if (p->kind == RECORD_TERMS)
            c->terms_durable = (uint32_t)p->origin + p->changed_count - 1;
        if (p->kind == RECORD_TENANT) {
            struct tenant **at = &c->ahead;
            while (*at != p->tenant)
                at = &(*at)->next_ahead;
            *at = p->tenant->next_ahead;
        }
        if (!str_absent(p->key))
            heads_drop(&c->heads, p);
        c->queued_bytes -= p->bytes;
        settle(c, p, OK, NULL, &a, now_us);
    }
    if (a.count)
        owe_nudge(c);
    commit_unlock(e);
    post(&a);
    publish_retire(e, first);
}

/* The group, and all that is queued behind it, will not happen; with E_UNKNOWN_OUTCOME, nobody
 * knows of the group whether it did. */
static void drop_all(struct embedded *e, struct pending *group, enum status status,
                     const struct why *why)
{
    struct commit *c = &e->commit;
    struct answers a = {0};
    struct why behind_why = {0};
    enum status behind = status == E_UNKNOWN_OUTCOME ? E_BUSY : status;
    (void)why_set(&behind_why, behind, NULL,
                  "nothing was written, because a change before this one failed: %s", why->text);
    int64_t now_us = time_monotonic();
    commit_lock(e);
    struct pending *behind_first = c->first;
    c->first = NULL;
    c->last = &c->first;
    c->queued_bytes = 0;
    heads_clear(&c->heads);
    c->moves++;
    c->terms_queued = c->terms_durable;
    c->tenant_count = e->tenants->count;
    c->ahead = NULL;
    c->refusing = status == E_NO_SPACE && !e->fold.refusing;
    snprintf(c->refusing_why, sizeof c->refusing_why, "%.159s", why->text);
    if (status == E_UNKNOWN_OUTCOME) {
        c->stopped = true;
        c->stopped_why = *why;
    }
    for (struct pending *p = group; p; p = p->next) {
        if (p->kind == RECORD_TENANT_DELETE)
            p->tenant->deleted_ahead = false;
        settle(c, p, status, why, &a, now_us);
    }
    for (struct pending *p = behind_first; p; p = p->next) {
        if (p->kind == RECORD_TENANT_DELETE)
            p->tenant->deleted_ahead = false;
        settle(c, p, behind, &behind_why, &a, now_us);
    }
    commit_unlock(e);
    post(&a);
    log_error("writes refused", log_z("status", status_name(status)), log_z("why", why->text));
    publish_discard(e, group);
    publish_discard(e, behind_first);
}

static void commit_one(struct embedded *e, struct pending *group)
{
    struct why why = {0};
    enum status st = fold_refuses(e, &why);
    for (const struct pending *p = group; p && st == OK; p = p->next)
        log_pending(e, p);
    if (st == OK && journal_gathered(e->journal))
        st = journal_write(e->journal, &why);
    if (st == OK && e->o.durability == EMBEDDED_SYNC)
        st = journal_sync(e->journal, &why);
    if (st == OK)
        commit_group(e, group);
    else
        drop_all(e, group, st, &why);
}

/* Durability "interval": what was acknowledged since the last sync is made durable. */
static void sync_interval(struct embedded *e)
{
    struct why why = {0};
    enum status st = journal_failed(e->journal) ? OK : journal_sync(e->journal, &why);
    if (st != OK)
        drop_all(e, NULL, st, &why);
}

/* Waits for work, at most until due_us. The lock is held. */
static void wait(struct commit *c, int64_t due_us)
{
    c->waiting = true;
    if (due_us == INT64_MAX) {
        pthread_cond_wait(&c->wake, &c->lock);
    } else {
        struct timespec t = {due_us / 1000000, due_us % 1000000 * 1000};
        pthread_cond_timedwait(&c->wake, &c->lock, &t);
    }
    c->waiting = false;
}

/* A sync costs as much for one write as for a hundred: while threads are busy, more will come. */
static bool gathers(const struct commit *c, int64_t now_us)
{
    return c->nudge_owed && now_us < c->gather_until_us && !c->stopping;
}

static void *run(void *arg)
{
    struct embedded *e = arg;
    struct commit *c = &e->commit;
    (void)setpriority(PRIO_PROCESS, 0, PRIORITY); /* allowed or not: others wait for this thread */
    reclaim_enter(e->reclaim);
    reclaim_offline(e->reclaim);
    bool interval = e->o.durability == EMBEDDED_INTERVAL;
    int64_t interval_us = (int64_t)e->o.interval_ms * 1000, sync_us = 0;
    commit_lock(e);
    for (bool reclaimed = true, lags = false;;) {
        int64_t now_us = time_monotonic();
        if (interval && (now_us >= sync_us || c->stopping)) {
            commit_unlock(e);
            sync_interval(e);
            sync_us = now_us + interval_us;
            commit_lock(e);
        }
        if (!c->first && c->stopping)
            break;
        int64_t due_us = interval ? sync_us : INT64_MAX;
        if (!c->first || lags) {
            int64_t soon = now_us + RECLAIM_MS * 1000;
            wait(c, (!reclaimed || lags) && soon < due_us ? soon : due_us);
        } else if (gathers(c, now_us)) {
            wait(c, c->gather_until_us);
            continue;
        }
        lags = c->first && fold_lags(e);
        struct pending *group = c->first && !lags ? take_group(e) : NULL;
        commit_unlock(e);
        if (group)
            commit_one(e, group);
        reclaimed = reclaim_run(e->reclaim);
        commit_lock(e);
    }
    commit_unlock(e);
    reclaim_leave(e->reclaim);
    return NULL;
}

enum status commit_start(struct embedded *e, struct why *why)
{
    int error = pthread_create(&e->commit.thread, NULL, run, e);
    if (error)
        return why_set(why, E_INTERNAL, NULL, "starting the committer: %s", strerror(error));
    e->commit.running = true;
    return OK;
}

void commit_stop(struct embedded *e)
{
    if (!e->commit.running)
        return;
    commit_lock(e);
    e->commit.stopping = true;
    pthread_cond_signal(&e->commit.wake);
    commit_unlock(e);
    pthread_join(e->commit.thread, NULL);
    e->commit.running = false;
}
