/* The agenda gives the earliest first, whatever was put on it, moved and taken off before. */
#include "broker/agenda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 300, STEPS = 20000, MOMENTS = 100 };

static void an_empty_one_has_nothing(void **state)
{
    (void)state;
    struct agenda g = {0};
    struct agenda_item i = {0};
    assert_true(agenda_first_us(&g) == INT64_MAX);
    assert_null(agenda_next(&g, INT64_MAX));
    agenda_clear(&g, &i); /* is not on it */
    assert_int_equal(g.count, 0);
    agenda_free(&g);
}

static void nothing_comes_before_its_time(void **state)
{
    (void)state;
    struct agenda g = {0};
    struct agenda_item early = {0}, late = {0};
    agenda_set(&g, &late, 20);
    agenda_set(&g, &early, 10);
    assert_int_equal(agenda_first_us(&g), 10);
    assert_null(agenda_next(&g, 9));
    assert_ptr_equal(agenda_next(&g, 10), &early);
    assert_null(agenda_next(&g, 19));
    agenda_set(&g, &late, 5); /* moved forward */
    assert_int_equal(g.count, 1);
    agenda_set(&g, &early, 30);
    agenda_set(&g, &late, 40); /* and behind the other */
    assert_ptr_equal(agenda_next(&g, 100), &early);
    assert_ptr_equal(agenda_next(&g, 100), &late);
    assert_null(agenda_next(&g, 100));
    agenda_free(&g);
}

/* Earliest of those that are on it, by looking at all. */
static int64_t first_of(const struct agenda_item *items, uint32_t count)
{
    int64_t first_us = INT64_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (items[i].at && items[i].due_us < first_us)
            first_us = items[i].due_us;
    return first_us;
}

static void agree(uint32_t count)
{
    struct agenda_item items[ITEMS] = {{0}};
    struct agenda g = {0};
    uint64_t random = 88172645463325252U;
    uint32_t taken = 0;
    for (int step = 0; step < STEPS; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        struct agenda_item *i = &items[random % count];
        int64_t moment = (int64_t)(random >> 32) % MOMENTS;
        uint32_t kind = (uint32_t)(random >> 20) % 8;
        if (kind < 5) {
            agenda_set(&g, i, moment);
            assert_true(i->at && i->due_us == moment);
        } else if (kind < 6) {
            agenda_clear(&g, i);
            assert_int_equal(i->at, 0);
        } else {
            int64_t first_us = first_of(items, count);
            struct agenda_item *next = agenda_next(&g, moment);
            assert_int_equal(next != NULL, first_us <= moment);
            assert_true(!next || (next->due_us == first_us && next->at == 0));
            taken += next != NULL;
        }
        assert_true(agenda_first_us(&g) == first_of(items, count));
    }
    assert_true(taken > 1000);
    uint32_t left = g.count;
    int64_t last_us = 0;
    for (struct agenda_item *i; (i = agenda_next(&g, INT64_MAX)); left--) {
        assert_true(i->due_us >= last_us);
        last_us = i->due_us;
    }
    assert_int_equal(left, 0);
    agenda_free(&g);
}

static void it_agrees_with_looking_at_all(void **state)
{
    (void)state;
    agree(5); /* where every place is near the first */
    agree(ITEMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(nothing_comes_before_its_time),
        cmocka_unit_test(it_agrees_with_looking_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
