/* Lines of retention, read and asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/retention.h"

#include <string.h>

#define DAY INT64_C(86400000000)
#define CORE "https://uri.etsi.org/ngsi-ld/default-context/"

static struct retention *read(const char *const *lines, size_t n, struct why *why)
{
    struct str all[16];
    for (size_t i = 0; i < n; i++)
        all[i] = str_of(lines[i]);
    return retention_new(all, n, why);
}

#define READ(...) \
    read((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), &(struct why){0})

static int64_t kept(const struct retention *r, const char *tenant, const char *type)
{
    return retention_find(r, str_of(tenant), type ? str_of(type) : STR_NONE)->keep_us;
}

static void test_nothing_ends_without_a_rule(void **state)
{
    (void)state;
    struct retention *r = retention_new(NULL, 0, &(struct why){0});
    assert_non_null(r);
    assert_false(retention_ends(r));
    assert_true(kept(r, "", CORE "A") == RETENTION_FOREVER);
    assert_true(kept(NULL, "", NULL) == RETENTION_FOREVER);
    retention_free(r);
    r = READ("keep=forever");
    assert_false(retention_ends(r));
    retention_free(r);
}

static void test_a_line_has_every_span(void **state)
{
    (void)state;
    struct retention *r = READ("  tenant=* type=*\tkeep=90d  minutes=1y hours=104w days=forever ");
    assert_non_null(r);
    assert_true(retention_ends(r));
    const struct retention_spans *s = retention_find(r, STR("t"), STR("urn:x"));
    assert_true(s->keep_us == 90 * DAY);
    assert_true(s->level_us[RETENTION_MINUTES] == 365 * DAY);
    assert_true(s->level_us[RETENTION_HOURS] == 728 * DAY);
    assert_true(s->level_us[RETENTION_DAYS] == RETENTION_FOREVER);
    retention_free(r);
}

static void test_the_most_particular_rule_holds(void **state)
{
    (void)state;
    struct retention *r = READ("keep=1d", "type=A keep=2d", "tenant=t keep=3d", "type=A tenant=t keep=4d", "tenant= keep=5d",
                               "type=urn:full:B keep=6d");
    assert_true(kept(r, "u", CORE "C") == 1 * DAY);
    assert_true(kept(r, "u", NULL) == 1 * DAY);
    assert_true(kept(r, "u", CORE "A") == 2 * DAY);
    assert_true(kept(r, "t", CORE "C") == 3 * DAY);
    assert_true(kept(r, "t", CORE "A") == 4 * DAY);
    assert_true(kept(r, "", CORE "A") == 5 * DAY);
    assert_true(kept(r, "u", "urn:full:B") == 6 * DAY);
    assert_true(kept(r, "u", "A") == 1 * DAY); /* another IRI */
    retention_free(r);
}

static void test_widening_takes_the_longest_of_each(void **state)
{
    (void)state;
    struct retention_spans a = {2, {10, 0, 30}}, b = {3, {5, 20, 0}};
    retention_widen(&a, &b);
    assert_int_equal(a.keep_us, 3);
    assert_int_equal(a.level_us[0], 10);
    assert_int_equal(a.level_us[1], 20);
    assert_int_equal(a.level_us[2], 30);
}

static void assert_refused(const char *line, const char *said)
{
    struct why why = {0};
    const char *lines[] = {"type=First keep=1d", line};
    assert_null(read(lines, 2, &why));
    assert_int_equal(why.status, E_BAD_DATA);
    assert_non_null(strstr(why.text, "line 2"));
    if (!strstr(why.text, said))
        fail_msg("\"%s\" says \"%s\"", line, why.text);
}

static void test_what_is_wrong_is_said(void **state)
{
    (void)state;
    assert_refused("", "keep is missing");
    assert_refused("type=A", "keep is missing");
    assert_refused("keep=5", "keep=5");
    assert_refused("keep=-5d", "keep=-5d");
    assert_refused("keep=0d", "keep=0d");
    assert_refused("keep=10ms", "keep=10ms");
    assert_refused("keep=", "keep=");
    assert_refused("keep=y", "keep=y");
    assert_refused("keep=99999999999999y", "y is not a span");
    assert_refused("keep=1d keep=2d", "keep is given twice");
    assert_refused("keep=2d minutes=1d", "minutes must reach farther back than keep");
    assert_refused("keep=1d minutes=3d days=3d", "days must reach farther back than minutes");
    assert_refused("keep=forever hours=forever", "hours must reach");
    assert_refused("keep=1d weeks=1y", "\"weeks\" is none of");
    assert_refused("keep=1d forever", "\"forever\" is not name=value");
    assert_refused("keep=1d type=", "type= needs a name");
    assert_refused("keep=1d tenant=a tenant=b", "tenant is given twice");
    assert_refused("keep=2d type=First tenant=*", "those of line 1");
    assert_refused("keep=2d type=" CORE "First", "those of line 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_ends_without_a_rule),
        cmocka_unit_test(test_a_line_has_every_span),
        cmocka_unit_test(test_the_most_particular_rule_holds),
        cmocka_unit_test(test_widening_takes_the_longest_of_each),
        cmocka_unit_test(test_what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
