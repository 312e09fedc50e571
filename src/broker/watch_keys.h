/* By which keys a subscription is found, and which keys a change asks for.
 *
 * A subscription is filed under the most telling thing that every entity it may match must
 * have: one of its ids; what its idPattern begins with; a scope, or one below it; the cell
 * of a grid that its area touches; a value that its q compares with; an interval in which its
 * q wants a number, together with its types and watched attributes; else these alone. A change
 * asks for all keys that it could be found under. So whoever is not found does not match, and
 * how many there are of those costs nothing.
 *
 * Keys are 64-bit hashes; what is found is checked, so that two things of one hash do no harm. */
#ifndef BROKER_WATCH_KEYS_H
#define BROKER_WATCH_KEYS_H

#include "broker/delta.h"
#include "broker/watch_cells.h"
#include "broker/watch_order.h"
#include "model/subscription.h"

enum { WATCH_PREFIX_MAX = 63, WATCH_TERM_CLASSES = 64 };

/* Terms that are in use, so many to one bit. */
struct watch_terms {
    uint32_t counts[WATCH_TERM_CLASSES];
    uint64_t used;
};

/* What the subscriptions of one tenant are filed under: a change asks for nothing else. */
struct watch_classes {
    uint64_t seed; /* of the tenant, in each of its keys */
    uint32_t ids, scopes, values, types;
    uint32_t prefixes[WATCH_PREFIX_MAX + 1]; /* by length */
    uint64_t prefix_lengths;                 /* those in use, a bit each */
    uint32_t levels[WATCH_CELL_LEVELS];      /* of the grid */
    uint32_t levels_used;
    struct watch_terms ordered, ordered_watched;
};

struct watch_keys {
    uint64_t *keys; /* mem_alloc */
    uint32_t count, room;
    bool ranged; /* of a subscription: the keys are watch_order.h's, with this interval */
    struct watch_range range;
};

/* What a change asks watch_order.h for. */
struct watch_asks {
    struct watch_ask {
        uint64_t key;
        struct watch_range range;
    } * asks; /* mem_alloc */
    uint32_t count, room;
};

/* Keys of s, counted in c; sorted, without doubles. Caller frees keys->keys. A subscription without
 * any matches nothing: none of the types that it names is known. */
void watch_keys_file(struct watch_classes *c, const struct subscription *s,
                     struct watch_keys *keys);
/* Takes the counts of s back. */
void watch_keys_unfile(struct watch_classes *c, const struct subscription *s);
/* Keys that a change asks for: of d, the version after it, or the one before a deletion. */
void watch_keys_ask(const struct watch_classes *c, const struct doc *d, const struct delta *delta,
                    struct watch_keys *keys, struct watch_asks *asks);

#endif
