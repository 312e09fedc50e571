/* Snapshots as stored: what is written is read again; what is damaged is refused. And
 * what EDIT_COPY makes of the entities. */
#include "model/edit.h"
#include "model/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_str(struct str s, struct str want)
{
    assert_int_equal(str_absent(s), str_absent(want));
    assert_true(str_eq(s, want));
}

static void round_trip(void **state)
{
    struct arena *a = arena_new(0);
    struct why why;
    struct buf b;
    struct str held;
    struct snapshot out, s = {.id = STR("urn:x:1"), .queries = STR("[{\"type\":\"Query\"}]"), .lifetime = STR("PT1H"), .priority = 3,
                              .endpoint = STR("http://x.org/a\"b"), .receiver_info = STR("[{\"key\":\"k\",\"value\":\"v\"}]"),
                              .status = SNAPSHOT_PARTIAL, .details = STR("[{\"resultStatus\":\"empty\"}]"),
                              .created_at = 1000000, .modified_at = 2000001, .expires_at = 3000000, .last_used_at = 4000000};
    (void)state;
    why_clear(&why);
    buf_init(&b, 1 << 16);
    snapshot_store(&b, &s, STR("/held"));
    assert_int_equal(snapshot_load(buf_view(&b), a, &out, &held, &why), OK);
    assert_str(held, STR("/held"));
    assert_str(out.id, s.id);
    assert_str(out.queries, s.queries);
    assert_str(out.temporal_queries, STR_NONE);
    assert_str(out.lifetime, s.lifetime);
    assert_str(out.endpoint, s.endpoint);
    assert_str(out.receiver_info, s.receiver_info);
    assert_str(out.details, s.details);
    assert_true(out.priority == 3 && out.status == SNAPSHOT_PARTIAL && out.created_at == 1000000 && out.modified_at == 2000001);
    assert_true(out.expires_at == 3000000 && out.last_used_at == 4000000);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(snapshot_load((struct str){b.p, n}, a, &out, &held, NULL), E_DAMAGED);
    buf_free(&b);
    arena_free(a);
}

static void failures(void **state)
{
    struct arena *a = arena_new(0);
    (void)state;
    assert_str(snapshot_failures(a, STR_NONE, STR("{}")), STR_NONE);
    assert_str(snapshot_failures(a, STR("[1,2]"), STR("{}")),
               STR("[{\"resultStatus\":\"failure\",\"problemDetails\":{}},{\"resultStatus\":\"failure\",\"problemDetails\":{}}]"));
    struct str problem = snapshot_problem(a, E_TOO_COMPLEX, "a \"b\"");
    assert_true(str_find(problem, STR("TooComplexQuery")) != STR_NPOS && str_find(problem, STR("a \\\"b\\\"")) != STR_NPOS);
    arena_free(a);
}

static struct attr number(uint32_t term, int64_t value, int64_t at)
{
    return (struct attr){.term = term, .kind = ATTR_PROPERTY, .dataset = STR(""), .value = {.kind = VALUE_INT, .integer = value},
                         .observed_at = TIME_NONE, .expires_at = TIME_NONE, .created_at = at, .modified_at = at + 1, .seq = 9};
}

static void copies(void **state)
{
    struct arena *a = arena_new(0);
    uint32_t types[] = {5}, other[] = {6};
    struct attr first[] = {number(1, 10, 100), number(3, 30, 100)}, second[] = {number(1, 11, 200), number(2, 20, 200)};
    struct entity one = {.id = STR("urn:x:1"), .types = types, .type_count = 1, .attrs = first, .attr_count = 2, .created_at = 100,
                         .modified_at = 101, .expires_at = TIME_NONE, .seq = 8, .created_seq = 7};
    struct entity two = one, out, again;
    two.types = other;
    two.attrs = second;
    struct edit edit = {.kind = EDIT_COPY, .id = one.id, .fragment = &one};
    struct edit_result r;
    (void)state;
    edit_apply(&edit, NULL, 5000, a, &out, &r);
    assert_true(r.status == OK && r.changed && r.created);
    assert_true(out.created_at == 100 && out.modified_at == 101 && out.created_seq == 0 && out.seq == 0);
    assert_true(out.attr_count == 2 && out.attrs[0].seq == 0 && out.attrs[0].modified_at == 101 && first[0].seq == 9);
    edit_apply(&edit, &out, 6000, a, &again, &r);
    assert_true(r.status == OK && !r.changed);
    edit.fragment = &two;
    edit_apply(&edit, &out, 6000, a, &again, &r);
    assert_true(r.changed && !r.created && again.type_count == 2 && again.attr_count == 3 && again.modified_at == 101);
    assert_true(again.attrs[0].value.integer == 10 && again.attrs[1].value.integer == 20 && again.attrs[1].created_at == 200);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(failures),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
