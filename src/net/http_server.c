/* Life of a server, and libmicrohttpd driven from the loop.
 *
 * libmicrohttpd polls an epoll set of its own (external mode, no thread); the loop watches that set
 * and runs it when it has events, when it asked for a time, and when an answer was given outside
 * of it. Everything happens on the loop's thread, so no inter-thread channel is made.
 *
 * Memory of a connection: libmicrohttpd zeroes a connection's whole pool between two requests, so
 * the pool is resident after the first one, and its size is kept as small as the limits allow. */
#include "net/http_server_int.h"

#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    CONNECTIONS_SPARE = 256, /* beyond the maximum, to tell clients so */
    POOL_BYTES_MIN = 14 << 10, /* jemalloc gives larger ones a page more than they need */
    POOL_EXTRA = 4 << 10,      /* parsed headers and the head of the answer */
    RUNS_MAX = 8,         /* in a row, before other descriptors get their turn */
    IDLE_RUNS_MAX = 3,    /* queueing an answer takes one run, sending it another */
    PARKED_RETRY_US = 1000,
};

/* ---- driving ---- */

static void run_by(struct http_server *s, int64_t due_us)
{
    if (!s->run_timer.heap_index || due_us < s->run_timer.due_us)
        loop_timer_set(s->loop, &s->run_timer, due_us);
}

/* libmicrohttpd says that it wants to run on at once. That is to be believed unless it only speaks
 * of parked requests; and when it got on with nothing for some runs, the rest waits for sockets. */
static bool runs_on(struct http_server *s, bool moved, int *idle_runs)
{
    if (!s->parked)
        return true;
    *idle_runs = moved ? 0 : *idle_runs + 1;
    if (s->active && *idle_runs < IDLE_RUNS_MAX)
        return true;
    run_by(s, s->now_us + (s->active ? PARKED_RETRY_US : PARKED_SPAN_US));
    return false;
}

static void run(struct http_server *s)
{
    int idle_runs = 0;
    s->now_us = time_monotonic();
    for (int i = 0; i < RUNS_MAX; i++) {
        unsigned long long ms;
        size_t moves = s->moves;
        MHD_run(s->daemon);
        if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
            return;
        if (ms > 0) {
            run_by(s, s->now_us + (int64_t)ms * 1000);
            return;
        }
        if (!runs_on(s, s->moves != moves, &idle_runs))
            return;
    }
    http_server_kick(s);
}

static void run_event(struct loop_fd *f, uint32_t events)
{
    (void)events;
    run(container_of(f, struct http_server, epoll));
}

static void run_due(struct loop_timer *t)
{
    run(container_of(t, struct http_server, run_timer));
}

void http_server_kick(struct http_server *s)
{
    if (!s->stopped && !(s->run_timer.heap_index && s->run_timer.due_us == 0))
        loop_timer_set(s->loop, &s->run_timer, 0);
}

/* ---- start ---- */

/* As many descriptors as we may have: each connection is one. */
static void raise_descriptor_limit(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
}

static enum status listen_failed(const struct http_server *s, struct why *why)
{
    return why_set(why, E_IO, NULL, "cannot listen on %.*s: %s", STR_ARG(s->options.address),
                   strerror(errno));
}

static int listening_socket(const struct address *a, bool shared)
{
    int one = 1;
    int fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* accepted sockets inherit TCP_NODELAY */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0) &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
        bind(fd, (const struct sockaddr *)&a->storage, a->length) == 0)
        return fd;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return -1;
}

/* SO_REUSEPORT would let a second program of the same user share the port by mistake; a socket
 * without it cannot be bound where any other listens. */
static enum status listen_on(struct http_server *s, struct why *why)
{
    struct address a;
    enum status st = address_parse(&a, s->options.address, why);
    if (st != OK)
        return st;
    if (!s->options.address_shared) {
        int probe = listening_socket(&a, false);
        if (probe < 0)
            return listen_failed(s, why);
        close(probe);
    }
    s->listen_fd = listening_socket(&a, true);
    if (s->listen_fd < 0 || listen(s->listen_fd, BACKLOG) != 0)
        return listen_failed(s, why);
    a.length = sizeof a.storage;
    getsockname(s->listen_fd, (struct sockaddr *)&a.storage, &a.length);
    s->address_length = address_format((struct sockaddr *)&a.storage, s->address);
    return OK;
}

static size_t pool_bytes(const struct http_server_options *o)
{
    size_t head = o->uri_bytes_max > o->header_bytes_max ? o->uri_bytes_max : o->header_bytes_max;
    return head + POOL_EXTRA > POOL_BYTES_MIN ? head + POOL_EXTRA : POOL_BYTES_MIN;
}

/* Percent-encoding stays as it is. */
static size_t keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
    (void)arg;
    (void)mhd;
    return strlen(text);
}

static enum status daemon_start(struct http_server *s, struct why *why)
{
    const struct http_server_options *o = &s->options;
    unsigned flags = MHD_USE_EPOLL | (MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC);
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, http_request_continue, s,          //
                                 MHD_OPTION_LISTEN_SOCKET, s->listen_fd,                  //
                                 MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, s, //
                                 MHD_OPTION_URI_LOG_CALLBACK, http_request_start, s,      //
                                 MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, s,  //
                                 MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,        //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool_bytes(o),       //
                                 MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)(o->connections_max + CONNECTIONS_SPARE),         //
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->idle_timeout_s, //
                                 MHD_OPTION_END);
    if (!s->daemon)
        return why_set(why, E_IO, NULL, "cannot start serving %.*s", STR_ARG(o->address));
    s->epoll.fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    s->epoll.ready = run_event;
    enum status st = loop_fd_add(s->loop, &s->epoll, EPOLLIN);
    if (st != OK) {
        s->epoll.ready = NULL;
        return why_set(why, st, NULL, "cannot watch %.*s", STR_ARG(o->address));
    }
    http_server_kick(s); /* its first run registers the listening socket */
    return OK;
}

enum status http_server_start(struct http_server **out, struct loop *loop,
                              const struct http_server_options *options, struct why *why)
{
    assert(options->handle && options->refuse);
    struct http_server *s = mem_zalloc(sizeof *s);
    s->options = *options;
    s->loop = loop;
    s->listen_fd = -1;
    s->now_us = time_monotonic();
    s->run_timer.fire = run_due;
    s->deadline_timer.fire = http_connection_deadlines;
    link_init(&s->fresh);
    for (int i = 0; i < PHASES; i++)
        link_init(&s->phases[i]);
    link_init(&s->requests);
    link_init(&s->streams);
    link_init(&s->lingering);
    s->peers = http_peers_new();
    s->empty = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    raise_descriptor_limit();
    enum status st = listen_on(s, why);
    if (st == OK)
        st = daemon_start(s, why);
    if (st != OK) {
        http_server_stop(s);
        return st;
    }
    s->options.address = http_server_address(s);
    *out = s;
    return OK;
}

struct str http_server_address(const struct http_server *s)
{
    return (struct str){s->address, s->address_length};
}

/* ---- end ---- */

void http_server_drain(struct http_server *s)
{
    if (s->draining)
        return;
    s->draining = true;
    MHD_quiesce_daemon(s->daemon);
    close(s->listen_fd);
    s->listen_fd = -1;
    http_connection_drop_waiting(s);
    http_stream_end_all(s, false);
    http_server_kick(s);
}

bool http_server_idle(const struct http_server *s)
{
    return s->requests_open == 0 && link_alone(&s->lingering);
}

size_t http_server_held(const struct http_server *s)
{
    size_t held = 0;
    for (const struct link *l = s->requests.next; l != &s->requests; l = l->next) {
        const struct request *r = container_of(l, struct request, link);
        held += r->handed && !r->answered;
    }
    return held;
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
static void resume_all(struct http_server *s)
{
    http_stream_end_all(s, true);
    for (struct link *l = s->requests.next; l != &s->requests; l = l->next) {
        struct request *r = container_of(l, struct request, link);
        if (r->suspended)
            MHD_resume_connection(r->mhd);
        r->suspended = false;
    }
}

void http_server_stop(struct http_server *s)
{
    if (!s)
        return;
    resume_all(s);
    if (s->epoll.ready)
        loop_fd_remove(s->loop, &s->epoll);
    if (s->daemon)
        MHD_stop_daemon(s->daemon); /* closes the listening socket */
    else if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->empty)
        MHD_destroy_response(s->empty);
    s->empty = NULL;
    http_connection_lingering_end(s);
    loop_timer_clear(s->loop, &s->run_timer);
    loop_timer_clear(s->loop, &s->deadline_timer);
    while (s->requests_pooled)
        free(s->request_pool[--s->requests_pooled]);
    while (s->arenas_pooled)
        arena_free(s->arena_pool[--s->arenas_pooled]);
    http_peers_free(s->peers);
    s->stopped = true;
    http_server_settle(s);
}

void http_server_settle(struct http_server *s)
{
    if (!s->stopped || s->requests_open)
        return;
    http_body_pool_free(&s->bodies);
    free(s);
}

void http_server_stats(const struct http_server *s, struct http_server_stats *out)
{
    *out = (struct http_server_stats){
        .connections_now = atomic_load_explicit(&s->connections_now, memory_order_relaxed),
        .connections_total = atomic_load_explicit(&s->connections_total, memory_order_relaxed),
        .requests_total = atomic_load_explicit(&s->requests_total, memory_order_relaxed),
        .refused_total = atomic_load_explicit(&s->refused_total, memory_order_relaxed),
        .timeouts_total = atomic_load_explicit(&s->timeouts_total, memory_order_relaxed),
        .bytes_in = atomic_load_explicit(&s->bytes_in, memory_order_relaxed),
        .bytes_out = atomic_load_explicit(&s->bytes_out, memory_order_relaxed),
    };
}
