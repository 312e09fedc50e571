/* Rows, quotes, lines: RFC 4180 and what real files make of it. */
#include "check.h"

#include "sense/csv.h"

#include <stdlib.h>

static const struct csv_limits limits = {.row_bytes_max = 64, .fields_max = 4};

struct expected {
    uint64_t line;
    uint32_t count;        /* 0: the row is bad */
    const char *fields[4]; /* or the reason */
};

static void expect(const char *text, size_t n, char delimiter, const struct expected *rows,
                   size_t row_count)
{
    /* A block of exactly that size: the sanitizer sees a read behind it. */
    char *exact = malloc(n ? n : 1);
    memcpy(exact, text, n);
    struct csv c;
    struct csv_row row;
    struct why why;
    csv_init(&c, (struct str){exact, n}, delimiter, &limits);
    for (size_t i = 0; i < row_count; i++) {
        why_clear(&why);
        enum csv_step step = csv_next(&c, &row, &why);
        assert_int_equal(row.line, rows[i].line);
        if (rows[i].count == 0) {
            assert_int_equal(step, CSV_BAD);
            assert_non_null(strstr(why.text, rows[i].fields[0]));
            continue;
        }
        assert_int_equal(step, CSV_ROW);
        assert_int_equal(row.count, rows[i].count);
        for (uint32_t f = 0; f < row.count; f++)
            assert_str(row.fields[f], rows[i].fields[f]);
    }
    assert_int_equal(csv_next(&c, &row, &why), CSV_END);
    assert_int_equal(csv_next(&c, &row, &why), CSV_END);
    csv_free(&c);
    free(exact);
}

#define EXPECT(text, delimiter, ...)                                                               \
    do {                                                                                           \
        const struct expected rows_[] = {__VA_ARGS__};                                             \
        expect((text), sizeof(text) - 1, (delimiter), rows_, sizeof rows_ / sizeof *rows_);        \
    } while (0)

static void reads_plain_rows(void **state)
{
    (void)state;
    EXPECT("a,b\n1,2\n", ',', {1, 2, {"a", "b"}}, {2, 2, {"1", "2"}});
    EXPECT("a,b\r\n1,\r\n,", ',', {1, 2, {"a", "b"}}, {2, 2, {"1", ""}}, {3, 2, {"", ""}});
    EXPECT("a;b,c", ';', {1, 2, {"a", "b,c"}});
    EXPECT("\xEF\xBB\xBFid\n7", ',', {1, 1, {"id"}}, {2, 1, {"7"}});
    expect("", 0, ',', NULL, 0);
    expect("\n\r\n\n", 4, ',', NULL, 0);
    EXPECT("\n\na\n\n\nb\n\n", ',', {3, 1, {"a"}}, {6, 1, {"b"}});
    EXPECT("5\" pipe,a\rb\n", ',', {1, 2, {"5\" pipe", "a\rb"}});
    EXPECT("\r", ',', {1, 1, {"\r"}});
}

static void reads_quoted_fields(void **state)
{
    (void)state;
    EXPECT("\"a,b\",\"c\"\n", ',', {1, 2, {"a,b", "c"}});
    EXPECT("\"say \"\"hi\"\"\",\"\"\"\"\n", ',', {1, 2, {"say \"hi\"", "\""}});
    EXPECT("\"one\ntwo\r\nthree\",x\ny", ',', {1, 2, {"one\ntwo\r\nthree", "x"}}, {4, 1, {"y"}});
    EXPECT("\"\",\"\"", ',', {1, 2, {"", ""}});
    EXPECT("\"a\"\r\n\"b\"", ',', {1, 1, {"a"}}, {2, 1, {"b"}});
}

static void goes_on_behind_a_bad_row(void **state)
{
    (void)state;
    EXPECT("a\n\"x\"y,1\nb\n", ',', {1, 1, {"a"}}, {2, 0, {"follows a closing quote"}},
           {3, 1, {"b"}});
    /* A quote that is never closed costs its own line only. */
    EXPECT("a\n\"open\nb\nc", ',', {1, 1, {"a"}}, {2, 0, {"not closed"}}, {3, 1, {"b"}},
           {4, 1, {"c"}});
    EXPECT("1,2,3,4,5\nb", ',', {1, 0, {"more than 4 fields"}}, {2, 1, {"b"}});
    EXPECT("0123456789012345678901234567890123456789012345678901234567890123456789\nb", ',',
           {1, 0, {"longer than 64 bytes"}}, {2, 1, {"b"}});
    /* A byte of GBK; a row over two lines is skipped as a whole. */
    EXPECT("\"\xBC\xC3\n\",1\nb", ',', {1, 0, {"byte 2 of the row is not UTF-8"}}, {3, 1, {"b"}});
    EXPECT("\xED\xA0\x80\n\xC0\x80\n\xE6\xB5\x8E\xF0\x9F\x8F\x99", ',', {1, 0, {"not UTF-8"}},
           {2, 0, {"not UTF-8"}}, {3, 1, {"\xE6\xB5\x8E\xF0\x9F\x8F\x99"}});
}

static void seeks_to_a_row(void **state)
{
    (void)state;
    struct csv c;
    struct csv_row row;
    struct why why;
    struct str text = STR("h\n\"1\n\"\n2\n3\n");
    csv_init(&c, text, ',', &limits);
    assert_int_equal(csv_next(&c, &row, &why), CSV_ROW);
    assert_int_equal(csv_next(&c, &row, &why), CSV_ROW);
    size_t offset = c.at;
    uint64_t line = c.line;
    csv_free(&c);
    csv_init(&c, text, ',', &limits);
    csv_seek(&c, offset, line);
    assert_int_equal(csv_next(&c, &row, &why), CSV_ROW);
    assert_int_equal(row.line, 4);
    assert_str(row.fields[0], "2");
    csv_free(&c);
}

/* Any bytes: no row is lost, lines never go back, everything ends. */
static void survives_any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "\"\"\",,\r\n\nab\xE6\xB5";
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)(round % 40);
        char *text = malloc(n + 1);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        struct csv c;
        struct csv_row row;
        struct why why;
        uint64_t line = 0;
        size_t offset = 0, steps = 0;
        csv_init(&c, (struct str){text, n}, ',', &(struct csv_limits){16, 3});
        for (; csv_next(&c, &row, &why) != CSV_END; steps++) {
            assert_true(row.line > line);
            assert_true(row.offset >= offset && c.at > row.offset);
            line = row.line;
            offset = c.at;
        }
        assert_true(steps <= n);
        assert_int_equal(c.at, n);
        csv_free(&c);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_rows),         cmocka_unit_test(reads_quoted_fields),
        cmocka_unit_test(goes_on_behind_a_bad_row), cmocka_unit_test(seeks_to_a_row),
        cmocka_unit_test(survives_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
