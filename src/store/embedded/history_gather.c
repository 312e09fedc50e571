/* Gathering one series: what of it is sealed, open and of today, within the time asked about, as
 * points or as aggregates. Chunks are opened only where what stands in front of them does not do. */
#include "store/embedded/history_gather.h"

#include "model/scope_span.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_key.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 16, PRUNE_SLACK = 4096 };

struct gathering {
    struct gather asked;
    const struct reading *r; /* asked's, as the two that follow */
    struct history_view *view;
    const struct past_series *series;
    struct point *points;
    uint32_t count, room;
    struct aggregates *aggregates; /* NULL: points are wanted */
    bool first_only;  /* it is only asked when the first value that counts is */
    int64_t first_us; /* then; until there is one, no less than any in range */
    uint64_t matched; /* in the time asked about */
    uint64_t taken;   /* into points, some of them pruned since */
    bool bounded;     /* only instances within the horizon can still be among those wanted */
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

static bool is_in_scope(const struct gathering *g, const struct point *p)
{
    const struct gather *asked = &g->asked;
    return !asked->spans || scope_spans_have(asked->spans, asked->span_count, g->r->time, p);
}

/* When it counts in a period; lower bounds of a chunk's are aggregated_first(). */
static void note_first(struct gathering *g, const struct point *p)
{
    int64_t us = point_time(p, (enum time_property)g->r->time->property);
    us = us != TIME_NONE ? us : point_place(p);
    bool counts = p->attr.value.kind != VALUE_NULL && p->attr.value.kind != VALUE_NONE;
    if (counts && us < g->first_us && is_in_scope(g, p))
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
    if (g->asked.hidden || !is_in_scope(g, p))
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
        st = chunk_points(&c, g->asked.term, g->asked.dataset, g->view->past.term_max, a, points, why);
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
    return !g->r->time->last_n && !g->asked.spans && s->numbers && s->every[g->r->time->property] && !is_edited(g, s);
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
    if (g->asked.hidden && g->matched)
        return OK;
    if (g->asked.hidden && !q->by_place && is_inside(q, &s) && !is_edited(g, &s)) {
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
        history_tell_sealed(g->r->e, g->r->tenant->id, w->id, g->asked.term, &why);
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
    struct str from = history_key_series(g->r->tenant->id, id, g->asked.term, g->asked.dataset, a);
    enum status st = base_view_range(g->view->base, from, history_key_end(from, a), g->r->time->last_n > 0, walk_chunk,
                                     &w, why);
    if (st == E_DAMAGED) { /* the disk gives nothing back from there on */
        history_tell_sealed(g->r->e, g->r->tenant->id, id, g->asked.term, why);
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
    return g->aggregates && g->series && past_has_kept(g->series) && g->view->base && !g->asked.spans &&
           !g->r->time->last_n;
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
    if (r->time->methods && !r->everything && !g->asked.hidden)
        st = begin_aggregates(g, id, current, why);
    if (st == OK)
        st = add_sealed(g, id, why);
    if (st == OK && has_kept(g))
        st = history_read_kept(r, g->view->base, id, g->series, g->aggregates, &g->matched, why);
    if (st != OK)
        return st;
    add_open(g, current);
    prune(g);
    *out = (struct series){.term = g->asked.term, .dataset = arena_dup(r->arena, g->asked.dataset)};
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

enum status history_gather(struct gather *asked, struct str id, const struct attr *current, struct series *out,
                           struct why *why)
{
    struct gathering g = {.asked = *asked, .r = asked->r, .view = asked->view, .series = asked->series};
    enum status st = gather(&g, id, current, out, why);
    asked->matched = g.matched;
    return st;
}
