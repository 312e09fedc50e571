/* Lines are looked at where they lie when they came whole, which is the ordinary case, and gathered
 * in the parser's room when they came in pieces.
 *
 *   STATUS → HEADERS → (1xx: STATUS) → NO BODY: end
 *                                    → LENGTH: end     → UNTIL_CLOSE: end of the connection
 *                                    → CHUNK_SIZE → CHUNK → CHUNK_END → CHUNK_SIZE … → TRAILERS: end */
#include "net/http_answer.h"

#include <string.h>

enum state { STATUS, HEADERS, LENGTH, UNTIL_CLOSE, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS, END, BROKEN };

void http_answer_init(struct http_answer *a)
{
    a->status = 0;
    a->keep = false;
    a->body_bytes = 0;
    a->bad = NULL;
    a->state = STATUS;
    a->length_given = a->chunked = a->coded = a->close = a->keep_alive = a->old = false;
    a->code = 0;
    a->left = 0;
    a->head_bytes = 0;
    a->line_bytes = 0;
}

static void broken(struct http_answer *a, const char *why)
{
    a->state = BROKEN;
    a->bad = why;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void status_line(struct http_answer *a, struct str line)
{
    if (line.n < 12 || !str_starts(line, STR("HTTP/1.")) || !is_digit(line.p[7]) || line.p[8] != ' ' ||
        !is_digit(line.p[9]) || !is_digit(line.p[10]) || !is_digit(line.p[11]) || (line.n > 12 && line.p[12] != ' ')) {
        broken(a, "the answer does not begin like one of HTTP/1");
        return;
    }
    a->old = line.p[7] == '0';
    a->code = (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + (line.p[11] - '0');
    if (a->code < 100 || a->code == 101)
        broken(a, "the answer has a status that was not asked for");
    else
        a->state = HEADERS;
}

static void length_header(struct http_answer *a, struct str value)
{
    unsigned long long n;
    if (!str_to_u64(value, INT64_MAX, &n) || (a->length_given && a->left != n)) {
        broken(a, "the answer's Content-Length is no single number");
        return;
    }
    a->length_given = true;
    a->left = n;
}

/* Only the last coding says how the body ends. */
static void coding_header(struct http_answer *a, struct str value)
{
    struct str coding, rest = value;
    while (str_split(&rest, ',', &coding))
        a->chunked = str_eq_fold(str_trim(coding), STR("chunked"));
    a->coded = true;
}

static void connection_header(struct http_answer *a, struct str value)
{
    struct str option, rest = value;
    while (str_split(&rest, ',', &option)) {
        a->close |= str_eq_fold(str_trim(option), STR("close"));
        a->keep_alive |= str_eq_fold(str_trim(option), STR("keep-alive"));
    }
}

static void header_line(struct http_answer *a, struct str line)
{
    size_t colon = str_find_char(line, ':');
    if (colon == STR_NPOS || colon == 0) {
        if (line.p[0] != ' ' && line.p[0] != '\t') /* a folded line belongs to the one before */
            broken(a, "the answer has a header without a name");
        return;
    }
    struct str name = str_head(line, colon), value = str_trim(str_from(line, colon + 1));
    if (name.n == 14 && str_eq_fold(name, STR("Content-Length")))
        length_header(a, value);
    else if (name.n == 17 && str_eq_fold(name, STR("Transfer-Encoding")))
        coding_header(a, value);
    else if (name.n == 10 && str_eq_fold(name, STR("Connection")))
        connection_header(a, value);
}

/* RFC 9112 section 6.3. */
static void head_end(struct http_answer *a)
{
    if (a->code < 200) { /* interim: the answer is still to come */
        size_t head_bytes = a->head_bytes;
        http_answer_init(a);
        a->head_bytes = head_bytes;
        return;
    }
    a->status = a->code;
    a->keep = !a->close && (!a->old || a->keep_alive) && !(a->coded && a->length_given);
    if (a->code == 204 || a->code == 304)
        a->state = END;
    else if (a->coded)
        a->state = a->chunked ? CHUNK_SIZE : UNTIL_CLOSE;
    else if (a->length_given)
        a->state = a->left ? LENGTH : END;
    else
        a->state = UNTIL_CLOSE;
    if (a->state == UNTIL_CLOSE)
        a->keep = false;
}

static void chunk_size_line(struct http_answer *a, struct str line)
{
    uint64_t size = 0;
    size_t i = 0;
    for (; i < line.n && i < 15; i++) {
        char c = line.p[i];
        if (is_digit(c))
            size = size << 4 | (uint64_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            size = size << 4 | (uint64_t)((c | 32) - 'a' + 10);
        else
            break;
    }
    if (i == 0 || (i < line.n && line.p[i] != ';' && line.p[i] != ' ' && line.p[i] != '\t')) {
        broken(a, "the answer has a chunk without a size");
        return;
    }
    a->left = size;
    a->state = size ? CHUNK : TRAILERS;
}

/* line: without its end. */
static void take_line(struct http_answer *a, struct str line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    switch (a->state) {
    case STATUS:
        if (line.n) /* an empty line before it is let pass (RFC 9112 section 2.2) */
            status_line(a, line);
        break;
    case HEADERS:
        if (line.n)
            header_line(a, line);
        else
            head_end(a);
        break;
    case CHUNK_SIZE:
        chunk_size_line(a, line);
        break;
    case CHUNK_END:
        if (line.n)
            broken(a, "a chunk of the answer is longer than its size");
        else
            a->state = CHUNK_SIZE;
        break;
    default: /* TRAILERS */
        if (!line.n)
            a->state = END;
        break;
    }
}

static void keep_piece(struct http_answer *a, struct str piece)
{
    if (a->line_bytes < sizeof a->line) {
        size_t room = sizeof a->line - a->line_bytes;
        memcpy(a->line + a->line_bytes, piece.p, piece.n < room ? piece.n : room);
    }
    a->line_bytes += piece.n;
}

/* A line, or what there is of it; how many bytes were taken. Lines of chunks count as head, in each
 * chunk anew. */
static size_t feed_line(struct http_answer *a, struct str bytes)
{
    size_t end = str_find_char(bytes, '\n');
    size_t n = end == STR_NPOS ? bytes.n : end + 1;
    struct str piece = str_head(bytes, end == STR_NPOS ? bytes.n : end);
    a->head_bytes += n;
    if (a->head_bytes > HTTP_ANSWER_HEAD_MAX) {
        broken(a, "the answer's head has more than 64 KiB");
        return n;
    }
    if (end == STR_NPOS) {
        keep_piece(a, piece);
        return n;
    }
    if (a->line_bytes) {
        keep_piece(a, piece);
        piece = (struct str){a->line, a->line_bytes < sizeof a->line ? a->line_bytes : sizeof a->line};
    }
    a->line_bytes = 0;
    take_line(a, piece);
    return n;
}

static size_t feed_body(struct http_answer *a, size_t n)
{
    if (a->state == UNTIL_CLOSE) {
        a->body_bytes += n;
        return n;
    }
    if (n > a->left)
        n = (size_t)a->left;
    a->left -= n;
    a->body_bytes += n;
    if (a->left == 0) {
        a->state = a->state == CHUNK ? CHUNK_END : END;
        a->head_bytes = 0;
    }
    return n;
}

enum http_answer_progress http_answer_feed(struct http_answer *a, struct str bytes, size_t *used)
{
    size_t at = 0;
    while (at < bytes.n && a->state != END && a->state != BROKEN) {
        bool body = a->state == LENGTH || a->state == UNTIL_CLOSE || a->state == CHUNK;
        at += body ? feed_body(a, bytes.n - at) : feed_line(a, str_from(bytes, at));
    }
    *used = at;
    return a->state == END ? HTTP_ANSWER_DONE : a->state == BROKEN ? HTTP_ANSWER_BAD : HTTP_ANSWER_MORE;
}

enum http_answer_progress http_answer_eof(struct http_answer *a)
{
    if (a->state == UNTIL_CLOSE)
        a->state = END;
    if (a->state == END)
        return HTTP_ANSWER_DONE;
    if (a->state != BROKEN)
        broken(a, "the connection ended before the answer did");
    return HTTP_ANSWER_BAD;
}
