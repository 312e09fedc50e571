/* See delivery.h. */
#include "main/delivery.h"

#include "net/loop.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLL_US = 2000 };

struct delivery_host {
    struct notify_host host, source_host;
    struct notify *notify;
    struct source_watch *sources;
    struct loop *loop;
    struct loop_timer alarm, source_alarm, poll;
    struct task end;
    bool counted;      /* the last counters are being written */
    atomic_bool ended; /* nothing runs any more */
};

static void alarm_fire(struct loop_timer *t)
{
    notify_tick(container_of(t, struct delivery_host, alarm)->notify);
}

static void alarm_set(struct notify_host *h, int64_t due_us)
{
    struct delivery_host *d = container_of(h, struct delivery_host, host);
    if (due_us == INT64_MAX)
        loop_timer_clear(d->loop, &d->alarm);
    else
        loop_timer_set(d->loop, &d->alarm, due_us);
}

static void source_alarm_fire(struct loop_timer *t)
{
    source_watch_tick(container_of(t, struct delivery_host, source_alarm)->sources);
}

static void source_alarm_set(struct notify_host *h, int64_t due_us)
{
    struct delivery_host *d = container_of(h, struct delivery_host, source_host);
    if (due_us == INT64_MAX)
        loop_timer_clear(d->loop, &d->source_alarm);
    else
        loop_timer_set(d->loop, &d->source_alarm, due_us);
}

static bool is_idle(const struct delivery_host *d)
{
    return notify_is_idle(d->notify) && source_watch_is_idle(d->sources);
}

struct delivery_host *delivery_start(struct notify *n, struct source_watch *w, struct broker *b, struct loop *loop)
{
    struct delivery_host *d = mem_zalloc(sizeof *d);
    d->notify = n;
    d->sources = w;
    d->loop = loop;
    d->alarm.fire = alarm_fire;
    d->source_alarm.fire = source_alarm_fire;
    d->host = (struct notify_host){loop_runner(d->loop), alarm_set};
    d->source_host = (struct notify_host){loop_runner(d->loop), source_alarm_set};
    notify_start(n, b, &d->host);
    source_watch_start(w, b, &d->source_host);
    return d;
}

void delivery_drain(struct delivery_host *d, int64_t until_us)
{
    notify_stop(d->notify);
    source_watch_stop(d->sources);
    while (!is_idle(d) && time_monotonic() < until_us)
        usleep(POLL_US);
}

static void end_poll(struct loop_timer *t)
{
    struct delivery_host *d = container_of(t, struct delivery_host, poll);
    if (is_idle(d) && !d->counted) {
        d->counted = true;
        notify_end(d->notify);
        source_watch_end(d->sources);
    }
    if (d->counted && is_idle(d)) {
        loop_timer_clear(d->loop, &d->alarm);
        loop_timer_clear(d->loop, &d->source_alarm);
        atomic_store(&d->ended, true);
    } else {
        loop_timer_set(d->loop, t, time_monotonic() + POLL_US);
    }
}

static void end_run(struct task *task)
{
    struct delivery_host *d = container_of(task, struct delivery_host, end);
    d->poll.fire = end_poll;
    end_poll(&d->poll);
}

bool delivery_end(struct delivery_host *d, int64_t due_us)
{
    d->end.run = end_run;
    runner_post(loop_runner(d->loop), &d->end);
    while (!atomic_load(&d->ended) && time_monotonic() < due_us)
        usleep(POLL_US);
    return atomic_load(&d->ended);
}

void delivery_free(struct delivery_host *d)
{
    free(d);
}
