/* What the indexes say about one part of the tree: how many entities, and which. */
#include "store/embedded/plan_int.h"

#include "base/hash.h"
#include "store/embedded/index_geo.h"
#include "store/embedded/index_scope.h"

#include <assert.h>

enum { WANTED_MIN = 256 }; /* entities that make an index of values worth while */

static uint64_t count_of(const struct bitmap *b)
{
    return b ? bitmap_count(b) : 0;
}

static struct estimate presence(struct planner *p, uint32_t term)
{
    return (struct estimate){true, false, true, count_of(index_attr(p->ix, term)), "attribute"};
}

/* ---- values ---- */

/* The keys that an operand may have, or false when the index cannot say. */
struct range {
    const struct ordered *set;
    uint64_t low, high;
};

static bool operand_range(const struct index_value *v, const struct compare *c, uint32_t i,
                          struct range *r)
{
    const struct operand *o = &c->operands[i];
    bool equal = c->op == COMPARE_EQ;
    if (o->kind == OPERAND_NUMBER) {
        uint64_t key = index_value_number(o->number);
        bool up = c->op == COMPARE_GT || c->op == COMPARE_GE;
        *r = (struct range){v->numbers, equal || up ? key : 0, equal || !up ? key : UINT64_MAX};
        if (c->range) {
            const struct operand *high = &c->operands[1];
            if (high->kind != OPERAND_NUMBER)
                return false;
            r->high = index_value_number(high->number);
        }
        return true;
    }
    if (!equal || c->range || (o->kind != OPERAND_STRING && o->kind != OPERAND_BOOL))
        return false;
    uint64_t key =
        o->kind == OPERAND_STRING ? index_value_text(o->text) : index_value_bool(o->boolean);
    *r = (struct range){v->texts, key, key};
    return true;
}

/* A comparison of an attribute's own value, of a kind that an index of values can answer. */
static bool is_indexable(const struct compare *c)
{
    if (c->link_count || c->path_count != 1 || c->member || c->value_path_count ||
        !c->operand_count)
        return false;
    if (c->op != COMPARE_EQ && c->op != COMPARE_GT && c->op != COMPARE_GE && c->op != COMPARE_LT &&
        c->op != COMPARE_LE)
        return false;
    for (uint32_t i = 0; i < c->operand_count; i++) {
        uint8_t kind = c->operands[i].kind;
        bool text = kind == OPERAND_STRING || kind == OPERAND_BOOL;
        if (kind != OPERAND_NUMBER && !(text && c->op == COMPARE_EQ && !c->range))
            return false;
    }
    return true;
}

static uint32_t ranges_of(const struct compare *c)
{
    return c->range ? 1 : c->operand_count;
}

/* The finished index for c, or NULL. */
static struct index_value *usable(struct planner *p, const struct compare *c)
{
    if (!is_indexable(c))
        return NULL;
    struct index_value *v = index_value_of(p->ix, c->path[0].term);
    if (v)
        v->used_us = p->need->now_us;
    else if (p->plan->wanted_count < PLAN_SETS_MAX &&
             count_of(index_attr(p->ix, c->path[0].term)) >= WANTED_MIN)
        p->plan->wanted[p->plan->wanted_count++] = c->path[0].term;
    return v && v->built == INDEX_VALUE_BUILT ? v : NULL;
}

static struct estimate estimate_compare(struct planner *p, const struct compare *c)
{
    if (c->link_count)
        return presence(p, c->links[0].relationship.term);
    if (!c->path_count)
        return (struct estimate){0};
    const struct index_value *v = usable(p, c);
    if (!v)
        return presence(p, c->path[0].term);
    struct estimate e = {true, false, false, bitmap_count(v->others), "value"};
    for (uint32_t i = 0; i < ranges_of(c); i++) {
        struct range r;
        if (!operand_range(v, c, i, &r))
            return presence(p, c->path[0].term);
        e.n += ordered_estimate(r.set, r.low, r.high);
    }
    return e;
}

static struct bitmap *collect_values(struct planner *p, const struct compare *c)
{
    const struct index_value *v = usable(p, c);
    struct slots found = {0};
    for (uint32_t i = 0; i < ranges_of(c); i++) {
        struct range r;
        if (!operand_range(v, c, i, &r))
            continue;
        struct ordered_cursor at = ordered_from(r.set, r.low, r.high);
        while (ordered_next(&at))
            slots_add(&found, at.slot);
    }
    struct bitmap *out = slots_take(&found);
    bitmap_add_all(out, v->others);
    return out;
}

/* ---- geometries ---- */

static struct estimate estimate_geo(struct planner *p, const struct geo_filter *g)
{
    const struct ordered *cells = index_cells(p->ix, g->property.term);
    if (!g->bounded)
        return presence(p, g->property.term);
    return (struct estimate){true, false, false, cells ? index_geo_estimate(cells, g->reach) : 0,
                             "geo"};
}

static struct bitmap *collect_geo(struct planner *p, const struct geo_filter *g)
{
    struct slots found = {0};
    const struct ordered *cells = index_cells(p->ix, g->property.term);
    if (cells)
        index_geo_collect(cells, g->reach, &found);
    return slots_take(&found);
}

/* ---- types, attributes, scopes, ids ---- */

static struct estimate estimate_types(struct planner *p, const struct type_expr *x)
{
    struct estimate e = {true, true, x->count == 1 && x->any[0].count == 1, 0, "type"};
    for (uint32_t i = 0; i < x->count; i++) {
        uint64_t least = UINT64_MAX;
        for (uint32_t k = 0; k < x->any[i].count; k++) {
            uint64_t n = count_of(index_type(p->ix, x->any[i].types[k].term));
            least = n < least ? n : least;
        }
        e.n += least == UINT64_MAX ? 0 : least;
    }
    return e;
}

struct bitmap *plan_intersect(struct bitmap *owned, const struct bitmap *other)
{
    struct bitmap *both = other ? bitmap_and(owned, other) : bitmap_new();
    bitmap_free(owned);
    return both;
}

static struct bitmap *collect_types(struct planner *p, const struct type_expr *x)
{
    struct bitmap *out = bitmap_new();
    for (uint32_t i = 0; i < x->count; i++) {
        const struct type_all *all = &x->any[i];
        const struct bitmap *first =
            all->count ? index_type(p->ix, all->types[0].term) : p->ix->live;
        if (!first)
            continue;
        struct bitmap *b = bitmap_copy(first);
        for (uint32_t k = 1; k < all->count; k++)
            b = plan_intersect(b, index_type(p->ix, all->types[k].term));
        bitmap_add_all(out, b);
        bitmap_free(b);
    }
    return out;
}

static struct estimate estimate_attrs(struct planner *p, const struct filter *f)
{
    struct estimate e = {true, true, f->count == 1, 0, "attribute"};
    for (uint32_t i = 0; i < f->count; i++)
        e.n += count_of(index_attr(p->ix, f->attrs[i].term));
    return e;
}

static struct bitmap *collect_attrs(struct planner *p, const struct filter *f)
{
    struct bitmap *out = bitmap_new();
    for (uint32_t i = 0; i < f->count; i++) {
        const struct bitmap *b = index_attr(p->ix, f->attrs[i].term);
        if (b)
            bitmap_add_all(out, b);
    }
    return out;
}

static struct estimate estimate_scopes(struct planner *p, const struct scope_expr *x)
{
    struct estimate e = {true, true, false, 0, "scope"};
    for (uint32_t i = 0; i < x->count; i++) {
        uint64_t least = bitmap_count(p->ix->live);
        for (uint32_t k = 0; k < x->any[i].count; k++) {
            uint64_t n = index_scope_estimate(p->ix, x->any[i].patterns[k]);
            least = n < least ? n : least;
        }
        e.n += least;
    }
    return e;
}

static struct bitmap *collect_scopes(struct planner *p, const struct scope_expr *x)
{
    struct bitmap *out = bitmap_new();
    for (uint32_t i = 0; i < x->count; i++) {
        struct bitmap *b = bitmap_copy(p->ix->live);
        for (uint32_t k = 0; k < x->any[i].count; k++) {
            struct bitmap *one = bitmap_new();
            index_scope_collect(p->ix, x->any[i].patterns[k], one);
            b = plan_intersect(b, one);
            bitmap_free(one);
        }
        bitmap_add_all(out, b);
        bitmap_free(b);
    }
    return out;
}

static struct bitmap *collect_ids(struct planner *p, const struct filter *f)
{
    struct bitmap *out = bitmap_new();
    uint32_t slot;
    for (uint32_t i = 0; i < f->count; i++)
        if (state_find(tenant_state(p->t), f->ids[i], hash_str(f->ids[i]), &slot))
            bitmap_add(out, slot);
    return out;
}

/* ---- by kind ---- */

struct estimate plan_part_estimate(struct planner *p, const struct filter *f)
{
    switch ((enum filter_kind)f->kind) {
    case FILTER_IDS:
        return (struct estimate){true, true, false, f->count, "id"};
    case FILTER_TYPE:
        return estimate_types(p, f->type);
    case FILTER_SCOPE:
        return estimate_scopes(p, f->scope);
    case FILTER_ATTRS:
        return estimate_attrs(p, f);
    case FILTER_COMPARE:
        return estimate_compare(p, f->compare);
    case FILTER_GEO:
        return estimate_geo(p, f->geo);
    default:
        return (struct estimate){0};
    }
}

const struct bitmap *plan_part_direct(struct planner *p, const struct filter *f)
{
    switch ((enum filter_kind)f->kind) {
    case FILTER_TYPE:
        return index_type(p->ix, f->type->any[0].types[0].term);
    case FILTER_ATTRS:
        return index_attr(p->ix, f->attrs[0].term);
    case FILTER_GEO:
        return index_attr(p->ix, f->geo->property.term);
    case FILTER_COMPARE:
        return index_attr(p->ix, f->compare->link_count ? f->compare->links[0].relationship.term
                                                        : f->compare->path[0].term);
    default:
        assert(!"no such part is direct");
        return NULL;
    }
}

struct bitmap *plan_part_collect(struct planner *p, const struct filter *f)
{
    switch ((enum filter_kind)f->kind) {
    case FILTER_IDS:
        return collect_ids(p, f);
    case FILTER_TYPE:
        return collect_types(p, f->type);
    case FILTER_SCOPE:
        return collect_scopes(p, f->scope);
    case FILTER_ATTRS:
        return collect_attrs(p, f);
    case FILTER_COMPARE:
        return collect_values(p, f->compare);
    case FILTER_GEO:
        return collect_geo(p, f->geo);
    default:
        assert(!"no set for this part");
        return bitmap_new();
    }
}
