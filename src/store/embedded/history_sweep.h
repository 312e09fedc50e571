/* Sweeps: the thread of the fold goes through all pasts now and then, and takes away what the retention (model/retention.h)
 * says is too old, and what has ended (4.22). One batch of the base a step, so that a crash leaves either what was or what will be; whoever sweeps
 * again finds nothing to do (docs/decisions/0017).
 *
 * Between the steps, folds go first. A temporal edit names an instance that it has seen; none may be taken away between
 * the look and the fold that brings the edit, so edits and steps exclude each other, and a step waits for that fold. */
#ifndef STORE_EMBEDDED_HISTORY_SWEEP_H
#define STORE_EMBEDDED_HISTORY_SWEEP_H

#include "base/str.h"
#include "base/status.h"
#include "model/retention.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct embedded;

struct sweep {
    pthread_mutex_t edit_lock; /* held while a step looks and writes, and while an edit of an instance does */
    uint64_t edited_seq;       /* the last change of such an edit. Under edit_lock */

    pthread_mutex_t lock; /* the next six */
    struct retention *rules_next;
    bool rules_changed;
    uint64_t bytes_max;
    int64_t interval_us;
    int64_t due_us; /* monotonic; INT64_MAX: nothing is to be done */
    struct store_swept swept; /* since the start; the fold's thread alone changes it */

    /* of the fold's thread */
    struct retention *rules;
    bool under_way;
    bool waits;   /* for the bound */
    bool surveys; /* instead of sweeping, this time */
    bool ends;    /* some evolution will end by itself, as far as this sweep and folds since it began know */
    int64_t now_us;     /* wall time by which it sweeps */
    int64_t started_us; /* monotonic */
    uint64_t dropped_before;
    char *next;         /* key from which it goes on; owned */
    size_t next_n;
    uint32_t jumps;     /* in a row, over what the disk does not give back */

    uint64_t kept_seen[RETENTION_LEVEL_COUNT];

    _Atomic uint64_t sweeps, last_us;
    _Atomic uint64_t kept[RETENTION_LEVEL_COUNT]; /* aggregates there are, as of the last sweep */
    _Atomic int64_t last_at_us;
};

void sweep_init(struct embedded *e);
void sweep_free(struct embedded *e);
/* Of out->history, what sweeps did. Any thread. */
void sweep_stats(struct embedded *e, struct store_stats *out);
/* store_retain(). Any thread. */
void sweep_retain(struct store *s, const struct store_retention *r);

/* ---- the writing worker's ---- */
void sweep_edit_begin(struct embedded *e);
void sweep_edit_end(struct embedded *e, uint64_t seq); /* 0: nothing came of it */

/* ---- the fold's thread ---- */
/* An evolution will end by itself (4.22), so that sweeps must come. */
void sweep_expect(struct embedded *e);
/* When the next step is due, monotonic; INT64_MAX: never. */
int64_t sweep_due_us(struct embedded *e);
/* A fold must come before the next step. */
bool sweep_needs_fold(struct embedded *e);
/* Steps for a little while. The fold's work lock is held; the calling thread is online and holds nothing borrowed. After a
 * fault the sweep is over, and begins again when it is due. */
MUST_USE enum status sweep_slice(struct embedded *e, struct why *why);
/* A whole sweep, now. */
MUST_USE enum status sweep_now(struct embedded *e, struct why *why);

#endif
