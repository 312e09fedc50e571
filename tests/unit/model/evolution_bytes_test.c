/* Temporal evolutions: order, instance ids, and the bytes of instances. */
#include "model/evolution.h"
#include "random_point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

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

static struct point instance(int64_t observed_at, int64_t deleted_at, int64_t modified_at, uint64_t seq, uint32_t index)
{
    return (struct point){.attr = {.observed_at = observed_at, .modified_at = modified_at, .created_at = 7, .seq = seq},
                          .index = index,
                          .deleted_at = deleted_at};
}

static void test_place_and_order(void **state)
{
    (void)state;
    struct point p = instance(5, TIME_NONE, 9, 1, 0);
    assert_int_equal(point_place(&p), 5);
    p = instance(TIME_NONE, 6, 9, 1, 0);
    assert_int_equal(point_place(&p), 6);
    p = instance(TIME_NONE, TIME_NONE, 9, 1, 0);
    assert_int_equal(point_place(&p), 9);
    p = instance(1, 4, 3, 1, 0);
    assert_int_equal(point_time(&p, TIME_OBSERVED_AT), 1);
    assert_int_equal(point_time(&p, TIME_CREATED_AT), 7);
    assert_int_equal(point_time(&p, TIME_MODIFIED_AT), 3);
    assert_int_equal(point_time(&p, TIME_DELETED_AT), 4);
    struct point sorted[] = {instance(1, TIME_NONE, 50, 9, 9), instance(TIME_NONE, 2, 1, 8, 0),
                             instance(3, TIME_NONE, 1, 5, 1),  instance(3, TIME_NONE, 1, 5, 2),
                             instance(3, TIME_NONE, 1, UINT64_MAX, 0)};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            assert_int_equal(point_order(&sorted[i], &sorted[k]), (i > k) - (i < k));
}

static void test_series_of_a_term(void **state)
{
    (void)state;
    struct series s[] = {{.term = TERM_SCOPE}, {.term = 2}, {.term = 5}, {.term = 5, .dataset = STR("urn:d")}, {.term = 9}};
    struct evolution e = {.count = 5, .series = s};
    uint32_t n;
    assert_ptr_equal(evolution_series(&e, TERM_SCOPE, &n), &s[0]);
    assert_int_equal(n, 1);
    assert_ptr_equal(evolution_series(&e, 5, &n), &s[2]);
    assert_int_equal(n, 2);
    assert_ptr_equal(evolution_series(&e, 9, NULL), &s[4]);
    assert_null(evolution_series(&e, 3, &n));
    assert_int_equal(n, 0);
    assert_null(evolution_series(&e, 10, &n));
}

/* ---- instance ids ---- */

static struct str written(struct str entity, struct str iri, struct str dataset, uint64_t seq, uint32_t index)
{
    char out[INSTANCE_ID_MAX];
    size_t n = instance_id_write(entity, iri, dataset, seq, index, out);
    assert_true(n < INSTANCE_ID_MAX);
    return arena_dup(arena, (struct str){out, n});
}

#define ENTITY STR("urn:ngsi-ld:Vehicle:1")
#define SPEED STR("https://example.org/speed")

static void test_instance_ids_come_back(void **state)
{
    (void)state;
    static const uint64_t SEQS[] = {1, 15, 16, 0x123456789abcdef, UINT64_MAX};
    static const uint32_t INDEXES[] = {0, 9, 10, 255, UINT32_MAX};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++) {
            struct str id = written(ENTITY, SPEED, STR("urn:d"), SEQS[i], INDEXES[k]);
            uint64_t seq;
            uint32_t index;
            assert_true(instance_id_read(id, &seq, &index));
            assert_true(seq == SEQS[i] && index == INDEXES[k]);
            assert_true(instance_id_is(id, ENTITY, SPEED, STR("urn:d"), SEQS[i], INDEXES[k]));
            assert_false(instance_id_is(id, ENTITY, SPEED, STR("urn:d"), SEQS[i] - 1, INDEXES[k]));
            assert_false(instance_id_is(id, ENTITY, SPEED, STR("urn:d"), SEQS[i], INDEXES[k] ^ 1));
        }
    /* Clients keep them: never another id for the same instance. */
    assert_string_equal(written(STR("urn:ngsi-ld:T:1"), STR("https://x.org/a"), STR(""), 26, 3).p,
                        "urn:ngsi-ld:Instance:1a-3-5a0ba1a4d34d5a9e");
}

static void test_instance_ids_tell_series_apart(void **state)
{
    (void)state;
    struct str id = written(ENTITY, SPEED, STR(""), 5, 1);
    assert_false(instance_id_is(id, STR("urn:ngsi-ld:Vehicle:2"), SPEED, STR(""), 5, 1));
    assert_false(instance_id_is(id, ENTITY, STR("https://example.org/spee"), STR(""), 5, 1));
    assert_false(instance_id_is(id, ENTITY, SPEED, STR("urn:d"), 5, 1));
    /* The same letters, cut elsewhere. */
    assert_false(str_eq(written(STR("ab"), STR("c"), STR(""), 1, 0), written(STR("a"), STR("bc"), STR(""), 1, 0)));
    assert_false(str_eq(written(STR("a"), STR("b"), STR("c"), 1, 0), written(STR("a"), STR("bc"), STR(""), 1, 0)));
}

static void test_other_ids_are_none_of_ours(void **state)
{
    (void)state;
    static const char *const OTHERS[] = {"",
                                         "urn:ngsi-ld:Instance:",
                                         "urn:ngsi-ld:Instance:5",
                                         "urn:ngsi-ld:Instance:5-",
                                         "urn:ngsi-ld:Instance:5-1",
                                         "urn:ngsi-ld:Instance:-1-0",
                                         "urn:ngsi-ld:Instance:5--0",
                                         "urn:ngsi-ld:Instance:G-1-0",
                                         "urn:ngsi-ld:Instance:A-1-0",
                                         "urn:ngsi-ld:Instance:10000000000000000-1-0",
                                         "urn:ngsi-ld:Instance:5-100000000-0",
                                         "urn:ngsi-ld:Vehicle:5-1-0"};
    uint64_t seq;
    uint32_t index;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        assert_false(instance_id_read(str_of(OTHERS[i]), &seq, &index));
    /* Read as of a change, but of no instance that has this id. */
    struct str id = STR("urn:ngsi-ld:Instance:05-01-0000000000000000");
    assert_true(instance_id_read(id, &seq, &index));
    assert_false(instance_id_is(id, ENTITY, SPEED, STR(""), seq, index));
}

/* ---- bytes ---- */

/* In a block of exactly its size. free() its p. */
static struct str exact(const struct buf *b)
{
    char *p = malloc(b->n + !b->n);
    memcpy(p, b->p, b->n);
    return (struct str){p, b->n};
}

static void check_points(const struct point *points, uint32_t n)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    for (uint32_t i = 0; i < n; i++)
        point_write(&b, &points[i]);
    struct str bytes = exact(&b), rest = bytes;
    for (uint32_t i = 0; i < n; i++) {
        struct point back;
        struct why why = {0};
        memset(&back, 0xEE, sizeof back);
        if (point_read(&rest, RANDOM_TERM_MAX, arena, &back, &why) != OK)
            fail_msg("%s", why.text);
        assert_true(point_same(&points[i], &back));
    }
    assert_int_equal(rest.n, 0);
    free((char *)bytes.p);
    buf_free(&b);
}

static void check_shapes(const struct point *points, uint32_t n)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(&b);
        point_shape_write(&b, &points[i]);
        struct str bytes = exact(&b), rest = bytes;
        struct point back = points[i];
        back.attr.kind = ATTR_UNKNOWN;
        back.attr.unit_code = back.attr.value_type = back.attr.object_type = STR("other");
        back.attr.expires_at = 4;
        back.attr.sub_count = 0;
        back.attr.subs = NULL;
        assert_int_equal(point_shape_read(&rest, RANDOM_TERM_MAX, arena, &back, NULL), OK);
        assert_int_equal(rest.n, 0);
        assert_true(point_same(&points[i], &back));
        free((char *)bytes.p);
    }
    buf_free(&b);
}

static void test_random_points_come_back(void **state)
{
    (void)state;
    struct random r = {61};
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t n = 1 + random_below(&r, 20);
        struct point *points = random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), n);
        check_points(points, n);
        check_shapes(points, n);
        arena_reset(arena);
    }
}

/* Sub-attributes as the instance's own change wrote them make one shape, whenever that was. */
static void test_what_repeats_has_one_shape(void **state)
{
    (void)state;
    struct attr sub = {.term = 2, .kind = ATTR_PROPERTY, .dataset = STR(""), .observed_at = TIME_NONE, .expires_at = TIME_NONE,
                       .value = {.kind = VALUE_INT, .integer = 4}};
    struct buf shapes[2];
    for (int i = 0; i < 2; i++) {
        struct point p = instance(5000 + i, TIME_NONE, 9000 * (i + 1), 7 + (uint64_t)i, (uint32_t)i);
        p.attr.kind = ATTR_PROPERTY;
        p.attr.value = (struct value){.kind = VALUE_INT, .integer = i};
        p.attr.unit_code = STR("CEL");
        p.attr.expires_at = p.attr.modified_at + 3600;
        sub.created_at = sub.modified_at = p.attr.modified_at;
        sub.seq = p.attr.seq;
        p.attr.subs = &sub;
        p.attr.sub_count = 1;
        buf_init(&shapes[i], 1000);
        point_shape_write(&shapes[i], &p);
    }
    assert_true(str_eq(buf_view(&shapes[0]), buf_view(&shapes[1])));
    assert_in_range(shapes[0].n, 10, 30);
    buf_free(&shapes[0]);
    buf_free(&shapes[1]);
}

static void test_damage_is_found_or_harmless(void **state)
{
    (void)state;
    struct random r = {62};
    struct buf b, again;
    buf_init(&b, 64 << 20);
    buf_init(&again, 64 << 20);
    uint32_t found = 0, harmless = 0;
    for (uint32_t i = 0; i < 300; i++) {
        struct point *p = random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), 1), back, same;
        buf_clear(&b);
        point_write(&b, p);
        struct str bytes = exact(&b);
        char *at = (char *)bytes.p;
        for (size_t k = 0; k < bytes.n; k++) {
            char was = at[k];
            struct str rest = bytes;
            at[k] = (char)(was ^ (1 << random_below(&r, 8)));
            if (point_read(&rest, RANDOM_TERM_MAX, arena, &back, NULL) == OK) {
                buf_clear(&again);
                point_write(&again, &back);
                struct str whole = buf_view(&again);
                assert_int_equal(point_read(&whole, RANDOM_TERM_MAX, arena, &same, NULL), OK);
                assert_true(point_same(&back, &same));
                harmless++;
            } else {
                found++;
            }
            at[k] = was;
        }
        free(at);
        arena_reset(arena);
    }
    assert_true(found > 1000 && harmless > 1000);
    buf_free(&b);
    buf_free(&again);
}

static void test_each_cut_is_refused(void **state)
{
    (void)state;
    struct random r = {63};
    struct buf b;
    buf_init(&b, 64 << 20);
    for (uint32_t i = 0; i < 2 * RANDOM_VALUES_COUNT; i++) {
        struct point *p = random_points(&r, arena, (enum random_values)(i % RANDOM_VALUES_COUNT), 1), back;
        buf_clear(&b);
        point_write(&b, p);
        for (size_t n = 0; n < b.n; n++) {
            char *cut = malloc(n + !n);
            memcpy(cut, b.p, n);
            struct str rest = {cut, n};
            assert_int_equal(point_read(&rest, RANDOM_TERM_MAX, arena, &back, NULL), E_DAMAGED);
            free(cut);
        }
        arena_reset(arena);
    }
    buf_free(&b);
}

/* Bytes made by hand: each has one fault, named in the comment. */
static void test_faults_are_refused(void **state)
{
    (void)state;
    /* kinds, mask, term, modified, created, seq, value, index */
    static const char GOOD[] = {0x31, 0, 3, 20, 0, 14, 8, 0};
    struct point p;
    struct str bytes = {GOOD, sizeof GOOD};
    assert_int_equal(point_read(&bytes, 3, arena, &p, NULL), OK);
    assert_true(p.attr.kind == ATTR_PROPERTY && p.attr.value.integer == 4 && p.attr.seq == 7 && p.attr.modified_at == 10);
    static const struct {
        unsigned at;
        char byte;
    } FAULTS[] = {
        {0, 0x30},       /* no kind of attribute */
        {0, 0x39},       /* an unknown one */
        {0, 0x01},       /* no value */
        {0, (char)0x81}, /* an unknown kind of value */
        {1, 64},         /* sub-attributes: none follow that are valid */
        {2, 4},          /* a term beyond the last */
    };
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
        char bad[sizeof GOOD];
        memcpy(bad, GOOD, sizeof bad);
        bad[FAULTS[i].at] = FAULTS[i].byte;
        bytes = (struct str){bad, sizeof bad};
        assert_int_equal(point_read(&bytes, 3, arena, &p, NULL), E_DAMAGED);
    }
    static const char FLAG_ON_NUMBER[] = {0x31, (char)0x80, 2, 3, 20, 0, 14, 8, 0};
    static const char NOT_FINITE[] = {0x41, 0, 3, 20, 0, 14, 0, 0, 0, 0, 0, 0, (char)0xF0, 0x7F, 0};
    static const char INDEX_BEYOND[] = {0x31, 0, 3, 20, 0, 14, 8, (char)0x80, (char)0x80, (char)0x80, (char)0x80, 0x10};
    bytes = (struct str){FLAG_ON_NUMBER, sizeof FLAG_ON_NUMBER};
    assert_int_equal(point_read(&bytes, 3, arena, &p, NULL), E_DAMAGED);
    bytes = (struct str){NOT_FINITE, sizeof NOT_FINITE};
    assert_int_equal(point_read(&bytes, 3, arena, &p, NULL), E_DAMAGED);
    bytes = (struct str){INDEX_BEYOND, sizeof INDEX_BEYOND};
    assert_int_equal(point_read(&bytes, 3, arena, &p, NULL), E_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place_and_order),
        cmocka_unit_test(test_series_of_a_term),
        cmocka_unit_test(test_instance_ids_come_back),
        cmocka_unit_test(test_instance_ids_tell_series_apart),
        cmocka_unit_test(test_other_ids_are_none_of_ours),
        cmocka_unit_test(test_random_points_come_back),
        cmocka_unit_test(test_what_repeats_has_one_shape),
        cmocka_unit_test(test_damage_is_found_or_harmless),
        cmocka_unit_test(test_each_cut_is_refused),
        cmocka_unit_test(test_faults_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
