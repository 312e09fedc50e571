/* Bytes of a record, written and read; docs/formats/log.md. */
#include "store/embedded/record.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

struct header {
    uint8_t version, kind, document_kind, zero;
    uint32_t length;
    uint64_t seq;
    uint64_t origin;
    int64_t at_us;
    uint32_t tenant;
    uint32_t changed_count;
    uint32_t key_bytes;
    uint32_t block_bytes;
};
static_assert(sizeof(struct header) == RECORD_HEADER, "docs/formats/log.md");
static_assert(offsetof(struct header, seq) == 8, "docs/formats/log.md");
static_assert(offsetof(struct header, at_us) == 24, "docs/formats/log.md");
static_assert(offsetof(struct header, block_bytes) == 44, "docs/formats/log.md");
#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "the log is written as the machine has it: little-endian"
#endif

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

size_t record_bytes(const struct record *r)
{
    return RECORD_HEADER + padded(r->changed_count * sizeof(uint32_t)) + padded(r->key.n) +
           padded(r->block.n);
}

static char *put_padded(char *to, const void *p, size_t n)
{
    size_t all = padded(n);
    if (n)
        memcpy(to, p, n);
    memset(to + n, 0, all - n);
    return to + all;
}

void record_write(const struct record *r, void *out)
{
    size_t length = record_bytes(r);
    assert(length <= UINT32_MAX && (uintptr_t)out % 8 == 0);
    struct header h = {
        .version = RECORD_VERSION,
        .kind = r->kind,
        .document_kind = r->document_kind,
        .length = (uint32_t)length,
        .seq = r->seq,
        .origin = r->origin,
        .at_us = r->at_us,
        .tenant = r->tenant,
        .changed_count = r->changed_count,
        .key_bytes = (uint32_t)r->key.n,
        .block_bytes = (uint32_t)r->block.n,
    };
    char *to = out;
    memcpy(to, &h, sizeof h);
    to = put_padded(to + sizeof h, r->changed, r->changed_count * sizeof(uint32_t));
    to = put_padded(to, r->key.p, r->key.n);
    to = put_padded(to, r->block.p, r->block.n);
    assert((size_t)(to - (char *)out) == length);
}

enum status record_read(const void *p, size_t n, struct record *r, size_t *used, struct why *why)
{
    struct header h;
    if (n < sizeof h)
        return why_set(why, E_DAMAGED, NULL, "a record's header is cut off");
    memcpy(&h, p, sizeof h);
    if (h.version > RECORD_VERSION)
        return why_set(why, E_NOT_SUPPORTED, NULL,
                       "a record has version %u; this program knows versions up to %d", h.version,
                       RECORD_VERSION);
    size_t changed = padded((size_t)h.changed_count * sizeof(uint32_t));
    size_t key = padded(h.key_bytes), block = padded(h.block_bytes);
    if (h.version == 0 || h.kind == 0 || h.kind >= RECORD_KIND_COUNT || h.zero)
        return why_set(why, E_DAMAGED, NULL, "a record has version %u and kind %u", h.version,
                       h.kind);
    if (h.length > n || sizeof h + changed + key + block != h.length)
        return why_set(why, E_DAMAGED, NULL, "a record's lengths disagree");
    const char *at = (const char *)p + sizeof h;
    *r = (struct record){
        .kind = h.kind,
        .document_kind = h.document_kind,
        .seq = h.seq,
        .origin = h.origin,
        .at_us = h.at_us,
        .tenant = h.tenant,
        .changed_count = h.changed_count,
        .changed = (const uint32_t *)(const void *)at,
        .key = {at + changed, h.key_bytes},
        .block = {at + changed + key, h.block_bytes},
    };
    *used = h.length;
    return OK;
}
