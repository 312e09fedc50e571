/* Ids from columns: holes, widths, encoding, and what is refused. */
#include "check.h"

#include "sense/template.h"

static struct str fill(const char *text, bool as_id, struct arena *a)
{
    struct field_names names = {0};
    struct template t;
    struct why why = {0};
    static const char *const columns[] = {"a", "n", "empty", "neg", "zh"};
    for (size_t i = 0; i < 5; i++)
        field_intern(&names, a, str_of(columns[i]));
    assert_int_equal(template_read(&t, str_of(text), &names, a, NULL, &why), OK);
    const struct json fields[] = {
        {.kind = JSON_STRING, .string = STR("x y/1")},
        {.kind = JSON_INT, .integer = 7},
        {.kind = JSON_NULL},
        {.kind = JSON_STRING, .string = STR("-5")},
        {.kind = JSON_STRING, .string = STR("\xE6\xB5\x8E")},
    };
    struct record r = {.fields = fields};
    r.facts[FACT_LINE] = STR("12");
    struct str missing = STR_NONE;
    struct buf out;
    buf_init(&out, 1000);
    struct str result = template_fill(&t, &r, as_id, &out, &missing)
                            ? arena_dup(a, buf_view(&out))
                            : arena_printf(a, "no %.*s", STR_ARG(missing));
    buf_free(&out);
    return result;
}

static void fills(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    assert_str(fill("urn:x:{a}", true, a), "urn:x:x%20y%2F1");
    assert_str(fill("{a}", false, a), "x y/1");
    assert_str(fill("{n:03}-{@line}", true, a), "007-12");
    assert_str(fill("{neg:04}", true, a), "-005");
    assert_str(fill("x{zh}", true, a), "x%E6%B5%8E");
    assert_str(fill("{a}:{a}", true, a), "x y/1:x%20y%2F1");
    assert_str(fill("{{{n}}}", false, a), "{7}");
    assert_str(fill("", false, a), "");
    assert_str(fill("{n}{empty}", false, a), "no empty");
    assert_str(fill("{@part}", false, a), "no @part");
    arena_free(a);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{a", "{ without }"},    {"a}", "} without {"}, {"{}", "empty"},
        {"{a:2}", "02"},          {"{a:099}", "02"},     {"{@nothing}", "not known"},
        {"x{{y}", "} without {"},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct field_names names = {0};
        struct template t;
        struct why why = {0};
        assert_int_equal(template_read(&t, str_of(cases[i].text), &names, a, NULL, &why),
                         E_BAD_DATA);
        assert_non_null(strstr(why.text, cases[i].reason));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
