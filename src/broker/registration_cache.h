/* Compiled registrations, so that a query does not compile all of a tenant each time. By the sequence of
 * their last change, which no other document has: what has changed is not found, and goes when room is
 * needed. Any thread. */
#ifndef BROKER_REGISTRATION_CACHE_H
#define BROKER_REGISTRATION_CACHE_H

#include "model/registration.h"

struct registration_cache;

/* bytes_max: of compiled registrations, "limits.registration_cache". Caller owns. */
struct registration_cache *registration_cache_new(size_t bytes_max);
void registration_cache_free(struct registration_cache *c); /* NULL is fine, as below */

/* Between these two what is found stays; many may look at once. */
void registration_cache_begin(struct registration_cache *c);
void registration_cache_end(struct registration_cache *c);
/* Borrowed; NULL: not there. */
const struct registration *registration_cache_find(struct registration_cache *c, uint64_t seq, struct str id);

/* One that was not there, not between those two. Takes over its arena, and frees it at once when it is too
 * large or there already. */
struct registration_cached {
    struct registration_cached *next;
    struct arena *arena; /* which this is in, too */
    struct registration *registration;
    uint64_t seq;
    size_t bytes;
    _Atomic bool used; /* since its last turn */
};
void registration_cache_add(struct registration_cache *c, struct registration_cached *r);
void registration_cached_free(struct registration_cached *r);

struct registration_cache_stats {
    uint64_t count, bytes, hits, misses;
};
void registration_cache_stats(struct registration_cache *c, struct registration_cache_stats *out);

#endif
