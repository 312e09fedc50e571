/* A growing byte buffer with a maximum. A piece that would pass the maximum is left
 * out whole and the buffer turns `full`, for good until buf_clear(); writers need no
 * error path, the owner looks once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    bool full;
};

/* bytes_max: hard maximum, must be > 0. */
void buf_init(struct buf *b, size_t bytes_max);
void buf_free(struct buf *b);
static inline void buf_clear(struct buf *b)
{
    b->n = 0;
    b->full = false;
}
/* Makes room for n more bytes; false (and full) when the maximum forbids it. */
bool buf_reserve_slow(struct buf *b, size_t n);
static inline bool buf_reserve(struct buf *b, size_t n)
{
    return b->cap - b->n >= n || buf_reserve_slow(b, n);
}
static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n && buf_reserve(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}
static inline void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}
static inline void buf_char(struct buf *b, char c)
{
    if (buf_reserve(b, 1))
        b->p[b->n++] = c;
}
#define buf_lit(b, literal) buf_put((b), (literal), sizeof(literal) - 1)
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
/* The last so many hexadecimal digits of v, at most 16; small letters. */
void buf_hex(struct buf *b, uint64_t v, unsigned digits);
/* Shortest decimal that reads back as the same double (no trailing ".0"); d is finite. */
void buf_double(struct buf *b, double d);
/* Little-endian fixed width, for formats. */
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
static inline struct str buf_view(const struct buf *b)
{
    struct str s = {b->p, b->n};
    return s;
}

#endif
