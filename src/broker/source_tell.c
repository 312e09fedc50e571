/* What a subscription matches, before and after; one message after another. */
#include "base/log.h"
#include "broker/source_watch_int.h"

#include <inttypes.h>
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
    struct str mark; /* of its id: the change that it is about, of several the last */
    struct port_send send;
    bool whole;
    uint64_t whole_seq; /* the subscription's, when it began */
};

/* ---- what waits ---- */

static void pop(struct watcher *w)
{
    struct telling *t = w->first;
    w->first = t->next;
    if (!w->first)
        w->last = &w->first;
    w->waiting--;
    w->taken -= w->taken > 0;
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
    free((void *)(uintptr_t)w->id.p);
    source_tenant_leave(w->watch, w->tenant);
    free(w);
}

void tell_whole(struct watcher *w, uint64_t seq)
{
    w->whole = true;
    w->whole_seq = seq;
    w->whole_us = 0;
}

/* When too much waits, that is counted, and everything that matches is told instead. */
static void overflow(struct watcher *w, uint64_t seq)
{
    pthread_mutex_lock(&w->watch->lock);
    w->counters.dropped++;
    pthread_mutex_unlock(&w->watch->lock);
    source_keep_soon(w);
    tell_whole(w, seq);
}

/* A copy. */
static void push(struct watcher *w, enum trigger_reason reason, uint64_t seq, struct str stored)
{
    if (w->waiting >= w->watch->o.waiting_max) {
        overflow(w, seq);
        return;
    }
    struct telling *t = mem_alloc(sizeof *t + stored.n);
    *t = (struct telling){
        .seq = seq, .reason = (uint8_t)reason, .stored = {(char *)(t + 1), stored.n}};
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

/* NULL: there is none. Free it with registration_free(). */
static struct registration *compile(const struct source_watch *w, struct str stored,
                                    struct arena *a)
{
    struct registration *r;
    bool fine = !str_absent(stored) && registration_compile(&r, stored,
                                                            &w->broker->registrations.limits, a,
                                                            NULL) == OK;
    return fine ? r : NULL;
}

/* Was it there, at some time, for this one? Its end does not count. infos: in the arena. */
static bool matched(const struct watcher *w, const struct registration *r, struct arena *a,
                    bool **infos)
{
    if (!r)
        return false;
    *infos = arena_zarray(a, bool, r->info_count);
    filter_resolve(w->s->geo, w->watch->terms);
    filter_resolve(w->csf, w->watch->terms);
    return registration_matches(r, &w->query, *infos, a);
}

static bool matches(const struct watcher *w, const struct registration *r, struct arena *a,
                    bool **infos)
{
    struct clock *clock = w->watch->broker->ports->clock;
    return r && (r->expires_at == TIME_NONE || r->expires_at > clock->now_us(clock)) &&
           matched(w, r, a, infos);
}

/* The telling that one subscription is owed, if any. */
static void tell_one(struct watcher *w, uint64_t seq, const struct registration *before,
                     const struct registration *after, struct str stored, struct arena *a)
{
    bool *infos;
    bool now = matches(w, after, a, &infos), was = matched(w, before, a, &infos);
    if (now)
        push(w, was ? UPDATED : NEWLY_MATCHING, seq, stored);
    else if (was)
        push(w, NO_LONGER_MATCHING, seq, stored);
    if ((w->first || w->whole) && !w->busy)
        tell_step(w);
}

void tell_change(struct source_watch *watch, struct source_tenant *t, uint64_t seq,
                 struct str before, struct str after)
{
    if (!t->watchers.count)
        return;
    struct arena *a = arena_new(0), *scratch = arena_new(0);
    struct registration *was = compile(watch, before, a), *is = compile(watch, after, a);
    struct source_found f = source_index_find(t, was, is, a);
    watch->candidates += f.count;
    for (uint32_t i = 0; i < f.count; i++) {
        arena_reset(scratch);
        if (!is_over(f.watchers[i]))
            tell_one(f.watchers[i], seq, was, is, str_absent(after) ? before : after, scratch);
    }
    registration_free(was);
    registration_free(is);
    arena_free(a);
    arena_free(scratch);
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
    if (m->whole && m->whole_seq == w->whole_seq)
        w->whole = false;
    while (!m->whole && w->taken)
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
    source_keep_soon(w);
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

/* Of those that match now, if asked, else of any: what of it is to be shown. */
static void add_one(struct source_message *m, struct str stored, bool any, struct arena *scratch)
{
    struct watcher *w = m->watcher;
    bool *infos = NULL;
    arena_reset(scratch);
    struct registration *r = compile(w->watch, stored, scratch);
    bool some = matches(w, r, scratch, &infos);
    if (some || any)
        add(m, stored, some ? infos : NULL);
    registration_free(r);
}

/* Everything that matches now. */
static enum trigger_reason add_whole(struct source_message *m, struct arena *scratch)
{
    struct watcher *w = m->watcher;
    const struct named_table *sources = &w->tenant->sources;
    m->whole = true;
    m->whole_seq = w->whole_seq;
    m->mark = w->whole_us ? arena_printf(m->arena, "t%" PRId64, w->whole_us)
                          : arena_printf(m->arena, "%016" PRIx64, w->whole_seq);
    for (struct named *n = named_first(sources); n; n = named_next(sources, n))
        add_one(m, container_of(n, struct source, named)->stored, false, scratch);
    return NEWLY_MATCHING;
}

/* What comes first, and all that follows for the same reason; what did not arrive comes again as it
 * was. */
static enum trigger_reason add_waiting(struct source_message *m, struct arena *scratch)
{
    struct watcher *w = m->watcher;
    enum trigger_reason reason = (enum trigger_reason)w->first->reason;
    uint32_t most = w->taken ? w->taken : UINT32_MAX, n = 0;
    for (struct telling *t = w->first; t && n < most && t->reason == reason; t = t->next) {
        if (reason == NO_LONGER_MATCHING)
            add(m, t->stored, NULL);
        else
            add_one(m, t->stored, true, scratch);
        m->mark = arena_printf(m->arena, "%016" PRIx64, t->seq);
        n++;
    }
    w->taken = n;
    return reason;
}

static enum trigger_reason add_all(struct source_message *m)
{
    struct watcher *w = m->watcher;
    struct arena *scratch = arena_new(0);
    enum trigger_reason reason =
        w->whole || !w->first ? add_whole(m, scratch) : add_waiting(m, scratch);
    arena_free(scratch);
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
        .mark = m->mark,
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
    enum trigger_reason reason = add_all(m);
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
            struct clock *clock = w->watch->broker->ports->clock;
            w->whole = waits = true;
            w->whole_us = clock->now_us(clock);
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
