/* One event loop per thread: epoll, posted tasks, timers.
 *
 * A thread owns its loop and everything attached to it. Other threads reach it
 * only through its runner. Hooks let main tell the store when a loop's thread
 * holds no borrowed data (quiescent point). */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/status.h"
#include "base/task.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/* Called on the loop's own thread. */
struct loop_hooks {
    void *arg;
    void (*thread_start)(void *arg); /* before the first event */
    void (*thread_stop)(void *arg);  /* after the last */
    void (*before_wait)(void *arg);  /* about to block; nothing borrowed is held */
    void (*after_wait)(void *arg);
    void (*between)(void *arg); /* goes on without blocking; nothing borrowed is held. NULL: both above */
};

/* Caller owns. hooks may be NULL, else outlive the loop. */
MUST_USE enum status loop_new(struct loop **out, const struct loop_hooks *hooks);
void loop_free(struct loop *l);
/* Runs on the calling thread until loop_stop(). */
void loop_run(struct loop *l);
/* Any thread. The loop ends after the current round of events. */
void loop_stop(struct loop *l);
/* Waits for the end of the thread that ran a loop, until due_us (monotonic) at most. False: it still runs. */
MUST_USE bool loop_thread_join(pthread_t thread, int64_t due_us);
struct runner *loop_runner(struct loop *l);

/* Watches fd, level-triggered; events as for epoll (EPOLLIN …). Own thread only. */
struct loop_fd {
    int fd;
    void (*ready)(struct loop_fd *f, uint32_t events);
};
MUST_USE enum status loop_fd_add(struct loop *l, struct loop_fd *f, uint32_t events);
void loop_fd_change(struct loop *l, struct loop_fd *f, uint32_t events);
void loop_fd_remove(struct loop *l, struct loop_fd *f);

/* One-shot timer on CLOCK_MONOTONIC µs (time_monotonic()). Own thread only. Setting it again moves it. */
struct loop_timer {
    int64_t due_us;
    void (*fire)(struct loop_timer *t);
    size_t heap_index; /* 0: not set; owned by the loop; zero it before first use */
};
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t due_us);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

#endif
