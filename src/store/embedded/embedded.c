/* Opening and closing; the table of operations; figures. */
#include "store/embedded/embedded.h"

#include "base/arena.h"
#include "store/embedded/embedded_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum { DEFAULT_TENANT = 1 };

static void embedded_cancel(struct store *s, struct store_call *call)
{
    commit_cancel(embedded_of(s), call);
}

static void embedded_listen(struct store *s, struct store_listener *l)
{
    struct store_listener **at = &embedded_of(s)->listeners;
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
    reclaim_leave(embedded_of(s)->reclaim);
}

static void embedded_thread_offline(struct store *s)
{
    reclaim_offline(embedded_of(s)->reclaim);
}

static void embedded_thread_online(struct store *s)
{
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
        .tenants = d->count,
        .terms = terms_count(e->terms),
        .state_bytes = e->blocks.bytes + e->table_bytes,
        .log_bytes = log.bytes,
        .log_segments = log.segments,
        .commits = c->commits,
        .groups = c->groups,
        .syncs = log.syncs,
        .commit_us_total = c->commit_us_total,
        .committed_seq = e->committed_seq,
        .candidates_total = e->candidates,
        .visited_total = e->visited,
        .queries_total = e->queries,
    };
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i])
            out->entities += state_count(tenant_state(d->cells[i]));
    commit_lock(e);
    out->read_only = c->stopped || c->refusing;
    snprintf(out->reason, sizeof out->reason, "%.159s",
             c->stopped ? c->stopped_why.text : c->refusing ? c->refusing_why : "");
    commit_unlock(e);
}

static const char *embedded_ready(struct store *s)
{
    struct embedded *e = embedded_of(s);
    return e->commit.stopped ? "writing has stopped: a sync of the log failed"
           : e->commit.refusing ? "writes are refused: the disk is full"
                                : "";
}

static enum status embedded_backup(struct store *s, const char *dir, struct why *why)
{
    (void)s;
    return why_set(why, E_NOT_SUPPORTED, NULL, "%s: backups come with the base", dir);
}

static void embedded_close(struct store *s);

static const struct store_ops OPS = {
    .apply = write_apply,
    .get = read_get,
    .query = query_run,
    .cancel = embedded_cancel,
    .put = write_put,
    .list = read_list,
    .listen = embedded_listen,
    .seq = embedded_seq,
    .tenants = embedded_tenants,
    .tenant_exists = embedded_tenant_exists,
    .tenant_delete = write_tenant_delete,
    .backup = embedded_backup,
    .stats = embedded_stats,
    .ready = embedded_ready,
    .thread_enter = embedded_thread_enter,
    .thread_leave = embedded_thread_leave,
    .thread_offline = embedded_thread_offline,
    .thread_online = embedded_thread_online,
    .close = embedded_close,
};

static void destroy(struct embedded *e)
{
    journal_close(e->journal);
    struct tenants *d = e->tenants;
    for (uint32_t i = 0; d && i <= d->mask; i++)
        if (d->cells[i])
            tenant_release(d->cells[i]);
    free(d);
    reclaim_free(e->reclaim);
    commit_free(e);
    pthread_mutex_destroy(&e->publish_lock);
    if (e->lock_fd >= 0)
        close(e->lock_fd);
    free(e->dropped);
    free(e->dir);
    free(e);
}

static void embedded_close(struct store *s)
{
    struct embedded *e = embedded_of(s);
    commit_stop(e);
    destroy(e);
}

static enum status open_log(struct embedded *e, struct why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log", e->dir);
    int error = e->io->mkdir(e->io, path);
    if (error)
        return why_set(why, E_IO, NULL, "making %s: %s", path, strerror(error));
    struct journal_options o = {.io = e->io, .dir = path, .store_id = e->store_id, .segment_bytes = e->o.segment_bytes};
    return journal_open(&e->journal, &o, 0, why);
}

enum status embedded_open(struct store **out, struct terms *terms, const struct embedded_options *o,
                          struct why *why)
{
    struct embedded *e = mem_zalloc(sizeof *e);
    e->store.ops = &OPS;
    e->o = *o;
    e->dir = mem_alloc(strlen(o->dir) + 1);
    strcpy(e->dir, o->dir);
    e->io = o->io ? o->io : &embedded_io_os;
    e->terms = terms;
    e->lock_fd = -1;
    e->reclaim = reclaim_new();
    e->queue_bytes_max = 64 << 20;
    e->store_id = 1;
    pthread_mutex_init(&e->publish_lock, NULL);
    commit_init(e);
    struct tenant *t = tenant_new(e->reclaim, &e->blocks, DEFAULT_TENANT, STR(""));
    e->tenants = tenants_with(NULL, t);
    e->commit.tenant_id = DEFAULT_TENANT;
    int error = e->io->mkdir(e->io, e->dir);
    enum status st = error ? why_set(why, E_IO, NULL, "making %s: %s", e->dir, strerror(error)) : OK;
    if (st == OK)
        st = open_log(e, why);
    if (st == OK)
        st = load_all(e, why);
    if (st == OK)
        st = commit_start(e, why);
    if (st != OK) {
        destroy(e);
        return st;
    }
    *out = &e->store;
    return OK;
}
