/* Small drawings, dot by dot. */
#include "main/plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY INT64_C(86400000000)

static void drawn_as(const struct plot_point *points, size_t n, size_t lines, const char *wanted)
{
    struct buf b;
    buf_init(&b, 10000);
    plot_draw(&b, points, n, 19, lines);
    if (!str_eq(buf_view(&b), str_of(wanted)))
        fail_msg("%.*s", (int)b.n, b.p);
    buf_free(&b);
}

static void a_line_rises(void **state)
{
    static const struct plot_point POINTS[] = {{0, 0}, {DAY, 4}};
    (void)state;
    drawn_as(POINTS, 2, 1, "         4 ⣀⡠⠤⠤⠒⠒⠊⠉\n           1970-01-01T00:00:00Z 1970-01-02T00:00:00Z\n");
}

static void a_level_is_in_the_middle(void **state)
{
    static const struct plot_point POINTS[] = {{0, 7}, {DAY, 7}};
    (void)state;
    drawn_as(POINTS, 2, 2, "         7 ⣀⣀⣀⣀⣀⣀⣀⣀\n         7 ⠀⠀⠀⠀⠀⠀⠀⠀\n           1970-01-01T00:00:00Z 1970-01-02T00:00:00Z\n");
}

static void one_point_is_a_dot(void **state)
{
    static const struct plot_point POINT = {0, -1.5};
    (void)state;
    drawn_as(&POINT, 1, 1, "      -1.5 ⠂⠀⠀⠀⠀⠀⠀⠀\n           1970-01-01T00:00:00Z 1970-01-01T00:00:00Z\n");
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    drawn_as(NULL, 0, 3, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_rises),
        cmocka_unit_test(a_level_is_in_the_middle),
        cmocka_unit_test(one_point_is_a_dot),
        cmocka_unit_test(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
