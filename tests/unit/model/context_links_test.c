/* Which @context a Link header names. */
#include "model/context_links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define REL "http://www.w3.org/ns/json-ld#context"
#define TYPE "; type=\"application/ld+json\""

static void the_target_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *value, *target; /* target NULL: none */
    } ROWS[] = {
        {"<https://x.org/c.jsonld>; rel=\"" REL "\"" TYPE, "https://x.org/c.jsonld"},
        {"<https://x.org/c.jsonld>" TYPE ";rel=\"" REL "\"", "https://x.org/c.jsonld"},
        {"<https://x.org/c>;rel=" REL, "https://x.org/c"},
        {"<https://x.org/c> ; REL = \"" REL "\" ", "https://x.org/c"},
        {"<https://x.org/c>; rel=\"next " REL "\"", "https://x.org/c"},
        {"<https://x.org/c>; rel=\"HTTP://www.w3.org/ns/JSON-LD#context\"", "https://x.org/c"},
        {"<https://x.org/c>; rel=\"http:\\//www.w3.org/ns/json-ld#context\"", "https://x.org/c"},
        {"<https://x.org/a,b;c>; rel=\"" REL "\"", "https://x.org/a,b;c"},
        {"<c.jsonld>; rel=\"" REL "\"", "c.jsonld"},
        {"<>; rel=\"" REL "\"", ""},
        {"< https://x.org/c >; rel=\"" REL "\"", "https://x.org/c"},
        {"<https://x.org/n>; rel=next, <https://x.org/c>; rel=\"" REL "\"", "https://x.org/c"},
        {"<https://x.org/c>; rel=\"" REL "\", <https://x.org/n>; rel=next", "https://x.org/c"},
        {"<https://x.org/n>; title=\"a, <b>; rel=x\", <https://x.org/c>; rel=\"" REL "\"",
         "https://x.org/c"},
        {"<https://x.org/n>; title=\"q\\\",\"; rel=next", NULL},
        {",, <https://x.org/c>; rel=\"" REL "\" ,,", "https://x.org/c"},
        {"<https://x.org/c>;;rel=\"" REL "\";", "https://x.org/c"},
        {"<https://x.org/c>; rel=next; rel=\"" REL "\"", NULL}, /* only the first counts */
        {"<https://x.org/c>; rev=\"" REL "\"", NULL},
        {"<https://x.org/c>; rel=\"" REL "x\"", NULL},
        {"<https://x.org/c>; rel", NULL},
        {"<https://x.org/c>", NULL},
        {"", NULL},
        {" , ", NULL},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct str target;
        struct why why = {0};
        if (context_links_find(str_of(ROWS[i].value), a, &target, &why) != OK)
            fail_msg("%s: %s", ROWS[i].value, why.text);
        if (str_absent(target) != !ROWS[i].target || !str_eq(target, str_of(ROWS[i].target)))
            fail_msg("%s: %.*s", ROWS[i].value, STR_ARG(target));
    }
    arena_free(a);
}

static void what_is_no_list_of_links_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum status status;
        const char *text;
    } ROWS[] = {
        {"https://x.org/c", E_INVALID_REQUEST, "Link header, column 1: '<' expected"},
        {"<https://x.org/c", E_INVALID_REQUEST, "Link header, column 17: '>' expected"},
        {"<c>; rel=\"" REL, E_INVALID_REQUEST, "Link header, column 47: '\"' expected"},
        {"<c>; rel=\"a\\", E_INVALID_REQUEST, "Link header, column 13: '\"' expected"},
        {"<c> rel=a", E_INVALID_REQUEST, "Link header, column 5: ',' or ';' expected"},
        {"<c>; rel=a b", E_INVALID_REQUEST, "Link header, column 12: ',' or ';' expected"},
        {"<c>; rel=\"" REL "\", <c>; rel=\"" REL "\"", E_BAD_DATA,
         "the Link header names two @contexts"},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct str target;
        struct why why = {0};
        assert_int_equal(context_links_find(str_of(ROWS[i].value), a, &target, &why),
                         ROWS[i].status);
        assert_string_equal(why.text, ROWS[i].text);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_is_found),
        cmocka_unit_test(what_is_no_list_of_links_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
