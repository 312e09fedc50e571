/* What the parts of the MQTT client share.
 *
 *   mqtt_client.c   messages, the table of servers, life
 *   mqtt_server.c   one server's connection:  DOWN → RESOLVING → CONNECTING → UP → DOWN …
 *
 * A message is in exactly one place: waiting at its server, under way at its server, or ended. */
#ifndef NET_MQTT_CLIENT_INT_H
#define NET_MQTT_CLIENT_INT_H

#include "base/arena.h"
#include "base/link.h"
#include "net/mqtt_client.h"

#include <mosquitto.h>

enum {
    IN_FLIGHT_MAX = 64, /* unacknowledged messages of one server */
    WAITING_MAX = 65536, /* messages that wait for one server */
};

struct message_list {
    struct mqtt_message *first, **end;
    uint32_t count;
};
void message_list_init(struct message_list *l);
void message_list_append(struct message_list *l, struct mqtt_message *m);
struct mqtt_message *message_list_take(struct message_list *l);

enum mqtt_phase { MQTT_DOWN, MQTT_RESOLVING, MQTT_CONNECTING, MQTT_UP };

struct mqtt_server {
    struct mqtt_client *client;
    struct link link;
    struct arena *arena; /* owns the texts below and this */
    struct str key;      /* scheme, credentials, host and port as written, version */
    uint8_t version;
    bool tls, numeric;
    const char *user, *password; /* NULL: none */
    struct str host;
    uint16_t port;

    enum mqtt_phase phase;
    struct resolve resolve;
    struct address addresses[RESOLVED_MAX];
    uint32_t address_count, address; /* to try next */
    struct mosquitto *mosq;
    struct loop_fd fd; /* -1: none */
    uint32_t events;
    bool open;         /* the transport's handshake has been looked at */
    bool welcome;      /* CONNACK said yes */
    int refused;       /* CONNACK said no: why */
    uint32_t failures; /* in a row */
    int64_t phase_until_us; /* CONNECTING: give up; DOWN: not before */
    int64_t used_us;
    struct loop_timer tick;     /* keep alive, pauses, giving up */
    struct loop_timer deadline; /* of messages */
    struct message_list waiting, flying;
    uint32_t lost;              /* given up, but not by libmosquitto */
    struct mqtt_message *current; /* being handed to libmosquitto */
};

struct mqtt_client {
    struct loop *loop;
    struct mqtt_client_options options;
    struct link servers; /* last used last */
    uint32_t server_count;
    struct message_list ended;
    struct loop_timer ended_timer;
};

/* done is called later. */
void message_end(struct mqtt_client *c, struct mqtt_message *m, enum status status);

/* NULL when there are too many servers, all of them in use. */
struct mqtt_server *mqtt_server_find(struct mqtt_client *c, const struct mqtt_uri *u, uint8_t version);
void mqtt_server_add(struct mqtt_server *s, struct mqtt_message *m);
/* Its messages end with E_CANCELLED. */
void mqtt_server_free(struct mqtt_server *s);

#endif
