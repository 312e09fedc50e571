/* Fragments (clause 5.4): what may be left out and what the NGSI-LD Null means in
 * partial updates (5.5.8), appends and merges (5.5.12), and simplified input. */
#include "entity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t term_of(struct fixture *f, const char *name)
{
    return context_expand_term(context_core(), str_of(name), true, f->arena, NULL);
}

static const struct attr *get(struct fixture *f, const struct entity *e, const char *name)
{
    uint32_t count;
    const struct attr *a = entity_attr(e, term_of(f, name), &count);
    if (!a || count != 1)
        fail_msg("%s: %u instances", name, a ? count : 0);
    return a;
}

static const struct attr *sub(struct fixture *f, const struct attr *a, const char *name)
{
    const struct attr *s = attr_sub(a, term_of(f, name), NULL);
    if (!s)
        fail_msg("no %s", name);
    return s;
}

static bool is_text(struct str s, const char *text)
{
    return str_eq(s, str_of(text));
}

/* ---- nulls ---- */

static void nulls_delete_attributes(void **state)
{
    static const char TEXT[] =
        "{\"a\":\"urn:ngsi-ld:null\",\"b\":{\"type\":\"Property\",\"value\":\"urn:ngsi-ld:null\"},"
        "\"c\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:null\",\"datasetId\":\"urn:d:"
        "1\"},"
        "\"d\":{\"type\":\"LanguageProperty\",\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}},"
        "\"e\":{\"valueList\":[\"urn:ngsi-ld:null\"]},\"f\":{\"objectList\":[\"urn:ngsi-ld:null\"]}"
        ","
        "\"g\":{\"vocab\":\"urn:ngsi-ld:null\"},\"h\":{\"json\":\"urn:ngsi-ld:null\"},"
        "\"location\":{\"type\":\"GeoProperty\",\"value\":\"urn:ngsi-ld:null\"},"
        "\"i\":{\"value\":1,\"sub\":\"urn:ngsi-ld:null\",\"unitCode\":\"urn:ngsi-ld:null\","
        "\"observedAt\":\"urn:ngsi-ld:null\",\"expiresAt\":\"urn:ngsi-ld:null\",\"valueType\":"
        "\"urn:ngsi-ld:null\"},\"j\":{\"object\":\"urn:x:1\",\"objectType\":\"urn:ngsi-ld:null\"},"
        "\"scope\":\"urn:ngsi-ld:null\",\"expiresAt\":\"urn:ngsi-ld:null\"}";
    static const enum reader_mode MODES[] = {READER_UPDATE, READER_MERGE};
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        struct reader r = entity_reader(f, context_core(), MODES[i]);
        struct entity *e = entity_read(f, &r, TEXT);
        assert_true(str_absent(e->id));
        assert_int_equal(e->type_count, 0);
        assert_true(e->scope_null && e->expires_null);
        static const char *const NAMES[] = {"a", "b", "c", "d", "e", "f", "g", "h", "location"};
        for (size_t n = 0; n < sizeof NAMES / sizeof *NAMES; n++)
            assert_int_equal(get(f, e, NAMES[n])->value.kind, VALUE_NULL);
        assert_int_equal(get(f, e, "a")->kind, ATTR_UNKNOWN);
        assert_int_equal(get(f, e, "c")->kind, ATTR_RELATIONSHIP);
        assert_true(is_text(get(f, e, "c")->dataset, "urn:d:1"));
        const struct attr *a = get(f, e, "i");
        assert_int_equal(a->null_members, ATTR_NULL_UNIT_CODE | ATTR_NULL_OBSERVED_AT |
                                              ATTR_NULL_EXPIRES_AT | ATTR_NULL_VALUE_TYPE);
        assert_int_equal(sub(f, a, "sub")->value.kind, VALUE_NULL);
        assert_int_equal(get(f, e, "j")->null_members, ATTR_NULL_OBJECT_TYPE);
    }
}

static void appends_take_no_null(void **state)
{
    static const struct refused_case CASES[] = {
        {"{\"a\":\"urn:ngsi-ld:null\"}", "/a", "updates and merges only"},
        {"{\"a\":{\"value\":\"urn:ngsi-ld:null\"}}", "/a/value", "updates and merges only"},
        {"{\"scope\":\"urn:ngsi-ld:null\"}", "/scope", "updates and merges only"},
        {"{\"a\":{\"observedAt\":\"2020-01-01T00:00:00Z\"}}", "/a", "needs a member"},
        {NULL, NULL, NULL},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_APPEND);
    for (const struct refused_case *c = CASES; c->json; c++)
        entity_refused(f, &r, c);
    struct entity *e = entity_read(f, &r, "{\"a\":5,\"type\":\"T\"}");
    assert_int_equal(e->type_count, 1);
    assert_int_equal(get(f, e, "a")->guesses, 0);
}

static void what_no_fragment_can_null(void **state)
{
    static const struct refused_case CASES[] = {
        {"{\"id\":\"urn:ngsi-ld:null\"}", "/id", "Null"},
        {"{\"type\":\"urn:ngsi-ld:null\"}", "/type", "cannot be removed"},
        {"{\"a\":{\"type\":\"urn:ngsi-ld:null\"}}", "/a/type", "no type of attribute"},
        {"{\"a\":{\"value\":1,\"datasetId\":\"urn:ngsi-ld:null\"}}", "/a/datasetId",
         "clause 5.5.8"},
        {"{\"a\":null}", "/a", "null is no value"},
        {NULL, NULL, NULL},
    };
    struct fixture *f = *state;
    for (int mode = READER_UPDATE; mode <= READER_MERGE; mode++) {
        struct reader r = entity_reader(f, context_core(), (enum reader_mode)mode);
        for (const struct refused_case *c = CASES; c->json; c++)
            entity_refused(f, &r, c);
    }
}

static void only_merges_go_into_values(void **state)
{
    static const struct refused_case MERGE[] = {
        {"{\"a\":{\"value\":{\"b\":[\"urn:ngsi-ld:null\"]}}}", "/a/value/b/0",
         "members of objects"},
        {"{\"a\":[{\"b\":\"urn:ngsi-ld:null\"}]}", "/a/0/b", "members of objects"},
        {"{\"a\":{\"valueList\":[1,\"urn:ngsi-ld:null\"]}}", "/a/valueList/1",
         "members of objects"},
        {"{\"a\":{\"languageMap\":{\"fr\":[\"urn:ngsi-ld:null\"]}}}", "/a/languageMap/fr/0",
         "4.6.5"},
        {"{\"a\":{\"type\":\"Point\",\"coordinates\":[1,2],\"x\":\"urn:ngsi-ld:null\"}}", "/a/x",
         "members of objects"},
        {NULL, NULL, NULL},
    };
    static const char TEXT[] = "{\"a\":{\"value\":{\"street\":\"Jingshi Lu\",\"country\":"
                               "\"urn:ngsi-ld:null\"}},\"b\":{\"languageMap\":{\"fr\":"
                               "\"urn:ngsi-ld:null\",\"en\":\"x\"}}}";
    static const struct refused_case UPDATE = {
        "{\"a\":{\"value\":{\"country\":\"urn:ngsi-ld:null\"}}}", "/a/value/country",
        "merges only"};
    struct fixture *f = *state;
    struct reader update = entity_reader(f, context_core(), READER_UPDATE);
    entity_refused(f, &update, &UPDATE);
    struct reader merge = entity_reader(f, context_core(), READER_MERGE);
    for (const struct refused_case *c = MERGE; c->json; c++)
        entity_refused(f, &merge, c);
    struct entity *e = entity_read(f, &merge, TEXT);
    assert_true(is_text(get(f, e, "a")->value.text,
                        "{\"street\":\"Jingshi Lu\",\"country\":\"urn:ngsi-ld:null\"}"));
    assert_int_equal(get(f, e, "b")->value.kind, VALUE_JSON);
}

/* ---- what may be left out ---- */

static void updates_replace_whole_attributes(void **state)
{
    static const struct refused_case INCOMPLETE = {"{\"a\":{\"unitCode\":\"CEL\"}}", "/a",
                                                   "needs a member \"value\""};
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_UPDATE);
    entity_refused(f, &r, &INCOMPLETE);
    struct entity *e = entity_read(f, &r,
                                   "{\"a\":{\"street\":\"x\"},\"b\":{\"type\":\"Property\","
                                   "\"value\":1}}");
    assert_int_equal(get(f, e, "a")->kind, ATTR_PROPERTY);
    assert_int_equal(get(f, e, "a")->guesses, ATTR_GUESS_KIND);
    assert_int_equal(get(f, e, "b")->guesses, 0);
}

static void merges_are_partial_at_every_depth(void **state)
{
    static const char TEXT[] =
        "{\"a\":{\"observedAt\":\"2020-01-01T00:00:00Z\",\"sub\":{\"unitCode\":\"CEL\"}},"
        "\"b\":{\"source\":{\"type\":\"Property\",\"value\":\"GPS\"}},"
        "\"c\":{\"street\":\"x\",\"source\":{\"type\":\"Property\",\"value\":\"GPS\"}},"
        "\"d\":{\"type\":\"LanguageProperty\",\"observedAt\":\"2020-01-01T00:00:00Z\"},\"e\":{}}";
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_MERGE);
    struct entity *e = entity_read(f, &r, TEXT);
    const struct attr *a = get(f, e, "a");
    assert_int_equal(a->kind, ATTR_UNKNOWN);
    assert_int_equal(a->value.kind, VALUE_NONE);
    assert_true(is_text(sub(f, a, "sub")->unit_code, "CEL"));
    assert_int_equal(get(f, e, "b")->kind, ATTR_UNKNOWN);
    assert_true(is_text(sub(f, get(f, e, "b"), "source")->value.text, "GPS"));
    assert_int_equal(get(f, e, "c")->kind, ATTR_PROPERTY);
    assert_int_equal(get(f, e, "c")->value.kind, VALUE_JSON);
    assert_int_equal(get(f, e, "d")->kind, ATTR_LANGUAGE_PROPERTY);
    assert_int_equal(get(f, e, "d")->value.kind, VALUE_NONE);
    assert_int_equal(get(f, e, "e")->value.kind, VALUE_JSON);
}

static void the_common_time_of_a_merge(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_MERGE);
    r.observed_at = 1000000;
    struct entity *e =
        entity_read(f, &r,
                    "{\"a\":1,\"b\":{\"value\":1,\"observedAt\":\"1970-01-01T00:00:02Z\"},\"c\":"
                    "\"urn:ngsi-ld:null\",\"d\":{\"value\":1,\"observedAt\":\"urn:ngsi-ld:null\"},"
                    "\"e\":{\"value\":1,\"sub\":2}}");
    assert_int_equal(get(f, e, "a")->observed_at, 1000000);
    assert_int_equal(get(f, e, "a")->guesses, ATTR_GUESS_KIND | ATTR_GUESS_OBSERVED_AT);
    assert_int_equal(get(f, e, "b")->observed_at, 2000000);
    assert_int_equal(get(f, e, "b")->guesses, ATTR_GUESS_KIND);
    assert_int_equal(get(f, e, "c")->observed_at, TIME_NONE);
    assert_int_equal(get(f, e, "d")->observed_at, TIME_NONE);
    assert_int_equal(sub(f, get(f, e, "e"), "sub")->observed_at, TIME_NONE);
}

static void the_id_must_be_the_one_addressed(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity e;
    struct why why = {0};
    struct str id = STR("urn:x:1");
    const struct json *without = entity_json(f, "{\"type\":\"T\"}");
    const struct json *same = entity_json(f, "{\"id\":\"urn:x:1\",\"type\":\"T\"}");
    const struct json *other = entity_json(f, "{\"id\":\"urn:x:2\",\"type\":\"T\"}");
    assert_int_equal(reader_entity(&r, without, id, NULL, &e, &why), OK);
    assert_true(str_eq(e.id, id));
    assert_int_equal(reader_entity(&r, same, id, NULL, &e, &why), OK);
    assert_int_equal(reader_entity(&r, other, id, NULL, &e, &why), E_BAD_DATA);
    assert_string_equal(why.pointer, "/id");
}

/* ---- one attribute ---- */

static enum status read_attr(struct fixture *f, enum reader_mode mode, const char *name,
                             const char *text, struct attr **out, uint32_t *count)
{
    struct reader r = entity_reader(f, context_core(), mode);
    why_clear(&f->why);
    return reader_attr(&r, term_of(f, name), entity_json(f, text), NULL, out, count, &f->why);
}

static void fragments_of_an_attribute(void **state)
{
    struct fixture *f = *state;
    struct attr *a;
    uint32_t n;
    assert_int_equal(read_attr(f, READER_UPDATE, "speed",
                               "{\"unitCode\":\"KMH\",\"sub\":{\"value\":1},\"@context\":[]}", &a,
                               &n),
                     OK);
    assert_int_equal(n, 1);
    assert_int_equal(a->term, term_of(f, "speed"));
    assert_int_equal(a->kind, ATTR_UNKNOWN);
    assert_int_equal(a->value.kind, VALUE_NONE);
    assert_int_equal(a->sub_count, 1);
    assert_int_equal(read_attr(f, READER_UPDATE, "speed", "{\"street\":{\"value\":\"x\"}}", &a, &n),
                     OK);
    assert_int_equal(a->sub_count, 1);
    assert_int_equal(read_attr(f, READER_UPDATE, "speed", "{}", &a, &n), OK);
    assert_int_equal(
        read_attr(f, READER_UPDATE, "area", "{\"type\":\"Point\",\"coordinates\":[1,2]}", &a, &n),
        OK);
    assert_int_equal(a->kind, ATTR_GEO_PROPERTY);
    assert_int_equal(read_attr(f, READER_ENTITY, "speed",
                               "[{\"value\":1},{\"value\":2,\"datasetId\":\"urn:d:1\"}]", &a, &n),
                     OK);
    assert_int_equal(n, 2);
    assert_int_equal(a[1].value.integer, 2);
    assert_int_equal(
        read_attr(f, READER_UPDATE, "speed", "{\"value\":\"urn:ngsi-ld:null\"}", &a, &n), OK);
    assert_int_equal(a->value.kind, VALUE_NULL);
}

static void fragments_of_an_attribute_refused(void **state)
{
    static const struct {
        enum reader_mode mode;
        const char *name, *json, *pointer, *part;
    } CASES[] = {
        {READER_UPDATE, "a", "5", "", "must be an object"},
        {READER_UPDATE, "a", "[]", "", "cannot be empty"},
        {READER_UPDATE, "a", "[5]", "/0", "must be an instance"},
        {READER_UPDATE, "a", "{\"datasetId\":\"urn:ngsi-ld:null\"}", "/datasetId", "clause 5.5.8"},
        {READER_UPDATE, "a", "{\"value\":{\"country\":\"urn:ngsi-ld:null\"}}", "/value/country",
         "merges only"},
        {READER_UPDATE, "a", "{\"sub\":{\"unitCode\":\"CEL\"}}", "/sub", "needs a member"},
        {READER_UPDATE, "location", "{\"type\":\"Property\",\"value\":1}", "", "clause 4.7.1"},
        {READER_ENTITY, "a", "{\"type\":\"Property\",\"unitCode\":\"CEL\"}", "", "needs a member"},
        {READER_ENTITY, "a", "{\"value\":\"urn:ngsi-ld:null\"}", "/value", "updates and merges"},
        {READER_ENTITY, "a", "[{\"value\":1},{\"value\":2}]", "/1", "clause 4.5.5"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct attr *a;
        uint32_t n;
        enum status st = read_attr(f, CASES[i].mode, CASES[i].name, CASES[i].json, &a, &n);
        if (st != E_BAD_DATA || strcmp(f->why.pointer, CASES[i].pointer) != 0 ||
            !strstr(f->why.text, CASES[i].part))
            fail_msg("%s: %s %s: %s", CASES[i].json, status_name(st), f->why.pointer, f->why.text);
    }
}

/* ---- simplified ---- */

static void simplified_input(void **state)
{
    static const char TEXT[] =
        "{\"id\":\"urn:x:1\",\"type\":\"T\",\"name\":\"Bao Tu Spring\",\"spots\":121,\"ok\":true,"
        "\"location\":{\"type\":\"Point\",\"coordinates\":[117,36.6]},"
        "\"says\":{\"languageMap\":{\"en\":\"yes\"}},\"raw\":{\"json\":{\"id\":1}},"
        "\"category\":{\"vocab\":\"x\"},\"by\":\"urn:x:2\",\"list\":[1,2],"
        "\"odd\":{\"value\":1,\"type\":\"whatever\"},"
        "\"speed\":{\"dataset\":{\"urn:d:2\":3,\"@none\":1,\"urn:d:1\":2}}}";
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    r.simplified = true;
    struct entity *e = entity_read(f, &r, TEXT);
    assert_int_equal(get(f, e, "name")->kind, ATTR_PROPERTY);
    assert_int_equal(get(f, e, "by")->kind, ATTR_PROPERTY);
    assert_int_equal(get(f, e, "location")->kind, ATTR_GEO_PROPERTY);
    assert_int_equal(get(f, e, "says")->kind, ATTR_LANGUAGE_PROPERTY);
    assert_int_equal(get(f, e, "raw")->kind, ATTR_JSON_PROPERTY);
    assert_int_equal(get(f, e, "category")->kind, ATTR_VOCAB_PROPERTY);
    assert_true(is_text(get(f, e, "odd")->value.text, "{\"value\":1,\"type\":\"whatever\"}"));
    uint32_t count;
    const struct attr *speed = entity_attr(e, term_of(f, "speed"), &count);
    assert_int_equal(count, 3);
    assert_int_equal(speed[0].value.integer, 1);
    assert_true(is_text(speed[1].dataset, "urn:d:1"));
    assert_int_equal(speed[2].value.integer, 3);
    static const struct refused_case CASES[] = {
        {"\"a\":null", "/a", "null is no value"},
        {"\"a\":\"urn:ngsi-ld:null\"", "/a", "updates and merges"},
        {"\"a\":{\"dataset\":{\"x\":1}}", "/a/dataset/x", "URI or \"@none\""},
        {"\"a\":{\"dataset\":{\"@none\":1,\"@none\":2}}", "/a", "clause 4.5.5"},
        {"\"a\":{\"languageMap\":{\"en\":5}}", "/a/languageMap/en", "strings"},
        {"\"location\":\"here\"", "/location", "GeoJSON"},
        {"\"location\":{\"json\":{}}", "/location", "GeoJSON"},
        {"\"ngsildproof\":{\"vocab\":\"x\"},\"operationSpace\":{\"vocab\":\"x\"}",
         "/operationSpace", "GeoJSON"},
        {"\"a\":1,\"a\":2", "/a", "twice"},
        {NULL, NULL, NULL},
    };
    entity_members_refused(f, &r, CASES);
}

static void simplified_text_is_coerced_by_the_context(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(
        f, "{\"by\":{\"@id\":\"http://e.org/by\",\"@type\":\"@id\"},\"sort\":{\"@id\":"
           "\"http://e.org/sort\",\"@type\":\"@vocab\"}}");
    struct reader r = entity_reader(f, c, READER_MERGE);
    static const struct {
        const char *json;
        enum attr_kind kind;
        uint32_t guesses;
    } CASES[] = {
        {"{\"by\":\"urn:x:1\"}", ATTR_RELATIONSHIP, ATTR_GUESS_KIND},
        {"{\"by\":[\"urn:x:1\",\"urn:x:2\"]}", ATTR_RELATIONSHIP, ATTR_GUESS_KIND},
        {"{\"by\":\"no URI\"}", ATTR_PROPERTY, ATTR_GUESS_KIND},
        {"{\"by\":[\"urn:x:1\",2]}", ATTR_PROPERTY, ATTR_GUESS_KIND},
        {"{\"by\":[]}", ATTR_PROPERTY, ATTR_GUESS_KIND},
        {"{\"by\":\"urn:ngsi-ld:null\"}", ATTR_UNKNOWN, 0},
        {"{\"sort\":\"x\"}", ATTR_VOCAB_PROPERTY, ATTR_GUESS_KIND},
        {"{\"sort\":[1]}", ATTR_PROPERTY, ATTR_GUESS_KIND},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        r.simplified = true;
        struct entity *e = entity_read(f, &r, CASES[i].json);
        assert_int_equal(e->attrs[0].kind, CASES[i].kind);
        assert_int_equal(e->attrs[0].guesses, CASES[i].guesses);
        r.simplified = false; /* elsewhere the form alone says what it is */
        e = entity_read(f, &r, CASES[i].json);
        assert_true(e->attrs[0].kind == ATTR_PROPERTY || e->attrs[0].kind == ATTR_UNKNOWN);
    }
    context_unref(c);
}

static void simplified_merges_guess(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_MERGE);
    r.simplified = true;
    r.lang = STR("fr");
    struct entity *e = entity_read(f, &r,
                                   "{\"a\":\"oui\",\"b\":5,\"c\":{\"vocab\":\"x\"},\"d\":"
                                   "\"urn:ngsi-ld:null\"}");
    assert_int_equal(get(f, e, "a")->guesses, ATTR_GUESS_KIND);
    assert_true(is_text(get(f, e, "a")->lang, "fr"));
    assert_int_equal(get(f, e, "b")->guesses, ATTR_GUESS_KIND);
    assert_true(str_absent(get(f, e, "b")->lang));
    assert_int_equal(get(f, e, "c")->guesses, 0);
    assert_int_equal(get(f, e, "d")->value.kind, VALUE_NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(nulls_delete_attributes),
        T(appends_take_no_null),
        T(what_no_fragment_can_null),
        T(only_merges_go_into_values),
        T(updates_replace_whole_attributes),
        T(merges_are_partial_at_every_depth),
        T(the_common_time_of_a_merge),
        T(the_id_must_be_the_one_addressed),
        T(fragments_of_an_attribute),
        T(fragments_of_an_attribute_refused),
        T(simplified_input),
        T(simplified_text_is_coerced_by_the_context),
        T(simplified_merges_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
