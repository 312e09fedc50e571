/* NGSI-LD files, features without a mapping, archives; and going on from any mark. */
#include "check.h"

#include "source_text.h"

#include <stdlib.h>
#include <zip.h>

static const char *read_text(const char *name, const char *data, const char *type,
                             const char *context)
{
    struct blob blob = blob_of(data);
    struct source_options o = {.limits = source_limits_preset};
    o.type = str_of(type);
    o.context = str_of(context);
    return source_text(name, &blob, &o);
}

static void passes_normalized_entities_as_they_are(void **state)
{
    (void)state;
    assert_string_equal(
        read_text(
            "a.jsonld",
            "[{ \"id\":\"urn:a\", \"type\":\"T\", \"p\":{\"type\":\"Property\",\"value\":1.50}},\n"
            "{\"id\":\"urn:b\",\"type\":\"T\",\"p\":{\"value\":[1]},\"q\":\"x\",\"@context\":\"c\"}"
            "]",
            NULL, NULL),
        "{ \"id\":\"urn:a\", \"type\":\"T\", \"p\":{\"type\":\"Property\",\"value\":1.50}}\n"
        "{\"id\":\"urn:b\",\"type\":\"T\",\"p\":{\"value\":[1]},\"q\":\"x\",\"@context\":\"c\"}\n");
    assert_string_equal(
        read_text("a.json", "{\"id\":\"urn:a\",\"type\":\"T\"} {\"id\":\"urn:b\"}", NULL, NULL),
        "{\"id\":\"urn:a\",\"type\":\"T\"}\n{\"id\":\"urn:b\"}\n");
}

static void normalizes_key_values(void **state)
{
    (void)state;
    assert_string_equal(
        read_text(
            "a.json",
            "{\"id\":\"urn:a\",\"type\":[\"T\"],\"scope\":\"/x\",\"n\":1,\"s\":\"urn:ngsi-ld:B:1\","
            "\"l\":[\"urn:ngsi-ld:B:1\"],\"m\":[\"urn:ngsi-ld:B:1\",2],"
            "\"g\":{\"type\":\"Point\",\"coordinates\":[1,2]},\"a\":{\"type\":\"PostalAddress\","
            "\"city\":\"J\"},"
            "\"w\":{\"languageMap\":{\"en\":\"x\"}},\"v\":{\"vocab\":\"y\"},\"j\":{\"json\":null},"
            "\"@context\":[\"c\"]}",
            NULL, NULL),
        "{\"id\":\"urn:a\",\"type\":[\"T\"],\"scope\":\"/x\","
        "\"n\":{\"type\":\"Property\",\"value\":1},"
        "\"s\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:B:1\"},"
        "\"l\":{\"type\":\"Relationship\",\"object\":[\"urn:ngsi-ld:B:1\"]},"
        "\"m\":{\"type\":\"Property\",\"value\":[\"urn:ngsi-ld:B:1\",2]},"
        "\"g\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}},"
        "\"a\":{\"type\":\"Property\",\"value\":{\"type\":\"PostalAddress\",\"city\":\"J\"}},"
        "\"w\":{\"type\":\"LanguageProperty\",\"languageMap\":{\"en\":\"x\"}},"
        "\"v\":{\"type\":\"VocabProperty\",\"vocab\":\"y\"},"
        "\"j\":{\"type\":\"JsonProperty\",\"json\":null},"
        "\"@context\":[\"c\"]}\n");
    /* concise, not key-values: a member says more than its value */
    const char *concise =
        "{\"id\":\"urn:a\",\"v\":{\"vocab\":\"y\",\"observedAt\":\"2020-01-01T00:00:00Z\"}}";
    char expected[200];
    snprintf(expected, sizeof expected, "%s\n", concise);
    assert_string_equal(read_text("a.json", concise, NULL, NULL), expected);
}

static void gives_entities_the_context_asked_for(void **state)
{
    (void)state;
    assert_string_equal(
        read_text("a.json", "[{\"id\":\"urn:a\"},{\"id\":\"urn:b\",\"@context\":1}]", NULL,
                  "[\"http://c\"]"),
        "{\"id\":\"urn:a\",\"@context\":[\"http://c\"]}\n{\"id\":\"urn:b\",\"@context\":1}\n");
}

static void rejects_elements_with_their_line(void **state)
{
    (void)state;
    assert_string_equal(
        read_text("a.json", "[1,\n{\"type\":\"T\"},\n{\"id\":7},\n{\"id\":\"urn:a\"}]", NULL, NULL),
        "1:no entity: a member \"id\" with a string is needed\n"
        "2:no entity: a member \"id\" with a string is needed\n"
        "3:no entity: a member \"id\" with a string is needed\n"
        "{\"id\":\"urn:a\"}\n");
    const char *said = read_text("a.json", "[{\"id\":\"urn:a\"},\n{\"id\":\"urn:b\",}", NULL, NULL);
    assert_non_null(strstr(said, "{\"id\":\"urn:a\"}\n2:"));
    assert_string_equal(read_text("a.json", "no json", NULL, NULL),
                        "refused:no JSON object or array");
    assert_non_null(
        strstr(read_text("a.xml", "<a/>", NULL, NULL), "refused:the name does not end in"));
    assert_non_null(
        strstr(read_text("a.csv", "a\n1\n", NULL, NULL), "refused:a table needs a mapping"));
    assert_non_null(strstr(read_text("a.zip", "PK no", NULL, NULL), "refused:no zip archive"));
}

static void reads_features_without_a_mapping(void **state)
{
    (void)state;
    const char *map = "{\"type\":\"FeatureCollection\",\"features\":["
                      "{\"type\":\"Feature\",\"id\":17,\"properties\":{\"name\":\"A\",\"speed "
                      "limit\":30,\"none\":null,\"type\":\"x\"},"
                      "\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]}},"
                      "{\"type\":\"Feature\",\"properties\":null,\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[1,2]}}]}";
    assert_string_equal(read_text("a.geojson", map, "Spring", NULL),
                        "{\"id\":\"urn:ngsi-ld:Spring:17\",\"type\":\"Spring\",\"name\":{\"type\":"
                        "\"Property\",\"value\":\"A\"},"
                        "\"speed_limit\":{\"type\":\"Property\",\"value\":30},\"feature_type\":{"
                        "\"type\":\"Property\",\"value\":\"x\"},"
                        "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\","
                        "\"coordinates\":[1,2]}}}\n"
                        "{\"id\":\"urn:ngsi-ld:Spring:dc86ce5497550263\",\"type\":\"Spring\","
                        "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\","
                        "\"coordinates\":[1,2]}}}\n");
    assert_non_null(strstr(read_text("a.geojson", map, NULL, NULL), "1:the feature names no type"));
    assert_non_null(
        strstr(read_text("a.json",
                         "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
                         "\"id\":\"a b/c\",\"geometry\":null}]}",
                         "Spring", NULL),
               "{\"id\":\"urn:ngsi-ld:Spring:a%20b%2Fc\",\"type\":\"Spring\"}"));
    assert_string_equal(
        read_text("a.json", "{\"type\":\"Feature\",\"id\":1,\"geometry\":null}", "Spring", NULL),
        "{\"id\":\"urn:ngsi-ld:Spring:1\",\"type\":\"Spring\"}\n");
    /* NGSI-LD's own GeoJSON comes back as the entity it was. */
    assert_string_equal(
        read_text(
            "a.geojson",
            "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"id\":\"urn:v:"
            "1\","
            "\"properties\":{\"type\":\"Vehicle\",\"speed\":{\"type\":\"Property\",\"value\":5},"
            "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":["
            "1,2]}}},"
            "\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]},\"@context\":\"http://c\"}]}",
            NULL, NULL),
        "{\"id\":\"urn:v:1\",\"type\":\"Vehicle\",\"speed\":{\"type\":\"Property\",\"value\":5},"
        "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]"
        "}},"
        "\"@context\":\"http://c\"}\n");
}

/* A zip archive in memory. */
static struct blob zip_of(const char *stops, const char *routes)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *zip = zip_open_from_source(memory, ZIP_TRUNCATE, &error);
    assert_non_null(zip);
    zip_source_keep(memory);
    const char *names[] = {"feed/stops.txt", "feed/routes.txt", "readme.txt"};
    const char *texts[] = {stops, routes, "hello"};
    for (int i = 0; i < 3; i++)
        if (texts[i])
            assert_true(zip_file_add(zip, names[i],
                                     zip_source_buffer(zip, texts[i], strlen(texts[i]), 0),
                                     0) >= 0);
    assert_int_equal(zip_close(zip), 0);
    zip_stat_t st;
    assert_int_equal(zip_source_stat(memory, &st), 0);
    char *block = mem_alloc(st.size + 1);
    assert_int_equal(zip_source_open(memory), 0);
    assert_int_equal(zip_source_read(memory, block, st.size), (zip_int64_t)st.size);
    zip_source_close(memory);
    zip_source_free(memory);
    struct blob b;
    blob_take(&b, block, st.size);
    return b;
}

static void reads_timetables(void **state)
{
    (void)state;
    struct source_options o = {.limits = source_limits_preset};
    struct blob blob =
        zip_of("stop_id,stop_name,stop_lat,stop_lon\nA 1,\"Quancheng, Sq\",36.66,117.02\nB,,91,0\n",
               "route_id,route_type,route_color\nR,3,FF0000\n");
    assert_string_equal(
        source_text("feed.zip", &blob, &o),
        "{\"id\":\"urn:ngsi-ld:PublicTransportStop:A%201\",\"type\":\"PublicTransportStop\","
        "\"stopCode\":{\"type\":\"Property\",\"value\":\"A "
        "1\"},\"name\":{\"type\":\"Property\",\"value\":\"Quancheng, Sq\"},"
        "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[117."
        "02,36.66]}}}\n"
        "3:location: column \"stop_lat\" is no number of degrees within ±90\n"
        "{\"id\":\"urn:ngsi-ld:PublicTransportRoute:R\",\"type\":\"PublicTransportRoute\","
        "\"routeCode\":{\"type\":\"Property\",\"value\":\"R\"},\"transportationType\":{\"type\":"
        "\"Property\",\"value\":3},"
        "\"routeColor\":{\"type\":\"Property\",\"value\":\"#FF0000\"}}\n");
    blob = zip_of(NULL, NULL);
    assert_string_equal(source_text("feed.zip", &blob, &o),
                        "refused:no GTFS feed: it has no stops.txt");
    blob = zip_of("stop_id\n1\n", NULL);
    assert_string_equal(source_text("feed.zip", &blob, &o),
                        "refused:the header has no column \"stop_name\"");
}

/* ---- marks ---- */

static void copy_item(char *out, size_t room, const struct source_item *item)
{
    snprintf(out, room, "%d %.*s %.*s%.*s", (int)item->line, STR_ARG(item->id), STR_ARG(item->json),
             STR_ARG(item->why ? str_of(item->why->text) : STR("")));
}

/* Stops behind every item in turn and goes on in a new source: the rest must be the same. */
static void check_marks(const char *name, const char *data, struct blob (*make)(const char *),
                        const struct source_options *o, uint32_t count)
{
    static char items[64][512];
    struct source_mark marks[64];
    struct source *s;
    struct source_item item;
    struct why why = {0};
    struct blob blob = make(data);
    uint32_t n = 0;
    assert_int_equal(source_open(&s, name, &blob, o, &why), OK);
    while (source_next(s, &item)) {
        copy_item(items[n], sizeof items[n], &item);
        marks[n++] = item.after;
    }
    source_free(s);
    assert_int_equal(n, count);
    for (uint32_t from = 0; from < n; from++) {
        blob = make(data);
        assert_int_equal(source_open(&s, name, &blob, o, &why), OK);
        source_seek(s, &marks[from]);
        for (uint32_t i = from + 1; i < n; i++) {
            char text[512];
            assert_true(source_next(s, &item));
            copy_item(text, sizeof text, &item);
            assert_string_equal(text, items[i]);
            assert_memory_equal(&item.after, &marks[i], sizeof item.after);
        }
        assert_false(source_next(s, &item));
        source_free(s);
    }
}

static struct blob make_zip(const char *stops)
{
    return zip_of(stops, "route_id,route_type\nR,3\nS,x\nT,1\n");
}

static void goes_on_from_any_mark(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct why why = {0};
    struct mapping rows, roads;
    struct source_options o = {.limits = source_limits_preset};
    assert_int_equal(
        mapping_read(&rows,
                     STR("{\"entities\":[{\"id\":\"urn:a:{k}:{@record}:{@line}\",\"type\":\"A\"},"
                         "{\"id\":\"urn:b:{k}\",\"type\":\"B\",\"onlyIf\":[\"v\"]}]}"),
                     a, &why),
        OK);
    assert_int_equal(
        mapping_read(&roads,
                     STR("{\"format\":\"geojson\",\"split\":\"lines\",\"entities\":[{\"id\":"
                         "\"urn:r:{@record}:{@part}\",\"type\":\"R\"}]}"),
                     a, &why),
        OK);
    o.mapping = &rows;
    check_marks("x.csv", "k,v\n1,2\n3,\n\"4\n4\",5\nbad\n\n6,7", blob_of, &o, 8);
    o.mapping = &roads;
    check_marks(
        "x.json",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":{"
        "\"type\":"
        "\"MultiLineString\",\"coordinates\":[[[1,1],[2,2]],[[3,3],[4,4]],[[5,5],[6,6]]]}},\n7,\n"
        "{\"type\":\"Feature\",\"geometry\":null}]}",
        blob_of, &o, 5);
    o.mapping = NULL;
    check_marks("x.json", "[{\"id\":\"urn:1\"},\n{\"id\":\"urn:2\"},\n3,{\"id\":\"urn:4\"}, oops",
                blob_of, &o, 6);
    check_marks("x.ndjson", "{\"id\":\"urn:1\"}\n{\"id\":\"urn:2\"}\n\n{\"id\":\"urn:3\"}\n",
                blob_of, &o, 3);
    check_marks("x.zip", "stop_id,stop_name,stop_lat,stop_lon\n1,a,1,1\n2,b,x,1\n3,c,3,3\n",
                make_zip, &o, 6);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_normalized_entities_as_they_are),
        cmocka_unit_test(normalizes_key_values),
        cmocka_unit_test(gives_entities_the_context_asked_for),
        cmocka_unit_test(rejects_elements_with_their_line),
        cmocka_unit_test(reads_features_without_a_mapping),
        cmocka_unit_test(reads_timetables),
        cmocka_unit_test(goes_on_from_any_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
