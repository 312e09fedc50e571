/* History's bound on the disk. When what history takes is more, its oldest part goes, of all tenants, whatever policies say:
 * how old that is, a survey of the sizes and times of all chunks tells. Instances go as if they had been kept for less time,
 * so aggregates of them stay where policies keep any; these go, too, where that is not enough.
 *
 * Dropping alone frees nothing: a thread of its own compacts the base when enough was dropped. */
#ifndef STORE_EMBEDDED_HISTORY_BOUND_H
#define STORE_EMBEDDED_HISTORY_BOUND_H

#include "base/arena.h"
#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct base;
struct base_db_cancel;
struct embedded;
struct store_stats;

enum { BOUND_AGES = 1024 };

/* Bytes by age: sixteen classes for each doubling. */
struct bound_survey {
    uint64_t points[BOUND_AGES], kept[BOUND_AGES];
};

struct bound {
    /* of the fold's thread */
    uint64_t bytes_max;      /* 0: none */
    uint64_t dropped;        /* bytes of what was dropped since the last compaction, about */
    bool compacted;          /* nothing was dropped since */
    bool futile;             /* nothing could be dropped */
    struct bound_survey *survey; /* under way; else NULL */
    int64_t points_us, kept_us;  /* what is older goes; INT64_MIN: nothing by force */

    pthread_t thread; /* compacts */
    bool compacting;
    struct base *base;
    struct base_db_cancel *cancel;
    _Atomic bool compaction_over;

    _Atomic uint64_t bytes, bytes_told_max, forced; /* as last looked; the bound; sweeps by force */
    _Atomic int64_t forced_us;                      /* by the last of them: what was older went; INT64_MIN: none was */
};

void bound_init(struct embedded *e);
void bound_free(struct embedded *e);
/* Of out->history, how near the bound is. Any thread. */
void bound_stats(struct embedded *e, struct store_stats *out);
/* Ends a compaction; before the base is closed. */
void bound_settle(struct embedded *e);
/* Looks how much history takes. */
void bound_measure(struct embedded *e);

/* What comes next when a sweep, a survey or a compaction has ended. */
enum bound_next {
    BOUND_REST,    /* nothing */
    BOUND_WAIT,    /* a compaction is under way */
    BOUND_SURVEY,  /* all keys are to be shown to bound_look() */
    BOUND_SWEEP,   /* a sweep by force */
};
enum bound_next bound_next(struct embedded *e, int64_t now_us);
/* A pair of the survey. */
void bound_look(struct embedded *e, int64_t now_us, struct str key, struct str bytes, struct arena *scratch);
/* A sweep has ended. */
void bound_swept(struct embedded *e);

#endif
