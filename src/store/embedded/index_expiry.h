/* Which entities have something in them that has ended, or end themselves: ends in order of time,
 * and the set of those up to which time has passed. The set is brought forward by whoever asks at a
 * later time, each end once; the ends stay until the sweep deletes what they are of.
 *
 * No locking of its own: under the tenant's lock, for writing where it says so. */
#ifndef STORE_EMBEDDED_INDEX_EXPIRY_H
#define STORE_EMBEDDED_INDEX_EXPIRY_H

#include "store/embedded/bitmap.h"
#include "store/embedded/ordered.h"

struct index_expiry {
    struct ordered *ends;
    uint64_t passed; /* key up to which `over` is complete */
    struct bitmap *over;
};

void index_expiry_init(struct index_expiry *x);
void index_expiry_free(struct index_expiry *x);
/* Order of keys is order of time, µs. */
uint64_t index_expiry_key(int64_t us);
/* Is there an end up to now that is not in `over` yet? */
bool index_expiry_is_due(const struct index_expiry *x, int64_t now_us);
/* The lock is held for writing. */
void index_expiry_pass(struct index_expiry *x, int64_t now_us);
/* The end of slot, TIME_NONE when it has none any more, is now this. For writing. */
void index_expiry_set(struct index_expiry *x, uint32_t slot, int64_t end_us);
size_t index_expiry_bytes(const struct index_expiry *x);

#endif
