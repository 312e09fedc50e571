/* The order of results, clause 4.23. */
#include "filter_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, city_setup, city_teardown)

#define E(id, rest) "{\"id\":\"urn:ngsi-ld:" id "\",\"type\":\"T\"" rest "}"
#define V(id, value) E(id, ",\"v\":{\"type\":\"Property\",\"value\":" value "}")
#define POINT(id, x, y)                                                                            \
    E(id,                                                                                          \
      ",\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":[" x  \
      "," y "]}}")

static struct str optional(const char *z)
{
    return z ? str_of(z) : STR_NONE;
}

static struct order *read_order(struct city *c, const char *by, const char *collation,
                                const char *from, const char *geometry)
{
    struct order *o = NULL;
    struct why why = {0};
    if (order_read(&c->reader, str_of(by), optional(collation), optional(from), optional(geometry),
                   &o, &why) != OK)
        fail_msg("%s %s: %s", by, collation, why.text);
    return o;
}

/* The last letters of the ids, in order; by pages of every size, and by comparing trees. */
static void expect_order(struct city *c, const struct order *o, const char *what, const char *ids)
{
    for (uint32_t keep = 1; keep <= c->count + 1; keep++) {
        struct order_top *t = order_top_new(o, keep);
        for (uint32_t i = 0; i < c->count; i++)
            order_top_add(t, c->docs[i]);
        const struct doc **docs;
        uint32_t n = order_top_take(t, c->scratch, &docs);
        assert_int_equal(n, keep < c->count ? keep : c->count);
        char found[CITY_MAX + 1] = "";
        for (uint32_t i = 0; i < n; i++)
            found[i] = doc_id(docs[i]).p[doc_id(docs[i]).n - 1];
        if (strncmp(found, ids, n) != 0)
            fail_msg("%s: %s, expected %s", what, found, ids);
        order_top_free(t);
        arena_reset(c->scratch);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        for (uint32_t j = 0; j < c->count; j++) {
            const struct entity *a = &c->entities[i], *b = &c->entities[j];
            int order = order_compare(o, a, b, c->scratch);
            const char *x = strchr(ids, a->id.p[a->id.n - 1]),
                       *y = strchr(ids, b->id.p[b->id.n - 1]);
            if (order == 0)
                order = (i > j) - (i < j);
            if ((order > 0) - (order < 0) != (x > y) - (x < y))
                fail_msg("%s: %.*s to %.*s is %d", what, STR_ARG(a->id), STR_ARG(b->id), order);
        }
    }
}

static void expect(struct city *c, const char *by, const char *ids)
{
    struct order *o = read_order(c, by, NULL, NULL, NULL);
    expect_order(c, o, by, ids);
    order_free(o);
}

static void refused(struct city *c, const char *by, const char *collation, const char *from,
                    const char *geometry, const char *part)
{
    struct order *o = NULL;
    struct why why = {0};
    assert_int_equal(order_read(&c->reader, str_of(by), optional(collation), optional(from),
                                optional(geometry), &o, &why),
                     E_BAD_DATA);
    if (!strstr(why.text, part))
        fail_msg("%s %s %s: %s", by, collation ? collation : "", from ? from : "", why.text);
    assert_null(o);
}

static void data_types_follow_the_clause(void **state)
{
    struct city *c = *state;
    city_add(c, E("l", ""));
    city_add(c, V("i", "\"2020-01-01T00:00:00Z\""));
    city_add(c, V("j", "\"2021-01-01T00:00:00.5Z\""));
    city_add(c, V("h", "\"2020-01-01\""));
    city_add(c, V("g", "\"10:00:00Z\""));
    city_add(c, V("e", "false"));
    city_add(c, V("f", "true"));
    city_add(c, V("d", "[1,2]"));
    city_add(c, V("c", "{\"x\":1}"));
    city_add(c, V("b", "\"abc\""));
    city_add(c, V("2", "10.5"));
    city_add(c, V("1", "-3"));
    city_add(c, V("k", "{\"@type\":\"@json\",\"@value\":null}"));
    expect(c, "v", "12bcdefghijkl");
    expect(c, "v;asc", "12bcdefghijkl");
    /* descending turns the values around, not the types, and what is not there stays last */
    expect(c, "v;desc", "21bcdfeghjikl");
}

static void paths_members_and_several_keys(void **state)
{
    struct city *c = *state;
#define N(id, name, at, sub, city)                                                                 \
    E(id,                                                                                          \
      ",\"name\":{\"type\":\"Property\",\"value\":\"" name "\",\"observedAt\":\"" at               \
      "\",\"sub\":{\"type\":\"Property\",\"value\":" sub "}},\"address\":{\"type\":\"Property\","  \
      "\"value\":{\"city\":\"" city "\"}}")
    city_add(c, N("b", "Ann", "2020-01-03T00:00:00Z", "3", "Zurich"));
    city_add(c, N("a", "Ann", "2020-01-02T00:00:00Z", "1", "Berlin"));
    city_add(c, N("c", "Bob", "2020-01-01T00:00:00Z", "2", "Amsterdam"));
    expect(c, "name", "bac");
    expect(c, "name,sub", "bac");
    expect(c, "name,name.sub", "abc");
    expect(c, "name, name.sub ; desc", "bac");
    expect(c, "name;desc,name.sub", "cab");
    expect(c, "type,name.sub;desc,name;asc", "bca");
    expect(c, "name.observedAt", "cab");
    expect(c, "name.observedAt;desc", "bac");
    expect(c, "address[city]", "cab");
    expect(c, "address[city];desc", "bac");
    expect(c, "address[nothing]", "bac");
    expect(c, "address[city.x]", "bac");
    expect(c, "unknown", "bac");
    expect(c, "name.type,name.unknown.x,id", "abc");
}

static void members_of_the_entity(void **state)
{
    struct city *c = *state;
    static const char *const texts[] = {
        "{\"id\":\"urn:ngsi-ld:b\",\"type\":\"Vehicle\",\"scope\":\"/a\"}",
        "{\"id\":\"urn:ngsi-ld:a\",\"type\":\"https://example.org/vocab#Device\",\"scope\":\"/b\"}",
        "{\"id\":\"urn:ngsi-ld:c\",\"type\":\"Building\"}",
    };
    for (int i = 0; i < 3; i++) {
        struct entity *e = city_add(c, texts[i]);
        e->created_at += (i + 1) % 3;
        e->modified_at += (i + 2) % 3;
        e->expires_at = i == 1 ? TIME_NONE : e->modified_at;
        city_encode(c);
    }
    expect(c, "id", "abc");
    expect(c, "id;desc", "cba");
    expect(c, "type", "cab"); /* Building, Device, Vehicle: the short names */
    expect(c, "scope", "bac");
    expect(c, "scope;desc", "abc");
    expect(c, "createdAt", "cba");
    expect(c, "modifiedAt", "acb");
    expect(c, "expiresAt", "cba");
    expect(c, "https://uri.etsi.org/ngsi-ld/modifiedAt;desc", "bca");
}

static void strings_by_collation(void **state)
{
    struct city *c = *state;
    city_add(c, V("b", "\"b\""));
    city_add(c, V("B", "\"B\""));
    city_add(c, V("a", "\"\xc3\xa1\""));
    city_add(c, V("A", "\"A\""));
    city_add(c, V("o", "\"\xc3\xb6\""));
    city_add(c, V("p", "\"of\""));
    city_add(c, V("1", "\"x10\""));
    city_add(c, V("2", "\"x9\""));
    expect(c, "v", "AabBop12");
    struct {
        const char *tag, *ids;
    } cases[] = {
        {"und", "AabBop12"},
        {"und-x-icu", "AabBop12"},
        {"und-u-ks-identic", "AabBop12"},
        {"und-u-ks-level1", "aAbBop12"}, /* accents and case do not count: ties by creation */
        {"de-u-co-phonebk", "AabBop12"}, /* ö as oe: before of */
        {"sv", "AabBp12o"},              /* ö is the last letter */
        {"und-u-kn-true", "AabBop21"},   /* 9 before 10 */
        {"und-u-kf-upper", "AaBbop12"},
        {"de-u-co-standard", "AabBop12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct order *o = read_order(c, "v", cases[i].tag, NULL, NULL);
        expect_order(c, o, cases[i].tag, cases[i].ids);
        order_free(o);
    }
}

static void long_strings_and_languages(void **state)
{
    struct city *c = *state;
    char text[6000];
    for (int i = 0; i < 3; i++) {
        size_t n = (size_t)snprintf(text, sizeof text,
                                    "{\"id\":\"urn:ngsi-ld:%c\",\"type\":\"T\",\"v\":\"", "bca"[i]);
        for (size_t k = 0; k < 900; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "\xc3\xa4");
        snprintf(text + n, sizeof text - n,
                 "%c\",\"name\":{\"languageMap\":{\"en\":\"%c\",\"de\":[\"%c\"]}}}", "213"[i],
                 "xzy"[i], "cab"[i]);
        city_add(c, text);
    }
    expect(c, "v", "cba");
    expect(c, "name", "bac");
    expect(c, "name[de]", "cab");
    expect(c, "name[DE];desc", "bac");
    expect(c, "name[it]", "bca");
}

static void by_distance(void **state)
{
    struct city *c = *state;
    city_add(c, POINT("3", "10", "45"));
    city_add(c, POINT("1", "8.01", "40.01"));
    city_add(c, POINT("2", "9", "41"));
    city_add(c, E("n", ""));
    city_add(c, V("p", "1"));
    city_add(c, E("l", ",\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"LineString\","
                       "\"coordinates\":[[8.05,30],[8.05,50]]}}"));
    struct order *o = read_order(c, "location;dist-asc", NULL, "[8,40]", NULL);
    expect_order(c, o, "dist-asc", "1l23np");
    order_free(o);
    o = read_order(c, "location;dist-desc", NULL, "[8,40]", "Point");
    expect_order(c, o, "dist-desc", "32l1np");
    order_free(o);
    o = read_order(c, "location;dist-asc", NULL, "[[8,40],[9,42],[9,45],[8,40]]", "LineString");
    expect_order(c, o, "from a line", "l123np");
    order_free(o);
    o = read_order(c, "v;dist-asc,location;dist-asc", NULL, "[8,40]", "Point");
    expect_order(c, o, "other attributes by value", "p1l23n");
    order_free(o);
    o = read_order(c, "location", NULL, NULL, NULL); /* by value: objects all */
    order_free(o);
}

static void refuses(void **state)
{
    struct city *c = *state;
    refused(c, "", NULL, NULL, NULL, "column 1: expected the name");
    refused(c, "name;up", NULL, NULL, NULL, "column 6: expected asc");
    refused(c, "name;asc;desc", NULL, NULL, NULL, "column 9: expected ','");
    refused(c, "name,", NULL, NULL, NULL, "column 6: expected the name");
    refused(c, "name age", NULL, NULL, NULL, "column 6: expected ','");
    refused(c, "!name", NULL, NULL, NULL, "column 1");
    refused(c, "name[", NULL, NULL, NULL, "member");
    refused(c, "observedAt", NULL, NULL, NULL, "column 1: entities have no such member");
    refused(c, "name", "!!nope", NULL, NULL, "collation");
    refused(c, "name", "de_DE", NULL, NULL, "collation");
    refused(c, "name", "de-u-co-nonsense", NULL, NULL, "no such collation");
    refused(c, "name", "und-u-ks-foo", NULL, NULL, "no such collation");
    refused(c, "name", "en-u-kn-maybe", NULL, NULL, "no such collation");
    refused(c, "location;dist-asc", NULL, NULL, NULL, "orderFrom: missing");
    refused(c, "location;dist-asc", NULL, "[8", NULL, "orderFrom: expected coordinates");
    refused(c, "location;dist-asc", NULL, "[8,400]", NULL, "latitude");
    refused(c, "location;dist-asc", NULL, "[8,40]", "Blob", "geometry");
    refused(c, "name", NULL, "[8]", NULL, "position");
    struct order *o = NULL;
    struct why why = {0};
    struct str many = STR("a");
    for (int i = 0; i < 64; i++)
        many = arena_printf(c->arena, "%.*s,a", STR_ARG(many));
    assert_int_equal(order_read(&c->reader, many, STR_NONE, STR_NONE, STR_NONE, &o, &why),
                     E_TOO_COMPLEX);
    assert_string_equal(why.limit, "limits.query_terms");
    order_free(NULL);
}

/* Numbers that are the same in every run (xorshift). */
static uint64_t random_state = 88172645463325252u;
static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

static const struct order *sorted_by;
static struct arena *sort_scratch;

static int by_tree(const void *x, const void *y)
{
    const struct entity *a = *(struct entity *const *)x, *b = *(struct entity *const *)y;
    int c = order_compare(sorted_by, a, b, sort_scratch);
    return c ? c : (a->created_seq > b->created_seq) - (a->created_seq < b->created_seq);
}

/* Pages of many entities, against sorting them all by comparing trees. */
static void pages_of_many(void **state)
{
    struct city *c = *state;
    for (int i = 0; i < CITY_MAX; i++) {
        static const char *const values[] = {"1", "2.5", "\"b\"", "\"a\"", "true", "[3]", "\"B\""};
        city_add(c, arena_printf(c->arena,
                                 "{\"id\":\"urn:ngsi-ld:%d\",\"type\":\"T\",\"v\":%s,\"w\":%u%s}",
                                 i, values[below(7)], below(20), below(2) ? ",\"x\":\"some\"" : "")
                        .p);
    }
    struct entity *all[CITY_MAX];
    for (int i = 0; i < CITY_MAX; i++)
        all[i] = &c->entities[i];
    static const char *const orders[] = {"v,w;desc", "x;desc,v;desc", "w", "nothing"};
    static const uint32_t keeps[] = {1, 7, 31, 64, 200, 999, 1000, 5000};
    for (int k = 0; k < 4; k++) {
        struct order *o = read_order(c, orders[k], NULL, NULL, NULL);
        sorted_by = o;
        sort_scratch = c->scratch;
        qsort(all, CITY_MAX, sizeof *all, by_tree);
        for (int j = 0; j < 8; j++) {
            struct order_top *t = order_top_new(o, keeps[j]);
            for (int i = 0; i < CITY_MAX; i++)
                order_top_add(t, c->docs[i * 7 % CITY_MAX]);
            const struct doc **docs;
            uint32_t n = order_top_take(t, c->scratch, &docs);
            assert_int_equal(n, keeps[j] < CITY_MAX ? keeps[j] : CITY_MAX);
            for (uint32_t i = 0; i < n; i++)
                assert_true(str_eq(doc_id(docs[i]), all[i]->id));
            order_top_free(t);
        }
        order_free(o);
    }
    struct order *o = read_order(c, "v", NULL, NULL, NULL);
    struct order_top *t = order_top_new(o, 0);
    order_top_add(t, c->docs[0]);
    const struct doc **docs;
    assert_int_equal(order_top_take(t, c->scratch, &docs), 0);
    order_top_free(t);
    order_top_free(order_top_new(o, 10));
    order_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(data_types_follow_the_clause),
        TEST(paths_members_and_several_keys),
        TEST(members_of_the_entity),
        TEST(strings_by_collation),
        TEST(long_strings_and_languages),
        TEST(by_distance),
        TEST(refuses),
        TEST(pages_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
