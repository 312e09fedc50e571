/* Endless answers. Bytes wait in a bounded buffer; libmicrohttpd fetches them when the socket takes
 * more. With nothing to fetch the connection is suspended; then only the loop sees the peer go
 * away, so the socket is watched for that meanwhile. */
#include "net/http_server_int.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { FETCH_BYTES = 4096 };

struct stream {
    struct http_stream *pub;
    struct http_server *server;
    struct request *request; /* lives until libmicrohttpd has completed it */
    struct link link;        /* in the server's list of streams */
    struct loop_fd fd;
    struct buf pending;
    size_t taken; /* of pending */
    bool suspended;
    bool watched;
    bool ended; /* by us */
    bool gone;  /* by the peer */
};

static void unwatch(struct stream *s)
{
    if (s->watched)
        loop_fd_remove(s->server->loop, &s->fd);
    s->watched = false;
}

static void resume(struct stream *s)
{
    if (!s->suspended)
        return;
    unwatch(s);
    s->suspended = false;
    MHD_resume_connection(s->request->mhd);
    http_request_activate(s->request, true);
    http_server_kick(s->server);
}

static void peer_gone(struct loop_fd *f, uint32_t events)
{
    (void)events;
    struct stream *s = container_of(f, struct stream, fd);
    s->gone = true;
    resume(s);
}

static void suspend(struct stream *s)
{
    s->fd.ready = peer_gone;
    s->watched = loop_fd_add(s->server->loop, &s->fd, EPOLLRDHUP) == OK;
    s->suspended = true;
    MHD_suspend_connection(s->request->mhd);
    http_request_activate(s->request, false);
}

static ssize_t fetch(void *arg, uint64_t position, char *out, size_t room)
{
    (void)position;
    struct stream *s = arg;
    size_t n = s->pending.n - s->taken;
    if (s->gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (n > 0) {
        n = n < room ? n : room;
        memcpy(out, s->pending.p + s->taken, n);
        s->taken += n;
        if (s->taken == s->pending.n)
            s->pending.n = s->taken = 0;
        stat_add(&s->server->bytes_out, n);
        s->server->moves++;
        return (ssize_t)n;
    }
    if (s->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    suspend(s);
    return 0;
}

static void closed(void *arg)
{
    struct stream *s = arg;
    unwatch(s);
    link_remove(&s->link);
    buf_free(&s->pending);
    s->pub->impl = NULL;
    s->pub->closed(s->pub);
    free(s);
}

void http_stream_start(struct http_request *pub, const struct http_response *head,
                       struct http_stream *out)
{
    struct request *r = container_of(pub, struct request, pub);
    struct http_server *server = r->server;
    assert(r->handed && !r->answered);
    struct stream *s = mem_zalloc(sizeof *s);
    *s = (struct stream){.pub = out, .server = server, .request = r};
    s->fd.fd = r->mhd ? r->connection->fd : -1;
    buf_init(&s->pending, 2 * server->options.stream_pending_bytes_max);
    link_init(&s->link);
    link_append(&server->streams, &s->link);
    out->impl = s;
    r->answered = true;
    if (server->options.answered)
        server->options.answered(server->options.arg, pub, head->status, 0);
    if (!r->mhd) {
        closed(s);
        http_request_settle(r);
        return;
    }
    struct MHD_Response *m =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, FETCH_BYTES, fetch, s, closed);
    http_response_queue(r, head->status, http_response_finish(r, head, m));
    http_request_release(r);
}

/* Moves what is unsent to the front when that is at most what was sent, so that a byte is moved
 * once at most; else the buffer, of twice the limit, has room. */
static void make_room(struct stream *s, size_t bytes)
{
    struct buf *b = &s->pending;
    size_t unsent = b->n - s->taken;
    if (b->cap - b->n >= bytes || s->taken < unsent || s->taken == 0)
        return;
    memmove(b->p, b->p + s->taken, unsent);
    b->n = unsent;
    s->taken = 0;
}

bool http_stream_write(struct http_stream *pub, struct str bytes)
{
    struct stream *s = pub->impl;
    size_t max = s->pending.max / 2;
    if (s->ended || s->gone || bytes.n > max - (s->pending.n - s->taken))
        return false;
    if (bytes.n == 0)
        return true;
    make_room(s, bytes.n);
    buf_str(&s->pending, bytes);
    assert(!s->pending.full);
    resume(s);
    return true;
}

void http_stream_end(struct http_stream *pub)
{
    struct stream *s = pub->impl;
    s->ended = true;
    resume(s);
}

void http_stream_end_all(struct http_server *server, bool at_once)
{
    struct link *l = server->streams.next;
    while (l != &server->streams) {
        struct stream *s = container_of(l, struct stream, link);
        l = l->next;
        s->ended = true;
        s->gone = at_once;
        resume(s);
    }
}
