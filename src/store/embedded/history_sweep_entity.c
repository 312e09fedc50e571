/* Sweeping one entity: instances that are too old leave its open and sealed chunks, all in one batch with its head.
 *
 * A chunk goes as a whole once its last instance is too old, told by its header alone unless aggregates of it are kept. One that is too old only in part is
 * rewritten when its first instance has outstayed by a sixteenth of the time it was to be kept, so that a slow series is not
 * written anew by each sweep. What has no times of its own to end by stays: damaged chunks, and the scope that was valid
 * when the time that is kept began. */
#include "base/hash.h"
#include "base/log.h"
#include "store/embedded/base_view.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_head.h"
#include "store/embedded/history_job.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_recent.h"
#include "store/embedded/history_sweep_keep.h"

#include <string.h>

enum { CHUNKS_AT_ONCE = 64, SLACK = 16 };

/* ---- how long ---- */

static void widen_by(struct sweeping *s, uint32_t type, bool *some)
{
    const struct retention_spans *of_type =
        retention_find(s->e->history.sweep.rules, s->tenant->name, type == TERM_NONE ? STR_NONE : terms_iri(s->e->terms, type));
    if (*some)
        retention_widen(&s->spans, of_type);
    else
        s->spans = *of_type;
    *some = true;
}

/* By all types that it has or had; doc: today's version, or NULL. */
static void find_spans(struct sweeping *s, const struct doc *doc)
{
    bool some = false;
    for (uint32_t i = 0; i < s->past.type_count; i++)
        widen_by(s, s->past.types[i], &some);
    for (uint32_t i = 0; doc && i < doc_type_count(doc); i++)
        widen_by(s, doc_type(doc, i), &some);
    if (!some)
        widen_by(s, TERM_NONE, &some);
}

/* Instances of before this time are too old; INT64_MIN: none is. */
static int64_t horizon(const struct sweeping *s)
{
    int64_t at, forced = s->e->history.bound.points_us;
    if (s->spans.keep_us == RETENTION_FOREVER || __builtin_sub_overflow(s->now_us, s->spans.keep_us, &at))
        at = INT64_MIN;
    return at > forced ? at : forced;
}

/* ---- a series ---- */

struct series_sweep {
    struct sweeping *s;
    struct past_series *series;
    struct str key;   /* what its chunks' keys begin with */
    int64_t horizon;
    int64_t overdue;  /* a chunk with an instance of before this time is rewritten */
    struct keeping keep;
    int64_t scope_at; /* of the scope: the last place before the horizon */
    bool again;
};

static enum status read_points(struct series_sweep *w, const struct chunk *c, struct point **out)
{
    struct sweeping *s = w->s;
    *out = arena_array(s->arena, struct point, c->summary.count);
    return chunk_points(c, w->series->term, w->series->dataset, s->past.term_max, s->arena, *out, s->why);
}

/* Leaves those that are kept, in their order. */
static uint32_t filter_points(struct series_sweep *w, struct point *points, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (point_place(&points[i]) >= w->horizon)
            points[kept++] = points[i];
        else
            keep_point(&w->keep, &points[i]);
    w->s->done.dropped += n - kept;
    return kept;
}

static void rewrite(struct series_sweep *w, struct str key, const struct chunk *c)
{
    struct sweeping *s = w->s;
    struct point *points;
    if (read_points(w, c, &points) != OK)
        return; /* it stays, for a check to tell of */
    uint32_t number = history_key_number(key), n = filter_points(w, points, c->summary.count);
    s->changed = true;
    s->chunks_left--;
    base_drop_past(s->base, key);
    s->bytes_dropped += c->bytes.n;
    if (!n) {
        w->series->sealed--;
        s->done.chunks_dropped++;
        return;
    }
    buf_clear(&s->bytes);
    chunk_write(&s->bytes, points, n);
    s->bytes_dropped -= s->bytes.n < c->bytes.n ? s->bytes.n : c->bytes.n;
    base_put_past(s->base, history_key_chunk(w->key, point_place(&points[0]), number, s->arena), buf_view(&s->bytes));
    s->done.chunks_rewritten++;
}

static void drop_chunk(struct series_sweep *w, struct str key, size_t bytes, const struct chunk_summary *c)
{
    w->s->bytes_dropped += key.n + bytes;
    w->s->changed = true;
    w->s->chunks_left--;
    w->s->done.dropped += c->count;
    w->s->done.chunks_dropped++;
    w->series->sealed--;
    base_drop_past(w->s->base, key);
}

/* Chunks come in order of their first place, those that are too old in part or not at all last. */
static bool sweep_chunk(void *arg, struct str key, struct str bytes)
{
    struct series_sweep *w = arg;
    struct sweeping *s = w->s;
    struct chunk_summary summary;
    struct chunk c;
    struct why why = {0};
    struct arena_mark before = arena_mark(s->arena);
    if (chunk_read_summary(bytes, &summary, &why) != OK)
        return true;
    if (!s->chunks_left) {
        w->again = true;
        return false;
    }
    key = arena_dup(s->arena, key);
    bool whole = summary.last_place < w->horizon;
    if (whole && !keep_wants(&w->keep))
        drop_chunk(w, key, bytes.n, &summary);
    else if ((whole || summary.first_place < w->overdue) && chunk_open(&c, arena_dup(s->arena, bytes), &why) == OK)
        rewrite(w, key, &c);
    arena_rewind(s->arena, before);
    return true;
}

/* Hands over the chunks that begin before a time. */
static enum status each_chunk_before(struct series_sweep *w, int64_t us,
                                     bool (*each)(void *arg, struct str key, struct str bytes))
{
    struct sweeping *s = w->s;
    if (!w->series->sealed)
        return OK;
    return base_view_range(s->view, w->key, history_key_chunk(w->key, us, 0, s->arena), false, each, w, s->why);
}

/* Are there open instances that are to go? */
static bool open_is_due(const struct series_sweep *w)
{
    struct str open = w->series->open, chunk;
    struct chunk_summary c;
    struct why why = {0};
    while (past_next_open(&open, &chunk))
        if (chunk_read_summary(chunk, &c, &why) == OK && (c.last_place < w->horizon || c.first_place < w->overdue))
            return true;
    int64_t first = INT64_MAX, last = INT64_MIN; /* of the head's tail */
    for (uint32_t i = 0; i < w->series->count; i++) {
        int64_t place = point_place(&w->series->points[i]);
        first = place < first ? place : first;
        last = place > last ? place : last;
    }
    return w->series->count && (last < w->horizon || first < w->overdue);
}

static void sweep_open(struct series_sweep *w)
{
    struct past_series *p = w->series;
    if (!open_is_due(w))
        return;
    past_open(&w->s->past, p);
    p->count = filter_points(w, p->points, p->count);
    w->s->changed = true;
}

/* ---- the scope ---- */

static void note_scope(struct series_sweep *w, int64_t place)
{
    if (place < w->horizon && place > w->scope_at)
        w->scope_at = place;
}

static bool look_for_scope(void *arg, struct str key, struct str bytes)
{
    struct series_sweep *w = arg;
    struct chunk c;
    struct point *points;
    struct arena_mark before = arena_mark(w->s->arena);
    struct why why = {0};
    (void)key;
    if (chunk_open(&c, arena_dup(w->s->arena, bytes), &why) == OK) {
        if (c.summary.last_place < w->horizon)
            note_scope(w, c.summary.last_place);
        else if (read_points(w, &c, &points) == OK)
            for (uint32_t i = 0; i < c.summary.count; i++)
                note_scope(w, point_place(&points[i]));
    }
    arena_rewind(w->s->arena, before);
    return true;
}

/* The scope that was valid when the time that is kept began stays. */
static enum status keep_scope(struct series_sweep *w)
{
    w->scope_at = INT64_MIN;
    enum status st = each_chunk_before(w, w->horizon, look_for_scope);
    past_open(&w->s->past, w->series);
    for (uint32_t i = 0; i < w->series->count; i++)
        note_scope(w, point_place(&w->series->points[i]));
    w->horizon = w->scope_at;
    w->overdue = w->scope_at < w->overdue ? w->scope_at : w->overdue;
    if (st != OK || w->scope_at == INT64_MIN)
        return st;
    uint32_t n = w->series->count;
    w->series->count = filter_points(w, w->series->points, n);
    w->s->changed = w->s->changed || w->series->count < n;
    return OK;
}

static enum status sweep_series(struct sweeping *s, struct past_series *p, int64_t at, bool *again)
{
    struct series_sweep w = {.s = s, .series = p};
    arena_reset(s->keep_arena);
    keep_begin(&w.keep, s, p, &at);
    w.horizon = at;
    if (s->e->history.bound.points_us != INT64_MIN)
        w.overdue = at; /* there must be room now */
    else if (at == INT64_MIN || __builtin_sub_overflow(at, (s->now_us - at) / SLACK, &w.overdue))
        w.overdue = INT64_MIN;
    w.key = history_key_series(s->tenant->id, s->id, p->term, p->dataset, s->arena);
    enum status st = p->term == TERM_SCOPE ? keep_scope(&w) : OK;
    if (st == OK && w.horizon != INT64_MIN) {
        if (p->term != TERM_SCOPE)
            sweep_open(&w);
        st = each_chunk_before(&w, w.horizon, sweep_chunk);
    }
    *again = *again || w.again;
    return st == OK && p->term != TERM_SCOPE ? keep_end(&w.keep, again) : st;
}

/* ---- the head ---- */

static bool is_over(const struct sweeping *s, const struct past_series *p)
{
    return !p->count && !p->open.n && !p->sealed && !p->damaged_count && !past_has_kept(p) && p->taken <= s->past.taken;
}

/* Nothing has been known of it for longer than is kept, and nothing is on its way. */
static bool is_forgotten(const struct sweeping *s, const struct doc *doc, int64_t at)
{
    const struct past *p = &s->past;
    struct tenant *t = s->tenant;
    uint64_t hash = hash_str(s->id);
    if (doc || p->count || p->created_at >= at || p->modified_at >= at || p->deleted_at >= at)
        return false;
    pthread_rwlock_rdlock(&t->lock);
    bool quiet = !state_find(tenant_state(t), s->id, hash, NULL) && !recent_find(t->recent, s->id, hash);
    pthread_rwlock_unlock(&t->lock);
    return quiet;
}

/* had: bytes of the head as it was. */
static void write_head(struct sweeping *s, const struct doc *doc, int64_t at, size_t had)
{
    struct past *p = &s->past;
    struct str key = history_key_head(s->tenant->id, s->id, s->arena);
    uint32_t left = 0;
    for (uint32_t i = 0; i < p->count; i++)
        if (!is_over(s, &p->series[i]))
            p->series[left++] = p->series[i];
    p->count = left;
    if (is_forgotten(s, doc, at)) {
        s->bytes_dropped += key.n + had;
        base_drop_past(s->base, key);
        base_drop_past(s->base, history_key_gone(s->tenant->id, s->id, s->arena));
        return;
    }
    buf_clear(&s->bytes);
    past_write(&s->bytes, p);
    s->bytes_dropped += had > s->bytes.n ? had - s->bytes.n : 0;
    base_put_past_head(s->base, key, buf_view(&s->bytes));
}

/* Open chunks that could not be read. */
static void set_aside(struct sweeping *s)
{
    struct past *p = &s->past;
    for (uint32_t i = 0; i < p->count; i++)
        history_head_set_aside(s->base, p, &p->series[i],
                               history_key_series(s->tenant->id, s->id, p->series[i].term, p->series[i].dataset, s->arena));
    history_tell_open(s->e, s->tenant->id, s->id, p->damaged);
    s->changed = true;
}

enum status sweep_entity(struct sweeping *s, struct str head, bool *again)
{
    const struct doc *doc = state_find(tenant_state(s->tenant), s->id, hash_str(s->id), NULL);
    past_init(&s->past, terms_count(s->e->terms), s->arena);
    struct why damage = {0};
    if (past_read(&s->past, head, &damage) != OK) { /* a fold makes what is left of it, for the next sweep */
        history_touch(s->e, s->tenant, s->id);
        return OK;
    }
    if (sweep_has_ended(s))
        return sweep_ended(s, doc, head.n, again);
    s->e->history.sweep.ends |= s->past.expires_at != TIME_NONE;
    find_spans(s, doc);
    int64_t at = horizon(s);
    if (at == INT64_MIN && s->e->history.bound.kept_us == INT64_MIN)
        return OK;
    s->chunks_left = CHUNKS_AT_ONCE;
    s->changed = false;
    base_together_begin(s->base);
    enum status st = OK;
    for (uint32_t i = 0; i < s->past.count && st == OK; i++)
        st = sweep_series(s, &s->past.series[i], at, again);
    if (st == OK && s->past.damaged)
        set_aside(s);
    s->changed = s->changed || is_forgotten(s, doc, at);
    if (st == OK && s->changed)
        write_head(s, doc, at, head.n);
    if (st == OK) {
        base_together_end(s->base);
        return s->changed ? base_show(s->base, s->why) : OK;
    }
    base_together_forget(s->base);
    *again = false;
    s->bytes_dropped = 0;
    s->done = (struct store_swept){0};
    return st;
}
