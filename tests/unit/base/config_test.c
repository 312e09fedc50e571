/* Configuration: the layers and their order, checks, messages, the reference. */
#include "test.h"

#include "base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct config_option OPTIONS[] = {
    {"server", "listen", OPTION_STRING, "\"127.0.0.1:1026\"", 0, 0, NULL, "listen", false,
     "Address and port."},
    {"server", "threads", OPTION_INT, "2", 1, 256, NULL, NULL, false, "Loops."},
    {"server", "idle_timeout", OPTION_DURATION, "\"30 s\"", 1000000, 3600000000, NULL, NULL, true,
     "Silence allowed."},
    {"limits", "body_bytes", OPTION_BYTES, "\"64 MiB\"", 1024, 1 << 30, NULL, NULL, true,
     "Largest body."},
    {"store", "durability", OPTION_CHOICE, "\"sync\"", 0, 0, "sync|interval", NULL, false,
     "When a change counts as durable."},
    {"store", "check", OPTION_BOOL, "false", 0, 0, NULL, "check", false, "Check at start."},
    {"egress", "deny", OPTION_STRINGS, "[\"10.0.0.0/8\"]", 0, 0, NULL, NULL, false,
     "Ranges refused."},
};
/* environ and argv are not const. */
#define Z(literal) ((char *)(literal))
enum { OPTIONS_N = sizeof OPTIONS / sizeof *OPTIONS };

static struct config *config;
static struct why why;

static int setup(void **state)
{
    (void)state;
    config = config_new(OPTIONS, OPTIONS_N);
    why_clear(&why);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    config_free(config);
    return 0;
}

static enum status read_text(const char *text)
{
    why_clear(&why);
    return config_read_text(config, "wellspring.toml", str_of(text), &why);
}

static void starts_with_presets(void **state)
{
    (void)state;
    const struct str *deny;
    assert_str(config_str(config, "server", "listen"), "127.0.0.1:1026");
    assert_int_equal(config_int(config, "server", "threads"), 2);
    assert_int_equal(config_int(config, "server", "idle_timeout"), 30000000);
    assert_int_equal(config_int(config, "limits", "body_bytes"), 64 << 20);
    assert_int_equal(config_int(config, "store", "durability"), 0);
    assert_false(config_bool(config, "store", "check"));
    assert_int_equal(config_strs(config, "egress", "deny", &deny), 1);
    assert_str(deny[0], "10.0.0.0/8");
}

static void text_overrides_presets(void **state)
{
    (void)state;
    const struct str *deny;
    assert_int_equal(read_text("[server]\nlisten = '[::1]:80'\nthreads = 1_6\n"
                               "idle_timeout = \"5 min\"\n[limits]\nbody_bytes = 4096\n"
                               "[store]\ndurability = \"interval\"\ncheck = true\n"
                               "[egress]\ndeny = [\"a\",\n \"b\"]\n"),
                     OK);
    assert_str(config_str(config, "server", "listen"), "[::1]:80");
    assert_int_equal(config_int(config, "server", "threads"), 16);
    assert_int_equal(config_int(config, "server", "idle_timeout"), 300000000);
    assert_int_equal(config_int(config, "limits", "body_bytes"), 4096);
    assert_int_equal(config_int(config, "store", "durability"), 1);
    assert_true(config_bool(config, "store", "check"));
    assert_int_equal(config_strs(config, "egress", "deny", &deny), 2);
    assert_str(deny[1], "b");
}

static void refuses_by_name_and_line(void **state)
{
    (void)state;
    const struct {
        const char *text, *reason;
    } cases[] = {
        {"\n[server]\nlisen = \"x\"",
         "wellspring.toml:3: unknown key server.lisen (did you mean server.listen?)"},
        {"[sever]\nlisten = \"x\"",
         "wellspring.toml:2: unknown key sever.listen (did you mean server.listen?)"},
        {"[store]\nbody_bytes = 1",
         "wellspring.toml:2: unknown key store.body_bytes (did you mean limits.body_bytes?)"},
        {"threads = 1", "wellspring.toml:1: unknown key threads (did you mean server.threads?)"},
        {"[server]\nwhatever = 1", "wellspring.toml:2: unknown key server.whatever"},
        {"[server]\nthreads = 0",
         "wellspring.toml:2: server.threads is 0, which is not within 1 and 256"},
        {"[server]\nthreads = 257",
         "wellspring.toml:2: server.threads is 257, which is not within 1 and 256"},
        {"[server]\nthreads = \"2\"", "wellspring.toml:2: server.threads is an integer"},
        {"[server]\nlisten = 1026", "wellspring.toml:2: server.listen is a string in quotes"},
        {"[server]\nidle_timeout = 5",
         "wellspring.toml:2: server.idle_timeout needs a unit, such as \"5 s\""},
        {"[server]\nidle_timeout = \"5 parsec\"",
         "wellspring.toml:2: server.idle_timeout is a duration such as \"250 ms\", \"30 s\" or "
         "\"5 min\""},
        {"[server]\nidle_timeout = \"1 d\"",
         "wellspring.toml:2: server.idle_timeout is 1 d, which is not within 1 s and 1 h"},
        {"[limits]\nbody_bytes = \"2 GiB\"",
         "wellspring.toml:2: limits.body_bytes is 2 GiB, which is not within 1 KiB and 1 GiB"},
        {"[limits]\nbody_bytes = -1", "wellspring.toml:2: limits.body_bytes is not negative"},
        {"[store]\ndurability = \"never\"",
         "wellspring.toml:2: store.durability is one of sync|interval"},
        {"[store]\ncheck = \"true\"", "wellspring.toml:2: store.check is true or false"},
        {"[egress]\ndeny = \"x\"", "wellspring.toml:2: egress.deny is an array of strings"},
        {"[server]\nlisten = ", "wellspring.toml:2: expected a string in quotes, an integer, "
                                "true, false or an array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_text(cases[i].text), E_BAD_DATA);
        assert_string_equal(why.text, cases[i].reason);
    }
}

static void nothing_is_applied_when_anything_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(read_text("[server]\nthreads = 9\nlisten = \"x\"\nnope = 1\n"), E_BAD_DATA);
    assert_int_equal(config_int(config, "server", "threads"), 2);
    assert_str(config_str(config, "server", "listen"), "127.0.0.1:1026");
}

static void text_may_vanish_after_reading(void **state)
{
    (void)state;
    char text[] = "[server]\nlisten = 'somewhere'\n";
    assert_int_equal(read_text(text), OK);
    memset(text, '#', sizeof text);
    assert_str(config_str(config, "server", "listen"), "somewhere");
}

static void environment_overrides(void **state)
{
    (void)state;
    const struct str *deny;
    char *vars[] = {Z("PATH=/bin"),
                    Z("WELLSPRING_SERVER_LISTEN=h:1=2"),
                    Z("WELLSPRING_SERVER_IDLE_TIMEOUT=2 min"),
                    Z("WELLSPRING_STORE_CHECK=true"),
                    Z("WELLSPRING_LIMITS_BODY_BYTES=1MiB"),
                    Z("WELLSPRING_SERVER_THREADS=1_0"),
                    Z("WELLSPRING_EGRESS_DENY= a , b,"),
                    Z("WELLSPRING_OF_SOMEBODY_ELSE=1"),
                    NULL};
    assert_int_equal(config_read_env(config, vars, &why), OK);
    assert_str(config_str(config, "server", "listen"), "h:1=2");
    assert_int_equal(config_int(config, "server", "idle_timeout"), 120000000);
    assert_true(config_bool(config, "store", "check"));
    assert_int_equal(config_int(config, "limits", "body_bytes"), 1 << 20);
    assert_int_equal(config_int(config, "server", "threads"), 10);
    assert_int_equal(config_strs(config, "egress", "deny", &deny), 2);
    assert_str(deny[0], "a");
    assert_str(deny[1], "b");
}

static void environment_is_checked(void **state)
{
    (void)state;
    const struct {
        char *variable;
        const char *reason;
    } cases[] = {
        {Z("WELLSPRING_SERVER_THREADS=many"),
         "WELLSPRING_SERVER_THREADS: server.threads is an integer"},
        {Z("WELLSPRING_SERVER_THREADS=-"),
         "WELLSPRING_SERVER_THREADS: server.threads is an integer"},
        {Z("WELLSPRING_SERVER_THREADS=1__0"),
         "WELLSPRING_SERVER_THREADS: server.threads is an integer"},
        {Z("WELLSPRING_SERVER_THREADS=99999999999999999999"),
         "WELLSPRING_SERVER_THREADS: server.threads is an integer"},
        {Z("WELLSPRING_STORE_CHECK=1"), "WELLSPRING_STORE_CHECK: store.check is true or false"},
        {Z("WELLSPRING_SERVER_LISEN=x"),
         "unknown environment variable WELLSPRING_SERVER_LISEN (did "
         "you mean WELLSPRING_SERVER_LISTEN?)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *vars[] = {cases[i].variable, NULL};
        why_clear(&why);
        assert_int_equal(config_read_env(config, vars, &why), E_BAD_DATA);
        assert_string_equal(why.text, cases[i].reason);
    }
}

static void flags_are_taken_out_of_argv(void **state)
{
    (void)state;
    char *argv[] = {Z("wellspring"),
                    Z("serve"),
                    Z("--listen"),
                    Z("a:1"),
                    Z("--store-check"),
                    Z("left"),
                    Z("--json"),
                    Z("--server-threads=7"),
                    Z("--limits-body-bytes"),
                    Z("1 MB"),
                    Z("--"),
                    Z("--listen"),
                    Z("b:2"),
                    NULL};
    int argc = sizeof argv / sizeof *argv - 1;
    assert_int_equal(config_read_args(config, &argc, argv, &why), OK);
    const char *left[] = {"wellspring", "serve", "left", "--json", "--", "--listen", "b:2"};
    assert_int_equal(argc, 7);
    for (int i = 0; i < argc; i++)
        assert_string_equal(argv[i], left[i]);
    assert_null(argv[argc]);
    assert_str(config_str(config, "server", "listen"), "a:1");
    assert_true(config_bool(config, "store", "check"));
    assert_int_equal(config_int(config, "server", "threads"), 7);
    assert_int_equal(config_int(config, "limits", "body_bytes"), 1000000);
}

static void flags_of_booleans_and_missing_values(void **state)
{
    (void)state;
    char *argv[] = {Z("w"), Z("--check"), Z("false"), Z("--store-check=true"), NULL};
    int argc = 4;
    assert_int_equal(config_read_args(config, &argc, argv, &why), OK);
    assert_int_equal(argc, 1);
    assert_true(config_bool(config, "store", "check"));
    char *missing[] = {Z("w"), Z("--listen"), NULL};
    argc = 2;
    assert_int_equal(config_read_args(config, &argc, missing, &why), E_BAD_DATA);
    assert_string_equal(why.text, "--listen needs a value");
    assert_int_equal(argc, 2);
    char *wrong[] = {Z("w"), Z("--server-threads"), Z("0"), NULL};
    argc = 3;
    why_clear(&why);
    assert_int_equal(config_read_args(config, &argc, wrong, &why), E_BAD_DATA);
    assert_string_equal(why.text,
                        "--server-threads: server.threads is 0, which is not within 1 and 256");
}

static void files_are_read_or_named(void **state)
{
    (void)state;
    char path[] = "/tmp/wellspring-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[server]\nthreads = 3\n", 21), 21);
    assert_int_equal(config_read_file(config, path, &why), OK);
    assert_int_equal(config_int(config, "server", "threads"), 3);
    close(fd);
    unlink(path);
    assert_int_equal(config_read_file(config, path, &why), E_NOT_FOUND);
    assert_non_null(strstr(why.text, path));
    why_clear(&why);
    assert_int_equal(config_read_file(config, "/tmp", &why), E_IO);
}

/* Uncommented, the reference is a file that says exactly the presets. */
static void reference_reads_back(void **state)
{
    (void)state;
    struct buf ref, bare;
    buf_init(&ref, 1 << 16);
    buf_init(&bare, 1 << 16);
    config_write_reference(config, &ref);
    struct str rest = buf_view(&ref), line;
    int settings = 0;
    while (str_split(&rest, '\n', &line)) {
        bool setting = line.n > 1 && line.p[0] == '#' && line.p[1] != ' ';
        settings += setting;
        buf_str(&bare, str_from(line, setting));
        buf_char(&bare, '\n');
    }
    assert_int_equal(settings, OPTIONS_N);
    assert_int_equal(config_read_text(config, "reference", buf_view(&bare), &why), OK);
    starts_with_presets(NULL);
    assert_true(str_find(buf_view(&ref), STR("# Largest body.\n# (size, 1 KiB to 1 GiB; taken "
                                             "over on SIGHUP)\n#body_bytes = \"64 MiB\"\n")) !=
                STR_NPOS);
    assert_true(str_find(buf_view(&ref), STR("(one of sync, interval)")) != STR_NPOS);
    buf_free(&ref);
    buf_free(&bare);
}

int main(void)
{
#define WITH_CONFIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_CONFIG(starts_with_presets),
        WITH_CONFIG(text_overrides_presets),
        WITH_CONFIG(refuses_by_name_and_line),
        WITH_CONFIG(nothing_is_applied_when_anything_is_wrong),
        WITH_CONFIG(text_may_vanish_after_reading),
        WITH_CONFIG(environment_overrides),
        WITH_CONFIG(environment_is_checked),
        WITH_CONFIG(flags_are_taken_out_of_argv),
        WITH_CONFIG(flags_of_booleans_and_missing_values),
        WITH_CONFIG(files_are_read_or_named),
        WITH_CONFIG(reference_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
