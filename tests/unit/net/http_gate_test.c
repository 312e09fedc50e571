/* Calls through libcurl to receivers of which some never answer. */
#include "receiver.h"

#include "base/arena.h"
#include "base/time.h"
#include "net/http_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CALLS_MAX = 20, PER_ORIGIN = 4, PATIENCE_MS = 60000 };

static struct receiver receiver;
static struct loop *loop;
static struct http_client *client;
static struct http_gate *gate;
static int open_calls;
static int open_calls_left; /* the loop stops when no more are open */

struct sent {
    struct gate_call gated;
    char url[120];
    int64_t done_us;
};

static void done(struct gate_call *c)
{
    struct sent *s = container_of(c, struct sent, gated);
    s->done_us = time_monotonic();
    if (--open_calls == open_calls_left)
        loop_stop(loop);
}

static void begin(void)
{
    receiver_start(&receiver);
    assert_int_equal(loop_new(&loop, NULL), OK);
    struct http_client_options o = {.connections_max = CALLS_MAX, .user_agent = STR("test/1")};
    assert_int_equal(http_client_new(&client, loop, &o, NULL), OK);
    gate = http_gate_new(loop, client, CALLS_MAX, PER_ORIGIN);
    open_calls = open_calls_left = 0;
}

static void end(void)
{
    assert_int_equal(receiver.wrong, 0);
    http_gate_free(gate);
    http_client_free(client);
    receiver_stop(&receiver);
    loop_free(loop);
}

static void start(struct sent *s, const char *host, const char *path, uint32_t timeout_ms)
{
    static const struct str header = {"Content-Type: application/json", 30};
    snprintf(s->url, sizeof s->url, "http://%s:%d%s", host, receiver.port, path);
    s->gated.done = done;
    s->gated.call = (struct http_call){.method = "POST",
                                       .url = str_of(s->url),
                                       .headers = &header,
                                       .header_count = 1,
                                       .body = STR("{\"id\":1}"),
                                       .answer_bytes_max = 1000,
                                       .answer_dropped = true,
                                       .timeout_ms = timeout_ms};
    open_calls++;
    http_gate_start(gate, &s->gated);
}

static void one_receiver_has_so_many_calls(void **state)
{
    (void)state;
    enum { CALLS = 300 };
    begin();
    struct sent *s = calloc(CALLS, sizeof *s);
    for (int i = 0; i < CALLS; i++)
        start(&s[i], i % 3 ? "127.0.0.1" : "somebody:secret@127.0.0.1", "/ok", PATIENCE_MS);
    assert_int_equal(http_gate_stats(gate).under_way, PER_ORIGIN);
    assert_int_equal(http_gate_stats(gate).waiting, CALLS - PER_ORIGIN);
    loop_run(loop);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(s[i].gated.call.status, OK);
        assert_int_equal(s[i].gated.call.http_status, 204);
    }
    assert_int_equal(receiver.posts, CALLS);
    assert_int_equal(http_gate_stats(gate).origins, 0); /* nothing is known of it that matters */
    free(s);
    end();
}

/* Of as many silent receivers as there are connections, each tried once before. */
static void silent_receivers_cost_others_nothing(void **state)
{
    (void)state;
    enum { SILENT = 30, EACH = 5, LIVELY = 100 };
    begin();
    struct sent *silent = calloc(SILENT * EACH, sizeof *silent), *lively = calloc(LIVELY, sizeof *lively);
    char host[10];
    for (int i = 0; i < SILENT; i++) {
        receiver_name(host, 1 + i);
        start(&silent[i], host, "/stall", 50);
        loop_run(loop);
        assert_int_equal(silent[i].gated.call.status, E_TIMEOUT);
    }
    for (int i = 0; i < SILENT * EACH; i++) {
        receiver_name(host, 1 + i % SILENT);
        start(&silent[i], host, "/stall", 2 * PATIENCE_MS);
    }
    assert_int_equal(http_gate_stats(gate).under_way, CALLS_MAX / 4);
    open_calls_left = SILENT * EACH;
    for (int i = 0; i < LIVELY; i++)
        start(&lively[i], "localhost", "/ok", PATIENCE_MS);
    loop_run(loop);
    for (int i = 0; i < LIVELY; i++)
        assert_int_equal(lively[i].gated.call.status, OK);
    assert_int_equal(open_calls, SILENT * EACH); /* none was given up for them */
    http_gate_free(gate);
    gate = NULL;
    for (int i = 0; i < SILENT * EACH; i++)
        assert_int_equal(silent[i].gated.call.status, E_CANCELLED);
    free(silent);
    free(lively);
    end();
}

static void one_that_answers_again_is_trusted_again(void **state)
{
    (void)state;
    begin();
    struct sent first, second[PER_ORIGIN];
    start(&first, "127.0.0.1", "/drop", PATIENCE_MS);
    loop_run(loop);
    assert_int_equal(first.gated.call.status, E_IO);
    assert_int_equal(http_gate_stats(gate).origins, 1);
    for (int i = 0; i < PER_ORIGIN; i++)
        start(&second[i], "127.0.0.1", "/ok", PATIENCE_MS);
    assert_int_equal(http_gate_stats(gate).under_way, 2);
    loop_run(loop);
    for (int i = 0; i < PER_ORIGIN; i++)
        assert_int_equal(second[i].gated.call.http_status, 204);
    assert_int_equal(http_gate_stats(gate).origins, 0);
    end();
}

/* Four at a time are under way: were waiting not counted, the last would end two time-outs after the first. */
static void timeouts_include_the_wait(void **state)
{
    (void)state;
    enum { CALLS = 12, TIMEOUT_MS = 1500 };
    begin();
    struct sent s[CALLS];
    int64_t from = time_monotonic();
    int missed = 0;
    for (int i = 0; i < CALLS; i++)
        start(&s[i], "127.0.0.1", "/stall", TIMEOUT_MS);
    loop_run(loop);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(s[i].gated.call.status, E_TIMEOUT);
        missed += strstr(s[i].gated.call.why.text, "no connection was free") != NULL;
        assert_true(s[i].done_us - from >= (TIMEOUT_MS - 10) * 1000);
        assert_true(s[i].done_us - from < 2 * TIMEOUT_MS * 1000);
    }
    assert_true(missed > 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_receiver_has_so_many_calls),
        cmocka_unit_test(silent_receivers_cost_others_nothing),
        cmocka_unit_test(one_that_answers_again_is_trusted_again),
        cmocka_unit_test(timeouts_include_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
