/* Posts to receivers that behave in every way that a receiver can. */
#include "receiver.h"

#include "base/arena.h"
#include "base/time.h"
#include "net/http_sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct receiver receiver;
static struct loop *loop;
static struct egress_guard *guard;
static struct resolver *resolver;
static struct http_sender *sender;
static int open_posts;
static int open_posts_left; /* the loop stops when no more are open */
static struct http_sender_options options;

enum { PATIENCE_MS = 60000 };

static void done(struct http_post *p)
{
    (void)p;
    if (--open_posts == open_posts_left)
        loop_stop(loop);
}

static void begin(void)
{
    receiver_start(&receiver);
    assert_int_equal(loop_new(&loop, NULL), OK);
    assert_int_equal(egress_guard_new(&guard, NULL, 0, NULL, 0, NULL), OK);
    resolver = resolver_new(loop_runner(loop));
    options.guard = guard;
    options.resolver = resolver;
    if (!options.connections_max)
        options.connections_max = 64;
    if (!options.connections_per_origin_max)
        options.connections_per_origin_max = 4;
    if (!options.idle_us)
        options.idle_us = 60000000;
    options.user_agent = STR("test/1");
    sender = http_sender_new(loop, &options);
    open_posts = open_posts_left = 0;
}

static void end(void)
{
    assert_int_equal(receiver.wrong, 0);
    http_sender_free(sender);
    receiver_stop(&receiver);
    resolver_free(resolver);
    egress_guard_free(guard);
    loop_free(loop);
    options = (struct http_sender_options){0};
}

struct sent {
    struct http_post post;
    char url[120];
    int64_t done_us; /* when, of those that note it */
};

static void start_timed(struct sent *s, const char *host, const char *path, struct str body, uint32_t timeout_ms)
{
    static const struct str headers[] = {{"Content-Type: application/json", 30}, {"Content-Length: 7", 17}};
    snprintf(s->url, sizeof s->url, "http://%s:%d%s", host, receiver.port, path);
    s->post = (struct http_post){.url = str_of(s->url),
                                 .headers = headers,
                                 .header_count = 2, /* the second must be left out */
                                 .body = body,
                                 .timeout_ms = timeout_ms,
                                 .done = done};
    open_posts++;
    http_post_start(sender, &s->post);
}

static void start_at(struct sent *s, const char *host, const char *path, struct str body)
{
    start_timed(s, host, path, body, PATIENCE_MS);
}

static void start(struct sent *s, const char *path)
{
    start_at(s, "127.0.0.1", path, STR("{\"id\":1}"));
}

static struct sent send_one(const char *path)
{
    struct sent s;
    start(&s, path);
    loop_run(loop);
    assert_int_equal(open_posts, 0);
    return s;
}

static void expect(const char *path, int http_status)
{
    struct sent s = send_one(path);
    if (s.post.status != OK)
        fail_msg("%s: %s", path, s.post.why.text);
    assert_int_equal(s.post.http_status, http_status);
}

static void every_kind_of_answer_is_understood(void **state)
{
    (void)state;
    begin();
    for (int round = 0; round < 3; round++) {
        expect("/ok", 204);
        expect("/500", 500);
        expect("/chunked", 200);
        expect("/interim", 200);
        expect("/dribble", 200);
    }
    assert_in_range(receiver.connections, 1, 3); /* one, and another while a body still comes */
    expect("/old", 200);
    expect("/close", 200);
    expect("/leave", 200);
    expect("/leave", 200);
    expect("/huge", 200);
    expect("/unending", 200);
    expect("/ok?a=%20b#part", 204);
    end();
}

static void failures_are_told_apart(void **state)
{
    (void)state;
    begin();
    struct sent s = send_one("/drop");
    assert_int_equal(s.post.status, E_IO);
    s = send_one("/garbage");
    assert_int_equal(s.post.status, E_IO);
    assert_non_null(strstr(s.post.why.text, "HTTP"));
    struct http_post p = {.url = STR("http://169.254.169.254/"), .timeout_ms = 1000, .done = done};
    open_posts = 1;
    http_post_start(sender, &p);
    loop_run(loop);
    assert_int_equal(p.status, E_FORBIDDEN);
    p = (struct http_post){.url = STR("http://127.0.0.1:1/"), .timeout_ms = 1000, .done = done};
    open_posts = 1;
    http_post_start(sender, &p);
    loop_run(loop);
    assert_int_equal(p.status, E_IO);
    static const struct str injection[] = {{"X: a\r\nY: b", 10}};
    p = (struct http_post){.url = str_of(s.url), .headers = injection, .header_count = 1, .timeout_ms = 1000, .done = done};
    open_posts = 1;
    http_post_start(sender, &p);
    loop_run(loop);
    assert_int_equal(p.status, E_BAD_DATA);
    end();
}

static void names_are_looked_up(void **state)
{
    (void)state;
    begin();
    struct sent s;
    start_at(&s, "localhost", "/ok", STR("x"));
    loop_run(loop);
    assert_int_equal(s.post.status, OK);
    start_at(&s, "no-such-name.invalid", "/ok", STR("x"));
    loop_run(loop);
    assert_int_equal(s.post.status, E_IO);
    assert_non_null(strstr(s.post.why.text, "no-such-name"));
    start_at(&s, "no-such-name.invalid", "/ok", STR("x")); /* remembered */
    loop_run(loop);
    assert_int_equal(s.post.status, E_IO);
    start_at(&s, "other-name.invalid", "/ok", STR("x"));
    http_sender_free(sender); /* during the look-up */
    assert_int_equal(s.post.status, E_CANCELLED);
    sender = NULL;
    end();
}

static void large_bodies_go_in_parts(void **state)
{
    (void)state;
    enum { BYTES = 6 << 20 };
    begin();
    char *body = malloc(BYTES);
    memset(body, 'x', BYTES);
    struct sent s;
    for (int i = 0; i < 3; i++) {
        start_at(&s, "127.0.0.1", "/ok", (struct str){body, BYTES});
        loop_run(loop);
        assert_int_equal(s.post.status, OK);
        assert_int_equal(s.post.http_status, 204);
    }
    assert_int_equal(receiver.connections, 1);
    start_at(&s, "127.0.0.1", "/early", (struct str){body, BYTES});
    loop_run(loop); /* the status, or a broken connection: by what the kernel shows first */
    assert_true(s.post.status == OK ? s.post.http_status == 413 : s.post.status == E_IO);
    free(body);
    end();
}

/* What a receiver closes while it is idle is noticed, or tried once more. */
static void idle_connections_may_go(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 50; i++)
        expect("/leave", 200);
    assert_int_equal(http_sender_stats(sender).posts, 50);
    end();
}

static void look_again(struct loop_timer *t)
{
    if (http_sender_stats(sender).connections == 0)
        loop_stop(loop);
    else
        loop_timer_set(loop, t, time_monotonic() + 1000);
}

static void unused_connections_are_closed(void **state)
{
    (void)state;
    options.idle_us = 20000;
    begin();
    expect("/ok", 204);
    assert_int_equal(http_sender_stats(sender).connections, 1);
    static struct loop_timer timer;
    timer = (struct loop_timer){.fire = look_again};
    look_again(&timer);
    loop_run(loop); /* ends when it is gone */
    end();
}

static void one_receiver_has_so_many_connections(void **state)
{
    (void)state;
    enum { POSTS = 500 };
    begin();
    struct sent *s = calloc(POSTS, sizeof *s);
    for (int i = 0; i < POSTS; i++)
        start(&s[i], i % 7 ? "/ok" : "/chunked");
    loop_run(loop);
    for (int i = 0; i < POSTS; i++) {
        assert_int_equal(s[i].post.status, OK);
        assert_int_equal(s[i].post.http_status, i % 7 ? 204 : 200);
    }
    assert_int_equal(receiver.posts, POSTS);
    assert_true(receiver.connections <= 4);
    free(s);
    end();
}

static void dead_receivers_cost_others_nothing(void **state)
{
    (void)state;
    enum { DEAD = 99, EACH = 10, ALIVE = 300 };
    options.connections_max = 20;
    begin();
    struct sent *dead = calloc(DEAD * EACH, sizeof *dead), *alive = calloc(ALIVE, sizeof *alive);
    char host[10];
    struct str body = STR("{}");
    for (int i = 0; i < DEAD; i++) { /* at first nobody knows that they are dead */
        receiver_name(host, 1 + i);
        do {
            start_timed(&dead[i], host, "/stall", body, 20);
            loop_run(loop);
            assert_int_equal(dead[i].post.status, E_TIMEOUT);
        } while (strstr(dead[i].post.why.text, "no connection")); /* not tried yet */
    }
    for (int i = 0; i < DEAD * EACH; i++) {
        receiver_name(host, 1 + i % DEAD);
        start_timed(&dead[i], host, "/stall", body, 2 * PATIENCE_MS);
    }
    open_posts_left = DEAD * EACH;
    for (int i = 0; i < ALIVE; i++) {
        start_timed(&alive[i], "localhost", "/ok", body, PATIENCE_MS); /* before a dead one gives its connection back */
    }
    loop_run(loop);
    for (int i = 0; i < ALIVE; i++)
        assert_int_equal(alive[i].post.status, OK);
    assert_int_equal(open_posts, DEAD * EACH); /* none was given up for them */
    assert_true(http_sender_stats(sender).connections <= 20);
    http_sender_free(sender);
    sender = NULL;
    free(dead);
    free(alive);
    end();
}

static void note_time(struct http_post *p)
{
    struct sent *s = container_of(p, struct sent, post);
    s->done_us = time_monotonic();
    done(p);
}

/* Four at a time have a connection: were waiting not counted, the last would end two time-outs after the first. */
static void timeouts_include_the_wait(void **state)
{
    (void)state;
    enum { POSTS = 12, TIMEOUT_MS = 1500 };
    begin();
    struct sent s[POSTS];
    int64_t from = time_monotonic();
    for (int i = 0; i < POSTS; i++) {
        start_timed(&s[i], "127.0.0.1", "/stall", STR("x"), TIMEOUT_MS);
        s[i].post.done = note_time;
    }
    loop_run(loop);
    int64_t first = INT64_MAX, last = 0;
    for (int i = 0; i < POSTS; i++) {
        assert_int_equal(s[i].post.status, E_TIMEOUT);
        first = s[i].done_us < first ? s[i].done_us : first;
        last = s[i].done_us > last ? s[i].done_us : last;
    }
    assert_true(first - from >= (TIMEOUT_MS - 10) * 1000);
    assert_true(last - first < TIMEOUT_MS * 1000);
    assert_true(receiver.posts <= POSTS && receiver.posts >= 4);
    end();
}

static void end_cancels_everything(void **state)
{
    (void)state;
    enum { POSTS = 100 };
    begin();
    struct sent *s = calloc(POSTS, sizeof *s);
    for (int i = 0; i < POSTS; i++)
        start(&s[i], "/stall");
    http_sender_free(sender);
    for (int i = 0; i < POSTS; i++)
        assert_int_equal(s[i].post.status, E_CANCELLED);
    assert_int_equal(open_posts, 0);
    sender = NULL;
    free(s);
    end();
}

static void only_plain_urls_are_taken(void **state)
{
    (void)state;
    assert_true(http_sender_takes(STR("http://a.example")));
    assert_true(http_sender_takes(STR("HTTP://a.example:81?x")));
    assert_true(http_sender_takes(STR("http://[::1]:8080/x/y?z=%20")));
    static const char *const others[] = {"https://a/",       "http://",          "http:///x",    "http://u:p@a/",
                                         "http://a:0/",      "http://a:65536/",  "http://a:x/",  "http://a b/",
                                         "http://a/b c",     "http://[::1/",     "http://[a]/",  "http://a/\xc3\xa4",
                                         "http://a:80:80/x", "http://[::1]x:1/", "http://\xc3\xa4/"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (http_sender_takes(str_of(others[i])))
            fail_msg("%s", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_urls_are_taken),
        cmocka_unit_test(every_kind_of_answer_is_understood),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(large_bodies_go_in_parts),
        cmocka_unit_test(idle_connections_may_go),
        cmocka_unit_test(unused_connections_are_closed),
        cmocka_unit_test(one_receiver_has_so_many_connections),
        cmocka_unit_test(timeouts_include_the_wait),
        cmocka_unit_test(dead_receivers_cost_others_nothing),
        cmocka_unit_test(end_cancels_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
