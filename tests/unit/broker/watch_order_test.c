/* Against a list that is looked through whole: the same intervals are found, and few others touched. */
#include "broker/watch_order.h"

#include "base/arena.h"
#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 2000, ROUNDS = 20000, KEYS = 3 };

struct watcher {
    struct watch_node *node;
    struct watch_range range;
    uint64_t key;
    bool found;
};

struct finding {
    struct watch_order_found found;
    uint32_t count;
};

static void found(struct watch_order_found *f, struct watcher *w)
{
    assert_false(w->found);
    w->found = true;
    ((struct finding *)(void *)f)->count++;
}

static uint64_t random_state = 1;

static double random_number(void)
{
    uint64_t r = hash_u64(++random_state);
    return r % 16 == 0 ? INFINITY : r % 16 == 1 ? -INFINITY : (double)(r >> 8 & 1023);
}

static struct watch_range random_range(void)
{
    double a = random_number(), b = random_number();
    return a <= b ? (struct watch_range){a, b} : (struct watch_range){b, a};
}

static uint32_t find_and_check(const struct watch_order *o, struct watcher *all, uint64_t key,
                               struct watch_range r)
{
    struct finding f = {{found}, 0};
    (void)watch_order_find(o, key, r, &f.found);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct watcher *w = &all[i];
        bool wanted = w->node && w->key == key && w->range.low <= r.high && w->range.high >= r.low;
        assert_int_equal(w->found, wanted);
        w->found = false;
    }
    return f.count;
}

static void finds_what_a_list_finds(void **state)
{
    static struct watcher all[COUNT];
    struct watch_order *o = watch_order_new();
    uint32_t hits = 0;
    (void)state;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct watcher *w = &all[hash_u64(++random_state) % COUNT];
        if (w->node) {
            watch_order_remove(o, w->node);
            w->node = NULL;
        } else {
            w->range = random_range();
            w->key = i % KEYS;
            w->node = watch_order_add(o, w->key, w->range, w);
        }
        if (i % 50 == 0)
            hits += find_and_check(o, all, i % (KEYS + 1), random_range());
    }
    assert_true(hits > 1000);
    for (uint32_t i = 0; i < COUNT; i++)
        if (all[i].node)
            watch_order_remove(o, all[i].node);
    memset(all, 0, sizeof all);
    assert_int_equal(find_and_check(o, all, 0, (struct watch_range){-INFINITY, INFINITY}), 0);
    watch_order_free(o);
}

/* Those above, those below, and narrow ones, of which a number meets few. */
static void looks_at_little_else(void **state)
{
    enum { MANY = 30000 };
    static struct watcher all[MANY];
    struct watch_order *o = watch_order_new();
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) { /* in ascending order, which must not make a list of it */
        struct watch_range r = {i, INFINITY};
        if (i % 3 == 1)
            r = (struct watch_range){-INFINITY, -(double)i};
        else if (i % 3 == 2)
            r = (struct watch_range){i, i + 1};
        all[i].node = watch_order_add(o, 7, r, &all[i]);
    }
    struct finding f = {{found}, 0};
    uint64_t seen = watch_order_find(o, 7, (struct watch_range){4.5, 4.5}, &f.found);
    assert_int_equal(f.count, 2); /* 0 and 3; 5 is higher */
    assert_true(seen < 100);
    seen = watch_order_find(o, 7, (struct watch_range){-4.5, -4.5}, &f.found);
    assert_int_equal(f.count, 4); /* and 1 and 4 */
    assert_true(seen < 100);
    watch_order_free(o); /* with all in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_list_finds),
        cmocka_unit_test(looks_at_little_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
