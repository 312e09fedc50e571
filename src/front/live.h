/* GET /live?<entity query>&tenant=…: an endless answer of server-sent events. First the entities that
 * match, then what becomes of them:
 *
 *   entity   one that matches, while the answer begins      ready   that was all of them
 *   appear   an entity matches from now on                  change  one that matched still does
 *   leave    one does not match any more                    delete  one that matched is gone
 *   reset    forget what you have: it begins anew           error   and the stream ends
 *
 * data is the entity as the query wants it represented, of leave and delete its id and type. id is the
 * point to go on from with Last-Event-ID; when that lies behind what is kept, or is of another start of
 * the program, the answer is a reset and the entities again. Parameters are those of a query of entities
 * without paging and links, and tenant, context and accept, because a browser's EventSource sends no headers.
 *
 * A change is matched once for each distinct query and represented once for each distinct view, on a
 * thread of its own that is started by the first stream. */
#ifndef FRONT_LIVE_H
#define FRONT_LIVE_H

#include "front/ngsild/ngsild.h"

struct live;

struct live_options {
    struct ngsild *api;     /* borrowed; its broker has the store by live_listen() */
    uint32_t streams_max;   /* "live.streams" */
    size_t ring_bytes_max;  /* recent changes kept to go on from, "live.ring_bytes" */
    int64_t heartbeat_us;     /* a stream says that it is there */
    size_t pending_bytes_max; /* events that wait for one slow reader, "live.pending_bytes" */
};

struct live_stats {
    uint64_t streams; /* open */
    uint64_t opened, events, dropped; /* totals: streams; what they were told; readers ended for being too slow */
};

/* Caller owns. */
struct live *live_new(const struct live_options *o);
/* Listens to the store's changes; before it serves. */
void live_listen(struct live *l);
/* Is it the path of this front, and answered therefore? */
bool live_handle(struct live *l, struct http_request *r);
/* Any thread. */
void live_stats(struct live *l, struct live_stats *out);
/* After the servers have been stopped, before the store is closed. NULL is fine. */
void live_stop(struct live *l);
/* After the store is closed. NULL is fine. */
void live_free(struct live *l);

#endif
