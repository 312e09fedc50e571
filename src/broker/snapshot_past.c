/* Temporal evolutions become part of a snapshot as they are: instances keep their ids and times. One entity a step.
 *
 * What the snapshot has already is left out: instances that another query found, and those of the entities that were
 * copied, which are of this copying and told by their times. */
#include "broker/evolve.h"
#include "broker/snapshots_int.h"
#include "model/represent.h"

enum { POINTS_AT_ONCE = 10000 };

struct waited_evolve {
    struct evolve_query q;
    bool done;
};
static void evolve_done(struct evolve_query *q)
{
    container_of(q, struct waited_evolve, q)->done = true;
}

struct waited_record {
    struct store_record r;
    bool done;
};
static void record_done(struct store_call *call)
{
    container_of(container_of(call, struct store_record, call), struct waited_record, r)->done = true;
}

static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};

static enum status ask(struct snapshot_past *p, struct waited_evolve *w, const struct caller *caller, struct arena *a,
                       struct why *why)
{
    w->q.done = evolve_done;
    w->q.local.call = (struct store_call){.home = &p->s->completions.runner};
    w->q.local.caller = caller;
    w->q.local.arena = a;
    w->done = evolve_query(p->s->broker, &w->q);
    snapshots_wait(p->s, &w->done);
    if (w->q.status != OK)
        *why = w->q.local.call.why;
    return w->q.status;
}

static enum status list(struct snapshot_past *p, struct why *why)
{
    struct caller from = {.tenant = p->from};
    struct waited_evolve w = {.q.local = {.filter = p->query ? p->query->asked.filter : NULL,
                                          .time = &ALWAYS,
                                          .ids_alone = true,
                                          .limit = UINT32_MAX}};
    enum status st = ask(p, &w, &from, p->arena, why);
    p->ids = arena_array(p->arena, struct str, w.q.count + 1);
    for (uint32_t i = 0; st == OK && i < w.q.count; i++)
        p->ids[p->id_count++] = w.q.evolutions[i].id;
    return st;
}

/* ---- what is there already ---- */

static const struct series *series_of(const struct evolution *e, const struct series *like)
{
    for (uint32_t i = 0; e && i < e->count; i++)
        if (e->series[i].term == like->term && str_eq(e->series[i].dataset, like->dataset))
            return &e->series[i];
    return NULL;
}

static bool same_times(const struct point *a, const struct point *b)
{
    for (int t = 0; t < TIME_PROPERTY_COUNT; t++)
        if (point_time(a, (enum time_property)t) != point_time(b, (enum time_property)t))
            return false;
    return true;
}

/* Both lists are in point_order(): those that may be the same stand at the same place. */
static bool is_held(const struct snapshot_past *p, const struct series *held, uint32_t *at, const struct point *q)
{
    while (held && *at < held->count && point_place(&held->points[*at]) < point_place(q))
        ++*at;
    for (uint32_t i = *at; held && i < held->count && point_place(&held->points[i]) == point_place(q); i++) {
        const struct point *h = &held->points[i];
        if (h->attr.seq > p->until_seq ? same_times(h, q) : h->attr.seq == q->attr.seq && h->index == q->index)
            return true;
    }
    return false;
}

static bool is_omitted(const struct snapshot_past *p, uint32_t term)
{
    const struct projection *omit = p->query ? p->query->omit : NULL;
    return omit && (term == TERM_SCOPE ? omit->scope : projection_omits(omit, term));
}

/* Leaves what is to be copied; how many instances. */
static uint64_t reduce(const struct snapshot_past *p, struct evolution *e, const struct evolution *held)
{
    uint64_t left = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        struct series *s = &e->series[i];
        const struct series *there = series_of(held, s);
        uint32_t n = 0, at = 0;
        for (uint32_t k = 0; k < s->count && !is_omitted(p, s->term); k++)
            if (!is_held(p, there, &at, &s->points[k]))
                s->points[n++] = s->points[k];
        s->count = n;
        left += n;
        if (n)
            e->series[kept++] = *s;
    }
    e->count = kept;
    return left;
}

/* ---- copying ---- */

static enum status record(struct snapshot_past *p, struct evolution *part, struct arena *a, struct why *why)
{
    struct caller into = {.tenant = p->into};
    struct record_edit edit = {.kind = RECORD_EDIT_COPY, .id = part->id, .fragment = part};
    struct record_result result;
    struct waited_record w = {.r = {.call = {.home = &p->s->completions.runner, .done = record_done},
                                    .caller = &into,
                                    .edits = &edit,
                                    .count = 1,
                                    .results = &result,
                                    .arena = a}};
    w.done = evolve_record(p->s->broker, &w.r);
    snapshots_wait(p->s, &w.done);
    if (w.r.call.status != OK) {
        *why = w.r.call.why;
        return w.r.call.status;
    }
    if (result.status != OK && result.why)
        *why = *result.why;
    return result.status;
}

/* An evolution without instances is one, too. */
static enum status copy(struct snapshot_past *p, const struct evolution *e, struct arena *a, struct why *why)
{
    struct evolution part = *e;
    struct series one;
    enum status st = OK;
    part.count = 0;
    part.series = &one;
    for (uint32_t i = 0; i < e->count && st == OK; i++)
        for (uint32_t from = 0; from < e->series[i].count && st == OK; from += POINTS_AT_ONCE) {
            one = e->series[i];
            one.points += from;
            one.count = one.count - from < POINTS_AT_ONCE ? one.count - from : POINTS_AT_ONCE;
            part.count = 1;
            st = record(p, &part, a, why);
        }
    return st == OK && !e->count ? record(p, &part, a, why) : st;
}

/* NULL: the snapshot has nothing of that id. */
static enum status held_read(struct snapshot_past *p, struct str id, struct arena *a, const struct evolution **out,
                             struct why *why)
{
    struct caller into = {.tenant = p->into};
    struct waited_evolve w = {.q.local = {.id = id, .time = &ALWAYS}};
    enum status st = ask(p, &w, &into, a, why);
    *out = st == OK ? w.q.evolutions : NULL;
    return st == E_NOT_FOUND ? OK : st;
}

static enum status copy_one(struct snapshot_past *p, struct str id, struct arena *a, struct why *why)
{
    struct caller from = {.tenant = p->from};
    uint64_t left = p->s->o.instances_max - *p->instances;
    struct waited_evolve w = {.q.local = p->query ? p->query->asked : (struct store_evolve){.time = &ALWAYS}};
    const struct evolution *held;
    w.q.local.among = &id;
    w.q.local.among_count = w.q.local.limit = 1;
    w.q.local.points_max = (uint64_t)p->s->o.instances_max + 1;
    enum status st = ask(p, &w, &from, a, why);
    if (st != OK || !w.q.count)
        return st;
    p->found++;
    why_clear(why);
    st = held_read(p, id, a, &held, why);
    if (st != OK)
        return st;
    why_clear(why);
    uint64_t n = reduce(p, w.q.evolutions, held);
    if (n > left || w.q.local.partial)
        return why_limit(why, E_TOO_MANY_RESULTS, NULL, "limits.snapshot_instances",
                         "a snapshot has at most %u instances of temporal evolutions", p->s->o.instances_max);
    *p->instances += n;
    return n || !held ? copy(p, w.q.evolutions, a, why) : OK;
}

enum status snapshot_past_step(struct snapshot_past *p, struct arena *scratch, bool *more, struct why *why)
{
    enum status st = OK;
    if (!p->ids)
        st = list(p, why);
    else if (p->at < p->id_count)
        st = copy_one(p, p->ids[p->at++], scratch, why);
    *more = st == OK && p->at < p->id_count;
    return st;
}
