/* The cache of @contexts against a network that answers when the test says so. */
#include "broker/contexts.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FETCHES_MAX = 64 };
#define SECOND INT64_C(1000000)

struct city {
    struct broker_ports ports;
    struct clock clock;
    int64_t now_us;
    const char *ask_inside; /* asked for while a fetch is handed over, so with the lock held */
    struct port_fetch *open[FETCHES_MAX]; /* asked for, not yet answered */
    size_t open_count, asked;
    struct runner runner;
    struct task *posted;
    struct arena *arena;
    struct contexts *contexts;
};

static int64_t clock_now(struct clock *c)
{
    return container_of(c, struct city, clock)->now_us;
}

static void ask_and_drop(struct city *c, const char *spec);

static void fetch(struct broker_ports *p, struct port_fetch *f)
{
    struct city *c = container_of(p, struct city, ports);
    if (c->ask_inside)
        ask_and_drop(c, c->ask_inside);
    assert_true(c->open_count < FETCHES_MAX);
    c->open[c->open_count++] = f;
    c->asked++;
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

static void city_open(struct city *c, size_t cache_bytes)
{
    const struct contexts_options o = {
        .ports = &c->ports,
        .limits = {.terms_max = 1000, .remotes_max = 4, .depth_max = 8, .scoped_refused = true},
        .cache_bytes_max = cache_bytes,
        .document_bytes_max = 64 << 10,
        .fetches_max = 3,
        .timeout_ms = 1000,
        .fresh_us = 3600 * SECOND,
        .json_depth_max = 16,
    };
    contexts_free(c->contexts);
    c->contexts = contexts_new(&o);
}

/* The core context and its terms stay until the end. */
static int core_setup(void **state)
{
    (void)state;
    context_setup(terms_new(10000));
    return 0;
}

static int setup(void **state)
{
    struct city *c = calloc(1, sizeof *c);
    c->clock.now_us = clock_now;
    c->ports = (struct broker_ports){.clock = &c->clock, .fetch = fetch};
    c->runner.post = post;
    c->now_us = SECOND;
    c->arena = arena_new(0);
    city_open(c, 1 << 20);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    contexts_free(c->contexts);
    arena_free(c->arena);
    free(c);
    return 0;
}

/* ---- asking and answering ---- */

struct asked {
    struct contexts_call call;
    struct json spec;
    bool done;
};

static void call_done(struct contexts_call *call)
{
    struct asked *q = container_of(call, struct asked, call);
    assert_false(q->done);
    q->done = true;
}

/* spec: JSON text, or a URL. */
static struct asked *ask(struct city *c, const char *spec)
{
    struct asked *q = arena_zarray(c->arena, struct asked, 1);
    const struct json_limits limits = {.depth_max = 16, .bytes_max = 8 << 20};
    if (spec[0] == '[' || spec[0] == '{')
        assert_int_equal(json_read(c->arena, str_of(spec), &limits, &q->spec, NULL), OK);
    else
        q->spec = (struct json){.kind = JSON_STRING, .string = str_of(spec)};
    q->call = (struct contexts_call){.home = &c->runner, .arena = c->arena, .spec = &q->spec, .done = call_done};
    q->done = contexts_resolve(c->contexts, &q->call);
    return q;
}

static struct port_fetch *open_fetch(struct city *c, const char *url)
{
    for (size_t i = 0; i < c->open_count; i++)
        if (str_eq(c->open[i]->url, str_of(url)))
            return c->open[i];
    return NULL;
}

static struct port_fetch *take(struct city *c, const char *url)
{
    struct port_fetch *f = open_fetch(c, url);
    if (!f)
        fail_msg("nobody asked for %s", url);
    for (size_t i = 0; i < c->open_count; i++)
        if (c->open[i] == f)
            c->open[i] = c->open[--c->open_count];
    return f;
}

static void answer(struct city *c, const char *url, const char *body, int64_t max_age_s)
{
    struct port_fetch *f = take(c, url);
    f->status = OK;
    f->body = str_of(body);
    f->max_age_s = max_age_s;
    f->done(f);
    run_posted(c);
}

static void answer_failure(struct city *c, const char *url, enum status status, const char *text)
{
    struct port_fetch *f = take(c, url);
    why_clear(&f->why);
    if (text)
        why_set(&f->why, status, NULL, "%s", text);
    f->status = status;
    f->done(f);
    run_posted(c);
}

static void expands(struct city *c, struct asked *q, const char *name, const char *iri)
{
    assert_true(q->done);
    if (q->call.status != OK)
        fail_msg("%s", q->call.why.text);
    struct str got = context_expand(q->call.context, str_of(name), c->arena);
    if (!str_eq(got, str_of(iri)))
        fail_msg("%s is %.*s, not %s", name, STR_ARG(got), iri);
    context_unref(q->call.context);
    q->call.context = NULL;
}

static void drop(struct asked *q)
{
    assert_true(q->done);
    assert_int_equal(q->call.status, OK);
    context_unref(q->call.context);
}

static void ask_and_drop(struct city *c, const char *spec)
{
    drop(ask(c, spec));
}

static struct contexts_stats stats(struct city *c)
{
    struct contexts_stats s;
    contexts_stats(c->contexts, &s);
    return s;
}

#define A "https://city.example/a.jsonld"
#define B "https://city.example/b.jsonld"
#define A_TEXT "{\"@context\":{\"depth\":\"https://city.example/depth\"}}"
#define B_TEXT "{\"@context\":{\"width\":\"https://city.example/width\"}}"

/* ---- tests ---- */

static void no_spec_is_the_core(void **state)
{
    struct city *c = *state;
    struct contexts_call call = {.home = &c->runner, .arena = c->arena};
    assert_true(contexts_resolve(c->contexts, &call));
    assert_ptr_equal(call.context, context_core());
    context_unref(call.context);
}

static void fetched_once_then_cached(void **state)
{
    struct city *c = *state;
    struct asked *first = ask(c, A), *second = ask(c, A), *third = ask(c, A);
    assert_false(first->done || second->done || third->done);
    assert_int_equal(c->asked, 1);
    answer(c, A, A_TEXT, -1);
    expands(c, first, "depth", "https://city.example/depth");
    expands(c, second, "depth", "https://city.example/depth");
    drop(third);
    expands(c, ask(c, A), "depth", "https://city.example/depth");
    assert_int_equal(c->asked, 1);
    struct contexts_stats s = stats(c);
    assert_int_equal(s.fetches, 1);
    assert_int_equal(s.documents, 1);
    assert_int_equal(s.contexts, 1);
    assert_int_equal(s.misses, 3); /* a request counts once, however often it is tried */
    assert_int_equal(s.hits, 1);
}

static void freshness_is_the_origins(void **state)
{
    struct city *c = *state;
    struct asked *q = ask(c, A);
    answer(c, A, A_TEXT, 60);
    drop(q);
    c->now_us += 59 * SECOND;
    drop(ask(c, A));
    c->now_us += SECOND;
    q = ask(c, A);
    assert_false(q->done);
    answer(c, A, "{\"@context\":{\"depth\":\"https://city.example/deeper\"}}", 0);
    expands(c, q, "depth", "https://city.example/deeper");
    c->now_us += 4 * SECOND; /* stale at once: kept as long as waiting requests may need it */
    drop(ask(c, A));
    c->now_us += SECOND;
    q = ask(c, A);
    assert_false(q->done);
    answer(c, A, A_TEXT, -1); /* says nothing: the configured span */
    drop(q);
    c->now_us += 3599 * SECOND;
    drop(ask(c, A));
    c->now_us += SECOND;
    q = ask(c, A);
    assert_false(q->done);
    answer(c, A, A_TEXT, -1);
    drop(q);
}

static void context_lives_as_long_as_its_shortest_document(void **state)
{
    struct city *c = *state;
    struct asked *q = ask(c, "[\"" A "\",\"" B "\"]");
    answer(c, A, A_TEXT, 1000);
    assert_false(q->done);
    answer(c, B, B_TEXT, 10);
    expands(c, q, "width", "https://city.example/width");
    c->now_us += 10 * SECOND;
    q = ask(c, "[\"" A "\",\"" B "\"]");
    assert_false(q->done);
    assert_null(open_fetch(c, A)); /* still fresh */
    answer(c, B, B_TEXT, 10);
    expands(c, q, "depth", "https://city.example/depth");
}

static void failure_is_remembered_briefly(void **state)
{
    struct city *c = *state;
    struct asked *q = ask(c, A);
    answer_failure(c, A, E_TIMEOUT, "no complete answer within 1000 ms");
    assert_true(q->done);
    assert_int_equal(q->call.status, E_CONTEXT);
    assert_non_null(strstr(q->call.why.text, A));
    assert_non_null(strstr(q->call.why.text, "no complete answer"));
    q = ask(c, A);
    assert_true(q->done);
    assert_int_equal(q->call.status, E_CONTEXT);
    assert_int_equal(c->asked, 1);
    c->now_us += 5 * SECOND;
    q = ask(c, A);
    assert_false(q->done);
    answer_failure(c, A, E_CANCELLED, NULL); /* without a text */
    assert_non_null(strstr(q->call.why.text, "cancelled"));
    assert_int_equal(stats(c).failures, 2);
}

static void document_that_is_no_context_is_bad_data(void **state)
{
    static const char *const BODIES[] = {"<html>", "{}", "[]", "\"x\"", "{\"@context\":7}", "{\"@context\":"};
    struct city *c = *state;
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        struct asked *q = ask(c, A);
        assert_false(q->done);
        answer(c, A, BODIES[i], 0);
        assert_true(q->done);
        assert_int_equal(q->call.status, E_BAD_DATA);
        assert_non_null(strstr(q->call.why.text, A));
        c->now_us += 5 * SECOND;
    }
}

static void fetches_at_once_are_bounded(void **state)
{
    struct city *c = *state;
    struct asked *waiting[3];
    char url[64];
    for (int i = 0; i < 3; i++) {
        snprintf(url, sizeof url, "https://city.example/%d", i);
        waiting[i] = ask(c, arena_dup(c->arena, str_of(url)).p);
        assert_false(waiting[i]->done);
    }
    struct asked *q = ask(c, A);
    assert_true(q->done);
    assert_int_equal(q->call.status, E_TOO_MANY_REQUESTS);
    assert_string_equal(q->call.why.limit, "contexts.fetches");
    struct asked *joins = ask(c, "https://city.example/1"); /* no fetch more */
    assert_false(joins->done);
    answer(c, "https://city.example/1", A_TEXT, -1);
    drop(joins);
    drop(waiting[1]);
    q = ask(c, A); /* there is room again */
    assert_false(q->done);
    answer(c, A, A_TEXT, -1);
    answer(c, "https://city.example/0", A_TEXT, -1);
    answer(c, "https://city.example/2", A_TEXT, -1);
    drop(q);
    drop(waiting[0]);
    drop(waiting[2]);
}

/* A document of that many bytes that defines one name. */
static const char *padded(struct city *c, const char *name, int bytes)
{
    struct str text = arena_printf(c->arena, "{\"@context\":{\"%s\":\"https://city.example/%s\"},\"pad\":\"%*s\"}", name,
                                   name, bytes, "");
    return text.p;
}

/* Two documents that do not fit into the cache together would fetch one another out for ever. */
static void documents_that_do_not_stay_end_in_a_refusal(void **state)
{
    struct city *c = *state;
    city_open(c, 30 << 10);
    const char *a = padded(c, "depth", 40 << 10), *b = padded(c, "width", 40 << 10);
    struct asked *q = ask(c, "[\"" A "\",\"" B "\"]");
    int rounds = 0;
    while (!q->done && rounds++ < 100) {
        if (open_fetch(c, A))
            answer(c, A, a, -1);
        else
            answer(c, B, b, -1);
    }
    assert_true(q->done);
    assert_int_equal(q->call.status, E_CONTEXT);
    assert_string_equal(q->call.why.limit, "contexts.cache_bytes");
    assert_true(rounds <= 2 * 4);
}

/* Each document comes in time, but there are many, one behind the other. */
static void waiting_is_bounded_in_time(void **state)
{
    struct city *c = *state;
    struct asked *q = ask(c, "[\"" A "\",\"" B "\",\"https://city.example/c\",\"https://city.example/d\"]");
    c->now_us += 2 * SECOND;
    answer(c, A, A_TEXT, -1);
    c->now_us += 2 * SECOND;
    answer(c, B, B_TEXT, -1);
    assert_false(q->done); /* four seconds: four fetches of one second each */
    c->now_us += 1;
    answer(c, "https://city.example/c", B_TEXT, -1);
    assert_true(q->done);
    assert_int_equal(q->call.status, E_CONTEXT);
    assert_string_equal(q->call.why.limit, "contexts.timeout");
    assert_int_equal(c->open_count, 0);
    q = ask(c, "[\"" A "\",\"" B "\",\"https://city.example/c\",\"https://city.example/d\"]");
    answer(c, "https://city.example/d", B_TEXT, -1); /* what came is kept: the next try gets on */
    drop(q);
}

static void inline_flood_is_bounded(void **state)
{
    struct city *c = *state;
    enum { MAX = 256 << 10 };
    char text[200];
    city_open(c, MAX);
    for (int i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "{\"name%d\":\"https://city.example/name%d\"}", i, i);
        drop(ask(c, text));
        assert_true(stats(c).bytes <= MAX);
        arena_reset(c->arena);
    }
    struct contexts_stats s = stats(c);
    assert_true(s.evictions > 1000);
    assert_true(s.contexts > 10);
    snprintf(text, sizeof text, "{\"name%d\":\"https://city.example/name%d\"}", 2999, 2999);
    drop(ask(c, text)); /* the newest are kept */
    assert_int_equal(stats(c).hits, 1);
}

/* What was used last stays; what is larger than the cache does not come in. */
static void eviction_takes_the_least_recently_used(void **state)
{
    struct city *c = *state;
    enum { MAX = 256 << 10 };
    char text[200];
    city_open(c, MAX);
    drop(ask(c, "{\"kept\":\"https://city.example/kept\"}"));
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "{\"name%d\":\"https://city.example/name%d\"}", i, i);
        drop(ask(c, text));
        drop(ask(c, "{\"kept\":\"https://city.example/kept\"}"));
    }
    assert_int_equal(stats(c).hits, 1000);
    struct contexts_stats before = stats(c);
    char *large = arena_alloc(c->arena, 2 * MAX);
    size_t n = 0;
    large[n++] = '[';
    while (n < MAX + 1000)
        n += (size_t)snprintf(large + n, 8, "{},");
    snprintf(large + n, 8, "{}]");
    drop(ask(c, large));
    assert_int_equal(stats(c).bytes, before.bytes);
    assert_int_equal(stats(c).evictions, before.evictions);
}

static void context_outlives_its_entry(void **state)
{
    struct city *c = *state;
    city_open(c, 64 << 10);
    struct asked *q = ask(c, A);
    answer(c, A, A_TEXT, -1);
    for (int i = 0; i < 500; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"name%d\":\"https://city.example/name%d\"}", i, i);
        drop(ask(c, text));
    }
    expands(c, q, "depth", "https://city.example/depth");
    q = ask(c, A);
    assert_false(q->done); /* the document was evicted */
    answer(c, A, A_TEXT, -1);
    drop(q);
}

static void stopping_refuses_what_is_not_at_hand(void **state)
{
    struct city *c = *state;
    struct asked *cached = ask(c, A);
    answer(c, A, A_TEXT, -1);
    drop(cached);
    struct asked *both = ask(c, "[\"" B "\",\"https://city.example/c\"]"), *one = ask(c, B);
    contexts_stop(c->contexts);
    struct asked *q = ask(c, "https://city.example/d");
    assert_true(q->done);
    assert_int_equal(q->call.status, E_CANCELLED);
    drop(ask(c, A));
    answer(c, B, B_TEXT, -1); /* came in time; the document behind it is not asked for any more */
    drop(one);
    assert_true(both->done);
    assert_int_equal(both->call.status, E_CANCELLED);
    assert_int_equal(c->open_count, 0);
}

static void what_is_there_is_found_without_the_lock(void **state)
{
    struct city *c = *state;
    drop(ask(c, "{\"kept\":\"https://city.example/kept\"}"));
    c->ask_inside = "{\"kept\":\"https://city.example/kept\"}";
    struct asked *q = ask(c, A);
    c->ask_inside = NULL;
    assert_int_equal(stats(c).hits, 1);
    answer(c, A, A_TEXT, -1);
    drop(q);
}

/* Has the context name many terms, which it remembers. */
static void use(struct city *c, struct context *context, int names)
{
    for (int i = 0; i < names; i++) {
        struct str name = arena_printf(c->arena, "city:name-%d", i);
        uint32_t term = context_expand_term(context, name, true, c->arena, NULL);
        assert_int_not_equal(term, TERM_NONE);
        assert_true(str_eq(context_compact_term(context, term), name));
    }
}

static void what_contexts_remember_counts(void **state)
{
    struct city *c = *state;
    enum { MAX = 64 << 10 };
    const char *spec = "{\"city\":\"https://city.example/\"}";
    city_open(c, MAX);
    struct asked *q = ask(c, spec);
    size_t fresh = context_bytes(q->call.context), before = stats(c).bytes;
    use(c, q->call.context, 100);
    size_t grown = context_bytes(q->call.context) - fresh;
    assert_true(grown > 100 * strlen("city:name-1"));
    assert_int_equal(stats(c).bytes, before + grown);
    use(c, q->call.context, 3000);
    assert_true(stats(c).bytes > MAX);
    drop(q);
    drop(ask(c, spec)); /* found, and then it goes */
    assert_int_equal(stats(c).bytes, 0);
    assert_int_equal(stats(c).evictions, 1);
    q = ask(c, spec);
    assert_int_equal(stats(c).bytes, before);
    use(c, q->call.context, 3000);
    context_unref(q->call.context);
    drop(ask(c, "{\"x\":\"https://city.example/x\"}")); /* what comes makes room as well */
    assert_int_equal(stats(c).contexts, 1);
    assert_true(stats(c).bytes < MAX);
}

struct asker {
    pthread_t thread;
    struct city *city;
    struct runner home; /* one a thread */
    struct arena *arena;
    int floods; /* contexts that nobody else asks for, each pushing out another */
};

static void *ask_much(void *arg)
{
    struct asker *t = arg;
    for (int i = 0; i < 4000; i++) {
        const char *name = t->floods ? "flood" : "kept";
        struct str text = arena_printf(t->arena, "{\"%s%d\":\"https://city.example/it\"}", name, i % (t->floods ? 4000 : 3));
        struct json spec;
        const struct json_limits limits = {.depth_max = 4, .bytes_max = 1000};
        struct contexts_call call = {.home = &t->home, .arena = t->arena, .spec = &spec};
        if (json_read(t->arena, text, &limits, &spec, NULL) != OK || !contexts_resolve(t->city->contexts, &call) ||
            call.status != OK)
            abort();
        struct str name_of = context_compact(call.context, STR("https://city.example/it"), t->arena);
        if (!str_starts(name_of, str_of(name)))
            abort();
        context_unref(call.context);
        arena_reset(t->arena);
    }
    return NULL;
}

static void threads_find_while_others_push_out(void **state)
{
    struct city *c = *state;
    struct asker askers[4];
    city_open(c, 16 << 10);
    for (int i = 0; i < 4; i++) {
        askers[i] = (struct asker){.city = c, .arena = arena_new(0), .floods = i == 3};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_much, &askers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(askers[i].thread, NULL);
        arena_free(askers[i].arena);
    }
    struct contexts_stats s = stats(c);
    assert_int_equal(s.hits + s.misses, 4 * 4000);
    assert_true(s.hits > 0 && s.evictions > 1000 && s.bytes <= 16 << 10);
}

/* ---- preloading ---- */

static void file_write(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void preloaded_documents_stay(void **state)
{
    struct city *c = *state;
    char dir[] = "contexts_test_XXXXXX", path[64];
    uint32_t count = 0;
    struct why why;
    why_clear(&why);
    assert_non_null(mkdtemp(dir));
    const char *a = padded(c, "depth", 40 << 10);
    file_write(dir, "a", a);
    file_write(dir, "index.json", "{\"" A "\":\"a\"}");
    city_open(c, 20 << 10); /* smaller than what is preloaded */
    assert_int_equal(contexts_preload(c->contexts, dir, &count, &why), OK);
    assert_int_equal(count, 1);
    c->now_us += INT64_C(400) * 86400 * SECOND;
    struct asked *q = ask(c, "[\"" A "\",\"" B "\",\"https://city.example/c\"]");
    assert_null(open_fetch(c, A));
    answer(c, B, B_TEXT, -1); /* fits beside it: what is preloaded does not count */
    answer(c, "https://city.example/c", B_TEXT, -1);
    expands(c, q, "depth", "https://city.example/depth");
    assert_int_equal(c->asked, 2);
    snprintf(path, sizeof path, "%s/a", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/index.json", dir);
    unlink(path);
    rmdir(dir);
}

/* A file that stands for two URLs is read once. */
static void both_schemes_share_a_document(void **state)
{
    struct city *c = *state;
    char dir[] = "contexts_test_XXXXXX", path[64];
    uint32_t count = 0;
    struct why why;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/city.example", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    file_write(dir, "city.example/a.jsonld", padded(c, "depth", 40 << 10));
    assert_int_equal(contexts_preload(c->contexts, dir, &count, &why), OK);
    assert_int_equal(count, 1);
    uint64_t two = stats(c).bytes;
    expands(c, ask(c, A), "depth", "https://city.example/depth");
    expands(c, ask(c, "http://city.example/a.jsonld"), "depth", "https://city.example/depth");
    assert_int_equal(c->asked, 0);
    file_write(dir, "index.json", "{\"" A "\":\"city.example/a.jsonld\"}");
    city_open(c, 1 << 20);
    assert_int_equal(contexts_preload(c->contexts, dir, &count, &why), OK);
    assert_true(two > stats(c).bytes && two < stats(c).bytes + 1000); /* one entry more, no document */
    snprintf(path, sizeof path, "%s/index.json", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/city.example/a.jsonld", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/city.example", dir);
    rmdir(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_spec_is_the_core, setup, teardown),
        cmocka_unit_test_setup_teardown(fetched_once_then_cached, setup, teardown),
        cmocka_unit_test_setup_teardown(freshness_is_the_origins, setup, teardown),
        cmocka_unit_test_setup_teardown(context_lives_as_long_as_its_shortest_document, setup, teardown),
        cmocka_unit_test_setup_teardown(failure_is_remembered_briefly, setup, teardown),
        cmocka_unit_test_setup_teardown(document_that_is_no_context_is_bad_data, setup, teardown),
        cmocka_unit_test_setup_teardown(fetches_at_once_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(documents_that_do_not_stay_end_in_a_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_is_bounded_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(inline_flood_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(eviction_takes_the_least_recently_used, setup, teardown),
        cmocka_unit_test_setup_teardown(context_outlives_its_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_refuses_what_is_not_at_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_there_is_found_without_the_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(what_contexts_remember_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_find_while_others_push_out, setup, teardown),
        cmocka_unit_test_setup_teardown(preloaded_documents_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(both_schemes_share_a_document, setup, teardown),
    };
    return cmocka_run_group_tests(tests, core_setup, NULL);
}
