/* Start-up; see load.c and load_base.c. */
#ifndef STORE_EMBEDDED_LOAD_H
#define STORE_EMBEDDED_LOAD_H

#include "store/embedded/base.h"
#include "store/embedded/journal.h"

struct embedded;

/* Fills memory from base and log. *figures: what was replayed. E_DAMAGED says where. */
MUST_USE enum status load_all(struct embedded *e, struct journal_replay *figures, struct why *why);

/* ---- load_base.c ---- */
/* The base alone; it stays open in e->fold. *p: how far it goes; *told_seq: base_read_told(). */
MUST_USE enum status load_base(struct embedded *e, struct base_position *p, uint64_t *told_seq,
                               struct why *why);

#endif
