/* The file system with faults: a budget of bytes, failing syncs, torn writes. */
#ifndef TESTS_STORE_FAULT_IO_H
#define TESTS_STORE_FAULT_IO_H

#include "store/embedded/embedded_io.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct fault_io {
    struct embedded_io io;
    _Atomic int64_t budget;      /* bytes that may still be written or allocated; INT64_MAX: any */
    _Atomic uint64_t space;      /* what statvfs says is free */
    _Atomic int sync_errors;     /* so many syncs of data fail with EIO; -1: all */
    _Atomic int truncate_errors; /* likewise */
    _Atomic int rename_errors;
    _Atomic unsigned syncs, writes;
    void (*on_rename)(const char *to); /* called ahead of each; NULL: nothing */
    pthread_mutex_t lock;              /* below */
    pthread_cond_t moved;
    bool held, waiting;
    unsigned passes; /* of those held, so many may go on */
};
void fault_io_init(struct fault_io *f);
/* From now on a sync of data waits until it is released. */
void fault_io_hold(struct fault_io *f);
void fault_io_release(struct fault_io *f);
/* One that waits goes on; others still wait. */
void fault_io_step(struct fault_io *f);
/* Returns once a sync waits. */
void fault_io_wait(struct fault_io *f);

#endif
