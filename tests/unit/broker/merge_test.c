/* What several sources say about one entity, put together. */
#include "broker/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WIDTH = 10, DEPTH = 11, COLOUR = 12 };

static int setup(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct attr attr_make(uint32_t term, int64_t value, int64_t observed_at, int64_t modified_at)
{
    return (struct attr){
        .term = term,
        .kind = ATTR_PROPERTY,
        .dataset = STR(""),
        .value = {.kind = VALUE_INT, .integer = value},
        .observed_at = observed_at,
        .expires_at = TIME_NONE,
        .created_at = 1,
        .modified_at = modified_at,
    };
}

static struct entity *entity_make(struct arena *a, uint32_t type, const char *scope, uint32_t n, const struct attr *attrs)
{
    struct entity *e = arena_zarray(a, struct entity, 1);
    *e = (struct entity){
        .id = STR("urn:x:1"),
        .type_count = 1,
        .types = arena_array(a, uint32_t, 1),
        .scope_count = scope ? 1 : 0,
        .scopes = arena_array(a, struct str, 1),
        .created_at = 100,
        .modified_at = 200,
        .expires_at = TIME_NONE,
        .attr_count = n,
        .attrs = arena_array(a, struct attr, n),
    };
    e->types[0] = type;
    e->scopes[0] = str_of(scope);
    for (uint32_t i = 0; i < n; i++)
        e->attrs[i] = attrs[i];
    return e;
}

/* Value of term in the merged entity, or -1. */
static int64_t value_of(const struct entity *e, uint32_t term)
{
    const struct attr *a = entity_instance(e, term, STR(""));
    return a ? a->value.integer : -1;
}

static void types_scopes_and_times_are_united(void **state)
{
    struct arena *a = *state;
    struct attr width = attr_make(WIDTH, 1, TIME_NONE, 5), depth = attr_make(DEPTH, 2, TIME_NONE, 5);
    struct entity *one = entity_make(a, 1, "/a", 1, &width), *two = entity_make(a, 2, "/b", 1, &depth);
    two->created_at = 50;
    two->modified_at = 300;
    struct entity *three = entity_make(a, 1, NULL, 0, NULL), out;
    const struct fragment f[] = {{.entity = one}, {.entity = two}, {.entity = three}};
    merge_fragments(f, 3, a, &out);
    assert_int_equal(out.type_count, 2);
    assert_int_equal(out.types[0], 1);
    assert_int_equal(out.types[1], 2);
    assert_int_equal(out.scope_count, 2);
    assert_int_equal(out.created_at, 50);
    assert_int_equal(out.modified_at, 300);
    assert_int_equal(out.attr_count, 2);
    assert_int_equal(value_of(&out, WIDTH), 1);
    assert_int_equal(value_of(&out, DEPTH), 2);
    assert_int_equal(one->attr_count, 1); /* what came in is left as it is */
    assert_int_equal(one->type_count, 1);
}

static void latest_observation_wins_then_latest_change_then_first_source(void **state)
{
    static const struct {
        int64_t observed[2], modified[2], expected;
    } CASES[] = {
        {{10, 20}, {9, 1}, 2},
        {{20, 10}, {1, 9}, 1},
        {{10, TIME_NONE}, {1, 9}, 1},
        {{TIME_NONE, 10}, {9, 1}, 2},
        {{TIME_NONE, TIME_NONE}, {1, 9}, 2},
        {{TIME_NONE, TIME_NONE}, {9, 1}, 1},
        {{10, 10}, {1, 9}, 2},
        {{10, 10}, {5, 5}, 1},
    };
    struct arena *a = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct attr one = attr_make(WIDTH, 1, CASES[i].observed[0], CASES[i].modified[0]);
        struct attr two = attr_make(WIDTH, 2, CASES[i].observed[1], CASES[i].modified[1]);
        const struct fragment f[] = {{.entity = entity_make(a, 1, NULL, 1, &one)},
                                     {.entity = entity_make(a, 1, NULL, 1, &two)}};
        struct entity out;
        merge_fragments(f, 2, a, &out);
        assert_int_equal(out.attr_count, 1);
        assert_int_equal(value_of(&out, WIDTH), CASES[i].expected);
    }
}

static void instances_of_other_datasets_stand_side_by_side(void **state)
{
    struct arena *a = *state;
    struct attr one = attr_make(WIDTH, 1, 1, 1), two = attr_make(WIDTH, 2, 2, 2);
    two.dataset = STR("urn:x:d");
    const struct fragment f[] = {{.entity = entity_make(a, 1, NULL, 1, &two)}, {.entity = entity_make(a, 1, NULL, 1, &one)}};
    struct entity out;
    merge_fragments(f, 2, a, &out);
    assert_int_equal(out.attr_count, 2);
    assert_int_equal(out.attrs[0].dataset.n, 0); /* sorted, as attributes are */
    assert_int_equal(out.attrs[0].value.integer, 1);
    assert_int_equal(out.attrs[1].value.integer, 2);
}

static void auxiliary_fills_gaps_only(void **state)
{
    struct arena *a = *state;
    struct attr old = attr_make(WIDTH, 1, 1, 1);
    struct attr newer[] = {attr_make(WIDTH, 2, 9, 9), attr_make(COLOUR, 3, 9, 9)};
    struct fragment plain = {.entity = entity_make(a, 1, NULL, 1, &old)};
    struct fragment auxiliary = {.entity = entity_make(a, 1, NULL, 2, newer), .auxiliary = true};
    const struct fragment orders[][3] = {{plain, auxiliary, plain}, {auxiliary, plain, plain}, {auxiliary, auxiliary, plain}};
    for (size_t i = 0; i < 3; i++) {
        struct entity out;
        merge_fragments(orders[i], 3, a, &out);
        assert_int_equal(value_of(&out, WIDTH), 1);
        assert_int_equal(value_of(&out, COLOUR), 3);
    }
    const struct fragment alone[] = {auxiliary, auxiliary};
    struct entity out;
    merge_fragments(alone, 2, a, &out);
    assert_int_equal(value_of(&out, WIDTH), 2);
}

static void blocks_and_trees_mix(void **state)
{
    struct arena *a = *state;
    struct attr one = attr_make(WIDTH, 1, TIME_NONE, 5), two = attr_make(DEPTH, 2, TIME_NONE, 5);
    struct entity *stored = entity_make(a, 1, NULL, 1, &one), out;
    struct doc *d = arena_alloc(a, doc_size(stored));
    doc_encode(stored, d);
    doc_set_seq(d, 1);
    const struct fragment f[] = {{.doc = d}, {.entity = entity_make(a, 2, NULL, 1, &two)}};
    merge_fragments(f, 2, a, &out);
    assert_int_equal(out.attr_count, 2);
    assert_int_equal(out.type_count, 2);
    assert_true(str_eq(out.id, STR("urn:x:1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(types_scopes_and_times_are_united, setup, teardown),
        cmocka_unit_test_setup_teardown(latest_observation_wins_then_latest_change_then_first_source, setup, teardown),
        cmocka_unit_test_setup_teardown(instances_of_other_datasets_stand_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(auxiliary_fills_gaps_only, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_and_trees_mix, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
