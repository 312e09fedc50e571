/* Kept aggregates in the answer to an aggregation: of what is no more as instances. */
#include "model/aggregate.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_read.h"

struct kept_walk {
    const struct reading *r;
    struct str id;
    uint32_t term;
    struct aggregates *to; /* NULL: the first is looked for */
    uint64_t *matched;
    int64_t *first_us;
};

static bool add_record(void *arg, struct str key, struct str bytes)
{
    struct kept_walk *w = arg;
    const struct temporal_query *q = w->r->time;
    uint8_t time, level;
    int64_t at;
    uint32_t number, n = 0;
    struct kept_aggregate *all;
    struct arena *a = arena_new(0);
    struct why why = {0};
    if (!kept_key_parts(key, &time, &level, &at, &number) ||
        kept_read(bytes, (enum retention_level)level, at, a, &all, &n, &why) != OK) {
        history_tell_sealed(w->r->e, w->r->tenant->id, w->id, w->term, &why);
        n = 0;
    }
    bool found = false;
    for (uint32_t i = 0; i < n && !(found && !w->to); i++) {
        if (all[i].from_us < q->from_us || all[i].from_us >= q->to_us)
            continue;
        found = true;
        if (w->to) {
            aggregates_add_kept(w->to, &all[i]);
            *w->matched += all[i].count;
        } else if (all[i].from_us < *w->first_us) {
            *w->first_us = all[i].from_us;
        }
    }
    arena_free(a);
    return (w->to || !found) && !history_is_over(&w->r->v->call);
}

/* Does the query ask for times of that kind? Instances without observedAt stand for it where they were modified, unless it
 * must be there. */
static bool asks_for(const struct temporal_query *q, enum kept_time time)
{
    if (q->property == TIME_OBSERVED_AT)
        return time == KEPT_OBSERVED || !q->must_have;
    return q->property == TIME_MODIFIED_AT && time == KEPT_MODIFIED;
}

/* Hands over the records that the query asks for and g can take. */
static enum status each_record(struct kept_walk *w, struct base_view *view, const struct past_series *s,
                               const struct aggregates *g, struct why *why)
{
    const struct temporal_query *q = w->r->time;
    struct arena *a = w->r->arena;
    struct str series = kept_key_series(w->r->tenant->id, w->id, s->term, s->dataset, a);
    enum status st = OK;
    for (int i = 0; i < RETENTION_LEVEL_COUNT * KEPT_TIME_COUNT && st == OK; i++) {
        enum retention_level level = (enum retention_level)(i / KEPT_TIME_COUNT);
        enum kept_time time = (enum kept_time)(i % KEPT_TIME_COUNT);
        if (!s->kept[level] || !asks_for(q, time) || !aggregates_take_kept(g, retention_level_us(level)))
            continue;
        struct str all = kept_key_level(series, time, level, a);
        struct str from = kept_fits(q->from_us) ? kept_key_record(all, kept_record_at(level, q->from_us), 0, a) : all;
        struct str end = kept_fits(q->to_us) ? kept_key_record(all, q->to_us, 0, a) : history_key_end(all, a);
        st = base_view_range(view, from, end, false, add_record, w, why);
        if (st == E_DAMAGED) { /* the disk gives nothing back from there on */
            history_tell_sealed(w->r->e, w->r->tenant->id, w->id, s->term, why);
            st = OK;
        }
    }
    return st == OK ? w->r->v->call.status : st;
}

enum status history_read_kept(const struct reading *r, struct base_view *view, struct str id, const struct past_series *s,
                              struct aggregates *to, uint64_t *matched, struct why *why)
{
    struct kept_walk w = {.r = r, .id = id, .term = s->term, .to = to, .matched = matched};
    return each_record(&w, view, s, to, why);
}

enum status history_first_kept(const struct reading *r, struct base_view *view, struct str id, const struct past_series *s,
                               const struct aggregates *to, int64_t *first_us, struct why *why)
{
    struct kept_walk w = {.r = r, .id = id, .term = s->term, .first_us = first_us};
    return each_record(&w, view, s, to, why);
}
