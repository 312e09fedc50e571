/* Edits of single attributes, and what removes them: clauses 5.6.4, 5.6.5, 5.6.19, 5.6.21, 4.22. */
#include "edit_fixture.h"

/* ---- 5.6.4 partial update, 5.6.19 replacement, 5.6.5 deletion of an attribute ---- */

/* 5.5.8 EXAMPLE 1. */
static void test_partial_update_keeps_what_is_not_given(void **state)
{
    (void)state;
    struct outcome o = change_attr(EDIT_ATTR_UPDATE, make(TEMPERATURE), "temperature",
                                   "{'type':'Property','value':100,'observedAt':9}");
    assert_exactly(o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'"
                      "temperature':[{'type':'Property','value':100,'unitCode':'CEL','observedAt':"
                      "9,'createdAt':100,'modifiedAt':200,'@seq':2}]}");
}

static void test_partial_update_of_members(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'a':{'type':'Property','value':{'x':1},'unitCode':'CEL','valueType':'"
             "urn:t','observedAt':7,'expiresAt':900,'s':{'type':'Property','value':1,'unitCode':'"
             "CEL'},'t':{'type':'Property','value':2}}}");
    struct outcome o = change_attr(EDIT_ATTR_UPDATE, old, "a", "{'unitCode':'FAH'}");
    assert_exactly(
        o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'a':[{'type':'"
           "Property','value':{'x':1},'unitCode':'FAH','valueType':'urn:t','observedAt':7,'"
           "expiresAt':900,'createdAt':100,'modifiedAt':200,'@seq':2,'s':[{'type':'Property','"
           "value':1,'unitCode':'CEL','createdAt':100,'modifiedAt':100,'@seq':1}],'t':[{'type':'"
           "Property','value':2,'createdAt':100,'modifiedAt':100,'@seq':1}]}]}");
    /* the value is replaced, not merged; so are sub-attributes; nulls remove */
    o = change_attr(
        EDIT_ATTR_UPDATE, old, "a",
        "{'value':{'y':2},'unitCode':'urn:ngsi-ld:null','valueType':'urn:ngsi-ld:null','observedAt'"
        ":'urn:ngsi-ld:null','expiresAt':'urn:ngsi-ld:null','s':{'type':'Property','value':5},'t':'"
        "urn:ngsi-ld:null','u':{'type':'Property','value':6},'v':'urn:ngsi-ld:null'}");
    assert_gives(o, "{'type':['T'],'a':[{'type':'Property','value':{'y':2},'s':[{'type':'Property',"
                    "'value':5}],'u':[{'type':'Property','value':6}]}]}");
    assert_gives(change_attr(EDIT_ATTR_UPDATE, old, "a", "{'value':'urn:ngsi-ld:null'}"),
                 "{'type':['T']}");
}

static void test_partial_update_keeps_the_kind(void **state)
{
    (void)state;
    const struct entity *old = make(TEMPERATURE);
    assert_refused(change_attr(EDIT_ATTR_UPDATE, old, "temperature",
                               "{'type':'Relationship','object':'urn:x:1'}"),
                   E_BAD_DATA,
                   "temperature is a Property: a partial update cannot make it a Relationship");
    assert_refused(change_attr(EDIT_ATTR_UPDATE, old, "temperature", "{'objectType':'urn:t'}"),
                   E_BAD_DATA, "it has no objectType");
    const struct entity *other =
        make("{'type':['T'],'r':{'type':'Relationship','object':'urn:x:1'}}");
    assert_refused(change_attr(EDIT_ATTR_UPDATE, other, "r", "{'unitCode':'CEL'}"), E_BAD_DATA,
                   "attribute r is a Relationship: it has no unitCode");
    assert_refused(change_attr(EDIT_ATTR_UPDATE, other, "r", "{'valueType':'urn:t'}"), E_BAD_DATA,
                   "it has no valueType");
}

static void test_partial_update_of_what_is_not_there(void **state)
{
    (void)state;
    const struct entity *old = make(TEMPERATURE);
    assert_refused(change_attr(EDIT_ATTR_UPDATE, old, "a", "{'value':1}"), E_NOT_FOUND,
                   "entity urn:ngsi-ld:T:1 has no attribute a");
    assert_refused(
        change_attr(EDIT_ATTR_UPDATE, old, "temperature", "{'value':1,'datasetId':'urn:d:1'}"),
        E_NOT_FOUND, "has no attribute temperature with datasetId urn:d:1");
    assert_refused(change_attr(EDIT_ATTR_UPDATE, old, "temperature",
                               "[{'value':1},{'value':1,'datasetId':'urn:d:1'}]"),
                   E_NOT_FOUND, "urn:d:1");
    assert_refused(change_attr(EDIT_ATTR_UPDATE, old, "temperature", "{'s':{'unitCode':'CEL'}}"),
                   E_BAD_DATA, "attribute s is not there yet: it needs a value");
}

static void test_replacement_of_an_attribute(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'speed':[{'type':'Property','value':1,'unitCode':'KMH'},{'type':'"
             "Property','value':2,'datasetId':'urn:d:1'}]}");
    struct outcome o =
        change_attr(EDIT_ATTR_REPLACE, old, "speed", "{'type':'Relationship','object':'urn:x:1'}");
    assert_exactly(
        o,
        "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'speed':[{'type':'"
        "Relationship','object':'urn:x:1','createdAt':100,'modifiedAt':200,'@seq':2},{'type':'"
        "Property','value':2,'datasetId':'urn:d:1','createdAt':100,'modifiedAt':100,'@seq':1}]}");
    o = change_attr(
        EDIT_ATTR_REPLACE, old, "speed",
        "[{'type':'Property','value':9},{'type':'Property','value':9,'datasetId':'urn:d:3'}]");
    assert_gives(o, "{'type':['T'],'speed':[{'type':'Property','value':9},{'type':'Property','"
                    "value':2,'datasetId':'urn:d:1'}]}");
    assert_note(&o, 0, "speed", true);
    assert_note(&o, 1, "speed", false);
    assert_refused(change_attr(EDIT_ATTR_REPLACE, old, "speed",
                               "{'type':'Property','value':9,'datasetId':'urn:d:3'}"),
                   E_NOT_FOUND, "has no attribute speed with datasetId urn:d:3");
    assert_refused(change_attr(EDIT_ATTR_REPLACE, old, "a", "{'type':'Property','value':9}"),
                   E_NOT_FOUND, "has no attribute a");
}

static void test_deletion_of_an_attribute(void **state)
{
    (void)state;
    const struct entity *old = make("{'type':['T'],'scope':['/"
                                    "a'],'speed':[{'type':'Property','value':1},{'type':'Property',"
                                    "'value':2,'datasetId':'urn:d:1'}]}");
    struct edit e = {.kind = EDIT_ATTR_DELETE, .term = term("speed"), .dataset = STR("")};
    struct outcome o = apply(e, old, NOW);
    assert_gives(o, "{'type':['T'],'scope':['/"
                    "a'],'speed':[{'type':'Property','value':2,'datasetId':'urn:d:1'}]}");
    assert_refused(apply(e, stored(&o.entity, 2), NOW), E_NOT_FOUND, "has no attribute speed");
    assert_int_equal(o.entity.modified_at, NOW);
    e.dataset = STR("urn:d:1");
    assert_gives(apply(e, old, NOW),
                 "{'type':['T'],'scope':['/a'],'speed':[{'type':'Property','value':1}]}");
    e.dataset = STR("urn:d:2");
    assert_refused(apply(e, old, NOW), E_NOT_FOUND, "with datasetId urn:d:2");
    e.flags = EDIT_ALL_INSTANCES;
    assert_gives(apply(e, old, NOW), "{'type':['T'],'scope':['/a']}");
    e.term = term("a");
    assert_refused(apply(e, old, NOW), E_NOT_FOUND, "has no attribute a");
    e = (struct edit){.kind = EDIT_ATTR_DELETE, .flags = EDIT_SCOPE};
    o = apply(e, old, NOW);
    assert_int_equal(o.entity.scope_count, 0);
    assert_int_equal(o.entity.attr_count, 2);
    assert_refused(apply(e, make(TEMPERATURE), NOW), E_NOT_FOUND, "has no scope");
}

/* ---- 5.6.21 purge, 4.22 expiry ---- */

static void test_prune(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'scope':['/"
             "x'],'a':{'type':'Property','value':1},'b':[{'type':'Property','value':1},{'type':'"
             "Property','value':2,'datasetId':'urn:d:1'}],'c':{'type':'Property','value':1}}");
    uint32_t terms_named[] = {term("c"), term("b"), term("zzz")};
    struct edit e = {.kind = EDIT_PRUNE, .terms = terms_named, .term_count = 3};
    struct outcome o = apply(e, old, NOW);
    assert_gives(o, "{'type':['T'],'scope':['/x'],'a':[{'type':'Property','value':1}]}");
    assert_int_equal(o.entity.modified_at, NOW);
    assert_int_equal(o.entity.attrs[0].modified_at, CREATED);
    e.flags = EDIT_KEEP;
    assert_gives(apply(e, old, NOW),
                 "{'type':['T'],'scope':['/"
                 "x'],'b':[{'type':'Property','value':1},{'type':'Property','value':2,'datasetId':'"
                 "urn:d:1'}],'c':[{'type':'Property','value':1}]}");
    e.flags = EDIT_SCOPE;
    assert_gives(apply(e, old, NOW), "{'type':['T'],'a':[{'type':'Property','value':1}]}");
    e.terms = &terms_named[2];
    e.term_count = 1;
    assert_true(apply(e, old, NOW).result.changed);
    e.flags = 0;
    assert_false(apply(e, old, NOW).result.changed);
    e.flags = EDIT_KEEP;
    assert_gives(apply(e, old, NOW), "{'type':['T'],'scope':['/x']}");
}

static void test_expiry(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'expiresAt':300,'a':{'type':'Property','value':1,'expiresAt':200},'b':["
             "{'type':'Property','value':1},{'type':'Property','value':2,'datasetId':'urn:d:1','"
             "expiresAt':150}],'c':{'type':'Property','value':1,'expiresAt':201,'s':{'type':'"
             "Property','value':1,'expiresAt':150},'t':{'type':'Property','value':1}}}");
    struct edit e = {.kind = EDIT_EXPIRE};
    assert_false(apply(e, old, 149).result.changed);
    struct outcome o = apply(e, old, 200);
    assert_exactly(
        o, "{'type':['T'],'expiresAt':300,'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':"
           "1,'b':[{'type':'Property','value':1,'createdAt':100,'modifiedAt':100,'@seq':1}],'c':[{'"
           "type':'Property','value':1,'expiresAt':201,'createdAt':100,'modifiedAt':200,'@seq':1,'"
           "t':[{'type':'Property','value':1,'createdAt':100,'modifiedAt':100,'@seq':1}]}]}");
    assert_false(o.result.deleted);
    o = apply(e, old, 300);
    assert_true(o.result.changed && o.result.deleted);
}

static void test_unnamed_terms_in_refusals(void **state)
{
    (void)state;
    struct edit e = {.kind = EDIT_ATTR_DELETE, .id = ID, .term = term("zzz"), .dataset = STR("")};
    struct edit_result result;
    struct entity out;
    edit_apply(&e, make(TEMPERATURE), NOW, arena, &out, &result);
    assert_int_equal(result.status, E_NOT_FOUND);
    assert_string_equal(result.why->text, "entity urn:ngsi-ld:T:1 has no attribute");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDIT_TEST(test_partial_update_keeps_what_is_not_given),
        EDIT_TEST(test_partial_update_of_members),
        EDIT_TEST(test_partial_update_keeps_the_kind),
        EDIT_TEST(test_partial_update_of_what_is_not_there),
        EDIT_TEST(test_replacement_of_an_attribute),
        EDIT_TEST(test_deletion_of_an_attribute),
        EDIT_TEST(test_prune),
        EDIT_TEST(test_expiry),
        EDIT_TEST(test_unnamed_terms_in_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
