/* Interning: dense, stable ids; a maximum; readers and writers at once. */
#include "model/terms.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct str name(char *room, size_t n, unsigned i)
{
    return (struct str){room, (size_t)snprintf(room, n, "https://example.org/vocab/name-%u", i)};
}

static void ids_are_dense_and_stable(void **state)
{
    (void)state;
    struct terms *t = terms_new(100000);
    struct why why = {0};
    char room[64];
    assert_int_equal(terms_count(t), 0);
    assert_int_equal(terms_find(t, STR("https://example.org/vocab/name-1")), TERM_NONE);
    for (unsigned i = 1; i <= 50000; i++) /* through many growths of the table */
        assert_int_equal(terms_intern(t, name(room, sizeof room, i), &why), i);
    assert_int_equal(terms_count(t), 50000);
    for (unsigned i = 1; i <= 50000; i++) {
        struct str s = name(room, sizeof room, i);
        assert_int_equal(terms_find(t, s), i);
        assert_int_equal(terms_intern(t, s, &why), i);
        assert_true(str_eq(terms_iri(t, i), s));
    }
    assert_int_equal(terms_find(t, name(room, sizeof room, 50001)), TERM_NONE);
    assert_int_equal(terms_count(t), 50000);
    terms_free(t);
}

static void names_are_copied_whole(void **state)
{
    (void)state;
    struct terms *t = terms_new(10);
    char bytes[] = {'a', 0, 'b'};
    uint32_t id = terms_intern(t, (struct str){bytes, 3}, NULL);
    uint32_t shorter = terms_intern(t, (struct str){bytes, 1}, NULL);
    bytes[0] = 'x';
    assert_int_equal(id, 1);
    assert_int_equal(shorter, 2);
    assert_memory_equal(terms_iri(t, id).p, "a\0b", 3);
    assert_int_equal(terms_iri(t, id).n, 3);
    terms_free(t);
}

static void a_full_table_says_its_limit(void **state)
{
    (void)state;
    struct terms *t = terms_new(3);
    struct why why = {0};
    assert_int_equal(terms_intern(t, STR("a"), &why), 1);
    assert_int_equal(terms_intern(t, STR("b"), &why), 2);
    assert_int_equal(terms_intern(t, STR("c"), &why), 3);
    assert_int_equal(why.status, OK);
    assert_int_equal(terms_intern(t, STR("d"), &why), TERM_NONE);
    assert_int_equal(why.status, E_LIMIT);
    assert_string_equal(why.limit, "limits.terms");
    assert_int_equal(terms_intern(t, STR("c"), &why), 3);
    assert_int_equal(terms_count(t), 3);
    terms_free(t);
}

#define SHARED 20000u
#define WRITERS 3

struct shared {
    struct terms *terms;
    unsigned seed;
    unsigned wrong;
};

/* Every writer interns the same names, each from another start. */
static void *write_names(void *arg)
{
    struct shared *s = arg;
    char room[64];
    for (unsigned i = 0; i < SHARED; i++) {
        struct str n = name(room, sizeof room, (i + s->seed * 7919) % SHARED);
        uint32_t id = terms_intern(s->terms, n, NULL);
        if (id == TERM_NONE || id > terms_count(s->terms) || !str_eq(terms_iri(s->terms, id), n))
            s->wrong++;
    }
    return NULL;
}

/* Whatever is counted can be read, whatever is found is right. */
static void *read_names(void *arg)
{
    struct shared *s = arg;
    char room[64];
    for (unsigned i = 0; terms_count(s->terms) < SHARED || i < SHARED; i++) {
        struct str n = name(room, sizeof room, i % SHARED);
        uint32_t id = terms_find(s->terms, n);
        if (id != TERM_NONE && (id > terms_count(s->terms) || !str_eq(terms_iri(s->terms, id), n)))
            s->wrong++;
        uint32_t last = terms_count(s->terms);
        if (last && terms_find(s->terms, terms_iri(s->terms, last)) > last)
            s->wrong++;
    }
    return NULL;
}

static void threads_agree(void **state)
{
    (void)state;
    struct terms *t = terms_new(SHARED);
    struct shared s[WRITERS + 1];
    pthread_t threads[WRITERS + 1];
    for (unsigned i = 0; i <= WRITERS; i++) {
        s[i] = (struct shared){t, i, 0};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < WRITERS ? write_names : read_names, &s[i]), 0);
    }
    for (unsigned i = 0; i <= WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(s[i].wrong, 0);
    }
    assert_int_equal(terms_count(t), SHARED);
    terms_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_dense_and_stable),
        cmocka_unit_test(names_are_copied_whole),
        cmocka_unit_test(a_full_table_says_its_limit),
        cmocka_unit_test(threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
