/* One temporal edit of one entity (CIM 009 clauses 5.6.11 … 5.6.16): what it does to the evolution, as items for the log.
 * Any thread; history_write.c sees to it that nothing changes meanwhile. */
#ifndef STORE_EMBEDDED_HISTORY_EDIT_H
#define STORE_EMBEDDED_HISTORY_EDIT_H

#include "store/embedded/history_job.h"

struct history_edit {
    /* in */
    const struct terms *terms;
    struct tenant *tenant; /* NULL: there is none yet */
    const struct record_edit *asked;
    int64_t now_us;
    struct history_view view; /* of the entity; the caller's */
    struct arena *arena;
    /* out */
    struct buf items; /* behind those that are there */
    bool created;
    struct why why;
};
/* E_NOT_FOUND and the like, with why. */
MUST_USE enum status history_edit_work_out(struct history_edit *h);
/* What an edit that adds does, whatever is there: the view is not looked at. */
void history_edit_add(struct history_edit *h);

#endif
