/* The outgoing client against our own server, and the guard. */
#include "http_fixture.h"

#include "base/time.h"
#include "net/address.h"
#include "net/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct fixture f;
static struct loop *loop;
static struct http_client *client;
static struct http_client_options options;

/* What done saw, as the call's answer does not outlive it. */
struct seen {
    struct http_call call;
    int done;
    char body[256], type[64];
    size_t body_bytes;
};
static int open_calls;

static void done(struct http_call *call)
{
    struct seen *s = container_of(call, struct seen, call);
    s->done++;
    s->body_bytes = call->answer.n;
    snprintf(s->body, sizeof s->body, "%.*s", STR_ARG(str_head(call->answer, 255)));
    snprintf(s->type, sizeof s->type, "%.*s", STR_ARG(call->content_type));
    if (--open_calls == 0)
        loop_stop(loop);
}

static void begin(void)
{
    fixture_start(&f, fixture_options());
    struct why why;
    why_clear(&why);
    if (!options.connections_max)
        options.connections_max = 16;
    options.user_agent = STR("test/1");
    assert_int_equal(loop_new(&loop, NULL), OK);
    assert_int_equal(http_client_new(&client, loop, &options, &why), OK);
    open_calls = 0;
}

static void end(void)
{
    http_client_free(client);
    loop_free(loop);
    fixture_stop(&f);
    options = (struct http_client_options){0};
}

static struct seen seen_make(const char *method, const char *url)
{
    return (struct seen){.call = {.method = method,
                                  .url = str_of(url),
                                  .answer_bytes_max = 1 << 20,
                                  .timeout_ms = 5000,
                                  .done = done}};
}

static void start(struct seen *s)
{
    open_calls++;
    http_call_start(client, &s->call);
    assert_int_equal(s->done, 0); /* never inside */
}

static const char *url_of(const char *path)
{
    static char url[300];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", f.port, path);
    return url;
}

static struct seen get(const char *url)
{
    struct seen s = seen_make("GET", url);
    start(&s);
    loop_run(loop);
    assert_int_equal(s.done, 1);
    return s;
}

/* ---- the plain course ---- */

static void answer_comes_with_status_type_and_body(void **state)
{
    (void)state;
    begin();
    static const struct str headers[] = {{"X-One: here", 11}, {"Content-Type: text/plain", 24}};
    struct seen s = seen_make("POST", url_of("/echo?x=1"));
    s.call.headers = headers;
    s.call.header_count = 2;
    s.call.body = STR("hello");
    start(&s);
    loop_run(loop);
    assert_int_equal(s.call.status, OK);
    assert_int_equal(s.call.http_status, 200);
    assert_string_equal(s.body, "hello");
    assert_string_equal(s.type, "text/plain");
    s = get(url_of("/any/../path?q=%20"));
    assert_string_equal(s.body, "|0||1|GET|/any/../path|q=%20");
    s = seen_make("PATCH", url_of("/echo"));
    start(&s);
    loop_run(loop);
    assert_int_equal(s.call.http_status, 200);
    assert_int_equal(s.body_bytes, 0);
    s = seen_make("HEAD", url_of("/bytes/100"));
    start(&s);
    loop_run(loop);
    assert_int_equal(s.call.status, OK);
    assert_int_equal(s.body_bytes, 0);
    end();
}

static void name_is_looked_up(void **state)
{
    (void)state;
    begin();
    char url[100];
    snprintf(url, sizeof url, "http://localhost:%d/echo", f.port);
    struct seen s = get(url);
    assert_int_equal(s.call.status, OK);
    s = get("http://no-such-name.invalid/");
    assert_int_equal(s.call.status, E_IO);
    assert_true(s.call.why.text[0] != 0);
    end();
}

static void many_calls_share_connections(void **state)
{
    (void)state;
    options.connections_max = 8;
    begin();
    enum { CALLS = 300 };
    struct seen *s = calloc(CALLS, sizeof *s);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CALLS; i++) {
            s[i] = seen_make("POST", url_of(i % 2 ? "/echo" : "/defer"));
            s[i].call.body = STR("x");
            s[i].call.url = (struct str){strdup(s[i].call.url.p), s[i].call.url.n};
            start(&s[i]);
        }
        loop_run(loop);
        for (int i = 0; i < CALLS; i++) {
            assert_int_equal(s[i].done, 1);
            assert_int_equal(s[i].call.status, OK);
            assert_string_equal(s[i].body, "x");
            free((void *)(uintptr_t)s[i].call.url.p);
        }
    }
    struct http_server_stats stats;
    http_server_stats(f.server, &stats);
    assert_int_equal(stats.requests_total, 2 * CALLS);
    assert_true(stats.connections_total <= 8);
    free(s);
    end();
}

/* ---- bounds ---- */

static void too_large_answer_is_cut_off(void **state)
{
    (void)state;
    begin();
    struct seen s = seen_make("GET", url_of("/bytes/100000"));
    s.call.answer_bytes_max = 99999;
    start(&s);
    loop_run(loop);
    assert_int_equal(s.call.status, E_TOO_LARGE);
    assert_non_null(strstr(s.call.why.text, "99999"));
    s = seen_make("GET", url_of("/bytes/100000"));
    s.call.answer_bytes_max = 100000;
    start(&s);
    loop_run(loop);
    assert_int_equal(s.call.status, OK);
    assert_int_equal(s.body_bytes, 100000);
    end();
}

static void silent_server_is_given_up(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 2; i++) { /* no answer; an answer that never ends */
        struct seen s = seen_make("GET", url_of(i ? "/stream" : "/hold"));
        s.call.timeout_ms = 200;
        int64_t from = time_monotonic();
        start(&s);
        loop_run(loop);
        int64_t us = time_monotonic() - from;
        assert_int_equal(s.call.status, E_TIMEOUT);
        assert_true(us >= 190000 && us < 3000000);
    }
    fixture_release(&f);
    end();
}

static void redirect_is_not_followed(void **state)
{
    (void)state;
    begin();
    char path[200];
    snprintf(path, sizeof path, "/to?http://127.0.0.1:%d/echo", f.port);
    struct seen s = get(url_of(path));
    assert_int_equal(s.call.status, OK);
    assert_int_equal(s.call.http_status, 302);
    struct http_server_stats stats;
    http_server_stats(f.server, &stats);
    assert_int_equal(stats.requests_total, 1);
    end();
}

static void lifetime_is_told(void **state)
{
    (void)state;
    begin();
    assert_int_equal(get(url_of("/cache?max-age=77")).call.max_age_s, 77);
    assert_int_equal(get(url_of("/cache?private")).call.max_age_s, -1);
    assert_int_equal(get("x:\n").call.max_age_s, -1);
    end();
}

static void pause_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int64_t seconds;
    } ROWS[] = {{"/busy?7", 7}, {"/busy", 0}, {"/busy?soon", 0}, {"/busy?-5", 0},
                {"/busy?Sun,_06_Nov_1994_08:49:37_GMT", 0}, {"/cache?private", 0}};
    begin();
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(get(url_of(ROWS[i].path)).call.retry_after_s, ROWS[i].seconds);
    assert_true(get(url_of("/busy?Sat,_06_Nov_2094_08:49:37_GMT")).call.retry_after_s > 3600);
    assert_true(get(url_of("/busy?99999999999")).call.retry_after_s > 3600);
    assert_int_equal(get("x:\n").call.retry_after_s, 0);
    end();
}

static void environment_proxy_is_not_used(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    begin();
    struct seen s = get(url_of("/echo"));
    assert_int_equal(s.call.status, OK);
    end();
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

static void only_http_is_spoken(void **state)
{
    (void)state;
    begin();
    static const char *const urls[] = {"file:///etc/hostname",   "ftp://127.0.0.1/", "gopher://x/",
                                       "dict://127.0.0.1/",      "http://",          "",
                                       "http://127.0.0.1:99999/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct seen s = get(urls[i]);
        if (s.call.status != E_BAD_DATA)
            fail_msg("%s: %s (%s)", urls[i], status_name(s.call.status), s.call.why.text);
    }
    end();
}

static void injected_header_is_refused(void **state)
{
    (void)state;
    begin();
    static const struct str bad[] = {{"X: a\r\nY: b", 10}, {"no colon", 8}};
    for (int i = 0; i < 2; i++) {
        struct seen s = seen_make("GET", url_of("/echo"));
        s.call.headers = &bad[i];
        s.call.header_count = 1;
        start(&s);
        loop_run(loop);
        assert_int_equal(s.call.status, E_BAD_DATA);
    }
    struct seen s = get("http://127.0.0.1/\r\nX: y");
    assert_int_equal(s.call.status, E_BAD_DATA);
    end();
}

/* ---- cancelling ---- */

static void cancelled_call_is_done_once(void **state)
{
    (void)state;
    begin();
    struct seen s = seen_make("GET", url_of("/hold")), bad = seen_make("GET", "x:\n");
    struct seen open = seen_make("GET", url_of("/hold")), last = seen_make("GET", "y:\n");
    open_calls = 100; /* none of these ends the loop */
    start(&s);
    start(&bad);
    http_call_cancel(client, &s.call);
    http_call_cancel(client, &bad.call);
    assert_int_equal(s.done, 1);
    assert_int_equal(bad.done, 1);
    assert_int_equal(s.call.status, E_CANCELLED);
    assert_int_equal(bad.call.status, E_CANCELLED);
    http_call_cancel(client, &s.call); /* done: nothing happens */
    assert_int_equal(s.done, 1);
    start(&open);
    start(&last);
    end();
    assert_int_equal(open.done, 1);
    assert_int_equal(open.call.status, E_CANCELLED);
    assert_int_equal(last.call.status, E_CANCELLED);
}

/* ---- the guard ---- */

static bool allows(const struct egress_guard *g, const char *ip)
{
    struct address a;
    char text[100];
    snprintf(text, sizeof text, strchr(ip, ':') ? "[%s]:80" : "%s:80", ip);
    assert_int_equal(address_parse(&a, str_of(text), NULL), OK);
    return egress_guard_allows(g, (struct sockaddr *)&a.storage);
}

static void guard_judges_addresses(void **state)
{
    (void)state;
    static const struct str refuse[] = {{"10.0.0.0/8", 10}, {"fd00::/9", 8}, {"192.0.2.7", 9}};
    static const struct str allow[] = {{"10.1.0.0/16", 11}, {"169.254.9.9", 11}};
    static const char *const refused[] = {
        "169.254.1.1",       "::ffff:169.254.1.1",
        "0.0.0.0",           "::",
        "224.0.0.1",         "239.9.9.9",
        "ff02::1",           "fe80::1",
        "febf::1",           "255.255.255.255",
        "10.0.0.1",          "10.255.255.255",
        "10.2.0.0",          "fd00::1",
        "fd7f::1",           "192.0.2.7",
        "::ffff:10.0.0.1",   "0.1.2.3",
        "64:ff9b::a9fe:101", "64:ff9b::a00:1",
        "2002:a9fe:101::1",  "::ffff:0.0.0.0",
    };
    static const char *const allowed[] = {
        "127.0.0.1",   "::1",         "192.168.1.1",      "172.16.0.1",      "10.1.2.3",
        "169.254.9.9", "192.0.2.8",   "fd80::1",          "fec0::1",         "9.255.255.255",
        "11.0.0.0",    "2001:db8::1", "64:ff9b::808:808", "2002:808:808::1", "::ffff:10.1.0.1",
    };
    struct egress_guard *g;
    struct why why;
    why_clear(&why);
    assert_int_equal(egress_guard_new(&g, refuse, 3, allow, 2, &why), OK);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (allows(g, refused[i]))
            fail_msg("%s is allowed", refused[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (!allows(g, allowed[i]))
            fail_msg("%s is refused", allowed[i]);
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    assert_false(egress_guard_allows(g, (struct sockaddr *)&local));
    egress_guard_free(g);
}

static void bad_range_is_named(void **state)
{
    (void)state;
    static const struct str bad[] = {
        {"10.0.0.0/33", 11}, {"fd00::/129", 10}, {"ten/8", 5}, {"10.0.0.0/", 9}, {"", 0},
        {"10.0.0/8", 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct egress_guard *g;
        struct why why;
        why_clear(&why);
        assert_int_equal(egress_guard_new(&g, &bad[i], 1, NULL, 0, &why), E_BAD_DATA);
        assert_non_null(strstr(why.text, bad[i].n ? bad[i].p : "''"));
    }
}

static void refused_addresses_are_not_connected_to(void **state)
{
    (void)state;
    begin();
    static const char *const urls[] = {
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.1.1]/",
        "http://2852039166/" /* 169.254.169.254 */,
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "http://[::]:1/",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct seen s = get(urls[i]);
        if (s.call.status != E_FORBIDDEN)
            fail_msg("%s: %s (%s)", urls[i], status_name(s.call.status), s.call.why.text);
    }
    end();
}

/* A name is judged by the address it leads to. */
static void configured_ranges_are_refused_behind_a_name(void **state)
{
    (void)state;
    static const struct str refuse[] = {{"127.0.0.0/8", 11}, {"::1/128", 7}};
    options.refuse = refuse;
    options.refuse_count = 2;
    begin();
    char url[100];
    snprintf(url, sizeof url, "http://localhost:%d/echo", f.port);
    assert_int_equal(get(url).call.status, E_FORBIDDEN);
    assert_int_equal(get(url_of("/echo")).call.status, E_FORBIDDEN);
    struct http_server_stats stats;
    http_server_stats(f.server, &stats);
    assert_int_equal(stats.connections_total, 0);
    end();
    static const struct str allow[] = {{"127.0.0.1", 9}};
    options.refuse = refuse;
    options.refuse_count = 2;
    options.allow = allow;
    options.allow_count = 1;
    begin();
    assert_int_equal(get(url_of("/echo")).call.status, OK);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_judges_addresses),
        cmocka_unit_test(bad_range_is_named),
        cmocka_unit_test(answer_comes_with_status_type_and_body),
        cmocka_unit_test(name_is_looked_up),
        cmocka_unit_test(many_calls_share_connections),
        cmocka_unit_test(too_large_answer_is_cut_off),
        cmocka_unit_test(silent_server_is_given_up),
        cmocka_unit_test(redirect_is_not_followed),
        cmocka_unit_test(lifetime_is_told),
        cmocka_unit_test(pause_is_told),
        cmocka_unit_test(environment_proxy_is_not_used),
        cmocka_unit_test(only_http_is_spoken),
        cmocka_unit_test(injected_header_is_refused),
        cmocka_unit_test(cancelled_call_is_done_once),
        cmocka_unit_test(refused_addresses_are_not_connected_to),
        cmocka_unit_test(configured_ranges_are_refused_behind_a_name),
    };
    return cmocka_run_group_tests_name("net/http_client", tests, NULL, NULL);
}
