/* The header NGSILD-Snapshot (CIM 009 clauses 5.5.15, 6.3.22). */
#ifndef FRONT_NGSILD_SNAPSHOTS_H
#define FRONT_NGSILD_SNAPSHOTS_H

#include "front/ngsild/exchange.h"

/* Makes the snapshot that the header names, if any, what x works on. Call it when the tenant is known. */
MUST_USE enum status snapshots_select(struct exchange *x);

#endif
