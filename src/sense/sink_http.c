/* Why: imports run beside the city, perhaps far away from it, and use only its public interface, so
 * they feed any NGSI-LD broker. Start at http_send(); what an answer means is in
 * sink_http_answer.c. */
#include "sense/sink_http.h"

#include <stdlib.h>

struct http_sink {
    struct sink sink;
    struct sink_http_options options;
    struct arena *arena;
    struct str url;
    struct str headers[3]; /* Content-Type is set for each request */
    size_t header_count;
};

struct http_sending {
    struct http_call call;
    struct http_sink *sink;
    struct sink_batch *batch;
    struct str headers[3];
    char *body;
};

static void http_done(struct http_call *call)
{
    struct http_sending *s = container_of(call, struct http_sending, call);
    struct sink_batch *b = s->batch;
    if (call->status != OK) {
        b->why = call->why;
        /* Only time can mend these; anything else is the address or the guard. */
        bool mends = call->status == E_IO || call->status == E_TIMEOUT;
        b->status = mends ? call->status : E_FORBIDDEN;
        if (call->status == E_CANCELLED)
            b->status = E_CANCELLED;
    } else {
        sink_http_read(b, call->http_status, call->answer);
        if (b->status == E_BUSY)
            b->retry_after_us = call->retry_after_s * 1000 * 1000;
    }
    free(s->body);
    free(s);
    b->done(b);
}

/* "[e1,e2,…]", owned by the caller. */
static char *http_body(const struct sink_batch *b, size_t *bytes)
{
    size_t n = 2 + b->count;
    for (uint32_t i = 0; i < b->count; i++)
        n += b->entities[i]->json.n;
    char *body = mem_alloc(n), *p = body;
    for (uint32_t i = 0; i < b->count; i++) {
        struct str json = b->entities[i]->json;
        *p++ = i ? ',' : '[';
        memcpy(p, json.p, json.n);
        p += json.n;
    }
    *p++ = ']';
    *bytes = (size_t)(p - body);
    return body;
}

static void http_send(struct sink *sink, struct sink_batch *b)
{
    struct http_sink *h = (struct http_sink *)sink;
    struct http_sending *s = mem_zalloc(sizeof *s);
    size_t bytes;
    s->sink = h;
    s->batch = b;
    s->body = http_body(b, &bytes);
    memcpy(s->headers, h->headers, sizeof s->headers);
    s->headers[0] = b->own_context ? STR("Content-Type: application/ld+json")
                                   : STR("Content-Type: application/json");
    s->call = (struct http_call){
        .method = "POST",
        .url = h->url,
        .headers = s->headers,
        .header_count = h->header_count,
        .body = {s->body, bytes},
        .answer_bytes_max = h->options.answer_bytes_max,
        .timeout_ms = h->options.timeout_ms,
        .done = http_done,
    };
    http_call_start(h->options.client, &s->call);
}

static void http_free(struct sink *sink)
{
    struct http_sink *h = (struct http_sink *)sink;
    arena_free(h->arena);
    free(h);
}

struct sink *sink_http_new(const struct sink_http_options *o)
{
    struct http_sink *h = mem_zalloc(sizeof *h);
    struct str base = o->base;
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    h->sink = (struct sink){.send = http_send, .free = http_free};
    h->options = *o;
    h->arena = arena_new(0);
    h->url = arena_printf(h->arena, "%.*s/ngsi-ld/v1/entityOperations/upsert%s", STR_ARG(base),
                          o->update ? "?options=update" : "");
    h->headers[1] = STR("Accept: application/json");
    h->header_count = 2;
    if (o->tenant.n > 0)
        h->headers[h->header_count++] =
            arena_printf(h->arena, "NGSILD-Tenant: %.*s", STR_ARG(o->tenant));
    return &h->sink;
}
