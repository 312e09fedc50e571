/* Writing JSON: escapes at every offset, round trips of random trees. */
#include "test.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>

static const struct json_limits LIMITS = {.depth_max = 64, .bytes_max = 1 << 24};

static void writes(struct str s, const char *expected)
{
    struct buf b;
    buf_init(&b, 10000);
    json_write_str(&b, s);
    assert_str(buf_view(&b), expected);
    buf_free(&b);
}

static void escapes_what_must_be(void **state)
{
    (void)state;
    writes(STR(""), "\"\"");
    writes(STR_NONE, "\"\"");
    writes(STR("plain / \x7F \xC3\xA4"), "\"plain / \x7F \xC3\xA4\"");
    writes(STR("\"\\\b\f\n\r\t\x01\x1F"), "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"");
    writes(STR("a\0b"), "\"a\\u0000b\"");
}

/* Each byte value at each offset of a word and beyond, against the plain rule. */
static void plain_is_exact(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool special = c < 0x20 || c == '"' || c == '\\';
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            for (unsigned around = 0; around < 3; around++) {
                memset(text, "a\xFF\x21"[around], sizeof text);
                text[at] = (char)c;
                if (json_plain((struct str){text, sizeof text}) == special)
                    fail_msg("byte %02x at %zu", c, at);
            }
        }
    }
}

static void every_byte_reads_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    for (unsigned c = 0; c < 128; c++) {
        for (size_t at = 0; at < 18; at++) {
            char text[18];
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            struct json v = {.kind = JSON_STRING, .string = {text, sizeof text}}, again;
            assert_int_equal(json_read(a, json_text(a, &v), &LIMITS, &again, NULL), OK);
            assert_true(json_same(&v, &again));
        }
        arena_reset(a);
    }
    arena_free(a);
}

static void writes_minified(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct json v;
    struct str text = STR(" { \"a\" : [ 1 , 2.50 , true , false , null , { } , [ ] ] , \"b\\n\" : "
                          "\"c\" , \"d\" : 1.0 , \"e\" : 1E22 } ");
    assert_int_equal(json_read(a, text, &LIMITS, &v, NULL), OK);
    assert_str(json_text(a, &v),
               "{\"a\":[1,2.5,true,false,null,{},[]],\"b\\n\":\"c\",\"d\":1,\"e\":1e+22}");
    arena_free(a);
}

static void stops_when_the_buffer_is_full(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct json v;
    assert_int_equal(json_read(a, STR("[\"0123456789\",\"0123456789\"]"), &LIMITS, &v, NULL), OK);
    struct buf b;
    buf_init(&b, 15);
    json_write(&b, &v);
    assert_true(b.full);
    assert_true(b.n <= 15);
    buf_free(&b);
    arena_free(a);
}

static struct str random_text(struct arena *a, uint64_t *seed)
{
    static const char *const PARTS[] = {
        "a",    "\"", "\\", "\n", "\xC3\xA4", "\xF0\x9F\x98\x80", "long enough to fill a word",
        "\x01", "/"};
    struct str s = STR("");
    for (uint64_t n = test_random(seed) % 5; n; n--)
        s = arena_printf(a, "%.*s%s", STR_ARG(s),
                         PARTS[test_random(seed) % (sizeof PARTS / sizeof *PARTS)]);
    return s;
}

static double random_double(uint64_t *seed)
{
    for (;;) {
        uint64_t bits = test_random(seed);
        double d;
        memcpy(&d, &bits, sizeof d);
        if (isfinite(d))
            return d;
    }
}

static struct json random_tree(struct arena *a, uint64_t *seed, int depth)
{
    struct json v = {.kind = (uint8_t)(test_random(seed) % (depth ? 7 : 5))};
    switch (v.kind) {
    case JSON_BOOL:
        v.boolean = test_random(seed) & 1;
        break;
    case JSON_INT:
        v.integer = (int64_t)test_random(seed) >> test_random(seed) % 64;
        break;
    case JSON_REAL:
        v.real = random_double(seed);
        break;
    case JSON_STRING:
        v.string = random_text(a, seed);
        break;
    case JSON_ARRAY:
        v.n = test_random(seed) % 6;
        v.items = arena_array(a, struct json, v.n);
        for (uint32_t i = 0; i < v.n; i++)
            v.items[i] = random_tree(a, seed, depth - 1);
        break;
    case JSON_OBJECT:
        v.n = test_random(seed) % 6;
        v.members = arena_array(a, struct json_member, v.n);
        for (uint32_t i = 0; i < v.n; i++) {
            v.members[i].key = random_text(a, seed);
            v.members[i].value = random_tree(a, seed, depth - 1);
        }
        break;
    default:
        break;
    }
    return v;
}

static void random_trees_read_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    uint64_t seed = 2024;
    for (int i = 0; i < 3000; i++) {
        struct json v = random_tree(a, &seed, 5), again;
        struct str text = json_text(a, &v);
        assert_int_equal(json_read(a, text, &LIMITS, &again, NULL), OK);
        if (!json_same(&v, &again))
            fail_msg("%.*s", STR_ARG(text));
        assert_true(str_eq(json_text(a, &again), text));
        arena_reset(a);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_what_must_be),          cmocka_unit_test(plain_is_exact),
        cmocka_unit_test(every_byte_reads_back),         cmocka_unit_test(writes_minified),
        cmocka_unit_test(stops_when_the_buffer_is_full), cmocka_unit_test(random_trees_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
