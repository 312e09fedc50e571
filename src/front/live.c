/* A request for a stream: checked as a query of entities is, answered with a problem when it is none. */
#include "front/live_int.h"

#include "front/ngsild/answer.h"

struct opening {
    struct exchange x; /* first: found by the exchange */
    struct live *live;
};

static void resolved(struct exchange *x)
{
    if (x->context)
        live_stream_open(container_of(x, struct opening, x)->live, x);
    else
        answer_why(x);
}

static enum status read(struct exchange *x)
{
    if (x->http->method != HTTP_GET)
        return why_limit(&x->why, E_METHOD, NULL, "GET", "%.*s is not allowed here: GET",
                         STR_ARG(x->http->method_name));
    enum status st = exchange_read_headers(x);
    return st == OK ? live_query_read(x) : st;
}

bool live_handle(struct live *l, struct http_request *http)
{
    if (!str_eq(http->path, STR("/live")))
        return false;
    struct opening *o = arena_zarray(http->arena, struct opening, 1);
    o->live = l;
    exchange_open(&o->x, l->options.api, http);
    if (read(&o->x) != OK)
        answer_why(&o->x);
    else
        exchange_resolve(&o->x, resolved);
    return true;
}
