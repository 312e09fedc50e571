/* What the watch of registrations keeps: of tenants that come and go, and when more is heard than may wait. */
#include "broker/source_watch_int.h"

#include "../store/naive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAITING = 4000 };

struct city {
    struct runner runner;
    struct task *posted;
    struct notify_host host;
    struct broker broker;
    struct terms *terms;
    struct source_watch *watch;
    struct clock clock;
    struct broker_ports ports;
    uint64_t seq;
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

static int64_t clock_now(struct clock *c)
{
    (void)c;
    return INT64_C(1700000000000000);
}

/* The host's thread has its turn. */
static void run_posted(struct city *c)
{
    for (struct task *t; (t = c->posted);) {
        c->posted = NULL;
        t->run(t);
    }
}

static void hear(struct city *c, struct change change)
{
    struct store_listener *l = source_watch_listener(c->watch);
    change.seq = ++c->seq;
    l->changes(l, &change, 1);
    run_posted(c);
}

/* A registration is put into the store, which tells of it; absent bytes: it is deleted. */
static void put(struct city *c, int number, struct str bytes)
{
    char key[32];
    snprintf(key, sizeof key, "urn:x:%d", number);
    struct caller caller = {.tenant = STR("a")};
    struct store_put p = {.call.home = &c->runner, .caller = &caller, .kind = STORE_REGISTRATION,
                          .key = str_of(key), .bytes = bytes, .create_tenant = true};
    assert_true(store_put(c->broker.store, &p));
    assert_int_equal(p.call.status, OK);
}

static const struct source *source_of(const struct city *c, const char *key)
{
    const struct source_tenant *t = source_tenant_find(c->watch, STR("a"));
    struct named *n = t ? named_find(&t->sources, str_of(key)) : NULL;
    return n ? container_of(n, struct source, named) : NULL;
}

static int setup(void **state)
{
    struct city *c = mem_zalloc(sizeof *c);
    struct notify_options o = {.waiting_max = 10, .waiting_bytes_max = 8 * WAITING};
    c->runner.post = post;
    c->host = (struct notify_host){&c->runner, alarm_set};
    c->terms = terms_new(100);
    c->clock.now_us = clock_now;
    c->ports.clock = &c->clock;
    c->broker.ports = &c->ports;
    c->broker.store = naive_new(10, &c->clock, c->terms);
    c->watch = source_watch_new(&o, c->terms);
    store_listen(c->broker.store, source_watch_listener(c->watch));
    source_watch_start(c->watch, &c->broker, &c->host);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    store_close(c->broker.store);
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
    assert_null(named_first(&c->watch->tenants));
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
    assert_non_null(named_first(&c->watch->tenants));
    hear(c, (struct change){.kind = CHANGE_TENANT, .gone = true, .tenant = STR("a")});
    assert_null(named_first(&c->watch->tenants));
    hear(c, put);
    assert_non_null(named_first(&c->watch->tenants));
    hear(c, gone);
    assert_null(named_first(&c->watch->tenants));
}

static void test_more_than_may_wait_is_read_anew(void **state)
{
    struct city *c = *state;
    put(c, 0, STR("{}"));
    put(c, 1, STR("{}"));
    run_posted(c);
    assert_non_null(source_of(c, "urn:x:0"));
    put(c, 0, STR_NONE);
    put(c, 1, STR("{\"a\":1}"));
    for (int i = 2; i < 1000; i++) {
        put(c, i, STR("{}"));
        assert_true(c->watch->heard_bytes <= WAITING);
    }
    run_posted(c);
    assert_null(source_of(c, "urn:x:0"));
    assert_true(str_eq(source_of(c, "urn:x:1")->stored, STR("{\"a\":1}")));
    assert_non_null(source_of(c, "urn:x:999"));
    assert_int_equal(source_tenant_find(c->watch, STR("a"))->sources.count, 999);
    put(c, 1, STR_NONE); /* and one after another again */
    run_posted(c);
    assert_null(source_of(c, "urn:x:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tenants_without_registrations_leave_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tenants_go_with_the_last_registration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_than_may_wait_is_read_anew, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
