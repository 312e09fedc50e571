/* @contexts that the city serves, over a store that completes at once or later. */
#include "broker/hosted.h"

#include "../store/naive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define URL "http://city:1026" HOSTED_PATH

struct city {
    struct broker broker;
    struct broker_ports ports;
    struct clock clock;
    int64_t later_us;
    struct runner runner;
    struct task *posted;
    struct hosted_listener listener;
    struct arena *arena;
    struct port_fetch *fetch; /* under way */
};

/* The store's calls, completing later when the test wants it. */
static const struct store_ops *naive_ops;
static struct store_ops late_ops;
static bool late;

static int64_t clock_now(struct clock *c)
{
    return INT64_C(1700000000000000) + container_of(c, struct city, clock)->later_us;
}

static void post(struct runner *r, struct task *t)
{
    struct city *c = container_of(r, struct city, runner);
    t->next = c->posted;
    c->posted = t;
}

static void run_posted(struct city *c)
{
    while (c->posted) {
        struct task *t = c->posted;
        c->posted = t->next;
        t->run(t);
    }
}

static void call_done(struct task *t)
{
    struct store_call *call = container_of(t, struct store_call, task);
    call->done(call);
}

static bool later(struct store_call *call)
{
    if (!late)
        return true;
    call->task.run = call_done;
    runner_post(call->home, &call->task);
    return false;
}

static bool late_put(struct store *s, struct store_put *p)
{
    (void)naive_ops->put(s, p);
    return later(&p->call);
}

static bool late_list(struct store *s, struct store_list *l)
{
    (void)naive_ops->list(s, l);
    return later(&l->call);
}

static void fetch(struct broker_ports *p, struct port_fetch *f)
{
    container_of(p, struct city, ports)->fetch = f;
}

static void contexts_begin(struct city *c)
{
    const struct contexts_options o = {
        .ports = &c->ports,
        .limits = {.terms_max = 1000, .remotes_max = 4, .depth_max = 8, .scoped_refused = true},
        .cache_bytes_max = 1 << 20,
        .document_bytes_max = 64 << 10,
        .fetches_max = 1,
        .timeout_ms = 1000,
        .json_depth_max = 16,
        .hosted_max = 3,
        .hosted_bytes_max = 300,
    };
    c->broker.contexts = contexts_new(&o);
}

static int core_setup(void **state)
{
    (void)state;
    context_setup(terms_new(10000));
    return 0;
}

static int setup(void **state)
{
    static struct city city;
    struct city *c = &city;
    *c = (struct city){.clock.now_us = clock_now, .runner.post = post, .arena = arena_new(0)};
    c->ports = (struct broker_ports){.clock = &c->clock, .fetch = fetch};
    c->broker.ports = &c->ports;
    c->broker.store = naive_new(3, &c->clock, NULL);
    naive_ops = c->broker.store->ops;
    late_ops = *naive_ops;
    late_ops.put = late_put;
    late_ops.list = late_list;
    c->broker.store->ops = &late_ops;
    late = false;
    contexts_begin(c);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    store_close(c->broker.store);
    contexts_free(c->broker.contexts);
    arena_free(c->arena);
    return 0;
}

/* ---- calls that wait ---- */

static const struct json *json_of(struct city *c, const char *text)
{
    const struct json_limits limits = {.depth_max = 16, .bytes_max = 8 << 20};
    struct json *v = arena_zarray(c->arena, struct json, 1);
    assert_int_equal(json_read(c->arena, str_of(text), &limits, v, NULL), OK);
    return v;
}

static void added(struct hosted_add *h)
{
    (void)h;
}

static struct hosted_add add(struct city *c, const char *tenant, const char *context)
{
    struct caller *caller = arena_zarray(c->arena, struct caller, 1);
    struct hosted_add *h = arena_zarray(c->arena, struct hosted_add, 1);
    caller->tenant = str_of(tenant);
    *h = (struct hosted_add){.caller = caller, .home = &c->runner, .arena = c->arena, .spec = json_of(c, context),
                             .kind = CONTEXT_HOSTED, .done = added};
    if (!hosted_add(&c->broker, h))
        run_posted(c);
    return *h;
}

static void named(struct hosted_url *u)
{
    (void)u;
}

static struct str url_for(struct city *c, const char *context)
{
    static const struct caller caller = {.tenant = {"", 0}};
    struct hosted_url *u = arena_zarray(c->arena, struct hosted_url, 1);
    *u = (struct hosted_url){.caller = &caller, .home = &c->runner, .arena = c->arena,
                             .spec = context ? json_of(c, context) : NULL, .base = STR("http://city:1026"), .done = named};
    if (!hosted_url(&c->broker, u))
        run_posted(c);
    assert_int_equal(u->status, OK);
    return u->url;
}

static struct context_info told(struct city *c, struct str id)
{
    struct context_info info;
    assert_true(contexts_find(c->broker.contexts, STR(""), id, false, c->arena, &info));
    return info;
}

/* True: it was at hand. */
static bool resolves(struct city *c, struct str url)
{
    struct json spec = {.kind = JSON_STRING, .string = url};
    struct contexts_call call = {.home = &c->runner, .arena = c->arena, .spec = &spec};
    if (!contexts_resolve(c->broker.contexts, &call))
        fail_msg("the network was asked for %.*s", STR_ARG(url));
    if (call.status == OK)
        context_unref(call.context);
    return call.status == OK;
}

#define SPEED "{\"speed\":\"https://example.org/speed\"}"

/* ---- tests ---- */

static void test_added_then_used(void **state)
{
    struct city *c = *state;
    for (int i = 0; i < 2; i++, late = true) {
        struct hosted_add h = add(c, "", SPEED);
        assert_int_equal(h.status, OK);
        assert_true(resolves(c, arena_printf(c->arena, URL "%.*s", STR_ARG(h.id))));
        struct context_info info = told(c, h.id);
        assert_int_equal(info.kind, CONTEXT_HOSTED);
        assert_int_equal(info.hits, 1);
        assert_true(str_eq(info.text, STR("{\"@context\":" SPEED "}")));
    }
}

static void test_refused_without_a_trace(void **state)
{
    static const char *const BAD[] = {"42", "[\"https://x.example/\",7]", "{\"a\":7}",
                                      "{\"a\":{\"@id\":\"urn:a\",\"@context\":{}}}"};
    struct city *c = *state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(add(c, "", BAD[i]).status, E_BAD_DATA);
    struct context_info *list;
    assert_int_equal(contexts_list(c->broker.contexts, STR(""), CONTEXT_HOSTED, c->arena, &list), 0);
}

static void test_bounds_count_what_is_there(void **state)
{
    struct city *c = *state;
    struct hosted_add first = add(c, "", SPEED);
    assert_int_equal(add(c, "", "42").status, E_BAD_DATA);
    assert_int_equal(add(c, "a", SPEED).status, OK);
    assert_int_equal(add(c, "b", SPEED).status, OK);
    struct hosted_add refused = add(c, "", SPEED);
    assert_int_equal(refused.status, E_TOO_MANY_REQUESTS);
    assert_string_equal(refused.why.limit, "contexts.hosted");
    contexts_drop(c->broker.contexts, first.id);
    char large[400] = "\"https://x.example/";
    memset(large + 18, 'x', 300);
    memcpy(large + 318, "\"", 2);
    refused = add(c, "", large);
    assert_string_equal(refused.why.limit, "contexts.hosted_bytes");
    assert_int_equal(add(c, "", SPEED).status, OK);
}

/* A write that the store refuses gives its room back. */
static void test_a_failed_write_leaves_nothing(void **state)
{
    struct city *c = *state;
    assert_int_equal(add(c, "a", SPEED).status, OK);
    assert_int_equal(add(c, "b", SPEED).status, OK);
    for (int i = 0; i < 5; i++) /* three tenants at most */
        assert_int_equal(add(c, "c", SPEED).status, E_LIMIT);
    assert_int_equal(add(c, "", SPEED).status, OK);
}

static void test_loaded_at_start(void **state)
{
    struct city *c = *state;
    struct why why;
    for (int i = 0; i < 2; i++) {
        struct hosted_add kept = add(c, i ? "north" : "", SPEED);
        contexts_free(c->broker.contexts);
        contexts_begin(c);
        why_clear(&why);
        assert_int_equal(hosted_load(&c->broker, &c->listener, &why), OK);
        assert_true(resolves(c, arena_printf(c->arena, URL "%.*s", STR_ARG(kept.id))));
        struct context_info info;
        assert_true(contexts_find(c->broker.contexts, kept.caller->tenant, kept.id, false, c->arena, &info));
        assert_int_equal(info.created_us, clock_now(&c->clock));
    }
}

static void test_damage_is_named(void **state)
{
    struct city *c = *state;
    static const struct caller caller = {.tenant = {"", 0}};
    struct store_put p = {.caller = &caller, .kind = STORE_CONTEXT, .key = STR("urn:x"), .bytes = STR("{\"kind\":1}")};
    struct why why;
    why_clear(&why);
    assert_true(store_put(c->broker.store, &p));
    assert_int_equal(hosted_load(&c->broker, &c->listener, &why), E_DAMAGED);
    assert_non_null(strstr(why.text, "urn:x"));
}

static void test_a_tenant_takes_its_own_along(void **state)
{
    struct city *c = *state;
    struct why why;
    why_clear(&why);
    assert_int_equal(hosted_load(&c->broker, &c->listener, &why), OK);
    struct hosted_add kept = add(c, "", SPEED), gone = add(c, "a", SPEED);
    struct store_tenant_delete d = {.tenant = STR("a")};
    assert_true(store_tenant_delete(c->broker.store, &d));
    struct context_info info;
    assert_false(contexts_find(c->broker.contexts, STR_NONE, gone.id, false, c->arena, &info));
    assert_true(contexts_find(c->broker.contexts, STR_NONE, kept.id, false, c->arena, &info));
}

/* The store tells of a whole group at once: who is gone may be there again. */
static void test_a_tenant_takes_its_own_along_even_if_it_is_made_again(void **state)
{
    struct city *c = *state;
    struct why why;
    struct context_info info;
    why_clear(&why);
    assert_int_equal(hosted_load(&c->broker, &c->listener, &why), OK);
    struct hosted_add of = add(c, "a", SPEED);
    struct change made = {.kind = CHANGE_TENANT, .tenant = STR("a")}, gone = made;
    gone.gone = true;
    c->listener.listener.changes(&c->listener.listener, &made, 1);
    assert_true(contexts_find(c->broker.contexts, STR_NONE, of.id, false, c->arena, &info));
    c->listener.listener.changes(&c->listener.listener, &gone, 1);
    assert_false(contexts_find(c->broker.contexts, STR_NONE, of.id, false, c->arena, &info));
}

static void test_urls(void **state)
{
    struct city *c = *state;
    assert_true(str_eq(url_for(c, NULL), context_core_iri()));
    assert_true(str_eq(url_for(c, "\"https://x.example/c\""), STR("https://x.example/c")));
    assert_true(str_eq(url_for(c, "[\"https://x.example/c\"]"), STR("https://x.example/c")));
    struct str core = context_core_iri();
    const char *both = arena_printf(c->arena, "[\"%.*s\",\"https://x.example/c\"]", STR_ARG(core)).p;
    assert_true(str_eq(url_for(c, both), STR("https://x.example/c")));
    assert_true(str_eq(url_for(c, "[]"), core));
    for (int i = 0; i < 2; i++, late = true) {
        const char *text = i ? "[\"https://x.example/c\",\"https://x.example/d\"]" : SPEED;
        struct str url = url_for(c, text);
        assert_true(str_starts(url, STR(URL)));
        assert_true(str_eq(url_for(c, text), url));
        assert_int_equal(told(c, url).kind, CONTEXT_IMPLICIT);
    }
}

static void refer(void *arg, void (*each)(void *each_arg, struct str url), void *each_arg)
{
    each(each_arg, STR("https://x.example/c"));
    each(each_arg, *(const struct str *)arg);
}

/* The URL; absent: refused. */
static struct str implied(struct city *c, int number)
{
    const char *text = arena_printf(c->arena, "{\"t%d\":\"https://x.example/t\"}", number).p;
    struct caller caller = {.tenant = STR("")};
    struct hosted_url u = {.caller = &caller, .home = &c->runner, .arena = c->arena, .spec = json_of(c, text),
                           .base = STR("http://city:1026"), .done = named};
    c->later_us += 1000000;
    assert_true(hosted_url(&c->broker, &u));
    if (u.status == OK)
        return u.url;
    assert_int_equal(u.status, E_TOO_MANY_REQUESTS);
    assert_string_equal(u.why.limit, "contexts.hosted");
    return STR_NONE;
}

static bool is_kept(struct city *c, struct str url)
{
    struct context_info info;
    return contexts_find(c->broker.contexts, STR(""), url, false, c->arena, &info);
}

static uint64_t stored(struct city *c)
{
    struct caller caller = {.tenant = STR("")};
    struct store_list l = {.caller = &caller, .kind = STORE_CONTEXT, .limit = 100, .arena = c->arena};
    assert_true(store_list(c->broker.store, &l));
    return l.total;
}

static void test_unused_ones_make_room(void **state)
{
    struct city *c = *state;
    struct str first = implied(c, 1), second = implied(c, 2), third = implied(c, 3);
    c->broker.subscriptions.contexts = refer;
    c->broker.subscriptions.counters_arg = &first;
    assert_true(str_absent(implied(c, 4))); /* all are fresh */
    c->later_us += INT64_C(700000000);
    assert_true(str_eq(implied(c, 2), second)); /* used again */
    struct str fourth = implied(c, 4);
    assert_true(is_kept(c, first) && is_kept(c, second) && !is_kept(c, third) && is_kept(c, fourth));
    assert_int_equal(stored(c), 3);
    assert_true(str_absent(implied(c, 3)));
    c->later_us += INT64_C(700000000);
    add(c, "", SPEED); /* room for what is added, too */
    assert_true(is_kept(c, first) && !is_kept(c, second) && is_kept(c, fourth));
    assert_true(str_eq(implied(c, 1), first));
    assert_int_equal(stored(c), 3);
}

static void test_deleted(void **state)
{
    struct city *c = *state;
    struct hosted_add h = add(c, "", SPEED);
    struct str url = arena_printf(c->arena, URL "%.*s", STR_ARG(h.id));
    assert_true(resolves(c, url));
    struct hosted_delete d = {.caller = h.caller, .home = &c->runner, .id = h.id};
    assert_true(hosted_delete(&c->broker, &d));
    assert_int_equal(d.status, OK);
    struct json spec = {.kind = JSON_STRING, .string = url};
    struct contexts_call call = {.home = &c->runner, .arena = c->arena, .spec = &spec};
    assert_false(contexts_resolve(c->broker.contexts, &call)); /* what was built from it is gone, too */
    contexts_stop(c->broker.contexts);
    call.done = NULL;
    c->fetch->status = E_NOT_FOUND;
    why_clear(&c->fetch->why);
    c->fetch->done(c->fetch);
    assert_int_equal(call.status, E_CONTEXT);
    d = (struct hosted_delete){.caller = h.caller, .home = &c->runner, .id = h.id};
    assert_true(hosted_delete(&c->broker, &d));
    assert_int_equal(d.status, E_NOT_FOUND);
}

static void reloaded(struct contexts_reload *r)
{
    r->arena = NULL;
}

static void test_reloads_are_bounded_and_end_when_the_city_stops(void **state)
{
    struct city *c = *state;
    struct contexts_reload one = {.home = &c->runner, .url = STR("https://x.example/c"), .arena = c->arena, .done = reloaded};
    struct contexts_reload two = one, three = one;
    assert_false(contexts_reload(c->broker.contexts, &one));
    assert_true(contexts_reload(c->broker.contexts, &two));
    assert_int_equal(two.status, E_TOO_MANY_REQUESTS);
    c->fetch->status = OK;
    c->fetch->body = STR("{\"@context\":" SPEED "}");
    c->fetch->max_age_s = 60;
    c->fetch->done(c->fetch);
    assert_non_null(one.arena); /* not inside the port's call */
    run_posted(c);
    assert_null(one.arena);
    assert_int_equal(one.status, OK);
    assert_true(resolves(c, STR("https://x.example/c")));
    contexts_stop(c->broker.contexts);
    assert_true(contexts_reload(c->broker.contexts, &three));
    assert_int_equal(three.status, E_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_added_then_used),
        TEST(test_refused_without_a_trace),
        TEST(test_bounds_count_what_is_there),
        TEST(test_a_failed_write_leaves_nothing),
        TEST(test_loaded_at_start),
        TEST(test_damage_is_named),
        TEST(test_a_tenant_takes_its_own_along),
        TEST(test_a_tenant_takes_its_own_along_even_if_it_is_made_again),
        TEST(test_urls),
        TEST(test_unused_ones_make_room),
        TEST(test_deleted),
        TEST(test_reloads_are_bounded_and_end_when_the_city_stops),
    };
    return cmocka_run_group_tests(tests, core_setup, NULL);
}
