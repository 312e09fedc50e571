/* URIs of MQTT endpoints, and publishing to a real Mosquitto, which is started on a free port, dies and
 * comes back. Skipped by name where there is no Mosquitto. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "net/mqtt_client.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const SERVER = "/usr/sbin/mosquitto";

/* ---- the server ---- */

static pid_t server_pid;
static int server_port;
static char folder[] = "/tmp/mqtt_client_test.XXXXXX";

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static void server_wait(void)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)server_port)};
    for (int i = 0; i < 1000; i++, usleep(10000)) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int connected = connect(fd, (struct sockaddr *)&a, sizeof a);
        close(fd);
        if (connected == 0)
            return;
    }
    fail_msg("mosquitto does not come up on port %d", server_port);
}

/* extra: more lines of its configuration. */
static void server_start(const char *extra)
{
    char path[100];
    snprintf(path, sizeof path, "%s/mosquitto.conf", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "listener %d 127.0.0.1\nuser root\n%s", server_port, extra);
    fclose(f);
    server_pid = fork();
    if (server_pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execl(SERVER, SERVER, "-c", path, (char *)NULL);
        _exit(127);
    }
    server_wait();
}

static void server_kill(void)
{
    if (server_pid > 0) {
        kill(server_pid, SIGKILL);
        waitpid(server_pid, NULL, 0);
    }
    server_pid = 0;
}

static const char *const ANYBODY = "allow_anonymous true\n";

/* ---- the client ---- */

static struct loop *loop;
static struct egress_guard *guard;
static struct resolver *resolver;
static struct mqtt_client *client;
static int open_messages;

static void done(struct mqtt_message *m)
{
    (void)m;
    if (--open_messages == 0)
        loop_stop(loop);
}

static void begin(void)
{
    if (access(SERVER, X_OK) != 0) {
        print_message("there is no %s\n", SERVER);
        skip();
    }
    server_port = free_port();
    assert_int_equal(loop_new(&loop, NULL), OK);
    assert_int_equal(egress_guard_new(&guard, NULL, 0, NULL, 0, NULL), OK);
    resolver = resolver_new(loop_runner(loop));
    client = mqtt_client_new(
        loop, &(struct mqtt_client_options){.guard = guard, .resolver = resolver, .servers_max = 3});
    open_messages = 0;
}

static void end(void)
{
    mqtt_client_free(client);
    server_kill();
    resolver_free(resolver);
    egress_guard_free(guard);
    loop_free(loop);
}

struct sent {
    struct mqtt_message message;
    char uri[160];
};

static void start_timed(struct sent *s, const char *authority, uint8_t version, uint8_t qos, uint32_t timeout_ms)
{
    snprintf(s->uri, sizeof s->uri, "mqtt://%s:%d/city/notify", authority, server_port);
    s->message = (struct mqtt_message){.uri = str_of(s->uri),
                                       .payload = STR("{\"metadata\":{},\"body\":{}}"),
                                       .version = version,
                                       .qos = qos,
                                       .timeout_ms = timeout_ms,
                                       .done = done};
    open_messages++;
    mqtt_publish_start(client, &s->message);
}

static struct sent send_one(const char *authority, uint8_t version, uint8_t qos)
{
    struct sent s;
    start_timed(&s, authority, version, qos, 8000);
    loop_run(loop);
    assert_int_equal(open_messages, 0);
    return s;
}

/* ---- somebody who subscribes, on a thread of libmosquitto ---- */

static struct {
    struct mosquitto *m;
    int seen, subscribed, qos[3];
    bool wrong;
} audience;

static void heard(struct mosquitto *m, void *arg, const struct mosquitto_message *message)
{
    (void)m;
    (void)arg;
    audience.qos[message->qos]++;
    audience.wrong |= strcmp(message->topic, "city/notify") != 0 || message->payloadlen != 25;
    audience.seen++;
}

static void subscribed(struct mosquitto *m, void *arg, int mid, int count, const int *granted)
{
    (void)m;
    (void)arg;
    (void)mid;
    (void)count;
    (void)granted;
    audience.subscribed = 1;
}

static void audience_until(const int *counter, int value)
{
    for (int i = 0; i < 1000 && *counter < value; i++)
        mosquitto_loop(audience.m, 10, 100);
    assert_true(*counter >= value);
}

static void audience_begin(void)
{
    memset(&audience, 0, sizeof audience);
    audience.m = mosquitto_new(NULL, true, NULL);
    mosquitto_message_callback_set(audience.m, heard);
    mosquitto_subscribe_callback_set(audience.m, subscribed);
    assert_int_equal(mosquitto_connect(audience.m, "127.0.0.1", server_port, 60), MOSQ_ERR_SUCCESS);
    mosquitto_subscribe(audience.m, NULL, "city/#", 2);
    audience_until(&audience.subscribed, 1);
}

static void audience_end(void)
{
    mosquitto_destroy(audience.m);
}

/* ---- tests ---- */

static void uris_are_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct mqtt_uri u;
    struct why why;
    why_clear(&why);
    assert_int_equal(mqtt_uri_parse(STR("mqtt://host/a"), a, &u, &why), OK);
    assert_true(!u.tls && u.port == 1883 && str_eq(u.host, STR("host")) && str_eq(u.topic, STR("a")));
    assert_true(str_absent(u.user) && str_absent(u.password));
    assert_int_equal(mqtt_uri_parse(STR("MQTTS://me:p%40ss@x@[::1]/a/b%20c"), a, &u, &why), OK);
    assert_true(u.tls && u.port == 8883 && str_eq(u.host, STR("::1")) && str_eq(u.topic, STR("a/b c")));
    assert_true(str_eq(u.user, STR("me")) && str_eq(u.password, STR("p@ss@x")));
    assert_int_equal(mqtt_uri_parse(STR("mqtt://:secret@host:99/a/"), a, &u, &why), OK);
    assert_true(str_absent(u.user) && str_eq(u.password, STR("secret")) && u.port == 99);
    assert_int_equal(mqtt_uri_parse(STR("mqtt://@host/a"), a, &u, &why), OK);
    assert_true(str_absent(u.user) && str_absent(u.password));
    static const char *const bad[] = {
        "http://h/a",       "mqtt://h",         "mqtt://h/",        "mqtt:///a",      "mqtt://u:secret@/a",
        "mqtt://h:0/a",     "mqtt://h:70000/a", "mqtt://h:x/a",     "mqtt://h/a/#",   "mqtt://h/+/b",
        "mqtt://h/a%00b",   "mqtt://h/a%2",     "mqtt://h/\xff",    "mqtt://[::1/a",  "mqtt://u:secret%zz@h/a",
        "mqtt://h h/a",     "mqtt",             "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        why_clear(&why);
        if (mqtt_uri_parse(str_of(bad[i]), a, &u, &why) != E_BAD_DATA)
            fail_msg("%s", bad[i]);
        assert_null(strstr(why.text, "secret"));
    }
    arena_free(a);
}

static void every_level_arrives(void **state)
{
    (void)state;
    begin();
    server_start(ANYBODY);
    audience_begin();
    for (uint8_t version = 3; version <= 5; version += 2) {
        for (uint8_t qos = 0; qos <= 2; qos++) {
            struct sent s = send_one("127.0.0.1", version, qos);
            if (s.message.status != OK)
                fail_msg("version %d, QoS %d: %s", version, qos, s.message.why.text);
        }
    }
    audience_until(&audience.seen, 6);
    assert_int_equal(audience.qos[0], 2);
    assert_int_equal(audience.qos[1], 2);
    assert_int_equal(audience.qos[2], 2);
    assert_false(audience.wrong);
    audience_end();
    end();
}

static void many_messages_are_all_acknowledged(void **state)
{
    (void)state;
    enum { MESSAGES = 3000 };
    begin();
    server_start(ANYBODY);
    struct sent *s = calloc(MESSAGES, sizeof *s);
    for (int i = 0; i < MESSAGES; i++)
        start_timed(&s[i], "localhost", 3 + 2 * (i % 2), (uint8_t)(i % 3), 20000);
    loop_run(loop);
    for (int i = 0; i < MESSAGES; i++)
        if (s[i].message.status != OK)
            fail_msg("%d: %s", i, s[i].message.why.text);
    free(s);
    end();
}

static void server_may_die_and_return(void **state)
{
    (void)state;
    begin();
    server_start(ANYBODY);
    assert_int_equal(send_one("127.0.0.1", 5, 1).message.status, OK);
    server_kill();
    struct sent s = send_one("127.0.0.1", 5, 1);
    assert_int_equal(s.message.status, E_IO);
    assert_non_null(strstr(s.message.why.text, "refused"));
    server_start(ANYBODY);
    s = send_one("127.0.0.1", 5, 2); /* after a pause */
    assert_int_equal(s.message.status, OK);
    kill(server_pid, SIGSTOP); /* alive, but silent */
    start_timed(&s, "127.0.0.1", 5, 1, 300);
    loop_run(loop);
    assert_int_equal(s.message.status, E_TIMEOUT);
    kill(server_pid, SIGCONT);
    assert_int_equal(send_one("127.0.0.1", 5, 1).message.status, OK);
    end();
}

static void wrong_credentials_are_told_without_them(void **state)
{
    (void)state;
    begin();
    server_start("allow_anonymous false\n");
    for (uint8_t version = 3; version <= 5; version += 2) {
        struct sent s = send_one("me:secret@127.0.0.1", version, 0);
        assert_int_equal(s.message.status, E_IO);
        assert_non_null(strstr(s.message.why.text, "refuses"));
        assert_null(strstr(s.message.why.text, "secret"));
    }
    end();
}

static void guard_is_asked(void **state)
{
    (void)state;
    begin();
    struct sent s = send_one("169.254.169.254", 5, 0);
    assert_int_equal(s.message.status, E_FORBIDDEN);
    s = send_one("no-such-name.invalid", 5, 0);
    assert_int_equal(s.message.status, E_IO);
    end();
}

static void servers_are_bounded_and_the_end_cancels(void **state)
{
    (void)state;
    begin();
    server_start(ANYBODY);
    kill(server_pid, SIGSTOP);
    struct sent s[4];
    static const char *const users[] = {"a@127.0.0.1", "b@127.0.0.1", "c@127.0.0.1", "d@127.0.0.1"};
    for (int i = 0; i < 4; i++)
        start_timed(&s[i], users[i], 5, 0, 5000);
    mqtt_client_free(client);
    client = NULL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(s[i].message.status, E_CANCELLED);
    assert_int_equal(s[3].message.status, E_BUSY);
    assert_string_equal(s[3].message.why.limit, "egress.mqtt_servers");
    end();
}

static int shell(const char *format, ...)
{
    char command[1000];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    return system(command);
}

/* A certificate for the name, signed by nobody but itself: trusted when it is named as the system's. */
static void certificate_make(const char *name)
{
    assert_int_equal(shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                           "-keyout %s/key.pem -out %s/%s.pem -subj /CN=%s -addext subjectAltName=DNS:%s 2>/dev/null",
                           folder, folder, name, name, name),
                     0);
}

static struct sent send_tls(const char *host)
{
    struct sent s;
    snprintf(s.uri, sizeof s.uri, "mqtts://%s:%d/city/notify", host, server_port);
    s.message = (struct mqtt_message){
        .uri = str_of(s.uri), .payload = STR("{}"), .version = 5, .qos = 1, .timeout_ms = 8000, .done = done};
    open_messages = 1;
    mqtt_publish_start(client, &s.message);
    loop_run(loop);
    return s;
}

static void tls_is_verified_against_the_name(void **state)
{
    (void)state;
    char path[100], extra[300];
    begin();
    certificate_make("localhost");
    snprintf(path, sizeof path, "%s/localhost.pem", folder);
    snprintf(extra, sizeof extra, "certfile %s\nkeyfile %s/key.pem\nallow_anonymous true\n", path, folder);
    server_start(extra);
    struct sent s = send_tls("localhost"); /* by somebody unknown */
    assert_int_equal(s.message.status, E_IO);
    mqtt_client_free(client);
    setenv("SSL_CERT_FILE", path, 1);
    client = mqtt_client_new(
        loop, &(struct mqtt_client_options){.guard = guard, .resolver = resolver, .servers_max = 3});
    s = send_tls("localhost");
    if (s.message.status != OK)
        fail_msg("%s", s.message.why.text);
    s = send_tls("127.0.0.1"); /* the right certificate, of another name */
    assert_int_equal(s.message.status, E_IO);
    unsetenv("SSL_CERT_FILE");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_are_read),
        cmocka_unit_test(every_level_arrives),
        cmocka_unit_test(many_messages_are_all_acknowledged),
        cmocka_unit_test(server_may_die_and_return),
        cmocka_unit_test(wrong_credentials_are_told_without_them),
        cmocka_unit_test(guard_is_asked),
        cmocka_unit_test(servers_are_bounded_and_the_end_cancels),
        cmocka_unit_test(tls_is_verified_against_the_name),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (shell("rm -r %s", folder) != 0)
        return 1;
    return failed;
}
