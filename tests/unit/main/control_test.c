/* Orders through the socket in a data directory, with a store that only backs up. */
#include "main/control.h"

#include "base/arena.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct city {
    struct store store;
    struct control *control;
    char dir[400];
    char backed_up[400]; /* path of the last backup */
    struct why why;
};

static enum status backup(struct store *s, const char *dir, struct why *why)
{
    struct city *c = container_of(s, struct city, store);
    snprintf(c->backed_up, sizeof c->backed_up, "%s", dir);
    return strstr(dir, "full") ? why_set(why, E_NO_SPACE, NULL, "the disk is full") : OK;
}

static const struct store_ops OPS = {.backup = backup};

/* The directory's path is longer than a socket's may be. */
static int setup(void **state)
{
    struct city *c = calloc(1, sizeof *c);
    char base[] = "control_test_XXXXXX";
    assert_non_null(mkdtemp(base));
    snprintf(c->dir, sizeof c->dir, "%s/%0150d", base, 7);
    assert_int_equal(mkdir(c->dir, 0700), 0);
    c->store.ops = &OPS;
    why_clear(&c->why);
    if (control_start(&c->control, &c->store, c->dir, &c->why) != OK)
        fail_msg("%s", c->why.text);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct city *c = *state;
    if (c->control)
        control_stop(c->control);
    assert_int_equal(rmdir(c->dir), 0); /* nothing is left in it */
    *strchr(c->dir, '/') = 0;
    assert_int_equal(rmdir(c->dir), 0);
    free(c);
    return 0;
}

static enum status order(struct city *c, const char *line)
{
    why_clear(&c->why);
    return control_order(c->dir, line, &c->why);
}

static void backup_is_ordered(void **state)
{
    struct city *c = *state;
    assert_int_equal(order(c, "backup /somewhere/else"), OK);
    assert_string_equal(c->backed_up, "/somewhere/else");
    assert_int_equal(order(c, "backup /full"), E_IO);
    assert_string_equal(c->why.text, "the disk is full");
}

static void other_orders_are_refused(void **state)
{
    static const char *const LINES[] = {"", "stop", "backup", "backup relative", "backup  /two/spaces"};
    struct city *c = *state;
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        assert_int_equal(order(c, LINES[i]), E_IO);
        assert_non_null(strstr(c->why.text, "only order"));
    }
    assert_string_equal(c->backed_up, "");
    assert_int_equal(order(c, "backup /a\nbackup /b"), E_BAD_DATA);
    char line[5000];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    assert_int_equal(order(c, line), E_BAD_DATA);
}

/* Neither the umask nor a moment in between lets others in; and the umask stays as it is. */
static void socket_is_for_the_owner_alone(void **state)
{
    struct city *c = *state;
    struct stat info;
    char path[500];
    snprintf(path, sizeof path, "%s/control.sock", c->dir);
    control_stop(c->control);
    c->control = NULL;
    mode_t mask = umask(0);
    assert_int_equal(control_start(&c->control, &c->store, c->dir, &c->why), OK);
    assert_int_equal(umask(mask), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void nobody_there(void **state)
{
    struct city *c = *state;
    control_stop(c->control);
    c->control = NULL;
    assert_int_equal(order(c, "backup /x"), E_NOT_FOUND);
    why_clear(&c->why);
    assert_int_equal(control_order("control_test_none", "backup /x", &c->why), E_NOT_FOUND);
    assert_int_not_equal(control_start(&c->control, &c->store, "control_test_none", &c->why), OK);
}

/* What a city that crashed left behind is no hindrance. */
static void stale_socket_is_replaced(void **state)
{
    struct city *c = *state;
    char path[500];
    snprintf(path, sizeof path, "%s/control.sock", c->dir);
    control_stop(c->control);
    c->control = NULL;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(control_start(&c->control, &c->store, c->dir, &c->why), OK);
    assert_int_equal(order(c, "backup /x"), OK);
}

static int connect_in(const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    assert_int_equal(chdir(dir), 0);
    snprintf(a.sun_path, sizeof a.sun_path, "control.sock");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(chdir("../.."), 0);
    return fd;
}

/* A client that says nothing does not delay the end of the city. */
static void silent_client_does_not_delay_the_stop(void **state)
{
    struct city *c = *state;
    int fd = connect_in(c->dir);
    usleep(50000); /* it is being served now, or will be */
    int64_t start = time_monotonic();
    control_stop(c->control);
    c->control = NULL;
    assert_true(time_monotonic() - start < 2000000);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(backup_is_ordered, setup, teardown),
        cmocka_unit_test_setup_teardown(other_orders_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(socket_is_for_the_owner_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_there, setup, teardown),
        cmocka_unit_test_setup_teardown(stale_socket_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(silent_client_does_not_delay_the_stop, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
