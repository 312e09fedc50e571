/* A fold's part of history: the groups of each entity are put into its past, and what makes a full chunk is sealed. One batch
 * an entity, so that head and chunks agree whatever happens. Before the tenant's entities: a base that has an entity's
 * version has all that led to it. */
#include "base/hash.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_head.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_past.h"
#include "store/embedded/history_recent.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEAL_POINTS = 1024,
    SEAL_BYTES = 256 << 10, /* of instances, about: large ones make smaller chunks */
    POINT_BYTES = 16,       /* of an attribute, about, besides its texts */
    OPEN_CHUNKS_MAX = 8,    /* of a series, before they are made one */
};

/* ---- tables ---- */

void history_take(struct tenant *t)
{
    t->folding_recent = t->recent;
    t->recent = recent_new();
}

void history_settle(struct embedded *e, struct tenant *t)
{
    e->history.bytes -= recent_bytes(t->folding_recent);
    recent_free(t->folding_recent);
    t->folding_recent = NULL;
}

void history_give_back(struct embedded *e, struct tenant *t)
{
    if (tenants_find_id(e->tenants, t->id) != t) { /* deleted meanwhile */
        history_settle(e, t);
        return;
    }
    size_t before = recent_bytes(t->recent) + recent_bytes(t->folding_recent);
    recent_prepend(t->recent, t->folding_recent);
    t->folding_recent = NULL;
    e->history.bytes += recent_bytes(t->recent) - before;
}

/* ---- sealing ---- */

struct folding {
    struct embedded *e;
    struct tenant *t;
    struct base *base;
    struct base_view *view;
    struct base_walk *heads;
    struct arena *arena; /* of one entity */
    struct str id;
    struct past past;
    struct buf bytes;
    struct why *why;
};

static void put_chunk(struct folding *f, struct str series, uint32_t number, const struct point *points, uint32_t n)
{
    buf_clear(&f->bytes);
    chunk_write(&f->bytes, points, n);
    base_put_past(f->base, history_key_chunk(series, point_place(&points[0]), number, f->arena), buf_view(&f->bytes));
    f->e->history.sealed++;
}

static size_t weight_of(const struct attr *a)
{
    size_t n = POINT_BYTES + a->dataset.n + a->unit_code.n + a->value_type.n + a->object_type.n;
    if (a->value.kind >= VALUE_STRING)
        n += a->value.text.n;
    for (uint32_t i = 0; i < a->sub_count; i++)
        n += weight_of(&a->subs[i]);
    return n;
}

static size_t weight(const struct point *p)
{
    return weight_of(&p->attr);
}

/* Points from `from` on that make a full chunk; 0: too few are left. */
static uint32_t full_chunk(const struct past_series *s, uint32_t from)
{
    size_t bytes = 0;
    for (uint32_t n = 1; from + n <= s->count; n++) {
        bytes += weight(&s->points[from + n - 1]);
        if (n == SEAL_POINTS || bytes >= SEAL_BYTES)
            return n;
    }
    return 0;
}

/* Is what is open enough for a full chunk, or in too many parts? Else its chunks stay as they are. */
static bool is_ripe(const struct past_series *s)
{
    struct str open = s->open, chunk;
    uint32_t n = 0;
    while (past_next_open(&open, &chunk))
        n++;
    size_t bytes = s->open.n;
    for (uint32_t i = 0; i < s->count && bytes < SEAL_BYTES; i++)
        bytes += weight(&s->points[i]);
    if (open.n) /* a length in it is damaged: nothing can be put behind it */
        return true;
    return s->open_count + s->count >= SEAL_POINTS || bytes >= SEAL_BYTES || n >= OPEN_CHUNKS_MAX;
}

static void seal(struct folding *f, struct past_series *s, struct str series)
{
    if (!s->opened && !is_ripe(s))
        return;
    past_open(&f->past, s);
    uint32_t from = 0, n = full_chunk(s, 0);
    if (!n)
        return;
    points_sort(s->points, s->count);
    for (; (n = full_chunk(s, from)); from += n, s->sealed++)
        put_chunk(f, series, f->past.chunks_made++, s->points + from, n);
    memmove(s->points, s->points + from, (s->count - from) * sizeof s->points[0]);
    s->count -= from;
}

/* ---- sealed points that were dropped or modified ---- */

struct rewriting {
    struct folding *f;
    struct past_series *s;
    struct str series;
    enum status status;
};

static void rewrite(struct rewriting *r, struct str key, const struct chunk *c)
{
    struct folding *f = r->f;
    struct point *points = arena_array(f->arena, struct point, c->summary.count);
    struct why why = {0};
    uint32_t n = 0;
    if (chunk_points(c, r->s->term, r->s->dataset, f->past.term_max, f->arena, points, &why) != OK)
        return; /* it stays as it is, for a check to tell of */
    for (uint32_t i = 0; i < c->summary.count; i++)
        if (!past_edited(r->s, points[i].attr.seq, points[i].index))
            points[n++] = points[i];
    base_drop_past(f->base, key);
    if (n)
        put_chunk(f, r->series, history_key_number(key), points, n);
    else
        r->s->sealed--;
}

static bool rewrite_if_edited(void *arg, struct str key, struct str bytes)
{
    struct rewriting *r = arg;
    struct str kept = arena_dup(r->f->arena, bytes);
    struct chunk c;
    struct why why = {0};
    if (chunk_open(&c, kept, &why) != OK)
        return true;
    for (uint32_t i = 0; i < r->s->edit_count; i++) {
        const struct past_edit *d = &r->s->edits[i];
        uint32_t at = UINT32_MAX;
        if (d->seq >= c.summary.seq_min && d->seq <= c.summary.seq_max &&
            chunk_find(&c, d->seq, d->index, &at, &why) == OK && at != UINT32_MAX) {
            rewrite(r, key, &c);
            return true;
        }
    }
    return true;
}

/* ---- one entity ---- */

static enum status write_series(struct folding *f, struct past_series *s)
{
    if (!s->touched)
        return OK;
    struct str series = history_key_series(f->t->id, f->id, s->term, s->dataset, f->arena);
    struct str end = history_key_end(series, f->arena);
    struct rewriting r = {.f = f, .s = s, .series = series};
    if (s->emptied) {
        struct str kept = kept_key_series(f->t->id, f->id, s->term, s->dataset, f->arena);
        base_drop_past_range(f->base, series, end);
        base_drop_past_range(f->base, kept, history_key_end(kept, f->arena));
    }
    enum status st = s->edit_count && !s->emptied
                         ? base_view_range(f->view, series, end, false, rewrite_if_edited, &r, f->why)
                         : OK;
    if (st == E_DAMAGED) { /* nobody can read there, so nothing need be dropped; the rest of the fold goes on */
        history_tell_sealed(f->e, f->t->id, f->id, s->term, f->why);
        st = OK;
    }
    seal(f, s, series);
    history_head_set_aside(f->base, &f->past, s, series);
    return st;
}

/* Is the entity to be found by what is current? */
static bool is_covered(const struct folding *f)
{
    const struct doc *d = state_find(tenant_state(f->t), f->id, hash_str(f->id), NULL);
    if (!d)
        return false;
    for (uint32_t i = 0; i < f->past.type_count; i++) {
        uint32_t k = 0;
        while (k < doc_type_count(d) && doc_type(d, k) != f->past.types[i])
            k++;
        if (k == doc_type_count(d))
            return false;
    }
    return true;
}

/* The head in its parts, borrowed until the next one; *there false: none. */
static enum status find_head(struct folding *f, struct str key, bool *there, struct str *bytes, struct past_head *h)
{
    struct why why = {0};
    *h = (struct past_head){.listed = PAST_NOT_LISTED, .tail = STR(""), .body = STR("")};
    enum status st = base_walk_get(f->heads, key, bytes, &why);
    *there = st != E_NOT_FOUND;
    if (st == OK)
        st = past_head_read(h, *bytes, &why);
    if (st != OK && st != E_NOT_FOUND)
        *h = (struct past_head){.listed = PAST_LISTED_UNKNOWN, .body = STR_NONE};
    if (st == E_NOT_FOUND || st == E_DAMAGED || st == E_NOT_SUPPORTED)
        return OK;
    if (st != OK)
        *f->why = why;
    return st;
}

/* Few instances are put behind what is there as they are, without a look at it: nothing of that is over, nor is to be found
 * otherwise than before. */
static bool append(struct folding *f, struct str key, bool there, const struct past_head *h, bool plain, struct str groups)
{
    if (!plain || h->listed == PAST_LISTED_UNKNOWN || h->tail.n + groups.n > PAST_TAIL_BYTES)
        return false;
    buf_clear(&f->bytes);
    past_head_write(&f->bytes, h, groups);
    if (!there)
        past_write_body(&f->bytes, &f->past);
    base_put_past_head(f->base, key, buf_view(&f->bytes));
    return true;
}

/* Into the past, which is empty. */
static enum status read_head(struct folding *f, bool there, struct str bytes, const struct past_head *h)
{
    struct why why = {0};
    f->past.listed = h->listed;
    if (!there || (!str_absent(h->body) && past_read(&f->past, bytes, &why) == OK))
        return OK;
    past_init(&f->past, f->past.term_max, f->arena);
    return history_head_read(f->view, f->t->id, f->id, &f->past, f->why);
}

/* Nothing is left of it, and nothing has happened to it since the fold began: that would ask what was taken. */
static bool is_over(const struct folding *f)
{
    uint64_t hash = hash_str(f->id);
    pthread_rwlock_rdlock(&f->t->lock);
    bool over = past_is_empty(&f->past) && !state_find(tenant_state(f->t), f->id, hash, NULL) &&
                !recent_find(f->t->recent, f->id, hash);
    pthread_rwlock_unlock(&f->t->lock);
    return over;
}

static void write_head(struct folding *f, struct str key)
{
    struct str gone = history_key_gone(f->t->id, f->id, f->arena);
    uint8_t listed = f->past.listed;
    bool over = is_over(f);
    f->past.listed = over || is_covered(f) ? PAST_NOT_LISTED : PAST_LISTED;
    if (f->past.listed != listed) {
        if (f->past.listed == PAST_LISTED)
            base_put_past(f->base, gone, STR(""));
        else
            base_drop_past(f->base, gone);
    }
    if (over) {
        base_drop_past(f->base, key);
        return;
    }
    if (f->past.expires_at != TIME_NONE)
        sweep_expect(f->e);
    buf_clear(&f->bytes);
    past_write(&f->bytes, &f->past);
    base_put_past_head(f->base, key, buf_view(&f->bytes));
}

static enum status write_entity(struct folding *f, const struct recent_entry *entry)
{
    arena_reset(f->arena);
    f->id = recent_id(entry);
    struct str groups = recent_groups(entry, f->arena);
    struct str key = history_key_head(f->t->id, f->id, f->arena);
    past_init(&f->past, terms_count(f->e->terms), f->arena);
    struct past_head h;
    struct str bytes;
    bool there;
    enum status st = find_head(f, key, &there, &bytes, &h);
    if (st == OK && append(f, key, there, &h, entry->plain, groups))
        return OK;
    if (st == OK)
        st = read_head(f, there, bytes, &h);
    if (st == OK)
        st = past_apply(&f->past, groups, f->why);
    if (st == OK)
        (void)past_end(&f->past, read_now(f->e));
    base_together_begin(f->base);
    for (uint32_t i = 0; st == OK && i < f->past.count; i++)
        st = write_series(f, &f->past.series[i]);
    if (st == OK)
        write_head(f, key);
    if (st == OK)
        base_together_end(f->base);
    else
        base_together_forget(f->base);
    if (f->past.damaged)
        history_tell_open(f->e, f->t->id, f->id, f->past.damaged);
    if (f->past.lost || f->past.series_lost)
        history_tell_head(f->e, f->t->id, f->id);
    return st;
}

enum status history_write_part(struct embedded *e, struct tenant *t, struct why *why)
{
    struct folding f = {.e = e, .t = t, .base = e->fold.base, .why = why};
    uint32_t n = recent_count(t->folding_recent);
    enum status st = OK;
    if (!n)
        return OK;
    const struct recent_entry **entries = recent_sorted(t->folding_recent);
    f.view = base_view_open(f.base);
    f.heads = base_walk_open(f.view);
    f.arena = arena_new(0);
    buf_init(&f.bytes, SIZE_MAX / 2);
    for (uint32_t i = 0; i < n && st == OK; i++) {
        st = write_entity(&f, entries[i]);
        reclaim_offline(e->reclaim);
        reclaim_online(e->reclaim);
    }
    buf_free(&f.bytes);
    arena_free(f.arena);
    base_walk_close(f.heads);
    base_view_close(f.view);
    free(entries);
    return st;
}
