/* timeInterval: all entities that a subscription is about, when its time has come (clause
 * 5.8.6). No entity, no notification. More than fit one message go on in the next. */
#include "base/log.h"
#include "base/time.h"
#include "broker/notify_int.h"

#include <inttypes.h>

/* An EntitySelector as a filter; parts are borrowed from the subscription. */
static struct filter *filter_of(struct arena *a, const struct entity_selector *e)
{
    struct filter *f = e->type ? filter_of_type(a, e->type) : NULL;
    if (e->id_count)
        return filter_and(a, f, filter_of_ids(a, e->ids, e->id_count));
    return e->id_pattern ? filter_and(a, f, filter_of_pattern(a, e->id_pattern)) : f;
}

static struct filter *filter_all(struct arena *a, const struct subscription *s)
{
    struct filter *any = arena_zalloc(a, sizeof *any);
    *any = (struct filter){.kind = FILTER_OR,
                           .count = s->selector_count,
                           .parts = arena_array(a, struct filter *, s->selector_count)};
    for (uint32_t i = 0; i < s->selector_count; i++) {
        any->parts[i] = filter_of(a, &s->selectors[i]);
        if (!any->parts[i]) /* every entity */
            return s->condition;
    }
    if (s->selector_count == 0)
        return s->condition;
    return filter_and(a, s->selector_count == 1 ? any->parts[0] : any, s->condition);
}

/* The next time, without those that were missed. */
static void plan(struct delivery *d, const struct subscription *s)
{
    int64_t now_us = time_monotonic();
    d->interval_after = 0;
    d->interval_due_us += s->interval_us;
    if (d->interval_due_us <= now_us)
        d->interval_due_us = now_us + s->interval_us;
}

static void queried(struct store_call *call)
{
    struct sending *g = container_of(call, struct sending, query.call);
    struct delivery *d = g->delivery;
    struct clock *clock = d->notify->broker->ports->clock;
    int64_t now_us = clock->now_us(clock);
    const struct store_query *q = &g->query;
    struct str mark = arena_printf(g->arena, "t%" PRId64 "-%" PRIu64, now_us, d->interval_after);
    if (call->status == OK && q->more)
        d->interval_after = doc_created_seq(q->docs[q->doc_count - 1]);
    else
        plan(d, g->subscription);
    if (call->status != OK || q->doc_count == 0) {
        if (call->status != OK)
            log_warn("no query for a notification", log_s("subscription", g->subscription->id),
                     log_z("why", call->why.text));
        send_end(g);
        return;
    }
    uint32_t n = 0;
    struct due_item *items = arena_zarray(g->arena, struct due_item, q->doc_count);
    for (uint32_t i = 0; i < q->doc_count; i++)
        if (doc_expires_at(q->docs[i]) == TIME_NONE || doc_expires_at(q->docs[i]) > now_us)
            items[n++] = (struct due_item){.at_us = now_us, .after = q->docs[i]};
    send_items(g, items, n, mark);
}

void interval_start(struct sending *g)
{
    struct notify *n = g->delivery->notify;
    g->caller = (struct caller){.tenant = g->subscription->tenant};
    g->query = (struct store_query){
        .call = {.home = n->host->runner, .done = queried},
        .caller = &g->caller,
        .filter = filter_all(g->arena, g->subscription),
        .after_seq = g->delivery->interval_after,
        .limit = n->o.interval_max,
        .arena = g->arena,
    };
    if (store_query(n->broker->store, &g->query))
        queried(&g->query.call);
}
