/* The load of the drivers that record while history is swept, and what such a load told before it was killed. Both drivers
 * need it alike: how calls overlap decides what a crash can meet, and what was told is all that is known after it. What is
 * done, and what the entities must then be, is the driver's own. */
#ifndef TESTS_FAULT_DRIVE_H
#define TESTS_FAULT_DRIVE_H

#include "base/arena.h"
#include "store/store.h"

enum { DRIVE_ENTITIES_MAX = 8, DRIVE_LINE_MAX = 160 };

/* ---- doing ---- */

/* One edit, of one entity that nothing else happens to meanwhile. */
struct drive_job {
    struct store_record record;
    struct record_edit edit;
    struct record_result result;
    struct arena *arena; /* emptied before the next */
    void *op;            /* the driver's own, in that arena */
    unsigned entity;
    bool busy;
};

struct drive {
    struct store *store;
    const struct caller *caller;
    unsigned entities;  /* at most DRIVE_ENTITIES_MAX */
    uint32_t look_each; /* one turn in so many, by lot, is a look */
    /* Says "s K ENTITY …", fills in op, edit and record.now_us. */
    void (*start)(struct drive_job *j);
    /* The store did it, and it has been said ("a ENTITY 1"; refused: 0, and no call). */
    void (*happened)(const struct drive_job *j);
    /* Nothing happens to that entity until this returns, while others go on. */
    void (*look)(unsigned entity);
};

/* As many edits as --ops says (else 200), at most --wide (else 6) of them under way, all awaited. An error ends the program,
 * but for E_NOT_FOUND of what was to be changed: that is a refusal. */
void drive_run(const struct drive *d, int argc, char **argv);

/* ---- what was told ---- */

struct drive_told {
    char op[DRIVE_LINE_MAX]; /* "K ENTITY …", as the driver said it */
    bool known, happened;    /* it was acknowledged; and was not refused */
};

/* Reads the standard input, what drive_run() said, to the end. each, unless NULL, is called for every operation in the order
 * in which they were asked for. */
void drive_hear(void (*each)(const char *op));
/* The n-th of an entity, until the program ends; NULL: there are no more. */
const struct drive_told *drive_told(unsigned entity, uint32_t n);

#endif
