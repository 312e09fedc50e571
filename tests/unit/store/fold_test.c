/* Tenants that change while a fold writes them: entities replaced, deleted, created again, and so many
 * deleted that the rest is renumbered. The fold is stopped ahead of its nth entity, or fails at its end:
 * base_put_entity() and base_flush() are wrapped by the linker. What a crash would leave is a copy; it
 * holds what was acknowledged, no more and no less. */
#include "opened.h"

#include "store/embedded/base.h"
#include "store/embedded/base_read.h"
#include "store/embedded/copy.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENANTS = 2, ENTITIES = 1400, LEFT = 200, BATCH = 200 };

static struct opened o;
static struct fixture *const f = &o.fixture;
static const char *const NAMES[TENANTS] = {"a", "b"};
static int64_t model[TENANTS][ENTITIES]; /* values by tenant and entity; 0: there is none */
static int64_t moment[TENANTS][ENTITIES]; /* what they were when the fold began */
static int64_t last_value;

/* ---- the stop ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint32_t at; /* stop ahead of this entity, counted from 1; 0: nowhere */
    uint32_t seen;
    bool stopped, over;
    bool fails; /* at its end */
} stop = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, false, false, false};
static _Thread_local bool is_ours; /* not a fold of a store that is opened on a copy */

void __real_base_put_entity(struct base *b, uint32_t tenant, const struct doc *d);
void __wrap_base_put_entity(struct base *b, uint32_t tenant, const struct doc *d);
enum status __real_base_flush(struct base *b, const struct base_position *p, struct why *why);
enum status __wrap_base_flush(struct base *b, const struct base_position *p, struct why *why);

void __wrap_base_put_entity(struct base *b, uint32_t tenant, const struct doc *d)
{
    pthread_mutex_lock(&stop.lock);
    if (is_ours && ++stop.seen == stop.at) {
        stop.stopped = true;
        pthread_cond_broadcast(&stop.moved);
        while (stop.stopped)
            pthread_cond_wait(&stop.moved, &stop.lock);
    }
    pthread_mutex_unlock(&stop.lock);
    __real_base_put_entity(b, tenant, d);
}

enum status __wrap_base_flush(struct base *b, const struct base_position *p, struct why *why)
{
    bool fails = is_ours && stop.fails; /* set ahead of the fold's thread */
    return fails ? why_set(why, E_IO, NULL, "on purpose") : __real_base_flush(b, p, why);
}

static void *fold(void *arg)
{
    struct embedded *e = arg;
    struct why why = {0};
    is_ours = true;
    store_thread_enter(&e->store);
    pthread_mutex_lock(&e->fold.work);
    enum status st = fold_now(e, &why);
    pthread_mutex_unlock(&e->fold.work);
    store_thread_leave(&e->store);
    pthread_mutex_lock(&stop.lock);
    stop.over = true;
    pthread_cond_broadcast(&stop.moved);
    pthread_mutex_unlock(&stop.lock);
    return st == OK ? NULL : e; /* what failed */
}

/* False: it ended without having come to entity `at`. */
static bool fold_until(pthread_t *thread, uint32_t at)
{
    pthread_mutex_lock(&stop.lock);
    stop.at = at;
    stop.seen = 0;
    stop.stopped = stop.over = false;
    memcpy(moment, model, sizeof model);
    pthread_mutex_unlock(&stop.lock);
    assert_int_equal(pthread_create(thread, NULL, fold, embedded_of(f->store)), 0);
    store_thread_offline(f->store);
    pthread_mutex_lock(&stop.lock);
    while (!stop.stopped && !stop.over)
        pthread_cond_wait(&stop.moved, &stop.lock);
    bool stopped = stop.stopped;
    pthread_mutex_unlock(&stop.lock);
    store_thread_online(f->store);
    return stopped;
}

static void fold_go(void)
{
    pthread_mutex_lock(&stop.lock);
    stop.stopped = false;
    pthread_cond_broadcast(&stop.moved);
    pthread_mutex_unlock(&stop.lock);
}

/* False: it failed. */
static bool fold_on(pthread_t thread)
{
    void *failure;
    fold_go();
    store_thread_offline(f->store);
    pthread_join(thread, &failure);
    store_thread_online(f->store);
    return !failure;
}

static void fold_all(void)
{
    pthread_t thread;
    assert_false(fold_until(&thread, 0));
    assert_true(fold_on(thread));
}

/* ---- changes ---- */

/* What is done to entity i: written when `write`, else deleted. */
static struct edit edit_of(int64_t *value, uint32_t i, bool write)
{
    const char *id = arena_printf(f->arena, "urn:e:%u", i).p;
    *value = write ? ++last_value : 0;
    struct edit e = fixture_create(f, id, "T", last_value);
    e.kind = write ? EDIT_UPSERT_REPLACE : EDIT_DELETE;
    return e;
}

typedef bool choice(uint32_t i, bool *write); /* false: entity i is let alone */

static void change(choice *choose)
{
    for (uint32_t t = 0; t < TENANTS; t++) {
        f->caller.tenant = str_of(NAMES[t]);
        for (uint32_t i = 0; i < ENTITIES;) {
            struct edit edits[BATCH];
            struct edit_result results[BATCH];
            uint32_t n = 0;
            for (; n < BATCH && i < ENTITIES; i++) {
                bool write;
                if (choose(i, &write) && (write || model[t][i]))
                    edits[n++] = edit_of(&model[t][i], i, write);
            }
            assert_int_equal(fixture_apply(f, edits, n, results), OK);
            for (uint32_t k = 0; k < n; k++)
                assert_int_equal(results[k].status, OK);
            arena_reset(f->arena);
        }
    }
}

static bool write_all(uint32_t i, bool *write)
{
    (void)i;
    return *write = true;
}

static bool delete_most(uint32_t i, bool *write)
{
    *write = false;
    return i % (ENTITIES / LEFT) != 0;
}

/* Of those that are left by delete_most(), a half; and some that it took. */
static bool mix(uint32_t i, bool *write)
{
    uint32_t left = ENTITIES / LEFT;
    *write = i % 5 != 0;
    return i % left ? i % 11 == 0 : i / left % 2 == 0;
}

static bool write_few(uint32_t i, bool *write)
{
    *write = i % 3 != 0;
    return i % 7 == 0;
}

/* ---- what a crash leaves ---- */

/* Like a backup, but while a fold writes. */
static void copy_to(const char *to)
{
    char from[512], path[512];
    struct embedded *e = embedded_of(f->store);
    struct why why = {0};
    enum status st = copy_target(&embedded_io_os, to, &why);
    snprintf(from, sizeof from, "%s/base", o.dir);
    snprintf(path, sizeof path, "%s/base", to);
    if (st == OK) /* after a fault it is closed */
        st = e->fold.base ? base_checkpoint(e->fold.base, path, &why)
                          : copy_directory(&embedded_io_os, from, path, &why);
    snprintf(path, sizeof path, "%s/log", to);
    if (st == OK)
        st = journal_copy(e->journal, e->fold.segment, path, &why);
    if (st == OK)
        st = identity_write(&embedded_io_os, to, e->store_id, &why);
    if (st != OK)
        fail_msg("%s", why.text);
}

/* What a base holds, compared with what was when the fold began. */
struct comparing {
    struct base_reader reader;
    uint32_t count;
};

static uint32_t tenant_of(uint32_t number)
{
    const struct tenant *t = tenants_find_id(embedded_of(f->store)->tenants, number);
    return str_eq(t->name, str_of(NAMES[1]));
}

static int64_t value_of(const struct doc *d)
{
    struct value v = {0};
    if (d)
        doc_attr_value(d, 0, &v);
    return v.integer;
}

static enum status compare_entity(struct base_reader *r, uint32_t tenant, uint64_t created_seq,
                                  struct str block, struct why *why)
{
    struct doc *d = arena_alloc(f->arena, block.n);
    unsigned i = ENTITIES;
    (void)created_seq;
    (void)why;
    memcpy(d, block.p, block.n);
    assert_int_equal(sscanf(arena_dup(f->arena, doc_id(d)).p, "urn:e:%u", &i), 1);
    assert_int_equal(value_of(d), moment[tenant_of(tenant)][i]);
    container_of(r, struct comparing, reader)->count++;
    return OK;
}

static void assert_base_is_of_the_moment(const char *dir)
{
    char path[512];
    struct base *b;
    struct why why = {0};
    struct comparing c = {.reader.entity = compare_entity};
    snprintf(path, sizeof path, "%s/base", dir);
    assert_int_equal(base_open(&b, path, false, &why), OK);
    assert_int_equal(base_read(b, &c.reader, &why), OK);
    base_close(b);
    arena_reset(f->arena);
    for (uint32_t t = 0; t < TENANTS; t++)
        for (uint32_t i = 0; i < ENTITIES; i++)
            c.count -= moment[t][i] != 0;
    assert_int_equal(c.count, 0);
}

static void assert_tenant(struct fixture *g, uint32_t t)
{
    uint32_t count = 0;
    g->caller.tenant = str_of(NAMES[t]);
    for (uint32_t i = 0; i < ENTITIES; i++) {
        const char *id = arena_printf(g->arena, "urn:e:%u", i).p;
        int64_t value = value_of(fixture_get(g, id));
        if (value != model[t][i])
            fail_msg("%s of %s: %lld, not %lld", id, NAMES[t], (long long)value, (long long)model[t][i]);
        count += value != 0;
    }
    struct store_query q = {.count = true};
    assert_int_equal(fixture_query(g, &q), OK);
    assert_int_equal(q.total, count);
}

/* folded: and the base is as it was when the last fold began. */
static void assert_crash_loses_nothing(bool folded)
{
    char dir[300];
    struct fixture g;
    struct why why = {0};
    struct embedded_options options = o.options;
    snprintf(dir, sizeof dir, "%s-crashed", o.dir);
    options.dir = dir;
    copy_to(dir);
    if (folded)
        assert_base_is_of_the_moment(dir);
    fixture_init(&g);
    if (embedded_open(&g.store, g.terms, &options, &why) != OK)
        fail_msg("%s", why.text);
    store_thread_enter(g.store);
    for (uint32_t t = 0; t < TENANTS; t++)
        assert_tenant(&g, t);
    store_thread_leave(g.store);
    store_close(g.store);
    fixture_free(&g);
    fixture_remove(dir);
}

/* ---- tests ---- */

static int setup(void **state)
{
    memset(model, 0, sizeof model);
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    opened_start(*state);
    return 0;
}

static int teardown(void **state)
{
    fold_go(); /* after a failure it may be stopped still */
    return opened_teardown(state);
}

static uint64_t renumbered(uint32_t t)
{
    return tenants_find(embedded_of(f->store)->tenants, str_of(NAMES[t]))->renumbered;
}

/* A fold of all entities is stopped ahead of the nth, all changes, it goes on to its end, and another follows. */
static void assert_survives_a_fold_stopped_at(uint32_t n, bool fails)
{
    pthread_t thread;
    change(write_all);
    fold_all();
    change(write_all);
    stop.fails = fails;
    assert_true(fold_until(&thread, n));
    uint64_t before[TENANTS] = {renumbered(0), renumbered(1)};
    change(write_few);
    change(delete_most);
    for (uint32_t t = 0; t < TENANTS; t++)
        assert_true(renumbered(t) > before[t]);
    change(mix);
    change(mix);
    assert_crash_loses_nothing(false);
    assert_int_equal(fold_on(thread), !fails);
    stop.fails = false;
    assert_crash_loses_nothing(!fails);
    change(write_few);
    fold_all();
    assert_crash_loses_nothing(true);
}

static void test_a_fold_that_has_not_begun_to_write(void **state)
{
    (void)state;
    assert_survives_a_fold_stopped_at(1, false);
}

static void test_a_fold_amid_a_tenant(void **state)
{
    (void)state;
    assert_survives_a_fold_stopped_at(ENTITIES / 2, false);
}

/* One of the two is written, whichever is first. */
static void test_a_fold_between_tenants(void **state)
{
    (void)state;
    assert_survives_a_fold_stopped_at(ENTITIES + 1, false);
}

static void test_a_fold_that_is_nearly_done(void **state)
{
    (void)state;
    assert_survives_a_fold_stopped_at(TENANTS * ENTITIES, false);
}

/* What it has written may be on the disk or not; the next one writes all again. */
static void test_a_fold_that_fails(void **state)
{
    (void)state;
    assert_survives_a_fold_stopped_at(ENTITIES / 2, true);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_fold_that_has_not_begun_to_write),
        TEST(test_a_fold_amid_a_tenant),
        TEST(test_a_fold_between_tenants),
        TEST(test_a_fold_that_is_nearly_done),
        TEST(test_a_fold_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
