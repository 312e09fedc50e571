/* Opening and closing; the table of operations; figures. */
#include "store/embedded/embedded.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/time.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/identity.h"
#include "store/embedded/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_TENANT = 1,
    VISIT_SLICE = 4096,
    QUEUE_GROUPS = 16,
    QUEUE_MIN = 64 << 20,
    HISTORY_BYTES = 128 << 20,
    FOLD_BYTES =
        256 << 20 /* a restart replays no more than that, however long the log may become */
};

static void embedded_cancel(struct store *s, struct store_call *call)
{
    commit_cancel(embedded_of(s), call); /* one on a history worker sees that it is cancelled */
}

static void embedded_listen(struct store *s, struct store_listener *l)
{
    struct store_listener **at = &embedded_of(s)->listeners;
    l->store = s;
    while (*at)
        at = &(*at)->next;
    l->next = NULL;
    *at = l;
}

static uint64_t embedded_seq(struct store *s)
{
    return atomic_load_explicit(&embedded_of(s)->committed_seq, memory_order_acquire);
}

static uint32_t embedded_tenants(struct store *s, struct arena *a, struct str **names)
{
    const struct tenants *d = atomic_load_explicit(&embedded_of(s)->tenants, memory_order_acquire);
    uint32_t n = 0;
    *names = arena_array(a, struct str, d->count);
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i])
            (*names)[n++] = arena_dup(a, d->cells[i]->name);
    return n;
}

static bool embedded_tenant_exists(struct store *s, struct str name)
{
    return tenants_find(atomic_load_explicit(&embedded_of(s)->tenants, memory_order_acquire), name);
}

static void embedded_thread_enter(struct store *s)
{
    reclaim_enter(embedded_of(s)->reclaim);
}

static void embedded_thread_leave(struct store *s)
{
    commit_nudge(embedded_of(s));
    reclaim_leave(embedded_of(s)->reclaim);
}

static void embedded_thread_offline(struct store *s)
{
    commit_nudge(embedded_of(s));
    reclaim_offline(embedded_of(s)->reclaim);
}

static void embedded_thread_online(struct store *s)
{
    reclaim_online(embedded_of(s)->reclaim);
}

static void embedded_thread_quiescent(struct store *s)
{
    commit_nudge_late(embedded_of(s));
    reclaim_offline(embedded_of(s)->reclaim);
    reclaim_online(embedded_of(s)->reclaim);
}

static void embedded_stats(struct store *s, struct store_stats *out)
{
    struct embedded *e = embedded_of(s);
    struct commit *c = &e->commit;
    struct journal_figures log;
    journal_figures(e->journal, &log);
    const struct tenants *d = atomic_load_explicit(&e->tenants, memory_order_acquire);
    *out = (struct store_stats){
        .id = e->store_id,
        .tenants = d->count,
        .terms = terms_count(e->terms),
        .state_bytes = e->blocks.bytes + e->table_bytes,
        .state_bytes_max = e->o.state_bytes_max,
        .log_bytes = log.bytes,
        .log_bytes_max = e->o.log_bytes_max,
        .fold_failing = e->fold.failing,
        .log_segments = log.segments,
        .commits = c->commits,
        .groups = c->groups,
        .syncs = log.syncs,
        .commit_us_total = c->commit_us_total,
        .committed_seq = e->committed_seq,
        .folded_seq = e->fold.seq,
        .candidates_total = e->candidates,
        .visited_total = e->visited,
        .queries_total = e->queries,
    };
    history_stats(e, out);
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i])
            out->entities += state_count(tenant_state(d->cells[i]));
    commit_lock(e);
    out->read_only = c->stopped || c->refusing || e->fold.refusing;
    snprintf(out->reason, sizeof out->reason, "%.159s",
             c->stopped    ? c->stopped_why.text
             : c->refusing ? c->refusing_why
                           : "");
    commit_unlock(e);
    if (e->fold.refusing && !c->stopped)
        fold_reason(e, out->reason, sizeof out->reason);
}

static const char *embedded_ready(struct store *s)
{
    struct embedded *e = embedded_of(s);
    return e->commit.stopped    ? "writing has stopped: a sync of the log failed"
           : e->fold.refusing   ? "writes are refused: the log is full and cannot be folded"
           : e->commit.refusing ? "writes are refused: the disk is full"
                                : "";
}

static void embedded_close(struct store *s);

static const struct store_ops OPS = {
    .apply = write_apply,
    .get = read_get,
    .query = query_run,
    .census = discover_run,
    .evolve = history_evolve,
    .record = history_record,
    .cancel = embedded_cancel,
    .put = write_put,
    .list = read_list,
    .listen = embedded_listen,
    .seq = embedded_seq,
    .tenants = embedded_tenants,
    .tenant_exists = embedded_tenant_exists,
    .tenant_delete = write_tenant_delete,
    .backup = backup_make,
    .retain = sweep_retain,
    .stats = embedded_stats,
    .ready = embedded_ready,
    .thread_enter = embedded_thread_enter,
    .thread_leave = embedded_thread_leave,
    .thread_offline = embedded_thread_offline,
    .thread_online = embedded_thread_online,
    .thread_quiescent = embedded_thread_quiescent,
    .close = embedded_close,
};

void embedded_free(struct embedded *e)
{
    journal_close(e->journal);
    fold_free(e);
    upkeep_free(e);
    history_free(e);
    struct tenants *d = e->tenants;
    for (uint32_t i = 0; d && i <= d->mask; i++)
        if (d->cells[i])
            tenant_release(d->cells[i]);
    free(d);
    reclaim_free(e->reclaim);
    commit_free(e);
    pthread_mutex_destroy(&e->publish_lock);
    if (e->lock_fd >= 0)
        e->io->close(e->io, e->lock_fd);
    free(e->dropped);
    free(e->dir);
    free(e);
}

static void embedded_close(struct store *s)
{
    struct embedded *e = embedded_of(s);
    upkeep_stop(e);
    history_stop(e);
    commit_stop(e);
    fold_stop(e);
    embedded_free(e);
}

static void set_options(struct embedded *e, const struct embedded_options *o)
{
    e->o = *o;
    e->dir = mem_alloc(strlen(o->dir) + 1);
    memcpy(e->dir, o->dir, strlen(o->dir) + 1);
    e->o.dir = e->dir;
    e->io = o->io ? o->io : &embedded_io_os;
    if (!e->o.state_bytes_max)
        e->o.state_bytes_max = machine_memory() / 4 * 3;
    if (!e->o.history_bytes_max)
        e->o.history_bytes_max = HISTORY_BYTES;
    if (!e->o.visit_slice)
        e->o.visit_slice = VISIT_SLICE;
    e->queue_bytes_max = QUEUE_GROUPS * o->group_bytes_max > QUEUE_MIN
                             ? QUEUE_GROUPS * o->group_bytes_max
                             : QUEUE_MIN;
    size_t fold_bytes = o->log_bytes_max / 2 < FOLD_BYTES ? o->log_bytes_max / 2 : FOLD_BYTES;
    e->fold_segments = fold_bytes / o->segment_bytes > 1 ? fold_bytes / o->segment_bytes : 1;
}

struct embedded *embedded_new(struct terms *terms, const struct embedded_options *o)
{
    struct embedded *e = mem_zalloc(sizeof *e);
    e->store.ops = &OPS;
    e->terms = terms;
    e->lock_fd = -1;
    e->reclaim = reclaim_new();
    set_options(e, o);
    pthread_mutex_init(&e->publish_lock, NULL);
    commit_init(e);
    upkeep_init(e);
    fold_init(e);
    history_init(e);
    e->tenants = tenants_with(NULL, tenant_new(e->reclaim, &e->blocks, DEFAULT_TENANT, STR("")));
    e->commit.tenant_id = DEFAULT_TENANT;
    e->listeners = o->listeners;
    for (struct store_listener *l = e->listeners; l; l = l->next)
        l->store = &e->store;
    return e;
}

static enum status make_log_directory(struct embedded *e, struct why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log", e->dir);
    if (access(path, F_OK) == 0)
        return OK;
    int error = e->io->mkdir(e->io, path);
    if (!error)
        error = e->io->sync_dir(e->io, e->dir);
    return error ? why_set(why, E_IO, NULL, "making %s: %s", path, strerror(error)) : OK;
}

enum status embedded_open(struct store **out, struct terms *terms, const struct embedded_options *o,
                          struct why *why)
{
    struct embedded *e = embedded_new(terms, o);
    struct journal_replay figures = {0};
    int64_t start_us = time_monotonic();
    enum status st = identity_take(e->io, e->dir, true, &e->store_id, &e->lock_fd, why);
    if (st != OK)
        e->lock_fd = -1;
    if (st == OK)
        st = make_log_directory(e, why);
    reclaim_enter(e->reclaim); /* listeners are told of what is replayed, and may read */
    reclaim_offline(e->reclaim);
    if (st == OK)
        st = load_all(e, &figures, why);
    reclaim_leave(e->reclaim);
    if (st == OK)
        st = commit_start(e, why);
    if (st == OK)
        st = upkeep_start(e, why);
    if (st == OK)
        st = fold_start(e, why);
    if (st == OK)
        st = history_start(e, why);
    if (st != OK) {
        upkeep_stop(e);
        history_stop(e);
        commit_stop(e);
        embedded_free(e);
        return st;
    }
    log_info("store opened", log_z("dir", e->dir), log_i("seq", (int64_t)e->committed_seq),
             log_i("replayed", (int64_t)figures.records),
             log_f("ms", (double)(time_monotonic() - start_us) / 1000));
    *out = &e->store;
    return OK;
}
