/* Lanes: order, bounds, what is taken, and what outlives a restart. */
#include "broker/outbox.h"
#include "model/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANE_MAX = 4, ROOM = 10, SAVED_MAX = 8 };

struct saved {
    char *key, *bytes;
    size_t key_n, bytes_n;
};

struct boxed {
    struct arena *arena;
    struct terms *terms;
    struct outbox *outbox;
    struct lane *lane;
    uint32_t term, wakes;
    struct saved saved[SAVED_MAX];
    uint32_t saved_count;
    struct due_item items[ROOM];
};

static const struct subscription_limits LIMITS = {
    .filter = {100, 8, 100, 100}, .projection = {100, 4}, .selectors_max = 10, .names_max = 10,
    .pairs_max = 10, .timeout_max_ms = 5000};

static void wake(void *arg)
{
    ((struct boxed *)arg)->wakes++;
}

static struct outbox *open_box(struct boxed *b, size_t bytes_max)
{
    struct outbox_options o = {LANE_MAX, bytes_max, b->terms};
    return outbox_new(&o, wake, b);
}

static struct lane *subscribe(struct boxed *b, const char *id, const char *members)
{
    struct subscription *s;
    struct why why = {0};
    char text[512];
    snprintf(text, sizeof text,
             "{\"id\":\"%s\",\"type\":\"Subscription\",%s\"notification\":{\"endpoint\":"
             "{\"uri\":\"http://localhost:9/n\"}}}",
             id, members);
    static const struct json_limits limits = {32, 1 << 20};
    struct json v;
    assert_int_equal(json_read(b->arena, str_of(text), &limits, &v, &why), OK);
    struct subscription_reader r = {.context = context_core(), .terms = b->terms, .limits = &LIMITS,
                                    .arena = b->arena, .context_url = STR("https://example.org/c")};
    struct buf stored;
    buf_init(&stored, 1 << 20);
    if (subscription_read(&r, &v, STR("urn:s:x"), &stored, &why) != OK)
        fail_msg("%s %s", why.pointer, why.text);
    assert_int_equal(subscription_compile(&s, STR("t"), buf_view(&stored), b->terms, &LIMITS, &why), OK);
    struct lane *lane = outbox_set(b->outbox, s);
    subscription_unref(s);
    buf_free(&stored);
    return lane;
}

#define ALL "\"entities\":[{\"type\":\"*\"}],"

static int setup(void **state)
{
    struct boxed *b = mem_zalloc(sizeof *b);
    struct why why = {0};
    b->arena = arena_new(0);
    b->terms = terms_new(1000);
    context_setup(b->terms);
    b->term = terms_intern(b->terms, STR("https://example.org/v"), &why);
    b->outbox = open_box(b, 1 << 20);
    b->lane = subscribe(b, "urn:s:1", ALL);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct boxed *b = *state;
    outbox_free(b->outbox);
    for (uint32_t i = 0; i < b->saved_count; i++) {
        free(b->saved[i].key);
        free(b->saved[i].bytes);
    }
    terms_free(b->terms);
    arena_free(b->arena);
    free(b);
    return 0;
}

static struct doc *version(struct boxed *b, int id, uint64_t seq)
{
    struct attr a = {.term = b->term, .kind = ATTR_PROPERTY, .dataset = STR(""),
                     .value = {.kind = VALUE_INT, .integer = (int64_t)seq},
                     .observed_at = TIME_NONE, .expires_at = TIME_NONE};
    struct entity e = {.id = arena_printf(b->arena, "urn:e:%d", id), .type_count = 1,
                       .types = &b->term, .expires_at = TIME_NONE, .attr_count = 1, .attrs = &a};
    struct doc *d = arena_alloc(b->arena, doc_size(&e));
    doc_encode(&e, d);
    doc_set_seq(d, seq);
    return d;
}

/* Entity id goes from version `before` (0: none) to seq (deleted: NULL) by change seq. */
static void put(struct boxed *b, struct lane *lane, int id, uint64_t before, uint64_t seq, bool deleted)
{
    struct outbox_change c = {.seq = seq, .at_us = (int64_t)seq,
                              .before = before ? version(b, id, before) : NULL,
                              .after = deleted ? NULL : version(b, id, seq)};
    outbox_put(b->outbox, lane, &c, true);
    outbox_end(b->outbox, &c);
    outbox_flush(b->outbox, seq);
}

static uint32_t take(struct boxed *b)
{
    return outbox_take(b->outbox, b->lane, b->items, ROOM);
}

static uint64_t seq_of(const struct doc *d)
{
    return d ? doc_seq(d) : 0;
}

static void no_message_has_two_versions_of_one(void **state)
{
    struct boxed *b = *state;
    put(b, b->lane, 1, 0, 1, false);
    put(b, b->lane, 2, 0, 2, false);
    put(b, b->lane, 1, 1, 3, false);
    assert_int_equal(b->wakes, 1); /* nobody asked meanwhile */
    assert_ptr_equal(outbox_next(b->outbox), b->lane);
    assert_null(outbox_next(b->outbox));
    assert_int_equal(take(b), 2);
    assert_int_equal(b->items[1].last_seq, 2);
    put(b, b->lane, 3, 0, 4, false);
    assert_int_equal(b->wakes, 2);
    assert_int_equal(take(b), 2); /* the same again, as nothing was settled */
    assert_true(outbox_settle(b->outbox, b->lane, false));
    assert_int_equal(take(b), 2);
    assert_int_equal(b->items[0].last_seq, 3);
    assert_int_equal(seq_of(b->items[0].before), 1);
    assert_false(outbox_settle(b->outbox, b->lane, false));
    assert_int_equal(take(b), 0);
}

static void a_full_lane_merges_what_is_of_one_entity(void **state)
{
    struct boxed *b = *state;
    put(b, b->lane, 1, 0, 1, false);
    put(b, b->lane, 2, 0, 2, false);
    put(b, b->lane, 1, 1, 3, false);
    put(b, b->lane, 1, 3, 4, false);
    put(b, b->lane, 1, 4, 5, false);
    struct subscription_counters c;
    assert_true(outbox_counters(b->outbox, STR("t"), STR("urn:s:1"), &c));
    assert_int_equal(c.merged, 1);
    assert_int_equal(c.dropped, 0);
    assert_int_equal(take(b), 2);
    assert_int_equal(b->items[0].last_seq, 2);
    assert_int_equal(b->items[1].first_seq, 1); /* it says what 1 and 3 did together: */
    assert_int_equal(b->items[1].last_seq, 3);
    assert_null(b->items[1].before); /* the entity was created */
}

static void a_full_lane_drops_its_oldest_else(void **state)
{
    struct boxed *b = *state;
    for (int i = 1; i <= LANE_MAX + 2; i++)
        put(b, b->lane, i, 0, (uint64_t)i, false);
    struct subscription_counters c;
    assert_true(outbox_counters(b->outbox, STR("t"), STR("urn:s:1"), &c));
    assert_int_equal(c.dropped, 2);
    assert_int_equal(take(b), LANE_MAX);
    assert_int_equal(b->items[0].last_seq, 3);
}

static void what_is_taken_is_left_alone(void **state)
{
    struct boxed *b = *state;
    put(b, b->lane, 1, 0, 1, false);
    assert_int_equal(take(b), 1);
    for (uint64_t seq = 2; seq < 12; seq++)
        put(b, b->lane, 1, seq - 1, seq, false);
    assert_int_equal(take(b), 1);
    assert_int_equal(b->items[0].last_seq, 1);
    assert_true(outbox_settle(b->outbox, b->lane, false));
    assert_int_equal(take(b), 1);
    assert_int_equal(b->items[0].first_seq, 2);
    assert_int_equal(seq_of(b->items[0].before), 1);
}

static void a_deletion_has_a_version_to_speak_of(void **state)
{
    struct boxed *b = *state;
    struct lane *lane = subscribe(b, "urn:s:2", ALL "\"throttling\":5,");
    put(b, lane, 1, 0, 1, false);
    put(b, lane, 1, 1, 2, true);
    assert_int_equal(outbox_take(b->outbox, lane, b->items, ROOM), 1);
    assert_null(b->items[0].after);
    assert_int_equal(seq_of(b->items[0].before), 1);
}

static void all_together_are_bounded(void **state)
{
    struct boxed *b = *state;
    outbox_free(b->outbox);
    b->outbox = open_box(b, 2000);
    b->lane = subscribe(b, "urn:s:1", ALL);
    struct lane *other = subscribe(b, "urn:s:2", ALL);
    for (int i = 0; i < 30; i++)
        put(b, i % 3 ? b->lane : other, i, 0, (uint64_t)i + 1, false);
    struct outbox_stats s;
    outbox_stats(b->outbox, &s);
    assert_true(s.bytes <= 2000);
    assert_int_equal(s.put, 30);
    assert_int_equal(s.waiting + s.dropped, 30);
    assert_true(s.waiting > 2);
}

static uint64_t bytes(struct boxed *b)
{
    struct outbox_stats s;
    outbox_stats(b->outbox, &s);
    return s.bytes;
}

static struct subscription_counters counters(struct boxed *b, const char *id)
{
    struct subscription_counters c;
    assert_true(outbox_counters(b->outbox, STR("t"), str_of(id), &c));
    return c;
}

/* Three wait in the fat lane, all on their way; two in the next. */
static void the_next_fat_lane_makes_room_for_others(void **state)
{
    struct boxed *b = *state;
    for (int i = 1; i <= 3; i++)
        put(b, b->lane, i, 0, (uint64_t)i, false);
    uint64_t one = bytes(b) / 3;
    outbox_free(b->outbox);
    b->outbox = open_box(b, 5 * one);
    b->lane = subscribe(b, "urn:s:1", ALL);
    struct lane *next = subscribe(b, "urn:s:2", ALL);
    struct lane *third = subscribe(b, "urn:s:3", ALL);
    for (int i = 1; i <= 5; i++)
        put(b, i <= 3 ? b->lane : next, i, 0, (uint64_t)i, false);
    assert_int_equal(take(b), 3);
    put(b, third, 6, 0, 6, false);
    assert_true(bytes(b) <= 5 * one);
    assert_int_equal(counters(b, "urn:s:1").dropped, 0);
    assert_int_equal(counters(b, "urn:s:2").dropped, 1);
    assert_int_equal(counters(b, "urn:s:3").dropped, 0);
    assert_int_equal(outbox_take(b->outbox, next, b->items, ROOM), 1);
    assert_int_equal(b->items[0].last_seq, 5);
    assert_int_equal(outbox_take(b->outbox, third, b->items, ROOM), 1);
    put(b, next, 7, 0, 7, false); /* all else is on its way */
    assert_true(bytes(b) <= 5 * one);
    assert_int_equal(counters(b, "urn:s:2").dropped, 2);
    assert_int_equal(take(b), 3);
}

/* ---- a restart ---- */

static void keep(void *arg, struct str key, struct str bytes)
{
    struct boxed *b = arg;
    struct saved *s = &b->saved[b->saved_count++];
    assert_true(b->saved_count <= SAVED_MAX);
    *s = (struct saved){malloc(key.n), malloc(bytes.n), key.n, bytes.n};
    memcpy(s->key, key.p, key.n);
    memcpy(s->bytes, bytes.p, bytes.n);
}

static void save(struct boxed *b)
{
    outbox_save(b->outbox, outbox_freeze(b->outbox), keep, b);
}

static void restore(struct boxed *b)
{
    for (uint32_t i = 0; i < b->saved_count; i++)
        outbox_restore(b->outbox, (struct str){b->saved[i].key, b->saved[i].key_n},
                       (struct str){b->saved[i].bytes, b->saved[i].bytes_n});
}

static void restart(struct boxed *b, struct str position)
{
    outbox_free(b->outbox);
    b->outbox = open_box(b, 1 << 20);
    b->lane = subscribe(b, "urn:s:1", ALL);
    outbox_reposition(b->outbox, position);
    restore(b);
}

static void what_waits_outlives_a_restart(void **state)
{
    struct boxed *b = *state;
    struct buf position;
    buf_init(&position, 1 << 16);
    put(b, b->lane, 1, 0, 1, false);
    put(b, b->lane, 2, 0, 2, false);
    put(b, b->lane, 1, 1, 3, true);
    save(b);
    assert_int_equal(take(b), 2);
    assert_true(outbox_settle(b->outbox, b->lane, false)); /* behind the save */
    outbox_position(b->outbox, 10, &position);
    restart(b, buf_view(&position));
    put(b, b->lane, 2, 0, 2, false); /* told again: it was delivered */
    put(b, b->lane, 4, 0, 4, false);
    assert_int_equal(take(b), 2);
    assert_int_equal(b->items[0].last_seq, 3);
    assert_null(b->items[0].after);
    assert_int_equal(seq_of(b->items[0].before), 1);
    assert_int_equal(b->items[1].last_seq, 4);
    buf_free(&position);
}

/* One lane is delivered, one is removed, and more comes: saved is what waited when it was frozen, and
 * what is only held for saving takes no room from what waits. */
static void what_is_frozen_stays_while_the_outbox_goes_on(void **state)
{
    struct boxed *b = *state;
    struct lane *second = subscribe(b, "urn:s:2", ALL), *third = subscribe(b, "urn:s:3", ALL);
    put(b, b->lane, 1, 0, 1, false);
    put(b, second, 1, 0, 2, false);
    put(b, third, 1, 0, 3, false);
    struct outbox_frozen *frozen = outbox_freeze(b->outbox);
    take(b);
    assert_false(outbox_settle(b->outbox, b->lane, false));
    outbox_remove(b->outbox, second);
    while (outbox_next(b->outbox) != second)
        ;
    lane_free(b->outbox, second);
    put(b, third, 1, 3, 4, true);
    assert_int_equal(outbox_take(b->outbox, third, b->items, ROOM), 1);
    assert_true(outbox_settle(b->outbox, third, false));
    assert_int_equal(outbox_take(b->outbox, third, b->items, ROOM), 1);
    assert_false(outbox_settle(b->outbox, third, false));
    assert_int_equal(bytes(b), 0);
    outbox_save(b->outbox, frozen, keep, b);
    assert_int_equal(b->saved_count, 3);
    restart(b, STR(""));
    third = subscribe(b, "urn:s:3", ALL);
    restore(b);
    assert_int_equal(take(b), 1);
    assert_int_equal(b->items[0].last_seq, 1);
    assert_int_equal(outbox_take(b->outbox, third, b->items, ROOM), 1);
    assert_int_equal(b->items[0].last_seq, 3);
    assert_int_equal(seq_of(b->items[0].after), 3);
}

/* At the bound, versions that are held do not make the outbox drop those that wait. */
static void what_is_frozen_does_not_push_out_what_waits(void **state)
{
    struct boxed *b = *state;
    put(b, b->lane, 1, 0, 1, false);
    uint64_t one = bytes(b);
    outbox_free(b->outbox);
    b->outbox = open_box(b, 2 * one);
    b->lane = subscribe(b, "urn:s:1", ALL);
    put(b, b->lane, 1, 0, 1, false);
    put(b, b->lane, 2, 0, 2, false);
    struct outbox_frozen *frozen = outbox_freeze(b->outbox);
    put(b, b->lane, 3, 0, 3, false); /* the oldest goes for it, and no more */
    put(b, b->lane, 4, 0, 4, false);
    assert_int_equal(take(b), 2);
    assert_int_equal(b->items[0].last_seq, 3);
    outbox_save(b->outbox, frozen, keep, b);
    restart(b, STR(""));
    restore(b);
    assert_int_equal(take(b), 2);
    assert_int_equal(b->items[0].last_seq, 1);
}

static void a_lane_that_lags_holds_no_other(void **state)
{
    struct boxed *b = *state;
    struct buf position;
    buf_init(&position, 1 << 16);
    struct lane *other = subscribe(b, "urn:s:2", ALL);
    put(b, b->lane, 1, 0, 1, false);
    put(b, other, 1, 0, 1, false);
    put(b, other, 1, 1, 9, false);
    assert_int_equal(take(b), 1);
    assert_false(outbox_settle(b->outbox, b->lane, false));
    outbox_position(b->outbox, 10, &position);
    restart(b, buf_view(&position));
    put(b, b->lane, 1, 0, 8, false); /* delivered up to 9 */
    assert_int_equal(take(b), 0);
    other = subscribe(b, "urn:s:2", ALL);
    buf_clear(&position);
    outbox_position(b->outbox, 0, &position); /* none listed: all are held back to the slowest */
    put(b, other, 1, 0, 10, false);
    buf_clear(&position);
    outbox_position(b->outbox, 0, &position);
    restart(b, buf_view(&position));
    put(b, b->lane, 1, 0, 10, false);
    assert_int_equal(take(b), 1);
    buf_free(&position);
}

/* The document's numbers as docs/formats/outbox.md has them: all others' place, then a place and two lengths a lane. */
static void those_that_lag_most_are_listed(void **state)
{
    enum { LANES = 211, LISTED = 10, HEAD = 8 };
    struct boxed *b = *state;
    struct buf position;
    buf_init(&position, 1 << 16);
    for (uint64_t i = 0; i < LANES; i++) { /* the changes 1 to LANES, in no order */
        char id[32];
        snprintf(id, sizeof id, "urn:s:l%03u", (unsigned)i);
        put(b, subscribe(b, id, ALL), 1, 0, 1 + (i * 97 + 13) % LANES, false);
    }
    outbox_position(b->outbox, LISTED, &position);
    const char *at = position.p + HEAD;
    uint64_t seq;
    memcpy(&seq, at, sizeof seq);
    assert_int_equal(seq, LISTED); /* before the change of the first that is not listed */
    at += sizeof seq;
    for (uint64_t i = 0; i < LISTED; i++) {
        memcpy(&seq, at, sizeof seq);
        assert_int_equal(seq, i);
        at += sizeof seq + 8 + strlen("t") + strlen("urn:s:l000");
    }
    assert_ptr_equal(at, position.p + position.n);
    buf_free(&position);
}

static void counters_outlive_a_restart(void **state)
{
    struct boxed *b = *state;
    struct str tenant, id;
    struct subscription_counters c;
    struct buf bytes;
    buf_init(&bytes, 1 << 16);
    assert_false(outbox_changed_counters(b->outbox, b->arena, &tenant, &id, &bytes));
    outbox_count(b->outbox, b->lane, false, 7);
    outbox_count(b->outbox, b->lane, true, 8);
    assert_true(outbox_changed_counters(b->outbox, b->arena, &tenant, &id, &bytes));
    assert_false(outbox_changed_counters(b->outbox, b->arena, &tenant, &id, &bytes));
    restart(b, STR(""));
    outbox_restore_counters(b->outbox, tenant, id, buf_view(&bytes));
    assert_true(outbox_counters(b->outbox, tenant, id, &c));
    assert_int_equal(c.sent, 2);
    assert_int_equal(c.failed, 1);
    assert_int_equal(c.last_failure, 7);
    assert_int_equal(c.last_success, 8);
    assert_false(c.last_failed);
    buf_free(&bytes);
}

static void damage_is_left_out(void **state)
{
    struct boxed *b = *state;
    put(b, b->lane, 1, 0, 1, false);
    put(b, b->lane, 2, 0, 2, false);
    save(b);
    for (size_t n = 0; n < b->saved[0].bytes_n; n++) { /* cut anywhere */
        size_t whole = b->saved[0].bytes_n;
        b->saved[0].bytes_n = n;
        restart(b, STR(""));
        assert_true(take(b) <= 1);
        b->saved[0].bytes_n = whole;
    }
    b->saved[0].bytes[4] = 9; /* a version that nobody knows */
    restart(b, STR("WSOP"));
    assert_int_equal(take(b), 0);
}

/* An arrival is counted and settles what was taken, in one. */
static void what_arrived_is_settled(void **state)
{
    struct boxed *b = *state;
    struct subscription *s;
    struct subscription_counters c;
    struct due_item items[4];
    uint32_t waiting;
    put(b, b->lane, 1, 0, 1, false);
    put(b, b->lane, 1, 1, 2, false); /* of the same entity: not in the same message */
    assert_int_equal(outbox_look(b->outbox, b->lane, &s, &waiting), LANE_LIVES);
    assert_int_equal(waiting, 2);
    assert_true(str_eq(s->id, STR("urn:s:1")));
    subscription_unref(s);
    assert_int_equal(outbox_take(b->outbox, b->lane, items, 4), 1);
    outbox_count(b->outbox, b->lane, false, 7);
    assert_int_equal(outbox_take(b->outbox, b->lane, items, 4), 1); /* again */
    assert_int_equal(items[0].last_seq, 1);
    outbox_count(b->outbox, b->lane, true, 8);
    assert_int_equal(outbox_take(b->outbox, b->lane, items, 4), 1);
    assert_int_equal(items[0].last_seq, 2);
    outbox_count(b->outbox, b->lane, true, 9);
    assert_int_equal(outbox_look(b->outbox, b->lane, &s, &waiting), LANE_LIVES);
    assert_int_equal(waiting, 0);
    subscription_unref(s);
    assert_true(outbox_counters(b->outbox, STR("t"), STR("urn:s:1"), &c));
    assert_int_equal(c.sent, 3);
    assert_int_equal(c.failed, 1);
}

static void a_removed_lane_goes_to_who_takes_out(void **state)
{
    struct boxed *b = *state;
    put(b, b->lane, 1, 0, 1, false);
    while (outbox_next(b->outbox))
        ;
    outbox_remove(b->outbox, b->lane);
    assert_null(outbox_find(b->outbox, STR("t"), STR("urn:s:1")));
    assert_int_equal(outbox_life(b->outbox, b->lane), LANE_LEAVES); /* it would be given out once it is free */
    assert_ptr_equal(outbox_next(b->outbox), b->lane);
    assert_int_equal(outbox_life(b->outbox, b->lane), LANE_LEFT);
    lane_free(b->outbox, b->lane);
    assert_null(outbox_next(b->outbox));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_message_has_two_versions_of_one),
        TEST(a_full_lane_merges_what_is_of_one_entity),
        TEST(a_full_lane_drops_its_oldest_else),
        TEST(what_is_taken_is_left_alone),
        TEST(a_deletion_has_a_version_to_speak_of),
        TEST(all_together_are_bounded),
        TEST(the_next_fat_lane_makes_room_for_others),
        TEST(what_waits_outlives_a_restart),
        TEST(what_is_frozen_stays_while_the_outbox_goes_on),
        TEST(what_is_frozen_does_not_push_out_what_waits),
        TEST(a_lane_that_lags_holds_no_other),
        TEST(those_that_lag_most_are_listed),
        TEST(counters_outlive_a_restart),
        TEST(damage_is_left_out),
        TEST(what_arrived_is_settled),
        TEST(a_removed_lane_goes_to_who_takes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
