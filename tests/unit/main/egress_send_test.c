/* Messages that leave through the port: every one comes back to its home, whatever the receiver does. */
#include "../net/http_fixture.h"

#include "main/egress.h"
#include "main/options.h"
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct fixture f;
static struct loop *home;
static struct egress *egress;
static int open_sends;

static void done(struct port_send *s)
{
    (void)s;
    if (--open_sends == 0)
        loop_stop(home);
}

static void begin(void)
{
    struct why why;
    why_clear(&why);
    fixture_start(&f, fixture_options());
    assert_int_equal(loop_new(&home, NULL), OK);
    struct config *c = config_new(OPTIONS, OPTION_COUNT);
    if (egress_start(&egress, c, NULL, &why) != OK)
        fail_msg("%s", why.text);
    config_free(c);
    open_sends = 0;
}

static void end(void)
{
    if (egress) {
        egress_cancel(egress);
        egress_stop(egress);
        egress_free(egress);
    }
    egress = NULL;
    fixture_stop(&f);
    loop_free(home);
}

static struct str url_of(char room[static 100], const char *path)
{
    return (struct str){room, (size_t)snprintf(room, 100, "http://127.0.0.1:%d%s", f.port, path)};
}

static void start(struct port_send *s, struct str uri, struct str body)
{
    static const struct str headers[] = {{"Content-Type: application/json", 30}};
    *s = (struct port_send){.uri = uri,
                            .headers = headers,
                            .header_count = 1,
                            .body = body,
                            .timeout_ms = 5000,
                            .home = loop_runner(home),
                            .done = done};
    open_sends++;
    egress_ports(egress)->send(egress_ports(egress), s);
}

static struct port_send send_one(struct str uri, struct str body)
{
    struct port_send s;
    start(&s, uri, body);
    loop_run(home);
    assert_int_equal(open_sends, 0);
    return s;
}

static void answer_is_its_status(void **state)
{
    (void)state;
    char url[100];
    begin();
    struct port_send s = send_one(url_of(url, "/echo"), STR("{}"));
    assert_int_equal(s.status, OK);
    assert_int_equal(s.http_status, 200);
    s = send_one(url_of(url, "/to?http://127.0.0.1/"), STR("{}"));
    assert_int_equal(s.http_status, 302); /* not followed */
    end();
}

static void huge_answer_is_an_answer(void **state)
{
    (void)state;
    char url[100];
    begin();
    struct port_send s = send_one(url_of(url, "/bytes/5000000"), STR("{}"));
    assert_int_equal(s.status, OK);
    assert_int_equal(s.http_status, 200);
    s = send_one(url_of(url, "/stream"), STR("{}")); /* endless */
    assert_true(s.status == OK || s.status == E_TIMEOUT);
    end();
}

static void bad_receivers_are_told_apart(void **state)
{
    (void)state;
    begin();
    struct port_send s = send_one(STR("http://169.254.1.1/"), STR("{}"));
    assert_int_equal(s.status, E_FORBIDDEN);
    assert_int_equal(s.http_status, 0);
    s = send_one(STR("gopher://127.0.0.1/"), STR("{}"));
    assert_int_equal(s.status, E_NOT_SUPPORTED);
    s = send_one(STR("http://127.0.0.1:1/"), STR("{}"));
    assert_int_equal(s.status, E_IO);
    assert_true(s.why.text[0] != 0);
    end();
}

static void all_come_home_at_the_end(void **state)
{
    (void)state;
    enum { SENDS = 64 };
    char url[100];
    begin();
    struct port_send s[SENDS];
    struct str held = url_of(url, "/hold");
    for (int i = 0; i < SENDS; i++)
        start(&s[i], i % 2 ? STR("http://169.254.1.1/") : held, STR("{}"));
    assert_true(fixture_wait(&f.held, 32)); /* egress.connections_per_host */
    egress_cancel(egress);
    struct port_send late;
    start(&late, held, STR("{}"));
    egress_stop(egress);
    egress_free(egress);
    egress = NULL;
    loop_run(home);
    for (int i = 0; i < SENDS; i += 2)
        assert_int_equal(s[i].status, E_CANCELLED);
    assert_int_equal(late.status, E_CANCELLED);
    fixture_release(&f);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_its_status),
        cmocka_unit_test(huge_answer_is_an_answer),
        cmocka_unit_test(bad_receivers_are_told_apart),
        cmocka_unit_test(all_come_home_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
