/* Why: the bookkeeping of one batch, apart from when things are sent. Start at
 * carrier_batch_next(). */
#include "sense/carrier_batch.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

/* Rejected rows cost memory too: a batch ends after so many rows for each entity it may hold. */
#define ROWS_PER_ENTITY 4

struct carrier_batch *carrier_batch_new(struct carrier *c, const struct carrier_options *o)
{
    struct arena *a = arena_new(0);
    struct carrier_batch *b = arena_zarray(a, struct carrier_batch, 1);
    b->carrier = c;
    b->arena = a;
    b->entity_cap = o->entities_max;
    b->row_cap = o->entities_max * ROWS_PER_ENTITY;
    b->entities = arena_array(a, struct sink_entity, b->entity_cap);
    b->row_of = arena_array(a, uint32_t, b->entity_cap);
    b->pending = arena_array(a, bool, b->entity_cap);
    b->sent.entities = arena_array(a, struct sink_entity *, b->entity_cap);
    b->rows = arena_array(a, struct carrier_row, b->row_cap);
    uint32_t size = 16;
    while (size < b->entity_cap * 2)
        size *= 2;
    b->id_mask = size - 1;
    b->ids = arena_zarray(a, uint64_t, size);
    return b;
}

void carrier_batch_free(struct carrier_batch *b)
{
    arena_free(b->arena); /* b itself lives there */
}

/* Slot of the hash, or the free one where it would stand. */
static uint32_t id_slot(const struct carrier_batch *b, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & b->id_mask;
    while (b->ids[i] && b->ids[i] != hash)
        i = (i + 1) & b->id_mask;
    return i;
}

static uint64_t id_key(uint64_t hash)
{
    return hash ? hash : 1;
}

bool carrier_batch_has(const struct carrier_batch *b, uint64_t id_hash)
{
    return b->ids[id_slot(b, id_key(id_hash))] != 0;
}

bool carrier_batch_takes(const struct carrier_batch *b, const struct source_item *item,
                         const struct carrier_options *o)
{
    if (b->row_count == b->row_cap)
        return false;
    if (item->why || b->entity_count == 0)
        return true;
    return b->entity_count < b->entity_cap && item->own_context == b->own_context &&
           b->bytes + item->json.n < o->batch_bytes_max;
}

static void add_entity(struct carrier_batch *b, const struct source_item *item, struct str id)
{
    uint64_t hash = id_key(hash_str(id));
    b->own_context = item->own_context;
    b->bytes += item->json.n + 1;
    b->ids[id_slot(b, hash)] = hash;
    b->row_of[b->entity_count] = b->row_count;
    b->pending[b->entity_count] = true;
    b->entities[b->entity_count++] =
        (struct sink_entity){.json = arena_dup(b->arena, item->json), .id = id};
    b->ranges[0] = (struct carrier_range){0, b->entity_count};
    b->range_count = 1;
}

static struct str reason_of(const struct why *why, struct arena *a)
{
    if (!why->pointer[0])
        return arena_dup(a, str_of(why->text));
    return arena_printf(a, "%s (at %s)", why->text, why->pointer);
}

void carrier_batch_add(struct carrier_batch *b, const struct source_item *item, uint32_t input)
{
    assert(b->state == BATCH_FILLING);
    struct str id = str_absent(item->id) ? STR_NONE : arena_dup(b->arena, item->id);
    struct carrier_row *row = &b->rows[b->row_count];
    *row = (struct carrier_row){.input = input,
                                .part = item->part,
                                .line = item->line,
                                .id = id,
                                .after = item->after,
                                .status = OK};
    if (item->why) {
        row->status = E_BAD_DATA;
        row->reason = reason_of(item->why, b->arena);
    } else {
        add_entity(b, item, id);
    }
    b->row_count++;
}

bool carrier_batch_next(struct carrier_batch *b)
{
    for (; b->range_count > 0; b->range_count--) {
        struct carrier_range r = b->ranges[b->range_count - 1];
        struct sink_entity **list = b->sent.entities;
        uint32_t n = 0;
        for (uint32_t i = r.from; i < r.to; i++)
            if (b->pending[i])
                list[n++] = &b->entities[i];
        if (n == 0)
            continue;
        b->sent = (struct sink_batch){
            .entities = list, .count = n, .own_context = b->own_context, .arena = b->arena};
        return true;
    }
    return false;
}

bool carrier_batch_take_results(struct carrier_batch *b)
{
    bool again = false;
    for (uint32_t i = 0; i < b->sent.count; i++) {
        const struct sink_entity *e = b->sent.entities[i];
        uint32_t at = (uint32_t)(e - b->entities);
        struct carrier_row *row = &b->rows[b->row_of[at]];
        if (e->status == E_BUSY) {
            again = true;
            continue;
        }
        b->pending[at] = false;
        row->status = e->status;
        row->fate = e->fate;
        row->reason = e->status == OK ? STR_NONE : e->reason;
    }
    return again;
}

void carrier_batch_split(struct carrier_batch *b)
{
    struct carrier_range *top = &b->ranges[b->range_count - 1];
    if (b->sent.count > 1 && b->range_count < CARRIER_RANGES_MAX) {
        uint32_t middle = top->from + (top->to - top->from) / 2;
        b->ranges[b->range_count++] = (struct carrier_range){top->from, middle};
        top->from = middle;
        return;
    }
    struct str reason = reason_of(&b->sent.why, b->arena);
    for (uint32_t i = 0; i < b->sent.count; i++) {
        uint32_t at = (uint32_t)(b->sent.entities[i] - b->entities);
        b->pending[at] = false;
        b->rows[b->row_of[at]].status = E_BAD_DATA;
        b->rows[b->row_of[at]].reason = reason;
    }
}
