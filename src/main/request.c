/* A private loop runs until the one call is done. */
#include "main/request.h"

#include "base/json.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 1 << 30, LINE_BYTES_MAX = 1 << 28, TIMEOUT_MS = 60000, JSON_DEPTH = 64 };

struct request {
    struct loop *loop;
    struct http_client *client;
    struct arena *arena;
    struct str base;
    struct str tenant;
};

struct waiting {
    struct http_call call;
    struct request *request;
    struct arena *arena;
    struct str body;
    int http_status;
    struct why why;
    /* of an answer that is followed */
    bool (*line)(void *arg, struct str line);
    void *arg;
    struct buf rest; /* a line that has not ended yet */
    bool began;
};

/* Value of --name, taken out of argv; NULL when not given. with: only one that has this in it. */
static const char *flag_take(int *argc, char **argv, const char *name, const char *with)
{
    const char *value = NULL;
    int n = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0 && i + 1 < *argc && strstr(argv[i + 1], with))
            value = argv[++i];
        else
            argv[n++] = argv[i];
    }
    *argc = n;
    argv[n] = NULL;
    return value;
}

struct str request_address(const struct config *config, struct arena *a)
{
    static const struct {
        struct str any, loopback;
    } WILDCARDS[] = {{{"0.0.0.0:", 8}, {"127.0.0.1:", 10}}, {{"[::]:", 5}, {"[::1]:", 6}}};
    struct str address = config_str(config, "server", "listen"), host = STR("");
    for (size_t i = 0; i < sizeof WILDCARDS / sizeof *WILDCARDS; i++) {
        if (!str_starts(address, WILDCARDS[i].any))
            continue;
        host = WILDCARDS[i].loopback;
        address = str_from(address, WILDCARDS[i].any.n);
    }
    return arena_printf(a, "http://%.*s%.*s", STR_ARG(host), STR_ARG(address));
}

struct request *request_new(const struct config *config, int *argc, char **argv, struct why *why)
{
    struct request *r = mem_zalloc(sizeof *r);
    struct http_client_options o = {.connections_max = 2, .user_agent = STR("wellspring")};
    const char *to = flag_take(argc, argv, "--to", "://"), *tenant = flag_take(argc, argv, "--tenant", "");
    r->arena = arena_new(0);
    r->base = to ? str_of(to) : request_address(config, r->arena);
    while (r->base.n && r->base.p[r->base.n - 1] == '/')
        r->base.n--;
    if (tenant)
        r->tenant = arena_printf(r->arena, "NGSILD-Tenant: %s", tenant);
    enum status st = loop_new(&r->loop, NULL);
    if (st != OK)
        why_set(why, st, NULL, "no event loop");
    if (st == OK && http_client_new(&r->client, r->loop, &o, why) == OK)
        return r;
    request_free(r);
    return NULL;
}

void request_free(struct request *r)
{
    if (r->client)
        http_client_free(r->client);
    if (r->loop)
        loop_free(r->loop);
    arena_free(r->arena);
    free(r);
}

struct str request_base(const struct request *r)
{
    return r->base;
}

struct str request_tenant(const struct request *r)
{
    return str_from(r->tenant, sizeof "NGSILD-Tenant: " - 1);
}

static void call_done(struct http_call *call)
{
    struct waiting *w = container_of(call, struct waiting, call);
    w->why = call->why;
    w->http_status = call->http_status;
    w->body = arena_dup(w->arena, call->answer);
    loop_stop(w->request->loop);
}

/* The detail of a ProblemDetails body, or the body. */
static struct str detail(struct arena *a, struct str body)
{
    struct json_limits limits = {.depth_max = JSON_DEPTH, .bytes_max = ANSWER_BYTES_MAX};
    struct json v;
    const struct json *text = json_read(a, body, &limits, &v, NULL) == OK ? json_get(&v, STR("detail")) : NULL;
    return json_is(text, JSON_STRING) ? text->string : body;
}

static void wait(struct waiting *w, struct str path)
{
    struct request *r = w->request;
    w->call.url = arena_printf(w->arena, "%.*s%.*s", STR_ARG(r->base), STR_ARG(path));
    w->call.answer_bytes_max = ANSWER_BYTES_MAX;
    w->call.timeout_ms = TIMEOUT_MS;
    w->call.done = call_done;
    http_call_start(r->client, &w->call);
    loop_run(r->loop);
}

static enum status send(struct request *r, struct http_call *call, struct str path, struct arena *a, struct str *body,
                        struct why *why)
{
    struct waiting w = {.request = r, .arena = a, .call = *call};
    wait(&w, path);
    if (w.call.status != OK)
        return why_set(why, E_IO, NULL, "%.*s does not answer: %s", STR_ARG(r->base), w.why.text);
    if (w.http_status != 200)
        return why_set(why, E_BAD_DATA, NULL, "answer %d: %.*s", w.http_status, STR_ARG(detail(a, w.body)));
    *body = w.body;
    return OK;
}

static bool lines_arrived(struct http_call *call, struct str bytes)
{
    struct waiting *w = container_of(call, struct waiting, call);
    w->began = true;
    for (size_t end; (end = str_find_char(bytes, '\n')) != STR_NPOS; bytes = str_from(bytes, end + 1)) {
        buf_str(&w->rest, str_head(bytes, end));
        if (w->rest.n && w->rest.p[w->rest.n - 1] == '\r')
            w->rest.n--;
        if (!w->line(w->arg, buf_view(&w->rest)))
            return false;
        buf_clear(&w->rest);
    }
    buf_str(&w->rest, bytes);
    return !w->rest.full;
}

static void headers_set(const struct request *r, struct http_call *call, const struct str *headers, size_t count, struct arena *a)
{
    struct str *all = arena_array(a, struct str, count + 1);
    if (count)
        memcpy(all, headers, count * sizeof *all);
    if (!str_absent(r->tenant))
        all[count++] = r->tenant;
    call->headers = all;
    call->header_count = count;
}

enum status request_follow(struct request *r, struct str path, const struct str *headers, size_t count, struct arena *a,
                           bool (*line)(void *arg, struct str line), void *arg, bool *began, struct why *why)
{
    struct waiting w = {.request = r, .arena = a, .call = {.method = "GET", .arrived = lines_arrived}, .line = line, .arg = arg};
    buf_init(&w.rest, LINE_BYTES_MAX);
    headers_set(r, &w.call, headers, count, a);
    wait(&w, path);
    *began = w.began;
    bool full = w.rest.full;
    buf_free(&w.rest);
    if (full)
        return why_set(why, E_TOO_LARGE, NULL, "a line has more than %d bytes", LINE_BYTES_MAX);
    if (w.call.status != OK && w.call.status != E_CANCELLED && !w.began)
        return why_set(why, E_IO, NULL, "%.*s does not answer: %s", STR_ARG(r->base), w.why.text);
    if (w.call.status == OK && w.http_status != 200)
        return why_set(why, E_BAD_DATA, NULL, "answer %d: %.*s", w.http_status, STR_ARG(detail(a, w.body)));
    return OK;
}

static enum status send_with(struct request *r, struct http_call *call, struct str path, const struct str *headers,
                             size_t count, struct arena *a, struct str *body, struct why *why)
{
    headers_set(r, call, headers, count, a);
    return send(r, call, path, a, body, why);
}

enum status request_get_with(struct request *r, struct str path, const struct str *headers, size_t count, struct arena *a,
                             struct str *body, struct why *why)
{
    struct http_call call = {.method = "GET"};
    return send_with(r, &call, path, headers, count, a, body, why);
}

enum status request_get(struct request *r, struct str path, struct arena *a, struct str *body, struct why *why)
{
    return request_get_with(r, path, NULL, 0, a, body, why);
}

enum status request_post(struct request *r, struct str path, const struct str *headers, size_t count, struct str content,
                         struct arena *a, struct str *body, struct why *why)
{
    struct http_call call = {.method = "POST", .body = content};
    return send_with(r, &call, path, headers, count, a, body, why);
}

void request_encode(struct buf *b, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~:", c);
        if (plain)
            buf_char(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

struct str request_link(struct arena *a, const char *url)
{
    return arena_printf(a, "Link: <%s>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"", url);
}
