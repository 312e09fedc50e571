/* Nothing is freed that an online reader may have found; everything is, once they have passed. */
#include "fixture.h"

#include "store/embedded/reclaim.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic unsigned freed;

static void count(void *arg, void *thing)
{
    (void)arg;
    free(thing);
    freed++;
}

static void retire(struct reclaim *r)
{
    reclaim_retire(r, (void *[]){malloc(8)}, 1, count, NULL);
}

static void test_online_readers_hold_things(void **state)
{
    (void)state;
    struct reclaim *r = reclaim_new();
    freed = 0;
    reclaim_enter(r);
    retire(r);
    assert_false(reclaim_run(r));
    assert_int_equal(freed, 0);
    reclaim_offline(r);
    assert_true(reclaim_run(r));
    assert_int_equal(freed, 1);
    retire(r);
    reclaim_online(r); /* comes behind the retirement: cannot have seen it */
    assert_true(reclaim_run(r));
    assert_int_equal(freed, 2);
    retire(r);
    reclaim_leave(r);
    assert_true(reclaim_run(r));
    assert_int_equal(freed, 3);
    reclaim_free(r);
}

static void test_pins_outlast_waits(void **state)
{
    (void)state;
    struct reclaim *r = reclaim_new();
    freed = 0;
    reclaim_enter(r);
    struct reclaim_pin *p = reclaim_pin(r);
    retire(r);
    reclaim_offline(r);
    assert_false(reclaim_run(r));
    reclaim_online(r);
    retire(r);
    reclaim_unpin(r, p); /* this thread takes over what the pin held */
    assert_false(reclaim_run(r));
    assert_int_equal(freed, 0);
    reclaim_offline(r);
    assert_true(reclaim_run(r));
    assert_int_equal(freed, 2);
    reclaim_leave(r);
    reclaim_free(r);
}

static void test_stores_do_not_mix(void **state)
{
    (void)state;
    struct reclaim *a = reclaim_new(), *b = reclaim_new();
    freed = 0;
    reclaim_enter(a);
    reclaim_enter(b);
    reclaim_offline(a);
    assert_false(reclaim_is_online(a));
    assert_true(reclaim_is_online(b));
    retire(a);
    retire(b);
    assert_true(reclaim_run(a));
    assert_false(reclaim_run(b));
    reclaim_leave(a);
    reclaim_leave(b);
    reclaim_free(a);
    reclaim_free(b); /* frees what still waits */
    assert_int_equal(freed, 2);
}

/* Readers follow a pointer that a writer keeps replacing; what they find must be alive. */
static struct reclaim *shared;
static _Atomic(uint64_t *) published;
static atomic_bool stop;

/* cmocka's assertions belong to the thread that runs the test. */
static void must(bool alive)
{
    if (!alive)
        abort();
}

static void *follow(void *arg)
{
    (void)arg;
    reclaim_enter(shared);
    for (unsigned i = 0; !stop; i++) {
        uint64_t *p = atomic_load_explicit(&published, memory_order_acquire);
        must(p[0] == p[1]);
        struct reclaim_pin *pin = i % 8 ? NULL : reclaim_pin(shared);
        if (pin) {
            reclaim_offline(shared);
            reclaim_online(shared);
            must(p[0] == p[1]);
            reclaim_unpin(shared, pin);
        }
        must(p[0] == p[1]);
        reclaim_offline(shared);
        reclaim_online(shared);
    }
    reclaim_leave(shared);
    return NULL;
}

static void poison(void *arg, void *thing)
{
    (void)arg;
    uint64_t *p = thing;
    p[0] = 1;
    p[1] = 2;
    free(p);
    freed++;
}

static uint64_t *version(uint64_t n)
{
    uint64_t *p = malloc(2 * sizeof *p);
    p[0] = p[1] = n;
    return p;
}

static void test_readers_in_threads(void **state)
{
    (void)state;
    enum { THREADS = 3, VERSIONS = 20000 };
    pthread_t threads[THREADS];
    shared = reclaim_new();
    freed = 0;
    stop = false;
    published = version(0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, follow, NULL);
    for (uint64_t n = 1; n <= VERSIONS; n++) {
        uint64_t *old = atomic_exchange_explicit(&published, version(n), memory_order_acq_rel);
        reclaim_retire(shared, (void *[]){old}, 1, poison, NULL);
        (void)reclaim_run(shared);
    }
    stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(reclaim_run(shared));
    assert_int_equal(freed, VERSIONS);
    free(published);
    reclaim_free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_online_readers_hold_things),
        cmocka_unit_test(test_pins_outlast_waits),
        cmocka_unit_test(test_stores_do_not_mix),
        cmocka_unit_test(test_readers_in_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
