/* Aggregates of what is dropped, and their way from level to level. */
#include "store/embedded/history_sweep_keep.h"

#include "store/embedded/base_view.h"
#include "store/embedded/history_key.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 32, SLACK = 16 };

/* ---- which levels ---- */

static int64_t back(int64_t us, int64_t span)
{
    int64_t at;
    return span == RETENTION_FOREVER || __builtin_sub_overflow(us, span, &at) || !kept_fits(at) ? INT64_MIN : at;
}

/* The level that is kept behind this one; RETENTION_LEVEL_COUNT: none. */
static int next_active(const struct keeping *k, int level)
{
    do
        level++;
    while (level < RETENTION_LEVEL_COUNT && !k->active[level]);
    return level;
}

/* Down to where a span of the next level begins, so that none is in part in both. */
static int64_t aligned(const struct keeping *k, int level, int64_t us)
{
    int next = next_active(k, level);
    return us == INT64_MIN || next == RETENTION_LEVEL_COUNT ? us : kept_span_at((enum retention_level)next, us);
}

void keep_begin(struct keeping *k, struct sweeping *s, struct past_series *p, int64_t *at)
{
    const struct retention_spans *spans = &s->spans;
    int64_t reach = spans->keep_us;
    *k = (struct keeping){.s = s, .series = p};
    k->key = kept_key_series(s->tenant->id, s->id, p->term, p->dataset, s->arena);
    for (int i = 0; i < RETENTION_LEVEL_COUNT && p->term != TERM_SCOPE; i++) {
        k->active[i] = spans->level_us[i] > reach;
        reach = k->active[i] ? spans->level_us[i] : reach;
    }
    if (*at != s->e->history.bound.points_us) /* there must be room now, not with the next whole span */
        *at = aligned(k, -1, *at);
    for (int i = 0; i < RETENTION_LEVEL_COUNT; i++) {
        int64_t before = i ? k->horizon[i - 1] : *at;
        k->horizon[i] = k->active[i] ? aligned(k, i, back(s->now_us, spans->level_us[i])) : before;
        k->overdue[i] = k->active[i] ? back(k->horizon[i], spans->level_us[i] / SLACK) : before;
        if (s->e->history.bound.kept_us > k->horizon[i])
            k->horizon[i] = k->overdue[i] = s->e->history.bound.kept_us;
    }
}

bool keep_wants(const struct keeping *k)
{
    return next_active(k, -1) < RETENTION_LEVEL_COUNT;
}

/* ---- what is to be written ---- */

static struct kept_aggregate *append(struct keeping *k, struct keep_list *l, int64_t from_us)
{
    if (l->count == l->room) {
        uint32_t room = l->room ? 2 * l->room : ROOM_FIRST;
        l->all = arena_grow(k->s->keep_arena, l->all, l->room * sizeof l->all[0], room * sizeof l->all[0]);
        l->room = room;
    }
    l->all[l->count] = (struct kept_aggregate){.from_us = from_us};
    return &l->all[l->count++];
}

/* Where what is of that time goes, from a level behind `level` on; NULL: it is too old for any. */
static struct kept_aggregate *place_for(struct keeping *k, enum kept_time time, int level, int64_t us)
{
    for (level = next_active(k, level); level < RETENTION_LEVEL_COUNT; level = next_active(k, level)) {
        int64_t from_us = kept_span_at((enum retention_level)level, us);
        struct keep_list *l = &k->lists[time][level];
        if (from_us >= k->horizon[level])
            return l->count && l->all[l->count - 1].from_us == from_us ? &l->all[l->count - 1] : append(k, l, from_us);
    }
    return NULL;
}

void keep_point(struct keeping *k, const struct point *p)
{
    int64_t us = point_place(p);
    struct kept_aggregate *to = p->deleted_at == TIME_NONE && p->attr.value.kind != VALUE_NULL && kept_fits(us)
                                    ? place_for(k, kept_time_of(p), -1, us)
                                    : NULL;
    if (!to)
        return;
    kept_aggregate_add(to, p, k->s->keep_arena);
    k->s->done.aggregated++;
}

/* ---- from level to level ---- */

struct moving {
    struct keeping *k;
    enum kept_time time;
    int level;
};

static void renew(struct keeping *k, int64_t at, uint32_t number)
{
    if (k->renewed_count == k->renewed_room) {
        uint32_t room = k->renewed_room ? 2 * k->renewed_room : ROOM_FIRST;
        k->renewed = arena_grow(k->s->keep_arena, k->renewed, k->renewed_room * sizeof k->renewed[0],
                                room * sizeof k->renewed[0]);
        k->renewed_room = room;
    }
    k->renewed[k->renewed_count++] = (struct keep_record){at, number};
}

static void move(struct moving *m, struct str key, int64_t at, uint32_t number, const struct kept_aggregate *all, uint32_t n)
{
    struct keeping *k = m->k;
    int64_t span_us = retention_level_us((enum retention_level)m->level);
    renew(k, at, number);
    k->s->changed = true;
    k->s->chunks_left--;
    k->s->bytes_dropped += key.n;
    k->series->kept[m->level] -= n < k->series->kept[m->level] ? n : k->series->kept[m->level];
    base_drop_past(k->s->base, key);
    for (uint32_t i = 0; i < n; i++) {
        bool old = all[i].from_us + span_us <= k->horizon[m->level];
        struct kept_aggregate *to = old ? place_for(k, m->time, m->level, all[i].from_us)
                                        : append(k, &k->lists[m->time][m->level], all[i].from_us);
        if (to)
            kept_aggregate_merge(to, &all[i]);
        k->s->done.kept_moved += old && to;
        k->s->done.kept_dropped += old && !to;
    }
}

static bool move_record(void *arg, struct str key, struct str bytes)
{
    struct moving *m = arg;
    struct keeping *k = m->k;
    uint8_t time, level;
    uint32_t number, n;
    int64_t at, span_us = retention_level_us((enum retention_level)m->level);
    struct kept_aggregate *all;
    struct why why = {0};
    struct arena_mark before = arena_mark(k->s->keep_arena);
    if (!kept_key_parts(key, &time, &level, &at, &number))
        return true;
    if (!k->s->chunks_left) {
        k->again = true;
        return false;
    }
    if (kept_read(arena_dup(k->s->keep_arena, bytes), (enum retention_level)level, at, k->s->keep_arena, &all, &n, &why) == OK &&
        (all[n - 1].from_us + span_us <= k->horizon[m->level] ||
         (all[0].from_us < k->overdue[m->level] && all[0].from_us + span_us <= k->horizon[m->level])))
        move(m, arena_dup(k->s->keep_arena, key), at, number, all, n);
    else
        arena_rewind(k->s->keep_arena, before);
    return true;
}

/* Takes what is too old for a level off it. */
static enum status move_from(struct keeping *k, enum kept_time time, int level)
{
    struct sweeping *s = k->s;
    struct moving m = {k, time, level};
    k->renewed_count = 0;
    if (!k->series->kept[level] || k->horizon[level] == INT64_MIN)
        return OK;
    struct str from = kept_key_level(k->key, time, (enum retention_level)level, s->keep_arena);
    struct str to = kept_key_record(from, k->horizon[level], 0, s->keep_arena);
    return base_view_range(s->view, from, to, false, move_record, &m, s->why);
}

/* ---- writing ---- */

static int by_time(const void *x, const void *y)
{
    const struct kept_aggregate *a = x, *b = y;
    return (a->from_us > b->from_us) - (a->from_us < b->from_us);
}

/* Those of one span become one. */
static void unite(struct keep_list *l)
{
    uint32_t n = 0;
    qsort(l->all, l->count, sizeof l->all[0], by_time);
    for (uint32_t i = 0; i < l->count; i++)
        if (n && l->all[n - 1].from_us == l->all[i].from_us)
            kept_aggregate_merge(&l->all[n - 1], &l->all[i]);
        else
            l->all[n++] = l->all[i];
    l->count = n;
}

/* What is there of a record that is added to. */
struct present {
    struct sweeping *s;
    enum retention_level level;
    struct kept_aggregate *all;
    uint32_t n, number;
    bool there;
};

static bool take_present(void *arg, struct str key, struct str bytes)
{
    struct present *p = arg;
    uint8_t time, level;
    int64_t at;
    uint32_t number;
    struct why why = {0};
    if (!kept_key_parts(key, &time, &level, &at, &number))
        return true;
    p->there = kept_read(arena_dup(p->s->arena, bytes), p->level, at, p->s->arena, &p->all, &p->n, &why) == OK;
    p->number = p->there ? number : number + 1; /* it stays as it is, for a check to tell of */
    return !p->there;
}

static enum status find_present(struct keeping *k, struct str level_key, int level, int64_t at, struct present *p)
{
    struct sweeping *s = k->s;
    *p = (struct present){.s = s, .level = (enum retention_level)level};
    for (uint32_t i = 0; i < k->renewed_count; i++)
        if (k->renewed[i].at == at) {
            p->number = k->renewed[i].number;
            return OK;
        }
    if (!k->series->kept[level])
        return OK;
    struct str from = kept_key_record(level_key, at, 0, s->arena), to = kept_key_record(level_key, at + 1, 0, s->arena);
    enum status st = base_view_range(s->view, from, to, false, take_present, p, s->why);
    if (!p->there)
        p->n = 0;
    return st;
}

/* Adds aggregates of one record, in order of time, to what it has. */
static enum status write_record(struct keeping *k, struct str level_key, int level, const struct kept_aggregate *all, uint32_t n)
{
    struct sweeping *s = k->s;
    struct present old;
    struct arena_mark before = arena_mark(s->arena);
    int64_t at = kept_record_at((enum retention_level)level, all[0].from_us);
    enum status st = find_present(k, level_key, level, at, &old);
    if (st != OK)
        return st;
    struct kept_aggregate *both = arena_array(s->arena, struct kept_aggregate, old.n + n);
    uint32_t count = 0;
    for (uint32_t i = 0, j = 0; i < old.n || j < n;) {
        bool mine = j == n || (i < old.n && old.all[i].from_us <= all[j].from_us);
        if (mine && j < n && old.all[i].from_us == all[j].from_us)
            kept_aggregate_merge(&old.all[i], &all[j++]);
        both[count++] = mine ? old.all[i++] : all[j++];
    }
    buf_clear(&s->bytes);
    kept_write(&s->bytes, (enum retention_level)level, both, count);
    base_put_past(s->base, kept_key_record(level_key, at, old.number, s->arena), buf_view(&s->bytes));
    k->series->kept[level] += count - old.n;
    s->changed = true;
    arena_rewind(s->arena, before);
    return OK;
}

static enum status write_list(struct keeping *k, enum kept_time time, int level)
{
    struct keep_list *l = &k->lists[time][level];
    struct str level_key = kept_key_level(k->key, time, (enum retention_level)level, k->s->keep_arena);
    enum status st = OK;
    if (!l->count)
        return OK;
    unite(l);
    for (uint32_t i = 0, n; i < l->count && st == OK; i += n) {
        int64_t at = kept_record_at((enum retention_level)level, l->all[i].from_us);
        for (n = 1; i + n < l->count && kept_record_at((enum retention_level)level, l->all[i + n].from_us) == at;)
            n++;
        st = write_record(k, level_key, level, l->all + i, n);
    }
    return st;
}

enum status keep_end(struct keeping *k, bool *again)
{
    enum status st = OK;
    for (int level = 0; level < RETENTION_LEVEL_COUNT && st == OK; level++)
        for (int time = 0; time < KEPT_TIME_COUNT && st == OK; time++) {
            st = move_from(k, (enum kept_time)time, level);
            if (st == OK)
                st = write_list(k, (enum kept_time)time, level);
        }
    *again = *again || k->again;
    return st;
}
