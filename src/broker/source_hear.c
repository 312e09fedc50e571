/* What the store tells, on its thread: copied, for the host's to take. So many bytes may wait, an
 * eighth of subscriptions.waiting_bytes; when there would be more, all of it is forgotten, and the
 * host's thread reads everything anew and compares. Nothing is heard twice then: what it has read
 * is not older than what comes after. */
#include "broker/source_watch_int.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum { SHARE = 8 };

static const uint8_t KINDS[] = {STORE_REGISTRATION, STORE_REGISTRATION_SUBSCRIPTION,
                                STORE_REGISTRATION_SUBSCRIPTION_STATE};
enum { KIND_COUNT = sizeof KINDS };

/* ---- the store's thread ---- */

static struct str put_behind(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (str_absent(s))
        return s;
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct heard *heard_new(const struct change *c, bool live)
{
    size_t bytes = sizeof(struct heard) + c->tenant.n + c->key.n + c->bytes.n + 1;
    struct heard *h = mem_alloc(bytes);
    char *at = (char *)(h + 1);
    *h = (struct heard){.kind = c->kind == CHANGE_DOCUMENT ? c->document_kind : 0,
                        .live = live,
                        .seq = c->seq,
                        .bytes_all = bytes};
    h->tenant = put_behind(&at, c->tenant);
    h->key = put_behind(&at, c->key);
    h->bytes = put_behind(&at, c->bytes);
    return h;
}

/* The lock is held. */
static void forget(struct source_watch *w)
{
    for (struct heard *h; (h = w->heard);) {
        w->lost_live |= h->live;
        w->heard = h->next;
        free(h);
    }
    w->heard_last = &w->heard;
    w->heard_bytes = 0;
}

static void hear(struct source_watch *w, const struct change *c)
{
    struct heard *h = heard_new(c, atomic_load(&w->started));
    pthread_mutex_lock(&w->lock);
    *w->heard_last = h;
    w->heard_last = &h->next;
    w->heard_bytes += h->bytes_all;
    if (w->lost || w->heard_bytes > w->o.waiting_bytes_max / SHARE) {
        w->lost = true;
        forget(w);
    }
    pthread_mutex_unlock(&w->lock);
}

/* A task is posted once at a time. */
void source_hear_post(struct source_watch *w)
{
    if (!atomic_exchange(&w->woken, true))
        runner_post(w->host->runner, &w->wake);
}

static bool is_ours(const struct source_watch *w, const struct change *c)
{
    if (c->kind == CHANGE_TENANT)
        return c->gone;
    return c->kind == CHANGE_DOCUMENT &&
           (c->document_kind == STORE_REGISTRATION ||
            c->document_kind == STORE_REGISTRATION_SUBSCRIPTION ||
            (c->document_kind == STORE_REGISTRATION_SUBSCRIPTION_STATE &&
             !atomic_load_explicit(&w->started, memory_order_relaxed))); /* later, by ourselves */
}

static void changes(struct store_listener *l, const struct change *c, uint32_t count)
{
    struct source_watch *w = container_of(l, struct source_watch, listener);
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_ours(w, &c[i]))
            continue;
        hear(w, &c[i]);
        any = true;
    }
    if (any && atomic_load(&w->started))
        source_hear_post(w);
}

/* ---- the host's thread: reading anew ---- */

static void list_documents(struct source_watch *w);

static void relist_end(struct source_watch *w)
{
    struct relisting *r = &w->relisting;
    uint64_t seq = store_seq(w->broker->store);
    for (struct named *n = named_first(&w->tenants), *next; n; n = next) {
        struct source_tenant *t = container_of(n, struct source_tenant, named);
        next = named_next(&w->tenants, n);
        if (t->mark != r->mark)
            source_watch_heard(w, &(struct heard){.live = r->live, .seq = seq, .tenant = n->name});
    }
    arena_free(r->arena);
    r->arena = NULL;
}

/* What was not found is gone. */
static void remove_unmarked(struct source_watch *w, struct source_tenant *t)
{
    struct relisting *r = &w->relisting;
    struct heard h = {.live = r->live,
                      .seq = store_seq(w->broker->store),
                      .tenant = t->named.name,
                      .bytes = STR_NONE};
    t->mark = r->mark;
    t->members++; /* stays while it is looked through */
    h.kind = STORE_REGISTRATION_SUBSCRIPTION;
    for (struct named *n = named_first(&t->watchers), *next; n; n = next) {
        next = named_next(&t->watchers, n);
        h.key = n->name;
        if (container_of(n, struct watcher, named)->mark != r->mark)
            source_watch_heard(w, &h);
    }
    h.kind = STORE_REGISTRATION;
    for (struct named *n = named_first(&t->sources), *next; n; n = next) {
        next = named_next(&t->sources, n);
        h.key = n->name;
        if (container_of(n, struct source, named)->mark != r->mark)
            source_watch_heard(w, &h);
    }
    source_tenant_leave(w, t);
}

static void mark(struct source_watch *w, const struct heard *h, uint64_t mark)
{
    struct source_tenant *t = source_tenant_find(w, h->tenant);
    struct named *n = NULL;
    if (t && h->kind == STORE_REGISTRATION && (n = named_find(&t->sources, h->key)))
        container_of(n, struct source, named)->mark = mark;
    if (t && h->kind == STORE_REGISTRATION_SUBSCRIPTION && (n = named_find(&t->watchers, h->key)))
        container_of(n, struct watcher, named)->mark = mark;
}

/* Of one kind of one tenant; then the next. */
static void listed(struct source_watch *w)
{
    struct relisting *r = &w->relisting;
    struct store_list *l = &r->list;
    struct str tenant = r->tenants[r->at];
    for (uint32_t i = 0; l->call.status == OK && i < l->count; i++) {
        struct heard h = {.kind = l->kind,
                          .live = r->live,
                          .seq = l->documents[i].seq,
                          .tenant = tenant,
                          .key = l->documents[i].key,
                          .bytes = l->documents[i].bytes};
        source_watch_heard(w, &h);
        mark(w, &h, r->mark);
    }
    arena_free(l->arena);
    if (++r->kind < KIND_COUNT)
        return;
    r->kind = 0;
    r->at++;
    struct source_tenant *t = source_tenant_find(w, tenant);
    if (t)
        remove_unmarked(w, t);
}

static void list_done(struct store_call *call)
{
    struct relisting *r =
        container_of(container_of(call, struct store_list, call), struct relisting, list);
    struct source_watch *w = container_of(r, struct source_watch, relisting);
    listed(w);
    list_documents(w);
    if (!r->arena)
        source_hear_post(w); /* what was heard meanwhile */
}

static void list_documents(struct source_watch *w)
{
    struct relisting *r = &w->relisting;
    while (r->at < r->tenant_count) {
        r->caller.tenant = r->tenants[r->at];
        r->list = (struct store_list){
            .call = {.home = w->host->runner, .done = list_done},
            .caller = &r->caller,
            .kind = KINDS[r->kind],
            .limit = UINT32_MAX,
            .arena = arena_new(0),
        };
        if (!store_list(w->broker->store, &r->list))
            return;
        listed(w);
    }
    relist_end(w);
}

static void relist(struct source_watch *w, bool live)
{
    struct relisting *r = &w->relisting;
    log_warn("registrations change faster than is looked at: all are looked at anew",
             log_i("bytes_max", (int64_t)(w->o.waiting_bytes_max / SHARE)));
    r->arena = arena_new(0);
    r->tenant_count = store_tenants(w->broker->store, r->arena, &r->tenants);
    r->at = 0;
    r->kind = 0;
    r->live = live;
    r->mark++;
    list_documents(w);
}

/* ---- the host's thread: one after another ---- */

static struct heard *take(struct source_watch *w, bool *lost, bool *live)
{
    pthread_mutex_lock(&w->lock);
    struct heard *h = w->heard;
    if (h) {
        w->heard = h->next;
        w->heard_bytes -= h->bytes_all;
        if (!w->heard)
            w->heard_last = &w->heard;
    } else {
        *lost = w->lost;
        *live = w->lost_live;
        w->lost = w->lost_live = false;
    }
    pthread_mutex_unlock(&w->lock);
    return h;
}

static void wake(struct task *task)
{
    struct source_watch *w = container_of(task, struct source_watch, wake);
    atomic_store(&w->woken, false); /* what is heard from here on posts it again */
    for (bool lost = true, live; lost && !w->relisting.arena;) {
        lost = false;
        for (struct heard *h; (h = take(w, &lost, &live));) {
            source_watch_heard(w, h);
            free(h);
        }
        if (lost)
            relist(w, live);
    }
    source_watch_set_alarm(w);
}

void source_hear_init(struct source_watch *w)
{
    w->heard_last = &w->heard;
    w->wake.run = wake;
    w->listener.changes = changes;
}

void source_hear_free(struct source_watch *w)
{
    forget(w);
    if (w->relisting.arena)
        arena_free(w->relisting.arena);
}
