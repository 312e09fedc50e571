/* A message is posted to the egress loop by its own task, sent there, and posted home by the same task when it
 * has ended: nothing is allocated to hand it over. Plain HTTP has a sender of its own; TLS, and URLs with
 * credentials or other rarities, go through libcurl. */
#include "main/egress_send.h"

#include "base/arena.h"
#include "net/http_client.h"
#include "net/http_gate.h"
#include "net/http_sender.h"
#include "net/mqtt_client.h"
#include "net/resolver.h"

#include <stdlib.h>

/* A receiver's answer is its status; the rest of it is read so that the connection can be kept. */
enum { ANSWER_BYTES_MAX = 64 << 10 };

/* A connection that a receiver keeps is kept for so long. */
#define IDLE_US INT64_C(60000000)

struct egress_sender {
    struct loop *loop;
    struct egress_guard *guard;
    struct resolver *resolver;
    struct http_sender *http;
    struct http_client *https;
    struct http_gate *gate; /* in front of https */
    struct mqtt_client *mqtt;
};

struct sending {
    union {
        struct http_post post;
        struct gate_call call;
        struct mqtt_message message;
    };
    struct port_send *send;
    struct str headers[];
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

static void post_done(struct http_post *post)
{
    struct sending *sending = container_of(post, struct sending, post);
    struct port_send *s = sending->send;
    s->status = post->status;
    s->http_status = post->http_status;
    if (post->status != OK)
        s->why = post->why;
    free(sending);
    finish(s);
}

static void post_start(struct egress_sender *e, struct port_send *s)
{
    struct sending *sending = mem_alloc(sizeof *sending);
    struct http_post *post = &sending->post;
    sending->send = s;
    post->url = s->uri;
    post->headers = s->headers;
    post->header_count = s->header_count;
    post->body = s->body;
    post->timeout_ms = s->timeout_ms;
    post->done = post_done;
    http_post_start(e->http, &sending->post);
}

static void call_done(struct gate_call *gated)
{
    struct sending *sending = container_of(gated, struct sending, call);
    struct port_send *s = sending->send;
    s->status = gated->call.status;
    s->http_status = gated->call.http_status;
    s->why = gated->call.why;
    free(sending);
    finish(s);
}

/* libcurl would take any header: those that are the transport's are left out here. */
static void call_start(struct egress_sender *e, struct port_send *s)
{
    struct sending *sending = mem_zalloc(sizeof *sending + s->header_count * sizeof *sending->headers);
    size_t count = 0;
    for (uint32_t i = 0; i < s->header_count; i++) {
        struct str name = str_head(s->headers[i], str_find_char(s->headers[i], ':'));
        if (!http_header_is_transport(str_trim(name)))
            sending->headers[count++] = s->headers[i];
    }
    sending->send = s;
    sending->call.done = call_done;
    sending->call.call = (struct http_call){
        .method = "POST",
        .url = s->uri,
        .headers = sending->headers,
        .header_count = count,
        .body = s->body,
        .answer_bytes_max = ANSWER_BYTES_MAX,
        .answer_dropped = true,
        .timeout_ms = s->timeout_ms,
    };
    http_gate_start(e->gate, &sending->call);
}

static void message_done(struct mqtt_message *message)
{
    struct sending *sending = container_of(message, struct sending, message);
    struct port_send *s = sending->send;
    s->status = message->status;
    s->why = message->why;
    free(sending);
    finish(s);
}

static void message_start(struct egress_sender *e, struct port_send *s)
{
    struct sending *sending = mem_alloc(sizeof *sending);
    sending->send = s;
    sending->message = (struct mqtt_message){
        .uri = s->uri,
        .payload = s->body,
        .version = s->mqtt_version == 3 ? 3 : 5,
        .qos = s->mqtt_qos,
        .timeout_ms = s->timeout_ms,
        .done = message_done,
    };
    mqtt_publish_start(e->mqtt, &sending->message);
}

static bool scheme_is(struct str uri, struct str scheme)
{
    return str_eq_fold(str_head(uri, scheme.n), scheme);
}

static void send_run(struct task *task)
{
    struct port_send *s = container_of(task, struct port_send, task);
    struct egress_sender *e = s->impl;
    if (!e->http) {
        s->status = why_set(&s->why, E_CANCELLED, NULL, "the city is ending");
        finish(s);
        return;
    }
    if (http_sender_takes(s->uri)) {
        post_start(e, s);
        return;
    }
    if (scheme_is(s->uri, STR("http://")) || scheme_is(s->uri, STR("https://"))) {
        call_start(e, s);
        return;
    }
    if (scheme_is(s->uri, STR("mqtt://")) || scheme_is(s->uri, STR("mqtts://"))) {
        message_start(e, s);
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

static enum status parts_new(struct egress_sender *e, const struct config *config, struct why *why)
{
    struct http_client_options o = {
        .connections_max = (size_t)config_int(config, "egress", "connections"),
        .connections_per_host_max = (size_t)config_int(config, "egress", "connections_per_host"),
        .user_agent = STR("wellspring"),
    };
    o.refuse_count = config_strs(config, "egress", "refuse", &o.refuse);
    o.allow_count = config_strs(config, "egress", "allow", &o.allow);
    enum status st = egress_guard_new(&e->guard, o.refuse, o.refuse_count, o.allow, o.allow_count, why);
    if (st == OK)
        st = http_client_new(&e->https, e->loop, &o, why);
    if (st != OK)
        return st;
    e->gate = http_gate_new(e->loop, e->https, (uint32_t)o.connections_max, (uint32_t)o.connections_per_host_max);
    e->http = http_sender_new(e->loop, &(struct http_sender_options){
                                           .guard = e->guard,
                                           .resolver = e->resolver,
                                           .connections_max = (uint32_t)o.connections_max,
                                           .connections_per_origin_max = (uint32_t)o.connections_per_host_max,
                                           .idle_us = IDLE_US,
                                           .user_agent = o.user_agent,
                                       });
    e->mqtt = mqtt_client_new(e->loop, &(struct mqtt_client_options){
                                           .guard = e->guard,
                                           .resolver = e->resolver,
                                           .servers_max = (uint32_t)config_int(config, "egress", "mqtt_servers"),
                                       });
    return OK;
}

enum status egress_sender_new(struct egress_sender **out, struct loop *loop, const struct config *config,
                              struct why *why)
{
    struct egress_sender *e = mem_zalloc(sizeof *e);
    e->loop = loop;
    e->resolver = resolver_new(loop_runner(loop));
    enum status st = parts_new(e, config, why);
    if (st != OK) {
        egress_sender_close(e);
        egress_sender_free(e);
        return st;
    }
    *out = e;
    return OK;
}

void egress_sender_close(struct egress_sender *e)
{
    if (!e)
        return;
    http_sender_free(e->http);
    mqtt_client_free(e->mqtt);
    http_gate_free(e->gate);
    http_client_free(e->https);
    e->http = NULL;
    e->gate = NULL;
    e->mqtt = NULL;
    e->https = NULL;
}

void egress_sender_free(struct egress_sender *e)
{
    if (!e)
        return;
    resolver_free(e->resolver);
    egress_guard_free(e->guard);
    free(e);
}
