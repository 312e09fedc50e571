/* Representations: the same city in every form, in and out. Each case is one entity
 * with its normalized, concise and simplified form, as clauses 4.5.2 to 4.5.24 and
 * the examples of annex C draw them. */
#include "entity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define E(attributes) "{\"id\":\"urn:x:1\",\"type\":\"T\"" attributes "}"

/* Attributes, each with a comma in front. */
struct form_case {
    const char *normalized, *concise, *simplified;
};

static const struct form_case FORMS[] = {
    {",\"brand\":{\"type\":\"Property\",\"value\":\"Zhongtong\"}", ",\"brand\":\"Zhongtong\"",
     ",\"brand\":\"Zhongtong\""},
    {",\"a\":{\"type\":\"Property\",\"value\":true},\"b\":{\"type\":\"Property\",\"value\":-7},"
     "\"c\":"
     "{\"type\":\"Property\",\"value\":0.25},\"d\":{\"type\":\"Property\",\"value\":"
     "\"a\\\"b\\\\\\u0001é\"}",
     ",\"a\":true,\"b\":-7,\"c\":0.25,\"d\":\"a\\\"b\\\\\\u0001é\"",
     ",\"a\":true,\"b\":-7,\"c\":0.25,\"d\":\"a\\\"b\\\\\\u0001é\""},
    {",\"address\":{\"type\":\"Property\",\"value\":{\"street\":\"Jingshi Lu\",\"no\":[1,2]}}",
     ",\"address\":{\"street\":\"Jingshi Lu\",\"no\":[1,2]}",
     ",\"address\":{\"street\":\"Jingshi Lu\",\"no\":[1,2]}"},
    {",\"spots\":{\"type\":\"Property\",\"value\":121,\"observedAt\":\"2017-07-29T12:05:02Z\","
     "\"unitCode\":\"C62\",\"reliability\":{\"type\":\"Property\",\"value\":0.7},\"seenBy\":{"
     "\"type\":"
     "\"Relationship\",\"object\":\"urn:x:Camera:1\"}}",
     ",\"spots\":{\"value\":121,\"observedAt\":\"2017-07-29T12:05:02Z\",\"unitCode\":\"C62\","
     "\"reliability\":0.7,\"seenBy\":{\"object\":\"urn:x:Camera:1\"}}",
     ",\"spots\":121"},
    {",\"tested\":{\"type\":\"Property\",\"value\":\"2018-12-04T12:00:00Z\",\"valueType\":"
     "\"DateTime\"}",
     ",\"tested\":{\"value\":\"2018-12-04T12:00:00Z\",\"valueType\":\"DateTime\"}",
     ",\"tested\":\"2018-12-04T12:00:00Z\""},
    {",\"tested\":{\"type\":\"Property\",\"value\":{\"@type\":\"DateTime\",\"@value\":"
     "\"2018-12-04T12:00:00Z\"}}",
     ",\"tested\":{\"@type\":\"DateTime\",\"@value\":\"2018-12-04T12:00:00Z\"}",
     ",\"tested\":{\"@type\":\"DateTime\",\"@value\":\"2018-12-04T12:00:00Z\"}"},
    {",\"street\":{\"type\":\"LanguageProperty\",\"languageMap\":{\"fr\":\"Grande Rue\",\"nl\":"
     "[\"Grote Straat\"]}}",
     ",\"street\":{\"languageMap\":{\"fr\":\"Grande Rue\",\"nl\":[\"Grote Straat\"]}}",
     ",\"street\":{\"languageMap\":{\"fr\":\"Grande Rue\",\"nl\":[\"Grote Straat\"]}}"},
    {",\"parked\":{\"type\":\"Relationship\",\"object\":\"urn:x:P:1\",\"objectType\":\"Parking\","
     "\"observedAt\":\"2017-07-29T12:00:04.500Z\",\"by\":{\"type\":\"Relationship\",\"object\":"
     "\"urn:x:Bob\"}}",
     ",\"parked\":{\"object\":\"urn:x:P:1\",\"objectType\":\"Parking\",\"observedAt\":"
     "\"2017-07-29T12:00:04.500Z\",\"by\":{\"object\":\"urn:x:Bob\"}}",
     ",\"parked\":\"urn:x:P:1\""},
    {",\"on\":{\"type\":\"Relationship\",\"objectType\":[\"Person\",\"http://example.org/Ghost\"],"
     "\"object\":[\"urn:x:A\",\"urn:x:B\"]}",
     ",\"on\":{\"objectType\":[\"Person\",\"http://example.org/Ghost\"],\"object\":[\"urn:x:A\","
     "\"urn:x:B\"]}",
     ",\"on\":[\"urn:x:A\",\"urn:x:B\"]"},
    {",\"category\":{\"type\":\"VocabProperty\",\"vocab\":\"non-commercial\"}",
     ",\"category\":{\"vocab\":\"non-commercial\"}",
     ",\"category\":{\"vocab\":\"non-commercial\"}"},
    {",\"category\":{\"type\":\"VocabProperty\",\"vocab\":[\"a\",\"http://example.org/b\"]}",
     ",\"category\":{\"vocab\":[\"a\",\"http://example.org/b\"]}",
     ",\"category\":{\"vocab\":[\"a\",\"http://example.org/b\"]}"},
    {",\"treads\":{\"type\":\"ListProperty\",\"valueList\":[300,300,6],\"unitCode\":\"MMT\"}",
     ",\"treads\":{\"valueList\":[300,300,6],\"unitCode\":\"MMT\"}", ",\"treads\":[300,300,6]"},
    {",\"route\":{\"type\":\"ListRelationship\",\"objectList\":[{\"object\":\"urn:x:A\"},{"
     "\"object\":"
     "\"urn:x:B\"}],\"objectType\":\"City\"}",
     ",\"route\":{\"objectList\":[\"urn:x:A\",\"urn:x:B\"],\"objectType\":\"City\"}",
     ",\"route\":[\"urn:x:A\",\"urn:x:B\"]"},
    {",\"tickets\":{\"type\":\"JsonProperty\",\"json\":{\"id\":\"85a6\",\"value\":null}}",
     ",\"tickets\":{\"json\":{\"id\":\"85a6\",\"value\":null}}",
     ",\"tickets\":{\"json\":{\"id\":\"85a6\",\"value\":null}}"},
    {",\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[117,"
     "36.6]}}",
     ",\"location\":{\"type\":\"Point\",\"coordinates\":[117,36.6]}",
     ",\"location\":{\"type\":\"Point\",\"coordinates\":[117,36.6]}"},
    {",\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[117,"
     "36.6]},"
     "\"observedAt\":\"2017-07-29T12:05:02Z\"}",
     ",\"location\":{\"value\":{\"type\":\"Point\",\"coordinates\":[117,36.6]},\"observedAt\":"
     "\"2017-07-29T12:05:02Z\"}",
     ",\"location\":{\"type\":\"Point\",\"coordinates\":[117,36.6]}"},
    {",\"speed\":[{\"type\":\"Property\",\"value\":50},{\"type\":\"Property\",\"value\":55,"
     "\"datasetId\":"
     "\"urn:d:gps\",\"source\":{\"type\":\"Property\",\"value\":\"GPS\"}}]",
     ",\"speed\":[{\"value\":50},{\"value\":55,\"datasetId\":\"urn:d:gps\",\"source\":\"GPS\"}]",
     ",\"speed\":{\"dataset\":{\"@none\":50,\"urn:d:gps\":55}}"},
    {",\"speed\":[{\"type\":\"LanguageProperty\",\"languageMap\":{\"en\":\"a\"},\"datasetId\":"
     "\"urn:d:1\"},{\"type\":\"Relationship\",\"object\":\"urn:x:2\",\"datasetId\":\"urn:d:2\"}]",
     ",\"speed\":[{\"languageMap\":{\"en\":\"a\"},\"datasetId\":\"urn:d:1\"},{\"object\":\"urn:x:"
     "2\","
     "\"datasetId\":\"urn:d:2\"}]",
     ",\"speed\":{\"dataset\":{\"urn:d:1\":{\"languageMap\":{\"en\":\"a\"}},\"urn:d:2\":\"urn:x:"
     "2\"}}"},
    {",\"where\":[{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}},"
     "{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[3,4]},\"datasetId\":"
     "\"urn:d:1\"}]",
     ",\"where\":[{\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}},{\"value\":{\"type\":"
     "\"Point\","
     "\"coordinates\":[3,4]},\"datasetId\":\"urn:d:1\"}]",
     ",\"where\":{\"dataset\":{\"@none\":{\"type\":\"Point\",\"coordinates\":[1,2]},\"urn:d:1\":"
     "{\"type\":\"Point\",\"coordinates\":[3,4]}}}"},
    {",\"speed\":{\"type\":\"Property\",\"value\":55,\"datasetId\":\"urn:d:gps\"}",
     ",\"speed\":{\"value\":55,\"datasetId\":\"urn:d:gps\"}", ",\"speed\":55"},
    /* values that a bare form would turn into something else */
    {",\"a\":{\"type\":\"Property\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}}",
     ",\"a\":{\"type\":\"Property\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}}",
     ",\"a\":{\"type\":\"Point\",\"coordinates\":[1,2]}"},
    {",\"a\":{\"type\":\"Property\",\"value\":{\"@type\":\"x\",\"type\":\"y\",\"@value\":1}}",
     ",\"a\":{\"@type\":\"x\",\"type\":\"y\",\"@value\":1}",
     ",\"a\":{\"@type\":\"x\",\"type\":\"y\",\"@value\":1}"},
    {",\"a\":{\"type\":\"Property\",\"value\":{\"type\":\"x\"}}",
     ",\"a\":{\"value\":{\"type\":\"x\"}}", ",\"a\":{\"type\":\"x\"}"},
    {",\"a\":{\"type\":\"Property\",\"value\":{\"unitCode\":\"CEL\",\"x\":1}}",
     ",\"a\":{\"value\":{\"unitCode\":\"CEL\",\"x\":1}}", ",\"a\":{\"unitCode\":\"CEL\",\"x\":1}"},
    {",\"a\":{\"type\":\"Property\",\"value\":{\"languageMap\":{\"en\":\"x\"}}}",
     ",\"a\":{\"value\":{\"languageMap\":{\"en\":\"x\"}}}",
     ",\"a\":{\"languageMap\":{\"en\":\"x\"}}"},
    {",\"a\":{\"type\":\"Property\",\"value\":[{\"value\":1}]}",
     ",\"a\":{\"value\":[{\"value\":1}]}", ",\"a\":[{\"value\":1}]"},
    {",\"a\":{\"type\":\"Property\",\"value\":[{\"x\":1}]}", ",\"a\":[{\"x\":1}]",
     ",\"a\":[{\"x\":1}]"},
    {",\"a\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2],"
     "\"value\":3}}",
     ",\"a\":{\"value\":{\"type\":\"Point\",\"coordinates\":[1,2],\"value\":3}}",
     ",\"a\":{\"type\":\"Point\",\"coordinates\":[1,2],\"value\":3}"},
    {",\"a\":{\"type\":\"Property\",\"value\":1,\"b\":[{\"type\":\"Property\",\"value\":1},{"
     "\"type\":"
     "\"Property\",\"value\":2,\"datasetId\":\"urn:d:1\"}]}",
     ",\"a\":{\"value\":1,\"b\":[{\"value\":1},{\"value\":2,\"datasetId\":\"urn:d:1\"}]}",
     ",\"a\":1"},
};

static struct str whole(struct fixture *f, const char *attributes)
{
    return arena_printf(f->arena, "{\"id\":\"urn:x:1\",\"type\":\"T\"%s}", attributes);
}

static void every_form_of_every_kind(void **state)
{
    struct fixture *f = *state;
    const struct context *c = context_core();
    struct reader r = entity_reader(f, c, READER_ENTITY);
    struct represent normalized = entity_represent(f, c, REPRESENT_NORMALIZED);
    struct represent concise = entity_represent(f, c, REPRESENT_CONCISE);
    struct represent simplified = entity_represent(f, c, REPRESENT_SIMPLIFIED);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        struct entity *e = entity_read(f, &r, whole(f, FORMS[i].normalized).p);
        entity_shows(f, &normalized, e, whole(f, FORMS[i].normalized).p);
        entity_shows(f, &concise, e, whole(f, FORMS[i].concise).p);
        entity_shows(f, &simplified, e, whole(f, FORMS[i].simplified).p);
        struct entity *again = entity_read(f, &r, whole(f, FORMS[i].concise).p);
        entity_same(f, e, again, FORMS[i].concise);
    }
}

static void members_stand_in_a_fixed_order(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(
        f, &r,
        "{\"scope\":[\"/a\",\"/b\"],\"z\":{\"datasetId\":\"urn:d:1\",\"unitCode\":\"CEL\","
        "\"value\":1,\"observedAt\":\"2020-01-01T00:00:00.100Z\"},\"type\":[\"T\",\"U\"],"
        "\"id\":\"urn:x:1\"}");
    e->created_at = 0;
    e->modified_at = 1000;
    e->expires_at = 2000000;
    e->attrs[0].created_at = 3;
    e->attrs[0].modified_at = 4;
    struct represent rep = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
    rep.sys_attrs = true;
    rep.at_context = STR("[\"https://example.org/c.jsonld\"]");
    assert_string_equal(
        entity_text(f, &rep, e).p,
        "{\"id\":\"urn:x:1\",\"type\":[\"T\",\"U\"],\"scope\":[\"/a\",\"/b\"],"
        "\"expiresAt\":\"1970-01-01T00:00:02Z\",\"createdAt\":\"1970-01-01T00:00:00Z\","
        "\"modifiedAt\":\"1970-01-01T00:00:00.001Z\","
        "\"z\":{\"type\":\"Property\",\"value\":1,\"observedAt\":\"2020-01-01T00:00:00.100Z\","
        "\"unitCode\":\"CEL\",\"datasetId\":\"urn:d:1\",\"createdAt\":\"1970-01-01T00:00:00."
        "000003Z\","
        "\"modifiedAt\":\"1970-01-01T00:00:00.000004Z\"},"
        "\"@context\":[\"https://example.org/c.jsonld\"]}");
}

static void system_attributes_show_when_asked_for(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e =
        entity_read(f, &r,
                    E(",\"expiresAt\":\"2030-01-01T00:00:00Z\",\"a\":{\"value\":1,\"expiresAt\":"
                      "\"2030-01-01T00:00:00Z\"}"));
    e->created_at = 5000000;
    struct represent rep = entity_represent(f, context_core(), REPRESENT_CONCISE);
    entity_shows(f, &rep, e, E(",\"a\":1"));
    rep.sys_attrs = true;
    entity_shows(f, &rep, e,
                 E(",\"expiresAt\":\"2030-01-01T00:00:00Z\",\"createdAt\":\"1970-01-01T00:00:05Z\","
                   "\"a\":{\"value\":1,\"expiresAt\":\"2030-01-01T00:00:00Z\"}"));
    rep.format = REPRESENT_SIMPLIFIED;
    entity_shows(f, &rep, e,
                 E(",\"expiresAt\":\"2030-01-01T00:00:00Z\",\"createdAt\":\"1970-01-01T00:00:05Z\","
                   "\"a\":1"));
}

static void names_are_compacted_by_the_reader_of_the_answer(void **state)
{
    struct fixture *f = *state;
    struct context *in = fixture_context(
        f,
        "{\"Parking\":\"http://example.org/Parking\",\"free\":\"http://example.org/free\",\"sort\":"
        "\"http://example.org/sort\",\"big\":\"http://example.org/big\"}");
    struct context *out = fixture_context(
        f, "{\"P\":\"http://example.org/Parking\",\"we\\\"ird\":\"http://example.org/free\"}");
    struct reader r = entity_reader(f, in, READER_ENTITY);
    struct entity *e = entity_read(f, &r,
                                   "{\"id\":\"urn:x:1\",\"type\":\"Parking\",\"free\":5,\"sort\":"
                                   "{\"vocab\":\"big\"},\"near\":{\"object\":\"urn:x:2\","
                                   "\"objectType\":\"Parking\"}}");
    struct represent rep = entity_represent(f, out, REPRESENT_CONCISE);
    entity_shows(f, &rep, e,
                 "{\"id\":\"urn:x:1\",\"type\":\"P\",\"we\\\"ird\":5,\"http://example.org/sort\":"
                 "{\"vocab\":\"http://example.org/big\"},\"near\":{\"object\":\"urn:x:2\","
                 "\"objectType\":\"P\"}}");
    context_unref(in);
    context_unref(out);
}

static void deleted_attributes_show_their_null(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_MERGE);
    struct entity *e =
        entity_read(f, &r,
                    E(",\"a\":\"urn:ngsi-ld:null\",\"b\":{\"object\":\"urn:ngsi-ld:null\"},\"c\":"
                      "{\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}},\"d\":{\"valueList\":"
                      "[\"urn:ngsi-ld:null\"]},\"e\":{\"objectList\":[\"urn:ngsi-ld:null\"]}"));
    struct represent rep = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
    entity_shows(
        f, &rep, e,
        E(",\"a\":{\"type\":\"Property\",\"value\":\"urn:ngsi-ld:null\"},\"b\":{\"type\":"
          "\"Relationship\",\"object\":\"urn:ngsi-ld:null\"},\"c\":{\"type\":\"LanguageProperty\","
          "\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}},\"d\":{\"type\":\"ListProperty\","
          "\"valueList\":[\"urn:ngsi-ld:null\"]},\"e\":{\"type\":\"ListRelationship\","
          "\"objectList\":"
          "[\"urn:ngsi-ld:null\"]}"));
}

/* ---- filters ---- */

static void datasets_are_filtered(void **state)
{
    static const struct {
        const char *datasets[3], *expected;
    } CASES[] = {
        {{"@none"}, ",\"a\":1,\"c\":5"},
        {{"urn:d:1"},
         ",\"a\":{\"value\":2,\"datasetId\":\"urn:d:1\"},\"b\":{\"value\":4,\"datasetId\":"
         "\"urn:d:1\"}"},
        {{"urn:d:2", "@none"},
         ",\"a\":[{\"value\":1},{\"value\":3,\"datasetId\":\"urn:d:2\"}],"
         "\"c\":5"},
        {{"urn:d:9"}, ""},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(
        f, &r,
        E(",\"a\":[{\"value\":1},{\"value\":2,\"datasetId\":\"urn:d:1\"},{\"value\":3,"
          "\"datasetId\":\"urn:d:2\"}],\"b\":{\"value\":4,\"datasetId\":\"urn:d:1\"},\"c\":5"));
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct str datasets[3];
        struct represent rep = entity_represent(f, context_core(), REPRESENT_CONCISE);
        rep.datasets = datasets;
        while (rep.dataset_count < 3 && CASES[i].datasets[rep.dataset_count]) {
            datasets[rep.dataset_count] = str_of(CASES[i].datasets[rep.dataset_count]);
            rep.dataset_count++;
        }
        entity_shows(f, &rep, e, whole(f, CASES[i].expected).p);
        assert_true(represent_leaves(&rep, e));
    }
}

static void languages_are_filtered(void **state)
{
    static const struct {
        const char *map, *wanted, *tag, *text;
    } CASES[] = {
        {"{\"fr\":\"Grande Rue\",\"nl\":\"Grote Straat\"}", "fr", "fr", "\"Grande Rue\""},
        {"{\"fr\":\"Grande Rue\",\"nl\":\"Grote Straat\"}", "FR", "fr", "\"Grande Rue\""},
        {"{\"fr\":\"Grande Rue\",\"nl\":\"Grote Straat\"}", "fr;q=0.2,nl;q=0.9", "nl",
         "\"Grote Straat\""},
        {"{\"fr\":\"a\",\"nl\":\"b\"}", "nl-BE", "nl", "\"b\""},
        {"{\"de\":\"a\",\"en-US\":\"b\"}", "en", "en-US", "\"b\""},
        {"{\"en-US\":\"a\",\"en\":\"b\"}", "en", "en", "\"b\""},
        {"{\"zh\":\"a\",\"zh-Hant\":\"b\"}", "zh-Hant-TW", "zh-Hant", "\"b\""},
        {"{\"fr\":\"a\",\"nl\":\"b\"}", "*", "fr", "\"a\""},
        {"{\"fr\":\"a\",\"nl\":\"b\"}", "pt, *;q=0.5", "fr", "\"a\""},
        {"{\"fr\":\"a\",\"nl\":\"b\"}", "fr-CH,en;q=0.8,*;q=0.1", "fr", "\"a\""},
        {"{\"fr\":\"a\",\"nl\":\"b\"}", "pt", "fr", "\"a\""},
        {"{\"fr\":\"a\",\"@none\":\"b\"}", "pt", "@none", "\"b\""},
        {"{\"fr\":\"a\",\"nl\":\"b\"}", "fr;q=0,*", "fr", "\"a\""},
        {"{\"fr\":[\"a\",\"b]\\\"\"],\"nl\":\"}\\\\\"}", "fr", "fr", "[\"a\",\"b]\\\"\"]"},
        {"{\"fr\":[\"a\",\"b]\\\"\"],\"nl\":\"}\\\\\"}", "nl", "nl", "\"}\\\\\""},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct str in = arena_printf(
            f->arena, ",\"s\":{\"languageMap\":%s,\"by\":1,\"valueType\":\"langString\"}",
            CASES[i].map);
        struct entity *e = entity_read(f, &r, whole(f, in.p).p);
        struct represent rep = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
        rep.lang = str_of(CASES[i].wanted);
        struct str out = arena_printf(f->arena,
                                      ",\"s\":{\"type\":\"Property\",\"value\":%s,\"lang\":\"%s\","
                                      "\"by\":{\"type\":\"Property\",\"value\":1}}",
                                      CASES[i].text, CASES[i].tag);
        entity_shows(f, &rep, e, whole(f, out.p).p);
        rep.format = REPRESENT_CONCISE;
        out = arena_printf(f->arena, ",\"s\":{\"value\":%s,\"lang\":\"%s\",\"by\":1}",
                           CASES[i].text, CASES[i].tag);
        entity_shows(f, &rep, e, whole(f, out.p).p);
        rep.format = REPRESENT_SIMPLIFIED;
        entity_shows(f, &rep, e, whole(f, arena_printf(f->arena, ",\"s\":%s", CASES[i].text).p).p);
    }
}

/* ---- GeoJSON ---- */

static const char PARKING[] = E(
    ",\"scope\":\"/a\",\"name\":\"One\",\"spots\":{\"value\":121,\"observedAt\":"
    "\"2017-07-29T12:05:02Z\"},\"location\":{\"type\":\"Point\",\"coordinates\":[117,36.6]},"
    "\"area\":"
    "[{\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]},\"datasetId\":\"urn:d:1\"},{\"value\":"
    "{\"type\":\"Point\",\"coordinates\":[3,4]},\"datasetId\":\"urn:d:2\"}]");

#define POINT "{\"type\":\"Point\",\"coordinates\":[117,36.6]}"

static void features(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(f, &r, PARKING);
    uint32_t pick_terms[] = {
        context_expand_term(context_core(), STR("name"), false, f->arena, NULL)};
    struct projection pick = {.id = true, .type = true, .count = 1, .terms = pick_terms};
    struct represent rep = entity_represent(f, context_core(), REPRESENT_SIMPLIFIED);
    rep.geojson = true;
    rep.at_context = STR("\"c\"");
    entity_shows(f, &rep, e,
                 "{\"id\":\"urn:x:1\",\"type\":\"Feature\",\"geometry\":" POINT
                 ",\"properties\":{\"type\":\"T\",\"scope\":\"/a\",\"name\":\"One\",\"spots\":121,"
                 "\"location\":" POINT ",\"area\":{\"dataset\":{\"urn:d:1\":{\"type\":\"Point\","
                 "\"coordinates\":[1,2]},\"urn:d:2\":{\"type\":\"Point\",\"coordinates\":[3,4]}}}},"
                 "\"@context\":\"c\"}");
    rep.pick = &pick;
    rep.format = REPRESENT_NORMALIZED;
    entity_shows(
        f, &rep, e,
        "{\"id\":\"urn:x:1\",\"type\":\"Feature\",\"geometry\":" POINT
        ",\"properties\":{\"type\":\"T\",\"name\":{\"type\":\"Property\",\"value\":\"One\"}},"
        "\"@context\":\"c\"}");
    pick = (struct projection){.count = 1, .terms = pick_terms};
    rep.format = REPRESENT_CONCISE;
    entity_shows(f, &rep, e,
                 "{\"type\":\"Feature\",\"geometry\":" POINT ",\"properties\":{\"name\":\"One\"},"
                 "\"@context\":\"c\"}");
}

static void the_geometry_of_a_feature(void **state)
{
    static const struct {
        const char *property, *dataset, *geometry;
    } CASES[] = {
        {"location", NULL, POINT},
        {"area", NULL, "null"}, /* two instances, none of them the default */
        {"area", "urn:d:2", "{\"type\":\"Point\",\"coordinates\":[3,4]}"},
        {"name", NULL, "null"},
        {"unheardOf", NULL, "null"},
        {"location", "urn:d:2", "null"},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(f, &r, PARKING);
    struct projection none = {0};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct represent rep = entity_represent(f, context_core(), REPRESENT_SIMPLIFIED);
        struct str dataset = str_of(CASES[i].dataset);
        rep.geojson = true;
        rep.geometry_given = true;
        rep.geometry_property =
            context_expand_term(context_core(), str_of(CASES[i].property), false, f->arena, NULL);
        rep.datasets = &dataset;
        rep.dataset_count = CASES[i].dataset != NULL;
        rep.pick = &none;
        entity_shows(f, &rep, e,
                     arena_printf(f->arena,
                                  "{\"type\":\"Feature\",\"geometry\":%s,\"properties\":{}}",
                                  CASES[i].geometry)
                         .p);
    }
}

static struct str list_text(struct fixture *f, struct represent *rep, const struct entity *e)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    represent_list_open(&b, rep);
    rep->in_list = true;
    for (int i = 0; i < 2; i++) {
        if (i)
            buf_char(&b, ',');
        represent_entity(&b, rep, e);
    }
    represent_list_close(&b, rep);
    struct str text = arena_dup(f->arena, buf_view(&b));
    buf_free(&b);
    return text;
}

static void lists(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(f, &r, E(""));
    struct represent rep = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
    assert_string_equal(list_text(f, &rep, e).p, "[" E("") "," E("") "]");
    rep.at_context = STR("\"c\"");
    assert_string_equal(list_text(f, &rep, e).p,
                        "[" E(",\"@context\":\"c\"") "," E(",\"@context\":\"c\"") "]");
    rep.geojson = true;
    assert_string_equal(list_text(f, &rep, e).p,
                        "{\"type\":\"FeatureCollection\",\"features\":["
                        "{\"id\":\"urn:x:1\",\"type\":\"Feature\",\"geometry\":null,\"properties\":"
                        "{\"type\":\"T\"}},"
                        "{\"id\":\"urn:x:1\",\"type\":\"Feature\",\"geometry\":null,\"properties\":"
                        "{\"type\":\"T\"}}],"
                        "\"@context\":\"c\"}");
}

static void one_attribute_alone(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(f, &r,
                                   E(",\"a\":[{\"value\":1},{\"value\":2,\"datasetId\":"
                                     "\"urn:d:1\"}]"));
    struct represent rep = entity_represent(f, context_core(), REPRESENT_CONCISE);
    struct buf b;
    buf_init(&b, 1000);
    represent_attr(&b, &rep, e->attrs, 2);
    assert_true(
        str_eq(buf_view(&b), STR("[{\"value\":1},{\"value\":2,\"datasetId\":\"urn:d:1\"}]")));
    buf_clear(&b);
    represent_attr(&b, &rep, e->attrs, 1);
    assert_true(str_eq(buf_view(&b), STR("1")));
    buf_free(&b);
}

static void a_full_buffer_stays_within_its_maximum(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        struct entity *e = entity_read(f, &r, whole(f, FORMS[i].normalized).p);
        for (int format = 0; format <= REPRESENT_SIMPLIFIED; format++) {
            struct represent rep =
                entity_represent(f, context_core(), (enum represent_format)format);
            size_t n = entity_text(f, &rep, e).n;
            for (size_t max = 1; max < n; max += 7) {
                struct buf b;
                buf_init(&b, max);
                represent_entity(&b, &rep, e);
                assert_true(b.full && b.n <= max);
                buf_free(&b);
            }
        }
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(every_form_of_every_kind),
        T(members_stand_in_a_fixed_order),
        T(system_attributes_show_when_asked_for),
        T(names_are_compacted_by_the_reader_of_the_answer),
        T(deleted_attributes_show_their_null),
        T(datasets_are_filtered),
        T(languages_are_filtered),
        T(features),
        T(the_geometry_of_a_feature),
        T(lists),
        T(one_attribute_alone),
        T(a_full_buffer_stays_within_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
