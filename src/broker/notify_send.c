/* One message after another: @context, what is due, message, port, outcome. */
#include "base/log.h"
#include "base/time.h"
#include "broker/notify_int.h"
#include "broker/snapshots.h"

#include <stdlib.h>

enum { SPARES_MAX = 64, DOUBLINGS_MAX = 20, ARENA_SPARE_MAX = 1 << 20 };

/* ---- memory of messages ---- */

static struct sending *sending_new(struct delivery *d, struct subscription *s)
{
    struct notify *n = d->notify;
    struct sending *g = n->spare;
    if (g) {
        n->spare = g->next_spare;
        n->spare_count--;
    } else {
        g = mem_zalloc(sizeof *g);
        g->arena = arena_new(0);
        buf_init(&g->body, n->o.message_bytes_max);
    }
    g->delivery = d;
    g->subscription = s;
    atomic_fetch_add(&n->under_way, 1);
    return g;
}

static void sending_destroy(struct sending *g)
{
    buf_free(&g->body);
    arena_free(g->arena);
    free(g);
}

static void sending_free(struct sending *g)
{
    struct notify *n = g->delivery->notify;
    context_unref(g->context.context);
    subscription_unref(g->subscription);
    g->context.context = NULL;
    g->count = 0;
    atomic_fetch_sub(&n->under_way, 1);
    if (n->spare_count == SPARES_MAX || arena_bytes(g->arena) > ARENA_SPARE_MAX ||
        g->body.cap > ARENA_SPARE_MAX) {
        sending_destroy(g);
        return;
    }
    arena_reset(g->arena);
    buf_clear(&g->body);
    g->next_spare = n->spare;
    n->spare = g;
    n->spare_count++;
}

void send_free_spares(struct notify *n)
{
    for (struct sending *g; (g = n->spare);) {
        n->spare = g->next_spare;
        sending_destroy(g);
    }
}

/* ---- outcomes ---- */

void send_plan(struct notify *n, struct agenda_item *i, int64_t due_us)
{
    int64_t first_us = agenda_first_us(&n->agenda);
    agenda_set(&n->agenda, i, due_us);
    if (due_us < first_us)
        n->host->alarm(n->host, due_us);
}

/* At least the cooldown, twice as long with every failure. */
static int64_t pause_us(const struct delivery *d, const struct subscription *s)
{
    const struct notify_options *o = &d->notify->o;
    int64_t base = s->cooldown_ms ? (int64_t)s->cooldown_ms * 1000 : o->cooldown_us;
    uint32_t doublings = d->failures - 1 < DOUBLINGS_MAX ? d->failures - 1 : DOUBLINGS_MAX;
    int64_t grown = base << doublings, most = base > o->cooldown_max_us ? base : o->cooldown_max_us;
    return grown < most ? grown : most;
}

static void failed(struct delivery *d, const struct subscription *s)
{
    d->failures++;
    d->not_before_us = time_monotonic() + pause_us(d, s);
}

static void try_again(struct turn *t)
{
    send_step(container_of(t, struct delivery, turn));
}

/* The message is done with, or to be sent again. */
static void finish(struct sending *g)
{
    struct delivery *d = g->delivery;
    struct notify *n = d->notify;
    struct receiver *r = turn_end(&d->turn);
    sending_free(g);
    send_step(d);
    turn_pass(&n->receivers, r, try_again);
}

void send_end(struct sending *g)
{
    struct delivery *d = g->delivery;
    struct notify *n = d->notify;
    struct receiver *r = turn_end(&d->turn);
    if (g->count)
        outbox_settle(n->outbox, d->lane, false);
    sending_free(g);
    send_plan(n, &d->due, time_monotonic() + 1); /* by the agenda: many in a row may end so */
    turn_pass(&n->receivers, r, try_again);
}

static bool is_taken(const struct sending *g)
{
    bool http = str_eq_fold(str_head(g->send.uri, 4), STR("http"));
    return g->send.status == OK &&
           (!http || (g->send.http_status >= 200 && g->send.http_status < 300));
}

static void settle_failure(struct sending *g)
{
    struct delivery *d = g->delivery;
    failed(d, g->subscription);
    if (g->count == 0 || ++d->attempts < d->notify->o.attempts_max)
        return;
    d->attempts = 0;
    outbox_settle(d->notify->outbox, d->lane, true);
    log_warn("a notification is given up", log_s("subscription", g->subscription->id),
             log_i("entities", g->count), log_i("status", g->send.http_status),
             log_z("why", g->send.why.text));
}

static void sent(struct port_send *send)
{
    struct sending *g = container_of(send, struct sending, send);
    struct delivery *d = g->delivery;
    struct notify *n = d->notify;
    bool ok = is_taken(g);
    if (send->status == E_CANCELLED && atomic_load(&n->stopping)) {
        finish(g);
        return;
    }
    outbox_count(n->outbox, d->lane, ok, n->broker->ports->clock->now_us(n->broker->ports->clock));
    keep_soon(n);
    if (ok) {
        d->failures = d->attempts = 0;
        d->not_before_us = g->start_us + g->subscription->throttling_us;
    } else {
        settle_failure(g);
    }
    finish(g);
}

/* ---- the message ---- */

static void too_large(struct sending *g)
{
    struct delivery *d = g->delivery;
    log_warn("a notification is larger than subscriptions.message_bytes",
             log_s("subscription", g->subscription->id));
    if (g->count)
        outbox_settle(d->notify->outbox, d->lane, true);
    keep_soon(d->notify);
    finish(g);
}

static void hand_over(struct sending *g)
{
    struct notify *n = g->delivery->notify;
    const struct subscription *s = g->subscription;
    if (!notice_write(&g->notice)) {
        too_large(g);
        return;
    }
    g->start_us = time_monotonic();
    g->send = (struct port_send){
        .uri = s->uri,
        .headers = g->notice.headers,
        .header_count = g->notice.header_count,
        .body = buf_view(&g->body),
        .mqtt_version = g->notice.mqtt_version,
        .mqtt_qos = g->notice.mqtt_qos,
        .timeout_ms = s->timeout_ms ? s->timeout_ms : n->o.timeout_ms,
        .home = n->host->runner,
        .done = sent,
    };
    n->broker->ports->send(n->broker->ports, &g->send);
}

static void with_links(struct linked *l)
{
    struct sending *g = container_of(l, struct sending, linked);
    if (l->status != OK) /* what they link to is left out, rather than they themselves */
        log_warn("no linked entities for a notification",
                 log_s("subscription", g->subscription->id), log_z("why", l->why.text));
    else if (g->join.kind == JOIN_FLAT) {
        g->notice.linked = l->found;
        g->notice.linked_count = l->found_count;
    }
    hand_over(g);
}

static void conform(struct linked *l, struct entity *e)
{
    notice_conform(&container_of(l, struct sending, linked)->notice, e);
}

static void find_links(struct sending *g)
{
    struct notify *n = g->delivery->notify;
    g->caller = (struct caller){.tenant = g->subscription->tenant};
    g->join = (struct join){.kind = g->subscription->join, .level = g->subscription->join_level};
    g->linked = (struct linked){
        .caller = &g->caller,
        .home = n->host->runner,
        .arena = g->arena,
        .join = &g->join,
        .represent = &g->notice.represent,
        .roots = g->notice.roots,
        .root_count = g->notice.entity_count,
        .entities_max = n->o.linked_max,
        .prepare = conform,
        .done = with_links,
    };
    if (linked_resolve(n->broker, &g->linked))
        with_links(&g->linked);
}

void send_items(struct sending *g, const struct due_item *items, uint32_t count, struct str mark)
{
    struct notify *n = g->delivery->notify;
    const struct subscription *s = g->subscription;
    struct clock *clock = n->broker->ports->clock;
    g->notice = (struct notice){
        .subscription = s,
        .context = g->context.context,
        .items = items,
        .count = count,
        .now_us = clock->now_us(clock),
        .mark = mark,
        .arena = g->arena,
        .body = &g->body,
        .keep = s->join != JOIN_NONE && g->count == 0, /* not the outbox's */
    };
    if (n->broker->snapshots)
        (void)snapshots_owner(n->broker->snapshots, s->tenant, g->arena, &g->notice.tenant, &g->notice.snapshot);
    notice_begin(&g->notice);
    if (g->notice.entity_count == 0)
        send_end(g);
    else if (s->join == JOIN_NONE)
        hand_over(g);
    else
        find_links(g);
}

static void take_due(struct sending *g)
{
    struct delivery *d = g->delivery;
    struct notify *n = d->notify;
    uint32_t room = g->waiting < n->o.entities_max ? g->waiting : n->o.entities_max;
    struct due_item *items = arena_array(g->arena, struct due_item, room);
    g->count = outbox_take(n->outbox, d->lane, items, room);
    if (g->count == 0) {
        finish(g);
        return;
    }
    buf_hex(&g->body, items[g->count - 1].last_seq, 16);
    struct str mark = arena_dup(g->arena, buf_view(&g->body));
    buf_clear(&g->body);
    send_items(g, items, g->count, mark);
}

static void with_context(struct sending *g)
{
    if (g->context.status != OK) { /* tried again: nothing is lost */
        log_warn("no @context for a notification", log_s("subscription", g->subscription->id),
                 log_z("why", g->context.why.text));
        failed(g->delivery, g->subscription);
        finish(g);
    } else if (g->subscription->interval_us) {
        interval_start(g);
    } else {
        take_due(g);
    }
}

static void context_done(struct contexts_call *call)
{
    with_context(container_of(call, struct sending, context));
}

static void begin(struct delivery *d, struct subscription *s, uint32_t waiting)
{
    struct notify *n = d->notify;
    struct sending *g = sending_new(d, s);
    g->waiting = waiting;
    g->context_spec = (struct json){.kind = JSON_STRING, .string = s->context_url};
    g->context = (struct contexts_call){
        .home = n->host->runner,
        .arena = g->arena,
        .spec = &g->context_spec,
        .done = context_done,
    };
    if (contexts_resolve(n->broker->contexts, &g->context))
        with_context(g);
}

/* ---- steps ---- */

static void end_lane(struct delivery *d)
{
    struct notify *n = d->notify;
    agenda_clear(&n->agenda, &d->due);
    turn_leave(&n->receivers, &d->turn);
    keep_forget(n, d->lane);
    lane_free(n->outbox, d->lane);
    free(d);
}

/* When it has something to do next; 0: now, INT64_MAX: not before it is told. */
static int64_t next_us(struct delivery *d, const struct subscription *s, uint32_t waiting)
{
    if (!s->interval_us && !waiting)
        return INT64_MAX;
    int64_t now_us = time_monotonic();
    if (!s->interval_us)
        return d->not_before_us > now_us ? d->not_before_us : 0;
    if (!d->interval_due_us)
        d->interval_due_us = now_us + s->interval_us;
    int64_t due_us =
        d->not_before_us > d->interval_due_us ? d->not_before_us : d->interval_due_us;
    return due_us > now_us ? due_us : 0;
}

static bool is_over(const struct notify *n, const struct subscription *s)
{
    struct clock *clock = n->broker->ports->clock;
    return !s->active || (s->expires_at != TIME_NONE && s->expires_at <= clock->now_us(clock));
}

/* Terms that its projections name may have come since. Takes the reference, and gives one. */
static struct subscription *renewed(struct delivery *d, struct subscription *s)
{
    struct notify *n = d->notify;
    uint32_t terms = terms_count(n->terms);
    struct subscription *old = s;
    struct why why;
    if (s->settled || d->terms == terms)
        return s;
    why_clear(&why);
    d->terms = terms;
    subscription_ref(old);
    if (subscription_resolve(&s, n->terms, &n->o.limits, &why) != OK)
        log_error("a subscription is damaged", log_s("id", s->id), log_z("why", why.text));
    outbox_renew(n->outbox, d->lane, old, s);
    subscription_unref(old);
    return s;
}

void send_step(struct delivery *d)
{
    struct notify *n = d->notify;
    struct subscription *s;
    uint32_t waiting;
    enum lane_life life = outbox_look(n->outbox, d->lane, &s, &waiting);
    if (life == LANE_LEFT)
        end_lane(d);
    if (life != LANE_LIVES)
        return;
    if (atomic_load(&n->stopping)) {
        subscription_unref(s);
        return;
    }
    s = renewed(d, s);
    if (is_over(n, s)) {
        outbox_clear(n->outbox, d->lane);
        d->interval_due_us = 0;
        subscription_unref(s);
        return;
    }
    int64_t due_us = next_us(d, s, waiting);
    if (due_us == 0) {
        agenda_clear(&n->agenda, &d->due);
        if (turn_take(&n->receivers, &d->turn, s->uri))
            begin(d, s, waiting);
        else
            subscription_unref(s);
        return;
    }
    subscription_unref(s);
    if (due_us == INT64_MAX)
        agenda_clear(&n->agenda, &d->due);
    else
        send_plan(n, &d->due, due_us);
}
