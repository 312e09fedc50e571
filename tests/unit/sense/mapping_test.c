/* From a row to entities: every kind of source, every conversion, every refusal. */
#include "check.h"

#include "sense/mapping.h"
#include "source_text.h"

/* What the mapping makes of the data, or why it is refused. */
static const char *run(const char *name, const char *mapping_text, const char *data)
{
    static char refused[1024];
    struct arena *a = arena_new(0);
    struct mapping m;
    struct why why = {0};
    const char *out = refused;
    if (mapping_read(&m, str_of(mapping_text), a, &why) == OK) {
        struct blob blob = blob_of(data);
        out = source_text(name, &blob,
                          &(struct source_options){.mapping = &m, .limits = source_limits_preset});
    } else {
        snprintf(refused, sizeof refused, "%s %s", why.pointer, why.text);
    }
    arena_free(a);
    return out;
}

#define MAP(attributes)                                                                            \
    "{\"zone\":\"+08:00\",\"missing\":[\"\",\"NA\"],\"entities\":[{\"id\":\"urn:t:{k}\","          \
    "\"type\":\"T\",\"attributes\":{" attributes "}}]}"
#define ENTITY(attributes) "{\"id\":\"urn:t:1\",\"type\":\"T\"" attributes "}\n"

static void converts_every_type(void **state)
{
    (void)state;
    static const struct {
        const char *attribute, *value, *expected;
    } cases[] = {
        {"\"column\":\"v\"", "007", "\"type\":\"Property\",\"value\":\"007\""},
        {"\"column\":\"v\",\"type\":\"number\"", "0.10", "\"type\":\"Property\",\"value\":0.10"},
        {"\"column\":\"v\",\"type\":\"number\"", " +.5 ", "\"type\":\"Property\",\"value\":0.5"},
        {"\"column\":\"v\",\"type\":\"number\"", "007", "\"type\":\"Property\",\"value\":7"},
        {"\"column\":\"v\",\"type\":\"number\",\"unitCode\":\"CEL\"", "-1e3",
         "\"type\":\"Property\",\"value\":-1e3,\"unitCode\":\"CEL\""},
        {"\"column\":\"v\",\"type\":\"number\",\"scale\":0.1,\"offset\":1", "3",
         "\"type\":\"Property\",\"value\":1.3"},
        {"\"column\":\"v\",\"type\":\"integer\"", "12", "\"type\":\"Property\",\"value\":12"},
        {"\"column\":\"v\",\"type\":\"boolean\"", "Yes", "\"type\":\"Property\",\"value\":true"},
        {"\"column\":\"v\",\"type\":\"boolean\"", "0", "\"type\":\"Property\",\"value\":false"},
        {"\"column\":\"v\",\"type\":\"datetime\"", "2010-01-01 08:00:00",
         "\"type\":\"Property\",\"value\":{\"@type\":\"DateTime\",\"@value\":\"2010-01-01T00:00:"
         "00Z\"}"},
        {"\"column\":\"v\",\"type\":\"json\"", "\"[1, {\"\"a\"\": 2}]\"",
         "\"type\":\"Property\",\"value\":[1,{\"a\":2}]"},
        {"\"column\":\"v\",\"separator\":\";\",\"type\":\"number\"", "1; 2;;3",
         "\"type\":\"Property\",\"value\":[1,2,3]"},
        {"\"column\":\"v\",\"map\":{\"NW\":315,\"cv\":null}", "NW",
         "\"type\":\"Property\",\"value\":315"},
        {"\"column\":\"v\",\"map\":{\"a\":1},\"otherwise\":\"?\"", "b",
         "\"type\":\"Property\",\"value\":\"?\""},
        {"\"column\":\"v\",\"lang\":\"zh\"", "泉",
         "\"type\":\"LanguageProperty\",\"languageMap\":{\"zh\":\"泉\"}"},
        {"\"template\":\"{v}/{k}\"", "a\\b", "\"type\":\"Property\",\"value\":\"a\\\\b/1\""},
        {"\"relationship\":\"urn:r:{v}\"", "a b",
         "\"type\":\"Relationship\",\"object\":\"urn:r:a%20b\""},
        {"\"constant\":{\"type\":\"Point\",\"coordinates\":[1,2]}", "",
         "\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}"},
        {"\"constant\":[true]", "", "\"type\":\"Property\",\"value\":[true]"},
        {"\"point\":[\"v\",\"k\"]", "117.02",
         "\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[117.02,1]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char map[1024], data[256], expected[1024];
        snprintf(map, sizeof map, MAP("\"p\":{%s}"), cases[i].attribute);
        snprintf(data, sizeof data, "k,v\n1,%s\n", cases[i].value);
        snprintf(expected, sizeof expected, ENTITY(",\"p\":{%s}"), cases[i].expected);
        assert_string_equal(run("x.csv", map, data), expected);
    }
}

static void leaves_out_what_is_missing(void **state)
{
    (void)state;
    assert_string_equal(
        run("x.csv", MAP("\"p\":{\"column\":\"v\",\"type\":\"number\"}"), "k,v\n1,NA\n"),
        ENTITY(""));
    assert_string_equal(run("x.csv", MAP("\"p\":{\"template\":\"{v}\"}"), "k,v\n1,\n"), ENTITY(""));
    assert_string_equal(run("x.csv", MAP("\"p\":{\"point\":[\"v\",\"k\"]}"), "k,v\n1,NA\n"),
                        ENTITY(""));
    assert_string_equal(
        run("x.csv", MAP("\"p\":{\"column\":\"v\",\"map\":{\"cv\":null}}"), "k,v\n1,cv\n"),
        ENTITY(""));
    assert_string_equal(
        run("x.csv", MAP("\"p\":{\"column\":\"v\",\"separator\":\"|\"}"), "k,v\n1,|\n"),
        ENTITY(""));
}

static void rejects_the_row_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *attribute, *value, *reason;
    } cases[] = {
        {"\"column\":\"v\",\"type\":\"number\"", "abc",
         "p: column \"v\" has \"abc\", not a number"},
        {"\"column\":\"v\",\"type\":\"number\"", "1e999",
         "p: column \"v\" has \"1e999\", not a number"},
        {"\"column\":\"v\",\"type\":\"number\"", "1 2",
         "p: column \"v\" has \"1 2\", not a number"},
        {"\"column\":\"v\",\"type\":\"number\"", "nan",
         "p: column \"v\" has \"nan\", not a number"},
        {"\"column\":\"v\",\"type\":\"number\"", "0x10",
         "p: column \"v\" has \"0x10\", not a number"},
        {"\"column\":\"v\",\"type\":\"integer\"", "1.5",
         "p: column \"v\" has \"1.5\", not a whole number"},
        {"\"column\":\"v\",\"type\":\"number\",\"max\":100", "101",
         "p: column \"v\" has 101, outside of what the mapping allows"},
        {"\"column\":\"v\",\"type\":\"boolean\"", "maybe",
         "p: column \"v\" has \"maybe\", not a truth value"},
        {"\"column\":\"v\",\"type\":\"datetime\"", "2010-02-30T00:00:00Z",
         "p: column \"v\" has \"2010-02-30T00:00:00Z\", not a date and time"},
        {"\"column\":\"v\",\"type\":\"json\"", "{", "p: column \"v\" has \"{\", not JSON"},
        {"\"column\":\"v\",\"map\":{\"a\":1}", "b",
         "p: column \"v\" has \"b\", not a value that the map knows"},
        {"\"column\":\"v\",\"required\":true", "NA", "p: no value, and the mapping requires one"},
        {"\"point\":[\"k\",\"v\"]", "91", "p: column \"v\" is no number of degrees within ±90"},
        {"\"column\":\"v\",\"observedAt\":\"{v}\"", "soon",
         "observedAt: \"soon\" is no date and time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char map[1024], data[256], expected[512];
        snprintf(map, sizeof map, MAP("\"p\":{%s}"), cases[i].attribute);
        snprintf(data, sizeof data, "k,v\n\n1,%s\n", cases[i].value);
        snprintf(expected, sizeof expected, "3:%s\n", cases[i].reason);
        assert_string_equal(run("x.csv", map, data), expected);
    }
    assert_string_equal(run("x.csv", MAP(""), "k\nNA\n\"\"\n"),
                        "{\"id\":\"urn:t:NA\",\"type\":\"T\"}\n"
                        "3:id: \"k\" has no value\n");
    assert_string_equal(
        run("x.csv", MAP(""), "k,v\n1\n1,2,3\n1,2,\n"),
        "2:1 fields where the header has 2\n3:3 fields where the header has 2\n" ENTITY(""));
}

static void observes_at_the_time_of_the_row(void **state)
{
    (void)state;
    const char *map = "{\"zone\":\"+08:00\",\"@context\":\"http://c\",\"entities\":["
                      "{\"id\":\"urn:t:{k}\",\"type\":[\"A\",\"B\"],\"scope\":\"/x/{k}\","
                      "\"observedAt\":\"{d}T{h:02}:00:00\",\"onlyIf\":[\"v\"],\"attributes\":{"
                      "\"p\":{\"column\":\"v\",\"type\":\"number\"},"
                      "\"q\":{\"column\":\"v\",\"observedAt\":false},"
                      "\"r\":{\"column\":\"v\",\"observedAt\":\"2020-01-01T00:00:00Z\"},"
                      "\"c\":{\"constant\":1}}}]}";
    assert_string_equal(
        run("x.csv", map, "k,d,h,v\n1,2010-01-01,3,5\n2,2010-01-01,3,\n"),
        "{\"id\":\"urn:t:1\",\"type\":[\"A\",\"B\"],\"scope\":\"/x/1\","
        "\"p\":{\"type\":\"Property\",\"value\":5,\"observedAt\":\"2009-12-31T19:00:00Z\"},"
        "\"q\":{\"type\":\"Property\",\"value\":\"5\"},"
        "\"r\":{\"type\":\"Property\",\"value\":\"5\",\"observedAt\":\"2020-01-01T00:00:00Z\"},"
        "\"c\":{\"type\":\"Property\",\"value\":1},\"@context\":\"http://c\"}\n");
}

/* Two entities a row: when one cannot be made, neither is. */
static void rejects_a_row_as_a_whole(void **state)
{
    (void)state;
    const char *map =
        "{\"entities\":[{\"id\":\"urn:a:{k}\",\"type\":\"A\",\"attributes\":{}},"
        "{\"id\":\"urn:b:{k}\",\"type\":\"B\",\"attributes\":{\"p\":{\"column\":\"v\","
        "\"type\":\"number\"}}}]}";
    assert_string_equal(
        run("x.csv", map, "k,v\n1,x\n2,3\n"),
        "2:p: column \"v\" has \"x\", not a number\n"
        "{\"id\":\"urn:a:2\",\"type\":\"A\"}\n"
        "{\"id\":\"urn:b:2\",\"type\":\"B\",\"p\":{\"type\":\"Property\",\"value\":3}}\n");
}

static void names_what_is_wrong_with_a_mapping(void **state)
{
    (void)state;
    static const struct {
        const char *map, *reason;
    } cases[] = {
        {"[]", "an object was expected"},
        {"{}", "needs \"entities\""},
        {"{\"zones\":1}", "/zones \"zones\" is not known here"},
        {"{\"zone\":\"Asia/Shanghai\"}", "/zone an offset from UTC"},
        {"{\"zone\":\"+8:00\"}", "/zone an offset from UTC"},
        {"{\"entities\":[{\"id\":\"urn:{a}\"}]}", "/entities/0 an entity needs"},
        {"{\"entities\":[{\"id\":\"urn:x\",\"type\":\"T\"}]}", "the same for every row"},
        {"{\"format\":\"xml\"}", "/format one of \"csv\", \"geojson\" was expected"},
        {MAP("\"p\":{}"), "/entities/0/attributes/p no source"},
        {MAP("\"p\":{\"column\":\"a\",\"constant\":1}"),
         "/entities/0/attributes/p/constant an attribute has one source"},
        {MAP("\"p\":{\"column\":\"a\",\"colour\":1}"),
         "/entities/0/attributes/p/colour \"colour\" is not known"},
        {MAP("\"p\":{\"column\":\"a\",\"scale\":2}"), "need a column of type number"},
        {MAP("\"p\":{\"column\":\"a\",\"type\":\"float\"}"),
         "/entities/0/attributes/p/type one of"},
        {MAP("\"p\":{\"template\":\"{a\"}"), "/entities/0/attributes/p/template { without }"},
        {MAP("\"p\":{\"point\":[\"a\"]}"), "/entities/0/attributes/p/point"},
        {MAP("\"p\":{\"template\":\"x\",\"map\":{\"a\":1}}"), "map needs a column"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = run("x.csv", cases[i].map, "");
        if (!strstr(said, cases[i].reason))
            fail_msg("%s: %s", cases[i].map, said);
    }
    assert_string_equal(run("x.csv", MAP("\"p\":{\"column\":\"v\"}"), "k\n1\n"),
                        "refused:the header has no column \"v\"");
}

static void reads_other_tables(void **state)
{
    (void)state;
    /* no header; another delimiter; GBK; an optional column */
    assert_string_equal(run("x.csv",
                            "{\"columns\":[\"k\",\"v\"],\"delimiter\":\";\",\"encoding\":\"GBK\","
                            "\"optional\":[\"o\"],"
                            "\"entities\":[{\"id\":\"urn:t:{k}\",\"type\":\"T\",\"attributes\":{"
                            "\"p\":{\"column\":\"v\"},\"o\":{\"column\":\"o\"}}}]}",
                            "1;\xBC\xC3\xC4\xCF"),
                        ENTITY(",\"p\":{\"type\":\"Property\",\"value\":\"济南\"}"));
    assert_string_equal(
        run("x.csv", "{\"encoding\":\"EBCDIC-XX\",\"entities\":[{\"id\":\"{k}\",\"type\":\"T\"}]}",
            "k"),
        "refused:the encoding EBCDIC-XX is not known on this system");
}

static void splits_lines_of_a_map(void **state)
{
    (void)state;
    const char *map = "{\"format\":\"geojson\",\"split\":\"lines\",\"entities\":[{\"id\":\"urn:r:{@"
                      "file}-{@record}-{@part}\","
                      "\"type\":\"R\",\"attributes\":{\"location\":{\"geometry\":\"shape\"},"
                      "\"from\":{\"geometry\":\"start\"},\"length\":{\"geometry\":\"length\"},"
                      "\"class\":{\"column\":\"highway\"},\"n\":{\"column\":\"n\"}}}]}";
    const char *data =
        "{\"type\":\"FeatureCollection\",\"features\":[\n{\"type\":\"Feature\",\"properties\":"
        "{\"highway\":\"trunk\",\"n\":2},\"geometry\":{\"type\":\"MultiLineString\","
        "\"coordinates\":"
        "[[[0,0],[0,1]],[[5,5],[5,5]]]}},\n{\"type\":\"Thing\"}]}";
    assert_string_equal(run("maps/roads.geojson", map, data),
                        "{\"id\":\"urn:r:roads-1-1\",\"type\":\"R\",\"location\":{\"type\":"
                        "\"GeoProperty\",\"value\":{\"type\":"
                        "\"LineString\",\"coordinates\":[[0,0],[0,1]]}},\"from\":{\"type\":"
                        "\"GeoProperty\",\"value\":{\"type\":\"Point\","
                        "\"coordinates\":[0,0]}},\"length\":{\"type\":\"Property\",\"value\":111."
                        "1951},\"class\":{\"type\":\"Property\","
                        "\"value\":\"trunk\"},\"n\":{\"type\":\"Property\",\"value\":2}}\n"
                        "{\"id\":\"urn:r:roads-1-2\",\"type\":\"R\",\"location\":{\"type\":"
                        "\"GeoProperty\",\"value\":{\"type\":"
                        "\"LineString\",\"coordinates\":[[5,5],[5,5]]}},\"from\":{\"type\":"
                        "\"GeoProperty\",\"value\":{\"type\":\"Point\","
                        "\"coordinates\":[5,5]}},\"length\":{\"type\":\"Property\",\"value\":0."
                        "0000},\"class\":{\"type\":\"Property\","
                        "\"value\":\"trunk\"},\"n\":{\"type\":\"Property\",\"value\":2}}\n"
                        "3:no Feature: \"type\" says something else\n");
}

static void reads_what_is_built_in(void **state)
{
    (void)state;
    static const char *const names[] = {"beijing-air-quality", "jinan-roads", "gtfs-stops",
                                        "gtfs-routes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena *a = arena_new(0);
        struct mapping m;
        struct why why = {0};
        assert_int_equal(mapping_read(&m, mapping_builtin(str_of(names[i])), a, &why), OK);
        assert_non_null(strstr(mapping_builtin_names(a).p, names[i]));
        arena_free(a);
    }
    assert_true(str_absent(mapping_builtin(STR("atlantis"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_every_type),
        cmocka_unit_test(leaves_out_what_is_missing),
        cmocka_unit_test(rejects_the_row_with_its_line),
        cmocka_unit_test(observes_at_the_time_of_the_row),
        cmocka_unit_test(rejects_a_row_as_a_whole),
        cmocka_unit_test(names_what_is_wrong_with_a_mapping),
        cmocka_unit_test(reads_other_tables),
        cmocka_unit_test(splits_lines_of_a_map),
        cmocka_unit_test(reads_what_is_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
