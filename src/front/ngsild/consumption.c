/* Context information consumption (CIM 009 clauses 6.4.3.2, 6.5.3.1, 6.23.3.1). */
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"
#include "front/ngsild/negotiate.h"
#include "front/ngsild/query_input.h"

#include <inttypes.h>

enum { EXTRA_HEADERS_MAX = 3, ENTITY_BYTES_USUAL = 1000 /* with malloc's own, 1 KiB */ };

/* The body carries @context with ld+json, and with GeoJSON unless the client prefers it in the Link header. */
static bool context_in_body(struct exchange *x)
{
    return x->accept == MEDIA_LD_JSON || (x->accept == MEDIA_GEO_JSON && !x->prefer.json_body);
}

/* ---- retrieve ---- */

struct retrieval {
    struct exchange *x;
    struct consume_retrieve call;
    struct query_input in;
    struct represent represent;
    struct type_expr *only;
};

static bool has_any_attr(const struct entity *e, const struct projection *pick)
{
    for (uint32_t i = 0; i < pick->count; i++)
        if (entity_attr(e, pick->terms[i], NULL))
            return true;
    return false;
}

static void retrieved(struct retrieval *r)
{
    struct exchange *x = r->x;
    struct entity e;
    if (r->call.status != OK) {
        answer_refusal(x, r->call.status, &r->call.local.call.why);
        return;
    }
    consume_entity(&r->call.item, x->arena, &e);
    if (r->only && !type_expr_match(r->only, &e)) {
        why_set(&x->why, E_NOT_FOUND, NULL, "%.*s is not of the type asked for", STR_ARG(e.id));
        answer_why(x);
        return;
    }
    if (r->in.attr_count && !has_any_attr(&e, r->represent.pick)) {
        why_set(&x->why, E_NOT_FOUND, NULL, "%.*s has none of the attributes asked for", STR_ARG(e.id));
        answer_why(x);
        return;
    }
    if (!represent_leaves(&r->represent, &e)) {
        why_set(&x->why, E_NOT_FOUND, NULL, "nothing of %.*s is left by pick, omit and datasetId", STR_ARG(e.id));
        answer_why(x);
        return;
    }
    if (context_in_body(x))
        r->represent.at_context = answer_context_json(x);
    struct buf b;
    buf_init(&b, x->api->limits.answer_bytes);
    if (ENTITY_BYTES_USUAL < b.max)
        buf_reserve(&b, ENTITY_BYTES_USUAL);
    int status = exchange_conform(x, &e) ? 203 : 200;
    represent_entity(&b, &r->represent, &e);
    answer_body(x, status, &b, true, NULL, 0);
}

static void retrieve_done(struct consume_retrieve *call)
{
    retrieved(container_of(call, struct retrieval, call));
}

void consumption_retrieve(struct exchange *x)
{
    struct retrieval *r = arena_zarray(x->arena, struct retrieval, 1);
    r->x = x;
    r->in = (struct query_input){
        .pick = x->params[PARAM_PICK],
        .omit = x->params[PARAM_OMIT],
        .lang = x->params[PARAM_LANG],
        .geometry_property = x->params[PARAM_GEOMETRY_PROPERTY],
    };
    uint32_t max = x->api->limits.ids;
    if (exchange_entity_id(x) != OK || query_input_join(x, x->params[PARAM_JOIN]) != OK || exchange_only_type(x, &r->only) != OK ||
        params_list(x, PARAM_ATTRS, max, &r->in.attrs, &r->in.attr_count) != OK ||
        params_list(x, PARAM_DATASET_ID, max, &r->in.datasets, &r->in.dataset_count) != OK ||
        query_input_represent(x, &r->in, &r->represent) != OK) {
        answer_why(x);
        return;
    }
    r->call.local = (struct store_get){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x)},
        .caller = &x->caller,
        .id = x->variables[0],
    };
    r->call.arena = x->arena;
    r->call.done = retrieve_done;
    if (consume_retrieve(x->broker, &r->call))
        retrieved(r);
}

/* ---- query ---- */

struct querying {
    struct exchange *x;
    struct consume_query call;
    struct represent represent;
    uint64_t limit, offset;
};

static struct str page_link(struct exchange *x, uint64_t limit, uint64_t offset, const char *rel)
{
    struct str path = x->http->path;
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return arena_printf(x->arena, "<%.*s%.*s>; rel=\"%s\"; type=\"%s\"", STR_ARG(path),
                        STR_ARG(params_page(x, limit, offset)), rel, media_name(x->accept));
}

static size_t page_headers(struct querying *q, struct http_header *headers)
{
    struct exchange *x = q->x;
    size_t n = 0;
    if (q->call.local.count)
        headers[n++] = (struct http_header){"NGSILD-Results-Count",
                                            arena_printf(x->arena, "%" PRIu64, q->call.local.total)};
    if (q->offset > 0 && q->limit)
        headers[n++] = (struct http_header){
            "Link", page_link(x, q->limit, q->offset > q->limit ? q->offset - q->limit : 0, "prev")};
    if (q->call.local.more && q->limit)
        headers[n++] = (struct http_header){"Link", page_link(x, q->limit, q->offset + q->limit, "next")};
    return n;
}

static void queried(struct querying *q)
{
    struct exchange *x = q->x;
    if (q->call.status != OK) {
        answer_refusal(x, q->call.status, &q->call.local.call.why);
        return;
    }
    if (context_in_body(x))
        q->represent.at_context = answer_context_json(x);
    struct buf b;
    buf_init(&b, x->api->limits.answer_bytes);
    if (ENTITY_BYTES_USUAL * (size_t)q->call.count < b.max)
        buf_reserve(&b, ENTITY_BYTES_USUAL * (size_t)q->call.count);
    q->represent.in_list = true;
    represent_list_open(&b, &q->represent);
    bool first = true, amended = false;
    for (uint32_t i = 0; i < q->call.count && !b.full; i++) {
        struct entity e;
        consume_entity(&q->call.items[i], x->arena, &e);
        if (!represent_leaves(&q->represent, &e))
            continue;
        if (!first)
            buf_char(&b, ',');
        first = false;
        amended |= exchange_conform(x, &e);
        represent_entity(&b, &q->represent, &e);
    }
    represent_list_close(&b, &q->represent);
    struct http_header headers[EXTRA_HEADERS_MAX];
    size_t n = page_headers(q, headers);
    answer_body(x, amended ? 203 : 200, &b, true, headers, n);
}

static void query_done(struct consume_query *call)
{
    queried(container_of(call, struct querying, call));
}

static enum status page_read(struct querying *q)
{
    struct exchange *x = q->x;
    const struct ngsild_limits *limits = &x->api->limits;
    q->limit = limits->page_default;
    enum status st = params_u64(x, PARAM_LIMIT, limits->page, "limits.page", &q->limit);
    if (st == OK)
        st = params_u64(x, PARAM_OFFSET, limits->offset, "limits.offset", &q->offset);
    if (st == OK)
        st = params_bool(x, PARAM_COUNT, &q->call.local.count);
    if (st == OK && !q->limit && !q->call.local.count)
        return why_set(&x->why, E_BAD_DATA, NULL, "limit=0 is allowed together with count=true only");
    return st;
}

static void query_run(struct exchange *x, const struct query_input *in)
{
    struct querying *q = arena_zarray(x->arena, struct querying, 1);
    q->x = x;
    if (query_input_filter(x, in) != OK || query_input_represent(x, in, &q->represent) != OK || page_read(q) != OK) {
        answer_why(x);
        return;
    }
    bool count = q->call.local.count;
    q->call.local = (struct store_query){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x)},
        .caller = &x->caller,
        .filter = x->filter,
        .order = x->order,
        .offset = q->offset,
        .limit = (uint32_t)q->limit,
        .count = count,
        .arena = x->arena,
        .visit_max = x->api->limits.visit,
    };
    q->call.done = query_done;
    if (consume_query(x->broker, &q->call))
        queried(q);
}

void consumption_query(struct exchange *x)
{
    struct query_input in;
    if (query_input_params(x, &in) != OK)
        answer_why(x);
    else
        query_run(x, &in);
}

void consumption_query_post(struct exchange *x)
{
    struct query_input in;
    if (query_input_body(x, &in) != OK)
        answer_why(x);
    else
        query_run(x, &in);
}
