/* Finished contexts: which name an IRI gets, what is remembered, many threads. */
#include "context_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEFAULT "https://uri.etsi.org/ngsi-ld/default-context/"

struct compaction {
    const char *context, *iri, *name;
};

static void the_best_name_is_given(void **state)
{
    static const struct compaction ROWS[] = {
        {"{\"a\": \"urn:a\"}", "urn:a", "a"},
        {"{\"a\": \"urn:a\"}", "urn:b", "urn:b"},
        /* shortest, then least */
        {"{\"abc\": \"urn:a\", \"ab\": \"urn:a\", \"b\": \"urn:a\", \"a\": \"urn:a\"}", "urn:a",
         "a"},
        {"{\"z\": \"urn:a\", \"aa\": \"urn:a\", \"y\": \"urn:a\"}", "urn:a", "y"},
        /* terms for any value before terms for special ones */
        {"{\"a\": {\"@id\": \"urn:a\", \"@container\": \"@list\"}, \"long\": \"urn:a\"}", "urn:a",
         "long"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@type\": \"urn:date\"}, \"long\": \"urn:a\"}", "urn:a",
         "long"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@type\": \"@id\"}, \"long\": \"urn:a\"}", "urn:a", "a"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@container\": \"@set\"}, \"long\": \"urn:a\"}", "urn:a",
         "a"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@container\": \"@language\"}}", "urn:a", "a"},
        {"{\"a\": {\"@id\": \"urn:a\", \"@type\": \"DateTime\"}}", "urn:a", "a"},
        {"{\"a\": {\"@reverse\": \"urn:a\"}}", "urn:a", "urn:a"},
        {"{\"a\": null}", "urn:a", "urn:a"},
        /* a term before a compact IRI */
        {"{\"x\": \"https://x.org/\", \"aVeryLongTerm\": \"x:a\"}", "https://x.org/a",
         "aVeryLongTerm"},
        {"{\"x\": \"https://x.org/\"}", "https://x.org/a", "x:a"},
        {"{\"x\": \"https://x.org/\"}", "https://x.org/", "x"},
        {"{\"x\": {\"@id\": \"https://x.org/\"}}", "https://x.org/a", "https://x.org/a"},
        {"{\"x\": {\"@id\": \"https://x.org/x\", \"@prefix\": true}}", "https://x.org/xa", "x:a"},
        /* the shortest compact IRI, then the least */
        {"{\"x\": \"https://x.org/\", \"y\": \"https://x.org/y/\"}", "https://x.org/y/a", "y:a"},
        {"{\"x\": \"https://x.org/\", \"veryLong\": \"https://x.org/y/\"}", "https://x.org/y/a",
         "x:y/a"},
        {"{\"b\": \"https://x.org/\", \"a\": \"https://x.org/\"}", "https://x.org/q", "a:q"},
        {"{\"b\": \"https://x.org/\", \"c\": \"https://x.org/c/\", \"d\": \"https://y.org/\"}",
         "https://x.org/d", "b:d"},
        /* only names that lead back */
        {"{\"x\": \"https://x.org/\", \"x:a\": {\"@id\": \"https://x.org/a\"}}", "https://x.org/a",
         "x:a"},
        {"{\"y\": \"https://x.org/\", \"x\": \"https://x.org/\", \"x:a\": null}", "https://x.org/a",
         "y:a"},
        {"{\"x\": \"https://\"}", "https:////a", "https:////a"},
        {"{\"_\": \"https://x.org/\"}", "https://x.org/a", "https://x.org/a"},
        {"{\"data\": \"https://x.org/\"}", "https://x.org/a", "https://x.org/a"},
        {"{\"speed\": \"urn:a\"}", DEFAULT "speed", "ngsi-ld:default-context/speed"},
        {"{\"speed\": \"urn:a\"}", DEFAULT "weight", "weight"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct context *c = fixture_context(f, ROWS[i].context);
        fixture_compacts(f, c, ROWS[i].iri, ROWS[i].name);
        if (strcmp(ROWS[i].iri, ROWS[i].name) != 0)
            fixture_expands(f, c, ROWS[i].name, ROWS[i].iri);
        context_unref(c);
    }
}

/* Many prefixes that start one another: all are seen, the best is taken. */
static void nested_prefixes_are_all_seen(void **state)
{
    struct fixture *f = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_str(&b, STR("{\"z\": \"urn:z:\""));
    for (int i = 1; i <= 100; i++) { /* urn:x:, urn:x:x: …; the names grow as the IRIs do */
        buf_printf(&b, ", \"p%0*d\": \"urn:", i * 2, i);
        for (int k = 0; k < i; k++)
            buf_str(&b, STR("x:"));
        buf_char(&b, '"');
    }
    buf_str(&b, STR("}"));
    struct context *c = fixture_context(f, arena_dup(f->arena, buf_view(&b)).p);
    buf_clear(&b);
    buf_str(&b, STR("urn:"));
    for (int k = 0; k < 60; k++)
        buf_str(&b, STR("x:"));
    buf_str(&b, STR("end"));
    /* every prefix saves as much as its name is longer; the least name has the most zeros */
    struct str got = context_compact(c, buf_view(&b), f->arena);
    assert_true(str_eq(got, arena_printf(f->arena, "p%0*d:end", 120, 60)));
    assert_true(str_eq(context_expand(c, got, f->arena), buf_view(&b)));
    fixture_compacts(f, c, "urn:z:1", "z:1");
    fixture_compacts(f, c, "urn:", "urn:");
    fixture_compacts(f, c, "urn:~", "urn:~");
    buf_free(&b);
    context_unref(c);
}

static void looking_up_interns_nothing(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, "{\"a\": \"urn:a\", \"x\": \"urn:x:\"}");
    static const char *const NAMES[] = {"a", "new", "x:new", "urn:new", "location"};
    uint32_t before = terms_count(f->terms);
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
            assert_int_equal(context_expand_term(c, str_of(NAMES[i]), false, f->arena, &f->why), 0);
    assert_int_equal(terms_count(f->terms), before);
    assert_int_equal(f->why.status, OK);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        uint32_t id = context_expand_term(c, str_of(NAMES[i]), true, f->arena, &f->why);
        assert_int_not_equal(id, TERM_NONE);
        assert_int_equal(context_expand_term(c, str_of(NAMES[i]), false, f->arena, &f->why), id);
        assert_true(str_eq(context_compact_term(c, id), str_of(NAMES[i])));
    }
    assert_int_equal(terms_count(f->terms), before + 5);
    context_unref(c);
}

static void a_full_city_says_so(void **state)
{
    struct fixture *f = *state;
    struct terms *few = terms_new(1);
    context_setup(few);
    assert_int_equal(context_expand_term(context_core(), STR("a"), true, f->arena, &f->why), 1);
    assert_int_equal(context_expand_term(context_core(), STR("b"), true, f->arena, &f->why), 0);
    assert_int_equal(f->why.status, E_LIMIT);
    assert_string_equal(f->why.limit, "limits.terms");
    context_setup(f->terms);
    terms_free(few);
}

/* More names than the memo of @vocab has slots: what is pushed out is found again. */
static void memos_never_lie(void **state)
{
    struct fixture *f = *state;
    struct context *user = fixture_context(f, "{\"name-7\": \"urn:seven\", \"x\": \"urn:x:\"}");
    enum { NAMES = 20000 };
    char room[64];
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < NAMES; i++) {
            struct str name = {room, (size_t)snprintf(room, sizeof room, "name-%u", i)};
            uint32_t id = context_expand_term(context_core(), name, true, f->arena, NULL);
            struct str iri = terms_iri(f->terms, id);
            assert_true(iri.n == strlen(DEFAULT) + name.n && str_ends(iri, name));
            assert_true(str_eq(context_compact_term(context_core(), id), name));
            uint32_t other = context_expand_term(user, name, true, f->arena, NULL);
            assert_true(i == 7 ? other != id : other == id);
            assert_true(str_eq(context_compact_term(user, other), name));
        }
    }
    fixture_expands(f, user, "name-7", "urn:seven");
    context_unref(user);
}

static void memory_is_accounted_for(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, "{\"x\": \"urn:x:\", \"abc\": \"https://x.org/abc\"}");
    size_t fresh = context_bytes(c);
    assert_true(fresh > strlen("https://x.org/abc") && fresh < 4096);
    fixture_compacts(f, c, "urn:x:1", "x:1");
    size_t warm = context_bytes(c);
    assert_true(warm > fresh);
    fixture_compacts(f, c, "urn:x:1", "x:1");
    assert_int_equal(context_bytes(c), warm);
    context_unref(c);
}

static void references_are_counted(void **state)
{
    struct fixture *f = *state;
    struct context *c = fixture_context(f, "{\"a\": \"urn:a\"}");
    assert_ptr_equal(context_ref(c), c);
    context_unref(c);
    fixture_expands(f, c, "a", "urn:a");
    context_unref(c);
    context_unref(NULL);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 40, NAMES = 500 };

struct crowd {
    struct fixture *f;
    struct context *c;
    _Atomic unsigned wrong;
};

/* What a name means does not depend on who asked first. */
static void *expand_and_compact(void *arg)
{
    struct crowd *crowd = arg;
    struct arena *a = arena_new(0);
    struct terms *terms = crowd->f->terms;
    char room[64];
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < NAMES; i++) {
            const char *form = i % 3 == 0 ? "n%u" : i % 3 == 1 ? "t%u" : "x:%u";
            struct str name = {room, (size_t)snprintf(room, sizeof room, form, i)};
            struct context *c = context_ref(i % 2 ? crowd->c : context_core());
            uint32_t id = context_expand_term(c, name, true, a, NULL);
            struct str iri = context_expand(c, name, a);
            if (id == TERM_NONE || !str_eq(terms_iri(terms, id), iri) ||
                !str_eq(context_compact_term(c, id), name))
                crowd->wrong++;
            context_unref(c);
        }
        arena_reset(a);
    }
    arena_free(a);
    return NULL;
}

static void threads_agree(void **state)
{
    struct fixture *f = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_str(&b, STR("{\"x\": \"urn:x:\""));
    for (unsigned i = 1; i < NAMES; i += 3)
        buf_printf(&b, ", \"t%u\": \"urn:t:%u\"", i, i);
    buf_str(&b, STR("}"));
    struct crowd crowd = {f, fixture_context(f, arena_dup(f->arena, buf_view(&b)).p), 0};
    buf_free(&b);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, expand_and_compact, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    context_unref(crowd.c);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_best_name_is_given),
        CASE(nested_prefixes_are_all_seen),
        CASE(looking_up_interns_nothing),
        CASE(a_full_city_says_so),
        CASE(memos_never_lie),
        CASE(memory_is_accounted_for),
        CASE(references_are_counted),
        CASE(threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
