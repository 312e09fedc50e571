/* Fallbacks to earlier versions (tables 4.3.6.8-1 ... -3). */
#include "entity_fixture.h"

#include "model/conform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define E(members) "{\"id\":\"urn:x:1\",\"type\":\"T\"" members "}"

/* What an entity becomes in the version before the one that brought the thing, and that it stays in that one. */
static const struct {
    unsigned since;
    const char *given, *before;
} CASES[] = {
    {9, E(",\"expiresAt\":\"2090-01-01T00:00:00Z\""), E("")},
    {9, E(",\"a\":{\"type\":\"Property\",\"value\":1,\"expiresAt\":\"2090-01-01T00:00:00Z\"}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":1}")},
    {9, E(",\"a\":{\"type\":\"Property\",\"value\":1,\"valueType\":\"http://example.org/n\"}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":1}")},
    {8, E(",\"a\":{\"type\":\"VocabProperty\",\"vocab\":\"bus\"}"), E(",\"a\":{\"type\":\"Property\",\"value\":\"bus\"}")},
    {8, E(",\"a\":{\"type\":\"VocabProperty\",\"vocab\":[\"bus\",\"http://example.org/tram\"]}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":[\"bus\",\"http://example.org/tram\"]}")},
    {8, E(",\"a\":{\"type\":\"JsonProperty\",\"json\":{\"id\":7}}"), E(",\"a\":{\"type\":\"Property\",\"value\":{\"id\":7}}")},
    {8, E(",\"a\":{\"type\":\"ListProperty\",\"valueList\":[1,2]}"), E(",\"a\":{\"type\":\"Property\",\"value\":[1,2]}")},
    {8, E(",\"a\":{\"type\":\"ListRelationship\",\"objectList\":[{\"object\":\"urn:y:1\"},{\"object\":\"urn:y:2\"}]}"),
     E(",\"a\":{\"type\":\"Relationship\",\"object\":[\"urn:y:1\",\"urn:y:2\"]}")},
    {8, E(",\"a\":{\"type\":\"Relationship\",\"object\":\"urn:y:1\",\"objectType\":\"Y\"}"),
     E(",\"a\":{\"type\":\"Relationship\",\"object\":\"urn:y:1\"}")},
    {8, E(",\"a\":{\"type\":\"Property\",\"value\":1,\"b\":{\"type\":\"JsonProperty\",\"json\":{\"x\":2}}}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":1,\"b\":{\"type\":\"Property\",\"value\":{\"x\":2}}}")},
    {4, E(",\"scope\":\"/a\""), E("")},
    {4, E(",\"a\":{\"type\":\"LanguageProperty\",\"languageMap\":{\"fr\":\"oui\"}}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":{\"fr\":\"oui\"}}")},
    {3, E(",\"a\":{\"type\":\"Property\",\"value\":1,\"unitCode\":\"CEL\",\"observedAt\":\"2020-01-01T00:00:00Z\"}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":1}")},
    {3, E(",\"a\":[{\"type\":\"Property\",\"value\":2},{\"type\":\"Property\",\"value\":1,\"datasetId\":\"urn:d:1\"}]"),
     E(",\"a\":{\"type\":\"Property\",\"value\":2}")},
    {3, E(",\"a\":{\"type\":\"Property\",\"value\":1,\"datasetId\":\"urn:d:1\"}"),
     E(",\"a\":{\"type\":\"Property\",\"value\":1}")},
    {3, "{\"id\":\"urn:x:1\",\"type\":[\"T\",\"U\"]}", E("")},
};

static void shows(struct fixture *f, const char *given, unsigned minor, bool changed, const char *expected)
{
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(f, &r, given);
    struct represent rep = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
    rep.sys_attrs = true;
    e->created_at = e->modified_at = TIME_NONE;
    if (conform_entity(e, minor, context_core(), f->arena) != changed)
        fail_msg("1.%u %s: %s expected to change", minor, given, changed ? "it is" : "it is not");
    entity_shows(f, &rep, e, expected);
}

static void test_fallbacks(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        shows(f, CASES[i].given, CASES[i].since, false, CASES[i].given);
        shows(f, CASES[i].given, CASES[i].since - 1, true, CASES[i].before);
        shows(f, CASES[i].given, CONFORM_FIRST, true, CASES[i].before);
    }
}

static void test_what_is_old_stays(void **state)
{
    struct fixture *f = *state;
    const char *old = E(",\"a\":{\"type\":\"Property\",\"value\":1},\"b\":{\"type\":\"Relationship\",\"object\":\"urn:y:1\"},"
                        "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[8,49]}}");
    shows(f, old, CONFORM_FIRST, false, old);
}

static void test_versions(void **state)
{
    unsigned minor;
    (void)state;
    assert_true(conform_version(STR("1.0"), &minor) && minor == 0);
    assert_true(conform_version(STR("1.8"), &minor) && minor == 8);
    assert_true(conform_version(STR("1.10"), &minor) && minor == CONFORM_LAST);
    assert_true(conform_version(STR("3.1"), &minor) && minor == CONFORM_LAST);
    assert_false(conform_version(STR("0.5"), &minor));
    assert_false(conform_version(STR("1"), &minor));
    assert_false(conform_version(STR("1."), &minor));
    assert_false(conform_version(STR("1.9.1"), &minor));
    assert_false(conform_version(STR(""), &minor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test_setup_teardown(test_fallbacks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_old_stays, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
