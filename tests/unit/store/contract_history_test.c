/* The contract of a store's history, whoever keeps it: what changes of entities leave behind, what clients record, what
 * queries find. Knows store.h and the model, no implementation. */
#include "contract.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

static struct fixture f;
static int64_t at_us; /* of the last change */

static int setup(void **state)
{
    (void)state;
    fixture_init(&f);
    context_setup(f.terms);
    contract_open(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    contract_close(&f);
    fixture_free(&f);
    return 0;
}

static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};

/* ---- writing ---- */

static struct edit_result edited(const struct edit *edit)
{
    at_us = f.now_us += 1000;
    return fixture_edit(&f, edit);
}

static struct edit_result change(enum edit_kind kind, const char *id, int64_t value)
{
    const struct entity *e = fixture_entity(&f, id, "T", "value", value);
    struct edit edit = {.kind = (uint8_t)kind, .id = e->id, .fragment = kind == EDIT_DELETE ? NULL : e};
    return edited(&edit);
}

static struct edit_result drop_value(const char *id)
{
    struct edit edit = {.kind = EDIT_ATTR_DELETE, .id = str_of(id), .term = fixture_term(&f, "value")};
    return edited(&edit);
}

static struct point point_of(int64_t value, int64_t observed_at)
{
    return (struct point){.attr = {.term = fixture_term(&f, "value"),
                                   .kind = ATTR_PROPERTY,
                                   .dataset = STR(""),
                                   .value = {.kind = VALUE_INT, .integer = value},
                                   .observed_at = observed_at,
                                   .expires_at = TIME_NONE,
                                   .created_at = TIME_NONE,
                                   .modified_at = TIME_NONE},
                          .deleted_at = TIME_NONE};
}

/* An evolution of instances of "value", observed at times that are their values. */
static struct evolution *evolution_of(const char *id, const int64_t *values, uint32_t n)
{
    struct evolution *e = arena_zalloc(f.arena, sizeof *e);
    *e = (struct evolution){.id = str_of(id),
                            .type_count = 1,
                            .types = arena_alloc(f.arena, sizeof *e->types),
                            .created_at = TIME_NONE,
                            .modified_at = TIME_NONE,
                            .deleted_at = TIME_NONE,
                            .expires_at = TIME_NONE,
                            .count = 1,
                            .series = arena_zalloc(f.arena, sizeof *e->series)};
    e->types[0] = fixture_term(&f, "T");
    *e->series = (struct series){.term = fixture_term(&f, "value"), .dataset = STR(""), .count = n};
    e->series->points = arena_array(f.arena, struct point, n);
    for (uint32_t i = 0; i < n; i++)
        e->series->points[i] = point_of(values[i], values[i]);
    return e;
}

static struct record_result record(struct record_edit *edit)
{
    struct record_result result = {0};
    struct store_record r = {
        .caller = &f.caller, .edits = edit, .count = 1, .results = &result, .arena = f.arena, .create_tenant = true};
    r.now_us = at_us = f.now_us += 1000;
    assert_int_equal(fixture_record(&f, &r), OK);
    return result;
}

static struct record_result put(enum record_edit_kind kind, const char *id, const int64_t *values, uint32_t n)
{
    struct record_edit edit = {.kind = (uint8_t)kind, .id = str_of(id), .fragment = evolution_of(id, values, n)};
    return record(&edit);
}

/* ---- reading ---- */

static enum status evolve(struct store_evolve *v)
{
    if (!v->time)
        v->time = &ALWAYS;
    if (!v->points_max)
        v->points_max = 1000;
    return fixture_evolve(&f, v);
}

/* Series `i` of the one evolution asked for. */
static const struct series *series_at(const char *id, uint32_t i)
{
    struct store_evolve v = {.id = str_of(id)};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 1);
    assert_true(i < v.evolutions[0].count);
    return &v.evolutions[0].series[i];
}

static void assert_values(const struct series *s, const int64_t *values, uint32_t n)
{
    assert_int_equal(s->count, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(s->points[i].attr.value.kind, VALUE_INT);
        assert_int_equal(s->points[i].attr.value.integer, values[i]);
    }
}
#define ASSERT_VALUES(s, ...) \
    assert_values(s, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define PUT(kind, id, ...) \
    put(kind, id, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* ---- changes of entities ---- */

static void test_changes_leave_instances(void **state)
{
    (void)state;
    uint64_t created = change(EDIT_CREATE, "urn:e:1", 7).seq;
    int64_t created_at = at_us;
    uint64_t updated = change(EDIT_UPDATE, "urn:e:1", 8).seq;
    const struct series *s = series_at("urn:e:1", 0);
    ASSERT_VALUES(s, 7, 8);
    assert_int_equal(s->points[0].attr.seq, created);
    assert_int_equal(s->points[1].attr.seq, updated);
    assert_int_equal(s->points[1].index, 0);
    assert_int_equal(s->points[1].attr.created_at, created_at);
    assert_int_equal(s->points[1].attr.modified_at, at_us);
    assert_int_equal(s->points[1].deleted_at, TIME_NONE);
}

static void test_same_value_again_is_an_instance(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    change(EDIT_UPDATE, "urn:e:1", 7);
    ASSERT_VALUES(series_at("urn:e:1", 0), 7, 7);
}

static void test_deletions_are_instances(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    int64_t created_at = at_us;
    uint64_t dropped = drop_value("urn:e:1").seq;
    const struct series *s = series_at("urn:e:1", 0);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->points[1].attr.value.kind, VALUE_NULL);
    assert_int_equal(s->points[1].attr.kind, ATTR_PROPERTY);
    assert_int_equal(s->points[1].attr.seq, dropped);
    assert_int_equal(s->points[1].deleted_at, at_us);
    assert_int_equal(s->points[1].attr.modified_at, at_us);
    assert_int_equal(s->points[1].attr.created_at, created_at);
    assert_int_equal(s->points[1].attr.observed_at, TIME_NONE);
    change(EDIT_DELETE, "urn:e:1", 0);
    struct store_evolve v = {.id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolutions[0].deleted_at, at_us);
    assert_int_equal(v.evolutions[0].series[0].count, 2); /* the attribute had ended before */
    change(EDIT_CREATE, "urn:e:1", 9);
    v = (struct store_evolve){.id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolutions[0].deleted_at, TIME_NONE);
    assert_int_equal(v.evolutions[0].created_at, at_us);
    assert_int_equal(v.evolutions[0].series[0].count, 3);
}

static void test_entity_ends_with_its_attributes(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    change(EDIT_DELETE, "urn:e:1", 0);
    const struct series *s = series_at("urn:e:1", 0);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->points[1].deleted_at, at_us);
}

static void test_scopes_are_a_series(void **state)
{
    (void)state;
    struct entity *e = fixture_entity(&f, "urn:e:1", "T", "value", 1);
    struct str scopes[] = {STR("/a/b"), STR("/c")};
    e->scopes = scopes;
    e->scope_count = 1;
    struct edit edit = {.kind = EDIT_CREATE, .id = e->id, .fragment = e};
    assert_int_equal(edited(&edit).status, OK);
    e->scope_count = 2;
    edit.kind = EDIT_REPLACE;
    assert_int_equal(edited(&edit).status, OK);
    edit = (struct edit){.kind = EDIT_ATTR_DELETE, .flags = EDIT_SCOPE, .id = e->id};
    assert_int_equal(edited(&edit).status, OK);
    const struct series *s = series_at("urn:e:1", 0);
    assert_int_equal(s->term, TERM_SCOPE);
    assert_int_equal(s->count, 3);
    assert_true(str_eq(s->points[0].attr.value.text, STR("/a/b")));
    assert_int_equal(s->points[0].attr.value.kind, VALUE_STRING);
    assert_true(str_eq(s->points[1].attr.value.text, STR("[\"/a/b\",\"/c\"]")));
    assert_int_equal(s->points[1].attr.observed_at, s->points[1].attr.modified_at);
    assert_int_equal(s->points[2].attr.value.kind, VALUE_NULL);
    assert_int_equal(s->points[2].deleted_at, at_us);
}

/* ---- evolutions that clients record ---- */

static void test_upsert_makes_then_extends(void **state)
{
    (void)state;
    struct record_result r = PUT(RECORD_EDIT_UPSERT, "urn:e:1", 30, 10);
    assert_true(r.status == OK && r.created && r.seq > 0);
    assert_null(fixture_get(&f, "urn:e:1")); /* no entity of today */
    int64_t first_at = at_us;
    r = PUT(RECORD_EDIT_UPSERT, "urn:e:1", 20);
    assert_true(r.status == OK && !r.created);
    const struct series *s = series_at("urn:e:1", 0);
    ASSERT_VALUES(s, 10, 20, 30);
    assert_int_equal(s->points[0].index, 1);
    assert_int_equal(s->points[2].index, 0);
    assert_int_equal(s->points[0].attr.seq, s->points[2].attr.seq);
    assert_int_equal(s->points[0].attr.created_at, first_at);
    assert_int_equal(s->points[1].attr.seq, r.seq);
    assert_int_equal(PUT(RECORD_EDIT_ADD, "urn:e:1", 40).status, OK);
    assert_int_equal(PUT(RECORD_EDIT_ADD, "urn:e:2", 40).status, E_NOT_FOUND);
}

static void test_entities_and_records_are_one_history(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    int64_t entity_at = at_us;
    struct record_result r = PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10);
    assert_true(r.status == OK && !r.created);
    ASSERT_VALUES(series_at("urn:e:1", 0), 10, 7); /* observed in 1970, and today */
    assert_int_equal(doc_modified_at(fixture_get(&f, "urn:e:1")), entity_at);
}

static void test_deletions_by_clients_have_a_time(void **state)
{
    (void)state;
    struct evolution *e = evolution_of("urn:e:1", (const int64_t[]){10, 20, 30}, 3);
    e->series->points[0].attr.value.kind = e->series->points[1].attr.value.kind = VALUE_NULL;
    e->series->points[0].deleted_at = 5;
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = e->id, .fragment = e};
    assert_int_equal(record(&edit).status, OK);
    const struct series *s = series_at("urn:e:1", 0);
    assert_int_equal(s->points[0].deleted_at, 5);
    assert_int_equal(s->points[1].deleted_at, 20);
    assert_int_equal(s->points[2].deleted_at, TIME_NONE);
}

static void test_attributes_are_forgotten(void **state)
{
    (void)state;
    struct evolution *e = evolution_of("urn:e:1", (const int64_t[]){10}, 1);
    struct series two[2] = {e->series[0], e->series[0]};
    struct point other = two[0].points[0];
    other.attr.dataset = two[1].dataset = STR("urn:d:1");
    two[1].points = &other;
    e->series = two;
    e->count = 2;
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = e->id, .fragment = e};
    assert_int_equal(record(&edit).status, OK);
    assert_true(str_eq(series_at("urn:e:1", 1)->dataset, STR("urn:d:1")));
    edit = (struct record_edit){
        .kind = RECORD_EDIT_DELETE_ATTR, .id = e->id, .term = fixture_term(&f, "value"), .dataset = STR("urn:d:2")};
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    edit.dataset = STR("");
    assert_int_equal(record(&edit).status, OK);
    assert_true(str_eq(series_at("urn:e:1", 0)->dataset, STR("urn:d:1")));
    edit.all_datasets = true;
    assert_int_equal(record(&edit).status, OK);
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    struct store_evolve v = {.id = e->id};
    assert_int_equal(evolve(&v), OK); /* the evolution stays, with nothing in it */
    assert_int_equal(v.evolutions[0].count, 0);
}

static struct record_edit of_instance(enum record_edit_kind kind, const char *id, const struct series *s, uint32_t i)
{
    struct record_edit edit = {.kind = (uint8_t)kind,
                               .id = str_of(id),
                               .term = s->term,
                               .instance_seq = s->points[i].attr.seq,
                               .instance_index = s->points[i].index};
    char text[INSTANCE_ID_MAX];
    size_t n = instance_id_write(edit.id, terms_iri(f.terms, s->term), s->dataset, edit.instance_seq, edit.instance_index, text);
    edit.instance_id = arena_dup(f.arena, (struct str){text, n});
    return edit;
}

static void test_instances_are_changed_and_forgotten(void **state)
{
    (void)state;
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10, 20, 30);
    int64_t created_at = at_us;
    struct record_edit edit = of_instance(RECORD_EDIT_MODIFY_INSTANCE, "urn:e:1", series_at("urn:e:1", 0), 1);
    edit.fragment = evolution_of("urn:e:1", (const int64_t[]){40}, 1);
    assert_int_equal(record(&edit).status, OK);
    const struct series *s = series_at("urn:e:1", 0);
    ASSERT_VALUES(s, 10, 30, 40);
    assert_int_equal(s->points[2].attr.seq, edit.instance_seq);
    assert_int_equal(s->points[2].index, edit.instance_index);
    assert_int_equal(s->points[2].attr.created_at, created_at);
    assert_int_equal(s->points[2].attr.modified_at, at_us);
    edit = of_instance(RECORD_EDIT_DELETE_INSTANCE, "urn:e:1", s, 0);
    edit.instance_id = STR("urn:ngsi-ld:Instance:1-0-0000000000000000");
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    edit = of_instance(RECORD_EDIT_DELETE_INSTANCE, "urn:e:1", s, 0);
    assert_int_equal(record(&edit).status, OK);
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    ASSERT_VALUES(series_at("urn:e:1", 0), 30, 40);
}

static void test_entities_instances_are_forgotten_too(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    change(EDIT_UPDATE, "urn:e:1", 8);
    struct record_edit edit = of_instance(RECORD_EDIT_DELETE_INSTANCE, "urn:e:1", series_at("urn:e:1", 0), 1);
    assert_int_equal(record(&edit).status, OK);
    ASSERT_VALUES(series_at("urn:e:1", 0), 7);
    edit = (struct record_edit){.kind = RECORD_EDIT_DELETE, .id = STR("urn:e:1")};
    assert_int_equal(record(&edit).status, OK);
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    struct store_evolve v = {.id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), E_NOT_FOUND);
    assert_non_null(fixture_get(&f, "urn:e:1"));
    change(EDIT_UPDATE, "urn:e:1", 9);
    ASSERT_VALUES(series_at("urn:e:1", 0), 9);
}

static void test_ends_are_recorded_of_what_is_no_entity(void **state)
{
    (void)state;
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10);
    struct record_edit edit = {.kind = RECORD_EDIT_MARK_DELETED, .id = STR("urn:e:1"), .term = fixture_term(&f, "value")};
    assert_int_equal(record(&edit).status, OK);
    const struct series *s = series_at("urn:e:1", 0);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->points[1].deleted_at, at_us);
    assert_int_equal(s->points[1].attr.value.kind, VALUE_NULL);
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    edit.whole = true;
    assert_int_equal(record(&edit).status, OK);
    assert_int_equal(record(&edit).status, E_NOT_FOUND);
    assert_int_equal(series_at("urn:e:1", 0)->count, 2);
    change(EDIT_CREATE, "urn:e:2", 1);
    edit.id = STR("urn:e:2");
    assert_int_equal(record(&edit).status, E_NOT_FOUND); /* it is there: its own deletion is recorded */
}

/* ---- queries ---- */

static void test_time_chooses_instances(void **state)
{
    (void)state;
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10, 20, 30);
    PUT(RECORD_EDIT_UPSERT, "urn:e:2", 30);
    struct temporal_query q = {
        .relation = TIMEREL_BETWEEN, .property = TIME_OBSERVED_AT, .must_have = true, .from_us = 10, .to_us = 30};
    struct store_evolve v = {.time = &q, .limit = 10, .count = true};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.total, 1);
    assert_int_equal(v.evolution_count, 1);
    ASSERT_VALUES(&v.evolutions[0].series[0], 10, 20);
    assert_int_equal(v.first_us, 10);
    assert_int_equal(v.last_us, 20);
    q.last_n = 1;
    v = (struct store_evolve){.time = &q, .id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), OK);
    ASSERT_VALUES(&v.evolutions[0].series[0], 20);
    v = (struct store_evolve){.time = &q, .id = STR("urn:e:2")};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolutions[0].count, 0);
}

static void test_attributes_and_datasets_choose_series(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    uint32_t other = fixture_term(&f, "other"), value = fixture_term(&f, "value");
    struct store_evolve v = {.terms = &other, .term_count = 1, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 0);
    v = (struct store_evolve){.terms = &value, .term_count = 1, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 1);
    struct str dataset = STR("urn:d:1");
    v = (struct store_evolve){.datasets = &dataset, .dataset_count = 1, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 1);
    assert_int_equal(v.evolutions[0].count, 0);
}

static struct order *order_of(const char *by, struct str collation)
{
    static const struct filter_limits LIMITS = {100, 10, 1000, 100};
    struct filter_reader r = {.context = context_core(), .limits = &LIMITS, .arena = f.arena};
    struct order *o;
    assert_int_equal(order_read(&r, str_of(by), collation, STR_NONE, STR_NONE, &o, NULL), OK);
    return o;
}

static void test_types_find_and_pages_follow_ids(void **state)
{
    (void)state;
    const char *const ids[] = {"urn:e:c", "urn:e:a", "urn:e:b"};
    for (int i = 0; i < 3; i++)
        PUT(RECORD_EDIT_UPSERT, ids[i], 10);
    struct store_evolve v = {.filter = fixture_of_type(&f, "T"), .limit = 2, .count = true};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 2);
    assert_true(v.more);
    assert_int_equal(v.total, 3);
    assert_true(str_eq(v.evolutions[0].id, STR("urn:e:a")));
    struct order *down = order_of("id;desc", STR_NONE);
    v = (struct store_evolve){.limit = 2, .offset = 2, .order = down};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 1);
    assert_false(v.more);
    assert_true(str_eq(v.evolutions[0].id, STR("urn:e:a")));
    order_free(down);
    v = (struct store_evolve){.filter = fixture_of_type(&f, "Unheard"), .limit = 2};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 0);
}

static void test_ids_are_collated(void **state)
{
    (void)state;
    const char *const ids[] = {"urn:e:b", "urn:e:B", "urn:e:a10", "urn:e:a9", "urn:e:\u00e4"};
    static const char *const PLAIN[] = {"urn:e:B", "urn:e:a10", "urn:e:a9", "urn:e:b", "urn:e:\u00e4"};
    static const char *const ROOT[] = {"urn:e:\u00e4", "urn:e:a10", "urn:e:a9", "urn:e:b", "urn:e:B"};
    static const char *const NUMERIC[] = {"urn:e:\u00e4", "urn:e:a9", "urn:e:a10", "urn:e:b", "urn:e:B"};
    for (int i = 0; i < 5; i++)
        PUT(RECORD_EDIT_UPSERT, ids[i], 10);
    struct order *orders[] = {NULL, order_of("id", STR_NONE), order_of("id", STR("und-u-kn-true"))};
    const char *const *const wanted[] = {PLAIN, ROOT, NUMERIC};
    for (int i = 0; i < 3; i++) {
        struct store_evolve v = {.limit = 5, .order = orders[i]};
        assert_int_equal(evolve(&v), OK);
        assert_int_equal(v.evolution_count, 5);
        for (int k = 0; k < 5; k++)
            assert_string_equal(v.evolutions[k].id.p, wanted[i][k]);
        order_free(orders[i]);
    }
}

static void test_among_some_ids_those_that_match_are_found_in_their_order(void **state)
{
    (void)state;
    const char *const ids[] = {"urn:e:c", "urn:e:a", "urn:e:b", "urn:e:d"};
    for (int i = 0; i < 4; i++)
        PUT(RECORD_EDIT_UPSERT, ids[i], 10);
    const struct str among[] = {STR("urn:e:d"), STR("urn:e:gone"), STR("urn:e:b"), STR("urn:e:a")};
    struct store_evolve v = {.among = among, .among_count = 4, .limit = 2, .count = true};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 2);
    assert_true(str_eq(v.evolutions[0].id, STR("urn:e:d")));
    assert_true(str_eq(v.evolutions[1].id, STR("urn:e:b")));
    assert_int_equal(v.total, 3);
    assert_true(v.more);
    assert_true(v.missed[1]);
    assert_false(v.missed[0] || v.missed[2] || v.missed[3]);
}

static void test_copies_are_as_they_were(void **state)
{
    (void)state;
    uint64_t before = PUT(RECORD_EDIT_UPSERT, "urn:e:other", 1).seq;
    struct evolution given = *evolution_of("urn:e:copy", (const int64_t[]){5, 10, 20}, 3);
    for (uint32_t i = 0; i < 3; i++) {
        given.series[0].points[i].index = 7 + i;
        given.series[0].points[i].attr.seq = before;
        given.series[0].points[i].attr.created_at = 100 + i;
        given.series[0].points[i].attr.modified_at = 200 + i;
    }
    given.created_at = 1000;
    given.modified_at = 2000;
    given.deleted_at = 3000;
    struct record_edit edit = {.kind = RECORD_EDIT_COPY, .id = given.id, .fragment = &given};
    struct record_result result = record(&edit);
    assert_true(result.status == OK && result.created);
    struct store_evolve v = {.id = STR("urn:e:copy"), .limit = 1};
    assert_int_equal(evolve(&v), OK);
    const struct evolution *got = &v.evolutions[0];
    assert_int_equal(got->count, 1);
    assert_int_equal(got->series[0].count, 3);
    assert_true(got->created_at == 1000 && got->modified_at == 2000 && got->deleted_at == 3000);
    for (uint32_t i = 0; i < 3; i++) {
        const struct point *p = &got->series[0].points[i];
        assert_true(p->attr.seq == before && p->index == 7 + i && p->attr.created_at == 100 + i &&
                    p->attr.modified_at == 200 + i);
    }
}

static void test_ids_alone_are_found_in_order(void **state)
{
    (void)state;
    const char *const ids[] = {"urn:e:c", "urn:e:a", "urn:e:b"};
    for (int i = 0; i < 3; i++)
        PUT(RECORD_EDIT_UPSERT, ids[i], 10);
    struct store_evolve v = {.ids_alone = true, .limit = 2, .offset = 1};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 2);
    assert_false(v.more);
    assert_true(str_eq(v.evolutions[0].id, STR("urn:e:b")));
    assert_true(str_eq(v.evolutions[1].id, STR("urn:e:c")));
}

/* Where instances stand in their series, whatever the property is. */
static void test_instances_are_found_by_place(void **state)
{
    (void)state;
    struct temporal_query q = ALWAYS;
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10, 30, 50, 70);
    q.by_place = true;
    q.property = TIME_DELETED_AT;
    q.from_us = 30;
    q.to_us = 70;
    struct store_evolve v = {.time = &q, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    ASSERT_VALUES(&v.evolutions[0].series[0], 30, 50);
    v = (struct store_evolve){.time = &q, .limit = 10, .points_max = 1};
    assert_int_equal(evolve(&v), OK);
    assert_true(v.partial);
    assert_int_equal(v.last_us, 30);
    ASSERT_VALUES(&v.evolutions[0].series[0], 30);
}

static void test_answers_have_a_most_of_instances(void **state)
{
    (void)state;
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10, 30, 50);
    PUT(RECORD_EDIT_UPSERT, "urn:e:2", 20, 40, 60);
    struct store_evolve v = {.limit = 10, .points_max = 3};
    assert_int_equal(evolve(&v), OK);
    assert_true(v.partial);
    assert_int_equal(v.first_us, 10);
    assert_int_equal(v.last_us, 30);
    ASSERT_VALUES(&v.evolutions[0].series[0], 10, 30);
    ASSERT_VALUES(&v.evolutions[1].series[0], 20);
    struct temporal_query q = ALWAYS;
    q.last_n = 2;
    v = (struct store_evolve){.time = &q, .limit = 10, .points_max = 3};
    assert_int_equal(evolve(&v), OK);
    assert_true(v.partial);
    assert_int_equal(v.first_us, 40);
    assert_int_equal(v.last_us, 60);
    ASSERT_VALUES(&v.evolutions[0].series[0], 50);
    ASSERT_VALUES(&v.evolutions[1].series[0], 40, 60);
}

static void test_values_are_asked_of_all_instances(void **state)
{
    (void)state;
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 1, 2, 3, 4, 5);
    struct name path = {.iri = STR("value"), .term = fixture_term(&f, "value")};
    struct operand five = {.kind = OPERAND_NUMBER, .number = 5};
    struct compare is_five = {.path_count = 1, .path = &path, .op = COMPARE_EQ, .operand_count = 1, .operands = &five};
    struct filter values = {.kind = FILTER_COMPARE, .compare = &is_five};
    struct store_evolve v = {.values = &values, .limit = 10, .points_max = 2};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 1); /* by one that the answer has no room for */
    assert_true(v.partial);
    ASSERT_VALUES(&v.evolutions[0].series[0], 1, 2);
}

static void test_scopes_bound_what_is_found(void **state)
{
    (void)state;
    struct evolution *e = evolution_of("urn:e:1", (const int64_t[]){15, 35}, 2);
    struct point scope = point_of(0, 20);
    struct series two[2] = {{.term = TERM_SCOPE, .dataset = STR(""), .count = 1, .points = &scope}, e->series[0]};
    scope.attr.term = TERM_SCOPE;
    scope.attr.value = (struct value){.kind = VALUE_STRING, .plain = true, .text = STR("/a")};
    e->series = two;
    e->count = 2;
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = e->id, .fragment = e};
    assert_int_equal(record(&edit).status, OK);
    struct str pattern = STR("/a");
    struct scope_all all = {1, &pattern};
    struct scope_expr expr = {1, &all};
    struct temporal_query q = {.relation = TIMEREL_AFTER, .must_have = true, .from_us = 10, .to_us = INT64_MAX};
    struct store_evolve v = {.time = &q, .scopes = &expr, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 1);
    ASSERT_VALUES(&v.evolutions[0].series[1], 35);
    q.from_us = 30; /* it was set before, and still is */
    v = (struct store_evolve){.time = &q, .scopes = &expr, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolutions[0].series[0].term, TERM_SCOPE);
    q = (struct temporal_query){.relation = TIMEREL_BEFORE, .must_have = true, .from_us = INT64_MIN, .to_us = 20};
    v = (struct store_evolve){.time = &q, .scopes = &expr, .limit = 10};
    assert_int_equal(evolve(&v), OK);
    assert_int_equal(v.evolution_count, 0);
}

static void test_tenants_remember_apart(void **state)
{
    (void)state;
    f.caller.tenant = STR("north");
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10);
    f.caller.tenant = STR("");
    struct store_evolve v = {.id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), E_NOT_FOUND);
    f.caller.tenant = STR("south");
    v = (struct store_evolve){.id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), E_NO_TENANT);
    assert_int_equal(fixture_drop_tenant(&f, "north"), OK);
    f.caller.tenant = STR("north");
    PUT(RECORD_EDIT_UPSERT, "urn:e:2", 10);
    v = (struct store_evolve){.id = STR("urn:e:1")};
    assert_int_equal(evolve(&v), E_NOT_FOUND);
    f.caller.tenant = STR("");
}

static void test_history_survives_reopening(void **state)
{
    (void)state;
    change(EDIT_CREATE, "urn:e:1", 7);
    change(EDIT_UPDATE, "urn:e:1", 8);
    PUT(RECORD_EDIT_UPSERT, "urn:e:1", 10);
    contract_reopen(&f);
    ASSERT_VALUES(series_at("urn:e:1", 0), 10, 7, 8);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_changes_leave_instances),
        CASE(test_same_value_again_is_an_instance),
        CASE(test_deletions_are_instances),
        CASE(test_entity_ends_with_its_attributes),
        CASE(test_scopes_are_a_series),
        CASE(test_upsert_makes_then_extends),
        CASE(test_entities_and_records_are_one_history),
        CASE(test_deletions_by_clients_have_a_time),
        CASE(test_attributes_are_forgotten),
        CASE(test_instances_are_changed_and_forgotten),
        CASE(test_entities_instances_are_forgotten_too),
        CASE(test_ends_are_recorded_of_what_is_no_entity),
        CASE(test_time_chooses_instances),
        CASE(test_attributes_and_datasets_choose_series),
        CASE(test_types_find_and_pages_follow_ids),
        CASE(test_ids_are_collated),
        CASE(test_among_some_ids_those_that_match_are_found_in_their_order),
        CASE(test_copies_are_as_they_were),
        CASE(test_ids_alone_are_found_in_order),
        CASE(test_instances_are_found_by_place),
        CASE(test_answers_have_a_most_of_instances),
        CASE(test_values_are_asked_of_all_instances),
        CASE(test_scopes_bound_what_is_found),
        CASE(test_tenants_remember_apart),
        CASE(test_history_survives_reopening),
    };
    return cmocka_run_group_tests_name("store/contract_history", tests, NULL, NULL);
}
