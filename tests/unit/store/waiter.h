/* A runner whose tasks run where a thread waits for them; of tests of the store and of its benchmarks. */
#ifndef TESTS_STORE_WAITER_H
#define TESTS_STORE_WAITER_H

#include "base/task.h"
#include "store/store.h"

#include <pthread.h>
#include <stdbool.h>

struct waiter {
    struct runner runner;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct task *first, **last;
    unsigned posts; /* wake-ups */
};
void waiter_init(struct waiter *w);
/* Waits, offline, until something is posted, and runs it. */
void waiter_run(struct waiter *w, struct store *s);
/* The same until *done. */
void waiter_until(struct waiter *w, struct store *s, const bool *done);

#endif
