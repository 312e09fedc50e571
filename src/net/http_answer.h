/* What an HTTP/1.1 receiver answers, read as it comes: the status and where the answer ends
 * (RFC 9112 sections 4 and 6). The body itself is passed over. Nothing is allocated; a line
 * longer than the parser's own room keeps its beginning, which no header of interest exceeds. */
#ifndef NET_HTTP_ANSWER_H
#define NET_HTTP_ANSWER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_ANSWER_HEAD_MAX = 64 << 10, HTTP_ANSWER_LINE = 256 };

enum http_answer_progress {
    HTTP_ANSWER_MORE, /* not at its end yet */
    HTTP_ANSWER_DONE,
    HTTP_ANSWER_BAD, /* no HTTP/1 answer, or one that can be read in two ways; says why */
};

struct http_answer {
    /* out */
    int status;        /* of the final answer, 0 until its head is complete */
    bool keep;         /* the connection may be used again; valid with DONE */
    uint64_t body_bytes; /* passed over so far */
    const char *bad;   /* with BAD: static */
    /* the parser's own */
    uint8_t state;
    bool length_given, chunked, coded, close, keep_alive, old;
    int code;
    uint64_t left; /* of the body or the chunk */
    size_t head_bytes;
    size_t line_bytes; /* may exceed the room */
    char line[HTTP_ANSWER_LINE];
};

void http_answer_init(struct http_answer *a);
/* Takes bytes; *used says how many belong to this answer, all of them unless DONE or BAD. */
enum http_answer_progress http_answer_feed(struct http_answer *a, struct str bytes, size_t *used);
/* The connection ended: DONE when that is how this answer ends. */
enum http_answer_progress http_answer_eof(struct http_answer *a);

#endif
