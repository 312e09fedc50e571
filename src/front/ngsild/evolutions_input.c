/* Both spellings become the words that model/temporal.h reads. */
#include "front/ngsild/evolutions_input.h"

/* ---- representation ---- */

/* format takes precedence over options, of which one alone may be meant. */
static enum status format_read(struct exchange *x, struct represent_temporal *r)
{
    struct str f = x->params[PARAM_FORMAT];
    bool values = exchange_option(x, KEYWORD_TEMPORAL_VALUES), aggregated = exchange_option(x, KEYWORD_AGGREGATED_VALUES);
    bool concise = exchange_option(x, KEYWORD_CONCISE);
    if (values && aggregated)
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "options: temporalValues and aggregatedValues exclude one another");
    if (!str_absent(f)) {
        values = str_eq(f, STR("temporalValues"));
        aggregated = str_eq(f, STR("aggregatedValues"));
        concise = str_eq(f, STR("concise"));
        if (!values && !aggregated && !concise && !str_eq(f, STR("normalized")))
            return why_set(&x->why, E_INVALID_REQUEST, NULL,
                           "format must be temporalValues, aggregatedValues, normalized or concise");
    }
    r->format = values       ? TEMPORAL_VALUES
                : aggregated ? TEMPORAL_AGGREGATED
                : concise    ? TEMPORAL_CONCISE
                             : TEMPORAL_NORMALIZED;
    r->base.format = concise ? REPRESENT_CONCISE : REPRESENT_NORMALIZED;
    return OK;
}

/* attrs and pick name what is read at all; pick may name members that are no attributes besides, or alone. */
static void terms_choose(struct evolutions_input *in)
{
    const struct projection *pick = in->show.base.pick, *omit = in->show.base.omit;
    if (!pick || !(pick->count || in->query.attr_count)) {
        in->all_unshown = pick != NULL;
        if (omit && !omit->linked) {
            in->unshown = omit->terms;
            in->unshown_count = omit->count;
        }
        return;
    }
    static const uint32_t NOTHING[1];
    in->terms = pick->count ? pick->terms : NOTHING;
    in->term_count = pick->count;
}

/* The scope counts as an attribute here, so attrs may name it (annex C.5.16). */
static void scope_choose(struct evolutions_input *in)
{
    if (!in->query.attr_count)
        return;
    struct projection *pick = (struct projection *)in->show.base.pick;
    for (uint32_t i = 0; i < in->query.attr_count; i++)
        pick->scope |= str_eq(in->query.attrs[i], STR("scope"));
}

static enum status show_read(struct exchange *x, struct evolutions_input *in)
{
    struct join join;
    enum status st = query_input_show(x, &in->query, &in->show.base, &join);
    if (st == OK)
        st = format_read(x, &in->show);
    if (st != OK)
        return st;
    scope_choose(in);
    terms_choose(in);
    in->show.query = &in->time;
    return OK;
}

static enum status words_read(struct exchange *x, bool whole, struct temporal_words *w, struct evolutions_input *in)
{
    const struct ngsild_limits *l = &x->api->limits;
    struct temporal_limits limits = {.last_n_max = l->last_n, .buckets_max = l->aggregation_periods};
    if (whole && str_absent(w->timerel))
        return why_set(&x->why, E_BAD_DATA, NULL, "a query of temporal evolutions needs timerel and timeAt");
    w->aggregated = in->show.format == TEMPORAL_AGGREGATED;
    return temporal_read(w, &limits, &in->time, &x->why);
}

enum status evolutions_input_params(struct exchange *x, bool whole, struct evolutions_input *in)
{
    struct temporal_words w = {
        .timerel = x->params[PARAM_TIMEREL],
        .time_at = x->params[PARAM_TIME_AT],
        .end_time_at = x->params[PARAM_END_TIME_AT],
        .timeproperty = x->params[PARAM_TIMEPROPERTY],
        .last_n = x->params[PARAM_LAST_N],
        .aggr_methods = x->params[PARAM_AGGR_METHODS],
        .aggr_period_duration = x->params[PARAM_AGGR_PERIOD_DURATION],
    };
    enum status st = show_read(x, in);
    return st == OK ? words_read(x, whole, &w, in) : st;
}

/* ---- Query body ---- */

static enum status object_member(struct exchange *x, const char *name, const struct json **out)
{
    struct at at = {.key = str_of(name)};
    *out = json_get(&x->body, at.key);
    if (*out && (*out)->kind != JSON_OBJECT)
        return why_set(&x->why, E_BAD_DATA, &at, "an object is expected");
    return OK;
}

static enum status text_member(struct exchange *x, const struct json *o, const struct at *up, const char *name,
                               struct str *out)
{
    struct at at = {.up = up, .key = str_of(name)};
    const struct json *v = json_get(o, at.key);
    if (!v)
        return OK;
    if (v->kind != JSON_STRING)
        return why_set(&x->why, E_BAD_DATA, &at, "a string is expected");
    *out = v->string;
    return OK;
}

/* An array of strings, or one with commas. */
static enum status methods_member(struct exchange *x, const struct json *o, const struct at *up, struct str *out)
{
    struct at at = {.up = up, .key = STR("aggrMethods")};
    const struct json *v = json_get(o, at.key);
    if (!json_is(v, JSON_ARRAY))
        return text_member(x, o, up, "aggrMethods", out);
    for (uint32_t i = 0; i < v->n; i++) {
        struct at place = {.up = &at, .index = i};
        if (v->items[i].kind != JSON_STRING)
            return why_set(&x->why, E_BAD_DATA, &place, "a string is expected");
        *out = i ? arena_printf(x->arena, "%.*s,%.*s", STR_ARG(*out), STR_ARG(v->items[i].string)) : v->items[i].string;
    }
    return OK;
}

static enum status aggregation_members(struct exchange *x, const struct json *o, const struct at *up,
                                       struct temporal_words *w)
{
    if (!o)
        return OK;
    enum status st = methods_member(x, o, up, &w->aggr_methods);
    return st == OK ? text_member(x, o, up, "aggrPeriodDuration", &w->aggr_period_duration) : st;
}

static enum status last_n_member(struct exchange *x, const struct json *o, const struct at *up, struct temporal_words *w)
{
    struct at at = {.up = up, .key = STR("lastN")};
    const struct json *v = json_get(o, at.key);
    if (!v)
        return OK;
    if (v->kind != JSON_INT || v->integer < 1)
        return why_set(&x->why, E_BAD_DATA, &at, "a positive integer is expected");
    w->last_n = json_text(x->arena, v);
    return OK;
}

static enum status time_members(struct exchange *x, struct temporal_words *w)
{
    static const struct at AT = {.key = {"temporalQ", 9}};
    const struct json *o;
    enum status st = object_member(x, "temporalQ", &o);
    if (st != OK || !o)
        return st;
    st = text_member(x, o, &AT, "timerel", &w->timerel);
    if (st == OK)
        st = text_member(x, o, &AT, "timeAt", &w->time_at);
    if (st == OK)
        st = text_member(x, o, &AT, "endTimeAt", &w->end_time_at);
    if (st == OK)
        st = text_member(x, o, &AT, "timeproperty", &w->timeproperty);
    if (st == OK)
        st = last_n_member(x, o, &AT, w);
    return st == OK ? aggregation_members(x, o, &AT, w) : st;
}

/* Where neither format nor options name one, asking for aggregation is asking for its representation. */
static void aggregation_implied(const struct exchange *x, const struct temporal_words *w, struct evolutions_input *in)
{
    static const uint64_t FORMATS = KEYWORD_BIT(KEYWORD_NORMALIZED) | KEYWORD_BIT(KEYWORD_CONCISE) |
                                    KEYWORD_BIT(KEYWORD_TEMPORAL_VALUES) | KEYWORD_BIT(KEYWORD_AGGREGATED_VALUES);
    bool asked = !str_absent(w->aggr_methods) || !str_absent(w->aggr_period_duration);
    if (asked && !exchange_has(x, PARAM_FORMAT) && !(x->keywords & FORMATS))
        in->show.format = TEMPORAL_AGGREGATED;
}

enum status evolutions_input_body(struct exchange *x, struct evolutions_input *in)
{
    static const struct at AT = {.key = {"aggrParams", 10}};
    struct temporal_words w = {.last_n = STR_NONE};
    const struct json *aggregation;
    enum status st = show_read(x, in);
    if (st == OK)
        st = time_members(x, &w);
    if (st == OK)
        st = object_member(x, "aggrParams", &aggregation);
    if (st == OK)
        st = aggregation_members(x, aggregation, &AT, &w);
    aggregation_implied(x, &w, in);
    return st == OK ? words_read(x, true, &w, in) : st;
}

struct store_evolve evolutions_input_asked(struct exchange *x, const struct evolutions_input *in, const struct query_parts *parts)
{
    const struct projection *pick = in->show.base.pick;
    return (struct store_evolve){
        .caller = &x->caller,
        .filter = parts->entities,
        .values = parts->values,
        .scopes = parts->scopes,
        .time = &in->time,
        .terms = in->terms,
        .term_count = in->term_count,
        .no_scope = pick && !pick->scope,
        .unshown = in->unshown,
        .unshown_count = in->unshown_count,
        .all_unshown = in->all_unshown,
        .datasets = in->query.datasets,
        .dataset_count = in->query.dataset_count,
        .points_max = x->api->limits.temporal_points,
        .buckets_max = x->api->limits.aggregation_periods,
        .distinct_max = x->api->limits.aggregation_values,
        .order = x->order,
        .arena = x->arena,
    };
}
