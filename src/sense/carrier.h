/* Carries entities from a stream to a sink: batches bounded by bytes and number,
 * several under way, each row's outcome reported in the order of the stream.
 *
 * - Two entities with one id are never under way at once, so the later one wins.
 * - When the city says "not now", fewer batches go out and the refused one waits; all
 *   wait as long as it asks to be left alone, unless that is beyond all patience.
 * - When a batch is refused as a whole, its halves are sent, until the entity at
 *   fault stands alone.
 * - Rows are handed back strictly in order, so whoever keeps the last mark can go
 *   on from there after a crash. */
#ifndef SENSE_CARRIER_H
#define SENSE_CARRIER_H

#include "net/loop.h"
#include "sense/sink.h"
#include "sense/source.h"

#include <stdbool.h>
#include <stdint.h>

struct carrier;

/* One row of the stream, and what became of it. */
struct carrier_row {
    uint32_t input;   /* the puller's own number */
    const char *part; /* as in struct source_item */
    uint64_t line;
    struct str id;
    struct source_mark after;
    enum status status; /* OK, or rejected */
    uint8_t fate;       /* enum sink_fate, when OK */
    struct str reason;  /* when rejected */
};

struct carrier_options {
    struct loop *loop;
    struct sink *sink;
    uint32_t batches_max;   /* under way at once, at most CARRIER_BATCHES_MAX */
    uint32_t entities_max;  /* in a batch */
    size_t batch_bytes_max; /* an entity that is larger goes alone */
    int64_t patience_us;    /* a batch that fails for so long ends the run */
    void *arg;
    /* The next item; *input goes into its row. Borrowed until the next pull. False at the end. */
    bool (*pull)(void *arg, struct source_item *item, uint32_t *input);
    /* Every row, in order; strings are borrowed for the call. */
    void (*row)(void *arg, const struct carrier_row *row);
    /* Once, when everything is done (OK), or after a failure or a stop, when nothing is under way.
     */
    void (*done)(void *arg, enum status status, const struct why *why);
};

#define CARRIER_BATCHES_MAX 64

/* Begins; nothing is called before the loop runs. Caller owns; free after done. */
struct carrier *carrier_start(const struct carrier_options *o);
/* Sends nothing more; done is called with E_CANCELLED once all answers are in. Not inside pull or
 * row. */
void carrier_stop(struct carrier *c);
void carrier_free(struct carrier *c);

#endif
