/* Context information consumption (CIM 009 clauses 6.4.3.2, 6.5.3.1, 6.23.3.1). */
#include "broker/linked.h"
#include "broker/map_query.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/entity_maps.h"
#include "front/ngsild/params.h"
#include "front/ngsild/negotiate.h"
#include "front/ngsild/page.h"
#include "front/ngsild/query_input.h"

enum { ENTITY_BYTES_USUAL = 1000 /* with malloc's own, 1 KiB */ };

/* The body carries @context with ld+json, and with GeoJSON unless the client prefers it in the Link header. */
static bool context_in_body(struct exchange *x)
{
    return x->accept == MEDIA_LD_JSON || (x->accept == MEDIA_GEO_JSON && !x->prefer.json_body);
}

static void body_begin(struct exchange *x, struct buf *b, size_t entities)
{
    buf_init(b, x->api->limits.answer_bytes);
    if (ENTITY_BYTES_USUAL * entities < b->max)
        buf_reserve(b, ENTITY_BYTES_USUAL * entities);
}

/* ---- linked entities ---- */

/* What linked_resolve() is to do for x; roots and done are left to set. */
static struct linked linked_for(struct exchange *x, const struct join *join, const struct represent *r)
{
    return (struct linked){
        .caller = &x->caller,
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .join = join,
        .represent = r,
        .entities_max = x->api->limits.linked_entities,
    };
}

static struct link_node root_of(const struct represent *r, const struct entity *e)
{
    return (struct link_node){.entity = e, .pick = r->pick, .omit = r->omit};
}

/* The given entities, inline with what they lead to, or flat and then what they lead to. */
static void list_write(struct buf *b, struct represent *r, const struct linked *l)
{
    struct represent one = *r;
    one.in_list = true;
    represent_list_open(b, &one);
    for (uint32_t i = 0; i < l->root_count && !b->full; i++) {
        if (i)
            buf_char(b, ',');
        one.links = l->join->kind == JOIN_INLINE ? &l->roots[i] : NULL;
        represent_entity(b, &one, l->roots[i].entity);
    }
    one.links = NULL;
    for (uint32_t i = 0; l->join->kind == JOIN_FLAT && i < l->found_count && !b->full; i++) {
        buf_char(b, ',');
        one.pick = l->found[i]->pick;
        one.omit = l->found[i]->omit;
        represent_entity(b, &one, l->found[i]->entity);
    }
    represent_list_close(b, &one);
}

/* ---- retrieve ---- */

struct retrieval {
    struct exchange *x;
    struct consume_retrieve call;
    struct query_input in;
    struct represent represent;
    struct type_expr *only;
    struct join join;
    struct retrieval_links *links; /* NULL: nothing is joined */
    bool amended; /* to an earlier version of the specification */
};

struct retrieval_links {
    struct retrieval *retrieval;
    struct linked linked;
    struct link_node root;
    struct entity kept;
};

static bool has_any_attr(const struct entity *e, const struct projection *pick)
{
    for (uint32_t i = 0; i < pick->count; i++)
        if (entity_attr(e, pick->terms[i], NULL))
            return true;
    return false;
}

/* Is e what was asked for, and is anything of it left to show? */
static enum status retrieved_check(struct retrieval *r, const struct entity *e)
{
    struct why *why = &r->x->why;
    if (r->only && !type_expr_match(r->only, e))
        return why_set(why, E_NOT_FOUND, NULL, "%.*s is not of the type asked for", STR_ARG(e->id));
    if (r->in.attr_count && !has_any_attr(e, r->represent.pick))
        return why_set(why, E_NOT_FOUND, NULL, "%.*s has none of the attributes asked for", STR_ARG(e->id));
    if (!represent_leaves(&r->represent, e))
        return why_set(why, E_NOT_FOUND, NULL, "nothing of %.*s is left by pick, omit and datasetId", STR_ARG(e->id));
    return OK;
}

static void retrieved_answer(struct retrieval *r, const struct entity *e)
{
    struct exchange *x = r->x;
    struct buf b;
    struct http_header header;
    bool named;
    struct entity_map *map = entity_maps_named(x, &named);
    if (!map && (named || r->in.entity_map) && entity_maps_of_one(x, &r->in, e->id, &map) != OK) {
        answer_why(x);
        return;
    }
    if (map)
        header = entity_maps_header(x, map);
    if (context_in_body(x))
        r->represent.at_context = answer_context_json(x);
    body_begin(x, &b, r->links ? 1 + r->links->linked.found_count : 1);
    if (r->join.kind == JOIN_FLAT)
        list_write(&b, &r->represent, &r->links->linked);
    else
        represent_entity(&b, &r->represent, e);
    answer_body(x, r->amended ? 203 : 200, &b, true, &header, map ? 1 : 0);
    entity_map_release(map);
}

static void retrieved_linked(struct retrieval_links *k)
{
    if (k->linked.status != OK)
        answer_refusal(k->retrieval->x, k->linked.status, &k->linked.why);
    else
        retrieved_answer(k->retrieval, k->root.entity);
}

static void retrieve_linked_done(struct linked *l)
{
    retrieved_linked(container_of(l, struct retrieval_links, linked));
}

static void retrieve_conform(struct linked *l, struct entity *e)
{
    struct retrieval *r = container_of(l, struct retrieval_links, linked)->retrieval;
    r->amended |= exchange_conform(r->x, e);
}

static void retrieved_join(struct retrieval *r)
{
    struct retrieval_links *k = arena_zarray(r->x->arena, struct retrieval_links, 1);
    consume_entity_kept(&r->call.item, r->x->arena, &k->kept);
    if (retrieved_check(r, &k->kept) != OK) {
        answer_why(r->x);
        return;
    }
    r->links = k;
    r->amended = exchange_conform(r->x, &k->kept);
    k->retrieval = r;
    k->root = root_of(&r->represent, &k->kept);
    k->linked = linked_for(r->x, &r->join, &r->represent);
    k->linked.prepare = retrieve_conform;
    k->linked.roots = &k->root;
    k->linked.root_count = 1;
    k->linked.done = retrieve_linked_done;
    if (r->join.kind == JOIN_INLINE)
        r->represent.links = &k->root;
    if (linked_resolve(r->x->broker, &k->linked))
        retrieved_linked(k);
}

static void retrieved(struct retrieval *r)
{
    struct entity e;
    if (r->call.status != OK) {
        answer_refusal(r->x, r->call.status, &r->call.local.call.why);
    } else if (r->join.kind) {
        retrieved_join(r);
    } else {
        consume_entity(&r->call.item, r->x->arena, &e);
        if (retrieved_check(r, &e) != OK) {
            answer_why(r->x);
            return;
        }
        r->amended = exchange_conform(r->x, &e);
        retrieved_answer(r, &e);
    }
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
    if (exchange_entity_id(x) != OK || query_links_params(x, &r->in) != OK || exchange_only_type(x, &r->only) != OK ||
        params_list(x, PARAM_ATTRS, max, &r->in.attrs, &r->in.attr_count) != OK ||
        params_list(x, PARAM_DATASET_ID, max, &r->in.datasets, &r->in.dataset_count) != OK ||
        query_input_represent(x, &r->in, &r->represent, &r->join) != OK) {
        answer_why(x);
        return;
    }
    r->call.local = (struct store_get){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x)},
        .caller = &x->caller,
        .id = x->variables[0],
    };
    r->call.done = retrieve_done;
    if (consume_retrieve(x->broker, &r->call))
        retrieved(r);
}

/* ---- query ---- */

struct querying {
    struct exchange *x;
    struct consume_query call;
    struct represent represent;
    struct join join;
    struct linked *linked; /* NULL: nothing is joined */
    struct page asked;
    bool amended;
    const struct query_input *in;
    const struct consume_item *items; /* what is found, by the store or by way of a map */
    uint32_t count;
    uint64_t total;
    bool more;
    struct entity_map *map; /* held until the answer; NULL: none is used */
    bool map_made;
};

/* The steps that not every query takes; each knows whose it is. */
struct query_links {
    struct querying *querying;
    struct linked linked;
};
struct query_making {
    struct querying *querying;
    struct map_make make;
};
struct query_paging {
    struct querying *querying;
    struct map_page page;
};

static void queried_refuse(struct querying *q, enum status status, const struct why *why)
{
    entity_map_release(q->map);
    answer_refusal(q->x, status, why);
}

static void queried_answer(struct querying *q, struct buf *b)
{
    struct http_header headers[PAGE_HEADERS_MAX + 1];
    size_t n = page_headers(q->x, &q->asked, q->total, q->more, headers);
    if (q->map)
        headers[n++] = entity_maps_header(q->x, q->map);
    entity_map_release(q->map);
    answer_body(q->x, q->amended ? 203 : q->map_made ? 201 : 200, b, true, headers, n);
}

static void queried_linked(struct querying *q)
{
    struct buf b;
    if (q->linked->status != OK) {
        queried_refuse(q, q->linked->status, &q->linked->why);
        return;
    }
    body_begin(q->x, &b, q->linked->root_count + (size_t)q->linked->found_count);
    list_write(&b, &q->represent, q->linked);
    queried_answer(q, &b);
}

static void query_linked_done(struct linked *l)
{
    queried_linked(container_of(l, struct query_links, linked)->querying);
}

static void query_conform(struct linked *l, struct entity *e)
{
    struct querying *q = container_of(l, struct query_links, linked)->querying;
    q->amended |= exchange_conform(q->x, e);
}

static void queried_join(struct querying *q)
{
    struct arena *a = q->x->arena;
    struct query_links *k = arena_zarray(a, struct query_links, 1);
    k->querying = q;
    k->linked = linked_for(q->x, &q->join, &q->represent);
    q->linked = &k->linked;
    q->linked->roots = arena_array(a, struct link_node, q->count);
    q->linked->prepare = query_conform;
    q->linked->done = query_linked_done;
    for (uint32_t i = 0; i < q->count; i++) {
        struct entity *e = arena_array(a, struct entity, 1);
        consume_entity_kept(&q->items[i], a, e);
        if (!represent_leaves(&q->represent, e))
            continue;
        q->amended |= exchange_conform(q->x, e);
        q->linked->roots[q->linked->root_count++] = root_of(&q->represent, e);
    }
    if (linked_resolve(q->x->broker, q->linked))
        queried_linked(q);
}

static void queried_plain(struct querying *q)
{
    struct buf b;
    body_begin(q->x, &b, q->count);
    q->represent.in_list = true;
    represent_list_open(&b, &q->represent);
    bool first = true;
    for (uint32_t i = 0; i < q->count && !b.full; i++) {
        struct entity e;
        consume_entity(&q->items[i], q->x->arena, &e);
        if (!represent_leaves(&q->represent, &e))
            continue;
        if (!first)
            buf_char(&b, ',');
        first = false;
        q->amended |= exchange_conform(q->x, &e);
        represent_entity(&b, &q->represent, &e);
    }
    represent_list_close(&b, &q->represent);
    queried_answer(q, &b);
}

static void queried(struct querying *q)
{
    if (context_in_body(q->x))
        q->represent.at_context = answer_context_json(q->x);
    if (q->join.kind)
        queried_join(q);
    else
        queried_plain(q);
}

static void queried_store(struct querying *q)
{
    if (q->call.status != OK) {
        queried_refuse(q, q->call.status, &q->call.local.call.why);
        return;
    }
    q->items = q->call.items;
    q->count = q->call.count;
    q->total = q->call.local.total;
    q->more = q->call.local.more;
    queried(q);
}

static void query_done(struct consume_query *call)
{
    queried_store(container_of(call, struct querying, call));
}

/* ---- by way of an entity map (clauses 5.5.9.3, 5.5.14) ---- */

static void page_done(struct map_page *p)
{
    struct querying *q = container_of(p, struct query_paging, page)->querying;
    if (p->status != OK) {
        queried_refuse(q, p->status, &p->why);
        return;
    }
    q->items = p->items;
    q->count = p->item_count;
    q->total = p->total;
    q->more = p->more;
    queried(q);
}

static void page_start(struct querying *q)
{
    struct exchange *x = q->x;
    struct query_paging *k = arena_array(x->arena, struct query_paging, 1);
    k->querying = q;
    k->page = (struct map_page){
        .map = q->map,
        .caller = &x->caller,
        .filter = x->filter,
        .prune = entity_map_print(q->map) == query_input_print(x, q->in),
        .count = q->asked.count,
        .offset = q->asked.offset,
        .limit = (uint32_t)q->asked.limit,
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .done = page_done,
    };
    map_page_start(x->broker, &k->page);
}

static void make_done(struct map_make *m)
{
    struct querying *q = container_of(m, struct query_making, make)->querying;
    if (m->status != OK) {
        answer_refusal(q->x, m->status, &m->why);
        return;
    }
    q->map = m->map;
    q->map_made = true;
    page_start(q);
}

static void make_start(struct querying *q)
{
    struct exchange *x = q->x;
    struct filter *candidates;
    if (query_input_candidates(x, q->in, &candidates) != OK) {
        answer_why(x);
        return;
    }
    struct query_making *k = arena_array(x->arena, struct query_making, 1);
    k->querying = q;
    k->make = (struct map_make){
        .caller = &x->caller,
        .filter = candidates,
        .order = x->order,
        .print = query_input_print(x, q->in),
        .wish = entity_maps_wish(x, q->in),
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .visit_max = x->api->limits.visit,
        .done = make_done,
    };
    map_make_start(x->broker, &k->make);
}

/* ---- start ---- */

static void query_run(struct exchange *x, const struct query_input *in)
{
    struct querying *q = arena_zarray(x->arena, struct querying, 1);
    bool named;
    q->x = x;
    q->in = in;
    if (query_input_filter(x, in) != OK || query_input_represent(x, in, &q->represent, &q->join) != OK || page_read(x, &q->asked) != OK) {
        answer_why(x);
        return;
    }
    q->map = entity_maps_named(x, &named);
    if (q->map) {
        page_start(q);
        return;
    }
    if (named || in->entity_map) {
        make_start(q);
        return;
    }
    q->call.local = (struct store_query){
        .call = {.home = exchange_home(x), .deadline_us = exchange_deadline(x)},
        .caller = &x->caller,
        .filter = x->filter,
        .order = x->order,
        .offset = q->asked.offset,
        .limit = (uint32_t)q->asked.limit,
        .count = q->asked.count,
        .arena = x->arena,
        .visit_max = x->api->limits.visit,
    };
    q->call.done = query_done;
    if (consume_query(x->broker, &q->call))
        queried_store(q);
}

void consumption_query(struct exchange *x)
{
    struct query_input *in = arena_array(x->arena, struct query_input, 1);
    if (query_input_params(x, in) != OK)
        answer_why(x);
    else
        query_run(x, in);
}

void consumption_query_post(struct exchange *x)
{
    struct query_input *in = arena_array(x->arena, struct query_input, 1);
    if (query_input_body(x, in) != OK)
        answer_why(x);
    else
        query_run(x, in);
}
