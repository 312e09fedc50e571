/* Messages that come and those that have ended, and the client's life. */
#include "net/mqtt_client_int.h"

#include "base/time.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

void message_list_init(struct message_list *l)
{
    l->first = NULL;
    l->end = &l->first;
    l->count = 0;
}

void message_list_append(struct message_list *l, struct mqtt_message *m)
{
    m->next = NULL;
    *l->end = m;
    l->end = &m->next;
    l->count++;
}

struct mqtt_message *message_list_take(struct message_list *l)
{
    struct mqtt_message *m = l->first;
    if (!m)
        return NULL;
    l->first = m->next;
    if (!l->first)
        l->end = &l->first;
    l->count--;
    return m;
}

void message_end(struct mqtt_client *c, struct mqtt_message *m, enum status status)
{
    m->status = status;
    message_list_append(&c->ended, m);
    loop_timer_set(c->loop, &c->ended_timer, 0);
}

static void tell(struct mqtt_message *m)
{
    free(m->topic);
    m->topic = NULL;
    m->done(m);
}

static void tell_ended(struct loop_timer *t)
{
    struct mqtt_client *c = container_of(t, struct mqtt_client, ended_timer);
    for (uint32_t n = c->ended.count; n; n--)
        tell(message_list_take(&c->ended));
    if (c->ended.first)
        loop_timer_set(c->loop, t, 0);
}

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static void library_begin(void)
{
    mosquitto_lib_init();
}

struct mqtt_client *mqtt_client_new(struct loop *loop, const struct mqtt_client_options *o)
{
    struct mqtt_client *c = mem_zalloc(sizeof *c);
    c->loop = loop;
    c->options = *o;
    link_init(&c->servers);
    message_list_init(&c->ended);
    c->ended_timer.fire = tell_ended;
    return c;
}

void mqtt_client_free(struct mqtt_client *c)
{
    if (!c)
        return;
    while (!link_alone(&c->servers))
        mqtt_server_free(container_of(c->servers.next, struct mqtt_server, link));
    loop_timer_clear(c->loop, &c->ended_timer);
    for (struct mqtt_message *m; (m = message_list_take(&c->ended));)
        tell(m);
    free(c);
}

static enum status start(struct mqtt_client *c, struct mqtt_message *m, struct arena *a)
{
    struct mqtt_uri u;
    enum status st = mqtt_uri_parse(m->uri, a, &u, &m->why);
    if (st != OK)
        return st;
    m->server = mqtt_server_find(c, &u, m->version);
    if (!m->server)
        return why_limit(&m->why, E_BUSY, NULL, "egress.mqtt_servers", "more than %u MQTT servers are in use",
                         c->options.servers_max);
    if (m->server->waiting.count >= WAITING_MAX)
        return why_set(&m->why, E_BUSY, NULL, "more than %d messages wait for this MQTT server", WAITING_MAX);
    m->topic = mem_alloc(u.topic.n + 1);
    memcpy(m->topic, u.topic.p, u.topic.n);
    m->topic[u.topic.n] = 0;
    return OK;
}

void mqtt_publish_start(struct mqtt_client *c, struct mqtt_message *m)
{
    assert(m->done && m->timeout_ms > 0 && m->qos <= 2);
    pthread_once(&library_once, library_begin);
    m->status = OK;
    m->topic = NULL;
    m->again = false;
    m->deadline_us = time_monotonic() + (int64_t)m->timeout_ms * 1000;
    why_clear(&m->why);
    struct arena *a = arena_new(0);
    enum status st = start(c, m, a);
    arena_free(a);
    if (st == OK)
        mqtt_server_add(m->server, m);
    else
        message_end(c, m, st);
}
