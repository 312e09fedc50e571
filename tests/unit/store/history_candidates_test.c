/* Pages of evolutions among more entities than are looked at in one round, of all that an entity can be: of today, changed since the last
 * fold, known by its past alone, and several of these. */
#include "opened.h"
#include "recorder.h"
#include "sweeper.h"

#include <stdio.h>

enum { ENTITIES = 3000, LIMIT = 7 };

static struct opened o;
static struct fixture *const f = &o.fixture;

struct id {
    char text[24];
};

/* Their order is that of their numbers. */
static struct id name_of(unsigned i)
{
    struct id n;
    snprintf(n.text, sizeof n.text, "urn:e:%05u", i);
    return n;
}

static void create(unsigned i)
{
    struct edit edit = fixture_create(f, name_of(i).text, "T", 1);
    assert_int_equal(fixture_edit(f, &edit).status, OK);
}

static void end(unsigned i)
{
    struct id n = name_of(i);
    struct edit edit = {.kind = EDIT_DELETE, .id = str_of(n.text)};
    assert_int_equal(fixture_edit(f, &edit).status, OK);
}

/* In another order than that of the names. Entity i has an instance of time i. */
static void fill(void)
{
    for (unsigned k = 0; k < ENTITIES; k++) {
        unsigned i = k * 1009 % ENTITIES;
        if (k == ENTITIES / 2)
            sweeper_fold(f);
        if (i % 5 == 0)
            create(i);
        (void)recorder_put(f, name_of(i).text, i, 1);
        if (i % 10 == 0)
            end(i);
    }
    for (unsigned i = 0; i < ENTITIES; i += 9) /* folded ones, too */
        (void)recorder_put(f, name_of(i).text, i, 1);
}

static void assert_these(const struct store_evolve *v, uint64_t first, uint64_t n)
{
    assert_int_equal(v->evolution_count, n);
    for (uint32_t i = 0; i < n; i++) {
        struct id name = name_of((unsigned)(first + i));
        assert_true(str_eq(v->evolutions[i].id, str_of(name.text)));
        assert_int_equal(v->evolutions[i].count, 1);
    }
}

/* offset, of those that have an instance at `from` or behind it. */
static void assert_page(unsigned from, uint64_t offset)
{
    const struct temporal_query time = {.property = TIME_OBSERVED_AT, .must_have = true, .from_us = from, .to_us = ENTITIES};
    struct store_evolve v = {.time = &time, .points_max = 1000, .limit = LIMIT, .offset = offset};
    assert_int_equal(fixture_evolve(f, &v), OK);
    uint64_t first = from + offset, n = first >= ENTITIES ? 0 : ENTITIES - first < LIMIT ? ENTITIES - first : LIMIT;
    assert_int_equal(v.more, first + n < ENTITIES);
    assert_these(&v, first, n);
    v = (struct store_evolve){.time = &time, .points_max = 1000, .limit = LIMIT, .offset = offset, .count = true};
    assert_int_equal(fixture_evolve(f, &v), OK); /* all at once */
    assert_int_equal(v.total, ENTITIES - from);
    assert_these(&v, first, n);
}

static void assert_pages(void)
{
    static const unsigned FROM[] = {0, 255, 2500, ENTITIES - 3};
    static const unsigned OFFSET[] = {0, 1, 249, 1000};
    for (size_t i = 0; i < sizeof FROM / sizeof *FROM; i++)
        for (size_t k = 0; k < sizeof OFFSET / sizeof *OFFSET; k++)
            assert_page(FROM[i], OFFSET[k]);
}

static void test_pages_are_in_order_and_whole(void **state)
{
    (void)state;
    fill();
    assert_pages();
    sweeper_fold(f);
    assert_pages();
    opened_again(&o);
    assert_pages();
}

int main(void)
{
    const struct CMUnitTest tests[] = {OPENED_TEST(test_pages_are_in_order_and_whole, &o)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
