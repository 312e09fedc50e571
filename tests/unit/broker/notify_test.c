/* The end of deliveries: nothing of a lane is left, whenever it goes. */
#include "broker/notify.h"

#include "base/time.h"
#include "model/context.h"
#include "told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

struct city {
    struct runner runner;
    struct task *posted;
    struct notify_host host;
    struct clock clock;
    struct broker_ports ports;
    struct broker broker;
    struct told told;
    struct notify *notify;
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

static int64_t at_zero(struct clock *c)
{
    (void)c;
    return 0;
}

/* The thread that delivers has its turn. */
static void deliver(struct city *c)
{
    struct task *t = c->posted;
    c->posted = NULL;
    if (t)
        t->run(t);
}

static void hear(struct city *c, const char *stored)
{
    struct change change = {.kind = CHANGE_DOCUMENT,
                            .document_kind = STORE_SUBSCRIPTION,
                            .tenant = STR("t"),
                            .key = STR("urn:s:1"),
                            .bytes = stored ? str_of(stored) : STR_NONE,
                            .seq = 1};
    struct store_listener *l = notify_listener(c->notify);
    l->changes(l, &change, 1);
}

static int setup(void **state)
{
    struct city *c = mem_zalloc(sizeof *c);
    struct notify_options o = {.waiting_max = 10, .waiting_bytes_max = 1 << 20};
    o.limits = (struct subscription_limits){.filter = {100, 8, 100, 100}, .projection = {100, 4},
                                            .selectors_max = 10, .names_max = 10, .pairs_max = 10,
                                            .timeout_max_ms = 5000};
    told_begin(&c->told);
    c->runner.post = post;
    c->host = (struct notify_host){&c->runner, alarm_set};
    c->clock.now_us = at_zero;
    c->ports.clock = &c->clock;
    c->broker = (struct broker){.ports = &c->ports, .terms = c->told.terms};
    c->notify = notify_new(&o, c->told.terms);
    notify_start(c->notify, &c->broker, &c->host);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    notify_free(c->notify);
    told_end(&c->told);
    free(c);
    return 0;
}

#define STORED                                                                                     \
    "{\"version\":1,\"id\":\"urn:s:1\",\"type\":\"Subscription\",\"jsonldContext\":\"https://example.org/c\","        \
    "\"notification\":{\"endpoint\":{\"uri\":\"http://localhost:9/n\"}}}"

/* What is left is told by the leak checker. */
static void a_lane_removed_last_leaves_nothing(void **state)
{
    struct city *c = *state;
    struct notify_stats s;
    hear(c, STORED);
    notify_stats(c->notify, &s);
    assert_int_equal(s.outbox.lanes, 1);
    deliver(c);
    hear(c, NULL);
    notify_stop(c->notify);
    assert_true(notify_is_idle(c->notify));
    notify_stats(c->notify, &s);
    assert_int_equal(s.outbox.lanes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lane_removed_last_leaves_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
