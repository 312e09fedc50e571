/* What the parts of edit.c share: one run of an edit, and the rules by which an
 * instance of a fragment meets the one the entity has. Nothing here outlives
 * edit_apply().
 *
 *   edit.c         preconditions, the entity's own members, which operation does what
 *   edit_attr.c    lists of instances: walking old and fragment, replacing, removing
 *   edit_merge.c   one instance laid over another: 5.6.4 and 5.6.17
 *   edit_value.c   values: RFC 7396, and what fits the kind an attribute has
 */
#ifndef MODEL_EDIT_INT_H
#define MODEL_EDIT_INT_H

#include "model/edit.h"

#include <stdbool.h>

struct edit_run {
    const struct edit *edit;
    const struct entity *old; /* NULL: absent */
    int64_t now;
    int64_t at; /* time of the change: now, but never before old's modified_at */
    struct arena *arena;
    struct edit_result *result;
    bool applied; /* something was set or removed */
};

/* What a rule made of one instance of the fragment. */
enum edit_fate {
    EDIT_SET,     /* *out is the instance from now on */
    EDIT_REMOVED, /* the entity's is gone */
    EDIT_EXISTS,  /* it was there and is left alone */
    EDIT_ABSENT,  /* it should have been removed and was not there */
    EDIT_REFUSED, /* the whole edit is refused, see result */
};
/* was: the entity's instance of the same term and dataset, or NULL. */
typedef enum edit_fate (*edit_rule)(struct edit_run *r, const struct attr *was,
                                    const struct attr *fragment, struct attr *out);
enum edit_fate edit_rule_replace(struct edit_run *r, const struct attr *was,
                                 const struct attr *fragment, struct attr *out);
/* 5.5.8 on one attribute: members and sub-attributes given are replaced, others stay; the kind too.
 */
enum edit_fate edit_rule_update(struct edit_run *r, const struct attr *was,
                                const struct attr *fragment, struct attr *out);
/* 5.5.12: merged to any depth. */
enum edit_fate edit_rule_merge(struct edit_run *r, const struct attr *was,
                               const struct attr *fragment, struct attr *out);

struct edit_list {
    const struct attr *attrs;
    uint32_t count;
};
/* Walks both lists in their common order and lets the rule decide on each instance of the fragment;
 * the entity's other instances stay (keep) or go. top: of the entity itself, so that notes are
 * taken and EDIT_NO_OVERWRITE counts. False when refused. */
bool edit_walk(struct edit_run *r, struct edit_list old, struct edit_list fragment, edit_rule rule,
               bool keep, bool top, struct attr **out, uint32_t *count);

/* ATTR_UPDATE … EXPIRE: fill out->attrs; status in the result. */
void edit_attr_change(struct edit_run *r, struct entity *out);
void edit_attr_delete(struct edit_run *r, struct entity *out);
void edit_attr_prune(struct edit_run *r, struct entity *out);
void edit_attr_expire(struct edit_run *r, struct entity *out);
/* What later edits see of old: without what is over; NULL when it is over itself. */
const struct entity *edit_attr_left(struct edit_run *r);

/* The value of the fragment as `kind` takes it. False when refused. */
bool edit_value_adopt(struct edit_run *r, const struct attr *fragment, enum attr_kind kind,
                      struct value *out);
/* RFC 7396 with "urn:ngsi-ld:null" as null: *out becomes old with patch merged into it, where both
 * are JSON objects; else patch, without the members that are null. old may be NULL, and out either
 * of them. False when refused. */
bool edit_value_merge(struct edit_run *r, const struct value *old, const struct value *patch,
                      struct value *out);

/* Refuses the edit: sets the result's status and why. Returns false. */
bool edit_refuse(struct edit_run *r, enum status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* For refusals: "attribute <iri>", with the datasetId if there is one. */
const char *edit_name(struct edit_run *r, uint32_t term, struct str dataset);
void edit_note(struct edit_run *r, uint32_t term, struct str dataset, const char *reason);

#endif
