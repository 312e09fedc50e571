/* Reading JSON: the tree, its limits, what each refusal says, equality. */
#include "test.h"

#include "base/json.h"
#include "base/json_locate.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct json_limits LIMITS = {.depth_max = 64, .bytes_max = 1 << 24};

struct fixture {
    struct arena *arena;
    struct why why;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new(0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct json read_ok(struct fixture *f, const char *text)
{
    struct json v;
    why_clear(&f->why);
    if (json_read(f->arena, str_of(text), &LIMITS, &v, &f->why) != OK)
        fail_msg("%s: %s", text, f->why.text);
    return v;
}

static void refused(struct fixture *f, struct str text, enum status status, const char *reason)
{
    struct json v;
    why_clear(&f->why);
    assert_int_equal(json_read(f->arena, text, &LIMITS, &v, &f->why), status);
    assert_string_equal(f->why.text, reason);
}

static void reads_every_kind(void **state)
{
    struct json v = read_ok(*state, " {\"n\":null,\"t\":true,\"f\":false,\"i\":-7,\"r\":2.5,"
                                    "\"s\":\"x\",\"a\":[1,[],{}],\"o\":{\"k\":\"v\"}} ");
    assert_int_equal(v.kind, JSON_OBJECT);
    assert_int_equal(v.n, 8);
    assert_true(json_is(json_get(&v, STR("n")), JSON_NULL));
    assert_true(json_get(&v, STR("t"))->boolean);
    assert_false(json_get(&v, STR("f"))->boolean);
    assert_int_equal(json_get(&v, STR("i"))->integer, -7);
    assert_true(json_get(&v, STR("r"))->real == 2.5);
    assert_true(json_is_string(json_get(&v, STR("s")), STR("x")));
    const struct json *a = json_get(&v, STR("a"));
    assert_int_equal(a->n, 3);
    assert_int_equal(a->items[0].integer, 1);
    assert_true(json_is(&a->items[1], JSON_ARRAY) && a->items[1].n == 0);
    assert_true(json_is(&a->items[2], JSON_OBJECT) && a->items[2].n == 0);
    assert_true(json_is_string(json_get(json_get(&v, STR("o")), STR("k")), STR("v")));
    assert_null(json_get(&v, STR("absent")));
    assert_null(json_get(a, STR("k")));
    assert_null(json_get(NULL, STR("k")));
}

static void reads_scalars_at_the_root(void **state)
{
    assert_int_equal(read_ok(*state, "123").integer, 123);
    assert_str(read_ok(*state, "\"abc\"").string, "abc");
    assert_int_equal(read_ok(*state, " null\n").kind, JSON_NULL);
    assert_true(read_ok(*state, "-0.5e1").real == -5);
}

static void keeps_order_and_duplicates(void **state)
{
    struct json v = read_ok(*state, "{\"b\":1,\"a\":2,\"b\":3}");
    assert_int_equal(v.n, 3);
    assert_str(v.members[0].key, "b");
    assert_str(v.members[1].key, "a");
    assert_str(v.members[2].key, "b");
    assert_int_equal(json_get(&v, STR("b"))->integer, 3);
}

static void unescapes_strings(void **state)
{
    struct json v =
        read_ok(*state, "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e4\\u6d4e\\ud83d\\ude00\","
                        "\"a\\u0000b\",\"\"]");
    assert_str(v.items[0].string, "\"\\/\b\f\n\r\t");
    assert_str(v.items[1].string, "\xC3\xA4\xE6\xB5\x8E\xF0\x9F\x98\x80");
    assert_int_equal(v.items[2].string.n, 3);
    assert_memory_equal(v.items[2].string.p, "a\0b", 3);
    assert_int_equal(v.items[3].string.n, 0);
    assert_false(str_absent(v.items[3].string));
}

static void borrows_nothing_from_the_text(void **state)
{
    struct fixture *f = *state;
    char text[] = "{\"key that is longer than thirty-two bytes, to be sure\":\"value\"}";
    struct json v = read_ok(f, text);
    memset(text, '#', sizeof text);
    read_ok(f, "[\"another document through the same parser\"]");
    assert_str(v.members[0].key, "key that is longer than thirty-two bytes, to be sure");
    assert_str(v.members[0].value.string, "value");
}

static void strings_of_every_length_survive(void **state)
{
    struct fixture *f = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_char(&b, '[');
    for (int n = 0; n < 100; n++) {
        buf_put(&b, n ? ",\"" : "\"", n ? 2 : 1);
        for (int i = 0; i < n; i++)
            buf_char(&b, (char)('a' + (n + i) % 26));
        buf_char(&b, '"');
    }
    buf_lit(&b, "]\0");
    struct json v = read_ok(f, b.p);
    for (int n = 0; n < 100; n++) {
        assert_int_equal(v.items[n].string.n, n);
        for (int i = 0; i < n; i++)
            assert_int_equal(v.items[n].string.p[i], 'a' + (n + i) % 26);
    }
    buf_free(&b);
}

static void integers_beyond_int64_become_doubles(void **state)
{
    const struct {
        const char *text;
        double real;
    } wide[] = {
        {"[9223372036854775808]", 9223372036854775808.0},
        {"[18446744073709551615]", 18446744073709551615.0},
        {"[18446744073709551616]", 18446744073709551616.0},
        {"[-9223372036854775809]", -9223372036854775809.0},
        {"[123456789012345678901234567890,\"1\\\"23456789012345678901234567890\"]",
         123456789012345678901234567890.0},
        {"[-99999999999999999999999999999999999999]", -99999999999999999999999999999999999999.0},
    };
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        struct json v = read_ok(*state, wide[i].text);
        assert_int_equal(v.items[0].kind, JSON_REAL);
        assert_true(v.items[0].real == wide[i].real);
    }
    struct json v = read_ok(*state, "[9223372036854775807,-9223372036854775808,0,-0,"
                                    "18446744073709551616,9223372036854775806]");
    assert_true(v.items[0].integer == INT64_MAX && v.items[1].integer == INT64_MIN);
    for (int i = 0; i < 6; i++)
        assert_int_equal(v.items[i].kind, i == 4 ? JSON_REAL : JSON_INT);
    assert_true(v.items[5].integer == INT64_MAX - 1);
}

static void digits_inside_strings_stay(void **state)
{
    struct json v = read_ok(*state, "[18446744073709551616,\"\\\"18446744073709551616\\\\\"]");
    assert_str(v.items[1].string, "\"18446744073709551616\\");
}

static void a_very_long_integer_is_out_of_range(void **state)
{
    char text[400];
    memset(text, '9', sizeof text);
    refused(*state, (struct str){text, sizeof text}, E_INVALID_REQUEST,
            "line 1, column 1: a number beyond the range of a double");
    struct json v;
    struct fixture *f = *state;
    assert_int_equal(json_read(f->arena, (struct str){text, 300}, &LIMITS, &v, NULL), OK);
    assert_true(v.kind == JSON_REAL && v.real == 1e300);
}

static void says_what_is_wrong_and_where(void **state)
{
    const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "the body is empty"},
        {" \r\n\t", "the body is empty"},
        {"[1,2", "line 1, column 5: expected ',' or ']'"},
        {"{\"a\":1,\n \"b\":2,\n \"c\":3 \"d\":4}", "line 3, column 8: expected ',' or '}'"},
        {"{\"a\" 1}", "line 1, column 6: expected ':'"},
        {"{a:1}", "line 1, column 2: expected a member name in quotes or '}'"},
        {"{\"a\":1,}", "line 1, column 8: expected a member name in quotes"},
        {"{\"a\":}", "line 1, column 6: expected a value"},
        {"[,]", "line 1, column 2: expected a value or ']'"},
        {"[1,]", "line 1, column 4: expected a value"},
        {"[1]]", "line 1, column 4: unexpected text behind the JSON value"},
        {"{} x", "line 1, column 4: unexpected text behind the JSON value"},
        {"[tru]", "line 1, column 2: expected a value"},
        {"\"abc", "line 1, column 1: the string that starts here is not closed"},
        {"[\"\\x\"]", "line 1, column 3: unknown escape in a string"},
        {"[\"\\u12G4\"]", "line 1, column 3: expected four hexadecimal digits behind \\u"},
        {"[\"\\ud800\"]", "line 1, column 3: half of a surrogate pair"},
        {"[\"\\udc00\"]", "line 1, column 3: half of a surrogate pair"},
        {"[\"a\tb\"]", "line 1, column 4: unescaped control character in a string"},
        {"[\"a\nb\"]", "line 1, column 4: unescaped control character in a string"},
        {"[\"\xC3\xA4\xFF\"]", "line 1, column 4: invalid UTF-8"},
        {"\xFF", "line 1, column 1: invalid UTF-8"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: unexpected byte order mark"},
        {"[01]", "line 1, column 2: malformed number"},
        {"[-]", "line 1, column 2: malformed number"},
        {"[1.]", "line 1, column 2: malformed number"},
        {"[1e]", "line 1, column 2: malformed number"},
        {"[.5]", "line 1, column 2: expected a value or ']'"},
        {"[1e400]", "line 1, column 2: a number beyond the range of a double"},
        {"[NaN]", "line 1, column 2: expected a value or ']'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(*state, str_of(cases[i].text), E_INVALID_REQUEST, cases[i].reason);
    refused(*state, STR_NONE, E_INVALID_REQUEST, "the body is empty");
}

static void nul_bytes_are_no_space(void **state)
{
    refused(*state, STR("[1]\0"), E_INVALID_REQUEST,
            "line 1, column 4: unexpected text behind the JSON value");
    refused(*state, STR("\0"), E_INVALID_REQUEST, "line 1, column 1: expected a value");
    refused(*state, STR_NONE, E_INVALID_REQUEST, "the body is empty"); /* no address at all */
    refused(*state, STR("[1\0]"), E_INVALID_REQUEST, "line 1, column 3: expected ',' or ']'");
    refused(*state, STR("[\"a\0b\"]"), E_INVALID_REQUEST,
            "line 1, column 4: unescaped control character in a string");
}

static void depth_is_limited(void **state)
{
    struct fixture *f = *state;
    struct json_limits limits = {.depth_max = 3, .bytes_max = 1000};
    struct json v;
    assert_int_equal(json_read(f->arena, STR("[{\"a\":[1]}]"), &limits, &v, NULL), OK);
    assert_int_equal(json_read(f->arena, STR("[{\"a\":[{}]}]"), &limits, &v, &f->why), E_LIMIT);
    assert_string_equal(f->why.limit, "limits.json_depth");
    assert_string_equal(f->why.text,
                        "line 1, column 8: arrays and objects are nested deeper than 3");
    limits.depth_max = 1;
    assert_int_equal(json_read(f->arena, STR("7"), &limits, &v, NULL), OK);
    assert_int_equal(json_read(f->arena, STR("[7]"), &limits, &v, NULL), OK);
    assert_int_equal(json_read(f->arena, STR("[[]]"), &limits, &v, NULL), E_LIMIT);
}

static void a_million_levels_are_refused_and_thousands_read(void **state)
{
    struct fixture *f = *state;
    enum { MILLION = 1000000, LEVELS = 5000 };
    char *text = malloc(MILLION);
    struct json v;
    memset(text, '[', MILLION);
    why_clear(&f->why);
    assert_int_equal(json_read(f->arena, (struct str){text, MILLION}, &LIMITS, &v, &f->why),
                     E_LIMIT);
    memset(text + LEVELS, ']', LEVELS);
    struct json_limits deep = {.depth_max = LEVELS, .bytes_max = MILLION};
    assert_int_equal(json_read(f->arena, (struct str){text, 2 * LEVELS}, &deep, &v, NULL), OK);
    deep.depth_max--;
    assert_int_equal(json_read(f->arena, (struct str){text, 2 * LEVELS}, &deep, &v, NULL), E_LIMIT);
    free(text);
}

static void size_is_limited(void **state)
{
    struct fixture *f = *state;
    struct json_limits limits = {.depth_max = 3, .bytes_max = 4};
    struct json v;
    assert_int_equal(json_read(f->arena, STR("1234"), &limits, &v, NULL), OK);
    assert_int_equal(json_read(f->arena, STR("12345"), &limits, &v, &f->why), E_TOO_LARGE);
    assert_string_equal(f->why.limit, "limits.body_bytes");
    assert_string_equal(f->why.text, "5 bytes are more than the 4 allowed");
}

/* Beyond the size whose parser is kept between calls. */
static void reads_large_documents(void **state)
{
    struct fixture *f = *state;
    enum { N = 200000 };
    struct buf b;
    buf_init(&b, 1 << 24);
    buf_char(&b, '[');
    for (int i = 0; i < N; i++)
        buf_printf(&b, "%s{\"id\":%d}", i ? "," : "", i);
    buf_char(&b, ']');
    struct json v;
    assert_int_equal(json_read(f->arena, buf_view(&b), &LIMITS, &v, NULL), OK);
    assert_int_equal(v.n, N);
    for (int i = 0; i < N; i += 997)
        assert_int_equal(json_get(&v.items[i], STR("id"))->integer, i);
    buf_free(&b);
}

/* simdjson's tape counts elements up to 2^24; beyond, we count. */
static void counts_more_elements_than_the_tape(void **state)
{
    struct fixture *f = *state;
    enum { N = (1 << 24) + 5 };
    static const char TAIL[] = "[1,2],{\"a\":2.5},\"end\"]";
    const struct json_limits large = {.depth_max = 3, .bytes_max = 1 << 26};
    if (sysconf(_SC_PHYS_PAGES) < (4L << 30) / sysconf(_SC_PAGESIZE))
        skip(); /* the tree and the tape take 900 MB */
    char *text = malloc(2 * N + sizeof TAIL);
    size_t n = 1;
    text[0] = '[';
    for (int i = 0; i < N - 3; i++, n += 2)
        memcpy(text + n, "0,", 2);
    memcpy(text + n, TAIL, sizeof TAIL);
    struct str s = {text, n + sizeof TAIL - 1};
    struct json v;
    assert_int_equal(json_read(f->arena, s, &large, &v, NULL), OK);
    assert_int_equal(v.n, N);
    assert_int_equal(v.items[N - 3].n, 2);
    assert_true(json_get(&v.items[N - 2], STR("a"))->real == 2.5);
    assert_str(v.items[N - 1].string, "end");
    free(text);
}

static void numbers_convert(void **state)
{
    struct json v = read_ok(*state, "[3,2.5,\"3\"]");
    double d;
    assert_true(json_number(&v.items[0], &d) && d == 3);
    assert_true(json_number(&v.items[1], &d) && d == 2.5);
    assert_false(json_number(&v.items[2], &d));
    assert_false(json_number(NULL, &d));
}

static void same_means_the_same_value(void **state)
{
    const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"1", "1.0", true},
        {"1", "2", false},
        {"1", "1.5", false},
        {"9007199254740993", "9007199254740992.0", false},
        {"9223372036854775807", "9223372036854775808", false},
        {"-9223372036854775808", "-9223372036854775808.0", true},
        {"1", "true", false},
        {"null", "false", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"a\"", "\"b\"", false},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2,3]", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}", true},
        {"{\"a\":1,\"a\":2}", "{\"a\":1}", false},
        {"{\"a\":1,\"a\":2}", "{\"a\":3,\"a\":2}", true},
        {"{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}", false},
        {"{\"a\":[{\"x\":1,\"y\":[]}]}", "{\"a\":[{\"y\":[],\"x\":1}]}", true},
        {"{}", "[]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json a = read_ok(*state, cases[i].a), b = read_ok(*state, cases[i].b);
        if (json_same(&a, &b) != cases[i].same || json_same(&b, &a) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(json_kind_name(JSON_STRING), "a string");
    assert_string_equal(json_kind_name(JSON_OBJECT), "an object");
    assert_string_equal(json_kind_name(JSON_INT), json_kind_name(JSON_REAL));
}

/* Damages a document at random; the fast reader and the explaining one must agree
 * on whether it is still JSON, or a refusal would have no reason. */
static void both_readers_judge_alike(void **state)
{
    struct fixture *f = *state;
    static const char SEED[] = "{\"id\":\"urn:x\",\"t\":[1,-2.5e3,0.25,true,false,null,{}],"
                               "\"\\u00e4\\n\":{\"k\":\"\xE6\xB5\x8E\",\"e\":[[],[[\"\"]]]} }";
    static const char PARTS[] = "{}[]\",:\\0123456789-+.eEtrufalsn \n\t\xC3\xA4\xE6\xFF\x01";
    uint64_t seed = 5;
    int accepted = 0;
    for (int i = 0; i < 60000; i++) {
        char text[sizeof SEED + 8];
        size_t n = sizeof SEED - 1;
        memcpy(text, SEED, n);
        for (uint64_t edits = 1 + test_random(&seed) % 3; edits; edits--) {
            size_t at = test_random(&seed) % n;
            char c = PARTS[test_random(&seed) % (sizeof PARTS - 1)];
            if (test_random(&seed) % 2) {
                text[at] = c;
            } else {
                memmove(text + at + 1, text + at, n - at);
                text[at] = c;
                n++;
            }
        }
        struct json v;
        struct str s = {text, n};
        bool ok = json_read(f->arena, s, &LIMITS, &v, NULL) == OK;
        struct json_place place = json_locate(s, LIMITS.depth_max);
        if (ok != (place.fault == JSON_FAULT_NONE))
            fail_msg("read: %d, locate: %s: %.*s", ok, place.text, STR_ARG(s));
        accepted += ok;
        arena_reset(f->arena);
    }
    assert_in_range(accepted, 1000, 59000);
}

static void *read_often(void *text)
{
    struct arena *a = arena_new(0);
    struct json v;
    intptr_t wrong = 0;
    for (int i = 0; i < 2000; i++) {
        arena_reset(a);
        wrong += json_read(a, str_of(text), &LIMITS, &v, NULL) != OK || v.n != 3;
    }
    arena_free(a);
    return (void *)wrong;
}

static void threads_do_not_meet(void **state)
{
    (void)state;
    char texts[2][40] = {"[\"one\",1,true]", "{\"a\":[],\"b\":{},\"c\":\"two\"}"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, texts[i % 2]), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int main(void)
{
#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_ARENA(reads_every_kind),
        WITH_ARENA(reads_scalars_at_the_root),
        WITH_ARENA(keeps_order_and_duplicates),
        WITH_ARENA(unescapes_strings),
        WITH_ARENA(borrows_nothing_from_the_text),
        WITH_ARENA(strings_of_every_length_survive),
        WITH_ARENA(integers_beyond_int64_become_doubles),
        WITH_ARENA(digits_inside_strings_stay),
        WITH_ARENA(a_very_long_integer_is_out_of_range),
        WITH_ARENA(says_what_is_wrong_and_where),
        WITH_ARENA(nul_bytes_are_no_space),
        WITH_ARENA(depth_is_limited),
        WITH_ARENA(a_million_levels_are_refused_and_thousands_read),
        WITH_ARENA(size_is_limited),
        WITH_ARENA(reads_large_documents),
        WITH_ARENA(counts_more_elements_than_the_tape),
        WITH_ARENA(numbers_convert),
        WITH_ARENA(same_means_the_same_value),
        WITH_ARENA(kinds_have_names),
        WITH_ARENA(both_readers_judge_alike),
        cmocka_unit_test(threads_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
