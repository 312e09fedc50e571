/* References against a base (RFC 3986 section 5.4), keywords, schemes. */
#include "model/context_iri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void references_resolve(void **state)
{
    (void)state;
    static const struct {
        const char *base, *ref, *want; /* want NULL: cannot be resolved */
    } ROWS[] = {
        {"http://a/b/c/d;p?q", "g:h", "g:h"},
        {"http://a/b/c/d;p?q", "g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "./g", "http://a/b/c/g"},
        {"http://a/b/c/d;p?q", "g/", "http://a/b/c/g/"},
        {"http://a/b/c/d;p?q", "/g", "http://a/g"},
        {"http://a/b/c/d;p?q", "//g", "http://g"},
        {"http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"},
        {"http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y"},
        {"http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q#s"},
        {"http://a/b/c/d;p?q", "g?y#s", "http://a/b/c/g?y#s"},
        {"http://a/b/c/d;p?q", ";x", "http://a/b/c/;x"},
        {"http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"},
        {"http://a/b/c/d;p?q", ".", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "./", "http://a/b/c/"},
        {"http://a/b/c/d;p?q", "..", "http://a/b/"},
        {"http://a/b/c/d;p?q", "../g", "http://a/b/g"},
        {"http://a/b/c/d;p?q", "../..", "http://a/"},
        {"http://a/b/c/d;p?q", "../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "../../../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/./g", "http://a/g"},
        {"http://a/b/c/d;p?q", "/../g", "http://a/g"},
        {"http://a/b/c/d;p?q", "g.", "http://a/b/c/g."},
        {"http://a/b/c/d;p?q", "..g", "http://a/b/c/..g"},
        {"http://a/b/c/d;p?q", "./../g", "http://a/b/g"},
        {"http://a/b/c/d;p?q", "g/./h", "http://a/b/c/g/h"},
        {"http://a/b/c/d;p?q", "g/../h", "http://a/b/c/h"},
        {"http://a/b/c/d;p?q", "g?y/../x", "http://a/b/c/g?y/../x"},
        {"http://a", "g", "http://a/g"},
        {"http://a?q", "", "http://a?q"},
        {"http://a/b", "//c/../d", "http://c/d"},
        {"urn:a:b", "c", "urn:c"},
        {"", "g", NULL},
        {"b/c", "g", NULL},
        {"", "http://a/g", "http://a/g"},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct str got = context_iri_resolve(str_of(ROWS[i].base), str_of(ROWS[i].ref), a);
        if (ROWS[i].want ? !str_eq(got, str_of(ROWS[i].want)) : !str_absent(got))
            fail_msg("%s against %s: %.*s", ROWS[i].ref, ROWS[i].base, STR_ARG(got));
    }
    arena_free(a);
}

static void absolute_means_scheme_and_clean(void **state)
{
    (void)state;
    static const char *const YES[] = {"http://x", "urn:x", "a+b-c.1:", "x:\xc3\xbc"};
    static const char *const NO[] = {"",    "x",    ":x",   "1x:y",  "a b:c", "http://a b",
                                     "x:<", "x:\n", "x:\"", "_:b",   "x:^",   "x:`",
                                     "x:{", "x:|",  "x:\\", "x:\x7f"};
    for (size_t i = 0; i < sizeof YES / sizeof *YES; i++)
        assert_true(context_iri_is_absolute(str_of(YES[i])));
    for (size_t i = 0; i < sizeof NO / sizeof *NO; i++)
        assert_false(context_iri_is_absolute(str_of(NO[i])));
    assert_true(context_iri_has_scheme(STR("x:a b")));
    assert_false(context_iri_has_scheme(STR("x/y:z")));
    assert_false(context_iri_has_scheme(STR("_:b")));
}

static void delimiters_end_prefixes(void **state)
{
    (void)state;
    static const char *const YES[] = {"x:", "x/", "x?", "x#", "x[", "x]", "x@"};
    for (size_t i = 0; i < sizeof YES / sizeof *YES; i++)
        assert_true(context_iri_ends_in_delimiter(str_of(YES[i])));
    assert_false(context_iri_ends_in_delimiter(STR("")));
    assert_false(context_iri_ends_in_delimiter(STR("x-")));
    assert_false(context_iri_ends_in_delimiter((struct str){"x\0", 2}));
}

static void keywords_are_known(void **state)
{
    (void)state;
    assert_true(context_iri_is_keyword(STR("@id")));
    assert_true(context_iri_is_keyword(STR("@vocab")));
    assert_false(context_iri_is_keyword(STR("@Id")));
    assert_false(context_iri_is_keyword(STR("id")));
    assert_false(context_iri_is_keyword(STR("@")));
    assert_true(context_iri_has_keyword_form(STR("@anything")));
    assert_false(context_iri_has_keyword_form(STR("@a1")));
    assert_false(context_iri_has_keyword_form(STR("@")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_resolve),
        cmocka_unit_test(absolute_means_scheme_and_clean),
        cmocka_unit_test(delimiters_end_prefixes),
        cmocka_unit_test(keywords_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
