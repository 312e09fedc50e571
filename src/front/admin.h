/* What those who run the city ask: is it alive, is it ready, how is it doing
 * (/healthz, /readyz, /metrics in the Prometheus text format 0.0.4), and a few
 * words for a browser at /. */
#ifndef FRONT_ADMIN_H
#define FRONT_ADMIN_H

#include "broker/broker.h"
#include "front/live.h"
#include "net/http_server.h"

#include <stdatomic.h>

struct admin {
    struct broker *broker;
    struct live *live;
    struct sql *sql;
    const char *version;
    int64_t start_us; /* wall time */
    struct http_server *const *servers;
    size_t server_count;
    /* answers by class of HTTP status, 1xx … 5xx, and seconds spent, as a histogram */
    _Atomic uint64_t answers[6];
    _Atomic uint64_t slower[16];
    _Atomic uint64_t busy_us;
};

/* False: not one of its paths. */
bool admin_handle(struct admin *a, struct http_request *r);
/* Counts an answer. */
void admin_count(struct admin *a, const struct http_request *r, int status);

#endif
