/* What a subscription matches, before and after; one message after another. */
#include "base/log.h"
#include "broker/source_watch_int.h"

#include <stdlib.h>

/* One message on its way. */
struct source_message {
    struct watcher *watcher;
    struct subscription *s; /* as of its beginning; one reference */
    struct arena *arena;
    struct buf body, data;
    struct json url;
    struct contexts_call context;
    struct notice notice;
    struct port_send send;
    uint32_t taken; /* tellings that it is made of */
    bool whole;
};

/* ---- what waits ---- */

static void pop(struct watcher *w)
{
    struct telling *t = w->first;
    w->first = t->next;
    if (!w->first)
        w->last = &w->first;
    w->waiting--;
    free(t);
}

void tell_forget(struct watcher *w)
{
    while (w->first)
        pop(w);
    w->whole = false;
}

void watcher_free(struct watcher *w)
{
    tell_forget(w);
    filter_free(w->csf);
    subscription_unref(w->s);
    if (w->arena)
        arena_free(w->arena);
    free((void *)(uintptr_t)w->stored.p);
    source_tenant_leave(w->watch, w->tenant);
    free(w);
}

/* When too much waits, that is counted, and everything that matches is told instead. */
static void overflow(struct watcher *w)
{
    pthread_mutex_lock(&w->watch->lock);
    w->counters.dropped++;
    pthread_mutex_unlock(&w->watch->lock);
    w->whole = true;
}

/* A copy. */
static void push(struct watcher *w, enum trigger_reason reason, struct str stored)
{
    if (w->waiting >= w->watch->o.waiting_max) {
        overflow(w);
        return;
    }
    struct telling *t = mem_alloc(sizeof *t + stored.n);
    *t = (struct telling){.reason = (uint8_t)reason, .stored = {(char *)(t + 1), stored.n}};
    memcpy(t + 1, stored.p, stored.n);
    *w->last = t;
    w->last = &t->next;
    w->waiting++;
}

/* ---- matching ---- */

static bool is_over(const struct watcher *w)
{
    struct clock *clock = w->watch->broker->ports->clock;
    return !w->s->active ||
           (w->s->expires_at != TIME_NONE && w->s->expires_at <= clock->now_us(clock));
}

/* infos: in the arena, when it matches. */
static bool matches(const struct watcher *w, struct str stored, struct arena *a, bool **infos)
{
    struct registration *r;
    struct clock *clock = w->watch->broker->ports->clock;
    if (str_absent(stored) ||
        registration_compile(&r, stored, &w->watch->broker->registrations.limits, a, NULL) != OK)
        return false;
    *infos = arena_zarray(a, bool, r->info_count);
    filter_resolve(w->s->geo, w->watch->terms);
    filter_resolve(w->csf, w->watch->terms);
    bool fits = (r->expires_at == TIME_NONE || r->expires_at > clock->now_us(clock)) &&
                registration_matches(r, &w->query, *infos, a);
    registration_free(r);
    return fits;
}

/* Was it there, at some time, for this one? Its end does not count. */
static bool matched(const struct watcher *w, struct str stored, struct arena *a)
{
    struct registration *r;
    if (str_absent(stored) ||
        registration_compile(&r, stored, &w->watch->broker->registrations.limits, a, NULL) != OK)
        return false;
    bool fits = registration_matches(r, &w->query, arena_zarray(a, bool, r->info_count), a);
    registration_free(r);
    return fits;
}

void tell_change(struct source_watch *watch, struct source_tenant *t, struct str before,
                 struct str after)
{
    struct arena *a = arena_new(0);
    for (struct watcher *w = t->watchers, *next; w; w = next) {
        bool *infos;
        next = w->next;
        arena_reset(a);
        if (is_over(w) || w->s->interval_us)
            continue;
        bool now = matches(w, after, a, &infos), was = matched(w, before, a);
        if (now)
            push(w, was ? UPDATED : NEWLY_MATCHING, after);
        else if (was)
            push(w, NO_LONGER_MATCHING, str_absent(after) ? before : after);
        if (w->first && !w->busy)
            tell_step(w);
    }
    arena_free(a);
    (void)watch;
}

/* ---- the message ---- */

static void message_free(struct source_message *m)
{
    atomic_fetch_sub(&m->watcher->watch->under_way, 1);
    context_unref(m->context.context);
    subscription_unref(m->s);
    buf_free(&m->body);
    buf_free(&m->data);
    arena_free(m->arena);
    free(m);
}

/* What it was made of is told, or will never be. */
static void settle(struct source_message *m)
{
    struct watcher *w = m->watcher;
    w->attempts = 0;
    w->whole &= !m->whole;
    for (uint32_t i = 0; i < m->taken && w->first; i++)
        pop(w);
}

static void finish(struct source_message *m)
{
    struct watcher *w = m->watcher;
    message_free(m);
    w->busy = false;
    if (w->removed)
        watcher_free(w);
    else
        tell_step(w);
}

static void count(struct watcher *w, bool ok)
{
    struct clock *clock = w->watch->broker->ports->clock;
    int64_t now_us = clock->now_us(clock);
    pthread_mutex_lock(&w->watch->lock);
    w->counters.sent++;
    w->counters.failed += !ok;
    w->counters.last_failed = !ok;
    w->counters.last_notification = now_us;
    *(ok ? &w->counters.last_success : &w->counters.last_failure) = now_us;
    pthread_mutex_unlock(&w->watch->lock);
}

/* At least the cooldown, twice as long with every failure. */
static int64_t pause_us(const struct watcher *w)
{
    const struct notify_options *o = &w->watch->o;
    int64_t us = w->s->cooldown_ms ? (int64_t)w->s->cooldown_ms * 1000 : o->cooldown_us;
    for (uint32_t i = 1; i < w->failures && us < o->cooldown_max_us; i++)
        us *= 2;
    return us;
}

static void sent(struct port_send *send)
{
    struct source_message *m = container_of(send, struct source_message, send);
    struct watcher *w = m->watcher;
    bool http = str_eq_fold(str_head(send->uri, 4), STR("http"));
    bool ok =
        send->status == OK && (!http || (send->http_status >= 200 && send->http_status < 300));
    count(w, ok);
    if (ok) {
        settle(m);
        w->failures = 0;
        w->not_before_us = time_monotonic() + w->s->throttling_us;
    } else {
        w->failures++;
        w->not_before_us = time_monotonic() + pause_us(w);
        if (++w->attempts >= w->watch->o.attempts_max) {
            log_warn("a notification is given up", log_s("subscription", w->s->id),
                     log_i("status", send->http_status), log_z("why", send->why.text));
            settle(m);
        }
    }
    finish(m);
}

static void add(struct source_message *m, struct str stored, const bool *infos)
{
    struct why why = {0};
    buf_char(&m->data, m->data.n ? ',' : '[');
    if (registration_represent(&m->data, stored, m->context.context, infos, STR_NONE,
                               m->s->sys_attrs, m->arena, &why) != OK)
        log_error("a registration is damaged", log_z("why", why.text));
}

/* Everything that matches now. */
static enum trigger_reason add_whole(struct source_message *m)
{
    struct watcher *w = m->watcher;
    m->whole = true;
    for (const struct source *s = w->tenant->sources; s; s = s->next) {
        bool *infos;
        if (matches(w, s->stored, m->arena, &infos))
            add(m, s->stored, infos);
    }
    return NEWLY_MATCHING;
}

/* What comes first, and all that follows for the same reason. */
static enum trigger_reason add_waiting(struct source_message *m)
{
    struct watcher *w = m->watcher;
    enum trigger_reason reason = (enum trigger_reason)w->first->reason;
    for (struct telling *t = w->first; t && t->reason == reason; t = t->next) {
        bool *infos = NULL;
        bool some = reason != NO_LONGER_MATCHING && matches(w, t->stored, m->arena, &infos);
        add(m, t->stored, some ? infos : NULL);
        m->taken++;
    }
    return reason;
}

static void hand_over(struct source_message *m, enum trigger_reason reason)
{
    static const char *const REASONS[] = {"newlyMatching", "updated", "noLongerMatching"};
    struct watcher *w = m->watcher;
    struct source_watch *watch = w->watch;
    struct clock *clock = watch->broker->ports->clock;
    m->notice = (struct notice){
        .subscription = m->s,
        .context = m->context.context,
        .now_us = clock->now_us(clock),
        .mark = arena_printf(m->arena, "%016llx", (unsigned long long)clock->now_us(clock)),
        .registrations = buf_view(&m->data),
        .trigger_reason = REASONS[reason],
        .arena = m->arena,
        .body = &m->body,
    };
    notice_begin(&m->notice);
    if (!notice_write(&m->notice) || m->data.full) {
        log_warn("a notification is larger than subscriptions.message_bytes",
                 log_s("subscription", m->s->id));
        settle(m);
        finish(m);
        return;
    }
    m->send = (struct port_send){
        .uri = m->s->uri,
        .headers = m->notice.headers,
        .header_count = m->notice.header_count,
        .body = buf_view(&m->body),
        .mqtt_version = m->notice.mqtt_version,
        .mqtt_qos = m->notice.mqtt_qos,
        .timeout_ms = m->s->timeout_ms ? m->s->timeout_ms : watch->o.timeout_ms,
        .home = watch->host->runner,
        .done = sent,
    };
    watch->broker->ports->send(watch->broker->ports, &m->send);
}

static void with_context(struct source_message *m)
{
    struct watcher *w = m->watcher;
    if (m->context.status != OK) { /* tried again: nothing is lost */
        log_warn("no @context for a notification", log_s("subscription", m->s->id),
                 log_z("why", m->context.why.text));
        w->failures++;
        w->not_before_us = time_monotonic() + pause_us(w);
        finish(m);
        return;
    }
    enum trigger_reason reason = w->whole || !w->first ? add_whole(m) : add_waiting(m);
    if (m->data.n == 0) { /* nothing matches: nothing to say (5.8.6) */
        settle(m);
        finish(m);
        return;
    }
    buf_char(&m->data, ']');
    hand_over(m, reason);
}

static void context_done(struct contexts_call *call)
{
    with_context(container_of(call, struct source_message, context));
}

static void begin(struct watcher *w)
{
    struct source_message *m = mem_zalloc(sizeof *m);
    w->busy = true;
    atomic_fetch_add(&w->watch->under_way, 1);
    m->watcher = w;
    m->s = subscription_ref(w->s);
    m->arena = arena_new(0);
    buf_init(&m->body, w->watch->o.message_bytes_max);
    buf_init(&m->data, w->watch->o.message_bytes_max);
    m->url = (struct json){.kind = JSON_STRING, .string = m->s->context_url};
    m->context = (struct contexts_call){
        .home = w->watch->host->runner, .arena = m->arena, .spec = &m->url, .done = context_done};
    if (contexts_resolve(w->watch->broker->contexts, &m->context))
        with_context(m);
}

/* ---- steps ---- */

/* When there is something to do; INT64_MAX: not before it is told. */
static int64_t next_us(struct watcher *w, int64_t now_us)
{
    bool waits = w->whole || w->first;
    int64_t due_us = INT64_MAX;
    if (w->s->interval_us) {
        if (!w->interval_due_us)
            w->interval_due_us = now_us + w->s->interval_us;
        if (w->interval_due_us <= now_us) {
            w->interval_due_us = now_us + w->s->interval_us;
            w->whole = waits = true;
        }
        due_us = w->interval_due_us;
    }
    if (waits)
        due_us = w->not_before_us < due_us ? w->not_before_us : due_us;
    return due_us;
}

void tell_step(struct watcher *w)
{
    struct source_watch *watch = w->watch;
    int64_t now_us = time_monotonic();
    if (w->busy || atomic_load(&watch->stopping))
        return;
    if (is_over(w)) {
        tell_forget(w);
        w->interval_due_us = 0;
        agenda_clear(&watch->agenda, &w->due);
        return;
    }
    int64_t due_us = next_us(w, now_us);
    if (due_us == INT64_MAX) {
        agenda_clear(&watch->agenda, &w->due);
    } else if (due_us > now_us) {
        agenda_set(&watch->agenda, &w->due, due_us);
        source_watch_set_alarm(watch);
    } else {
        agenda_clear(&watch->agenda, &w->due);
        begin(w);
    }
}
