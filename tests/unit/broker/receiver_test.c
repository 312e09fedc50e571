/* Turns: so many to one receiver, the others in order, and nothing left when all have ended. */
#include "broker/receiver.h"

#include "base/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SENDERS = 6 };

struct sender {
    struct turn turn;
    struct receivers *all;
    struct str uri;
    bool done; /* it wants no turn any more */
};

static struct str order; /* of those that tried again */
static char tried[64];

static void go(struct turn *t)
{
    struct sender *s = container_of(t, struct sender, turn);
    tried[order.n++] = s->uri.p[s->uri.n - 1];
    order.p = tried;
    if (!s->done)
        (void)turn_take(s->all, t, s->uri);
}

static void end(struct sender *s)
{
    struct receiver *r = turn_end(&s->turn);
    turn_pass(s->all, r, go);
}

static void make(struct receivers *all, struct sender *s, const char *format[SENDERS])
{
    order = STR("");
    *all = (struct receivers){.http_max = 2, .mqtt_max = 3};
    for (int i = 0; i < SENDERS; i++)
        s[i] = (struct sender){.all = all, .uri = str_of(format[i])};
}

static const char *const same[SENDERS] = {"http://a:1/0", "http://a:1/1", "http://a:1?2",
                                          "http://a:1/3", "http://a:1#4", "http://a:1/5"};

static void so_many_send_and_the_others_wait_in_order(void **state)
{
    (void)state;
    struct receivers all;
    struct sender s[SENDERS];
    make(&all, s, (const char **)same);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(turn_take(&all, &s[i].turn, s[i].uri), i < 2);
    assert_false(turn_take(&all, &s[3].turn, s[3].uri)); /* asking again changes nothing */
    end(&s[1]);
    assert_true(s[2].turn.has);
    assert_false(turn_take(&all, &s[1].turn, s[1].uri)); /* behind those that wait */
    for (int i = 0; i < SENDERS; i++)
        end(&s[i == 1 ? 2 : i == 2 ? 3 : i == 3 ? 4 : i == 4 ? 5 : i == 5 ? 1 : 0]);
    assert_int_equal(order.n, 5);
    assert_memory_equal(order.p, "23451", 5);
    receivers_free(&all);
}

static void receivers_are_told_apart_by_scheme_and_authority(void **state)
{
    (void)state;
    static const char *const uris[SENDERS] = {"http://a:1/x", "http://a:1/y", "http://a:2/x",
                                              "https://a:1/x", "mqtt://a:1/x", "x"};
    struct receivers all;
    struct sender s[SENDERS];
    make(&all, s, (const char **)uris);
    for (int i = 0; i < SENDERS; i++)
        assert_true(turn_take(&all, &s[i].turn, s[i].uri));
    struct turn other = {0};
    assert_false(turn_take(&all, &other, STR("http://a:1")));
    assert_true(turn_take(&all, &other, STR("http://a:2"))); /* and does not wait for the first any more */
    struct receiver *r = turn_end(&other);
    turn_pass(&all, r, go);
    for (int i = 0; i < SENDERS; i++)
        end(&s[i]);
    assert_int_equal(order.n, 0);
    receivers_free(&all);
}

static void an_mqtt_server_takes_as_many_as_it_may(void **state)
{
    (void)state;
    static const char *const uris[SENDERS] = {"mqtts://b/0", "mqtts://b/1", "mqtts://b/2",
                                              "mqtts://b/3", "mqtts://b/4", "mqtts://b/5"};
    struct receivers all;
    struct sender s[SENDERS];
    make(&all, s, (const char **)uris);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(turn_take(&all, &s[i].turn, s[i].uri), i < 3);
    for (int i = 0; i < SENDERS; i++)
        end(&s[i]);
    receivers_free(&all);
}

static void one_that_wants_nothing_passes_its_turn_on(void **state)
{
    (void)state;
    struct receivers all;
    struct sender s[SENDERS];
    make(&all, s, (const char **)same);
    for (int i = 0; i < SENDERS; i++)
        (void)turn_take(&all, &s[i].turn, s[i].uri);
    s[2].done = s[3].done = true;
    turn_leave(&all, &s[4].turn);
    turn_leave(&all, &s[0].turn); /* one that has its turn keeps it */
    assert_true(s[0].turn.has);
    end(&s[0]);
    assert_memory_equal(order.p, "235", 3);
    assert_true(s[5].turn.has);
    end(&s[1]);
    end(&s[5]);
    assert_int_equal(order.n, 3);
    receivers_free(&all);
}

/* The sanitizer's build sees what would be lost. */
static void what_is_left_goes_with_the_table(void **state)
{
    (void)state;
    struct receivers all;
    struct sender s[SENDERS];
    make(&all, s, (const char **)same);
    for (int i = 0; i < 4; i++)
        (void)turn_take(&all, &s[i].turn, s[i].uri);
    assert_true(turn_take(&all, &s[4].turn, STR("http://b:1/4")));
    assert_int_equal(all.table.count, 2);
    receivers_free(&all);
    assert_int_equal(all.table.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_send_and_the_others_wait_in_order),
        cmocka_unit_test(receivers_are_told_apart_by_scheme_and_authority),
        cmocka_unit_test(an_mqtt_server_takes_as_many_as_it_may),
        cmocka_unit_test(one_that_wants_nothing_passes_its_turn_on),
        cmocka_unit_test(what_is_left_goes_with_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
