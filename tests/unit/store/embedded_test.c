/* What the embedded store promises beyond the contract: visibility, order of answers, limits,
 * indexes that spare work, backups, versions of files. */
#include "opened.h"

#include "base/time.h"
#include "store/embedded/embedded_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct opened o;
static struct fixture *const f = &o.fixture;

static struct edit_result create(const char *id, int64_t value)
{
    struct edit e = fixture_create(f, id, value % 2 ? "B" : "A", value);
    return fixture_edit(f, &e);
}

static struct edit delete_of(const char *id)
{
    return (struct edit){.kind = EDIT_DELETE, .id = str_of(id)};
}

static struct edit update_of(const char *id, int64_t value)
{
    const struct entity *e = fixture_entity(f, id, "A", "value", value);
    return (struct edit){.kind = EDIT_UPDATE, .id = e->id, .fragment = e};
}

/* urn:e:0 … n-1 in batches. */
static void fill(uint32_t n)
{
    enum { BATCH = 500 };
    struct edit *edits = calloc(BATCH, sizeof *edits);
    struct edit_result *r = calloc(BATCH, sizeof *r);
    for (uint32_t i = 0; i < n;) {
        uint32_t k = 0;
        for (; k < BATCH && i < n; k++, i++) {
            char id[32];
            snprintf(id, sizeof id, "urn:e:%u", i);
            edits[k] = fixture_create(f, id, i % 10 ? "B" : "A", i);
        }
        assert_int_equal(fixture_apply(f, edits, k, r), OK);
    }
    free(edits);
    free(r);
}

/* ---- visibility ---- */

/* The committer is woken when this thread is about to wait. */
static void wait_for_sync(void)
{
    store_thread_offline(f->store);
    fault_io_wait(&o.io);
    store_thread_online(f->store);
}

static void test_nothing_is_seen_before_it_is_durable(void **state)
{
    (void)state;
    create("urn:e:0", 0);
    fault_io_hold(&o.io);
    struct edit one = fixture_create(f, "urn:e:1", "A", 1);
    struct async a;
    fixture_start(f, &a, &one, 1);
    wait_for_sync();
    assert_false(a.done);
    assert_null(fixture_get(f, "urn:e:1"));
    struct store_query q = {.limit = 10, .count = true};
    assert_int_equal(fixture_query(f, &q), OK);
    assert_int_equal(q.total, 1);
    assert_int_equal(store_seq(f->store), 1);
    fault_io_release(&o.io);
    assert_int_equal(fixture_wait(f, &a), OK);
    assert_non_null(fixture_get(f, "urn:e:1"));
}

static void test_answers_about_heads_wait_for_them(void **state)
{
    (void)state;
    fault_io_hold(&o.io);
    struct edit one = fixture_create(f, "urn:e:1", "A", 1),
                two = fixture_create(f, "urn:e:1", "A", 2);
    struct edit three = update_of("urn:e:1", 3);
    struct async a, b, c;
    fixture_start(f, &a, &one, 1);
    wait_for_sync();
    fixture_start(f, &b, &two, 1); /* refused, for a reason that a crash could undo */
    fixture_start(f, &c, &three, 1);
    assert_false(b.done || c.done);
    assert_int_equal(b.results[0].status, E_EXISTS);
    fault_io_release(&o.io);
    assert_int_equal(fixture_wait(f, &b), OK);
    assert_true(a.done);
    assert_int_equal(fixture_wait(f, &c), OK);
    assert_int_equal(c.results[0].status, OK);
    assert_true(c.results[0].seq > a.results[0].seq);
}

static void test_a_group_wakes_its_runner_once(void **state)
{
    (void)state;
    enum { N = 8 };
    create("urn:e:0", 0);
    fault_io_hold(&o.io);
    struct edit edits[N + 1];
    struct async a[N + 1];
    for (int i = 0; i <= N; i++) {
        char id[32];
        snprintf(id, sizeof id, "urn:g:%d", i);
        edits[i] = fixture_create(f, id, "A", i);
        fixture_start(f, &a[i], &edits[i], 1);
        if (i == 0)
            wait_for_sync(); /* the others gather meanwhile */
    }
    unsigned posts = f->waiter.posts, syncs = o.io.syncs;
    fault_io_release(&o.io);
    for (int i = 0; i <= N; i++)
        assert_int_equal(fixture_wait(f, &a[i]), OK);
    assert_int_equal(f->waiter.posts - posts, 2);
    assert_int_equal(o.io.syncs - syncs, 1);
}

static void test_cancelled_and_late_writes(void **state)
{
    (void)state;
    fault_io_hold(&o.io);
    struct edit one = fixture_create(f, "urn:e:1", "A", 1),
                two = fixture_create(f, "urn:e:2", "A", 2);
    struct async a, b;
    fixture_start(f, &a, &one, 1);
    wait_for_sync();
    f->deadline_us = time_monotonic() - 1;
    fixture_start(f, &b, &two, 1);
    f->deadline_us = 0;
    assert_int_equal(fixture_wait(f, &b), E_TIMEOUT);
    store_cancel(f->store, &a.apply.call);
    assert_int_equal(fixture_wait(f, &a), E_CANCELLED);
    fault_io_release(&o.io);
    create("urn:e:3", 3);
    assert_non_null(fixture_get(f, "urn:e:1")); /* given up, not undone */
    assert_non_null(fixture_get(f, "urn:e:2"));
}

/* ---- limits ---- */

static void test_full_memory_refuses_growth(void **state)
{
    (void)state;
    fill(100);
    struct store_stats s;
    store_stats(f->store, &s);
    embedded_of(f->store)->o.state_bytes_max = s.state_bytes - 1;
    struct edit_result r = create("urn:e:more", 1);
    assert_int_equal(r.status, E_NO_SPACE);
    assert_string_equal(r.why->limit, "store.state_bytes");
    struct edit same = update_of("urn:e:5", 6);
    assert_int_equal(fixture_edit(f, &same).status, OK);
    embedded_of(f->store)->o.state_bytes_max =
        1000; /* far above it, growth of what is there ends, too */
    same = update_of("urn:e:6", 7);
    assert_int_equal(fixture_edit(f, &same).status, E_NO_SPACE);
    struct edit gone = delete_of("urn:e:5");
    assert_int_equal(fixture_edit(f, &gone).status, OK);
    assert_int_equal(fixture_put(f, STORE_CONTEXT, "k", "v"), E_NO_SPACE);
    embedded_of(f->store)->o.state_bytes_max = 1 << 30;
    assert_int_equal(create("urn:e:more", 1).status, OK);
}

static void test_disk_reserve_refuses_creations(void **state)
{
    (void)state;
    create("urn:e:1", 1);
    embedded_of(f->store)->o.disk_reserve_bytes = 1 << 20;
    o.io.space = 1000;
    struct edit_result r;
    for (int i = 0; i < 300; i++) { /* looked at once a second */
        char id[32];
        snprintf(id, sizeof id, "urn:r:%d", i);
        r = create(id, 1);
        if (r.status != OK)
            break;
        usleep(10000);
    }
    assert_int_equal(r.status, E_NO_SPACE);
    assert_string_equal(r.why->limit, "store.disk_reserve");
    struct edit gone = delete_of("urn:e:1");
    assert_int_equal(fixture_edit(f, &gone).status, OK);
}

static struct edit append_of(const char *id, const char *attr)
{
    const struct entity *e = fixture_entity(f, id, "A", attr, 1);
    return (struct edit){.kind = EDIT_APPEND, .id = e->id, .fragment = e};
}

static void test_an_entity_grows_up_to_a_bound(void **state)
{
    (void)state;
    struct embedded *e = embedded_of(f->store);
    create("urn:e:2", 2);
    e->o.growth.attrs_max = 3;
    struct edit_result r = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r.status, OK);
        struct edit more = append_of("urn:e:2", arena_printf(f->arena, "a%d", i).p);
        r = fixture_edit(f, &more);
    }
    assert_int_equal(r.status, E_LIMIT);
    assert_string_equal(r.why->limit, "limits.attributes");
    assert_false(r.changed);
    const struct doc *d = fixture_get(f, "urn:e:2");
    assert_int_equal(doc_attr_count(d), 3); /* nothing of it was applied */
    struct edit again = append_of("urn:e:2", "a0");
    assert_int_equal(fixture_edit(f, &again).status, OK); /* what does not grow goes on */
    struct edit update = update_of("urn:e:2", 4);
    assert_int_equal(fixture_edit(f, &update).status, OK);
    e->o.growth = (struct growth_limits){.bytes_max = doc_bytes(fixture_get(f, "urn:e:2"))};
    struct edit longer[] = {append_of("urn:e:2", "a7"), update_of("urn:e:2", 5)};
    struct edit_result both[2];
    assert_int_equal(fixture_apply(f, longer, 2, both), OK);
    assert_int_equal(both[0].status, E_TOO_LARGE);
    assert_string_equal(both[0].why->limit, "limits.entity_bytes");
    assert_int_equal(both[1].status, OK);
    struct edit create = fixture_create(f, arena_printf(f->arena, "urn:%0300d", 1).p, "A", 1);
    assert_int_equal(fixture_edit(f, &create).status, E_TOO_LARGE);
}

/* ---- work done by queries ---- */

static struct filter *between(double low, double high)
{
    struct compare *c = arena_zalloc(f->arena, sizeof *c);
    c->path_count = 1;
    c->path = arena_zalloc(f->arena, sizeof *c->path);
    c->path[0] = (struct name){STR("value"), terms_find(f->terms, STR("value"))};
    c->op = COMPARE_EQ;
    c->range = true;
    c->operand_count = 2;
    c->operands = arena_zalloc(f->arena, 2 * sizeof *c->operands);
    c->operands[0] = (struct operand){.kind = OPERAND_NUMBER, .number = low};
    c->operands[1] = (struct operand){.kind = OPERAND_NUMBER, .number = high};
    struct filter *x = arena_zalloc(f->arena, sizeof *x);
    x->kind = FILTER_COMPARE;
    x->compare = c;
    return x;
}

static void test_a_page_of_a_type_touches_the_page_alone(void **state)
{
    (void)state;
    fill(5000);
    struct store_query q = {.filter = fixture_of_type(f, "A"), .limit = 20};
    assert_int_equal(fixture_query(f, &q), OK);
    assert_int_equal(q.doc_count, 20);
    assert_true(q.more);
    assert_string_equal(q.explain.index, "type");
    assert_int_equal(q.explain.candidates, 500);
    assert_int_equal(q.explain.visited, 20);
    struct store_query deep = {.filter = fixture_of_type(f, "A"), .limit = 20, .offset = 470, .count = true};
    assert_int_equal(fixture_query(f, &deep), OK);
    assert_int_equal(deep.explain.visited, 20);
    assert_int_equal(deep.total, 500);
    assert_true(str_eq(doc_id(deep.docs[0]), STR("urn:e:4700")));
}

static void test_counting_touches_nothing(void **state)
{
    (void)state;
    fill(3000);
    struct name value = {STR("value"), terms_find(f->terms, STR("value"))};
    struct store_query q = {
        .filter = filter_and(f->arena, fixture_of_type(f, "A"), filter_of_attrs(f->arena, &value, 1)),
        .limit = 0,
        .count = true};
    assert_int_equal(fixture_query(f, &q), OK);
    assert_int_equal(q.total, 300);
    assert_int_equal(q.explain.visited, 0);
    struct store_query all = {.limit = 0, .count = true};
    assert_int_equal(fixture_query(f, &all), OK);
    assert_int_equal(all.total, 3000);
    assert_int_equal(all.explain.visited, 0);
}

static void test_an_index_of_values_is_built_when_queries_want_it(void **state)
{
    (void)state;
    fill(4000);
    for (int i = 0;; i++) {
        struct store_query q = {.filter = between(1000, 1009), .limit = 100};
        assert_int_equal(fixture_query(f, &q), OK);
        assert_int_equal(q.doc_count, 10);
        if (!strcmp(q.explain.index, "value")) {
            assert_int_equal(q.explain.candidates, 10);
            assert_int_equal(q.explain.visited, 10);
            break;
        }
        assert_true(i < 500);
        opened_wait(&o);
    }
    struct edit in = update_of("urn:e:7", 1005), out = update_of("urn:e:1001", 7),
                gone = delete_of("urn:e:1002");
    assert_int_equal(fixture_edit(f, &in).status, OK);
    assert_int_equal(fixture_edit(f, &out).status, OK);
    assert_int_equal(fixture_edit(f, &gone).status, OK);
    struct store_query q = {.filter = between(1000, 1009), .limit = 100};
    assert_int_equal(fixture_query(f, &q), OK);
    assert_int_equal(q.doc_count, 9);
    assert_true(str_eq(doc_id(q.docs[0]), STR("urn:e:7")));
    assert_int_equal(q.explain.visited, 9);
}

/* Many indexes wanted, few kept. */
static void test_indexes_of_values_have_a_limit(void **state)
{
    (void)state;
    struct embedded *e = embedded_of(f->store);
    fill(10);
    uint32_t terms[20];
    for (uint32_t i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%u", i);
        terms[i] = fixture_term(f, name);
    }
    struct tenant *t = tenants_find(e->tenants, STR(""));
    upkeep_want_values(e, t, terms, 20);
    uint32_t count = 0;
    for (int i = 0; i < 300 && count < o.options.value_indexes_max; i++) {
        usleep(10000);
        count = 0;
        pthread_rwlock_rdlock(&t->lock);
        for (const struct index_value *v = t->index->values; v; v = v->next)
            count++;
        pthread_rwlock_unlock(&t->lock);
    }
    usleep(300000);
    assert_int_equal(count, o.options.value_indexes_max);
}

/* ---- slices ---- */

struct slow {
    struct store_query query;
    bool done, ordered;
    char first[64]; /* id */
};

/* Looks at the page at once: it is borrowed until this thread waits again. */
static void slow_done(struct store_call *call)
{
    struct store_query *q = container_of(call, struct store_query, call);
    struct slow *s = container_of(q, struct slow, query);
    s->ordered = true;
    for (uint32_t i = 1; i < q->doc_count; i++)
        s->ordered = s->ordered && doc_created_seq(q->docs[i - 1]) < doc_created_seq(q->docs[i]);
    if (q->doc_count)
        snprintf(s->first, sizeof s->first, "%.*s", STR_ARG(doc_id(q->docs[0])));
    s->done = true;
}

static void start_slow(struct slow *s, struct filter *filter)
{
    *s = (struct slow){.query = {
                           .call = {.home = &f->waiter.runner, .done = slow_done},
                           .caller = &f->caller,
                           .filter = filter,
                           .limit = 100,
                           .count = true,
                           .arena = f->arena,
                       }};
    s->done = store_query(f->store, &s->query);
}

static void test_long_queries_yield(void **state)
{
    (void)state;
    fill(2000);
    unsigned posts = f->waiter.posts;
    struct slow s;
    start_slow(&s, between(5, 1990));
    assert_false(s.done);
    /* Others go on meanwhile; what the query found stays. */
    struct edit change = update_of("urn:e:6", 100000), gone = delete_of("urn:e:7");
    struct async a;
    fixture_start(f, &a, &change, 1);
    assert_int_equal(fixture_wait(f, &a), OK);
    fixture_start(f, &a, &gone, 1);
    assert_int_equal(fixture_wait(f, &a), OK);
    waiter_until(&f->waiter, f->store, &s.done);
    assert_int_equal(s.query.call.status, OK);
    assert_true(f->waiter.posts - posts >= 2000 / o.options.visit_slice / 2);
    assert_int_equal(s.query.doc_count, 100);
    assert_true(s.ordered);
    assert_true(s.query.total >= 1984 && s.query.total <= 1986);
}

static void test_yielding_queries_survive_renumbering(void **state)
{
    (void)state;
    fill(3000);
    struct slow s;
    start_slow(&s, between(2500, 2600));
    assert_false(s.done);
    struct edit edits[8];
    for (uint32_t i = 0; i < 2400; i += 8) { /* holes become the greater part */
        struct async a;
        for (uint32_t k = 0; k < 8; k++)
            edits[k] =
                (struct edit){.kind = EDIT_DELETE, .id = arena_printf(f->arena, "urn:e:%u", i + k)};
        fixture_start(f, &a, edits, 8);
        /* Answers come while slices of the query run, too. */
        assert_int_equal(fixture_wait(f, &a), OK);
    }
    struct tenant *t = tenants_find(embedded_of(f->store)->tenants, STR(""));
    assert_true(t->renumbered > 0);
    waiter_until(&f->waiter, f->store, &s.done);
    assert_int_equal(s.query.call.status, OK);
    assert_int_equal(s.query.total, 101);
    assert_string_equal(s.first, "urn:e:2500");
}

static void test_queries_can_be_given_up(void **state)
{
    (void)state;
    fill(2000);
    struct slow s;
    start_slow(&s, between(5, 1990));
    store_cancel(f->store, &s.query.call);
    waiter_until(&f->waiter, f->store, &s.done);
    assert_int_equal(s.query.call.status, E_CANCELLED);
    start_slow(&s, between(5, 1990));
    s.query.call.deadline_us = 1;
    waiter_until(&f->waiter, f->store, &s.done);
    assert_int_equal(s.query.call.status, E_TIMEOUT);
    struct store_query q = {.filter = between(1, 5), .limit = 1000, .visit_max = 50};
    q.filter = filter_and(f->arena, between(1, 5), between(-1000, 1000));
    assert_int_equal(fixture_query(f, &q), E_TOO_COMPLEX);
}

static void test_pages_hold_over_deletions_and_restarts(void **state)
{
    (void)state;
    fill(3000);
    for (uint32_t i = 0; i < 3000; i += 8) {
        struct edit edits[8];
        struct edit_result r[8];
        uint32_t n = 0;
        for (uint32_t k = 0; k < 8; k++)
            if ((i + k) % 5)
                edits[n++] = (struct edit){.kind = EDIT_DELETE,
                                           .id = arena_printf(f->arena, "urn:e:%u", i + k)};
        assert_int_equal(fixture_apply(f, edits, n, r), OK);
    }
    for (int round = 0; round < 2; round++) {
        uint64_t after = 0;
        uint32_t seen = 0;
        for (bool more = true; more;) {
            struct store_query q = {.limit = 37, .after_seq = after},
                               p = {.limit = 37, .offset = seen};
            assert_int_equal(fixture_query(f, &q), OK);
            assert_int_equal(fixture_query(f, &p), OK);
            assert_int_equal(q.doc_count, p.doc_count);
            for (uint32_t i = 0; i < q.doc_count; i++, seen++) {
                assert_ptr_equal(q.docs[i], p.docs[i]);
                assert_true(str_eq(doc_id(q.docs[i]), arena_printf(f->arena, "urn:e:%u", seen * 5)));
            }
            after = doc_created_seq(q.docs[q.doc_count - 1]);
            more = q.more;
            assert_int_equal(q.more, p.more);
        }
        assert_int_equal(seen, 600);
        opened_again(&o);
    }
}

/* ---- files ---- */

static void test_a_directory_has_one_owner(void **state)
{
    (void)state;
    struct terms *terms = terms_new(100);
    struct store *other;
    struct why why = {0};
    assert_int_equal(embedded_open(&other, terms, &o.options, &why), E_CONFLICT);
    terms_free(terms);
}

/* Overwrites the 4 bytes at offset of a file in dir. */
static void patch(const char *name, off_t offset, uint32_t value)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", o.dir, name);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &value, sizeof value, offset), sizeof value);
    close(fd);
}

static enum status open_status(struct why *why)
{
    struct terms *terms = terms_new(10000);
    struct store *s;
    why_clear(why);
    enum status st = embedded_open(&s, terms, &o.options, why);
    if (st == OK)
        store_close(s);
    terms_free(terms);
    return st;
}

static void test_newer_files_are_refused(void **state)
{
    (void)state;
    struct why why;
    create("urn:e:1", 1);
    opened_shut(&o);
    patch("store", 8, 9);
    assert_int_equal(open_status(&why), E_NOT_SUPPORTED);
    assert_non_null(strstr(why.text, "version 9"));
    patch("store", 8, 1);
    patch("log/0000000000000001.log", 8, 7);
    assert_int_equal(open_status(&why), E_NOT_SUPPORTED);
    assert_non_null(strstr(why.text, "version 7"));
    patch("log/0000000000000001.log", 8, 1);
    patch("store", 16, 12345);
    assert_int_equal(open_status(&why), E_DAMAGED);
    fixture_remove(o.dir);
    opened_start(&o);
}

static void test_folded_state_needs_no_log(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        for (uint32_t i = 0; i < 300; i++) {
            struct edit e = fixture_create(f, arena_printf(f->arena, "urn:f:%u", i).p, "A", round);
            e.kind = EDIT_UPSERT_REPLACE;
            assert_int_equal(fixture_edit(f, &e).status, OK);
        }
        struct edit gone = delete_of(arena_printf(f->arena, "urn:f:%d", round).p);
        assert_int_equal(fixture_edit(f, &gone).status, OK);
        opened_again(&o);
        struct store_stats s;
        store_stats(f->store, &s);
        assert_int_equal(s.entities, 299);
        assert_int_equal(s.folded_seq, s.committed_seq);
        assert_true(s.log_segments <= 2);
    }
    assert_null(fixture_get(f, "urn:f:5"));
    assert_non_null(fixture_get(f, "urn:f:0"));
}

static void test_log_is_bounded_by_folds(void **state)
{
    (void)state;
    struct store_stats s;
    uint64_t most = 0;
    for (uint32_t i = 0; i < 400; i++) {
        struct edit edits[64];
        struct edit_result r[64];
        for (uint32_t k = 0; k < 64; k++) {
            edits[k] =
                fixture_create(f, arena_printf(f->arena, "urn:f:%u", k * 7 + i % 7).p, "A", i);
            edits[k].kind = EDIT_UPSERT_REPLACE;
        }
        assert_int_equal(fixture_apply(f, edits, 64, r), OK);
        arena_reset(f->arena);
        store_stats(f->store, &s);
        most = s.log_bytes > most ? s.log_bytes : most;
    }
    for (int tries = 0; tries < 3000 && s.folded_seq == 0; tries++) { /* the first fold may still be under way */
        usleep(10000);
        store_stats(f->store, &s);
    }
    assert_true(s.folded_seq > 0);
    assert_true(most <= o.options.log_bytes_max + o.options.segment_bytes + o.options.group_bytes_max);
}

static void test_backup_while_writing(void **state)
{
    (void)state;
    fill(500);
    fixture_put(f, STORE_CONTEXT, "k", "v");
    char copy[300], restored[300];
    snprintf(copy, sizeof copy, "%s-copy", o.dir);
    snprintf(restored, sizeof restored, "%s-restored", o.dir);
    struct why why = {0};
    for (int folded = 0; folded < 2; folded++) {
        struct edit e = update_of("urn:e:3", 100 + folded);
        assert_int_equal(fixture_edit(f, &e).status, OK);
        if (store_backup(f->store, copy, &why) != OK)
            fail_msg("%s", why.text);
        e = update_of("urn:e:3", 999);
        assert_int_equal(fixture_edit(f, &e).status, OK); /* not in it */
        assert_int_equal(store_backup(f->store, copy, &why), E_EXISTS);
        why_clear(&why);
        if (embedded_restore(copy, restored, &why) != OK)
            fail_msg("%s", why.text);
        struct embedded_report report;
        if (embedded_check(restored, &report, NULL, NULL, &why) != OK)
            fail_msg("%s", why.text);
        assert_int_equal(report.entities, 500);
        assert_int_equal(report.documents, 1);
        struct embedded_options options = o.options;
        options.dir = restored;
        struct fixture g;
        fixture_init(&g);
        assert_int_equal(embedded_open(&g.store, g.terms, &options, &why), OK);
        store_thread_enter(g.store);
        const struct doc *d = fixture_get(&g, "urn:e:3");
        struct value v;
        doc_attr_value(d, 0, &v);
        assert_int_equal(v.integer, 100 + folded);
        store_thread_leave(g.store);
        store_close(g.store);
        fixture_free(&g);
        fixture_remove(copy);
        fixture_remove(restored);
        opened_again(&o); /* folds: the next backup has a base */
    }
}

static void test_interval_durability(void **state)
{
    (void)state;
    opened_shut(&o);
    o.options.durability = EMBEDDED_INTERVAL;
    o.options.interval_ms = 50;
    opened_start(&o);
    unsigned syncs = o.io.syncs;
    fault_io_hold(&o.io);
    assert_int_equal(create("urn:e:1", 1).status, OK); /* no sync is waited for */
    wait_for_sync();                                   /* but one comes */
    fault_io_release(&o.io);
    assert_int_equal(create("urn:e:2", 1).status, OK);
    assert_true(o.io.syncs > syncs);
    opened_again(&o);
    assert_non_null(fixture_get(f, "urn:e:2"));
}

static void test_an_empty_tenant_is_small(void **state)
{
    (void)state;
    struct embedded *e = embedded_of(f->store);
    assert_true(tenant_bytes(tenants_find(e->tenants, STR(""))) < 4096);
}

#define TEST(name) OPENED_TEST(name, &o)

struct dictated {
    struct store_listener listener;
    char said[64];
    size_t n;
};

static void take_down(struct store_listener *l, const struct change *changes, uint32_t n)
{
    struct dictated *d = container_of(l, struct dictated, listener);
    for (uint32_t i = 0; i < n; i++)
        if (changes[i].kind == CHANGE_DOCUMENT && d->n < sizeof d->said)
            d->said[d->n++] = changes[i].bytes.p ? changes[i].bytes.p[0] : '-';
}

static struct {
    uint32_t left;
    bool done;
} puts_under_way;

static void one_put_is_done(struct store_call *call)
{
    assert_int_equal(call->status, OK);
    puts_under_way.done = --puts_under_way.left == 0;
}

/* A document that is written again and again while nobody waits: each version is told with what it says. */
static void test_changes_of_one_document_say_what_it_said(void **state)
{
    (void)state;
    enum { PUTS = 24 };
    static const char TEXT[] = "abcdefghijklmnopqrstuvwx";
    static struct dictated d; /* the store knows it until it is closed */
    d = (struct dictated){.listener.changes = take_down};
    struct store_put puts[PUTS];
    store_listen(f->store, &d.listener);
    puts_under_way.left = PUTS;
    puts_under_way.done = false;
    for (uint32_t i = 0; i < PUTS; i++) {
        puts[i] = (struct store_put){
            .call = {.home = &f->waiter.runner, .done = one_put_is_done},
            .caller = &f->caller,
            .kind = STORE_SETTING,
            .key = STR("k"),
            .bytes = i % 8 == 7 ? STR_NONE : (struct str){TEXT + i, 1},
        };
        if (store_put(f->store, &puts[i]))
            one_put_is_done(&puts[i].call);
    }
    waiter_until(&f->waiter, f->store, &puts_under_way.done);
    assert_int_equal(d.n, PUTS);
    for (uint32_t i = 0; i < PUTS; i++)
        assert_int_equal(d.said[i], i % 8 == 7 ? '-' : TEXT[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_seen_before_it_is_durable),
        TEST(test_answers_about_heads_wait_for_them),
        TEST(test_a_group_wakes_its_runner_once),
        TEST(test_changes_of_one_document_say_what_it_said),
        TEST(test_cancelled_and_late_writes),
        TEST(test_full_memory_refuses_growth),
        TEST(test_disk_reserve_refuses_creations),
        TEST(test_a_page_of_a_type_touches_the_page_alone),
        TEST(test_counting_touches_nothing),
        TEST(test_an_index_of_values_is_built_when_queries_want_it),
        TEST(test_indexes_of_values_have_a_limit),
        TEST(test_an_entity_grows_up_to_a_bound),
        TEST(test_long_queries_yield),
        TEST(test_yielding_queries_survive_renumbering),
        TEST(test_queries_can_be_given_up),
        TEST(test_pages_hold_over_deletions_and_restarts),
        TEST(test_a_directory_has_one_owner),
        TEST(test_newer_files_are_refused),
        TEST(test_folded_state_needs_no_log),
        TEST(test_log_is_bounded_by_folds),
        TEST(test_backup_while_writing),
        TEST(test_interval_durability),
        TEST(test_an_empty_tenant_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
