/* The way out, as the broker's port: every fetch completes, also when the end comes first. */
#include "main/egress.h"

#include "main/options.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { FETCHES = 64 };

struct city {
    struct port_fetch fetches[FETCHES + 1];
    atomic_int done, refused, cancelled;
};

static struct city city;

static void fetch_done(struct port_fetch *f)
{
    city.refused += f->status == E_FORBIDDEN;
    city.cancelled += f->status == E_CANCELLED;
    city.done++;
}

static struct egress *start(void)
{
    struct why why;
    struct egress *e;
    why_clear(&why);
    struct config *c = config_new(OPTIONS, OPTION_COUNT);
    if (egress_start(&e, c, NULL, &why) != OK)
        fail_msg("%s", why.text);
    config_free(c);
    city.done = city.refused = city.cancelled = 0;
    return e;
}

static void fetch(struct egress *e, int i, struct str url)
{
    city.fetches[i] = (struct port_fetch){
        .url = url, .accept = "*/*", .bytes_max = 1000, .timeout_ms = 60000, .done = fetch_done};
    egress_ports(e)->fetch(egress_ports(e), &city.fetches[i]);
}

/* Somebody who takes connections and never answers; the URL. */
static int listen_silently(char *url, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &length), 0);
    snprintf(url, n, "http://127.0.0.1:%d/", ntohs(a.sin_port));
    return fd;
}

static void guard_refuses(void **state)
{
    (void)state;
    struct egress *e = start();
    fetch(e, 0, STR("http://169.254.1.1/"));
    for (int i = 0; i < 500 && !city.done; i++)
        usleep(10000);
    assert_int_equal(city.refused, 1);
    egress_cancel(e);
    egress_stop(e);
    egress_free(e);
    assert_int_equal(city.done, 1);
}

static void all_complete_at_the_end(void **state)
{
    (void)state;
    char silent[64];
    int fd = listen_silently(silent, sizeof silent);
    for (int round = 0; round < 20; round++) {
        struct egress *e = start();
        for (int i = 0; i < FETCHES; i++)
            fetch(e, i, i % 2 ? str_of(silent) : STR("http://169.254.1.1/"));
        egress_cancel(e);
        fetch(e, FETCHES, str_of(silent)); /* too late */
        egress_stop(e);
        egress_free(e);
        assert_int_equal(city.done, FETCHES + 1);
        assert_int_equal(city.refused + city.cancelled, FETCHES + 1);
        assert_true(city.cancelled >= FETCHES / 2);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_refuses),
        cmocka_unit_test(all_complete_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
