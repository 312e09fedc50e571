/* Documents of a kind that are written one at a time: subscriptions, registrations. A
 * change reads the document, makes its next version, and writes it unless somebody else
 * has meanwhile; then it starts again. */
#ifndef BROKER_DOCUMENT_H
#define BROKER_DOCUMENT_H

#include "broker/broker.h"

struct document_call {
    /* in; all that is pointed to lives until done */
    const struct caller *caller;
    struct runner *home;
    int64_t deadline_us; /* monotonic */
    struct arena *arena;
    uint8_t kind;     /* enum store_kind */
    const char *what; /* "subscription", for refusals */
    struct str key;
    struct str bytes;  /* document_create */
    uint64_t most;     /* document_create: as many may be there in all … */
    const char *limit; /* … by this limit of the configuration */
    /* document_change: makes what is stored next, in the arena. Else its status, with c->why. */
    enum status (*change)(struct document_call *c, struct str stored, struct str *next);
    void (*done)(struct document_call *c);
    /* out */
    enum status status;
    struct why why;
    struct str before; /* document_change, _delete: what it replaced; in the arena */
    struct str after;  /* document_change */
    /* private */
    struct broker *broker;
    struct store_list list;
    struct store_put put;
    uint32_t tries;
};
/* Each: true when it completed at once; done is then not called. */
bool document_create(struct broker *b, struct document_call *c); /* makes the tenant */
bool document_change(struct broker *b, struct document_call *c);
bool document_delete(struct broker *b, struct document_call *c);

#endif
