/* Documents that say what became of notifications, on their way to the store. */
#ifndef BROKER_STATE_WRITE_H
#define BROKER_STATE_WRITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "broker/broker.h"

#include <stdatomic.h>

/* Who writes; one thread, whose runner is home. */
struct state_writer {
    struct broker *broker;
    struct runner *home;
    uint8_t kind;                /* enum store_kind */
    uint32_t writing;            /* on their way */
    _Atomic uint64_t *under_way; /* counts them too, for who waits for the end */
};

/* One of them. Fill bytes; names may be in the arena. */
struct state_write {
    struct store_put put;
    struct caller caller;
    struct state_writer *writer;
    struct arena *arena;
    struct buf bytes;
};
struct state_write *state_write_new(struct state_writer *writer);
/* It ends by itself. */
void state_write_start(struct state_write *w, struct str tenant, struct str key);
/* The document goes instead, if it is there. */
void state_write_delete(struct state_write *w, struct str tenant, struct str key);
/* It was not started. */
void state_write_free(struct state_write *w);

#endif
