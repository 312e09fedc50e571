/* Linked entities inside the Relationship that leads to them (clauses 4.5.3, 4.5.4,
 * 4.5.22, 4.5.23.2): as "entity" or "entityList" behind the objects, or, simplified, in
 * the place of each URI whose entity is there. */
#include "model/links.h"
#include "model/represent_int.h"

static void write_node(struct buf *b, const struct represent *r, const struct link_node *n)
{
    struct represent inner = links_inner(r, n);
    represent_entity(b, &inner, n->entity);
}

static bool has_objects(const struct attr *a)
{
    return (a->kind == ATTR_RELATIONSHIP || a->kind == ATTR_LIST_RELATIONSHIP) && a->value.kind == VALUE_JSON;
}

void represent_linked(struct buf *b, const struct represent *r, const struct attr *a)
{
    struct str rest = a->value.text, id;
    bool any = false;
    if (!has_objects(a)) {
        const struct link_node *n = links_find(r->links, a, 0);
        if (!n)
            return;
        buf_lit(b, ",\"entity\":");
        write_node(b, r, n);
        return;
    }
    for (uint32_t i = 0; represent_next_iri(&rest, &id); i++) {
        const struct link_node *n = links_find(r->links, a, i);
        if (!n)
            continue;
        if (any)
            buf_char(b, ',');
        else if (a->kind == ATTR_LIST_RELATIONSHIP)
            buf_lit(b, ",\"entityList\":[");
        else
            buf_lit(b, ",\"entity\":[");
        any = true;
        write_node(b, r, n);
    }
    if (any)
        buf_char(b, ']');
}

bool represent_linked_simplified(struct buf *b, const struct represent *r, const struct attr *a)
{
    struct str rest = a->value.text, id;
    const struct link_node *n = links_find(r->links, a, 0);
    if (!has_objects(a)) {
        if (n)
            write_node(b, r, n);
        return n != NULL;
    }
    buf_char(b, '[');
    for (uint32_t i = 0; represent_next_iri(&rest, &id); i++) {
        if (i)
            buf_char(b, ',');
        n = links_find(r->links, a, i);
        if (n)
            write_node(b, r, n);
        else
            represent_plain(b, id);
    }
    buf_char(b, ']');
    return true;
}
