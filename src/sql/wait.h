/* A thread that is no loop waits for the store: a runner of its own, run while it waits. */
#ifndef SQL_WAIT_H
#define SQL_WAIT_H

#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct wait {
    struct runner runner; /* first */
    struct store *store;
    pthread_mutex_t lock; /* of the next two */
    pthread_cond_t posted;
    struct task *first, **last;
    bool done;            /* of the call waited for; this thread's */
    const atomic_bool *cancelled; /* of the statement; NULL: none */
};

void wait_init(struct wait *w, struct store *store);
void wait_destroy(struct wait *w);
/* Fills in what a call to the store needs to be waited for. */
void wait_prepare(struct wait *w, struct store_call *call, int64_t deadline_us);
/* completed: what the store's function returned. Returns the call's status. Nothing borrowed of the store may be held. */
enum status wait_for(struct wait *w, struct store_call *call, bool completed);

#endif
