/* Documents of type EntityTemporal (clause 5.2.20). What an evolution has in common with an entity is read as one without
 * attributes; the attributes' instances (reader_point.c) are then sorted into series. */
#include "model/reader_int.h"

#include <stdlib.h>

/* One call, and the series so far. */
struct gathering {
    struct reading *rd;
    uint32_t count, room;
    struct series *series;
};

/* ---- series ---- */

static int by_dataset(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int c = str_cmp(x->attr.dataset, y->attr.dataset);
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int by_place(const void *a, const void *b)
{
    return point_order(a, b);
}

static int by_term(const void *a, const void *b)
{
    const struct series *x = a, *y = b;
    if (x->term != y->term)
        return x->term < y->term ? -1 : 1;
    return str_cmp(x->dataset, y->dataset);
}

static struct series *add_series(struct gathering *g)
{
    if (g->count == g->room) {
        uint32_t room = g->room ? g->room * 2 : 8;
        g->series = arena_grow(g->rd->r->arena, g->series, g->room * sizeof *g->series, room * sizeof *g->series);
        g->room = room;
    }
    return &g->series[g->count++];
}

/* Makes series of the instances of one attribute, which stand in the order of the document. */
static void add_points(struct gathering *g, uint32_t term, struct point *points, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        points[i].index = i;
    qsort(points, count, sizeof *points, by_dataset);
    for (uint32_t i = 0, n; i < count; i += n) {
        for (n = 0; i + n < count && str_eq(points[i + n].attr.dataset, points[i].attr.dataset); n++)
            points[i + n].index = n;
        qsort(&points[i], n, sizeof *points, by_place);
        *add_series(g) = (struct series){.term = term, .dataset = points[i].attr.dataset, .count = n, .points = &points[i]};
    }
}

/* ---- the document ---- */

/* The members of v by what they are. */
struct members {
    struct json head; /* all but the scope and the attributes */
    const struct json_member *scope;
    struct named *named;
    uint32_t count;
};

static enum status split(struct reading *rd, const struct json *v, const struct at *at, struct members *out)
{
    *out = (struct members){.head = {.kind = JSON_OBJECT}};
    out->head.members = arena_array(rd->r->arena, struct json_member, v->n);
    out->named = arena_array(rd->r->arena, struct named, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        struct at here = {at, m->key, 0};
        enum member which;
        enum status st = reader_attr_classify(rd, m, at, &which, &out->named[out->count]);
        if (st == OK && which == MEMBER_NONE)
            st = reader_attr_room(rd, ++out->count, at);
        else if (st == OK && which == MEMBER_SCOPE && out->scope)
            st = why_set(rd->why, E_BAD_DATA, &here, "the member \"scope\" is there twice");
        else if (which == MEMBER_SCOPE)
            out->scope = m;
        else if (st == OK)
            out->head.members[out->head.n++] = *m;
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status read_attribute(struct gathering *g, const struct named *n, const struct at *at)
{
    struct point *points;
    uint32_t count;
    struct at here = {at, n->member->key, 0};
    enum status st = reader_points(g->rd, n, &n->member->value, &here, &points, &count);
    if (st == OK)
        add_points(g, n->term, points, count);
    return st;
}

static enum status read_scope(struct gathering *g, const struct json_member *m, const struct at *at)
{
    struct point *points;
    uint32_t count;
    struct at here = {at, m->key, 0};
    enum status st = reader_scope_points(g->rd, &m->value, &here, &points, &count);
    if (st == OK)
        add_points(g, TERM_SCOPE, points, count);
    return st;
}

static int by_name(const void *a, const void *b)
{
    const struct named *const *x = a, *const *y = b;
    if ((*x)->term != (*y)->term)
        return (*x)->term < (*y)->term ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

/* No attribute may be there twice, by two spellings of its name. */
static enum status check_names(struct reading *rd, const struct members *m, const struct at *at)
{
    if (m->count < 2)
        return OK;
    const struct named **order = arena_array(rd->r->arena, const struct named *, m->count);
    for (uint32_t i = 0; i < m->count; i++)
        order[i] = &m->named[i];
    qsort(order, m->count, sizeof *order, by_name);
    for (uint32_t i = 1; i < m->count; i++)
        if (order[i]->term == order[i - 1]->term) {
            struct at here = {at, order[i]->member->key, 0};
            return why_set(rd->why, E_BAD_DATA, &here, "this attribute is there twice, also as \"%.*s\"",
                           STR_ARG(str_head(order[i - 1]->member->key, 64)));
        }
    return OK;
}

static void set_head(struct evolution *out, const struct entity *e)
{
    out->id = e->id;
    out->type_count = e->type_count;
    out->types = e->types;
    out->expires_at = e->expires_at;
}

static enum status read_document(const struct reader *r, const struct json *v, struct str expect_id, const struct at *at,
                                 struct evolution *out, struct why *why)
{
    struct entity head;
    struct members m;
    struct reading rd = {.r = r, .why = why};
    struct gathering g = {.rd = &rd};
    *out = (struct evolution){
        .created_at = TIME_NONE, .modified_at = TIME_NONE, .deleted_at = TIME_NONE, .expires_at = TIME_NONE};
    if (!json_is(v, JSON_OBJECT))
        return why_set(why, E_BAD_DATA, at, "a temporal evolution must be an object, not %s",
                       v ? json_kind_name((enum json_kind)v->kind) : "nothing");
    enum status st = split(&rd, v, at, &m);
    if (st == OK)
        st = reader_entity(r, &m.head, expect_id, at, &head, why);
    if (st == OK)
        st = check_names(&rd, &m, at);
    if (st == OK && m.scope)
        st = read_scope(&g, m.scope, at);
    for (uint32_t i = 0; i < m.count && st == OK; i++)
        st = read_attribute(&g, &m.named[i], at);
    if (st != OK)
        return st;
    set_head(out, &head);
    if (g.count)
        qsort(g.series, g.count, sizeof *g.series, by_term);
    out->count = g.count;
    out->series = g.series;
    return OK;
}

static enum status read_as(const struct reader *r, enum reader_mode mode, const struct json *v, struct str expect_id,
                           const struct at *at, struct evolution *out, struct why *why)
{
    struct reader as = *r;
    struct why own; /* what the context says is asked for */
    as.mode = mode;
    as.simplified = false;
    if (!why) {
        why_clear(&own);
        why = &own;
    }
    return read_document(&as, v, expect_id, at, out, why);
}

enum status reader_evolution(const struct reader *r, const struct json *v, struct str expect_id, const struct at *at,
                             struct evolution *out, struct why *why)
{
    return read_as(r, READER_ENTITY, v, expect_id, at, out, why);
}

enum status reader_evolution_fragment(const struct reader *r, const struct json *v, struct str expect_id,
                                      const struct at *at, struct evolution *out, struct why *why)
{
    return read_as(r, READER_APPEND, v, expect_id, at, out, why);
}

/* ---- one instance ---- */

/* The member of a fragment that is about the attribute, or NULL when v is no fragment but an instance itself. */
static const struct json_member *find_attribute(const struct reader *r, uint32_t term, const struct json *v)
{
    const struct json_member *found = NULL;
    for (uint32_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        enum member which = reader_member_of(m->key);
        if (MEMBER_BIT(which) & MEMBERS_WITH_VALUE)
            return NULL;
        bool named = term == TERM_SCOPE ? which == MEMBER_SCOPE
                                        : which == MEMBER_NONE &&
                                              context_expand_term(r->context, m->key, false, r->arena, NULL) == term;
        if (named)
            found = m;
    }
    return found;
}

enum status reader_instance(const struct reader *r, uint32_t term, const struct json *v, const struct at *at,
                            struct point *out, struct why *why)
{
    struct evolution e;
    struct point *points;
    uint32_t count = 0;
    const struct json_member *m = find_attribute(r, term, v);
    enum status st;
    if (m) {
        st = reader_evolution_fragment(r, v, STR_NONE, at, &e, why);
        if (st != OK)
            return st;
        if (e.count != 1 || e.series[0].count != 1)
            return why_set(why, E_BAD_DATA, at, "exactly one instance, of the attribute addressed, was expected (clause 5.6.14)");
        *out = e.series[0].points[0];
        return OK;
    }
    struct reader as = *r;
    struct why own;
    as.simplified = false;
    if (!why) {
        why_clear(&own);
        why = &own;
    }
    struct reading rd = {.r = &as, .why = why};
    struct json instance = reader_without_context(v, r->arena);
    struct named named = {.term = term, .name = term == TERM_SCOPE ? STR("scope") : context_compact_term(r->context, term)};
    if (v->kind == JSON_ARRAY && v->n != 1)
        return why_set(why, E_BAD_DATA, at, "exactly one instance was expected (clause 5.6.14), not %u", v->n);
    st = term == TERM_SCOPE ? reader_scope_points(&rd, &instance, at, &points, &count)
                            : reader_points(&rd, &named, &instance, at, &points, &count);
    if (st != OK)
        return st;
    if (count != 1)
        return why_set(why, E_BAD_DATA, at, "exactly one instance was expected (clause 5.6.14), not %u", count);
    *out = points[0];
    out->index = 0;
    return OK;
}
