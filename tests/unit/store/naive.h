/* A store as plain as can be: arrays, searched from one end to the other, nothing on disk. What
 * the real ones are judged by. It shares no code with them but the model. */
#ifndef TESTS_STORE_NAIVE_H
#define TESTS_STORE_NAIVE_H

#include "base/time.h"
#include "store/store.h"

/* store_close() frees it. clock: by it reads decide what has expired; nothing is swept away. terms: of those who ask about
 * instances by their ids; else NULL. */
struct store *naive_new(uint32_t tenants_max, struct clock *clock, const struct terms *terms);

#endif
