/* How the naive history is read; see naive_history.h. */
#include "naive_history.h"

#include "model/aggregate.h"
#include "model/scope_span.h"

#include <stdlib.h>

/* One evolution under question. */
struct look {
    const struct store_evolve *v;
    const struct evolution *e;
    struct scope_span *spans; /* when scopes are asked for */
    uint32_t span_count;
};

static bool term_wanted(const struct store_evolve *v, uint32_t term)
{
    if (!v->terms)
        return true;
    if (term == TERM_SCOPE)
        return !v->no_scope;
    for (uint32_t i = 0; i < v->term_count; i++)
        if (v->terms[i] == term)
            return true;
    return false;
}

static bool dataset_wanted(const struct store_evolve *v, const struct series *s)
{
    struct str name = s->dataset.n ? s->dataset : STR("@none");
    if (!v->datasets || s->term == TERM_SCOPE)
        return true;
    for (uint32_t i = 0; i < v->dataset_count; i++)
        if (str_eq(v->datasets[i], name))
            return true;
    return false;
}

/* Is the instance one to be shown, should its series be? */
static bool point_wanted(const struct look *l, const struct series *s, const struct point *p)
{
    if (!l->v->scopes)
        return temporal_match(l->v->time, p);
    if (s->term != TERM_SCOPE)
        return temporal_match(l->v->time, p) && scope_spans_have(l->spans, l->span_count, l->v->time, p);
    for (uint32_t i = 0; i < l->span_count; i++)
        if (l->spans[i].point == p)
            return true;
    return false;
}

/* ---- finding ---- */

static bool has_instance(const struct look *l)
{
    for (uint32_t i = 0; i < l->e->count; i++) {
        const struct series *s = &l->e->series[i];
        if (!term_wanted(l->v, s->term) || (l->v->terms && s->term == TERM_SCOPE))
            continue;
        for (uint32_t k = 0; k < s->count; k++)
            if (temporal_match(l->v->time, &s->points[k]))
                return true;
    }
    return false;
}

/* An entity that has all instances of the time asked about at once. */
static struct entity everything(const struct look *l, struct arena *a)
{
    struct entity all = {.id = l->e->id,
                         .type_count = l->e->type_count,
                         .types = l->e->types,
                         .created_at = l->e->created_at,
                         .modified_at = l->e->modified_at,
                         .expires_at = l->e->expires_at};
    for (uint32_t i = 0; i < l->e->count; i++)
        for (uint32_t k = 0; l->e->series[i].term != TERM_SCOPE && k < l->e->series[i].count; k++) {
            const struct point *p = &l->e->series[i].points[k];
            if (p->deleted_at != TIME_NONE || !temporal_match(l->v->time, p))
                continue;
            all.attrs = arena_grow(a, all.attrs, all.attr_count * sizeof *all.attrs,
                                   (all.attr_count + 1) * sizeof *all.attrs);
            all.attrs[all.attr_count++] = p->attr;
        }
    return all;
}

static bool found(struct look *l)
{
    const struct store_evolve *v = l->v;
    struct arena *a = v->arena;
    struct filter_env env = {.arena = a};
    if (!str_absent(v->id) && !str_eq(v->id, l->e->id))
        return false;
    if (v->scopes)
        l->span_count = scope_spans(v->scopes, evolution_series(l->e, TERM_SCOPE, NULL), v->time, a, &l->spans);
    struct entity all = everything(l, a);
    return filter_match(v->filter, &all, &env) && filter_match(v->caller->filter, &all, &env) &&
           filter_match(v->values, &all, &env) && (!v->scopes || l->span_count) &&
           (!str_absent(v->id) || has_instance(l));
}

/* ---- what is shown ---- */

/* Reference to an instance of the answer. */
struct instance {
    int64_t at;
    struct series *series;
    uint32_t index;
    uint32_t order; /* among all that were collected: breaks ties */
};

static int by_time(const void *x, const void *y)
{
    const struct instance *a = x, *b = y;
    return a->at != b->at ? (a->at < b->at ? -1 : 1) : (a->order > b->order) - (a->order < b->order);
}

static struct instance *collect(const struct store_evolve *v, struct series *series, uint32_t count, uint32_t *n)
{
    struct instance *all = NULL;
    *n = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < series[i].count; k++) {
            all = arena_grow(v->arena, all, *n * sizeof *all, (*n + 1) * sizeof *all);
            all[*n] = (struct instance){temporal_place(v->time, &series[i].points[k]), &series[i], k, *n};
            ++*n;
        }
    if (*n)
        qsort(all, *n, sizeof *all, by_time);
    return all;
}

/* Leaves of the series those instances alone that are in keep. */
static void reduce(const struct store_evolve *v, struct series *series, uint32_t count, const struct instance *keep, uint32_t n)
{
    for (uint32_t i = 0; i < count; i++) {
        struct series *s = &series[i];
        bool *kept = arena_zarray(v->arena, bool, s->count + 1);
        uint32_t left = 0;
        for (uint32_t k = 0; k < n; k++)
            if (keep[k].series == s)
                kept[keep[k].index] = true;
        for (uint32_t k = 0; k < s->count; k++)
            if (kept[k])
                s->points[left++] = s->points[k];
        s->count = left;
    }
}

/* The last n instances of each attribute, whatever their datasets. */
static void keep_last(const struct store_evolve *v, struct evolution *e)
{
    for (uint32_t i = 0, next; i < e->count; i = next) {
        uint32_t n;
        for (next = i + 1; next < e->count && e->series[next].term == e->series[i].term;)
            next++;
        struct instance *all = collect(v, e->series + i, next - i, &n);
        uint32_t keep = n < v->time->last_n ? n : v->time->last_n;
        if (n)
            reduce(v, e->series + i, next - i, all + (n - keep), keep);
    }
}

static void drop_empty(struct evolution *e)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->count; i++)
        if (e->series[i].count || e->series[i].aggregates)
            e->series[n++] = e->series[i];
    e->count = n;
}

static enum status aggregate(struct store_evolve *v, struct evolution *e)
{
    for (uint32_t i = 0; i < e->count; i++) {
        struct series *s = &e->series[i];
        struct aggregates *g = aggregates_begin(v->time, v->buckets_max, v->arena);
        uint32_t n = 0;
        for (uint32_t k = 0; s->term != TERM_SCOPE && k < s->count; k++)
            if (s->points[k].deleted_at == TIME_NONE) {
                aggregates_add(g, &s->points[k]);
                n++;
            }
        s->count = 0;
        if (!n)
            continue;
        enum status st = aggregates_end(g, &v->call.why);
        if (st == OK)
            s->aggregates = g;
        else if (v->terms || st == E_TOO_COMPLEX)
            return v->call.status = st;
        else
            why_clear(&v->call.why);
    }
    return OK;
}

static bool is_unshown(const struct store_evolve *v, uint32_t term)
{
    bool listed = v->all_unshown;
    for (uint32_t i = 0; i < v->unshown_count; i++)
        listed |= v->unshown[i] == term;
    return listed && term != TERM_SCOPE;
}

static struct evolution shown(const struct look *l)
{
    const struct store_evolve *v = l->v;
    struct evolution out = *l->e;
    out.series = arena_array(v->arena, struct series, l->e->count + 1);
    out.count = 0;
    for (uint32_t i = 0; i < l->e->count; i++) {
        const struct series *s = &l->e->series[i];
        if (!term_wanted(v, s->term) || !dataset_wanted(v, s) || is_unshown(v, s->term))
            continue;
        struct series *to = &out.series[out.count++];
        *to = (struct series){.term = s->term, .dataset = s->dataset};
        to->points = arena_array(v->arena, struct point, s->count);
        for (uint32_t k = 0; k < s->count; k++)
            if (point_wanted(l, s, &s->points[k]))
                to->points[to->count++] = s->points[k];
    }
    if (v->time->last_n && !v->time->methods)
        keep_last(v, &out);
    drop_empty(&out);
    return out;
}

/* How many of the first `most` are shown: none that share their time with one behind them, unless all do. */
static uint32_t cut_forwards(const struct instance *all, uint32_t n, uint32_t most)
{
    uint32_t to = most;
    while (to > 0 && all[to - 1].at == all[most].at)
        to--;
    if (to == 0)
        for (to = most; to < n && all[to].at == all[most].at; to++)
            ;
    return to;
}

/* The same from the other end: the first of those shown, `from` being the first that might be. */
static uint32_t cut_backwards(const struct instance *all, uint32_t n, uint32_t from)
{
    uint32_t first = from;
    while (first < n && all[first].at == all[from - 1].at)
        first++;
    if (first == n)
        for (first = from; first > 0 && all[first - 1].at == all[from - 1].at; first--)
            ;
    return first;
}

/* The answer as a whole has points_max instances at most: the earliest, with last_n the latest. What of them is left out
 * of a series leaves it there, be it empty. */
static void limit_points(struct store_evolve *v)
{
    uint32_t n, count = 0;
    for (uint32_t i = 0; i < v->evolution_count; i++)
        count += v->evolutions[i].count;
    struct series *series = arena_array(v->arena, struct series, count + 1);
    for (uint32_t i = 0, at = 0; i < v->evolution_count; at += v->evolutions[i++].count)
        for (uint32_t k = 0; k < v->evolutions[i].count; k++)
            series[at + k] = v->evolutions[i].series[k];
    struct instance *all = collect(v, series, count, &n);
    v->partial = n > v->points_max;
    if (v->partial) {
        uint32_t from = 0, to = n;
        if (v->time->last_n)
            from = cut_backwards(all, n, n - (uint32_t)v->points_max);
        else
            to = cut_forwards(all, n, (uint32_t)v->points_max);
        all += from;
        n = to - from;
        reduce(v, series, count, all, n);
    }
    for (uint32_t i = 0, at = 0; i < v->evolution_count; at += v->evolutions[i++].count)
        for (uint32_t k = 0; k < v->evolutions[i].count; k++)
            v->evolutions[i].series[k] = series[at + k];
    v->first_us = n ? all[0].at : TIME_NONE;
    v->last_us = n ? all[n - 1].at : TIME_NONE;
    v->explain.points = n;
}

static int by_id(const void *x, const void *y, void *order)
{
    struct str ids[] = {((const struct look *)x)->e->id, ((const struct look *)y)->e->id}, first = ids[0];
    order_ids(order, ids, 2);
    return str_eq(ids[0], first) ? -1 : 1;
}

static struct look *find_all(struct naive_history *h, struct store_evolve *v, uint32_t *n)
{
    struct look *all = arena_array(v->arena, struct look, h->count + 1);
    *n = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        struct look l = {.v = v, .e = &h->all[i].e};
        if (str_eq(h->all[i].tenant, v->caller->tenant) && found(&l))
            all[(*n)++] = l;
    }
    qsort_r(all, *n, sizeof *all, by_id, (void *)(uintptr_t)v->order);
    return all;
}

/* Those of all that are among the ones asked about, in that order. */
static struct look *find_among(struct look *all, uint32_t *n, struct store_evolve *v)
{
    struct look *left = arena_array(v->arena, struct look, *n + 1);
    uint32_t count = 0;
    v->missed = arena_zarray(v->arena, bool, v->among_count);
    for (uint32_t i = 0; i < v->among_count; i++) {
        const struct look *l = NULL;
        for (uint32_t k = 0; k < *n && !l; k++)
            l = str_eq(all[k].e->id, v->among[i]) ? &all[k] : NULL;
        v->missed[i] = !l;
        if (l)
            left[count++] = *l;
    }
    *n = count;
    return left;
}

void naive_history_evolve(struct naive_history *h, struct store_evolve *v)
{
    uint32_t n;
    struct look *all = find_all(h, v, &n);
    if (v->among)
        all = find_among(all, &n, v);
    bool one = !str_absent(v->id);
    uint32_t first = one ? 0 : v->offset < n ? (uint32_t)v->offset : n;
    uint32_t limit = one ? 1 : v->limit;
    v->evolution_count = n - first < limit ? n - first : limit;
    v->evolutions = arena_array(v->arena, struct evolution, v->evolution_count + 1);
    v->total = v->count ? n : 0;
    v->more = first + v->evolution_count < n;
    v->explain.entities = n;
    if (one && !n)
        v->call.status = why_set(&v->call.why, E_NOT_FOUND, NULL, "nothing is remembered of it");
    for (uint32_t i = 0; i < v->evolution_count; i++) {
        v->evolutions[i] = shown(&all[first + i]);
        if (v->time->methods && aggregate(v, &v->evolutions[i]) != OK)
            return;
        if (v->time->methods)
            drop_empty(&v->evolutions[i]);
    }
    limit_points(v);
}
