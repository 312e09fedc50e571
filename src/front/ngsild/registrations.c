/* Context source registrations (CIM 009 clauses 6.8, 6.9). */
#include "broker/registrations.h"

#include "front/ngsild/answer.h"
#include "front/ngsild/page.h"
#include "front/ngsild/query_input.h"
#include "front/ngsild/resource.h"

/* ---- create, update, delete ---- */

struct provisioning {
    struct exchange *x;
    struct registering call;
};

static void registered(struct registering *call)
{
    resource_answer(container_of(call, struct provisioning, call)->x, &call->document);
}

static void run(struct exchange *x, bool (*operation)(struct broker *, struct registering *))
{
    struct provisioning *p = arena_zarray(x->arena, struct provisioning, 1);
    p->x = x;
    p->call = (struct registering){
        .document = resource_call(x), .context = x->context, .body = &x->body, .done = registered};
    if (operation(x->broker, &p->call))
        registered(&p->call);
}

void registrations_post(struct exchange *x)
{
    run(x, registrations_create);
}

void registrations_patch(struct exchange *x)
{
    if (resource_id(x, "registration") != OK)
        answer_why(x);
    else
        run(x, registrations_change);
}

void registrations_remove(struct exchange *x)
{
    resource_remove(x, STORE_REGISTRATION, "registration");
}

/* ---- retrieve, query ---- */

struct finding {
    struct exchange *x;
    struct registrations_find call;
    struct entity_selector selector;
    struct page page;
};

static void found(struct finding *f)
{
    struct exchange *x = f->x;
    struct http_header headers[PAGE_HEADERS_MAX];
    struct buf b;
    bool one = !str_absent(f->call.id);
    struct str at_context = x->accept == MEDIA_LD_JSON ? answer_context_json(x) : STR_NONE;
    if (f->call.status != OK) {
        answer_refusal(x, f->call.status, &f->call.why);
        return;
    }
    buf_init(&b, x->api->limits.answer_bytes);
    if (!one)
        buf_char(&b, '[');
    for (uint32_t i = 0; i < f->call.count && x->why.status == OK; i++) {
        const struct found_registration *r = &f->call.found[i];
        if (i)
            buf_char(&b, ',');
        if (registration_represent(&b, r->stored, x->context, r->infos, at_context,
                                   exchange_option(x, KEYWORD_SYS_ATTRS), x->arena, &x->why) != OK)
            break;
    }
    if (!one)
        buf_char(&b, ']');
    if (x->why.status != OK) {
        buf_free(&b);
        answer_why(x);
        return;
    }
    bool more = f->call.total > f->page.offset + f->call.count;
    size_t n = one ? 0 : page_headers(x, &f->page, f->call.total, more, headers);
    answer_body(x, 200, &b, true, headers, n);
}

static void find_done(struct registrations_find *call)
{
    found(container_of(call, struct finding, call));
}

static struct finding *finding_new(struct exchange *x)
{
    struct finding *f = arena_zarray(x->arena, struct finding, 1);
    f->x = x;
    f->call.caller = &x->caller;
    f->call.home = exchange_home(x);
    f->call.deadline_us = exchange_deadline(x);
    f->call.arena = x->arena;
    f->call.done = find_done;
    return f;
}

static void find(struct finding *f)
{
    if (registrations_find(f->x->broker, &f->call))
        found(f);
}

void registrations_get(struct exchange *x)
{
    struct finding *f = finding_new(x);
    if (resource_id(x, "registration") != OK) {
        answer_why(x);
        return;
    }
    f->call.id = x->variables[0];
    f->call.limit = 1;
    find(f);
}

/* ---- what a query asks ---- */

/* Releases f with the exchange. */
static void keep(struct exchange *x, struct filter *f)
{
    x->extra_filters[x->extra_filter_count++] = f;
}

static enum status selector(struct finding *f, const struct filter_reader *r, const struct query_input *in)
{
    struct exchange *x = f->x;
    const struct query_selector *given = &in->selectors[0];
    struct entity_selector *s = &f->selector;
    enum status st = OK;
    for (uint32_t i = 0; i < given->id_count; i++)
        if (!reader_is_uri(given->ids[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "the id \"%.*s\" is not a URI", STR_ARG(given->ids[i]));
    s->ids = given->ids;
    s->id_count = given->id_count;
    if (!str_absent(given->type))
        st = filter_read_types(r, given->type, &s->type, &x->why);
    if (st == OK && !str_absent(given->id_pattern)) {
        st = filter_read_pattern(r, given->id_pattern, &s->id_pattern, &x->why);
        if (st == OK)
            keep(x, filter_of_pattern(x->arena, s->id_pattern));
    }
    f->call.query.selectors = s;
    f->call.query.selector_count = s->type || s->id_count || s->id_pattern;
    return st;
}

/* The attributes asked for by attrs and q (5.10.2.4); that of the geo-query comes with it. */
static enum status names(struct finding *f, const struct filter_reader *r, const struct query_input *in)
{
    struct exchange *x = f->x;
    struct registration_query *q = &f->call.query;
    struct filter *filter;
    enum status st = OK;
    for (uint32_t i = 0; i < in->attr_count; i++) {
        if (!reader_is_name(in->attrs[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "attrs: \"%.*s\" is not a valid attribute name",
                           STR_ARG(in->attrs[i]));
        registration_query_name(q, context_expand(x->context, in->attrs[i], x->arena), x->arena);
    }
    if (!str_absent(in->q)) {
        st = filter_read_q(r, in->q, &filter, &x->why);
        if (st == OK) {
            keep(x, filter);
            registration_query_names(q, filter, x->arena);
        }
    }
    return st;
}

static enum status places(struct finding *f, const struct filter_reader *r, const struct query_input *in)
{
    struct exchange *x = f->x;
    int given = !str_absent(in->georel) + !str_absent(in->geometry) + (in->coordinates != NULL);
    if (!given)
        return OK;
    if (given < 3)
        return why_set(&x->why, E_BAD_DATA, NULL, "a geo-query needs georel, geometry and coordinates");
    enum status st = filter_read_geo(r, in->georel, in->geometry, in->coordinates, in->geoproperty, &f->call.geo, &x->why);
    if (st != OK)
        return st;
    keep(x, f->call.geo);
    f->call.query.geo = f->call.geo;
    registration_query_names(&f->call.query, f->call.geo, x->arena);
    return OK;
}

static enum status properties(struct finding *f, const struct filter_reader *r, const struct query_input *in)
{
    struct exchange *x = f->x;
    struct scope_expr *scopes;
    enum status st = OK;
    if (!str_absent(in->csf)) {
        st = filter_read_q(r, in->csf, &f->call.csf, &x->why);
        if (st == OK)
            keep(x, f->call.csf);
        f->call.query.csf = f->call.csf;
    }
    if (st == OK && !str_absent(in->scope_q)) {
        st = filter_read_scopes(r, in->scope_q, &scopes, &x->why);
        if (st == OK)
            f->call.query.scope = filter_of_scope(x->arena, scopes);
    }
    return st;
}

static enum status too_wide(struct exchange *x, const struct query_input *in)
{
    if (!str_absent(in->selectors[0].type) || in->all_types || in->attr_count || !str_absent(in->q) || !str_absent(in->georel))
        return OK;
    return why_set(&x->why, E_BAD_DATA, NULL, "too wide a query: give at least one of type, attrs, q or georel");
}

void registrations_query(struct exchange *x)
{
    struct finding *f = finding_new(x);
    struct filter_reader r = exchange_filter_reader(x);
    struct temporal_words words = {
        .timerel = x->params[PARAM_TIMEREL],
        .time_at = x->params[PARAM_TIME_AT],
        .end_time_at = x->params[PARAM_END_TIME_AT],
        .timeproperty = x->params[PARAM_TIMEPROPERTY],
    };
    struct query_input in;
    if (query_input_params(x, &in) != OK || page_read(x, &f->page) != OK || too_wide(x, &in) != OK ||
        selector(f, &r, &in) != OK || names(f, &r, &in) != OK || places(f, &r, &in) != OK || properties(f, &r, &in) != OK ||
        temporal_read(&words, NULL, &f->call.query.temporal, &x->why) != OK) {
        answer_why(x);
        return;
    }
    f->call.query.datasets = in.datasets;
    f->call.query.dataset_count = in.dataset_count;
    f->call.offset = f->page.offset;
    f->call.limit = (uint32_t)f->page.limit;
    find(f);
}
