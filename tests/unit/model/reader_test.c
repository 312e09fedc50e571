/* What the reader makes of entities and fragments: kinds and inference, values,
 * nulls in each mode, names, limits; and every refusal with its place and rule. */
#include "entity_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DEFAULT "https://uri.etsi.org/ngsi-ld/default-context/"

static struct attr *attr_of(struct fixture *f, const struct entity *e, const char *name,
                            uint32_t *count)
{
    uint32_t term = context_expand_term(context_core(), str_of(name), false, f->arena, NULL);
    const struct attr *a = entity_attr(e, term, count);
    if (!a)
        fail_msg("no attribute %s", name);
    return (struct attr *)a;
}

static struct attr *only(struct fixture *f, const struct entity *e, const char *name)
{
    uint32_t count;
    struct attr *a = attr_of(f, e, name, &count);
    assert_int_equal(count, 1);
    return a;
}

#define assert_str(s, literal)                                                                     \
    do {                                                                                           \
        struct str got_ = (s);                                                                     \
        if (!str_eq(got_, str_of(literal)))                                                        \
            fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got_), literal);                            \
    } while (0)

/* ---- entities ---- */

static void an_entity_has_id_types_scopes(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e =
        entity_read(f, &r,
                    "{\"@id\":\"urn:ngsi-ld:Bus:1\",\"@type\":[\"Bus\",\"Vehicle\",\"Bus\"],"
                    "\"scope\":[\"/Jinan/Lixia\",\"Fleet_7\",\"/Jinan/Lixia\"],"
                    "\"expiresAt\":\"2030-01-02T03:04:05,5Z\",\"createdAt\":17,\"modifiedAt\":null,"
                    "\"deletedAt\":{},\"@context\":\"https://example.org/c.jsonld\"}");
    assert_str(e->id, "urn:ngsi-ld:Bus:1");
    assert_int_equal(e->type_count, 2);
    assert_str(terms_iri(f->terms, e->types[0]), DEFAULT "Bus");
    assert_str(terms_iri(f->terms, e->types[1]), DEFAULT "Vehicle");
    assert_int_equal(e->scope_count, 2);
    assert_str(e->scopes[1], "Fleet_7");
    assert_int_equal(e->expires_at, 1893553445500000);
    assert_int_equal(e->created_at, TIME_NONE);
    assert_int_equal(e->attr_count, 0);
}

static void attributes_stand_in_the_order_of_terms(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    const char *forward =
        "{\"id\":\"urn:x:1\",\"type\":\"T\",\"aa\":1,\"bb\":2,\"cc\":[{\"value\":3,"
        "\"datasetId\":\"urn:d:2\"},{\"value\":4},{\"value\":5,\"datasetId\":"
        "\"urn:d:1\"}],\"dd\":{\"value\":6,\"xx\":7,\"ww\":8}}";
    const char *backward =
        "{\"dd\":{\"ww\":8,\"xx\":7,\"value\":6},\"cc\":[{\"value\":5,\"datasetId\":"
        "\"urn:d:1\"},{\"value\":4},{\"value\":3,\"datasetId\":\"urn:d:2\"}],"
        "\"bb\":2,\"aa\":1,\"type\":\"T\",\"id\":\"urn:x:1\"}";
    struct entity *a = entity_read(f, &r, forward), *b = entity_read(f, &r, backward);
    assert_int_equal(a->attr_count, 6);
    const struct attr *dup;
    assert_true(attrs_sort(a->attrs, a->attr_count, &dup));
    entity_same(f, a, b, "order of members");
    uint32_t count;
    struct attr *cc = attr_of(f, a, "cc", &count);
    assert_int_equal(count, 3);
    assert_str(cc[0].dataset, "");
    assert_int_equal(cc[0].value.integer, 4);
    assert_str(cc[1].dataset, "urn:d:1");
    assert_int_equal(cc[1].seq, 0);
    assert_int_equal(only(f, a, "dd")->sub_count, 2);
}

static void many_attributes_are_sorted_too(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_lit(&b, "{\"id\":\"urn:x:1\",\"type\":\"T\"");
    for (int i = 0; i < 300; i++)
        buf_printf(&b, ",\"n%d\":%d", i * 7919 % 300, i);
    buf_lit(&b, "}");
    buf_char(&b, 0);
    struct entity *e = entity_read(f, &r, b.p);
    assert_int_equal(e->attr_count, 300);
    for (uint32_t i = 1; i < e->attr_count; i++)
        assert_true(e->attrs[i - 1].term < e->attrs[i].term);
    buf_free(&b);
}

/* ---- kinds ---- */

struct kind_case {
    const char *value; /* of the member "a" */
    enum attr_kind kind;
    enum value_kind value_kind;
    const char *text; /* of the value; NULL: none */
};

static const struct kind_case KINDS[] = {
    {"5", ATTR_PROPERTY, VALUE_INT, NULL},
    {"5.5", ATTR_PROPERTY, VALUE_REAL, NULL},
    {"true", ATTR_PROPERTY, VALUE_BOOL, NULL},
    {"\"x\"", ATTR_PROPERTY, VALUE_STRING, "x"},
    {"\"\"", ATTR_PROPERTY, VALUE_STRING, ""},
    {"[1,\"b\",{\"c\":[]}]", ATTR_PROPERTY, VALUE_JSON, "[1,\"b\",{\"c\":[]}]"},
    {"[]", ATTR_PROPERTY, VALUE_JSON, "[]"},
    {"{ \"street\" : \"Jiefang Lu\", \"id\": 7}", ATTR_PROPERTY, VALUE_JSON,
     "{\"street\":\"Jiefang Lu\",\"id\":7}"},
    {"{}", ATTR_PROPERTY, VALUE_JSON, "{}"},
    {"{\"@type\":\"DateTime\",\"@value\":\"2020-01-01T00:00:00Z\"}", ATTR_PROPERTY, VALUE_JSON,
     "{\"@type\":\"DateTime\",\"@value\":\"2020-01-01T00:00:00Z\"}"},
    {"{\"@type\":\"@json\",\"@value\":null}", ATTR_PROPERTY, VALUE_JSON,
     "{\"@type\":\"@json\",\"@value\":null}"},
    {"{\"value\":5}", ATTR_PROPERTY, VALUE_INT, NULL},
    {"{\"type\":\"Property\",\"value\":{\"type\":\"x\"}}", ATTR_PROPERTY, VALUE_JSON,
     "{\"type\":\"x\"}"},
    {"{\"@type\":\"Property\",\"value\":[]}", ATTR_PROPERTY, VALUE_JSON, "[]"},
    {"{\"type\":\"https://uri.etsi.org/ngsi-ld/Property\",\"value\":1}", ATTR_PROPERTY, VALUE_INT,
     NULL},
    {"{\"type\":\"ngsi-ld:Property\",\"value\":1}", ATTR_PROPERTY, VALUE_INT, NULL},
    {"{\"type\":\"Property\",\"https://uri.etsi.org/ngsi-ld/hasValue\":1}", ATTR_PROPERTY,
     VALUE_INT, NULL},
    {"{\"type\":\"Property\",\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}}", ATTR_PROPERTY,
     VALUE_JSON, "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
    {"{\"type\":\"Point\",\"coordinates\":[1,2]}", ATTR_GEO_PROPERTY, VALUE_GEO,
     "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
    {"{\"value\":{\"type\":\"Point\",\"coordinates\":[1,2]}}", ATTR_GEO_PROPERTY, VALUE_GEO,
     "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
    {"{\"type\":\"GeoProperty\",\"value\":\"{\\\"type\\\": \\\"Point\\\", \\\"coordinates\\\": "
     "[1, 2]}\"}",
     ATTR_GEO_PROPERTY, VALUE_GEO, "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
    {"{\"type\":\"Relationship\",\"object\":\"urn:x:2\"}", ATTR_RELATIONSHIP, VALUE_STRING,
     "urn:x:2"},
    {"{\"object\":[\"urn:x:2\", \"urn:x:3\"]}", ATTR_RELATIONSHIP, VALUE_JSON,
     "[\"urn:x:2\",\"urn:x:3\"]"},
    {"{\"languageMap\":{\"en\":\"a\",\"@none\":[\"b\",\"c\"]}}", ATTR_LANGUAGE_PROPERTY, VALUE_JSON,
     "{\"en\":\"a\",\"@none\":[\"b\",\"c\"]}"},
    {"{\"vocab\":\"non-commercial\"}", ATTR_VOCAB_PROPERTY, VALUE_STRING, DEFAULT "non-commercial"},
    {"{\"vocab\":[\"a\",\"http://example.org/b\"]}", ATTR_VOCAB_PROPERTY, VALUE_JSON,
     "[\"" DEFAULT "a\",\"http://example.org/b\"]"},
    {"{\"json\":{\"id\":\"no URI\",\"value\":null,\"@context\":1}}", ATTR_JSON_PROPERTY, VALUE_JSON,
     "{\"id\":\"no URI\",\"value\":null,\"@context\":1}"},
    {"{\"type\":\"JsonProperty\",\"json\":[{\"a\":1}]}", ATTR_JSON_PROPERTY, VALUE_JSON,
     "[{\"a\":1}]"},
    {"{\"valueList\":[300,\"x\",{\"a\":[]}]}", ATTR_LIST_PROPERTY, VALUE_JSON,
     "[300,\"x\",{\"a\":[]}]"},
    {"{\"valueList\":[]}", ATTR_LIST_PROPERTY, VALUE_JSON, "[]"},
    {"{\"objectList\":[\"urn:x:1\",{\"object\":\"urn:x:2\"}]}", ATTR_LIST_RELATIONSHIP, VALUE_JSON,
     "[\"urn:x:1\",\"urn:x:2\"]"},
    {"[{\"type\":\"Point\",\"coordinates\":[1,2]}]", ATTR_PROPERTY, VALUE_JSON,
     "[{\"type\":\"Point\",\"coordinates\":[1,2]}]"},
    {"[{\"value\":1},2]", ATTR_PROPERTY, VALUE_JSON, "[{\"value\":1},2]"},
    {"[{\"value\":\"one instance\"}]", ATTR_PROPERTY, VALUE_STRING, "one instance"},
};

static void kinds_are_said_or_inferred(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        struct str text =
            arena_printf(f->arena, "{\"id\":\"urn:x:1\",\"type\":\"T\",\"a\":%s}", KINDS[i].value);
        struct attr *a = only(f, entity_read(f, &r, text.p), "a");
        if (a->kind != KINDS[i].kind || a->value.kind != KINDS[i].value_kind)
            fail_msg("%s: a %s with value kind %d", KINDS[i].value,
                     attr_kind_name((enum attr_kind)a->kind), a->value.kind);
        if (KINDS[i].text)
            assert_str(a->value.text, KINDS[i].text);
    }
}

static void numbers_without_fraction_are_integers(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(
        f, &r,
        "{\"id\":\"urn:x:1\",\"type\":\"T\",\"a\":3.0,\"b\":-2.5e1,\"c\":1e300,\"d\":0.5,"
        "\"e\":9223372036854775807,\"f\":9223372036854775808,\"g\":-9223372036854775808.0}");
    assert_int_equal(only(f, e, "a")->value.kind, VALUE_INT);
    assert_int_equal(only(f, e, "a")->value.integer, 3);
    assert_int_equal(only(f, e, "b")->value.integer, -25);
    assert_int_equal(only(f, e, "c")->value.kind, VALUE_REAL);
    assert_int_equal(only(f, e, "d")->value.kind, VALUE_REAL);
    assert_int_equal(only(f, e, "e")->value.integer, INT64_MAX);
    assert_int_equal(only(f, e, "f")->value.kind, VALUE_REAL);
    assert_int_equal(only(f, e, "g")->value.integer, INT64_MIN);
}

static void qualifying_members_are_kept(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity *e = entity_read(
        f, &r,
        "{\"id\":\"urn:x:1\",\"type\":\"T\",\"a\":{\"type\":\"Property\",\"value\":1,"
        "\"unitCode\":\"CEL\",\"observedAt\":\"2020-01-31T23:59:59.123456Z\",\"datasetId\":"
        "\"@none\",\"expiresAt\":\"2001-01-01T00:00:00Z\",\"valueType\":\"Integer\",\"instanceId\":"
        "\"whatever\",\"createdAt\":\"x\"},"
        "\"b\":{\"object\":\"urn:x:2\",\"objectType\":[\"Shop\",\"Building\"]},"
        "\"c\":{\"object\":\"urn:x:2\",\"objectType\":\"Shop\",\"datasetId\":\"urn:d:1\"},"
        "\"d\":{\"languageMap\":{\"en\":\"x\"},\"valueType\":\"langString\"}}");
    struct attr *a = only(f, e, "a");
    assert_str(a->unit_code, "CEL");
    assert_int_equal(a->observed_at, 1580515199123456);
    assert_str(a->dataset, "");
    assert_false(str_absent(a->dataset));
    assert_int_equal(a->expires_at, 978307200000000);
    assert_str(a->value_type, DEFAULT "Integer");
    assert_int_equal(a->created_at, TIME_NONE);
    assert_int_equal(a->sub_count, 0);
    assert_str(only(f, e, "b")->object_type, "[\"" DEFAULT "Shop\",\"" DEFAULT "Building\"]");
    assert_str(only(f, e, "c")->object_type, "\"" DEFAULT "Shop\"");
    assert_str(only(f, e, "c")->dataset, "urn:d:1");
    assert_str(only(f, e, "d")->value_type,
               "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString");
}

static void terms_go_by_meaning(void **state)
{
    struct fixture *f = *state;
    struct context *c =
        fixture_context(f, "{\"ex\":\"http://example.org/\",\"speed\":\"ex:speed\",\"wert\":"
                           "\"https://uri.etsi.org/ngsi-ld/hasValue\",\"ort\":\"https://"
                           "uri.etsi.org/ngsi-ld/location\"}");
    struct reader r = entity_reader(f, c, READER_ENTITY);
    struct entity *e = entity_read(f, &r,
                                   "{\"id\":\"urn:x:1\",\"type\":\"ex:T\",\"speed\":{\"type\":"
                                   "\"Property\",\"wert\":5}}");
    assert_int_equal(e->attr_count, 1);
    assert_int_equal(e->attrs[0].value.integer, 5);
    assert_int_equal(e->attrs[0].sub_count, 0);
    static const struct refused_case CASES[] = {
        {"\"speed\":1,\"http://example.org/speed\":2", "/http:~1~1example.org~1speed", "twice"},
        {"\"speed\":1,\"ex:speed\":2", "/ex:speed", "also as \"speed\""},
        {"\"ex:speed\":1,\"speed\":2", "/speed", "also as \"ex:speed\""},
        {"\"wert\":1", "/wert", "reserved"},
        {"\"ngsi-ld:observedAt\":1", "/ngsi-ld:observedAt", "reserved"},
        {"\"ort\":{\"type\":\"Property\",\"value\":1}", "/ort", "GeoProperty"},
        {"\"speed\":{\"type\":\"Property\",\"value\":1,\"wert\":2}", "/speed/wert", "twice"},
        {"\"speed\":{\"value\":1,\"x\":{\"value\":1},\"http://example.org/speed\":1,\"speed\":2}",
         "/speed/speed", "twice"},
        {NULL, NULL, NULL},
    };
    entity_members_refused(f, &r, CASES);
    context_unref(c);
}

static void a_proof_keeps_its_sealed_members(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    const char *text =
        "{\"id\":\"urn:x:1\",\"type\":\"Shop\",\"address\":{\"type\":\"Property\",\"value\":{"
        "\"city\":"
        "\"Jinan\"},\"ngsildproof\":{\"type\":\"Property\",\"entityIdSealed\":\"urn:x:1\","
        "\"entityTypeSealed\":\"Shop\",\"value\":{\"type\":\"DataIntegrityProof\",\"proofValue\":"
        "\"z3\"}}}}";
    struct entity *e = entity_read(f, &r, text);
    assert_int_equal(e->attrs[0].subs[0].sub_count, 2);
    struct represent normalized = entity_represent(f, context_core(), REPRESENT_NORMALIZED);
    entity_shows(f, &normalized, e, text);
    static const struct refused_case CASES[] = {
        {"\"ngsildproof\":{\"type\":\"Property\",\"value\":\"x\"}", "/ngsildproof/value",
         "must be an object"},
        {"\"ngsildproof\":\"x\"", "/ngsildproof", "must be a Property"},
        {"\"ngsildproof\":{\"type\":\"Relationship\",\"object\":\"urn:x:1\"}", "/ngsildproof",
         "must be a Property"},
        {"\"ngsildproof\":{\"value\":{},\"entityIdSealed\":5}", "/ngsildproof/entityIdSealed",
         "must be a URI"},
        {"\"ngsildproof\":{\"value\":{},\"entityTypeSealed\":5}", "/ngsildproof/entityTypeSealed",
         "expands to an IRI"},
        {"\"a\":{\"value\":1,\"entityIdSealed\":\"urn:x:1\"}", "/a/entityIdSealed",
         "belongs to ngsildproof"},
        {"\"entityTypeSealed\":\"T\"", "/entityTypeSealed", "reserved"},
        {NULL, NULL, NULL},
    };
    entity_members_refused(f, &r, CASES);
}

/* ---- refusals ---- */

static void entities_that_break_a_rule(void **state)
{
    static const struct refused_case CASES[] = {
        {"[]", "", "an entity must be an object, not an array"},
        {"{\"type\":\"T\"}", "", "needs an \"id\""},
        {"{\"id\":\"urn:x:1\"}", "", "needs a \"type\""},
        {"{\"id\":\"DTI-036\",\"type\":\"T\"}", "/id", "must be a URI"},
        {"{\"id\":7,\"type\":\"T\"}", "/id", "must be a URI"},
        {"{\"id\":\"urn:ngsi-ld:null\",\"type\":\"T\"}", "/id", "Null"},
        {"{\"id\":\"urn:x:1\",\"@id\":\"urn:x:1\",\"type\":\"T\"}", "/@id",
         "\"id\" is there twice"},
        {"{\"id\":\"urn:x:1\",\"type\":[]}", "/type", "at least one type"},
        {"{\"id\":\"urn:x:1\",\"type\":[\"T\",5]}", "/type/1", "name or an array of names"},
        {"{\"id\":\"urn:x:1\",\"type\":\"9Vehicle\"}", "/type", "begin with a letter"},
        {"{\"id\":\"urn:x:1\",\"type\":\"urn:ngsi-ld:null\"}", "/type", "cannot be removed"},
        {"{\"id\":\"urn:x:1\",\"type\":\"T\",\"type\":\"T\"}", "/type", "twice"},
        {NULL, NULL, NULL},
    };
    static const struct refused_case MEMBERS[] = {
        {"\"scope\":\"a-b\"", "/scope", "clause 4.18"},
        {"\"scope\":[]", "/scope", "at least one"},
        {"\"scope\":[\"/ok\",\"9bad\"]", "/scope/1", "clause 4.18"},
        {"\"scope\":\"urn:ngsi-ld:null\"", "/scope", "updates and merges only"},
        {"\"scope\":{\"value\":\"/a\"}", "/scope", "clause 4.18"},
        {"\"expiresAt\":\"tomorrow\"", "/expiresAt", "DateTime"},
        {"\"expiresAt\":\"2030-01-01T00:00:00+02:00\"", "/expiresAt", "DateTime"},
        {"\"expiresAt\":\"urn:ngsi-ld:null\"", "/expiresAt", "updates and merges only"},
        {"\"my attr\":1", "/my attr", "clause 4.6.2"},
        {"\"self-consumption\":1", "/self-consumption", "clause 4.6.2"},
        {"\"\":1", "/", "clause 4.6.2"},
        {"\"https://uri.etsi.org/ngsi-ld/default-context/a-b\":1",
         "/https:~1~1uri.etsi.org~1ngsi-ld~1default-context~1a-b", "\"a-b\" is no name"},
        {"\"@graph\":1", "/@graph", "reserved"},
        {"\"a\":1,\"a\":2", "/a", "twice"},
        {"\"observedAt\":{\"type\":\"Property\",\"value\":1}", "/observedAt", "reserved"},
        {"\"instanceId\":\"urn:x:1\"", "/instanceId", "reserved"},
        {"\"datasetId\":{\"value\":1}", "/datasetId", "reserved"},
        {"\"unitCode\":\"CEL\"", "/unitCode", "reserved"},
        {"\"value\":1", "/value", "reserved"},
        {"\"previousVocab\":1", "/previousVocab", "reserved"},
        {NULL, NULL, NULL},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    for (const struct refused_case *c = CASES; c->json; c++)
        entity_refused(f, &r, c);
    entity_members_refused(f, &r, MEMBERS);
}

static void attributes_that_break_a_rule(void **state)
{
    static const struct refused_case CASES[] = {
        {"\"a\":{\"type\":\"Property\"}", "/a", "a Property needs a member \"value\""},
        {"\"a\":{\"type\":\"Relationship\"}", "/a", "needs a member \"object\""},
        {"\"a\":{\"type\":\"LanguageProperty\"}", "/a", "needs a member \"languageMap\""},
        {"\"a\":{\"observedAt\":\"2020-01-01T00:00:00Z\"}", "/a", "needs a member \"value\""},
        {"\"a\":{\"type\":\"string\",\"value\":1}", "/a/type",
         "\"string\" is no type of attribute"},
        {"\"a\":{\"type\":\"Point\"}", "/a/type", "\"Point\" is no type of attribute"},
        {"\"a\":{\"type\":\"TemporalProperty\",\"value\":1}", "/a/type", "no type of attribute"},
        {"\"a\":{\"type\":[\"Property\"],\"value\":1}", "/a/type", "must be a string"},
        {"\"a\":{\"type\":\"Property\",\"@type\":\"Property\",\"value\":1}", "/a/@type", "twice"},
        {"\"a\":{\"value\":1,\"object\":\"urn:x:1\"}", "/a/object",
         "both \"value\" and \"object\""},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"object\":\"urn:x:1\"}", "/a/object",
         "a Property never has a member \"object\": it holds the target of a Relationship"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"languageMap\":{}}", "/a/languageMap", "never"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"objectType\":\"T\"}", "/a/objectType",
         "never"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"previousValue\":0}", "/a/previousValue",
         "output only"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"entity\":{}}", "/a/entity", "output only"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"lang\":\"fr\"}", "/a/lang", "output only"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"id\":\"urn:x:1\"}", "/a/id", "only entities"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"scope\":\"/a\"}", "/a/scope", "only entities"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"@context\":{}}", "/a/@context",
         "clause 5.5.7"},
        {"\"a\":{\"type\":\"Property\",\"value\":1,\"@index\":1}", "/a/@index", "keyword"},
        {"\"a\":{\"type\":\"Relationship\",\"object\":\"urn:x:1\",\"unitCode\":\"MTR\"}",
         "/a/unitCode", "no unit"},
        {"\"a\":{\"type\":\"Relationship\",\"object\":\"urn:x:1\",\"value\":1}", "/a/value",
         "never"},
        {"\"a\":{\"type\":\"Relationship\",\"object\":\"urn:x:1\",\"entityList\":[]}",
         "/a/entityList", "output only"},
        {"\"a\":{\"type\":\"Relationship\",\"object\":\"urn:x:1\",\"valueType\":\"x\"}",
         "/a/valueType", "never"},
        {"\"a\":{\"type\":\"ListProperty\",\"valueList\":[1],\"value\":3}", "/a/value", "never"},
        {"\"a\":{\"type\":\"JsonProperty\",\"json\":{},\"unitCode\":\"MTR\"}", "/a/unitCode",
         "no unit"},
        {"\"a\":{\"type\":\"VocabProperty\",\"vocab\":\"x\",\"unitCode\":\"MTR\"}", "/a/unitCode",
         "no unit"},
        {"\"a\":{\"type\":\"LanguageProperty\",\"languageMap\":{\"en\":\"x\"},\"unitCode\":"
         "\"MTR\"}",
         "/a/unitCode", "no unit"},
        {"\"a\":{\"value\":1,\"sub\":{\"type\":\"Nothing\",\"value\":1}}", "/a/sub/type",
         "no type"},
        {"\"a\":{\"value\":1,\"my sub\":1}", "/a/my sub", "clause 4.6.2"},
        {"\"a\":{\"value\":1,\"status \":{\"value\":2}}", "/a/status ", "clause 4.6.2"},
        {"\"location\":{\"type\":\"Property\",\"value\":7}", "/location", "clause 4.7.1"},
        {"\"location\":7", "/location", "GeoJSON geometry"},
        {"\"a\":{\"value\":1,\"observationSpace\":{\"object\":\"urn:x:1\"}}", "/a/observationSpace",
         "must be a GeoProperty"},
        {"\"a\":[{\"value\":1},{\"value\":2}]", "/a/1", "datasetId"},
        {"\"a\":[{\"value\":1},{\"value\":2,\"datasetId\":\"@none\"}]", "/a/1", "clause 4.5.5"},
        {"\"a\":[{\"value\":1,\"datasetId\":\"urn:d:2\"},{\"value\":2},{\"value\":3,\"datasetId\":"
         "\"urn:d:2\"}]",
         "/a/2", "share a datasetId"},
        {NULL, NULL, NULL},
    };
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    entity_members_refused(f, &r, CASES);
}

static const struct refused_case BAD_VALUES[] = {
    {"\"a\":null", "/a", "null is no value"},
    {"\"a\":{\"type\":\"Property\",\"value\":null}", "/a/value", "null is no value"},
    {"\"a\":{\"value\":{\"b\":[1,{\"c\":null}]}}", "/a/value/b/1/c", "null is no value"},
    {"\"a\":[null]", "/a/0", "null is no value"},
    {"\"a\":\"urn:ngsi-ld:null\"", "/a", "updates and merges only"},
    {"\"a\":{\"value\":\"urn:ngsi-ld:null\"}", "/a/value", "updates and merges only"},
    {"\"a\":{\"object\":\"urn:ngsi-ld:null\"}", "/a/object", "updates and merges only"},
    {"\"a\":{\"languageMap\":{\"@none\":\"urn:ngsi-ld:null\"}}", "/a/languageMap",
     "updates and merges only"},
    {"\"a\":{\"valueList\":[\"urn:ngsi-ld:null\"]}", "/a/valueList", "updates and merges only"},
    {"\"a\":{\"objectList\":[\"urn:ngsi-ld:null\"]}", "/a/objectList", "updates and merges only"},
    {"\"a\":{\"vocab\":\"urn:ngsi-ld:null\"}", "/a/vocab", "updates and merges only"},
    {"\"a\":{\"json\":\"urn:ngsi-ld:null\"}", "/a/json", "updates and merges only"},
    {"\"a\":{\"value\":1,\"sub\":{\"value\":\"urn:ngsi-ld:null\"}}", "/a/sub/value",
     "updates and merges only"},
    {"\"a\":{\"value\":1,\"unitCode\":\"urn:ngsi-ld:null\"}", "/a/unitCode",
     "updates and merges only"},
    {"\"a\":{\"value\":{\"b\":{\"c\":\"urn:ngsi-ld:null\"}}}", "/a/value/b/c", "merges only"},
    {"\"a\":{\"b\":1,\"b\":2}", "/a/b", "twice"},
    {"\"a\":{\"value\":{\"@context\":{}}}", "/a/value/@context", "clause 5.5.7"},
    {"\"a\":{\"object\":\"not a uri\"}", "/a/object", "a Relationship's object must be a URI"},
    {"\"a\":{\"object\":5}", "/a/object", "must be a URI"},
    {"\"a\":{\"object\":[]}", "/a/object", "one or more URIs"},
    {"\"a\":{\"object\":[\"urn:x:1\",\"x\"]}", "/a/object/1", "must be a URI"},
    {"\"a\":{\"object\":[\"urn:x:1\",\"urn:ngsi-ld:null\"]}", "/a/object/1", "Null"},
    {"\"a\":{\"objectList\":\"urn:x:1\"}", "/a/objectList", "must be an array"},
    {"\"a\":{\"objectList\":[{\"object\":\"urn:x:1\",\"x\":1}]}", "/a/objectList/0",
     "must be a URI"},
    {"\"a\":{\"objectList\":[{\"object\":\"no\"}]}", "/a/objectList/0", "must be a URI"},
    {"\"a\":{\"valueList\":5}", "/a/valueList", "must be an array"},
    {"\"a\":{\"valueList\":[null]}", "/a/valueList/0", "null is no value"},
    {"\"a\":{\"json\":5}", "/a/json", "must be an object or an array"},
    {"\"a\":{\"json\":null}", "/a/json", "must be an object or an array"},
    {"\"a\":{\"vocab\":5}", "/a/vocab", "string that expands to an IRI"},
    {"\"a\":{\"vocab\":[]}", "/a/vocab", "at least one"},
    {"\"a\":{\"vocab\":[\"x\",\"a b\"]}", "/a/vocab/1", "does not expand to an IRI"},
    {"\"a\":{\"languageMap\":[]}", "/a/languageMap", "must be an object"},
    {"\"a\":{\"languageMap\":{}}", "/a/languageMap", "at least one language"},
    {"\"a\":{\"languageMap\":{\"en\":5}}", "/a/languageMap/en", "strings or arrays of strings"},
    {"\"a\":{\"languageMap\":{\"en\":[\"a\",5]}}", "/a/languageMap/en/1", "strings"},
    {"\"a\":{\"languageMap\":{\"\":\"x\"}}", "/a/languageMap/", "RFC 5646"},
    {"\"a\":{\"languageMap\":{\"en_US\":\"x\"}}", "/a/languageMap/en_US", "RFC 5646"},
    {"\"a\":{\"languageMap\":{\"en\":\"a\",\"en\":\"b\"}}", "/a/languageMap/en", "twice"},
    {"\"a\":{\"languageMap\":{\"fr\":\"urn:ngsi-ld:null\",\"en\":\"x\"}}", "/a/languageMap/fr",
     "clause 4.6.5"},
    {"\"a\":{\"languageMap\":{\"en\":\"x\"},\"valueType\":\"string\"}", "/a/valueType",
     "langString"},
    {"\"a\":{\"type\":\"GeoProperty\",\"value\":5}", "/a/value", "GeoJSON geometry"},
    {"\"a\":{\"type\":\"GeoProperty\",\"value\":\"not a geometry\"}", "/a/value",
     "GeoJSON geometry"},
    {"\"a\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"GeometryCollection\","
     "\"geometries\":"
     "[]}}",
     "/a/value/type", "other than GeometryCollection"},
    {"\"a\":{\"type\":\"Point\",\"coordinates\":[200,0]}", "/a/coordinates/0", "longitude"},
    {"\"a\":{\"value\":1,\"observedAt\":\"2020-03-17TT08:45:00Z\"}", "/a/observedAt",
     "clause 4.6.3"},
    {"\"a\":{\"value\":1,\"observedAt\":\"2021-03-11T15:51:02+05:30\"}", "/a/observedAt",
     "clause 4.6.3"},
    {"\"a\":{\"value\":1,\"observedAt\":{\"value\":\"2020-01-01T00:00:00Z\"}}", "/a/observedAt",
     "clause 4.6.3"},
    {"\"a\":{\"value\":1,\"datasetId\":\"x\"}", "/a/datasetId", "URI or \"@none\""},
    {"\"a\":{\"value\":1,\"datasetId\":\"urn:ngsi-ld:null\"}", "/a/datasetId", "clause 5.5.8"},
    {"\"a\":{\"value\":1,\"unitCode\":5}", "/a/unitCode", "must be a string"},
    {"\"a\":{\"value\":1,\"unitCode\":\"\"}", "/a/unitCode", "must be a string"},
    {"\"a\":{\"value\":1,\"valueType\":[\"x\"]}", "/a/valueType", "expands to an IRI"},
    {"\"a\":{\"object\":\"urn:x:1\",\"objectType\":5}", "/a/objectType", "expands to an IRI"},
    {NULL, NULL, NULL},
};

static void values_that_break_a_rule(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    entity_members_refused(f, &r, BAD_VALUES);
}

static void the_first_fault_of_the_document_is_told(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    entity_read(f, &r, "{\"id\":\"urn:x:1\",\"type\":\"T\",\"early\":1,\"late\":2}");
    static const struct refused_case CASES[] = {
        {"\"late\":null,\"early\":null", "/late", "null"},
        {"\"early\":null,\"late\":null", "/early", "null"},
        {NULL, NULL, NULL},
    };
    entity_members_refused(f, &r, CASES);
}

static void where_an_entity_stands_is_part_of_pointers(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct at at = {NULL, STR_NONE, 12};
    struct entity e;
    struct why why = {0};
    const struct json *v =
        entity_json(f, "{\"id\":\"urn:x:1\",\"type\":\"T\",\"a\":{\"object\":5}}");
    assert_int_equal(reader_entity(&r, v, STR_NONE, &at, &e, &why), E_BAD_DATA);
    assert_string_equal(why.pointer, "/12/a/object");
    assert_int_equal(reader_entity(&r, v, STR_NONE, &at, &e, NULL), E_BAD_DATA);
}

/* ---- limits ---- */

static void limits_are_named(void **state)
{
    static const struct {
        const char *members, *limit;
    } CASES[] = {
        {"\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5", "limits.attributes"},
        {"\"a\":[{\"value\":1},{\"value\":2,\"datasetId\":\"urn:d:1\"},{\"value\":3,\"datasetId\":"
         "\"urn:d:2\"},{\"value\":4,\"datasetId\":\"urn:d:3\"},{\"value\":5,\"datasetId\":\"urn:d:"
         "4\"}]",
         "limits.attributes"},
        {"\"a\":{\"value\":1,\"b\":{\"value\":1,\"c\":1,\"d\":2,\"e\":3}}", "limits.attributes"},
        {"\"a\":{\"value\":1,\"b\":{\"value\":1,\"c\":{\"value\":1,\"d\":1}}}",
         "limits.attribute_depth"},
        {"\"scope\":[\"a\",\"b\",\"c\"]", "limits.scopes"},
        {"\"a2345678901234567890\":1", "limits.name_bytes"},
        {"\"a\":{\"object\":\"urn:x:4567890123456789\"}", "limits.name_bytes"},
        {"\"a\":{\"value\":1,\"datasetId\":\"urn:x:4567890123456789\"}", "limits.name_bytes"},
        {"\"a\":{\"vocab\":\"a2345678901234567890\"}", "limits.name_bytes"},
        {"\"a\":{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4],[5,6]]}",
         "limits.coordinates"},
    };
    static const struct reader_limits SMALL = {.attrs_max = 4,
                                               .depth_max = 2,
                                               .types_max = 2,
                                               .scopes_max = 2,
                                               .name_bytes_max = 16,
                                               .coordinates_max = 2};
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    r.limits = &SMALL;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct str text = arena_printf(f->arena, "{\"id\":\"urn:x:1\",\"type\":[\"T\",\"U\"],%s}",
                                       CASES[i].members);
        struct entity e;
        struct why why = {0};
        enum status st = reader_entity(&r, entity_json(f, text.p), STR_NONE, NULL, &e, &why);
        if (st != E_LIMIT || strcmp(why.limit, CASES[i].limit) != 0)
            fail_msg("%s: %s \"%s\" %s", text.p, status_name(st), why.limit, why.text);
    }
    entity_read(f, &r,
                "{\"id\":\"urn:x:1\",\"type\":[\"T\",\"U\",\"T\"],\"scope\":[\"a\",\"b\",\"a\"],"
                "\"a\":{\"value\":1,\"b\":{\"value\":1,\"c\":1}}}");
    static const struct refused_case TYPES = {"{\"id\":\"urn:x:1\",\"type\":[\"T\",\"U\",\"V\"]}",
                                              "/type/2", "at most 2 types"};
    entity_refused(f, &r, &TYPES);
}

static void too_many_names_are_not_interned(void **state)
{
    static const struct reader_limits SMALL = {
        .attrs_max = 2, .depth_max = 2, .types_max = 2, .name_bytes_max = 16};
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    r.limits = &SMALL;
    uint32_t before = terms_count(f->terms);
    static const struct refused_case CASES[] = {
        {"\"u1\":1,\"u2\":1,\"u3\":1,\"u4\":1,\"u5\":1", "", "at most 2"},
        {"\"u1\":{\"value\":1,\"u6\":1,\"u7\":1,\"u8\":1}", "/u1", "at most 2"},
        {NULL, NULL, NULL},
    };
    entity_members_refused(f, &r, CASES);
    assert_true(terms_count(f->terms) <= before + 4);
}

static void the_table_of_terms_may_be_full(void **state)
{
    struct fixture *f = *state;
    struct reader r = entity_reader(f, context_core(), READER_ENTITY);
    struct entity e;
    struct why why = {0};
    for (uint32_t i = terms_count(f->terms); i < 100000; i++)
        assert_true(terms_intern(f->terms, arena_printf(f->arena, "urn:filler:%u", i), &why));
    const struct json *v = entity_json(f, "{\"id\":\"urn:x:1\",\"type\":\"T\",\"brandNew\":1}");
    assert_int_equal(reader_entity(&r, v, STR_NONE, NULL, &e, &why), E_LIMIT);
    assert_string_equal(why.limit, "limits.terms");
    assert_int_equal(reader_entity(&r, v, STR_NONE, NULL, &e, NULL), E_LIMIT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(an_entity_has_id_types_scopes),
        T(attributes_stand_in_the_order_of_terms),
        T(many_attributes_are_sorted_too),
        T(kinds_are_said_or_inferred),
        T(numbers_without_fraction_are_integers),
        T(qualifying_members_are_kept),
        T(terms_go_by_meaning),
        T(a_proof_keeps_its_sealed_members),
        T(entities_that_break_a_rule),
        T(attributes_that_break_a_rule),
        T(values_that_break_a_rule),
        T(the_first_fault_of_the_document_is_told),
        T(where_an_entity_stands_is_part_of_pointers),
        T(limits_are_named),
        T(too_many_names_are_not_interned),
        T(the_table_of_terms_may_be_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
