/* Live input at a chosen speed: what is sent when, and what happens when nobody takes it. */
#include "check.h"

#include "sense/player.h"

#include <stdlib.h>

#define SECOND INT64_C(1000000)

/* A sink that holds batches, a clock that is told, and a loop that ends after some ticks. */
struct stage {
    struct sink sink;
    struct clock clock;
    struct loop *loop;
    struct player *player;
    struct task answer;
    int64_t now_us, step_us;
    uint32_t looked, ticks; /* ticks to play */
    struct sink_batch *held[64];
    uint32_t held_count;
    bool deaf;       /* answers only at the end */
    uint32_t refuse; /* entities */
    uint32_t entities, wholes, machines, largest;
    bool idle;
};

static void answer(struct task *task)
{
    struct stage *s = container_of(task, struct stage, answer);
    while (s->held_count > 0) {
        struct sink_batch *b = s->held[--s->held_count];
        b->status = OK;
        for (uint32_t i = 0; i < b->count; i++) {
            b->entities[i]->status = s->refuse ? E_BAD_DATA : OK;
            b->entities[i]->reason = STR("no");
            s->refuse -= s->refuse > 0;
        }
        b->done(b);
    }
}

static void send_batch(struct sink *sink, struct sink_batch *b)
{
    struct stage *s = container_of(sink, struct stage, sink);
    assert_true(s->held_count < 64);
    for (uint32_t i = 0; i < b->count; i++) {
        struct str json = b->entities[i]->json;
        s->entities++;
        s->wholes += str_find(json, STR("\"simulated\":")) != STR_NPOS;
        s->machines += str_starts(b->entities[i]->id, STR("urn:ngsi-ld:Device:"));
        assert_true(json.p[0] == '{' && json.p[json.n - 1] == '}');
        assert_true(str_find(json, b->entities[i]->id) == 7);
    }
    s->largest = b->count > s->largest ? b->count : s->largest;
    s->held[s->held_count++] = b;
    if (s->held_count == 1 && !s->deaf)
        runner_post(loop_runner(s->loop), &s->answer);
}

static void idle(void *arg)
{
    struct stage *s = arg;
    s->idle = true;
    loop_stop(s->loop);
}

/* The player looks at the clock once to begin and once a tick; time moves on each time. */
static int64_t look(struct clock *clock)
{
    struct stage *s = container_of(clock, struct stage, clock);
    int64_t now = s->now_us;
    if (s->looked++ > 0)
        s->now_us += s->step_us;
    if (s->looked == s->ticks + 2) {
        player_stop(s->player, idle, s);
        if (s->deaf)
            runner_post(loop_runner(s->loop), &s->answer);
    }
    return now;
}

static struct player_stats play(struct stage *s, uint32_t devices, double speed, uint32_t ticks,
                                struct machine *machine)
{
    struct player_stats stats;
    assert_int_equal(loop_new(&s->loop, NULL), OK);
    s->sink.send = send_batch;
    s->clock.now_us = look;
    s->answer.run = answer;
    s->now_us = INT64_C(1700000000) * SECOND;
    s->step_us = SECOND;
    s->ticks = ticks;
    s->player = player_start(&(struct player_options){
        .loop = s->loop,
        .sink = &s->sink,
        .clock = &s->clock,
        .machine = machine,
        .city = {.seed = 1, .devices = devices},
        .speed = speed,
        .start_us = TIME_NONE,
    });
    loop_run(s->loop);
    assert_true(s->idle);
    player_stats(s->player, &stats);
    player_free(s->player);
    loop_free(s->loop);
    return stats;
}

static void begins_with_everything(void **state)
{
    (void)state;
    struct stage s = {0};
    struct player_stats stats = play(&s, 2000, 1, 0, NULL);
    assert_int_equal(s.entities, 2000);
    assert_int_equal(s.wholes, 2000);
    assert_true(s.largest <= 500);
    assert_int_equal(stats.sent, 2000);
}

/* Two more seconds: at speed 1 few are due, at speed 1800 all are. */
static void plays_at_a_speed(void **state)
{
    (void)state;
    struct stage slow = {0}, fast = {0};
    struct player_stats stats = play(&slow, 2000, 1, 2, NULL);
    assert_true(slow.entities > 2000 && slow.entities < 2100);
    assert_int_equal(slow.wholes, 2000);
    assert_int_equal(stats.simulated_us, (INT64_C(1700000000) + 2) * SECOND);
    stats = play(&fast, 2000, 1800, 2, NULL);
    assert_int_equal(fast.entities, 6000);
    assert_int_equal(stats.simulated_us, (INT64_C(1700000000) + 3600) * SECOND);
}

static void observes_the_machine_each_second(void **state)
{
    (void)state;
    struct stage s = {0};
    struct machine *m = machine_new("", "/");
    play(&s, 0, 1, 2, m);
    assert_int_equal(s.machines, 3);
    assert_int_equal(s.wholes, 1);
    machine_free(m);
}

/* What was not stored as a whole is sent as a whole again. */
static void repeats_what_was_refused(void **state)
{
    (void)state;
    struct stage s = {.refuse = 5};
    struct player_stats stats = play(&s, 100, 1e-6, 1, NULL);
    assert_int_equal(s.entities, 105);
    assert_int_equal(s.wholes, 105);
    assert_int_equal(stats.refused, 5);
    assert_int_equal(stats.sent, 100);
}

/* A sink that does not answer: bounded, counted, and still an orderly end. */
static void skips_when_nobody_takes_it(void **state)
{
    (void)state;
    struct stage s = {.deaf = true};
    struct player_stats stats = play(&s, 10000, 1800, 1, NULL);
    assert_int_equal(s.entities, 8 * 500);
    assert_int_equal(stats.skipped, 6000 + 10000);
    assert_int_equal(stats.sent, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_everything),
        cmocka_unit_test(plays_at_a_speed),
        cmocka_unit_test(observes_the_machine_each_second),
        cmocka_unit_test(repeats_what_was_refused),
        cmocka_unit_test(skips_when_nobody_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
