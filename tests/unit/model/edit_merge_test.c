/* Merging: clauses 5.5.12 and 5.6.17, RFC 7396. */
#include "edit_fixture.h"

/* ---- 5.6.17 merge ---- */

/* 5.5.12 EXAMPLE 1. */
static void test_merge_keeps_what_is_not_given(void **state)
{
    (void)state;
    struct outcome o = change(EDIT_MERGE, make(TEMPERATURE),
                              "{'temperature':{'type':'Property','value':100,'observedAt':9}}");
    assert_exactly(o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'"
                      "temperature':[{'type':'Property','value':100,'unitCode':'CEL','observedAt':"
                      "9,'createdAt':100,'modifiedAt':200,'@seq':2}]}");
    assert_gives(
        change(EDIT_MERGE, make(TEMPERATURE), "{'temperature':{'unitCode':'urn:ngsi-ld:null'}}"),
        "{'type':['T'],'temperature':[{'type':'Property','value':25,'observedAt':7}]}");
}

/* 5.5.12 EXAMPLE 2. */
static void test_merge_goes_into_values(void **state)
{
    (void)state;
    const struct entity *old = make("{'type':['T'],'address':{'type':'Property','value':{'street':'"
                                    "Straße des 17. Juni','city':'Berlin','country':'Germany'}}}");
    assert_gives(change(EDIT_MERGE, old,
                        "{'address':{'type':'Property','value':{'street':'Pariser "
                        "Platz','country':'urn:ngsi-ld:null'}}}"),
                 "{'type':['T'],'address':[{'type':'Property','value':{'street':'Pariser "
                 "Platz','city':'Berlin'}}]}");
}

/* The table of RFC 7396 appendix A, with the NGSI-LD Null, one level down. */
static void test_merge_of_json_as_rfc_7396(void **state)
{
    (void)state;
#define N "'urn:ngsi-ld:null'"
    static const char *const CASES[][3] = {
        {"{'a':'b'}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}"},
        {"{'a':'b'}", "{'a':" N "}", "{}"},
        {"{'a':'b','b':'c'}", "{'a':" N "}", "{'b':'c'}"},
        {"{'a':['b']}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'c'}", "{'a':['b']}", "{'a':['b']}"},
        {"{'a':{'b':'c'}}", "{'a':{'b':'d','c':" N "}}", "{'a':{'b':'d'}}"},
        {"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}"},
        {"['a','b']", "['c','d']", "['c','d']"},
        {"{'a':'b'}", "['c']", "['c']"},
        {"{'a':'foo'}", "'bar'", "'bar'"},
        {"{'e':null}", "{'a':1}", "{'e':null,'a':1}"},
        {"[1,2]", "{'a':'b','c':" N "}", "{'a':'b'}"},
        {"'x'", "{'a':{'bb':{'ccc':" N "}}}", "{'a':{'bb':{}}}"},
        {"{'n':1,'r':1.5,'t':true}", "{'z':-0.25,'n':12345678901234}",
         "{'n':12345678901234,'r':1.5,'t':true,'z':-0.25}"},
        {"{}", "{'a':{'b':" N ",'c':[" N ",1]}}", "{'a':{'c':[" N ",1]}}"},
        {"{'a':1,'b':2}", "{'a':5,'a':6,'c':7,'c':" N "}", "{'a':6,'b':2}"},
        {"5", "{'b':" N "}", "{}"},
    };
#undef N
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *kinds[][2] = {{"Property", "value"}, {"JsonProperty", "json"}};
        for (int k = 0; k < 2; k++) {
            struct str form = STR("{'type':['T'],'a':[{'type':'%s','%s':%s}]}");
            const char *texts[3];
            for (int t = 0; t < 3; t++)
                texts[t] = arena_printf(arena, form.p, kinds[k][0], kinds[k][1], CASES[i][t]).p;
            assert_gives(change(EDIT_MERGE, make(texts[0]), texts[1]), texts[2]);
        }
        const char *fresh =
            arena_printf(arena, "{'a':{'type':'Property','value':%s}}", CASES[i][1]).p;
        if (!strstr(CASES[i][2], "urn")) { /* into nothing: no null is ever stored */
            struct outcome o = change(EDIT_MERGE, make("{'type':['T']}"), fresh);
            assert_null(strstr(json_text(arena, written(&o.entity)).p, "urn:ngsi-ld:null"));
        }
    }
}

/* 10,000 members into 10,000: work stays near linear. */
static void test_merge_of_wide_objects(void **state)
{
    (void)state;
    enum { WIDE = 10000 };
    struct buf old, patch;
    buf_init(&old, 1 << 22);
    buf_init(&patch, 1 << 22);
    buf_lit(&old, "{'type':['T'],'a':{'type':'Property','value':{'x':0");
    buf_lit(&patch, "{'a':{'type':'Property','value':{'y':0");
    for (int i = 0; i < WIDE; i++) {
        buf_printf(&old, ",'k%d':%d", i, i);
        buf_printf(&patch, i % 2 ? ",'k%d':'urn:ngsi-ld:null'" : ",'k%d':-1", i * 2);
    }
    buf_lit(&old, "}}}");
    buf_lit(&patch, "}}}");
    buf_char(&old, 0);
    buf_char(&patch, 0);
    struct outcome o = change(EDIT_MERGE, make(old.p), patch.p);
    /* a quarter is removed, as many are new */
    struct json *value = tree_parse(arena, entity_attr(&o.entity, term("a"), NULL)->value.text);
    assert_int_equal(value->n, 2 + WIDE);
    assert_int_equal(json_get(value, STR("k4"))->integer, -1);
    assert_null(json_get(value, STR("k6")));
    assert_int_equal(json_get(value, STR("k7"))->integer, 7);
    assert_int_equal(json_get(value, STR("k19996"))->integer, -1);
    buf_free(&old);
    buf_free(&patch);
}

static void test_merge_of_language_maps(void **state)
{
    (void)state;
    const struct entity *old = make(
        "{'type':['T'],'s':{'type':'LanguageProperty','languageMap':{'en':'a','zh':['b','c']}}}");
    assert_gives(
        change(EDIT_MERGE, old,
               "{'s':{'languageMap':{'en':'urn:ngsi-ld:null','fr':'d','zh':'e'}}}"),
        "{'type':['T'],'s':[{'type':'LanguageProperty','languageMap':{'zh':'e','fr':'d'}}]}");
    /* 5.6.17.4: the common language */
    assert_gives(
        change(EDIT_MERGE, old, "{'s':{'value':'x','@lang':'en'}}"),
        "{'type':['T'],'s':[{'type':'LanguageProperty','languageMap':{'en':'x','zh':['b','c']}}]}");
    assert_gives(change(EDIT_MERGE, old, "{'s':{'value':['x','y'],'@lang':'de'}}"),
                 "{'type':['T'],'s':[{'type':'LanguageProperty','languageMap':{'en':'a','zh':['b','"
                 "c'],'de':['x','y']}}]}");
    assert_refused(change(EDIT_MERGE, old, "{'s':{'value':5,'@lang':'de'}}"), E_BAD_DATA,
                   "attribute s is a LanguageProperty: its value is a string");
    assert_refused(change(EDIT_MERGE, old, "{'s':{'value':[5],'@lang':'de'}}"), E_BAD_DATA,
                   "a string");
    assert_refused(change(EDIT_MERGE, old, "{'s':'x'}"), E_BAD_DATA, "languageMap");
}

static void test_merge_replaces_geometries_and_lists(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'g':{'type':'GeoProperty','value':{'type':'Point','coordinates':[1,2]}}"
             ",'l':{'type':'ListProperty','valueList':[1,{'a':1}]},'m':{'type':'ListRelationship','"
             "objectList':['urn:x:1','urn:x:2']}}");
    const char *text = "{'type':['T'],'g':[{'type':'GeoProperty','value':{'type':'MultiPoint','"
                       "coordinates':[[1,2]]}}],'l':[{'type':'ListProperty','valueList':[2]}],'m':["
                       "{'type':'ListRelationship','objectList':['urn:x:3']}]}";
    assert_gives(change(EDIT_MERGE, old, text), text);
}

static void test_merge_of_sub_attributes(void **state)
{
    (void)state;
    const struct entity *old = make(
        "{'type':['T'],'a':{'type':'Property','value':1,'s':{'type':'Property','value':{'x':1},'"
        "unitCode':'CEL','u':{'type':'Property','value':4}},'t':{'type':'Property','value':2}}}");
    struct outcome o =
        change(EDIT_MERGE, old,
               "{'a':{'s':{'value':{'y':2,'x':'urn:ngsi-ld:null'},'u':'urn:ngsi-ld:null'},'t':{'"
               "observedAt':8},'n':{'type':'Property','value':{'q':'urn:ngsi-ld:null','r':1}}}}");
    assert_exactly(
        o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'a':[{'type':'"
           "Property','value':1,'createdAt':100,'modifiedAt':200,'@seq':2,'s':[{'type':'Property','"
           "value':{'y':2},'unitCode':'CEL','createdAt':100,'modifiedAt':200,'@seq':2}],'t':[{'"
           "type':'Property','value':2,'observedAt':8,'createdAt':100,'modifiedAt':200,'@seq':2}],'"
           "n':[{'type':'Property','value':{'r':1},'createdAt':200,'modifiedAt':200,'@seq':2}]}]}");
}

/* Another kind: what it cannot have goes with the old value, the rest stays. */
static void test_merge_to_another_kind(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'a':{'type':'Property','value':1,'unitCode':'CEL','valueType':'urn:t','"
             "observedAt':7,'s':{'type':'Property','value':2}}}");
    assert_gives(change(EDIT_MERGE, old, "{'a':{'type':'Relationship','object':'urn:x:1'}}"),
                 "{'type':['T'],'a':[{'type':'Relationship','object':'urn:x:1','observedAt':7,'s':["
                 "{'type':'Property','value':2}]}]}");
    assert_gives(change(EDIT_MERGE, old,
                        "{'a':{'type':'JsonProperty','json':{'x':1,'y':'urn:ngsi-ld:null'}}}"),
                 "{'type':['T'],'a':[{'type':'JsonProperty','json':{'x':1},'valueType':'urn:t','"
                 "observedAt':7,'s':[{'type':'Property','value':2}]}]}");
    assert_refused(change(EDIT_MERGE, old, "{'a':{'type':'Relationship'}}"), E_BAD_DATA,
                   "attribute a is a Property: it needs a value to become a Relationship");
    const struct entity *rel =
        make("{'type':['T'],'a':{'type':'Relationship','object':'urn:x:1','objectType':'urn:t'}}");
    assert_gives(change(EDIT_MERGE, rel, "{'a':{'type':'Property','value':3}}"),
                 "{'type':['T'],'a':[{'type':'Property','value':3}]}");
}

static void test_merge_without_a_value(void **state)
{
    (void)state;
    assert_gives(change(EDIT_MERGE, make(TEMPERATURE), "{'temperature':{'expiresAt':900}}"),
                 "{'type':['T'],'temperature':[{'type':'Property','value':25,'unitCode':'CEL','"
                 "observedAt':7,'expiresAt':900}]}");
    assert_refused(change(EDIT_MERGE, make(TEMPERATURE), "{'a':{'unitCode':'CEL'}}"), E_BAD_DATA,
                   "attribute a is not there yet: it needs a value");
}

/* 5.6.17.4: "the type of any pre-existing Attribute in the target entity shall be preserved". */
static void test_merge_of_simplified_values(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'r':{'type':'Relationship','object':'urn:x:1'},'g':{'type':'"
             "GeoProperty','value':{'type':'Point','coordinates':[1,2]}},'l':{'type':'ListProperty'"
             ",'valueList':[1]},'m':{'type':'ListRelationship','objectList':['urn:x:1']},'v':{'"
             "type':'VocabProperty','vocab':'urn:v'},'j':{'type':'JsonProperty','json':{'a':1}},'p'"
             ":{'type':'Property','value':1}}");
    struct outcome o = change(EDIT_MERGE, old,
                              "{'r':'urn:x:2','l':[4,5],'m':['urn:x:3','urn:x:4'],'j':{'value':{'b'"
                              ":2}},'p':'six','new':7}");
    assert_gives(
        o,
        "{'type':['T'],'r':[{'type':'Relationship','object':'urn:x:2'}],'g':[{'type':'GeoProperty',"
        "'value':{'type':'Point','coordinates':[1,2]}}],'l':[{'type':'ListProperty','valueList':[4,"
        "5]}],'m':[{'type':'ListRelationship','objectList':['urn:x:3','urn:x:4']}],'v':[{'type':'"
        "VocabProperty','vocab':'urn:v'}],'j':[{'type':'JsonProperty','json':{'a':1,'b':2}}],'p':[{"
        "'type':'Property','value':'six'}],'new':[{'type':'Property','value':7}]}");
    assert_gives(change(EDIT_MERGE, old, "{'r':['urn:x:2','urn:x:3']}"),
                 "{'type':['T'],'r':[{'type':'Relationship','object':['urn:x:2','urn:x:3']}],'g':[{"
                 "'type':'GeoProperty','value':{'type':'Point','coordinates':[1,2]}}],'l':[{'type':"
                 "'ListProperty','valueList':[1]}],'m':[{'type':'ListRelationship','objectList':['"
                 "urn:x:1']}],'v':[{'type':'VocabProperty','vocab':'urn:v'}],'j':[{'type':'"
                 "JsonProperty','json':{'a':1}}],'p':[{'type':'Property','value':1}]}");
    static const char *const BAD[][2] = {
        {"{'r':5}", "r is a Relationship: its value is a URI"},
        {"{'r':'no uri'}", "r is a Relationship: its value is a URI"},
        {"{'r':[]}", "array of URIs"},
        {"{'r':['urn:x:1',5]}", "array of URIs"},
        {"{'g':'x'}", "g is a GeoProperty: its value is a GeoJSON geometry"},
        {"{'l':5}", "l is a ListProperty: its value is an array"},
        {"{'m':[5]}", "m is a ListRelationship: its value is an array of URIs"},
        {"{'v':'x'}", "v is a VocabProperty: its value is vocab"},
        {"{'j':5}", "j is a JsonProperty: its value is a JSON object or array"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_refused(change(EDIT_MERGE, old, BAD[i][0]), E_BAD_DATA, BAD[i][1]);
}

/* A geometry that only looks like one stays the JSON value of a Property. */
static void test_geometry_for_a_property_is_json(void **state)
{
    (void)state;
    const struct entity *old = make("{'type':['T'],'p':{'type':'Property','value':{'a':1}}}");
    struct entity *fragment =
        tree("{'p':{'type':'GeoProperty','value':{'type':'Point','coordinates':[1,2]}}}");
    fragment->attrs[0].guesses = ATTR_GUESS_KIND;
    struct edit e = {.kind = EDIT_MERGE, .fragment = fragment};
    assert_gives(apply(e, old, NOW), "{'type':['T'],'p':[{'type':'Property','value':{'a':1,'type':'"
                                     "Point','coordinates':[1,2]}}]}");
}

/* 5.6.17.4: only an observedAt that was there follows the common one. */
static void test_merge_with_a_common_observed_at(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'a':{'type':'Property','value':1,'observedAt':7},'b':{'type':'Property'"
             ",'value':1},'c':{'type':'Property','value':1,'observedAt':7}}");
    assert_gives(
        change(EDIT_MERGE, old,
               "{'a':{'value':2,'@observedAt':9},'b':{'value':2,'@observedAt':9},'c':{'value':2,'"
               "observedAt':8,'@observedAt':9},'d':{'value':2,'@observedAt':9}}"),
        "{'type':['T'],'a':[{'type':'Property','value':2,'observedAt':9}],'b':[{'type':'Property','"
        "value':2}],'c':[{'type':'Property','value':2,'observedAt':8}],'d':[{'type':'Property','"
        "value':2}]}");
}

static void test_merge_without_overwriting(void **state)
{
    (void)state;
    struct outcome o =
        change_flags(EDIT_MERGE, EDIT_NO_OVERWRITE, make(TEMPERATURE),
                     "{'temperature':'urn:ngsi-ld:null','a':{'type':'Property','value':1}}");
    assert_gives(o, "{'type':['T'],'temperature':[{'type':'Property','value':25,'unitCode':'CEL','"
                    "observedAt':7}],'a':[{'type':'Property','value':1}]}");
    assert_note(&o, 0, "temperature", false);
}

static void test_merge_into_a_damaged_value(void **state)
{
    (void)state;
    struct entity *old = tree("{'type':['T'],'a':{'type':'Property','value':{'x':1}}}");
    old->attrs[0].value.text = STR("{'x':");
    assert_refused(change(EDIT_MERGE, old, "{'a':{'type':'Property','value':{'y':1}}}"), E_DAMAGED,
                   "urn:ngsi-ld:T:1");
}

static void test_nothing_given_changes_nothing(void **state)
{
    (void)state;
    enum edit_kind kinds[] = {EDIT_UPDATE, EDIT_APPEND, EDIT_MERGE, EDIT_UPSERT_UPDATE};
    for (int i = 0; i < 4; i++) {
        struct outcome o = change(kinds[i], make(TEMPERATURE), "{}");
        assert_true(o.result.status == OK && !o.result.changed && o.result.note_count == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDIT_TEST(test_merge_keeps_what_is_not_given),
        EDIT_TEST(test_merge_goes_into_values),
        EDIT_TEST(test_merge_of_json_as_rfc_7396),
        EDIT_TEST(test_merge_of_wide_objects),
        EDIT_TEST(test_merge_of_language_maps),
        EDIT_TEST(test_merge_replaces_geometries_and_lists),
        EDIT_TEST(test_merge_of_sub_attributes),
        EDIT_TEST(test_merge_to_another_kind),
        EDIT_TEST(test_merge_without_a_value),
        EDIT_TEST(test_merge_of_simplified_values),
        EDIT_TEST(test_geometry_for_a_property_is_json),
        EDIT_TEST(test_merge_with_a_common_observed_at),
        EDIT_TEST(test_merge_without_overwriting),
        EDIT_TEST(test_merge_into_a_damaged_value),
        EDIT_TEST(test_nothing_given_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
