/* What the watch of registrations keeps of tenants that come and go. */
#include "broker/source_watch_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

struct city {
    struct runner runner;
    struct task *posted;
    struct notify_host host;
    struct broker broker;
    struct terms *terms;
    struct source_watch *watch;
};

static void post(struct runner *r, struct task *t)
{
    container_of(r, struct city, runner)->posted = t;
}

static void alarm_set(struct notify_host *h, int64_t due_us)
{
    (void)h;
    (void)due_us;
}

static void hear(struct city *c, struct change change)
{
    struct store_listener *l = source_watch_listener(c->watch);
    change.seq = 1;
    l->changes(l, &change, 1);
    if (c->posted)
        c->posted->run(c->posted);
    c->posted = NULL;
}

static int setup(void **state)
{
    struct city *c = mem_zalloc(sizeof *c);
    struct notify_options o = {.waiting_max = 10};
    c->runner.post = post;
    c->host = (struct notify_host){&c->runner, alarm_set};
    c->terms = terms_new(100);
    c->watch = source_watch_new(&o, c->terms);
    source_watch_start(c->watch, &c->broker, &c->host);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    source_watch_free(c->watch);
    terms_free(c->terms);
    free(c);
    return 0;
}

static void test_tenants_without_registrations_leave_nothing(void **state)
{
    struct city *c = *state;
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "/snapshot/%d", i);
        hear(c, (struct change){.kind = CHANGE_TENANT, .gone = true, .tenant = str_of(name)});
    }
    assert_null(c->watch->tenants);
}

static void test_tenants_go_with_the_last_registration(void **state)
{
    struct city *c = *state;
    struct change put = {.kind = CHANGE_DOCUMENT,
                         .document_kind = STORE_REGISTRATION,
                         .tenant = STR("a"),
                         .key = STR("urn:x:1"),
                         .bytes = STR("{}")},
                  other = put, gone = put;
    other.key = STR("urn:x:2");
    gone.bytes = STR_NONE;
    hear(c, put);
    hear(c, other);
    hear(c, gone);
    assert_non_null(c->watch->tenants);
    hear(c, (struct change){.kind = CHANGE_TENANT, .gone = true, .tenant = STR("a")});
    assert_null(c->watch->tenants);
    hear(c, put);
    assert_non_null(c->watch->tenants);
    hear(c, gone);
    assert_null(c->watch->tenants);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tenants_without_registrations_leave_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tenants_go_with_the_last_registration, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
