/* The loop: order of timers and tasks, wake-ups across threads, removal while handing out. */
#include "base/arena.h"
#include "base/time.h"
#include "net/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *the_loop;

/* ---- timers ---- */

enum { TIMERS = 2000 };
struct numbered_timer {
    struct loop_timer timer;
    int64_t wanted_us;
};
static int64_t fired_last_us;
static int fired_count, fired_wanted;

static void timer_fired(struct loop_timer *t)
{
    struct numbered_timer *n = container_of(t, struct numbered_timer, timer);
    assert_int_equal(t->heap_index, 0);
    assert_true(time_monotonic() >= n->wanted_us);
    assert_true(n->wanted_us >= fired_last_us);
    fired_last_us = n->wanted_us;
    if (++fired_count == fired_wanted)
        loop_stop(the_loop);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void timers_fire_in_order(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&the_loop, NULL), OK);
    struct numbered_timer *t = mem_zalloc(TIMERS * sizeof *t);
    int64_t start = time_monotonic();
    uint32_t seed = 7;
    for (int i = 0; i < TIMERS; i++) {
        t[i].timer.fire = timer_fired;
        t[i].wanted_us = start + next_random(&seed) % 50000;
        loop_timer_set(the_loop, &t[i].timer, t[i].wanted_us);
    }
    fired_wanted = TIMERS;
    for (int i = 0; i < TIMERS; i += 3) { /* moved, some cleared */
        t[i].wanted_us = start + next_random(&seed) % 80000;
        loop_timer_set(the_loop, &t[i].timer, t[i].wanted_us);
        if (i % 2) {
            loop_timer_clear(the_loop, &t[i].timer);
            loop_timer_clear(the_loop, &t[i].timer);
            fired_wanted--;
        }
    }
    fired_last_us = 0;
    fired_count = 0;
    loop_run(the_loop);
    assert_int_equal(fired_count, fired_wanted);
    free(t);
    loop_free(the_loop);
}

static int again_count;
static int pipe_ready_count;

static void again_fired(struct loop_timer *t)
{
    again_count++;
    loop_timer_set(the_loop, t, 0);
}

static void pipe_ready(struct loop_fd *f, uint32_t events)
{
    assert_true(events & EPOLLIN);
    char c;
    assert_int_equal(read(f->fd, &c, 1), 1);
    if (++pipe_ready_count == 3)
        loop_stop(the_loop);
}

/* A timer that is always due must not keep descriptors from being served. */
static void timer_for_now_does_not_starve_descriptors(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&the_loop, NULL), OK);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    struct loop_timer t = {.fire = again_fired};
    struct loop_fd f = {.fd = ends[0], .ready = pipe_ready};
    assert_int_equal(loop_fd_add(the_loop, &f, EPOLLIN), OK);
    loop_timer_set(the_loop, &t, 0);
    again_count = pipe_ready_count = 0;
    loop_run(the_loop);
    assert_int_equal(pipe_ready_count, 3);
    assert_true(again_count >= 2);
    loop_fd_remove(the_loop, &f);
    close(ends[0]);
    close(ends[1]);
    loop_free(the_loop);
}

/* ---- descriptors ---- */

static struct loop_fd pair[2];
static int pair_count;

static void pair_ready(struct loop_fd *f, uint32_t events)
{
    (void)events;
    pair_count++;
    loop_fd_remove(the_loop, f == &pair[0] ? &pair[1] : &pair[0]);
    loop_fd_remove(the_loop, f);
    loop_stop(the_loop);
}

/* Both are ready in the same round; the first one removes the second. */
static void removed_descriptor_is_not_handed_out(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&the_loop, NULL), OK);
    int ends[2][2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(ends[i]), 0);
        assert_int_equal(write(ends[i][1], "x", 1), 1);
        pair[i] = (struct loop_fd){.fd = ends[i][0], .ready = pair_ready};
        assert_int_equal(loop_fd_add(the_loop, &pair[i], EPOLLIN), OK);
    }
    pair_count = 0;
    loop_run(the_loop);
    assert_int_equal(pair_count, 1);
    for (int i = 0; i < 2; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    loop_free(the_loop);
}

/* ---- posts ---- */

enum { POSTERS = 4, POSTS = 100000, CHAIN = 50 };
struct numbered_task {
    struct task task;
    int poster, number;
};
static int next_number[POSTERS];
static int total_run;

static void task_ran(struct task *t)
{
    struct numbered_task *n = container_of(t, struct numbered_task, task);
    assert_int_equal(n->number, next_number[n->poster]);
    next_number[n->poster]++;
    free(n);
    if (++total_run == POSTERS * POSTS)
        loop_stop(the_loop);
}

static struct numbered_task *task_make(int poster, int number)
{
    struct numbered_task *n = mem_zalloc(sizeof *n);
    *n = (struct numbered_task){.task.run = task_ran, .poster = poster, .number = number};
    return n;
}

static void *post_all(void *arg)
{
    int poster = *(int *)arg;
    struct runner *r = loop_runner(the_loop);
    for (int i = 0; i < POSTS;) {
        if (poster % 2) {
            runner_post(r, &task_make(poster, i++)->task);
            continue;
        }
        struct task *first = NULL, **last = &first;
        for (int k = 0; k < CHAIN; k++, last = &(*last)->next)
            *last = &task_make(poster, i++)->task;
        r->post_chain(r, first);
    }
    return NULL;
}

static void posts_keep_each_posters_order(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&the_loop, NULL), OK);
    pthread_t threads[POSTERS];
    int numbers[POSTERS];
    total_run = 0;
    for (int i = 0; i < POSTERS; i++) {
        next_number[i] = 0;
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, &numbers[i]), 0);
    }
    loop_run(the_loop);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(next_number[i], POSTS);
    }
    loop_free(the_loop);
}

static struct task ping;
static int ping_left;
static struct loop *pong_loop;
static struct task pong;

static void ping_ran(struct task *t)
{
    (void)t;
    if (--ping_left == 0) {
        loop_stop(the_loop);
        loop_stop(pong_loop);
        return;
    }
    runner_post(loop_runner(pong_loop), &pong);
}

static void pong_ran(struct task *t)
{
    (void)t;
    runner_post(loop_runner(the_loop), &ping);
}

static void *run_pong(void *arg)
{
    (void)arg;
    loop_run(pong_loop);
    return NULL;
}

/* Each loop sleeps between two posts: a lost wake-up would hang here. */
static void no_wake_up_is_lost(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&the_loop, NULL), OK);
    assert_int_equal(loop_new(&pong_loop, NULL), OK);
    ping.run = ping_ran;
    pong.run = pong_ran;
    ping_left = 20000;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, run_pong, NULL), 0);
    runner_post(loop_runner(the_loop), &ping);
    loop_run(the_loop);
    pthread_join(t, NULL);
    assert_int_equal(ping_left, 0);
    loop_free(the_loop);
    loop_free(pong_loop);
}

/* ---- hooks ---- */

static char hook_log[64];
static void hook_note(char c)
{
    size_t n = strlen(hook_log);
    assert_true(n + 1 < sizeof hook_log);
    hook_log[n] = c;
}
static void hook_start(void *arg)
{
    assert_ptr_equal(arg, hook_log);
    hook_note('(');
}
static void hook_stop(void *arg)
{
    (void)arg;
    hook_note(')');
}
static void hook_before(void *arg)
{
    (void)arg;
    hook_note('b');
}
static void hook_after(void *arg)
{
    (void)arg;
    hook_note('a');
}
static void stop_ran(struct task *t)
{
    (void)t;
    hook_note('t');
    loop_stop(the_loop);
}

static void hooks_surround_the_wait(void **state)
{
    (void)state;
    const struct loop_hooks h = {hook_log, hook_start, hook_stop, hook_before, hook_after};
    assert_int_equal(loop_new(&the_loop, &h), OK);
    struct task t = {.run = stop_ran};
    runner_post(loop_runner(the_loop), &t);
    loop_run(the_loop);
    assert_string_equal(hook_log, "(bat)");
    loop_free(the_loop);
}

static void hook_between(void *arg)
{
    (void)arg;
    hook_note('n');
}

/* Who blocks makes others start work: a loop with more to do only says that it holds nothing. */
static void loop_with_more_to_do_does_not_block(void **state)
{
    (void)state;
    const struct loop_hooks h = {hook_log,    hook_start, hook_stop,
                                 hook_before, hook_after, hook_between};
    memset(hook_log, 0, sizeof hook_log);
    assert_int_equal(loop_new(&the_loop, &h), OK);
    struct task t = {.run = stop_ran};
    runner_post(loop_runner(the_loop), &t);
    loop_run(the_loop);
    assert_string_equal(hook_log, "(nt)");
    loop_free(the_loop);
}

static void stop_before_run_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&the_loop, NULL), OK);
    loop_stop(the_loop);
    loop_run(the_loop);
    struct task t = {.run = stop_ran}; /* and it can run again */
    hook_log[0] = 0;
    runner_post(loop_runner(the_loop), &t);
    loop_run(the_loop);
    loop_free(the_loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(timer_for_now_does_not_starve_descriptors),
        cmocka_unit_test(removed_descriptor_is_not_handed_out),
        cmocka_unit_test(posts_keep_each_posters_order),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(hooks_surround_the_wait),
        cmocka_unit_test(loop_with_more_to_do_does_not_block),
        cmocka_unit_test(stop_before_run_ends_at_once),
    };
    return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
