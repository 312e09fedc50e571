/* A request: its head is checked against the limits before a byte of its body is read, its body
 * is collected, then it is handed over once. What breaks a limit goes to `refuse` instead.
 *
 * A request with a body that is refused by its head is answered at once and its connection closed.
 * A chunked body shows only while it arrives that it is too large: libmicrohttpd then cannot
 * answer before its end, so the rest is read and forgotten, up to once more the limit; a client
 * that goes on is dropped.
 *
 * Framing that two readers could read differently (RFC 9112 sections 3.2, 5.1, 6.3: not one Host,
 * a space before a colon, Content-Length twice or beside Transfer-Encoding, codings other than
 * chunked) is answered with a bare 400. */
#include "net/http_server_int.h"

#include "base/time.h"

#include <assert.h>
#include <poll.h>
#include <poll.h>
#include <stdlib.h>

enum {
    DISCARD_EXTRA = 64 << 10,
};

/* ---- life ---- */

static struct arena *arena_take(struct http_server *s)
{
    if (s->arenas_pooled)
        return s->arena_pool[--s->arenas_pooled];
    return arena_new(s->options.arena_bytes_max);
}

static void arena_give(struct http_server *s, struct arena *a)
{
    if (s->arenas_pooled == POOL_MAX || s->stopped) {
        arena_free(a);
        return;
    }
    arena_reset(a);
    s->arena_pool[s->arenas_pooled++] = a;
}

static struct request *request_take(struct http_server *s)
{
    struct request *r =
        s->requests_pooled ? s->request_pool[--s->requests_pooled] : mem_alloc(sizeof *r);
    memset(r, 0, offsetof(struct request, why));
    why_clear(&r->why);
    return r;
}

void *http_request_start(void *server, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *s = server;
    struct request *r = request_take(s);
    r->server = s;
    r->mhd = mhd;
    r->connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    r->pub.arena = arena_take(s);
    r->uri = arena_dup(r->pub.arena, str_of(uri));
    link_init(&r->link);
    link_append(&s->requests, &r->link);
    s->requests_open++;
    http_request_activate(r, true);
    http_connection_enter(r->connection, PHASE_RECEIVING);
    return r;
}

void http_request_activate(struct request *r, bool active)
{
    struct http_server *s = r->server;
    s->moves++;
    if (r->active == active)
        return;
    r->active = active;
    s->active += active ? 1 : (size_t)-1;
}

void http_request_release(struct request *r)
{
    if (r->pub.arena)
        arena_give(r->server, r->pub.arena);
    http_body_release(&r->body, &r->server->bodies);
    r->pub.arena = NULL;
}

void http_request_settle(struct request *r)
{
    if (r->mhd || (r->handed && !r->answered))
        return;
    struct http_server *s = r->server;
    http_request_release(r);
    link_remove(&r->link);
    s->requests_open--;
    if (s->requests_pooled == POOL_MAX || s->stopped)
        free(r);
    else
        s->request_pool[s->requests_pooled++] = r;
    if (s->stopped)
        http_server_settle(s);
}

void http_request_completed(void *server, struct MHD_Connection *mhd, void **context,
                            enum MHD_RequestTerminationCode why)
{
    (void)mhd;
    struct http_server *s = server;
    struct request *r = *context;
    if (!r)
        return;
    *context = NULL;
    if (why == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
        stat_add(&s->timeouts_total, 1);
    if (r->connection->linger)
        http_connection_linger(r->connection);
    else
        http_connection_enter(r->connection, PHASE_WAITING);
    if (r->parked)
        s->parked--;
    if (r->answer)
        http_response_release(s, r->answer);
    http_request_activate(r, false);
    r->mhd = NULL;
    r->connection = NULL; /* may be closed and freed before the handler answers */
    r->suspended = r->parked = false;
    http_request_settle(r);
}

/* ---- head ---- */

static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {
        {{"GET", 3}, HTTP_GET},         {{"HEAD", 4}, HTTP_HEAD},   {{"POST", 4}, HTTP_POST},
        {{"PUT", 3}, HTTP_PUT},         {{"PATCH", 5}, HTTP_PATCH}, {{"DELETE", 6}, HTTP_DELETE},
        {{"OPTIONS", 7}, HTTP_OPTIONS},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_eq(methods[i].name, name))
            return methods[i].method;
    return HTTP_METHOD_OTHER;
}

/* Values are copied: should the client leave while its request waits, libmicrohttpd's memory goes
 * and the handler still looks at them. */
static struct str header_lookup(const struct request *r, const char *name)
{
    const char *value;
    size_t n;
    if (!r->mhd || MHD_lookup_connection_value_n(r->mhd, MHD_HEADER_KIND, name, strlen(name),
                                                 &value, &n) != MHD_YES)
        return STR_NONE;
    return arena_dup(r->pub.arena, str_trim((struct str){value, n}));
}

struct header_search {
    struct str name;
    size_t skip; /* hits to pass over */
    size_t count;
    struct str found;
};

static enum MHD_Result header_visit(void *arg, enum MHD_ValueKind kind, const char *name,
                                    size_t name_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    struct header_search *h = arg;
    if (!str_eq_fold((struct str){name, name_bytes}, h->name))
        return MHD_YES;
    if (h->count++ == h->skip)
        h->found = str_trim((struct str){value, value_bytes});
    return MHD_YES;
}

static struct header_search header_search(const struct request *r, const char *name, size_t skip)
{
    struct header_search h = {.name = str_of(name), .skip = skip, .found = STR_NONE};
    if (r->mhd)
        MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, header_visit, &h);
    return h;
}

/* What the headers say about the message itself. */
struct framing {
    bool sound;
    bool chunked;
    uint64_t length; /* of a body that is not chunked */
    unsigned hosts, lengths, codings;
};

static enum MHD_Result framing_visit(void *arg, enum MHD_ValueKind kind, const char *name,
                                     size_t name_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    struct framing *f = arg;
    struct str n = {name, name_bytes}, v = str_trim((struct str){value, value_bytes});
    if (n.n == 0 || n.p[n.n - 1] == ' ' || n.p[n.n - 1] == '\t')
        f->sound = false;
    if (n.n == 4 && str_eq_fold(n, STR("Host"))) {
        f->hosts++;
    } else if (n.n == 14 && str_eq_fold(n, STR("Content-Length"))) {
        unsigned long long length = 0;
        f->sound &= f->lengths++ == 0 && str_to_u64(v, UINT64_MAX, &length);
        f->length = length;
    } else if (n.n == 17 && str_eq_fold(n, STR("Transfer-Encoding"))) {
        f->sound &= f->codings++ == 0 && str_eq_fold(v, STR("chunked"));
        f->chunked = true;
    }
    return MHD_YES;
}

static struct framing framing_of(const struct request *r, const char *version)
{
    bool old = strcmp(version, "HTTP/1.0") == 0;
    struct framing f = {.sound = str_find_char(r->uri, ' ') == STR_NPOS};
    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, framing_visit, &f);
    if ((f.codings && (f.lengths || old)) || f.hosts > 1 || (f.hosts == 0 && !old))
        f.sound = false;
    return f;
}

/* Leaves the reason in r->why when the request must not be taken. */
static void head_check(struct request *r, size_t head_bytes, const struct framing *f)
{
    const struct http_server_options *o = &r->server->options;
    if (r->connection->refused == E_BUSY)
        why_limit(&r->why, E_BUSY, NULL, "limits.connections",
                  "the server has its maximum of %u connections", o->connections_max);
    else if (r->connection->refused == E_TOO_MANY_REQUESTS)
        why_limit(&r->why, E_TOO_MANY_REQUESTS, NULL, "limits.connections_per_peer",
                  "a client may have %u connections", o->connections_per_peer_max);
    else if (r->uri.n > o->uri_bytes_max)
        why_limit(&r->why, E_URI_TOO_LONG, NULL, "limits.uri_bytes",
                  "the URI has %zu bytes, the limit is %zu", r->uri.n, o->uri_bytes_max);
    else if (head_bytes > o->header_bytes_max)
        why_limit(&r->why, E_HEADERS_TOO_LARGE, NULL, "limits.header_bytes",
                  "request line and headers have %zu bytes, the limit is %zu", head_bytes,
                  o->header_bytes_max);
    else if (!f->chunked && f->length > o->body_bytes_max)
        why_limit(&r->why, E_TOO_LARGE, NULL, "limits.body_bytes",
                  "the body has %llu bytes, the limit is %zu", (unsigned long long)f->length,
                  o->body_bytes_max);
}

static enum MHD_Result answer_malformed(struct request *r)
{
    static char text[] = "400 Bad Request: malformed HTTP\n";
    r->handed = r->answered = true;
    struct MHD_Response *m =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (!m)
        return MHD_NO;
    MHD_add_response_header(m, "Content-Type", "text/plain");
    MHD_add_response_header(m, "Connection", "close");
    r->connection->linger = true;
    stat_add(&r->server->refused_total, 1);
    http_response_queue(r, MHD_HTTP_BAD_REQUEST, m);
    return MHD_YES;
}

static void suspend(struct request *r)
{
    MHD_suspend_connection(r->mhd);
    r->suspended = true;
    http_request_activate(r, false);
}

/* Only a complete request can be parked: libmicrohttpd would read the body of another. */
static void wait_for_answer(struct request *r, bool complete)
{
    struct http_server *s = r->server;
    if (!complete || s->parked == PARKED_MAX) {
        suspend(r);
        return;
    }
    s->parked++;
    r->parked = true;
    r->parked_us = s->now_us;
    http_request_activate(r, false);
}

/* libmicrohttpd asks again. */
static void parked_asked(struct request *r)
{
    struct http_server *s = r->server;
    if (!r->answer && s->now_us - r->parked_us < PARKED_SPAN_US)
        return;
    s->parked--;
    r->parked = false;
    if (!r->answer) {
        suspend(r);
        return;
    }
    struct MHD_Response *answer = r->answer;
    r->answer = NULL;
    http_response_queue(r, r->answer_status, answer);
}

static void hand_over(struct request *r, bool complete)
{
    struct http_server *s = r->server;
    http_connection_enter(r->connection, PHASE_ANSWERING);
    r->pub.body = (struct str){r->body.p, r->body.n};
    r->handed = true;
    if (r->why.status != OK) {
        stat_add(&s->refused_total, 1);
        s->options.refuse(s->options.arg, &r->pub, &r->why);
    } else {
        s->options.handle(s->options.arg, &r->pub);
    }
    if (!r->answered)
        wait_for_answer(r, complete);
}

static enum MHD_Result request_head(struct request *r, const char *method, const char *version)
{
    struct http_request *pub = &r->pub;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t head_bytes = info ? info->header_size : 0;
    struct framing f = framing_of(r, version);
    r->head_seen = true;
    pub->start_us = time_monotonic();
    pub->loop = r->server->loop;
    pub->method = method_of(str_of(method));
    pub->method_name = arena_dup(pub->arena, str_of(method));
    pub->peer =
        arena_dup(pub->arena, (struct str){r->connection->address, r->connection->address_length});
    size_t mark = str_find_char(r->uri, '?');
    pub->path = str_head(r->uri, mark);
    pub->query = mark == STR_NPOS ? STR("") : str_from(r->uri, mark + 1);
    stat_add(&r->server->requests_total, 1);
    stat_add(&r->server->bytes_in, head_bytes);
    if (!f.sound)
        return answer_malformed(r);
    head_check(r, head_bytes, &f);
    bool has_body = f.chunked || f.length > 0;
    if (r->why.status != OK && has_body) {
        r->connection->linger = true;
        hand_over(r, false);
    } else {
        http_body_prepare(&r->body, &r->server->bodies, pub->arena, f.length);
    }
    return MHD_YES;
}

/* ---- body ---- */

static enum MHD_Result request_body(struct request *r, const char *p, size_t n)
{
    struct http_server *s = r->server;
    size_t max = s->options.body_bytes_max;
    stat_add(&s->bytes_in, n);
    s->moves++;
    if (r->why.status == OK && n <= max - r->body.n) {
        http_body_add(&r->body, &s->bodies, p, n);
        return MHD_YES;
    }
    if (r->why.status == OK) {
        why_limit(&r->why, E_TOO_LARGE, NULL, "limits.body_bytes",
                  "the body has more than the limit of %zu bytes", max);
        r->connection->linger = true;
        http_body_release(&r->body, &s->bodies);
    }
    r->forgotten += n;
    return r->forgotten > max + DISCARD_EXTRA ? MHD_NO : MHD_YES;
}

enum MHD_Result http_request_continue(void *server, struct MHD_Connection *mhd, const char *url,
                                      const char *method, const char *version, const char *upload,
                                      size_t *upload_bytes, void **context)
{
    (void)server;
    (void)mhd;
    (void)url;
    struct request *r = *context;
    if (!r->head_seen)
        return request_head(r, method, version);
    if (*upload_bytes) {
        enum MHD_Result go_on = request_body(r, upload, *upload_bytes);
        *upload_bytes = 0;
        return go_on;
    }
    if (r->parked) {
        parked_asked(r);
    } else if (!r->handed) {
        hand_over(r, true);
    }
    return MHD_YES;
}

/* ---- what the handler asks for ---- */

static const struct request *request_of(const struct http_request *r)
{
    return (const struct request *)(const void *)((const char *)r - offsetof(struct request, pub));
}

struct str http_request_header(const struct http_request *r, const char *name)
{
    return header_lookup(request_of(r), name);
}

size_t http_request_header_count(const struct http_request *r, const char *name)
{
    return header_search(request_of(r), name, 0).count;
}

struct str http_request_header_at(const struct http_request *r, const char *name, size_t n)
{
    struct str found = header_search(request_of(r), name, n).found;
    return str_absent(found) ? found : arena_dup(r->arena, found);
}

bool http_request_abandoned(const struct http_request *http)
{
    const struct request *r = request_of(http);
    struct pollfd p = {.events = POLLRDHUP};
    if (!r->mhd)
        return true;
    p.fd = r->connection->fd;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
