/* Order, retries, splitting, back-pressure: a sink that answers late, in any order, and refuses. */
#include "check.h"

#include "base/time.h"
#include "sense/carrier.h"

#include <stdlib.h>

#define ITEMS_MAX 4000
#define HELD_MAX 16

/* A stream of numbered items and a city whose mood is scripted. */
struct world {
    struct loop *loop;
    struct carrier *carrier;
    struct sink sink;
    uint32_t random;
    /* the stream */
    uint32_t items, pulled;
    uint32_t ids;           /* ids repeat after so many items */
    uint32_t reject_every;  /* the source rejects each nth item; 0: none */
    uint32_t context_every; /* runs of items with an own context */
    char text[64], id[32];
    struct why why;
    /* the city */
    struct task answer, stop;
    struct sink_batch *held[HELD_MAX]; /* under way */
    uint32_t held_count, held_most;
    uint32_t poison;      /* number of an item that spoils its batch; 0: none */
    uint32_t busy_first;  /* so many batches are refused as busy */
    uint32_t busy_single; /* so many single entities are refused as busy */
    int64_t pause_us;     /* that a busy city asks for */
    int64_t quiet_until;  /* monotonic; nothing may come before */
    uint32_t down;        /* so many batches do not arrive */
    enum status down_status;
    uint32_t stop_after; /* rows; 0: never */
    uint32_t batches;
    bool strict;                /* no id twice under way */
    uint32_t stored[ITEMS_MAX]; /* per id: number of the last item */
    /* what came back */
    uint32_t rows, rejected;
    bool finished;
    enum status status;
    char reason[512];
};

static uint32_t next_random(struct world *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random >> 8;
}

static bool pull(void *arg, struct source_item *item, uint32_t *input)
{
    struct world *w = arg;
    if (w->pulled == w->items)
        return false;
    uint32_t n = ++w->pulled;
    *item = (struct source_item){.line = n, .after = {.record = n}};
    *input = n % 3;
    if (w->reject_every && n % w->reject_every == 0) {
        why_clear(&w->why);
        (void)why_set(&w->why, E_BAD_DATA, NULL, "item %u is bad", n);
        item->why = &w->why;
        return true;
    }
    item->id = (struct str){w->id, (size_t)snprintf(w->id, sizeof w->id, "urn:%u", n % w->ids)};
    item->json = (struct str){w->text, (size_t)snprintf(w->text, sizeof w->text, "{\"n\":%u}", n)};
    item->own_context = w->context_every && (n / w->context_every) % 2;
    return true;
}

static uint32_t number_of(const struct sink_entity *e)
{
    return (uint32_t)strtoul(e->json.p + 5, NULL, 10);
}

/* Stores an entity, or refuses it, as the script says. */
static void judge(struct world *w, struct sink_batch *b, struct sink_entity *e)
{
    uint32_t n = number_of(e);
    uint32_t id = (uint32_t)strtoul(e->id.p + 4, NULL, 10);
    if (w->busy_single && next_random(w) % 4 == 0) {
        w->busy_single--;
        e->status = E_BUSY;
        e->reason = STR("not now");
        return;
    }
    if (n % 97 == 0) {
        e->status = E_BAD_DATA;
        e->reason = arena_printf(b->arena, "no %u", n);
        return;
    }
    assert_true(w->stored[id] < n); /* a later item never loses against an earlier one */
    e->fate = w->stored[id] == 0 ? SINK_CREATED : SINK_UPDATED;
    e->status = OK;
    w->stored[id] = n;
}

static void answer_one(struct world *w, struct sink_batch *b)
{
    why_clear(&b->why);
    b->status = OK;
    if (w->down) {
        w->down--;
        b->status = why_set(&b->why, w->down_status, NULL, "nobody there");
    } else if (w->busy_first) {
        w->busy_first--;
        b->status = why_set(&b->why, E_BUSY, NULL, "busy");
        b->retry_after_us = w->pause_us;
        w->quiet_until = time_monotonic() + w->pause_us;
    }
    for (uint32_t i = 0; b->status == OK && i < b->count; i++)
        if (w->poison && number_of(b->entities[i]) == w->poison)
            b->status = why_set(&b->why, E_BAD_DATA, NULL, "spoilt");
    for (uint32_t i = 0; b->status == OK && i < b->count; i++)
        judge(w, b, b->entities[i]);
    b->done(b);
}

/* Answers a random one of those under way. */
static void answer(struct task *task)
{
    struct world *w = container_of(task, struct world, answer);
    uint32_t i = next_random(w) % w->held_count;
    struct sink_batch *b = w->held[i];
    w->held[i] = w->held[--w->held_count];
    if (w->held_count > 0)
        runner_post(loop_runner(w->loop), &w->answer);
    uint32_t left = w->held_count;
    answer_one(w, b);
    assert_true(w->held_count >= left);
}

static void send_batch(struct sink *sink, struct sink_batch *b)
{
    struct world *w = container_of(sink, struct world, sink);
    assert_true(b->count > 0 && w->held_count < HELD_MAX);
    assert_true(time_monotonic() >= w->quiet_until);
    assert_int_equal(b->retry_after_us, 0);
    w->batches++;
    for (uint32_t h = 0; h < w->held_count; h++)
        for (uint32_t i = 0; i < w->held[h]->count; i++)
            for (uint32_t k = 0; k < b->count; k++)
                assert_false(str_eq(w->held[h]->entities[i]->id, b->entities[k]->id));
    for (uint32_t k = 0; k < b->count; k++) {
        uint32_t n = number_of(b->entities[k]);
        assert_int_equal(b->own_context, w->context_every && (n / w->context_every) % 2);
    }
    w->held[w->held_count++] = b;
    if (w->held_count > w->held_most)
        w->held_most = w->held_count;
    if (w->held_count == 1)
        runner_post(loop_runner(w->loop), &w->answer);
}

static void stop(struct task *task)
{
    carrier_stop(container_of(task, struct world, stop)->carrier);
}

static void row(void *arg, const struct carrier_row *r)
{
    struct world *w = arg;
    uint32_t n = ++w->rows;
    assert_int_equal(r->line, n); /* in order, each once */
    assert_int_equal(r->input, n % 3);
    assert_int_equal(r->after.record, n);
    bool bad = w->reject_every && n % w->reject_every == 0;
    bool refused = !bad && (n % 97 == 0 || n == w->poison);
    assert_int_equal(r->status, bad || refused ? E_BAD_DATA : OK);
    char expected[40];
    if (bad)
        snprintf(expected, sizeof expected, "item %u is bad", n);
    else if (n == w->poison)
        snprintf(expected, sizeof expected, "spoilt");
    else
        snprintf(expected, sizeof expected, "no %u", n);
    if (bad || refused)
        assert_str(r->reason, expected);
    else
        assert_true(r->fate == SINK_CREATED || w->ids < ITEMS_MAX);
    w->rejected += r->status != OK;
    if (w->stop_after && n == w->stop_after)
        runner_post(loop_runner(w->loop), &w->stop);
}

static void done(void *arg, enum status status, const struct why *why)
{
    struct world *w = arg;
    assert_false(w->finished);
    assert_int_equal(w->held_count, 0);
    w->finished = true;
    w->status = status;
    snprintf(w->reason, sizeof w->reason, "%s", why->text);
    loop_stop(w->loop);
}

static void run(struct world *w, uint32_t batches, uint32_t entities, size_t bytes,
                int64_t patience_us)
{
    assert_int_equal(loop_new(&w->loop, NULL), OK);
    w->sink.send = send_batch;
    w->answer.run = answer;
    w->stop.run = stop;
    if (!w->ids)
        w->ids = ITEMS_MAX;
    w->carrier = carrier_start(&(struct carrier_options){
        .loop = w->loop,
        .sink = &w->sink,
        .batches_max = batches,
        .entities_max = entities,
        .batch_bytes_max = bytes,
        .patience_us = patience_us,
        .arg = w,
        .pull = pull,
        .row = row,
        .done = done,
    });
    loop_run(w->loop);
    carrier_free(w->carrier);
    loop_free(w->loop);
    assert_true(w->finished);
}

static void carries_everything_in_order(void **state)
{
    (void)state;
    static const struct {
        uint32_t items, batches, entities, reject_every, context_every;
        size_t bytes;
    } cases[] = {
        {0, 4, 10, 0, 0, 1000},     {1, 1, 1, 0, 0, 1},       {5, 4, 10, 1, 0, 1000},
        {3000, 4, 10, 0, 0, 1000},  {3000, 1, 7, 5, 0, 1000}, {3000, 8, 100, 2, 0, 60},
        {3000, 3, 10, 7, 13, 1000}, {500, 4, 1, 3, 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world *w = calloc(1, sizeof *w);
        w->random = (uint32_t)i + 1;
        w->items = cases[i].items;
        w->reject_every = cases[i].reject_every;
        w->context_every = cases[i].context_every;
        run(w, cases[i].batches, cases[i].entities, cases[i].bytes, 1000000);
        assert_int_equal(w->status, OK);
        assert_int_equal(w->rows, cases[i].items);
        assert_true(w->held_most <= cases[i].batches);
        free(w);
    }
}

static void uses_several_requests(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    w->items = 1000;
    run(w, 4, 10, 1000, 1000000);
    assert_int_equal(w->held_most, 4);
    assert_int_equal(w->batches, 100);
    free(w);
}

/* The same ids again and again: never two under way, the last one wins. */
static void keeps_the_order_of_one_id(void **state)
{
    (void)state;
    for (uint32_t ids = 1; ids < 40; ids += 6) {
        struct world *w = calloc(1, sizeof *w);
        w->random = ids;
        w->items = 500;
        w->ids = ids;
        w->reject_every = 11;
        run(w, 4, 8, 1000, 1000000);
        assert_int_equal(w->status, OK);
        assert_int_equal(w->rows, 500);
        free(w);
    }
}

static void finds_the_one_that_spoils_its_batch(void **state)
{
    (void)state;
    for (uint32_t poison = 1; poison <= 64; poison += 9) {
        struct world *w = calloc(1, sizeof *w);
        w->items = 90;
        w->poison = poison;
        run(w, 2, 64, 10000, 1000000);
        assert_int_equal(w->status, OK);
        assert_int_equal(w->rows, 90);
        assert_int_equal(w->rejected, 1);
        assert_true(w->batches <= 2 + 2 * 6);
        free(w);
    }
}

static void waits_while_the_city_is_busy(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    w->items = 300;
    w->busy_first = 3;
    w->busy_single = 2;
    run(w, 4, 50, 10000, 20000000);
    assert_int_equal(w->status, OK);
    assert_int_equal(w->rows, 300);
    assert_int_equal(w->busy_first, 0);
    assert_int_equal(w->rejected, 3); /* 97, 194, 291 */
    free(w);
}

/* Longer than any pause of its own; the other batches, sent or not, wait as well. */
static void leaves_the_city_alone_as_long_as_it_asks(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    int64_t start = time_monotonic();
    w->items = 300;
    w->busy_first = 2;
    w->pause_us = 700000;
    run(w, 4, 20, 10000, 20000000);
    assert_int_equal(w->status, OK);
    assert_int_equal(w->rows, 300);
    assert_true(time_monotonic() >= start + w->pause_us);
    free(w);
}

static void ends_when_the_city_asks_for_more_than_patience(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    int64_t start = time_monotonic();
    w->items = 300;
    w->busy_first = 1;
    w->pause_us = 3600 * INT64_C(1000000);
    run(w, 4, 20, 10000, 20000000);
    assert_int_equal(w->status, E_BUSY);
    assert_string_equal(w->reason, "busy; it asks for a pause of 3600 s");
    assert_true(time_monotonic() < start + 5000000);
    free(w);
}

static void tries_again_when_nobody_answers(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    w->items = 30;
    w->down = 2;
    w->down_status = E_IO;
    run(w, 1, 50, 10000, 20000000);
    assert_int_equal(w->status, OK);
    assert_int_equal(w->rows, 30);
    assert_int_equal(w->batches, 3);
    free(w);
}

static void gives_up_in_the_end(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    w->items = 1000;
    w->down = 1000;
    w->down_status = E_TIMEOUT;
    run(w, 4, 10, 1000, 0);
    assert_int_equal(w->status, E_TIMEOUT);
    assert_string_equal(w->reason, "nobody there");
    assert_int_equal(w->rows, 0);
    free(w);
    w = calloc(1, sizeof *w); /* what nothing will mend ends at once */
    w->items = 1000;
    w->down = 1;
    w->down_status = E_NOT_SUPPORTED;
    run(w, 4, 10, 1000, 60000000);
    assert_int_equal(w->status, E_NOT_SUPPORTED);
    assert_true(w->batches <= 4);
    free(w);
}

/* Rows handed back before the stop are exactly a beginning of the stream. */
static void stops_in_order(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    w->items = 1000;
    w->stop_after = 205;
    run(w, 4, 10, 1000, 1000000);
    assert_int_equal(w->status, E_CANCELLED);
    assert_true(w->rows >= 205 && w->rows <= 300);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_everything_in_order),
        cmocka_unit_test(uses_several_requests),
        cmocka_unit_test(keeps_the_order_of_one_id),
        cmocka_unit_test(finds_the_one_that_spoils_its_batch),
        cmocka_unit_test(waits_while_the_city_is_busy),
        cmocka_unit_test(leaves_the_city_alone_as_long_as_it_asks),
        cmocka_unit_test(ends_when_the_city_asks_for_more_than_patience),
        cmocka_unit_test(tries_again_when_nobody_answers),
        cmocka_unit_test(gives_up_in_the_end),
        cmocka_unit_test(stops_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
