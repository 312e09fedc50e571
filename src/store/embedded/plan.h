/* How a query finds its candidates: of the parts that must all hold, the one whose index
 * gives the smallest set leads; parts whose sets are exact narrow it; the others are left to
 * evaluation. Made and used under the tenant's lock. */
#ifndef STORE_EMBEDDED_PLAN_H
#define STORE_EMBEDDED_PLAN_H

#include "model/filter.h"
#include "store/embedded/tenant.h"

enum { PLAN_SETS_MAX = 8 };

/* Slots of every entity that a part of the tree can mean. */
struct plan_set {
    const struct bitmap *slots;
    struct bitmap *owned; /* slots, when it was made for this plan; else it is the index's own */
};

struct plan {
    const char *index; /* what leads */
    struct plan_set lead;
    struct plan_set narrow[PLAN_SETS_MAX];
    uint32_t narrow_count;
    struct filter *rest;  /* what the sets leave open; NULL: they are the answer. In the arena */
    struct filter *whole; /* everything asked. In the arena */
    bool made;            /* some set is a copy: once entities change, `whole` decides */
    uint64_t candidates;  /* in lead */
    uint64_t version, renumbered;   /* the tenant's, when this was made */
    uint32_t wanted[PLAN_SETS_MAX]; /* attributes for which an index of values would have helped */
    uint32_t wanted_count;
};

/* What a caller needs of the answer, to weigh an index against a walk in order. */
struct plan_need {
    uint64_t first; /* matches wanted at most; UINT64_MAX: all of them */
    int64_t now_us; /* monotonic */
};

/* x and y, either may be NULL, are ANDed. Free with plan_free(). */
void plan_make(struct plan *p, struct tenant *t, const struct filter *x, const struct filter *y,
               const struct plan_need *need, struct arena *a);
void plan_free(struct plan *p);
/* All sets become one, without those. */
void plan_merge(struct plan *p, const struct bitmap *without);

#endif
