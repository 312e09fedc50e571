/* History that the disk gives back otherwise than it was written: it is found, told of and left out, and the rest is as it was. Knows
 * the embedded store from inside. */
#include "opened.h"
#include "recorder.h"
#include "sweeper.h"

#include "base/varint.h"
#include "store/embedded/base_db.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_past.h"

enum { CHUNK = 1024 }; /* that many instances of a series are sealed */

static struct opened o;
static struct fixture *const f = &o.fixture;

/* ---- folds that fail in the end ---- */

static bool flush_fails;

enum status __real_base_flush(struct base *b, const struct base_position *p, struct why *why);
enum status __wrap_base_flush(struct base *b, const struct base_position *p, struct why *why);

enum status __wrap_base_flush(struct base *b, const struct base_position *p, struct why *why)
{
    return flush_fails ? why_set(why, E_IO, NULL, "on purpose") : __real_base_flush(b, p, why);
}

/* ---- damage ---- */

struct wound {
    struct arena *arena;
    struct str key, bytes;
    size_t length; /* of keys that are looked for: heads, or chunks */
};

static bool find_pair(void *arg, struct str key, struct str bytes)
{
    struct wound *w = arg;
    if (key.p[0] == '6' && key.n == w->length && str_absent(w->key)) {
        w->key = arena_dup(w->arena, key);
        w->bytes = arena_dup(w->arena, bytes);
    }
    return true;
}

/* Turns over a byte of the first head, or of its first chunk; from the end when negative. Twice is not at all. */
static void turn_over(bool chunk, long at)
{
    static const size_t HEAD = 1 + 4 + sizeof "urn:e";
    struct wound w = {.arena = arena_new(0), .length = chunk ? HEAD + 4 + 1 + 8 + 4 : HEAD};
    struct base_db *db = opened_db(&o);
    assert_null(base_db_each(db, STR(""), find_pair, &w));
    assert_false(str_absent(w.key));
    ((char *)w.bytes.p)[at < 0 ? (size_t)((long)w.bytes.n + at) : (size_t)at] ^= 0x10;
    base_db_put(db, w.key, &w.bytes, 1);
    assert_null(base_db_write(db));
    assert_null(base_db_flush(db));
    base_db_close(db);
    arena_free(w.arena);
}

static void damage(bool chunk, long at)
{
    struct embedded_report report;
    struct why why = {0};
    opened_shut(&o);
    opened_assert_sound(&o);
    turn_over(chunk, at);
    assert_int_equal(embedded_check(o.dir, &report, NULL, NULL, &why), E_DAMAGED);
    opened_start(&o);
}

static void heal(bool chunk, long at)
{
    opened_shut(&o);
    turn_over(chunk, at);
    opened_assert_sound(&o);
    opened_start(&o);
}

/* Two chunks and 100 instances that are not sealed. */
static void test_a_damaged_chunk_is_left_out(void **state)
{
    (void)state;
    static const long PLACES[] = {-20, 1}; /* in a column; in what all values begin with */
    recorder_put(f, "urn:e", 1, 2 * CHUNK + 100);
    recorder_put(f, "urn:f", 1, 10);
    assert_true(opened_fold(&o));
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        damage(true, PLACES[i]);
        recorder_assert_range(f, "urn:e", CHUNK + 1, CHUNK + 100);
        assert_int_equal(embedded_of(f->store)->history.damaged, 1);
        recorder_assert_range(f, "urn:f", 1, 10);
        heal(true, PLACES[i]);
        recorder_assert_range(f, "urn:e", 1, 2 * CHUNK + 100);
    }
}

/* The instances of a series that are not sealed, amid the head. What comes later stands beside them. */
static void test_a_damaged_open_chunk_is_left_out(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1, CHUNK + 100);
    assert_true(opened_fold(&o));
    damage(false, -20);
    recorder_assert_range(f, "urn:e", 1, CHUNK);
    assert_int_equal(embedded_of(f->store)->history.damaged, 1);
    recorder_put(f, "urn:e", CHUNK + 1, 5);
    recorder_assert_range(f, "urn:e", 1, CHUNK + 5);
    assert_true(opened_fold(&o));
    recorder_assert_range(f, "urn:e", 1, CHUNK + 5);
    opened_again(&o);
    recorder_assert_range(f, "urn:e", 1, CHUNK + 5);
}


/* ---- heads ---- */

/* Bytes of the head's value: what all values begin with; what comes before the body, without a tail; the entity's own fields, of an entity with one type and one series; fields of
 * the series. Then comes the open chunk. */
enum { VALUE_HEAD = 8, BEGIN = 1 + 1 + 4 + 4 + 4, FIELDS = BEGIN + 1 + 1 + 1 + 3 * 8 + 2 + 1 + 4, SERIES_FIELDS = 1 + 1 + 1 + 1 + 1 + 1 + 4, OPEN = 100 };

/* Is the series there up to `to`, without some of its last OPEN ones at most? */
static uint32_t assert_nearly_all(uint32_t to)
{
    const struct series *s = recorder_series(f, "urn:e");
    assert_non_null(s);
    assert_true(s->count == to || s->count == to - OPEN);
    for (uint32_t i = 0; i < s->count; i++)
        assert_int_equal(s->points[i].attr.value.integer, i + 1);
    return s->count;
}

static void test_damage_anywhere_in_a_head_costs_what_it_hits(void **state)
{
    (void)state;
    for (long at = 0; at < VALUE_HEAD + FIELDS + SERIES_FIELDS; at++) {
        recorder_put(f, "urn:e", 1, 2 * CHUNK + OPEN);
        recorder_put(f, "urn:f", 1, 10);
        assert_true(opened_fold(&o));
        damage(false, at);
        uint32_t n = assert_nearly_all(2 * CHUNK + OPEN);
        assert_int_equal(n, at < VALUE_HEAD || at >= VALUE_HEAD + FIELDS ? 2 * CHUNK : 2 * CHUNK + OPEN);
        assert_int_equal(embedded_of(f->store)->history.heads_damaged, 1);
        recorder_assert_range(f, "urn:f", 1, 10);
        opened_shut(&o);
        opened_end(&o);
        opened_init(&o);
        opened_start(&o);
    }
}

/* Nothing happens to the entity but that it is read. */
static void test_a_reader_has_a_damaged_head_made_again(void **state)
{
    (void)state;
    static const long PLACES[] = {1, VALUE_HEAD + BEGIN, VALUE_HEAD + FIELDS + 2};
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        recorder_put(f, "urn:e", 1, 2 * CHUNK + OPEN);
        assert_true(opened_fold(&o));
        damage(false, PLACES[i]);
        uint32_t n = assert_nearly_all(2 * CHUNK + OPEN);
        for (int k = 0; k < 500 && !embedded_of(f->store)->history.bytes; k++)
            opened_wait(&o);
        size_t asked = embedded_of(f->store)->history.bytes; /* what the reader asked for */
        assert_true(asked > 0);
        assert_int_equal(assert_nearly_all(n), n);
        opened_wait(&o);
        assert_int_equal(embedded_of(f->store)->history.bytes, asked); /* once is enough */
        assert_true(opened_fold(&o));
        uint64_t met = embedded_of(f->store)->history.heads_damaged;
        assert_int_equal(assert_nearly_all(n), n);
        assert_int_equal(embedded_of(f->store)->history.heads_damaged, met);
        opened_shut(&o);
        opened_assert_sound(&o);
        opened_start(&o);
        assert_int_equal(assert_nearly_all(n), n);
        assert_int_equal(recorder_edit(f, &(struct record_edit){.kind = RECORD_EDIT_DELETE, .id = STR("urn:e")}).status, OK);
        assert_true(opened_fold(&o));
    }
}

static void fold_over_damage(long at)
{
    uint32_t n = 2 * CHUNK + OPEN;
    recorder_put(f, "urn:e", 1, n);
    assert_true(opened_fold(&o));
    damage(false, at);
    recorder_put(f, "urn:f", at + 1, 1);
    struct record_edit edit = recorder_of_instance(f, RECORD_EDIT_MODIFY_INSTANCE, "urn:e", &recorder_series(f, "urn:e")->points[7]);
    edit.fragment = recorder_evolution(f, "urn:e", 8, 1); /* as it was; still, its chunk is written again */
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(opened_fold(&o));
    assert_int_equal(embedded_of(f->store)->history.sealed, 1);
    uint32_t there = assert_nearly_all(n);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
    assert_int_equal(assert_nearly_all(n), there);
    recorder_put(f, "urn:e", there + 1, CHUNK); /* the next chunk takes no other's place */
    assert_true(opened_fold(&o));
    recorder_assert_range(f, "urn:e", 1, there + CHUNK);
    edit = (struct record_edit){.kind = RECORD_EDIT_DELETE, .id = STR("urn:e")};
    assert_int_equal(recorder_edit(f, &edit).status, OK);
    assert_true(opened_fold(&o));
}

static void test_folds_go_on_over_a_damaged_head(void **state)
{
    (void)state;
    fold_over_damage(1);
    fold_over_damage(VALUE_HEAD);
    fold_over_damage(VALUE_HEAD + 2);
    fold_over_damage(VALUE_HEAD + BEGIN - 1);
    fold_over_damage(VALUE_HEAD + BEGIN + 2);
    fold_over_damage(VALUE_HEAD + BEGIN + 30);
    fold_over_damage(VALUE_HEAD + FIELDS + 2);
    fold_over_damage(VALUE_HEAD + FIELDS + 3);
    assert_int_equal(recorder_series(f, "urn:f")->count, 8);
}

/* A fold writes over a damaged head and fails then; what it wrote may have come onto the disk, or not. */
static void test_groups_come_once_over_a_damaged_head(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1, 2 * CHUNK + OPEN);
    assert_true(opened_fold(&o));
    damage(false, VALUE_HEAD);
    recorder_put(f, "urn:e", 2 * CHUNK + OPEN + 1, CHUNK);
    recorder_assert_range(f, "urn:e", 1, 3 * CHUNK + OPEN);
    flush_fails = true;
    assert_false(opened_fold(&o));
    recorder_assert_range(f, "urn:e", 1, 3 * CHUNK + OPEN);
    flush_fails = false;
    assert_true(opened_fold(&o));
    recorder_assert_range(f, "urn:e", 1, 3 * CHUNK + OPEN);
    opened_again(&o);
    recorder_assert_range(f, "urn:e", 1, 3 * CHUNK + OPEN);
}

/* All of it is too old; nothing happens to the entity. */
static void test_a_sweep_has_a_damaged_head_made_again(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1, 2 * CHUNK + OPEN);
    assert_true(opened_fold(&o));
    damage(false, VALUE_HEAD + BEGIN);
    sweeper_retain(f, "keep=1h");
    sweeper_run(f);
    (void)assert_nearly_all(2 * CHUNK + OPEN);
    while (!embedded_of(f->store)->history.bytes) /* what it asked for is on its way */
        opened_wait(&o);
    sweeper_run(f);
    assert_null(recorder_series(f, "urn:e"));
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
}

/* Nothing but the sweep comes by: it sets the chunk aside, and takes what is too old of the others. */
static void test_a_sweep_goes_on_over_a_damaged_open_chunk(void **state)
{
    (void)state;
    recorder_put(f, "urn:e", 1, CHUNK + OPEN);
    assert_true(opened_fold(&o));
    damage(false, -20);
    sweeper_retain(f, "keep=1h");
    sweeper_run(f);
    assert_null(recorder_series(f, "urn:e"));
    assert_int_equal(sweeper_swept(f).dropped, CHUNK);
    assert_int_equal(sweeper_swept(f).chunks_dropped, 1);
    struct embedded_report report;
    struct why why = {0};
    opened_shut(&o);
    enum status st = embedded_check(o.dir, &report, NULL, NULL, &why);
    opened_start(&o);
    assert_int_equal(st, E_DAMAGED); /* it can still be looked at, until the next sweep: its header says how old it is */
    sweeper_retain(f, "keep=1h");
    sweeper_run(f);
    opened_shut(&o);
    opened_assert_sound(&o);
    opened_start(&o);
    recorder_put(f, "urn:e", 50, 5);
    recorder_assert_range(f, "urn:e", 50, 5);
}

/* ---- the bytes of one ---- */

enum { TERMS = 9, POINTS = 5 };

/* Three series, of 5, 6 and 7 sealed chunks. */
static void make_past(struct past *p, struct arena *a)
{
    static const struct {
        uint32_t term;
        const char *dataset;
    } SERIES[] = {{1, ""}, {1, "urn:d"}, {4, ""}};
    past_init(p, TERMS, a);
    p->applied = 70000;
    p->chunks_made = 300;
    p->created_at = 1;
    p->type_count = 2;
    p->types = arena_array(a, uint32_t, 2);
    p->types[0] = 3;
    p->types[1] = 8;
    for (uint32_t i = 0; i < 3; i++) {
        struct past_series *s = past_series(p, SERIES[i].term, str_of(SERIES[i].dataset));
        s->sealed = s->taken = 5 + i;
        s->points = arena_zarray(a, struct point, POINTS);
        for (s->count = 0; s->count < POINTS; s->count++)
            s->points[s->count] = (struct point){.attr = {.term = s->term,
                                                          .kind = ATTR_PROPERTY,
                                                          .dataset = s->dataset,
                                                          .value = {.kind = VALUE_INT, .integer = s->count},
                                                          .observed_at = TIME_NONE,
                                                          .expires_at = TIME_NONE,
                                                          .seq = 10 + s->count},
                                                 .deleted_at = TIME_NONE};
    }
}

/* What is read is what was written, and what is not read is told of. */
static void assert_damage_is_told(struct str bytes, struct arena *a)
{
    struct past was, is;
    struct why why = {0};
    uint32_t whole = 0;
    make_past(&was, a);
    past_init(&is, TERMS, a);
    enum status st = past_read(&is, bytes, &why);
    for (uint32_t i = 0; i < is.count; i++) {
        struct past_series *s = &is.series[i];
        const struct past_series *w = past_find(&was, s->term, s->dataset);
        past_open(&is, s);
        assert_non_null(w);
        assert_true(s->sealed == w->sealed && s->taken == w->taken);
        assert_true(s->count == POINTS || (s->count == 0 && (s->damaged_count || st == E_DAMAGED)));
        whole += s->count == POINTS;
    }
    assert_true(st == E_DAMAGED ? is.lost || is.series_lost : st == OK && (is.damaged || whole == 3));
    assert_true(bytes.n < 100 || whole >= 2);
    assert_true(is.lost || (is.applied == was.applied && is.chunks_made == was.chunks_made && is.type_count == 2));
}

static void test_every_bit_of_a_head_is_watched(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct past p;
    struct buf b;
    struct why why = {0};
    buf_init(&b, SIZE_MAX / 2);
    make_past(&p, a);
    past_write(&b, &p);
    past_init(&p, TERMS, a);
    assert_int_equal(past_read(&p, buf_view(&b), &why), OK);
    assert_int_equal(p.count, 3);
    for (size_t bit = 0; bit < 8 * b.n; bit++) {
        b.p[bit / 8] ^= (char)(1 << bit % 8);
        assert_damage_is_told(buf_view(&b), a);
        b.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t n = 0; n < b.n; n++) {
        past_init(&p, TERMS, a);
        assert_true(past_read(&p, str_head(buf_view(&b), n), &why) == E_DAMAGED);
    }
    buf_free(&b);
    arena_free(a);
}

/* Of one instance, of change 80000, in a series of its own. */
static void write_group(struct buf *b)
{
    struct buf items;
    struct item i = {.kind = ITEM_POINT,
                     .point = {.attr = {.term = 7,
                                        .kind = ATTR_PROPERTY,
                                        .dataset = STR(""),
                                        .value = {.kind = VALUE_INT, .integer = 5},
                                        .observed_at = TIME_NONE,
                                        .expires_at = TIME_NONE},
                               .deleted_at = TIME_NONE}};
    buf_init(&items, 1 << 10);
    item_write(&items, &i);
    varint_write(b, 80000);
    varint_write_text(b, buf_view(&items));
    buf_free(&items);
}

static void test_every_bit_of_a_tail_is_watched(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct past p;
    struct buf b, tail;
    struct why why = {0};
    buf_init(&b, SIZE_MAX / 2);
    buf_init(&tail, SIZE_MAX / 2);
    make_past(&p, a);
    write_group(&tail);
    past_head_write(&b, &(struct past_head){.tail = STR(""), .body = STR("")}, buf_view(&tail));
    size_t begin = b.n, end;
    past_write_body(&b, &p);
    end = b.n;
    past_init(&p, TERMS, a);
    assert_int_equal(past_read(&p, buf_view(&b), &why), OK);
    assert_true(p.count == 4 && p.applied == 80000 && p.series[3].count == 1);
    for (size_t bit = 0; bit < 8 * begin; bit++) { /* the rest is there, but for the tail */
        b.p[bit / 8] ^= (char)(1 << bit % 8);
        past_init(&p, TERMS, a);
        assert_int_equal(past_read(&p, buf_view(&b), &why), E_DAMAGED);
        assert_true(p.series_lost && !p.lost && p.count == 3 && p.applied == 70000);
        b.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t at = begin; at < end - 200; at++) { /* the tail is there, whatever else is */
        b.p[at] ^= 4;
        past_init(&p, TERMS, a);
        enum status st = past_read(&p, buf_view(&b), &why);
        const struct past_series *s = past_find(&p, 7, STR(""));
        assert_true(s && s->count == 1 && p.applied == 80000);
        assert_true(st == OK || (p.series_lost && s->rebuilt)); /* OK: amid an open chunk */
        b.p[at] ^= 4;
    }
    buf_free(&b);
    buf_free(&tail);
    arena_free(a);
}

static int setup(void **state)
{
    opened_init(*state);
    o.options.log_bytes_max = 1 << 30; /* no fold but ours */
    opened_start(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, opened_teardown, &o)

/* As programs wrote it before version 2. */
static void write_old(struct buf *b, const struct past *p)
{
    struct buf chunk, open;
    varint_write(b, p->applied);
    varint_write(b, p->taken);
    varint_write(b, p->chunks_made);
    for (int i = 0; i < 3; i++)
        buf_le64(b, (uint64_t)(i ? TIME_NONE : p->created_at));
    varint_write(b, p->type_count);
    for (uint32_t i = 0; i < p->type_count; i++)
        varint_write(b, p->types[i]);
    varint_write(b, p->count);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct past_series *s = &p->series[i];
        buf_init(&chunk, SIZE_MAX / 2);
        buf_init(&open, SIZE_MAX / 2);
        chunk_write(&chunk, s->points, s->count);
        varint_write_text(&open, buf_view(&chunk));
        varint_write(b, s->term);
        varint_write_text(b, s->dataset);
        varint_write(b, s->taken);
        varint_write(b, s->sealed);
        varint_write(b, s->count);
        varint_write_text(b, buf_view(&open));
        buf_free(&chunk);
        buf_free(&open);
    }
}

static void test_a_head_of_version_1_is_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct past was, is;
    struct buf b;
    struct why why = {0};
    buf_init(&b, SIZE_MAX / 2);
    make_past(&was, a);
    write_old(&b, &was);
    past_init(&is, TERMS, a);
    assert_int_equal(past_read(&is, buf_view(&b), &why), OK);
    assert_true(is.applied == 70000 && is.chunks_made == 300 && is.created_at == 1 && is.deleted_at == TIME_NONE);
    assert_true(is.type_count == 2 && is.types[1] == 8 && is.expires_at == TIME_NONE && is.count == 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct past_series *s = &is.series[i];
        assert_true(s->term == was.series[i].term && str_eq(s->dataset, was.series[i].dataset));
        assert_true(s->sealed == 5 + i && s->taken == 5 + i && s->open_count == POINTS && !past_has_kept(s));
        past_open(&is, s);
        assert_true(s->count == POINTS && s->points[4].attr.value.integer == 4);
    }
    for (size_t n = 0; n < b.n; n++) {
        past_init(&is, TERMS, a);
        why = (struct why){0};
        assert_int_equal(past_read(&is, str_head(buf_view(&b), n), &why), E_DAMAGED);
    }
    buf_free(&b);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_damaged_chunk_is_left_out),
        TEST(test_a_damaged_open_chunk_is_left_out),
        TEST(test_damage_anywhere_in_a_head_costs_what_it_hits),
        TEST(test_folds_go_on_over_a_damaged_head),
        TEST(test_groups_come_once_over_a_damaged_head),
        TEST(test_a_sweep_has_a_damaged_head_made_again),
        TEST(test_a_reader_has_a_damaged_head_made_again),
        TEST(test_a_sweep_goes_on_over_a_damaged_open_chunk),
        cmocka_unit_test(test_a_head_of_version_1_is_read),
        cmocka_unit_test(test_every_bit_of_a_head_is_watched),
        cmocka_unit_test(test_every_bit_of_a_tail_is_watched),
    };
    return cmocka_run_group_tests_name("store/history_damage", tests, NULL, NULL);
}
