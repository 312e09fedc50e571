/* Heads of version 1, which had no checksums, no tail, and nothing of what became possible since
 * (docs/formats/history.md). A fold that takes one apart writes it anew. */
#include "base/varint.h"
#include "store/embedded/history_past.h"

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
    uint32_t types, count;
    if (!varint_take(&bytes, &p->applied) || !varint_take(&bytes, &p->taken) ||
        !varint_take_u32(&bytes, UINT32_MAX, &p->chunks_made) || !past_take_time(&bytes, &p->created_at) ||
        !past_take_time(&bytes, &p->modified_at) || !past_take_time(&bytes, &p->deleted_at) || !varint_take_u32(&bytes, UINT32_MAX, &types) ||
        !past_take_types(p, &bytes, types) ||
        !varint_take_u32(&bytes, UINT32_MAX, &count))
        return false;
    while (p->count < count)
        if (!read_series(p, &bytes))
            return false;
    return bytes.n == 0;
}
