/* What a Prefer header says, in the spellings RFC 7240 allows. */
#include "front/ngsild/prefer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *value;
    const char *version; /* NULL: none */
    bool json_body;
} CASES[] = {
    {"ngsi-ld=1.5", "1.5", false},
    {"NGSI-LD=1.5", "1.5", false},
    {"ngsi-ld = \"1.5\"", "1.5", false},
    {"ngsi-ld=1.5;q=0.1", "1.5", false},
    {"respond-async, ngsi-ld=1.0; x=\"a,b\"", "1.0", false},
    {"body=json", NULL, true},
    {"body=json, ngsi-ld=1.8", "1.8", true},
    {"Body=\"JSON\"", NULL, true},
    {"body=ld+json", NULL, false},
    {"body=ld+json, body=json", NULL, false},
    {"ngsi-ld=1.4, ngsi-ld=1.6", "1.4", false},
    {"x=\"ngsi-ld=1.4, body=json\"", NULL, false},
    {"ngsi-ld=1.12", "1.9", false},
    {"ngsi-ld=2.0", "1.9", false},
    {"ngsi-ld=0.9", NULL, false},
    {"ngsi-ld=1", NULL, false},
    {"ngsi-ld=one.five", NULL, false},
    {"ngsi-ld=1.5x", NULL, false},
    {"ngsi-ld=", NULL, false},
    {"ngsi-ld", NULL, false},
    {",,;,", NULL, false},
    {"", NULL, false},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct prefer p;
        prefer_read_value(str_of(CASES[i].value), &p);
        if (p.versioned != (CASES[i].version != NULL) || p.json_body != CASES[i].json_body ||
            (p.versioned && !str_eq(p.version, str_of(CASES[i].version))))
            fail_msg("%s", CASES[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
