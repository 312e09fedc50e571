/* Headers that all answers share are put together here, once. */
#include "front/ngsild/answer.h"

#include "front/ngsild/negotiate.h"
#include "front/ngsild/params.h"

#define LINK_TAIL ">; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""

enum { PROBLEM_BYTES_MAX = 16 << 10 };

static void send(struct exchange *x, struct http_response *a)
{
    if (!str_absent(x->tenant_echo))
        http_response_header(a, "NGSILD-Tenant", x->tenant_echo);
    if (!str_absent(x->snapshot_echo))
        http_response_header(a, "NGSILD-Snapshot", x->snapshot_echo);
    struct http_request *http = x->http;
    exchange_end(x);
    http_respond(http, a);
}

/* Error details must be valid UTF-8 even when they quote what the client sent. */
static void problem_send(struct exchange *x, enum status status, const struct why *why)
{
    struct http_response a = {.status = problem_http_status(status)};
    if (status == E_METHOD)
        http_response_header(&a, "Allow", str_of(x->why.limit));
    if (status == E_BUSY)
        http_response_header(&a, "Retry-After", STR("1"));
    if (status == E_MEDIA_TYPE || status == E_LENGTH_REQUIRED) { /* clause 6.3.4: the code alone */
        send(x, &a);
        return;
    }
    struct buf b;
    buf_init(&b, PROBLEM_BYTES_MAX);
    problem_write(&b, status, why, STR_NONE);
    http_response_header(&a, "Content-Type", STR("application/json"));
    a.body = buf_view(&b);
    a.body_owned = b.p;
    send(x, &a);
}

void answer_refusal(struct exchange *x, enum status status, const struct why *why)
{
    problem_send(x, status, why);
}

void answer_why(struct exchange *x)
{
    problem_send(x, x->why.status, &x->why);
}

void answer_empty(struct exchange *x, int http_status)
{
    struct http_response a = {.status = http_status};
    send(x, &a);
}

void answer_created(struct exchange *x, struct str id)
{
    struct http_response a = {.status = 201};
    const struct endpoint *e = x->endpoint;
    struct str path = str_of(e->segments[0]);
    for (uint32_t i = 1; i < e->segment_count && e->segments[i]; i++)
        path = arena_printf(x->arena, "%.*s/%s", STR_ARG(path), e->segments[i]);
    http_response_header(&a, "Location",
                         arena_printf(x->arena, "/ngsi-ld/v1/%.*s/%.*s", STR_ARG(path), STR_ARG(params_encode(x->arena, id))));
    send(x, &a);
}

struct str answer_context_json(struct exchange *x)
{
    if (x->has_spec)
        return json_text(x->arena, &x->spec);
    return arena_printf(x->arena, "\"%.*s\"", STR_ARG(context_core_iri()));
}

/* A Link header can only name one document: of an inline @context, the first URL it lists. Written by hand: most
 * answers carry it. */
static struct str context_link(struct exchange *x)
{
    struct str url = context_core_iri();
    if (x->has_spec && x->spec.kind == JSON_STRING)
        url = x->spec.string;
    else if (x->has_spec && x->spec.kind == JSON_ARRAY && x->spec.n && x->spec.items[0].kind == JSON_STRING)
        url = x->spec.items[0].string;
    char *p = arena_alloc(x->arena, url.n + sizeof LINK_TAIL + 1);
    p[0] = '<';
    memcpy(p + 1, url.p, url.n);
    memcpy(p + 1 + url.n, LINK_TAIL, sizeof LINK_TAIL);
    return (struct str){p, url.n + sizeof LINK_TAIL};
}

/* False: the body is too large, and that has been answered. */
static bool fits(struct exchange *x, struct buf *body)
{
    if (!body->full)
        return true;
    buf_free(body);
    why_limit(&x->why, E_TOO_MANY_RESULTS, NULL, "limits.answer_bytes",
              "the answer would have more than %zu bytes: ask for fewer entities or attributes",
              x->api->limits.answer_bytes);
    answer_why(x);
    return false;
}

void answer_document(struct exchange *x, struct buf *body, enum media media)
{
    if (!fits(x, body))
        return;
    struct http_response a = {.status = 200, .body = buf_view(body), .body_owned = body->p};
    http_response_header(&a, "Content-Type", str_of(media_name(media)));
    send(x, &a);
}

void answer_body(struct exchange *x, int http_status, struct buf *body, bool with_context,
                 const struct http_header *extra, size_t extra_count)
{
    if (!fits(x, body))
        return;
    struct http_response a = {.status = http_status, .body = buf_view(body), .body_owned = body->p};
    enum media media = with_context ? x->accept : MEDIA_JSON;
    http_response_header(&a, "Content-Type", str_of(media_name(media)));
    if (with_context && (media == MEDIA_JSON || (media == MEDIA_GEO_JSON && x->prefer.json_body)))
        http_response_header(&a, "Link", context_link(x));
    if (with_context && x->prefer.versioned && media != MEDIA_GEO_JSON)
        http_response_header(&a, "Preference-Applied", arena_printf(x->arena, "ngsi-ld=%.*s", STR_ARG(x->prefer.version)));
    for (size_t i = 0; i < extra_count; i++)
        http_response_header(&a, extra[i].name, extra[i].value);
    send(x, &a);
}
