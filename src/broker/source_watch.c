/* Tables by tenant, expiry, start and end. */
#include "broker/counters.h"
#include "base/log.h"
#include "broker/source_watch_int.h"

#include <stdlib.h>

/* ---- tables ---- */

struct source_tenant *source_tenant_find(const struct source_watch *w, struct str name)
{
    struct named *n = named_find(&w->tenants, name);
    return n ? container_of(n, struct source_tenant, named) : NULL;
}

static struct source_tenant *tenant_make(struct source_watch *w, struct str name)
{
    struct source_tenant *t = mem_zalloc(sizeof *t);
    pthread_mutex_lock(&w->lock);
    named_add(&w->tenants, &t->named, mem_dup(name));
    pthread_mutex_unlock(&w->lock);
    return t;
}

static void tenant_free(struct source_watch *w, struct source_tenant *t)
{
    pthread_mutex_lock(&w->lock);
    named_remove(&w->tenants, &t->named);
    pthread_mutex_unlock(&w->lock);
    named_free(&t->sources);
    named_free(&t->watchers);
    watch_table_free(t->index);
    free((void *)(uintptr_t)t->named.name.p);
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
    s->caller = (struct caller){.tenant = s->tenant->named.name};
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
    named_remove(&s->tenant->sources, &s->named);
    agenda_clear(&w->expiries, &s->expiry);
    s->gone = true;
    if (!s->deleting)
        source_free(s);
}

static struct source *source_make(struct source_watch *w, struct source_tenant *t, struct str id)
{
    struct source *s = mem_zalloc(sizeof *s);
    s->watch = w;
    s->tenant = t;
    t->members++;
    s->id = mem_dup(id);
    named_add(&t->sources, &s->named, s->id);
    return s;
}

static void heard_registration(struct source_watch *w, struct source_tenant *t,
                               const struct heard *h)
{
    struct named *n = named_find(&t->sources, h->key);
    struct source *s = n ? container_of(n, struct source, named) : NULL;
    if (s && h->seq <= s->seq)
        return;
    if (h->live)
        tell_change(w, t, h->seq, s ? s->stored : STR_NONE, h->bytes);
    if (str_absent(h->bytes)) {
        if (s)
            remove_source(w, s);
        return;
    }
    if (!s)
        s = source_make(w, t, h->key);
    s->seq = h->seq;
    set_str(&s->stored, mem_dup(h->bytes));
    plan_expiry(w, s);
}

/* ---- subscriptions ---- */

static void remove_watcher(struct source_watch *w, struct watcher *x)
{
    pthread_mutex_lock(&w->lock);
    named_remove(&x->tenant->watchers, &x->named);
    pthread_mutex_unlock(&w->lock);
    source_index_remove(x);
    agenda_clear(&w->agenda, &x->due);
    agenda_clear(&w->keeps, &x->keep);
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
    source_index_remove(x);
    filter_free(x->csf);
    x->csf = NULL;
    subscription_unref(x->s);
    if (x->arena)
        arena_free(x->arena);
    x->s = s;
    x->arena = arena_new(0);
    set_str(&x->stored, mem_dup(h->bytes));
    if (registration_query_of(&x->query, s, x->stored, w->terms, &w->o.limits.filter, x->arena, &x->csf, &why) != OK)
        return false;
    if (!s->interval_us)
        source_index_add(x);
    return true;
}

static struct watcher *watcher_new(struct source_watch *w, struct source_tenant *t, struct str id)
{
    struct watcher *x = mem_zalloc(sizeof *x);
    x->watch = w;
    x->tenant = t;
    t->members++;
    x->last = &x->first;
    x->id = mem_dup(id);
    x->counters = counters_none();
    return x;
}

static struct watcher *watcher_find(const struct source_tenant *t, struct str id)
{
    struct named *n = named_find(&t->watchers, id);
    return n ? container_of(n, struct watcher, named) : NULL;
}

static void heard_subscription(struct source_watch *w, struct source_tenant *t,
                               const struct heard *h)
{
    struct watcher *x = watcher_find(t, h->key);
    if (x && h->seq <= x->seq)
        return;
    if (str_absent(h->bytes)) {
        if (x) {
            source_keep_forget(x);
            remove_watcher(w, x);
        }
        return;
    }
    bool fresh = !x;
    if (fresh)
        x = watcher_new(w, t, h->key);
    pthread_mutex_lock(&w->lock);
    bool fine = set_subscription(w, x, h);
    if (fine && fresh)
        named_add(&t->watchers, &x->named, x->id);
    pthread_mutex_unlock(&w->lock);
    if (!fine && fresh) {
        watcher_free(x);
        return;
    }
    x->seq = h->seq;
    x->interval_due_us = 0;
    if (h->live) /* all that match, at first and when it changes (5.11.2.4, 5.11.3.4) */
        tell_whole(x, h->seq);
    if (!x->busy)
        tell_step(x);
}

/* From before the start. */
static void heard_counters(struct source_watch *w, struct source_tenant *t, const struct heard *h)
{
    struct watcher *x = watcher_find(t, h->key);
    struct subscription_counters c;
    if (h->live || !x || str_absent(h->bytes) || !counters_read(&c, h->bytes))
        return;
    pthread_mutex_lock(&w->lock);
    x->counters = c;
    pthread_mutex_unlock(&w->lock);
}

/* What came after is of another tenant of that name. */
static void heard_tenant_gone(struct source_watch *w, struct source_tenant *t, uint64_t seq)
{
    for (struct named *n = named_first(&t->watchers), *next; n; n = next) {
        struct watcher *x = container_of(n, struct watcher, named);
        next = named_next(&t->watchers, n);
        if (x->seq <= seq)
            remove_watcher(w, x);
    }
    for (struct named *n = named_first(&t->sources), *next; n; n = next) {
        struct source *s = container_of(n, struct source, named);
        next = named_next(&t->sources, n);
        if (s->seq <= seq)
            remove_source(w, s);
    }
}

void source_watch_heard(struct source_watch *w, const struct heard *h)
{
    struct source_tenant *t = source_tenant_find(w, h->tenant);
    if (!t && (!h->kind || str_absent(h->bytes)))
        return; /* nothing of it was here */
    if (!t)
        t = tenant_make(w, h->tenant);
    t->members++;
    if (h->kind == STORE_REGISTRATION)
        heard_registration(w, t, h);
    else if (h->kind == STORE_REGISTRATION_SUBSCRIPTION)
        heard_subscription(w, t, h);
    else if (h->kind == STORE_REGISTRATION_SUBSCRIPTION_STATE)
        heard_counters(w, t, h);
    else
        heard_tenant_gone(w, t, h->seq);
    source_tenant_leave(w, t);
}

/* ---- the host's thread ---- */

void source_watch_set_alarm(struct source_watch *w)
{
    int64_t due_us = agenda_first_us(&w->agenda), expiry_us = agenda_first_us(&w->expiries);
    int64_t keep_us = agenda_first_us(&w->keeps);
    due_us = keep_us < due_us ? keep_us : due_us;
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

void source_watch_tick(struct source_watch *w)
{
    struct clock *clock = w->broker->ports->clock;
    for (struct agenda_item *i; (i = agenda_next(&w->agenda, time_monotonic()));)
        tell_step(container_of(i, struct watcher, due));
    for (struct agenda_item *i; (i = agenda_next(&w->expiries, clock->now_us(clock)));)
        expire(w, container_of(i, struct source, expiry));
    source_keep_run(w);
    source_watch_set_alarm(w);
}

/* ---- start and end ---- */

struct source_watch *source_watch_new(const struct notify_options *o, struct terms *terms)
{
    struct source_watch *w = mem_zalloc(sizeof *w);
    w->o = *o;
    w->terms = terms;
    source_hear_init(w);
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
    w->writer = (struct state_writer){.broker = b,
                                      .home = h->runner,
                                      .kind = STORE_REGISTRATION_SUBSCRIPTION_STATE,
                                      .under_way = &w->under_way};
    atomic_store(&w->started, true);
    source_hear_post(w);
}

void source_watch_stop(struct source_watch *w)
{
    atomic_store(&w->stopping, true);
}

bool source_watch_is_idle(const struct source_watch *w)
{
    return atomic_load(&w->under_way) == 0;
}

void source_watch_end(struct source_watch *w)
{
    source_keep_last(w);
}

void source_watch_free(struct source_watch *w)
{
    if (!w)
        return;
    for (struct named *n; (n = named_first(&w->tenants));) {
        struct source_tenant *t = container_of(n, struct source_tenant, named);
        t->members++;
        heard_tenant_gone(w, t, UINT64_MAX);
        tenant_free(w, t);
    }
    source_hear_free(w);
    named_free(&w->tenants);
    agenda_free(&w->agenda);
    agenda_free(&w->expiries);
    agenda_free(&w->keeps);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

bool source_watch_counters(void *arg, struct str tenant, struct str id,
                           struct subscription_counters *out)
{
    struct source_watch *w = arg;
    pthread_mutex_lock(&w->lock);
    const struct source_tenant *t = source_tenant_find(w, tenant);
    const struct watcher *x = t ? watcher_find(t, id) : NULL;
    if (x)
        *out = x->counters;
    pthread_mutex_unlock(&w->lock);
    return x;
}

void source_watch_contexts(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg)
{
    struct source_watch *w = arg;
    pthread_mutex_lock(&w->lock);
    for (struct named *n = named_first(&w->tenants); n; n = named_next(&w->tenants, n)) {
        const struct named_table *all = &container_of(n, struct source_tenant, named)->watchers;
        for (struct named *x = named_first(all); x; x = named_next(all, x))
            each(each_arg, container_of(x, struct watcher, named)->s->context_url);
    }
    pthread_mutex_unlock(&w->lock);
}
