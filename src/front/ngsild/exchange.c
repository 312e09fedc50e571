/* What the operations share: readers with the exchange's context, path variables. */
#include "front/ngsild/exchange.h"

#include "front/ngsild/negotiate.h"
#include "model/conform.h"

void exchange_open(struct exchange *x, struct ngsild *api, struct http_request *http)
{
    static const struct endpoint PLAIN = {.body = BODY_NONE};
    x->api = api;
    x->broker = api->broker;
    x->http = http;
    x->arena = http->arena;
    x->endpoint = &PLAIN;
    x->caller.tenant = STR("");
}

enum status exchange_read_headers(struct exchange *x)
{
    struct str tenant = http_request_header(x->http, "NGSILD-Tenant");
    enum status st = str_absent(tenant) ? OK : exchange_set_tenant(x, tenant);
    return st == OK ? negotiate_context(x) : st;
}

static void context_resolved(struct contexts_call *call)
{
    struct exchange *x = container_of(call, struct exchange, resolving);
    x->context = call->status == OK ? call->context : NULL;
    if (call->status != OK)
        x->why = call->why;
    x->resolved(x);
}

void exchange_resolve(struct exchange *x, void (*resolved)(struct exchange *x))
{
    x->resolved = resolved;
    x->resolving = (struct contexts_call){
        .home = exchange_home(x),
        .arena = x->arena,
        .spec = x->has_spec ? &x->spec : NULL,
        .done = context_resolved,
    };
    if (contexts_resolve(x->broker->contexts, &x->resolving))
        context_resolved(&x->resolving);
}

struct runner *exchange_home(const struct exchange *x)
{
    return loop_runner(x->http->loop);
}

int64_t exchange_deadline(const struct exchange *x)
{
    return x->http->start_us + x->api->limits.request_us;
}

void exchange_end(struct exchange *x)
{
    filter_free(x->filter);
    for (uint32_t i = 0; i < x->extra_filter_count; i++)
        filter_free(x->extra_filters[i]);
    if (x->order)
        order_free(x->order);
    if (x->context)
        context_unref(x->context);
}

/* A GeoJSON body has no versions (clause 6.3.6). */
bool exchange_conform(const struct exchange *x, struct entity *e)
{
    return x->prefer.versioned && x->accept != MEDIA_GEO_JSON &&
           conform_entity(e, x->prefer.minor, x->context, x->arena);
}

bool exchange_conform_evolution(const struct exchange *x, struct evolution *e, bool bare)
{
    return x->prefer.versioned && conform_evolution(e, x->prefer.minor, bare, x->context, x->arena);
}

struct str exchange_base(const struct exchange *x)
{
    struct str host = http_request_header(x->http, "Host");
    if (x->api->url.n)
        return x->api->url;
    return arena_printf(x->arena, "http://%.*s", STR_ARG(host));
}

struct reader exchange_reader(const struct exchange *x, enum reader_mode mode)
{
    return (struct reader){
        .context = x->context,
        .limits = &x->api->limits.reader,
        .arena = x->arena,
        .mode = mode,
        .observed_at = TIME_NONE,
    };
}

struct filter_reader exchange_filter_reader(const struct exchange *x)
{
    return (struct filter_reader){
        .context = x->context,
        .limits = &x->api->limits.filter,
        .arena = x->arena,
    };
}

enum status exchange_entity_id(struct exchange *x)
{
    if (!reader_is_uri(x->variables[0]))
        return why_set(&x->why, E_BAD_DATA, NULL, "the entity id \"%.*s\" is not a URI", STR_ARG(x->variables[0]));
    return OK;
}

enum status exchange_attr(struct exchange *x, bool intern, uint32_t *term)
{
    if (!reader_is_name(x->variables[1]))
        return why_set(&x->why, E_BAD_DATA, NULL, "\"%.*s\" is not a valid attribute name",
                       STR_ARG(x->variables[1]));
    *term = context_expand_term(x->context, x->variables[1], intern, x->arena, &x->why);
    return x->why.status;
}

enum status exchange_only_type(struct exchange *x, struct type_expr **out)
{
    *out = NULL;
    if (!exchange_has(x, PARAM_TYPE) || str_eq(x->params[PARAM_TYPE], STR("*")))
        return OK;
    struct filter_reader r = exchange_filter_reader(x);
    return filter_read_types(&r, x->params[PARAM_TYPE], out, &x->why);
}

struct str exchange_context_url(const struct exchange *x)
{
    struct str url = context_core_iri();
    const struct json *spec = &x->spec;
    if (x->has_spec && spec->kind == JSON_STRING)
        return spec->string;
    for (uint32_t i = 0; x->has_spec && spec->kind == JSON_ARRAY && i < spec->n; i++)
        if (spec->items[i].kind == JSON_STRING && !context_is_core_iri(spec->items[i].string))
            return spec->items[i].string;
    return url;
}

enum status exchange_set_tenant(struct exchange *x, struct str name)
{
    x->tenant_echo = name;
    if (!name.n || name.n > x->api->limits.tenant_bytes)
        return why_limit(&x->why, E_LIMIT, NULL, "limits.tenant_bytes",
                         "NGSILD-Tenant must have 1 to %zu characters", x->api->limits.tenant_bytes);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_-.:", c))) {
            x->tenant_echo = STR_NONE;
            return why_set(&x->why, E_BAD_DATA, NULL,
                           "NGSILD-Tenant may contain letters, digits, '_', '-', '.' and ':' only");
        }
    }
    x->caller.tenant = name;
    return OK;
}
