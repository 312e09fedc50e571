/* History on its way into the base: what is sealed, folded by halves, backed up, or of a tenant that goes. Knows
 * the embedded store from inside; what history is, contract_history_test.c says. */
#include "opened.h"
#include "recorder.h"

#include "base/hash.h"
#include "model/aggregate.h"
#include "store/embedded/base_db.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1024 }; /* that many instances of a series are sealed */

static struct opened o;
static struct fixture *const f = &o.fixture;

/* ---- the base, wrapped by the linker ---- */

static struct {
    unsigned reads; /* of heads by a fold, until now */
    unsigned at;    /* at this one, from 1, … */
    void (*happens)(void);
    bool fails;
    bool flush_fails, open_fails, range_fails;
} base;
static _Thread_local bool folds; /* this thread, just now */
static struct {
    _Atomic bool reader, waits; /* the next one who looks into the base; until told */
} late;

enum status __real_base_walk_get(struct base_walk *w, struct str key, struct str *bytes, struct why *why);
enum status __wrap_base_walk_get(struct base_walk *w, struct str key, struct str *bytes, struct why *why);
enum status __real_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);
enum status __wrap_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why);
enum status __real_base_flush(struct base *b, const struct base_position *p, struct why *why);
enum status __wrap_base_flush(struct base *b, const struct base_position *p, struct why *why);
enum status __real_base_open(struct base **out, const char *path, bool create, struct why *why);
enum status __wrap_base_open(struct base **out, const char *path, bool create, struct why *why);

struct base_view *__real_base_view_open(struct base *b);
struct base_view *__wrap_base_view_open(struct base *b);

static enum status fault(struct why *why)
{
    return why_set(why, E_IO, NULL, "on purpose");
}

enum status __wrap_base_walk_get(struct base_walk *w, struct str key, struct str *bytes, struct why *why)
{
    if (folds && ++base.reads == base.at) {
        if (base.happens)
            base.happens();
        if (base.fails)
            return fault(why);
    }
    return __real_base_walk_get(w, key, bytes, why);
}

enum status __wrap_base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                                   bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why)
{
    return folds && base.range_fails ? fault(why) : __real_base_view_range(v, from, to, backwards, pair, arg, why);
}

enum status __wrap_base_flush(struct base *b, const struct base_position *p, struct why *why)
{
    return folds && base.flush_fails ? fault(why) : __real_base_flush(b, p, why);
}

enum status __wrap_base_open(struct base **out, const char *path, bool create, struct why *why)
{
    return folds && base.open_fails ? fault(why) : __real_base_open(out, path, create, why);
}

struct base_view *__wrap_base_view_open(struct base *b)
{
    if (late.reader) {
        late.reader = false;
        late.waits = true;
        while (late.waits)
            usleep(1000);
    }
    return __real_base_view_open(b);
}

static int setup(void **state)
{
    memset(&base, 0, sizeof base);
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    opened_start(*state);
    return 0;
}

/* ---- doing ---- */

static bool fold(void)
{
    base.reads = 0;
    folds = true;
    bool folded = opened_fold(&o);
    folds = false;
    return folded;
}

/* At the fold's nth head; NULL: it fails. */
static bool fold_with(unsigned n, void (*happens)(void))
{
    base.at = n;
    base.happens = happens;
    base.fails = !happens;
    bool folded = fold();
    base.at = 0;
    base.fails = false;
    return folded;
}

static size_t memory(void)
{
    return embedded_of(f->store)->history.bytes;
}

/* ---- sealed instances ---- */

static void test_a_sealed_instance_changes_twice_between_folds(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1, CHUNK);
    assert_true(fold());
    assert_int_equal(embedded_of(f->store)->history.sealed, 1);
    struct record_edit edit = recorder_of_instance(f, RECORD_EDIT_MODIFY_INSTANCE, "urn:e", &recorder_series(f, "urn:e")->points[7]);
    edit.fragment = recorder_evolution(f, "urn:e", 5000, 1);
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    edit.fragment = recorder_evolution(f, "urn:e", 6000, 1);
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    const struct series *s = recorder_series(f, "urn:e");
    assert_int_equal(s->count, CHUNK);
    assert_int_equal(s->points[CHUNK - 1].attr.value.integer, 6000);
    edit.kind = RECORD_EDIT_DELETE_INSTANCE;
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_int_equal(recorder_edit(f, &edit).status, E_NOT_FOUND);
    assert_true(fold());
    assert_int_equal(recorder_series(f, "urn:e")->count, CHUNK - 1);
}

/* An older instance came late, and is not sealed yet. */
static void test_the_last_instance_is_a_sealed_one(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1000, CHUNK - 1);
    struct record_edit edit = {.kind = RECORD_EDIT_MARK_DELETED, .id = STR("urn:e"), .term = fixture_term(f, "value")};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(fold());
    assert_int_equal(embedded_of(f->store)->history.sealed, 1);
    recorder_put(f, "urn:e", 1, 1);
    assert_int_equal(recorder_edit(f, &edit).status, E_NOT_FOUND); /* it has ended, for all that */
}



/* Instances so large that a chunk holds few of them, observed at `from` and on. */
enum { LARGE = 60, LARGE_BYTES = 100000 };

/* One period of an open range: where it begins, how many values it has. Returns of how many chunks the header was enough. */
static uint64_t assert_period(struct temporal_query *q, int64_t from_us, uint32_t n)
{
    struct store_evolve v = {.id = STR("urn:e"), .time = q, .points_max = 100, .buckets_max = 10};
    q->to_us = INT64_MAX;
    q->from_us = INT64_MIN;
    q->period.us = 1000000;
    q->methods = AGGREGATE_BIT(AGGREGATE_TOTAL_COUNT) | AGGREGATE_BIT(AGGREGATE_SUM);
    assert_int_equal(fixture_evolve(f, &v), OK);
    const struct aggregates *g = v.evolutions[0].series[0].aggregates;
    assert_int_equal(aggregates_count(g), 1);
    assert_int_equal(aggregates_period(g, 0)->from_us, from_us);
    assert_int_equal(aggregates_period(g, 0)->values[AGGREGATE_TOTAL_COUNT].value.integer, n);
    return v.explain.chunks_summed;
}

/* Asks for urn:e; returns how many chunks were decoded. */
static uint64_t chunks_read(struct store_evolve v, uint64_t summed)
{
    static const struct temporal_query SOME = {.must_have = true, .from_us = 0, .to_us = INT64_C(1) << 40};
    v.time = &SOME;
    v.points_max = 100000;
    v.limit = 1;
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_int_equal(v.evolution_count, 1);
    assert_int_equal(v.explain.chunks_summed, summed);
    return v.explain.chunks_read;
}

/* Three chunks of each of two attributes. */
static void test_what_is_not_shown_is_not_read(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 100, 3 * CHUNK);
    struct evolution *other = recorder_evolution(f, "urn:e", 100, 3 * CHUNK);
    uint32_t value = other->series->term, heat = other->series->term = fixture_term(f, "heat");
    for (uint32_t i = 0; i < other->series->count; i++)
        other->series->points[i].attr.term = heat;
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = other};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(fold());
    uint32_t both[] = {value < heat ? value : heat, value < heat ? heat : value};
    assert_int_equal(chunks_read((struct store_evolve){0}, 0), 6);
    assert_int_equal(chunks_read((struct store_evolve){.unshown = &heat, .unshown_count = 1}, 0), 3);
    assert_int_equal(chunks_read((struct store_evolve){.unshown = both, .unshown_count = 2}, 1), 0); /* a header is enough */
    assert_int_equal(chunks_read((struct store_evolve){.all_unshown = true}, 1), 0);
    struct compare over = {.path_count = 1, .path = &(struct name){.term = heat}, .op = COMPARE_EXISTS};
    struct filter filter = {.kind = FILTER_COMPARE, .compare = &over};
    struct store_evolve asked = {.values = &filter, .unshown = &heat, .unshown_count = 1};
    assert_int_equal(chunks_read(asked, 0), 6); /* heat is looked at for the filter, value for the answer */
}

/* The first value is looked for before any is added, so that none need wait in memory. */
static void test_periods_of_an_open_range_begin_with_the_first_value(void **state)
{
    (void)state;
    struct temporal_query q = {.property = TIME_OBSERVED_AT};
    recorder_put(f, "urn:e", 100, 3 * CHUNK);
    assert_true(fold());
    assert_int_equal(assert_period(&q, 100, 3 * CHUNK), 3);
    struct record_edit edit = recorder_of_instance(f, RECORD_EDIT_DELETE_INSTANCE, "urn:e", &recorder_series(f, "urn:e")->points[0]);
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    (void)assert_period(&q, 101, 3 * CHUNK - 1);
    q.last_n = 5;
    assert_int_equal(assert_period(&q, 100 + 3 * CHUNK - 5, 5), 0);
    q.last_n = 0;
    recorder_put(f, "urn:e", 50, 1); /* late, and not sealed */
    (void)assert_period(&q, 50, 3 * CHUNK);
    assert_true(fold());
    assert_int_equal(assert_period(&q, 50, 3 * CHUNK), 3);
}

static void put_large(int64_t from)
{
    char *text = mem_alloc(LARGE_BYTES);
    uint32_t random = 1;
    for (unsigned i = 0; i < LARGE; i++) {
        struct record_edit edit = {
            .kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = recorder_evolution(f, "urn:e", from + i, 1)};
        for (unsigned k = 0; k < LARGE_BYTES; k++)
            text[k] = (char)('0' + ((random = random * 1664525 + 1013904223) >> 16) % 64);
        text[0] = (char)('0' + i);
        edit.fragment->series[0].points[0].attr.value = (struct value){.kind = VALUE_STRING, .text = {text, LARGE_BYTES}};
        assert_int_equal(recorder_edit(f, &edit).status, OK);
    }
    free(text);
}

static void test_large_instances_are_sealed_apart(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1, 1); /* one before them that is not sealed */
    assert_true(fold());
    put_large(2);
    assert_true(fold());
    const struct series *s = recorder_series(f, "urn:e");
    assert_int_equal(s->count, 1 + LARGE);
    assert_int_equal(s->points[LARGE].attr.value.text.n, LARGE_BYTES);
    assert_int_equal(s->points[LARGE].attr.value.text.p[0], '0' + LARGE - 1);
    assert_true(embedded_of(f->store)->history.sealed > 1);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

/* What counts are all texts of an instance, however deep. */
static void test_large_members_are_sealed_apart(void **state)
{
    (void)state;
    enum { DEEP = 48, DEEP_BYTES = 16 << 10 };
    static char text[DEEP_BYTES];
    memset(text, 'x', sizeof text);
    struct evolution *all = recorder_evolution(f, "urn:e", 1, DEEP);
    for (unsigned i = 0; i < DEEP; i++) {
        struct attr *outer = arena_array(f->arena, struct attr, 2), *inner = outer + 1;
        *inner = all->series[0].points[i].attr;
        inner->value = (struct value){.kind = VALUE_STRING, .plain = true, .text = {text, DEEP_BYTES}};
        *outer = all->series[0].points[i].attr;
        outer->sub_count = all->series[0].points[i].attr.sub_count = 1;
        outer->subs = inner;
        all->series[0].points[i].attr.subs = outer;
    }
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e"), .fragment = all};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(fold());
    assert_int_equal(embedded_of(f->store)->history.sealed, 3); /* of a quarter of a MiB each, or a little more */
    recorder_assert_range(f, "urn:e", 1, DEEP);
    assert_int_equal(recorder_series(f, "urn:e")->points[DEEP - 1].attr.subs[0].subs[0].value.text.n, DEEP_BYTES);
}

/* The first series of the entity is sealed, and more than a batch holds; the second cannot be read. */
static void test_a_fold_that_fails_amid_an_entity_writes_nothing_of_it(void **state)
{
    (void)state;
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e")};
    recorder_put(f, "urn:e", 1000, 1);
    struct evolution *other = recorder_evolution(f, "urn:e", 1, CHUNK);
    other->series->term = fixture_term(f, "z");
    for (uint32_t i = 0; i < CHUNK; i++)
        other->series->points[i].attr.term = other->series->term;
    edit.fragment = other;
    struct record_result r = recorder_edit(f, &edit);
    assert_int_equal(r.status, OK);
    assert_true(fold());
    struct point sealed = other->series->points[0];
    sealed.attr.seq = r.seq;
    edit = recorder_of_instance(f, RECORD_EDIT_DELETE_INSTANCE, "urn:e", &sealed);
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    put_large(1001);
    base.range_fails = true;
    assert_false(fold());
    base.range_fails = false;
    recorder_put(f, "urn:e", 1, 1); /* the first chunk will begin with another */
    assert_true(fold());
    assert_int_equal(recorder_series(f, "urn:e")->count, 2 + LARGE);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

/* ---- folds that fail ---- */

enum { ENTITIES = 5 };

static const char *name(unsigned i)
{
    return arena_printf(f->arena, "urn:e:%u", i).p;
}

static void put_all(int64_t from, uint32_t n)
{
    for (unsigned i = 0; i < ENTITIES; i++)
        recorder_put(f, name(i), from, n);
}

static void assert_all(uint32_t n)
{
    for (unsigned i = 0; i < ENTITIES; i++)
        recorder_assert_range(f, name(i), 1, n);
}

static void test_a_fold_that_fails_gives_all_back(void **state)
{
    (void)state;
    put_all(1, 300);
    assert_true(fold());
    assert_int_equal(memory(), 0);
    for (unsigned at = 1; at <= ENTITIES; at++) {
        put_all(at * 300 + 1, 300);
        assert_false(fold_with(at, NULL));
        assert_all((at + 1) * 300); /* what was folded before is there, too, before the next attempt */
    }
    base.flush_fails = true;
    assert_false(fold());
    base.flush_fails = false;
    assert_all(1800);
    put_all(1801, 200);
    assert_true(fold());
    assert_int_equal(memory(), 0);
    assert_all(2000);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
    assert_all(2000);
}

static void test_a_base_that_does_not_open_again_is_told(void **state)
{
    (void)state;
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    char copy[300];
    struct why why = {0};
    struct filter *filter = fixture_of_type(f, "T");
    snprintf(copy, sizeof copy, "%s-copy", o.dir);
    put_all(1, 10);
    assert_true(fold());
    put_all(11, 10);
    base.open_fails = true;
    assert_false(fold_with(1, NULL));
    assert_all(20);
    assert_false(fold());
    struct store_evolve v = {.id = STR("urn:e:1"), .time = &ALWAYS, .points_max = 1000};
    assert_int_equal(fixture_evolve(f, &v), E_BUSY);
    v = (struct store_evolve){.filter = filter, .time = &ALWAYS, .points_max = 1000, .limit = 10};
    assert_int_equal(fixture_evolve(f, &v), E_BUSY);
    struct record_edit edit = {.kind = RECORD_EDIT_DELETE, .id = STR("urn:e:1")};
    assert_int_equal(recorder_edit(f, &edit).status, E_BUSY);
    assert_int_equal(store_backup(f->store, copy, &why), E_BUSY); /* not one without all that was folded */
    fixture_remove(copy);
    base.open_fails = false;
    assert_true(fold());
    assert_all(20);
}

/* ---- what happens while a fold writes ---- */

static void delete_entity(void)
{
    struct edit edit = {.kind = EDIT_DELETE, .id = STR("urn:e")};
    f->now_us += 1000;
    assert_int_equal(fixture_edit(f, &edit).status, OK);
}

static void test_what_was_forgotten_does_not_come_back_with_the_entitys_end(void **state)
{
    (void)state;
    struct edit create = fixture_create(f, "urn:e", "T", 7);
    assert_int_equal(fixture_edit(f, &create).status, OK);
    struct record_edit edit = {.kind = RECORD_EDIT_DELETE, .id = STR("urn:e")};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_null(recorder_series(f, "urn:e"));
    assert_true(fold_with(1, delete_entity));
    const struct series *s = recorder_series(f, "urn:e");
    assert_int_equal(s->count, 1); /* the deletion alone */
    assert_true(s->points[0].deleted_at != TIME_NONE);
    assert_true(fold());
    assert_int_equal(recorder_series(f, "urn:e")->count, 1);
}

static void drop_town(void)
{
    struct str tenant = f->caller.tenant;
    f->caller.tenant = STR("");
    assert_int_equal(fixture_drop_tenant(f, "town"), OK);
    f->caller.tenant = tenant;
}

static bool count_pair(void *arg, struct str key, struct str bytes)
{
    (void)bytes;
    *(unsigned *)arg += key.p[0] == '6' || key.p[0] == '7';
    return true;
}

static void assert_base_has_no_history(void)
{
    unsigned n = 0;
    opened_shut(&o);
    struct base_db *db = opened_db(&o);
    assert_null(base_db_each(db, STR(""), count_pair, &n));
    base_db_close(db);
    assert_int_equal(n, 0);
    opened_assert_sound(&o);
    opened_start(&o);
}

static void assert_tenant_goes(bool fails)
{
    f->caller.tenant = STR("town");
    put_all(1, 2000);
    assert_true(fold());
    put_all(2001, 500);
    base.flush_fails = fails;
    assert_int_equal(fold_with(ENTITIES / 2, drop_town), !fails);
    base.flush_fails = false;
    assert_int_equal(memory(), 0);
    assert_true(fold());
    assert_base_has_no_history();
    f->caller.tenant = STR("town");
    recorder_put(f, "urn:e:1", 1, 3);
    recorder_assert_range(f, "urn:e:1", 1, 3);
    f->caller.tenant = STR("");
}

static void test_a_tenant_that_goes_during_a_fold(void **state)
{
    (void)state;
    assert_tenant_goes(false);
}

static void test_a_tenant_that_goes_during_a_fold_that_fails(void **state)
{
    (void)state;
    assert_tenant_goes(true);
}

/* ---- an evolution that ends (4.22) ---- */

static void put_until(int64_t from, uint32_t n, int64_t expires_at)
{
    struct record_edit edit = {.kind = RECORD_EDIT_UPSERT, .id = STR("urn:e")};
    struct evolution *e = recorder_evolution(f, "urn:e", from, n);
    e->expires_at = expires_at;
    edit.fragment = e;
    assert_int_equal(recorder_edit(f, &edit).status, OK);
}

static void test_an_evolution_ends(void **state)
{
    (void)state;
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct store_evolve v = {.id = STR("urn:e"), .time = &ALWAYS, .points_max = 10};
    int64_t end_us = o.wall.now + 1000000;
    put_until(1, CHUNK + 20, end_us);
    assert_true(fold());
    recorder_put(f, "urn:e", CHUNK + 21, 10); /* says nothing of its end */
    recorder_assert_range(f, "urn:e", 1, CHUNK + 30);
    assert_int_equal(fixture_evolve(f, &v), OK);
    assert_true(v.evolutions[0].expires_at == end_us);
    opened_again(&o);
    recorder_assert_range(f, "urn:e", 1, CHUNK + 30);
    o.wall.now = end_us;
    assert_null(recorder_series(f, "urn:e"));
    assert_true(fold());
    assert_base_has_no_history();
}

static void test_another_evolution_begins(void **state)
{
    (void)state;
    int64_t end_us = o.wall.now + 1000000;
    put_until(1, CHUNK + 20, end_us);
    assert_true(fold());
    o.wall.now = f->now_us = end_us;
    struct record_edit edit = {.kind = RECORD_EDIT_ADD, .id = STR("urn:e"), .fragment = recorder_evolution(f, "urn:e", 1, 1)};
    assert_int_equal(recorder_edit(f, &edit).status, E_NOT_FOUND);
    struct record_result r = recorder_put(f, "urn:e", 50, 10);
    assert_true(r.created);
    recorder_assert_range(f, "urn:e", 50, 10);
    assert_true(fold());
    recorder_assert_range(f, "urn:e", 50, 10);
    put_until(60, 10, end_us + 1000000);
    recorder_assert_range(f, "urn:e", 50, 20);
    o.wall.now = end_us + 1000000;
    assert_null(recorder_series(f, "urn:e"));
}

/* ---- a reader meanwhile ---- */

struct reading {
    struct store_evolve evolve;
    bool done;
};

static void set_done(struct store_call *call)
{
    container_of(call, struct reading, evolve.call)->done = true;
}

/* A reader has looked at what is in memory, and comes to the base when a fold has dropped all that was in it. */
static void test_a_reader_sees_all_or_nothing_of_what_goes(void **state)
{
    (void)state;
    static const struct temporal_query ALWAYS = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct reading r = {.evolve = {.call = {.home = &f->waiter.runner, .done = set_done},
                                   .caller = &f->caller,
                                   .id = STR("urn:e"),
                                   .time = &ALWAYS,
                                   .points_max = 1000,
                                   .arena = arena_new(0)}};
    recorder_put(f, "urn:e", 1, 20);
    assert_true(fold());
    recorder_put(f, "urn:e", 21, 10);
    late.reader = true;
    r.done = store_evolve(f->store, &r.evolve);
    while (!late.waits)
        opened_wait(&o);
    struct record_edit edit = {.kind = RECORD_EDIT_DELETE, .id = STR("urn:e")};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(fold());
    late.waits = false;
    waiter_until(&f->waiter, f->store, &r.done);
    assert_int_equal(r.evolve.call.status, E_NOT_FOUND);
    arena_free(r.evolve.arena);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_sealed_instance_changes_twice_between_folds),
        TEST(test_the_last_instance_is_a_sealed_one),
        TEST(test_what_is_not_shown_is_not_read),
        TEST(test_periods_of_an_open_range_begin_with_the_first_value),
        TEST(test_large_instances_are_sealed_apart),
        TEST(test_large_members_are_sealed_apart),
        TEST(test_a_fold_that_fails_amid_an_entity_writes_nothing_of_it),
        TEST(test_a_fold_that_fails_gives_all_back),
        TEST(test_a_base_that_does_not_open_again_is_told),
        TEST(test_what_was_forgotten_does_not_come_back_with_the_entitys_end),
        TEST(test_a_tenant_that_goes_during_a_fold),
        TEST(test_a_tenant_that_goes_during_a_fold_that_fails),
        TEST(test_an_evolution_ends),
        TEST(test_another_evolution_begins),
        TEST(test_a_reader_sees_all_or_nothing_of_what_goes),
    };
    return cmocka_run_group_tests_name("store/history_fold", tests, NULL, NULL);
}
