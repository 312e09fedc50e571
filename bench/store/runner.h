/* What benchmarks below the sockets share: a runner for one thread, and figures. */
#ifndef BENCH_STORE_RUNNER_H
#define BENCH_STORE_RUNNER_H

#include "store/store.h"

#include <pthread.h>

struct waiter {
    struct runner runner;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct task *first, **last;
};
void waiter_init(struct waiter *w);
/* Waits, offline, until something is posted, and runs it. */
void waiter_run(struct store *store, struct waiter *w);

double now(void); /* s, monotonic */
double cpu(void); /* s of the process, all threads */
/* One line. */
void figure(const char *name, double value, const char *unit);

#endif
