/* See counters.h. */
#include "broker/counters.h"

#include <string.h>

enum { VERSION = 1, HEAD = 8, BYTES = HEAD + 7 * 8 + 4 };
static const char MAGIC[4] = {'W', 'S', 'O', 'C'};

struct subscription_counters counters_none(void)
{
    return (struct subscription_counters){
        .last_notification = TIME_NONE, .last_success = TIME_NONE, .last_failure = TIME_NONE};
}

void counters_write(struct buf *b, const struct subscription_counters *c)
{
    buf_put(b, MAGIC, sizeof MAGIC);
    buf_le32(b, VERSION);
    buf_le64(b, c->sent);
    buf_le64(b, c->failed);
    buf_le64(b, c->merged);
    buf_le64(b, c->dropped);
    buf_le64(b, (uint64_t)c->last_notification);
    buf_le64(b, (uint64_t)c->last_success);
    buf_le64(b, (uint64_t)c->last_failure);
    buf_le32(b, c->last_failed);
}

static uint32_t le32_at(struct str bytes, size_t at)
{
    uint32_t v;
    memcpy(&v, bytes.p + at, sizeof v);
    return v;
}

static uint64_t le64_at(struct str bytes, size_t number)
{
    uint64_t v;
    memcpy(&v, bytes.p + HEAD + 8 * number, sizeof v);
    return v;
}

bool counters_read(struct subscription_counters *c, struct str bytes)
{
    if (bytes.n < BYTES || memcmp(bytes.p, MAGIC, sizeof MAGIC) != 0 ||
        le32_at(bytes, sizeof MAGIC) != VERSION)
        return false;
    *c = (struct subscription_counters){
        .sent = le64_at(bytes, 0),
        .failed = le64_at(bytes, 1),
        .merged = le64_at(bytes, 2),
        .dropped = le64_at(bytes, 3),
        .last_notification = (int64_t)le64_at(bytes, 4),
        .last_success = (int64_t)le64_at(bytes, 5),
        .last_failure = (int64_t)le64_at(bytes, 6),
        .last_failed = le32_at(bytes, BYTES - 4),
    };
    return true;
}
