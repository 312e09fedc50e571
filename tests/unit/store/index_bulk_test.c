/* Indexes filled at once against indexes filled one by one: index_verify() makes the others. */
#include "fixture.h"

#include "base/hash.h"
#include "store/embedded/index_bulk.h"

#include <stdlib.h>

enum { TYPES = 5, ATTRS = 8, SCOPES = 4 };

static struct reclaim *r;
static struct state *s;
static struct arena *a;
static struct index *ix;
static struct index_bulk *b;
static uint64_t seed;

static int setup(void **state)
{
    (void)state;
    r = reclaim_new();
    reclaim_enter(r);
    s = state_new(r);
    a = arena_new(0);
    ix = index_new();
    b = index_bulk_new();
    seed = 88172645463325252u;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    index_bulk_free(b);
    index_free(ix);
    state_free(s);
    reclaim_leave(r);
    reclaim_free(r);
    arena_free(a);
    return 0;
}

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed % n);
}

static struct attr attr_of(uint32_t term)
{
    struct attr at = {
        .term = term,
        .kind = ATTR_PROPERTY,
        .value = {.kind = VALUE_INT, .integer = below(100)},
        .unit_code = STR_NONE,
        .value_type = STR_NONE,
        .object_type = STR_NONE,
        .observed_at = TIME_NONE,
        .expires_at = below(8) ? TIME_NONE : 1000000 + below(50),
        .created_at = TIME_NONE,
        .modified_at = TIME_NONE,
    };
    if (below(3) == 0) {
        double west = below(40) / 10.0, south = below(40) / 10.0;
        bool point = below(2);
        at.kind = ATTR_GEO_PROPERTY;
        at.value = (struct value){
            .kind = VALUE_GEO,
            .point = point,
            .text = STR("{}"),
            .box = {west, south, point ? west : west + below(9), point ? south : south + below(9)}};
    } else if (below(3) == 0) {
        at.kind = ATTR_RELATIONSHIP;
        at.value = (struct value){.kind = VALUE_STRING, .plain = true, .text = STR("urn:x")};
    }
    return at;
}

/* Of up to two types, with some of the attributes, at times twice, in a scope, with an end. */
static const struct doc *doc_of(uint32_t i)
{
    uint32_t types[2] = {1 + below(TYPES)}, n = 0;
    types[1] = 1 + types[0] % TYPES;
    struct str scope = arena_printf(a, "/S%u", below(SCOPES));
    struct attr attrs[2 * ATTRS];
    for (uint32_t k = 0; k < ATTRS; k++) {
        if (below(2))
            continue;
        attrs[n++] = attr_of(10 + k);
        if (below(4) == 0) {
            attrs[n] = attr_of(10 + k);
            attrs[n++].dataset = STR("urn:d");
        }
    }
    struct entity e = {
        .id = arena_printf(a, "urn:e:%u", i),
        .types = types,
        .type_count = 1 + below(2),
        .scopes = &scope,
        .scope_count = below(2),
        .created_at = TIME_NONE,
        .modified_at = TIME_NONE,
        .expires_at = below(8) ? TIME_NONE : 1000000 + below(50),
        .attrs = attrs,
        .attr_count = n,
    };
    struct doc *d = arena_alloc(a, doc_size(&e));
    doc_encode(&e, d);
    doc_set_seq(d, i + 1);
    return d;
}

static uint64_t hash_of(const struct doc *d)
{
    return hash_str(doc_id(d));
}

static void add(const struct doc *d)
{
    index_bulk_add(b, ix, state_insert(s, d, hash_of(d)), d);
}

static void take(uint32_t slot)
{
    const struct doc *d = state_at(s, slot);
    if (!d)
        return;
    state_remove(s, slot, hash_of(d));
    index_remove(ix, slot, d);
}

static void assert_agrees(void)
{
    char text[256] = "";
    if (index_verify(ix, s, text, sizeof text))
        fail_msg("%s", text);
}

static void test_nothing(void **state)
{
    (void)state;
    index_bulk_flush(b, ix);
    assert_agrees();
}

static void test_waits_for_the_flush(void **state)
{
    (void)state;
    add(doc_of(0));
    assert_int_equal(bitmap_count(ix->live), 0);
    index_bulk_flush(b, ix);
    assert_int_equal(bitmap_count(ix->live), 1);
    assert_agrees();
}

/* More of a shape than wait at once. */
static void test_all_alike(void **state)
{
    (void)state;
    const struct doc *d = doc_of(0);
    for (uint32_t i = 0; i < 3000; i++)
        add(d);
    index_bulk_flush(b, ix);
    assert_agrees();
}

/* More shapes than are kept; enough geometries and ends to be sorted. */
static void test_many_shapes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++)
        add(doc_of(i));
    index_bulk_flush(b, ix);
    assert_agrees();
}

/* Slots are taken between flushes, the last one flushed among them. */
static void test_flushes_between_removals(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4000; i++) {
        add(doc_of(i));
        if (below(100) == 0) {
            index_bulk_flush(b, ix);
            take(i);
            take(below(i + 1));
            if (below(5) == 0)
                assert_agrees();
        }
    }
    index_bulk_flush(b, ix);
    assert_agrees();
}

/* What has passed when it comes is over. */
static void test_past_ends(void **state)
{
    (void)state;
    index_expiry_pass(&ix->ends, 1000020);
    index_expiry_pass(&ix->parts, 1000030);
    for (uint32_t i = 0; i < 1000; i++)
        add(doc_of(i));
    index_bulk_flush(b, ix);
    assert_true(bitmap_count(ix->ends.over) && bitmap_count(ix->parts.over));
    assert_agrees();
}

/* Shapes known from one index serve the next. */
static void test_one_index_after_another(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 2000; i++)
            add(doc_of(i));
        index_bulk_flush(b, ix);
        assert_agrees();
        index_free(ix);
        state_free(s);
        ix = index_new();
        s = state_new(r);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),
        TEST(test_waits_for_the_flush),
        TEST(test_all_alike),
        TEST(test_many_shapes),
        TEST(test_flushes_between_removals),
        TEST(test_past_ends),
        TEST(test_one_index_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
