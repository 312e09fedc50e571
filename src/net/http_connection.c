/* Connections: counted in, watched for slowness, and closed so that the last answer arrives.
 *
 * Silence while an answer is being sent is libmicrohttpd's business (its idle time-out); what it
 * cannot see is a client that keeps sending a little: those are caught by the deadlines here. Nor
 * does it see an end that comes together with bytes, as it is not told of it twice: a connection
 * that rests is looked at once. */
#include "net/http_server_int.h"

#include "base/time.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REFUSED_SPAN_US = 2000000, /* a refused connection must ask quickly */
    LOOK_SPAN_US = 1000000,    /* at rest */
    LINGER_SPAN_US = 1000000,
    LINGER_BYTES_MAX = 4 << 20,
    LINGERING_MAX = 256,
};

static int64_t phase_span_us(const struct http_server *s, enum phase phase)
{
    if (phase == PHASE_REFUSED)
        return REFUSED_SPAN_US;
    uint32_t span_s =
        phase == PHASE_WAITING ? s->options.idle_timeout_s : s->options.request_timeout_s;
    return (int64_t)span_s * 1000000;
}

static void wake_by(struct http_server *s, int64_t due_us)
{
    if (!s->deadline_timer.heap_index || due_us < s->deadline_timer.due_us)
        loop_timer_set(s->loop, &s->deadline_timer, due_us);
}

void http_connection_enter(struct connection *c, enum phase phase)
{
    struct http_server *s = c->server;
    if (c->refused != OK && phase != PHASE_ANSWERING) {
        if (c->phase == PHASE_REFUSED)
            return;
        phase = PHASE_REFUSED;
    }
    link_remove(&c->link);
    link_append(phase == PHASE_ANSWERING ? &s->phases[phase] : &s->fresh, &c->link);
    c->phase = (uint8_t)phase;
    if (phase == PHASE_ANSWERING)
        return;
    c->since_us = s->now_us;
    wake_by(s, c->since_us + LOOK_SPAN_US);
}

void http_connection_drop(struct connection *c)
{
    shutdown(c->fd, SHUT_RDWR);
}

static void drop_waiting(struct link *list)
{
    for (struct link *l = list->next; l != list; l = l->next) {
        struct connection *c = container_of(l, struct connection, link);
        if (c->phase == PHASE_WAITING)
            http_connection_drop(c);
    }
}

void http_connection_drop_waiting(struct http_server *s)
{
    drop_waiting(&s->fresh);
    drop_waiting(&s->phases[PHASE_WAITING]);
}

/* Nothing is left to read, and nothing comes. */
static bool has_ended(const struct connection *c)
{
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Looks at those that have rested, and hands them on to their phases; in order of since_us, as
 * these are. */
static void look(struct http_server *s, int64_t now)
{
    while (!link_alone(&s->fresh)) {
        struct connection *c = container_of(s->fresh.next, struct connection, link);
        if (c->since_us + LOOK_SPAN_US > now) {
            wake_by(s, c->since_us + LOOK_SPAN_US);
            return;
        }
        enum phase phase = c->phase;
        if (has_ended(c)) {
            http_connection_drop(c);
            phase = PHASE_ANSWERING; /* no deadline: it is being closed */
        }
        link_remove(&c->link);
        link_append(&s->phases[phase], &c->link);
        c->phase = (uint8_t)phase;
    }
}

/* Drops those at the head that are over; returns when the next one is, 0 when none is left. */
static int64_t phase_deadlines(struct http_server *s, enum phase phase, int64_t now)
{
    struct link *list = &s->phases[phase];
    int64_t span = phase_span_us(s, phase);
    while (!link_alone(list)) {
        struct connection *c = container_of(list->next, struct connection, link);
        if (c->since_us + span > now)
            return c->since_us + span;
        http_connection_drop(c);
        http_connection_enter(c, PHASE_ANSWERING); /* no deadline: it is being closed */
        stat_add(&s->timeouts_total, 1);
    }
    return 0;
}

void http_connection_deadlines(struct loop_timer *t)
{
    struct http_server *s = container_of(t, struct http_server, deadline_timer);
    int64_t now = time_monotonic();
    look(s, now);
    for (enum phase p = PHASE_WAITING; p <= PHASE_REFUSED; p++) {
        int64_t due_us = phase_deadlines(s, p, now);
        if (due_us)
            wake_by(s, due_us);
    }
}

static void connection_opened(struct http_server *s, struct MHD_Connection *mhd, void **context)
{
    struct connection *c = mem_zalloc(sizeof *c);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    c->server = s;
    c->address_length = (uint8_t)address_format(info->client_addr, c->address);
    uint32_t of_peer;
    c->peer = http_peers_enter(s->peers, info->client_addr, &of_peer);
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    stat_add(&s->connections_total, 1);
    stat_add(&s->connections_now, 1);
    if (atomic_load_explicit(&s->connections_now, memory_order_relaxed) >
        s->options.connections_max)
        c->refused = E_BUSY;
    else if (s->options.connections_per_peer_max && of_peer > s->options.connections_per_peer_max)
        c->refused = E_TOO_MANY_REQUESTS;
    link_init(&c->link);
    http_connection_enter(c, PHASE_WAITING);
    *context = c;
}

static void connection_closed(struct connection *c)
{
    struct http_server *s = c->server;
    link_remove(&c->link);
    http_peers_leave(s->peers, c->peer);
    stat_add(&s->connections_now, (uint64_t)-1);
    free(c);
}

void http_connection_notify(void *server, struct MHD_Connection *mhd, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_opened(server, mhd, context);
    else if (*context)
        connection_closed(*context);
}

/* ---- lingering ---- */

struct lingering {
    struct loop_fd fd;
    struct loop_timer timer;
    struct link link;
    struct http_server *server;
    size_t bytes;
};

static void linger_end(struct lingering *g)
{
    loop_timer_clear(g->server->loop, &g->timer);
    loop_fd_remove(g->server->loop, &g->fd);
    close(g->fd.fd);
    link_remove(&g->link);
    g->server->lingering_count--;
    free(g);
}

static void linger_ready(struct loop_fd *f, uint32_t events)
{
    (void)events;
    struct lingering *g = container_of(f, struct lingering, fd);
    char scrap[16384];
    ssize_t n = recv(f->fd, scrap, sizeof scrap, MSG_DONTWAIT);
    if (n > 0 && (g->bytes += (size_t)n) < LINGER_BYTES_MAX)
        return;
    linger_end(g);
}

static void linger_over(struct loop_timer *t)
{
    linger_end(container_of(t, struct lingering, timer));
}

void http_connection_linger(struct connection *c)
{
    struct http_server *s = c->server;
    int fd = s->lingering_count < LINGERING_MAX ? fcntl(c->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd < 0)
        return;
    struct lingering *g = mem_zalloc(sizeof *g);
    g->server = s;
    g->fd = (struct loop_fd){fd, linger_ready};
    g->timer.fire = linger_over;
    if (loop_fd_add(s->loop, &g->fd, EPOLLIN | EPOLLRDHUP) != OK) {
        close(fd);
        free(g);
        return;
    }
    link_append(&s->lingering, &g->link);
    s->lingering_count++;
    loop_timer_set(s->loop, &g->timer, time_monotonic() + LINGER_SPAN_US);
}

void http_connection_lingering_end(struct http_server *s)
{
    while (!link_alone(&s->lingering))
        linger_end(container_of(s->lingering.next, struct lingering, link));
}
