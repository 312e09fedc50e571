/* The log: numbered segment files of groups of records (docs/formats/log.md).
 *
 * States, on the writing side:
 *
 *     replayed ──► writing ──► failed (a sync failed: no more writes, until a restart)
 *                   │   ▲
 *                   ▼   │ every attempt starts from the last committed length
 *                  no space
 *
 * Invariants: a group is written only after the last one's sync (or says, with durability
 * "interval", how much of its segment was synced when it was written), so whatever a crash
 * tears lies behind everything that was acknowledged. A segment's header names the length
 * of the one before it. Files are never changed behind their committed length but by cutting.
 *
 * One thread writes; trimming, preparing, copying and figures may come from others. */
#ifndef STORE_EMBEDDED_JOURNAL_H
#define STORE_EMBEDDED_JOURNAL_H

#include "store/embedded/embedded_io.h"
#include "store/embedded/record.h"

#include <stdbool.h>

struct journal;

struct journal_options {
    const struct embedded_io *io;
    const char *dir;
    uint64_t store_id; /* other stores' segments are refused */
    size_t segment_bytes;
};

struct journal_replay {
    /* Records in order, borrowed for the call. Another status than OK stops the replay. */
    enum status (*record)(struct journal_replay *r, const struct record *record, struct why *why);
    /* filled in */
    uint64_t segments, groups, records;
    uint64_t segment, offset; /* where it is, for messages */
};

/* Reads the directory, writes nothing. Caller owns. Segments before `from` are of no use any more.
 */
MUST_USE enum status journal_open(struct journal **out, const struct journal_options *o,
                                  uint64_t from, struct why *why);
/* Once, before anything is written: hands over every record of segments `from` and up. What the
 * last crash tore is left out; E_DAMAGED names segment and offset when more than that is missing.
 */
MUST_USE enum status journal_read(struct journal *j, struct journal_replay *r, struct why *why);
/* What is written is synced as far as it can be; frees j. */
void journal_close(struct journal *j);

/* Adds a record to the group being gathered. */
void journal_add(struct journal *j, const struct record *r);
size_t journal_gathered(const struct journal *j); /* bytes; 0: no record */
/* Writes the gathered group behind the last one. E_NO_SPACE, E_IO: the log is as long as before,
 * the group is forgotten, the next may succeed. E_UNKNOWN_OUTCOME: failed. */
MUST_USE enum status journal_write(struct journal *j, struct why *why);
/* Makes what was written durable. E_UNKNOWN_OUTCOME: failed, never tried again. */
MUST_USE enum status journal_sync(struct journal *j, struct why *why);
bool journal_failed(const struct journal *j);

/* Segment being written, 0 before the first. */
uint64_t journal_segment(const struct journal *j);
/* Segments before this one are not needed any more. */
void journal_trim(struct journal *j, uint64_t before);
/* Prepares a segment for stock, so that the writer need not wait for one: a few MB a call, until
 * nothing is wanted any more. One thread only. */
void journal_prepare(struct journal *j);
bool journal_wants_stock(struct journal *j); /* the segment being written is half full */
/* Copies what is durable, of segments `from` and up, into dir (absent), for a backup. Keep trimming
 * away. */
MUST_USE enum status journal_copy(struct journal *j, uint64_t from, const char *dir,
                                  struct why *why);

struct journal_figures {
    uint64_t bytes, segments, groups, syncs;
};
void journal_figures(struct journal *j, struct journal_figures *out);

#endif
