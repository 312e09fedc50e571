/* Folding: the background thread that writes what changed since the last time from memory into
 * the base, each entity once however often it changed, and lets go of the log behind it.
 *
 * What is to be written is taken between two groups, with the position in the log; the versions
 * written may be younger than that, and replay skips what is not newer.
 *
 * In between, the same thread sweeps the history (history_sweep.h).
 *
 * The log has a bound. When folding lags behind, the committer waits at the bound; when it fails,
 * writes are refused there, until an attempt succeeds. */
#ifndef STORE_EMBEDDED_FOLD_H
#define STORE_EMBEDDED_FOLD_H

#include "store/embedded/base.h"

#include <pthread.h>

struct embedded;

struct fold {
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* below */
    pthread_cond_t wake;
    bool stopping, wanted, looks_again;
    char failing_why[120];

    pthread_mutex_t work;     /* held while folding, and by a backup */
    struct base *base;        /* NULL until something is folded; closed and opened under history.base_lock */
    bool faulted;             /* it takes nothing more until it is opened again, ahead of the next fold; readers stay */
    bool lost;                /* it is closed, and could not be opened again. Under history.base_lock */
    uint32_t terms;           /* in the base */
    _Atomic uint64_t segment; /* the base's position in the log */
    _Atomic bool failing;     /* the last attempt failed */
    _Atomic bool refusing;    /* so that writes are refused */
    _Atomic uint64_t seq;
};

void fold_init(struct embedded *e);
MUST_USE enum status fold_start(struct embedded *e, struct why *why);
void fold_stop(struct embedded *e);
void fold_free(struct embedded *e);
/* Soon, in the background. Any thread. */
void fold_want(struct embedded *e);
bool fold_is_wanted(struct embedded *e);
/* The fold's thread asks again when a sweep is due. Any thread. */
void fold_look_again(struct embedded *e);
/* The log is at its bound and a fold will make room, or may: asks for it. The committer's. */
bool fold_lags(struct embedded *e);
/* E_NO_SPACE when the log is at its bound and the last fold failed. The committer's. */
MUST_USE enum status fold_refuses(struct embedded *e, struct why *why);
/* Why it refuses, for figures. Any thread. */
void fold_reason(struct embedded *e, char *text, size_t n);
/* fold_now.c: now. The calling thread is online, and holds nothing borrowed. The fold's work lock is held. */
MUST_USE enum status fold_now(struct embedded *e, struct why *why);
/* Path of the base. */
void fold_path(const struct embedded *e, char *path, size_t n);

#endif
