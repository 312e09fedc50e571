/* Edits of whole entities: clauses 5.6.1 to 5.6.3, 5.6.6, 5.6.8, 5.6.18, with types (4.16), scopes
 * (4.18), datasetIds (4.5.5) and expiry (4.22) in them. */
#include "edit_fixture.h"

/* ---- create, replace, upsert ---- */

static void test_create_sets_system_times(void **state)
{
    (void)state;
    struct outcome o = change(EDIT_CREATE, NULL,
                              "{'type':['T'],'a':{'type':'Property','value':1,'createdAt':5,'b':{'"
                              "type':'Property','value':2,'modifiedAt':5}}}");
    assert_exactly(o,
                   "{'type':['T'],'createdAt':200,'modifiedAt':200,'@seq':2,'@createdSeq':2,'a':[{'"
                   "type':'Property','value':1,'createdAt':200,'modifiedAt':200,'@seq':2,'b':[{'"
                   "type':'Property','value':2,'createdAt':200,'modifiedAt':200,'@seq':2}]}]}");
    assert_true(o.result.created);
    assert_true(str_eq(o.entity.id, ID));
}

static void test_create_of_an_existing_entity(void **state)
{
    (void)state;
    assert_refused(change(EDIT_CREATE, make(TEMPERATURE), TEMPERATURE), E_EXISTS,
                   "urn:ngsi-ld:T:1");
}

/* 5.6.18: nothing of the old content stays but the times of creation. */
static void test_replace_keeps_only_birth(void **state)
{
    (void)state;
    const struct entity *old = make("{'type':['T','U'],'scope':['/"
                                    "x'],'expiresAt':900,'a':{'type':'Property','value':1,'"
                                    "unitCode':'CEL','s':{'type':'Property','value':1},'t':{'type':"
                                    "'Property','value':1}},'b':{'type':'Property','value':1}}");
    enum edit_kind kinds[] = {EDIT_REPLACE, EDIT_UPSERT_REPLACE};
    for (int i = 0; i < 2; i++) {
        struct outcome o =
            change(kinds[i], old,
                   "{'type':['V'],'a':{'type':'Relationship','object':'urn:x:1','s':{'type':'"
                   "Property','value':2}},'c':{'type':'Property','value':3}}");
        assert_exactly(
            o, "{'type':['V'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'a':[{'"
               "type':'Relationship','object':'urn:x:1','createdAt':100,'modifiedAt':200,'@seq':2,'"
               "s':[{'type':'Property','value':2,'createdAt':100,'modifiedAt':200,'@seq':2}]}],'c':"
               "[{'type':'Property','value':3,'createdAt':200,'modifiedAt':200,'@seq':2}]}");
        assert_false(o.result.created);
    }
}

static void test_absent_entities(void **state)
{
    (void)state;
    enum edit_kind kinds[] = {EDIT_REPLACE, EDIT_APPEND, EDIT_UPDATE, EDIT_MERGE, EDIT_DELETE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        assert_refused(change(kinds[i], NULL, TEMPERATURE), E_NOT_FOUND, "urn:ngsi-ld:T:1");
    assert_refused(change_attr(EDIT_ATTR_UPDATE, NULL, "a", "{'value':1}"), E_NOT_FOUND, "entity");
    assert_refused(change_attr(EDIT_ATTR_REPLACE, NULL, "a", "{'value':1}"), E_NOT_FOUND, "entity");
    assert_refused(apply((struct edit){.kind = EDIT_ATTR_DELETE, .term = 1}, NULL, NOW),
                   E_NOT_FOUND, "entity");
    assert_refused(apply((struct edit){.kind = EDIT_PRUNE}, NULL, NOW), E_NOT_FOUND, "entity");
    struct outcome o = apply((struct edit){.kind = EDIT_EXPIRE}, NULL, NOW);
    assert_unchanged(o);
    enum edit_kind upserts[] = {EDIT_UPSERT_REPLACE, EDIT_UPSERT_UPDATE};
    for (int i = 0; i < 2; i++) {
        o = change(upserts[i], NULL, TEMPERATURE);
        assert_gives(o, TEMPERATURE);
        assert_true(o.result.created);
    }
}

static void test_delete(void **state)
{
    (void)state;
    struct outcome o = apply((struct edit){.kind = EDIT_DELETE}, make(TEMPERATURE), NOW);
    assert_true(o.result.status == OK && o.result.changed && o.result.deleted);
}

static void test_versions_and_types_as_conditions(void **state)
{
    (void)state;
    const struct entity *old = make(TEMPERATURE);
    struct edit e = {.kind = EDIT_UPDATE, .fragment = tree("{'a':{'type':'Property','value':1}}")};
    e.if_seq = 1;
    assert_int_equal(apply(e, old, NOW).result.status, OK);
    e.if_seq = 2;
    assert_refused(apply(e, old, NOW), E_CONFLICT, "changed in the meantime");
    e.kind = EDIT_UPSERT_UPDATE;
    assert_refused(apply(e, NULL, NOW), E_CONFLICT, "not there any more");
    e.kind = EDIT_UPDATE;
    e.if_seq = 0;
    struct name name = {STR("T"), term("T")};
    struct type_all all = {1, &name};
    struct type_expr type = {1, &all};
    e.only_type = &type;
    assert_int_equal(apply(e, old, NOW).result.status, OK);
    name = (struct name){STR("U"), term("U")};
    assert_refused(apply(e, old, NOW), E_NOT_FOUND, "of the requested type");
}

/* ---- 5.6.2 update, 5.6.3 append ---- */

/* 5.5.8 EXAMPLE 2. */
static void test_update_replaces_the_whole_attribute(void **state)
{
    (void)state;
    struct outcome o = change(EDIT_UPDATE, make(TEMPERATURE),
                              "{'temperature':{'type':'Property','value':100,'observedAt':9}}");
    assert_exactly(
        o,
        "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'temperature':[{'"
        "type':'Property','value':100,'observedAt':9,'createdAt':100,'modifiedAt':200,'@seq':2}]}");
    assert_int_equal(o.result.note_count, 1);
    assert_note(&o, 0, "temperature", true);
}

/* 5.5.8 EXAMPLE 3, in all forms of clause 4.5.0. */
static void test_update_with_null_deletes(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'a':{'type':'Property','value':1},'b':{'type':'LanguageProperty','"
             "languageMap':{'en':'x'}},'c':{'type':'ListProperty','valueList':[1]},'d':{'type':'"
             "Relationship','object':'urn:x:1'},'e':{'type':'Property','value':1}}");
    const char *fragment =
        "{'a':{'type':'Property','value':'urn:ngsi-ld:null'},'b':{'languageMap':{'@none':'urn:ngsi-"
        "ld:null'}},'c':{'valueList':['urn:ngsi-ld:null']},'d':'urn:ngsi-ld:null'}";
    enum edit_kind kinds[] = {EDIT_UPDATE, EDIT_MERGE};
    for (int i = 0; i < 2; i++) {
        struct outcome o = change(kinds[i], old, fragment);
        assert_exactly(
            o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'e':[{'"
               "type':'Property','value':1,'createdAt':100,'modifiedAt':100,'@seq':1}]}");
        for (uint32_t k = 0; k < 4; k++)
            assert_true(o.result.notes[k].done);
    }
}

static void test_deleting_what_is_not_there(void **state)
{
    (void)state;
    enum edit_kind kinds[] = {EDIT_UPDATE, EDIT_MERGE};
    for (int i = 0; i < 2; i++) {
        struct outcome o = change(kinds[i], make(TEMPERATURE), "{'a':'urn:ngsi-ld:null'}");
        assert_unchanged(o);
        assert_note(&o, 0, "a", false);
        o = change(kinds[i], make(TEMPERATURE),
                   "{'temperature':{'value':'urn:ngsi-ld:null','datasetId':'urn:d:1'}}");
        assert_unchanged(o);
    }
}

static void test_the_last_attribute_may_go(void **state)
{
    (void)state;
    assert_gives(change(EDIT_UPDATE, make(TEMPERATURE), "{'temperature':'urn:ngsi-ld:null'}"),
                 "{'type':['T']}");
}

/* 4.5.5: only the instance of the same datasetId is meant, the default one where none is given. */
static void test_instances_are_apart(void **state)
{
    (void)state;
    const struct entity *old =
        make("{'type':['T'],'speed':[{'type':'Property','value':1},{'type':'Property','value':2,'"
             "datasetId':'urn:d:1'},{'type':'Property','value':3,'datasetId':'urn:d:2'}]}");
    const char *fragment = "{'speed':[{'type':'Property','value':20,'datasetId':'urn:d:1'},{'type':"
                           "'Property','value':40,'datasetId':'urn:d:4'}]}";
    const char *expected =
        "{'type':['T'],'speed':[{'type':'Property','value':1},{'type':'Property','value':20,'"
        "datasetId':'urn:d:1'},{'type':'Property','value':3,'datasetId':'urn:d:2'},{'type':'"
        "Property','value':40,'datasetId':'urn:d:4'}]}";
    enum edit_kind kinds[] = {EDIT_UPDATE, EDIT_APPEND, EDIT_MERGE, EDIT_UPSERT_UPDATE};
    for (int i = 0; i < 4; i++)
        assert_gives(change(kinds[i], old, fragment), expected);
    assert_gives(change(EDIT_UPDATE, old, "{'speed':'urn:ngsi-ld:null'}"),
                 "{'type':['T'],'speed':[{'type':'Property','value':2,'datasetId':'urn:d:1'},{'"
                 "type':'Property','value':3,'datasetId':'urn:d:2'}]}");
    assert_gives(
        change(EDIT_MERGE, old, "{'speed':{'value':'urn:ngsi-ld:null','datasetId':'urn:d:1'}}"),
        "{'type':['T'],'speed':[{'type':'Property','value':1},{'type':'Property','value':3,'"
        "datasetId':'urn:d:2'}]}");
}

static void test_append_without_overwriting(void **state)
{
    (void)state;
    const struct entity *old = make(TEMPERATURE);
    struct outcome o =
        change_flags(EDIT_APPEND, EDIT_NO_OVERWRITE, old,
                     "{'temperature':[{'type':'Property','value':1},{'type':'Property','value':2,'"
                     "datasetId':'urn:d:1'}],'a':{'type':'Property','value':3}}");
    assert_exactly(o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'"
                      "temperature':[{'type':'Property','value':25,'unitCode':'CEL','observedAt':7,"
                      "'createdAt':100,'modifiedAt':100,'@seq':1},{'type':'Property','value':2,'"
                      "datasetId':'urn:d:1','createdAt':200,'modifiedAt':200,'@seq':2}],'a':[{'"
                      "type':'Property','value':3,'createdAt':200,'modifiedAt':200,'@seq':2}]}");
    assert_int_equal(o.result.note_count, 3);
    assert_note(&o, 0, "temperature", false);
    assert_note(&o, 1, "temperature", true);
    assert_true(str_eq(o.result.notes[1].dataset, STR("urn:d:1")));
    assert_note(&o, 2, "a", true);

    o = change_flags(EDIT_APPEND, EDIT_NO_OVERWRITE, old,
                     "{'temperature':{'type':'Property','value':1}}");
    assert_unchanged(o);
    assert_note(&o, 0, "temperature", false);
    assert_gives(change(EDIT_APPEND, old, "{'temperature':{'type':'Property','value':1}}"),
                 "{'type':['T'],'temperature':[{'type':'Property','value':1}]}");
}

static void test_types_are_added_never_removed(void **state)
{
    (void)state;
    const struct entity *old = make("{'type':['T','U']}");
    enum edit_kind kinds[] = {EDIT_UPDATE, EDIT_APPEND, EDIT_MERGE, EDIT_UPSERT_UPDATE};
    for (int i = 0; i < 4; i++) {
        assert_gives(change(kinds[i], old, "{'type':['V','U','W']}"), "{'type':['T','U','V','W']}");
        struct outcome o = change(kinds[i], old, "{'type':['U']}");
        assert_unchanged(o);
    }
    assert_gives(change_flags(EDIT_APPEND, EDIT_NO_OVERWRITE, old, "{'type':['V']}"),
                 "{'type':['T','U','V']}");
}

static void test_scopes(void **state)
{
    (void)state;
    const struct entity *with = make("{'type':['T'],'scope':['/a','/b']}");
    const struct entity *without = make("{'type':['T']}");
    const char *fragment = "{'scope':['/b','/c']}",
               *replaced = "{'type':['T'],'scope':['/b','/c']}";
    struct outcome o;
    enum edit_kind all[] = {EDIT_UPDATE, EDIT_UPSERT_UPDATE, EDIT_APPEND, EDIT_MERGE};
    for (int i = 0; i < 4; i++) {
        o = change(all[i], with, fragment);
        assert_gives(o, replaced);
        assert_note(&o, 0, NULL, true);
        o = change(all[i], without, fragment);
        if (i < 2) { /* 5.6.2.4: "otherwise ignore it" */
            assert_unchanged(o);
            assert_note(&o, 0, NULL, false);
        } else {
            assert_gives(o, replaced);
        }
    }
    enum edit_kind adding[] = {EDIT_APPEND, EDIT_MERGE};
    for (int i = 0; i < 2; i++) {
        assert_gives(change_flags(adding[i], EDIT_NO_OVERWRITE, with, fragment),
                     "{'type':['T'],'scope':['/a','/b','/c']}");
        assert_gives(change_flags(adding[i], EDIT_NO_OVERWRITE, without, fragment), replaced);
        o = change_flags(adding[i], EDIT_NO_OVERWRITE, with, "{'scope':'/a'}");
        assert_unchanged(o);
    }
    enum edit_kind nulls[] = {EDIT_UPDATE, EDIT_MERGE};
    for (int i = 0; i < 2; i++) {
        assert_gives(change(nulls[i], with, "{'scope':'urn:ngsi-ld:null'}"), "{'type':['T']}");
        o = change(nulls[i], without, "{'scope':'urn:ngsi-ld:null'}");
        assert_unchanged(o);
        assert_note(&o, 0, NULL, false);
    }
}

static void test_expiry_of_the_entity(void **state)
{
    (void)state;
    const struct entity *with = make("{'type':['T'],'expiresAt':900}"),
                        *without = make("{'type':['T']}");
    enum edit_kind kinds[] = {EDIT_UPDATE, EDIT_MERGE, EDIT_APPEND};
    for (int i = 0; i < 3; i++) {
        assert_gives(change(kinds[i], without, "{'expiresAt':800}"),
                     "{'type':['T'],'expiresAt':800}");
        assert_gives(change(kinds[i], with, "{'expiresAt':800}"), "{'type':['T'],'expiresAt':800}");
        assert_gives(change(kinds[i], with, "{'a':{'type':'Property','value':1}}"),
                     "{'type':['T'],'expiresAt':900,'a':[{'type':'Property','value':1}]}");
    }
    assert_gives(change(EDIT_MERGE, with, "{'expiresAt':'urn:ngsi-ld:null'}"), "{'type':['T']}");
    assert_false(change(EDIT_MERGE, without, "{'expiresAt':'urn:ngsi-ld:null'}").result.changed);
    assert_false(
        change_flags(EDIT_APPEND, EDIT_NO_OVERWRITE, with, "{'expiresAt':800}").result.changed);
    assert_gives(change(EDIT_REPLACE, with, "{'type':['T']}"), "{'type':['T']}");
}

/* Sub-attributes of a replaced attribute that stay keep their birth; null ones are left out. */
static void test_sub_attributes_of_replaced_attributes(void **state)
{
    (void)state;
    const struct entity *old = make(
        "{'type':['T'],'a':{'type':'Property','value':1,'s':[{'type':'Property','value':1},{'type':"
        "'Property','value':2,'datasetId':'urn:d:1'}],'t':{'type':'Property','value':3}}}");
    struct outcome o =
        change(EDIT_UPDATE, old,
               "{'a':{'type':'Property','value':1,'s':{'type':'Property','value':1,'datasetId':'"
               "urn:d:1','u':{'type':'Property','value':5}},'t':'urn:ngsi-ld:null'}}");
    assert_exactly(
        o, "{'type':['T'],'createdAt':100,'modifiedAt':200,'@seq':2,'@createdSeq':1,'a':[{'type':'"
           "Property','value':1,'createdAt':100,'modifiedAt':200,'@seq':2,'s':[{'type':'Property',"
           "'value':1,'datasetId':'urn:d:1','createdAt':100,'modifiedAt':200,'@seq':2,'u':[{'type'"
           ":'Property','value':5,'createdAt':200,'modifiedAt':200,'@seq':2}]}]}]}");
}

static void test_time_never_runs_back(void **state)
{
    (void)state;
    struct edit e = {.kind = EDIT_UPDATE, .fragment = tree("{'a':{'type':'Property','value':1}}")};
    struct outcome o = apply(e, make(TEMPERATURE), CREATED - 50);
    assert_int_equal(o.entity.modified_at, CREATED);
    assert_int_equal(entity_attr(&o.entity, term("a"), NULL)->created_at, CREATED);
    assert_int_equal(entity_attr(&o.entity, term("a"), NULL)->modified_at, CREATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDIT_TEST(test_create_sets_system_times),
        EDIT_TEST(test_create_of_an_existing_entity),
        EDIT_TEST(test_replace_keeps_only_birth),
        EDIT_TEST(test_absent_entities),
        EDIT_TEST(test_delete),
        EDIT_TEST(test_versions_and_types_as_conditions),
        EDIT_TEST(test_update_replaces_the_whole_attribute),
        EDIT_TEST(test_update_with_null_deletes),
        EDIT_TEST(test_deleting_what_is_not_there),
        EDIT_TEST(test_the_last_attribute_may_go),
        EDIT_TEST(test_instances_are_apart),
        EDIT_TEST(test_append_without_overwriting),
        EDIT_TEST(test_types_are_added_never_removed),
        EDIT_TEST(test_scopes),
        EDIT_TEST(test_expiry_of_the_entity),
        EDIT_TEST(test_sub_attributes_of_replaced_attributes),
        EDIT_TEST(test_time_never_runs_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
