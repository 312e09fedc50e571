/* The graph of linked entities, seen from one node. */
#include "model/links.h"

#include "model/represent_int.h"

struct represent links_inner(const struct represent *r, const struct link_node *n)
{
    struct represent inner = *r;
    inner.pick = n->pick;
    inner.omit = n->omit;
    inner.links = n;
    inner.geojson = false;
    inner.in_list = false;
    inner.at_context = STR_NONE;
    inner.previous = NULL; /* what changed are the entities that lead here */
    inner.deleted = false;
    return inner;
}

bool links_leaves(const struct represent *r, const struct link_node *n)
{
    struct represent inner = links_inner(r, n);
    return represent_leaves(&inner, n->entity);
}

void links_each(const struct represent *r, const struct link_node *n,
                void (*found)(void *arg, const struct link_target *t), void *arg)
{
    struct represent inner = links_inner(r, n);
    for (uint32_t i = 0; i < n->entity->attr_count; i++) {
        const struct attr *a = &n->entity->attrs[i];
        if ((a->kind != ATTR_RELATIONSHIP && a->kind != ATTR_LIST_RELATIONSHIP) || !represent_shows(&inner, a))
            continue;
        struct link_target t = {
            .attr = a,
            .pick = n->pick ? projection_linked(n->pick, a->term) : NULL,
            .omit = n->omit ? projection_linked(n->omit, a->term) : NULL,
        };
        struct str rest = a->value.text;
        if (a->value.kind == VALUE_STRING) {
            t.id = rest;
            found(arg, &t);
        } else if (a->value.kind == VALUE_JSON) {
            for (; represent_next_iri(&rest, &t.id); t.object++)
                found(arg, &t);
        }
    }
}

const struct link_node *links_find(const struct link_node *n, const struct attr *a, uint32_t object)
{
    uint32_t low = 0, high = n ? n->edge_count : 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct link_edge *e = &n->edges[mid];
        if (e->attr == a && e->object == object)
            return e->node;
        if ((uintptr_t)e->attr < (uintptr_t)a || (e->attr == a && e->object < object))
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
