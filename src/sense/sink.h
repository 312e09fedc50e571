/* Where entities go: a running city over HTTP, the city of this process, or a check
 * that stores nothing. Batches go in, a result per entity comes out. */
#ifndef SENSE_SINK_H
#define SENSE_SINK_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of a stored entity. */
enum sink_fate {
    SINK_STORED, /* created or updated: nobody said which */
    SINK_CREATED,
    SINK_UPDATED, /* it existed */
};

struct sink_entity {
    /* in */
    struct str json; /* one entity as a JSON object */
    struct str id;   /* not twice in a batch */
    /* out, when the batch's status is OK */
    enum status status; /* OK; E_BUSY: not now, try again; else it was refused */
    uint8_t fate;       /* enum sink_fate, when OK */
    struct str reason;  /* why it was refused; in the batch's arena */
};

struct sink_batch {
    /* in; borrowed until done */
    struct sink_entity **entities;
    uint32_t count;
    bool own_context; /* every entity has a member "@context"; else none has */
    struct arena *arena;
    /* Called once, on the sink's loop, never inside send. */
    void (*done)(struct sink_batch *b);
    /* out: OK, or why nothing is known of any entity:
     * E_BAD_DATA  what was sent is at fault (one of the entities, or all of them together are too
     *             much): smaller batches will tell;
     * E_BUSY      try again later;
     * E_IO, E_TIMEOUT  the city does not answer: try again a few times;
     * others      nothing will help */
    enum status status;
    int64_t retry_after_us; /* with E_BUSY: the pause that the city asks for; 0: none */
    struct why why;
    void *impl;
};

/* Upserts what it is sent: CIM 009 clause 5.6.8. */
struct sink {
    void (*send)(struct sink *s, struct sink_batch *b);
    void (*free)(struct sink *s);
};

static inline void sink_send(struct sink *s, struct sink_batch *b)
{
    s->send(s, b);
}
static inline void sink_free(struct sink *s)
{
    if (s)
        s->free(s);
}

#endif
