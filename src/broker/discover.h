/* Which entity types and attributes there are (CIM 009 clauses 5.7.5 … 5.7.10). The
 * answer is put together from sources, of which the local store is one: what
 * registrations promise is to be merged where discover.c takes over the store's names.
 *
 * Names come out as IRIs, in their order; how they are written is the front's. */
#ifndef BROKER_DISCOVER_H
#define BROKER_DISCOVER_H

#include "broker/broker.h"

struct discover_name {
    struct str iri;          /* borrowed from the terms */
    uint32_t term;
    uint64_t count;          /* entities of a type, instances of an attribute */
    uint32_t kinds;          /* of an attribute: STORE_KIND_BIT */
    struct discover_name *with; /* what it occurs with, when details are asked for */
    uint32_t with_count;
};

struct discover {
    struct store_census local; /* set caller, attributes, details, term, arena, call.home, call.deadline_us */
    void (*done)(struct discover *d);
    /* out */
    enum status status;
    struct discover_name *names; /* in the arena, by IRI */
    uint32_t count;
    /* private */
    struct broker *broker;
};
/* True: completed at once. */
bool discover_start(struct broker *b, struct discover *d);

#endif
