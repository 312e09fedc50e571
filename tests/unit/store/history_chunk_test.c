/* Chunks of the history: every instance comes back to the bit, the header tells the truth, damage is found. */
#include "fixture.h"

#include "base/hash.h"
#include "random_point.h"
#include "store/embedded/history_chunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TERM_MAX = RANDOM_TERM_MAX };
#define T0 INT64_C(1700000000000000)
#define MINUTE INT64_C(60000000)

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* In a block of exactly its size, so that a sanitizer sees every byte read beyond. free() its p. */
static struct str write(const struct point *points, uint32_t n)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    chunk_write(&b, points, n);
    assert_false(b.full);
    char *p = malloc(b.n);
    memcpy(p, b.p, b.n);
    struct str s = {p, b.n};
    buf_free(&b);
    return s;
}

static struct chunk open_chunk(struct str bytes)
{
    struct chunk c;
    struct why why = {0};
    if (chunk_open(&c, bytes, &why) != OK)
        fail_msg("%s", why.text);
    return c;
}

static bool bits_same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static double number_of(const struct point *p)
{
    return p->attr.value.kind == VALUE_INT ? (double)p->attr.value.integer : p->attr.value.real;
}

/* ---- what the header says, against a naive loop ---- */

static void check_times(const struct chunk_summary *s, const struct point *points, uint32_t n)
{
    for (int k = 0; k < TIME_PROPERTY_COUNT; k++) {
        int64_t first = TIME_NONE, last = TIME_NONE;
        bool every = true;
        for (uint32_t i = 0; i < n; i++) {
            int64_t t = point_time(&points[i], (enum time_property)k);
            every = every && t != TIME_NONE;
            if (t == TIME_NONE)
                continue;
            first = first == TIME_NONE || t < first ? t : first;
            last = last == TIME_NONE || t > last ? t : last;
        }
        assert_int_equal(s->first[k], first);
        assert_int_equal(s->last[k], last);
        assert_int_equal(s->every[k], every);
    }
    assert_int_equal(s->first_place, point_place(&points[0]));
    assert_int_equal(s->last_place, point_place(&points[n - 1]));
}

static void check_numbers(const struct chunk_summary *s, const struct point *points, uint32_t n)
{
    struct number_summary own = {.count = n, .min = INFINITY, .max = -INFINITY};
    bool numbers = true;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t kind = points[i].attr.value.kind;
        numbers = numbers && points[i].attr.kind == ATTR_PROPERTY && (kind == VALUE_INT || kind == VALUE_REAL);
        if (!numbers)
            break;
        double d = number_of(&points[i]);
        own.sum += d;
        own.sumsq += d * d;
        own.min = fmin(own.min, d);
        own.max = fmax(own.max, d);
    }
    assert_int_equal(s->numbers, numbers);
    if (!numbers)
        return;
    assert_int_equal(s->summary.count, n);
    assert_true(s->summary.min == own.min && s->summary.max == own.max);
    assert_true(bits_same(s->summary.sum, own.sum) && bits_same(s->summary.sumsq, own.sumsq));
}

static void check_summary(const struct chunk_summary *s, const struct point *points, uint32_t n)
{
    uint64_t seq_min = UINT64_MAX, seq_max = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t seq = points[i].attr.seq;
        seq_min = seq < seq_min ? seq : seq_min;
        seq_max = seq > seq_max ? seq : seq_max;
    }
    assert_int_equal(s->count, n);
    assert_true(s->seq_min == seq_min && s->seq_max == seq_max);
    check_times(s, points, n);
    check_numbers(s, points, n);
}

/* ---- what comes back ---- */

static void check_columns(const struct chunk *c, const struct point *points, uint32_t n)
{
    int64_t *times = malloc(n * sizeof *times);
    double *numbers = malloc(n * sizeof *numbers);
    for (int k = 0; k < TIME_PROPERTY_COUNT; k++) {
        assert_int_equal(chunk_times(c, (enum time_property)k, times, NULL), OK);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(times[i], point_time(&points[i], (enum time_property)k));
    }
    if (c->summary.numbers) {
        assert_int_equal(chunk_numbers(c, numbers, NULL), OK);
        for (uint32_t i = 0; i < n; i++)
            assert_true(bits_same(numbers[i], number_of(&points[i])));
    }
    free(times);
    free(numbers);
}

static void check_found(struct random *r, const struct chunk *c, const struct point *points, uint32_t n)
{
    uint32_t at;
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t i = random_below(r, n);
        assert_int_equal(chunk_find(c, points[i].attr.seq, points[i].index, &at, NULL), OK);
        assert_true(at < n && points[at].attr.seq == points[i].attr.seq && points[at].index == points[i].index);
        assert_int_equal(chunk_find(c, points[i].attr.seq, n + 7, &at, NULL), OK);
        assert_int_equal(at, UINT32_MAX);
    }
    assert_int_equal(chunk_find(c, c->summary.seq_max + 1, 0, &at, NULL), OK);
    assert_int_equal(at, UINT32_MAX);
}

static void check_points(const struct chunk *c, const struct point *points, uint32_t n)
{
    struct point *back = arena_array(arena, struct point, n);
    struct why why = {0};
    const struct attr *a = &points[0].attr;
    memset(back, 0xEE, n * sizeof *back);
    if (chunk_points(c, a->term, a->dataset, TERM_MAX, arena, back, &why) != OK)
        fail_msg("%s", why.text);
    for (uint32_t i = 0; i < n; i++)
        if (!point_same(&points[i], &back[i]))
            fail_msg("instance %u of %u differs", i, n);
}

static void check_round_trip(struct random *r, const struct point *points, uint32_t n)
{
    struct chunk_summary s;
    struct str bytes = write(points, n);
    assert_int_equal(chunk_read_summary(bytes, &s, NULL), OK);
    check_summary(&s, points, n);
    struct chunk c = open_chunk(bytes);
    check_summary(&c.summary, points, n);
    check_columns(&c, points, n);
    check_points(&c, points, n);
    check_found(r, &c, points, n);
    free((char *)bytes.p);
}

static void test_random_points_come_back(void **state)
{
    (void)state;
    static const uint32_t COUNTS[] = {1, 2, 3, 4, 5, 31, 127, 128, 129, 257, 700};
    struct random r = {51};
    for (uint32_t i = 0; i < 1500; i++) {
        uint32_t n = COUNTS[random_below(&r, 11)];
        struct point *points = random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), n);
        check_round_trip(&r, points, n);
        arena_reset(arena);
    }
}

static void test_largest_chunks_come_back(void **state)
{
    (void)state;
    struct random r = {52};
    for (uint32_t i = 0; i < 2 * RANDOM_VALUES_COUNT; i++) {
        struct point *points = random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), CHUNK_POINTS_MAX);
        check_round_trip(&r, points, CHUNK_POINTS_MAX);
        arena_reset(arena);
    }
}

/* ---- the layout, as drawn ---- */

static struct point reading(uint32_t i, struct value v)
{
    int64_t at = T0 / MINUTE * MINUTE + (int64_t)i * MINUTE, server = at + 250000 + (int64_t)(i * 7919 % 500) * 1000;
    return (struct point){.attr = {.term = 3,
                                   .kind = ATTR_PROPERTY,
                                   .dataset = STR(""),
                                   .value = v,
                                   .unit_code = STR("CEL"),
                                   .observed_at = at,
                                   .expires_at = TIME_NONE,
                                   .created_at = server,
                                   .modified_at = server,
                                   .seq = 1000000 + (uint64_t)i * 100003},
                          .deleted_at = TIME_NONE};
}

/* Put together by hand from docs/formats/history.md. */
static void test_layout(void **state)
{
    (void)state;
    static const unsigned char HEADER[] = {
        0x01, 0x20, 0x01, 0x99, 0xAA, 0xD4, 0x82, 0x1B, 0x8A, 0xF4, 0x03, 0x8A, 0xF4, 0x03, 0x00, 0x00,
        0xC0, 0x84, 0x3D, 0x00, 0x12, 0x01, 0xAE, 0x03, 0xFE, 0xFE, 0x02, 0xA2, 0xD2, 0x05, 0x80, 0x12,
        0x05, 0x0B};
    static const unsigned char COLUMNS[] = {0x10, 0x00, 0x00, 0xAE, 0x03, 0x01, 0x00, 0x00, 0x18, 0x00, 0x01, 0x02, 0x03, 0x43, 0x45, 0x4C};
    struct point p = reading(0, (struct value){.kind = VALUE_REAL, .real = 21.5});
    struct str bytes = write(&p, 1);
    assert_int_equal(bytes.n, sizeof HEADER + 4 + sizeof COLUMNS + 4);
    assert_memory_equal(bytes.p, HEADER, sizeof HEADER);
    assert_memory_equal(bytes.p + sizeof HEADER + 4, COLUMNS, sizeof COLUMNS);
    uint32_t header = crc32c(0, bytes.p, sizeof HEADER), whole = crc32c(0, bytes.p, bytes.n - 4);
    assert_memory_equal(bytes.p + sizeof HEADER, &header, 4);
    assert_memory_equal(bytes.p + bytes.n - 4, &whole, 4);
    free((char *)bytes.p);
}

/* A gap in a regular series costs its own bytes, and widens nothing. */
static void test_exceptions_are_told_apart(void **state)
{
    (void)state;
    struct point *points = arena_array(arena, struct point, 1024);
    for (uint32_t i = 0; i < 1024; i++)
        points[i] = reading(i + (i > 500) * 12345, (struct value){.kind = VALUE_INT, .integer = i == 77 ? -1000000 : (int64_t)i % 4});
    struct str bytes = write(points, 1024);
    struct chunk c = open_chunk(bytes);
    check_columns(&c, points, 1024);
    assert_in_range(c.columns[TIME_OBSERVED_AT].n, 1, 40);
    assert_in_range(c.columns[8].n, 1024 / 4, 1024 / 4 + 60);
    free((char *)bytes.p);
    arena_reset(arena);
}

/* ---- sizes, as promised ---- */

static struct point *temperatures(uint32_t n)
{
    struct random r = {7};
    int64_t tenths = 215;
    struct point *points = arena_array(arena, struct point, n);
    for (uint32_t i = 0; i < n; i++) {
        tenths += (int64_t)random_below(&r, 5) - 2;
        struct value v = {.kind = VALUE_REAL, .real = (double)tenths / 10};
        if (tenths % 10 == 0)
            v = (struct value){.kind = VALUE_INT, .integer = tenths / 10};
        points[i] = reading(i, v);
    }
    return points;
}

static size_t bytes_of(const struct point *points, uint32_t n)
{
    struct str bytes = write(points, n);
    free((char *)bytes.p);
    return bytes.n;
}

static void test_sizes(void **state)
{
    (void)state;
    struct point *points = temperatures(CHUNK_POINTS_MAX);
    /* times of observation and values 2, server times and changes 1.5 */
    assert_true(bytes_of(points, CHUNK_POINTS_MAX) < CHUNK_POINTS_MAX * 7 / 2);
    for (uint32_t i = 0; i < CHUNK_POINTS_MAX; i++) {
        points[i].attr.created_at = points[i].attr.modified_at = T0;
        points[i].attr.seq = 12;
        points[i].index = i;
    }
    assert_true(bytes_of(points, CHUNK_POINTS_MAX) < CHUNK_POINTS_MAX);
    points = temperatures(4);
    for (uint32_t n = 1; n <= 4; n++)
        assert_in_range(bytes_of(points, n), 20, 60 + n * 16);
    arena_reset(arena);
}

/* A line of 20 positions, of which each is a step from the one before. */
static struct value line(struct random *r, int64_t x, int64_t y)
{
    struct box box = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    struct buf b;
    buf_init(&b, 4096);
    buf_lit(&b, "{\"type\":\"LineString\",\"coordinates\":[");
    for (uint32_t i = 0; i < 20; i++) {
        double at[2] = {(double)(x += (int64_t)random_below(r, 200) - 100) / 1e5, (double)(y += (int64_t)random_below(r, 200)) / 1e5};
        box = (struct box){fmin(box.west, at[0]), fmin(box.south, at[1]), fmax(box.east, at[0]), fmax(box.north, at[1])};
        buf_char(&b, i ? ',' : '[');
        if (i)
            buf_char(&b, '[');
        buf_double(&b, at[0]);
        buf_char(&b, ',');
        buf_double(&b, at[1]);
        buf_char(&b, ']');
    }
    buf_lit(&b, "]}");
    struct value v = {.kind = VALUE_GEO, .text = arena_dup(arena, buf_view(&b)), .box = box};
    buf_free(&b);
    return v;
}

static void test_lines_are_differences(void **state)
{
    (void)state;
    enum { LINES = 100, POSITIONS = 20 };
    struct random r = {9};
    struct point *points = arena_array(arena, struct point, LINES);
    for (uint32_t i = 0; i < LINES; i++) {
        points[i] = reading(i, line(&r, 11701171, 3661892));
        points[i].attr.kind = ATTR_GEO_PROPERTY;
    }
    check_round_trip(&r, points, LINES);
    /* two steps of 8 bits, what leads back to where a line begins, the other columns; as compressed text it is 109 */
    assert_true(bytes_of(points, LINES) < LINES * (POSITIONS * 2 + 18));
    arena_reset(arena);
}

static void test_repeated_members_are_stored_once(void **state)
{
    (void)state;
    struct point *points = temperatures(1000);
    size_t bare = bytes_of(points, 1000);
    struct attr sub = {.term = 5, .kind = ATTR_PROPERTY, .dataset = STR(""), .observed_at = TIME_NONE, .expires_at = TIME_NONE,
                       .value = {.kind = VALUE_STRING, .plain = true, .text = STR("a sub-attribute of some length")}};
    for (uint32_t i = 0; i < 1000; i++) {
        struct attr *own = points[i].attr.subs = arena_array(arena, struct attr, 1);
        *own = sub;
        own->created_at = own->modified_at = points[i].attr.modified_at;
        own->seq = points[i].attr.seq;
        points[i].attr.sub_count = 1;
    }
    size_t whole = bytes_of(points, 1000);
    assert_in_range(whole, bare + 30, bare + 60);
    arena_reset(arena);
}

/* ---- damage ---- */

/* All that can be asked of bytes; true when everything says that they are good. */
static bool ask_all(struct str bytes)
{
    struct chunk c;
    struct chunk_summary s;
    struct arena *a = arena_new(0);
    bool good = chunk_read_summary(bytes, &s, NULL) == OK;
    if (chunk_open(&c, bytes, NULL) != OK) {
        arena_free(a);
        return false;
    }
    uint32_t n = c.summary.count, at;
    assert_in_range(n, 1, CHUNK_POINTS_MAX);
    int64_t *times = malloc(n * sizeof *times);
    double *numbers = malloc(n * sizeof *numbers);
    struct point *points = malloc(n * sizeof *points);
    for (int k = 0; k < TIME_PROPERTY_COUNT; k++)
        good = chunk_times(&c, (enum time_property)k, times, NULL) == OK && good;
    if (c.summary.numbers)
        good = chunk_numbers(&c, numbers, NULL) == OK && good;
    good = chunk_find(&c, c.summary.seq_min, 0, &at, NULL) == OK && good;
    good = chunk_points(&c, 3, STR(""), TERM_MAX, a, points, NULL) == OK && good;
    free(times);
    free(numbers);
    free(points);
    arena_free(a);
    return good;
}

static void test_each_flipped_byte_is_found(void **state)
{
    (void)state;
    struct random r = {53};
    for (uint32_t i = 0; i < 2 * RANDOM_VALUES_COUNT; i++) {
        uint32_t n = 1 + random_below(&r, 40);
        struct str bytes = write(random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), n), n);
        char *p = (char *)bytes.p;
        assert_true(ask_all(bytes));
        for (size_t k = 0; k < bytes.n; k++) {
            char was = p[k];
            p[k] = (char)(was ^ (1 << random_below(&r, 8)));
            assert_false(ask_all(bytes));
            p[k] = was;
        }
        free(p);
        arena_reset(arena);
    }
}

static void test_each_cut_is_found(void **state)
{
    (void)state;
    struct random r = {54};
    for (uint32_t i = 0; i < RANDOM_VALUES_COUNT; i++) {
        struct str bytes = write(random_points(&r, arena, (enum random_values)i, 30), 30);
        for (size_t n = 0; n < bytes.n; n++) {
            char *cut = malloc(n + 1); /* never NULL */
            memcpy(cut, bytes.p, n);
            assert_false(ask_all((struct str){cut, n}));
            free(cut);
        }
        free((char *)bytes.p);
        arena_reset(arena);
    }
}

/* Where the header ends, and both checksums made right again. */
static void mend(char *p, size_t n)
{
    size_t header = 2 + (unsigned char)p[1];
    if ((unsigned char)p[1] & 0x80)
        header = 3 + ((unsigned char)p[1] & 0x7f) + (size_t)((unsigned char)p[2] << 7);
    if (header + 8 > n)
        return;
    uint32_t crc = crc32c(0, p, header);
    memcpy(p + header, &crc, sizeof crc);
    crc = crc32c(0, p, n - sizeof crc);
    memcpy(p + n - sizeof crc, &crc, sizeof crc);
}

/* Bytes that somebody made: refused, or read as something, but nothing is read or allocated beyond. */
static void test_wrong_bytes_under_right_checksums_do_no_harm(void **state)
{
    (void)state;
    struct random r = {55};
    uint32_t refused = 0, taken = 0;
    for (uint32_t i = 0; i < 20 * RANDOM_VALUES_COUNT; i++) {
        uint32_t n = 1 + random_below(&r, 300);
        struct str bytes = write(random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), n), n);
        char *p = (char *)bytes.p;
        for (uint32_t k = 0; k < 40; k++) {
            size_t at = random_next(&r) % (k % 2 ? bytes.n : bytes.n < 80 ? bytes.n : 80);
            char was = p[at];
            p[at] = (char)(k % 3 ? was ^ (1 << random_below(&r, 8)) : (char)random_below(&r, 256));
            mend(p, bytes.n);
            if (ask_all(bytes))
                taken++;
            else
                refused++;
            p[at] = was;
        }
        free(p);
        arena_reset(arena);
    }
    assert_true(refused > 1000 && taken > 1000);
}

static void test_newer_versions_are_refused(void **state)
{
    (void)state;
    struct point *points = temperatures(3);
    struct str bytes = write(points, 3);
    struct chunk c;
    struct chunk_summary s;
    ((char *)bytes.p)[0] = 2;
    assert_int_equal(chunk_open(&c, bytes, NULL), E_NOT_SUPPORTED);
    assert_int_equal(chunk_read_summary(bytes, &s, NULL), E_NOT_SUPPORTED);
    free((char *)bytes.p);
    arena_reset(arena);
}

/* The summary needs no more than the header: what comes behind may not even have been read. */
static void test_the_summary_needs_the_header_alone(void **state)
{
    (void)state;
    struct point *points = temperatures(500);
    struct str bytes = write(points, 500);
    struct chunk_summary s;
    char *head = malloc(100);
    memcpy(head, bytes.p, 100);
    assert_int_equal(chunk_read_summary((struct str){head, 100}, &s, NULL), OK);
    check_summary(&s, points, 500);
    free(head);
    free((char *)bytes.p);
    arena_reset(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_points_come_back),
        cmocka_unit_test(test_largest_chunks_come_back),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_exceptions_are_told_apart),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_lines_are_differences),
        cmocka_unit_test(test_repeated_members_are_stored_once),
        cmocka_unit_test(test_each_flipped_byte_is_found),
        cmocka_unit_test(test_each_cut_is_found),
        cmocka_unit_test(test_wrong_bytes_under_right_checksums_do_no_harm),
        cmocka_unit_test(test_newer_versions_are_refused),
        cmocka_unit_test(test_the_summary_needs_the_header_alone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
