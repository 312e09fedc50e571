/* Estimates first, sets only where they pay. */
#include "store/embedded/plan.h"

#include "base/hash.h"
#include "store/embedded/index_geo.h"
#include "store/embedded/index_scope.h"

#include <assert.h>

/* Relative costs: an entry fetched from an ordered index, a document evaluated. */
enum { COST_FETCH = 1, COST_VISIT = 3, WANTED_MIN = 256 };

struct planner {
    struct plan *plan;
    struct tenant *t;
    const struct index *ix;
    const struct plan_need *need;
};

/* About a set, before it is made. */
struct estimate {
    bool known;  /* there is an index for it */
    bool exact;  /* its members are the matches, no more */
    bool direct; /* it is one of the index's own bitmaps: nothing to make */
    uint64_t n;  /* members, about */
    const char *index;
};

static struct estimate estimate(struct planner *p, const struct filter *f);
static struct bitmap *collect(struct planner *p, const struct filter *f);

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

static struct bitmap *intersect(struct bitmap *owned, const struct bitmap *other)
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
            b = intersect(b, index_type(p->ix, all->types[k].term));
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
            b = intersect(b, one);
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

/* ---- combinations ---- */

static struct estimate estimate_and(struct planner *p, const struct filter *f)
{
    struct estimate best = {0};
    bool exact = true;
    for (uint32_t i = 0; i < f->count; i++) {
        struct estimate e = estimate(p, f->parts[i]);
        exact = exact && e.known && e.exact;
        if (e.known && (!best.known || e.n < best.n))
            best = e;
    }
    best.exact = best.known && exact;
    best.direct = best.direct && f->count == 1;
    return best;
}

static struct estimate estimate_or(struct planner *p, const struct filter *f)
{
    struct estimate sum = {true, true, false, 0, NULL};
    for (uint32_t i = 0; i < f->count; i++) {
        struct estimate e = estimate(p, f->parts[i]);
        if (!e.known)
            return e;
        sum.exact = sum.exact && e.exact;
        sum.n += e.n;
        sum.index = sum.index ? sum.index : e.index;
    }
    sum.index = sum.index ? sum.index : "scan";
    return sum;
}

static struct estimate estimate_not(struct planner *p, const struct filter *f)
{
    struct estimate e = estimate(p, f->parts[0]);
    if (!e.known || !e.exact)
        return (struct estimate){0};
    /* What has lost a part may match now: it is looked at. */
    uint64_t all = bitmap_count(p->ix->live), unsure = bitmap_count(p->ix->parts.over);
    return (struct estimate){true, !unsure, false, (all > e.n ? all - e.n : 0) + unsure, e.index};
}

static struct estimate estimate(struct planner *p, const struct filter *f)
{
    switch ((enum filter_kind)f->kind) {
    case FILTER_AND:
        return estimate_and(p, f);
    case FILTER_OR:
        return estimate_or(p, f);
    case FILTER_NOT:
        return estimate_not(p, f);
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
    case FILTER_ID_PATTERN:
        break;
    }
    return (struct estimate){0};
}

/* The index's own bitmap for a part whose estimate says `direct`. NULL: empty. */
static const struct bitmap *direct(struct planner *p, const struct filter *f)
{
    switch ((enum filter_kind)f->kind) {
    case FILTER_AND:
        return direct(p, f->parts[0]);
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

static struct bitmap *collect_and(struct planner *p, const struct filter *f)
{
    uint32_t best = 0;
    struct estimate least = {0};
    for (uint32_t i = 0; i < f->count; i++) {
        struct estimate e = estimate(p, f->parts[i]);
        if (e.known && (!least.known || e.n < least.n)) {
            least = e;
            best = i;
        }
    }
    struct bitmap *out = collect(p, f->parts[best]);
    for (uint32_t i = 0; i < f->count; i++) {
        struct estimate e = estimate(p, f->parts[i]);
        if (i == best || !e.known || !e.exact)
            continue;
        struct bitmap *other = collect(p, f->parts[i]);
        out = intersect(out, other);
        bitmap_free(other);
    }
    return out;
}

static struct bitmap *collect_or(struct planner *p, const struct filter *f)
{
    struct bitmap *out = bitmap_new();
    for (uint32_t i = 0; i < f->count; i++) {
        struct bitmap *part = collect(p, f->parts[i]);
        bitmap_add_all(out, part);
        bitmap_free(part);
    }
    return out;
}

/* Makes the set of a part whose estimate is known. */
static struct bitmap *collect(struct planner *p, const struct filter *f)
{
    struct estimate e = estimate(p, f);
    if (e.direct) {
        const struct bitmap *b = direct(p, f);
        return b ? bitmap_copy(b) : bitmap_new();
    }
    switch ((enum filter_kind)f->kind) {
    case FILTER_AND:
        return collect_and(p, f);
    case FILTER_OR:
        return collect_or(p, f);
    case FILTER_NOT: {
        struct bitmap *part = collect(p, f->parts[0]), *out = bitmap_without(p->ix->live, part);
        bitmap_free(part);
        bitmap_add_all(out, p->ix->parts.over);
        return out;
    }
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
    case FILTER_ID_PATTERN:
        break;
    }
    assert(!"no set for this part");
    return bitmap_new();
}

/* ---- the plan ---- */

/* Takes ANDs apart: every part of the list must hold. Returns how many there are. */
static uint32_t flatten(const struct filter *f, struct filter **parts, uint32_t n)
{
    if (!f)
        return n;
    if (f->kind != FILTER_AND) {
        if (parts)
            parts[n] = (struct filter *)f;
        return n + 1;
    }
    for (uint32_t i = 0; i < f->count; i++)
        n = flatten(f->parts[i], parts, n);
    return n;
}

static struct filter *all_of(struct filter **parts, uint32_t n, struct arena *a)
{
    if (n <= 1)
        return n ? parts[0] : NULL;
    struct filter *f = arena_zalloc(a, sizeof *f);
    f->kind = FILTER_AND;
    f->count = n;
    f->parts = parts;
    return f;
}

static struct plan_set set_of(struct planner *p, const struct filter *f, const struct estimate *e)
{
    struct plan_set s = {.slots = e->direct ? direct(p, f) : NULL};
    if (s.slots)
        return s;
    s.slots = s.owned = collect(p, f);
    p->plan->made = true;
    return s;
}

/* Documents that a walk through n candidates in order visits until enough of about `matches` are
 * found. */
static double visits(const struct planner *p, double n, double matches)
{
    double first = p->need->first == UINT64_MAX ? n : (double)p->need->first;
    return matches <= 0 || first >= matches ? n : n * first / matches;
}

/* Of the parts, the one to lead; n: none, walk through all. Fetching a large set from an ordered
 * index only pays when a walk through the smallest ready bitmap would visit more. */
static uint32_t choose(struct planner *p, const struct estimate *e, uint32_t n)
{
    uint32_t best = n, ready = n;
    for (uint32_t i = 0; i < n; i++) {
        if (!e[i].known)
            continue;
        if (best == n || e[i].n < e[best].n ||
            (e[i].n == e[best].n && e[i].exact && !e[best].exact))
            best = i;
        if (e[i].direct && (ready == n || e[i].n < e[ready].n))
            ready = i;
    }
    if (best == n || e[best].direct || e[best].exact)
        return best;
    double live = (double)bitmap_count(p->ix->live), matches = live;
    for (uint32_t i = 0; i < n && live > 0; i++)
        if (e[i].known)
            matches *= (double)e[i].n / live;
    double made = (double)e[best].n, walk = ready < n ? (double)e[ready].n : live;
    double fetch = COST_FETCH * made + COST_VISIT * visits(p, made, matches);
    return COST_VISIT * visits(p, walk, matches) < fetch ? ready : best;
}

static bool lists(const struct filter *f)
{
    return f->kind == FILTER_IDS && f->count > 1000;
}

void plan_make(struct plan *plan, struct tenant *t, const struct filter *x, const struct filter *y,
               const struct plan_need *need, struct arena *a)
{
    *plan = (struct plan){.version = t->version, .renumbered = t->renumbered, .index = "scan"};
    struct planner p = {plan, t, t->index, need};
    uint32_t n = flatten(y, NULL, flatten(x, NULL, 0)), rest = 0;
    struct filter **parts = arena_array(a, struct filter *, 2 * n + 1);
    struct estimate *e = arena_array(a, struct estimate, n + 1);
    (void)flatten(y, parts, flatten(x, parts, 0));
    plan->whole = all_of(parts, n, a);
    for (uint32_t i = 0; i < n; i++)
        e[i] = estimate(&p, parts[i]);
    uint32_t lead = choose(&p, e, n);
    plan->lead.slots = p.ix->live;
    if (lead < n) {
        plan->lead = set_of(&p, parts[lead], &e[lead]);
        plan->index = e[lead].index;
    }
    struct filter **left = parts + n;
    for (uint32_t i = 0; i < n; i++) {
        if (e[i].known && e[i].exact && i == lead)
            continue;
        if (i != lead && e[i].known && e[i].exact && plan->narrow_count < PLAN_SETS_MAX &&
            !lists(parts[i]))
            plan->narrow[plan->narrow_count++] = set_of(&p, parts[i], &e[i]);
        else
            left[rest++] = parts[i];
    }
    plan->rest = all_of(left, rest, a);
    plan->candidates = bitmap_count(plan->lead.slots);
}

void plan_free(struct plan *p)
{
    bitmap_free(p->lead.owned);
    for (uint32_t i = 0; i < p->narrow_count; i++)
        bitmap_free(p->narrow[i].owned);
    p->lead = (struct plan_set){0};
    p->narrow_count = 0;
}

void plan_merge(struct plan *p, const struct bitmap *without)
{
    bool all_there = !bitmap_and_count(p->lead.slots, without);
    if (!p->narrow_count && all_there)
        return;
    struct bitmap *all =
        all_there ? bitmap_copy(p->lead.slots) : bitmap_without(p->lead.slots, without);
    for (uint32_t i = 0; i < p->narrow_count; i++)
        all = intersect(all, p->narrow[i].slots);
    plan_free(p);
    p->lead = (struct plan_set){all, all};
    p->made = true;
}
