/* Temporal evolutions from JSON and back (clauses 4.5.6 to 4.5.9, 5.2.20): each case is read in one representation and
 * shown in all of them. */
#include "entity_fixture.h"

#include "model/represent_temporal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define E(attributes) "{\"id\":\"urn:x:1\",\"type\":\"T\"" attributes "}"
#define T(minute) "\"2020-08-01T12:0" #minute ":00Z\""
#define OBSERVED(minute) ",\"observedAt\":" T(minute)
#define DELETED(minute) ",\"deletedAt\":" T(minute)

static int64_t at(const char *text)
{
    int64_t us;
    assert_true(time_parse(str_of(text), &us));
    return us;
}

static struct evolution *read_evolution(struct fixture *f, const char *text)
{
    struct evolution *e = arena_alloc(f->arena, sizeof *e);
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct why why = {0};
    if (reader_evolution(&r, entity_json(f, text), STR_NONE, NULL, e, &why) != OK)
        fail_msg("%s: %s\n%s", why.pointer, why.text, text);
    return e;
}

static struct represent_temporal shown_as(struct fixture *f, enum represent_temporal_format format)
{
    return (struct represent_temporal){.base = entity_represent(f, context_core(), REPRESENT_NORMALIZED),
                                       .format = (uint8_t)format};
}

static struct json *show(struct fixture *f, const struct represent_temporal *r, const struct evolution *e)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    represent_evolution(&b, r, e);
    assert_false(b.full);
    struct str text = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return (struct json *)(uintptr_t)entity_json(f, text.p);
}

/* Instance ids are checked apart. */
static void drop_instance_ids(struct json *v)
{
    if (v->kind == JSON_ARRAY)
        for (uint32_t i = 0; i < v->n; i++)
            drop_instance_ids(&v->items[i]);
    for (uint32_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++) {
        if (str_eq(v->members[i].key, STR("instanceId")))
            v->members[i--] = v->members[--v->n];
        else
            drop_instance_ids(&v->members[i].value);
    }
}

static void assert_shows(struct fixture *f, const struct represent_temporal *r, const struct evolution *e,
                         const char *expected)
{
    struct json *got = show(f, r, e);
    drop_instance_ids(got);
    if (!json_same(got, entity_json(f, expected)))
        fail_msg("\n   got: %s\nwanted: %s", json_text(f->arena, got).p, expected);
}

/* ---- forms ---- */

/* Attributes, each with a comma in front. */
struct form_case {
    const char *normalized, *concise, *values;
};

static const struct form_case FORMS[] = {
    {",\"speed\":[{\"type\":\"Property\",\"value\":120,\"unitCode\":\"KMH\"" OBSERVED(3) "},"
     "{\"type\":\"Property\",\"value\":80.5" OBSERVED(5) "}]",
     ",\"speed\":[{\"value\":120,\"unitCode\":\"KMH\"" OBSERVED(3) "},{\"value\":80.5" OBSERVED(5) "}]",
     ",\"speed\":{\"type\":\"Property\",\"values\":[[120," T(3) "],[80.5," T(5) "]]}"},
    {",\"at\":[{\"type\":\"Relationship\",\"object\":\"urn:x:A\"" OBSERVED(3) "},"
     "{\"type\":\"Relationship\",\"object\":[\"urn:x:A\",\"urn:x:B\"]" OBSERVED(4) "}]",
     ",\"at\":[{\"object\":\"urn:x:A\"" OBSERVED(3) "},{\"object\":[\"urn:x:A\",\"urn:x:B\"]" OBSERVED(4) "}]",
     ",\"at\":{\"type\":\"Relationship\",\"objects\":[[\"urn:x:A\"," T(3) "],[[\"urn:x:A\",\"urn:x:B\"]," T(4) "]]}"},
    {",\"location\":[{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}" OBSERVED(3) "}]",
     ",\"location\":[{\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}" OBSERVED(3) "}]",
     ",\"location\":{\"type\":\"GeoProperty\",\"values\":[[{\"type\":\"Point\",\"coordinates\":[1,2]}," T(3) "]]}"},
    {",\"says\":[{\"type\":\"LanguageProperty\",\"languageMap\":{\"en\":\"yes\",\"fr\":\"oui\"}" OBSERVED(3) "}]",
     ",\"says\":[{\"languageMap\":{\"en\":\"yes\",\"fr\":\"oui\"}" OBSERVED(3) "}]",
     ",\"says\":{\"type\":\"LanguageProperty\",\"languageMaps\":[[{\"languageMap\":{\"en\":\"yes\",\"fr\":\"oui\"}}," T(3) "]]}"},
    {",\"kind\":[{\"type\":\"VocabProperty\",\"vocab\":\"a\"" OBSERVED(3) "},"
     "{\"type\":\"VocabProperty\",\"vocab\":[\"a\",\"b\"]" OBSERVED(4) "}]",
     ",\"kind\":[{\"vocab\":\"a\"" OBSERVED(3) "},{\"vocab\":[\"a\",\"b\"]" OBSERVED(4) "}]",
     ",\"kind\":{\"type\":\"VocabProperty\",\"vocabs\":[[{\"vocab\":\"a\"}," T(3) "],[{\"vocab\":[\"a\",\"b\"]}," T(4) "]]}"},
    {",\"tickets\":[{\"type\":\"JsonProperty\",\"json\":{\"id\":[1,null]}" OBSERVED(3) "}]",
     ",\"tickets\":[{\"json\":{\"id\":[1,null]}" OBSERVED(3) "}]",
     ",\"tickets\":{\"type\":\"JsonProperty\",\"jsons\":[[{\"json\":{\"id\":[1,null]}}," T(3) "]]}"},
    {",\"treads\":[{\"type\":\"ListProperty\",\"valueList\":[1,\"b\"]" OBSERVED(3) "}]",
     ",\"treads\":[{\"valueList\":[1,\"b\"]" OBSERVED(3) "}]",
     ",\"treads\":{\"type\":\"ListProperty\",\"valueLists\":[[[1,\"b\"]," T(3) "]]}"},
    {",\"route\":[{\"type\":\"ListRelationship\",\"objectList\":[{\"object\":\"urn:x:A\"}]" OBSERVED(3) "}]",
     ",\"route\":[{\"objectList\":[\"urn:x:A\"]" OBSERVED(3) "}]",
     ",\"route\":{\"type\":\"ListRelationship\",\"objectLists\":[[[\"urn:x:A\"]," T(3) "]]}"},
    {",\"scope\":[{\"type\":\"Property\",\"value\":\"/a\"" OBSERVED(3) "},"
     "{\"type\":\"Property\",\"value\":[\"/a/b\",\"/c\"]" OBSERVED(4) "},{\"type\":\"Property\",\"value\":[]" DELETED(5) "}]",
     ",\"scope\":[{\"value\":\"/a\"" OBSERVED(3) "},{\"value\":[\"/a/b\",\"/c\"]" OBSERVED(4) "},{\"value\":[]" DELETED(5) "}]",
     ",\"scope\":{\"type\":\"Property\",\"values\":[[\"/a\"," T(3) "],[[\"/a/b\",\"/c\"]," T(4) "],[[]," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"Property\",\"value\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":[{\"value\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"Property\",\"values\":[[\"urn:ngsi-ld:null\"," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":[{\"object\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"Relationship\",\"objects\":[[\"urn:ngsi-ld:null\"," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"LanguageProperty\",\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}" DELETED(5) "}]",
     ",\"gone\":[{\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"LanguageProperty\",\"languageMaps\":[[{\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}}," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"VocabProperty\",\"vocab\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":[{\"vocab\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"VocabProperty\",\"vocabs\":[[{\"vocab\":\"urn:ngsi-ld:null\"}," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"JsonProperty\",\"json\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":[{\"json\":\"urn:ngsi-ld:null\"" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"JsonProperty\",\"jsons\":[[{\"json\":\"urn:ngsi-ld:null\"}," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"ListProperty\",\"valueList\":[\"urn:ngsi-ld:null\"]" DELETED(5) "}]",
     ",\"gone\":[{\"valueList\":[\"urn:ngsi-ld:null\"]" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"ListProperty\",\"valueLists\":[[[\"urn:ngsi-ld:null\"]," T(5) "]]}"},
    {",\"gone\":[{\"type\":\"ListRelationship\",\"objectList\":[\"urn:ngsi-ld:null\"]" DELETED(5) "}]",
     ",\"gone\":[{\"objectList\":[\"urn:ngsi-ld:null\"]" DELETED(5) "}]",
     ",\"gone\":{\"type\":\"ListRelationship\",\"objectLists\":[[[\"urn:ngsi-ld:null\"]," T(5) "]]}"},
    /* by dataset: one array of instances in order of time, and a list for each */
    {",\"speed\":[{\"type\":\"Property\",\"value\":1" OBSERVED(1) "},"
     "{\"type\":\"Property\",\"value\":2,\"datasetId\":\"urn:x:gps\"" OBSERVED(2) "},"
     "{\"type\":\"Property\",\"value\":3" OBSERVED(3) "}]",
     ",\"speed\":[{\"value\":1" OBSERVED(1) "},{\"value\":2,\"datasetId\":\"urn:x:gps\"" OBSERVED(2) "},{\"value\":3" OBSERVED(3) "}]",
     ",\"speed\":[{\"type\":\"Property\",\"values\":[[1," T(1) "],[3," T(3) "]]},"
     "{\"type\":\"Property\",\"datasetId\":\"urn:x:gps\",\"values\":[[2," T(2) "]]}]"},
};

static void each_form_is_read_and_shown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        const char *const texts[] = {FORMS[i].normalized, FORMS[i].concise, FORMS[i].values};
        bool lossy = i == 0; /* the simplified form has no unitCode */
        for (int from = 0; from < 3; from++) {
            const struct evolution *e = read_evolution(f, arena_printf(f->arena, E("%s"), texts[from]).p);
            for (int to = lossy && from == TEMPORAL_VALUES ? TEMPORAL_VALUES : 0; to < 3; to++) {
                struct represent_temporal r = shown_as(f, (enum represent_temporal_format)to);
                assert_shows(f, &r, e, arena_printf(f->arena, E("%s"), texts[to]).p);
            }
        }
    }
}

/* What else is read: a single instance, any order, sub-attributes, members of the system. */
static void single_instances_and_any_order(void **state)
{
    struct fixture *f = *state;
    struct represent_temporal r = shown_as(f, TEMPORAL_NORMALIZED);
    assert_shows(f, &r, read_evolution(f, E(",\"a\":{\"value\":1,\"by\":{\"object\":\"urn:x:B\"}" OBSERVED(1) "}")),
                 E(",\"a\":[{\"type\":\"Property\",\"value\":1,\"by\":{\"type\":\"Relationship\",\"object\":\"urn:x:B\"}" OBSERVED(1) "}]"));
    assert_shows(f, &r,
                 read_evolution(f, E(",\"createdAt\":" T(1) ",\"a\":[{\"value\":3" OBSERVED(3) ",\"createdAt\":" T(1) "},"
                                     "{\"value\":1" OBSERVED(1) ",\"instanceId\":\"urn:x:9\"},{\"value\":2" OBSERVED(2) DELETED(1) "}]")),
                 E(",\"a\":[{\"type\":\"Property\",\"value\":1" OBSERVED(1) "},{\"type\":\"Property\",\"value\":2" OBSERVED(2) "},"
                   "{\"type\":\"Property\",\"value\":3" OBSERVED(3) "}]"));
    const struct evolution *e = read_evolution(f, E(",\"expiresAt\":" T(9) ",\"scope\":[\"/a\",\"/b\"],\"a\":{\"value\":1,\"type\":\"Property\"}"));
    assert_int_equal(e->expires_at, at("2020-08-01T12:09:00Z"));
    assert_int_equal(e->count, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_true(point_place(e->series[i].points) == TIME_NONE && e->series[i].points->attr.created_at == TIME_NONE);
    assert_true(str_eq(e->series[0].points->attr.value.text, STR("[\"/a\",\"/b\"]")));
    e = read_evolution(f, E(",\"a\":{\"type\":\"Property\",\"value\":\"urn:ngsi-ld:null\"}"));
    assert_true(e->series->points->attr.value.kind == VALUE_NULL && e->series->points->deleted_at == TIME_NONE);
    e = read_evolution(f, E(",\"a\":[{\"value\":1" OBSERVED(1) "},{\"value\":2" OBSERVED(1) "}]"));
    assert_true(e->series->points[0].attr.value.integer == 1 && e->series->points[0].index == 0);
    assert_true(e->series->points[1].attr.value.integer == 2 && e->series->points[1].index == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_form_is_read_and_shown, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(single_instances_and_any_order, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
