/* What benchmarks below the sockets share: a runner for one thread, and a store with the default options. */
#ifndef BENCH_STORE_RUNNER_H
#define BENCH_STORE_RUNNER_H

#include "../../tests/unit/store/waiter.h" /* calls of a store complete where a thread waits for them */
#include "../program.h"
#include "model/terms.h"
#include "store/store.h"

/* Opens the store in dir, or ends the process; this thread has entered it. */
struct store *bench_open(const char *dir, struct terms *terms);
void bench_close(struct store *store);

#endif
