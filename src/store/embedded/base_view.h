/* The base as it was at one moment, for history that is read while the base is written. Any
 * thread, while the base stays open; a view is one thread's. */
#ifndef STORE_EMBEDDED_BASE_VIEW_H
#define STORE_EMBEDDED_BASE_VIEW_H

#include "store/embedded/base.h"

/* As it is now, whatever is written meanwhile. Caller closes. */
struct base_view;
struct base_view *base_view_open(struct base *b);
void base_view_close(struct base_view *v);
/* base_read_position(), of the view. */
MUST_USE enum status base_view_position(struct base_view *v, struct base_position *p, struct why *why);
/* E_NOT_FOUND when absent. Caller frees *owned, which *bytes lie in. */
MUST_USE enum status base_view_get(struct base_view *v, struct str key, struct str *bytes, char **owned, struct why *why);
/* By ascending keys, mostly close to one another. */
struct base_walk;
struct base_walk *base_walk_open(struct base_view *v);
void base_walk_close(struct base_walk *w);
/* E_NOT_FOUND when absent. Borrowed until the next one. */
MUST_USE enum status base_walk_get(struct base_walk *w, struct str key, struct str *bytes, struct why *why);
/* Pairs of the keys in [from, to), or backwards, borrowed for the call; until `pair` says false. Bytes without what all
 * begin with are handed over as none. */
MUST_USE enum status base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                     bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);

#endif
