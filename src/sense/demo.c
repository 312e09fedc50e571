/* Why: reading /proc and composing two thousand observations takes time that loops which serve
 * requests do not have, so the demo has a loop of its own. */
#include "sense/demo.h"

#include "sense/player.h"
#include "sense/sink_broker.h"

#include <pthread.h>
#include <stdlib.h>

#define WRITE_TIMEOUT_MS 30000

struct demo {
    struct loop_hooks hooks;
    struct loop *loop;
    struct sink *sink;
    struct machine *machine;
    struct player *player;
    struct task stop;
    pthread_t thread;
};

void demo_options_preset(struct demo_options *o)
{
    *o = (struct demo_options){
        .tenant = STR(""),
        .machine = true,
        .devices = CITY_DEVICES,
        .seed = 1,
        .speed = 1,
        .start_us = TIME_NONE,
    };
}

static void *demo_main(void *arg)
{
    struct demo *d = arg;
    pthread_setname_np(pthread_self(), "demo");
    loop_run(d->loop);
    return NULL;
}

static void demo_free(struct demo *d)
{
    if (d->player)
        player_free(d->player);
    sink_free(d->sink);
    machine_free(d->machine);
    if (d->loop)
        loop_free(d->loop);
    free(d);
}

static void demo_idle(void *arg)
{
    loop_stop(((struct demo *)arg)->loop);
}

static void demo_stop_run(struct task *task)
{
    struct demo *d = container_of(task, struct demo, stop);
    player_stop(d->player, demo_idle, d);
}

static void demo_open(struct demo *d, const struct demo_options *o)
{
    if (o->machine)
        d->machine = machine_new("", o->disk ? o->disk : "/");
    d->sink = sink_broker_new(&(struct sink_broker_options){
        .broker = o->broker,
        .runner = loop_runner(d->loop),
        .tenant = o->tenant,
        .update = true,
        .limits = o->limits,
        .timeout_ms = WRITE_TIMEOUT_MS,
    });
    d->player = player_start(&(struct player_options){
        .loop = d->loop,
        .sink = d->sink,
        .clock = o->broker->ports->clock,
        .machine = d->machine,
        .city = {.seed = o->seed, .devices = o->devices},
        .speed = o->speed,
        .start_us = o->start_us,
    });
}

enum status demo_start(struct demo **out, const struct demo_options *o, struct why *why)
{
    if (o->devices > CITY_DEVICES_MAX)
        return why_set(why, E_BAD_DATA, NULL, "a model city has at most %d devices",
                       CITY_DEVICES_MAX);
    if (!(o->speed > 0 && o->speed <= 1e6))
        return why_set(why, E_BAD_DATA, NULL,
                       "the speed of time is a number above 0, 1000000 at most");
    struct demo *d = mem_zalloc(sizeof *d);
    d->hooks = o->hooks;
    d->stop.run = demo_stop_run;
    enum status st = loop_new(&d->loop, &d->hooks);
    if (st != OK)
        (void)why_set(why, st, NULL, "no event loop");
    if (st == OK) {
        demo_open(d, o);
        if (pthread_create(&d->thread, NULL, demo_main, d) != 0)
            st = why_set(why, E_IO, NULL, "no thread for the demo");
    }
    if (st != OK)
        demo_free(d);
    else
        *out = d;
    return st;
}

bool demo_stop(struct demo *d, int64_t patience_us)
{
    runner_post(loop_runner(d->loop), &d->stop);
    if (!loop_thread_join(d->thread, time_monotonic() + patience_us))
        return false;
    demo_free(d);
    return true;
}
