/* The call that reads evolutions: which entities, in order of ids, a page of them, and no more instances than an answer
 * may have. Runs on the reading worker. */
#include "base/hash.h"
#include "base/time.h"
#include "model/scope_span.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_read.h"
#include "store/embedded/history_recent.h"
#include "store/embedded/plan.h"

#include <stdlib.h>
#include <string.h>

enum { IDS_FIRST = 64, SLOTS_AT_ONCE = 256 };

/* ---- candidates ---- */

struct ids {
    struct str *all;
    uint32_t count, room;
    struct arena *arena;
};

static void ids_add(struct ids *ids, struct str id)
{
    if (ids->count == ids->room) {
        uint32_t room = ids->room ? 2 * ids->room : IDS_FIRST;
        ids->all = arena_grow(ids->arena, ids->all, ids->room * sizeof id, room * sizeof id);
        ids->room = room;
    }
    ids->all[ids->count++] = arena_dup(ids->arena, id);
}

/* The ids that f names, if it means no others; else NULL. */
static const struct filter *named_ids(const struct filter *f)
{
    if (!f || f->kind == FILTER_IDS)
        return f;
    for (uint32_t i = 0; f->kind == FILTER_AND && i < f->count; i++) {
        const struct filter *found = named_ids(f->parts[i]);
        if (found)
            return found;
    }
    return NULL;
}

/* Entities of today that may be meant. */
static void add_current(struct tenant *t, const struct store_evolve *v, struct ids *ids)
{
    struct plan plan;
    struct plan_need need = {.first = UINT64_MAX, .now_us = time_monotonic()};
    uint32_t slots[SLOTS_AT_ONCE], from = 0, n;
    pthread_rwlock_rdlock(&t->lock);
    plan_make(&plan, t, v->caller->filter, v->filter, &need, ids->arena);
    while ((n = bitmap_read(plan.lead.slots, from, slots, SLOTS_AT_ONCE))) {
        for (uint32_t i = 0; i < n; i++) {
            const struct doc *d = state_at(tenant_state(t), slots[i]);
            if (d)
                ids_add(ids, doc_id(d));
        }
        from = slots[n - 1] + 1;
    }
    pthread_rwlock_unlock(&t->lock);
    plan_free(&plan);
}

static void add_recent(struct tenant *t, const struct recent *r, struct ids *ids)
{
    if (!r)
        return;
    const struct recent_entry **entries = recent_sorted(r);
    for (uint32_t i = 0; i < recent_count(r); i++)
        if (!state_find(tenant_state(t), recent_id(entries[i]), entries[i]->hash, NULL))
            ids_add(ids, recent_id(entries[i]));
    free(entries);
}

static bool add_gone(void *arg, struct str key, struct str bytes)
{
    (void)bytes;
    ids_add(arg, history_key_gone_id(key));
    return true;
}

/* Those of old that the base lists. After what is in memory, so that none is missed. */
static enum status add_past(struct embedded *e, struct tenant *t, struct ids *ids, struct why *why)
{
    enum status st = OK;
    pthread_rwlock_rdlock(&e->history.base_lock);
    if (e->fold.lost)
        st = why_set(why, E_BUSY, NULL, "the base store could not be opened again after a fault");
    if (e->fold.base) {
        struct base_view *view = base_view_open(e->fold.base);
        struct str from = history_key_gone(t->id, STR(""), ids->arena);
        struct str to = history_key_gone(t->id + 1, STR(""), ids->arena);
        st = base_view_range(view, from, to, false, add_gone, ids, why);
        base_view_close(view);
    }
    pthread_rwlock_unlock(&e->history.base_lock);
    return st;
}

static void sort(struct ids *ids, const struct order *o)
{
    uint32_t n = 0;
    order_ids(o, ids->all, ids->count);
    for (uint32_t i = 0; i < ids->count; i++)
        if (!n || !str_eq(ids->all[n - 1], ids->all[i]))
            ids->all[n++] = ids->all[i];
    ids->count = n;
}

static enum status candidates(struct reading *r, struct ids *ids, struct why *why)
{
    const struct store_evolve *v = r->v;
    const struct filter *named = named_ids(v->filter);
    enum status st = OK;
    if (v->among) {
        for (uint32_t i = 0; i < v->among_count; i++)
            ids_add(ids, v->among[i]);
        return OK;
    }
    if (named) {
        for (uint32_t i = 0; i < named->count; i++)
            ids_add(ids, named->ids[i]);
    } else {
        add_current(r->tenant, v, ids);
        pthread_rwlock_rdlock(&r->tenant->lock);
        add_recent(r->tenant, r->tenant->recent, ids);
        add_recent(r->tenant, r->tenant->folding_recent, ids);
        pthread_rwlock_unlock(&r->tenant->lock);
        st = add_past(r->e, r->tenant, ids, why);
    }
    sort(ids, v->order);
    return st;
}

/* ---- filters ---- */

/* An entity with all the instances at once: a condition holds when some instance fits it (5.7.4.4). */
static void pseudo_entity(const struct evolution *ev, struct arena *a, struct entity *out)
{
    uint32_t n = 0;
    *out = (struct entity){.id = ev->id,
                           .type_count = ev->type_count,
                           .types = ev->types,
                           .created_at = ev->created_at,
                           .modified_at = ev->modified_at,
                           .expires_at = ev->expires_at};
    for (uint32_t i = 0; i < ev->count; i++)
        n += ev->series[i].count;
    out->attrs = arena_array(a, struct attr, n);
    for (uint32_t i = 0; i < ev->count; i++)
        for (uint32_t k = 0; k < ev->series[i].count; k++) {
            const struct attr *q = &ev->series[i].points[k].attr;
            if (q->term != TERM_SCOPE && q->value.kind != VALUE_NULL)
                out->attrs[out->attr_count++] = *q;
        }
}

static bool fits(const struct filter *f, const struct evolution *ev, struct reading *r)
{
    struct entity all;
    struct filter_env env = {.arena = r->arena}; /* what is linked today says nothing of the time asked about */
    if (!f)
        return true;
    pseudo_entity(ev, r->arena, &all);
    return filter_match(f, &all, &env);
}

/* ---- what filters look at ---- */

struct terms_needed {
    uint32_t *all;
    uint32_t count;
    struct arena *arena;
};

static void need(struct terms_needed *t, uint32_t term)
{
    uint32_t at = t->count;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->all[i] == term)
            return;
    t->all = arena_grow(t->arena, t->all, t->count * sizeof *t->all, (t->count + 1) * sizeof *t->all);
    for (; at > 0 && t->all[at - 1] > term; at--)
        t->all[at] = t->all[at - 1];
    t->all[at] = term;
    t->count++;
}

static void need_of(struct terms_needed *t, const struct filter *f)
{
    bool logic = f && (f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_NOT);
    for (uint32_t i = 0; logic && i < f->count; i++)
        need_of(t, f->parts[i]);
    for (uint32_t i = 0; f && f->kind == FILTER_ATTRS && i < f->count; i++)
        need(t, f->attrs[i].term);
    if (f && f->kind == FILTER_GEO)
        need(t, f->geo->property.term);
    if (f && f->kind == FILTER_COMPARE && f->compare->link_count)
        need(t, f->compare->links[0].relationship.term);
    else if (f && f->kind == FILTER_COMPARE && f->compare->path_count)
        need(t, f->compare->path[0].term);
}

/* ---- one entity of a query ---- */

/* Do its instances in the time asked about fit, those that are not shown among them? */
static enum status try(struct reading *r, struct str id, bool *fit, struct why *why)
{
    struct store_evolve *v = r->v;
    struct evolution all;
    struct temporal_query any = *r->time;
    struct reading whole = *r;
    bool found;
    any.last_n = any.methods = 0;
    whole.time = &any;
    whole.everything = true;
    arena_reset(r->scratch);
    whole.arena = r->scratch;
    struct terms_needed needed = {.arena = r->scratch};
    static const uint32_t NONE[1];
    need_of(&needed, v->filter);
    need_of(&needed, v->values);
    need_of(&needed, v->caller->filter);
    whole.needed = needed.all ? needed.all : NONE;
    whole.needed_count = needed.count;
    enum status st = history_read(&whole, id, &all, &found, why);
    *fit = st == OK && fits(v->filter, &all, &whole) && fits(v->values, &all, &whole) &&
           fits(v->caller->filter, &all, &whole);
    return st;
}

/* Is it what the query means? out is then what is wanted of it. */
static enum status find(struct reading *r, struct str id, struct evolution *out, bool *found, struct why *why)
{
    struct store_evolve *v = r->v;
    bool fit = true;
    *found = false;
    enum status st = v->values || v->caller->filter ? try(r, id, &fit, why) : OK;
    if (st == OK && fit)
        st = history_read(r, id, out, found, why);
    *found = *found && fits(v->filter, out, r);
    return st == E_NOT_FOUND ? OK : st;
}

/* ---- the page ---- */

static int by_value(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* Leaves instances up to cut, or with lastN from it on. */
static void leave(struct store_evolve *v, int64_t cut)
{
    for (uint32_t i = 0; i < v->evolution_count; i++)
        for (uint32_t k = 0; k < v->evolutions[i].count; k++) {
            struct series *s = &v->evolutions[i].series[k];
            uint32_t n = 0;
            for (uint32_t j = 0; j < s->count; j++) {
                int64_t us = temporal_place(v->time, &s->points[j]);
                if (v->time->last_n ? us >= cut : us <= cut)
                    s->points[n++] = s->points[j];
            }
            s->count = n;
        }
}

/* Keeps the answer within points_max: the same range of time of every series, so that the rest can be asked for (6.3.10). */
static void bound(struct store_evolve *v)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < v->evolution_count; i++)
        for (uint32_t k = 0; k < v->evolutions[i].count; k++)
            n += v->evolutions[i].series[k].count;
    if (!n)
        return;
    int64_t *times = mem_alloc(n * sizeof *times);
    n = 0;
    for (uint32_t i = 0; i < v->evolution_count; i++)
        for (uint32_t k = 0; k < v->evolutions[i].count; k++)
            for (uint32_t j = 0; j < v->evolutions[i].series[k].count; j++)
                times[n++] = temporal_place(v->time, &v->evolutions[i].series[k].points[j]);
    qsort(times, n, sizeof *times, by_value);
    uint64_t first = 0, last = n - 1;
    if (v->points_max && n > v->points_max) {
        bool back = v->time->last_n > 0;
        uint64_t at = back ? n - v->points_max : v->points_max - 1, beyond = back ? at - 1 : at + 1;
        while (times[at] == times[beyond] && (back ? at < n - 1 : at > 0)) /* not part of those of one time */
            at = back ? at + 1 : at - 1;
        if (times[at] == times[beyond])
            at = back ? n - v->points_max : v->points_max - 1;
        v->partial = true;
        leave(v, times[at]);
        first = back ? at : 0;
        last = back ? n - 1 : at;
    }
    v->first_us = times[first];
    v->last_us = times[last];
    free(times);
}

/* By id, it is found whether or not an instance is in the time asked about. */
static enum status read_one(struct reading *r, struct why *why)
{
    struct store_evolve *v = r->v;
    bool fit = true, found = false;
    enum status st = v->filter || v->values || v->caller->filter ? try(r, v->id, &fit, why) : OK;
    v->evolutions = arena_zarray(r->arena, struct evolution, 1);
    if (st == OK && fit)
        st = history_read(r, v->id, &v->evolutions[0], &found, why);
    if (st == E_NOT_FOUND || (st == OK && (!fit || (v->scopes && !found))))
        return why_set(why, E_NOT_FOUND, NULL, "nothing is known of %.*s", STR_ARG(v->id));
    v->evolution_count = st == OK;
    v->total = v->count ? v->evolution_count : 0;
    return st;
}

/* The page of candidates themselves. */
static void show_ids(struct store_evolve *v, const struct ids *ids)
{
    for (uint64_t i = v->offset; i < ids->count && v->evolution_count < v->limit; i++)
        v->evolutions[v->evolution_count++] = (struct evolution){.id = ids->all[i]};
    v->total = ids->count;
    v->more = v->offset + v->evolution_count < ids->count;
}

static enum status read_page(struct reading *r, struct why *why)
{
    struct store_evolve *v = r->v;
    struct ids ids = {.arena = r->arena};
    uint64_t found = 0;
    enum status st = candidates(r, &ids, why);
    v->missed = v->among ? arena_zarray(r->arena, bool, ids.count) : NULL;
    v->evolutions = arena_array(r->arena, struct evolution, v->limit < ids.count ? v->limit : ids.count);
    if (st == OK && v->ids_alone) {
        show_ids(v, &ids);
        return OK;
    }
    for (uint32_t i = 0; i < ids.count && st == OK; i++) {
        struct evolution one;
        bool is_found;
        if (history_is_over(&v->call))
            return v->call.status;
        struct arena_mark before = arena_mark(r->arena);
        st = find(r, ids.all[i], &one, &is_found, why);
        bool shown = is_found && found >= v->offset && v->evolution_count < v->limit;
        if (!shown)
            arena_rewind(r->arena, before);
        if (v->missed)
            v->missed[i] = st == OK && !is_found;
        if (!is_found)
            continue;
        if (shown)
            v->evolutions[v->evolution_count++] = one;
        found++;
        v->more = found > v->offset + v->evolution_count;
        if (v->more && !v->count)
            break;
    }
    v->total = v->count ? found : 0;
    return st;
}

/* ---- the call ---- */

struct evolve_job {
    struct history_job job;
    struct store_evolve *v;
};

static void run(struct embedded *e, struct history_job *job)
{
    struct store_evolve *v = container_of(job, struct evolve_job, job)->v;
    struct tenant *t = read_tenant(e, v->caller->tenant, &v->call);
    struct reading r = {
        .e = e, .tenant = t, .v = v, .time = v->time, .arena = v->arena, .scratch = arena_new(0)};
    e->history.reads++;
    if (t) {
        enum status st = str_absent(v->id) ? read_page(&r, &v->call.why) : read_one(&r, &v->call.why);
        v->call.status = st;
        if (st == OK)
            bound(v);
    }
    arena_free(r.scratch);
    history_answer(&v->call);
}

bool history_evolve(struct store *s, struct store_evolve *v)
{
    struct evolve_job *j = mem_zalloc(sizeof *j);
    v->evolutions = NULL;
    v->evolution_count = 0;
    v->total = 0;
    v->more = v->partial = v->unshown_found = false;
    v->first_us = v->last_us = TIME_NONE;
    memset(&v->explain, 0, sizeof v->explain);
    j->job = (struct history_job){.call = &v->call, .run = run};
    j->v = v;
    return history_queue(&embedded_of(s)->history.reader, &j->job);
}
