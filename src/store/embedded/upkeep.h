/* The store's housekeeping thread: expiry (clause 4.22), indexes of values, space on the disk,
 * segments in stock, deadlines of waiting writes. */
#ifndef STORE_EMBEDDED_UPKEEP_H
#define STORE_EMBEDDED_UPKEEP_H

#include "base/arena.h"
#include "base/task.h"
#include "store/embedded/tenant.h"

#include <pthread.h>

enum { UPKEEP_WANTS_MAX = 64 };

struct upkeep {
    struct runner runner; /* where its own writes are answered */
    pthread_t thread;
    bool running;
    size_t table_bytes;   /* being summed */
    pthread_mutex_t lock; /* below */
    pthread_cond_t wake;
    _Atomic bool stopping;
    struct task *first, **last;
    struct upkeep_want {
        struct tenant *tenant; /* held */
        uint32_t term;
    } wants[UPKEEP_WANTS_MAX];
    uint32_t want_count;
};

struct embedded;

void upkeep_init(struct embedded *e);
MUST_USE enum status upkeep_start(struct embedded *e, struct why *why);
void upkeep_stop(struct embedded *e);
void upkeep_free(struct embedded *e);

#endif
