/* One connection and what happens on it. A request is written at once, in one call with its body where
 * the socket takes it; the descriptor stays in the loop's set for reading all the time, so that
 * an ordinary post costs a write, a wake-up and a read. The timer is set only when it is not set or
 * late, and asks for the deadline when it fires. */
#include "net/http_sender_int.h"

#include "base/time.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DRAIN_US = 5000000, DRAIN_BYTES_MAX = 1 << 20, RECEIVE_BYTES = 16 << 10 };

static void deadline_set(struct connection *c, int64_t due_us)
{
    c->deadline_us = due_us;
    if (!c->timer.heap_index || c->timer.due_us > due_us)
        loop_timer_set(c->origin->sender->loop, &c->timer, due_us);
}

static void descriptor_close(struct connection *c)
{
    if (c->fd.fd < 0)
        return;
    loop_fd_remove(c->origin->sender->loop, &c->fd);
    close(c->fd.fd);
    c->fd.fd = -1;
}

void connection_close(struct connection *c)
{
    struct origin *o = c->origin;
    struct http_sender *s = o->sender;
    descriptor_close(c);
    loop_timer_clear(s->loop, &c->timer);
    link_remove(&c->link);
    link_remove(&c->idle);
    link_remove(&c->old);
    o->connections--;
    s->connections[o->suspect]--;
    buf_free(&c->head);
    free(c);
    origin_settle(o);
}

/* ---- ends ---- */

static void idle_close_all(struct origin *o)
{
    while (!link_alone(&o->idle))
        connection_close(container_of(o->idle.next, struct connection, idle));
}

/* The connection is of no use any more; its post ends so, or is tried once more when the receiver may
 * only have closed what was idle. */
static void fail(struct connection *c, enum status status)
{
    struct origin *o = c->origin;
    struct http_post *p = c->post;
    bool stale = p && status == E_IO && c->posts > 0 && !c->answered && !p->again;
    connection_close(c);
    if (stale) {
        idle_close_all(o); /* their fate is the same */
        p->again = true;
        why_clear(&p->why);
        origin_post(o, p);
    } else if (p) {
        if (status != E_CANCELLED && status != E_BAD_DATA)
            origin_judge(o, true);
        post_end(o->sender, p, status);
    }
    origin_feed(o);
}

static void fail_io(struct connection *c, int error, const char *what)
{
    if (c->post)
        why_set(&c->post->why, E_IO, NULL, "%s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
    fail(c, E_IO);
}

/* What fails inside open or use waits for the loop's next round. */
static void fail_soon(struct connection *c, int error)
{
    c->failed = error ? error : EIO;
    deadline_set(c, 0);
}

static void idle_begin(struct connection *c)
{
    struct origin *o = c->origin;
    c->phase = IDLE;
    c->posts++;
    link_append(&o->idle, &c->idle);
    link_append(&o->sender->old, &c->old);
    deadline_set(c, time_monotonic() + o->sender->options.idle_us);
}

/* ---- sending ---- */

static void events_set(struct connection *c, uint32_t events)
{
    if (c->events == events)
        return;
    c->events = events;
    loop_fd_change(c->origin->sender->loop, &c->fd, events);
}

static bool sent_all(const struct connection *c)
{
    return c->sent == c->head.n + c->post->body.n;
}

/* 0, or the errno of what went wrong. */
static int write_some(struct connection *c)
{
    const struct str body = c->post->body;
    while (!sent_all(c)) {
        struct iovec parts[2];
        int count = 0;
        if (c->sent < c->head.n)
            parts[count++] = (struct iovec){c->head.p + c->sent, c->head.n - c->sent};
        size_t of_body = c->sent < c->head.n ? 0 : c->sent - c->head.n;
        if (of_body < body.n)
            parts[count++] = (struct iovec){(void *)(uintptr_t)(body.p + of_body), body.n - of_body};
        struct msghdr m = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(c->fd.fd, &m, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return errno;
        if (n < 0)
            break;
        c->sent += (size_t)n;
    }
    events_set(c, sent_all(c) ? EPOLLIN : EPOLLIN | EPOLLOUT);
    return 0;
}

/* The connection stands: the request goes out. */
static int request_begin(struct connection *c)
{
    c->phase = BUSY;
    c->sent = 0;
    c->answered = false;
    http_answer_init(&c->answer);
    return write_some(c);
}

void connection_use(struct connection *c, struct http_post *p)
{
    link_remove(&c->idle);
    link_remove(&c->old);
    c->post = p;
    enum status st = http_head_write(&c->head, c->origin->sender, p);
    if (st != OK) { /* not the connection's fault */
        c->post = NULL;
        post_end(c->origin->sender, p, st);
        idle_begin(c);
        return;
    }
    deadline_set(c, p->deadline_us);
    int error = request_begin(c);
    if (error)
        fail_soon(c, error);
}

/* ---- receiving ---- */

/* The status is known: the post has ended well, whatever becomes of the rest. */
static void post_answered(struct connection *c)
{
    struct origin *o = c->origin;
    struct http_post *p = c->post;
    c->cut = !sent_all(c); /* it will not read the rest */
    c->post = NULL;
    origin_judge(o, false);
    p->status = OK;
    p->http_status = c->answer.status;
    p->done(p);
}

static void answer_ended(struct connection *c, bool more)
{
    struct origin *o = c->origin;
    if (!c->answer.keep || c->cut || more)
        connection_close(c);
    else
        idle_begin(c);
    origin_feed(o);
}

static void answer_take(struct connection *c, struct str bytes)
{
    size_t used;
    c->answered = true;
    enum http_answer_progress progress = http_answer_feed(&c->answer, bytes, &used);
    if (c->answer.status && c->post)
        post_answered(c);
    if (progress == HTTP_ANSWER_BAD) {
        fail_io(c, 0, c->answer.bad);
    } else if (progress == HTTP_ANSWER_DONE) {
        answer_ended(c, used < bytes.n);
    } else if (!c->post && (c->answer.body_bytes > DRAIN_BYTES_MAX || c->cut)) {
        answer_ended(c, true);
    } else if (!c->post && c->phase == BUSY) {
        c->phase = DRAINING;
        deadline_set(c, time_monotonic() + DRAIN_US);
    }
}

static void receive(struct connection *c)
{
    char bytes[RECEIVE_BYTES];
    ssize_t n = recv(c->fd.fd, bytes, sizeof bytes, 0);
    if (n > 0 && c->phase != IDLE) {
        answer_take(c, (struct str){bytes, (size_t)n});
    } else if (n == 0 && c->phase != IDLE && http_answer_eof(&c->answer) == HTTP_ANSWER_DONE) {
        answer_ended(c, true);
    } else if (n == 0 || c->phase == IDLE) { /* an idle one that speaks is not to be trusted */
        if (n >= 0 || errno != EAGAIN)
            fail_io(c, 0, "the receiver closed the connection");
    } else if (errno != EAGAIN && errno != EINTR) {
        fail_io(c, errno, "the connection broke");
    }
}

/* ---- connecting ---- */

static void connect_next(struct connection *c);

static void connected(struct connection *c)
{
    int error = 0, one = 1;
    socklen_t n = sizeof error;
    getsockopt(c->fd.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    if (error) {
        c->failed = error;
        connect_next(c);
        return;
    }
    setsockopt(c->fd.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->deadline_us = c->post->deadline_us;
    deadline_set(c, c->deadline_us);
    error = request_begin(c);
    if (error)
        fail_io(c, error, "the connection broke");
}

static void ready(struct loop_fd *f, uint32_t events)
{
    struct connection *c = container_of(f, struct connection, fd);
    if (c->phase == CONNECTING) {
        connected(c);
        return;
    }
    if (events & EPOLLOUT && c->phase == BUSY) {
        int error = write_some(c);
        if (error && !(events & EPOLLIN)) { /* else it may have said why */
            fail_io(c, error, "the connection broke");
            return;
        }
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        receive(c);
}

/* Each address has an equal part of what is left of the time. */
static bool connect_begin(struct connection *c, const struct address *a)
{
    struct http_sender *s = c->origin->sender;
    const struct sockaddr *to = (const struct sockaddr *)&a->storage;
    if (!egress_guard_allows(s->options.guard, to)) {
        address_format(to, c->refused);
        return false;
    }
    c->fd.fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd.fd < 0) {
        c->failed = errno;
        return false;
    }
    c->events = EPOLLIN | EPOLLOUT;
    if ((connect(c->fd.fd, to, a->length) != 0 && errno != EINPROGRESS) ||
        loop_fd_add(s->loop, &c->fd, c->events) != OK) {
        c->failed = errno;
        close(c->fd.fd);
        c->fd.fd = -1;
        return false;
    }
    s->opened++;
    int64_t now = time_monotonic(), left = c->post->deadline_us - now;
    c->failed = 0;
    deadline_set(c, now + left / (int64_t)(c->origin->address_count - c->address + 1));
    return true;
}

/* True when an attempt is under way. */
static bool connect_try(struct connection *c)
{
    struct origin *o = c->origin;
    descriptor_close(c);
    while (c->address < o->address_count)
        if (connect_begin(c, &o->addresses[c->address++]))
            return true;
    return false;
}

static void connect_next(struct connection *c)
{
    struct http_post *p = c->post;
    if (connect_try(c))
        return;
    if (c->refused[0])
        fail(c, why_set(&p->why, E_FORBIDDEN, NULL, "%s is an address that must not be called", c->refused));
    else if (c->failed == ETIMEDOUT)
        fail(c, why_set(&p->why, E_TIMEOUT, NULL, "no connection within %u ms", p->timeout_ms));
    else
        fail_io(c, c->failed, "cannot connect");
}

static void due(struct loop_timer *t)
{
    struct connection *c = container_of(t, struct connection, timer);
    struct http_post *p = c->post;
    if (time_monotonic() < c->deadline_us) {
        loop_timer_set(c->origin->sender->loop, t, c->deadline_us);
        return;
    }
    if (c->phase == CONNECTING) {
        if (!c->failed)
            c->failed = ETIMEDOUT;
        connect_next(c);
    } else if (c->failed) {
        fail_io(c, c->failed, "the connection broke");
    } else if (c->phase == BUSY) {
        fail(c, why_set(&p->why, E_TIMEOUT, NULL, "no answer within %u ms", p->timeout_ms));
    } else {
        fail(c, E_CANCELLED);
    }
}

void connection_open(struct origin *o, struct http_post *p)
{
    struct connection *c = mem_zalloc(sizeof *c);
    c->origin = o;
    c->fd = (struct loop_fd){-1, ready};
    c->timer.fire = due;
    link_init(&c->link);
    link_init(&c->idle);
    link_init(&c->old);
    link_append(&o->all, &c->link);
    o->connections++;
    o->sender->connections[o->suspect]++;
    buf_init(&c->head, HEAD_BYTES_MAX);
    c->phase = CONNECTING;
    c->post = p;
    enum status st = http_head_write(&c->head, o->sender, p);
    if (st != OK) {
        c->post = NULL;
        post_end(o->sender, p, st);
        connection_close(c);
    } else if (!connect_try(c)) {
        fail_soon(c, c->failed);
    }
}
