/* Whole numbers in blocks: what differs from the block's base, of one width in bits, packed end to end. Few that would
 * need more are told apart behind the block, so that one gap in a regular series costs its own bytes only. */
#include "store/embedded/history_column.h"

#include "base/varint.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
    BLOCK = 128,
    PACKED_MAX = BLOCK * 8 + 16, /* with room to write and read whole words at its end */
    ORDERS = 3,
    FAR = 0x80,        /* in a block's first byte: exceptions follow */
    FAR_MAX = BLOCK / 8,
    FEW = 32,          /* of which exceptions are not worth looking for */
};

struct block {
    uint32_t n;
    unsigned width;
    uint32_t far; /* exceptions */
    size_t bytes;
    int64_t base;
    uint64_t over[BLOCK]; /* the base */
};

static unsigned bits_of(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* ---- writing ---- */

/* No more exceptions than this are worth looking for. */
static uint32_t far_max(uint32_t n)
{
    return n / 8;
}

/* Fewest bytes: from the width that all fit in, down while few enough do not. */
static void block_choose_width(struct block *k, const uint8_t *bits, unsigned most)
{
    uint32_t have[65] = {0}, far = 0;
    uint8_t wide[FAR_MAX]; /* bits of those that do not fit */
    for (uint32_t i = 0; i < k->n; i++)
        have[bits[i]]++;
    size_t least = (k->n * most + 7) / 8;
    for (unsigned w = most; w-- > 0 && far + have[w + 1] <= far_max(k->n);) {
        for (uint32_t i = 0; i < have[w + 1]; i++)
            wide[far++] = (uint8_t)(w + 1);
        size_t bytes = 1 + (k->n * w + 7) / 8;
        for (uint32_t i = 0; i < far; i++)
            bytes += 1 + (wide[i] - w + 6) / 7;
        if (bytes < least) {
            least = bytes;
            k->width = w;
            k->far = far;
        }
    }
    k->bytes += least;
}

static void block_measure(struct block *k, const int64_t *v, uint32_t n, int64_t base)
{
    uint8_t bits[BLOCK];
    k->n = n;
    k->base = base;
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        k->over[i] = (uint64_t)v[i] - (uint64_t)base;
        all |= k->over[i];
    }
    k->bytes = 1 + varint_bytes(varint_zigzag(base));
    k->width = bits_of(all);
    k->far = 0;
    if (!all)
        return;
    if (n < FEW) {
        k->bytes += (n * k->width + 7) / 8;
        return;
    }
    uint32_t top = 0;
    uint64_t half = UINT64_C(1) << (k->width - 1);
    for (uint32_t i = 0; i < n; i++)
        top += k->over[i] >= half;
    if (top > far_max(n)) { /* too many for any narrower one */
        k->bytes += (n * k->width + 7) / 8;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        bits[i] = (uint8_t)bits_of(k->over[i]);
    block_choose_width(k, bits, k->width);
}

static bool is_between(int64_t v, int64_t a, int64_t b)
{
    return (v >= a && v <= b) || (v >= b && v <= a);
}

static int64_t middle(int64_t a, int64_t b, int64_t c)
{
    return is_between(a, b, c) ? a : is_between(b, a, c) ? b : c;
}

/* A base above a few that lie farther below the middle than any lies above it: they wrap around, and are exceptions. */
static bool find_base_above(const int64_t *v, uint32_t n, int64_t *base)
{
    int64_t most = v[0], least_left = INT64_MAX, mid = middle(v[n / 4], v[n / 2], v[3 * n / 4]);
    for (uint32_t i = 1; i < n; i++)
        most = v[i] > most ? v[i] : most;
    int64_t lowest = (int64_t)((uint64_t)mid - ((uint64_t)most - (uint64_t)mid));
    uint32_t below = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool low = v[i] < lowest;
        below += low;
        least_left = !low && v[i] < least_left ? v[i] : least_left;
    }
    *base = least_left;
    return below && below <= far_max(n) && lowest <= mid;
}

static void block_plan(struct block *k, const int64_t *v, uint32_t n)
{
    int64_t least = v[0], above;
    struct block other;
    for (uint32_t i = 1; i < n; i++)
        least = v[i] < least ? v[i] : least;
    block_measure(k, v, n, least);
    if (n < FEW || k->width < 4 || !find_base_above(v, n, &above))
        return;
    block_measure(&other, v, n, above);
    if (other.bytes < k->bytes)
        *k = other;
}

static uint64_t mask_of(unsigned width)
{
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static void block_pack(struct buf *b, const struct block *k)
{
    unsigned char packed[PACKED_MAX];
    size_t bytes = (k->n * k->width + 7) / 8;
    memset(packed, 0, bytes + 16);
    uint64_t mask = mask_of(k->width);
    for (uint32_t i = 0; i < k->n; i++) {
        size_t bit = (size_t)i * k->width;
        unsigned shift = bit & 7;
        uint64_t v = k->over[i] & mask, word;
        memcpy(&word, packed + bit / 8, sizeof word);
        word |= htole64(v << shift);
        memcpy(packed + bit / 8, &word, sizeof word);
        if (shift + k->width > 64)
            packed[bit / 8 + 8] = (unsigned char)(v >> (64 - shift));
    }
    buf_put(b, packed, bytes);
}

static void block_write(struct buf *b, const struct block *k)
{
    buf_char(b, (char)(k->width | (k->far ? FAR : 0)));
    varint_write_signed(b, k->base);
    if (k->far)
        buf_char(b, (char)k->far);
    if (k->width)
        block_pack(b, k);
    for (uint32_t i = 0; i < k->n && k->far; i++) {
        uint64_t more = k->width == 64 ? 0 : k->over[i] >> k->width;
        if (!more)
            continue;
        buf_char(b, (char)i);
        varint_write(b, more);
    }
}

/* Differences in place of v[first …]; the ones before stay. */
static void differ(int64_t *v, uint32_t first, uint32_t n)
{
    for (uint32_t i = n; i-- > first;)
        v[i] = (int64_t)((uint64_t)v[i] - (uint64_t)v[i - 1]);
}

static size_t bytes_from(const int64_t *v, uint32_t first, uint32_t n)
{
    struct block k;
    size_t bytes = 1;
    for (uint32_t i = 0; i < first; i++)
        bytes += varint_bytes(varint_zigzag(v[i]));
    for (uint32_t i = first; i < n; i += BLOCK) {
        block_plan(&k, v + i, n - i < BLOCK ? n - i : BLOCK);
        bytes += k.bytes;
    }
    return bytes;
}

/* Leaves in out what the best order makes of v: its order, and *bytes. */
static unsigned best_order(const int64_t *v, uint32_t n, int64_t *out, size_t *bytes)
{
    unsigned best = 0;
    assert(n <= COLUMN_VALUES_MAX);
    memcpy(out, v, n * sizeof *v);
    *bytes = bytes_from(out, 0, n);
    for (unsigned order = 1; order < ORDERS && order < n; order++) {
        differ(out, order, n);
        size_t now = bytes_from(out, order, n);
        if (now >= *bytes)
            break;
        best = order;
        *bytes = now;
    }
    memcpy(out, v, n * sizeof *v);
    for (unsigned order = 1; order <= best; order++)
        differ(out, order, n);
    return best;
}

size_t column_ints_bytes(const int64_t *v, uint32_t n)
{
    int64_t out[COLUMN_VALUES_MAX];
    size_t bytes = 0;
    if (n)
        best_order(v, n, out, &bytes);
    return bytes;
}

void column_ints_write(struct buf *b, const int64_t *v, uint32_t n)
{
    int64_t out[COLUMN_VALUES_MAX];
    struct block k;
    size_t bytes;
    if (!n)
        return;
    unsigned order = best_order(v, n, out, &bytes);
    buf_char(b, (char)order);
    for (uint32_t i = 0; i < order; i++)
        varint_write_signed(b, out[i]);
    for (uint32_t i = order; i < n; i += BLOCK) {
        block_plan(&k, out + i, n - i < BLOCK ? n - i : BLOCK);
        block_write(b, &k);
    }
}

/* ---- reading ---- */

/* p may be read 16 bytes beyond what is packed. */
static void unpack(const unsigned char *p, uint32_t n, unsigned width, uint64_t base, uint64_t *out)
{
    uint64_t mask = mask_of(width);
    size_t bit = 0;
    if (width <= 56) {
        for (uint32_t i = 0; i < n; i++, bit += width) {
            uint64_t word;
            memcpy(&word, p + bit / 8, sizeof word);
            out[i] = base + (le64toh(word) >> (bit & 7) & mask);
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++, bit += width) {
        uint64_t word;
        unsigned shift = bit & 7;
        memcpy(&word, p + bit / 8, sizeof word);
        word = le64toh(word) >> shift;
        if (shift + width > 64)
            word |= (uint64_t)p[bit / 8 + 8] << (64 - shift);
        out[i] = base + (word & mask);
    }
}

static void read_far(struct column_source *s, uint32_t far, uint32_t n, unsigned width, uint64_t *out)
{
    for (uint32_t i = 0; i < far && !s->bad; i++) {
        uint8_t at = column_byte_read(s);
        uint64_t more = column_uint_read(s);
        s->bad = s->bad || at >= n || width == 64;
        if (!s->bad)
            out[at] += more << width;
    }
}

static void read_block(struct column_source *s, uint32_t n, uint64_t *out)
{
    unsigned char copy[PACKED_MAX];
    uint8_t first = column_byte_read(s);
    unsigned width = first & (FAR - 1);
    uint64_t base = (uint64_t)column_int_read(s);
    uint32_t far = first & FAR ? column_byte_read(s) : 0;
    size_t bytes = ((size_t)n * width + 7) / 8;
    if (s->bad || width > 64 || bytes > s->rest.n) {
        s->bad = true;
        return;
    }
    const unsigned char *p = (const unsigned char *)s->rest.p;
    if (s->rest.n < bytes + 16) {
        if (bytes)
            memcpy(copy, p, bytes);
        memset(copy + bytes, 0, 16);
        p = copy;
    }
    if (width)
        unpack(p, n, width, base, out);
    else
        for (uint32_t i = 0; i < n; i++)
            out[i] = base;
    s->rest = str_from(s->rest, bytes);
    read_far(s, far, n, width, out);
}

static void sum_up(const uint64_t *d, uint32_t n, unsigned order, uint64_t *value, uint64_t *step, int64_t *out)
{
    uint64_t v = *value, t = *step;
    if (order == 1) {
        for (uint32_t i = 0; i < n; i++)
            out[i] = (int64_t)(v += d[i]);
    } else {
        for (uint32_t i = 0; i < n; i++)
            out[i] = (int64_t)(v += t += d[i]);
    }
    *value = v;
    *step = t;
}

bool column_ints_read(struct column_source *s, uint32_t n, int64_t *out)
{
    if (!n || s->bad)
        return !s->bad;
    uint64_t block[BLOCK], value = 0, step = 0;
    unsigned order = column_byte_read(s);
    if (order >= ORDERS || (order && order >= n)) {
        s->bad = true;
        return false;
    }
    if (order) {
        value = (uint64_t)column_int_read(s);
        out[0] = (int64_t)value;
    }
    if (order == 2) {
        step = (uint64_t)column_int_read(s);
        value += step;
        out[1] = (int64_t)value;
    }
    for (uint32_t i = order; i < n && !s->bad; i += BLOCK) {
        uint32_t some = n - i < BLOCK ? n - i : BLOCK;
        read_block(s, some, order ? block : (uint64_t *)(out + i));
        if (order && !s->bad)
            sum_up(block, some, order, &value, &step, out + i);
    }
    return !s->bad;
}

/* ---- single values ---- */

uint8_t column_byte_read(struct column_source *s)
{
    if (!s->rest.n) {
        s->bad = true;
        return 0;
    }
    uint8_t c = (uint8_t)s->rest.p[0];
    s->rest = str_from(s->rest, 1);
    return c;
}

uint64_t column_uint_read(struct column_source *s)
{
    uint64_t v;
    s->bad = !varint_take(&s->rest, &v) || s->bad;
    return v;
}

int64_t column_int_read(struct column_source *s)
{
    return varint_unzigzag(column_uint_read(s));
}

struct str column_bytes_read(struct column_source *s, uint64_t n)
{
    if (n > s->rest.n) {
        s->bad = true;
        return STR("");
    }
    struct str bytes = str_head(s->rest, (size_t)n);
    s->rest = str_from(s->rest, (size_t)n);
    return bytes;
}

double column_double_read(struct column_source *s)
{
    struct str bytes = column_bytes_read(s, sizeof(double));
    uint64_t bits = 0;
    double d;
    if (!s->bad)
        memcpy(&bits, bytes.p, sizeof bits);
    bits = le64toh(bits);
    memcpy(&d, &bits, sizeof d);
    return d;
}

void column_double_write(struct buf *b, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    buf_le64(b, bits);
}
