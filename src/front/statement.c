/* A statement runs on a thread of the engine; its request waits on its loop, and looks now and then whether the client
 * still does. */
#include "front/statement.h"

#include "base/time.h"
#include "base/utf8.h"
#include "front/ngsild/answer.h"
#include "front/ngsild/negotiate.h"
#include "front/ngsild/params.h"

#define LOOK_EVERY_US INT64_C(200000)

struct asking {
    struct exchange x; /* first: found by the exchange */
    struct statements *of;
    struct sql_call call;
    struct loop_timer look;
};

static const struct {
    struct str media;
    uint8_t format; /* enum sql_format */
    const char *content_type;
} FORMATS[] = {
    {{"application/json", 16}, SQL_JSON, "application/json"},
    {{"text/csv", 8}, SQL_CSV, "text/csv; charset=utf-8; header=present"},
    {{"application/x-ndjson", 20}, SQL_LINES, "application/x-ndjson"},
    {{"application/jsonl", 17}, SQL_LINES, "application/jsonl"},
};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

enum status statement_allowed(const struct statements *s, struct why *why)
{
    if (s->enabled)
        return OK;
    return why_limit(why, E_FORBIDDEN, NULL, "sql.enabled",
                     "SQL is answered only where this machine alone can ask, until the option sql.enabled is \"always\"");
}

/* ---- what is asked ---- */

static bool names(struct str range, struct str media)
{
    struct str kind = str_head(media, str_find_char(media, '/') + 1);
    return str_eq_fold(range, media) || str_eq(range, STR("*/*")) ||
           (range.n == kind.n + 1 && str_starts(range, kind) && range.p[kind.n] == '*');
}

/* The format of greatest weight, the first of several. FORMAT_COUNT: none of ours. */
static size_t format_chosen(struct str accept)
{
    struct str item;
    size_t best = FORMAT_COUNT;
    int weight = 0;
    if (str_absent(accept))
        return 0;
    while (str_split(&accept, ',', &item)) {
        size_t semicolon = str_find_char(item, ';');
        int q = semicolon == STR_NPOS ? 1000 : negotiate_quality(str_from(item, semicolon + 1));
        struct str range = str_trim(str_head(item, semicolon == STR_NPOS ? item.n : semicolon));
        for (size_t i = 0; i < FORMAT_COUNT && q > weight; i++)
            if (names(range, FORMATS[i].media)) {
                best = i;
                weight = q;
            }
    }
    return best;
}

static enum status read_json(struct asking *a)
{
    struct exchange *x = &a->x;
    struct json_limits limits = {.depth_max = x->api->limits.json_depth, .bytes_max = x->api->limits.body_bytes};
    enum status st = json_read(x->arena, x->http->body, &limits, &x->body, &x->why);
    const struct json *text = st == OK ? json_get(&x->body, STR("sql")) : NULL;
    if (st != OK)
        return st;
    if (!json_is(text, JSON_STRING))
        return why_set(&x->why, E_BAD_DATA, &(struct at){.key = STR("sql")}, "the statement is expected, a string");
    a->call.text = text->string;
    a->call.parameters = json_get(&x->body, STR("parameters"));
    return OK;
}

static enum status read_query(struct asking *a)
{
    struct exchange *x = &a->x;
    struct str rest = x->http->query, part;
    while (rest.n && str_split(&rest, '&', &part))
        if (str_starts(part, STR("query=")) && !params_decode(x->arena, str_from(part, 6), true, &a->call.text))
            return why_set(&x->why, E_INVALID_REQUEST, NULL, "broken percent-encoding in parameter \"query\"");
    if (str_absent(a->call.text))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "parameter \"query\" is missing: a SELECT");
    return OK;
}

static enum status read(struct asking *a)
{
    struct exchange *x = &a->x;
    struct http_request *http = x->http;
    if (http->method != HTTP_GET && http->method != HTTP_POST)
        return why_limit(&x->why, E_METHOD, NULL, "GET, POST", "%.*s is not allowed here: GET, POST", STR_ARG(http->method_name));
    enum status st = statement_allowed(a->of, &x->why);
    if (st != OK)
        return st;
    st = exchange_read_headers(x);
    if (st != OK)
        return st;
    size_t format = format_chosen(http_request_header(http, "Accept"));
    if (format == FORMAT_COUNT)
        return why_set(&x->why, E_NOT_ACCEPTABLE, NULL, "available: application/json, text/csv, application/x-ndjson");
    a->call.format = FORMATS[format].format;
    if (http->method == HTTP_GET)
        return read_query(a);
    struct str type = http_request_header(http, "Content-Type");
    if (str_starts(type, STR("application/json")))
        return read_json(a);
    if (!utf8_valid(http->body))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "the statement is no UTF-8");
    a->call.text = http->body;
    return OK;
}

/* ---- the answer ---- */

static const char *content_type(enum sql_format format)
{
    size_t i = 0;
    while (FORMATS[i].format != format)
        i++;
    return FORMATS[i].content_type;
}

static void done(struct sql_call *call)
{
    struct asking *a = container_of(call, struct asking, call);
    struct exchange *x = &a->x;
    struct http_request *http = x->http;
    loop_timer_clear(http->loop, &a->look);
    if (call->status != OK) {
        answer_refusal(x, call->status, &call->why);
        return;
    }
    struct http_response response = {.status = 200, .body = buf_view(&call->body), .body_owned = call->body.p};
    http_response_header(&response, "Content-Type", str_of(content_type((enum sql_format)call->format)));
    if (!str_absent(x->tenant_echo))
        http_response_header(&response, "NGSILD-Tenant", x->tenant_echo);
    exchange_end(x);
    http_respond(http, &response);
}

static void look(struct loop_timer *t)
{
    struct asking *a = container_of(t, struct asking, look);
    if (http_request_abandoned(a->x.http))
        sql_cancel(&a->call);
    else
        loop_timer_set(a->x.http->loop, t, time_monotonic() + LOOK_EVERY_US);
}

static void resolved(struct exchange *x)
{
    struct asking *a = container_of(x, struct asking, x);
    if (!x->context) {
        answer_why(x);
        return;
    }
    a->call.home = exchange_home(x);
    a->call.done = done;
    a->call.caller = x->caller;
    a->call.context = x->context;
    a->look.fire = look;
    loop_timer_set(x->http->loop, &a->look, time_monotonic() + LOOK_EVERY_US);
    sql_start(a->of->sql, &a->call);
}

bool statement_handle(struct statements *s, struct http_request *http)
{
    if (!str_eq(http->path, STR("/sql")))
        return false;
    struct asking *a = arena_zarray(http->arena, struct asking, 1);
    a->of = s;
    exchange_open(&a->x, s->api, http);
    if (read(a) != OK)
        answer_why(&a->x);
    else
        exchange_resolve(&a->x, resolved);
    return true;
}
