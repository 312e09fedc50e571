/* Start-up; see load.c. */
#ifndef STORE_EMBEDDED_LOAD_H
#define STORE_EMBEDDED_LOAD_H

#include "store/embedded/journal.h"

struct embedded;

/* Fills memory from base and log. *figures: what was replayed. E_DAMAGED says where. */
MUST_USE enum status load_all(struct embedded *e, struct journal_replay *figures, struct why *why);

#endif
