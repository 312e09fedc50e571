/* Registrations are compiled once for many queries, and only so many are kept. */
#include "broker/registration_cache.h"

#include "broker/registrations.h"

#include "../store/naive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { COUNT = 100, BYTES_MAX = 40000 };

struct city {
    struct broker broker;
    struct broker_ports ports;
    struct clock clock;
    struct runner runner;
    struct arena *arena;
    struct caller caller;
};

static int64_t clock_now(struct clock *c)
{
    (void)c;
    return INT64_C(1700000000000000);
}

static void begin(struct city *c, size_t bytes_max)
{
    *c = (struct city){.clock.now_us = clock_now, .arena = arena_new(0), .caller = {.tenant = STR("")}};
    struct terms *terms = terms_new(10000);
    context_setup(terms);
    c->ports.clock = &c->clock;
    c->broker = (struct broker){
        .ports = &c->ports,
        .terms = terms,
        .store = naive_new(3, &c->clock, terms),
        .registrations = {.limits = {.filter = {100, 8, 100, 100},
                                     .projection = {100, 4},
                                     .reader = {.attrs_max = 50, .depth_max = 4, .types_max = 4, .scopes_max = 4,
                                                .name_bytes_max = 500, .coordinates_max = 100},
                                     .items_max = 10},
                          .most = 1000,
                          .bytes_max = 10000,
                          .compiled = registration_cache_new(bytes_max)},
    };
}

static void end(struct city *c)
{
    store_close(c->broker.store);
    registration_cache_free(c->broker.registrations.compiled);
    terms_free(c->broker.terms);
    arena_free(c->arena);
}

static struct json parsed(struct city *c, const char *text)
{
    const struct json_limits limits = {32, 1 << 20};
    struct json v;
    assert_int_equal(json_read(c->arena, str_of(text), &limits, &v, NULL), OK);
    return v;
}

static void create(struct city *c, int number)
{
    struct json body = parsed(c, arena_printf(c->arena,
        "{\"id\":\"urn:r:%03d\",\"type\":\"ContextSourceRegistration\",\"endpoint\":\"http://x.example/\","
        "\"information\":[{\"entities\":[{\"type\":\"%s\"}]}]}", number, number % 2 ? "Car" : "Bus").p);
    struct registering r = {.document = {.caller = &c->caller, .home = &c->runner, .arena = c->arena},
                            .context = context_core(), .body = &body};
    assert_true(registrations_create(&c->broker, &r));
    assert_int_equal(r.document.status, OK);
}

static void find_all(struct city *c, uint64_t expected)
{
    struct registrations_find f = {.caller = &c->caller, .home = &c->runner, .arena = c->arena, .limit = 1000};
    assert_true(registrations_find(&c->broker, &f));
    assert_int_equal(f.status, OK);
    assert_int_equal(f.total, expected);
    assert_int_equal(f.count, expected);
}

static struct registration_cache_stats stats(struct city *c)
{
    struct registration_cache_stats s;
    registration_cache_stats(c->broker.registrations.compiled, &s);
    return s;
}

static void compiled_once(void **state)
{
    struct city c;
    (void)state;
    begin(&c, 16 << 20);
    for (int i = 0; i < COUNT; i++)
        create(&c, i);
    for (int i = 0; i < 3; i++)
        find_all(&c, COUNT);
    assert_int_equal(stats(&c).misses, COUNT);
    assert_int_equal(stats(&c).hits, 2 * COUNT);
    create(&c, COUNT);
    find_all(&c, COUNT + 1);
    assert_int_equal(stats(&c).misses, COUNT + 1);
    assert_int_equal(stats(&c).count, COUNT + 1);
    end(&c);
}

static void only_so_many_are_kept(void **state)
{
    struct city c;
    (void)state;
    begin(&c, BYTES_MAX);
    for (int i = 0; i < COUNT; i++)
        create(&c, i);
    for (int i = 0; i < 3; i++) {
        find_all(&c, COUNT);
        assert_true(stats(&c).bytes <= BYTES_MAX);
        assert_true(stats(&c).count > 0);
    }
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(compiled_once), cmocka_unit_test(only_so_many_are_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
