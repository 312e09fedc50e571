/* Publishing to MQTT servers (MQTT 3.1.1 and 5), with libmosquitto driven from the loop.
 *
 * There is one connection for each server, credentials and version, kept while there is something to
 * publish and for five minutes more, and made again when it is lost, with a growing pause. What was
 * under way then is published once more. A message is done as its level says: QoS 0 when it is
 * written, 1 and 2 when the server has acknowledged it. Addresses pass the guard before they are
 * connected to; mqtts is verified against the system's CAs. No credential is ever told or logged. */
#ifndef NET_MQTT_CLIENT_H
#define NET_MQTT_CLIENT_H

#include "base/status.h"
#include "base/str.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/resolver.h"

#include <stdbool.h>
#include <stdint.h>

struct mqtt_client;

struct mqtt_client_options {
    const struct egress_guard *guard; /* borrowed */
    struct resolver *resolver;        /* borrowed; of the same loop */
    uint32_t servers_max;
};

/* Runs on loop; calls are made and completed on its thread. */
struct mqtt_client *mqtt_client_new(struct loop *loop, const struct mqtt_client_options *o);
/* What is under way ends with E_CANCELLED. Not inside done. NULL is fine. */
void mqtt_client_free(struct mqtt_client *c);

struct mqtt_message {
    /* in; borrowed until done */
    struct str uri; /* mqtt[s]://[user][:password]@host[:port]/topic[/subtopic]* (CIM 009 clause 7.2) */
    struct str payload;
    uint8_t version; /* 3 (3.1.1) or 5 */
    uint8_t qos;
    uint32_t timeout_ms; /* from the start, waiting for the connection included */
    /* Called once, on the loop's thread, never inside the start. */
    void (*done)(struct mqtt_message *m);
    /* out; valid inside done */
    enum status status; /* E_BAD_DATA, E_FORBIDDEN, E_TIMEOUT, E_TOO_LARGE, E_BUSY, E_CANCELLED, E_IO */
    struct why why;
    /* the client's */
    struct mqtt_message *next;
    struct mqtt_server *server;
    char *topic;
    int64_t deadline_us;
    int mid;
    bool again;
};

void mqtt_publish_start(struct mqtt_client *c, struct mqtt_message *m);

/* The parts of a URI, percent-decoded; borrowed from the arena. */
struct mqtt_uri {
    bool tls;
    struct str user, password; /* absent: none */
    struct str host;           /* without brackets */
    uint16_t port;
    struct str topic;
};
struct arena;
/* E_BAD_DATA says what is wrong without quoting the URI. */
MUST_USE enum status mqtt_uri_parse(struct str uri, struct arena *a, struct mqtt_uri *out, struct why *why);

#endif
