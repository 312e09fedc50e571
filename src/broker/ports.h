/* What the broker needs from outside, declared here and supplied by main from
 * net: the broker itself never sees a socket. */
#ifndef BROKER_PORTS_H
#define BROKER_PORTS_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "base/task.h"
#include "base/time.h"

#include <stddef.h>
#include <stdint.h>

/* One document to be had from the network, behind the egress guard. */
struct port_fetch {
    struct str url;       /* borrowed until done */
    const char *accept;   /* media types */
    size_t bytes_max;
    uint32_t timeout_ms;
    /* Called once, on a thread of the port's choosing, never inside the start. */
    void (*done)(struct port_fetch *f);
    /* out, valid inside done */
    enum status status;
    struct why why;
    struct str body;
    int64_t max_age_s;    /* freshness lifetime the origin stated (RFC 9111); -1: none */
    void *impl;
};

/* One message to a receiver: a POST, or a publication. Behind the egress guard too. */
struct port_send {
    struct str uri; /* http, https, mqtt, mqtts; all borrowed until done */
    const struct str *headers; /* of HTTP: "Content-Type: application/json" */
    uint32_t header_count;
    struct str body; /* of MQTT: the whole message with its metadata */
    uint8_t mqtt_version; /* 3 (3.1.1) or 5 */
    uint8_t mqtt_qos;     /* 0, 1, 2: done when the server has taken it, as that level says */
    uint32_t timeout_ms;
    struct runner *home; /* where done is called, never inside the start */
    void (*done)(struct port_send *s);
    /* out */
    enum status status; /* OK: an answer came, see http_status; MQTT: taken */
    int http_status;    /* 0: none */
    struct why why;
    struct task task; /* the port's while it runs */
    void *impl;
};

struct broker_ports {
    struct clock *clock;
    /* Any thread; does not wait. */
    void (*fetch)(struct broker_ports *ports, struct port_fetch *f);
    /* Likewise. Messages of one uri to the same server keep their order only as far as the caller waits for
     * done; each server has its own connections, at most so many at once. */
    void (*send)(struct broker_ports *ports, struct port_send *s);
};

#endif
