/* Retrieving and querying temporal evolutions (CIM 009 clauses 6.18.3.2, 6.19.3.1, 6.24.3.1). */
#include "base/hash.h"
#include "broker/evolve_map.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/entity_maps.h"
#include "front/ngsild/evolutions_input.h"
#include "front/ngsild/page.h"
#include "front/ngsild/params.h"

#include <stdio.h>

enum { HEADERS_MAX = PAGE_HEADERS_MAX + 2 };

/* A question about evolutions, under way. */
struct asking {
    struct exchange *x;
    struct evolutions_input in;
    struct query_parts parts;
    struct evolve_query query;
    struct evolve_map making;
    struct page asked;
    struct entity_map *map; /* held until the answer; NULL: none is used */
    struct evolve_among among; /* of it */
    bool map_made;
    bool amended; /* to an earlier version of the specification */
    bool map_alone; /* nothing but the map is wanted (clause 5.14.5) */
};

static void refuse(struct asking *q, enum status status, const struct why *why)
{
    entity_map_release(q->map);
    answer_refusal(q->x, status, why);
}

static struct store_evolve evolve_of(struct asking *q)
{
    struct store_evolve e = evolutions_input_asked(q->x, &q->in, &q->parts);
    e.call = (struct store_call){.home = exchange_home(q->x), .deadline_us = exchange_deadline(q->x)};
    return e;
}

/* ---- a part of the answer (clause 6.3.10) ---- */

/* Forwards, from where the time asked about begins to the last instance that is shown; with lastN backwards. */
static struct http_header content_range(struct asking *q)
{
    const struct temporal_query *t = &q->in.time;
    const struct store_evolve *e = &q->query.local;
    int64_t from = t->from_us != INT64_MIN ? t->from_us : e->first_us, to = e->last_us;
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX], size[16] = "*";
    if (t->last_n) {
        from = t->to_us != INT64_MAX ? t->to_us : e->last_us;
        to = e->first_us;
        snprintf(size, sizeof size, "%u", t->last_n);
    }
    time_format(from, first);
    time_format(to, last);
    return (struct http_header){"Content-Range", arena_printf(q->x->arena, "DateTime %s-%s/%s", first, last, size)};
}

static void answer(struct asking *q, struct buf *b, struct http_header *headers, size_t n)
{
    if (q->map)
        headers[n++] = entity_maps_header(q->x, q->map);
    if (q->query.local.partial)
        headers[n++] = content_range(q);
    entity_map_release(q->map);
    answer_body(q->x, q->query.local.partial ? 206 : q->amended ? 203 : q->map_made ? 201 : 200, b, true, headers, n);
}

static void body_write(struct asking *q, struct buf *b, struct evolution *e)
{
    q->amended |= exchange_conform_evolution(q->x, e, q->in.show.format == TEMPORAL_VALUES);
    represent_evolution(b, &q->in.show, e);
}

static void body_begin(struct asking *q, struct buf *b)
{
    buf_init(b, q->x->api->limits.answer_bytes);
    if (q->x->accept == MEDIA_LD_JSON)
        q->in.show.base.at_context = answer_context_json(q->x);
}

/* ---- retrieve ---- */

static bool has_instance(const struct evolution *e)
{
    for (uint32_t i = 0; i < e->count; i++)
        if (e->series[i].count || e->series[i].aggregates)
            return true;
    return false;
}

/* Is anything of e left of what was asked for? */
static enum status retrieved_check(struct asking *q, const struct evolution *e)
{
    struct why *why = &q->x->why;
    if (q->in.time.must_have && !has_instance(e) && !q->query.local.partial && !q->query.local.unshown_found)
        return why_set(why, E_NOT_FOUND, NULL, "%.*s has no instance in the time asked about", STR_ARG(e->id));
    if (q->in.query.attr_count && !has_instance(e) && !q->query.local.partial)
        return why_set(why, E_NOT_FOUND, NULL, "%.*s has none of the attributes asked for", STR_ARG(e->id));
    if (!represent_evolution_leaves(&q->in.show, e))
        return why_set(why, E_NOT_FOUND, NULL, "nothing of %.*s is left by pick, omit and datasetId", STR_ARG(e->id));
    return OK;
}

static void retrieved(struct asking *q)
{
    struct exchange *x = q->x;
    struct http_header headers[HEADERS_MAX];
    struct buf b;
    bool named;
    if (q->query.status != OK) {
        answer_refusal(x, q->query.status, &q->query.local.call.why);
        return;
    }
    struct evolution *e = q->query.evolutions;
    if (retrieved_check(q, e) != OK) {
        answer_why(x);
        return;
    }
    q->map = entity_maps_named(x, &named);
    if (!q->map && (named || q->in.query.entity_map) && entity_maps_of_one(x, &q->in.query, e->id, &q->map) != OK) {
        answer_why(x);
        return;
    }
    body_begin(q, &b);
    body_write(q, &b, e);
    answer(q, &b, headers, 0);
}

static void retrieve_done(struct evolve_query *query)
{
    retrieved(container_of(query, struct asking, query));
}

void evolutions_retrieve(struct exchange *x)
{
    struct asking *q = arena_zarray(x->arena, struct asking, 1);
    struct query_input *in = &q->in.query;
    uint32_t max = x->api->limits.ids;
    q->x = x;
    in->pick = x->params[PARAM_PICK];
    in->omit = x->params[PARAM_OMIT];
    in->lang = x->params[PARAM_LANG];
    if (exchange_entity_id(x) != OK || query_links_params(x, in) != OK ||
        params_list(x, PARAM_ATTRS, max, &in->attrs, &in->attr_count) != OK ||
        params_list(x, PARAM_DATASET_ID, max, &in->datasets, &in->dataset_count) != OK ||
        evolutions_input_params(x, false, &q->in) != OK) {
        answer_why(x);
        return;
    }
    q->query.local = evolve_of(q);
    q->query.local.id = x->variables[0];
    q->query.done = retrieve_done;
    if (evolve_query(x->broker, &q->query))
        retrieved(q);
}

/* ---- query ---- */

/* A hash of what decides which evolutions match: the parameters of an entity map, and the temporal query, which may be
 * another within it (clause 5.5.14); then nothing is removed from it. */
static uint64_t print_of(struct asking *q)
{
    const struct temporal_query *t = &q->in.time;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_u64(&b, query_input_print(q->x, &q->in.query));
    buf_printf(&b, ",%lld,%lld,%d,%d", (long long)t->from_us, (long long)t->to_us, t->property, t->must_have);
    for (uint32_t i = 0; i < q->in.term_count; i++)
        buf_printf(&b, ",%u", q->in.terms[i]);
    uint64_t print = hash_str(buf_view(&b));
    buf_free(&b);
    return print;
}

/* attrs asks for entities that have one of them, and datasetId for these instances alone. */
static bool shows(const struct asking *q, const struct evolution *e)
{
    bool any = !q->in.query.attr_count || has_instance(e) || q->query.local.partial;
    return any && represent_evolution_leaves(&q->in.show, e);
}

static void queried(struct asking *q)
{
    struct http_header headers[HEADERS_MAX];
    const struct store_evolve *e = &q->query.local;
    struct buf b;
    if (q->query.status != OK) {
        refuse(q, q->query.status, &e->call.why);
        return;
    }
    if (q->map && entity_map_print(q->map) == print_of(q))
        evolve_map_prune(q->map, &q->among, e->missed);
    body_begin(q, &b);
    buf_char(&b, '[');
    for (uint32_t i = 0; i < q->query.count && !b.full; i++) {
        if (!shows(q, &q->query.evolutions[i]))
            continue;
        if (b.n > 1)
            buf_char(&b, ',');
        body_write(q, &b, &q->query.evolutions[i]);
    }
    buf_char(&b, ']');
    answer(q, &b, headers, page_headers(q->x, &q->asked, e->total, e->more, headers));
}

static void query_done(struct evolve_query *query)
{
    queried(container_of(query, struct asking, query));
}

/* Within a map positions count its entities, as long as those are removed that do not match (clause 5.5.9.3). */
static void page_among(struct asking *q)
{
    struct store_evolve *e = &q->query.local;
    bool seek = entity_map_print(q->map) == print_of(q) && !e->count;
    q->among = evolve_map_read(q->map, seek ? e->offset : 0, q->x->arena);
    e->among = q->among.ids;
    e->among_count = q->among.count;
    if (seek)
        e->offset = 0;
}

static void page_start(struct asking *q)
{
    q->query.local = evolve_of(q);
    q->query.local.offset = q->asked.offset;
    q->query.local.limit = (uint32_t)q->asked.limit;
    q->query.local.count = q->asked.count;
    if (q->map)
        page_among(q);
    q->query.done = query_done;
    if (evolve_query(q->x->broker, &q->query))
        queried(q);
}

/* ---- by way of an entity map ---- */

static void map_made(struct asking *q)
{
    if (q->making.status != OK) {
        answer_refusal(q->x, q->making.status, &q->making.why);
        return;
    }
    if (q->map_alone) {
        entity_maps_answer(q->x, 201, q->making.map, true);
        return;
    }
    q->map = q->making.map;
    q->map_made = true;
    page_start(q);
}

static void map_done(struct evolve_map *m)
{
    map_made(container_of(m, struct asking, making));
}

/* Where entities may be split, the filters wait until their parts are together (clause 5.7.4.4). */
static void map_start(struct asking *q)
{
    const struct query_input *in = &q->in.query;
    q->making = (struct evolve_map){
        .asked = evolve_of(q),
        .print = print_of(q),
        .wish = entity_maps_wish(q->x, in),
        .done = map_done,
    };
    if (!in->local && !in->all_types && (in->split_given ? in->split : q->x->api->split_entities)) {
        q->making.asked.values = NULL;
        q->making.asked.scopes = NULL;
    }
    if (evolve_map_make(q->x->broker, &q->making))
        map_made(q);
}

/* ---- start ---- */

static void query_run(struct asking *q)
{
    struct exchange *x = q->x;
    bool named = false;
    if (query_input_parts(x, &q->in.query, &q->parts) != OK || page_read(x, &q->asked) != OK) {
        answer_why(x);
        return;
    }
    q->map = q->map_alone ? NULL : entity_maps_named(x, &named);
    if (q->map_alone || (!q->map && (named || q->in.query.entity_map)))
        map_start(q);
    else
        page_start(q);
}

static void query_params(struct exchange *x, bool map_alone)
{
    struct asking *q = arena_zarray(x->arena, struct asking, 1);
    q->x = x;
    q->map_alone = map_alone;
    if (query_input_params(x, &q->in.query) != OK || evolutions_input_params(x, true, &q->in) != OK)
        answer_why(x);
    else
        query_run(q);
}

static void query_body(struct exchange *x, bool map_alone)
{
    struct asking *q = arena_zarray(x->arena, struct asking, 1);
    q->x = x;
    q->map_alone = map_alone;
    if (query_input_body(x, &q->in.query) != OK || evolutions_input_body(x, &q->in) != OK)
        answer_why(x);
    else
        query_run(q);
}

void evolutions_query(struct exchange *x)
{
    query_params(x, false);
}

void evolutions_query_post(struct exchange *x)
{
    query_body(x, false);
}

void evolutions_map(struct exchange *x)
{
    query_params(x, true);
}

void evolutions_map_post(struct exchange *x)
{
    query_body(x, true);
}
