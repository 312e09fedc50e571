/* Estimates first, sets only where they pay. */
#include "store/embedded/plan_int.h"

/* Relative costs: an entry fetched from an ordered index, a document evaluated. */
enum { COST_FETCH = 1, COST_VISIT = 3 };

static struct estimate estimate(struct planner *p, const struct filter *f);
static struct bitmap *collect(struct planner *p, const struct filter *f);

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
    default:
        return plan_part_estimate(p, f);
    }
}

/* The index's own bitmap for a part whose estimate says `direct`. NULL: empty. */
static const struct bitmap *direct(struct planner *p, const struct filter *f)
{
    return f->kind == FILTER_AND ? direct(p, f->parts[0]) : plan_part_direct(p, f);
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
        out = plan_intersect(out, other);
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

static struct bitmap *collect_not(struct planner *p, const struct filter *f)
{
    struct bitmap *part = collect(p, f->parts[0]), *out = bitmap_without(p->ix->live, part);
    bitmap_free(part);
    bitmap_add_all(out, p->ix->parts.over);
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
    case FILTER_NOT:
        return collect_not(p, f);
    default:
        return plan_part_collect(p, f);
    }
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
        all = plan_intersect(all, p->narrow[i].slots);
    plan_free(p);
    p->lead = (struct plan_set){all, all};
    p->made = true;
}
