/* A request for a stream: checked as a query of entities is, answered with a problem when it is none. */
#include "front/live_int.h"

#include "front/ngsild/answer.h"
#include "front/ngsild/negotiate.h"

struct opening {
    struct exchange x; /* first: found by the exchange */
    struct live *live;
};

static void context_resolved(struct contexts_call *call)
{
    struct exchange *x = container_of(call, struct exchange, resolving);
    struct opening *o = container_of(x, struct opening, x);
    if (call->status != OK) {
        answer_refusal(x, call->status, &call->why);
        return;
    }
    x->context = call->context;
    live_stream_open(o->live, x);
}

static enum status read(struct exchange *x)
{
    if (x->http->method != HTTP_GET)
        return why_limit(&x->why, E_METHOD, NULL, "GET", "%.*s is not allowed here: GET",
                         STR_ARG(x->http->method_name));
    struct str tenant = http_request_header(x->http, "NGSILD-Tenant");
    enum status st = str_absent(tenant) ? OK : exchange_set_tenant(x, tenant);
    if (st == OK) {
        static const struct endpoint plain = {.body = BODY_NONE};
        x->endpoint = &plain;
        st = negotiate_context(x);
    }
    return st == OK ? live_query_read(x) : st;
}

bool live_handle(struct live *l, struct http_request *http)
{
    if (!str_eq(http->path, STR("/live")))
        return false;
    struct opening *o = arena_zarray(http->arena, struct opening, 1);
    struct exchange *x = &o->x;
    o->live = l;
    x->api = l->options.api;
    x->broker = x->api->broker;
    x->http = http;
    x->arena = http->arena;
    x->caller.tenant = STR("");
    if (read(x) != OK) {
        answer_why(x);
        return true;
    }
    x->resolving = (struct contexts_call){
        .home = exchange_home(x),
        .arena = x->arena,
        .spec = x->has_spec ? &x->spec : NULL,
        .done = context_resolved,
    };
    if (contexts_resolve(x->broker->contexts, &x->resolving))
        context_resolved(&x->resolving);
    return true;
}
