/* Verifies what a base has of history: heads, chunks, kept aggregates, and that these belong together. */
#ifndef STORE_EMBEDDED_HISTORY_CHECK_H
#define STORE_EMBEDDED_HISTORY_CHECK_H

#include "base/arena.h"
#include "base/status.h"

#include <stdint.h>

struct history_check {
    struct arena *arena; /* scratch, the caller's */
    uint64_t due, met;   /* sealed chunks of the evolution at hand */
    bool unsure;         /* how many are due cannot be read */
    uint64_t kept_due, kept_met; /* kept aggregates, of all */
    bool unsure_kept;            /* how many are due in all cannot be read */
};
/* The next pair, in order of keys; a fault may be one of the evolution before it. E_DAMAGED. */
MUST_USE enum status history_check_pair(struct history_check *c, struct str key, struct str bytes, uint32_t term_max,
                                        struct why *why);
MUST_USE enum status history_check_end(struct history_check *c, struct why *why);

#endif
