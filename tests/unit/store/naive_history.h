/* What a store remembers, as plainly as can be: every instance of every series in one array, in memory, searched from one
 * end to the other. What the real history is judged by; it shares no code with that but the model. */
#ifndef TESTS_STORE_NAIVE_HISTORY_H
#define TESTS_STORE_NAIVE_HISTORY_H

#include "store/store.h"

/* An evolution of a tenant; its series are sorted, and so are their instances. */
struct naive_evolution {
    struct str tenant;
    struct evolution e;
};

struct naive_history {
    const struct terms *terms;
    struct arena *arena; /* of all that was ever kept */
    struct naive_evolution *all;
    uint32_t count;
};

/* terms: NULL when nobody will ask. */
void naive_history_init(struct naive_history *h, const struct terms *terms);
void naive_history_free(struct naive_history *h);
void naive_history_forget(struct naive_history *h, struct str tenant);

/* An entity was changed, from before (NULL: none) to after (NULL: none). */
void naive_history_change(struct naive_history *h, struct str tenant, const struct doc *before, const struct doc *after,
                          uint64_t seq, int64_t at_us);
/* seq: of the change, should it be one. there: an entity of that id exists today. */
struct record_result naive_history_record(struct naive_history *h, struct str tenant, const struct record_edit *edit,
                                          bool there, uint64_t seq, int64_t now_us, struct arena *a);
/* Answers v; the tenant exists. */
void naive_history_evolve(struct naive_history *h, struct store_evolve *v);

#endif
