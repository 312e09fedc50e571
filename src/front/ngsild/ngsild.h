/* The NGSI-LD API over HTTP (CIM 009 clause 6): decodes requests, calls the broker,
 * encodes answers. One struct ngsild serves all loops; what belongs to a request is
 * a struct exchange (exchange.h). Start reading at ngsild_handle() in ngsild.c. */
#ifndef FRONT_NGSILD_NGSILD_H
#define FRONT_NGSILD_NGSILD_H

#include "broker/broker.h"
#include "model/reader.h"
#include "model/represent.h"
#include "net/http_server.h"

struct ngsild_limits {
    size_t body_bytes;
    size_t answer_bytes;       /* "limits.answer_bytes" */
    uint32_t json_depth;
    uint32_t batch;            /* entities in a batch, 0: bounded by bytes alone */
    uint32_t page;             /* largest limit parameter, "limits.page" */
    uint32_t page_default;
    uint64_t offset;           /* largest offset */
    uint32_t visit;            /* candidates of a query, 0: none */
    uint32_t ids;              /* ids in a query */
    uint32_t join_level;       /* largest joinLevel */
    uint32_t linked_entities;  /* Relationships followed for one answer */
    uint32_t temporal_points;  /* instances in an answer, "limits.temporal_points" */
    uint32_t last_n;           /* largest lastN */
    uint32_t aggregation_periods;
    uint32_t aggregation_values; /* different ones that are counted */
    size_t tenant_bytes;
    int64_t request_us;        /* deadline of the store's part */
    struct reader_limits reader;
    struct filter_limits filter;
    struct projection_limits projection;
};

struct ngsild {
    struct broker *broker;
    bool split_entities; /* when a query does not say whether entities may be split: "query.split_entities" */
    struct ngsild_limits limits;
    const char *version;
    struct str url; /* scheme and authority that clients know the city by; empty: as each of them says */
    struct str alias; /* of this context source, characters of a token (clause 5.2.40) */
    int64_t start_us; /* monotonic */
};

/* Is it a path of this API? */
bool ngsild_owns(struct str path);
/* Takes the request and answers it, now or later. */
void ngsild_handle(struct ngsild *api, struct http_request *http);
/* Answers a request that broke a limit before it was handed over. */
void ngsild_refuse(struct http_request *http, const struct why *why);

#endif
