/* Context information provision: the one gate through which every change of an
 * entity passes (CIM 009 clause 5.6). Forwarding to registered sources (4.3.6)
 * will divide the edits here; today all of them are local. */
#ifndef BROKER_PROVIDE_H
#define BROKER_PROVIDE_H

#include "broker/broker.h"

/* Runs a->edits: sets the time of the change and whether the tenant may be created (5.5.10: only by
 * operations that create). Everything else of a is the caller's, as for store_apply(). */
bool provide_edits(struct broker *b, struct store_apply *a);

/* One deletion, of an entity or of an attribute (5.6.5, 5.6.6). Where no such entity is there today but its temporal
 * evolution is, as 5.6.11 may have made it, the deletion is recorded in that, and counts as done. */
struct provide_deletion {
    struct store_apply apply; /* one edit; status and result say what came of it in the end */
    void (*done)(struct provide_deletion *d);
    /* private */
    struct broker *broker;
    struct record_edit mark;
    struct record_result marked;
    struct store_record record;
};
/* True: completed at once. */
bool provide_deletion(struct broker *b, struct provide_deletion *d);

#endif
