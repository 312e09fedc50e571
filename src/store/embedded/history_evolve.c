/* The call that reads evolutions: of which entities (history_candidates.h), a page of them, and no more instances than an answer
 * may have. Runs on the reading worker. */
#include "base/time.h"
#include "model/scope_span.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_candidates.h"
#include "store/embedded/history_read.h"

#include <stdlib.h>
#include <string.h>

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
static void show_ids(struct store_evolve *v, const struct str *ids, uint32_t n)
{
    for (uint64_t i = v->offset; i < n && v->evolution_count < v->limit; i++)
        v->evolutions[v->evolution_count++] = (struct evolution){.id = arena_dup(v->arena, ids[i])};
    v->total = n;
    v->more = v->offset + v->evolution_count < n;
}

/* One candidate after the other, until the page is full; `found` counts those before, too. */
static enum status fill_page(struct reading *r, const struct str *ids, uint32_t n, uint64_t *found, struct why *why)
{
    struct store_evolve *v = r->v;
    enum status st = OK;
    for (uint32_t i = 0; i < n && st == OK && (!v->more || v->count); i++) {
        struct evolution one;
        bool is_found;
        if (history_is_over(&v->call))
            return v->call.status;
        struct arena_mark before = arena_mark(r->arena);
        st = find(r, arena_dup(r->arena, ids[i]), &one, &is_found, why);
        bool shown = is_found && *found >= v->offset && v->evolution_count < v->limit;
        if (!shown)
            arena_rewind(r->arena, before);
        if (v->missed)
            v->missed[i] = st == OK && !is_found;
        if (shown)
            v->evolutions[v->evolution_count++] = one;
        *found += is_found;
        v->more = *found > v->offset + v->evolution_count;
    }
    return st;
}

static enum status read_page(struct reading *r, struct why *why)
{
    struct store_evolve *v = r->v;
    struct candidates *c = candidates_open(r->e, r->tenant, v);
    struct str *ids;
    uint32_t n, room = 0;
    uint64_t found = 0;
    v->missed = v->among ? arena_zarray(r->arena, bool, v->among_count) : NULL;
    enum status st;
    do {
        st = candidates_next(c, &ids, &n, why);
        uint32_t left = v->limit - v->evolution_count, more = left < n ? left : n;
        v->evolutions = arena_grow(r->arena, v->evolutions, room * sizeof *v->evolutions,
                                   (v->evolution_count + more) * sizeof *v->evolutions);
        room = v->evolution_count + more;
        if (st == OK && v->ids_alone)
            show_ids(v, ids, n);
        else if (st == OK)
            st = fill_page(r, ids, n, &found, why);
    } while (st == OK && n && !v->ids_alone && (!v->more || v->count));
    candidates_close(c);
    if (!v->ids_alone)
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
