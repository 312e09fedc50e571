/* The temporal evolution of an entity (CIM 009 clause 4.5.6): its series, each the instances that one
 * attribute had, or will have, over time; and their bytes, as the log and the base store keep them.
 *
 * An instance is told from others of its series by the change that recorded it and a number within
 * that change, never by its time or value, so that a modified instance stays itself. */
#ifndef MODEL_EVOLUTION_H
#define MODEL_EVOLUTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/entity.h"

#include <stdint.h>

/* The scope as a series (4.5.6): an attribute of this term, a Property whose value is a string or a JSON array. */
#define TERM_SCOPE TERM_NONE

/* An instance. One that tells of a deletion (4.5.7) has deleted_at and a value of VALUE_NULL. */
struct point {
    struct attr attr;   /* with its times; seq: of the change that recorded it, never 0 once stored */
    uint32_t index;     /* among the instances of the series that this change recorded */
    int64_t deleted_at; /* TIME_NONE: no deletion */
};

/* The four times an instance may have (clause 4.8). */
enum time_property { TIME_OBSERVED_AT, TIME_CREATED_AT, TIME_MODIFIED_AT, TIME_DELETED_AT, TIME_PROPERTY_COUNT };
/* TIME_NONE: it has none. */
int64_t point_time(const struct point *p, enum time_property property);
/* Where it stands in its series: when it was observed, else deleted, else modified. */
int64_t point_place(const struct point *p);
/* Order within a series: place, then change, then index. */
int point_order(const struct point *a, const struct point *b);
void points_sort(struct point *points, uint32_t n);

struct aggregates;

/* Instances of one attribute with one datasetId, in point_order(). In a partial answer count is 0 where all were left out;
 * points[0] is one of these still. */
struct series {
    uint32_t term; /* or TERM_SCOPE */
    struct str dataset;
    uint32_t count;
    struct point *points;
    struct aggregates *aggregates; /* instead of points, when these were asked for (model/aggregate.h) */
};

/* Series are sorted by term and dataset, byte order, default instance first. */
struct evolution {
    struct str id;
    uint32_t type_count;
    uint32_t *types;
    int64_t created_at; /* the entity's; TIME_NONE: unknown; so are the next three */
    int64_t modified_at;
    int64_t deleted_at; /* it is there no more */
    int64_t expires_at;
    uint32_t count;
    struct series *series;
};

/* First series of that term, or NULL; *count: how many follow one another. */
const struct series *evolution_series(const struct evolution *e, uint32_t term, uint32_t *count);

/* ---- instance ids ---- */

/* An instance's URI: which change, which of its instances, of which series. */
enum { INSTANCE_ID_MAX = 80 };
size_t instance_id_write(struct str entity, struct str attr_iri, struct str dataset, uint64_t seq, uint32_t index,
                         char out[INSTANCE_ID_MAX]);
/* False: it is none of ours. What of it is about the entity and the attribute is not compared: see instance_id_is(). */
bool instance_id_read(struct str id, uint64_t *seq, uint32_t *index);
/* Is it the id of that instance? */
bool instance_id_is(struct str id, struct str entity, struct str attr_iri, struct str dataset, uint64_t seq, uint32_t index);

/* ---- bytes (docs/formats/history.md) ---- */

/* Appends p. Terms are as in memory. */
void point_write(struct buf *b, const struct point *p);
/* Takes one off the front of *bytes; strings borrow from there, sub-attributes are in the arena. E_DAMAGED when it is no
 * valid point with terms up to term_max. */
MUST_USE enum status point_read(struct str *bytes, uint32_t term_max, struct arena *a, struct point *out, struct why *why);

/* Of p, all but its term, dataset, value, change, index and four times, which chunks keep in columns: its kind, unitCode,
 * valueType, objectType, expiresAt, sub-attributes. What times these have is told as a distance from p's modified_at, and
 * changes from p's, so that instances that differ in nothing else have the same shape. */
void point_shape_write(struct buf *b, const struct point *p);
/* Fills that in; modified_at and seq of out are set. As point_read(). */
MUST_USE enum status point_shape_read(struct str *bytes, uint32_t term_max, struct arena *a, struct point *out, struct why *why);

#endif
