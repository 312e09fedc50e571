/* What benchmarks below the sockets share: a runner for one thread, and a store with the default options. */
#ifndef BENCH_STORE_RUNNER_H
#define BENCH_STORE_RUNNER_H

#include "../program.h"
#include "model/terms.h"
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

/* Opens the store in dir, or ends the process; this thread has entered it. */
struct store *bench_open(const char *dir, struct terms *terms);
void bench_close(struct store *store);

#endif
