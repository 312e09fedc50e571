/* Heads of pasts in the base: few instances are put behind one as they are; heads of version 1 are read; the list of entities
 * that are known by their past is written when it changes. Knows the embedded store from inside. */
#include "opened.h"
#include "recorder.h"

#include "store/embedded/base_db.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000)

enum { TAIL_MAX = 512, TENANT = 1, VALUE_HEAD = 8 };

static struct opened o;
static struct fixture *const f = &o.fixture;

static int setup(void **state)
{
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    opened_start(*state);
    return 0;
}

static void fold(void)
{
    assert_true(opened_fold(&o));
}

static void create(const char *type, int64_t value)
{
    struct edit edit = fixture_create(f, "urn:e", type, value);
    f->now_us += 1000;
    assert_int_equal(fixture_edit(f, &edit).status, OK);
}

static void change(enum edit_kind kind, const char *type, int64_t value)
{
    struct edit edit = {.kind = (uint8_t)kind, .id = STR("urn:e"), .fragment = fixture_entity(f, "urn:e", type, "value", value)};
    f->now_us += 1000;
    assert_int_equal(fixture_edit(f, &edit).status, OK);
    arena_reset(f->arena);
}

static void delete(void)
{
    struct edit edit = {.kind = EDIT_DELETE, .id = STR("urn:e")};
    f->now_us += 1000;
    assert_int_equal(fixture_edit(f, &edit).status, OK);
}

/* 1 to n, of today and before. */
static void assert_values(uint32_t n)
{
    const struct series *s = recorder_series(f, "urn:e");
    assert_non_null(s);
    assert_int_equal(s->count, n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(s->points[i].attr.value.integer, i + 1);
}

/* What the base has of urn:e, in f->arena. */
static bool head(struct past_head *h)
{
    struct why why = {0};
    struct str bytes;
    char *owned;
    struct base_view *view = base_view_open(embedded_of(f->store)->fold.base);
    enum status st = base_view_get(view, history_key_head(TENANT, STR("urn:e"), f->arena), &bytes, &owned, &why);
    base_view_close(view);
    if (st != OK)
        return false;
    assert_int_equal(past_head_read(h, arena_dup(f->arena, bytes), &why), OK);
    free(owned);
    return true;
}

static bool count_pair(void *arg, struct str key, struct str bytes)
{
    (void)key;
    (void)bytes;
    ++*(unsigned *)arg;
    return true;
}

/* In the base's list, and does the head say so? */
static bool is_listed(void)
{
    struct why why = {0};
    unsigned n = 0;
    struct past_head h;
    struct base_view *view = base_view_open(embedded_of(f->store)->fold.base);
    assert_int_equal(base_view_range(view, STR("7"), STR("8"), false, count_pair, &n, &why), OK);
    base_view_close(view);
    assert_true(!head(&h) || h.listed == (n ? PAST_LISTED : PAST_NOT_LISTED));
    return n;
}

static void assert_checks_clean(void)
{
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

static void test_few_instances_are_put_behind_the_head(void **state)
{
    (void)state;
    enum { CHANGES = 100 };
    unsigned grown = 0, put_in = 0;
    size_t before = 0;
    create("T", 1);
    for (int64_t v = 2; v <= CHANGES; v++) {
        struct past_head h;
        change(EDIT_UPDATE, "T", v);
        fold();
        assert_true(head(&h));
        assert_true(h.tail.n <= TAIL_MAX);
        grown += h.tail.n > before;
        put_in += h.tail.n < before;
        before = h.tail.n;
        assert_false(is_listed());
        assert_int_equal(recorder_series(f, "urn:e")->count, v);
        arena_reset(f->arena);
    }
    assert_true(put_in >= 3 && grown >= 10 * put_in);
    assert_values(CHANGES);
    assert_checks_clean();
    assert_values(CHANGES);
}

/* Turns the head into one of version 1. */
static void make_old(void)
{
    char *error;
    size_t n = 0;
    struct why why = {0};
    struct past p;
    struct buf b;
    struct arena *a = arena_new(0);
    struct str key = history_key_head(TENANT, STR("urn:e"), a);
    opened_shut(&o);
    struct base_db *db = opened_db(&o);
    char *value = base_db_get(db, key, &n, &error);
    assert_non_null(value);
    assert_int_equal(value[2], 2); /* its version */
    past_init(&p, 1000, a);
    assert_int_equal(past_read(&p, str_from((struct str){value, n}, VALUE_HEAD), &why), OK);
    buf_init(&b, 1 << 20);
    buf_put(&b, value, VALUE_HEAD);
    b.p[2] = 1;
    past_write_body(&b, &p);
    base_db_put(db, key, (struct str[]){buf_view(&b)}, 1);
    assert_null(base_db_write(db));
    assert_null(base_db_flush(db));
    base_db_close(db);
    buf_free(&b);
    arena_free(a);
    free(value);
    opened_start(&o);
}

static void test_heads_of_version_1_are_read(void **state)
{
    (void)state;
    struct past_head h;
    create("T", 1);
    change(EDIT_UPDATE, "T", 2);
    change(EDIT_UPDATE, "T", 3);
    fold();
    make_old();
    assert_checks_clean();
    fold();
    assert_true(head(&h) && h.listed == PAST_LISTED_UNKNOWN && h.tail.n == 0);
    assert_values(3);
    change(EDIT_UPDATE, "T", 4);
    assert_values(4);
    fold();
    assert_true(head(&h) && h.listed == PAST_NOT_LISTED);
    assert_values(4);
}

static void test_the_list_has_what_is_known_by_its_past(void **state)
{
    (void)state;
    create("T", 1);
    change(EDIT_UPDATE, "T", 2);
    fold();
    assert_false(is_listed());
    change(EDIT_REPLACE, "U", 3); /* it was a T */
    fold();
    assert_true(is_listed());
    change(EDIT_UPDATE, "U", 4);
    fold();
    assert_true(is_listed());
    delete();
    fold();
    assert_true(is_listed());
    create("T", 5);
    change(EDIT_UPDATE, "T", 6);
    fold();
    assert_true(is_listed()); /* nobody looked, and it was a U */
    struct record_edit forget = {.kind = RECORD_EDIT_DELETE, .id = STR("urn:e")};
    assert_int_equal(recorder_edit(f, &forget).status, OK);
    fold();
    assert_false(is_listed());
    assert_checks_clean();
}

static void test_a_sweep_takes_what_is_too_old_from_the_tail(void **state)
{
    (void)state;
    struct why why = {0};
    struct embedded *e = embedded_of(f->store);
    struct str lines[1] = {STR("keep=10s")};
    struct past_head h;
    int64_t begun_us = f->now_us;
    create("T", 1);
    for (int64_t v = 2; v <= 5; v++) {
        f->now_us += v == 4 ? 5 * S : 0;
        change(EDIT_UPDATE, "T", v);
    }
    fold();
    assert_true(head(&h) && h.tail.n > 0);
    struct store_retention r = {.rules = retention_new(lines, 1, &why), .sweep_interval_us = 3600 * S};
    assert_non_null(r.rules);
    store_retain(f->store, &r);
    o.wall.now = begun_us + 12 * S; /* 1 to 3 are of long before what is kept */
    pthread_mutex_lock(&e->fold.work);
    assert_int_equal(sweep_now(e, &why), OK);
    pthread_mutex_unlock(&e->fold.work);
    assert_int_equal(e->history.sweep.swept.dropped, 3);
    const struct series *s = recorder_series(f, "urn:e");
    assert_int_equal(s->count, 2);
    assert_int_equal(s->points[0].attr.value.integer, 4);
    assert_true(head(&h) && h.tail.n == 0 && h.listed == PAST_NOT_LISTED);
    assert_checks_clean();
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_few_instances_are_put_behind_the_head),
        TEST(test_heads_of_version_1_are_read),
        TEST(test_the_list_has_what_is_known_by_its_past),
        TEST(test_a_sweep_takes_what_is_too_old_from_the_tail),
    };
    return cmocka_run_group_tests_name("store/history_tail", tests, NULL, NULL);
}
