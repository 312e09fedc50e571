/* Answers of receivers, whole and in pieces: both ways the same end, status and length. The first byte
 * says how long the pieces are. */
#include "fuzz.h"

#include "net/http_answer.h"

struct end {
    enum http_answer_progress progress;
    size_t used;
    struct http_answer answer;
};

static struct end feed(struct str bytes, size_t piece)
{
    struct end e = {.progress = HTTP_ANSWER_MORE};
    http_answer_init(&e.answer);
    while (e.used < bytes.n && e.progress == HTTP_ANSWER_MORE) {
        struct str part = str_head(str_from(bytes, e.used), piece);
        size_t used;
        e.progress = http_answer_feed(&e.answer, part, &used);
        fuzz_require(used <= part.n && (used == part.n || e.progress != HTTP_ANSWER_MORE));
        e.used += used;
    }
    if (e.progress == HTTP_ANSWER_MORE)
        e.progress = http_answer_eof(&e.answer);
    fuzz_require(e.progress != HTTP_ANSWER_MORE);
    fuzz_require((e.progress == HTTP_ANSWER_BAD) == (e.answer.bad != NULL));
    fuzz_require(e.progress != HTTP_ANSWER_DONE || (e.answer.status >= 200 && e.answer.status <= 999));
    fuzz_require(e.answer.body_bytes <= bytes.n);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str bytes = {(const char *)data + 1, size - 1};
    struct end whole = feed(bytes, bytes.n + 1), pieces = feed(bytes, data[0] + (size_t)1);
    if (bytes.n > HTTP_ANSWER_LINE) /* a longer line is kept in part when it comes in pieces */
        return 0;
    fuzz_require(whole.progress == pieces.progress && whole.used == pieces.used);
    fuzz_require(whole.answer.status == pieces.answer.status && whole.answer.keep == pieces.answer.keep);
    fuzz_require(whole.answer.body_bytes == pieces.answer.body_bytes);
    return 0;
}
