/* Reading evolutions: a call on its way (history_evolve.c), one entity of it (history_read.c), one
 * series of that (history_gather.c). */
#ifndef STORE_EMBEDDED_HISTORY_READ_H
#define STORE_EMBEDDED_HISTORY_READ_H

#include "store/embedded/history_job.h"

/* What is wanted of each entity. */
struct reading {
    struct embedded *e;
    struct tenant *tenant;
    struct store_evolve *v;
    const struct temporal_query *time;
    bool everything;     /* all series, whatever v says of series, scopes and methods: for the filter on values */
    const uint32_t *needed; /* with everything: these series alone, sorted by term; NULL: all */
    uint32_t needed_count;
    struct arena *arena;
    struct arena *scratch; /* of what is only tried */
};

/* The series of id that have an instance to be shown, and what is known of the entity; E_NOT_FOUND when there is no evolution.
 * *found: an attribute asked for has an instance in the time asked about, shown or not, and a scope matches. */
MUST_USE enum status history_read(const struct reading *r, struct str id, struct evolution *out, bool *found,
                                  struct why *why);

/* Makes *first_us the time of the first of them when that is earlier. */
MUST_USE enum status history_first_kept(const struct reading *r, struct base_view *view, struct str id,
                                        const struct past_series *s, const struct aggregates *to, int64_t *first_us,
                                        struct why *why);
/* Adds what is kept of a series' instances that were dropped to an aggregation, and to how many matched (history_read_kept.c).
 * What cannot be read is left out, and told of. */
MUST_USE enum status history_read_kept(const struct reading *r, struct base_view *view, struct str id,
                                       const struct past_series *s, struct aggregates *to, uint64_t *matched, struct why *why);

#endif
