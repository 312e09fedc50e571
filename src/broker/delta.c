/* Both versions list their instances by term and datasetId, so one walk over the two finds
 * what is in one of them alone. Of an instance that is in both, sequence and time of
 * modification say whether anybody wrote it; only then are values compared. */
#include "broker/delta.h"

#include "model/subscription.h"

static void note(struct delta *d, uint32_t term, uint32_t trigger)
{
    if (d->count == 0 || d->attrs[d->count - 1].term != term)
        d->attrs[d->count++] = (struct delta_attr){.term = term};
    d->attrs[d->count - 1].triggers |= trigger;
    d->triggers |= trigger;
}

static void note_all(struct delta *d, const struct doc *doc, uint32_t trigger)
{
    for (uint32_t i = 0; i < doc_attr_count(doc); i++)
        note(d, doc_attr_term(doc, i), trigger);
}

/* Instance i of before and j of after, which are of one name: is the value another one? */
static bool is_changed(const struct doc *before, uint32_t i, const struct attr *x,
                       const struct doc *after, uint32_t j, const struct attr *y, struct arena *a)
{
    if (x->seq == y->seq && x->modified_at == y->modified_at)
        return false;
    struct attr whole_x, whole_y;
    doc_attr(before, i, a, &whole_x);
    doc_attr(after, j, a, &whole_y);
    return !attr_same(&whole_x, &whole_y);
}

static void compare(struct delta *d, const struct doc *before, const struct doc *after,
                    struct arena *a)
{
    uint32_t i = 0, j = 0, n = doc_attr_count(before), m = doc_attr_count(after);
    struct attr x, y;
    bool has_x = false, has_y = false;
    while (i < n || j < m) {
        if (i < n && !has_x)
            doc_attr_alone(before, i, &x);
        if (j < m && !has_y)
            doc_attr_alone(after, j, &y);
        has_x = i < n;
        has_y = j < m;
        int order = !has_x ? 1 : !has_y ? -1 : attr_order(&x, &y);
        if (order < 0)
            note(d, x.term, TRIGGER_ATTR_DELETED);
        else if (order > 0)
            note(d, y.term, TRIGGER_ATTR_CREATED);
        else if (is_changed(before, i, &x, after, j, &y, a))
            note(d, y.term, TRIGGER_ATTR_UPDATED);
        if (order <= 0) {
            i++;
            has_x = false;
        }
        if (order >= 0) {
            j++;
            has_y = false;
        }
    }
}

void delta_of(const struct doc *before, const struct doc *after, struct arena *a,
              struct delta *out)
{
    uint32_t room = (before ? doc_attr_count(before) : 0) + (after ? doc_attr_count(after) : 0);
    *out = (struct delta){.attrs = arena_array(a, struct delta_attr, room)};
    if (before && after) {
        compare(out, before, after, a);
        return;
    }
    out->entity = before ? TRIGGER_ENTITY_DELETED : TRIGGER_ENTITY_CREATED;
    out->triggers = out->entity;
    note_all(out, before ? before : after, before ? TRIGGER_ATTR_DELETED : TRIGGER_ATTR_CREATED);
}
