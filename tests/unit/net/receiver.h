/* A receiver of notifications that misbehaves as the path says, on a thread for each connection:
 *
 *   /ok       204                           /500      500 with a body
 *   /chunked  200, chunked, with a trailer  /interim  100 and 103 before 200
 *   /old      HTTP/1.0, ends with the connection
 *   /close    200 with Connection: close    /leave    200, then closes without a word
 *   /drop     closes without an answer      /stall    never answers
 *   /dribble  200, byte by byte             /garbage  no HTTP at all
 *   /early    413 before the body was read  /huge     200 with 50 MB
 *   /unending 200 with a body that stops halfway
 */
#ifndef TESTS_UNIT_NET_RECEIVER_H
#define TESTS_UNIT_NET_RECEIVER_H

#include <stdatomic.h>

struct receiver {
    int port;
    int fd;
    atomic_int connections, posts, wrong; /* wrong: a request that was not what Content-Length said */
};

/* One at a time. */
void receiver_start(struct receiver *r);
/* Closes all, waits for its threads. */
void receiver_stop(struct receiver *r);

/* "localhost", "Localhost", "lOcalhost" …, i below 512: receivers are told apart by the authority as it is written. */
void receiver_name(char out[static 10], int i);

#endif
