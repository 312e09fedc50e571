/* The query language of clause 4.9: what its examples and sentences say. */
#include "filter_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, city_setup, city_teardown)

#define P(name, value) "\"" name "\":{\"type\":\"Property\",\"value\":" value "}"
#define E(id, type, rest) "{\"id\":\"urn:ngsi-ld:" id "\",\"type\":\"" type "\"," rest "}"

struct expected {
    const char *q, *ids;
};

static void expect_rows(struct city *c, const struct expected *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        city_expect(c, rows[i].q, rows[i].ids);
}

#define EXPECT(c, ...)                                                                             \
    expect_rows(c, (const struct expected[]){__VA_ARGS__},                                         \
                sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

static void examples_of_the_clause(void **state)
{
    struct city *c = *state;
    city_add(c, E("T:cold", "T", P("temperature", "20")));
    city_add(c, E("T:hot", "T", P("temperature", "25.5")));
    city_add(c, E("V:benz", "V",
                  P("brandName", "\"Mercedes\"") "," P("speed", "60") "," P("rpm", "1000")));
    city_add(
        c, E("V:seat", "V", P("brandName", "\"Seat\"") "," P("speed", "40") "," P("rpm", "4000")));
    city_add(c, E("V:slow", "V",
                  P("brandName", "\"Mercedes\"") "," P("speed", "50") "," P("rpm", "3000")));
    city_add(c, E("V:parked", "V",
                  "\"isParked\":{\"type\":\"Relationship\","
                  "\"object\":\"urn:ngsi-ld:OffStreetParking:Downtown1\"},"
                  "\"isMonitoredBy\":{\"type\":\"Relationship\",\"object\":\"urn:x:y\"}"));
    EXPECT(c, {"temperature", "cold hot"},
           {"temperature==20", "cold"},
           {"brandName!=\"Mercedes\"", "seat"},
           {"isParked==\"urn:ngsi-ld:OffStreetParking:Downtown1\"", "parked"},
           {"isParked==urn:ngsi-ld:OffStreetParking:Downtown1", "parked"},
           {"speed>50;brandName!=\"Mercedes\"", ""},
           {"speed>50;brandName==\"Mercedes\"", "benz"},
           {"isMonitoredBy", "parked"},
           {"((speed>50|rpm>3000);brandName==\"Mercedes\")", "benz"},
           {"(temperature>=20;temperature<=25)|rpm<=1000", "cold benz"});
}

static void and_binds_tighter_than_or(void **state)
{
    struct city *c = *state;
    city_add(c, E("a", "T", P("a", "1")));
    city_add(c, E("bc", "T", P("b", "1") "," P("c", "1")));
    city_add(c, E("x:c", "T", P("c", "1")));
    EXPECT(c, {"a|b;c", "a bc"},
           {"b;c|a", "a bc"},
           {"(a|b);c", "bc"},
           {"!a;c", "bc c"},
           {"!(a|b)", "x:c"},
           {"!!a", "a"},
           {" ( a | b ) ; c == 1 ", "bc"});
}

static void sub_attributes_and_members(void **state)
{
    struct city *c = *state;
    city_add(c, E("new", "T",
                  "\"temperature\":{\"type\":\"Property\",\"value\":1,\"unitCode\":\"CEL\","
                  "\"observedAt\":\"2018-12-24T12:00:00Z\",\"datasetId\":\"urn:d:1\","
                  "\"accuracy\":{\"type\":\"Property\",\"value\":0.5,\"observedAt\":\"2018-01-"
                  "01T00:00:00Z\"}}"));
    city_add(c, E("old", "T",
                  "\"temperature\":{\"type\":\"Property\",\"value\":1,"
                  "\"observedAt\":\"2016-12-24T12:00:00Z\","
                  "\"accuracy\":{\"type\":\"Property\",\"value\":2}}"));
    struct entity *e = city_add(c, E("none", "T", P("temperature", "1")));
    assert_true(time_parse(STR("2021-01-01T00:00:00Z"), &e->modified_at));
    city_encode(c);
    EXPECT(c, {"temperature.observedAt>=2017-12-24T12:00:00Z", "new"},
           {"temperature.observedAt>=\"2017-12-24T12:00:00Z\"", "new"},
           {"temperature.observedAt==2018-12-24T12:00:00.000Z", "new"},
           {"temperature.observedAt==2018-12-24T00:00:00Z..2018-12-25T00:00:00Z", "new"},
           {"temperature.observedAt!=2018-12-24T12:00:00Z", "old"},
           {"temperature.observedAt", "new old"},
           {"temperature.accuracy<1", "new"},
           {"temperature.accuracy.observedAt", "new"},
           {"temperature.unitCode==\"CEL\"", "new"},
           {"temperature.datasetId==urn:d:1", "new"},
           {"temperature.type==\"Property\"", "new old none"},
           {"temperature.createdAt<2020-02-01T00:00:00Z", "new old none"},
           {"modifiedAt>2020-12-01T00:00:00Z", "none"},
           {"modifiedAt>\"2020-12-01T00:00:00Z\"", "none"},
           {"createdAt==2020-01-01T00:00:00Z", "new old none"},
           {"observedAt", ""},
           {"temperature.observedAt>12", ""},
           {"temperature.nothing.deep==1", ""});
}

static void data_types_never_mix(void **state)
{
    struct city *c = *state;
    city_add(c, E("number", "T", P("v", "20")));
    city_add(c, E("string", "T", P("v", "\"20\"")));
    city_add(c, E("true", "T", P("v", "true")));
    city_add(c, E("object", "T", P("v", "{\"a\":20}")));
    city_add(c, E("instant", "T", P("v", "\"2020-01-01T00:00:00Z\"")));
    city_add(c, E("day", "T", P("v", "\"2020-01-01\"")));
    city_add(c, E("clock", "T", P("v", "\"12:00:00Z\"")));
    city_add(
        c,
        E("geo", "T",
          "\"v\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}}"));
    EXPECT(c, {"v==20", "number"},
           {"v==20.0", "number"},
           {"v==2e1", "number"},
           {"v==\"20\"", "string"},
           {"v!=20", "string true object instant day clock geo"},
           {"v>10", "number"},
           {"v<=20", "number"});
    city_expect(c, "v>\"1\"", "string instant day clock"); /* as text */
    EXPECT(c, {"v==true", "true"},
           {"v!=true", "number string object instant day clock geo"},
           {"v==false", ""},
           {"v==2020-01-01T00:00:00Z", "instant"});
    city_expect(c, "v==2020-01-01T00:00:00,000Z", "instant"); /* the same instant */
    city_expect(c, "v==\"2020-01-01T00:00:00.000Z\"", "");    /* another text */
    EXPECT(c, {"v<2021-01-01T00:00:00Z", "instant"},
           {"v<2021-01-01", "day"},
           {"v==11:00:00Z..13:00:00Z", "clock"},
           {"v==10..30", "number"},
           {"v==20..20", "number"},
           {"v!=10..30", "string true object instant day clock geo"},
           {"v!=30..40", "number string true object instant day clock geo"},
           {"v==-5..-1", ""},
           {"v==11:00:00,5Z..12:00:00,000Z", "clock"},
           {"v==2020-01-01T00:00:00,000Z,20", "instant number"},
           {"v==\"1\"..\"3\"", "string instant day clock"},
           {"v==19,20,\"20\",true", "number string true"},
           {"v!=20,\"20\",true", "object instant day clock geo"},
           {"v~=\"^2\"", "string instant day"},
           {"v~=^2", "string instant day"},
           {"v!~=^2", "clock"},
           {"v~=^[[:digit:];|)]{2}$", "string"});
    city_expect(c, "v~=[a[:]x|v~=^[2[:]0$", "string"); /* "[:" alone is no class */
    city_expect(c, "v!~=\"0$\"", "instant day clock");
}

static void arrays_by_their_elements(void **state)
{
    struct city *c = *state;
    city_add(c, E("rgb", "T", P("color", "[\"blue\",\"red\",\"green\"]")));
    city_add(c, E("bkg", "T", P("color", "[\"blue\",\"black\",\"green\"]")));
    city_add(c, E("yes", "T", P("color", "\"red\"")));
    city_add(c, E("list", "T", "\"color\":{\"type\":\"ListProperty\",\"valueList\":[\"red\",1]}"));
    city_add(c, E("nums", "T", P("n", "[1,5,\"x\\\"y\"]")));
    city_add(c, E("none", "T", P("n", "[]")));
    EXPECT(c, {"color==\"red\"", "rgb yes list"},
           {"color!=\"red\"", "bkg"},
           {"color==\"black\",\"red\"", "rgb bkg yes list"});
    city_expect(c, "color==\"black\", \"red\"", "rgb bkg yes list"); /* spaced as in the clause */
    EXPECT(c, {"color!=\"black\",\"red\"", ""},
           {"color==1", "list"},
           {"n==5", "nums"},
           {"n==4..6", "nums"},
           {"n!=4..6", "none"},
           {"n==\"x\\\"y\"", "nums"},
           {"n>0", ""},
           {"color~=\"red\"", "yes"},
           {"color!~=\"blue\"", "yes"},
           {"n", "nums none"});
}

static void any_instance_will_do(void **state)
{
    struct city *c = *state;
    city_add(c, E("multi", "T",
                  "\"speed\":[{\"type\":\"Property\",\"value\":5},"
                  "{\"type\":\"Property\",\"value\":60,\"datasetId\":\"urn:d:1\"}],"
                  "\"rel\":[{\"type\":\"Relationship\",\"object\":\"urn:a\"},"
                  "{\"type\":\"Relationship\",\"object\":[\"urn:b\",\"urn:c\"],\"datasetId\":\"urn:"
                  "d:1\"}]"));
    city_add(c, E("one", "T", P("speed", "5")));
    EXPECT(c, {"speed>50", "multi"},
           {"speed!=5", "multi"},
           {"speed==5", "multi one"},
           {"rel==urn:c", "multi"},
           {"rel!=urn:a,urn:b,urn:c", ""},
           {"rel!=\"urn:a\",\"urn:b\"", ""});
    city_expect(c, "rel!=\"urn:a\"", "multi"); /* the other instance */
    city_expect(c, "speed.datasetId", "multi");
}

static void relationships_are_equal_or_not(void **state)
{
    struct city *c = *state;
    city_add(c, E("r", "T", "\"rel\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:B:1\"}"));
    city_add(c, E("l", "T",
                  "\"rel\":{\"type\":\"ListRelationship\",\"objectList\":[\"urn:ngsi-ld:B:1\","
                  "\"urn:ngsi-ld:B:2\"]}"));
    city_add(c, E("p", "T", P("rel", "\"urn:ngsi-ld:B:1\"")));
    EXPECT(c, {"rel==urn:ngsi-ld:B:1", "r l p"},
           {"rel==urn:ngsi-ld:B:2,urn:ngsi-ld:B:3", "l"},
           {"rel!=urn:ngsi-ld:B:2", "r p"},
           {"rel>\"urn:a\"", "p"},
           {"rel~=\"urn\"", "p"},
           {"rel!~=\"xyz\"", "p"},
           {"rel", "r l p"});
}

static void paths_into_values(void **state)
{
    struct city *c = *state;
    city_add(c, E("pd", "PlaceDescription",
                  "\"address\":{\"type\":\"JsonProperty\",\"json\":{\"city\":\"Berlin\",\"street\":"
                  "\"Ulrich Strasse\",\"n\":null}}"));
    city_add(
        c,
        E("pm", "ParticulateMeasurement",
          "\"sensor\":{\"type\":\"Property\",\"value\":40,\"rawdata\":{\"type\":\"Property\","
          "\"value\":{\"airquality\":{\"particulate\":40,\"PM20\":85,\"tags\":[\"a\",\"b\"]}}}}"));
    city_add(
        c,
        E("car", "Car",
          "\"parkingTickets\":{\"type\":\"JsonProperty\",\"json\":{\"id\":\"85a6cc52-0589-45f9\","
          "\"value\":\"Overstay 60 minutes\"}}"));
    city_add(c, E("plain", "T", P("address", "\"Berlin\"")));
    city_add(c, E("when", "T",
                  P("due", "{\"@type\":\"DateTime\",\"@value\":\"2020-05-05T10:00:00Z\"}")));
    city_add(c, E("geo", "T",
                  "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\","
                  "\"coordinates\":[1,2]}}"));
    EXPECT(c, {"address[city]==\"Berlin\"", "pd"},
           {"address[postcode]==\"Berlin\"", ""},
           {"address[postcode]!=\"Berlin\"", ""},
           {"address[city]", "pd"},
           {"address[n]", "pd"},
           {"address[n]!=1", "pd"},
           {"address[city.deeper]", ""},
           {"address[city]~=\"lin$\"", "pd"},
           {"sensor.rawdata[airquality.particulate]==40", "pm"},
           {"sensor.rawdata[airquality.particulate]>=39.5", "pm"},
           {"sensor.rawdata[airquality.tags]==\"b\"", "pm"},
           {"sensor.rawdata[airquality]", "pm"},
           {"parkingTickets[value]==\"Overstay 60 minutes\"", "car"},
           {"due>2020-01-01T00:00:00Z", "when"},
           {"due==\"2020-05-05T10:00:00Z\"", "when"},
           {"location[type]==\"Point\"", "geo"},
           {"location[coordinates]==2", "geo"});
}

static void languages(void **state)
{
    struct city *c = *state;
#define L(map) "\"color\":{\"type\":\"LanguageProperty\",\"languageMap\":" map "}"
    city_add(c, E("red", "T", L("{\"fr\":\"rouge\",\"en\":\"red\",\"de\":\"rot\"}")));
    city_add(c, E("fr", "T", L("{\"fr\":\"red\",\"en\":\"black\",\"de\":\"blue\"}")));
    city_add(
        c,
        E("cats", "T",
          L("{\"fr\":[\"chat\",\"rouge\"],\"en\":[\"red\",\"cat\"],\"de\":[\"rote\",\"Katze\"]}")));
    city_add(c, E("coal", "T", L("{\"fr\":[\"chat\",\"rouge\"],\"en\":[\"coal\",\"black\"]}")));
    city_add(c, E("gb", "T", L("{\"en-GB\":\"colour\"}")));
    EXPECT(c, {"color[en]==\"red\"", "red cats"},
           {"color[EN]==\"red\"", "red cats"},
           {"color[*]==\"red\"", "red fr cats"},
           {"color==\"red\"", "red fr cats"},
           {"color[en]!=\"red\"", "fr coal"},
           {"color[*]!=\"red\"", "coal gb"},
           {"color!=\"red\"", "coal gb"},
           {"color[en]==\"rouge\"", ""},
           {"color[en-GB]== \"colour\"", "gb"},
           {"color[it]!=\"red\"", ""},
           {"color[fr]", "red fr cats coal"},
           {"color[fr]~=\"^r\"", "red fr"},
           {"color[fr]!~=\"^ro\"", "fr"},
           {"color>\"d\"", "red fr"});
}

static void vocabulary_and_expand_values(void **state)
{
    struct city *c = *state;
    city_add(c, E("p", "Person", "\"gender\":{\"type\":\"VocabProperty\",\"vocab\":\"Male\"}"));
    city_add(c, E("q", "Person",
                  "\"gender\":{\"type\":\"VocabProperty\",\"vocab\":[\"Male\",\"commercial\"]}"));
    city_add(c, E("s", "Person", P("gender", "\"Male\"")));
    EXPECT(c, {"gender==Male", "s"},
           {"gender==\"https://example.org/Male\"", "p q"},
           {"gender==https://example.org/Male", "p q"});
    static const struct str names[] = {{"gender", 6}};
    c->reader.expand_values = names;
    c->reader.expand_value_count = 1;
    EXPECT(c, {"gender==Male", "p q"},
           {"gender==\"Male\"", "p q"},
           {"gender==commercial,Male", "p q"},
           {"gender!=commercial", "p s"},
           {"other==Male|gender==Male", "p q"});
    c->reader.json_keys = names; /* what is native JSON is no vocabulary */
    c->reader.json_key_count = 1;
    city_expect(c, "gender==Male", "s");
}

static void linked_entities(void **state)
{
    struct city *c = *state;
    city_add(c, E("WS:1", "WeatherStation",
                  "\"sensor\":{\"type\":\"Relationship\",\"objectType\":\"Device\",\"object\":"
                  "\"urn:ngsi-ld:D:345\"}"));
    city_add(c, E("WS:2", "WeatherStation",
                  "\"sensor\":{\"type\":\"Relationship\",\"object\":[\"urn:ngsi-ld:D:1\",\"urn:"
                  "ngsi-ld:D:9\"]}"));
    city_add(c, E("D:345", "Device",
                  P("humidity",
                    "40") ",\"owner\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:O:1\"}"));
    city_add(c, E("D:9", "Gadget", P("humidity", "41")));
    city_add(
        c, E("O:1", "Person",
             P("name",
               "\"Ann\"") ",\"works\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:O:1\"}"));
    EXPECT(c, {"sensor{humidity}==40", "WS:1"},
           {"sensor{humidity}>=40", "WS:1 WS:2"},
           {"sensor{humidity}", "WS:1 WS:2"},
           {"sensor{Device:humidity}==40", "WS:1"},
           {"sensor{Device:humidity}", "WS:1"},
           {"sensor{Device,Gadget:humidity}", "WS:1 WS:2"},
           {"sensor{Person:humidity}==40", ""},
           {"sensor{owner{name}}==\"Ann\"", "WS:1"},
           {"sensor{Device:owner{Person:name}}==\"Ann\"", "WS:1"});
    city_expect(c, "sensor{owner{works{works{works{name}}}}}~=\"^A\"",
                "WS:1"); /* a cycle, walked as far as asked */
    city_expect(c, "sensor{humidity.observedAt}", "");
    city_expect(c, "humidity{name}", "");
    city_expect(c, "sensor{ex:humidity}==40", ""); /* a compact IRI, not a type */
    struct filter *f = city_q(c, "a|sensor{owner{name}}==\"Ann\";b");
    assert_int_equal(filter_link_depth(f), 2);
    filter_free(f);
}

static void a_lookup_budget_bounds_breadth(void **state)
{
    struct city *c = *state;
    struct str list = STR("");
    for (int i = 0; i < 100; i++)
        list = arena_printf(c->arena, "%.*s%s\"urn:ngsi-ld:N:%d\"", STR_ARG(list), i ? "," : "", i);
    for (int i = 0; i < 100; i++)
        city_add(c, arena_printf(c->arena,
                                 "{\"id\":\"urn:ngsi-ld:N:%d\",\"type\":\"N\",\"next\":{\"type\":"
                                 "\"Relationship\",\"object\":[%.*s]}}",
                                 i, STR_ARG(list))
                        .p);
    struct filter *f = city_q(c, "next{next{next{next{next{nothing}}}}}==1");
    c->lookups = 0;
    assert_false(city_matches(c, f, 0));
    assert_int_equal(c->lookups, 3000); /* 1,000 for each of its three evaluations */
    filter_free(f);
}

static void names_of_all_kinds(void **state)
{
    struct city *c = *state;
    city_add(c, E("v", "T", P("speed", "60") "," P("größe", "1") "," P("数2_x", "1")));
    city_add(c, E("w", "T",
                  "\"speed\":{\"type\":\"Property\",\"value\":10,\"observedAt\":\"2020-01-01T00:00:"
                  "00Z\"}"));
    EXPECT(c, {"https://example.org/speed>50", "v"},
           {"ex:speed>50", "v"},
           {"https://example.org/speed.observedAt", "w"},
           {"ex:speed.observedAt>2019-01-01T00:00:00Z", "w"},
           {"https://uri.etsi.org/ngsi-ld/default-context/größe==1", "v"},
           {"größe==1", "v"},
           {"数2_x", "v"},
           {"speed.https://uri.etsi.org/ngsi-ld/observedAt", "w"},
           {"unknownEverywhere==1", ""},
           {"!unknownEverywhere", "v w"},
           {"speed!=unquoted", "v w"});
}

static void system_names_are_told_from_attributes(void **state)
{
    struct city *c = *state;
    static const struct {
        const char *q;
        bool has;
    } cases[] = {
        {"modifiedAt>\"2020-01-01T00:00:00Z\"", false},
        {"createdAt", false},
        {"createdAt;modifiedAt|!expiresAt", false},
        {"createdAt;(modifiedAt|x)", true},
        {"x.createdAt", true},
        {"x{createdAt}", true},
        {"!x", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *f = city_q(c, cases[i].q);
        assert_int_equal(filter_has_attribute(f), cases[i].has);
        filter_free(f);
    }
    struct name names[] = {{STR("https://uri.etsi.org/ngsi-ld/createdAt"), 0}, {STR("urn:x"), 0}};
    assert_false(filter_has_attribute(filter_of_attrs(c->arena, names, 1)));
    assert_true(filter_has_attribute(filter_of_attrs(c->arena, names, 2)));
    assert_false(filter_has_attribute(NULL));
}

static void errors_say_where_and_what(void **state)
{
    struct city *c = *state;
    city_refuses(c, "", E_BAD_DATA, 1, "expected the name of an attribute");
    city_refuses(c, "speed>", E_BAD_DATA, 7, "expected a number");
    city_refuses(c, "brandName==", E_BAD_DATA, 12, "expected a value after '=='");
    city_refuses(c, "größe==", E_BAD_DATA, 8, "expected a value after '=='");
    city_refuses(c, "a==1;", E_BAD_DATA, 6, "expected the name");
    city_refuses(c, "a==1;;b", E_BAD_DATA, 6, "expected the name");
    city_refuses(c, "(a==1", E_BAD_DATA, 6, "')'");
    city_refuses(c, "a==1)", E_BAD_DATA, 5, "the end");
    city_refuses(c, "a=1", E_BAD_DATA, 2, "operator");
    city_refuses(c, "a==\"x", E_BAD_DATA, 4, "closing");
    city_refuses(c, "a==\"\\q\"", E_BAD_DATA, 4, "JSON string");
    city_refuses(c, "a>4..5", E_BAD_DATA, 4, "");
    city_refuses(c, "a>1,2", E_BAD_DATA, 4, "");
    city_refuses(c, "a>true", E_BAD_DATA, 3, "expected a number");
    city_refuses(c, "a>foo", E_BAD_DATA, 3, "expected a number");
    city_refuses(c, "a==1..\"x\"", E_BAD_DATA, 10, "one kind");
    city_refuses(c, "a==1..", E_BAD_DATA, 7, "expected");
    city_refuses(c, "a==1,", E_BAD_DATA, 6, "expected a value");
    city_refuses(c, "a==1 2", E_BAD_DATA, 6, "the end");
    city_refuses(c, "a==b==c", E_BAD_DATA, 4, "expected a value");
    city_refuses(c, "a.", E_BAD_DATA, 3, "expected a name after '.'");
    city_refuses(c, "a[b", E_BAD_DATA, 4, "']'");
    city_refuses(c, "a[]", E_BAD_DATA, 3, "member");
    city_refuses(c, "a[b][c]", E_BAD_DATA, 5, "");
    city_refuses(c, "a{b", E_BAD_DATA, 4, "'}'");
    city_refuses(c, "a{}", E_BAD_DATA, 3, "name");
    city_refuses(c, "a.b{c}", E_BAD_DATA, 4, "Relationship");
    city_refuses(c, "a{B,c}", E_BAD_DATA, 5, "':'");
    city_refuses(c, "1a", E_BAD_DATA, 1, "name");
    city_refuses(c, "a~=(", E_BAD_DATA, 0, "regular expression");
    city_refuses(c, "a~=", E_BAD_DATA, 4, "regular expression");
    city_refuses(c, "a~=x;b~=\"**\"", E_BAD_DATA, 0, "repetition");
    city_refuses(c, "id==\"urn:x\"", E_BAD_DATA, 1, "parameter id");
    city_refuses(c, "a;scope==\"urn:x\"", E_BAD_DATA, 3, "parameter scopeQ");
    city_refuses(c, "!", E_BAD_DATA, 2, "name");
    city_refuses(c, "a==\xff", E_BAD_DATA, 0, "UTF-8");
    city_refuses(c, "))bad((", E_BAD_DATA, 1, "");
}

static void limits_hold(void **state)
{
    struct city *c = *state;
    struct why why;
    struct filter *f = NULL;
    static const struct {
        const char *part;
        int times;
        const char *tail, *limit;
    } cases[] = {
        {"a;", 64, "a", "limits.query_terms"},
        {"a==1|", 40, "a", "limits.query_terms"},
        {"(", 17, "a", "limits.query_depth"},
        {"!", 17, "a", "limits.query_depth"},
        {"a{", 17, "a", "limits.query_depth"},
        {"a.", 17, "a", "limits.query_depth"},
        {"a[b.", 0, "a[b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b]", "limits.query_depth"},
        {"a==1", 1,
         ",2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,"
         "2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6",
         "limits.query_terms"},
        {"a~=", 1,
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "limits.pattern_bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str q = STR("");
        for (int k = 0; k < cases[i].times; k++)
            q = arena_printf(c->arena, "%.*s%s", STR_ARG(q), cases[i].part);
        q = arena_printf(c->arena, "%.*s%s", STR_ARG(q), cases[i].tail);
        why_clear(&why);
        assert_int_equal(filter_read_q(&c->reader, q, &f, &why), E_TOO_COMPLEX);
        assert_string_equal(why.limit, cases[i].limit);
    }
}

static void names_become_known_later(void **state)
{
    struct city *c = *state;
    struct filter *f = city_q(c, "later==1;rel{Kind:later}==1|x");
    city_add(
        c, E("a", "T",
             P("later", "1") ",\"rel\":{\"type\":\"Relationship\",\"object\":\"urn:ngsi-ld:b\"}"));
    city_add(c, E("b", "Kind", P("later", "1")));
    assert_false(city_matches(c, f, 0));
    filter_resolve(f, c->terms);
    assert_true(city_matches(c, f, 0));
    assert_false(city_matches(c, f, 1));
    filter_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(examples_of_the_clause),
        TEST(and_binds_tighter_than_or),
        TEST(sub_attributes_and_members),
        TEST(data_types_never_mix),
        TEST(arrays_by_their_elements),
        TEST(any_instance_will_do),
        TEST(relationships_are_equal_or_not),
        TEST(paths_into_values),
        TEST(languages),
        TEST(vocabulary_and_expand_values),
        TEST(linked_entities),
        TEST(a_lookup_budget_bounds_breadth),
        TEST(names_of_all_kinds),
        TEST(system_names_are_told_from_attributes),
        TEST(errors_say_where_and_what),
        TEST(limits_hold),
        TEST(names_become_known_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
