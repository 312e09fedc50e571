/* Which @context a Link header names. */
#include "front/ngsild/link_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define REL "http://www.w3.org/ns/json-ld#context"

static const struct {
    const char *value;
    const char *target; /* NULL: none named; "!": refused */
} CASES[] = {
    {"<https://c.example/a>; rel=\"" REL "\"; type=\"application/ld+json\"", "https://c.example/a"},
    {"<https://c.example/a>;rel=\"" REL "\"", "https://c.example/a"},
    {"<https://c.example/a> ; REL = \"" REL "\"", "https://c.example/a"},
    {"<https://c.example/a>; type=\"application/ld+json\"; rel=\"next " REL "\"", "https://c.example/a"},
    {"< https://c.example/a >; rel=\"" REL "\"", "https://c.example/a"},
    {"</next>; rel=\"next\", <https://c.example/a>; rel=\"" REL "\"", "https://c.example/a"},
    {"<https://c.example/a,b;c>; rel=\"" REL "\"", "https://c.example/a,b;c"},
    {"<https://c.example/a>; title=\"x; rel=y, <z>\"; rel=\"" REL "\"", "https://c.example/a"},
    {"<https://c.example/a>; crossorigin; rel=\"" REL "\"", "https://c.example/a"},
    {"<https://c.example/a>; rel=\"" REL "\",", "https://c.example/a"},
    {"<https://c.example/a>; rel=\"next\"", NULL},
    {"<https://c.example/a>", NULL},
    {"<https://c.example/a>; rel=\"" REL "x\"", NULL},
    {"<https://c.example/a>; rev=\"" REL "\"", NULL},
    {"", NULL},
    {"https://c.example/a; rel=\"" REL "\"", "!"},
    {"<https://c.example/a; rel=\"" REL "\"", "!"},
    {"<https://c.example/a>; rel=\"" REL, "!"},
    {"<https://c.example/a>; =\"" REL "\"", "!"},
    {"<https://c.example/a>; rel=\"" REL "\" junk", "!"},
    {"<https://c.example/a>;;rel=\"" REL "\"", "!"},
    {"<https://c.example/a>; rel=\"" REL "\", <https://c.example/b>; rel=\"" REL "\"", "!"},
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct why why;
        why_clear(&why);
        struct str target = STR_NONE;
        enum status st = link_header_read(str_of(CASES[i].value), &target, &why);
        bool refused = CASES[i].target && CASES[i].target[0] == '!';
        if ((st != OK) != refused)
            fail_msg("%s: status %s", CASES[i].value, status_name(st));
        if (refused) {
            assert_int_equal(st, E_BAD_DATA);
            assert_non_null(strstr(why.text, "Link"));
        } else if (!CASES[i].target) {
            assert_true(str_absent(target));
        } else if (!str_eq(target, str_of(CASES[i].target))) {
            fail_msg("%s: %.*s", CASES[i].value, STR_ARG(target));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
