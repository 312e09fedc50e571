/* Texts. What repeats is stored once; what is left goes through zstd where that makes it an eighth shorter at least. */
#include "store/embedded/history_column.h"

#include "base/hash.h"
#include "base/varint.h"

#include <assert.h>
#include <string.h>
#include <zstd.h>

enum { PLAIN, ZSTD, ZSTD_LEVEL = 3, WORTH_TRYING = 96 };

/* ---- writing ---- */

static bool same(struct str a, uint8_t a_flag, struct str b, uint8_t b_flag)
{
    return a_flag == b_flag && str_eq(a, b);
}

uint32_t column_texts_distinct(const struct str *texts, const uint8_t *flags, uint32_t n, struct arena *scratch,
                               int64_t *at, uint32_t *first)
{
    uint32_t slots = 8, distinct = 0;
    while (slots < 2 * n)
        slots *= 2;
    uint32_t *table = arena_zarray(scratch, uint32_t, slots); /* 1 + which */
    for (uint32_t i = 0; i < n; i++) {
        if (i && same(texts[i], flags[i], texts[i - 1], flags[i - 1])) {
            at[i] = at[i - 1];
            continue;
        }
        uint32_t slot = (uint32_t)hash_str(texts[i]) & (slots - 1);
        while (table[slot] && !same(texts[i], flags[i], texts[first[table[slot] - 1]], flags[first[table[slot] - 1]]))
            slot = (slot + 1) & (slots - 1);
        if (!table[slot]) {
            first[distinct] = i;
            table[slot] = ++distinct;
        }
        at[i] = table[slot] - 1;
    }
    return distinct;
}

static void write_plain(struct buf *b, const struct str *texts, const uint32_t *first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        buf_str(b, texts[first[i]]);
}

/* False: it does not pay, and nothing was written. */
static bool write_compressed(struct buf *b, const struct str *texts, const uint32_t *first, uint32_t n, size_t bytes,
                             struct arena *scratch)
{
    if (bytes < WORTH_TRYING || bytes > COLUMN_INFLATED_MAX)
        return false;
    char *raw = arena_alloc(scratch, bytes), *to = raw;
    for (uint32_t i = 0; i < n; i++) {
        struct str text = texts[first[i]];
        if (text.n)
            memcpy(to, text.p, text.n);
        to += text.n;
    }
    size_t most = ZSTD_compressBound(bytes);
    char *packed = arena_alloc(scratch, most);
    size_t took = ZSTD_compress(packed, most, raw, bytes, ZSTD_LEVEL);
    if (ZSTD_isError(took) || took > bytes - bytes / 8)
        return false;
    buf_char(b, ZSTD);
    varint_write(b, took);
    buf_put(b, packed, took);
    return true;
}

void column_texts_write(struct buf *b, const struct str *texts, const uint8_t *flags, uint32_t n, struct arena *scratch)
{
    assert(n <= COLUMN_VALUES_MAX);
    if (!n)
        return;
    int64_t *at = arena_array(scratch, int64_t, n), *lengths = arena_array(scratch, int64_t, n);
    uint32_t *first = arena_array(scratch, uint32_t, n);
    uint32_t distinct = column_texts_distinct(texts, flags, n, scratch, at, first);
    varint_write(b, distinct);
    if (distinct > 1)
        column_ints_write(b, at, n);
    size_t bytes = 0;
    for (uint32_t i = 0; i < distinct; i++) {
        lengths[i] = (int64_t)(texts[first[i]].n << 1 | flags[first[i]]);
        bytes += texts[first[i]].n;
    }
    column_ints_write(b, lengths, distinct);
    if (write_compressed(b, texts, first, distinct, bytes, scratch))
        return;
    buf_char(b, PLAIN);
    write_plain(b, texts, first, distinct);
}

/* ---- reading ---- */

/* The distinct texts, end to end. */
static struct str read_bytes(struct column_source *s, uint64_t bytes, struct arena *a)
{
    uint8_t how = column_byte_read(s);
    if (how == PLAIN)
        return column_bytes_read(s, bytes);
    uint64_t took = column_uint_read(s);
    struct str packed = column_bytes_read(s, took);
    s->bad = s->bad || how != ZSTD || bytes > COLUMN_INFLATED_MAX;
    if (s->bad)
        return STR("");
    char *raw = arena_alloc(a, bytes + 1);
    s->bad = ZSTD_decompress(raw, bytes, packed.p, packed.n) != bytes;
    return (struct str){raw, bytes};
}

/* Where each distinct text ends, from what its length and flag are. */
static uint64_t read_lengths(struct column_source *s, uint32_t n, int64_t *lengths)
{
    uint64_t bytes = 0;
    if (!column_ints_read(s, n, lengths))
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        s->bad = s->bad || lengths[i] < 0 || lengths[i] >> 1 > UINT32_MAX;
        bytes += (uint64_t)lengths[i] >> 1;
    }
    return bytes;
}

bool column_texts_read(struct column_source *s, uint32_t n, struct arena *a, struct str *out, uint8_t *flags, uint32_t *at)
{
    int64_t which[COLUMN_VALUES_MAX], lengths[COLUMN_VALUES_MAX];
    struct str texts[COLUMN_VALUES_MAX];
    assert(n <= COLUMN_VALUES_MAX);
    if (!n || s->bad)
        return !s->bad;
    uint64_t distinct = column_uint_read(s);
    s->bad = s->bad || !distinct || distinct > n;
    if (!s->bad && distinct > 1)
        column_ints_read(s, n, which);
    else
        memset(which, 0, n * sizeof *which);
    uint64_t bytes = s->bad ? 0 : read_lengths(s, (uint32_t)distinct, lengths);
    if (s->bad)
        return false;
    struct str rest = read_bytes(s, bytes, a);
    if (s->bad)
        return false;
    for (uint32_t i = 0; i < distinct; i++) {
        texts[i] = str_head(rest, (size_t)(lengths[i] >> 1));
        rest = str_from(rest, texts[i].n);
    }
    for (uint32_t i = 0; i < n; i++) {
        if ((uint64_t)which[i] >= distinct) {
            s->bad = true;
            return false;
        }
        out[i] = texts[which[i]];
        flags[i] = lengths[which[i]] & 1;
        if (at)
            at[i] = (uint32_t)which[i];
    }
    return true;
}
