/* Shared by history_sweep.c (when, and what comes next), history_sweep_entity.c (one entity) and history_sweep_ended.c. */
#ifndef STORE_EMBEDDED_HISTORY_SWEEP_INT_H
#define STORE_EMBEDDED_HISTORY_SWEEP_INT_H

#include "store/embedded/embedded_int.h"
#include "store/embedded/history_past.h"

struct base_view;

/* A step: an entity, or as much of it as is done at once. */
struct sweeping {
    struct embedded *e;
    struct base *base;
    struct base_view *view;
    struct arena *arena;      /* of a step */
    struct arena *keep_arena; /* too: what is kept of what was dropped */
    struct buf bytes;
    struct tenant *tenant;
    struct str id;
    struct past past;
    int64_t now_us;
    struct retention_spans spans;
    uint32_t chunks_left; /* that may still be gone into */
    bool changed;
    struct store_swept done; /* by this step */
    uint64_t bytes_dropped; /* of keys and values, about */
    uint64_t kept[RETENTION_LEVEL_COUNT]; /* that the entity has */
    struct why *why;
};

/* Sweeps the entity of this id, whose head has these bytes. What is written is in the base's memory when it returns.
 * *again: there is more of it. */
MUST_USE enum status sweep_entity(struct sweeping *s, struct str head, bool *again);

/* Has its evolution ended (4.22), for so long that nothing changes that? */
bool sweep_has_ended(struct sweeping *s);
/* sweep_entity() of such a one, whose head had so many bytes. doc: today's version, or NULL. */
MUST_USE enum status sweep_ended(struct sweeping *s, const struct doc *doc, size_t had, bool *again);

#endif
