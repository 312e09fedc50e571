/* Why: throughput needs several requests under way, a report needs order, and a city that is busy
 * needs patience; all of that is here, so that sources only read and sinks only send.
 *
 * A batch's states:
 *
 *   FILLING → SENT ⇄ WAITING (for its timer) → … → SETTLED → retired, in order
 *
 * A batch covers rows; those with entities are pending until an answer speaks of them. What is sent
 * is the pending part of the range on top of the batch's stack; a refusal of the whole splits it.
 * Start at carrier_pump(). */
#include "sense/carrier.h"

#include "base/hash.h"
#include "base/time.h"
#include "sense/carrier_batch.h"

#include <assert.h>
#include <stdlib.h>

#define BACKOFF_FIRST_US INT64_C(200000)
#define BACKOFF_MAX_US INT64_C(10000000)

struct carrier {
    struct carrier_options options;
    struct task begin;
    struct carrier_batch *oldest, *newest; /* not retired yet */
    uint32_t batch_count;
    uint32_t window;    /* batches that may be under way: fewer while the city is busy */
    uint32_t successes; /* since the window last changed */
    int64_t resume_us;  /* monotonic; the city asked to be left alone until then */
    bool have_item;     /* pulled, but not in a batch yet */
    bool exhausted, failed, begun, finished;
    struct source_item item;
    uint32_t input;
    enum status status;
    struct why why;
};

static void carrier_pump(struct carrier *c);
static void batch_answered(struct sink_batch *sent);
static void batch_timer(struct loop_timer *timer);

/* ---- filling ---- */

static bool carrier_peek(struct carrier *c)
{
    if (!c->have_item && !c->exhausted) {
        c->have_item = c->options.pull(c->options.arg, &c->item, &c->input);
        c->exhausted = !c->have_item;
    }
    return c->have_item;
}

/* Is an entity with that id under way or in the batch that is being filled? */
static bool carrier_has_id(const struct carrier *c, const struct carrier_batch *filling,
                           struct str id)
{
    uint64_t hash = hash_str(id);
    if (carrier_batch_has(filling, hash))
        return true;
    for (const struct carrier_batch *b = c->oldest; b; b = b->next)
        if (b->state != BATCH_SETTLED && carrier_batch_has(b, hash))
            return true;
    return false;
}

static void carrier_fill(struct carrier *c, struct carrier_batch *b)
{
    while (carrier_peek(c)) {
        const struct source_item *item = &c->item;
        if (!carrier_batch_takes(b, item, &c->options))
            return;
        if (!item->why && carrier_has_id(c, b, item->id))
            return;
        carrier_batch_add(b, item, c->input);
        c->have_item = false;
    }
}

/* ---- ending ---- */

static void carrier_finish(struct carrier *c)
{
    if (c->finished || c->oldest || !(c->failed || (c->exhausted && !c->have_item)))
        return;
    c->finished = true;
    c->options.done(c->options.arg, c->status, &c->why);
}

static void carrier_fail(struct carrier *c, enum status status, const struct why *why)
{
    if (c->failed)
        return;
    c->failed = true;
    c->status = status;
    c->why = *why;
}

/* Hands back what is settled, oldest first; after a failure the rest is dropped. */
static void carrier_retire(struct carrier *c)
{
    bool hold = false;
    for (struct carrier_batch **link = &c->oldest; *link;) {
        struct carrier_batch *b = *link;
        bool settled = b->state == BATCH_SETTLED;
        hold = hold || !settled;
        if (hold && !(c->failed && b->state != BATCH_SENT)) {
            link = &b->next;
            continue;
        }
        for (uint32_t i = 0; !hold && i < b->row_count; i++)
            c->options.row(c->options.arg, &b->rows[i]);
        if (b->state == BATCH_WAITING)
            loop_timer_clear(c->options.loop, &b->timer);
        *link = b->next;
        c->batch_count--;
        carrier_batch_free(b);
    }
    c->newest = c->oldest;
    while (c->newest && c->newest->next)
        c->newest = c->newest->next;
}

/* ---- sending ---- */

static uint32_t carrier_under_way(const struct carrier *c)
{
    uint32_t n = 0;
    for (const struct carrier_batch *b = c->oldest; b; b = b->next)
        n += b->state != BATCH_SETTLED;
    return n;
}

static void batch_wait_until(struct carrier *c, struct carrier_batch *b, int64_t due_us)
{
    b->state = BATCH_WAITING;
    b->timer.fire = batch_timer;
    loop_timer_set(c->options.loop, &b->timer, due_us);
}

/* Sends what is pending of the topmost range; settles the batch when nothing is. */
static void batch_send(struct carrier *c, struct carrier_batch *b)
{
    bool more = carrier_batch_next(b);
    b->state = !more ? BATCH_SETTLED : c->failed ? BATCH_WAITING : BATCH_SENT;
    if (b->state != BATCH_SENT)
        return;
    if (time_monotonic() < c->resume_us) {
        batch_wait_until(c, b, c->resume_us);
        return;
    }
    b->sent.done = batch_answered;
    b->sent.retry_after_us = 0;
    sink_send(c->options.sink, &b->sent);
}

/* The batch has come to nothing for longer than anybody waits, or would have when the city wants it back. */
static void batch_give_up(struct carrier *c, struct carrier_batch *b)
{
    struct why asks;
    why_clear(&asks);
    if (b->sent.retry_after_us > 0)
        (void)why_set(&asks, b->sent.status, NULL, "%s; it asks for a pause of %lld s", b->sent.why.text,
                      (long long)(b->sent.retry_after_us / 1000000));
    carrier_fail(c, b->sent.status, asks.text[0] ? &asks : &b->sent.why);
}

static void batch_wait(struct carrier *c, struct carrier_batch *b)
{
    b->state = BATCH_WAITING;
    int64_t now = time_monotonic(), asked = b->sent.retry_after_us;
    int64_t pause = BACKOFF_FIRST_US << (b->attempts < 6 ? b->attempts : 6);
    if (pause > BACKOFF_MAX_US)
        pause = BACKOFF_MAX_US;
    if (b->attempts++ == 0)
        b->failing_since_us = now;
    if (c->failed || now + asked - b->failing_since_us > c->options.patience_us) {
        batch_give_up(c, b);
        return;
    }
    if (now + asked > c->resume_us)
        c->resume_us = now + asked;
    batch_wait_until(c, b, now + (asked > pause ? asked : pause));
}

static void batch_timer(struct loop_timer *timer)
{
    struct carrier_batch *b = container_of(timer, struct carrier_batch, timer);
    struct carrier *c = b->carrier;
    batch_send(c, b);
    carrier_pump(c);
}

/* The city is busy: half as many at once. It takes what it gets: one more. */
static void carrier_adapt(struct carrier *c, bool busy)
{
    if (busy) {
        c->window = c->window > 1 ? c->window / 2 : 1;
        c->successes = 0;
    } else if (++c->successes >= c->window && c->window < c->options.batches_max) {
        c->window++;
        c->successes = 0;
    }
}

/* An answer that speaks of every entity; some may have to be sent again. */
static void batch_settle(struct carrier *c, struct carrier_batch *b)
{
    bool again = carrier_batch_take_results(b);
    carrier_adapt(c, again);
    if (again) {
        (void)why_set(&b->sent.why, E_BUSY, NULL, "the city is busy");
        b->sent.status = E_BUSY;
        batch_wait(c, b);
    } else {
        b->attempts = 0;
        batch_send(c, b);
    }
}

static void batch_answered(struct sink_batch *sent)
{
    struct carrier_batch *b = container_of(sent, struct carrier_batch, sent);
    struct carrier *c = b->carrier;
    b->state = BATCH_WAITING;
    switch (sent->status) {
    case OK:
        batch_settle(c, b);
        break;
    case E_BAD_DATA:
        carrier_batch_split(b);
        batch_send(c, b);
        break;
    case E_BUSY:
    case E_IO:
    case E_TIMEOUT:
        carrier_adapt(c, true);
        batch_wait(c, b);
        break;
    default:
        carrier_fail(c, sent->status, &sent->why);
        break;
    }
    carrier_pump(c);
}

static void carrier_enqueue(struct carrier *c, struct carrier_batch *b)
{
    if (c->newest)
        c->newest->next = b;
    else
        c->oldest = b;
    c->newest = b;
    c->batch_count++;
}

/* Retires, then makes and sends batches as long as there is room; perhaps that was all. */
static void carrier_pump(struct carrier *c)
{
    carrier_retire(c);
    while (c->begun && !c->failed && c->batch_count < c->options.batches_max &&
           carrier_under_way(c) < c->window && time_monotonic() >= c->resume_us) {
        struct carrier_batch *b = carrier_batch_new(c, &c->options);
        carrier_fill(c, b);
        if (b->row_count == 0) {
            carrier_batch_free(b);
            break;
        }
        carrier_enqueue(c, b);
        batch_send(c, b);
        carrier_retire(c);
    }
    carrier_finish(c);
}

static void carrier_begin(struct task *task)
{
    struct carrier *c = container_of(task, struct carrier, begin);
    c->begun = true;
    carrier_pump(c);
}

struct carrier *carrier_start(const struct carrier_options *o)
{
    struct carrier *c = mem_zalloc(sizeof *c);
    assert(o->batches_max > 0 && o->batches_max <= CARRIER_BATCHES_MAX && o->entities_max > 0);
    c->options = *o;
    c->window = o->batches_max;
    why_clear(&c->why);
    c->begin.run = carrier_begin;
    runner_post(loop_runner(o->loop), &c->begin);
    return c;
}

void carrier_stop(struct carrier *c)
{
    struct why why;
    why_clear(&why);
    carrier_fail(c, why_set(&why, E_CANCELLED, NULL, "stopped"), &why);
    if (c->begun)
        carrier_pump(c);
}

void carrier_free(struct carrier *c)
{
    while (c && c->oldest) {
        struct carrier_batch *b = c->oldest;
        c->oldest = b->next;
        if (b->state == BATCH_WAITING)
            loop_timer_clear(c->options.loop, &b->timer);
        carrier_batch_free(b);
    }
    free(c);
}
