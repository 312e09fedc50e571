/* The embedded store as a whole: what is acknowledged is there after a restart. */
#include "fixture.h"

#include "base/time.h"

#include <stdio.h>

static char dir[256];
static struct fixture f;

static void reopen(void)
{
    struct embedded_options o = fixture_options(dir, &clock_system);
    struct why why = {0};
    fixture_init(&f);
    if (embedded_open(&f.store, f.terms, &o, &why) != OK)
        fail_msg("%s", why.text);
    store_thread_enter(f.store);
}

static void shut(void)
{
    store_thread_leave(f.store);
    store_close(f.store);
    fixture_free(&f);
}

static int setup(void **state)
{
    (void)state;
    fixture_directory(dir, sizeof dir);
    reopen();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shut();
    fixture_remove(dir);
    return 0;
}

static void test_created_entity_survives_restart(void **state)
{
    (void)state;
    struct edit e = fixture_create(&f, "urn:x:1", "T", 41);
    struct edit_result r = fixture_edit(&f, &e);
    assert_int_equal(r.status, OK);
    assert_true(r.created && r.changed && r.seq > 0);
    uint64_t seq = r.seq;
    assert_non_null(fixture_get(&f, "urn:x:1"));
    shut();
    reopen();
    const struct doc *d = fixture_get(&f, "urn:x:1");
    assert_non_null(d);
    assert_int_equal(doc_seq(d), seq);
    assert_int_equal(doc_created_seq(d), seq);
    struct value v;
    doc_attr_value(d, 0, &v);
    assert_int_equal(v.integer, 41);
    assert_int_equal(doc_type(d, 0), fixture_term(&f, "T"));
    assert_null(fixture_get(&f, "urn:x:2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_created_entity_survives_restart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
