/* URIs, names, scopes and language tags: what the grammars take and what not. */
#include "model/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check_all(bool (*is)(struct str), const char *const *texts, bool expected)
{
    for (; *texts; texts++)
        if (is(str_of(*texts)) != expected)
            fail_msg("\"%s\" should %sbe taken", *texts, expected ? "" : "not ");
}

static void uris(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "urn:ngsi-ld:Vehicle:A4567",
        "http://example.org/vehicle#brandName",
        "https://example.org:8080/a/b;c=1?q=x/y&z=%20#frag?ment",
        "http://[2001:db8::1]/x",
        "a:",
        "a+b-c.1:x",
        "mailto:someone@example.org",
        "urn:ngsi-ld:城市:济南",
        "http://example.org/\U0001F600",
        "http://example.org/?x=\uE000",
        NULL,
    };
    static const char *const BAD[] = {
        "",
        "DTI-036",
        ":x",
        "1a:x",
        "urn",
        "urn:with space",
        "urn:tab\t",
        "urn:<x>",
        "urn:a\"b",
        "urn:{x}",
        "urn:a|b",
        "urn:a\\b",
        "urn:%2",
        "urn:%zz",
        "urn:a[b]",
        "http://example.org/[x]",
        "http://example.org/#a#b",
        "http://example.org/\uE000",
        "http://example.org/?x#\uE000",
        "urn:\xC2\x85",
        "urn:x\uFFFE",
        "urn:x\u202Ey",     /* right-to-left override */
        "urn:x\u200By",     /* zero width space */
        "urn:x\uFEFFy",     /* byte order mark */
        "urn:x\u2028y",     /* line separator */
        "urn:x\u00A0y",     /* no-break space */
        "urn:x\uFE0Fy",     /* variation selector */
        "urn:x\U000E0100y", /* supplementary variation selector */
        "urn:x\u3164y",     /* Hangul filler */
        "urn:x\u2800y",     /* Braille blank */
        "é:x",
        "/relative",
        "{\"a\":1}",
        NULL,
    };
    check_all(reader_is_uri, GOOD, true);
    check_all(reader_is_uri, BAD, false);
    assert_false(reader_is_uri((struct str){"urn:\0x", 6}));
    assert_false(reader_is_uri((struct str){"urn:\x7f", 5}));
    assert_false(reader_is_uri(STR_NONE));
}

static void names(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "a",
        "brandName",
        "B2_x",
        "attribute_to_be_added",
        "schema:name",
        "výška_1",
        "温度",
        "x\u0663", /* ARABIC-INDIC DIGIT THREE */
        "aⅧ",
        "urn:x-y:z",
        "http://example.org/my-name",
        "schema:my-name", /* a URI of scheme "schema" */
        NULL,
    };
    static const char *const BAD[] = {
        "",    "9Vehicle", "_x",      "my attr", "self-consumption",
        "a.b", ":a",       "status ", "\u0663x", "a\u00A0b",
        "€",   "a/b",      "@id",     "-",       NULL,
    };
    check_all(reader_is_name, GOOD, true);
    check_all(reader_is_name, BAD, false);
}

static void scopes(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "/Madrid",
        "Madrid",
        "/Madrid/Gardens/ParqueNorte",
        "/CompanyA/OrganizationB/UnitC",
        "/a_1/b2",
        "/济南/历下区",
        NULL,
    };
    static const char *const BAD[] = {
        "",
        "/",
        "//a",
        "/a//b",
        "/a/",
        "9bad",
        "/a/9",
        "a-b",
        "/a b",
        "/_x",
        "/a/#",
        "/a/+",
        "urn:ngsi-ld:null",
        NULL,
    };
    check_all(reader_is_scope, GOOD, true);
    check_all(reader_is_scope, BAD, false);
}

static void languages(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "@none",
        "fr",
        "FR",
        "nl-BE",
        "zh-Hant-CN",
        "zh-cmn-Hans-CN",
        "sl-rozaj",
        "de-CH-1901",
        "hy-Latn-IT-arevela",
        "es-419",
        "de-DE-u-co-phonebk",
        "x-whatever",
        "en-x-US",
        "i-klingon",
        "en-a-bbb-x-a-ccc",
        "sgn-BE-FR",
        "ast",
        NULL,
    };
    static const char *const BAD[] = {
        "",      "@",      "en_US", "f",     "e-n",       "en-",          "-en",
        "123",   "en--US", "en-u",  "x",     "abcdefghi", "en-abcdefghi", "de-419-DE",
        "en US", "é",      "1a",    "@None", NULL,
    };
    check_all(reader_is_language, GOOD, true);
    check_all(reader_is_language, BAD, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris),
        cmocka_unit_test(names),
        cmocka_unit_test(scopes),
        cmocka_unit_test(languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
