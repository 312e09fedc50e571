/* The committer's thread: a group off the queue, into the log, onto the disk; then everybody may see
 * it, and who waits is answered. */
#include "base/arena.h"
#include "base/log.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { RECLAIM_MS = 20, PRIORITY = -10 };

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
    if (p->kind == RECORD_HISTORY) {
        r.document_kind = 0;
        r.block = p->items;
    }
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
    (void)history_lags(e); /* a fold is asked for in time */
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
        commit_settle(c, p, OK, NULL, &a, now_us);
    }
    if (a.count)
        commit_owe_nudge(c);
    commit_unlock(e);
    commit_post(&a);
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
        commit_settle(c, p, status, why, &a, now_us);
    }
    for (struct pending *p = behind_first; p; p = p->next) {
        if (p->kind == RECORD_TENANT_DELETE)
            p->tenant->deleted_ahead = false;
        commit_settle(c, p, behind, &behind_why, &a, now_us);
    }
    commit_unlock(e);
    commit_post(&a);
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
    pthread_setname_np(pthread_self(), "commit");
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
        lags = c->first && (fold_lags(e) || history_lags(e));
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
