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
    e = read_evolution(f, E(",\"a\":{\"value\":\"urn:ngsi-ld:null\"}"));
    assert_true(e->series->points->attr.value.kind == VALUE_NULL && e->series->points->deleted_at == TIME_NONE);
    assert_int_equal(e->series->points->attr.guesses, 0);
    e = read_evolution(f, E(",\"z\":{\"value\":1},\"scope\":\"/a\",\"a\":[{\"value\":1,\"datasetId\":\"urn:x:d\"},{\"value\":2}]"));
    assert_int_equal(e->count, 4);
    for (uint32_t i = 1; i < e->count; i++)
        assert_true(e->series[i - 1].term < e->series[i].term ||
                    str_cmp(e->series[i - 1].dataset, e->series[i].dataset) < 0);
    e = read_evolution(f, E(",\"a\":[{\"value\":1" OBSERVED(1) "},{\"value\":2" OBSERVED(1) "}]"));
    assert_true(e->series->points[0].attr.value.integer == 1 && e->series->points[0].index == 0);
    assert_true(e->series->points[1].attr.value.integer == 2 && e->series->points[1].index == 1);
}

/* ---- what is refused ---- */

#define NULL_TEXT "\"urn:ngsi-ld:null\""
#define VALUE_1 "{\"type\":\"Property\",\"value\":1}"

static const struct refused_case REFUSED[] = {
    {"\"a\":5", "/a", "instance"},
    {"\"a\":[1,2]", "/a/0", "instance"},
    {"\"a\":[]", "/a", "empty"},
    {"\"a\":{\"x\":1}", "/a", "instance"},
    {"\"a\":" NULL_TEXT, "/a", "instance"}, /* first level, clause 5.5.4 */
    {"\"a\":[" NULL_TEXT "]", "/a/0", "instance"},
    {"\"scope\":" NULL_TEXT, "/scope", "Null"},
    {"\"scope\":[" NULL_TEXT "]", "/scope", "Null"},
    {"\"expiresAt\":" NULL_TEXT, "/expiresAt", "Null"},
    {"\"a\":[{\"value\":1,\"unitCode\":" NULL_TEXT "}]", "/a/0/unitCode", "Null"},
    {"\"a\":[{\"value\":" NULL_TEXT ",\"unitCode\":" NULL_TEXT "}]", "/a/0", "only the value"},
    {"\"a\":[{\"value\":" NULL_TEXT ",\"b\":{\"value\":" NULL_TEXT "}}]", "/a/0", "only the value"},
    {"\"a\":[{\"value\":{\"x\":" NULL_TEXT "}}]", "/a/0/value/x", "Null"},
    {"\"a\":[{\"value\":1,\"b\":{\"value\":" NULL_TEXT "}}]", "/a/0/b/value", "Null"},
    {"\"a\":[{\"value\":" NULL_TEXT ",\"deletedAt\":\"now\"}]", "/a/0/deletedAt", "DateTime"},
    {"\"a\":[{\"value\":1,\"observedAt\":\"now\"}]", "/a/0/observedAt", "DateTime"},
    {"\"a\":[" VALUE_1 "],\"https://uri.etsi.org/ngsi-ld/default-context/a\":" VALUE_1,
     "/https:~1~1uri.etsi.org~1ngsi-ld~1default-context~1a", "twice"},
    {"\"scope\":\"/a\",\"scope\":\"/b\"", "/scope", "twice"},
    {"\"scope\":\"a b\"", "/scope", "scope"},
    {"\"scope\":[]", "/scope", "empty"},
    {"\"scope\":[{\"type\":\"Property\"}]", "/scope/0", "value"},
    {"\"scope\":[{\"type\":\"Relationship\",\"value\":\"/a\"}]", "/scope/0/type", "Property"},
    {"\"scope\":{\"value\":\"/a\",\"datasetId\":\"urn:x:d\"}", "/scope/datasetId", "times"},
    {"\"scope\":{\"value\":[\"/a\",7]}", "/scope/value/1", "scope"},
    {"\"scope\":{\"type\":\"Property\",\"values\":[[\"/a\"]]}", "/scope/values/0", "time"},
    {"\"a\":{\"type\":\"Property\",\"values\":[]}", "/a", "empty"},
    {"\"a\":{\"type\":\"Property\",\"values\":[[1]]}", "/a/values/0", "time"},
    {"\"a\":{\"type\":\"Property\",\"values\":[[1,\"now\"]]}", "/a/values/0/1", "DateTime"},
    {"\"a\":{\"type\":\"Property\",\"objects\":[[\"urn:x:A\"," T(1) "]]}", "/a/type", "Relationship"},
    {"\"a\":{\"type\":\"Property\",\"unitCode\":\"CEL\",\"values\":[[1," T(1) "]]}", "/a/unitCode", "no more"},
    {"\"a\":{\"type\":\"Relationship\",\"objects\":[[\"A B\"," T(1) "]]}", "/a/objects/0/0", "URI"},
    {"\"a\":{\"type\":\"JsonProperty\",\"jsons\":[[{\"x\":1}," T(1) "]]}", "/a/jsons/0/0", "json"},
    {"\"location\":{\"type\":\"Property\",\"values\":[[1," T(1) "]]}", "/location/type", "GeoProperty"},
    {"\"location\":{\"values\":[[1," T(1) "]]}", "/location/values/0/0", "geometry"},
    {NULL, NULL, NULL},
};

static void assert_refused(struct fixture *f, const char *text, enum reader_mode mode, const struct refused_case *c)
{
    struct reader r = entity_reader(f, context_core(), READER_MERGE); /* its mode is not looked at */
    struct evolution e;
    struct why why = {0};
    const struct json *v = entity_json(f, text);
    enum status st = mode == READER_ENTITY ? reader_evolution(&r, v, STR_NONE, NULL, &e, &why)
                                           : reader_evolution_fragment(&r, v, STR_NONE, NULL, &e, &why);
    if (st == OK)
        fail_msg("taken: %s", text);
    if (why.status != st || st != E_BAD_DATA || strcmp(why.pointer, c->pointer) != 0 || !strstr(why.text, c->part))
        fail_msg("%s\n  %s at \"%s\" (not \"%s\"): \"%s\" (not \"%s\")", text, status_name(st), why.pointer, c->pointer,
                 why.text, c->part);
}

static void faults_are_refused_where_they_stand(void **state)
{
    struct fixture *f = *state;
    for (const struct refused_case *c = REFUSED; c->json; c++) {
        assert_refused(f, arena_printf(f->arena, E(",%s"), c->json).p, READER_ENTITY, c);
        assert_refused(f, arena_printf(f->arena, "{%s}", c->json).p, READER_APPEND, c);
    }
    const struct refused_case no_id = {NULL, "", "id"}, no_type = {NULL, "", "type"}, no_object = {NULL, "", "object"};
    assert_refused(f, "{\"type\":\"T\"}", READER_ENTITY, &no_id);
    assert_refused(f, "{\"id\":\"urn:x:1\"}", READER_ENTITY, &no_type);
    assert_refused(f, "[]", READER_ENTITY, &no_object);
}

static void fragments_need_neither_id_nor_type(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct evolution e;
    const struct json *v = entity_json(f, "{\"a\":[" VALUE_1 "]}");
    assert_int_equal(reader_evolution_fragment(&r, v, STR("urn:x:1"), NULL, &e, NULL), OK);
    assert_true(str_eq(e.id, STR("urn:x:1")) && e.type_count == 0 && e.count == 1);
    v = entity_json(f, "{\"type\":[\"T\",\"U\"]}");
    assert_int_equal(reader_evolution_fragment(&r, v, STR_NONE, NULL, &e, NULL), OK);
    assert_true(e.type_count == 2 && e.count == 0);
}

/* The fixture allows 30 instances, and many more attributes in each. */
static void instances_are_limited(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    for (int form = 0; form < 3; form++)
        for (int count = 29; count <= 31; count++) {
            struct str list = STR("");
            for (int i = 0; i < count; i++)
                list = arena_printf(f->arena, "%.*s%s%s", STR_ARG(list), i ? "," : "", form == 2 ? "[1," T(1) "]" : VALUE_1);
            struct str attrs = arena_printf(f->arena, form == 0 ? "\"a\":[%.*s]" : form == 1 ? "\"b\":" VALUE_1 ",\"a\":[%.*s]"
                                            : "\"a\":{\"type\":\"Property\",\"values\":[%.*s]}", STR_ARG(list));
            struct evolution e;
            struct why why = {0};
            bool fits = count + (form == 1) <= 30;
            enum status st = reader_evolution_fragment(&r, entity_json(f, arena_printf(f->arena, "{%.*s}", STR_ARG(attrs)).p),
                                                       STR_NONE, NULL, &e, &why);
            assert_int_equal(st, fits ? OK : E_LIMIT);
            assert_string_equal(why.limit, fits ? "" : "limits.instances");
        }
}

/* ---- one instance ---- */

static void one_instance_is_read(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    uint32_t term = context_expand_term(context_core(), STR("a"), true, f->arena, NULL);
    static const char *const FINE[] = {"{\"type\":\"Property\",\"value\":7" OBSERVED(1) ",\"@context\":\"urn:x:c\"}",
                                       "[{\"value\":7" OBSERVED(1) "}]", "{\"a\":{\"value\":7" OBSERVED(1) "}}",
                                       "{\"@context\":\"urn:x:c\",\"type\":\"T\",\"a\":[{\"value\":7" OBSERVED(1) "}]}"};
    static const char *const WRONG[] = {"[]", "[" VALUE_1 "," VALUE_1 "]", "{\"a\":[" VALUE_1 "," VALUE_1 "]}",
                                        "{\"a\":" VALUE_1 ",\"b\":" VALUE_1 "}", "{\"b\":" VALUE_1 "}", "7", NULL_TEXT,
                                        "{\"type\":\"Property\",\"values\":[[1," T(1) "],[2," T(2) "]]}"};
    struct point p;
    for (size_t i = 0; i < sizeof FINE / sizeof *FINE; i++) {
        assert_int_equal(reader_instance(&r, term, entity_json(f, FINE[i]), NULL, &p, NULL), OK);
        assert_true(p.attr.term == term && p.attr.value.integer == 7 && p.attr.observed_at == at("2020-08-01T12:01:00Z"));
    }
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        if (reader_instance(&r, term, entity_json(f, WRONG[i]), NULL, &p, NULL) != E_BAD_DATA)
            fail_msg("taken: %s", WRONG[i]);
    assert_int_equal(reader_instance(&r, TERM_SCOPE, entity_json(f, "{\"value\":\"/a\"" OBSERVED(1) "}"), NULL, &p, NULL), OK);
    assert_true(str_eq(p.attr.value.text, STR("/a")) && p.attr.observed_at != TIME_NONE);
    assert_int_equal(reader_instance(&r, TERM_SCOPE, entity_json(f, "{\"scope\":[{\"value\":\"/a\"}]}"), NULL, &p, NULL), OK);
}

/* ---- what is shown of it ---- */

static const char CITY[] = E(",\"scope\":{\"value\":\"/a\"" OBSERVED(1) "},"
                             "\"says\":[{\"languageMap\":{\"en\":\"yes\",\"fr\":\"oui\"}" OBSERVED(1) "}],"
                             "\"speed\":[{\"value\":1" OBSERVED(1) "},{\"value\":2,\"datasetId\":\"urn:x:gps\"" OBSERVED(2) "}]");

static struct projection *projection(struct fixture *f, const char *text)
{
    const struct projection_limits limits = {10, 2};
    struct projection *p;
    assert_int_equal(projection_read(&p, str_of(text), context_core(), &limits, f->arena, NULL), OK);
    return p;
}

static void projections_and_datasets(void **state)
{
    struct fixture *f = *state;
    const struct evolution *e = read_evolution(f, CITY);
    struct str dataset = STR("urn:x:gps");
    struct represent_temporal r = shown_as(f, TEMPORAL_VALUES);
    r.base.pick = projection(f, "id,speed");
    assert_shows(f, &r, e, "{\"id\":\"urn:x:1\",\"speed\":[{\"type\":\"Property\",\"values\":[[1," T(1) "]]},"
                           "{\"type\":\"Property\",\"datasetId\":\"urn:x:gps\",\"values\":[[2," T(2) "]]}]}");
    r.base.datasets = &dataset;
    r.base.dataset_count = 1;
    assert_shows(f, &r, e, "{\"id\":\"urn:x:1\",\"speed\":{\"type\":\"Property\",\"datasetId\":\"urn:x:gps\",\"values\":[[2," T(2) "]]}}");
    r.format = TEMPORAL_NORMALIZED;
    assert_shows(f, &r, e, "{\"id\":\"urn:x:1\",\"speed\":[{\"type\":\"Property\",\"value\":2,\"datasetId\":\"urn:x:gps\"" OBSERVED(2) "}]}");
    r.base.pick = projection(f, "nothing");
    assert_false(represent_evolution_leaves(&r, e));
    assert_shows(f, &r, e, "{}");
    r.base.pick = projection(f, "scope");
    assert_true(represent_evolution_leaves(&r, e));
    assert_shows(f, &r, e, "{\"scope\":[{\"type\":\"Property\",\"value\":\"/a\"" OBSERVED(1) "}]}");
    r.base.pick = NULL;
    r.base.omit = projection(f, "scope,type,says");
    r.base.at_context = STR("\"urn:x:c\"");
    assert_shows(f, &r, e, "{\"id\":\"urn:x:1\",\"speed\":[{\"type\":\"Property\",\"value\":2,\"datasetId\":\"urn:x:gps\"" OBSERVED(2) "}],"
                           "\"@context\":\"urn:x:c\"}");
}

static void one_language(void **state)
{
    struct fixture *f = *state;
    const struct evolution *e = read_evolution(f, E(",\"says\":[{\"languageMap\":{\"en\":\"yes\",\"fr\":\"oui\"}" OBSERVED(1) "},"
                                                    "{\"type\":\"LanguageProperty\",\"languageMap\":" NULL_TEXT DELETED(2) "}]"));
    struct represent_temporal r = shown_as(f, TEMPORAL_NORMALIZED);
    r.base.lang = STR("fr");
    assert_shows(f, &r, e, E(",\"says\":[{\"type\":\"Property\",\"value\":\"oui\",\"lang\":\"fr\"" OBSERVED(1) "},"
                             "{\"type\":\"LanguageProperty\",\"languageMap\":{\"@none\":" NULL_TEXT "}" DELETED(2) "}]"));
    r.format = TEMPORAL_VALUES;
    assert_shows(f, &r, e, E(",\"says\":{\"type\":\"Property\",\"values\":[[\"oui\"," T(1) "],[" NULL_TEXT "," T(2) "]]}"));
}

/* As the store fills them in. */
static void set_times(struct evolution *e)
{
    e->created_at = at("2020-08-01T12:07:00Z");
    e->modified_at = at("2020-08-01T12:08:00Z");
    for (uint32_t i = 0; i < e->count; i++)
        for (uint32_t j = 0; j < e->series[i].count; j++) {
            struct point *p = &e->series[i].points[j];
            p->attr.seq = 77;
            p->attr.created_at = e->created_at;
            p->attr.modified_at = e->modified_at;
        }
}

#define CREATED ",\"createdAt\":" T(7) ",\"modifiedAt\":" T(8)

static void times_of_the_system(void **state)
{
    struct fixture *f = *state;
    struct evolution *e = read_evolution(f, E(",\"scope\":\"/a\",\"b\":{\"value\":1},\"gone\":{\"type\":\"Property\",\"value\":" NULL_TEXT DELETED(5) "}"));
    struct represent_temporal r = shown_as(f, TEMPORAL_NORMALIZED);
    set_times(e);
    r.base.sys_attrs = true;
    assert_shows(f, &r, e, E(CREATED ",\"scope\":[{\"type\":\"Property\",\"value\":\"/a\"" CREATED "}],\"b\":[{\"type\":\"Property\",\"value\":1" CREATED "}],"
                             "\"gone\":[{\"type\":\"Property\",\"value\":" NULL_TEXT CREATED DELETED(5) "}]"));
    r.base.sys_attrs = false;
    e->deleted_at = at("2020-08-01T12:09:00Z");
    assert_shows(f, &r, e, E(DELETED(9) ",\"scope\":[{\"type\":\"Property\",\"value\":\"/a\"}],\"b\":[{\"type\":\"Property\",\"value\":1}],"
                             "\"gone\":[{\"type\":\"Property\",\"value\":" NULL_TEXT DELETED(5) "}]"));
    const struct temporal_query created = {.property = TIME_CREATED_AT};
    r.format = TEMPORAL_VALUES;
    r.query = &created;
    r.base.pick = projection(f, "b");
    assert_shows(f, &r, e, "{" "\"deletedAt\":" T(9) ",\"b\":{\"type\":\"Property\",\"values\":[[1," T(7) "]]}}");
    r.query = NULL; /* nothing was observed: its place in the series */
    assert_shows(f, &r, e, "{" "\"deletedAt\":" T(9) ",\"b\":{\"type\":\"Property\",\"values\":[[1," T(8) "]]}}");
}

/* Each instance has an id of its own, which says which it is; the scope's have none (clause 4.5.6). */
static void instances_have_ids(void **state)
{
    struct fixture *f = *state;
    struct evolution *e = read_evolution(f, E(",\"scope\":\"/a\",\"b\":[{\"value\":1" OBSERVED(1) "},{\"value\":2" OBSERVED(2) "}]"));
    struct represent_temporal r = shown_as(f, TEMPORAL_CONCISE);
    set_times(e);
    const struct json *v = show(f, &r, e), *instances = json_get(v, STR("b"));
    assert_null(json_get(&json_get(v, STR("scope"))->items[0], STR("instanceId")));
    for (uint32_t i = 0; i < 2; i++) {
        const struct json *id = json_get(&instances->items[i], STR("instanceId"));
        assert_true(json_is(id, JSON_STRING));
        assert_true(instance_id_is(id->string, e->id, STR("https://uri.etsi.org/ngsi-ld/default-context/b"), STR(""), 77, i));
    }
}

/* A series may change its kind; lists of the simplified form are of one each. */
static void kinds_may_change(void **state)
{
    struct fixture *f = *state;
    const struct evolution *e = read_evolution(f, E(",\"b\":[{\"value\":1" OBSERVED(1) "},{\"object\":\"urn:x:A\"" OBSERVED(2) "},{\"value\":2" OBSERVED(3) "}]"));
    struct represent_temporal r = shown_as(f, TEMPORAL_VALUES);
    assert_shows(f, &r, e, E(",\"b\":[{\"type\":\"Property\",\"values\":[[1," T(1) "],[2," T(3) "]]},"
                             "{\"type\":\"Relationship\",\"objects\":[[\"urn:x:A\"," T(2) "]]}]"));
}

/* ---- aggregated ---- */

static void aggregate(struct fixture *f, struct evolution *e, const struct temporal_query *q)
{
    for (uint32_t i = 0; i < e->count; i++) {
        struct series *s = &e->series[i];
        s->aggregates = aggregates_begin(q, 100, f->arena);
        aggregates_start(s->aggregates, s->points[0].attr.observed_at); /* they come in order */
        for (uint32_t j = 0; j < s->count; j++)
            aggregates_add(s->aggregates, &s->points[j]);
        assert_int_equal(aggregates_end(s->aggregates, NULL), OK);
        s->count = 0;
        s->points = NULL;
    }
}

static void aggregates_by_method(void **state)
{
    struct fixture *f = *state;
    struct evolution *e = read_evolution(f, E(",\"speed\":[{\"value\":120" OBSERVED(3) "},{\"value\":100" OBSERVED(4) "},{\"value\":81" OBSERVED(5) "},"
                                              "{\"value\":7,\"datasetId\":\"urn:x:gps\"" OBSERVED(3) "}],"
                                              "\"on\":[{\"object\":\"urn:x:A\"" OBSERVED(3) "}],"
                                              "\"gone\":[{\"type\":\"Property\",\"value\":" NULL_TEXT OBSERVED(3) "}]"));
    struct temporal_query q = {.from_us = INT64_MIN, .to_us = INT64_MAX, .period = {.us = 120 * INT64_C(1000000)},
                               .methods = AGGREGATE_BIT(AGGREGATE_AVG) | AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT)};
    struct represent_temporal r = shown_as(f, TEMPORAL_AGGREGATED);
    r.query = &q;
    aggregate(f, e, &q);
    assert_shows(f, &r, e,
                 E(",\"speed\":[{\"type\":\"Property\",\"totalCount\":[[2," T(3) "," T(5) "],[1," T(5) "," T(7) "]],"
                   "\"avg\":[[110," T(3) "," T(5) "],[81," T(5) "," T(7) "]]},"
                   "{\"type\":\"Property\",\"datasetId\":\"urn:x:gps\",\"totalCount\":[[1," T(3) "," T(5) "]],\"avg\":[[7," T(3) "," T(5) "]]}],"
                   "\"on\":{\"type\":\"Relationship\",\"totalCount\":[[1," T(3) "," T(5) "]],\"avg\":[]}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_form_is_read_and_shown, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(single_instances_and_any_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(faults_are_refused_where_they_stand, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(fragments_need_neither_id_nor_type, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(instances_are_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_instance_is_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(projections_and_datasets, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_language, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(times_of_the_system, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(instances_have_ids, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(kinds_may_change, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(aggregates_by_method, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
