/* Which series of an entity are meant, from its past and from today, and what they have in common:
 * scopes, lastN, what is known of the entity. A series itself is gathered in history_gather.c. */
#include "store/embedded/history_read.h"

#include "model/scope_span.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_gather.h"

#include <stdlib.h>

/* ---- what is wanted ---- */

static bool is_among(const uint32_t *terms, uint32_t n, uint32_t term)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (terms[mid] < term)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && terms[low] == term;
}

static bool wants_term(const struct reading *r, uint32_t term)
{
    const struct store_evolve *v = r->v;
    if (r->everything)
        return !r->needed || is_among(r->needed, r->needed_count, term);
    if (!v->terms)
        return true;
    return term == TERM_SCOPE ? !v->no_scope : is_among(v->terms, v->term_count, term);
}

static bool is_unshown(const struct reading *r, uint32_t term)
{
    const struct store_evolve *v = r->v;
    return !r->everything && term != TERM_SCOPE && (v->all_unshown || is_among(v->unshown, v->unshown_count, term));
}

static bool wants_dataset(const struct reading *r, struct str dataset)
{
    const struct store_evolve *v = r->v;
    for (uint32_t i = 0; i < v->dataset_count; i++)
        if (str_eq(v->datasets[i], dataset) || (!dataset.n && str_eq(v->datasets[i], STR("@none"))))
            return true;
    return r->everything || !v->dataset_count;
}

/* ---- scopes ---- */

/* When a scope was what the query asks for. */
static enum status find_spans(const struct reading *r, struct history_view *view, struct str id, struct scope_span **out,
                              uint32_t *count, struct why *why)
{
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct reading all = *r;
    struct store_evolve unbounded = *r->v;
    unbounded.points_max = 0;
    all.v = &unbounded;
    all.time = &ALWAYS;
    struct gather g = {.r = &all, .view = view, .term = TERM_SCOPE, .dataset = STR(""),
                          .series = past_find(&view->past, TERM_SCOPE, STR(""))};
    struct series scopes;
    enum status st = history_gather(&g, id, NULL, &scopes, why);
    *count = st == OK ? scope_spans(r->v->scopes, &scopes, r->time, r->arena, out) : 0;
    return st;
}

static void show_scopes(const struct reading *r, const struct scope_span *spans, uint32_t n, struct series *to)
{
    *to = (struct series){.term = TERM_SCOPE, .dataset = STR(""), .points = arena_array(r->arena, struct point, n)};
    for (uint32_t i = 0; i < n; i++)
        to->points[to->count++] = *spans[i].point;
}

/* ---- lastN ---- */

struct counted {
    int64_t at;
    uint32_t series, point;
};

static int by_count(const void *x, const void *y)
{
    const struct counted *a = x, *b = y;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->series != b->series ? (a->series > b->series) - (a->series < b->series)
                                  : (a->point > b->point) - (a->point < b->point);
}

/* Leaves the last n instances of an attribute, whatever their datasets. */
static void keep_last(const struct reading *r, struct series *series, uint32_t count)
{
    uint32_t n = 0, most = r->time->last_n;
    for (uint32_t i = 0; i < count; i++)
        n += series[i].count;
    if (count < 2 || n <= most)
        return;
    struct counted *all = arena_array(r->arena, struct counted, n);
    n = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < series[i].count; k++)
            all[n++] = (struct counted){temporal_place(r->time, &series[i].points[k]), i, k};
    qsort(all, n, sizeof *all, by_count);
    for (uint32_t i = 0; i < n - most; i++)
        series[all[i].series].points[all[i].point].attr.seq = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = 0;
        for (uint32_t k = 0; k < series[i].count; k++)
            if (series[i].points[k].attr.seq)
                series[i].points[left++] = series[i].points[k];
        series[i].count = left;
    }
}

/* Drops those that are empty; those of one attribute are cut to lastN together. */
static void settle(const struct reading *r, struct evolution *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0, next; r->time->last_n && i < out->count; i = next) {
        for (next = i + 1; next < out->count && out->series[next].term == out->series[i].term;)
            next++;
        keep_last(r, out->series + i, next - i);
    }
    for (uint32_t i = 0; i < out->count; i++)
        if (out->series[i].count || out->series[i].aggregates)
            out->series[n++] = out->series[i];
    out->count = n;
}

/* ---- all series ---- */

/* Instance i of today is behind, at, or before the series? */
static int compare(const struct attr *a, const struct past_series *s)
{
    if (a->term != s->term)
        return a->term < s->term ? -1 : 1;
    return str_cmp(a->dataset, s->dataset);
}

/* An instance of an attribute asked for was found. */
static bool counts(const struct gather *g)
{
    return g->matched && (g->term != TERM_SCOPE || !g->r->v->terms);
}

/* Series that are not shown: read until one has an instance. */
static enum status gather_unshown(struct gather *all, uint32_t n, struct history_view *view, struct entity *today,
                                  struct str id, bool *found, struct why *why)
{
    enum status st = OK;
    for (uint32_t i = 0; i < n && st == OK && !*found; i++) {
        struct gather *g = &all[i];
        const struct attr *a = NULL;
        struct series nothing;
        for (uint32_t k = 0; k < today->attr_count && !a; k++)
            if (today->attrs[k].term == g->term && str_eq(today->attrs[k].dataset, g->dataset) &&
                history_view_current(view, &today->attrs[k]))
                a = &today->attrs[k];
        st = history_gather(g, id, a, &nothing, why);
        *found = counts(g);
        g->r->v->unshown_found |= *found;
    }
    return st;
}

static enum status gather_all(const struct reading *r, struct history_view *view, struct str id, struct evolution *out,
                              bool *found, struct why *why)
{
    struct past *p = &view->past;
    struct entity today = {0};
    struct scope_span *spans = NULL;
    uint32_t span_count = 0, unshown = 0;
    bool scoped = r->v->scopes && !r->everything;
    enum status st = scoped ? find_spans(r, view, id, &spans, &span_count, why) : OK;
    if (st != OK || (scoped && !span_count))
        return st;
    if (view->doc)
        doc_decode(view->doc, r->arena, &today);
    out->series = arena_array(r->arena, struct series, p->count + today.attr_count);
    struct gather *later = arena_array(r->arena, struct gather, p->count + today.attr_count);
    for (uint32_t i = 0, k = 0; i < p->count || k < today.attr_count;) {
        int c = i == p->count ? -1 : k == today.attr_count ? 1 : compare(&today.attrs[k], &p->series[i]);
        const struct past_series *s = c >= 0 ? &p->series[i++] : NULL;
        const struct attr *a = c <= 0 ? &today.attrs[k++] : NULL;
        struct gather g = {.r = r, .view = view, .series = s, .term = s ? s->term : a->term,
                              .dataset = s ? s->dataset : a->dataset, .spans = spans, .span_count = span_count};
        if (!wants_term(r, g.term))
            continue;
        g.hidden = g.term != TERM_SCOPE && (!wants_dataset(r, g.dataset) || is_unshown(r, g.term));
        if (is_unshown(r, g.term)) {
            later[unshown++] = g;
            continue;
        }
        struct series *to = &out->series[out->count++];
        if (scoped && g.term == TERM_SCOPE)
            show_scopes(r, spans, span_count, to);
        else
            st = history_gather(&g, id, a && history_view_current(view, a) ? a : NULL, to, why);
        if (st != OK)
            return st;
        *found = *found || counts(&g);
    }
    settle(r, out);
    return gather_unshown(later, unshown, view, &today, id, found, why);
}

static void describe(const struct history_view *view, struct arena *a, struct evolution *out)
{
    const struct past *p = &view->past;
    uint32_t n = view->doc ? doc_type_count(view->doc) : 0;
    out->types = arena_array(a, uint32_t, n + p->type_count);
    for (uint32_t i = 0; i < n; i++)
        out->types[out->type_count++] = doc_type(view->doc, i);
    for (uint32_t i = 0; i < p->type_count; i++) {
        uint32_t k = 0;
        while (k < out->type_count && out->types[k] != p->types[i])
            k++;
        if (k == out->type_count)
            out->types[out->type_count++] = p->types[i];
    }
    out->created_at = p->created_at;
    out->modified_at = p->modified_at;
    out->deleted_at = view->doc ? TIME_NONE : p->deleted_at;
    out->expires_at = p->expires_at;
    if (!view->doc)
        return;
    out->created_at = doc_created_at(view->doc);
    if (out->modified_at == TIME_NONE || doc_modified_at(view->doc) > out->modified_at)
        out->modified_at = doc_modified_at(view->doc);
    if (out->expires_at == TIME_NONE)
        out->expires_at = doc_own_expires_at(view->doc);
}

enum status history_read(const struct reading *r, struct str id, struct evolution *out, bool *found, struct why *why)
{
    struct history_view view;
    *found = false;
    *out = (struct evolution){.id = id};
    enum status st = history_view_open(r->e, r->tenant, id, r->arena, &view, why);
    if (st != OK)
        return st;
    r->v->explain.entities++;
    if (history_view_exists(&view)) {
        describe(&view, r->arena, out);
        st = gather_all(r, &view, id, out, found, why);
    } else {
        st = E_NOT_FOUND;
    }
    if (view.past.damaged)
        history_tell_open(r->e, r->tenant->id, id, view.past.damaged);
    history_view_close(r->e, &view);
    return st;
}
