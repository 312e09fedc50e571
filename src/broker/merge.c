/* Merging is a fold: each fragment is laid over what came before it, the auxiliary ones last. */
#include "broker/merge.h"

void fragment_entity(const struct fragment *f, struct arena *a, struct entity *out)
{
    if (f->doc)
        doc_decode(f->doc, a, out);
    else
        *out = *f->entity;
}

static bool newer(const struct attr *a, const struct attr *b)
{
    if (a->observed_at != b->observed_at)
        return a->observed_at > b->observed_at;
    return a->modified_at > b->modified_at;
}

static void unite_types(struct entity *into, const struct entity *from, struct arena *a)
{
    uint32_t *types = arena_array(a, uint32_t, into->type_count + from->type_count);
    uint32_t n = into->type_count;
    if (n)
        memcpy(types, into->types, n * sizeof *types);
    into->types = types;
    for (uint32_t i = 0; i < from->type_count; i++)
        if (!entity_has_type(into, from->types[i]))
            into->types[into->type_count++] = from->types[i];
}

static bool has_scope(const struct entity *e, struct str scope)
{
    for (uint32_t i = 0; i < e->scope_count; i++)
        if (str_eq(e->scopes[i], scope))
            return true;
    return false;
}

static void unite_scopes(struct entity *into, const struct entity *from, struct arena *a)
{
    struct str *scopes = arena_array(a, struct str, into->scope_count + from->scope_count);
    if (into->scope_count)
        memcpy(scopes, into->scopes, into->scope_count * sizeof *scopes);
    into->scopes = scopes;
    for (uint32_t i = 0; i < from->scope_count; i++)
        if (!has_scope(into, from->scopes[i]))
            into->scopes[into->scope_count++] = from->scopes[i];
}

/* Both arrays are sorted; so is the result. */
static void unite_attrs(struct entity *into, const struct entity *from, bool auxiliary, struct arena *a)
{
    struct attr *out = arena_array(a, struct attr, into->attr_count + from->attr_count);
    uint32_t n = 0, i = 0, j = 0;
    while (i < into->attr_count || j < from->attr_count) {
        int c = i == into->attr_count   ? 1
                : j == from->attr_count ? -1
                                        : attr_order(&into->attrs[i], &from->attrs[j]);
        if (c < 0) {
            out[n++] = into->attrs[i++];
        } else if (c > 0) {
            out[n++] = from->attrs[j++];
        } else {
            bool take = !auxiliary && newer(&from->attrs[j], &into->attrs[i]);
            out[n++] = take ? from->attrs[j] : into->attrs[i];
            i++;
            j++;
        }
    }
    into->attrs = out;
    into->attr_count = n;
}

static void unite(struct entity *into, const struct fragment *f, struct arena *a)
{
    struct entity next;
    fragment_entity(f, a, &next);
    unite_types(into, &next, a);
    unite_scopes(into, &next, a);
    unite_attrs(into, &next, f->auxiliary, a);
    if (next.created_at < into->created_at)
        into->created_at = next.created_at;
    if (next.modified_at > into->modified_at)
        into->modified_at = next.modified_at;
}

void merge_fragments(const struct fragment *fragments, uint32_t count, struct arena *a, struct entity *out)
{
    uint32_t first = 0;
    while (first + 1 < count && fragments[first].auxiliary)
        first++;
    if (fragments[first].auxiliary)
        first = 0; /* all of them are */
    fragment_entity(&fragments[first], a, out);
    for (int auxiliary = 0; auxiliary < 2; auxiliary++)
        for (uint32_t i = 0; i < count; i++)
            if (i != first && fragments[i].auxiliary == (auxiliary != 0))
                unite(out, &fragments[i], a);
}
