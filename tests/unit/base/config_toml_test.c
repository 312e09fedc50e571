/* The TOML subset: what is read, and the reason for each refusal. */
#include "test.h"

#include "base/config_toml.h"

#include <stdlib.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct toml read_ok(const char *text)
{
    struct toml toml;
    struct why why;
    why_clear(&why);
    if (toml_read(arena, "t", str_of(text), &toml, &why) != OK)
        fail_msg("%s", why.text);
    return toml;
}

static void refused(const char *text, const char *reason)
{
    struct toml toml;
    struct why why;
    why_clear(&why);
    assert_int_equal(toml_read(arena, "t", str_of(text), &toml, &why), E_BAD_DATA);
    assert_string_equal(why.text, reason);
}

static void reads_tables_keys_and_lines(void **state)
{
    (void)state;
    struct toml t = read_ok("# first\r\ntop = 1\n\n[ server ] # one\nlisten = \"x\"\n"
                            "  a-b_1=true\n[other]\nlisten='y' # again");
    assert_int_equal(t.n, 4);
    assert_str(t.entries[0].section, "");
    assert_int_equal(t.entries[0].line, 2);
    assert_str(t.entries[1].section, "server");
    assert_str(t.entries[1].key, "listen");
    assert_str(t.entries[1].value.string, "x");
    assert_int_equal(t.entries[1].line, 5);
    assert_str(t.entries[2].key, "a-b_1");
    assert_true(t.entries[2].value.boolean);
    assert_str(t.entries[3].section, "other");
    assert_str(t.entries[3].value.string, "y");
}

static void reads_strings(void **state)
{
    (void)state;
    struct toml t = read_ok("a = \"q\\\" b\\\\ t\\t n\\n \\u00e4 \\U0001F600 # no comment\"\n"
                            "b = 'C:\\raw \"x\"'\nc = \"\"\nd = ''\ne = \"\xE6\xB5\x8E\"");
    assert_str(t.entries[0].value.string, "q\" b\\ t\t n\n \xC3\xA4 \xF0\x9F\x98\x80 # no comment");
    assert_str(t.entries[1].value.string, "C:\\raw \"x\"");
    assert_str(t.entries[2].value.string, "");
    assert_str(t.entries[3].value.string, "");
    assert_str(t.entries[4].value.string, "\xE6\xB5\x8E");
}

static void reads_integers(void **state)
{
    (void)state;
    struct toml t = read_ok("a=0\nb=-17\nc=+5\nd=1_000_000\ne=9223372036854775807\n"
                            "f=-9223372036854775808");
    const int64_t expected[] = {0, -17, 5, 1000000, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < 6; i++)
        assert_true(t.entries[i].value.integer == expected[i]);
}

static void reads_arrays_over_lines(void **state)
{
    (void)state;
    struct toml t = read_ok("a = []\nb = [\"x\", 'y']\nc = [ # why\n  \"1\", # one\n\n  \"2\",\n]\n"
                            "d = 1");
    assert_int_equal(t.entries[0].value.strings_n, 0);
    assert_int_equal(t.entries[1].value.strings_n, 2);
    assert_str(t.entries[1].value.strings[1], "y");
    assert_int_equal(t.entries[2].value.strings_n, 2);
    assert_str(t.entries[2].value.strings[1], "2");
    assert_int_equal(t.entries[3].line, 8);
}

static void refuses_with_line_and_reason(void **state)
{
    (void)state;
    const struct {
        const char *text, *reason;
    } cases[] = {
        {"\n\na", "t:3: expected '=' behind the key"},
        {"= 1", "t:1: expected a key or a [table]"},
        {"a =", "t:1: expected a string in quotes, an integer, true, false or an array"},
        {"a = yes", "t:1: expected a string in quotes, an integer, true, false or an array"},
        {"a = truely", "t:1: expected true or false; put quotes around a string"},
        {"a = 1 2", "t:1: unexpected text behind the value"},
        {"a = 1\na = 2", "t:2: this key was given before"},
        {"[x]\n[x]", "t:2: this table was given before"},
        {"[x", "t:1: expected ']'"},
        {"[]", "t:1: expected a key or a [table]"},
        {"[[x]]", "t:1: arrays of tables are not supported"},
        {"[x.y]", "t:1: dotted names are not supported: use a [table]"},
        {"a.b = 1", "t:1: dotted names are not supported: use a [table]"},
        {"\"a\" = 1", "t:1: quoted keys are not supported: names are bare"},
        {"a = {}", "t:1: inline tables are not supported: use a [table]"},
        {"a = \"\"\"x\"\"\"", "t:1: multi-line strings are not supported"},
        {"a = '''x'''", "t:1: multi-line strings are not supported"},
        {"a = \"x", "t:1: the string is not closed on its line"},
        {"a = \"x\ny\"", "t:1: the string is not closed on its line"},
        {"a = \"\\q\"", "t:1: unknown escape in a string"},
        {"a = \"\\u12\"", "t:1: expected hexadecimal digits in an escape"},
        {"a = \"\\ud800\"", "t:1: an escape names no character"},
        {"a = \"\x01\"", "t:1: control character in a string"},
        {"a = \"\xFF\"", "t:1: invalid UTF-8"},
        {"# \x01", "t:1: control character in a comment"},
        {"a = 1.5", "t:1: only decimal integers are supported; put quotes around anything else"},
        {"a = 1e5", "t:1: only decimal integers are supported; put quotes around anything else"},
        {"a = 0x1F", "t:1: only decimal integers are supported; put quotes around anything else"},
        {"a = 007", "t:1: integers have no leading zeros"},
        {"a = 1__0", "t:1: '_' stands between two digits only"},
        {"a = 1_", "t:1: '_' stands between two digits only"},
        {"a = -", "t:1: expected digits"},
        {"a = 9223372036854775808", "t:1: the integer is too large"},
        {"a = 2020-01-31", "t:1: dates and times are not supported; put quotes around them"},
        {"a = 5s", "t:1: put quotes around a number with a unit"},
        {"a = [1]", "t:1: arrays hold strings only"},
        {"a = [\"x\" \"y\"]", "t:1: expected ',' or ']'"},
        {"\na = [\n\"x\",\n", "t:2: the array that starts here is not closed"},
        {"a = [\"x\"] y", "t:1: unexpected text behind the value"},
        {"a = 1\rb = 2", "t:1: unexpected text behind the value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].text, cases[i].reason);
}

static void every_prefix_of_a_file_ends_well(void **state)
{
    (void)state;
    static const char TEXT[] =
        "[server]\nlisten = \"a\\u00e4\" # c\nn = -1_0\nl = [\"x\", 'y',\n]\n"
        "b = false\r\n[limits]\nx='y'\n";
    struct toml toml;
    for (size_t n = 0; n < sizeof TEXT; n++) {
        char *copy = mem_alloc(n); /* so that a read behind the end is seen */
        memcpy(copy, TEXT, n);
        struct why why;
        why_clear(&why);
        enum status st = toml_read(arena, "t", (struct str){copy, n}, &toml, &why);
        assert_true(st == OK ? why.text[0] == 0 : why.text[0] != 0);
        free(copy);
    }
}

int main(void)
{
#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_ARENA(reads_tables_keys_and_lines),
        WITH_ARENA(reads_strings),
        WITH_ARENA(reads_integers),
        WITH_ARENA(reads_arrays_over_lines),
        WITH_ARENA(refuses_with_line_and_reason),
        WITH_ARENA(every_prefix_of_a_file_ends_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
