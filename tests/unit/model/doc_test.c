/* Entity documents: what is written comes back, and what is damaged is found. */
#include "model/doc.h"
#include "model/doc_layout.h"
#include "random_entity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define T0 RANDOM_TIME

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* In a block of exactly its size, so that a sanitizer sees every byte read beyond. */
static struct doc *encode(const struct entity *e)
{
    struct doc *d = malloc(doc_size(e));
    doc_encode(e, d);
    assert_int_equal(doc_bytes(d), doc_size(e));
    return d;
}

static enum status check(const struct doc *d)
{
    return doc_check(d, doc_bytes(d), RANDOM_TERM_MAX, NULL);
}

static void assert_refused(struct doc *d, const char *why_text)
{
    struct why why = {0};
    assert_int_equal(doc_check(d, doc_bytes(d), RANDOM_TERM_MAX, &why), E_DAMAGED);
    if (!strstr(why.text, why_text))
        fail_msg("'%s' does not say '%s'", why.text, why_text);
}

static struct attr number(uint32_t term, int64_t v)
{
    return (struct attr){
        .term = term,
        .kind = ATTR_PROPERTY,
        .dataset = STR(""),
        .value = {.kind = VALUE_INT, .integer = v},
        .observed_at = TIME_NONE,
        .expires_at = TIME_NONE,
        .created_at = T0,
        .modified_at = T0,
        .seq = 7,
    };
}

static struct entity entity_of(struct attr *attrs, uint32_t n)
{
    static uint32_t types[] = {3, 1};
    return (struct entity){
        .id = STR("urn:ngsi-ld:Vehicle:4711"),
        .type_count = 2,
        .types = types,
        .created_at = T0,
        .modified_at = T0,
        .expires_at = TIME_NONE,
        .seq = 7,
        .created_seq = 7,
        .attr_count = n,
        .attrs = attrs,
    };
}

static void test_header_is_read_in_place(void **state)
{
    (void)state;
    struct str scopes[] = {STR("/Jinan/Lixia"), STR("/Jinan")};
    struct attr attrs[] = {number(2, 1), number(5, 2), number(5, 3), number(9, 4)};
    attrs[2].dataset = STR("urn:d:1");
    struct entity e = entity_of(attrs, 4);
    e.scope_count = 2;
    e.scopes = scopes;
    e.modified_at = T0 + 5;
    e.expires_at = T0 + 1000;
    struct doc *d = encode(&e);
    assert_true(str_eq(doc_id(d), e.id));
    assert_int_equal(doc_seq(d), 7);
    assert_int_equal(doc_created_seq(d), 7);
    assert_int_equal(doc_created_at(d), T0);
    assert_int_equal(doc_modified_at(d), T0 + 5);
    assert_int_equal(doc_expires_at(d), T0 + 1000);
    assert_int_equal(doc_type_count(d), 2);
    assert_int_equal(doc_type(d, 0), 3);
    assert_int_equal(doc_type(d, 1), 1);
    assert_int_equal(doc_scope_count(d), 2);
    assert_true(str_eq(doc_scope(d, 0), STR("/Jinan/Lixia")));
    assert_true(str_eq(doc_scope(d, 1), STR("/Jinan")));
    assert_int_equal(doc_attr_count(d), 4);
    assert_int_equal(doc_attr_term(d, 2), 5);
    assert_int_equal(doc_attr_kind(d, 2), ATTR_PROPERTY);
    assert_int_equal(doc_find_attr(d, 2), 0);
    assert_int_equal(doc_find_attr(d, 5), 1);
    assert_int_equal(doc_find_attr(d, 9), 3);
    assert_int_equal(doc_find_attr(d, 1), UINT32_MAX);
    assert_int_equal(doc_find_attr(d, 6), UINT32_MAX);
    assert_int_equal(doc_find_attr(d, 10), UINT32_MAX);
    struct value v;
    doc_attr_value(d, 2, &v);
    assert_int_equal(v.integer, 3);
    struct attr one;
    doc_attr(d, 2, arena, &one);
    assert_true(str_eq(one.dataset, STR("urn:d:1")));
    assert_int_equal(one.seq, 7);
    free(d);
}

static void test_empty_entity(void **state)
{
    (void)state;
    struct entity e = entity_of(NULL, 0), back;
    struct doc *d = encode(&e);
    assert_int_equal(check(d), OK);
    assert_int_equal(doc_expires_at(d), TIME_NONE);
    assert_int_equal(doc_find_attr(d, 1), UINT32_MAX);
    doc_decode(d, arena, &back);
    assert_true(tree_same(&e, &back));
    free(d);
}

/* A new version does not know its sequence yet: what it set has 0, what it kept its own. */
static void test_sequence_is_set_later(void **state)
{
    (void)state;
    struct attr sub = number(1, 5);
    struct attr attrs[] = {number(1, 1), number(2, 2), number(3, 3), number(4, 4)};
    attrs[0].seq = 0;
    attrs[1].seq = 12;
    attrs[2].seq = 30;
    sub.seq = 0;
    attrs[2].subs = &sub;
    attrs[2].sub_count = 1;
    attrs[3].seq = 12 + (1ull << 32);
    struct entity e = entity_of(attrs, 4), back;
    e.seq = 0;
    e.created_seq = 12;
    struct doc *d = encode(&e);
    doc_set_seq(d, 12 + (1ull << 33));
    assert_int_equal(check(d), OK);
    assert_int_equal(doc_created_seq(d), 12);
    doc_decode(d, arena, &back);
    assert_int_equal(back.attrs[0].seq, 12 + (1ull << 33));
    assert_int_equal(back.attrs[1].seq, 12);
    assert_int_equal(back.attrs[2].seq, 30);
    assert_int_equal(back.attrs[2].subs[0].seq, 12 + (1ull << 33));
    assert_int_equal(back.attrs[3].seq, 12 + (1ull << 32));
    free(d);

    for (uint32_t i = 0; i < 4; i++)
        attrs[i].seq = 0;
    e.created_seq = 0;
    d = encode(&e);
    doc_set_seq(d, 99);
    assert_int_equal(check(d), OK);
    assert_int_equal(doc_created_seq(d), 99);
    doc_decode(d, arena, &back);
    assert_int_equal(back.attrs[3].seq, 99);
    assert_int_equal(back.attrs[2].subs[0].seq, 99);
    free(d);
}

static void test_earliest_expiry_of_anything(void **state)
{
    (void)state;
    struct attr sub = number(1, 5), attr = number(1, 1);
    attr.subs = &sub;
    attr.sub_count = 1;
    struct entity e = entity_of(&attr, 1), back;
    sub.expires_at = T0 + 3;
    attr.expires_at = T0 + 9;
    struct doc *d = encode(&e);
    assert_int_equal(doc_expires_at(d), T0 + 3);
    doc_decode(d, arena, &back);
    assert_int_equal(back.expires_at, TIME_NONE);
    free(d);
    e.expires_at = T0 - 1;
    d = encode(&e);
    assert_int_equal(doc_expires_at(d), T0 - 1);
    assert_int_equal(check(d), OK);
    free(d);
}

static void test_random_trees_come_back(void **state)
{
    (void)state;
    struct random r = {42};
    for (uint32_t i = 0; i < 3000; i++) {
        struct entity e, back;
        random_entity(&r, arena, 1 + random_next(&r) % (i % 2 ? 100 : 1ull << 40), &e);
        struct doc *d = encode(&e);
        struct why why = {0};
        if (doc_check(d, doc_bytes(d), RANDOM_TERM_MAX, &why))
            fail_msg("tree %u: %s", i, why.text);
        doc_decode(d, arena, &back);
        assert_true(tree_same(&e, &back));
        for (uint32_t k = 0; k < back.attr_count; k++) {
            struct attr one;
            struct value v;
            doc_attr(d, k, arena, &one);
            doc_attr_value(d, k, &v);
            struct entity a = {.attr_count = 1, .attrs = &one},
                          b = {.attr_count = 1, .attrs = &back.attrs[k]};
            assert_true(tree_same(&a, &b));
            assert_true(v.kind == one.value.kind && str_eq(v.text, one.value.text));
            assert_true(doc_find_attr(d, one.term) <= k);
        }
        free(d);
        arena_reset(arena);
    }
}

/* Flipped bits are either found, or mean another valid document that is written the same way. */
static void test_damage_is_found_or_harmless(void **state)
{
    (void)state;
    struct random r = {43};
    uint32_t found = 0, harmless = 0;
    for (uint32_t i = 0; i < 200; i++) {
        struct entity e, back;
        random_entity(&r, arena, 1000, &e);
        struct doc *d = encode(&e);
        size_t n = doc_bytes(d);
        for (uint32_t k = 0; k < 100; k++) {
            size_t at = random_next(&r) % n;
            uint8_t was = ((uint8_t *)d)[at];
            ((uint8_t *)d)[at] =
                (uint8_t)(k % 2 ? was ^ 1u << random_below(&r, 8) : random_below(&r, 256));
            if (doc_check(d, n, RANDOM_TERM_MAX, NULL) == OK) {
                doc_decode(d, arena, &back);
                struct doc *again = encode(&back);
                assert_int_equal(doc_bytes(again), n);
                assert_memory_equal(again, d, n);
                free(again);
                harmless++;
            } else {
                found++;
            }
            ((uint8_t *)d)[at] = was;
        }
        arena_reset(arena);
        free(d);
    }
    assert_true(found > 1000 && harmless > 1000);
}

static void test_cut_blocks_are_refused(void **state)
{
    (void)state;
    struct random r = {44};
    struct entity e;
    random_entity(&r, arena, 1000, &e);
    struct doc *d = encode(&e);
    for (size_t n = 0; n < doc_bytes(d); n++) {
        struct doc *cut = malloc(n + 1);
        memcpy(cut, d, n);
        assert_int_equal(doc_check(cut, n, RANDOM_TERM_MAX, NULL), E_DAMAGED);
        if (n >= sizeof *cut) { /* also when the length has been made to fit */
            cut->bytes = (uint32_t)n;
            assert_int_equal(doc_check(cut, n, RANDOM_TERM_MAX, NULL), E_DAMAGED);
        }
        free(cut);
    }
    free(d);
}

static void test_refusals_name_the_fault(void **state)
{
    (void)state;
    struct attr sub = number(2, 5);
    struct attr attrs[] = {number(1, 1), number(4, 2)};
    attrs[1].subs = &sub;
    attrs[1].sub_count = 1;
    attrs[0].value = (struct value){.kind = VALUE_REAL, .real = 1};
    struct entity e = entity_of(attrs, 2);
    e.expires_at = T0;
    struct doc *good = encode(&e), *d = malloc(doc_bytes(good));
    struct doc_entry entry;
#define DAMAGE(where, what, text)                                                                  \
    memcpy(d, good, doc_bytes(good));                                                              \
    memcpy((uint8_t *)d + (where), &(what), sizeof(what));                                         \
    assert_refused(d, text)
    uint32_t none = TERM_NONE, beyond = RANDOM_TERM_MAX + 1, first = 1, large = 1u << 31;
    uint64_t older = 6, unset = 0;
    int64_t no_time = TIME_NONE, other_time = T0 - 1;
    double nan = __builtin_nan("");
    uint8_t two = 2, reserved = 0x80, kind = 15;
    DAMAGE(0, two, "known version");
    DAMAGE(2, two, "known version");
    DAMAGE(3, two, "unknown flags");
    DAMAGE(offsetof(struct doc, seq), older, "before the creating");
    DAMAGE(offsetof(struct doc, created_seq), unset, "not set");
    DAMAGE(offsetof(struct doc, attr_count), large, "pass the end");
    DAMAGE(offsetof(struct doc, expires_at), other_time, "earliest expiry");
    DAMAGE(offsetof(struct doc, id_bytes), none, "no id");
    DAMAGE(doc_at_types(), none, "type name");
    DAMAGE(doc_at_types(), beyond, "type name");
    DAMAGE(doc_at_own_expiry(good), no_time, "without a time");
    size_t table = doc_at_attrs(good);
    DAMAGE(table, none, "attribute name");
    DAMAGE(table, beyond, "attribute name");
    DAMAGE(table + 8, first, "not in order");
    DAMAGE(table + 4, first, "where it should be");
    memcpy(&entry, (uint8_t *)good + table, sizeof entry);
    DAMAGE(entry.offset, kind, "kind of attribute");
    DAMAGE(entry.offset + 2, reserved, "mask");
    DAMAGE(entry.offset + 3, nan, "not finite");
#undef DAMAGE
    free(good);
    free(d);
}

static void test_padding_is_zero_and_short(void **state)
{
    (void)state;
    struct attr attr = number(1, -1); /* no zero byte at its end */
    struct entity e = entity_of(&attr, 1);
    struct doc *d = encode(&e);
    size_t n = doc_bytes(d), end = n;
    while (((uint8_t *)d)[end - 1] == 0)
        end--;
    assert_true(end < n);
    ((uint8_t *)d)[end] = 1;
    assert_refused(d, "padding is not zero");
    ((uint8_t *)d)[end] = 0;
    struct doc *longer = calloc(1, n + 8);
    memcpy(longer, d, n);
    longer->bytes = (uint32_t)n + 8;
    assert_refused(longer, "behind the last attribute");
    free(longer);
    free(d);
}

/* One level more than the writer allows, put together by hand: each body is a kind, a mask that
 * says "Boolean, everything as the owner's, has sub-attributes", one byte of count and one table
 * entry. */
static void test_nesting_has_a_bound(void **state)
{
    (void)state;
    for (uint32_t depth = DOC_DEPTH_MAX; depth <= DOC_DEPTH_MAX + 1; depth++) {
        uint8_t bytes[64 + 8 + 8 + 12 * (DOC_DEPTH_MAX + 2)] __attribute__((aligned(8))) = {0};
        struct doc *d = (struct doc *)bytes;
        *d = (struct doc){.magic = DOC_MAGIC,
                          .version = DOC_VERSION,
                          .seq = 1,
                          .created_seq = 1,
                          .expires_at = TIME_NONE,
                          .attr_count = 1,
                          .id_bytes = 1};
        uint32_t at = 64 + 8 + 1, term = 1;
        memcpy(bytes + 64, &term, 4);
        memcpy(bytes + 68, &at, 4);
        bytes[72] = 'x';
        for (uint32_t level = 0; level <= depth; level++) {
            bytes[at] = ATTR_PROPERTY | VALUE_BOOL << 4;
            bytes[at + 2] = level < depth ? DOC_SUBS >> 8 : 0;
            at += 3;
            if (level < depth) {
                bytes[at] = 1;
                uint32_t next = at + 9;
                memcpy(bytes + at + 1, &term, 4);
                memcpy(bytes + at + 5, &next, 4);
                at = next;
            }
        }
        d->bytes = (at + 7) & ~7u;
        if (depth == DOC_DEPTH_MAX)
            assert_int_equal(check(d), OK);
        else
            assert_refused(d, "nested too deeply");
    }
}

static void test_deepest_nesting_comes_back(void **state)
{
    (void)state;
    struct attr chain[DOC_DEPTH_MAX + 2];
    for (uint32_t i = 0; i <= DOC_DEPTH_MAX; i++) {
        chain[i] = number(1, i);
        chain[i].subs = &chain[i + 1];
        chain[i].sub_count = i < DOC_DEPTH_MAX;
    }
    struct entity e = entity_of(chain, 1), back;
    struct doc *d = encode(&e);
    assert_int_equal(check(d), OK);
    doc_decode(d, arena, &back);
    assert_true(tree_same(&e, &back));
    free(d);
}

static void test_typical_entity_is_small(void **state)
{
    (void)state;
    struct attr attrs[5] = {number(1, 61), number(2, 1), number(3, 1), number(4, 1), number(5, 1)};
    attrs[0].unit_code = STR("KMH");
    attrs[0].observed_at = T0;
    attrs[1].value =
        (struct value){.kind = VALUE_GEO,
                       .point = true,
                       .text = STR("{\"type\":\"Point\",\"coordinates\":[117.0009,36.6758]}")};
    attrs[1].kind = ATTR_GEO_PROPERTY;
    attrs[2].value =
        (struct value){.kind = VALUE_STRING, .text = STR("urn:ngsi-ld:RoadSegment:12345")};
    attrs[2].kind = ATTR_RELATIONSHIP;
    attrs[3].value = (struct value){.kind = VALUE_STRING, .text = STR("Mercedes"), .plain = true};
    attrs[4].value = (struct value){.kind = VALUE_REAL, .real = 88.25};
    attrs[4].observed_at = T0 - 100;
    struct entity e = entity_of(attrs, 5);
    struct doc *d = encode(&e);
    assert_true(doc_bytes(d) <= 360);
    free(d);
}

static void assert_same_text(struct str a, struct str b)
{
    assert_int_equal(str_absent(a), str_absent(b));
    assert_true(str_eq(a, b));
}

/* Read alone it is the same in every member, with its children counted and not there. */
static void test_attribute_alone_lacks_its_children_only(void **state)
{
    (void)state;
    struct random r = {4711};
    uint32_t with_children = 0;
    for (uint64_t round = 1; round < 500; round++) {
        struct entity e;
        random_entity(&r, arena, round, &e);
        struct doc *d = encode(&e);
        doc_set_seq(d, round);
        for (uint32_t i = 0; i < doc_attr_count(d); i++) {
            struct attr whole, alone;
            memset(&alone, 0xa5, sizeof alone);
            doc_attr(d, i, arena, &whole);
            doc_attr_alone(d, i, &alone);
            assert_null(alone.subs);
            assert_int_equal(alone.sub_count, whole.sub_count);
            assert_true(alone.seq == whole.seq && alone.created_at == whole.created_at &&
                        alone.modified_at == whole.modified_at);
            assert_same_text(alone.dataset, whole.dataset);
            assert_same_text(alone.unit_code, whole.unit_code);
            assert_same_text(alone.value_type, whole.value_type);
            assert_same_text(alone.object_type, whole.object_type);
            with_children += whole.sub_count > 0;
            alone.sub_count = whole.sub_count = 0;
            assert_true(attr_same(&alone, &whole));
        }
        free(d);
        arena_reset(arena);
    }
    assert_true(with_children > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_header_is_read_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_entity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attribute_alone_lacks_its_children_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sequence_is_set_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_earliest_expiry_of_anything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_trees_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_found_or_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_blocks_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals_name_the_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(test_padding_is_zero_and_short, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nesting_has_a_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deepest_nesting_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_typical_entity_is_small, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
