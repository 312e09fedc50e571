/* pick and omit: the grammar of clause 4.21, and which members they leave. */
#include "entity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct projection_limits LIMITS = {.names_max = 20, .depth_max = 3};

static enum status read(struct fixture *f, const char *text, struct projection **out)
{
    why_clear(&f->why);
    return projection_read(out, str_of(text), context_core(), &LIMITS, f->arena, &f->why);
}

static uint32_t term(struct fixture *f, const char *name)
{
    return context_expand_term(context_core(), str_of(name), true, f->arena, NULL);
}

static void names_and_members(void **state)
{
    struct fixture *f = *state;
    uint32_t b = term(f, "b"), a = term(f, "a"), c = term(f, "c");
    struct projection *p;
    assert_int_equal(read(f, "a,id|b,scope,unheardOf", &p), OK);
    assert_true(p->id && p->scope && !p->type);
    assert_int_equal(p->count, 2);
    assert_int_equal(p->terms[0], b);
    assert_null(p->linked);
    assert_true(projection_has(p, a) && projection_has(p, b) && !projection_has(p, c));
    assert_true(projection_omits(p, a) && !projection_omits(p, c));
    assert_int_equal(read(f, "type", &p), OK);
    assert_true(p->type);
    assert_int_equal(p->count, 0);
    assert_int_equal(read(f, "ngsi-ld:default-context/a", &p), OK);
    assert_true(projection_has(p, a));
}

static void linked_members(void **state)
{
    struct fixture *f = *state;
    uint32_t a = term(f, "a"), b = term(f, "b"), c = term(f, "c");
    struct projection *p;
    assert_int_equal(read(f, "c,a{id,b{c|type}},b", &p), OK);
    assert_int_equal(p->count, 3);
    assert_true(projection_has(p, a) && !projection_omits(p, a) && projection_omits(p, b));
    struct projection *linked = p->linked[0];
    assert_true(p->terms[0] == a && linked->id && linked->count == 1 && linked->terms[0] == b);
    assert_true(linked->linked[0]->type && projection_has(linked->linked[0], c));
    assert_null(p->linked[1]);
    /* the same name twice */
    assert_int_equal(read(f, "a{b},a{c,id},a{b}", &p), OK);
    assert_int_equal(p->count, 1);
    assert_true(p->linked[0]->id && p->linked[0]->count == 2);
    assert_int_equal(read(f, "a{b},a", &p), OK);
    assert_true(p->count == 1 && projection_omits(p, a));
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } CASES[] = {
        {"", "column 1: expected a name, found the end"},
        {"a,", "column 3: expected a name, found the end"},
        {"a,,b", "column 3: expected a name, found ','"},
        {"a||b", "column 3: expected a name"},
        {",a", "column 1: expected a name"},
        {"id;name", "column 1: \"id;name\" is no name"},
        {"a b", "is no name"},
        {"9a", "is no name"},
        {"a{", "column 3: expected a name, found the end"},
        {"a{b", "column 4: expected ',', '|' or '}', found the end"},
        {"a{{b}", "column 3: expected a name, found '{'"},
        {"a{}", "column 3: expected a name, found '}'"},
        {"a{,b}", "column 3: expected a name"},
        {"a}", "column 2: expected ',' or '|', found '}'"},
        {"a{b}c", "column 5: expected ',' or '|', found 'c'"},
        {"a{b}{c}", "expected ',' or '|', found '{'"},
        {"id{a}", "\"id\" is no Relationship"},
        {"a,@context", "is no name"},
    };
    struct fixture *f = *state;
    struct projection *p;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (read(f, CASES[i].text, &p) != E_BAD_DATA || !strstr(f->why.text, CASES[i].part))
            fail_msg("\"%s\": %s", CASES[i].text, f->why.text);
    assert_int_equal(read(f, "a{b{c{d{e}}}}", &p), E_LIMIT);
    assert_string_equal(f->why.limit, "limits.projection_depth");
    assert_int_equal(read(f, "a{b{c{d}}}", &p), OK);
    assert_int_equal(read(f, "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", &p), E_LIMIT);
    assert_string_equal(f->why.limit, "limits.projection_names");
}

static void what_shows(void **state)
{
    static const struct {
        const char *pick, *omit, *expected;
        bool leaves;
    } CASES[] = {
        {"name", NULL, "{\"name\":1}", true},
        {"id,name", NULL, "{\"id\":\"urn:x:1\",\"name\":1}", true},
        {"id", NULL, "{\"id\":\"urn:x:1\"}", true},
        {"scope", NULL, "{\"scope\":\"/a\"}", true},
        {NULL, "id", "{\"type\":\"T\",\"scope\":\"/a\",\"name\":1,\"size\":2}", true},
        {NULL, "type,name", "{\"id\":\"urn:x:1\",\"scope\":\"/a\",\"size\":2}", true},
        {NULL, "type,name{size}", "{\"id\":\"urn:x:1\",\"scope\":\"/a\",\"name\":1,\"size\":2}",
         true},
        {"name{id}", NULL, "{\"name\":1}", true},
        {"unheardOf", NULL, "{}", false},
        {NULL, "id,type,scope,name,size", "{}", false},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(f, &r,
                                   "{\"id\":\"urn:x:1\",\"type\":\"T\",\"scope\":\"/a\",\"name\":1,"
                                   "\"size\":2}");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct projection *pick = NULL, *omit = NULL;
        struct represent rep = entity_represent(f, context_core(), REPRESENT_SIMPLIFIED);
        if (CASES[i].pick)
            assert_int_equal(read(f, CASES[i].pick, &pick), OK);
        if (CASES[i].omit)
            assert_int_equal(read(f, CASES[i].omit, &omit), OK);
        rep.pick = pick;
        rep.omit = omit;
        entity_shows(f, &rep, e, CASES[i].expected);
        assert_int_equal(represent_leaves(&rep, e), CASES[i].leaves);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(names_and_members),
        T(linked_members),
        T(what_is_refused),
        T(what_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
