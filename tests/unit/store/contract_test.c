/* The contract of a store, whoever keeps it. Knows store.h and the model, no implementation. */
#include "contract.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fixture f;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f);
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

static struct edit_result create(const char *id, const char *type, int64_t value)
{
    struct edit e = fixture_create(&f, id, type, value);
    return fixture_edit(&f, &e);
}

static struct edit_result edit_of(enum edit_kind kind, const char *id, int64_t value)
{
    const struct entity *e = fixture_entity(&f, id, "T", "value", value);
    struct edit edit = {
        .kind = (uint8_t)kind, .id = e->id, .fragment = kind == EDIT_DELETE ? NULL : e};
    return fixture_edit(&f, &edit);
}

static int64_t value_of(const char *id)
{
    const struct doc *d = fixture_get(&f, id);
    assert_non_null(d);
    struct value v;
    doc_attr_value(d, doc_find_attr(d, fixture_term(&f, "value")), &v);
    return v.integer;
}

static struct filter *above(double limit)
{
    struct compare *c = arena_zalloc(f.arena, sizeof *c);
    c->path_count = 1;
    c->path = arena_zalloc(f.arena, sizeof *c->path);
    c->path[0] = (struct name){STR("value"), terms_find(f.terms, STR("value"))};
    c->op = COMPARE_GT;
    c->operand_count = 1;
    c->operands = arena_zalloc(f.arena, sizeof *c->operands);
    c->operands[0] = (struct operand){.kind = OPERAND_NUMBER, .number = limit};
    struct filter *x = arena_zalloc(f.arena, sizeof *x);
    x->kind = FILTER_COMPARE;
    x->compare = c;
    return x;
}

static void assert_page(const struct store_query *q, uint32_t first, uint32_t n, uint32_t stride)
{
    assert_int_equal(q->doc_count, n);
    for (uint32_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:e:%u", first + i * stride);
        assert_true(str_eq(doc_id(q->docs[i]), str_of(id)));
    }
}

/* urn:e:0 … n-1, even ones of type A, odd ones B. */
static void fill(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:e:%u", i);
        assert_int_equal(create(id, i % 2 ? "B" : "A", i).status, OK);
    }
}

/* ---- entities ---- */

static void test_create_then_get(void **state)
{
    (void)state;
    assert_null(fixture_get(&f, "urn:e:1"));
    struct edit_result r = create("urn:e:1", "T", 7);
    assert_int_equal(r.status, OK);
    assert_true(r.created && r.changed && !r.deleted);
    assert_true(r.seq > 0);
    assert_int_equal(value_of("urn:e:1"), 7);
    const struct doc *d = fixture_get(&f, "urn:e:1");
    assert_int_equal(doc_seq(d), r.seq);
    assert_int_equal(doc_created_seq(d), r.seq);
    assert_int_equal(store_seq(f.store), r.seq);
}

static void test_create_twice_is_refused(void **state)
{
    (void)state;
    create("urn:e:1", "T", 7);
    uint64_t seq = store_seq(f.store);
    struct edit_result r = create("urn:e:1", "T", 8);
    assert_int_equal(r.status, E_EXISTS);
    assert_non_null(r.why);
    assert_false(r.changed);
    assert_int_equal(value_of("urn:e:1"), 7);
    assert_int_equal(store_seq(f.store), seq);
}

static void test_update_makes_a_later_version(void **state)
{
    (void)state;
    uint64_t created = create("urn:e:1", "T", 7).seq;
    struct edit_result r = edit_of(EDIT_UPDATE, "urn:e:1", 9);
    assert_int_equal(r.status, OK);
    assert_true(r.seq > created && !r.created);
    const struct doc *d = fixture_get(&f, "urn:e:1");
    assert_int_equal(doc_seq(d), r.seq);
    assert_int_equal(doc_created_seq(d), created);
    assert_true(doc_modified_at(d) > doc_created_at(d));
    assert_int_equal(value_of("urn:e:1"), 9);
    assert_int_equal(edit_of(EDIT_UPDATE, "urn:e:2", 9).status, E_NOT_FOUND);
}

static void test_delete_and_create_anew(void **state)
{
    (void)state;
    create("urn:e:1", "T", 7);
    create("urn:e:2", "T", 7);
    struct edit_result r = edit_of(EDIT_DELETE, "urn:e:1", 0);
    assert_int_equal(r.status, OK);
    assert_true(r.deleted && r.changed);
    assert_null(fixture_get(&f, "urn:e:1"));
    assert_int_equal(edit_of(EDIT_DELETE, "urn:e:1", 0).status, E_NOT_FOUND);
    create("urn:e:1", "T", 8);
    struct store_query q = {.limit = 10};
    assert_int_equal(fixture_query(&f, &q), OK); /* it is the youngest now */
    assert_int_equal(q.doc_count, 2);
    assert_true(str_eq(doc_id(q.docs[1]), STR("urn:e:1")));
}

static void test_versions_are_preconditions(void **state)
{
    (void)state;
    uint64_t seq = create("urn:e:1", "T", 1).seq;
    const struct entity *e = fixture_entity(&f, "urn:e:1", "T", "value", 2);
    struct edit edit = {.kind = EDIT_UPDATE, .id = e->id, .fragment = e, .if_seq = seq + 1};
    assert_int_equal(fixture_edit(&f, &edit).status, E_CONFLICT);
    edit.if_seq = seq;
    assert_int_equal(fixture_edit(&f, &edit).status, OK);
    assert_int_equal(fixture_edit(&f, &edit).status, E_CONFLICT);
}

static void test_edits_of_one_call_see_one_another(void **state)
{
    (void)state;
    struct edit edits[5] = {fixture_create(&f, "urn:e:1", "T", 1),
                            fixture_create(&f, "urn:e:1", "T", 2)};
    const struct entity *e = fixture_entity(&f, "urn:e:1", "T", "value", 3);
    edits[2] = (struct edit){.kind = EDIT_UPDATE, .id = e->id, .fragment = e};
    edits[3] = fixture_create(&f, "urn:e:2", "T", 1);
    edits[4] = (struct edit){.kind = EDIT_DELETE, .id = STR("urn:e:2")};
    struct edit_result r[5];
    assert_int_equal(fixture_apply(&f, edits, 5, r), OK);
    assert_int_equal(r[0].status, OK);
    assert_int_equal(r[1].status, E_EXISTS);
    assert_int_equal(r[2].status, OK);
    assert_true(r[0].seq < r[2].seq && r[2].seq < r[3].seq && r[3].seq < r[4].seq);
    assert_int_equal(value_of("urn:e:1"), 3);
    assert_null(fixture_get(&f, "urn:e:2"));
}

static void test_large_batch(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct edit *edits = calloc(N, sizeof *edits);
    struct edit_result *r = calloc(N, sizeof *r);
    for (uint32_t i = 0; i < N; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:e:%u", i);
        edits[i] = fixture_create(&f, id, "T", i);
    }
    assert_int_equal(fixture_apply(&f, edits, N, r), OK);
    for (uint32_t i = 0; i < N; i++)
        assert_true(r[i].status == OK && r[i].created);
    contract_reopen(&f);
    struct store_query q = {.limit = 10, .offset = N - 5, .count = true};
    assert_int_equal(fixture_query(&f, &q), OK);
    assert_page(&q, N - 5, 5, 1);
    assert_int_equal(q.total, N);
    assert_false(q.more);
    free(edits);
    free(r);
}

static void test_survives_reopening(void **state)
{
    (void)state;
    fill(30);
    edit_of(EDIT_UPDATE, "urn:e:3", 1000);
    edit_of(EDIT_DELETE, "urn:e:4", 0);
    uint64_t seq = store_seq(f.store);
    contract_reopen(&f);
    assert_int_equal(store_seq(f.store), seq);
    assert_int_equal(value_of("urn:e:3"), 1000);
    assert_null(fixture_get(&f, "urn:e:4"));
    struct store_query q = {.limit = 4, .filter = fixture_of_type(&f, "B"), .count = true};
    assert_int_equal(fixture_query(&f, &q), OK);
    assert_page(&q, 1, 4, 2);
    assert_int_equal(q.total, 15);
    assert_true(create("urn:e:new", "T", 1).seq > seq);
}

/* ---- queries ---- */

static void test_pages_are_exact(void **state)
{
    (void)state;
    fill(50);
    for (uint32_t offset = 0; offset <= 52; offset += 7) {
        struct store_query q = {.limit = 7, .offset = offset, .count = true};
        assert_int_equal(fixture_query(&f, &q), OK);
        uint32_t left = offset < 50 ? 50 - offset : 0;
        assert_page(&q, offset, left < 7 ? left : 7, 1);
        assert_int_equal(q.total, 50);
        assert_int_equal(q.more, left > 7);
    }
}

static void test_cursor_goes_on_behind_a_sequence(void **state)
{
    (void)state;
    fill(20);
    edit_of(EDIT_UPDATE, "urn:e:2", 5); /* updates move nothing */
    uint64_t after = 0;
    for (uint32_t seen = 0; seen < 20; seen += 6) {
        struct store_query q = {.limit = 6, .after_seq = after};
        assert_int_equal(fixture_query(&f, &q), OK);
        assert_page(&q, seen, seen + 6 <= 20 ? 6 : 2, 1);
        assert_int_equal(q.more, seen + 6 < 20);
        after = doc_created_seq(q.docs[q.doc_count - 1]);
    }
    struct store_query q = {.limit = 6, .after_seq = after};
    assert_int_equal(fixture_query(&f, &q), OK);
    assert_int_equal(q.doc_count, 0);
}

static void test_filters_are_anded_with_the_callers(void **state)
{
    (void)state;
    fill(20);
    f.caller.filter = fixture_of_type(&f, "A");
    struct store_query q = {.limit = 20, .filter = above(9), .count = true};
    assert_int_equal(fixture_query(&f, &q), OK);
    assert_page(&q, 10, 5, 2);
    assert_int_equal(q.total, 5);
    assert_non_null(fixture_get(&f, "urn:e:2"));
    assert_null(fixture_get(&f, "urn:e:3"));
    f.caller.filter = NULL;
}

static void test_counting_alone(void **state)
{
    (void)state;
    fill(21);
    struct store_query q = {.limit = 0, .filter = fixture_of_type(&f, "A"), .count = true};
    assert_int_equal(fixture_query(&f, &q), OK);
    assert_int_equal(q.total, 11);
    assert_int_equal(q.doc_count, 0);
    struct store_query unknown = {.limit = 5, .filter = fixture_of_type(&f, "Unheard"), .count = true};
    assert_int_equal(fixture_query(&f, &unknown), OK);
    assert_int_equal(unknown.total, 0);
    assert_false(unknown.more);
}

static void test_visits_have_a_limit(void **state)
{
    (void)state;
    fill(40);
    struct store_query q = {.limit = 5, .filter = above(1000), .visit_max = 10};
    enum status st = fixture_query(&f, &q);
    assert_true(st == E_TOO_COMPLEX ||
                (st == OK && q.doc_count == 0)); /* a store may know without looking */
    if (st == E_TOO_COMPLEX)
        assert_true(q.call.why.text[0]);
}

/* ---- tenants ---- */

static void in_tenant(const char *name)
{
    f.caller.tenant = str_of(name);
}

static void test_tenants_are_apart(void **state)
{
    (void)state;
    create("urn:e:1", "T", 1);
    in_tenant("north");
    assert_null(fixture_get(&f, "urn:e:1"));
    assert_false(store_tenant_exists(f.store, STR("north")));
    create("urn:e:1", "T", 2);
    assert_true(store_tenant_exists(f.store, STR("north")));
    assert_int_equal(value_of("urn:e:1"), 2);
    in_tenant("");
    assert_int_equal(value_of("urn:e:1"), 1);
    struct str *names;
    assert_int_equal(store_tenants(f.store, f.arena, &names), 2);
    contract_reopen(&f);
    in_tenant("north");
    assert_int_equal(value_of("urn:e:1"), 2);
}

static void test_only_creation_makes_a_tenant(void **state)
{
    (void)state;
    in_tenant("north");
    const struct entity *e = fixture_entity(&f, "urn:e:1", "T", "value", 1);
    struct edit edit = {.kind = EDIT_UPDATE, .id = e->id, .fragment = e};
    struct edit_result r;
    assert_int_equal(fixture_apply_in(&f, &edit, 1, &r, false), E_NO_TENANT);
    assert_int_equal(fixture_apply_in(&f, &edit, 1, &r, true),
                     OK); /* may, but has nothing to create */
    assert_int_equal(r.status, E_NOT_FOUND);
    assert_false(store_tenant_exists(f.store, STR("north")));
    struct store_query q = {.limit = 1};
    assert_int_equal(fixture_query(&f, &q), E_NO_TENANT);
    struct store_list l = {.kind = STORE_CONTEXT, .limit = 1};
    assert_int_equal(fixture_list(&f, &l), E_NO_TENANT);
    assert_int_equal(fixture_drop_tenant(&f, "north"), E_NO_TENANT);
}

static void test_deleted_tenant_leaves_nothing(void **state)
{
    (void)state;
    in_tenant("north");
    create("urn:e:1", "T", 1);
    fixture_put(&f, STORE_SUBSCRIPTION, "urn:s:1", "{}");
    assert_int_equal(fixture_drop_tenant(&f, "north"), OK);
    assert_false(store_tenant_exists(f.store, STR("north")));
    assert_null(fixture_get(&f, "urn:e:1"));
    contract_reopen(&f);
    assert_false(store_tenant_exists(f.store, STR("north")));
    create("urn:e:2", "T", 2);
    assert_null(fixture_get(&f, "urn:e:1"));
    struct store_list l = {.kind = STORE_SUBSCRIPTION, .limit = 10};
    assert_int_equal(fixture_list(&f, &l), OK);
    assert_int_equal(l.count, 0);
    contract_reopen(&f);
    assert_non_null(fixture_get(&f, "urn:e:2"));
    assert_null(fixture_get(&f, "urn:e:1"));
    in_tenant("");
    assert_int_equal(fixture_drop_tenant(&f, ""), E_BAD_DATA);
}

static void test_tenants_have_a_limit(void **state)
{
    (void)state;
    in_tenant("one");
    assert_int_equal(create("urn:e:1", "T", 1).status, OK);
    in_tenant("two");
    assert_int_equal(create("urn:e:1", "T", 1).status, OK);
    in_tenant("three");
    struct edit e = fixture_create(&f, "urn:e:1", "T", 1);
    struct edit_result r;
    assert_int_equal(fixture_apply(&f, &e, 1, &r), E_LIMIT);
    assert_int_equal(fixture_drop_tenant(&f, "one"), OK);
    assert_int_equal(fixture_apply(&f, &e, 1, &r), OK);
}

/* ---- documents ---- */

static void test_documents_by_kind_and_key(void **state)
{
    (void)state;
    assert_int_equal(fixture_put(&f, STORE_SUBSCRIPTION, "urn:s:2", "two"), OK);
    assert_int_equal(fixture_put(&f, STORE_SUBSCRIPTION, "urn:s:1", "one"), OK);
    assert_int_equal(fixture_put(&f, STORE_SUBSCRIPTION, "urn:s:3", "three"), OK);
    assert_int_equal(fixture_put(&f, STORE_CONTEXT, "urn:s:1", "another"), OK);
    assert_int_equal(fixture_put(&f, STORE_SUBSCRIPTION, "urn:s:1", "ONE"), OK);
    contract_reopen(&f);
    struct store_list l = {.kind = STORE_SUBSCRIPTION, .limit = 2};
    assert_int_equal(fixture_list(&f, &l), OK);
    assert_int_equal(l.count, 2);
    assert_true(l.more);
    assert_true(str_eq(l.documents[0].key, STR("urn:s:1")) &&
                str_eq(l.documents[0].bytes, STR("ONE")));
    assert_true(str_eq(l.documents[1].bytes, STR("two")));
    assert_true(l.documents[0].seq > l.documents[1].seq);
    assert_int_equal(l.total, 3);
    struct store_list last = {.kind = STORE_SUBSCRIPTION, .limit = 2, .offset = 2};
    assert_int_equal(fixture_list(&f, &last), OK);
    assert_true(last.count == 1 && !last.more && last.total == 3);
    assert_true(str_eq(last.documents[0].key, STR("urn:s:3")));
    struct store_list counted = {.kind = STORE_CONTEXT};
    assert_int_equal(fixture_list(&f, &counted), OK);
    assert_true(counted.count == 0 && counted.more && counted.total == 1);
    struct store_list rest = {.kind = STORE_SUBSCRIPTION, .limit = 2, .after = STR("urn:s:2")};
    assert_int_equal(fixture_list(&f, &rest), OK);
    assert_int_equal(rest.count, 1);
    assert_false(rest.more);
    struct store_list one = {.kind = STORE_CONTEXT, .key = STR("urn:s:1")};
    assert_int_equal(fixture_list(&f, &one), OK);
    assert_true(str_eq(one.documents[0].bytes, STR("another")));
    struct store_list none = {.kind = STORE_SNAPSHOT, .key = STR("urn:s:1")};
    assert_int_equal(fixture_list(&f, &none), E_NOT_FOUND);
}

static void test_documents_with_preconditions(void **state)
{
    (void)state;
    struct store_put p = {
        .kind = STORE_CONTEXT, .key = STR("k"), .bytes = STR("1"), .only_present = true};
    assert_int_equal(fixture_call_put(&f, &p), E_NOT_FOUND);
    p.only_present = false;
    p.only_absent = true;
    assert_int_equal(fixture_call_put(&f, &p), OK);
    assert_int_equal(fixture_call_put(&f, &p), E_EXISTS);
    p.only_absent = false;
    struct store_list now = {.kind = STORE_CONTEXT, .key = STR("k")};
    assert_int_equal(fixture_list(&f, &now), OK);
    p.only_seq = now.documents[0].seq;
    assert_int_equal(fixture_call_put(&f, &p), OK);
    assert_int_equal(fixture_call_put(&f, &p), E_CONFLICT); /* that was an older one */
    p.only_seq = 0;
    p.only_present = true;
    p.bytes = STR_NONE;
    assert_int_equal(fixture_call_put(&f, &p), OK);
    assert_int_equal(fixture_call_put(&f, &p), E_NOT_FOUND);
    p.only_present = false;
    assert_int_equal(fixture_call_put(&f, &p), OK); /* gone is gone */
}

static void test_empty_and_binary_documents(void **state)
{
    (void)state;
    struct store_put p = {.kind = STORE_SETTING, .key = STR("e"), .bytes = STR("")};
    assert_int_equal(fixture_call_put(&f, &p), OK);
    p.key = STR("b");
    p.bytes = (struct str){"a\0b", 3};
    assert_int_equal(fixture_call_put(&f, &p), OK);
    contract_reopen(&f);
    struct store_list l = {.kind = STORE_SETTING, .limit = 5};
    assert_int_equal(fixture_list(&f, &l), OK);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.documents[0].bytes.n, 3);
    assert_memory_equal(l.documents[0].bytes.p, "a\0b", 3);
    assert_int_equal(l.documents[1].bytes.n, 0);
}

/* ---- the change stream ---- */

struct heard {
    struct store_listener listener;
    uint64_t last;
    uint32_t count, created, updated, deleted, documents, tenants;
    bool ordered, visible;
};

static void hear(struct store_listener *l, const struct change *changes, uint32_t n)
{
    struct heard *h = container_of(l, struct heard, listener);
    for (uint32_t i = 0; i < n; i++) {
        const struct change *c = &changes[i];
        h->ordered = h->ordered && c->seq > h->last;
        h->last = c->seq;
        h->count++;
        h->visible = h->visible && store_seq(f.store) >= c->seq;
        h->documents += c->kind == CHANGE_DOCUMENT;
        h->tenants += c->kind == CHANGE_TENANT;
        if (c->kind != CHANGE_ENTITY)
            continue;
        h->created += c->before == NULL;
        h->deleted += c->after == NULL;
        h->updated += c->before && c->after && doc_seq(c->before) < doc_seq(c->after);
        if (c->after)
            assert_int_equal(doc_seq(c->after), c->seq);
    }
}

static void test_changes_are_heard_in_order(void **state)
{
    (void)state;
    static struct heard h; /* the store asks it as long as it is open */
    h = (struct heard){.listener.changes = hear, .ordered = true, .visible = true};
    store_listen(f.store, &h.listener);
    fill(10);
    edit_of(EDIT_UPDATE, "urn:e:3", 1000);
    edit_of(EDIT_DELETE, "urn:e:3", 0);
    create("urn:e:4", "T", 0); /* refused */
    fixture_put(&f, STORE_CONTEXT, "k", "v");
    in_tenant("north");
    create("urn:e:1", "T", 1);
    fixture_drop_tenant(&f, "north");
    assert_true(h.ordered && h.visible);
    assert_int_equal(h.created, 11);
    assert_int_equal(h.updated, 1);
    assert_int_equal(h.deleted, 1);
    assert_int_equal(h.documents, 1);
    assert_int_equal(h.tenants, 2);
    assert_int_equal(h.last, store_seq(f.store));
}

/* ---- discovery ---- */

static const struct store_name *name_of(const struct store_name *names, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (names[i].term == terms_find(f.terms, str_of(name)))
            return &names[i];
    return NULL;
}

static void create_sensor(const char *id, const char *type, const char *attr, enum attr_kind kind,
                          int64_t expires_at)
{
    struct entity *e = fixture_entity(&f, id, type, attr, 1);
    e->attrs[0].kind = (uint8_t)kind;
    e->expires_at = expires_at;
    if (kind == ATTR_RELATIONSHIP)
        e->attrs[0].value = (struct value){.kind = VALUE_STRING, .text = STR("urn:x:1")};
    struct edit edit = {.kind = EDIT_CREATE, .id = e->id, .fragment = e};
    assert_int_equal(fixture_edit(&f, &edit).status, OK);
}

static void test_census_of_types_and_attributes(void **state)
{
    (void)state;
    create_sensor("urn:a", "Bus", "speed", ATTR_PROPERTY, TIME_NONE);
    create_sensor("urn:b", "Bus", "line", ATTR_RELATIONSHIP, TIME_NONE);
    create_sensor("urn:c", "Tram", "line", ATTR_PROPERTY, TIME_NONE);
    struct store_census types = {.details = true};
    assert_int_equal(fixture_census(&f, &types), OK);
    assert_int_equal(types.count, 2);
    const struct store_name *bus = name_of(types.names, types.count, "Bus");
    assert_int_equal(bus->count, 2);
    assert_int_equal(bus->with_count, 2);
    assert_int_equal(name_of(bus->with, 2, "line")->kinds, STORE_KIND_BIT(ATTR_RELATIONSHIP));
    struct store_census line = {
        .attributes = true, .details = true, .term = fixture_term(&f, "line")};
    assert_int_equal(fixture_census(&f, &line), OK);
    assert_int_equal(line.count, 1);
    assert_int_equal(line.names[0].count, 2);
    assert_int_equal(line.names[0].kinds,
                     STORE_KIND_BIT(ATTR_RELATIONSHIP) | STORE_KIND_BIT(ATTR_PROPERTY));
    assert_int_equal(line.names[0].with_count, 2);
    struct store_census none = {.term = fixture_term(&f, "line")};
    assert_int_equal(fixture_census(&f, &none), E_NOT_FOUND);
}

static void test_census_follows_changes(void **state)
{
    (void)state;
    create_sensor("urn:a", "T", "value", ATTR_PROPERTY, TIME_NONE);
    create_sensor("urn:b", "T", "value", ATTR_PROPERTY, TIME_NONE);
    assert_int_equal(edit_of(EDIT_DELETE, "urn:a", 0).status, OK);
    struct store_census c = {.attributes = true};
    assert_int_equal(fixture_census(&f, &c), OK);
    assert_int_equal(c.names[0].count, 1);
    const struct entity *e = fixture_entity(&f, "urn:b", "T", "other", 1);
    struct edit replace = {.kind = EDIT_REPLACE, .id = e->id, .fragment = e};
    assert_int_equal(fixture_edit(&f, &replace).status, OK);
    contract_reopen(&f);
    c = (struct store_census){.attributes = true, .details = true};
    assert_int_equal(fixture_census(&f, &c), OK);
    assert_int_equal(c.count, 1);
    assert_int_equal(c.names[0].term, terms_find(f.terms, STR("other")));
    assert_int_equal(c.names[0].with_count, 1);
    f.caller.tenant = STR("nowhere");
    assert_int_equal(fixture_census(&f, &c), E_NO_TENANT);
    f.caller.tenant = STR("");
}

/* The clock of the store need not have come that far: what has ended by now_us does not count. */
static void test_census_leaves_out_what_has_ended(void **state)
{
    (void)state;
    int64_t end = f.now_us + 1000000;
    create_sensor("urn:a", "T", "value", ATTR_PROPERTY, end);
    create_sensor("urn:b", "T", "value", ATTR_PROPERTY, TIME_NONE);
    create_sensor("urn:c", "U", "brief", ATTR_PROPERTY, end);
    struct store_census before = {.details = true, .now_us = end - 1};
    assert_int_equal(fixture_census(&f, &before), OK);
    assert_int_equal(before.count, 2);
    struct store_census after = {.details = true, .now_us = end};
    assert_int_equal(fixture_census(&f, &after), OK);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.names[0].count, 1);
    assert_int_equal(after.names[0].with_count, 1);
    assert_int_equal(after.names[0].with[0].count, 1);
    struct store_census gone = {
        .attributes = true, .term = fixture_term(&f, "brief"), .now_us = end};
    assert_int_equal(fixture_census(&f, &gone), E_NOT_FOUND);
}

static void test_census_does_not_look_at_entities(void **state)
{
    (void)state;
    uint64_t visited = 0;
    for (int i = 0; i < 200; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:e:%d", i);
        assert_int_equal(create(id, i % 2 ? "T" : "U", i).status, OK);
        if (i != 9 && i != 199)
            continue;
        struct store_census c = {.details = true};
        assert_int_equal(fixture_census(&f, &c), OK);
        assert_int_equal(c.count, 2);
        if (i == 9)
            visited = c.visited;
        else
            assert_int_equal(c.visited, visited);
    }
}

/* ---- expiry (clause 4.22) ---- */

/* urn:e:0 … n-1; odd ones end in a second, with `part` only their attribute does. */
static void fill_transient(uint32_t n, bool part)
{
    for (uint32_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:e:%u", i);
        struct entity *e = fixture_entity(&f, id, "T", "value", i);
        int64_t *end = part ? &e->attrs[0].expires_at : &e->expires_at;
        *end = i % 2 ? f.clock.now + 1000000 : TIME_NONE;
        struct edit edit = {.kind = EDIT_CREATE, .id = e->id, .fragment = e};
        assert_int_equal(fixture_edit(&f, &edit).status, OK);
    }
}

/* To the moment at which they end. */
static void pass_a_second(void)
{
    f.clock.now += 1000000;
    f.now_us = f.clock.now;
}

static void test_what_has_expired_is_not_there(void **state)
{
    (void)state;
    fill_transient(10, false);
    f.clock.now += 999999;
    assert_non_null(fixture_get(&f, "urn:e:1"));
    f.clock.now -= 999999;
    pass_a_second();
    for (int i = 0; i < 2; i++) {
        assert_null(fixture_get(&f, "urn:e:1"));
        struct store_query page = {.filter = fixture_of_type(&f, "T"), .limit = 3, .offset = 1},
                           all = {.limit = 5, .count = true},
                           number = {.filter = fixture_of_type(&f, "T"), .count = true};
        assert_int_equal(fixture_query(&f, &page), OK);
        assert_page(&page, 2, 3, 2);
        assert_true(page.more);
        assert_int_equal(fixture_query(&f, &all), OK);
        assert_page(&all, 0, 5, 2);
        assert_int_equal(all.total, 5);
        assert_false(all.more);
        assert_int_equal(fixture_query(&f, &number), OK);
        assert_int_equal(number.total, 5);
        if (i == 0)
            contract_reopen(&f);
    }
}

static void test_an_expired_id_is_free_at_once(void **state)
{
    (void)state;
    static struct heard h; /* the store asks it as long as it is open */
    h = (struct heard){.listener.changes = hear, .ordered = true, .visible = true};
    fill_transient(4, false);
    store_listen(f.store, &h.listener);
    pass_a_second();
    assert_int_equal(edit_of(EDIT_UPDATE, "urn:e:1", 5).status, E_NOT_FOUND);
    assert_int_equal(edit_of(EDIT_DELETE, "urn:e:1", 0).status, E_NOT_FOUND);
    assert_int_equal(h.count, 0);
    struct edit_result r = create("urn:e:1", "T", 7);
    assert_int_equal(r.status, OK);
    assert_true(r.created);
    assert_int_equal(doc_created_seq(fixture_get(&f, "urn:e:1")), r.seq);
    assert_int_equal(doc_created_at(fixture_get(&f, "urn:e:1")), f.now_us - 1);
    for (uint32_t i = 0; i < 4; i++) { /* as a sweep does */
        char id[32];
        snprintf(id, sizeof id, "urn:e:%u", i);
        struct edit sweep = {.kind = EDIT_EXPIRE, .id = str_of(id)};
        assert_int_equal(fixture_edit(&f, &sweep).status, OK);
    }
    assert_true(h.ordered);
    assert_int_equal(h.deleted, 2); /* each once */
    assert_int_equal(h.created, 1);
    assert_int_equal(h.updated, 0);
    contract_reopen(&f);
    assert_int_equal(value_of("urn:e:1"), 7);
    assert_null(fixture_get(&f, "urn:e:3"));
}

static void test_what_has_expired_of_an_entity_is_not_there(void **state)
{
    (void)state;
    fill_transient(10, true);
    pass_a_second();
    struct name value = {STR("value"), terms_find(f.terms, STR("value"))};
    assert_int_equal(doc_attr_count(fixture_get(&f, "urn:e:1")), 0);
    struct store_query with = {
        .filter = filter_of_attrs(f.arena, &value, 1), .limit = 3, .count = true};
    assert_int_equal(fixture_query(&f, &with), OK);
    assert_page(&with, 0, 3, 2);
    assert_int_equal(with.total, 5);
    struct store_query more = {.filter = above(0), .limit = 3};
    assert_int_equal(fixture_query(&f, &more), OK);
    assert_page(&more, 2, 3, 2);
    struct store_query all = {.limit = 20};
    assert_int_equal(fixture_query(&f, &all), OK);
    assert_page(&all, 0, 10, 1);
    assert_int_equal(doc_attr_count(all.docs[3]), 0);
    assert_int_equal(doc_modified_at(all.docs[3]), doc_created_at(all.docs[3]));
    struct edit drop = {.kind = EDIT_ATTR_DELETE, .id = STR("urn:e:1"), .dataset = STR("")};
    drop.term = value.term;
    assert_int_equal(fixture_edit(&f, &drop).status, E_NOT_FOUND);
    drop.id = STR("urn:e:2");
    assert_int_equal(fixture_edit(&f, &drop).status, OK);
}

static void test_figures(void **state)
{
    (void)state;
    fill(7);
    struct store_stats s;
    store_stats(f.store, &s);
    assert_int_equal(s.entities, 7);
    assert_int_equal(s.tenants, 1);
    assert_int_equal(s.committed_seq, store_seq(f.store));
    assert_false(s.read_only);
    assert_string_equal(store_ready(f.store), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_then_get),
        TEST(test_create_twice_is_refused),
        TEST(test_update_makes_a_later_version),
        TEST(test_delete_and_create_anew),
        TEST(test_versions_are_preconditions),
        TEST(test_edits_of_one_call_see_one_another),
        TEST(test_large_batch),
        TEST(test_survives_reopening),
        TEST(test_pages_are_exact),
        TEST(test_cursor_goes_on_behind_a_sequence),
        TEST(test_filters_are_anded_with_the_callers),
        TEST(test_counting_alone),
        TEST(test_visits_have_a_limit),
        TEST(test_tenants_are_apart),
        TEST(test_only_creation_makes_a_tenant),
        TEST(test_deleted_tenant_leaves_nothing),
        TEST(test_tenants_have_a_limit),
        TEST(test_documents_by_kind_and_key),
        TEST(test_documents_with_preconditions),
        TEST(test_empty_and_binary_documents),
        TEST(test_changes_are_heard_in_order),
        TEST(test_census_of_types_and_attributes),
        TEST(test_census_follows_changes),
        TEST(test_census_leaves_out_what_has_ended),
        TEST(test_census_does_not_look_at_entities),
        TEST(test_what_has_expired_is_not_there),
        TEST(test_an_expired_id_is_free_at_once),
        TEST(test_what_has_expired_of_an_entity_is_not_there),
        TEST(test_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
