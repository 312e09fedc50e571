/* Reading evolutions: a call on its way (history_evolve.c), one entity of it (history_read.c). */
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
    struct arena *arena;
    struct arena *scratch; /* of what is only tried */
};

/* The series of id that have an instance to be shown, and what is known of the entity; E_NOT_FOUND when there is no evolution.
 * *found: an attribute asked for has an instance in the time asked about, shown or not, and a scope matches. */
MUST_USE enum status history_read(const struct reading *r, struct str id, struct evolution *out, bool *found,
                                  struct why *why);

#endif
