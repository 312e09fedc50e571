/* Whom a change is for, and that those it is not for cost nothing: work is counted. */
#include "broker/watch.h"
#include "model/context.h"
#include "model/reader.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct subscription_limits LIMITS = {
    .filter = {100, 8, 1000, 100},
    .projection = {100, 4},
    .selectors_max = 10,
    .names_max = 10,
    .pairs_max = 10,
    .timeout_max_ms = 5000,
};
static const struct reader_limits READER = {100, 8, 10, 10, 1000, 100};

struct city {
    struct arena *arena, *scratch;
    struct terms *terms;
    struct watch *watch;
    struct watch_found found;
    uint32_t hits, learnt, next;
    void *last;
    uint64_t seq;
};

static void found(struct watch_found *f, void *owner, const struct subscription *s,
                  const struct delta *delta)
{
    struct city *c = container_of(f, struct city, found);
    assert_non_null(s);
    assert_true(delta->triggers);
    c->hits++;
    c->last = owner;
}

static void learnt(void *arg, void *owner, struct subscription *s)
{
    struct city *c = arg;
    assert_non_null(s);
    c->last = owner;
    c->learnt++;
}

static int setup(void **state)
{
    struct city *c = mem_zalloc(sizeof *c);
    c->arena = arena_new(0);
    c->scratch = arena_new(0);
    c->terms = terms_new(100000);
    context_setup(c->terms);
    struct watch_options o = {c->terms, &LIMITS, learnt, c};
    c->watch = watch_new(&o);
    c->found.found = found;
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    watch_free(c->watch);
    terms_free(c->terms);
    arena_free(c->arena);
    arena_free(c->scratch);
    free(c);
    return 0;
}

static struct json parsed(struct city *c, struct str text)
{
    static const struct json_limits limits = {32, 1 << 20};
    struct json v;
    struct why why = {0};
    assert_int_equal(json_read(c->arena, text, &limits, &v, &why), OK);
    return v;
}

/* members: what stands behind the type of a subscription. */
static struct watcher *add(struct city *c, const char *tenant, struct str members, void *owner)
{
    struct json body =
        parsed(c, arena_printf(c->arena,
                               "{\"type\":\"Subscription\",\"notification\":{\"endpoint\":"
                               "{\"uri\":\"http://localhost:9/n\"}},%.*s}",
                               STR_ARG(members)));
    struct subscription_reader r = {
        .context = context_core(),
        .terms = c->terms,
        .limits = &LIMITS,
        .arena = c->arena,
        .context_url = STR("https://example.org/context"),
    };
    struct buf b;
    struct why why = {0};
    struct subscription *s;
    buf_init(&b, 1 << 20);
    enum status st = subscription_read(
        &r, &body, arena_printf(c->arena, "urn:s:%u", c->next++), &b, &why);
    if (st != OK)
        fail_msg("%s %s", why.pointer, why.text);
    assert_int_equal(
        subscription_compile(&s, str_of(tenant), buf_view(&b), c->terms, &LIMITS, &why), OK);
    struct watcher *w = watch_add(c->watch, s, owner);
    subscription_unref(s);
    buf_free(&b);
    return w;
}

static struct doc *entity(struct city *c, const char *text)
{
    struct json v = parsed(c, str_of(text));
    struct reader r = {.context = context_core(), .limits = &READER, .arena = c->arena};
    struct entity e;
    struct why why = {0};
    if (reader_entity(&r, &v, STR_NONE, NULL, &e, &why) != OK)
        fail_msg("%s", why.text);
    struct doc *d = arena_alloc(c->arena, doc_size(&e));
    e.seq = 0;
    doc_encode(&e, d);
    doc_set_seq(d, ++c->seq);
    return d;
}

static uint32_t hits(struct city *c, const char *tenant, const struct doc *before,
                     const struct doc *after)
{
    struct change change = {.seq = c->seq, .tenant = str_of(tenant), .before = before, .after = after};
    struct filter_env env = {.arena = c->scratch};
    c->hits = 0;
    watch_change(c->watch, &change, &env, &c->found);
    arena_reset(c->scratch);
    return c->hits;
}

static uint64_t candidates(const struct city *c)
{
    struct watch_stats s;
    watch_stats(c->watch, &s);
    return s.candidates;
}

#define CAR                                                                                        \
    "{\"id\":\"urn:car:1\",\"type\":\"Car\",\"speed\":{\"type\":\"Property\",\"value\":50},"       \
    "\"colour\":{\"type\":\"Property\",\"value\":\"red\"},\"scope\":[\"/city/west\"],"             \
    "\"location\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\","                        \
    "\"coordinates\":[8.5,47.4]}}}"
#define FASTER_CAR                                                                                 \
    "{\"id\":\"urn:car:1\",\"type\":\"Car\",\"speed\":{\"type\":\"Property\",\"value\":60},"       \
    "\"colour\":{\"type\":\"Property\",\"value\":\"red\"}}"
#define CARS "\"entities\":[{\"type\":\"Car\"}]"

static void each_shape_finds_its_subscription(void **state)
{
    struct city *c = *state;
    static const char *const SHAPES[] = {
        CARS,
        "\"entities\":[{\"type\":\"Car\",\"id\":\"urn:car:1\"}]",
        "\"entities\":[{\"type\":\"Car\",\"idPattern\":\"^urn:car:.*\"}]",
        "\"entities\":[{\"type\":\"Car\",\"idPattern\":\"car\"}]",
        "\"entities\":[{\"type\":\"*\"}],\"watchedAttributes\":[\"speed\"]",
        "\"watchedAttributes\":[\"speed\"]",
        CARS ",\"q\":\"speed>40\"",
        CARS ",\"q\":\"colour==\\\"blue\\\",\\\"red\\\"\"",
        CARS ",\"q\":\"speed==50;colour\"",
        CARS ",\"q\":\"speed==1,50.0\"",
        CARS ",\"q\":\"speed>=50\"",
        CARS ",\"q\":\"speed<50.5\"",
        CARS ",\"q\":\"speed<=50;speed>49;colour\"",
        CARS ",\"q\":\"speed==40..60\"",
        "\"watchedAttributes\":[\"colour\",\"speed\"],\"q\":\"speed>-1e300\"",
        CARS ",\"scopeQ\":\"/city/#\"",
        CARS ",\"scopeQ\":\"/city/west\"",
        CARS ",\"scopeQ\":\"/+/west\"",
        CARS ",\"geoQ\":{\"geometry\":\"Point\",\"coordinates\":[8.5,47.4],"
             "\"georel\":\"near;maxDistance==10\"}",
        CARS ",\"geoQ\":{\"geometry\":\"Point\",\"coordinates\":[-8.5,47.4],"
             "\"georel\":\"near;minDistance==10\"}",
    };
    const struct doc *car = entity(c, CAR);
    enum { COUNT = sizeof SHAPES / sizeof *SHAPES };
    struct watcher *w[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        w[i] = add(c, "t", str_of(SHAPES[i]), &w[i]);
        if (hits(c, "t", NULL, car) != i + 1)
            fail_msg("%s", SHAPES[i]);
        assert_int_equal(hits(c, "other", NULL, car), 0);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        watch_remove(c->watch, w[i]);
        assert_int_equal(hits(c, "t", NULL, car), COUNT - i - 1);
    }
}

/* Subscriptions of eight shapes, none of which the change is for. */
static void add_strangers(struct city *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct str shapes[] = {
            arena_printf(c->arena, "\"entities\":[{\"type\":\"Kind%u\"}]", i),
            arena_printf(c->arena, "\"entities\":[{\"type\":\"Car\",\"id\":\"urn:car:x%u\"}]", i),
            arena_printf(c->arena,
                         "\"entities\":[{\"type\":\"Car\",\"idPattern\":\"^urn:lot%u:.*\"}]", i),
            arena_printf(c->arena, CARS ",\"watchedAttributes\":[\"name%u\"]", i),
            i % 16 < 8 ? arena_printf(c->arena, CARS ",\"q\":\"colour==\\\"shade%u\\\"\"", i)
                       : arena_printf(c->arena, CARS ",\"q\":\"speed==%u\"", 1000 + i),
            arena_printf(c->arena, CARS ",\"scopeQ\":\"/town%u/#\"", i),
            arena_printf(c->arena,
                         CARS ",\"geoQ\":{\"geometry\":\"Point\",\"coordinates\":[%d.5,%d.25],"
                              "\"georel\":\"near;maxDistance==5000\"}",
                         (int)(i % 170) - 179, (int)(i / 170 % 80) - 79),
            arena_printf(c->arena,
                         "\"entities\":[{\"type\":\"Car\",\"idPattern\":\"^urn:x%u\"}],"
                         "\"watchedAttributes\":[\"speed\"],\"q\":\"speed>1\",\"scopeQ\":\"/city/#\"",
                         i),
        };
        (void)add(c, "t", shapes[i % 8], NULL);
    }
}

static void whom_it_is_not_for_costs_nothing(void **state)
{
    struct city *c = *state;
    enum { STRANGERS = 12000 };
    const struct doc *before = entity(c, CAR);
    struct json unused = parsed(c, STR("{}"));
    (void)unused;
    int mine;
    (void)add(c, "t", STR(CARS ",\"watchedAttributes\":[\"speed\"]"), &mine);
    assert_int_equal(hits(c, "t", NULL, before), 1);
    uint64_t alone = candidates(c);
    assert_int_equal(alone, 1);
    add_strangers(c, STRANGERS);
    assert_int_equal(hits(c, "t", NULL, before), 1);
    assert_ptr_equal(c->last, &mine);
    assert_true(candidates(c) - alone <= 2); /* a hash in common would be chance */
    struct watch_stats s;
    watch_stats(c->watch, &s);
    assert_int_equal(s.watchers, STRANGERS + 1);
    assert_true(s.keys < 200);
}

/* The work of one change of speed from 50 to 60 among strangers whose q has an order. */
static void who_wants_other_numbers_costs_nothing(void **state)
{
    struct city *c = *state;
    enum { STRANGERS = 12000 };
    static const char *const WANT[] = {"speed>%u", "speed>=%u", "speed<-%u", "speed==%u..99999;colour",
                                       "speed>60;load<-%u"}; /* of two, the first */
    const struct doc *before = entity(c, CAR), *after = entity(c, FASTER_CAR);
    struct watch_stats s, t;
    for (uint32_t i = 0; i < STRANGERS; i++) {
        char want[64];
        snprintf(want, sizeof want, WANT[i % 5], 100 + i);
        (void)add(c, "t",
                  arena_printf(c->arena, CARS ",\"watchedAttributes\":[\"%s\"],\"q\":\"%s\"",
                               i % 2 ? "speed" : "colour", want),
                  NULL);
        (void)add(c, "t", arena_printf(c->arena, "\"entities\":[{\"type\":\"Bus\"}],\"q\":\"speed>%u\"", i % 60), NULL);
    }
    int mine;
    (void)add(c, "t", STR(CARS ",\"q\":\"speed>55\""), &mine);
    watch_stats(c->watch, &s);
    assert_int_equal(hits(c, "t", before, after), 1);
    assert_ptr_equal(c->last, &mine);
    watch_stats(c->watch, &t);
    assert_int_equal(t.candidates - s.candidates, 1);
    assert_true(t.keys - s.keys < 100);
    assert_int_equal(hits(c, "t", after, before), 0);
}

/* An order is met by any instance of the attribute, and by a number within JSON. */
static void an_order_finds_every_number(void **state)
{
    struct city *c = *state;
#define SPEED(value) \
    "{\"id\":\"urn:car:1\",\"type\":[\"Old\",\"Car\"],\"speed\":" value "}"
#define PROPERTY(value) SPEED("{\"type\":\"Property\",\"value\":" value "}")
    static const struct {
        const char *q, *entity;
        bool told;
    } CASES[] = {
        {"speed>50", PROPERTY("50"), false},
        {"speed>50", PROPERTY("50.001"), true},
        {"speed>=50", PROPERTY("50"), true},
        {"speed<50", PROPERTY("50"), false},
        {"speed<=50", PROPERTY("50.0"), true},
        {"speed<=0", PROPERTY("-0.0"), true},
        {"speed>50", PROPERTY("\"60\""), false},
        {"speed>50", PROPERTY("{\"@type\":\"x\",\"@value\":60}"), true},
        {"speed==50..60", PROPERTY("[1,55]"), true},
        {"speed==50..60", PROPERTY("[1,65]"), false},
        {"speed>50;speed<60", PROPERTY("55"), true},
        {"speed>50;speed<60", PROPERTY("60"), false},
        {"speed>50;speed<60", /* one of each */
         SPEED("[{\"type\":\"Property\",\"value\":10},{\"type\":\"Property\",\"value\":90,"
               "\"datasetId\":\"urn:d:1\"}]"),
         true},
        {"speed>95;speed<5", SPEED("[{\"type\":\"Property\",\"value\":1},{\"type\":\"Property\","
                                   "\"value\":99,\"datasetId\":\"urn:d:1\"}]"),
         true},
        {"speed>50|speed<5", PROPERTY("1"), true},
        {"!(speed>50)", PROPERTY("1"), true},
        {"speed.accuracy>50", PROPERTY("60"), false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct watcher *w =
            add(c, "t", arena_printf(c->arena, CARS ",\"q\":\"%s\"", CASES[i].q), NULL);
        const struct doc *car = entity(c, CASES[i].entity);
        if (hits(c, "t", NULL, car) != CASES[i].told)
            fail_msg("%s, %s", CASES[i].q, CASES[i].entity);
        watch_remove(c->watch, w);
        assert_int_equal(hits(c, "t", NULL, car), 0);
    }
}

static void a_name_may_come_later(void **state)
{
    struct city *c = *state;
    int mine;
    (void)add(c, "t", STR("\"entities\":[{\"type\":\"Later\"}],\"q\":\"rank==1\""), &mine);
    (void)add(c, "t", STR("\"entities\":[{\"type\":\"Never\"}]"), NULL);
    const struct doc *d =
        entity(c, "{\"id\":\"urn:l:1\",\"type\":\"Later\",\"rank\":{\"type\":\"Property\",\"value\":1}}");
    assert_int_equal(hits(c, "t", NULL, d), 1);
    assert_true(c->learnt >= 1);
    assert_ptr_equal(c->last, &mine);
}

static void triggers_and_watched_attributes(void **state)
{
    struct city *c = *state;
    static const char *const TEXT[] = {
        "{\"id\":\"urn:car:1\",\"type\":\"Car\",\"a\":{\"type\":\"Property\",\"value\":1}}",
        "{\"id\":\"urn:car:1\",\"type\":\"Car\",\"a\":{\"type\":\"Property\",\"value\":2}}",
        ("{\"id\":\"urn:car:1\",\"type\":\"Car\",\"a\":{\"type\":\"Property\",\"value\":2},"
         "\"b\":{\"type\":\"Property\",\"value\":2}}"),
        "{\"id\":\"urn:car:1\",\"type\":\"Car\",\"b\":{\"type\":\"Property\",\"value\":2}}",
        "{\"id\":\"urn:car:1\",\"type\":\"Car\"}",
    };
    /* after each step of absent, 0, 1, 2, 3, 4, absent: is it told? */
    static const struct {
        const char *members, *told;
    } CASES[] = {
        {CARS, "yyynnn"},
        {CARS ",\"notificationTrigger\":[\"entityCreated\"]", "ynnnnn"},
        {CARS ",\"notificationTrigger\":[\"entityDeleted\"]", "nnnnny"},
        {CARS ",\"notificationTrigger\":[\"attributeCreated\"]", "ynynnn"},
        {CARS ",\"notificationTrigger\":[\"attributeUpdated\"]", "nynnnn"},
        {CARS ",\"notificationTrigger\":[\"attributeDeleted\"]", "nnnyyn"},
        {CARS ",\"notificationTrigger\":[\"entityUpdated\"]", "yyyyyn"},
        {CARS ",\"watchedAttributes\":[\"b\"]", "nnynnn"},
        {CARS ",\"watchedAttributes\":[\"b\"],\"notificationTrigger\":[\"entityUpdated\"]", "nnynyn"},
        {CARS ",\"watchedAttributes\":[\"a\"],\"notificationTrigger\":[\"entityCreated\"]", "ynnnnn"},
        {CARS ",\"watchedAttributes\":[\"z\"],\"notificationTrigger\":[\"entityCreated\"]", "nnnnnn"},
    };
    const struct doc *step[7] = {NULL};
    for (int i = 0; i < 5; i++)
        step[i + 1] = entity(c, TEXT[i]);
    for (size_t n = 0; n < sizeof CASES / sizeof *CASES; n++) {
        struct watcher *w = add(c, "t", str_of(CASES[n].members), NULL);
        for (int i = 0; i < 6; i++)
            if (hits(c, "t", step[i], step[i + 1]) != (CASES[n].told[i] == 'y'))
                fail_msg("%s, step %d", CASES[n].members, i);
        watch_remove(c->watch, w);
    }
}

static void a_large_geometry_is_found_too(void **state)
{
    struct city *c = *state;
    (void)add(c, "t",
              STR(CARS ",\"geoQ\":{\"geometry\":\"Point\",\"coordinates\":[8.5,47.4],"
                       "\"georel\":\"near;maxDistance==1\"}"),
              NULL);
    const struct doc *d = entity(
        c, "{\"id\":\"urn:car:1\",\"type\":\"Car\",\"location\":{\"type\":\"GeoProperty\",\"value\":"
           "{\"type\":\"Polygon\",\"coordinates\":[[[-60,-30],[60,-30],[60,60],[-60,60],[-60,-30]]]}}}");
    assert_int_equal(hits(c, "t", NULL, d), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_shape_finds_its_subscription, setup, teardown),
        cmocka_unit_test_setup_teardown(whom_it_is_not_for_costs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(who_wants_other_numbers_costs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_order_finds_every_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_may_come_later, setup, teardown),
        cmocka_unit_test_setup_teardown(triggers_and_watched_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_geometry_is_found_too, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
