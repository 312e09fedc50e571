/* The thread runs what is posted to it, one step at a time: changes, slices of fills, and
 * once a second a look for what has expired. A step waits for the store's completions in a
 * queue of their own, so that it cannot be overtaken by another step.
 *
 * A snapshot is a document of its tenant (what GET shows, and where the entities are) and a
 * tenant of the store, whose name no client can give. The document is written first and
 * deleted last but for the entities, so that a tenant without a document is rubbish. */
#include "broker/snapshots_int.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"
#include "broker/entity_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { LOAD_AT_ONCE = 64, TICK_S = 1 };
enum { USED_STORED_US = 60 * 1000000 }; /* how far the stored lastUsedAt may lag */
#define HELD_PREFIX "/snapshot/" /* no tenant of clients has a '/' */

/* ---- the thread's queues ---- */

static void post_chain(struct runner *runner, struct task *first)
{
    struct snapshot_queue *q = container_of(runner, struct snapshot_queue, runner);
    pthread_mutex_lock(&q->owner->lock);
    *q->last = first;
    while (*q->last)
        q->last = &(*q->last)->next;
    pthread_cond_broadcast(&q->owner->wake); /* the starter may wait too */
    pthread_mutex_unlock(&q->owner->lock);
}

static void post(struct runner *runner, struct task *task)
{
    task->next = NULL;
    post_chain(runner, task);
}

static void queue_init(struct snapshot_queue *q, struct snapshots *s)
{
    *q = (struct snapshot_queue){.runner = {post, post_chain}, .owner = s, .last = &q->first};
}

/* Under the lock. */
static struct task *queue_take(struct snapshot_queue *q)
{
    struct task *t = q->first;
    if (t && !(q->first = t->next))
        q->last = &q->first;
    return t;
}

int64_t snapshots_now(const struct snapshots *s)
{
    return s->clock->now_us(s->clock);
}

bool snapshots_stopping(struct snapshots *s)
{
    pthread_mutex_lock(&s->lock);
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

void snapshots_wait(struct snapshots *s, const bool *done)
{
    while (!*done) {
        store_thread_offline(s->broker->store);
        pthread_mutex_lock(&s->lock);
        struct task *t;
        while (!(t = queue_take(&s->completions)))
            pthread_cond_wait(&s->wake, &s->lock);
        pthread_mutex_unlock(&s->lock);
        store_thread_online(s->broker->store);
        t->run(t);
    }
}

/* ---- documents ---- */

struct waited_put {
    struct store_put put;
    bool done;
};

static void put_done(struct store_call *call)
{
    container_of(container_of(call, struct store_put, call), struct waited_put, put)->done = true;
}

static enum status put(struct snapshots *s, struct waited_put *w, struct why *why)
{
    w->put.call = (struct store_call){.home = &s->completions.runner, .done = put_done};
    w->done = store_put(s->broker->store, &w->put);
    snapshots_wait(s, &w->done);
    if (w->put.call.status != OK)
        *why = w->put.call.why;
    return w->put.call.status;
}

/* Writes to as the entry's document. */
static enum status document_put(struct snapshots *s, struct snapshot_entry *e, const struct snapshot *to,
                                bool only_absent, struct why *why)
{
    struct buf b;
    struct caller caller = {.tenant = e->tenant};
    struct snapshot as_stored = *to;
    e->stored_used_at = as_stored.last_used_at = e->last_used_at;
    buf_init(&b, DOCUMENT_BYTES_MAX);
    snapshot_store(&b, &as_stored, e->held_in);
    struct waited_put w = {.put = {.caller = &caller, .kind = STORE_SNAPSHOT, .key = e->s.id, .bytes = buf_view(&b),
                                   .only_absent = only_absent, .create_tenant = true}};
    enum status st = put(s, &w, why);
    buf_free(&b);
    return st;
}

static enum status document_delete(struct snapshots *s, const struct snapshot_entry *e, struct why *why)
{
    struct caller caller = {.tenant = e->tenant};
    struct waited_put w = {.put = {.caller = &caller, .kind = STORE_SNAPSHOT, .key = e->s.id}};
    return put(s, &w, why);
}

/* Makes the tenant that holds the entities; also an empty snapshot can be asked. */
static enum status held_make(struct snapshots *s, const struct snapshot_entry *e, struct why *why)
{
    struct caller caller = {.tenant = e->held_in};
    struct waited_put w = {.put = {.caller = &caller, .kind = STORE_SETTING, .key = STR("snapshot"), .bytes = e->s.id,
                                   .create_tenant = true}};
    return put(s, &w, why);
}

struct waited_delete {
    struct store_tenant_delete d;
    bool done;
};

static void delete_done(struct store_call *call)
{
    container_of(container_of(call, struct store_tenant_delete, call), struct waited_delete, d)->done = true;
}

static void held_delete(struct snapshots *s, struct str held_in)
{
    struct waited_delete w = {.d = {.call = {.home = &s->completions.runner, .done = delete_done}, .tenant = held_in}};
    w.done = store_tenant_delete(s->broker->store, &w.d);
    snapshots_wait(s, &w.done);
    if (w.d.call.status != OK && w.d.call.status != E_NO_TENANT)
        log_warn("snapshot not cleared away", log_s("tenant", held_in), log_s("why", str_of(w.d.call.why.text)));
    entity_maps_forget(s->broker->maps, held_in);
}

/* ---- entries ---- */

/* Under the lock, or on the thread. */
static struct snapshot_entry *find(const struct snapshots *s, struct str tenant, struct str id)
{
    struct snapshot_entry *e = s->entries;
    while (e && !(str_eq(e->s.id, id) && str_eq(e->tenant, tenant)))
        e = e->next;
    return e;
}

static struct snapshot_entry *entry_new(struct str tenant, struct str held_in, const struct snapshot *given)
{
    struct arena *a = arena_new(0);
    struct snapshot_entry *e = arena_zarray(a, struct snapshot_entry, 1);
    e->arena = a;
    e->tenant = arena_dup(a, tenant);
    e->held_in = arena_dup(a, held_in);
    e->texts = arena_new(0);
    e->s = snapshot_dup(given, e->texts);
    e->last_used_at = e->stored_used_at = given->last_used_at;
    return e;
}

static void entry_add(struct snapshots *s, struct snapshot_entry *e)
{
    pthread_mutex_lock(&s->lock);
    e->next = s->entries;
    s->entries = e;
    s->count++;
    pthread_mutex_unlock(&s->lock);
}

static void entry_remove(struct snapshots *s, struct snapshot_entry *e)
{
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry **at = &s->entries;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    s->count--;
    pthread_mutex_unlock(&s->lock);
}

static void entry_free(struct snapshot_entry *e)
{
    if (e->fill)
        snapshot_fill_cancel(e->fill);
    arena_free(e->texts);
    arena_free(e->arena);
}

/* Ends a snapshot. told: its endpoint learns of it. */
static enum status entry_end(struct snapshots *s, struct snapshot_entry *e, bool told, struct why *why)
{
    enum status st = document_delete(s, e, why);
    if (st != OK && st != E_NOT_FOUND && st != E_NO_TENANT)
        return st;
    entry_remove(s, e);
    if (told)
        snapshot_tell(s, e, true);
    held_delete(s, e->held_in);
    entry_free(e);
    return OK;
}

/* What GET shows changes under the lock. */
static void entry_set(struct snapshots *s, struct snapshot_entry *e, const struct snapshot *to)
{
    struct arena *texts = arena_new(0), *old = e->texts;
    struct snapshot kept = snapshot_dup(to, texts);
    pthread_mutex_lock(&s->lock);
    e->s = kept;
    e->texts = texts;
    pthread_mutex_unlock(&s->lock);
    arena_free(old);
}

void snapshots_finish(struct snapshots *s, struct snapshot_entry *e, enum snapshot_status status, struct str details,
                      struct str temporal_details)
{
    struct why why;
    struct snapshot to = e->s;
    why_clear(&why);
    to.status = (uint8_t)status;
    to.details = details;
    to.temporal_details = temporal_details;
    to.modified_at = snapshots_now(s);
    if (document_put(s, e, &to, false, &why) != OK)
        log_warn("snapshot not stored", log_s("id", e->s.id), log_s("why", str_of(why.text)));
    entry_set(s, e, &to);
    snapshot_tell(s, e, false);
}

/* ---- changes ---- */

static int64_t expiry_of(const struct snapshots *s, struct str lifetime, int64_t now)
{
    struct duration d;
    int64_t latest = now + s->o.lifetime_us;
    if (str_absent(lifetime) || !duration_parse(lifetime, &d) || time_add(now, d, 1) > latest)
        return latest;
    return time_add(now, d, 1);
}

static void expire(struct snapshots *s)
{
    struct why why;
    int64_t now = snapshots_now(s);
    for (struct snapshot_entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        why_clear(&why);
        if (e->s.expires_at <= now)
            (void)entry_end(s, e, true, &why);
        else if (e->last_used_at - e->stored_used_at > USED_STORED_US)
            (void)document_put(s, e, &e->s, false, &why);
    }
}

static struct str name_new(struct snapshots *s, struct arena *a, const char *prefix)
{
    uint64_t number = ++s->made;
    uint64_t mixed = hash_u64((uint64_t)snapshots_now(s) ^ number << 40);
    return arena_printf(a, "%s%016" PRIx64 "%04" PRIx64, prefix, mixed, number & 0xffff);
}

/* A new entry of what is given, stored, with a tenant for its entities; NULL with c->why. */
static struct snapshot_entry *make(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot given = c->given;
    int64_t now = snapshots_now(s);
    expire(s);
    if (s->count >= s->o.snapshots_max) {
        why_limit(&c->why, E_TOO_MANY_REQUESTS, NULL, "limits.snapshots", "there are %u snapshots already", s->o.snapshots_max);
        return NULL;
    }
    if (str_absent(given.id))
        given.id = name_new(s, c->arena, "urn:ngsi-ld:Snapshot:");
    if (find(s, c->tenant, given.id)) {
        why_set(&c->why, E_EXISTS, NULL, "the snapshot %.*s exists already", STR_ARG(given.id));
        return NULL;
    }
    given.created_at = given.modified_at = given.last_used_at = now;
    given.expires_at = expiry_of(s, given.lifetime, now);
    given.status = SNAPSHOT_PREPARING;
    struct snapshot_entry *e = entry_new(c->tenant, name_new(s, c->arena, HELD_PREFIX), &given);
    if (document_put(s, e, &e->s, true, &c->why) != OK) {
        entry_free(e);
        return NULL;
    }
    if (held_make(s, e, &c->why) != OK) {
        struct why ignored;
        why_clear(&ignored);
        (void)document_delete(s, e, &ignored);
        entry_free(e);
        return NULL;
    }
    entry_add(s, e);
    c->result = snapshot_dup(&e->s, c->arena);
    return e;
}

static void run_create(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e = make(s, c);
    if (e)
        snapshot_fill_start(s, e, c->queries, STR_NONE);
    else
        c->queries->release(c->queries);
}

static struct snapshot_entry *find_or_refuse(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e = find(s, c->tenant, c->id);
    if (e && e->s.expires_at > snapshots_now(s))
        return e;
    why_set(&c->why, E_NOT_FOUND, NULL, "there is no snapshot %.*s", STR_ARG(c->id));
    return NULL;
}

static void run_clone(struct snapshots *s, struct snapshot_call *c)
{
    const struct snapshot_entry *from = find_or_refuse(s, c);
    if (!from)
        return;
    if (from->s.status == SNAPSHOT_PREPARING) {
        why_set(&c->why, E_BUSY, NULL, "the snapshot %.*s is being prepared", STR_ARG(c->id));
        return;
    }
    struct snapshot what = snapshot_dup(&from->s, c->arena);
    c->given.queries = what.queries;
    c->given.temporal_queries = what.temporal_queries;
    c->given.details = what.details;
    c->given.temporal_details = what.temporal_details;
    struct str copy_of = arena_dup(c->arena, from->held_in);
    struct snapshot_entry *e = make(s, c);
    if (e)
        snapshot_fill_start(s, e, NULL, copy_of);
}

static void run_change(struct snapshots *s, struct snapshot_call *c)
{
    struct snapshot_entry *e = find_or_refuse(s, c);
    if (!e)
        return;
    struct snapshot to = e->s;
    if (snapshot_read(c->fragment, SNAPSHOT_FRAGMENT, c->arena, &to, &c->why) != OK)
        return;
    to.modified_at = snapshots_now(s);
    if (json_get(c->fragment, STR("snapshotLifetime")))
        to.expires_at = expiry_of(s, to.lifetime, to.modified_at);
    if (document_put(s, e, &to, false, &c->why) != OK)
        return;
    entry_set(s, e, &to);
    c->result = snapshot_dup(&e->s, c->arena);
    c->result.last_used_at = e->last_used_at;
    snapshot_tell(s, e, false);
}

static void run_purge(struct snapshots *s, struct snapshot_call *c)
{
    struct arena *scratch = arena_new(0);
    c->purged = arena_array(c->arena, struct str, s->count);
    c->purge_why = arena_zarray(c->arena, struct why, s->count);
    for (struct snapshot_entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        struct snapshot now = e->s;
        now.last_used_at = e->last_used_at;
        if (!str_eq(e->tenant, c->tenant) || !snapshot_query_match(c->filter, s->broker->terms, &now, scratch))
            continue;
        c->purged[c->purge_count] = arena_dup(c->arena, e->s.id);
        (void)entry_end(s, e, false, &c->purge_why[c->purge_count]);
        c->purge_count++;
    }
    arena_free(scratch);
    if (!c->purge_count)
        why_set(&c->why, E_NOT_FOUND, NULL, "no snapshot matches");
}

static void call_finish(struct task *task)
{
    struct snapshot_call *c = container_of(task, struct snapshot_call, task);
    c->done(c);
}

static void call_run(struct task *task)
{
    struct snapshot_call *c = container_of(task, struct snapshot_call, task);
    struct snapshots *s = c->owner;
    struct snapshot_entry *e;
    switch (c->order) {
    case SNAPSHOT_ORDER_CREATE:
        run_create(s, c);
        break;
    case SNAPSHOT_ORDER_CLONE:
        run_clone(s, c);
        break;
    case SNAPSHOT_ORDER_CHANGE:
        run_change(s, c);
        break;
    case SNAPSHOT_ORDER_DELETE:
        e = find_or_refuse(s, c);
        if (e)
            (void)entry_end(s, e, false, &c->why);
        break;
    case SNAPSHOT_ORDER_PURGE:
        run_purge(s, c);
        break;
    }
    c->status = c->why.status;
    c->task.run = call_finish;
    runner_post(c->home, &c->task);
}

void snapshots_call(struct snapshots *s, struct snapshot_call *c)
{
    why_clear(&c->why);
    c->owner = s;
    c->purge_count = 0;
    c->task = (struct task){.run = call_run};
    pthread_mutex_lock(&s->lock);
    bool taken = !s->stopping;
    if (taken) {
        *s->work.last = &c->task;
        s->work.last = &c->task.next;
        pthread_cond_broadcast(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (taken)
        return;
    if (c->order == SNAPSHOT_ORDER_CREATE)
        c->queries->release(c->queries);
    c->status = why_set(&c->why, E_CANCELLED, NULL, "the city is stopping");
    c->task.run = call_finish;
    runner_post(c->home, &c->task);
}

/* ---- lookups ---- */

enum status snapshots_enter(struct snapshots *s, struct str tenant, struct str id, struct arena *a, struct str *held_in,
                            struct why *why)
{
    int64_t now = snapshots_now(s);
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry *e = find(s, tenant, id);
    bool there = e && e->s.expires_at > now, ready = there && e->s.status != SNAPSHOT_PREPARING;
    if (ready) {
        *held_in = arena_dup(a, e->held_in);
        e->last_used_at = now;
    }
    pthread_mutex_unlock(&s->lock);
    if (!there)
        return why_set(why, E_NOT_FOUND, NULL, "there is no snapshot %.*s", STR_ARG(id));
    return ready ? OK : why_set(why, E_BUSY, NULL, "the snapshot %.*s is being prepared", STR_ARG(id));
}

bool snapshots_owner(struct snapshots *s, struct str held_in, struct arena *a, struct str *tenant, struct str *id)
{
    if (!str_starts(held_in, STR(HELD_PREFIX)))
        return false;
    pthread_mutex_lock(&s->lock);
    const struct snapshot_entry *e = s->entries;
    while (e && !str_eq(e->held_in, held_in))
        e = e->next;
    if (e) {
        *tenant = arena_dup(a, e->tenant);
        *id = arena_dup(a, e->s.id);
    }
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

bool snapshots_held(struct str tenant)
{
    return str_starts(tenant, STR(HELD_PREFIX));
}

bool snapshots_get(struct snapshots *s, struct str tenant, struct str id, struct arena *a, struct snapshot *out)
{
    int64_t now = snapshots_now(s);
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry *e = find(s, tenant, id);
    bool there = e && e->s.expires_at > now;
    if (there) {
        *out = snapshot_dup(&e->s, a);
        out->last_used_at = e->last_used_at;
    }
    pthread_mutex_unlock(&s->lock);
    return there;
}

/* ---- what is stored, at the start ---- */

struct waited_list {
    struct store_list list;
    bool done;
};

static void list_done(struct store_call *call)
{
    container_of(container_of(call, struct store_list, call), struct waited_list, list)->done = true;
}

static enum status load_one(struct snapshots *s, struct str tenant, struct str bytes, struct arena *a, struct why *why)
{
    struct snapshot stored;
    struct str held_in;
    enum status st = snapshot_load(bytes, a, &stored, &held_in, why);
    if (st != OK)
        return st;
    struct snapshot_entry *e = entry_new(tenant, held_in, &stored);
    entry_add(s, e);
    if (stored.status == SNAPSHOT_PREPARING) {
        struct str problem = snapshot_problem(a, E_INTERNAL, "the city stopped while the snapshot was being prepared");
        snapshots_finish(s, e, SNAPSHOT_FAILURE, snapshot_failures(a, stored.queries, problem),
                         snapshot_failures(a, stored.temporal_queries, problem));
    }
    return OK;
}

static enum status load_tenant(struct snapshots *s, struct str tenant, struct why *why)
{
    struct caller caller = {.tenant = tenant};
    struct arena *a = arena_new(0);
    struct str after = STR_NONE;
    enum status st = OK;
    bool more = true;
    while (more && st == OK) {
        struct waited_list w = {.list = {.call = {.home = &s->completions.runner, .done = list_done},
                                         .caller = &caller, .kind = STORE_SNAPSHOT, .after = after,
                                         .limit = LOAD_AT_ONCE, .arena = a}};
        w.done = store_list(s->broker->store, &w.list);
        snapshots_wait(s, &w.done);
        st = w.list.call.status;
        if (st != OK)
            *why = w.list.call.why;
        for (uint32_t i = 0; i < w.list.count && st == OK; i++)
            st = load_one(s, tenant, w.list.documents[i].bytes, a, why);
        more = st == OK && w.list.more;
        if (more)
            after = w.list.documents[w.list.count - 1].key;
    }
    arena_free(a);
    return st;
}

static enum status load(struct snapshots *s, struct why *why)
{
    struct arena *a = arena_new(0);
    struct str *names, tenant, id;
    enum status st = OK;
    uint32_t n = store_tenants(s->broker->store, a, &names);
    for (uint32_t i = 0; i < n && st == OK; i++)
        if (!snapshots_held(names[i]))
            st = load_tenant(s, names[i], why);
    for (uint32_t i = 0; i < n && st == OK; i++)
        if (snapshots_held(names[i]) && !snapshots_owner(s, names[i], a, &tenant, &id))
            held_delete(s, names[i]);
    arena_free(a);
    return st;
}

/* ---- the thread ---- */

/* The next thing to do, or NULL: a second is over. False: the end. */
static bool next_task(struct snapshots *s, struct task **out)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_S;
    pthread_mutex_lock(&s->lock);
    while (!(*out = queue_take(&s->work)) && !s->stopping)
        if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != 0)
            break;
    bool go_on = *out || !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct snapshots *s = arg;
    struct task *t;
    pthread_setname_np(pthread_self(), "snapshot");
    store_thread_enter(s->broker->store);
    s->load_status = load(s, &s->load_why);
    pthread_mutex_lock(&s->lock);
    s->loaded = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    int64_t looked = 0;
    for (;;) {
        store_thread_offline(s->broker->store);
        bool go_on = next_task(s, &t);
        store_thread_online(s->broker->store);
        if (!go_on)
            break;
        if (t)
            t->run(t);
        if (time_monotonic() - looked < TICK_S * INT64_C(1000000) || snapshots_stopping(s))
            continue;
        looked = time_monotonic();
        expire(s);
    }
    store_thread_leave(s->broker->store);
    return NULL;
}

enum status snapshots_start(struct snapshots **out, struct broker *b, const struct snapshots_options *o, struct why *why)
{
    struct snapshots *s = mem_zalloc(sizeof *s);
    pthread_condattr_t attr;
    *out = s;
    s->broker = b;
    s->o = *o;
    s->clock = b->ports->clock;
    why_clear(&s->load_why);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    queue_init(&s->work, s);
    queue_init(&s->completions, s);
    if (pthread_create(&s->thread, NULL, run, s) != 0)
        return why_set(why, E_INTERNAL, NULL, "no thread for the snapshots");
    s->running = true;
    pthread_mutex_lock(&s->lock);
    while (!s->loaded)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    if (s->load_status != OK)
        *why = s->load_why;
    return s->load_status;
}

void snapshots_stop(struct snapshots *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->running)
        pthread_join(s->thread, NULL);
    s->running = false;
}

void snapshots_free(struct snapshots *s)
{
    if (!s)
        return;
    for (struct task *t; (t = queue_take(&s->work));) /* notices that were cancelled */
        t->run(t);
    for (struct snapshot_entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        entry_free(e);
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s);
}
