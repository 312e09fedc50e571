/* One server's connection. libmosquitto is asked to connect to a numeric address that passed the guard,
 * so that it never looks up a name, which would block; a connection that ended is thrown away whole,
 * so that nothing of it is sent by libmosquitto later. Callbacks only note what happened; it is acted
 * upon when libmosquitto has returned. */
#include "net/mqtt_client_int.h"

#include "base/log.h"
#include "base/time.h"
#include "net/mqtt_tls.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)
enum {
    KEEP_ALIVE_S = 60,
    CONNECT_S = 10,
    IDLE_S = 300,
    PAUSE_MAX_S = 32,
    SWEEP_US = 10000, /* deadlines are looked at no more often than this */
    PACKETS_A_ROUND = 64,
};

static void pump(struct mqtt_server *s);

/* ---- what becomes of messages ---- */

static void end_all(struct message_list *l, struct mqtt_server *s, enum status status, const char *text)
{
    for (struct mqtt_message *m; (m = message_list_take(l));) {
        if (text)
            why_set(&m->why, status, NULL, "%s", text);
        message_end(s->client, m, status);
    }
}

static struct mqtt_message *flying_take(struct mqtt_server *s, int mid)
{
    for (struct mqtt_message **at = &s->flying.first; *at; at = &(*at)->next) {
        struct mqtt_message *m = *at;
        if (m->mid != mid)
            continue;
        *at = m->next;
        if (!m->next)
            s->flying.end = at;
        s->flying.count--;
        return m;
    }
    return NULL;
}

/* What was under way goes out once more, before the rest; what has had its second chance ends. */
static void flying_return(struct mqtt_server *s, const char *text)
{
    struct message_list again, over;
    message_list_init(&again);
    message_list_init(&over);
    for (struct mqtt_message *m; (m = message_list_take(&s->flying));) {
        message_list_append(m->again ? &over : &again, m);
        m->again = true;
    }
    for (struct mqtt_message *m; (m = message_list_take(&s->waiting));)
        message_list_append(&again, m);
    while (again.first)
        message_list_append(&s->waiting, message_list_take(&again));
    end_all(&over, s, E_IO, text);
}

static void sweep(struct mqtt_server *s, struct message_list *l, int64_t now, int64_t *due, bool flying)
{
    struct message_list all;
    message_list_init(&all);
    for (struct mqtt_message *m; (m = message_list_take(l));)
        message_list_append(&all, m);
    for (struct mqtt_message *m; (m = message_list_take(&all));) {
        if (m->deadline_us > now) {
            *due = m->deadline_us < *due ? m->deadline_us : *due;
            message_list_append(l, m);
            continue;
        }
        s->lost += flying;
        message_end(s->client, m,
                    why_set(&m->why, E_TIMEOUT, NULL, "the MQTT server has not taken it within %u ms", m->timeout_ms));
    }
}

static void deadline_due(struct loop_timer *t)
{
    struct mqtt_server *s = container_of(t, struct mqtt_server, deadline);
    int64_t now = time_monotonic(), due = INT64_MAX;
    sweep(s, &s->waiting, now, &due, false);
    sweep(s, &s->flying, now, &due, true);
    if (due != INT64_MAX)
        loop_timer_set(s->client->loop, t, due < now + SWEEP_US ? now + SWEEP_US : due);
}

/* ---- the connection's end ---- */

static void drop(struct mqtt_server *s)
{
    if (s->fd.fd >= 0)
        loop_fd_remove(s->client->loop, &s->fd);
    s->fd.fd = -1;
    if (s->mosq)
        mosquitto_destroy(s->mosq);
    s->mosq = NULL;
    s->open = s->welcome = false;
    s->refused = 0;
    s->lost = 0;
}

/* The first loss of a connection that was up is followed by an attempt at once. */
static void down(struct mqtt_server *s, enum status status, const char *text)
{
    bool was_up = s->phase == MQTT_UP;
    int64_t pause_s = s->failures < 5 ? INT64_C(1) << s->failures : PAUSE_MAX_S;
    drop(s);
    s->phase = MQTT_DOWN;
    s->failures += !was_up;
    s->phase_until_us = was_up ? 0 : time_monotonic() + pause_s * SECOND;
    if (was_up || s->failures == 1)
        log_warn("MQTT server lost", log_s("server", s->host), log_i("port", s->port), log_s("reason", str_of(text)));
    flying_return(s, text);
    if (!was_up)
        end_all(&s->waiting, s, status, text);
    loop_timer_set(s->client->loop, &s->tick, was_up ? 0 : time_monotonic() + SECOND);
}

static const char *mosq_text(int rc)
{
    return rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
}

/* ---- what libmosquitto tells ---- */

static void on_connect(struct mosquitto *mosq, void *arg, int code, int flags, const mosquitto_property *p)
{
    struct mqtt_server *s = arg;
    (void)mosq;
    (void)flags;
    (void)p;
    s->welcome = code == 0;
    s->refused = code;
}

static void on_publish(struct mosquitto *mosq, void *arg, int mid, int code, const mosquitto_property *p)
{
    struct mqtt_server *s = arg;
    (void)mosq;
    (void)p;
    struct mqtt_message *m = s->current && s->current->mid == mid ? s->current : flying_take(s, mid);
    if (!m) {
        s->lost -= s->lost > 0;
        return;
    }
    if (m == s->current)
        s->current = NULL;
    if (code >= 0x80)
        message_end(s->client, m,
                    why_set(&m->why, E_IO, NULL, "the MQTT server does not take it: %s", mosquitto_reason_string(code)));
    else
        message_end(s->client, m, OK);
}

/* ---- publishing ---- */

static void publish(struct mqtt_server *s, struct mqtt_message *m)
{
    s->current = m;
    m->mid = 0;
    int rc = mosquitto_publish_v5(s->mosq, &m->mid, m->topic, (int)m->payload.n, m->payload.p, m->qos, false, NULL);
    bool taken = s->current == NULL; /* by on_publish, already */
    s->current = NULL;
    if (taken)
        return;
    if (rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_NO_CONN || rc == MOSQ_ERR_CONN_LOST) {
        message_list_append(&s->flying, m); /* a lost connection is noticed by its descriptor */
        return;
    }
    enum status st = rc == MOSQ_ERR_PAYLOAD_SIZE || rc == MOSQ_ERR_OVERSIZE_PACKET ? E_TOO_LARGE : E_IO;
    message_end(s->client, m, why_set(&m->why, st, NULL, "cannot publish: %s", mosq_text(rc)));
}

static void publish_waiting(struct mqtt_server *s)
{
    while (s->waiting.first && s->flying.count + s->lost < IN_FLIGHT_MAX) {
        struct mqtt_message *m = message_list_take(&s->waiting);
        if (m->payload.n > MQTT_MAX_PAYLOAD)
            message_end(s->client, m, why_set(&m->why, E_TOO_LARGE, NULL, "MQTT takes messages of 256 MB at most"));
        else
            publish(s, m);
    }
}

/* ---- the connection's course ---- */

static void events_set(struct mqtt_server *s)
{
    uint32_t events = EPOLLIN | (!s->open || mosquitto_want_write(s->mosq) ? (uint32_t)EPOLLOUT : 0);
    if (events == s->events)
        return;
    s->events = events;
    loop_fd_change(s->client->loop, &s->fd, events);
}

static int steps(struct mqtt_server *s, uint32_t events)
{
    int rc = MOSQ_ERR_SUCCESS;
    if (!s->open) {
        socklen_t n = sizeof errno;
        int error = 0;
        getsockopt(s->fd.fd, SOL_SOCKET, SO_ERROR, &error, &n);
        errno = error;
        if (error)
            return MOSQ_ERR_ERRNO;
        s->open = true;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        rc = mosquitto_loop_read(s->mosq, PACKETS_A_ROUND);
    if (rc == MOSQ_ERR_SUCCESS && (events & EPOLLOUT || mosquitto_want_write(s->mosq)))
        rc = mosquitto_loop_write(s->mosq, PACKETS_A_ROUND);
    return rc;
}

/* After anything that may have changed the connection. */
static void pump(struct mqtt_server *s)
{
    char text[200];
    if (s->phase == MQTT_CONNECTING && s->refused) {
        const char *why = s->version == 5 ? mosquitto_reason_string(s->refused) : mosquitto_connack_string(s->refused);
        snprintf(text, sizeof text, "the MQTT server refuses the connection: %s", why);
        down(s, E_IO, text);
        return;
    }
    if (s->phase == MQTT_CONNECTING && s->welcome) {
        s->phase = MQTT_UP;
        s->failures = 0;
    }
    if (s->phase == MQTT_UP) {
        publish_waiting(s);
        if (s->lost >= IN_FLIGHT_MAX / 2)
            down(s, E_TIMEOUT, "the MQTT server acknowledges nothing");
        else if (mosquitto_socket(s->mosq) < 0)
            down(s, E_IO, "the connection to the MQTT server was lost");
    }
    if (s->fd.fd >= 0)
        events_set(s);
}

static void ready(struct loop_fd *f, uint32_t events)
{
    struct mqtt_server *s = container_of(f, struct mqtt_server, fd);
    char text[200];
    int rc = steps(s, events);
    if (rc != MOSQ_ERR_SUCCESS && !s->refused) {
        snprintf(text, sizeof text, "%s: %s",
                 s->phase == MQTT_UP ? "the connection to the MQTT server was lost" : "cannot connect to the MQTT server",
                 mosq_text(rc));
        down(s, E_IO, text);
        return;
    }
    pump(s);
}

static int mosq_open(struct mqtt_server *s, const struct address *a)
{
    char id[40], ip[ADDRESS_TEXT_MAX];
    const struct sockaddr *to = (const struct sockaddr *)&a->storage;
    snprintf(id, sizeof id, "wellspring-%lx-%lx", (unsigned long)getpid(), (unsigned long)time_monotonic());
    s->mosq = mosquitto_new(id, true, s);
    if (!s->mosq)
        return MOSQ_ERR_NOMEM;
    mosquitto_int_option(s->mosq, MOSQ_OPT_PROTOCOL_VERSION, s->version == 5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
    mosquitto_int_option(s->mosq, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(s->mosq, MOSQ_OPT_SEND_MAXIMUM, IN_FLIGHT_MAX);
    mosquitto_connect_v5_callback_set(s->mosq, on_connect);
    mosquitto_publish_v5_callback_set(s->mosq, on_publish);
    if (s->user || s->password)
        mosquitto_username_pw_set(s->mosq, s->user ? s->user : "", s->password);
    if (s->tls && !mqtt_tls_set(s->mosq, s->host.p, s->numeric))
        return MOSQ_ERR_TLS;
    address_host(to, ip);
    return mosquitto_connect_async(s->mosq, ip, s->port, KEEP_ALIVE_S);
}

static void connect_begin(struct mqtt_server *s)
{
    char text[200], refused[ADDRESS_TEXT_MAX] = "";
    s->phase = MQTT_CONNECTING;
    s->phase_until_us = time_monotonic() + CONNECT_S * SECOND;
    for (uint32_t i = 0; i < s->address_count; i++) {
        const struct address *a = &s->addresses[s->address++ % s->address_count];
        const struct sockaddr *to = (const struct sockaddr *)&a->storage;
        if (!egress_guard_allows(s->client->options.guard, to)) {
            address_format(to, refused);
            continue;
        }
        int rc = mosq_open(s, a);
        s->fd.fd = rc == MOSQ_ERR_SUCCESS ? mosquitto_socket(s->mosq) : -1;
        s->events = EPOLLIN | EPOLLOUT;
        if (s->fd.fd >= 0 && loop_fd_add(s->client->loop, &s->fd, s->events) == OK)
            return;
        s->fd.fd = -1;
        snprintf(text, sizeof text, "cannot connect to the MQTT server: %s", mosq_text(rc));
        down(s, E_IO, text);
        return;
    }
    snprintf(text, sizeof text, "%s is an address that must not be called", refused);
    down(s, E_FORBIDDEN, text);
}

static void resolved(struct resolve *r)
{
    struct mqtt_server *s = container_of(r, struct mqtt_server, resolve);
    if (r->status != OK) {
        down(s, r->status, r->status == E_BUSY ? "too many names are being looked up" : "the MQTT server's name is not known");
        return;
    }
    s->address_count = r->count;
    memcpy(s->addresses, r->addresses, r->count * sizeof *r->addresses);
    connect_begin(s);
}

static void begin(struct mqtt_server *s)
{
    if (s->numeric) {
        connect_begin(s);
        return;
    }
    s->phase = MQTT_RESOLVING;
    s->resolve = (struct resolve){.host = s->host, .port = s->port, .done = resolved};
    resolve_start(s->client->options.resolver, &s->resolve);
}

static bool unused(const struct mqtt_server *s)
{
    return !s->waiting.count && !s->flying.count;
}

static void tick(struct loop_timer *t)
{
    struct mqtt_server *s = container_of(t, struct mqtt_server, tick);
    int64_t now = time_monotonic();
    if (unused(s) && now - s->used_us > IDLE_S * SECOND) {
        mqtt_server_free(s);
        return;
    }
    loop_timer_set(s->client->loop, t, now + SECOND);
    if (s->phase == MQTT_DOWN && s->waiting.count && now >= s->phase_until_us) {
        begin(s);
    } else if (s->phase == MQTT_CONNECTING && now >= s->phase_until_us) {
        down(s, E_TIMEOUT, "the MQTT server does not answer");
    } else if (s->phase == MQTT_UP) {
        int rc = mosquitto_loop_misc(s->mosq);
        if (rc != MOSQ_ERR_SUCCESS)
            down(s, E_IO, mosq_text(rc));
        else
            pump(s);
    }
}

void mqtt_server_add(struct mqtt_server *s, struct mqtt_message *m)
{
    struct loop *loop = s->client->loop;
    message_list_append(&s->waiting, m);
    s->used_us = time_monotonic();
    link_remove(&s->link);
    link_append(&s->client->servers, &s->link);
    if (!s->deadline.heap_index || m->deadline_us < s->deadline.due_us)
        loop_timer_set(loop, &s->deadline, m->deadline_us);
    if (s->phase == MQTT_UP)
        pump(s);
    else if (s->phase == MQTT_DOWN && s->used_us >= s->phase_until_us)
        loop_timer_set(loop, &s->tick, 0);
}

/* ---- the table: few, so a list ---- */

static const char *kept(struct arena *a, struct str text)
{
    return str_absent(text) ? NULL : arena_dup(a, text).p;
}

static struct mqtt_server *server_new(struct mqtt_client *c, const struct mqtt_uri *u, uint8_t version, struct str key)
{
    struct arena *a = arena_new(0);
    struct mqtt_server *s = arena_zalloc(a, sizeof *s);
    s->arena = a;
    s->client = c;
    s->key = arena_dup(a, key);
    s->version = version;
    s->tls = u->tls;
    s->user = kept(a, u->user);
    s->password = kept(a, u->password);
    s->host = arena_dup(a, u->host);
    s->port = u->port;
    s->numeric = resolve_numeric(u->host, u->port, &s->addresses[0]);
    s->address_count = s->numeric;
    s->fd = (struct loop_fd){-1, ready};
    s->tick.fire = tick;
    s->deadline.fire = deadline_due;
    message_list_init(&s->waiting);
    message_list_init(&s->flying);
    link_init(&s->link);
    link_append(&c->servers, &s->link);
    c->server_count++;
    return s;
}

static bool make_room(struct mqtt_client *c)
{
    for (struct link *l = c->servers.next; c->server_count >= c->options.servers_max && l != &c->servers;) {
        struct mqtt_server *s = container_of(l, struct mqtt_server, link);
        l = l->next;
        if (unused(s))
            mqtt_server_free(s);
    }
    return c->server_count < c->options.servers_max;
}

struct mqtt_server *mqtt_server_find(struct mqtt_client *c, const struct mqtt_uri *u, uint8_t version)
{
    struct arena *a = arena_new(0);
    struct str key = arena_printf(a, "%d %u %u %d%d %zu %zu %.*s%.*s%.*s", u->tls, version, u->port, str_absent(u->user),
                                  str_absent(u->password), u->user.n, u->password.n, STR_ARG(u->user),
                                  STR_ARG(u->password), STR_ARG(u->host));
    struct link *l = c->servers.prev; /* the last used first */
    while (l != &c->servers && !str_eq(container_of(l, struct mqtt_server, link)->key, key))
        l = l->prev;
    struct mqtt_server *s = NULL;
    if (l != &c->servers)
        s = container_of(l, struct mqtt_server, link);
    else if (make_room(c))
        s = server_new(c, u, version, key);
    arena_free(a);
    return s;
}

void mqtt_server_free(struct mqtt_server *s)
{
    struct mqtt_client *c = s->client;
    if (s->phase == MQTT_RESOLVING)
        resolve_cancel(&s->resolve);
    if (s->phase == MQTT_UP)
        mosquitto_disconnect(s->mosq);
    drop(s);
    end_all(&s->flying, s, E_CANCELLED, NULL);
    end_all(&s->waiting, s, E_CANCELLED, NULL);
    loop_timer_clear(c->loop, &s->tick);
    loop_timer_clear(c->loop, &s->deadline);
    link_remove(&s->link);
    c->server_count--;
    arena_free(s->arena);
}
