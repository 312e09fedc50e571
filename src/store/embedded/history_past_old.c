/* Heads of version 1, which had no checksums, no tail, and nothing of what became possible since
 * (docs/formats/history.md). A fold that takes one apart writes it anew. */
#include "base/varint.h"
#include "store/embedded/history_past.h"

#include <endian.h>
#include <string.h>

static bool read_time(struct str *bytes, int64_t *out)
{
    uint64_t little;
    if (bytes->n < sizeof little)
        return false;
    memcpy(&little, bytes->p, sizeof little);
    *bytes = str_from(*bytes, sizeof little);
    *out = (int64_t)le64toh(little);
    return true;
}

static bool read_types(struct past *p, struct str *bytes)
{
    if (!varint_take_u32(bytes, UINT32_MAX, &p->type_count) || p->type_count > bytes->n)
        return false;
    p->types = arena_array(p->arena, uint32_t, p->type_count);
    for (uint32_t i = 0; i < p->type_count; i++)
        if (!varint_take_u32(bytes, p->term_max, &p->types[i]) || p->types[i] == TERM_NONE)
            return false;
    return true;
}

static bool read_series(struct past *p, struct str *bytes)
{
    struct past_series s = {0};
    if (!varint_take_u32(bytes, p->term_max, &s.term) || !varint_take_text(bytes, &s.dataset) ||
        !varint_take(bytes, &s.taken) || !varint_take_u32(bytes, UINT32_MAX, &s.sealed) ||
        !varint_take_u32(bytes, UINT32_MAX, &s.open_count) || !varint_take_text(bytes, &s.open))
        return false;
    const struct past_series *before = p->count ? &p->series[p->count - 1] : NULL;
    if (before && (before->term != s.term ? before->term > s.term : str_cmp(before->dataset, s.dataset) >= 0))
        return false;
    s.opened = s.open.n == 0;
    *past_series(p, s.term, s.dataset) = s;
    return true;
}

bool past_read_old(struct past *p, struct str bytes)
{
    uint32_t count;
    if (!varint_take(&bytes, &p->applied) || !varint_take(&bytes, &p->taken) ||
        !varint_take_u32(&bytes, UINT32_MAX, &p->chunks_made) || !read_time(&bytes, &p->created_at) ||
        !read_time(&bytes, &p->modified_at) || !read_time(&bytes, &p->deleted_at) || !read_types(p, &bytes) ||
        !varint_take_u32(&bytes, UINT32_MAX, &count))
        return false;
    while (p->count < count)
        if (!read_series(p, &bytes))
            return false;
    return bytes.n == 0;
}
