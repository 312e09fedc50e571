/* See http_fixture.h. */
#include "http_fixture.h"

#include "base/time.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

enum { HELD_MAX = 1024, STREAMS_MAX = 64, PATIENCE_S = 30 };

static struct fixture *the_fixture;
static struct loop_hooks hooks;
static pthread_t the_thread;
static struct http_request *held[HELD_MAX];
static struct http_stream streams[STREAMS_MAX];
static int streams_used;

static void count_round(void *arg)
{
    atomic_fetch_add(&((struct fixture *)arg)->rounds, 1);
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

struct call {
    struct task task;
    void (*call)(struct fixture *f);
    atomic_int done;
};

static void call_run(struct task *t)
{
    struct call *c = container_of(t, struct call, task);
    c->call(the_fixture);
    atomic_store(&c->done, 1);
}

bool fixture_wait(atomic_int *counter, int value)
{
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        if (atomic_load(counter) == value)
            return true;
        usleep(1000);
    }
    return false;
}

void fixture_call(struct fixture *f, void (*call)(struct fixture *f))
{
    struct call c = {.task.run = call_run, .call = call};
    runner_post(loop_runner(f->loop), &c.task);
    assert_true(fixture_wait(&c.done, 1));
}

/* ---- handler ---- */

static void echo(struct http_request *r)
{
    struct http_response a = {.status = 200, .body = r->body};
    http_response_header(&a, "Content-Type", STR("text/plain"));
    http_respond(r, &a);
}

struct later {
    struct task task;
    struct http_request *request;
};

static void later_run(struct task *t)
{
    echo(container_of(t, struct later, task)->request);
}

static void *later_post(void *arg)
{
    struct later *l = arg;
    struct runner *runner = loop_runner(l->request->loop);
    usleep(2000);
    runner_post(runner, &l->task);
    return NULL;
}

static void defer(struct http_request *r)
{
    struct later *l = arena_alloc(r->arena, sizeof *l);
    *l = (struct later){.task.run = later_run, .request = r};
    pthread_t t;
    pthread_create(&t, NULL, later_post, l);
    pthread_detach(t);
}

static void headers(struct http_request *r)
{
    struct str one = http_request_header(r, "x-one");
    struct str last = http_request_header_at(r, "X-MANY", 2);
    struct http_response a = {.status = 200};
    a.body = arena_printf(r->arena, "%.*s|%zu|%.*s|%d|%.*s|%.*s|%.*s", STR_ARG(one),
                          http_request_header_count(r, "X-Many"), STR_ARG(last),
                          str_absent(http_request_header(r, "X-None")), STR_ARG(r->method_name),
                          STR_ARG(r->path), STR_ARG(r->query));
    http_respond(r, &a);
}

static void stream_closed(struct http_stream *s)
{
    (void)s;
    atomic_fetch_add(&the_fixture->streams_closed, 1);
}

static void stream(struct http_request *r)
{
    struct http_response head = {.status = 200};
    http_response_header(&head, "Content-Type", STR("text/event-stream"));
    struct http_stream *s = &streams[streams_used++ % STREAMS_MAX];
    *s = (struct http_stream){.closed = stream_closed};
    http_stream_start(r, &head, s);
    atomic_fetch_add(&the_fixture->streams_open, 1);
}

/* "/busy?Retry-After", with underscores for spaces */
static void busy(struct http_request *r)
{
    struct http_response a = {.status = 503};
    struct str pause = arena_dup(r->arena, r->query);
    for (size_t i = 0; i < pause.n; i++)
        if (pause.p[i] == '_')
            ((char *)(uintptr_t)pause.p)[i] = ' ';
    if (pause.n)
        http_response_header(&a, "Retry-After", pause);
    http_respond(r, &a);
}

static void bytes(struct http_request *r)
{
    size_t n = (size_t)atol(str_from(r->path, 7).p);
    char *block = malloc(n + 16);
    memset(block, 'z', n + 16);
    struct http_response a = {.status = 200, .body = {block + 8, n}, .body_owned = block};
    http_respond(r, &a);
}

static void handle(void *arg, struct http_request *r)
{
    (void)arg;
    if (str_eq(r->path, STR("/echo"))) {
        echo(r);
    } else if (str_eq(r->path, STR("/defer"))) {
        defer(r);
    } else if (str_eq(r->path, STR("/hold"))) {
        held[atomic_load(&the_fixture->held)] = r;
        atomic_fetch_add(&the_fixture->held, 1);
    } else if (str_eq(r->path, STR("/stream"))) {
        stream(r);
    } else if (str_starts(r->path, STR("/bytes/"))) {
        bytes(r);
    } else if (str_eq(r->path, STR("/to"))) {
        struct http_response a = {.status = 302, .body = STR("moved")};
        http_response_header(&a, "Location", r->query);
        http_respond(r, &a);
    } else if (str_eq(r->path, STR("/busy"))) {
        busy(r);
    } else if (str_eq(r->path, STR("/cache"))) {
        struct http_response a = {.status = 200};
        http_response_header(&a, "Cache-Control", r->query);
        http_respond(r, &a);
    } else {
        headers(r);
    }
}

static int code_of(enum status status)
{
    switch (status) {
    case E_TOO_LARGE:
        return 413;
    case E_URI_TOO_LONG:
        return 414;
    case E_HEADERS_TOO_LARGE:
        return 431;
    case E_TOO_MANY_REQUESTS:
        return 429;
    case E_BUSY:
        return 503;
    default:
        return 500;
    }
}

static void refuse(void *arg, struct http_request *r, const struct why *why)
{
    (void)arg;
    struct http_response a = {.status = code_of(why->status), .body = str_of(why->limit)};
    http_respond(r, &a);
}

struct http_server_options fixture_options(void)
{
    return (struct http_server_options){
        .address = STR("127.0.0.1:0"),
        .connections_max = 500,
        .idle_timeout_s = 30,
        .request_timeout_s = 30,
        .uri_bytes_max = 2000,
        .header_bytes_max = 4000,
        .body_bytes_max = 8 << 20,
        .arena_bytes_max = 1 << 20,
        .stream_pending_bytes_max = 64 << 10,
        .handle = handle,
        .refuse = refuse,
    };
}

void fixture_start(struct fixture *f, struct http_server_options o)
{
    *f = (struct fixture){0};
    the_fixture = f;
    streams_used = 0;
    struct why why;
    why_clear(&why);
    hooks = (struct loop_hooks){.arg = f, .before_wait = count_round};
    assert_int_equal(loop_new(&f->loop, &hooks), OK);
    assert_int_equal(http_server_start(&f->server, f->loop, &o, &why), OK);
    struct str address = http_server_address(f->server);
    snprintf(f->address, sizeof f->address, "%.*s", STR_ARG(address));
    f->port = (int)strtol(strrchr(f->address, ':') + 1, NULL, 10);
    assert_int_equal(pthread_create(&the_thread, NULL, run_loop, f->loop), 0);
}

void fixture_stop(struct fixture *f)
{
    loop_stop(f->loop);
    pthread_join(the_thread, NULL);
    http_server_stop(f->server);
    loop_free(f->loop);
}

/* Looks at the request as a handler may until it answers. */
static void release(struct fixture *f)
{
    int n = atomic_exchange(&f->held, 0);
    for (int i = 0; i < n; i++) {
        struct str host = http_request_header(held[i], "host");
        bool sound =
            (str_absent(host) || str_eq(host, STR("x")) || str_starts(host, STR("127.0.0.1:"))) &&
            str_eq(held[i]->path, STR("/hold")) && str_starts(held[i]->peer, STR("127.0.0.1:")) &&
            held[i]->method_name.n > 0;
        if (!sound)
            atomic_fetch_add(&f->unsound, 1);
        echo(held[i]);
    }
}

void fixture_answer_held(struct fixture *f)
{
    int n = atomic_exchange(&f->held, 0);
    for (int i = 0; i < n; i++)
        http_respond(held[i], &(struct http_response){.status = 204});
}

void fixture_release(struct fixture *f)
{
    fixture_call(f, release);
    assert_int_equal(f->unsound, 0);
}

static const char *stream_text;
static size_t stream_times;

static void stream_write(struct fixture *f)
{
    for (size_t i = 0; i < stream_times; i++)
        if (!http_stream_write(&streams[0], str_of(stream_text)))
            atomic_store(&f->stream_full, true);
}

void fixture_stream_write(struct fixture *f, const char *text, size_t times)
{
    stream_text = text;
    stream_times = times;
    fixture_call(f, stream_write);
}

static void stream_end(struct fixture *f)
{
    (void)f;
    http_stream_end(&streams[0]);
}

void fixture_stream_end(struct fixture *f)
{
    fixture_call(f, stream_end);
}

int fixture_hold(struct fixture *f)
{
    int fd = raw_connect(f);
    raw_send(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    assert_true(fixture_wait(&f->held, 1));
    return fd;
}

/* ---- the raw client ---- */

char *raw_letters(size_t n)
{
    char *p = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('a' + i % 23);
    p[n] = 0;
    return p;
}

void raw_expect(int fd, char *out, size_t room, const char *line, const char *body)
{
    if (!raw_answer(fd, out, room))
        fail_msg("no answer; expected '%s' and '%s'", line, body);
    if (strncmp(out, line, strlen(line)) != 0)
        fail_msg("expected '%s', got '%s'", line, out);
    assert_string_equal(strstr(out, "\r\n\r\n") + 4, body);
}

int raw_connect(const struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

void raw_send_bytes(int fd, const void *p, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t k = send(fd, (const char *)p + sent, n - sent, MSG_NOSIGNAL);
        if (k <= 0)
            return; /* the test then misses the answer */
        sent += (size_t)k;
    }
}

void raw_send(int fd, const char *text)
{
    raw_send_bytes(fd, text, strlen(text));
}

bool raw_head(int fd, char *out, size_t room)
{
    size_t n = 0;
    while (n + 1 < room) {
        if (recv(fd, out + n, 1, 0) != 1)
            return false;
        out[++n] = 0;
        if (n >= 4 && memcmp(out + n - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

bool raw_answer(int fd, char *out, size_t room)
{
    if (!raw_head(fd, out, room))
        return false;
    const char *length = strcasestr(out, "content-length:");
    size_t left = length ? (size_t)atol(length + 15) : 0;
    for (size_t n = strlen(out); left > 0;) {
        if (n + left >= room)
            return false;
        ssize_t k = recv(fd, out + n, left, 0);
        if (k <= 0)
            return false;
        n += (size_t)k;
        left -= (size_t)k;
        out[n] = 0;
    }
    return true;
}

bool raw_until(int fd, const char *text)
{
    size_t wanted = strlen(text), seen = 0;
    char c;
    while (seen < wanted && recv(fd, &c, 1, 0) == 1)
        seen = c == text[seen] ? seen + 1 : c == text[0];
    return seen == wanted;
}

bool raw_closed(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) == 0;
}
