/* See runner.h. */
#include "runner.h"

#include "base/arena.h"
#include "base/time.h"
#include "store/embedded/embedded.h"

#include <stdio.h>
#include <stdlib.h>

struct store *bench_open(const char *dir, struct terms *terms)
{
    struct embedded_options o = {.dir = dir,
                                 .segment_bytes = 64 << 20,
                                 .log_bytes_max = (size_t)1 << 30,
                                 .group_bytes_max = 4 << 20,
                                 .tenants_max = 10,
                                 .clock = &clock_system};
    struct store *store;
    struct why why = {0};
    if (embedded_open(&store, terms, &o, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    store_thread_enter(store);
    return store;
}

void bench_close(struct store *store)
{
    store_thread_leave(store);
    store_close(store);
}
