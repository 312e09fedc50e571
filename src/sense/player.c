/* Why: apart from demo's thread and broker, so that tests can play a day in a second. Start at
 * player_tick(). */
#include "sense/player.h"

#include "base/log.h"

#include <stdlib.h>

#define TICK_US INT64_C(1000000)
/* Observations carry round times: nobody measures to the microsecond. */
#define WHOLE_SECOND_US INT64_C(1000000)
#define WHOLE_MS_US INT64_C(1000)
#define BATCH_ENTITIES 500
#define BATCH_BYTES (4u << 20)
#define UNDER_WAY_MAX 8 /* batches */
#define COMPLAIN_EVERY_US INT64_C(60000000)

struct player_batch {
    struct player *player;
    struct sink_batch sent;
    struct arena *arena;
    struct buf text;
    uint32_t count;
    size_t ends[BATCH_ENTITIES]; /* in text */
    struct sink_entity entities[BATCH_ENTITIES];
    struct sink_entity *list[BATCH_ENTITIES];
    uint32_t device[BATCH_ENTITIES]; /* UINT32_MAX: the machine */
};

struct player {
    struct player_options options;
    struct task begin;
    struct loop_timer timer;
    int64_t wall_start_us, simulated_start_us, played_us;
    struct city_device *devices;
    bool *known; /* per device: its whole has been stored */
    bool machine_known;
    uint32_t under_way; /* batches */
    struct player_batch *filling;
    struct player_stats stats;
    int64_t complained_us;
    bool stopping;
    void (*idle)(void *arg);
    void *idle_arg;
};

static void player_batch_free(struct player_batch *b)
{
    buf_free(&b->text);
    arena_free(b->arena); /* b itself lives there */
}

static struct player_batch *player_batch_new(struct player *p)
{
    struct arena *a = arena_new(0);
    struct player_batch *b = arena_zarray(a, struct player_batch, 1);
    b->arena = a;
    b->player = p;
    buf_init(&b->text, BATCH_BYTES);
    return b;
}

static void player_complain(struct player *p, struct str reason)
{
    int64_t now = time_monotonic();
    if (p->complained_us && now - p->complained_us < COMPLAIN_EVERY_US)
        return;
    p->complained_us = now;
    log_warn("observations not stored", log_s("reason", reason),
             log_i("refused", (int64_t)p->stats.refused),
             log_i("skipped", (int64_t)p->stats.skipped));
}

static void player_answered(struct sink_batch *sent)
{
    struct player_batch *b = container_of(sent, struct player_batch, sent);
    struct player *p = b->player;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct sink_entity *e = &b->entities[i];
        if (sent->status == OK && e->status == OK) {
            p->stats.sent++;
            if (b->device[i] == UINT32_MAX)
                p->machine_known = true;
            else
                p->known[b->device[i]] = true;
            continue;
        }
        p->stats.refused++;
        player_complain(p, sent->status != OK ? str_of(sent->why.text) : e->reason);
    }
    player_batch_free(b);
    p->under_way--;
    if (p->stopping && p->under_way == 0 && p->idle)
        p->idle(p->idle_arg);
}

static void player_send(struct player *p)
{
    struct player_batch *b = p->filling;
    p->filling = NULL;
    if (!b)
        return;
    size_t from = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        b->entities[i].json = (struct str){b->text.p + from, b->ends[i] - from};
        b->list[i] = &b->entities[i];
        from = b->ends[i];
    }
    b->sent = (struct sink_batch){
        .entities = b->list, .count = b->count, .arena = b->arena, .done = player_answered};
    p->under_way++;
    sink_send(p->options.sink, &b->sent);
}

/* Where the next entity is written to; NULL when too much is under way already. */
static struct player_batch *player_room(struct player *p)
{
    if (p->filling && p->filling->count == BATCH_ENTITIES)
        player_send(p);
    if (!p->filling && p->under_way >= UNDER_WAY_MAX) {
        p->stats.skipped++;
        player_complain(p, STR("the store is slower than the play"));
        return NULL;
    }
    if (!p->filling)
        p->filling = player_batch_new(p);
    return p->filling;
}

static void player_added(struct player_batch *b, struct str id, uint32_t device)
{
    b->device[b->count] = device;
    b->entities[b->count].id = arena_dup(b->arena, id);
    b->ends[b->count++] = b->text.n;
}

static void player_machine(struct player *p, int64_t now_us)
{
    struct player_batch *b = p->options.machine ? player_room(p) : NULL;
    if (!b)
        return;
    machine_observe(p->options.machine, now_us, !p->machine_known, &b->text);
    player_added(b, machine_id(p->options.machine), UINT32_MAX);
}

static void player_device(struct player *p, uint32_t i, const struct climate *climate)
{
    struct player_batch *b = player_room(p);
    char id[CITY_ID_MAX];
    if (!b)
        return;
    city_observe(&p->options.city, &p->devices[i], climate, !p->known[i], &b->text);
    size_t n = city_id(&p->devices[i], id);
    player_added(b, (struct str){id, n}, i);
}

static void player_city(struct player *p, int64_t simulated_us)
{
    struct climate climate;
    if (p->options.city.devices == 0)
        return;
    climate_at(p->options.city.seed, simulated_us, &climate);
    for (uint32_t i = 0; i < p->options.city.devices; i++)
        if (!p->known[i] || city_is_due(&p->devices[i], p->played_us, simulated_us))
            player_device(p, i, &climate);
    p->played_us = simulated_us;
}

static void player_tick(struct loop_timer *timer)
{
    struct player *p = container_of(timer, struct player, timer);
    int64_t now = p->options.clock->now_us(p->options.clock);
    double passed = (double)(now - p->wall_start_us) * p->options.speed;
    int64_t simulated = p->simulated_start_us + (int64_t)passed;
    p->stats.simulated_us = simulated - simulated % WHOLE_SECOND_US;
    player_machine(p, now - now % WHOLE_MS_US);
    player_city(p, p->stats.simulated_us);
    player_send(p);
    /* A machine that slept does not make up for it. */
    int64_t next = timer->due_us + TICK_US, awake = time_monotonic();
    loop_timer_set(p->options.loop, timer, next > awake ? next : awake + TICK_US);
}

static void player_begin(struct task *task)
{
    struct player *p = container_of(task, struct player, begin);
    p->wall_start_us = p->options.clock->now_us(p->options.clock);
    p->simulated_start_us =
        p->options.start_us == TIME_NONE ? p->wall_start_us : p->options.start_us;
    p->played_us = p->simulated_start_us;
    if (p->stopping)
        return;
    p->timer.due_us = time_monotonic();
    p->timer.fire = player_tick;
    player_tick(&p->timer);
}

struct player *player_start(const struct player_options *o)
{
    struct player *p = mem_zalloc(sizeof *p);
    p->options = *o;
    p->devices = mem_alloc(sizeof *p->devices * (o->city.devices + 1));
    p->known = mem_zalloc(o->city.devices + 1);
    for (uint32_t i = 0; i < o->city.devices; i++)
        city_device(&o->city, i, &p->devices[i]);
    p->begin.run = player_begin;
    runner_post(loop_runner(o->loop), &p->begin);
    return p;
}

static void player_idle(struct task *task)
{
    struct player *p = container_of(task, struct player, begin);
    p->idle(p->idle_arg);
}

void player_stop(struct player *p, void (*idle)(void *arg), void *arg)
{
    p->stopping = true;
    p->idle = idle;
    p->idle_arg = arg;
    loop_timer_clear(p->options.loop, &p->timer);
    if (p->under_way > 0)
        return;
    p->begin.run = player_idle;
    runner_post(loop_runner(p->options.loop), &p->begin);
}

void player_free(struct player *p)
{
    free(p->devices);
    free(p->known);
    free(p);
}

void player_stats(const struct player *p, struct player_stats *out)
{
    *out = p->stats;
}
