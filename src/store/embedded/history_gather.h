/* One series of an entity, for history_read.c. */
#ifndef STORE_EMBEDDED_HISTORY_GATHER_H
#define STORE_EMBEDDED_HISTORY_GATHER_H

#include "store/embedded/history_read.h"

struct scope_span;

/* Which series, and what is asked of it. */
struct gather {
    const struct reading *r;
    struct history_view *view;
    const struct past_series *series; /* NULL: today's alone */
    uint32_t term;
    struct str dataset;
    const struct scope_span *spans; /* NULL: whenever; else only instances of when a scope matched */
    uint32_t span_count;
    bool hidden;      /* it is only asked whether there are any */
    uint64_t matched; /* out: in the time asked about */
};
/* current: today's instance; NULL: none, or it does not count. *out is of the reading's arena. What cannot be
 * read is left out, and told of; the call's own status when that is over meanwhile. */
MUST_USE enum status history_gather(struct gather *asked, struct str id, const struct attr *current, struct series *out,
                                    struct why *why);

#endif
