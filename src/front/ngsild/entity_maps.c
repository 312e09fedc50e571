/* Retrieving, updating, deleting and making entity maps (CIM 009 clauses 6.32, 6.34). */
#include "front/ngsild/entity_maps.h"

#include "broker/map_query.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/params.h"

static const struct str PATH = {"/ngsi-ld/v1/entityMaps/", sizeof "/ngsi-ld/v1/entityMaps/" - 1};

/* ---- maps that other operations use ---- */

struct entity_map *entity_maps_named(struct exchange *x, bool *named)
{
    static const struct str STEP = {"/entityMaps/", sizeof "/entityMaps/" - 1};
    struct str id, value = http_request_header(x->http, "NGSILD-EntityMap");
    *named = !str_absent(value);
    if (!*named)
        return NULL;
    value = str_trim(value);
    size_t at = str_find(value, STEP);
    if (at != STR_NPOS)
        value = str_from(value, at + STEP.n);
    if (!params_decode(x->arena, value, false, &id))
        return NULL;
    return entity_map_find(x->broker->maps, x->caller.tenant, id);
}

const struct duration *entity_maps_wish(struct exchange *x, const struct query_input *in)
{
    struct duration *d = arena_array(x->arena, struct duration, 1);
    return !str_absent(in->map_lifetime) && duration_parse(in->map_lifetime, d) ? d : NULL;
}

struct http_header entity_maps_header(struct exchange *x, const struct entity_map *m)
{
    struct str id = params_encode(x->arena, entity_map_id(m));
    return (struct http_header){"NGSILD-EntityMap",
                                arena_printf(x->arena, "%.*s%.*s", STR_ARG(PATH), STR_ARG(id))};
}

enum status entity_maps_of_one(struct exchange *x, const struct query_input *in, struct str id, struct entity_map **out)
{
    *out = entity_map_new(x->broker->maps, x->caller.tenant, 0);
    enum status st = entity_map_add(*out, id, &x->why);
    if (st == OK)
        st = entity_map_publish(*out, entity_maps_wish(x, in), &x->why);
    if (st != OK) {
        entity_map_release(*out);
        *out = NULL;
    }
    return st;
}

/* ---- one map ---- */

enum { READ_AT_ONCE = 256 };

static void write_ids(struct buf *b, struct entity_map *m)
{
    struct str ids[READ_AT_ONCE];
    uint32_t positions[READ_AT_ONCE], at = 0, n;
    bool first = true;
    while (!b->full && (n = entity_map_read(m, at, READ_AT_ONCE, ids, positions, &at)) > 0) {
        for (uint32_t i = 0; i < n; i++, first = false) {
            if (!first)
                buf_char(b, ',');
            json_write_str(b, ids[i]);
            buf_lit(b, ":[\"@none\"]");
        }
    }
}

void entity_maps_answer(struct exchange *x, int status, struct entity_map *m, bool created)
{
    struct buf b;
    struct http_header header = entity_maps_header(x, m);
    buf_init(&b, x->api->limits.answer_bytes);
    buf_lit(&b, "{\"id\":");
    json_write_str(&b, entity_map_id(m));
    buf_lit(&b, ",\"type\":\"EntityMap\",\"expiresAt\":\"");
    buf_time(&b, entity_map_expires_at(m));
    buf_lit(&b, "\",\"entityMap\":{");
    write_ids(&b, m);
    buf_char(&b, '}');
    if (x->accept == MEDIA_LD_JSON) {
        buf_lit(&b, ",\"@context\":");
        buf_str(&b, answer_context_json(x));
    }
    buf_char(&b, '}');
    entity_map_release(m);
    answer_body(x, status, &b, true, &header, created ? 1 : 0);
}

/* The map of the path, held; NULL with x->why. */
static struct entity_map *map_of_path(struct exchange *x)
{
    struct str id = x->variables[0];
    if (!reader_is_uri(id)) {
        why_set(&x->why, E_BAD_DATA, NULL, "the entity map id \"%.*s\" is not a URI", STR_ARG(id));
        return NULL;
    }
    struct entity_map *m = entity_map_find(x->broker->maps, x->caller.tenant, id);
    if (!m)
        why_set(&x->why, E_NOT_FOUND, NULL, "there is no entity map %.*s", STR_ARG(id));
    return m;
}

void entity_maps_retrieve(struct exchange *x)
{
    struct entity_map *m = map_of_path(x);
    if (m)
        entity_maps_answer(x, 200, m, false);
    else
        answer_why(x);
}

void entity_maps_delete(struct exchange *x)
{
    struct entity_map *m = map_of_path(x);
    if (!m) {
        answer_why(x);
        return;
    }
    entity_map_delete(m);
    entity_map_release(m);
    answer_empty(x, 204);
}

/* The fragment's expiresAt; what the system generates is ignored (clause 5.2.39). */
static enum status fragment_read(struct exchange *x, const struct entity_map *m, int64_t *expires_at)
{
    *expires_at = TIME_NONE;
    for (uint32_t i = 0; i < x->body.n; i++) {
        struct str key = x->body.members[i].key;
        const struct json *v = &x->body.members[i].value;
        struct at at = {.key = key};
        if (str_eq(key, STR("@context")) || str_eq(key, STR("entityMap")) || str_eq(key, STR("linkedMaps")))
            continue;
        if (str_eq(key, STR("expiresAt"))) {
            if (v->kind != JSON_STRING || !time_parse(v->string, expires_at))
                return why_set(&x->why, E_BAD_DATA, &at, "a DateTime such as 2026-01-31T12:00:00Z is expected");
        } else if (str_eq(key, STR("type"))) {
            if (!json_is_string(v, STR("EntityMap")))
                return why_set(&x->why, E_BAD_DATA, &at, "\"EntityMap\" is expected");
        } else if (!str_eq(key, STR("id")) || !json_is_string(v, entity_map_id(m))) {
            return why_set(&x->why, E_BAD_DATA, &at, "an entity map has no such member, or it cannot be changed");
        }
    }
    return OK;
}

void entity_maps_update(struct exchange *x)
{
    int64_t expires_at;
    struct entity_map *m = map_of_path(x);
    if (!m || fragment_read(x, m, &expires_at) != OK) {
        entity_map_release(m);
        answer_why(x);
        return;
    }
    if (expires_at != TIME_NONE)
        entity_map_set_expiry(m, expires_at);
    entity_map_release(m);
    answer_empty(x, 204);
}

/* ---- making one ---- */

struct making {
    struct exchange *x;
    struct map_make make;
};

static void made(struct map_make *make)
{
    struct making *m = container_of(make, struct making, make);
    if (make->status != OK)
        answer_refusal(m->x, make->status, &make->why);
    else
        entity_maps_answer(m->x, 201, make->map, true);
}

static void create(struct exchange *x, const struct query_input *in)
{
    struct making *m = arena_zarray(x->arena, struct making, 1);
    struct represent r;
    struct join join;
    struct filter *candidates;
    m->x = x;
    if (query_input_filter(x, in) != OK || query_input_represent(x, in, &r, &join) != OK ||
        query_input_candidates(x, in, &candidates) != OK) {
        answer_why(x);
        return;
    }
    m->make = (struct map_make){
        .caller = &x->caller,
        .filter = candidates,
        .order = x->order,
        .print = query_input_print(x, in),
        .wish = entity_maps_wish(x, in),
        .home = exchange_home(x),
        .deadline_us = exchange_deadline(x),
        .arena = x->arena,
        .visit_max = x->api->limits.visit,
        .done = made,
    };
    map_make_start(x->broker, &m->make);
}

void entity_maps_create(struct exchange *x)
{
    struct query_input in;
    if (query_input_params(x, &in) != OK)
        answer_why(x);
    else
        create(x, &in);
}

void entity_maps_create_post(struct exchange *x)
{
    struct query_input in;
    if (query_input_body(x, &in) != OK)
        answer_why(x);
    else
        create(x, &in);
}
