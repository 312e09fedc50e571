/* What a change did: each case names two versions, and all that became of them. */
#include "broker/delta.h"
#include "model/edit.h"
#include "told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ENTITY(attrs) "{\"id\":\"urn:e:1\",\"type\":\"T\"" attrs "}"
#define A(value) ",\"a\":{\"type\":\"Property\",\"value\":" value "}"
#define B(value) ",\"b\":{\"type\":\"Property\",\"value\":" value "}"
#define A_WITH(members) ",\"a\":{\"type\":\"Property\",\"value\":1," members "}"
#define SUB(value) "\"s\":{\"type\":\"Property\",\"value\":1,\"deep\":{\"type\":\"Property\",\"value\":" value "}}"
#define SET(value, members) "{\"type\":\"Property\",\"value\":" value members "}"
#define X ",\"datasetId\":\"urn:d:x\""

static int setup(void **state)
{
    static struct told t;
    told_begin(&t);
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    told_end(*state);
    return 0;
}

static void put_triggers(struct buf *b, uint32_t triggers)
{
    static const struct {
        uint32_t trigger;
        char sign;
    } SIGNS[] = {{TRIGGER_ENTITY_CREATED, 'N'}, {TRIGGER_ENTITY_DELETED, 'D'}, {TRIGGER_ATTR_CREATED, '+'},
                 {TRIGGER_ATTR_UPDATED, '~'},   {TRIGGER_ATTR_DELETED, '-'}};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (triggers & SIGNS[i].trigger)
            buf_char(b, SIGNS[i].sign);
}

/* N or D of the entity, then each name with + (created), ~ (updated), - (deleted) of its instances. */
static struct str said(struct told *t, const struct doc *before, const struct doc *after)
{
    struct delta d;
    struct buf b;
    delta_of(before, after, t->arena, &d);
    buf_init(&b, 1000);
    put_triggers(&b, d.entity);
    uint32_t all = d.entity;
    for (uint32_t i = 0; i < d.count; i++) {
        struct str iri = terms_iri(t->terms, d.attrs[i].term);
        buf_char(&b, ' ');
        buf_str(&b, str_from(iri, iri.n - 1)); /* names are letters */
        put_triggers(&b, d.attrs[i].triggers);
        all |= d.attrs[i].triggers;
        assert_true(i == 0 || d.attrs[i].term > d.attrs[i - 1].term);
    }
    assert_int_equal(d.triggers, all);
    struct str text = arena_dup(t->arena, buf_view(&b));
    buf_free(&b);
    return text;
}

struct case_of {
    const char *before, *after; /* NULL: none */
    const char *said;
};

static void check(struct told *t, const struct case_of *cases, size_t count)
{
    (void)told_doc(t, ENTITY(A("1") B("1")), 1); /* names have their order now */
    for (size_t i = 0; i < count; i++) {
        const struct case_of *c = &cases[i];
        struct str got = said(t, c->before ? told_doc(t, c->before, 2) : NULL, c->after ? told_doc(t, c->after, 3) : NULL);
        if (!str_eq(got, str_of(c->said)))
            fail_msg("case %zu: '%.*s', not '%s'", i, STR_ARG(got), c->said);
    }
}
#define CHECK(state, cases) check(*(state), cases, sizeof(cases) / sizeof *(cases))

static void entities_come_and_go_with_their_attributes(void **state)
{
    static const struct case_of CASES[] = {
        {NULL, ENTITY(A("1") B("2")), "N a+ b+"},
        {NULL, ENTITY(""), "N"},
        {ENTITY(A("1") B("2")), NULL, "D a- b-"},
        {ENTITY(""), NULL, "D"},
        {NULL, ENTITY(",\"a\":[" SET("1", "") "," SET("2", X) "]"), "N a+"},
    };
    CHECK(state, CASES);
}

static void attributes_come_change_and_go(void **state)
{
    static const struct case_of CASES[] = {
        {ENTITY(A("1")), ENTITY(A("1") B("1")), " b+"},
        {ENTITY(A("1") B("1")), ENTITY(B("1")), " a-"},
        {ENTITY(A("1")), ENTITY(B("1")), " a- b+"},
        {ENTITY(A("1") B("1")), ENTITY(A("2") B("1")), " a~"},
        {ENTITY(A("1") B("1")), ENTITY(A("2") B("\"1\"")), " a~ b~"},
        {ENTITY(""), ENTITY(A("1")), " a+"},
        {ENTITY(A("1")), ENTITY(""), " a-"},
    };
    CHECK(state, CASES);
}

static void the_same_again_is_no_change(void **state)
{
    static const struct case_of CASES[] = {
        {ENTITY(A("1") B("\"x\"")), ENTITY(A("1") B("\"x\"")), ""},
        {ENTITY(A("{\"k\":[1,2]}")), ENTITY(A("{ \"k\": [1, 2] }")), ""},
        {ENTITY(A_WITH(SUB("1"))), ENTITY(A_WITH(SUB("1"))), ""},
        {ENTITY(""), ENTITY(""), ""},
    };
    CHECK(state, CASES);
}

static void every_member_is_part_of_an_attribute(void **state)
{
    static const struct case_of CASES[] = {
        {ENTITY(A("1")), ENTITY(A_WITH("\"unitCode\":\"MTR\"")), " a~"},
        {ENTITY(A_WITH("\"unitCode\":\"MTR\"")), ENTITY(A_WITH("\"unitCode\":\"KMT\"")), " a~"},
        {ENTITY(A("1")), ENTITY(A_WITH("\"observedAt\":\"2020-01-01T00:00:00Z\"")), " a~"},
        {ENTITY(A("\"urn:x:1\"")), ENTITY(",\"a\":{\"type\":\"Relationship\",\"object\":\"urn:x:1\"}"), " a~"},
    };
    CHECK(state, CASES);
}

static void sub_attributes_change_theirs(void **state)
{
    static const struct case_of CASES[] = {
        {ENTITY(A_WITH(SUB("1"))), ENTITY(A_WITH(SUB("2"))), " a~"}, /* two levels down */
        {ENTITY(A("1")), ENTITY(A_WITH(SUB("1"))), " a~"},
        {ENTITY(A_WITH(SUB("1"))), ENTITY(A("1")), " a~"},
    };
    CHECK(state, CASES);
}

static void instances_are_apart_and_named_together(void **state)
{
    static const struct case_of CASES[] = {
        {ENTITY(A("1")), ENTITY(",\"a\":[" SET("1", "") "," SET("2", X) "]"), " a+"},
        {ENTITY(",\"a\":[" SET("1", "") "," SET("2", X) "]"), ENTITY(A("1")), " a-"},
        {ENTITY(",\"a\":[" SET("1", "") "," SET("2", X) "]"), ENTITY(",\"a\":[" SET("1", "") "," SET("3", X) "]"), " a~"},
        {ENTITY(A("1")), ENTITY(",\"a\":" SET("1", X)), " a+-"}, /* the value has moved to another */
        {ENTITY(",\"a\":[" SET("1", "") "," SET("2", X) "]"),
         ENTITY(",\"a\":[" SET("7", "") "," SET("2", ",\"datasetId\":\"urn:d:y\"") "]" B("1")), " a+~- b+"},
    };
    CHECK(state, CASES);
}

/* The version before, edited at second now_s by change 3. */
static const struct doc *edited(struct told *t, const char *before, enum edit_kind kind, const char *fragment, int64_t now_s)
{
    struct entity old, part, next;
    struct edit_result result;
    struct edit e = {.kind = (uint8_t)kind, .id = STR("urn:e:1")};
    if (fragment) {
        part = told_entity(t, fragment, true);
        e.fragment = &part;
    }
    doc_decode(told_doc(t, before, 2), t->arena, &old);
    edit_apply(&e, &old, now_s * 1000000, t->arena, &next, &result);
    assert_int_equal(result.status, OK);
    return result.changed ? told_version(t, &next, 3) : NULL;
}

/* Edits say which attributes they wrote, however deep; only these are looked at. */
static void edits_tell_what_they_wrote(void **state)
{
    struct told *t = *state;
    static const struct {
        const char *before, *merged; /* NULL: the time goes by */
        const char *said;
    } CASES[] = {
        {ENTITY(A_WITH(SUB("1")) B("1")), ENTITY(",\"a\":{" SUB("2") "}"), " a~"},
        {ENTITY(A_WITH(SUB("1")) B("1")), ENTITY(",\"a\":{" SUB("1") "}" B("1")), ""},
        {ENTITY(A_WITH(SUB("1")) B("1")), ENTITY(",\"a\":{\"s\":\"urn:ngsi-ld:null\"}"), " a~"},
        {ENTITY(A("1") B("1")), ENTITY(",\"a\":\"urn:ngsi-ld:null\"" B("2")), " a- b~"},
        {ENTITY(A_WITH("\"s\":{\"type\":\"Property\",\"value\":1,\"expiresAt\":\"1970-01-01T01:00:00Z\"}") B("1")), NULL,
         " a~"},
    };
    (void)told_doc(t, ENTITY(A("1") B("1")), 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct doc *after = edited(t, CASES[i].before, CASES[i].merged ? EDIT_MERGE : EDIT_EXPIRE, CASES[i].merged,
                                         CASES[i].merged ? 3 : 7200);
        struct str got = after ? said(t, told_doc(t, CASES[i].before, 2), after) : STR("");
        if (!str_eq(got, str_of(CASES[i].said)))
            fail_msg("case %zu: '%.*s', not '%s'", i, STR_ARG(got), CASES[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entities_come_and_go_with_their_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(attributes_come_change_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_again_is_no_change, setup, teardown),
        cmocka_unit_test_setup_teardown(every_member_is_part_of_an_attribute, setup, teardown),
        cmocka_unit_test_setup_teardown(sub_attributes_change_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(instances_are_apart_and_named_together, setup, teardown),
        cmocka_unit_test_setup_teardown(edits_tell_what_they_wrote, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
