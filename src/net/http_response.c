/* Answers. An answer given inside the handler is queued at once; a later one is kept until
 * libmicrohttpd asks for it (parked) or queued on the suspended connection, which is then resumed;
 * both are served before the loop waits again. */
#include "net/http_server_int.h"

#include <assert.h>
#include <stdlib.h>

/* Values come as byte ranges, libmicrohttpd wants a NUL. */
static void header_add(const struct request *r, struct MHD_Response *m, const char *name,
                       struct str value)
{
    char small[256];
    if (value.n >= sizeof small) {
        MHD_add_response_header(m, name, arena_dup(r->pub.arena, value).p);
        return;
    }
    memcpy(small, value.p, value.n);
    small[value.n] = 0;
    MHD_add_response_header(m, name, small);
}

struct MHD_Response *http_response_finish(const struct request *r, const struct http_response *a,
                                          struct MHD_Response *m)
{
    assert(m);
    for (size_t i = 0; i < a->header_count; i++)
        if (a->headers[i].value.n)
            header_add(r, m, a->headers[i].name, a->headers[i].value);
    if (r->server->draining || r->connection->refused != OK || r->connection->linger)
        MHD_add_response_header(m, "Connection", "close");
    return m;
}

void http_response_queue(struct request *r, int status, struct MHD_Response *response)
{
    http_request_activate(r, true);
    if (r->parked) {
        r->answer = response;
        r->answer_status = status;
        http_server_kick(r->server);
        return;
    }
    enum MHD_Result queued = MHD_queue_response(r->mhd, (unsigned)status, response);
    http_response_release(r->server, response);
    if (queued != MHD_YES)
        http_connection_drop(r->connection);
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->mhd);
        http_server_kick(r->server);
    }
}

void http_response_release(const struct http_server *s, struct MHD_Response *response)
{
    if (response != s->empty)
        MHD_destroy_response(response);
}

/* An answer of nothing but its status is the same object each time. */
static bool is_empty(const struct request *r, const struct http_response *a)
{
    return r->server->empty && a->body.n == 0 && !a->body_owned && a->header_count == 0 && !r->server->draining &&
           r->connection->refused == OK && !r->connection->linger;
}

static struct MHD_Response *response_make(const struct http_response *a)
{
    void *bytes = (void *)(uintptr_t)a->body.p; /* drops const only: nothing writes to it */
    if (a->body_owned)
        return MHD_create_response_from_buffer_with_free_callback_cls(a->body.n, bytes, free,
                                                                      a->body_owned);
    return MHD_create_response_from_buffer(a->body.n, bytes, MHD_RESPMEM_MUST_COPY);
}

void http_respond(struct http_request *pub, const struct http_response *a)
{
    struct request *r = container_of(pub, struct request, pub);
    assert(r->handed && !r->answered);
    r->answered = true;
    const struct http_server_options *o = &r->server->options;
    if (o->answered)
        o->answered(o->arg, pub, a->status, a->body.n);
    if (r->mhd) {
        stat_add(&r->server->bytes_out, a->body.n);
        http_response_queue(r, a->status,
                            is_empty(r, a) ? r->server->empty
                                           : http_response_finish(r, a, response_make(a)));
        http_request_release(r);
    } else {
        free(a->body_owned);
    }
    http_request_settle(r);
}
