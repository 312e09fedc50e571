/* Whole numbers in as few bytes as they need: seven bits a byte, least significant first, the top bit says that more follow
 * (LEB128, DWARF 5 section 7.6). Signed ones are zigzagged before (0, -1, 1, -2 …), so that small ones of both signs are
 * short. */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { VARINT_BYTES_MAX = 10 };

static inline uint64_t varint_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t varint_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

/* How many bytes it takes. */
static inline unsigned varint_bytes(uint64_t v)
{
    return ((unsigned)(63 - __builtin_clzll(v | 1)) + 7) / 7;
}

/* To where there is room for it; returns what is behind it. */
static inline char *varint_put(char *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *to++ = (char)(v | 0x80);
    *to++ = (char)v;
    return to;
}

static inline void varint_write(struct buf *b, uint64_t v)
{
    if (buf_reserve(b, varint_bytes(v)))
        b->n = (size_t)(varint_put(b->p + b->n, v) - b->p);
}

static inline void varint_write_signed(struct buf *b, int64_t v)
{
    varint_write(b, varint_zigzag(v));
}

/* Takes one off the front of *s; false: cut off, or beyond 64 bits. */
static inline bool varint_take(struct str *s, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned at = 0; at < s->n && at < VARINT_BYTES_MAX; at++) {
        unsigned char c = (unsigned char)s->p[at];
        if (at == VARINT_BYTES_MAX - 1 && c > 1)
            break;
        v |= (uint64_t)(c & 0x7f) << (7 * at);
        if (c < 0x80) {
            *out = v;
            *s = str_from(*s, at + 1);
            return true;
        }
    }
    *out = 0;
    return false;
}

/* The same of one that is at most max. */
static inline bool varint_take_u32(struct str *s, uint32_t max, uint32_t *out)
{
    uint64_t wide;
    bool ok = varint_take(s, &wide) && wide <= max;
    *out = (uint32_t)wide;
    return ok;
}

/* A text: its length, and its bytes. */
static inline void varint_write_text(struct buf *b, struct str text)
{
    varint_write(b, text.n);
    buf_str(b, text);
}

/* False: cut off. *out lies in what *s was. */
static inline bool varint_take_text(struct str *s, struct str *out)
{
    uint64_t n;
    if (!varint_take(s, &n) || n > s->n)
        return false;
    *out = str_head(*s, (size_t)n);
    *s = str_from(*s, (size_t)n);
    return true;
}

#endif
