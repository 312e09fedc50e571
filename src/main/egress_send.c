/* A message is posted to the egress loop by its own task, sent there, and posted home by the same task when it
 * has ended: nothing is allocated to hand it over. */
#include "main/egress_send.h"

#include "base/arena.h"
#include "net/http_client.h"

#include <stdlib.h>

/* A receiver's answer is its status; the rest of it is read so that the connection can be kept. */
enum { ANSWER_BYTES_MAX = 64 << 10 };

struct egress_sender {
    struct loop *loop;
    struct http_client *https;
};

struct sending {
    struct http_call call;
    struct port_send *send;
};

static void home_run(struct task *task)
{
    struct port_send *s = container_of(task, struct port_send, task);
    s->done(s);
}

static void finish(struct port_send *s)
{
    s->impl = NULL;
    s->task.run = home_run;
    runner_post(s->home, &s->task);
}

static void call_done(struct http_call *call)
{
    struct sending *sending = container_of(call, struct sending, call);
    struct port_send *s = sending->send;
    s->status = call->status;
    s->http_status = call->http_status;
    s->why = call->why;
    free(sending);
    finish(s);
}

static void http_start(struct egress_sender *e, struct port_send *s)
{
    struct sending *sending = mem_zalloc(sizeof *sending);
    sending->send = s;
    sending->call = (struct http_call){
        .method = "POST",
        .url = s->uri,
        .headers = s->headers,
        .header_count = s->header_count,
        .body = s->body,
        .answer_bytes_max = ANSWER_BYTES_MAX,
        .answer_dropped = true,
        .timeout_ms = s->timeout_ms,
        .done = call_done,
    };
    http_call_start(e->https, &sending->call);
}

static void send_run(struct task *task)
{
    struct port_send *s = container_of(task, struct port_send, task);
    struct egress_sender *e = s->impl;
    if (str_starts(s->uri, STR("http://")) || str_starts(s->uri, STR("https://"))) {
        http_start(e, s);
        return;
    }
    s->status = why_set(&s->why, E_NOT_SUPPORTED, NULL, "no way to send to '%.*s'",
                        STR_ARG(str_head(s->uri, str_find_char(s->uri, ':'))));
    finish(s);
}

void egress_send(struct egress_sender *e, struct port_send *s)
{
    s->impl = e;
    s->status = OK;
    s->http_status = 0;
    why_clear(&s->why);
    s->task.run = send_run;
    runner_post(loop_runner(e->loop), &s->task);
}

enum status egress_sender_new(struct egress_sender **out, struct loop *loop, const struct config *config,
                              struct why *why)
{
    struct egress_sender *e = mem_zalloc(sizeof *e);
    struct http_client_options o = {
        .connections_max = (size_t)config_int(config, "egress", "connections"),
        .connections_per_host_max = (size_t)config_int(config, "egress", "connections_per_host"),
        .user_agent = STR("wellspring"),
    };
    o.refuse_count = config_strs(config, "egress", "refuse", &o.refuse);
    o.allow_count = config_strs(config, "egress", "allow", &o.allow);
    e->loop = loop;
    enum status st = http_client_new(&e->https, loop, &o, why);
    if (st != OK) {
        egress_sender_free(e);
        return st;
    }
    *out = e;
    return OK;
}

void egress_sender_free(struct egress_sender *e)
{
    if (!e)
        return;
    http_client_free(e->https);
    free(e);
}
