/* Query strings and path variables, decoded and checked. */
#include "front/ngsild/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct http_request http;
    struct exchange x;
};

static int setup(void **state)
{
    struct arena *a = arena_new(0);
    struct fixture *f = arena_zarray(a, struct fixture, 1);
    f->x.http = &f->http;
    f->x.arena = a;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->x.arena);
    return 0;
}

static enum status read_query(struct fixture *f, uint32_t operation, const char *query)
{
    struct arena *a = f->x.arena;
    f->http.query = str_of(query);
    f->x = (struct exchange){.http = &f->http, .arena = a, .endpoint = &ENDPOINTS[operation]};
    return params_read(&f->x);
}

static void is(struct str got, const char *expected)
{
    if (!str_eq(got, str_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), expected);
}

static void decoding(void **state)
{
    static const struct {
        const char *text;
        bool plus;
        const char *expected; /* NULL: refused */
    } CASES[] = {
        {"", true, ""},
        {"plain", true, "plain"},
        {"a%20b", true, "a b"},
        {"a+b", true, "a b"},
        {"a+b", false, "a+b"},
        {"%e6%B3%89", false, "\xe6\xb3\x89"},
        {"%41", false, "A"},
        {"x%41", false, "xA"},
        {"%", true, NULL},
        {"%4", true, NULL},
        {"a%4", true, NULL},
        {"%4g", true, NULL},
        {"%g4", true, NULL},
        {"%%41", true, NULL},
        {"a%00b", true, NULL},
        {"%0a", true, "\n"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct str out;
        bool ok = params_decode(f->x.arena, str_of(CASES[i].text), CASES[i].plus, &out);
        assert_int_equal(ok, CASES[i].expected != NULL);
        if (ok)
            is(out, CASES[i].expected);
    }
}

/* Whatever is encoded comes back, byte for byte, and needs no care in a URL. */
static void encoding_comes_back(void **state)
{
    struct fixture *f = *state;
    char all[255];
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    struct str text = {all, sizeof all}, back, encoded = params_encode(f->x.arena, text);
    for (size_t i = 0; i < encoded.n; i++)
        assert_null(strchr(" \"#&+/<>?\\^`{|}", encoded.p[i]));
    assert_true(params_decode(f->x.arena, encoded, true, &back));
    assert_true(str_eq(back, text));
    is(params_encode(f->x.arena, STR("urn:ngsi-ld:A:1")), "urn:ngsi-ld:A:1");
    is(params_encode(f->x.arena, STR("a&b=c/d")), "a%26b%3Dc%2Fd");
}

static void parameters_are_found(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "type=A%2CB&q=a%3D%3D1&&limit=5&offset="), OK);
    is(f->x.params[PARAM_TYPE], "A,B");
    is(f->x.params[PARAM_Q], "a==1");
    is(f->x.params[PARAM_LIMIT], "5");
    assert_false(exchange_has(&f->x, PARAM_OFFSET)); /* given empty is not given */
    assert_false(exchange_has(&f->x, PARAM_ATTRS));
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, ""), OK);
    for (uint32_t p = 0; p < PARAMS; p++)
        assert_false(exchange_has(&f->x, p));
}

static void what_the_operation_does_not_take_is_refused(void **state)
{
    static const struct {
        uint32_t operation;
        const char *query, *part;
    } CASES[] = {
        {OPERATION_QUERY_ENTITIES, "types=A", "types"},
        {OPERATION_QUERY_ENTITIES, "Type=A", "Type"},
        {OPERATION_QUERY_ENTITIES, "drop=a", "drop"},
        {OPERATION_CREATE_ENTITY, "limit=1", "limit"},
        {OPERATION_QUERY_ENTITIES, "type=A&type=B", "twice"},
        {OPERATION_QUERY_ENTITIES, "type=%zz", "percent"},
        {OPERATION_QUERY_ENTITIES, "=A", "not supported"},
        {OPERATION_QUERY_ENTITIES, "options=noOverwrite", "noOverwrite"},
        {OPERATION_QUERY_ENTITIES, "options=keyValues,nonsense", "nonsense"},
        {OPERATION_APPEND_ATTRS, "options=keyValues", "keyValues"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(read_query(f, CASES[i].operation, CASES[i].query), E_INVALID_REQUEST);
        assert_non_null(strstr(f->x.why.text, CASES[i].part));
    }
}

static void options_are_keywords(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "options=keyValues,+sysAttrs"), OK);
    assert_true(exchange_option(&f->x, KEYWORD_KEY_VALUES));
    assert_true(exchange_option(&f->x, KEYWORD_SYS_ATTRS));
    assert_false(exchange_option(&f->x, KEYWORD_CONCISE));
}

static void truth_values(void **state)
{
    struct fixture *f = *state;
    bool out = true;
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "count=true&local=false"), OK);
    assert_int_equal(params_bool(&f->x, PARAM_COUNT, &out), OK);
    assert_true(out);
    assert_int_equal(params_bool(&f->x, PARAM_LOCAL, &out), OK);
    assert_false(out);
    out = true;
    assert_int_equal(params_bool(&f->x, PARAM_SPLIT_ENTITIES, &out), OK); /* absent */
    assert_false(out);
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "count=TRUE"), E_BAD_DATA);
    assert_int_equal(read_query(f, OPERATION_CREATE_ENTITY, "local=1"), E_BAD_DATA);
}

static void numbers(void **state)
{
    static const char *const WRONG[] = {"limit=-1", "limit=%2B1", "limit=1.0", "limit=0x1", "limit=99999999999999999999",
                                        "limit=1+", "limit=ten"};
    struct fixture *f = *state;
    uint64_t n = 77;
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "type=A"), OK);
    assert_int_equal(params_u64(&f->x, PARAM_LIMIT, 10, "limits.page", &n), OK);
    assert_int_equal(n, 77);
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "limit=10"), OK);
    assert_int_equal(params_u64(&f->x, PARAM_LIMIT, 10, "limits.page", &n), OK);
    assert_int_equal(n, 10);
    assert_int_equal(params_u64(&f->x, PARAM_LIMIT, 9, "limits.page", &n), E_LIMIT);
    assert_string_equal(f->x.why.limit, "limits.page");
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, WRONG[i]), OK);
        assert_int_equal(params_u64(&f->x, PARAM_LIMIT, 10, "limits.page", &n), E_BAD_DATA);
    }
}

static void lists(void **state)
{
    struct fixture *f = *state;
    struct str *parts;
    uint32_t n;
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "id=urn:a:1,+urn:a:2,urn:a:3"), OK);
    assert_int_equal(params_list(&f->x, PARAM_ID, 3, &parts, &n), OK);
    assert_int_equal(n, 3);
    is(parts[1], "urn:a:2");
    assert_int_equal(params_list(&f->x, PARAM_ID, 2, &parts, &n), E_LIMIT);
    assert_string_equal(f->x.why.limit, "limits.ids");
    assert_int_equal(params_list(&f->x, PARAM_ATTRS, 2, &parts, &n), OK);
    assert_int_equal(n, 0);
    static const char *const WRONG[] = {"id=,a", "id=a,,b", "id=a,+"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, WRONG[i]), OK);
        assert_int_equal(params_list(&f->x, PARAM_ID, 9, &parts, &n), E_BAD_DATA);
    }
}

static void pages_repeat_the_query(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, "type=A&limit=3&q=name%3D%3D%22a%26b%22&offset=6"), OK);
    struct str page = params_page(&f->x, 5, 10);
    is(page, "?limit=5&offset=10&q=name%3D%3D%22a%26b%22&type=A");
    struct str kept = arena_dup(f->x.arena, str_from(page, 1));
    assert_int_equal(read_query(f, OPERATION_QUERY_ENTITIES, kept.p), OK);
    is(f->x.params[PARAM_Q], "name==\"a&b\"");
    is(params_page(&f->x, 5, 10), page.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decoding, setup, teardown),
        cmocka_unit_test_setup_teardown(encoding_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_operation_does_not_take_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(options_are_keywords, setup, teardown),
        cmocka_unit_test_setup_teardown(truth_values, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(lists, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_repeat_the_query, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
