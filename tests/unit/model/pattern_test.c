/* Patterns: POSIX extended syntax, found anywhere, bounded whatever the pattern; and
 * the prefix that indexes may use. */
#include "model/pattern.h"

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pattern *compile(const char *text)
{
    struct pattern *p = NULL;
    struct why why = {0};
    if (pattern_new("idPattern", str_of(text), 1000, &p, &why) != OK)
        fail_msg("%s: %s", text, why.text);
    return p;
}

static void finds_as_regexec_does(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"urn:ngsi-ld:Building:.*", "urn:ngsi-ld:Building:1", true},
        {"Building", "urn:ngsi-ld:Building:1", true},
        {"^Building", "urn:ngsi-ld:Building:1", false},
        {"^urn:.*:1$", "urn:ngsi-ld:Building:1", true},
        {"^urn:.*:1$", "urn:ngsi-ld:Building:12", false},
        {".*downtown$", "urn:x:downtown", true},
        {"^Eiffel", "Eiffel Tower", true},
        {"[[:digit:]]{3}", "a12b", false},
        {"[[:digit:]]{3}", "a123b", true},
        {"\\d+x", "12x", true},
        {"^(a|b)+$", "abba", true},
        {"^a|b$", "xxb", true},
        {"^.$", "é", true},
        {"^[à-ü]+$", "éè", true},
        {"[*+]+", "*+*", true},
        {"\\**", "**", true},
        {"[]*+]*$", "]", true},
        {"a.b", "a\nb", true},
        {"^b", "a\nb", false},
        {"a$", "a\nb", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pattern *p = compile(cases[i].pattern);
        if (pattern_match(p, str_of(cases[i].text)) != cases[i].match)
            fail_msg("%s in %s", cases[i].pattern, cases[i].text);
        assert_true(str_eq(pattern_text(p), str_of(cases[i].pattern)));
        pattern_free(p);
    }
}

static void refuses_what_is_no_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *word;
        enum status status;
    } cases[] = {
        {"invalid_entity_id_pattern**", "**", E_BAD_DATA},
        {"a{1,2}{3}", "repetition", E_BAD_DATA},
        {"[*+]+*", "repetition", E_BAD_DATA},
        {"[a[:]++b", "repetition", E_BAD_DATA}, /* "[:" alone is no class */
        {"", "expected", E_BAD_DATA},
        {"(a", "missing", E_BAD_DATA},
        {"[a", "missing", E_BAD_DATA},
        {"*a", "*", E_BAD_DATA},
        {"(a)\\1", "\\1", E_BAD_DATA},
        {"(?i)a", "?", E_BAD_DATA},
        {"\xff", "UTF-8", E_BAD_DATA},
        {"((a{100}){100}){100}", "too large", E_TOO_COMPLEX},
        {"a{2000}", "too large", E_TOO_COMPLEX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pattern *p = NULL;
        struct why why = {0};
        enum status st = pattern_new("q", str_of(cases[i].pattern), 1000, &p, &why);
        if (st != cases[i].status || !strstr(why.text, cases[i].word))
            fail_msg("%s: %d %s", cases[i].pattern, st, why.text);
        assert_null(p);
    }
    struct pattern *p = NULL;
    struct why why = {0};
    assert_int_equal(pattern_new("q", STR("abcdef"), 5, &p, &why), E_TOO_COMPLEX);
    assert_string_equal(why.limit, "limits.pattern_bytes");
}

static void hostile_patterns_stay_linear(void **state)
{
    (void)state;
    struct pattern *p = compile("^(a|a)*(a|aa)+(.*.*.*)x$");
    size_t n = 1 << 20;
    char *text = malloc(n);
    memset(text, 'a', n);
    int64_t start = time_monotonic();
    assert_false(pattern_match(p, (struct str){text, n}));
    assert_true(time_monotonic() - start <
                5000000); /* a backtracker would need the age of the universe */
    free(text);
    pattern_free(p);
}

static void prefixes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"^urn:ngsi-ld:Vehicle:.*", "urn:ngsi-ld:Vehicle:"},
        {"^abc$", "abc"},
        {"^abc", "abc"},
        {"^abc*", "ab"},
        {"^abc?d", "ab"},
        {"^abc{0,3}", "ab"},
        {"^abc+", "abc"},
        {"^abé?", "ab"},
        {"^a\\.b\\|c(d|e)", "a.b|c"},
        {"^abc|def", ""},
        {"^ab(c|d)", "ab"},
        {"^ab[|]c", "ab"},
        {"^ab[]|]c", "ab"},
        {"^ab[[:digit:]|]c", "ab"},
        {"^ab[^]|]c|x", ""},
        {"^ab[a[:]|x", ""},
        {"^a\\d", "a"},
        {"(^abc)", ""},
        {"abc", ""},
        {"^^a", ""},
        {"^", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pattern *p = compile(cases[i][0]);
        if (!str_eq(pattern_prefix(p), str_of(cases[i][1])))
            fail_msg("%s: \"%.*s\"", cases[i][0], STR_ARG(pattern_prefix(p)));
        pattern_free(p);
    }
}

/* Numbers that are the same in every run (xorshift). */
static uint64_t random_state = 88172645463325252u;
static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % n;
}

/* Whatever matches begins with the prefix: random patterns and texts over a small alphabet. */
static void prefixes_never_lie(void **state)
{
    (void)state;
    static const char alphabet[] = "^ab|()[]*?+.\\{}1$";
    unsigned matched = 0;
    for (int i = 0; i < 30000; i++) {
        char text[12] = "^", subject[8];
        size_t n = 1 + below(10), m = below(8);
        for (size_t k = 1; k < n; k++)
            text[k] = alphabet[below(sizeof alphabet - 1)];
        text[n] = 0;
        struct pattern *p = NULL;
        if (pattern_new("q", str_of(text), 100, &p, NULL) != OK)
            continue;
        for (int j = 0; j < 20; j++) {
            for (size_t k = 0; k < m; k++)
                subject[k] = "ab.|1"[below(5)];
            struct str s = {subject, m};
            if (!pattern_match(p, s))
                continue;
            matched += pattern_prefix(p).n > 0;
            if (!str_starts(s, pattern_prefix(p)))
                fail_msg("%s matches %.*s", text, STR_ARG(s));
        }
        pattern_free(p);
    }
    assert_true(matched > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_as_regexec_does),
        cmocka_unit_test(refuses_what_is_no_pattern),
        cmocka_unit_test(hostile_patterns_stay_linear),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(prefixes_never_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
