/* The HTTP seam from outside: what a client sees on the wire. */
#include "http_fixture.h"

#include "base/time.h"
#include "net/address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct fixture f;
static char answer[1 << 16];

static int client = -1; /* a connection to it */

static void expect(int fd, const char *line, const char *body)
{
    raw_expect(fd, answer, sizeof answer, line, body);
}

static void hang_up(void)
{
    close(client);
    client = -1;
}

static int begin(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    client = raw_connect(&f);
    return 0;
}

/* Also after a failure, so that the next test has a server of its own. */
static int end(void **state)
{
    (void)state;
    if (client >= 0)
        hang_up();
    fixture_stop(&f);
    return 0;
}

static void stream_begin(void)
{
    raw_send(client, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_head(client, answer, sizeof answer));
}

/* ---- the plain course ---- */

static void connection_is_kept_and_requests_may_be_pipelined(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        raw_send(client, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        expect(client, "HTTP/1.1 200 OK\r\n", "abc");
        assert_non_null(strstr(answer, "\r\nDate: "));
    }
    raw_send(client, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n1"
                 "POST /defer HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n2"
                 "GET /h?q=%20 HTTP/1.1\r\n" HOST "\r\n"
                 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n4");
    expect(client, "HTTP/1.1 200", "1");
    expect(client, "HTTP/1.1 200", "2");
    expect(client, "HTTP/1.1 200", "|0||1|GET|/h|q=%20");
    expect(client, "HTTP/1.1 200", "4");
    raw_send(client, "GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    expect(client, "HTTP/1.1 200", "");
    assert_true(raw_closed(client));
    hang_up();
    struct http_server_stats s;
    http_server_stats(f.server, &s);
    assert_int_equal(s.requests_total, 8);
    assert_int_equal(s.connections_total, 1);
}

static void headers_are_found_whatever_their_case(void **state)
{
    (void)state;
    raw_send(client, "PURGE /a%2Fb?x=1&y=%26 HTTP/1.1\r\n" HOST
                 "X-ONE:  padded \t\r\nx-many: 1\r\nX-mAny: 2\r\nX-Many: 3\r\n\r\n");
    expect(client, "HTTP/1.1 200", "padded|3|3|1|PURGE|/a%2Fb|x=1&y=%26");
}

static void head_drops_the_body_but_says_its_length(void **state)
{
    (void)state;
    raw_send(client, "HEAD /bytes/1234 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_head(client, answer, sizeof answer));
    assert_non_null(strstr(answer, "Content-Length: 1234\r\n"));
    raw_send(client, "GET /bytes/2 HTTP/1.1\r\n" HOST "\r\n");
    expect(client, "HTTP/1.1 200", "zz");
}

static void large_bodies_pass_unchanged_both_ways(void **state)
{
    (void)state;
    enum { N = 5 << 20 };
    char *sent = raw_letters(N), *got = malloc(N + 1000), head[200];
    for (int chunked = 0; chunked < 2; chunked++) {
        if (chunked) {
            raw_send(client, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
            for (size_t at = 0, size = 1; at < N; at += size, size = size * 3 + 1) {
                size = size < N - at ? size : N - at;
                snprintf(head, sizeof head, "%zx;ext=1\r\n", size);
                raw_send(client, head);
                raw_send_bytes(client, sent + at, size);
                raw_send(client, "\r\n");
            }
            raw_send(client, "0\r\nX-Trailer: 1\r\n\r\n");
        } else {
            snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                     N);
            raw_send(client, head);
            raw_send_bytes(client, sent, N);
        }
        assert_true(raw_answer(client, got, N + 1000));
        assert_string_equal(strstr(got, "\r\n\r\n") + 4, sent);
    }
    raw_send(client, "GET /bytes/3000000 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_answer(client, got, N + 1000));
    assert_int_equal(strlen(strstr(got, "\r\n\r\n") + 4), 3000000);
    free(sent);
    free(got);
}

static void continue_is_sent_when_asked_for(void **state)
{
    (void)state;
    raw_send(client,
             "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(raw_until(client, "HTTP/1.1 100 Continue\r\n\r\n"));
    raw_send(client, "ok");
    expect(client, "HTTP/1.1 200", "ok");
    raw_send(client, "POST /echo HTTP/1.1\r\n" HOST
                 "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    expect(client, "HTTP/1.1 413", "limits.body_bytes");
}

/* ---- later answers ---- */

static void answers_may_come_later_and_from_elsewhere(void **state)
{
    (void)state;
    enum { CONNECTIONS = 100, ROUNDS = 5 };
    int fd[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        fd[i] = raw_connect(&f);
    for (int round = 0; round < ROUNDS; round++) {
        char body[32], text[200];
        for (int i = 0; i < CONNECTIONS; i++) {
            int n = snprintf(body, sizeof body, "%d-%d", round, i);
            snprintf(text, sizeof text, "POST /%s HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n%s",
                     i % 2 ? "defer" : "hold", n, body);
            raw_send(fd[i], text);
        }
        assert_true(fixture_wait(&f.held, CONNECTIONS / 2));
        fixture_release(&f);
        for (int i = 0; i < CONNECTIONS; i++) {
            snprintf(body, sizeof body, "%d-%d", round, i);
            expect(fd[i], "HTTP/1.1 200", body);
        }
    }
    for (int i = 0; i < CONNECTIONS; i++)
        close(fd[i]);
}

static void client_that_left_may_be_answered(void **state)
{
    (void)state;
    int gone = raw_connect(&f), stays = raw_connect(&f);
    raw_send(gone, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    assert_true(fixture_wait(&f.held, 1));
    struct linger reset = {.l_onoff = 1};
    setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(gone);
    raw_send(stays, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\ny");
    expect(stays, "HTTP/1.1 200", "y");
    fixture_release(&f);
    raw_send(stays, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nz");
    expect(stays, "HTTP/1.1 200", "z");
    close(stays);
}

/* The loop is busy while text and the end are sent, so that it is told of both at once. */
static const char *text_of_leaver;

static void leave(struct fixture *x)
{
    (void)x;
    raw_send(client, text_of_leaver);
    shutdown(client, SHUT_WR);
}

static void end_that_comes_with_bytes_is_noticed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nxy",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Le",
        "POST /ec",
    };
    struct http_server_options o = fixture_options();
    o.idle_timeout_s = o.request_timeout_s = 300;
    fixture_start(&f, o);
    client = raw_connect(&f);
    int rests = raw_connect(&f);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        text_of_leaver = texts[i];
        fixture_call(&f, leave);
        assert_true(raw_closed(client));
        close(client);
        client = raw_connect(&f);
    }
    text_of_leaver = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxy";
    fixture_call(&f, leave); /* a whole request is answered */
    expect(client, "HTTP/1.1 200", "xy");
    raw_send(rests, text_of_leaver); /* nothing has happened to who rests */
    expect(rests, "HTTP/1.1 200", "xy");
    close(rests);
}

static void server_may_stop_while_requests_are_held(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    char *body = raw_letters(20000);
    raw_send(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 20000\r\n\r\n");
    raw_send(fd, body);
    raw_send(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    free(body);
    int streaming = raw_connect(&f);
    raw_send(streaming, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_true(fixture_wait(&f.held, 1));
    assert_true(fixture_wait(&f.streams_open, 1));
    fixture_stop(&f);
    assert_int_equal(f.streams_closed, 1);
    fixture_answer_held(&f);
    close(fd);
    close(streaming);
}

/* More than are parked: the rest is suspended; some change over, some leave. */
static void many_may_wait_at_once(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.connections_max = 1000;
    fixture_start(&f, o);
    enum { CONNECTIONS = 600 };
    int fd[CONNECTIONS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CONNECTIONS; i++) {
            fd[i] = raw_connect(&f);
            raw_send(fd[i], "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok");
        }
        assert_true(fixture_wait(&f.held, CONNECTIONS));
        if (round == 1) /* long enough for the parked ones to be suspended */
            usleep(300000);
        for (int i = round; i < CONNECTIONS; i += 3) { /* a third leaves, rudely */
            struct linger reset = {.l_onoff = 1};
            setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fd[i]);
            fd[i] = -1;
        }
        fixture_release(&f);
        for (int i = 0; i < CONNECTIONS; i++) {
            if (fd[i] < 0)
                continue;
            expect(fd[i], "HTTP/1.1 200", "ok");
            close(fd[i]);
        }
    }
    fixture_stop(&f);
}

/* libmicrohttpd would have us run it all the time. */
static void loop_sleeps_while_answers_are_awaited(void **state)
{
    (void)state;
    int fd = fixture_hold(&f);
    usleep(50000);
    int before = f.rounds;
    usleep(500000);
    assert_true(f.rounds - before <= 10);
    fixture_release(&f);
    expect(fd, "HTTP/1.1 200", "x");
    close(fd);
}

static void others_are_served_while_answers_are_awaited(void **state)
{
    (void)state;
    enum { N = 4 << 20 };
    char *body = raw_letters(N), *got = malloc(N + 1000);
    int64_t start = time_monotonic();
    for (int i = 0; i < 5; i++) {
        int held = fixture_hold(&f);
        raw_send(client, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4194304\r\n\r\n");
        raw_send_bytes(client, body, N);
        assert_true(raw_answer(client, got, N + 1000));
        assert_string_equal(strstr(got, "\r\n\r\n") + 4, body);
        raw_send(client, "GET /echo HTTP/1.1\r\n" HOST "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n");
        expect(client, "HTTP/1.1 200", "");
        expect(client, "HTTP/1.1 200", "");
        fixture_release(&f);
        expect(held, "HTTP/1.1 200", "x");
        close(held);
        hang_up();
        client = raw_connect(&f);
    }
    assert_true(time_monotonic() - start < 4000000);
    free(body);
    free(got);
}

/* ---- streams ---- */

static void stream_delivers_as_it_is_written(void **state)
{
    (void)state;
    stream_begin();
    assert_non_null(strstr(answer, "text/event-stream"));
    assert_true(fixture_wait(&f.streams_open, 1));
    for (int i = 0; i < 100; i++) {
        fixture_stream_write(&f, "data: one\n\n", 3);
        for (int k = 0; k < 3; k++)
            assert_true(raw_until(client, "data: one\n\n"));
    }
    assert_int_equal(f.streams_closed, 0);
    fixture_stream_write(&f, "last", 1);
    fixture_stream_end(&f);
    assert_true(raw_until(client, "last\r\n0\r\n\r\n"));
    assert_true(fixture_wait(&f.streams_closed, 1));
}

static void stream_hears_that_the_peer_left(void **state)
{
    (void)state;
    stream_begin();
    fixture_stream_write(&f, "x", 1);
    assert_true(raw_until(client, "x"));
    hang_up();
    assert_true(fixture_wait(&f.streams_closed, 1)); /* without another write */
}

static void stream_to_a_slow_reader_is_bounded(void **state)
{
    (void)state;
    stream_begin();
    char *block = raw_letters(10000);
    for (int i = 0; i < 3000 && !atomic_load(&f.stream_full); i++)
        fixture_stream_write(&f, block, 1);
    free(block);
    assert_true(f.stream_full);
    hang_up();
    assert_true(fixture_wait(&f.streams_closed, 1));
}

/* ---- end ---- */

static void drain(struct fixture *x)
{
    http_server_drain(x->server);
}

static atomic_int idle_seen;
static void look_idle(struct fixture *x)
{
    atomic_store(&idle_seen, http_server_idle(x->server));
}

static void drain_answers_what_is_open(void **state)
{
    (void)state;
    int fd = raw_connect(&f), idle = raw_connect(&f);
    raw_send(idle, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    expect(idle, "HTTP/1.1 200", "");
    raw_send(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    assert_true(fixture_wait(&f.held, 1));
    fixture_call(&f, drain);
    assert_true(raw_closed(idle));
    fixture_call(&f, look_idle);
    assert_false(idle_seen);
    fixture_release(&f);
    expect(fd, "HTTP/1.1 200", "x");
    assert_non_null(strstr(answer, "Connection: close"));
    assert_true(raw_closed(fd));
    fixture_call(&f, look_idle);
    assert_true(idle_seen);
    close(fd);
    close(idle);
}

/* ---- addresses ---- */

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *back;
        enum status status;
    } cases[] = {
        {"127.0.0.1:1026", "127.0.0.1:1026", OK},
        {"[::1]:80", "[::1]:80", OK},
        {"[::ffff:10.0.0.1]:9", "10.0.0.1:9", OK},
        {":1", "0.0.0.0:1", OK},
        {"*:65535", "0.0.0.0:65535", OK},
        {"127.0.0.1", NULL, E_BAD_DATA},
        {"::1:80", NULL, E_BAD_DATA},
        {"127.0.0.1:65536", NULL, E_BAD_DATA},
        {"127.0.0.1:x", NULL, E_BAD_DATA},
        {"127.0.0.1:", NULL, E_BAD_DATA},
        {"300.0.0.1:1", NULL, E_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address a;
        struct why why;
        why_clear(&why);
        assert_int_equal(address_parse(&a, str_of(cases[i].text), &why), cases[i].status);
        if (cases[i].status != OK) {
            assert_true(why.text[0] != 0);
            continue;
        }
        char text[ADDRESS_TEXT_MAX];
        size_t n = address_format((struct sockaddr *)&a.storage, text);
        assert_int_equal(n, strlen(text));
        assert_string_equal(text, cases[i].back);
    }
}

static void taken_address_is_an_error_with_its_reason(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.address = STR("192.0.2.1:9"); /* not ours */
    struct loop *loop;
    struct http_server *server;
    struct why why;
    why_clear(&why);
    assert_int_equal(loop_new(&loop, NULL), OK);
    assert_int_equal(http_server_start(&server, loop, &o, &why), E_IO);
    assert_non_null(strstr(why.text, "192.0.2.1:9"));
    loop_free(loop);
}

static void address_is_shared_only_on_purpose(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.address = str_of(f.address);
    struct loop *loop;
    struct http_server *server;
    struct why why;
    why_clear(&why);
    assert_int_equal(loop_new(&loop, NULL), OK);
    assert_int_equal(http_server_start(&server, loop, &o, &why), E_IO);
    assert_non_null(strstr(why.text, f.address));
    o.address_shared = true;
    assert_int_equal(http_server_start(&server, loop, &o, &why), OK);
    assert_true(str_eq(http_server_address(server), str_of(f.address)));
    http_server_stop(server);
    loop_free(loop);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(taken_address_is_an_error_with_its_reason),
        CASE(connection_is_kept_and_requests_may_be_pipelined),
        CASE(headers_are_found_whatever_their_case),
        CASE(head_drops_the_body_but_says_its_length),
        CASE(large_bodies_pass_unchanged_both_ways),
        CASE(continue_is_sent_when_asked_for),
        CASE(answers_may_come_later_and_from_elsewhere),
        CASE(client_that_left_may_be_answered),
        cmocka_unit_test_teardown(end_that_comes_with_bytes_is_noticed, end),
        cmocka_unit_test(server_may_stop_while_requests_are_held),
        cmocka_unit_test(many_may_wait_at_once),
        CASE(loop_sleeps_while_answers_are_awaited),
        CASE(others_are_served_while_answers_are_awaited),
        CASE(stream_delivers_as_it_is_written),
        CASE(stream_hears_that_the_peer_left),
        CASE(stream_to_a_slow_reader_is_bounded),
        CASE(drain_answers_what_is_open),
        CASE(address_is_shared_only_on_purpose),
    };
    return cmocka_run_group_tests_name("net/http_server", tests, NULL, NULL);
}
