/* Private to carrier: one batch, its rows, and which of them are still to be sent. */
#ifndef SENSE_CARRIER_BATCH_H
#define SENSE_CARRIER_BATCH_H

#include "sense/carrier.h"

enum carrier_batch_state { BATCH_FILLING, BATCH_SENT, BATCH_WAITING, BATCH_SETTLED };

#define CARRIER_RANGES_MAX 64

/* Entities [from, to) of a batch. */
struct carrier_range {
    uint32_t from, to;
};

struct carrier_batch {
    struct carrier *carrier;
    struct carrier_batch *next;
    uint8_t state; /* enum carrier_batch_state */
    struct arena *arena;
    struct sink_batch sent; /* the part under way */
    struct loop_timer timer;
    uint32_t attempts; /* in a row that came to nothing */
    int64_t failing_since_us;
    size_t bytes;
    bool own_context;
    uint32_t row_count, row_cap;
    struct carrier_row *rows;
    uint32_t entity_count, entity_cap;
    struct sink_entity *entities;
    uint32_t *row_of;     /* entity → row */
    bool *pending;        /* per entity */
    uint32_t range_count; /* a stack; the topmost is being sent */
    struct carrier_range ranges[CARRIER_RANGES_MAX];
    uint32_t id_mask; /* hashes of the ids, open addressing; 0 is free */
    uint64_t *ids;
};

struct carrier_batch *carrier_batch_new(struct carrier *c, const struct carrier_options *o);
void carrier_batch_free(struct carrier_batch *b);

bool carrier_batch_has(const struct carrier_batch *b, uint64_t id_hash);
/* Is there room for the item, and is it of the same kind as those before? */
bool carrier_batch_takes(const struct carrier_batch *b, const struct source_item *item,
                         const struct carrier_options *o);
/* Copies the item. */
void carrier_batch_add(struct carrier_batch *b, const struct source_item *item, uint32_t input);

/* Prepares b->sent with what is pending of the topmost range that has any; false: nothing is. */
bool carrier_batch_next(struct carrier_batch *b);
/* Takes over the results of b->sent; true when some of it has to be sent again. */
bool carrier_batch_take_results(struct carrier_batch *b);
/* b->sent was refused as a whole: halves its range, or rejects the one entity in it. */
void carrier_batch_split(struct carrier_batch *b);

#endif
