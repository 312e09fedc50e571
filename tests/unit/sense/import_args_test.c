/* The command line of an import: what is taken, what is refused and how. */
#include "check.h"

#include "sense/import.h"

#include <string.h>

static enum status read_args(struct import_options *o, struct why *why, const char *const *args)
{
    static char *argv[16]; /* o points into it */
    int argc = 0;
    for (; args[argc]; argc++)
        memcpy(&argv[argc], &args[argc], sizeof *args);
    import_options_preset(o);
    why_clear(why);
    return import_options_read(o, argc, argv, why);
}

#define READ(o, why, ...) read_args((o), (why), (const char *const[]){__VA_ARGS__, NULL})

static void takes_options_anywhere(void **state)
{
    (void)state;
    struct import_options o;
    struct why why;
    assert_int_equal(READ(&o, &why, "a.csv", "--to=http://c:1", "--tenant", "t", "--dry-run",
                          "b.json", "--requests", "7", "--", "--odd"),
                     OK);
    assert_string_equal(o.to, "http://c:1");
    assert_string_equal(o.tenant, "t");
    assert_true(o.dry_run && !o.resume);
    assert_int_equal(o.requests, 7);
    assert_int_equal(o.input_count, 3);
    assert_string_equal(o.inputs[0], "a.csv");
    assert_string_equal(o.inputs[1], "b.json");
    assert_string_equal(o.inputs[2], "--odd");
    assert_int_equal(READ(&o, &why, "a", "--batch-bytes", "1000000000"), OK);
    assert_int_equal(o.batch_bytes, 1000000000);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    struct import_options o;
    struct why why;
    assert_int_equal(READ(&o, &why, "--dry-run"), E_BAD_DATA);
    assert_non_null(strstr(why.text, "needs a FILE"));
    assert_int_equal(READ(&o, &why, "a", "--to"), E_BAD_DATA);
    assert_non_null(strstr(why.text, "--to needs a value"));
    assert_int_equal(READ(&o, &why, "a", "--requests", "65"), E_BAD_DATA);
    assert_non_null(strstr(why.text, "a number from 1 to 64"));
    assert_int_equal(READ(&o, &why, "a", "--requests=x"), E_BAD_DATA);
    assert_int_equal(READ(&o, &why, "a", "--json=yes"), E_BAD_DATA);
    assert_non_null(strstr(why.text, "takes no value"));
    assert_int_equal(READ(&o, &why, "a", "--jso"), E_BAD_DATA);
    assert_non_null(strstr(why.text, "unknown option --jso"));
}

/* Every option of the help is taken, and the other way round. */
static void help_is_complete(void **state)
{
    (void)state;
    const char *line = import_usage;
    int options = 0;
    while ((line = strstr(line, "  --")) != NULL) {
        char name[32];
        size_t n = strcspn(line + 2, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, line + 2);
        struct import_options o;
        struct why why;
        assert_int_equal(READ(&o, &why, name, "1", "a"), OK);
        options++;
        line += n;
    }
    assert_int_equal(options, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_options_anywhere),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(help_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
