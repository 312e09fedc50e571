/* See delivery.h. */
#include "main/delivery.h"

#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLL_US = 2000 };

struct delivery_thread {
    struct notify_host host, source_host;
    struct notify *notify;
    struct source_watch *sources;
    struct loop *loop;
    struct loop_timer alarm, source_alarm, poll;
    struct task end;
    pthread_t thread;
    bool ended; /* the last counters are being written */
};

static void alarm_fire(struct loop_timer *t)
{
    notify_tick(container_of(t, struct delivery_thread, alarm)->notify);
}

static void alarm_set(struct notify_host *h, int64_t due_us)
{
    struct delivery_thread *d = container_of(h, struct delivery_thread, host);
    if (due_us == INT64_MAX)
        loop_timer_clear(d->loop, &d->alarm);
    else
        loop_timer_set(d->loop, &d->alarm, due_us);
}

static void source_alarm_fire(struct loop_timer *t)
{
    source_watch_tick(container_of(t, struct delivery_thread, source_alarm)->sources);
}

static void source_alarm_set(struct notify_host *h, int64_t due_us)
{
    struct delivery_thread *d = container_of(h, struct delivery_thread, source_host);
    if (due_us == INT64_MAX)
        loop_timer_clear(d->loop, &d->source_alarm);
    else
        loop_timer_set(d->loop, &d->source_alarm, due_us);
}

static bool is_idle(const struct delivery_thread *d)
{
    return notify_is_idle(d->notify) && source_watch_is_idle(d->sources);
}

static void *thread_main(void *arg)
{
    struct delivery_thread *d = arg;
    loop_run(d->loop);
    return NULL;
}

enum status delivery_start(struct delivery_thread **out, struct notify *n, struct source_watch *w, struct broker *b,
                           const struct loop_hooks *hooks, struct why *why)
{
    struct delivery_thread *d = mem_zalloc(sizeof *d);
    d->notify = n;
    d->sources = w;
    d->alarm.fire = alarm_fire;
    d->source_alarm.fire = source_alarm_fire;
    enum status st = loop_new(&d->loop, hooks);
    if (st != OK) {
        free(d);
        return why_set(why, st, NULL, "no event loop for notifications");
    }
    d->host = (struct notify_host){loop_runner(d->loop), alarm_set};
    d->source_host = (struct notify_host){loop_runner(d->loop), source_alarm_set};
    if (pthread_create(&d->thread, NULL, thread_main, d) != 0) {
        loop_free(d->loop);
        free(d);
        return why_set(why, E_IO, NULL, "no thread for notifications");
    }
    notify_start(n, b, &d->host);
    source_watch_start(w, b, &d->source_host);
    *out = d;
    return OK;
}

void delivery_drain(struct delivery_thread *d, int64_t until_us)
{
    notify_stop(d->notify);
    source_watch_stop(d->sources);
    while (!is_idle(d) && time_monotonic() < until_us)
        usleep(POLL_US);
}

static void end_poll(struct loop_timer *t)
{
    struct delivery_thread *d = container_of(t, struct delivery_thread, poll);
    if (is_idle(d) && !d->ended) {
        d->ended = true;
        notify_end(d->notify);
        source_watch_end(d->sources);
    }
    if (d->ended && is_idle(d))
        loop_stop(d->loop);
    else
        loop_timer_set(d->loop, t, time_monotonic() + POLL_US);
}

static void end_run(struct task *task)
{
    struct delivery_thread *d = container_of(task, struct delivery_thread, end);
    d->poll.fire = end_poll;
    end_poll(&d->poll);
}

bool delivery_join(struct delivery_thread *d, int64_t due_us)
{
    d->end.run = end_run;
    runner_post(loop_runner(d->loop), &d->end);
    return loop_thread_join(d->thread, due_us);
}

void delivery_free(struct delivery_thread *d)
{
    if (!d)
        return;
    loop_free(d->loop);
    free(d);
}
