/* What filters and orders look at: an entity as a tree or as a stored block. The few
 * functions here are all that differs between the two. */
#ifndef MODEL_FILTER_SUBJECT_H
#define MODEL_FILTER_SUBJECT_H

#include "model/doc.h"
#include "model/filter.h"

struct filter_subject {
    const struct entity *tree; /* one of the two */
    const struct doc *doc;
};

static inline struct str filter_subject_id(const struct filter_subject *s)
{
    return s->doc ? doc_id(s->doc) : s->tree->id;
}

/* Instances of one attribute, one after another. */
struct filter_instances {
    const struct filter_subject *s;
    uint32_t term;
    uint32_t at, end;         /* indexes into the block; end is not known before */
    const struct attr *attrs; /* of a tree, `end` of them */
};

static inline struct filter_instances filter_instances_of(const struct filter_subject *s,
                                                          const struct name *name)
{
    struct filter_instances it = {.s = s, .term = name->term};
    if (name->term == TERM_NONE)
        return it;
    if (s->doc) {
        it.at = doc_find_attr(s->doc, name->term);
        it.end = it.at == UINT32_MAX ? it.at : doc_attr_count(s->doc);
    } else {
        it.attrs = entity_attr(s->tree, name->term, &it.end);
    }
    return it;
}

static inline bool filter_instances_left(const struct filter_instances *it)
{
    return it->at < it->end && (!it->s->doc || doc_attr_term(it->s->doc, it->at) == it->term);
}

static inline enum attr_kind filter_instance_value(const struct filter_instances *it,
                                                   struct value *out)
{
    if (it->s->doc) {
        doc_attr_value(it->s->doc, it->at, out);
        return doc_attr_kind(it->s->doc, it->at);
    }
    *out = it->attrs[it->at].value;
    return (enum attr_kind)it->attrs[it->at].kind;
}

/* room: where a block's attribute is decoded to. */
static inline const struct attr *filter_instance_attr(const struct filter_instances *it,
                                                      struct arena *a, struct attr *room)
{
    if (!it->s->doc)
        return &it->attrs[it->at];
    doc_attr(it->s->doc, it->at, a, room);
    return room;
}

#endif
