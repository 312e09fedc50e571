/* Hearing, tables by tenant, expiry, start and end. */
#include "base/log.h"
#include "broker/source_watch_int.h"

#include <stdlib.h>

struct heard {
    struct heard *next;
    uint8_t kind; /* enum store_kind; 0: the tenant is gone */
    bool live;    /* after the start */
    uint64_t seq;
    struct str tenant, key, bytes; /* behind the struct; bytes absent: deleted */
};

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

static void hear(struct source_watch *w, const struct change *c)
{
    struct heard *h = mem_alloc(sizeof *h + c->tenant.n + c->key.n + c->bytes.n + 1);
    char *at = (char *)(h + 1);
    *h = (struct heard){.kind = c->kind == CHANGE_DOCUMENT ? c->document_kind : 0,
                        .live = atomic_load(&w->started),
                        .seq = c->seq};
    h->tenant = put_behind(&at, c->tenant);
    h->key = put_behind(&at, c->key);
    h->bytes = put_behind(&at, c->bytes);
    pthread_mutex_lock(&w->lock);
    *w->heard_last = h;
    w->heard_last = &h->next;
    pthread_mutex_unlock(&w->lock);
}

/* A task is posted once at a time. */
static void post(struct source_watch *w)
{
    if (!atomic_exchange(&w->woken, true))
        runner_post(w->host->runner, &w->wake);
}

static void changes(struct store_listener *l, const struct change *c, uint32_t count)
{
    struct source_watch *w = container_of(l, struct source_watch, listener);
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        bool ours = c[i].kind == CHANGE_DOCUMENT
                        ? c[i].document_kind == STORE_REGISTRATION ||
                              c[i].document_kind == STORE_REGISTRATION_SUBSCRIPTION
                        : c[i].kind == CHANGE_TENANT && c[i].gone;
        if (ours)
            hear(w, &c[i]);
        any |= ours;
    }
    if (any && atomic_load(&w->started))
        post(w);
}

/* ---- tables ---- */

static struct source_tenant *tenant_find(const struct source_watch *w, struct str name)
{
    struct source_tenant *t = w->tenants;
    while (t && !str_eq(t->name, name))
        t = t->next;
    return t;
}

static struct source_tenant *tenant_make(struct source_watch *w, struct str name)
{
    struct source_tenant *t = mem_zalloc(sizeof *t);
    t->name = mem_dup(name);
    t->next = w->tenants;
    pthread_mutex_lock(&w->lock);
    w->tenants = t;
    pthread_mutex_unlock(&w->lock);
    return t;
}

static void tenant_free(struct source_watch *w, struct source_tenant *t)
{
    struct source_tenant **at = &w->tenants;
    while (*at != t)
        at = &(*at)->next;
    pthread_mutex_lock(&w->lock);
    *at = t->next;
    pthread_mutex_unlock(&w->lock);
    free((void *)(uintptr_t)t->name.p);
    free(t);
}

void source_tenant_leave(struct source_watch *w, struct source_tenant *t)
{
    if (--t->members == 0)
        tenant_free(w, t);
}

static void set_str(struct str *to, struct str s)
{
    free((void *)(uintptr_t)to->p);
    *to = s;
}

static void source_free(struct source *s)
{
    source_tenant_leave(s->watch, s->tenant);
    set_str(&s->id, STR_NONE);
    set_str(&s->stored, STR_NONE);
    free(s);
}

/* ---- registrations ---- */

static void deleted(struct store_call *call)
{
    struct source *s = container_of(container_of(call, struct store_put, call), struct source, put);
    atomic_fetch_sub(&s->watch->under_way, 1);
    s->deleting = false;
    if (s->gone)
        source_free(s);
}

/* Its time is over: the deletion is heard like any other. */
static void expire(struct source_watch *w, struct source *s)
{
    if (s->deleting || atomic_load(&w->stopping))
        return;
    s->deleting = true;
    atomic_fetch_add(&w->under_way, 1);
    s->caller = (struct caller){.tenant = s->tenant->name};
    s->put = (struct store_put){
        .call = {.home = w->host->runner, .done = deleted},
        .caller = &s->caller,
        .kind = STORE_REGISTRATION,
        .key = s->id,
        .only_seq = s->seq,
        .only_present = true,
    };
    if (store_put(w->broker->store, &s->put))
        deleted(&s->put.call);
}

static void plan_expiry(struct source_watch *w, struct source *s)
{
    struct arena *a = arena_new(0);
    int64_t us = registration_expiry(s->stored, a);
    arena_free(a);
    if (us == TIME_NONE)
        agenda_clear(&w->expiries, &s->expiry);
    else
        agenda_set(&w->expiries, &s->expiry, us);
}

static void remove_source(struct source_watch *w, struct source *s)
{
    struct source **at = &s->tenant->sources;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    agenda_clear(&w->expiries, &s->expiry);
    s->gone = true;
    if (!s->deleting)
        source_free(s);
}

static void heard_registration(struct source_watch *w, struct source_tenant *t,
                               const struct heard *h)
{
    struct source *s = t->sources;
    while (s && !str_eq(s->id, h->key))
        s = s->next;
    if (h->live)
        tell_change(w, t, s ? s->stored : STR_NONE, h->bytes);
    if (str_absent(h->bytes)) {
        if (s)
            remove_source(w, s);
        return;
    }
    if (!s) {
        s = mem_zalloc(sizeof *s);
        s->watch = w;
        s->tenant = t;
        t->members++;
        s->id = mem_dup(h->key);
        s->next = t->sources;
        t->sources = s;
    }
    s->seq = h->seq;
    set_str(&s->stored, mem_dup(h->bytes));
    plan_expiry(w, s);
}

/* ---- subscriptions ---- */

static void remove_watcher(struct source_watch *w, struct watcher *x)
{
    struct watcher **at = &x->tenant->watchers;
    while (*at != x)
        at = &(*at)->next;
    pthread_mutex_lock(&w->lock);
    *at = x->next;
    pthread_mutex_unlock(&w->lock);
    agenda_clear(&w->agenda, &x->due);
    x->removed = true;
    if (!x->busy)
        watcher_free(x);
}

/* Compiled anew: false when it is damaged. */
static bool set_subscription(struct source_watch *w, struct watcher *x, const struct heard *h)
{
    struct why why = {0};
    struct subscription *s;
    if (subscription_compile(&s, h->tenant, h->bytes, w->terms, &w->o.limits, &why) != OK) {
        log_error("a subscription is damaged", log_s("id", h->key), log_z("why", why.text));
        return false;
    }
    s->of_registrations = true;
    filter_free(x->csf);
    x->csf = NULL;
    subscription_unref(x->s);
    if (x->arena)
        arena_free(x->arena);
    x->s = s;
    x->arena = arena_new(0);
    set_str(&x->stored, mem_dup(h->bytes));
    return registration_query_of(&x->query, s, x->stored, w->terms, &w->o.limits.filter, x->arena,
                                 &x->csf, &why) == OK;
}

static struct watcher *watcher_new(struct source_watch *w, struct source_tenant *t)
{
    struct watcher *x = mem_zalloc(sizeof *x);
    x->watch = w;
    x->tenant = t;
    t->members++;
    x->last = &x->first;
    x->counters.last_notification = x->counters.last_success = x->counters.last_failure = TIME_NONE;
    return x;
}

static void heard_subscription(struct source_watch *w, struct source_tenant *t,
                               const struct heard *h)
{
    struct watcher *x = t->watchers;
    while (x && !str_eq(x->s->id, h->key))
        x = x->next;
    if (str_absent(h->bytes)) {
        if (x)
            remove_watcher(w, x);
        return;
    }
    bool fresh = !x;
    if (fresh)
        x = watcher_new(w, t);
    pthread_mutex_lock(&w->lock);
    bool fine = set_subscription(w, x, h);
    if (fine && fresh) {
        x->next = t->watchers;
        t->watchers = x;
    }
    pthread_mutex_unlock(&w->lock);
    if (!fine && fresh) {
        watcher_free(x);
        return;
    }
    x->interval_due_us = 0;
    x->whole = h->live; /* all that match, at first and when it changes (5.11.2.4, 5.11.3.4) */
    if (!x->busy)
        tell_step(x);
}

static void heard_tenant_gone(struct source_watch *w, struct source_tenant *t)
{
    while (t->watchers)
        remove_watcher(w, t->watchers);
    while (t->sources)
        remove_source(w, t->sources);
}

static void heard_one(struct source_watch *w, const struct heard *h)
{
    struct source_tenant *t = tenant_find(w, h->tenant);
    if (!t && (!h->kind || str_absent(h->bytes)))
        return; /* nothing of it was here */
    if (!t)
        t = tenant_make(w, h->tenant);
    t->members++;
    if (h->kind == STORE_REGISTRATION)
        heard_registration(w, t, h);
    else if (h->kind == STORE_REGISTRATION_SUBSCRIPTION)
        heard_subscription(w, t, h);
    else
        heard_tenant_gone(w, t);
    source_tenant_leave(w, t);
}

/* ---- the host's thread ---- */

void source_watch_set_alarm(struct source_watch *w)
{
    int64_t due_us = agenda_first_us(&w->agenda), expiry_us = agenda_first_us(&w->expiries);
    if (expiry_us !=
        INT64_MAX) { /* wall time; it may be set back, so look once a minute at least */
        struct clock *clock = w->broker->ports->clock;
        int64_t left_us = expiry_us - clock->now_us(clock);
        int64_t at_us = time_monotonic() + (left_us < 0          ? 0
                                            : left_us > 60000000 ? 60000000
                                                                 : left_us);
        due_us = at_us < due_us ? at_us : due_us;
    }
    w->host->alarm(w->host, due_us);
}

static void wake(struct task *task)
{
    struct source_watch *w = container_of(task, struct source_watch, wake);
    atomic_store(&w->woken, false); /* what is heard from here on posts it again */
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct heard *h = w->heard;
        w->heard = h ? h->next : NULL;
        w->heard_last = w->heard ? w->heard_last : &w->heard;
        pthread_mutex_unlock(&w->lock);
        if (!h)
            break;
        heard_one(w, h);
        free(h);
    }
    source_watch_set_alarm(w);
}

void source_watch_tick(struct source_watch *w)
{
    struct clock *clock = w->broker->ports->clock;
    for (struct agenda_item *i; (i = agenda_next(&w->agenda, time_monotonic()));)
        tell_step(container_of(i, struct watcher, due));
    for (struct agenda_item *i; (i = agenda_next(&w->expiries, clock->now_us(clock)));)
        expire(w, container_of(i, struct source, expiry));
    source_watch_set_alarm(w);
}

/* ---- start and end ---- */

struct source_watch *source_watch_new(const struct notify_options *o, struct terms *terms)
{
    struct source_watch *w = mem_zalloc(sizeof *w);
    w->o = *o;
    w->terms = terms;
    w->wake.run = wake;
    w->heard_last = &w->heard;
    w->listener.changes = changes;
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

struct store_listener *source_watch_listener(struct source_watch *w)
{
    return &w->listener;
}

void source_watch_start(struct source_watch *w, struct broker *b, struct notify_host *h)
{
    w->broker = b;
    w->host = h;
    atomic_store(&w->started, true);
    post(w);
}

void source_watch_stop(struct source_watch *w)
{
    atomic_store(&w->stopping, true);
}

bool source_watch_is_idle(const struct source_watch *w)
{
    return atomic_load(&w->under_way) == 0;
}

void source_watch_free(struct source_watch *w)
{
    if (!w)
        return;
    while (w->tenants) {
        w->tenants->members++;
        heard_tenant_gone(w, w->tenants);
        tenant_free(w, w->tenants);
    }
    for (struct heard *h; (h = w->heard);) {
        w->heard = h->next;
        free(h);
    }
    agenda_free(&w->agenda);
    agenda_free(&w->expiries);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

bool source_watch_counters(void *arg, struct str tenant, struct str id,
                           struct subscription_counters *out)
{
    struct source_watch *w = arg;
    bool found = false;
    pthread_mutex_lock(&w->lock);
    for (const struct source_tenant *t = w->tenants; t && !found; t = t->next) {
        if (!str_eq(t->name, tenant))
            continue;
        for (const struct watcher *x = t->watchers; x && !found; x = x->next)
            if (str_eq(x->s->id, id)) {
                *out = x->counters;
                found = true;
            }
    }
    pthread_mutex_unlock(&w->lock);
    return found;
}
