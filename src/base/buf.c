/* Growing buffers; numbers through tables and the shortest-double shim. */
#include "base/buf.h"

#include "base/number.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t bytes_max)
{
    assert(bytes_max > 0);
    *b = (struct buf){.max = bytes_max};
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

bool buf_reserve_slow(struct buf *b, size_t n)
{
    if (b->full || n > b->max || b->n > b->max - n) {
        b->full = true;
        return false;
    }
    size_t cap = b->cap ? b->cap : 512;
    while (cap < b->n + n)
        cap *= 2;
    if (cap > b->max)
        cap = b->max;
    b->p = mem_realloc(b->p, cap);
    b->cap = cap;
    return true;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    assert(n >= 0);
    if (buf_reserve(b, (size_t)n + 1)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void buf_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, digits + at, sizeof digits - at);
}

void buf_i64(struct buf *b, int64_t v)
{
    if (v < 0) {
        buf_char(b, '-');
        buf_u64(b, 0 - (uint64_t)v);
    } else {
        buf_u64(b, (uint64_t)v);
    }
}

void buf_hex(struct buf *b, uint64_t v, unsigned digits)
{
    char text[16];
    for (unsigned i = digits; i; v >>= 4)
        text[--i] = "0123456789abcdef"[v & 15];
    buf_put(b, text, digits);
}

void buf_double(struct buf *b, double d)
{
    if (buf_reserve(b, NUMBER_TEXT_MAX))
        b->n += number_format(d, b->p + b->n);
}

void buf_le16(struct buf *b, uint16_t v)
{
    unsigned char raw[2] = {(unsigned char)v, (unsigned char)(v >> 8)};
    buf_put(b, raw, sizeof raw);
}

void buf_le32(struct buf *b, uint32_t v)
{
    buf_le16(b, (uint16_t)v);
    buf_le16(b, (uint16_t)(v >> 16));
}

void buf_le64(struct buf *b, uint64_t v)
{
    buf_le32(b, (uint32_t)v);
    buf_le32(b, (uint32_t)(v >> 32));
}
