/* Registrations: what is refused, which stand against one another, and which match. */
#include "context_fixture.h"

#include "model/registration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct registration_limits LIMITS = {
    .filter = {100, 8, 100, 100},
    .projection = {100, 4},
    .reader = {.attrs_max = 50,
               .depth_max = 4,
               .types_max = 4,
               .scopes_max = 4,
               .name_bytes_max = 500,
               .coordinates_max = 100},
    .items_max = 4,
};
static const int64_t NOW = INT64_C(1577836800000000); /* 2020-01-01 */

#define HEAD "{\"type\":\"ContextSourceRegistration\",\"endpoint\":\"http://h/\","

static struct json parsed(struct fixture *f, const char *text)
{
    static const struct json_limits limits = {32, 1 << 20};
    struct json v;
    assert_int_equal(json_read(f->arena, str_of(text), &limits, &v, &f->why), OK);
    return v;
}

/* Absent when refused. */
static struct str stored_of(struct fixture *f, const char *text)
{
    struct registration_reader r = {context_core(), &LIMITS, f->arena, NOW};
    struct json body = parsed(f, text);
    struct str out = STR_NONE;
    struct buf b;
    why_clear(&f->why);
    buf_init(&b, 1 << 20);
    if (registration_read(&r, &body, STR("urn:r:1"), &b, &f->why) == OK)
        out = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return out;
}

/* One with that mode and information. */
static struct registration *made(struct fixture *f, const char *mode, const char *information)
{
    struct registration *r;
    struct str text =
        arena_printf(f->arena, HEAD "\"mode\":\"%s\",\"information\":[%s]}", mode, information);
    struct str stored = stored_of(f, text.p);
    assert_string_equal(f->why.text, "");
    assert_int_equal(registration_compile(&r, stored, &LIMITS, f->arena, &f->why), OK);
    return r;
}

static bool against(struct fixture *f, const char *mode, const char *x, const char *other_mode,
                    const char *y)
{
    struct registration *a = made(f, mode, x), *b = made(f, other_mode, y);
    bool conflict = registration_conflicts(a, b);
    assert_int_equal(conflict, registration_conflicts(b, a));
    registration_free(a);
    registration_free(b);
    return conflict;
}

#define ONE(id, name)                                                                              \
    "{\"entities\":[{\"type\":\"A\",\"id\":\"urn:" id "\"}],\"propertyNames\":[\"" name "\"]}"

static void stands_against(void **state)
{
    struct fixture *f = *state;
    assert_true(against(f, "exclusive", ONE("1", "a"), "exclusive", ONE("1", "a")));
    assert_true(against(f, "exclusive", ONE("1", "a"), "redirect", ONE("1", "a")));
    assert_false(against(f, "exclusive", ONE("1", "a"), "exclusive", ONE("2", "a")));
    assert_false(against(f, "exclusive", ONE("1", "a"), "exclusive", ONE("1", "b")));
    assert_false(against(f, "redirect", ONE("1", "a"), "redirect", ONE("1", "a")));
    assert_false(against(f, "exclusive", ONE("1", "a"), "inclusive", ONE("1", "a")));
    assert_true(against(f, "exclusive", ONE("1", "a"), "redirect",
                        "{\"entities\":[{\"type\":\"A\",\"idPattern\":\"^urn\"}]}"));
    assert_false(against(f, "exclusive", ONE("1", "a"), "redirect",
                         "{\"entities\":[{\"type\":\"A\",\"idPattern\":\"^x\"}]}"));
    assert_false(
        against(f, "exclusive", ONE("1", "a"), "redirect", "{\"entities\":[{\"type\":\"B\"}]}"));
    assert_true(against(f, "exclusive", ONE("1", "a"), "redirect", "{\"propertyNames\":[\"a\"]}"));
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *pointer;
    } CASES[] = {
        {HEAD "\"information\":[]}", "/information"},
        {HEAD "\"information\":[{}]}", "/information/0"},
        {HEAD "\"information\":[{\"entities\":[{\"id\":\"urn:a:1\"}]}]}",
         "/information/0/entities/0"},
        {HEAD "\"mode\":\"exclusive\",\"information\":[{\"propertyNames\":[\"a\"]}]}",
         "/information/0"},
        {HEAD "\"mode\":\"auxiliary\",\"information\":[{\"propertyNames\":[\"a\"]}]}",
         "/operations"},
        {HEAD "\"information\":[{\"propertyNames\":[\"a\"]}],\"contextSourceInfo\":[{\"key\":"
              "\"accept\",\"value\":\"x\"}]}",
         "/contextSourceInfo/0/value"},
        {HEAD "\"information\":[{\"propertyNames\":[\"a\"]}],\"brand\":null}", "/brand"},
        {"{\"type\":\"ContextSourceRegistration\",\"information\":[{\"propertyNames\":[\"a\"]}]}",
         "/endpoint"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_true(str_absent(stored_of(f, CASES[i].text)));
        assert_int_equal(f->why.status, E_BAD_DATA);
        assert_string_equal(f->why.pointer, CASES[i].pointer);
    }
    assert_true(
        str_absent(stored_of(f, HEAD "\"information\":[{\"propertyNames\":[\"a\",\"b\",\"c\","
                                     "\"d\",\"e\"]}]}")));
    assert_string_equal(f->why.limit, "limits.registration_items");
}

static void matches(void **state)
{
    struct fixture *f = *state;
    struct registration *r = made(f, "inclusive",
                                  "{\"entities\":[{\"type\":\"A\"}],\"propertyNames\":[\"a\"]},"
                                  "{\"relationshipNames\":[\"b\"]}");
    struct str b = STR("https://uri.etsi.org/ngsi-ld/default-context/b");
    struct registration_query q = {0};
    bool infos[2];
    assert_true(registration_matches(r, &q, infos, f->arena) && infos[0] && infos[1]);
    registration_query_name(&q, b, f->arena);
    assert_true(registration_matches(r, &q, infos, f->arena) && !infos[0] && infos[1]);
    q.temporal = (struct temporal_query){.relation = TIMEREL_AFTER, .to_us = INT64_MAX};
    assert_false(registration_matches(r, &q, infos, f->arena));
    registration_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stands_against, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(refuses, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(matches, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("registration", tests, NULL, NULL);
}
