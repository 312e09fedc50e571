/* What temporal evolutions must be, worked out the plain way from what was done: entities of three series each, whose
 * instances are numbers. Told to another process as lines of text, before and after each thing is done. */
#ifndef TESTS_FAULT_HISTORY_MODEL_H
#define TESTS_FAULT_HISTORY_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MODEL_SERIES = 3, MODEL_ENTITIES_MAX = 64 };
#define MODEL_UNKNOWN UINT64_MAX /* a change that nobody acknowledged */
#define MODEL_NO_TIME INT64_MIN

struct model_point {
    uint64_t seq; /* or MODEL_UNKNOWN */
    uint32_t index;
    int64_t place; /* point_place() */
    int64_t value;
    bool deletion;
};

struct model_series {
    struct model_point *points; /* in no order */
    uint32_t count, room;
    bool current; /* today's entity has it, with … */
    int64_t value;
};

struct model_entity {
    bool there; /* today */
    bool ended; /* its end is on record */
    struct model_series series[MODEL_SERIES];
};

/* What can be done to one entity. */
struct model_op {
    char kind;      /* U: attributes are set; P: and the others go; D: the entity is deleted; X: series `k` of it is;
                       R: `n` instances are recorded; M, I: one is modified, forgotten; A: the series is; Z: all of it is;
                       K: its end is recorded */
    unsigned entity, k, mask, n;
    int64_t now, value, at; /* at: observedAt, of the first with n, MODEL_NO_TIME: none */
    uint64_t seq;           /* of the instance; so is the next */
    uint32_t index;
};
enum { MODEL_STEP_US = 1000 }; /* between instances that are recorded together */

void model_apply(struct model_entity *e, const struct model_op *op, uint64_t seq);
/* Is the end of the entity one that can be recorded: some series has not ended? */
bool model_can_end(const struct model_entity *e);
/* NULL: the series are the same but for changes that are MODEL_UNKNOWN in e, which are then filled in. Else what is not. */
const char *model_compare(struct model_entity *e, struct model_entity *found);
void model_free(struct model_entity *e);

/* Room for a line. */
enum { MODEL_LINE_MAX = 200 };
void model_op_write(const struct model_op *op, char line[MODEL_LINE_MAX]); /* "s …\n" */
bool model_op_read(struct model_op *op, const char *line);
/* A whole city; an empty file is one without entities. */
void model_write(const struct model_entity *all, FILE *f);
void model_read(struct model_entity *all, FILE *f);

void model_add(struct model_series *s, const struct model_point *p);

#endif
