/* Names to addresses without waiting on a loop: getaddrinfo on a few threads of its own, which are
 * started when there is something to look up and end when there is nothing for a while.
 *
 * Calls are made and completed on one loop's thread. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "base/status.h"
#include "base/str.h"
#include "base/task.h"
#include "net/address.h"

#include <stdint.h>

struct resolver;

enum { RESOLVED_MAX = 8 };

struct resolve {
    struct str host; /* copied */
    uint16_t port;
    /* Never inside the start. */
    void (*done)(struct resolve *r);
    /* out; valid inside done */
    enum status status; /* OK, E_IO: no such name, E_BUSY: too many look-ups wait */
    uint32_t count;
    struct address addresses[RESOLVED_MAX];
    void *impl;
};

/* home: where done is called. */
struct resolver *resolver_new(struct runner *home);
/* After home runs no more: what is under way is let go and done is not called. */
void resolver_free(struct resolver *r);
void resolve_start(struct resolver *r, struct resolve *q);
/* done will not be called. */
void resolve_cancel(struct resolve *q);
/* A numeric IPv4 or IPv6 address (without brackets) needs no look-up; false when host is none. */
MUST_USE bool resolve_numeric(struct str host, uint16_t port, struct address *out);

#endif
