/* Inside of the planner: what indexes say about one part of the tree (plan_part.c), and how parts
 * are combined and led (plan.c). */
#ifndef STORE_EMBEDDED_PLAN_INT_H
#define STORE_EMBEDDED_PLAN_INT_H

#include "store/embedded/plan.h"

struct planner {
    struct plan *plan;
    struct tenant *t;
    const struct index *ix;
    const struct plan_need *need;
};

/* About a set, before it is made. */
struct estimate {
    bool known;  /* there is an index for it */
    bool exact;  /* its members are the matches, no more */
    bool direct; /* it is one of the index's own bitmaps: nothing to make */
    uint64_t n;  /* members, about */
    const char *index;
};

/* f is no combination. */
struct estimate plan_part_estimate(struct planner *p, const struct filter *f);
/* The index's own bitmap, where the estimate says `direct`. NULL: empty. */
const struct bitmap *plan_part_direct(struct planner *p, const struct filter *f);
/* Makes the set, where the estimate is known. */
struct bitmap *plan_part_collect(struct planner *p, const struct filter *f);
/* Both; frees the first. other NULL: empty. */
struct bitmap *plan_intersect(struct bitmap *owned, const struct bitmap *other);

#endif
