/* The way of a request: route → parameters → media types → body → @context →
 * operation. Every step either passes on or answers. */
#include "front/ngsild/ngsild.h"

#include "front/ngsild/answer.h"
#include "front/ngsild/exchange.h"
#include "front/ngsild/negotiate.h"
#include "front/ngsild/params.h"
#include "front/ngsild/snapshots.h"

#include <stdio.h>

static const struct str PREFIX = {"/ngsi-ld/v1/", sizeof "/ngsi-ld/v1/" - 1};

static void (*const OPERATION_RUN[OPERATIONS])(struct exchange *x) = {
    [OPERATION_CREATE_ENTITY] = provision_create,
    [OPERATION_QUERY_ENTITIES] = consumption_query,
    [OPERATION_PURGE_ENTITIES] = provision_purge,
    [OPERATION_RETRIEVE_ENTITY] = consumption_retrieve,
    [OPERATION_REPLACE_ENTITY] = provision_replace,
    [OPERATION_MERGE_ENTITY] = provision_merge,
    [OPERATION_DELETE_ENTITY] = provision_delete,
    [OPERATION_APPEND_ATTRS] = provision_append,
    [OPERATION_UPDATE_ATTRS] = provision_update,
    [OPERATION_UPDATE_ATTR] = provision_update_attr,
    [OPERATION_REPLACE_ATTR] = provision_replace_attr,
    [OPERATION_DELETE_ATTR] = provision_delete_attr,
    [OPERATION_BATCH_CREATE] = batch_run,
    [OPERATION_BATCH_UPSERT] = batch_run,
    [OPERATION_BATCH_UPDATE] = batch_run,
    [OPERATION_BATCH_MERGE] = batch_run,
    [OPERATION_BATCH_DELETE] = batch_delete,
    [OPERATION_QUERY_ENTITIES_POST] = consumption_query_post,
    [OPERATION_RETRIEVE_ENTITY_MAP] = entity_maps_retrieve,
    [OPERATION_UPDATE_ENTITY_MAP] = entity_maps_update,
    [OPERATION_DELETE_ENTITY_MAP] = entity_maps_delete,
    [OPERATION_CREATE_ENTITY_MAP] = entity_maps_create,
    [OPERATION_CREATE_ENTITY_MAP_POST] = entity_maps_create_post,
    [OPERATION_CREATE_SNAPSHOT] = snapshots_create,
    [OPERATION_PURGE_SNAPSHOTS] = snapshots_purge,
    [OPERATION_RETRIEVE_SNAPSHOT] = snapshots_retrieve,
    [OPERATION_UPDATE_SNAPSHOT] = snapshots_update,
    [OPERATION_DELETE_SNAPSHOT] = snapshots_delete,
    [OPERATION_CLONE_SNAPSHOT] = snapshots_clone,
    [OPERATION_RETRIEVE_TYPES] = discovery_types,
    [OPERATION_RETRIEVE_TYPE] = discovery_type,
    [OPERATION_RETRIEVE_ATTRIBUTES] = discovery_attributes,
    [OPERATION_RETRIEVE_ATTRIBUTE] = discovery_attribute,
    [OPERATION_RETRIEVE_SOURCE_IDENTITY] = info_source_identity,
    [OPERATION_CREATE_TEMPORAL] = evolutions_create,
    [OPERATION_QUERY_TEMPORAL] = evolutions_query,
    [OPERATION_RETRIEVE_TEMPORAL] = evolutions_retrieve,
    [OPERATION_DELETE_TEMPORAL] = evolutions_delete,
    [OPERATION_APPEND_TEMPORAL_ATTRS] = evolutions_append,
    [OPERATION_DELETE_TEMPORAL_ATTR] = evolutions_delete_attr,
    [OPERATION_UPDATE_TEMPORAL_INSTANCE] = evolutions_update_instance,
    [OPERATION_DELETE_TEMPORAL_INSTANCE] = evolutions_delete_instance,
    [OPERATION_QUERY_TEMPORAL_POST] = evolutions_query_post,
    [OPERATION_CREATE_TEMPORAL_ENTITY_MAP] = evolutions_map,
    [OPERATION_CREATE_TEMPORAL_ENTITY_MAP_POST] = evolutions_map_post,
    [OPERATION_CREATE_SUBSCRIPTION] = subscriptions_post,
    [OPERATION_QUERY_SUBSCRIPTIONS] = subscriptions_query,
    [OPERATION_RETRIEVE_SUBSCRIPTION] = subscriptions_get,
    [OPERATION_UPDATE_SUBSCRIPTION] = subscriptions_patch,
    [OPERATION_DELETE_SUBSCRIPTION] = subscriptions_remove,
    [OPERATION_CREATE_CSOURCE_SUBSCRIPTION] = subscriptions_post,
    [OPERATION_QUERY_CSOURCE_SUBSCRIPTIONS] = subscriptions_query,
    [OPERATION_RETRIEVE_CSOURCE_SUBSCRIPTION] = subscriptions_get,
    [OPERATION_UPDATE_CSOURCE_SUBSCRIPTION] = subscriptions_patch,
    [OPERATION_DELETE_CSOURCE_SUBSCRIPTION] = subscriptions_remove,
    [OPERATION_ADD_CONTEXT] = jsonld_contexts_add,
    [OPERATION_LIST_CONTEXTS] = jsonld_contexts_list,
    [OPERATION_SERVE_CONTEXT] = jsonld_contexts_serve,
    [OPERATION_DELETE_CONTEXT] = jsonld_contexts_delete,
    [OPERATION_CREATE_CSOURCE_REGISTRATION] = registrations_post,
    [OPERATION_QUERY_CSOURCE_REGISTRATIONS] = registrations_query,
    [OPERATION_RETRIEVE_CSOURCE_REGISTRATION] = registrations_get,
    [OPERATION_UPDATE_CSOURCE_REGISTRATION] = registrations_patch,
    [OPERATION_DELETE_CSOURCE_REGISTRATION] = registrations_remove,
};

bool ngsild_owns(struct str path)
{
    return str_starts(path, PREFIX);
}

/* ---- routing ---- */

static bool matches(const struct endpoint *e, const struct str *segments, uint32_t count)
{
    if (e->segment_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (e->segments[i] && !str_eq(segments[i], str_of(e->segments[i])))
            return false;
    return true;
}

static uint32_t segments_split(struct str path, struct str segments[SEGMENTS_MAX + 1])
{
    struct str rest = str_from(path, PREFIX.n);
    uint32_t n = 0;
    if (rest.n && rest.p[rest.n - 1] == '/')
        rest.n--;
    while (n <= SEGMENTS_MAX && str_split(&rest, '/', &segments[n]))
        n++;
    return n;
}

/* "PATCH entities/" addresses an entity without saying which, "DELETE jsonldContexts/" a context (clauses 5.6.17, 5.6.18,
 * 5.13.5.4: BadRequestData). What else is not named leaves the resource of all attributes, subscriptions …, which has
 * methods of its own. */
static bool id_missing(struct exchange *x, struct str *segments, uint32_t count)
{
    struct str path = x->http->path;
    if (path.p[path.n - 1] != '/' || count != 1 ||
        !(str_eq(segments[0], STR("entities")) || str_eq(segments[0], STR("jsonldContexts"))))
        return false;
    segments[count] = STR("");
    for (uint32_t i = 0; i < OPERATIONS; i++)
        if (!ENDPOINTS[i].segments[count] && matches(&ENDPOINTS[i], segments, count + 1) &&
            str_eq(x->http->method_name, str_of(ENDPOINTS[i].method)))
            return true;
    return false;
}

static enum status method_refused(struct exchange *x, struct str *segments, uint32_t count)
{
    size_t n = 0;
    if (id_missing(x, segments, count))
        return why_set(&x->why, E_BAD_DATA, NULL, "the path ends where an identifier is expected");
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        if (!matches(&ENDPOINTS[i], segments, count))
            continue;
        n += (size_t)snprintf(x->why.limit + n, sizeof x->why.limit - n, "%s%s", n ? ", " : "",
                              ENDPOINTS[i].method);
    }
    if (!n)
        return why_set(&x->why, E_NOT_FOUND, NULL, "there is no resource %.*s", STR_ARG(x->http->path));
    char allow[sizeof x->why.limit];
    memcpy(allow, x->why.limit, sizeof allow);
    return why_limit(&x->why, E_METHOD, NULL, allow, "%.*s is not allowed here: %s", STR_ARG(x->http->method_name),
                     allow);
}

static enum status route(struct exchange *x)
{
    struct str segments[SEGMENTS_MAX + 1];
    uint32_t count = segments_split(x->http->path, segments);
    struct str method = x->http->method == HTTP_HEAD ? STR("GET") : x->http->method_name;
    for (uint32_t i = 0; i < OPERATIONS && !x->endpoint; i++)
        if (matches(&ENDPOINTS[i], segments, count) && str_eq(method, str_of(ENDPOINTS[i].method)))
            x->endpoint = &ENDPOINTS[i];
    if (!x->endpoint)
        return method_refused(x, segments, count);
    uint32_t variable = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!x->endpoint->segments[i] && !params_decode(x->arena, segments[i], false, &x->variables[variable++]))
            return why_set(&x->why, E_BAD_DATA, NULL, "broken percent-encoding in the path");
    return OK;
}

/* ---- tenant ---- */

static enum status tenant(struct exchange *x)
{
    struct str name = http_request_header(x->http, "NGSILD-Tenant");
    return str_absent(name) ? OK : exchange_set_tenant(x, name);
}

/* ---- body and @context ---- */

static enum status body(struct exchange *x)
{
    if (x->endpoint->body == BODY_NONE)
        return OK;
    if (str_absent(http_request_header(x->http, "Content-Length")))
        return why_set(&x->why, E_LENGTH_REQUIRED, NULL, "Content-Length is required");
    enum status st = negotiate_content(x);
    if (st != OK)
        return st;
    struct json_limits limits = {.depth_max = x->api->limits.json_depth, .bytes_max = x->api->limits.body_bytes};
    st = json_read(x->arena, x->http->body, &limits, &x->body, &x->why);
    uint8_t kind = x->endpoint->body;
    bool object = kind != BODY_ENTITIES && kind != BODY_IDS && kind != BODY_ATTRIBUTE && kind != BODY_INSTANCE;
    if (st == OK && object && x->body.kind != JSON_OBJECT)
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "a JSON object is expected, not %s",
                       json_kind_name((enum json_kind)x->body.kind));
    return st;
}

static void resolved(struct exchange *x)
{
    if (x->context)
        OPERATION_RUN[x->endpoint - ENDPOINTS](x);
    else
        answer_why(x);
}

/* These may be asked for GeoJSON (clause 6.3.4). */
static bool gives_entities(const struct endpoint *e)
{
    size_t i = (size_t)(e - ENDPOINTS);
    return i == OPERATION_RETRIEVE_ENTITY || i == OPERATION_QUERY_ENTITIES || i == OPERATION_QUERY_ENTITIES_POST;
}

/* These answer with a body, though they are no GET. */
static bool gives_body(const struct endpoint *e)
{
    return e - ENDPOINTS == OPERATION_CREATE_ENTITY_MAP_POST || e - ENDPOINTS == OPERATION_UPDATE_SNAPSHOT ||
           e - ENDPOINTS == OPERATION_QUERY_TEMPORAL_POST ||
           e - ENDPOINTS == OPERATION_CREATE_TEMPORAL_ENTITY_MAP_POST;
}

/* What answers with a body looks at the whole of Accept (clause 6.3.4). */
static enum status accept(struct exchange *x)
{
    bool geo = gives_entities(x->endpoint);
    bool get = x->http->method == HTTP_GET || x->http->method == HTTP_HEAD;
    return geo || get || gives_body(x->endpoint) ? negotiate_accept(x, geo) : negotiate_no_geo(x);
}

void ngsild_handle(struct ngsild *api, struct http_request *http)
{
    struct exchange *x = arena_zarray(http->arena, struct exchange, 1);
    exchange_open(x, api, http);
    x->endpoint = NULL; /* the route says which */
    prefer_read(http, &x->prefer);
    if (route(x) != OK || tenant(x) != OK || snapshots_select(x) != OK || params_read(x) != OK ||
        accept(x) != OK || body(x) != OK || negotiate_context(x) != OK) {
        answer_why(x);
        return;
    }
    exchange_resolve(x, resolved);
}

void ngsild_refuse(struct http_request *http, const struct why *why)
{
    struct exchange *x = arena_zarray(http->arena, struct exchange, 1);
    x->http = http;
    x->arena = http->arena;
    answer_refusal(x, why->status, why);
}
