/* The cursor over minified text must see what the tree shows. */
#include "base/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct json_limits LIMITS = {64, 1 << 20};

static void same(struct arena *a, const struct json *tree, struct str text)
{
    enum json_kind kind = json_scan_kind(text);
    struct str rest = json_scan_inside(text), key, value;
    uint32_t n = 0;
    double number;
    switch ((enum json_kind)tree->kind) {
    case JSON_INT:
    case JSON_REAL:
        assert_int_equal(kind, JSON_REAL);
        assert_true(json_number(tree, &number) && strtod(arena_dup(a, text).p, NULL) == number);
        break;
    case JSON_STRING:
        assert_int_equal(kind, JSON_STRING);
        assert_true(str_eq(json_scan_string(text, a), tree->string));
        assert_true(json_scan_string_is(text, tree->string));
        assert_false(json_scan_string_is(text, arena_printf(a, "%.*sx", STR_ARG(tree->string))));
        if (tree->string.n)
            assert_false(json_scan_string_is(text, str_head(tree->string, tree->string.n - 1)));
        break;
    case JSON_ARRAY:
        assert_int_equal(kind, JSON_ARRAY);
        while (json_scan_element(&rest, &value))
            same(a, &tree->items[n++], value);
        assert_int_equal(n, tree->n);
        break;
    case JSON_OBJECT:
        assert_int_equal(kind, JSON_OBJECT);
        while (json_scan_member(&rest, &key, &value)) {
            assert_true(str_eq(json_scan_string(key, a), tree->members[n].key));
            same(a, &tree->members[n].value, value);
            n++;
        }
        assert_int_equal(n, tree->n);
        for (uint32_t i = 0; i < tree->n; i++)
            same(a, json_get(tree, tree->members[i].key),
                 json_scan_get(text, tree->members[i].key));
        assert_true(str_absent(json_scan_get(text, STR("no such member"))));
        break;
    default:
        assert_int_equal(kind, tree->kind);
    }
}

static void check(struct arena *a, const char *text)
{
    struct json tree;
    struct why why = {0};
    assert_int_equal(json_read(a, str_of(text), &LIMITS, &tree, &why), OK);
    same(a, &tree, str_of(text));
    same(a, &tree, json_text(a, &tree));
}

static void sees_what_the_tree_shows(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    check(a, "{}");
    check(a, "[]");
    check(a, "[[],{},\"\",null,true,false,-1.5e3]");
    check(a, "{\"a\":{\"a\":[1,{\"b\":\"]}\"}]},\"b\\\"\":\"x\\\\\",\"c\":\"\\\\\\\"\",\"\":2}");
    check(a, "[\"\\u00e9\\ud83d\\ude00\\n\\t\\/\\b\\f\\r\",\"é😀\",\"\\\\\\\\\"]");
    check(a, "{\"a\":1,\"a\":[2]}");
    check(a, "[[1,2],[3,[4]],{\"x\":[5]}]");
    arena_free(a);
}

/* Numbers that are the same in every run (xorshift). */
static uint64_t random_state = 88172645463325252u;
static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

static struct str random_json(struct arena *a, int depth)
{
    static const char *const scalars[] = {"0",    "-12.5", "1e-7",     "true",       "false",
                                          "null", "\"\"",  "\"a,]}\"", "\"\\\"{[\"", "\"\\\\\""};
    int kind = depth ? (int)below(4) : 0;
    if (kind < 2)
        return str_of(scalars[below(sizeof scalars / sizeof *scalars)]);
    int n = (int)below(4);
    struct str out = STR("");
    for (int i = 0; i < n; i++) {
        struct str v = random_json(a, depth - 1);
        out = kind == 2 ? arena_printf(a, "%.*s%s%.*s", STR_ARG(out), i ? "," : "", STR_ARG(v))
                        : arena_printf(a, "%.*s%s\"k\\u00%02d\":%.*s", STR_ARG(out), i ? "," : "",
                                       40 + i, STR_ARG(v));
    }
    return arena_printf(a, kind == 2 ? "[%.*s]" : "{%.*s}", STR_ARG(out));
}

static void random_texts(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    for (int i = 0; i < 2000; i++) {
        check(a, random_json(a, 5).p);
        arena_reset(a);
    }
    arena_free(a);
}

/* Cut anywhere, it still ends, within the text (the sanitizers watch). */
static void walk(struct arena *a, struct str text, int depth)
{
    struct str rest = json_scan_inside(text), key, value;
    if (json_scan_kind(text) == JSON_STRING)
        json_scan_string_is(text, json_scan_string(text, a));
    if (depth == 0)
        return;
    while (json_scan_kind(text) == JSON_OBJECT && json_scan_member(&rest, &key, &value)) {
        walk(a, key, depth - 1);
        walk(a, value, depth - 1);
    }
    while (json_scan_kind(text) == JSON_ARRAY && json_scan_element(&rest, &value))
        walk(a, value, depth - 1);
}

static void broken_texts_end(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    static const char text[] =
        "{\"a\":[1,{\"b\\u00e9\":\"]}\\ud83d\\ude00\"},[\"\\\\\"]],\"c\":tru}";
    for (size_t from = 0; from < sizeof text; from++) {
        for (size_t n = 0; from + n < sizeof text; n++) {
            char *copy = malloc(n ? n : 1); /* exactly as long, so that reading on is seen */
            memcpy(copy, text + from, n);
            walk(a, (struct str){copy, n}, 4);
            free(copy);
            arena_reset(a);
        }
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_what_the_tree_shows),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(broken_texts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
