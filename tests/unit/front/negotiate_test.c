/* Media types and the @context of a request. Headers come from the test. */
#include "front/ngsild/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>

#define LINK "<https://c.example/a>; rel=\"http://www.w3.org/ns/json-ld#context\""

/* Stand in for net's. */
static struct http_header headers[4];
static size_t header_count;

size_t http_request_header_count(const struct http_request *r, const char *name)
{
    (void)r;
    size_t n = 0;
    for (size_t i = 0; i < header_count; i++)
        n += strcasecmp(headers[i].name, name) == 0;
    return n;
}

struct str http_request_header_at(const struct http_request *r, const char *name, size_t n)
{
    (void)r;
    for (size_t i = 0; i < header_count; i++)
        if (strcasecmp(headers[i].name, name) == 0 && n-- == 0)
            return headers[i].value;
    return STR_NONE;
}

struct str http_request_header(const struct http_request *r, const char *name)
{
    return http_request_header_at(r, name, 0);
}

static void header(const char *name, const char *value)
{
    headers[header_count++] = (struct http_header){name, str_of(value)};
}

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
    f->x.endpoint = &ENDPOINTS[OPERATION_CREATE_ENTITY];
    header_count = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->x.arena);
    return 0;
}

static void accept_is_weighed(void **state)
{
    enum { NONE = -1 };
    static const struct {
        const char *accept;
        int geo, plain; /* what is chosen with GeoJSON and without */
    } CASES[] = {
        {NULL, MEDIA_JSON, MEDIA_JSON},
        {"", NONE, NONE},
        {"*/*", MEDIA_JSON, MEDIA_JSON},
        {"application/*", MEDIA_JSON, MEDIA_JSON},
        {"application/json", MEDIA_JSON, MEDIA_JSON},
        {"application/ld+json", MEDIA_LD_JSON, MEDIA_LD_JSON},
        {"APPLICATION/LD+JSON", MEDIA_LD_JSON, MEDIA_LD_JSON},
        {"application/geo+json", MEDIA_GEO_JSON, NONE},
        {"application/geo+json, application/json;q=0.5", MEDIA_GEO_JSON, MEDIA_JSON},
        {"application/json;q=0.5, application/ld+json;q=0.8", MEDIA_LD_JSON, MEDIA_LD_JSON},
        {"application/json;q=0.801, application/ld+json;q=0.8", MEDIA_JSON, MEDIA_JSON},
        {"application/ld+json;q=0.5, */*;q=0.1", MEDIA_LD_JSON, MEDIA_LD_JSON},
        {"application/json;q=0, */*", MEDIA_LD_JSON, MEDIA_LD_JSON}, /* the precise one counts */
        {"*/*;q=0", NONE, NONE},
        {"application/json;q=0", NONE, NONE},
        {"application/ld+json;profile=x;q=0.2, application/json;q=0.1", MEDIA_LD_JSON, MEDIA_LD_JSON},
        {"text/html, application/xhtml+xml, */*;q=0.8", MEDIA_JSON, MEDIA_JSON},
        {"text/html", NONE, NONE},
        {"image/*", NONE, NONE},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        for (int geo = 0; geo < 2; geo++) {
            int expected = geo ? CASES[i].geo : CASES[i].plain;
            header_count = 0;
            if (CASES[i].accept)
                header("Accept", CASES[i].accept);
            why_clear(&f->x.why);
            enum status st = negotiate_accept(&f->x, geo);
            if (st != (expected == NONE ? E_NOT_ACCEPTABLE : OK) || (st == OK && (int)f->x.accept != expected))
                fail_msg("%s: status %s, media %d", CASES[i].accept, status_name(st), f->x.accept);
        }
    }
}

static void content_types(void **state)
{
    static const struct {
        const char *type;
        enum http_method method;
        enum status status;
        enum media media;
    } CASES[] = {
        {"application/json", HTTP_POST, OK, MEDIA_JSON},
        {"application/json; charset=utf-8", HTTP_POST, OK, MEDIA_JSON},
        {"Application/JSON", HTTP_POST, OK, MEDIA_JSON},
        {"application/ld+json", HTTP_POST, OK, MEDIA_LD_JSON},
        {"application/ld+json;profile=\"x\"", HTTP_PATCH, OK, MEDIA_LD_JSON},
        {"application/merge-patch+json", HTTP_PATCH, OK, MEDIA_JSON},
        {"application/merge-patch+json", HTTP_POST, E_MEDIA_TYPE, 0},
        {"text/plain", HTTP_POST, E_MEDIA_TYPE, 0},
        {"application/jsonx", HTTP_POST, E_MEDIA_TYPE, 0},
        {"", HTTP_POST, E_MEDIA_TYPE, 0},
        {NULL, HTTP_POST, E_MEDIA_TYPE, 0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        header_count = 0;
        if (CASES[i].type)
            header("Content-Type", CASES[i].type);
        f->http.method = CASES[i].method;
        why_clear(&f->x.why);
        assert_int_equal(negotiate_content(&f->x), CASES[i].status);
        if (CASES[i].status == OK)
            assert_int_equal(f->x.content, CASES[i].media);
    }
}

/* Clause 6.3.5: where the @context may stand. */
static void contexts(void **state)
{
    static const struct {
        enum media content;
        bool linked;
        const char *body;
        enum status status;
        const char *spec; /* NULL: the core */
    } CASES[] = {
        {MEDIA_JSON, false, "{}", OK, NULL},
        {MEDIA_JSON, true, "{}", OK, "https://c.example/a"},
        {MEDIA_JSON, false, "{\"@context\":\"https://c.example/b\"}", E_BAD_DATA, NULL},
        {MEDIA_JSON, true, "{\"@context\":\"https://c.example/b\"}", E_BAD_DATA, NULL},
        {MEDIA_LD_JSON, false, "{\"@context\":\"https://c.example/b\"}", OK, "https://c.example/b"},
        {MEDIA_LD_JSON, true, "{\"@context\":\"https://c.example/b\"}", E_BAD_DATA, NULL},
        {MEDIA_LD_JSON, true, "{}", E_BAD_DATA, NULL},
        {MEDIA_LD_JSON, false, "{}", E_BAD_DATA, NULL},
    };
    const struct json_limits limits = {.depth_max = 8, .bytes_max = 1000};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        header_count = 0;
        if (CASES[i].linked)
            header("Link", LINK);
        f->x.content = CASES[i].content;
        f->x.has_spec = false;
        why_clear(&f->x.why);
        assert_int_equal(json_read(f->x.arena, str_of(CASES[i].body), &limits, &f->x.body, NULL), OK);
        assert_int_equal(negotiate_context(&f->x), CASES[i].status);
        if (CASES[i].status != OK)
            continue;
        assert_int_equal(f->x.has_spec, CASES[i].spec != NULL);
        if (CASES[i].spec)
            assert_true(json_is_string(&f->x.spec, str_of(CASES[i].spec)));
    }
}

static void several_link_headers_are_one_list(void **state)
{
    struct fixture *f = *state;
    f->x.endpoint = &ENDPOINTS[OPERATION_QUERY_ENTITIES];
    header("Link", "</next>; rel=\"next\"");
    header("Link", LINK);
    assert_int_equal(negotiate_context(&f->x), OK);
    assert_true(f->x.has_spec && json_is_string(&f->x.spec, STR("https://c.example/a")));
    header("Link", LINK);
    f->x.has_spec = false;
    assert_int_equal(negotiate_context(&f->x), E_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accept_is_weighed, setup, teardown),
        cmocka_unit_test_setup_teardown(content_types, setup, teardown),
        cmocka_unit_test_setup_teardown(contexts, setup, teardown),
        cmocka_unit_test_setup_teardown(several_link_headers_are_one_list, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
