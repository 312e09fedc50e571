/* The HTTP front: sends each request to the interface that owns its path, and
 * writes the access log. */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "front/admin.h"
#include "front/grafana.h"
#include "front/live.h"
#include "front/ngsild/ngsild.h"
#include "front/statement.h"

struct front {
    struct ngsild ngsild;
    struct admin admin;
    struct live *live;
    struct statements statements;
    _Atomic bool access_log;
};

/* Callbacks of http_server_options; arg is a struct front. */
void front_handle(void *arg, struct http_request *r);
void front_refuse(void *arg, struct http_request *r, const struct why *why);
void front_answered(void *arg, const struct http_request *r, int status, size_t body_bytes);

#endif
