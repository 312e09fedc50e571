/* Evaluation of filters, on trees and on stored blocks alike (filter_subject.h). Of a
 * block only what the filter looks at is decoded; a plain comparison reads the value
 * alone.
 *
 * Linked entities are followed step by step along the term's own path, which bounds the
 * depth; one evaluation looks at LOOKUPS_MAX of them at most, which bounds the breadth. */
#include "model/filter_int.h"
#include "model/filter_subject.h"

#include "base/json_scan.h"
#include "model/pattern.h"

enum { LOOKUPS_MAX = 1000 };

struct match {
    struct filter_env *env;
    uint32_t lookups;
};

static bool match(const struct filter *f, const struct filter_subject *s, struct match *m);

/* ---- looking into a subject ---- */

static bool has_type(const struct filter_subject *s, const struct name *type)
{
    if (type->term == TERM_NONE)
        return false;
    if (s->tree)
        return entity_has_type(s->tree, type->term);
    for (uint32_t i = 0, n = doc_type_count(s->doc); i < n; i++)
        if (doc_type(s->doc, i) == type->term)
            return true;
    return false;
}

static bool has_attr(const struct filter_subject *s, const struct name *name)
{
    if (name->term == TERM_NONE)
        return false;
    return s->doc ? doc_find_attr(s->doc, name->term) != UINT32_MAX
                  : entity_attr(s->tree, name->term, NULL) != NULL;
}

/* ---- q ---- */

/* attr stands at path[step]. */
static bool attr_meets(const struct compare *c, const struct attr *attr, uint32_t step,
                       struct arena *a)
{
    if (step + 1 == c->path_count)
        return c->member ? filter_member_match(c, attr, a)
                         : filter_value_match(c, (enum attr_kind)attr->kind, &attr->value, a);
    uint32_t n;
    const struct name *next = &c->path[step + 1];
    const struct attr *subs = next->term == TERM_NONE ? NULL : attr_sub(attr, next->term, &n);
    for (uint32_t i = 0; subs && i < n; i++)
        if (attr_meets(c, &subs[i], step + 1, a))
            return true;
    return false;
}

static bool entity_member_meets(const struct compare *c, const struct filter_subject *s,
                                struct arena *a)
{
    struct entity tree;
    switch ((enum compare_member)c->member) {
    case MEMBER_CREATED_AT:
        return filter_time_match(c, s->doc ? doc_created_at(s->doc) : s->tree->created_at);
    case MEMBER_MODIFIED_AT:
        return filter_time_match(c, s->doc ? doc_modified_at(s->doc) : s->tree->modified_at);
    case MEMBER_EXPIRES_AT: /* a block's header has the earliest of all, not the entity's own */
        if (s->tree)
            return filter_time_match(c, s->tree->expires_at);
        doc_decode(s->doc, a, &tree);
        return filter_time_match(c, tree.expires_at);
    default:
        return false; /* entities have no such member */
    }
}

static bool compare_here(const struct compare *c, const struct filter_subject *s, struct arena *a)
{
    if (c->path_count == 0)
        return entity_member_meets(c, s, a);
    for (struct filter_instances it = filter_instances_of(s, &c->path[0]);
         filter_instances_left(&it); it.at++) {
        if (c->path_count == 1 && !c->member) {
            struct value v;
            enum attr_kind kind = filter_instance_value(&it, &v);
            if (filter_value_match(c, kind, &v, a))
                return true;
        } else {
            struct attr room;
            if (attr_meets(c, filter_instance_attr(&it, a, &room), 0, a))
                return true;
        }
    }
    return false;
}

static bool find_linked(struct match *m, struct str id, struct filter_subject *out)
{
    *out = (struct filter_subject){NULL, NULL};
    if (m->lookups == LOOKUPS_MAX)
        return false;
    m->lookups++;
    if (m->env->lookup_doc)
        out->doc = m->env->lookup_doc(m->env, id);
    else if (m->env->lookup)
        out->tree = m->env->lookup(m->env, id);
    return out->doc || out->tree;
}

static bool follow(const struct compare *c, uint32_t step, const struct filter_subject *s,
                   struct match *m);

/* The entity that link `step` leads to, if it has one of the types hinted at. */
static bool linked_meets(const struct compare *c, uint32_t step, struct str id, struct match *m)
{
    const struct link_step *link = &c->links[step];
    struct filter_subject target;
    if (!find_linked(m, id, &target))
        return false;
    bool wanted = link->type_count == 0;
    for (uint32_t i = 0; i < link->type_count && !wanted; i++)
        wanted = has_type(&target, &link->types[i]);
    return wanted && follow(c, step + 1, &target, m);
}

static bool follow(const struct compare *c, uint32_t step, const struct filter_subject *s,
                   struct match *m)
{
    if (step == c->link_count)
        return compare_here(c, s, m->env->arena);
    struct filter_instances it = filter_instances_of(s, &c->links[step].relationship);
    for (; filter_instances_left(&it); it.at++) {
        struct value v;
        enum attr_kind kind = filter_instance_value(&it, &v);
        if (kind != ATTR_RELATIONSHIP && kind != ATTR_LIST_RELATIONSHIP)
            continue;
        if (v.kind == VALUE_STRING && linked_meets(c, step, v.text, m))
            return true;
        struct str rest = v.kind == VALUE_JSON ? json_scan_inside(v.text) : STR(""), id;
        while (json_scan_element(&rest, &id))
            if (json_scan_kind(id) == JSON_STRING &&
                linked_meets(c, step, json_scan_string(id, m->env->arena), m))
                return true;
    }
    return false;
}

/* ---- the others ---- */

static bool in_ids(const struct filter *f, struct str id)
{
    uint32_t low = 0, high = f->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(f->ids[mid], id);
        if (c == 0)
            return true;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static bool types_meet(const struct type_expr *x, const struct filter_subject *s)
{
    for (uint32_t i = 0; i < x->count; i++) {
        const struct type_all *all = &x->any[i];
        uint32_t k = 0;
        while (k < all->count && has_type(s, &all->types[k]))
            k++;
        if (k == all->count)
            return true;
    }
    return false;
}

static bool scopes_meet(const struct scope_expr *x, const struct filter_subject *s, struct arena *a)
{
    if (s->tree)
        return scope_expr_match(x, s->tree->scopes, s->tree->scope_count);
    uint32_t n = doc_scope_count(s->doc);
    if (n == 0)
        return false;
    struct str one, *scopes = n == 1 ? &one : arena_array(a, struct str, n);
    for (uint32_t i = 0; i < n; i++)
        scopes[i] = doc_scope(s->doc, i);
    return scope_expr_match(x, scopes, n);
}

static bool geo_meets(const struct geo_filter *g, const struct filter_subject *s)
{
    for (struct filter_instances it = filter_instances_of(s, &g->property);
         filter_instances_left(&it); it.at++) {
        struct value v;
        filter_instance_value(&it, &v);
        if (filter_geo_match(g, &v))
            return true;
    }
    return false;
}

static bool attrs_meet(const struct filter *f, const struct filter_subject *s)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (has_attr(s, &f->attrs[i]))
            return true;
    return false;
}

/* AND stops at the first false, OR at the first true. */
static bool parts_meet(const struct filter *f, const struct filter_subject *s, struct match *m)
{
    bool until = f->kind == FILTER_OR;
    for (uint32_t i = 0; i < f->count; i++)
        if (match(f->parts[i], s, m) == until)
            return until;
    return !until;
}

static bool match(const struct filter *f, const struct filter_subject *s, struct match *m)
{
    switch ((enum filter_kind)f->kind) {
    case FILTER_AND:
    case FILTER_OR:
        return parts_meet(f, s, m);
    case FILTER_NOT:
        return !match(f->parts[0], s, m);
    case FILTER_IDS:
        return in_ids(f, filter_subject_id(s));
    case FILTER_ID_PATTERN:
        return pattern_match(f->id_pattern, filter_subject_id(s));
    case FILTER_TYPE:
        return types_meet(f->type, s);
    case FILTER_SCOPE:
        return scopes_meet(f->scope, s, m->env->arena);
    case FILTER_ATTRS:
        return attrs_meet(f, s);
    case FILTER_COMPARE:
        return f->compare->link_count ? follow(f->compare, 0, s, m)
                                      : compare_here(f->compare, s, m->env->arena);
    case FILTER_GEO:
        return geo_meets(f->geo, s);
    }
    return false;
}

bool filter_match(const struct filter *f, const struct entity *e, struct filter_env *env)
{
    struct match m = {env, 0};
    return !f || match(f, &(struct filter_subject){.tree = e}, &m);
}

bool filter_match_doc(const struct filter *f, const struct doc *d, struct filter_env *env)
{
    struct match m = {env, 0};
    return !f || match(f, &(struct filter_subject){.doc = d}, &m);
}
