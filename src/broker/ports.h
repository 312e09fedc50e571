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

struct broker_ports {
    struct clock *clock;
    /* Any thread; does not wait. */
    void (*fetch)(struct broker_ports *ports, struct port_fetch *f);
};

#endif
