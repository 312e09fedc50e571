/* One thread, one round every tenth of a second; nothing here is urgent. */
#include "store/embedded/upkeep.h"

#include "base/log.h"
#include "base/time.h"
#include "store/embedded/embedded_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUND_MS = 100, SECOND_ROUNDS = 10, EXPIRE_AT_ONCE = 256, BUILD_AT_ONCE = 512 };
enum { KEEP_INDEX_US = 60 * 1000000 }; /* an index used since is not given up for another */

/* ---- writes of its own ---- */

static void post_chain(struct runner *runner, struct task *first)
{
    struct upkeep *u = container_of(runner, struct upkeep, runner);
    pthread_mutex_lock(&u->lock);
    *u->last = first;
    while (*u->last)
        u->last = &(*u->last)->next;
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->lock);
}

static void post(struct runner *runner, struct task *task)
{
    task->next = NULL;
    post_chain(runner, task);
}

struct expiring {
    struct store_apply apply;
    bool done;
};

static void expire_done(struct store_call *call)
{
    container_of(call, struct expiring, apply.call)->done = true;
}

/* Runs what is posted here until the call is done. */
static void wait_for(struct embedded *e, const bool *done)
{
    struct upkeep *u = &e->upkeep;
    while (!*done) {
        commit_nudge(e);
        reclaim_offline(e->reclaim);
        pthread_mutex_lock(&u->lock);
        while (!u->first)
            pthread_cond_wait(&u->wake, &u->lock);
        struct task *t = u->first;
        u->first = NULL;
        u->last = &u->first;
        pthread_mutex_unlock(&u->lock);
        reclaim_online(e->reclaim);
        for (struct task *next; t; t = next) {
            next = t->next;
            t->run(t);
        }
    }
}

/* ---- expiry ---- */

/* Ids of entities in which something has ended, or that have themselves, in the arena. */
static uint32_t find_expired(struct tenant *t, int64_t now_us, struct arena *a, struct edit *edits)
{
    uint32_t n = 0;
    pthread_rwlock_rdlock(&t->lock);
    const struct ordered *ends[] = {t->index->ends.ends, t->index->parts.ends};
    for (int i = 0; i < 2; i++) {
        struct ordered_cursor c = ordered_from(ends[i], 0, index_expiry_key(now_us));
        while (n < EXPIRE_AT_ONCE && ordered_next(&c)) {
            const struct doc *d = state_at(tenant_state(t), c.slot);
            edits[n++] = (struct edit){.kind = EDIT_EXPIRE, .id = arena_dup(a, doc_id(d))};
        }
    }
    pthread_rwlock_unlock(&t->lock);
    return n;
}

/* True when there may be more. */
static bool expire_some(struct embedded *e, struct tenant *t, struct arena *a)
{
    int64_t now_us = e->o.clock->now_us(e->o.clock);
    struct edit edits[EXPIRE_AT_ONCE];
    struct edit_result results[EXPIRE_AT_ONCE];
    uint32_t n = find_expired(t, now_us, a, edits);
    if (!n)
        return false;
    struct caller caller = {.tenant = t->name};
    struct expiring x = {.apply = {
                             .call = {.home = &e->upkeep.runner, .done = expire_done},
                             .caller = &caller,
                             .edits = edits,
                             .count = n,
                             .results = results,
                             .arena = a,
                             .now_us = now_us,
                         }};
    if (!write_apply(&e->store, &x.apply))
        wait_for(e, &x.done);
    bool moved = false;
    for (uint32_t i = 0; i < n && x.apply.call.status == OK; i++)
        moved = moved || results[i].changed;
    return moved && n == EXPIRE_AT_ONCE;
}

/* Calls what for every tenant, each held meanwhile. */
static void each_tenant(struct embedded *e, void (*what)(struct embedded *e, struct tenant *t))
{
    const struct tenants *d = atomic_load_explicit(&e->tenants, memory_order_acquire);
    struct tenant **all = mem_alloc(d->count * sizeof *all);
    uint32_t n = 0;
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i])
            all[n++] = tenant_hold(d->cells[i]);
    for (uint32_t i = 0; i < n; i++) {
        what(e, all[i]);
        tenant_release(all[i]);
    }
    free(all);
}

static void expire(struct embedded *e, struct tenant *t)
{
    struct arena *a = arena_new(0);
    while (expire_some(e, t, a))
        arena_reset(a);
    arena_free(a);
}

/* ---- indexes of values ---- */

void upkeep_want_values(struct embedded *e, struct tenant *t, const uint32_t *terms, uint32_t n)
{
    struct upkeep *u = &e->upkeep;
    pthread_mutex_lock(&u->lock);
    for (uint32_t i = 0; i < n && u->want_count < UPKEEP_WANTS_MAX; i++) {
        uint32_t k = 0;
        while (k < u->want_count && (u->wants[k].tenant != t || u->wants[k].term != terms[i]))
            k++;
        if (k == u->want_count)
            u->wants[u->want_count++] = (struct upkeep_want){tenant_hold(t), terms[i]};
    }
    pthread_mutex_unlock(&u->lock);
}

/* Makes room among the indexes, if there is one that nobody has used of late. Under the lock. */
static bool make_room(struct embedded *e, struct index *ix)
{
    uint32_t n = 0;
    struct index_value *oldest = ix->values;
    for (struct index_value *v = ix->values; v; v = v->next, n++)
        if (v->used_us < oldest->used_us)
            oldest = v;
    if (n < e->o.value_indexes_max)
        return true;
    if (!oldest || time_monotonic() - oldest->used_us < KEEP_INDEX_US)
        return false;
    struct index_value **at = &ix->values;
    while (*at != oldest)
        at = &(*at)->next;
    *at = oldest->next;
    index_value_free(oldest);
    return true;
}

static void build_values(struct embedded *e, struct tenant *t, uint32_t term)
{
    pthread_rwlock_wrlock(&t->lock);
    if (!index_value_of(t->index, term) && make_room(e, t->index)) {
        struct index_value *v = index_value_new(term);
        v->used_us = time_monotonic();
        v->next = t->index->values;
        t->index->values = v;
    }
    for (;;) { /* the lock is let go between slices; slots may be renumbered meanwhile */
        struct index_value *v = index_value_of(t->index, term);
        bool more = v && index_value_build(v, tenant_state(t), BUILD_AT_ONCE);
        pthread_rwlock_unlock(&t->lock);
        if (!more || e->upkeep.stopping)
            return;
        reclaim_offline(e->reclaim);
        reclaim_online(e->reclaim);
        pthread_rwlock_wrlock(&t->lock);
    }
}

static void build_wanted(struct embedded *e)
{
    struct upkeep *u = &e->upkeep;
    for (;;) {
        pthread_mutex_lock(&u->lock);
        struct upkeep_want w = {0};
        if (u->want_count && !u->stopping)
            w = u->wants[--u->want_count];
        pthread_mutex_unlock(&u->lock);
        if (!w.tenant)
            return;
        build_values(e, w.tenant, w.term);
        tenant_release(w.tenant);
    }
}

/* ---- figures ---- */

static void count_tables(struct embedded *e, struct tenant *t)
{
    pthread_rwlock_rdlock(&t->lock);
    e->upkeep.table_bytes += tenant_bytes(t);
    pthread_rwlock_unlock(&t->lock);
}

static void look_around(struct embedded *e)
{
    e->upkeep.table_bytes = 0;
    each_tenant(e, count_tables);
    e->table_bytes = e->upkeep.table_bytes;
    uint64_t space;
    if (e->io->space(e->io, e->dir, &space) == 0) {
        bool low = space < e->o.disk_reserve_bytes;
        if (low && !e->disk_low)
            log_warn("disk reserve reached", log_i("free_bytes", (int64_t)space));
        e->disk_low = low;
    }
}

/* ---- the thread ---- */

static bool wait_round(struct upkeep *u)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ROUND_MS * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    pthread_mutex_lock(&u->lock);
    if (!u->stopping && !u->want_count)
        pthread_cond_timedwait(&u->wake, &u->lock, &t);
    bool stop = u->stopping;
    pthread_mutex_unlock(&u->lock);
    return !stop;
}

static void *run(void *arg)
{
    struct embedded *e = arg;
    pthread_setname_np(pthread_self(), "upkeep");
    reclaim_enter(e->reclaim);
    unsigned round = 0;
    do {
        if (round++ % SECOND_ROUNDS == 0) {
            each_tenant(e, expire);
            look_around(e);
        }
        build_wanted(e);
        commit_expire_calls(e, time_monotonic());
        reclaim_offline(e->reclaim);
        if (!e->disk_low && journal_wants_stock(e->journal))
            journal_prepare(e->journal);
        bool go_on = wait_round(&e->upkeep);
        reclaim_online(e->reclaim);
        if (!go_on)
            break;
    } while (true);
    reclaim_leave(e->reclaim);
    return NULL;
}

void upkeep_init(struct embedded *e)
{
    struct upkeep *u = &e->upkeep;
    u->runner = (struct runner){post, post_chain};
    u->last = &u->first;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&u->wake, &attr);
    pthread_condattr_destroy(&attr);
}

enum status upkeep_start(struct embedded *e, struct why *why)
{
    int error = pthread_create(&e->upkeep.thread, NULL, run, e);
    if (error)
        return why_set(why, E_INTERNAL, NULL, "starting the upkeep: %s", strerror(error));
    e->upkeep.running = true;
    return OK;
}

void upkeep_stop(struct embedded *e)
{
    struct upkeep *u = &e->upkeep;
    if (!u->running)
        return;
    pthread_mutex_lock(&u->lock);
    u->stopping = true;
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    u->running = false;
}

void upkeep_free(struct embedded *e)
{
    struct upkeep *u = &e->upkeep;
    for (uint32_t i = 0; i < u->want_count; i++)
        tenant_release(u->wants[i].tenant);
    pthread_mutex_destroy(&u->lock);
    pthread_cond_destroy(&u->wake);
}
