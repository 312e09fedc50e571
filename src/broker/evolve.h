/* Temporal evolutions (CIM 009 clauses 5.6.11 … 5.6.16, 5.7.3, 5.7.4): asked for as consume.h asks for entities, changed
 * as provide.h changes them. The local store is the one source today; what registered sources remember (4.3.6) will be
 * joined to its answers here. */
#ifndef BROKER_EVOLVE_H
#define BROKER_EVOLVE_H

#include "broker/consume.h"

struct evolve_query {
    struct store_evolve local; /* set all inputs; with an id it is a retrieval */
    void (*done)(struct evolve_query *q);
    /* out */
    enum status status;
    struct evolution *evolutions; /* in the arena of local */
    uint32_t count;
    struct consume_warning *warnings;
    uint32_t warning_count;
    /* private */
    struct broker *broker;
};
/* True: completed at once. */
bool evolve_query(struct broker *b, struct evolve_query *q);

/* Runs r->edits: sets the time of the change and whether the tenant may be created (5.5.10: by 5.6.11 alone).
 * Everything else of r is the caller's, as for store_record(). */
bool evolve_record(struct broker *b, struct store_record *r);

#endif
