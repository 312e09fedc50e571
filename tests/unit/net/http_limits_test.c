/* The limits of the HTTP seam from outside: what is refused, what is dropped, what it costs. */
#include "http_fixture.h"

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

static void starts(const char *line)
{
    if (strncmp(answer, line, strlen(line)) != 0)
        fail_msg("expected '%s', got '%s'", line, answer);
}

static void expect(int fd, const char *line, const char *body)
{
    raw_expect(fd, answer, sizeof answer, line, body);
}

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
    char *body = raw_letters(2 << 20);
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
    char *body = raw_letters(700);
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
    char *uri = raw_letters(uri_bytes - 1), *value = raw_letters(header_bytes);
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
    for (int i = 0; i < SLOW; i++) {
        fd[i] = raw_connect(&f);
        raw_send(fd[i], starts_with[i]);
    }
    struct http_server_stats s;
    do { /* a byte now and then: never silent for a second */
        for (int i = 1; i < SLOW; i++)
            raw_send(fd[i], "x");
        usleep(100000);
        http_server_stats(f.server, &s);
    } while (s.connections_total < SLOW || s.connections_now);
    assert_true(s.timeouts_total >= 4);
    for (int i = 0; i < SLOW; i++) {
        char c;
        errno = 0;
        assert_true(recv(fd[i], &c, 1, 0) <= 0);
        assert_int_not_equal(errno, EAGAIN);
        close(fd[i]);
    }
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

/* Until so many were dropped, and so many are left. */
static void await_time_outs(uint64_t timeouts, uint64_t connections)
{
    struct http_server_stats s;
    for (int i = 0; i < 6000; i++, usleep(10000)) {
        http_server_stats(f.server, &s);
        if (s.timeouts_total == timeouts && s.connections_now == connections)
            return;
    }
    fail_msg("%u time-outs, %u connections", (unsigned)s.timeouts_total, (unsigned)s.connections_now);
}

/* Neither a slow reader's answer nor its stream is kept for ever, also while others wait. */
static void client_that_does_not_read_is_dropped(void **state)
{
    (void)state;
    struct http_server_options o = fixture_options();
    o.idle_timeout_s = 3; /* longer than a busy machine lets a server wait for the processor */
    fixture_start(&f, o);
    for (int others_wait = 0; others_wait < 2; others_wait++) {
        int held = others_wait ? fixture_hold(&f) : -1;
        int fd = raw_connect(&f);
        raw_send(fd, "GET /bytes/50000000 HTTP/1.1\r\n" HOST "\r\n");
        await_time_outs(1 + others_wait, held >= 0);
        close(fd);
        if (held >= 0) {
            fixture_release(&f);
            expect(held, "HTTP/1.1 200", "x");
            close(held);
        }
    }
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

/* 10,000 idle connections may cost 170 MB, also after a request. */
static void idle_connections_are_cheap(void **state)
{
    (void)state;
    enum { CONNECTIONS = 1000, EACH_MAX = 17000 };
    struct http_server_options o = fixture_options();
    o.connections_max = 2 * CONNECTIONS;
    o.uri_bytes_max = 8 << 10;
    o.header_bytes_max = 10 << 10;
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
        cmocka_unit_test(too_large_body_is_refused_before_it_is_read),
        cmocka_unit_test(too_large_chunked_body_is_refused),
        cmocka_unit_test(long_uri_and_headers_are_refused),
        cmocka_unit_test(ambiguous_framing_is_refused),
        cmocka_unit_test(connections_are_limited_in_all_and_by_peer),
        cmocka_unit_test(slow_clients_are_dropped),
        cmocka_unit_test(slow_answer_is_no_time_out),
        cmocka_unit_test(client_that_does_not_read_is_dropped),
        cmocka_unit_test(idle_connections_are_cheap),
    };
    return cmocka_run_group_tests_name("net/http_limits", tests, NULL, NULL);
}
