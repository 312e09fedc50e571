/* Entities to a running city: POST /ngsi-ld/v1/entityOperations/upsert. */
#ifndef SENSE_SINK_HTTP_H
#define SENSE_SINK_HTTP_H

#include "net/http_client.h"
#include "sense/sink.h"

struct sink_http_options {
    struct http_client *client; /* outlives the sink */
    struct str base;            /* "http://127.0.0.1:1026" */
    struct str tenant;          /* empty: the default tenant */
    bool update;                /* options=update: attributes not mentioned stay */
    uint32_t timeout_ms;
    size_t answer_bytes_max;
};

/* Caller owns; sink_free(). Strings are copied. */
struct sink *sink_http_new(const struct sink_http_options *o);

/* Reads the answer to a batch into its results; apart from the sockets, for tests. */
void sink_http_read(struct sink_batch *b, int http_status, struct str answer);

#endif
