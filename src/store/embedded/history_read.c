/* Which instances of an entity's series are meant, from its past and from today. */
#include "store/embedded/history_read.h"

#include "base/hash.h"
#include "model/scope_span.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_key.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 16, PRUNE_SLACK = 4096 };

/* One series. */
struct gathering {
    const struct reading *r;
    struct history_view *view;
    const struct past_series *series; /* NULL: today's alone */
    uint32_t term;
    struct str dataset;
    struct point *points;
    uint32_t count, room, room_max;
    struct aggregates *aggregates; /* NULL: points are wanted */
    const struct scope_span *spans; /* NULL: whenever; else only instances of when a scope matched */
    uint32_t span_count;
    bool hidden;      /* it is only asked whether there are any */
    bool first_only;  /* it is only asked when the first value that counts is */
    int64_t first_us; /* then; until there is one, no less than any in range */
    uint64_t matched; /* in the time asked about */
    uint64_t taken;   /* into points, some of them pruned since */
    bool bounded;  /* only instances within the horizon can still be among those wanted */
    int64_t horizon;
};

/* ---- points ---- */

static int by_time(const void *x, const void *y, void *q)
{
    int64_t a = temporal_place(q, x), b = temporal_place(q, y);
    return a != b ? (a < b ? -1 : 1) : point_order(x, y);
}

/* How many of a series can be among those wanted, at most. */
static uint64_t most(const struct reading *r)
{
    uint64_t n = r->v->points_max && !r->everything ? r->v->points_max + 1 : UINT32_MAX / 2;
    return r->time->last_n && r->time->last_n < n ? r->time->last_n : n;
}

/* Leaves the last n with lastN, else the first. */
static void prune(struct gathering *g)
{
    uint64_t n = most(g->r);
    if (g->count <= n)
        return;
    qsort_r(g->points, g->count, sizeof g->points[0], by_time, (void *)g->r->time);
    if (g->r->time->last_n)
        memmove(g->points, g->points + (g->count - n), n * sizeof g->points[0]);
    g->count = (uint32_t)n;
    g->bounded = true;
    g->horizon = temporal_place(g->r->time, &g->points[g->r->time->last_n ? 0 : n - 1]);
}

/* When it counts in a period; lower bounds of a chunk's are aggregated_first(). */
static void note_first(struct gathering *g, const struct point *p)
{
    int64_t us = point_time(p, (enum time_property)g->r->time->property);
    us = us != TIME_NONE ? us : point_place(p);
    bool counts = p->attr.value.kind != VALUE_NULL && p->attr.value.kind != VALUE_NONE;
    if (counts && us < g->first_us && (!g->spans || scope_spans_have(g->spans, g->span_count, g->r->time, p)))
        g->first_us = us;
}

static void add(struct gathering *g, const struct point *p)
{
    if (!temporal_match(g->r->time, p))
        return;
    if (g->first_only) {
        note_first(g, p);
        return;
    }
    g->matched++;
    g->r->v->explain.points++;
    if (g->hidden || (g->spans && !scope_spans_have(g->spans, g->span_count, g->r->time, p)))
        return;
    if (g->aggregates && !g->r->time->last_n) {
        aggregates_add(g->aggregates, p);
        return;
    }
    if (g->count == g->room) {
        uint32_t room = g->room ? 2 * g->room : ROOM_FIRST;
        g->points = arena_grow(g->r->arena, g->points, g->room * sizeof *p, room * sizeof *p);
        g->room = room;
    }
    g->points[g->count++] = *p;
    g->taken++;
    if (g->count >= most(g->r) + PRUNE_SLACK)
        prune(g);
}

/* ---- chunks ---- */

/* Can no instance of the chunk be wanted? */
static bool is_outside(const struct gathering *g, const struct chunk_summary *s)
{
    const struct temporal_query *q = g->r->time;
    int64_t first = q->by_place ? s->first_place : s->first[q->property];
    int64_t last = q->by_place ? s->last_place : s->last[q->property];
    bool some = first != TIME_NONE, every = q->by_place || s->every[q->property];
    if ((q->must_have || every) && (!some || last < q->from_us || first >= q->to_us))
        return true;
    if (!g->bounded || !every)
        return false;
    return q->last_n ? last < g->horizon : first > g->horizon;
}

static bool is_inside(const struct temporal_query *q, const struct chunk_summary *s)
{
    return s->every[q->property] && s->first[q->property] >= q->from_us && s->last[q->property] < q->to_us;
}

/* Has something of it been dropped or modified since? */
static bool is_edited(const struct gathering *g, const struct chunk_summary *s)
{
    for (uint32_t i = 0; i < g->series->edit_count; i++)
        if (g->series->edits[i].seq >= s->seq_min && g->series->edits[i].seq <= s->seq_max)
            return true;
    return false;
}

static enum status add_numbers(struct gathering *g, const struct chunk *c, struct why *why)
{
    uint32_t n = c->summary.count;
    int64_t *times = mem_alloc(n * sizeof *times);
    double *numbers = mem_alloc(n * sizeof *numbers);
    enum status st = chunk_times(c, g->r->time->property, times, why);
    if (st == OK)
        st = chunk_numbers(c, numbers, why);
    if (st == OK) {
        aggregates_add_numbers(g->aggregates, times, numbers, n);
        g->matched += n; /* about: those of the range */
        g->r->v->explain.points += n;
    }
    free(times);
    free(numbers);
    return st;
}

static enum status add_points(struct gathering *g, struct str bytes, struct why *why)
{
    struct chunk c;
    bool passing = g->first_only || (g->aggregates && !g->r->time->last_n); /* what is worked out borrows nothing */
    struct arena *a = passing ? arena_new(0) : g->r->arena;
    struct arena_mark before = arena_mark(a);
    uint64_t taken = g->taken;
    enum status st = chunk_open(&c, arena_dup(a, bytes), why);
    struct point *points = st == OK ? arena_array(a, struct point, c.summary.count) : NULL;
    if (st == OK)
        st = chunk_points(&c, g->term, g->dataset, g->view->past.term_max, a, points, why);
    for (uint32_t i = 0; st == OK && i < c.summary.count; i++)
        if (!past_edited(g->series, points[i].attr.seq, points[i].index))
            add(g, &points[i]);
    if (passing)
        arena_free(a);
    else if (g->taken == taken)
        arena_rewind(a, before);
    return st;
}

/* No value of the chunk counts before. */
static int64_t aggregated_first(const struct gathering *g, const struct chunk_summary *s)
{
    int64_t first = s->first[g->r->time->property];
    if (s->every[g->r->time->property])
        return first;
    return first != TIME_NONE && first < s->first_place ? first : s->first_place;
}

/* Do the chunk's columns of times and numbers tell all about it? */
static bool is_plain(const struct gathering *g, const struct chunk_summary *s)
{
    return !g->r->time->last_n && !g->spans && s->numbers && s->every[g->r->time->property] && !is_edited(g, s);
}

static enum status look_for_first(struct gathering *g, const struct chunk_summary *s, struct str bytes, struct why *why)
{
    int64_t first = aggregated_first(g, s);
    if (is_outside(g, s) || first >= g->first_us)
        return OK;
    if (!is_plain(g, s))
        return add_points(g, bytes, why);
    g->first_us = first;
    return OK;
}

static enum status add_chunk(struct gathering *g, struct str bytes, struct why *why)
{
    struct history *h = &g->r->e->history;
    const struct temporal_query *q = g->r->time;
    struct chunk_summary s;
    struct chunk c;
    enum status st = chunk_read_summary(bytes, &s, why);
    if (st != OK)
        return st;
    if (g->first_only)
        return look_for_first(g, &s, bytes, why);
    if (is_outside(g, &s)) {
        h->chunks_skipped++;
        g->r->v->explain.chunks_skipped++;
        return OK;
    }
    if (g->hidden && g->matched)
        return OK;
    if (g->hidden && !q->by_place && is_inside(q, &s) && !is_edited(g, &s)) {
        g->matched += s.count;
        h->chunks_summed++;
        g->r->v->explain.chunks_summed++;
        return OK;
    }
    bool columns = g->aggregates && is_plain(g, &s);
    int64_t first = s.first[q->property], last = s.last[q->property];
    if (columns && is_inside(q, &s) && aggregates_take_summary(g->aggregates, first, last) &&
        aggregates_add_summary(g->aggregates, first, last, &s.summary)) {
        g->matched += s.count;
        h->chunks_summed++;
        g->r->v->explain.chunks_summed++;
        return OK;
    }
    h->chunks_read++;
    g->r->v->explain.chunks_read++;
    if (!columns)
        return add_points(g, bytes, why);
    st = chunk_open(&c, bytes, why);
    return st == OK ? add_numbers(g, &c, why) : st;
}

struct walk {
    struct gathering *g;
    struct str id;
    enum status status;
};

/* A chunk that cannot be read is left out, and told of: the rest is not lost with it. */
static bool walk_chunk(void *arg, struct str key, struct str bytes)
{
    struct walk *w = arg;
    struct gathering *g = w->g;
    struct why why = {0};
    (void)key;
    enum status st = add_chunk(g, bytes, &why);
    if (st == E_DAMAGED || st == E_NOT_SUPPORTED) {
        history_tell_sealed(g->r->e, g->r->tenant->id, w->id, g->term, &why);
    } else {
        w->status = st;
    }
    if (w->status == OK && history_is_over(&g->r->v->call))
        w->status = g->r->v->call.status;
    return w->status == OK;
}

static enum status add_sealed(struct gathering *g, struct str id, struct why *why)
{
    struct walk w = {g, id, OK};
    if (!g->series || !g->series->sealed || g->series->emptied || !g->view->base)
        return OK;
    struct arena *a = g->r->arena;
    struct str from = history_key_series(g->r->tenant->id, id, g->term, g->dataset, a);
    enum status st = base_view_range(g->view->base, from, history_key_end(from, a), g->r->time->last_n > 0, walk_chunk,
                                     &w, why);
    if (st == E_DAMAGED) { /* the disk gives nothing back from there on */
        history_tell_sealed(g->r->e, g->r->tenant->id, id, g->term, why);
        st = OK;
    }
    return st == OK ? w.status : st;
}

/* ---- a series ---- */

/* What is not sealed. current: of today; NULL: none, or it does not count. */
static void add_open(struct gathering *g, const struct attr *current)
{
    if (g->series)
        past_open(&g->view->past, (struct past_series *)g->series);
    for (uint32_t i = 0; g->series && i < g->series->count; i++)
        add(g, &g->series->points[i]);
    if (current)
        add(g, &(struct point){.attr = *current, .deleted_at = TIME_NONE});
}

/* Is there anything kept that the aggregation can take? */
static bool has_kept(const struct gathering *g)
{
    return g->aggregates && g->series && past_has_kept(g->series) && g->view->base && !g->spans && !g->r->time->last_n;
}

/* Periods of an open range begin with the first value, so that is looked for before; mostly headers are enough. */
static enum status begin_aggregates(struct gathering *g, struct str id, const struct attr *current, struct why *why)
{
    enum status st = OK;
    g->aggregates = aggregates_begin(g->r->time, g->r->v->buckets_max, g->r->arena);
    aggregates_bound(g->aggregates, g->r->v->distinct_max);
    if (aggregates_wait(g->aggregates) && !g->r->time->last_n) {
        g->first_only = true;
        g->first_us = g->r->time->to_us;
        add_open(g, current);
        st = add_sealed(g, id, why);
        if (st == OK && has_kept(g))
            st = history_first_kept(g->r, g->view->base, id, g->series, g->aggregates, &g->first_us, why);
        g->first_only = false;
        aggregates_start(g->aggregates, g->first_us);
    }
    return st;
}

static enum status aggregate(struct gathering *g, struct why *why)
{
    if (g->r->time->last_n) {
        g->first_us = INT64_MAX;
        for (uint32_t i = 0; i < g->count; i++)
            note_first(g, &g->points[i]);
        aggregates_start(g->aggregates, g->first_us);
        for (uint32_t i = 0; i < g->count; i++)
            aggregates_add(g->aggregates, &g->points[i]);
        g->count = 0;
    }
    return aggregates_end(g->aggregates, why);
}

static enum status gather(struct gathering *g, struct str id, const struct attr *current, struct series *out,
                          struct why *why)
{
    const struct reading *r = g->r;
    enum status st = OK;
    if (r->time->methods && !r->everything && !g->hidden)
        st = begin_aggregates(g, id, current, why);
    if (st == OK)
        st = add_sealed(g, id, why);
    if (st == OK && has_kept(g))
        st = history_read_kept(r, g->view->base, id, g->series, g->aggregates, &g->matched, why);
    if (st != OK)
        return st;
    add_open(g, current);
    prune(g);
    *out = (struct series){.term = g->term, .dataset = arena_dup(r->arena, g->dataset)};
    if (g->aggregates) {
        st = aggregate(g, why);
        out->aggregates = st == OK && aggregates_count(g->aggregates) ? g->aggregates : NULL;
        return st == E_INVALID_REQUEST && !r->v->terms ? OK : st; /* one that was not asked for by name is left out */
    }
    points_sort(g->points, g->count);
    out->points = g->points;
    out->count = g->count;
    return OK;
}

/* ---- an entity ---- */

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
    struct gathering g = {.r = &all, .view = view, .term = TERM_SCOPE, .dataset = STR(""),
                          .series = past_find(&view->past, TERM_SCOPE, STR(""))};
    struct series scopes;
    enum status st = gather(&g, id, NULL, &scopes, why);
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
static bool counts(const struct gathering *g)
{
    return g->matched && (g->term != TERM_SCOPE || !g->r->v->terms);
}

/* Series that are not shown: read until one has an instance. */
static enum status gather_unshown(struct gathering *all, uint32_t n, struct history_view *view, struct entity *today,
                                  struct str id, bool *found, struct why *why)
{
    enum status st = OK;
    for (uint32_t i = 0; i < n && st == OK && !*found; i++) {
        struct gathering *g = &all[i];
        const struct attr *a = NULL;
        struct series nothing;
        for (uint32_t k = 0; k < today->attr_count && !a; k++)
            if (today->attrs[k].term == g->term && str_eq(today->attrs[k].dataset, g->dataset) &&
                history_view_current(view, &today->attrs[k]))
                a = &today->attrs[k];
        st = gather(g, id, a, &nothing, why);
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
    struct gathering *later = arena_array(r->arena, struct gathering, p->count + today.attr_count);
    for (uint32_t i = 0, k = 0; i < p->count || k < today.attr_count;) {
        int c = i == p->count ? -1 : k == today.attr_count ? 1 : compare(&today.attrs[k], &p->series[i]);
        const struct past_series *s = c >= 0 ? &p->series[i++] : NULL;
        const struct attr *a = c <= 0 ? &today.attrs[k++] : NULL;
        struct gathering g = {.r = r, .view = view, .series = s, .term = s ? s->term : a->term,
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
            st = gather(&g, id, a && history_view_current(view, a) ? a : NULL, to, why);
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
