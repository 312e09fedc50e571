/* Every way to change an entity, as pure functions of the old version and a
 * fragment: the closed set of operations that a store runs under its own lock. */
#ifndef MODEL_EDIT_H
#define MODEL_EDIT_H

#include "base/arena.h"
#include "base/status.h"
#include "model/entity.h"

#include <stdint.h>

enum edit_kind {
    EDIT_CREATE,         /* 5.6.1: absent, else E_EXISTS */
    EDIT_REPLACE,        /* 5.6.18: createdAt of the entity and of attributes that stay is kept */
    EDIT_UPSERT_REPLACE, /* 5.6.8 default: create or replace */
    EDIT_UPSERT_UPDATE,  /* 5.6.8 options=update: create, or update as 5.6.2 */
    EDIT_APPEND,         /* 5.6.3: add attributes; EDIT_NO_OVERWRITE keeps those that exist */
    EDIT_UPDATE,         /* 5.6.2: partial update patch at entity level (PATCH …/attrs) */
    EDIT_MERGE,          /* 5.6.17: merge patch */
    EDIT_DELETE,         /* 5.6.6 */
    EDIT_ATTR_UPDATE,    /* 5.6.4: partial update of one attribute instance */
    EDIT_ATTR_REPLACE,   /* 5.6.19 */
    EDIT_ATTR_DELETE,    /* 5.6.5: instance `dataset`, or all with EDIT_ALL_INSTANCES */
    EDIT_PRUNE,          /* 5.6.21: drop the attributes in `terms`, or all but these (EDIT_KEEP) */
    EDIT_EXPIRE,         /* 4.22: delete what has an expiresAt <= now: the entity, or attributes and
                            sub-attributes of it; an absent entity is no error */
    EDIT_COPY,           /* 5.16: the fragment as it is, system times and all; to an entity that is there, it adds types,
                            scopes and the instances that are missing */
};

enum {
    EDIT_NO_OVERWRITE = 1,  /* APPEND, MERGE */
    EDIT_ALL_INSTANCES = 2, /* ATTR_DELETE */
    EDIT_KEEP = 4,          /* PRUNE */
    EDIT_SCOPE = 8,         /* ATTR_DELETE: the scope, not a term (5.6.5.4); PRUNE: the scope too */
};

/* One change. Borrowed by the store until the operation completes. */
struct edit {
    uint8_t kind; /* enum edit_kind */
    uint32_t flags;
    struct str id;
    const struct entity *fragment; /* CREATE … MERGE */
    const struct attr *attrs;      /* ATTR_UPDATE, ATTR_REPLACE: instances of one term, sorted */
    uint32_t attr_count;
    uint32_t term;         /* ATTR_… */
    struct str dataset;    /* ATTR_DELETE: "" = default instance */
    const uint32_t *terms; /* PRUNE */
    uint32_t term_count;
    const struct type_expr *only_type; /* "type" parameter: else E_NOT_FOUND (model/filter.h) */
    uint64_t if_seq;                   /* 0, or the version this applies to, else E_CONFLICT */
    const struct terms *names;         /* for refusals; NULL: attributes stay unnamed there */
};

/* What became of one attribute instance of the fragment, or of its scope. Taken by UPDATE, APPEND,
 * MERGE, ATTR_UPDATE and ATTR_REPLACE; the others do all or nothing. */
struct edit_note {
    uint32_t term; /* TERM_NONE: the scope */
    struct str dataset;
    bool done;          /* updated, appended or deleted; else not, for `reason` */
    const char *reason; /* static text, NULL when done */
};

struct edit_result {
    enum status status; /* OK also when nothing changed */
    struct why *why;    /* in the arena when status != OK, else NULL */
    bool expired; /* old was over by now and counted as absent: it is deleted before the change */
    bool created;
    bool deleted;
    bool changed; /* there is a new version, or none any more; else nothing could be applied */
    uint64_t seq; /* of the change, when changed; set by the store */
    uint32_t note_count;
    struct edit_note *notes;
};

/* Applies e to old (NULL: absent) at time now (µs). When result.changed and not deleted, *out is
 * the next version, in the arena, borrowing from old and the fragment; its system times are set:
 * modified_at never before old's. What has expired by now counts as gone, swept away or not (4.22).
 * Pure: same input, same output. */
void edit_apply(const struct edit *e, const struct entity *old, int64_t now, struct arena *a,
                struct entity *out, struct edit_result *result);

/* What is left of old at time now, for those who only look: nothing counts as modified. False when
 * old itself has expired. out borrows from old; the rest is in the arena. */
bool edit_left(const struct entity *old, int64_t now, struct arena *a, struct entity *out);

#endif
