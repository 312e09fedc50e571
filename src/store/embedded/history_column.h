/* What the columns of a chunk are made of: whole numbers, numbers, texts. Layouts in docs/formats/history.md.
 *
 * How many values a column has is known from elsewhere, and it ends where its last value does, so that columns can follow
 * one another. Readers take bytes off the front of a source; once something cannot be what was written, it turns `bad`,
 * and what comes out is of no meaning, but never from outside the bytes. */
#ifndef STORE_EMBEDDED_HISTORY_COLUMN_H
#define STORE_EMBEDDED_HISTORY_COLUMN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/entity.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    COLUMN_VALUES_MAX = 4096,         /* in any column */
    COLUMN_INFLATED_MAX = 16 << 20,   /* bytes of texts that are stored compressed */
};

struct column_source {
    struct str rest;
    bool bad;
};
uint8_t column_byte_read(struct column_source *s);
uint64_t column_uint_read(struct column_source *s);
int64_t column_int_read(struct column_source *s);
double column_double_read(struct column_source *s); /* any bits */
void column_double_write(struct buf *b, double d);
struct str column_bytes_read(struct column_source *s, uint64_t n);

static inline double column_to_double(int64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline int64_t column_to_bits(double d)
{
    int64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* Plain, as differences or as differences of differences, whichever is least, in blocks of as many bits a value as its
 * most need. All arithmetic wraps around. */
void column_ints_write(struct buf *b, const int64_t *v, uint32_t n);
/* False: bad. */
bool column_ints_read(struct column_source *s, uint32_t n, int64_t *out);
/* Bytes that column_ints_write() would take. */
size_t column_ints_bytes(const int64_t *v, uint32_t n);

/* Numbers, exact to the bit: bits[i] are those of a double or, with whole[i], an integer itself (whole NULL: no integers).
 * As decimals scaled to integers where most are short decimals, else XORed with the one before. */
void column_numbers_write(struct buf *b, const int64_t *bits, const uint8_t *whole, uint32_t n, struct arena *scratch);
/* Bad also when one is not finite. */
bool column_numbers_read(struct column_source *s, uint32_t n, int64_t *bits, uint8_t *whole);
/* The same as doubles; integers beyond 2^53 are rounded. */
bool column_doubles_read(struct column_source *s, uint32_t n, double *out);

/* Which of those before, the first of its like, each is: at; returns how many differ, their places in first. */
uint32_t column_texts_distinct(const struct str *texts, const uint8_t *flags, uint32_t n, struct arena *scratch,
                               int64_t *at, uint32_t *first);
/* Texts with a flag each: what differs once, by first appearance, compressed where it pays, and which of them each is. */
void column_texts_write(struct buf *b, const struct str *texts, const uint8_t *flags, uint32_t n, struct arena *scratch);
/* Texts borrow from the source's bytes or are in the arena. at (may be NULL): which of *distinct different ones each is. */
bool column_texts_read(struct column_source *s, uint32_t n, struct arena *a, struct str *out, uint8_t *flags, uint32_t *at);

/* VALUE_GEOs. Points whose texts differ in their coordinates alone, written as we write numbers, as columns of
 * coordinates; what has many positions as columns of these, or as texts and boxes, whichever is less. */
void column_geometries_write(struct buf *b, const struct value *v, uint32_t n, struct arena *scratch);
/* Texts borrow from the source's bytes or are in the arena. */
bool column_geometries_read(struct column_source *s, uint32_t n, struct arena *a, struct value *out);

#endif
