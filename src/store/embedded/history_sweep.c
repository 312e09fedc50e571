/* When sweeps begin, and from which entity to the next they go. */
#include "store/embedded/history_sweep.h"

#include "base/log.h"
#include "base/time.h"
#include "store/embedded/base_view.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_sweep_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLICE_US = 20000, FIRST_US = 60000000, PAUSE_US = 250000, WAIT_US = 20000 };

void sweep_init(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    pthread_mutex_init(&s->edit_lock, NULL);
    pthread_mutex_init(&s->lock, NULL);
    s->due_us = INT64_MAX;
    bound_init(e);
}

void sweep_free(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    bound_free(e);
    retention_free(s->rules);
    retention_free(s->rules_next);
    free(s->next);
    pthread_mutex_destroy(&s->edit_lock);
    pthread_mutex_destroy(&s->lock);
}

void sweep_stats(struct embedded *e, struct store_stats *out)
{
    struct sweep *s = &e->history.sweep;
    pthread_mutex_lock(&s->lock);
    out->history.swept = s->swept;
    pthread_mutex_unlock(&s->lock);
    out->history.sweeps = s->sweeps;
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        out->history.kept[k] = s->kept[k];
    out->history.swept_at_us = s->last_at_us;
    out->history.swept_us = s->last_us;
}

void sweep_retain(struct store *store, const struct store_retention *r)
{
    struct embedded *e = embedded_of(store);
    struct sweep *s = &e->history.sweep;
    int64_t first_us = r->sweep_interval_us < FIRST_US ? r->sweep_interval_us : FIRST_US;
    pthread_mutex_lock(&s->lock);
    retention_free(s->rules_next);
    s->rules_next = r->rules;
    s->rules_changed = true;
    s->bytes_max = r->disk_bytes_max;
    s->interval_us = r->sweep_interval_us;
    s->due_us = time_monotonic() + first_us; /* in any case: who knows what will end */
    pthread_mutex_unlock(&s->lock);
    e->history.bound.bytes_told_max = r->disk_bytes_max;
    fold_look_again(e);
}

/* ---- edits ---- */

void sweep_edit_begin(struct embedded *e)
{
    pthread_mutex_lock(&e->history.sweep.edit_lock);
}

void sweep_edit_end(struct embedded *e, uint64_t seq)
{
    struct sweep *s = &e->history.sweep;
    if (seq)
        s->edited_seq = seq;
    pthread_mutex_unlock(&s->edit_lock);
}

/* ---- when ---- */

int64_t sweep_due_us(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    pthread_mutex_lock(&s->lock);
    int64_t due_us = s->due_us;
    pthread_mutex_unlock(&s->lock);
    return due_us;
}

/* Unless other rules have come, which say when for themselves. */
static void set_due(struct sweep *s, int64_t due_us)
{
    pthread_mutex_lock(&s->lock);
    if (!s->rules_changed)
        s->due_us = due_us;
    pthread_mutex_unlock(&s->lock);
}

void sweep_expect(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    s->ends = true;
    pthread_mutex_lock(&s->lock);
    if (s->due_us == INT64_MAX && s->interval_us)
        s->due_us = time_monotonic() + s->interval_us;
    pthread_mutex_unlock(&s->lock);
}

static uint64_t last_edit(struct sweep *s)
{
    pthread_mutex_lock(&s->edit_lock);
    uint64_t seq = s->edited_seq;
    pthread_mutex_unlock(&s->edit_lock);
    return seq;
}

bool sweep_needs_fold(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    if (s->waits)
        return false;
    if (!s->under_way)
        return e->fold.seq != e->committed_seq;
    uint64_t edited = last_edit(s);
    return edited > e->fold.seq && edited <= e->committed_seq;
}

static void go_on_from(struct sweep *s, struct str key)
{
    free(s->next);
    s->next = (char *)mem_dup(key).p;
    s->next_n = key.n;
}

static bool rules_have_changed(struct sweep *s)
{
    pthread_mutex_lock(&s->lock);
    bool changed = s->rules_changed;
    pthread_mutex_unlock(&s->lock);
    return changed;
}

static void take_rules(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    pthread_mutex_lock(&s->lock);
    if (s->rules_changed) {
        retention_free(s->rules);
        s->rules = s->rules_next;
        s->rules_next = NULL;
        s->rules_changed = false;
    }
    e->history.bound.bytes_max = s->bytes_max;
    pthread_mutex_unlock(&s->lock);
}

static void begin(struct embedded *e, bool surveys)
{
    struct sweep *s = &e->history.sweep;
    take_rules(e);
    s->under_way = true;
    s->waits = false;
    s->surveys = surveys;
    s->jumps = 0;
    s->ends = s->ends && surveys;
    memset(s->kept_seen, 0, sizeof s->kept_seen);
    s->now_us = read_now(e);
    s->started_us = time_monotonic();
    s->dropped_before = s->swept.dropped;
    go_on_from(s, STR("6"));
}

/* The next sweep, unless the bound asks for something before. */
static void plan(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    bool any = s->ends || retention_ends(s->rules) || e->history.bound.bytes_max;
    enum bound_next next = e->fold.base ? bound_next(e, s->now_us) : BOUND_REST;
    s->waits = next == BOUND_WAIT;
    if (next == BOUND_SURVEY || next == BOUND_SWEEP)
        begin(e, next == BOUND_SURVEY);
    set_due(s, next == BOUND_WAIT   ? time_monotonic() + WAIT_US
               : next != BOUND_REST ? 0
               : any                ? time_monotonic() + s->interval_us
                                    : INT64_MAX);
}

static void end(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    s->under_way = false;
    if (!s->surveys) {
        s->last_us = (uint64_t)(time_monotonic() - s->started_us);
        s->last_at_us = read_now(e);
        for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
            s->kept[k] = s->kept_seen[k];
        s->sweeps++;
        bound_swept(e);
        log_info("history swept", log_f("ms", (double)s->last_us / 1000),
                 log_i("instances_dropped", (int64_t)(s->swept.dropped - s->dropped_before)));
    }
    plan(e);
}

/* ---- steps ---- */

/* The next head. */
struct found {
    struct arena *arena;
    struct str key, head;
    bool there;
};

static bool take_head(void *arg, struct str key, struct str bytes)
{
    struct found *f = arg;
    f->key = arena_dup(f->arena, key);
    f->head = arena_dup(f->arena, bytes);
    f->there = true;
    return false;
}

static void note_kept(struct sweep *w, const struct sweeping *s)
{
    for (uint32_t i = 0; s->tenant && i < s->past.count; i++)
        for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
            w->kept_seen[k] += s->past.series[i].kept[k];
}

/* Pairs for the survey, so many at once. */
struct looking {
    struct sweeping *s;
    uint32_t left;
    struct str last;
};

static bool look(void *arg, struct str key, struct str bytes)
{
    struct looking *l = arg;
    bound_look(l->s->e, l->s->now_us, key, bytes, l->s->arena);
    if (--l->left)
        return true;
    l->last = arena_dup(l->s->arena, key);
    return false;
}

static enum status survey(struct sweeping *s, bool *over)
{
    enum { AT_ONCE = 256 };
    struct sweep *w = &s->e->history.sweep;
    struct looking l = {s, AT_ONCE, STR_NONE};
    arena_reset(s->arena);
    s->view = base_view_open(s->base);
    enum status st = base_view_range(s->view, (struct str){w->next, w->next_n}, STR("9"), false, look, &l, s->why);
    base_view_close(s->view);
    *over = l.left > 0;
    if (!*over)
        go_on_from(w, history_key_after(l.last, s->arena));
    return st == E_DAMAGED ? OK : st; /* as far as it can be read */
}

/* What is there cannot be read, so nobody knows where the next entity begins: a little farther on, and farther each time. False:
 * there is nothing behind it. */
static bool jump(struct sweep *w)
{
    enum { STEPS = 8 };
    w->next_n -= w->jumps++ % STEPS == STEPS - 1;
    while (w->next_n > 1 && (unsigned char)w->next[w->next_n - 1] == UINT8_MAX)
        w->next_n--;
    if (w->next_n > 1)
        w->next[w->next_n - 1]++;
    return w->next_n > 1;
}

/* One entity. *over: there is none any more. */
static enum status step(struct sweeping *s, bool *over)
{
    struct sweep *w = &s->e->history.sweep;
    struct found f = {.arena = s->arena};
    arena_reset(s->arena);
    s->view = base_view_open(s->base);
    enum status st = base_view_range(s->view, (struct str){w->next, w->next_n}, STR("7"), false, take_head, &f, s->why);
    if (st == E_DAMAGED) {
        if (!w->jumps)
            log_error("history that cannot be read is not swept", log_z("why", s->why->text));
        *over = !jump(w);
        base_view_close(s->view);
        return OK;
    }
    w->jumps = 0;
    *over = st == OK && !f.there;
    if (st == OK && f.there) {
        uint32_t tenant;
        bool again = false;
        if (history_key_head_parts(f.key, &tenant, &s->id)) {
            s->tenant = tenants_find_id(s->e->tenants, tenant);
            if (s->tenant) /* else it is deleted, and all that is its goes with the next fold */
                st = sweep_entity(s, f.head, &again);
            if (st == E_DAMAGED) { /* the disk does not give it back: the others are swept all the same */
                history_tell_sealed(s->e, tenant, s->id, TERM_SCOPE, s->why);
                st = OK;
            }
            if (!again) {
                note_kept(w, s);
                go_on_from(w, history_key_end(f.key, s->arena));
            }
        } else { /* a chunk without a head: for a check to tell of */
            go_on_from(w, history_key_after(f.key, s->arena));
        }
    }
    base_view_close(s->view);
    return st;
}

static void count(struct sweep *w, const struct sweeping *s)
{
    const struct store_swept *done = &s->done;
    pthread_mutex_lock(&w->lock);
    w->swept.dropped += done->dropped;
    w->swept.aggregated += done->aggregated;
    w->swept.kept_moved += done->kept_moved;
    w->swept.kept_dropped += done->kept_dropped;
    w->swept.chunks_dropped += done->chunks_dropped;
    w->swept.chunks_rewritten += done->chunks_rewritten;
    pthread_mutex_unlock(&w->lock);
    s->e->history.bound.dropped += s->bytes_dropped;
}

/* Until the time is over (monotonic), a fold is wanted or nothing is left: *over. */
static enum status run(struct embedded *e, int64_t until_us, bool *over, struct why *why)
{
    struct sweep *w = &e->history.sweep;
    struct sweeping s = {.e = e, .base = e->fold.base, .now_us = w->now_us, .arena = arena_new(0), .keep_arena = arena_new(0), .why = why};
    *over = !s.base;
    enum status st = OK;
    buf_init(&s.bytes, SIZE_MAX / 2);
    while (st == OK && !*over && time_monotonic() < until_us) {
        s.bytes_dropped = 0;
        s.done = (struct store_swept){0};
        pthread_mutex_lock(&w->edit_lock);
        bool waits = w->edited_seq > e->fold.seq;
        if (!waits)
            st = w->surveys ? survey(&s, over) : step(&s, over);
        pthread_mutex_unlock(&w->edit_lock);
        if (waits) {
            set_due(w, time_monotonic() + (w->interval_us < PAUSE_US ? w->interval_us : PAUSE_US));
            break;
        }
        if (st == OK)
            count(w, &s);
        reclaim_offline(e->reclaim);
        reclaim_online(e->reclaim);
        if (fold_is_wanted(e))
            break;
    }
    buf_free(&s.bytes);
    arena_free(s.arena);
    arena_free(s.keep_arena);
    if (st == OK && *over)
        end(e);
    return st;
}

static void give_up(struct embedded *e)
{
    struct sweep *s = &e->history.sweep;
    struct bound *b = &e->history.bound;
    s->under_way = false;
    free(b->survey);
    b->survey = NULL;
    b->points_us = b->kept_us = INT64_MIN;
    set_due(s, time_monotonic() + s->interval_us);
}

enum status sweep_slice(struct embedded *e, struct why *why)
{
    struct sweep *s = &e->history.sweep;
    if (e->fold.faulted) {
        give_up(e);
        return OK;
    }
    if (s->waits) {
        plan(e);
        return OK;
    }
    if (!s->under_way || rules_have_changed(s)) {
        give_up(e);
        begin(e, false);
    }
    set_due(s, 0);
    bool over;
    enum status st = run(e, time_monotonic() + SLICE_US, &over, why);
    if (st != OK)
        give_up(e);
    return st;
}

enum status sweep_now(struct embedded *e, struct why *why)
{
    struct sweep *s = &e->history.sweep;
    enum status st = OK;
    bool over = true;
    begin(e, false);
    while (st == OK && over && s->under_way) {
        st = run(e, INT64_MAX, &over, why);
        while (s->waits) {
            usleep(WAIT_US);
            plan(e);
        }
    }
    if (st != OK)
        give_up(e);
    return st;
}
