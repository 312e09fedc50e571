/* libcurl's multi interface driven from the loop: libcurl says which descriptors and which time it
 * waits for, the loop tells it when they come.
 *
 * Names are looked up on libcurl's resolver threads; CURLOPT_QUICK_EXIT keeps a call that ends
 * during a look-up from waiting for that thread. libcurl and its TLS are only started by the first
 * call, so that a server that never calls out does not carry them in memory. */
#include "net/http_client.h"

#include "base/time.h"
#include "net/address.h"
#include "net/http_freshness.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { EASY_POOL_MAX = 64, ANSWER_HEADERS_MAX = 64 << 10 };

struct http_client {
    struct loop *loop;
    struct egress_guard *guard;
    struct str user_agent; /* a zero behind it */
    size_t connections_max, connections_per_host_max;
    CURLM *multi; /* NULL before the first call */
    struct loop_timer timer;
    struct loop_timer failed_timer;
    struct running *running;
    struct running *failed; /* could not start; done soon */
    CURL *pool[EASY_POOL_MAX];
    size_t pooled;
};

struct watched {
    struct loop_fd fd;
    struct http_client *client;
};

/* One call under way. */
struct running {
    struct running *prev, *next;
    struct http_client *client;
    struct http_call *call;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer;
    size_t dropped_bytes; /* of an answer whose bytes are not wanted */
    size_t header_bytes;
    bool stopped; /* by the one to whom the answer is handed on */
    struct http_freshness freshness;
    bool failed;                    /* in the client's list of these */
    char refused[ADDRESS_TEXT_MAX]; /* the address that the guard refused, "" when none */
    char error[CURL_ERROR_SIZE];
};

/* ---- ending a call ---- */

static struct running **list_of(struct running *r)
{
    return r->failed ? &r->client->failed : &r->client->running;
}

static void list_add(struct running *r)
{
    struct running **list = list_of(r);
    r->prev = NULL;
    r->next = *list;
    if (r->next)
        r->next->prev = r;
    *list = r;
}

static void list_remove(struct running *r)
{
    *(r->prev ? &r->prev->next : list_of(r)) = r->next;
    if (r->next)
        r->next->prev = r->prev;
}

static void easy_give(struct http_client *c, CURL *easy)
{
    if (!easy)
        return;
    if (c->pooled == EASY_POOL_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    c->pool[c->pooled++] = easy;
}

static enum status judge(struct running *r, CURLcode code)
{
    struct http_call *call = r->call;
    const char *said = r->error[0] ? r->error : curl_easy_strerror(code);
    if (r->refused[0])
        return why_set(&call->why, E_FORBIDDEN, NULL, "%s is an address that must not be called",
                       r->refused);
    if (r->stopped)
        return why_set(&call->why, E_CANCELLED, NULL, "enough has come");
    if (r->answer.full)
        return why_set(&call->why, E_TOO_LARGE, NULL, "the answer has more than %zu bytes",
                       call->answer_bytes_max);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return why_set(&call->why, E_TIMEOUT, NULL, "no complete answer within %u ms",
                       call->timeout_ms);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return why_set(&call->why, E_BAD_DATA, NULL, "%s", said);
    return why_set(&call->why, E_IO, NULL, "%s", said);
}

static void finish(struct running *r)
{
    struct http_client *c = r->client;
    list_remove(r);
    r->call->impl = NULL;
    r->call->done(r->call);
    curl_slist_free_all(r->headers);
    buf_free(&r->answer);
    easy_give(c, r->easy);
    free(r);
}

static void complete(struct running *r, CURLcode code)
{
    struct http_call *call = r->call;
    long http_status = 0;
    const char *type = NULL;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &http_status);
    curl_off_t retry_after_s = 0; /* of a date: from now on, or past */
    bool cut = r->dropped_bytes > call->answer_bytes_max; /* by us */
    if (code == CURLE_OK || cut) {
        curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
        curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
        call->retry_after_s = retry_after_s < 0 ? 0 : retry_after_s < INT32_MAX ? retry_after_s : INT32_MAX;
        call->http_status = (int)http_status;
        call->content_type = str_of(type);
        call->answer = buf_view(&r->answer);
        call->max_age_s = http_freshness_seconds(&r->freshness, time_now() / 1000000);
        call->status = OK;
    } else {
        call->status = judge(r, code);
    }
    curl_multi_remove_handle(r->client->multi, r->easy);
    finish(r);
}

static void take_completed(struct http_client *c)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        struct running *r;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result; /* m is gone once its handle is removed */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
        complete(r, code);
    }
}

static void fail_due(struct loop_timer *t)
{
    struct http_client *c = container_of(t, struct http_client, failed_timer);
    if (c->failed)
        finish(c->failed);
    if (c->failed) /* also those that done has just started: not for ever in one round */
        loop_timer_set(c->loop, t, 0);
}

/* ---- what libcurl asks of the loop ---- */

static void socket_ready(struct loop_fd *f, uint32_t events)
{
    struct watched *w = container_of(f, struct watched, fd);
    struct http_client *c = w->client;
    int what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(c->multi, f->fd, what, &running);
    take_completed(c);
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *client, void *watched)
{
    (void)easy;
    struct http_client *c = client;
    struct watched *w = watched;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            loop_fd_remove(c->loop, &w->fd);
        free(w);
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                      (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (w) {
        loop_fd_change(c->loop, &w->fd, events);
        return 0;
    }
    w = mem_zalloc(sizeof *w);
    *w = (struct watched){.fd = {fd, socket_ready}, .client = c};
    if (loop_fd_add(c->loop, &w->fd, events) != OK) {
        free(w);
        return -1;
    }
    curl_multi_assign(c->multi, fd, w);
    return 0;
}

static void timer_due(struct loop_timer *t)
{
    struct http_client *c = container_of(t, struct http_client, timer);
    int running;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_completed(c);
}

static int timer_wanted(CURLM *multi, long ms, void *client)
{
    (void)multi;
    struct http_client *c = client;
    if (ms < 0)
        loop_timer_clear(c->loop, &c->timer);
    else
        loop_timer_set(c->loop, &c->timer, ms ? time_monotonic() + ms * 1000 : 0);
    return 0;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_begin(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void multi_begin(struct http_client *c)
{
    if (c->multi)
        return;
    pthread_once(&curl_once, curl_begin);
    c->multi = curl_multi_init();
    if (!c->multi)
        return;
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->connections_max);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->connections_max);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)c->connections_per_host_max);
}

/* ---- what libcurl asks about a call ---- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct running *r = arg;
    (void)purpose;
    if (!egress_guard_allows(r->client->guard, &a->addr)) {
        address_format(&a->addr, r->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t answer_bytes(char *p, size_t one, size_t n, void *arg)
{
    struct running *r = arg;
    long http_status = 0;
    if (r->call->arrived && curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &http_status) == CURLE_OK && http_status / 100 == 2) {
        r->stopped = !r->call->arrived(r->call, (struct str){p, one * n});
        return r->stopped ? 0 : one * n;
    }
    if (r->call->answer_dropped) {
        r->dropped_bytes += one * n;
        return r->dropped_bytes > r->call->answer_bytes_max ? 0 : one * n;
    }
    buf_put(&r->answer, p, one * n);
    return r->answer.full ? 0 : one * n;
}

static size_t answer_header(char *p, size_t one, size_t n, void *arg)
{
    struct running *r = arg;
    struct str line = {p, one * n};
    if (str_starts(line, STR("HTTP/"))) /* also after an interim answer */
        http_freshness_init(&r->freshness);
    http_freshness_header(&r->freshness, line);
    r->header_bytes += one * n;
    if (r->header_bytes > ANSWER_HEADERS_MAX)
        r->answer.full = true;
    return r->answer.full ? 0 : one * n;
}

/* ---- starting a call ---- */

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool header_add(struct running *r, const char *z)
{
    struct curl_slist *longer = curl_slist_append(r->headers, z);
    if (longer)
        r->headers = longer;
    return longer != NULL;
}

/* libcurl would invent a Content-Type for a body without one, and wait for 100 Continue. */
static enum status headers_set(struct running *r)
{
    struct http_call *call = r->call;
    bool typed = false, kept = header_add(r, "Expect:");
    for (size_t i = 0; i < call->header_count && kept; i++) {
        struct str h = call->headers[i];
        struct str name = str_head(h, str_find_char(h, ':'));
        if (has_control(h) || name.n == h.n)
            return why_set(&call->why, E_BAD_DATA, NULL, "'%.*s' is no header", STR_ARG(name));
        typed |= str_eq_fold(name, STR("Content-Type"));
        struct str z = mem_dup(h);
        kept = header_add(r, z.p);
        free((void *)z.p);
    }
    if (!typed)
        kept = kept && header_add(r, "Content-Type:");
    if (!kept)
        return why_set(&call->why, E_INTERNAL, NULL, "no memory for headers");
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
    return OK;
}

static void method_set(CURL *easy, const struct http_call *call)
{
    if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    bool sends = call->body.n > 0 || strcmp(call->method, "POST") == 0 ||
                 strcmp(call->method, "PUT") == 0 || strcmp(call->method, "PATCH") == 0;
    if (sends) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.n ? call->body.p : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void bounds_set(struct running *r)
{
    CURL *easy = r->easy;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    if (r->call->arrived) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(r->call->timeout_ms + 999) / 1000);
    } else {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->call->timeout_ms);
    }
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)r->call->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, r->client->user_agent.p);
}

static enum status prepare(struct running *r)
{
    struct http_call *call = r->call;
    struct http_client *c = r->client;
    multi_begin(c);
    r->easy = c->pooled ? c->pool[--c->pooled] : curl_easy_init();
    if (!c->multi || !r->easy)
        return why_set(&call->why, E_INTERNAL, NULL, "libcurl cannot start");
    if (has_control(call->url))
        return why_set(&call->why, E_BAD_DATA, NULL, "the URL has a control character");
    struct str url = mem_dup(call->url);
    curl_easy_setopt(r->easy, CURLOPT_URL, url.p);
    free((void *)url.p);
    method_set(r->easy, call);
    bounds_set(r);
    enum status st = headers_set(r);
    if (st != OK)
        return st;
    if (curl_multi_add_handle(c->multi, r->easy) != CURLM_OK)
        return why_set(&call->why, E_INTERNAL, NULL, "libcurl does not take the call");
    return OK;
}

void http_call_start(struct http_client *c, struct http_call *call)
{
    assert(call->done && call->timeout_ms > 0 && call->answer_bytes_max > 0);
    struct running *r = mem_zalloc(sizeof *r);
    r->client = c;
    r->call = call;
    buf_init(&r->answer, call->answer_bytes_max);
    call->impl = r;
    call->http_status = 0;
    call->content_type = call->answer = STR_NONE;
    call->max_age_s = -1;
    why_clear(&call->why);
    call->status = prepare(r);
    r->failed = call->status != OK;
    list_add(r);
    if (r->failed)
        loop_timer_set(c->loop, &c->failed_timer, 0);
}

static void cancel(struct running *r)
{
    r->call->status = E_CANCELLED;
    if (!r->failed)
        curl_multi_remove_handle(r->client->multi, r->easy);
    finish(r);
}

void http_call_cancel(struct http_client *c, struct http_call *call)
{
    struct running *r = call->impl;
    assert(!r || r->client == c);
    (void)c;
    if (r)
        cancel(r);
}

/* ---- life ---- */

enum status http_client_new(struct http_client **out, struct loop *loop,
                            const struct http_client_options *o, struct why *why)
{
    struct http_client *c = mem_zalloc(sizeof *c);
    c->loop = loop;
    c->timer.fire = timer_due;
    c->failed_timer.fire = fail_due;
    c->connections_max = o->connections_max;
    c->connections_per_host_max = o->connections_per_host_max;
    c->user_agent = mem_dup(o->user_agent);
    enum status st =
        egress_guard_new(&c->guard, o->refuse, o->refuse_count, o->allow, o->allow_count, why);
    if (st != OK) {
        http_client_free(c);
        return st;
    }
    *out = c;
    return OK;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    while (c->running)
        cancel(c->running);
    while (c->failed)
        cancel(c->failed);
    while (c->pooled)
        curl_easy_cleanup(c->pool[--c->pooled]);
    if (c->multi)
        curl_multi_cleanup(c->multi);
    loop_timer_clear(c->loop, &c->timer);
    loop_timer_clear(c->loop, &c->failed_timer);
    egress_guard_free(c->guard);
    free((void *)c->user_agent.p);
    free(c);
}
