/* What a sweep keeps of instances that it drops from a series: aggregates of a minute, an hour, a day, and in time those of the
 * shorter spans become those of longer ones. Each value is in an instance or in one kept aggregate, so that
 * nothing is counted twice, in whatever order and however late it comes. */
#ifndef STORE_EMBEDDED_HISTORY_SWEEP_KEEP_H
#define STORE_EMBEDDED_HISTORY_SWEEP_KEEP_H

#include "store/embedded/history_kept.h"
#include "store/embedded/history_sweep_int.h"

struct keep_list {
    struct kept_aggregate *all; /* several may be of one span */
    uint32_t count, room;
};

/* A record that is written anew. */
struct keep_record {
    int64_t at;
    uint32_t number;
};

/* One series in one step. */
struct keeping {
    struct sweeping *s;
    struct past_series *series;
    struct str key;
    bool active[RETENTION_LEVEL_COUNT];     /* kept by the policy */
    int64_t horizon[RETENTION_LEVEL_COUNT]; /* what ends by this time is too old for its level */
    int64_t overdue[RETENTION_LEVEL_COUNT]; /* a record with an aggregate of before is rewritten */
    struct keep_list lists[KEPT_TIME_COUNT][RETENTION_LEVEL_COUNT];
    struct keep_record *renewed; /* of the time and level at hand */
    uint32_t renewed_count, renewed_room;
    bool again;
};

/* at: instances of before it are dropped; on return, of before the span of the shortest level kept that it lies in. */
void keep_begin(struct keeping *k, struct sweeping *s, struct past_series *p, int64_t *at);
/* Is anything kept of what is dropped? */
bool keep_wants(const struct keeping *k);
/* p is dropped. */
void keep_point(struct keeping *k, const struct point *p);
/* Takes what has become too old for its level on, and writes it all. *again: there is more. */
MUST_USE enum status keep_end(struct keeping *k, bool *again);

#endif
