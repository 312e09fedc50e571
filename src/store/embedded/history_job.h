/* Calls on their way through a worker of the history. */
#ifndef STORE_EMBEDDED_HISTORY_JOB_H
#define STORE_EMBEDDED_HISTORY_JOB_H

#include "store/embedded/history.h"
#include "store/embedded/history_past.h"

struct base_view;

struct history_job {
    struct history_job *next;
    struct store_call *call;
    void (*run)(struct embedded *e, struct history_job *j); /* on the worker; answers in the end, or leaves it to the committer */
};
/* Takes j, malloc'd, over. True: it failed at once. */
bool history_queue(struct history_worker *w, struct history_job *j);
/* On its loop. */
void history_answer(struct store_call *call);
/* Cancelled, or too late: says so in call. */
bool history_is_over(struct store_call *call);

/* All there is of an entity, as of one moment: what the base has, what a fold has still to write, and today's version. */
struct history_view {
    struct past past;
    const struct doc *doc;  /* NULL: none today. A copy */
    struct tenant *tenant;
    struct str touched;     /* the entity's id, when a fold is to take away what has ended, or to make its head again; else absent */
    struct base_view *base; /* for sealed chunks; NULL: there is no base. The base stays open until history_view_close() */
};
/* Everything is in the arena. */
MUST_USE enum status history_view_open(struct embedded *e, struct tenant *t, struct str id, struct arena *a,
                                       struct history_view *v, struct why *why);
void history_view_close(struct embedded *e, struct history_view *v);
/* Nothing happens to the entity's history, but that the next fold comes by. */
void history_touch(struct embedded *e, struct tenant *t, struct str id);
/* Is anything known of the entity, today or before? */
bool history_view_exists(const struct history_view *v);
/* Does what today's version has as instance i count? It is no more than a value that was dealt with by itself. */
bool history_view_current(const struct history_view *v, const struct attr *a);

#endif
