/* See workers.h. What a thread is to do is posted to its loop. */
#include "main/workers.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLL_US = 5000, JOIN_US = 1000000 };

struct worker {
    struct workers *workers;
    struct loop *loop;
    struct http_server *server;
    pthread_t thread;
    bool running;
    struct task drain, end;
    struct loop_timer poll; /* is it idle, is nothing held */
    atomic_bool idle;
    size_t held; /* requests that were not answered in time; once the thread has ended */
};

struct workers {
    size_t count;
    struct worker *all;
    struct http_server **servers;
    int64_t end_until_us; /* monotonic */
};

struct workers *workers_new(size_t count)
{
    struct workers *w = mem_zalloc(sizeof *w);
    w->count = count;
    w->all = mem_zalloc(count * sizeof *w->all);
    w->servers = mem_zalloc(count * sizeof(struct http_server *));
    return w;
}

enum status workers_listen(struct workers *ws, const struct http_server_options *options, const struct loop_hooks *hooks,
                           struct why *why)
{
    struct http_server_options o = *options;
    for (size_t i = 0; i < ws->count; i++) {
        struct worker *w = &ws->all[i];
        w->workers = ws;
        enum status st = loop_new(&w->loop, hooks);
        if (st != OK)
            return why_set(why, st, NULL, "no event loop");
        st = http_server_start(&w->server, w->loop, &o, why);
        if (st != OK)
            return st;
        ws->servers[i] = w->server;
        o.address = workers_address(ws);
        o.address_shared = true;
    }
    return OK;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    pthread_setname_np(pthread_self(), "http");
    loop_run(w->loop);
    return NULL;
}

enum status workers_start(struct workers *ws, struct why *why)
{
    for (size_t i = 0; i < ws->count; i++) {
        struct worker *w = &ws->all[i];
        if (pthread_create(&w->thread, NULL, run, w) != 0)
            return why_set(why, E_IO, NULL, "no thread for event loop %zu", i);
        w->running = true;
    }
    return OK;
}

struct http_server **workers_servers(struct workers *ws)
{
    return ws->servers;
}

struct str workers_address(const struct workers *ws)
{
    return http_server_address(ws->servers[0]);
}

/* ---- the end ---- */

static void drain_poll(struct loop_timer *t)
{
    struct worker *w = container_of(t, struct worker, poll);
    bool idle = http_server_idle(w->server);
    atomic_store(&w->idle, idle);
    if (!idle)
        loop_timer_set(w->loop, t, time_monotonic() + POLL_US);
}

static void drain_run(struct task *task)
{
    struct worker *w = container_of(task, struct worker, drain);
    http_server_drain(w->server);
    w->poll.fire = drain_poll;
    drain_poll(&w->poll);
}

static bool all_idle(const struct workers *ws)
{
    for (size_t i = 0; i < ws->count; i++)
        if (!atomic_load(&ws->all[i].idle))
            return false;
    return true;
}

void workers_drain(struct workers *ws, int64_t until_us)
{
    for (size_t i = 0; i < ws->count; i++) {
        ws->all[i].drain.run = drain_run;
        runner_post(loop_runner(ws->all[i].loop), &ws->all[i].drain);
    }
    while (!all_idle(ws) && time_monotonic() < until_us)
        usleep(POLL_US);
}

static void end_poll(struct loop_timer *t)
{
    struct worker *w = container_of(t, struct worker, poll);
    int64_t now = time_monotonic();
    w->held = http_server_held(w->server);
    if (w->held && now < w->workers->end_until_us)
        loop_timer_set(w->loop, t, now + POLL_US);
    else
        loop_stop(w->loop);
}

static void end_run(struct task *task)
{
    struct worker *w = container_of(task, struct worker, end);
    w->poll.fire = end_poll;
    loop_timer_set(w->loop, &w->poll, 0);
}

bool workers_end(struct workers *ws, int64_t until_us)
{
    size_t held = 0, busy = 0;
    ws->end_until_us = until_us;
    for (size_t i = 0; i < ws->count; i++) {
        struct worker *w = &ws->all[i];
        w->end.run = end_run;
        if (w->running)
            runner_post(loop_runner(w->loop), &w->end);
    }
    for (size_t i = 0; i < ws->count; i++) {
        struct worker *w = &ws->all[i];
        if (w->running && !loop_thread_join(w->thread, until_us + JOIN_US))
            busy++;
        else
            held += w->held;
    }
    if (held || busy)
        log_error("ending without answers", log_i("requests", (int64_t)held), log_i("busy_loops", (int64_t)busy));
    return !held && !busy;
}

void workers_stop(struct workers *ws)
{
    for (size_t i = 0; i < ws->count; i++)
        http_server_stop(ws->all[i].server);
}

void workers_free(struct workers *ws)
{
    for (size_t i = 0; i < ws->count; i++)
        loop_free(ws->all[i].loop);
    free(ws->all);
    free(ws->servers);
    free(ws);
}
