/* A server on a loop of its own thread, and a raw client that sees every byte. The handler:
 *
 *   /echo      the body back          /defer    the same, from another thread, a little later
 *   /hold      answered by fixture_release()
 *   /stream    an endless answer      /bytes/N  N bytes, owned by the server
 *   /to?URL    302 to URL             /cache?V  with Cache-Control: V
 * anything else: what was looked up.
 * Refusals are answered with the matching code and the limit's name. */
#ifndef TESTS_UNIT_NET_HTTP_FIXTURE_H
#define TESTS_UNIT_NET_HTTP_FIXTURE_H

#include "net/http_server.h"

#include <stdatomic.h>
#include <stdbool.h>

struct fixture {
    struct loop *loop;
    struct http_server *server;
    char address[64];
    int port;
    atomic_int streams_closed, streams_open, held;
    atomic_bool stream_full;
    atomic_int rounds;  /* of the loop */
    atomic_int unsound; /* held requests whose parts were not what was sent */
};

/* Presets for options; the caller changes what it tests. */
struct http_server_options fixture_options(void);
void fixture_start(struct fixture *f, struct http_server_options o);
void fixture_stop(struct fixture *f);
/* Runs on the loop's thread; returns when it is done. */
void fixture_call(struct fixture *f, void (*call)(struct fixture *f));
/* Answers all held requests. */
void fixture_release(struct fixture *f);
/* The same after the server was stopped: nothing is sent, nothing must break. */
void fixture_answer_held(struct fixture *f);
void fixture_stream_write(struct fixture *f, const char *text, size_t times);
void fixture_stream_end(struct fixture *f);
/* Waits up to 30 s until *counter is value. */
bool fixture_wait(atomic_int *counter, int value);

/* A connection whose request waits; there is none other. */
int fixture_hold(struct fixture *f);

/* ---- the raw client ---- */
#define HOST "Host: x\r\n"
/* n letters and a NUL; the caller frees. */
char *raw_letters(size_t n);
int raw_connect(const struct fixture *f);
void raw_send(int fd, const char *text);
void raw_send_bytes(int fd, const void *p, size_t n);
/* Reads one answer with Content-Length (or none) into out, NUL-terminated. False at the end of the
 * connection or after 30 s. */
bool raw_answer(int fd, char *out, size_t room);
/* The same, and fails unless it starts with line and has that body. */
void raw_expect(int fd, char *out, size_t room, const char *line, const char *body);
/* The same for an answer without body although Content-Length says otherwise (HEAD). */
bool raw_head(int fd, char *out, size_t room);
/* Reads until text was seen; false at the end. */
bool raw_until(int fd, const char *text);
/* True when the server closes without another byte within 30 s. */
bool raw_closed(int fd);

#endif
