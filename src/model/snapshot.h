/* The Snapshot data type (CIM 009 clauses 5.2.41, 5.2.42, 5.3.4): what is given, what is
 * stored, what is shown, and q over its members (clause 5.16.7). The entities of a
 * snapshot are the store's business. */
#ifndef MODEL_SNAPSHOT_H
#define MODEL_SNAPSHOT_H

#include "base/json.h"
#include "model/filter.h"

enum snapshot_status {
    SNAPSHOT_PREPARING,
    SNAPSHOT_SUCCESS,
    SNAPSHOT_PARTIAL,
    SNAPSHOT_FAILURE,
    SNAPSHOT_EMPTY,
    SNAPSHOT_STATUS_COUNT
};
/* "preparing" … */
const char *snapshot_status_name(enum snapshot_status s);

enum { SNAPSHOT_PRIORITY = 5 }; /* when none is given */

struct snapshot {
    struct str id;               /* absent: to be given */
    struct str queries;          /* JSON texts of arrays, as given; absent: none */
    struct str temporal_queries;
    struct str lifetime;         /* an ISO 8601 duration, as given; absent: none */
    uint32_t priority;           /* 1 … 10 */
    struct str endpoint;         /* absent: none */
    struct str receiver_info;    /* JSON text of an array of {key, value}; absent: none */
    /* output only */
    uint8_t status;              /* enum snapshot_status */
    struct str details;          /* JSON texts of arrays of ExecutionResultDetails; absent: none yet */
    struct str temporal_details;
    int64_t created_at, modified_at, expires_at, last_used_at;
};

/* What a body may say. */
enum snapshot_mode {
    SNAPSHOT_CREATE,  /* 5.16.1: at least one query */
    SNAPSHOT_CLONE,   /* 5.16.2: no queries */
    SNAPSHOT_FRAGMENT /* 5.16.4: out is changed; NGSI-LD Null removes */
};
/* The members of body into out, texts in the arena; output only ones are ignored. E_BAD_DATA with the member. */
MUST_USE enum status snapshot_read(const struct json *body, enum snapshot_mode mode, struct arena *a,
                                   struct snapshot *out, struct why *why);
/* A copy that lives in the arena. */
struct snapshot snapshot_dup(const struct snapshot *s, struct arena *a);

/* Its members, without braces: {"id": …, "type": "Snapshot" …. */
void snapshot_write(struct buf *b, const struct snapshot *s);
/* The stored form: the same, and the tenant of the store that holds the entities. E_DAMAGED. */
void snapshot_store(struct buf *b, const struct snapshot *s, struct str held_in);
MUST_USE enum status snapshot_load(struct str stored, struct arena *a, struct snapshot *out, struct str *held_in,
                                   struct why *why);
/* A SnapshotNotification (clause 5.3.4). deleted: the snapshot is gone. */
void snapshot_notification_write(struct buf *b, const struct snapshot *s, struct str id, int64_t at, bool deleted);

/* ExecutionResultDetails: a ProblemDetails object; an array that says it of every query of an array (JSON text, or
 * absent: absent). In the arena. */
struct str snapshot_problem(struct arena *a, enum status status, const char *detail);
struct str snapshot_failures(struct arena *a, struct str queries, struct str problem);

/* q over the members of Snapshot: read, and refused where it names anything else. Free with filter_free(). */
MUST_USE enum status snapshot_query_read(const struct filter_reader *r, struct terms *terms, struct str q,
                                         struct filter **out, struct why *why);
bool snapshot_query_match(const struct filter *q, struct terms *terms, const struct snapshot *s, struct arena *scratch);

#endif
