/* Context information provision: the one gate through which every change of an
 * entity passes (CIM 009 clause 5.6). Forwarding to registered sources (4.3.6)
 * will divide the edits here; today all of them are local. */
#ifndef BROKER_PROVIDE_H
#define BROKER_PROVIDE_H

#include "broker/broker.h"

/* Runs a->edits: sets the time of the change and whether the tenant may be created (5.5.10: only by
 * operations that create). Everything else of a is the caller's, as for store_apply(). */
bool provide_edits(struct broker *b, struct store_apply *a);

#endif
