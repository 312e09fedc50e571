/* Making, starting and stopping; the rest is in the files that notify_int.h names. */
#include "broker/notify_int.h"

#include <stdlib.h>

static void drain(struct task *task);

/* A task is posted once at a time. */
static void post(struct notify *n)
{
    if (!atomic_exchange(&n->posted, true))
        runner_post(n->host->runner, &n->wake);
}

/* The outbox's, on any thread. */
static void wake(void *arg)
{
    struct notify *n = arg;
    if (atomic_load(&n->started))
        post(n);
}

struct notify *notify_new(const struct notify_options *o, struct terms *terms)
{
    struct notify *n = mem_zalloc(sizeof *n);
    n->o = *o;
    n->terms = terms;
    n->wake.run = drain;
    struct outbox_options box = {o->waiting_max, o->waiting_bytes_max, terms};
    n->outbox = outbox_new(&box, wake, n);
    n->receivers.http_max = o->http_max;
    n->receivers.mqtt_max = o->mqtt_max;
    n->scratch = arena_new(0);
    hear_init(n);
    return n;
}

struct store_listener *notify_listener(struct notify *n)
{
    return &n->listener;
}

void notify_start(struct notify *n, struct broker *b, struct notify_host *h)
{
    n->broker = b;
    n->host = h;
    n->writer = (struct state_writer){.broker = b,
                                      .home = h->runner,
                                      .kind = STORE_SUBSCRIPTION_STATE,
                                      .under_way = &n->under_way};
    atomic_store(&n->live, true);
    outbox_begin(n->outbox);
    atomic_store(&n->started, true);
    post(n); /* what came before, and whatever wake() did not post */
}

static struct delivery *delivery_of(struct notify *n, struct lane *lane)
{
    struct delivery *d = lane_delivery(lane);
    if (!d) {
        d = mem_zalloc(sizeof *d);
        d->notify = n;
        d->lane = lane;
        lane_set_delivery(lane, d);
    }
    return d;
}

/* So many lanes before other events have their turn. */
static void drain(struct task *task)
{
    enum { AT_ONCE = 64 };
    struct notify *n = container_of(task, struct notify, wake);
    atomic_store(&n->posted, false); /* what comes from here on posts it again */
    for (int i = 0; i < AT_ONCE; i++) {
        struct lane *lane = outbox_next(n->outbox);
        if (!lane) {
            n->host->alarm(n->host, agenda_first_us(&n->agenda));
            return;
        }
        struct delivery *d = delivery_of(n, lane);
        if (!d->turn.has)
            send_step(d);
    }
    post(n);
}

void notify_tick(struct notify *n)
{
    int64_t now_us = time_monotonic();
    for (struct agenda_item *i; (i = agenda_next(&n->agenda, now_us));) {
        if (i == &n->keep)
            keep_run(n);
        else
            send_step(container_of(i, struct delivery, due));
    }
    n->host->alarm(n->host, agenda_first_us(&n->agenda));
}

/* ---- the end ---- */

void notify_stop(struct notify *n)
{
    atomic_store(&n->stopping, true);
}

bool notify_is_idle(const struct notify *n)
{
    return atomic_load(&n->under_way) == 0;
}

void notify_end(struct notify *n)
{
    keep_last(n);
}

static void free_delivery(void *arg, struct lane *lane)
{
    struct notify *n = arg;
    struct delivery *d = lane_delivery(lane);
    if (d)
        turn_leave(&n->receivers, &d->turn);
    free(d);
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    for (struct lane *l; (l = outbox_next(n->outbox));)
        if (outbox_life(n->outbox, l) == LANE_LEFT) { /* removed last of all: nobody has taken it */
            free_delivery(n, l);
            lane_free(n->outbox, l);
        }
    outbox_each(n->outbox, free_delivery, n);
    receivers_free(&n->receivers);
    send_free_spares(n);
    agenda_free(&n->agenda);
    watch_free(n->watch);
    outbox_free(n->outbox);
    arena_free(n->scratch);
    free(n);
}

/* ---- figures ---- */

bool notify_counters(void *arg, struct str tenant, struct str id,
                     struct subscription_counters *out)
{
    struct notify *n = arg;
    return outbox_counters(n->outbox, tenant, id, out);
}

void notify_contexts(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg)
{
    struct notify *n = arg;
    outbox_each_context(n->outbox, each, each_arg);
}

void notify_stats(struct notify *n, struct notify_stats *out)
{
    watch_stats(n->watch, &out->watch);
    outbox_stats(n->outbox, &out->outbox);
    out->under_way = atomic_load(&n->under_way);
}
