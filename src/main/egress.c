/* Fetches and messages are posted to the egress loop, run there, and completed there; the broker
 * takes them on to where they are waited for. Cancelling and ending are posted as well, so that they
 * come behind everything that was posted before; what is posted in between is cancelled at once. */
#include "main/egress.h"

#include "base/arena.h"
#include "main/egress_send.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>

struct egress {
    struct broker_ports ports;
    struct loop *loop;
    struct http_client *client;
    struct egress_sender *sender;
    pthread_t thread;
    struct task cancel, end;
};

struct fetching {
    struct task task;
    struct egress *egress;
    struct port_fetch *fetch;
    struct http_call call;
    struct str header;
    struct arena *arena;
};

static void call_done(struct http_call *call)
{
    struct fetching *f = container_of(call, struct fetching, call);
    struct port_fetch *fetch = f->fetch;
    fetch->status = call->status;
    fetch->why = call->why;
    fetch->body = call->answer;
    fetch->max_age_s = call->max_age_s;
    if (call->status == OK && call->http_status != 200) {
        why_clear(&fetch->why);
        fetch->status = why_set(&fetch->why, E_NOT_FOUND, NULL, "the origin answered %d", call->http_status);
    }
    fetch->done(fetch);
    arena_free(f->arena);
    free(f);
}

static void fetch_run(struct task *task)
{
    struct fetching *f = container_of(task, struct fetching, task);
    if (!f->egress->client) {
        f->fetch->status = why_set(&f->fetch->why, E_CANCELLED, NULL, "the city is ending");
        f->fetch->done(f->fetch);
        free(f);
        return;
    }
    f->arena = arena_new(0);
    f->header = arena_printf(f->arena, "Accept: %s", f->fetch->accept);
    f->call = (struct http_call){
        .method = "GET",
        .url = f->fetch->url,
        .headers = &f->header,
        .header_count = 1,
        .answer_bytes_max = f->fetch->bytes_max,
        .timeout_ms = f->fetch->timeout_ms,
        .done = call_done,
    };
    http_call_start(f->egress->client, &f->call);
}

static void fetch_start(struct broker_ports *ports, struct port_fetch *fetch)
{
    struct egress *e = container_of(ports, struct egress, ports);
    struct fetching *f = mem_zalloc(sizeof *f);
    f->task.run = fetch_run;
    f->egress = e;
    f->fetch = fetch;
    runner_post(loop_runner(e->loop), &f->task);
}

static void send_start(struct broker_ports *ports, struct port_send *s)
{
    struct egress *e = container_of(ports, struct egress, ports);
    egress_send(e->sender, s);
}

static void *thread_main(void *arg)
{
    struct egress *e = arg;
    pthread_setname_np(pthread_self(), "egress");
    loop_run(e->loop);
    return NULL;
}

static enum status client_new(struct egress *e, const struct config *config, struct why *why)
{
    struct http_client_options o = {
        .connections_max = (size_t)config_int(config, "egress", "connections"),
        .user_agent = STR("wellspring"),
    };
    o.refuse_count = config_strs(config, "egress", "refuse", &o.refuse);
    o.allow_count = config_strs(config, "egress", "allow", &o.allow);
    return http_client_new(&e->client, e->loop, &o, why);
}

enum status egress_start(struct egress **out, const struct config *config, const struct loop_hooks *hooks,
                         struct why *why)
{
    struct egress *e = mem_zalloc(sizeof *e);
    e->ports.clock = &clock_system;
    e->ports.fetch = fetch_start;
    e->ports.send = send_start;
    enum status st = loop_new(&e->loop, hooks);
    if (st != OK)
        why_set(why, st, NULL, "no event loop for outgoing requests");
    if (st == OK)
        st = client_new(e, config, why);
    if (st == OK)
        st = egress_sender_new(&e->sender, e->loop, config, why);
    if (st == OK && pthread_create(&e->thread, NULL, thread_main, e) != 0)
        st = why_set(why, E_IO, NULL, "no thread for outgoing requests");
    if (st != OK) {
        egress_sender_close(e->sender);
        egress_sender_free(e->sender);
        http_client_free(e->client);
        loop_free(e->loop);
        free(e);
        return st;
    }
    *out = e;
    return OK;
}

struct broker_ports *egress_ports(struct egress *e)
{
    return &e->ports;
}

struct loop *egress_loop(struct egress *e)
{
    return e->loop;
}

static void cancel_run(struct task *task)
{
    struct egress *e = container_of(task, struct egress, cancel);
    egress_sender_close(e->sender);
    http_client_free(e->client);
    e->client = NULL;
}

void egress_cancel(struct egress *e)
{
    e->cancel.run = cancel_run;
    runner_post(loop_runner(e->loop), &e->cancel);
}

static void end_run(struct task *task)
{
    loop_stop(container_of(task, struct egress, end)->loop);
}

void egress_stop(struct egress *e)
{
    e->end.run = end_run;
    runner_post(loop_runner(e->loop), &e->end);
    pthread_join(e->thread, NULL);
}

void egress_free(struct egress *e)
{
    if (!e)
        return;
    egress_sender_free(e->sender);
    loop_free(e->loop);
    free(e);
}
