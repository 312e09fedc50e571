/* Private to import: how far it got, in a small JSON file that is replaced as a
 * whole, so that a crash leaves the last state or the one before.
 *
 * {"wellspring":"import","version":1,"run":"…16 hex…","input":0,"digest":"…",
 *  "part":0,"sub":0,"offset":0,"line":1,"record":0,
 *  "stored":0,"created":0,"updated":0,"rejected":0,"report":0} */
#ifndef SENSE_IMPORT_STATE_H
#define SENSE_IMPORT_STATE_H

#include "base/arena.h"
#include "base/status.h"
#include "sense/source.h"

struct import_state {
    uint64_t run;    /* digest of what makes two imports the same: inputs, mapping, city … */
    uint32_t input;  /* the file that it is in */
    uint64_t digest; /* of that file */
    struct source_mark mark;
    uint64_t stored; /* entities, of which the city said that so many were created, updated */
    uint64_t created, updated, rejected;
    uint64_t report; /* bytes of the report that belong to the rows up to the mark */
};

/* E_NOT_FOUND: there is none; E_DAMAGED: it is no state file; E_IO. */
MUST_USE enum status import_state_load(struct import_state *s, const char *path, struct why *why);
MUST_USE enum status import_state_save(const struct import_state *s, const char *path,
                                       struct why *why);
/* The place for the state of a run that names none, in $XDG_STATE_HOME or ~/.local/state; made when
 * it is not there. NULL when there is no such place. */
const char *import_state_place(uint64_t run, struct arena *a);

#endif
