/* The bytes of a head, as docs/formats/history.md draws them: the entity's own fields and those of each series have a checksum
 * each, the open chunks of a series bring theirs. So damage is found, and costs what it hit and no more: behind it, the next
 * series is looked for by the checksum that fits. */
#include "store/embedded/history_past.h"

#include "base/hash.h"
#include "base/varint.h"
#include "store/embedded/history_chunk.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define HEAD_MARK 0 /* a head of version 1 begins with a change, which is never 0 */

enum { HEAD_BEGIN = 6, CHECKSUM = 4, TAIL_WHOLE_MAX = HEAD_BEGIN + CHECKSUM + PAST_TAIL_BYTES + CHECKSUM };

/* ---- writing ---- */

/* Of what stands behind `from`. */
static void write_checksum(struct buf *b, size_t from)
{
    buf_le32(b, crc32c(0, b->p + from, b->n - from));
}

static void write_fields(struct buf *b, const struct past *p)
{
    size_t from = b->n;
    varint_write(b, p->applied);
    varint_write(b, p->taken);
    varint_write(b, p->chunks_made);
    buf_le64(b, (uint64_t)p->created_at);
    buf_le64(b, (uint64_t)p->modified_at);
    buf_le64(b, (uint64_t)p->deleted_at);
    bool expires = p->expires_at != TIME_NONE;
    varint_write(b, (uint64_t)p->type_count << 1 | expires);
    if (expires)
        buf_le64(b, (uint64_t)p->expires_at);
    for (uint32_t i = 0; i < p->type_count; i++)
        varint_write(b, p->types[i]);
    varint_write(b, p->count);
    write_checksum(b, from);
}

static void write_kept(struct buf *b, const struct past_series *s)
{
    unsigned levels = 0;
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        levels |= (unsigned)(s->kept[k] > 0) << k;
    varint_write(b, levels);
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        if (s->kept[k])
            varint_write(b, s->kept[k]);
}

/* What was open stays as it is; new points are a chunk behind it. */
static void write_series(struct buf *b, const struct past_series *s)
{
    struct buf chunk;
    buf_init(&chunk, SIZE_MAX / 2);
    if (s->count) {
        points_sort(s->points, s->count);
        chunk_write(&chunk, s->points, s->count);
    }
    size_t from = b->n, fresh = s->count ? varint_bytes(chunk.n) + chunk.n : 0;
    varint_write(b, s->term);
    varint_write_text(b, s->dataset);
    varint_write(b, s->taken);
    varint_write(b, s->sealed);
    write_kept(b, s);
    varint_write(b, s->open_count + s->count);
    varint_write(b, s->open.n + fresh);
    write_checksum(b, from);
    buf_str(b, s->open);
    if (s->count)
        varint_write_text(b, buf_view(&chunk));
    buf_free(&chunk);
}

void past_write_body(struct buf *b, const struct past *p)
{
    write_fields(b, p);
    for (uint32_t i = 0; i < p->count; i++)
        write_series(b, &p->series[i]);
}

void past_head_write(struct buf *b, const struct past_head *h, struct str more)
{
    assert(h->tail.n + more.n <= PAST_TAIL_BYTES);
    size_t from = b->n;
    buf_char(b, HEAD_MARK);
    buf_char(b, (char)h->listed);
    buf_le32(b, (uint32_t)(h->tail.n + more.n));
    write_checksum(b, from);
    from = b->n;
    buf_str(b, h->tail);
    buf_str(b, more);
    write_checksum(b, from);
    buf_str(b, h->body);
}

void past_write(struct buf *b, const struct past *p)
{
    past_head_write(b, &(struct past_head){.listed = p->listed, .tail = STR(""), .body = STR("")}, STR(""));
    past_write_body(b, p);
}

/* ---- reading ---- */

/* Of what has been taken off the front of *from; takes it off, too. */
static bool checksum_holds(struct str from, struct str *bytes)
{
    uint32_t crc;
    size_t n = from.n - bytes->n;
    if (bytes->n < sizeof crc)
        return false;
    memcpy(&crc, bytes->p, sizeof crc);
    *bytes = str_from(*bytes, sizeof crc);
    return le32toh(crc) == crc32c(0, from.p, n);
}

static bool read_begin(struct past_head *h, struct str *bytes, uint32_t *tail)
{
    struct str from = *bytes;
    if (bytes->n < HEAD_BEGIN)
        return false;
    h->listed = (uint8_t)bytes->p[1];
    memcpy(tail, bytes->p + 2, sizeof *tail);
    *tail = le32toh(*tail);
    *bytes = str_from(*bytes, HEAD_BEGIN);
    return checksum_holds(from, bytes) && h->listed <= PAST_LISTED && *tail <= PAST_TAIL_BYTES && *tail <= bytes->n;
}

enum status past_head_read(struct past_head *h, struct str bytes, struct why *why)
{
    uint32_t tail;
    *h = (struct past_head){.tail = STR(""), .body = bytes};
    if (!bytes.n || bytes.p[0] != HEAD_MARK)
        return OK; /* version 1 */
    h->body = STR_NONE;
    if (!read_begin(h, &bytes, &tail)) {
        h->listed = PAST_LISTED_UNKNOWN;
        return why_set(why, E_DAMAGED, NULL, "the head of a history does not begin as it was written");
    }
    struct str from = bytes;
    h->tail = str_head(bytes, tail);
    bytes = str_from(bytes, tail);
    bool holds = checksum_holds(from, &bytes);
    h->body = bytes;
    if (holds)
        return OK;
    h->tail = STR("");
    return why_set(why, E_DAMAGED, NULL, "what stands behind the head of a history is not what was written");
}

bool past_take_time(struct str *bytes, int64_t *out)
{
    uint64_t little;
    if (bytes->n < sizeof little)
        return false;
    memcpy(&little, bytes->p, sizeof little);
    *bytes = str_from(*bytes, sizeof little);
    *out = (int64_t)le64toh(little);
    return true;
}

bool past_take_types(struct past *p, struct str *bytes, uint64_t count)
{
    if (count > bytes->n)
        return false;
    p->type_count = (uint32_t)count;
    p->types = arena_array(p->arena, uint32_t, p->type_count);
    for (uint32_t i = 0; i < p->type_count; i++)
        if (!varint_take_u32(bytes, p->term_max, &p->types[i]) || p->types[i] == TERM_NONE)
            return false;
    return true;
}

static bool read_types(struct past *p, struct str *bytes)
{
    uint64_t count;
    return varint_take(bytes, &count) && (!(count & 1) || past_take_time(bytes, &p->expires_at)) &&
           past_take_types(p, bytes, count >> 1);
}

static bool read_fields(struct past *p, struct str *bytes, uint32_t *count)
{
    struct str from = *bytes;
    return varint_take(bytes, &p->applied) && varint_take(bytes, &p->taken) &&
           varint_take_u32(bytes, UINT32_MAX, &p->chunks_made) && past_take_time(bytes, &p->created_at) &&
           past_take_time(bytes, &p->modified_at) && past_take_time(bytes, &p->deleted_at) && read_types(p, bytes) &&
           varint_take_u32(bytes, UINT32_MAX, count) && checksum_holds(from, bytes);
}

static bool read_kept(struct str *bytes, struct past_series *s)
{
    uint64_t levels;
    bool good = varint_take(bytes, &levels) && levels >> RETENTION_LEVEL_COUNT == 0;
    for (int k = 0; good && k < RETENTION_LEVEL_COUNT; k++)
        good = !(levels >> k & 1) || (varint_take(bytes, &s->kept[k]) && s->kept[k]);
    return good;
}

/* One that follows `before` (NULL: the first), with what is open of it, or what is left of that: then *cut. */
static bool read_series(const struct past *p, struct str *bytes, const struct past_series *before, struct past_series *s,
                        bool *cut)
{
    struct str from = *bytes;
    uint64_t open;
    *s = (struct past_series){0};
    if (!varint_take_u32(bytes, p->term_max, &s->term) || !varint_take_text(bytes, &s->dataset) ||
        !varint_take(bytes, &s->taken) || !varint_take_u32(bytes, UINT32_MAX, &s->sealed) ||
        !read_kept(bytes, s) || !varint_take_u32(bytes, UINT32_MAX, &s->open_count) || !varint_take(bytes, &open) || !checksum_holds(from, bytes))
        return false;
    if (before && (before->term != s->term ? before->term > s->term : str_cmp(before->dataset, s->dataset) >= 0))
        return false;
    *cut = open > bytes->n;
    s->open = str_head(*bytes, *cut ? bytes->n : (size_t)open);
    s->opened = s->open.n == 0;
    *bytes = str_from(*bytes, s->open.n);
    return true;
}

/* All that are there. False: some are not. */
static bool read_all_series(struct past *p, struct str bytes)
{
    bool whole = true, cut;
    struct past_series s;
    while (bytes.n) {
        struct str rest = bytes;
        if (read_series(p, &rest, p->count ? &p->series[p->count - 1] : NULL, &s, &cut)) {
            bytes = rest;
            whole = whole && !cut;
            *past_series(p, s.term, s.dataset) = s;
        } else {
            bytes = str_from(bytes, 1); /* the next one is farther behind */
            whole = false;
        }
    }
    return whole;
}

/* The entity's own fields, farther behind than they should begin, but not by more than a tail. */
static bool find_fields(struct past *p, struct str bytes, struct str *rest, uint32_t *count)
{
    for (uint32_t i = 1; i <= TAIL_WHOLE_MAX && i < bytes.n; i++) {
        struct arena_mark before = arena_mark(p->arena);
        *rest = str_from(bytes, i);
        if (read_fields(p, rest, count))
            return true;
        arena_rewind(p->arena, before);
    }
    return false;
}

void past_lose(struct past *p)
{
    past_init(p, p->term_max, p->arena);
    p->lost = p->series_lost = true;
}

enum status past_read(struct past *p, struct str bytes, struct why *why)
{
    struct past_head h;
    struct str rest;
    uint32_t count = 0;
    if (bytes.n && bytes.p[0] != HEAD_MARK) {
        if (past_read_old(p, bytes))
            return OK;
        past_init(p, p->term_max, p->arena);
    }
    enum status st = past_head_read(&h, bytes, why);
    bool begins = !str_absent(h.body);
    if (begins)
        bytes = rest = h.body;
    if (!begins || !read_fields(p, &rest, &count)) {
        if (st == OK)
            st = why_set(why, E_DAMAGED, NULL, "the head of a history does not begin as it was written");
        if (!find_fields(p, bytes, &rest, &count)) {
            past_lose(p);
            rest = str_from(bytes, 1);
        }
    }
    p->listed = h.listed;
    bool whole = read_all_series(p, rest) && !p->lost && p->count == count;
    uint32_t told = p->count;
    p->series_lost = !whole || st != OK;
    enum status of_tail = past_apply(p, h.tail, why);
    st = st == OK ? of_tail : st;
    if (p->lost)
        return why_set(why, E_DAMAGED, NULL, "the head of a history is not what was written");
    if (!whole)
        return why_set(why, E_DAMAGED, NULL, "of a history's %u series, the head tells %u as they were written", count, told);
    p->series_lost = st != OK;
    return st;
}
