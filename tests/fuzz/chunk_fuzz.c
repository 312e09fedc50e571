/* Chunks of the history from anywhere: what is opened can be read in every way, all ways agree, and what comes out is
 * written again as a chunk that says the same. Each input is tried as it is, and as the body and the header's fields of
 * a chunk whose checksums hold, so that mutations reach what lies behind. */
#include "fuzz.h"

#include "base/hash.h"
#include "base/varint.h"
#include "store/embedded/history_chunk.h"

#include <math.h>
#include <string.h>

enum { TERM_MAX = 64 };

static void read_columns(const struct chunk *c, const struct point *points)
{
    static int64_t times[CHUNK_POINTS_MAX];
    static double numbers[CHUNK_POINTS_MAX];
    for (int k = 0; k < TIME_PROPERTY_COUNT; k++) {
        fuzz_require(chunk_times(c, (enum time_property)k, times, NULL) == OK);
        for (uint32_t i = 0; i < c->summary.count; i++)
            fuzz_require(times[i] == point_time(&points[i], (enum time_property)k));
    }
    if (!c->summary.numbers)
        return;
    fuzz_require(chunk_numbers(c, numbers, NULL) == OK);
    for (uint32_t i = 0; i < c->summary.count; i++) {
        const struct value *v = &points[i].attr.value;
        fuzz_require(v->kind == VALUE_INT || v->kind == VALUE_REAL);
        double d = v->kind == VALUE_INT ? (double)v->integer : v->real;
        fuzz_require(isfinite(d) && memcmp(&d, &numbers[i], sizeof d) == 0);
    }
}

/* Two that have the same bytes are the same. */
static void require_same(const struct point *a, const struct point *b, uint32_t n)
{
    struct buf x, y;
    buf_init(&x, 1 << 30);
    buf_init(&y, 1 << 30);
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(&x);
        buf_clear(&y);
        point_write(&x, &a[i]);
        point_write(&y, &b[i]);
        fuzz_require(str_eq(buf_view(&x), buf_view(&y)));
    }
    buf_free(&x);
    buf_free(&y);
}

static int by_order(const void *a, const void *b)
{
    return point_order(a, b);
}

static void write_again(struct point *points, uint32_t n, struct arena *a)
{
    struct buf b;
    struct chunk c;
    struct point *back = arena_array(a, struct point, n);
    buf_init(&b, 1 << 30);
    qsort(points, n, sizeof *points, by_order);
    chunk_write(&b, points, n);
    fuzz_require(!b.full && chunk_open(&c, buf_view(&b), NULL) == OK && c.summary.count == n);
    fuzz_require(chunk_points(&c, 3, STR("urn:d"), TERM_MAX, a, back, NULL) == OK);
    require_same(points, back, n);
    buf_free(&b);
}

static void try_chunk(struct str bytes)
{
    static struct point points[CHUNK_POINTS_MAX];
    struct chunk c;
    struct chunk_summary s;
    uint32_t at;
    enum status summary = chunk_read_summary(bytes, &s, NULL);
    if (chunk_open(&c, bytes, NULL) != OK)
        return;
    fuzz_require(summary == OK && s.count == c.summary.count && s.count >= 1 && s.count <= CHUNK_POINTS_MAX);
    struct arena *a = arena_new(0);
    enum status found = chunk_find(&c, s.seq_min, 0, &at, NULL);
    fuzz_require(found != OK || at == UINT32_MAX || at < s.count);
    if (chunk_points(&c, 3, STR("urn:d"), TERM_MAX, a, points, NULL) == OK) {
        fuzz_require(found == OK);
        read_columns(&c, points);
        write_again(points, s.count, a);
    }
    arena_free(a);
}

/* Fields up to a length that the input begins with, then columns. */
static void try_mended(const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    size_t fields = data[0] | (size_t)(data[1] & 3) << 8;
    if (fields > size - 2)
        return;
    struct buf b;
    buf_init(&b, size + 64);
    buf_char(&b, 1);
    varint_write(&b, fields);
    buf_put(&b, data + 2, fields);
    buf_le32(&b, crc32c(0, b.p, b.n));
    buf_put(&b, data + 2 + fields, size - 2 - fields);
    buf_le32(&b, crc32c(0, b.p, b.n));
    char *exact = mem_alloc(b.n);
    memcpy(exact, b.p, b.n);
    try_chunk((struct str){exact, b.n});
    free(exact);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = mem_alloc(size); /* no byte longer */
    if (size)
        memcpy(exact, data, size);
    try_chunk((struct str){exact, size});
    free(exact);
    try_mended(data, size);
    return 0;
}
