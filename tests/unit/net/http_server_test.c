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

#define HOST "Host: x\r\n"

static void starts(const char *line)
{
    if (strncmp(answer, line, strlen(line)) != 0)
        fail_msg("expected '%s', got '%s'", line, answer);
}

static void ends(const char *body)
{
    const char *gap = strstr(answer, "\r\n\r\n");
    assert_non_null(gap);
    assert_string_equal(gap + 4, body);
}

static void expect(int fd, const char *line, const char *body)
{
    if (!raw_answer(fd, answer, sizeof answer))
        fail_msg("no answer; expected '%s' and '%s'", line, body);
    starts(line);
    ends(body);
}

/* ---- the plain course ---- */

static void connection_is_kept_and_requests_may_be_pipelined(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    for (int i = 0; i < 3; i++) {
        raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        expect(fd, "HTTP/1.1 200 OK\r\n", "abc");
        assert_non_null(strstr(answer, "\r\nDate: "));
    }
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n1"
                 "POST /defer HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n2"
                 "GET /h?q=%20 HTTP/1.1\r\n" HOST "\r\n"
                 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n4");
    expect(fd, "HTTP/1.1 200", "1");
    expect(fd, "HTTP/1.1 200", "2");
    expect(fd, "HTTP/1.1 200", "|0||1|GET|/h|q=%20");
    expect(fd, "HTTP/1.1 200", "4");
    raw_send(fd, "GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    expect(fd, "HTTP/1.1 200", "");
    assert_true(raw_closed(fd));
    close(fd);
    struct http_server_stats s;
    http_server_stats(f.server, &s);
    assert_int_equal(s.requests_total, 8);
    assert_int_equal(s.connections_total, 1);
    fixture_stop(&f);
}

static void headers_are_found_whatever_their_case(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd, "PURGE /a%2Fb?x=1&y=%26 HTTP/1.1\r\n" HOST
                 "X-ONE:  padded \t\r\nx-many: 1\r\nX-mAny: 2\r\nX-Many: 3\r\n\r\n");
    expect(fd, "HTTP/1.1 200", "padded|3|3|1|PURGE|/a%2Fb|x=1&y=%26");
    close(fd);
    fixture_stop(&f);
}

static void head_drops_the_body_but_says_its_length(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd, "HEAD /bytes/1234 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_head(fd, answer, sizeof answer));
    assert_non_null(strstr(answer, "Content-Length: 1234\r\n"));
    raw_send(fd, "GET /bytes/2 HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, "HTTP/1.1 200", "zz");
    close(fd);
    fixture_stop(&f);
}

static char *letters(size_t n)
{
    char *p = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('a' + i % 23);
    p[n] = 0;
    return p;
}

static void large_bodies_pass_unchanged_both_ways(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    enum { N = 5 << 20 };
    char *sent = letters(N), *got = malloc(N + 1000), head[200];
    int fd = raw_connect(&f);
    for (int chunked = 0; chunked < 2; chunked++) {
        if (chunked) {
            raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
            for (size_t at = 0, size = 1; at < N; at += size, size = size * 3 + 1) {
                size = size < N - at ? size : N - at;
                snprintf(head, sizeof head, "%zx;ext=1\r\n", size);
                raw_send(fd, head);
                raw_send_bytes(fd, sent + at, size);
                raw_send(fd, "\r\n");
            }
            raw_send(fd, "0\r\nX-Trailer: 1\r\n\r\n");
        } else {
            snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                     N);
            raw_send(fd, head);
            raw_send_bytes(fd, sent, N);
        }
        assert_true(raw_answer(fd, got, N + 1000));
        assert_string_equal(strstr(got, "\r\n\r\n") + 4, sent);
    }
    raw_send(fd, "GET /bytes/3000000 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_answer(fd, got, N + 1000));
    assert_int_equal(strlen(strstr(got, "\r\n\r\n") + 4), 3000000);
    free(sent);
    free(got);
    close(fd);
    fixture_stop(&f);
}

static void continue_is_sent_when_asked_for(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd,
             "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(raw_until(fd, "HTTP/1.1 100 Continue\r\n\r\n"));
    raw_send(fd, "ok");
    expect(fd, "HTTP/1.1 200", "ok");
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST
                 "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    expect(fd, "HTTP/1.1 413", "limits.body_bytes");
    close(fd);
    fixture_stop(&f);
}

/* ---- later answers ---- */

static void answers_may_come_later_and_from_elsewhere(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
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
    fixture_stop(&f);
}

static void client_that_left_may_be_answered(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
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
    fixture_stop(&f);
}

static void server_may_stop_while_requests_are_held(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    char *body = letters(20000);
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

static int hold_one(void)
{
    int fd = raw_connect(&f);
    raw_send(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    assert_true(fixture_wait(&f.held, 1));
    return fd;
}

/* libmicrohttpd would have us run it all the time. */
static void loop_sleeps_while_answers_are_awaited(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = hold_one();
    usleep(50000);
    int before = f.rounds;
    usleep(500000);
    assert_true(f.rounds - before <= 10);
    fixture_release(&f);
    expect(fd, "HTTP/1.1 200", "x");
    close(fd);
    fixture_stop(&f);
}

static void others_are_served_while_answers_are_awaited(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    enum { N = 4 << 20 };
    char *body = letters(N), *got = malloc(N + 1000);
    int64_t start = time_monotonic();
    for (int i = 0; i < 5; i++) {
        int held = hold_one();
        int fd = raw_connect(&f);
        raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4194304\r\n\r\n");
        raw_send_bytes(fd, body, N);
        assert_true(raw_answer(fd, got, N + 1000));
        assert_string_equal(strstr(got, "\r\n\r\n") + 4, body);
        raw_send(fd, "GET /echo HTTP/1.1\r\n" HOST "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n");
        expect(fd, "HTTP/1.1 200", "");
        expect(fd, "HTTP/1.1 200", "");
        fixture_release(&f);
        expect(held, "HTTP/1.1 200", "x");
        close(held);
        close(fd);
    }
    assert_true(time_monotonic() - start < 4000000);
    free(body);
    free(got);
    fixture_stop(&f);
}

/* ---- limits ---- */

static void too_large_body_is_refused_before_it_is_read(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 8388609\r\n\r\n");
    expect(fd, "HTTP/1.1 413", "limits.body_bytes");
    assert_non_null(strstr(answer, "Connection: close"));
    close(fd);
    /* a client that sends first and reads later still finds the answer */
    fd = raw_connect(&f);
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100000000\r\n\r\n");
    char *body = letters(2 << 20);
    raw_send_bytes(fd, body, 2 << 20);
    free(body);
    expect(fd, "HTTP/1.1 413", "limits.body_bytes");
    close(fd);
    fixture_stop(&f);
}

static void too_large_chunked_body_is_refused(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.body_bytes_max = 1000;
    fixture_start(&f, o);
    int fd = raw_connect(&f);
    char *body = letters(700);
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        raw_send(fd, "2bc\r\n");
        raw_send_bytes(fd, body, 700);
        raw_send(fd, "\r\n");
    }
    raw_send(fd, "0\r\n\r\n");
    expect(fd, "HTTP/1.1 413", "limits.body_bytes");
    close(fd);
    /* one that never ends is cut off */
    fd = raw_connect(&f);
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 400; i++) {
        raw_send(fd, "2bc\r\n");
        raw_send_bytes(fd, body, 700);
        raw_send(fd, "\r\n");
    }
    assert_false(raw_answer(fd, answer, sizeof answer));
    close(fd);
    /* exactly the limit is taken */
    fd = raw_connect(&f);
    raw_send(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2bc\r\n");
    raw_send_bytes(fd, body, 700);
    raw_send(fd, "\r\n12c\r\n");
    raw_send_bytes(fd, body, 300);
    raw_send(fd, "\r\n0\r\n\r\n");
    assert_true(raw_answer(fd, answer, sizeof answer));
    starts("HTTP/1.1 200");
    free(body);
    close(fd);
    fixture_stop(&f);
}

static void send_get(int fd, size_t uri_bytes, size_t header_bytes)
{
    char *uri = letters(uri_bytes - 1), *value = letters(header_bytes);
    raw_send(fd, "GET /");
    raw_send(fd, uri);
    raw_send(fd, " HTTP/1.1\r\n" HOST "X-Pad: ");
    raw_send(fd, value);
    raw_send(fd, "\r\n\r\n");
    free(uri);
    free(value);
}

static void long_uri_and_headers_are_refused(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    send_get(fd, 2000, 1900);
    assert_true(raw_answer(fd, answer, sizeof answer));
    starts("HTTP/1.1 200");
    send_get(fd, 2001, 1);
    expect(fd, "HTTP/1.1 414", "limits.uri_bytes");
    send_get(fd, 100, 4000); /* the connection was kept */
    expect(fd, "HTTP/1.1 431", "limits.header_bytes");
    send_get(fd, 9000, 1);
    expect(fd, "HTTP/1.1 414", "limits.uri_bytes");
    close(fd);
    fd = raw_connect(&f); /* far beyond: answered plainly, with the same code */
    send_get(fd, 40000, 1);
    assert_true(raw_answer(fd, answer, sizeof answer));
    starts("HTTP/1.1 414");
    close(fd);
    fd = raw_connect(&f);
    send_get(fd, 10, 40000);
    assert_true(raw_answer(fd, answer, sizeof answer));
    starts("HTTP/1.1 431");
    close(fd);
    fixture_stop(&f);
}

static void ambiguous_framing_is_refused(void **state)
{
    (void)state;
    static const char *const heads[] = {
        HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
        HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
        HOST "Content-Length: 3, 3\r\n\r\n",
        HOST "Content-Length: +3\r\n\r\n",
        HOST "Content-Length: 99999999999999999999999\r\n\r\n",
        HOST "Transfer-Encoding: gzip\r\n\r\n",
        HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
        HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        HOST "Content-Length : 3\r\n\r\n",
        HOST HOST "Content-Length: 3\r\n\r\n",
        "Content-Length: 3\r\n\r\n",
    };
    fixture_start(&f, fixture_options());
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int fd = raw_connect(&f);
        raw_send(fd, "POST /echo HTTP/1.1\r\n");
        raw_send(fd, heads[i]);
        raw_send(fd, "3\r\nabc\r\n0\r\n\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n");
        size_t n = 0;
        for (ssize_t k; n + 1 < sizeof answer; n += (size_t)k)
            if ((k = recv(fd, answer + n, sizeof answer - 1 - n, 0)) <= 0)
                break;
        answer[n] = 0;
        if (strncmp(answer, "HTTP/1.1 400", 12) != 0 && strncmp(answer, "HTTP/1.1 413", 12) != 0)
            fail_msg("%s was answered %s", heads[i], answer);
        if (strstr(answer, "HTTP/1.1 200")) /* what follows must not be read as a request */
            fail_msg("%s was followed by another answer: %s", heads[i], answer);
        close(fd);
    }
    fixture_stop(&f);
}

static void connections_are_limited_in_all_and_by_peer(void **state)
{
    (void)state;
    for (int by_peer = 0; by_peer < 2; by_peer++) {
        struct http_server_options o = fixture_options();
        *(by_peer ? &o.connections_per_peer_max : &o.connections_max) = 2;
        fixture_start(&f, o);
        int fd[3];
        for (int i = 0; i < 3; i++) {
            fd[i] = raw_connect(&f);
            raw_send(fd[i], "GET /echo HTTP/1.1\r\n" HOST "\r\n");
            if (i < 2)
                expect(fd[i], "HTTP/1.1 200", "");
        }
        if (by_peer)
            expect(fd[2], "HTTP/1.1 429", "limits.connections_per_peer");
        else
            expect(fd[2], "HTTP/1.1 503", "limits.connections");
        assert_true(raw_closed(fd[2]));
        close(fd[2]);
        close(fd[0]);
        for (int tries = 0;; tries++) { /* there is room again, as soon as the close arrived */
            fd[0] = raw_connect(&f);
            raw_send(fd[0], "GET /echo HTTP/1.1\r\n" HOST "\r\n");
            assert_true(raw_answer(fd[0], answer, sizeof answer));
            if (strncmp(answer, "HTTP/1.1 200", 12) == 0)
                break;
            assert_true(tries < 100);
            close(fd[0]);
            usleep(10000);
        }
        close(fd[0]);
        close(fd[1]);
        fixture_stop(&f);
    }
}

static void slow_clients_are_dropped(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.idle_timeout_s = 1;
    o.request_timeout_s = 1;
    fixture_start(&f, o);
    enum { SLOW = 5 };
    static const char *const starts_with[SLOW] = {
        "",                                                            /* silent */
        "G",                                                           /* in the line */
        "GET /echo HTTP/1.1\r\nX-A: ",                                 /* in the head */
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n", /* in the body */
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfff\r\n",
    };
    int fd[SLOW];
    int64_t start = time_monotonic();
    for (int i = 0; i < SLOW; i++) {
        fd[i] = raw_connect(&f);
        raw_send(fd[i], starts_with[i]);
    }
    for (int k = 0; k < 25; k++) { /* a byte now and then: never silent for a second */
        for (int i = 1; i < SLOW; i++)
            raw_send(fd[i], "x");
        usleep(100000);
    }
    for (int i = 0; i < SLOW; i++) {
        char c;
        assert_true(recv(fd[i], &c, 1, MSG_DONTWAIT) <= 0);
        assert_true(errno != EAGAIN || recv(fd[i], &c, 1, MSG_DONTWAIT) == 0);
        close(fd[i]);
    }
    assert_true(time_monotonic() - start < 5000000);
    struct http_server_stats s;
    http_server_stats(f.server, &s);
    assert_int_equal(s.connections_now, 0);
    assert_true(s.timeouts_total >= 4);
    fixture_stop(&f);
}

static void slow_answer_is_no_time_out(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.idle_timeout_s = 1;
    o.request_timeout_s = 1;
    fixture_start(&f, o);
    int fd = raw_connect(&f);
    raw_send(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    assert_true(fixture_wait(&f.held, 1));
    usleep(2500000);
    fixture_release(&f);
    expect(fd, "HTTP/1.1 200", "x");
    close(fd);
    fixture_stop(&f);
}

/* Neither a slow reader's answer nor its stream is kept for ever, also while others wait. */
static void client_that_does_not_read_is_dropped(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.idle_timeout_s = 1;
    fixture_start(&f, o);
    for (int others_wait = 0; others_wait < 2; others_wait++) {
        int held = others_wait ? hold_one() : -1;
        int fd = raw_connect(&f);
        raw_send(fd, "GET /bytes/50000000 HTTP/1.1\r\n" HOST "\r\n");
        usleep(100000);
        struct http_server_stats s;
        http_server_stats(f.server, &s);
        uint64_t open = s.connections_now;
        for (int i = 0; i < 500 && s.connections_now == open; i++) {
            usleep(10000);
            http_server_stats(f.server, &s);
        }
        assert_int_equal(s.connections_now, open - 1);
        assert_true(s.timeouts_total >= 1);
        close(fd);
        if (held >= 0) {
            fixture_release(&f);
            expect(held, "HTTP/1.1 200", "x");
            close(held);
        }
    }
    fixture_stop(&f);
}

/* ---- streams ---- */

static void stream_delivers_as_it_is_written(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_head(fd, answer, sizeof answer));
    assert_non_null(strstr(answer, "text/event-stream"));
    assert_true(fixture_wait(&f.streams_open, 1));
    for (int i = 0; i < 100; i++) {
        fixture_stream_write(&f, "data: one\n\n", 3);
        for (int k = 0; k < 3; k++)
            assert_true(raw_until(fd, "data: one\n\n"));
    }
    assert_int_equal(f.streams_closed, 0);
    fixture_stream_write(&f, "last", 1);
    fixture_stream_end(&f);
    assert_true(raw_until(fd, "last\r\n0\r\n\r\n"));
    assert_true(fixture_wait(&f.streams_closed, 1));
    close(fd);
    fixture_stop(&f);
}

static void stream_hears_that_the_peer_left(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_head(fd, answer, sizeof answer));
    fixture_stream_write(&f, "x", 1);
    assert_true(raw_until(fd, "x"));
    close(fd);
    assert_true(fixture_wait(&f.streams_closed, 1)); /* without another write */
    fixture_stop(&f);
}

static void stream_to_a_slow_reader_is_bounded(void **state)
{
    (void)state;
    fixture_start(&f, fixture_options());
    int fd = raw_connect(&f);
    raw_send(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_head(fd, answer, sizeof answer));
    char *block = letters(10000);
    for (int i = 0; i < 3000 && !atomic_load(&f.stream_full); i++)
        fixture_stream_write(&f, block, 1);
    free(block);
    assert_true(f.stream_full);
    close(fd);
    assert_true(fixture_wait(&f.streams_closed, 1));
    fixture_stop(&f);
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
    fixture_start(&f, fixture_options());
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
    fixture_stop(&f);
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
    fixture_start(&f, fixture_options());
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
    fixture_stop(&f);
}

/* ---- memory ---- */

static size_t resident_bytes(void)
{
    size_t all = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%zu %zu", &all, &resident), 2);
    fclose(statm);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_REAL 0
#else
#define MEMORY_IS_REAL 1
#endif

/* 10,000 idle connections may cost 200 MB: 20,000 bytes each, also after a request. */
static void idle_connections_are_cheap(void **state)
{
    (void)state;
    enum { CONNECTIONS = 1000, EACH_MAX = 19000 };
    struct http_server_options o = fixture_options();
    o.connections_max = 2 * CONNECTIONS;
    o.uri_bytes_max = 8 << 10;
    o.header_bytes_max = 12 << 10;
    fixture_start(&f, o);
    static int fd[CONNECTIONS];
    size_t before = resident_bytes();
    for (int i = 0; i < CONNECTIONS; i++)
        fd[i] = raw_connect(&f);
    for (int i = 0; i < CONNECTIONS; i++) {
        raw_send(fd[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        expect(fd[i], "HTTP/1.1 200", "abc");
    }
    size_t each = (resident_bytes() - before) / CONNECTIONS;
    for (int i = 0; i < CONNECTIONS; i++)
        close(fd[i]);
    if (MEMORY_IS_REAL && each > EACH_MAX)
        fail_msg("%zu bytes a connection", each);
    fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(taken_address_is_an_error_with_its_reason),
        cmocka_unit_test(connection_is_kept_and_requests_may_be_pipelined),
        cmocka_unit_test(headers_are_found_whatever_their_case),
        cmocka_unit_test(head_drops_the_body_but_says_its_length),
        cmocka_unit_test(large_bodies_pass_unchanged_both_ways),
        cmocka_unit_test(continue_is_sent_when_asked_for),
        cmocka_unit_test(answers_may_come_later_and_from_elsewhere),
        cmocka_unit_test(client_that_left_may_be_answered),
        cmocka_unit_test(server_may_stop_while_requests_are_held),
        cmocka_unit_test(many_may_wait_at_once),
        cmocka_unit_test(loop_sleeps_while_answers_are_awaited),
        cmocka_unit_test(others_are_served_while_answers_are_awaited),
        cmocka_unit_test(too_large_body_is_refused_before_it_is_read),
        cmocka_unit_test(too_large_chunked_body_is_refused),
        cmocka_unit_test(long_uri_and_headers_are_refused),
        cmocka_unit_test(ambiguous_framing_is_refused),
        cmocka_unit_test(connections_are_limited_in_all_and_by_peer),
        cmocka_unit_test(slow_clients_are_dropped),
        cmocka_unit_test(slow_answer_is_no_time_out),
        cmocka_unit_test(client_that_does_not_read_is_dropped),
        cmocka_unit_test(stream_delivers_as_it_is_written),
        cmocka_unit_test(stream_hears_that_the_peer_left),
        cmocka_unit_test(stream_to_a_slow_reader_is_bounded),
        cmocka_unit_test(drain_answers_what_is_open),
        cmocka_unit_test(address_is_shared_only_on_purpose),
        cmocka_unit_test(idle_connections_are_cheap),
    };
    return cmocka_run_group_tests_name("net/http_server", tests, NULL, NULL);
}
