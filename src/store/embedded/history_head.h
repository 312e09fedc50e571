/* Heads of pasts as the base keeps them, for a fold and for readers. */
#ifndef STORE_EMBEDDED_HISTORY_HEAD_H
#define STORE_EMBEDDED_HISTORY_HEAD_H

#include "store/embedded/history_past.h"

struct base_view;

/* Into p, which is empty; OK also when there is none. What of a head is damaged is made again as far as it can be told
 * (docs/formats/history.md); p->lost and p->series_lost say so. */
MUST_USE enum status history_head_read(struct base_view *view, uint32_t tenant, struct str id, struct past *p,
                                       struct why *why);

#endif
