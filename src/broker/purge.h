/* Purge (CIM 009 clause 5.6.21): deletes, or strips of attributes, every entity
 * that a query finds, slice by slice in the order of creation. Entities created
 * while it runs are left alone. */
#ifndef BROKER_PURGE_H
#define BROKER_PURGE_H

#include "broker/broker.h"

struct purge {
    /* in */
    const struct caller *caller;
    const struct filter *filter;
    struct runner *home;
    struct arena *arena;      /* the request's */
    const uint32_t *terms;    /* attributes to drop, or to keep with keep; NULL: whole entities */
    uint32_t term_count;
    bool keep;
    bool scope;               /* terms name the scope too */
    void (*done)(struct purge *p);
    /* out */
    enum status status;
    struct why why;
    uint64_t purged;
    /* private */
    struct broker *broker;
    struct task next;
    struct arena *slice;
    struct store_query query;
    struct store_apply apply;
    uint64_t until_seq, next_seq;
};
/* done is called once, possibly before this returns. */
void purge_start(struct broker *b, struct purge *p);

#endif
