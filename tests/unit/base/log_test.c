/* Log lines: both formats, escaping, levels, long fields, threads. */
#include "test.h"

#include "base/json.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int pipe_ends[2];

static int open_pipe(void **state)
{
    (void)state;
    return pipe(pipe_ends);
}

static int close_pipe(void **state)
{
    (void)state;
    log_setup(LOG_LOGFMT, LOG_INFO_, STDERR_FILENO);
    close(pipe_ends[0]);
    return close(pipe_ends[1]);
}

static struct str read_back(char *out, size_t room)
{
    ssize_t n = read(pipe_ends[0], out, room);
    assert_true(n > 0);
    return (struct str){out, (size_t)n};
}

/* The line behind its time stamp, which is checked for form only. */
static struct str behind_time(struct str line)
{
    assert_true(str_starts(line, STR("ts=2")));
    return str_from(line, str_find(line, STR(" ")) + 1);
}

static void logfmt_quotes_where_needed(void **state)
{
    (void)state;
    char out[5000];
    log_setup(LOG_LOGFMT, LOG_INFO_, pipe_ends[1]);
    log_info("request", log_z("path", "/ngsi-ld/v1"), log_i("status", 200), log_f("ms", 1.5),
             log_z("a", "b c"), log_z("eq", "a=b"), log_z("empty", ""));
    assert_str(behind_time(read_back(out, sizeof out)),
               "level=info event=request path=/ngsi-ld/v1 status=200 ms=1.5 a=\"b c\" eq=\"a=b\" "
               "empty=\"\"\n");
}

static void nothing_escapes_the_line(void **state)
{
    (void)state;
    char out[5000];
    log_setup(LOG_LOGFMT, LOG_INFO_, pipe_ends[1]);
    log_warn("odd", log_z("v", "a\nb\"\\\x1B[1m\x7F\xFF \xC2\x9B \xC3\xA4"));
    assert_str(behind_time(read_back(out, sizeof out)),
               "level=warn event=odd "
               "v=\"a\\nb\\\"\\\\\\u001b[1m\\u007f\\ufffd \\u009b \xC3\xA4\"\n");
}

static void json_lines_are_json(void **state)
{
    (void)state;
    char out[5000];
    struct arena *a = arena_new(0);
    struct json v;
    const struct json_limits limits = {.depth_max = 4, .bytes_max = sizeof out};
    log_setup(LOG_JSON, LOG_INFO_, pipe_ends[1]);
    log_error("sync failed", log_z("why", "a\"b\xFF\n\x7F"), log_i("n", -3),
              log_f("nan", __builtin_nan("")));
    struct str line = read_back(out, sizeof out);
    assert_int_equal(json_read(a, line, &limits, &v, NULL), OK);
    assert_true(json_is_string(json_get(&v, STR("level")), STR("error")));
    assert_true(json_is_string(json_get(&v, STR("event")), STR("sync failed")));
    assert_true(json_is_string(json_get(&v, STR("why")), STR("a\"b\xEF\xBF\xBD\n\x7F")));
    assert_int_equal(json_get(&v, STR("n"))->integer, -3);
    assert_true(json_is(json_get(&v, STR("nan")), JSON_NULL));
    arena_free(a);
}

static void levels_below_are_silent(void **state)
{
    (void)state;
    char out[5000];
    log_setup(LOG_LOGFMT, LOG_WARN_, pipe_ends[1]);
    assert_false(log_enabled(LOG_INFO_));
    assert_true(log_enabled(LOG_ERROR_));
    log_info("silent", log_i("n", 1));
    log_write(LOG_DEBUG_, "silent", NULL, 0);
    log_write(LOG_ERROR_, "loud", NULL, 0);
    assert_str(behind_time(read_back(out, sizeof out)), "level=error event=loud\n");
}

static void a_field_that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    char out[9000], big[6000];
    memset(big, '\n', sizeof big);
    log_setup(LOG_LOGFMT, LOG_INFO_, pipe_ends[1]);
    log_info("long", log_i("before", 1), log_s("big", (struct str){big, sizeof big}),
             log_i("after", 2));
    assert_str(behind_time(read_back(out, sizeof out)),
               "level=info event=long before=1 after=2 cut=true\n");
}

static void *log_many(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info("line", log_z("who", arg));
    return NULL;
}

static void lines_of_threads_never_mix(void **state)
{
    (void)state;
    char names[2][41];
    pthread_t threads[2];
    log_setup(LOG_LOGFMT, LOG_INFO_, pipe_ends[1]);
    for (int i = 0; i < 2; i++) {
        memset(names[i], 'a' + i, 40);
        names[i][40] = 0;
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    char *out = malloc(1 << 16);
    struct str all = read_back(out, 1 << 16), line;
    int seen[2] = {0, 0};
    while (str_split(&all, '\n', &line) && line.n) {
        struct str who = str_from(line, str_find(line, STR("who=")) + 4);
        assert_int_equal(who.n, 40);
        seen[who.p[0] == 'b'] += str_eq(who, str_of(names[who.p[0] == 'b']));
    }
    assert_int_equal(seen[0], 200);
    assert_int_equal(seen[1], 200);
    free(out);
}

int main(void)
{
#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)
    const struct CMUnitTest tests[] = {
        WITH_PIPE(logfmt_quotes_where_needed),
        WITH_PIPE(nothing_escapes_the_line),
        WITH_PIPE(json_lines_are_json),
        WITH_PIPE(levels_below_are_silent),
        WITH_PIPE(a_field_that_does_not_fit_is_left_out),
        WITH_PIPE(lines_of_threads_never_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
