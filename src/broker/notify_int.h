/* Shared by the files of notify.h. Fields of the two threads are apart. */
#ifndef BROKER_NOTIFY_INT_H
#define BROKER_NOTIFY_INT_H

#include "broker/agenda.h"
#include "broker/linked.h"
#include "broker/notice.h"
#include "broker/notify.h"
#include "broker/receiver.h"
#include "broker/state_write.h"

#include <stdatomic.h>

struct notify {
    struct notify_options o;
    struct terms *terms;
    struct outbox *outbox;

    /* the store's thread */
    struct store_listener listener;
    struct watch *watch;
    struct arena *scratch;
    _Atomic bool live; /* the past has been told */

    /* the host's thread, once started */
    struct broker *broker;
    struct notify_host *host;
    struct task wake;
    struct agenda agenda;
    struct agenda_item keep; /* counters and positions are due to be written */
    struct receivers receivers;
    struct sending *spare;
    uint32_t spare_count;
    _Atomic uint64_t under_way; /* messages, and writes of counters */
    _Atomic bool posted; /* wake is, and has not run */
    _Atomic bool started, stopping;
    struct state_writer writer; /* of counters and positions */
};

/* What the host's thread knows of one lane. */
struct delivery {
    struct agenda_item due;
    struct turn turn; /* had: a message is under way */
    struct notify *notify;
    struct lane *lane;
    uint32_t terms;           /* there were, when its subscription was last resolved */
    uint32_t attempts;        /* that failed, of the message that is taken */
    uint32_t failures;        /* in a row */
    int64_t not_before_us;    /* monotonic, as the next */
    int64_t interval_due_us;  /* 0: it has none */
    uint64_t interval_after;  /* the next page of one that did not fit one message */
};

/* One message on its way. */
struct sending {
    struct sending *next_spare;
    struct delivery *delivery;
    struct subscription *subscription;
    struct arena *arena;
    struct buf body;
    struct contexts_call context;
    struct json context_spec;
    struct store_query query;
    struct caller caller;
    struct notice notice;
    struct join join;
    struct linked linked;
    struct port_send send;
    uint32_t waiting; /* in the lane, when it began */
    uint32_t count;   /* taken from it */
    int64_t start_us;
};

/* ---- notify_hear.c ---- */
void hear_init(struct notify *n);

/* ---- notify_send.c ---- */
/* Does what a lane that is not busy has to do now; it may be gone afterwards. */
void send_step(struct delivery *d);
void send_free_spares(struct notify *n);
/* The @context is there, the entities are: writes the message and hands it over. */
void send_items(struct sending *g, const struct due_item *items, uint32_t count, struct str mark);
void send_plan(struct notify *n, struct agenda_item *i, int64_t due_us);
/* Nothing went out, and nothing will of this. */
void send_end(struct sending *g);

/* ---- notify_interval.c ---- */
/* All entities of a subscription, because its time has come. */
void interval_start(struct sending *g);

/* ---- notify_keep.c ---- */
/* Something is worth writing: within a second it is. */
void keep_soon(struct notify *n);
void keep_run(struct notify *n);
/* What is still to be written when nothing is sent any more. */
void keep_last(struct notify *n);
/* A subscription is gone: what is written of it goes. */
void keep_forget(struct notify *n, const struct lane *lane);

#endif
