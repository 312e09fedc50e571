/* Heads of pasts as the base keeps them, for a fold and for readers. */
#ifndef STORE_EMBEDDED_HISTORY_HEAD_H
#define STORE_EMBEDDED_HISTORY_HEAD_H

#include "store/embedded/history_past.h"

struct base;
struct base_view;

/* Into p, which is empty; OK also when there is none. What of a head is damaged is made again as far as it can be told
 * (docs/formats/history.md); p->lost and p->series_lost say so. */
MUST_USE enum status history_head_read(struct base_view *view, uint32_t tenant, struct str id, struct past *p,
                                       struct why *why);
/* Gives open chunks that cannot be read keys of their own, where they do no more harm and can be looked at. series: what keys of
 * the series' chunks begin with. */
void history_head_set_aside(struct base *b, struct past *p, struct past_series *s, struct str series);

#endif
