/* Types (clause 4.17), scopes (4.19), geoqueries (4.10), ids, patterns and attributes,
 * and filters built from them. */
#include "filter_fixture.h"

#include "model/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, city_setup, city_teardown)

#define E(id, types, rest) "{\"id\":\"urn:ngsi-ld:" id "\",\"type\":" types rest "}"

/* The ids (last letters) that match, in order. */
static void expect(struct city *c, const struct filter *f, const char *what, const char *ids)
{
    struct str found = STR("");
    for (uint32_t i = 0; i < c->count; i++)
        if (city_matches(c, f, i)) {
            struct str id = c->entities[i].id;
            found = arena_printf(c->arena, "%.*s%c", STR_ARG(found), id.p[id.n - 1]);
        }
    if (!str_eq(found, str_of(ids)))
        fail_msg("%s: \"%.*s\", expected \"%s\"", what, STR_ARG(found), ids);
}

/* ---- types ---- */

static void types(struct city *c, const char *text, const char *ids)
{
    struct type_expr *x = NULL;
    struct why why = {0};
    if (filter_read_types(&c->reader, str_of(text), &x, &why) != OK)
        fail_msg("%s: %s", text, why.text);
    expect(c, filter_of_type(c->arena, x), text, ids);
    for (uint32_t i = 0; i < c->count; i++)
        assert_int_equal(type_expr_match(x, &c->entities[i]),
                         memchr(ids, c->entities[i].id.p[c->entities[i].id.n - 1], strlen(ids)) !=
                             NULL);
}

static void bad_types(struct city *c, const char *text, unsigned column, enum status status)
{
    struct type_expr *x = NULL;
    struct why why = {0};
    assert_int_equal(filter_read_types(&c->reader, str_of(text), &x, &why), status);
    if (column) {
        char place[32];
        snprintf(place, sizeof place, "column %u:", column);
        if (!strstr(why.text, place))
            fail_msg("%s: %s", text, why.text);
    }
}

static void type_selection(void **state)
{
    struct city *c = *state;
    city_add(c, E("b", "\"Building\"", ""));
    city_add(c, E("h", "[\"Home\",\"Vehicle\"]", ""));
    city_add(c, E("m", "\"Motorhome\"", ""));
    city_add(c, E("d", "[\"Device\",\"ex:Thing\"]", ""));
    types(c, "Building", "b");
    types(c, "Building|House", "b");
    types(c, "Building,Home", "bh");
    types(c, "(Home;Vehicle)", "h");
    types(c, "(Home;Building)", "");
    types(c, "(Home;Vehicle)|Motorhome", "hm");
    types(c, "(Home;Vehicle),Motorhome,Building", "bhm");
    types(c, " ( Home ; Vehicle ) | Motorhome ", "hm");
    types(c, "https://example.org/vocab#Device", "d");
    types(c, "ex:Thing", "d");
    types(c, "https://example.org/Thing", "d");
    types(c, "Größe", "");
    types(c, "*", "bhmd");
    bad_types(c, "", 1, E_BAD_DATA);
    bad_types(c, "Building|", 10, E_BAD_DATA);
    bad_types(c, "(Home;Vehicle", 14, E_BAD_DATA);
    bad_types(c, "((Home);Vehicle)", 2, E_BAD_DATA);
    bad_types(c, "Home;Vehicle", 5, E_BAD_DATA);
    bad_types(c, "Motorhome|Home;Device", 15, E_BAD_DATA);
    bad_types(c, "(Home);Vehicle", 7, E_BAD_DATA);
    bad_types(c, "Home)", 5, E_BAD_DATA);
    bad_types(c, "Home Vehicle", 6, E_BAD_DATA);
    bad_types(c, "2Home", 1, E_BAD_DATA);
    bad_types(c, "A,*", 3, E_BAD_DATA);
    bad_types(c, "\xff", 0, E_BAD_DATA);
    struct str many = STR("A");
    for (int i = 0; i < 64; i++)
        many = arena_printf(c->arena, "%.*s,A", STR_ARG(many));
    bad_types(c, many.p, 0, E_TOO_COMPLEX);
}

/* ---- scopes ---- */

static void scopes(struct city *c, const char *text, const char *ids)
{
    struct scope_expr *x = NULL;
    struct why why = {0};
    if (filter_read_scopes(&c->reader, str_of(text), &x, &why) != OK)
        fail_msg("%s: %s", text, why.text);
    expect(c, filter_of_scope(c->arena, x), text, ids);
}

static void bad_scopes(struct city *c, const char *text, unsigned column)
{
    struct scope_expr *x = NULL;
    struct why why = {0};
    char place[32];
    snprintf(place, sizeof place, "scopeQ: column %u:", column);
    assert_int_equal(filter_read_scopes(&c->reader, str_of(text), &x, &why), E_BAD_DATA);
    if (!strstr(why.text, place))
        fail_msg("%s: %s", text, why.text);
}

static void scope_queries(void **state)
{
    struct city *c = *state;
    city_add(c, E("p", "\"T\"", ",\"scope\":\"/Madrid/Gardens/ParqueNorte\""));
    city_add(c,
             E("m", "\"T\"",
               ",\"scope\":[\"/Madrid/Gardens/ParqueNorte\",\"/CompanyA/OrganizationB/UnitC\"]"));
    city_add(c, E("g", "\"T\"", ",\"scope\":\"/Madrid/Gardens\""));
    city_add(c, E("d", "\"T\"", ",\"scope\":[\"/Madrid/Gardens/ParqueNorte/Parterre1\"]"));
    city_add(c, E("s", "\"T\"", ",\"scope\":\"Madrid\""));
    city_add(c, E("n", "\"T\"", ""));
    scopes(c, "/Madrid", "s");
    scopes(c, "/Madrid/Gardens/ParqueNorte", "pm");
    scopes(c, "/Madrid/Gardens/#", "pmgd");
    scopes(c, "/Madrid/+/ParqueNorte", "pm");
    scopes(c, "/+/+/ParqueNorte/+", "d");
    scopes(c, "/+", "s");
    scopes(c, "/Madrid/+", "g");
    scopes(c, "/Madrid/+/#", "pmgd");
    scopes(c, "/CompanyA/#", "m");
    scopes(c, "/#", "pmgds");
    scopes(c, "/Madrid/Gar", "");
    scopes(c, "/Madrid/Gardens/ParqueNorte;/CompanyA/OrganizationB/UnitC", "m");
    scopes(c, "(/Madrid/Gardens/ParqueNorte;/CompanyA/OrganizationB/UnitC)", "m");
    scopes(c, "(/Madrid/Gardens/ParqueNorte;/CompanyA/OrganizationB/UnitC)|/Madrid", "ms");
    scopes(c, "/Madrid/Gardens/ParqueNorte,/CompanyA/OrganizationB/UnitC", "pm");
    scopes(c, "(/Madrid/Districts;/CompanyA),Madrid", "s");
    scopes(c, "\"/Madrid,/CompanyA/#\"", "ms");
    scopes(c, "(/Madrid/#;/CompanyA/#)", "m");
    bad_scopes(c, "", 1);
    bad_scopes(c, "/", 2);
    bad_scopes(c, "#", 1);
    bad_scopes(c, "/Madrid/", 9);
    bad_scopes(c, "/Madrid//a", 9);
    bad_scopes(c, "/Madrid#", 8);
    bad_scopes(c, "/Madrid/#/a", 10);
    bad_scopes(c, "/9bad", 2);
    bad_scopes(c, "/a-b", 3);
    bad_scopes(c, "(/a;/b", 7);
    bad_scopes(c, "/a|", 4);
    bad_scopes(c, "/a+/b", 3);
    assert_true(scope_pattern_match(STR("/a/#"), STR("/a")));
    assert_false(scope_pattern_match(STR("/a/+"), STR("/a")));
    assert_false(scope_pattern_match(STR("/a"), STR("/ab")));
}

/* ---- geo ---- */

static enum status read_geo(struct city *c, const char *georel, const char *geometry,
                            const char *coordinates, const char *property, struct filter **f,
                            struct why *why)
{
    struct json v;
    struct json_limits limits = {16, 10000};
    why_clear(why);
    if (coordinates && json_read(c->arena, str_of(coordinates), &limits, &v, why) != OK)
        fail_msg("%s: %s", coordinates, why->text);
    return filter_read_geo(&c->reader, str_of(georel), str_of(geometry), coordinates ? &v : NULL,
                           str_of(property), f, why);
}

static void geo(struct city *c, const char *georel, const char *geometry, const char *coordinates,
                const char *property, const char *ids)
{
    struct filter *f;
    struct why why;
    if (read_geo(c, georel, geometry, coordinates, property, &f, &why) != OK)
        fail_msg("%s %s: %s", georel, coordinates, why.text);
    expect(c, f, georel, ids);
    filter_free(f);
}

static void bad_geo(struct city *c, const char *georel, const char *geometry,
                    const char *coordinates, const char *part)
{
    struct filter *f;
    struct why why;
    assert_int_equal(read_geo(c, georel, geometry, coordinates, NULL, &f, &why), E_BAD_DATA);
    if (!strstr(why.text, part))
        fail_msg("%s: %s", georel, why.text);
}

#define POINT(name, x, y)                                                                          \
    ",\"" name "\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[" x    \
    "," y "]}}"

static void geoqueries(void **state)
{
    struct city *c = *state;
    city_add(c, E("a", "\"T\"", POINT("location", "8", "40")));
    city_add(c,
             E("b", "\"T\"", POINT("location", "8.01", "40") POINT("observationSpace", "0", "0")));
    city_add(c, E("c", "\"T\"", POINT("location", "9", "41")));
    city_add(c, E("d", "\"T\"",
                  ",\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Polygon\","
                  "\"coordinates\":[[[7,39],[10,39],[10,42],[7,42],[7,39]]]}}"));
    city_add(c, E("e", "\"T\"", ""));
    city_add(c, E("f", "\"T\"",
                  ",\"location\":[{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\","
                  "\"coordinates\":[100,0]}},"
                  "{\"type\":\"GeoProperty\",\"datasetId\":\"urn:d:2\",\"value\":{\"type\":"
                  "\"Point\",\"coordinates\":[8,40]}}]"));
    city_add(c, E("g", "\"T\"", ",\"place\":{\"type\":\"Property\",\"value\":\"somewhere\"}"));
    const char *square = "[[[8,40],[9.5,40],[9.5,41.5],[8,41.5],[8,40]]]";
    geo(c, "near;maxDistance==2000", "Point", "[8,40]", NULL, "abdf");
    geo(c, "near;maxDistance==800", "Point", "[8,40]", "location", "adf");
    geo(c, " near ; maxDistance == 8e2 ", "Point", "[8,40]", "location", "adf");
    geo(c, "near;minDistance==2000", "Point", "[8,40]", NULL, "cf"); /* f: one of its instances */
    geo(c, "near;maxDistance==2000", "Point", "[0,0]", "observationSpace", "b");
    geo(c, "near;maxDistance==2000", "Point", "[0,0]", NULL, "");
    geo(c, "within", "Polygon", square, NULL, "c"); /* what lies on its edge is not within */
    geo(c, "intersects", "Polygon", square, NULL, "abcdf");
    geo(c, "disjoint", "Polygon", square, NULL, "f");
    geo(c, "contains", "Polygon", square, NULL, "d");
    geo(c, "contains", "Point", "[8,40]", NULL, "adf");
    geo(c, "equals", "Point", "[8,40]", NULL, "af");
    geo(c, "equals", "Polygon", "[[[10,39],[10,42],[7,42],[7,39],[10,39]]]", NULL, "d");
    geo(c, "overlaps", "Polygon", "[[[6,38],[8,38],[8,40],[6,40],[6,38]]]", NULL, "d");
    geo(c, "overlaps", "Point", "[8,40]", NULL, "");
    geo(c, "disjoint", "Point", "[8,40]", "place", ""); /* no geometry */
    geo(c, "within", "Polygon", square, "https://uri.etsi.org/ngsi-ld/location", "c");
    bad_geo(c, "touches", "Point", "[8,40]", "column 1: expected near");
    bad_geo(c, "", "Point", "[8,40]", "column 1");
    bad_geo(c, "near", "Point", "[8,40]", "column 5: expected ';maxDistance");
    bad_geo(c, "near;maxDistance==0", "Point", "[8,40]", "above 0");
    bad_geo(c, "near;maxDistance==-100", "Point", "[8,40]", "column 19: expected a number");
    bad_geo(c, "near;maxDistance==inf", "Point", "[8,40]", "above 0");
    bad_geo(c, "near;maxDistance==1e400", "Point", "[8,40]", "above 0");
    bad_geo(c, "near;maxDistance=5", "Point", "[8,40]", "'=='");
    bad_geo(c, "near;maxDistance==5;minDistance==1", "Point", "[8,40]",
            "column 20: expected the end");
    bad_geo(c, "near;distance==5", "Point", "[8,40]", "maxDistance or minDistance");
    bad_geo(c, "within;maxDistance==5", "Point", "[8,40]", "the end");
    bad_geo(c, "within", "GeometryCollection", "[8,40]", "geometry: expected Point");
    bad_geo(c, "within", "", "[8,40]", "geometry: expected Point");
    bad_geo(c, "within", "Point", NULL, "coordinates");
    bad_geo(c, "within", "Polygon", "[8,40]", "4 or more");
    bad_geo(c, "within", "Polygon", "[[[0,0],[1,1],[1,0],[0,1]]]", "closed");
    struct filter *f;
    struct why why;
    assert_int_equal(read_geo(c, "within", "Point", "[8,40]", "two words", &f, &why), E_BAD_DATA);
    assert_non_null(strstr(why.text, "geoproperty"));
}

static void reaches_hold_what_matches(void **state)
{
    struct city *c = *state;
    struct filter *f;
    struct why why;
    assert_int_equal(read_geo(c, "near;maxDistance==1000", "Point", "[8,40]", NULL, &f, &why), OK);
    assert_true(f->geo->bounded && f->geo->reach.west < 8 && f->geo->reach.west > 7.9);
    filter_free(f);
    assert_int_equal(read_geo(c, "near;minDistance==1000", "Point", "[8,40]", NULL, &f, &why), OK);
    assert_false(f->geo->bounded);
    filter_free(f);
    assert_int_equal(read_geo(c, "disjoint", "Point", "[8,40]", NULL, &f, &why), OK);
    assert_false(f->geo->bounded);
    filter_free(f);
    assert_int_equal(read_geo(c, "equals", "Point", "[8,40]", NULL, &f, &why), OK);
    assert_true(f->geo->bounded && f->geo->reach.west == 8 && f->geo->reach.east == 8);
    filter_free(f);
}

/* ---- ids, patterns, attributes, conjunctions ---- */

static void ids_and_patterns(void **state)
{
    struct city *c = *state;
    for (int i = 0; i < 26; i++)
        city_add(c,
                 arena_printf(c->arena, "{\"id\":\"urn:ngsi-ld:V:%c\",\"type\":\"T\"}", 'a' + i).p);
    struct str ids[] = {STR("urn:ngsi-ld:V:z"), STR("urn:ngsi-ld:V:c"), STR("urn:ngsi-ld:V:a"),
                        STR("urn:ngsi-ld:V:c"), STR("urn:no")};
    struct filter *f = filter_of_ids(c->arena, ids, 5);
    assert_int_equal(f->count, 4);
    expect(c, f, "ids", "acz");
    expect(c, filter_of_ids(c->arena, ids, 0), "no ids", "");
    struct pattern *p;
    struct why why = {0};
    assert_int_equal(filter_read_pattern(&c->reader, STR("V:[x-z]$"), &p, &why), OK);
    struct filter *g = filter_of_pattern(c->arena, p);
    expect(c, g, "pattern", "xyz");
    struct filter *both = filter_and(c->arena, f, g);
    expect(c, both, "both", "z");
    assert_ptr_equal(filter_and(c->arena, NULL, f), f);
    assert_ptr_equal(filter_and(c->arena, f, NULL), f);
    assert_null(filter_and(c->arena, NULL, NULL));
    expect(c, filter_and(c->arena, both, filter_and(c->arena, f, f)), "flat", "z");
    assert_int_equal(filter_and(c->arena, both, filter_and(c->arena, f, f))->count, 4);
    expect(c, NULL, "nothing asked", "abcdefghijklmnopqrstuvwxyz");
    filter_free(both);
    assert_int_equal(filter_read_pattern(&c->reader, STR("a**"), &p, &why), E_BAD_DATA);
    assert_non_null(strstr(why.text, "idPattern: "));
    filter_free(NULL);
}

static void attributes_any_of(void **state)
{
    struct city *c = *state;
    city_add(c, E("a", "\"T\"", ",\"x\":1"));
    city_add(c, E("b", "\"T\"", ",\"y\":1"));
    city_add(c, E("c", "\"T\"", ",\"z\":1"));
    struct name names[2];
    static const char *const raw[] = {"x", "y"};
    for (int i = 0; i < 2; i++) {
        names[i].iri = context_expand(c->context, str_of(raw[i]), c->arena);
        names[i].term = context_expand_term(c->context, str_of(raw[i]), false, c->arena, NULL);
    }
    expect(c, filter_of_attrs(c->arena, names, 2), "attrs", "ab");
    names[1].term = TERM_NONE;
    expect(c, filter_of_attrs(c->arena, names, 2), "attrs", "a");
    filter_resolve(filter_of_attrs(c->arena, names, 2), c->terms);
    assert_int_not_equal(names[1].term, TERM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(type_selection),   TEST(scope_queries),
        TEST(geoqueries),       TEST(reaches_hold_what_matches),
        TEST(ids_and_patterns), TEST(attributes_any_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
