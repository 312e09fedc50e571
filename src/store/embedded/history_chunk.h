/* A chunk: up to CHUNK_POINTS_MAX instances of one series as columns, immutable. Layout in docs/formats/history.md.
 *
 * Round trip is exact, to the last bit and member. What a header says of times and numbers lets readers leave chunks
 * out, or sum them up, without their columns. All multi-byte numbers are little-endian; the whole is covered by a
 * checksum, and its header by one of its own. */
#ifndef STORE_EMBEDDED_HISTORY_CHUNK_H
#define STORE_EMBEDDED_HISTORY_CHUNK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/aggregate.h"
#include "model/evolution.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHUNK_POINTS_MAX = 4096 };

struct chunk_summary {
    uint32_t count;                                                 /* at least 1 */
    int64_t first[TIME_PROPERTY_COUNT], last[TIME_PROPERTY_COUNT];  /* by enum time_property; TIME_NONE: no instance has it */
    bool every[TIME_PROPERTY_COUNT];                                /* all instances have it */
    int64_t first_place, last_place;                                /* point_place() */
    uint64_t seq_min, seq_max;
    bool numbers;                  /* all are Properties that are numbers; then: */
    struct number_summary summary;
};

enum { CHUNK_BYTES_MAX = 4 << 20 }; /* of a chunk's instances, each written by point_write() */

/* Appends a chunk of n points of one series, in point_order(); at least one, at most CHUNK_POINTS_MAX, and no more than
 * CHUNK_BYTES_MAX of them unless it is but one. */
void chunk_write(struct buf *b, const struct point *points, uint32_t n);

struct chunk {
    struct str bytes; /* borrowed */
    struct chunk_summary summary;
    /* private: where the columns stand, and what the header says of them */
    struct str columns[16];
    struct chunk_time {
        uint8_t form, from;
        int64_t unit_us, constant;
    } times[TIME_PROPERTY_COUNT];
    uint8_t values;
};
/* The header alone, its checksum verified. E_DAMAGED. */
MUST_USE enum status chunk_read_summary(struct str bytes, struct chunk_summary *out, struct why *why);
/* The whole, checksum verified, columns found. E_DAMAGED, E_NOT_SUPPORTED for a newer version. */
MUST_USE enum status chunk_open(struct chunk *c, struct str bytes, struct why *why);
/* Times of every instance, in order; out has room for count. E_DAMAGED. */
MUST_USE enum status chunk_times(const struct chunk *c, enum time_property property, int64_t *out, struct why *why);
/* Numbers, when summary.numbers. Integers beyond 2^53 are rounded here, and only here. */
MUST_USE enum status chunk_numbers(const struct chunk *c, double *out, struct why *why);
/* Everything. Strings borrow from bytes or are in the arena. */
MUST_USE enum status chunk_points(const struct chunk *c, uint32_t term, struct str dataset, uint32_t term_max, struct arena *a,
                                  struct point *out, struct why *why);
/* Where the instance of that change and index stands; UINT32_MAX: not here. */
MUST_USE enum status chunk_find(const struct chunk *c, uint64_t seq, uint32_t index, uint32_t *at, struct why *why);

#endif
