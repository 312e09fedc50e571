/* How far an export got, in a small JSON file beside the one it writes, replaced as a whole, so that a crash leaves the last
 * state or the one before.
 *
 * {"wellspring":"export","version":1,"run":"…","bytes":0,"rows":0,"entities":0,"type":"…","last":"…","time":"…"} */
#ifndef MAIN_EXPORT_STATE_H
#define MAIN_EXPORT_STATE_H

#include "base/arena.h"
#include "base/status.h"

struct export_state {
    struct str run;     /* what makes two exports the same: city, tenant, options */
    uint64_t bytes;     /* of the file that are of what is counted here */
    uint64_t rows, entities;
    struct str type;    /* of all types, the one at hand; absent: none, or one alone */
    struct str last;    /* rowid, or entity, that is done; absent: none */
    struct str entity;  /* of history: it is done up to time; absent: none has been begun */
    struct str time;
};

/* Strings in the arena. E_NOT_FOUND: there is none; E_DAMAGED: it is no such file; E_IO. */
MUST_USE enum status export_state_load(struct export_state *s, const char *path, struct arena *a, struct why *why);
MUST_USE enum status export_state_save(const struct export_state *s, const char *path, struct why *why);

#endif
