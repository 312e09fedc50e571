/* The grid by which areas are filed: whoever is in an area has a cell with it on every level. */
#include "broker/watch_cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has_cell(struct watch_cells all, struct watch_cells one)
{
    return one.west >= all.west && one.east <= all.east && one.south >= all.south && one.north <= all.north;
}

static void an_area_touches_four_cells_at_most_on_its_level(void **state)
{
    (void)state;
    for (double size = 44; size > 1e-7; size /= 3) {
        struct box b = {11.4, 48.1, 11.4 + size, 48.1 + (size < 40 ? size : 40)};
        uint32_t level = watch_cells_level(b);
        assert_in_range(watch_cells_count(watch_cells_of(b, level)), 1, 4);
        if (level + 1 < WATCH_CELL_LEVELS) /* none finer would do */
            assert_true(size > 180 / (double)(1u << (level + 1)));
    }
    assert_int_equal(watch_cells_level((struct box){11.4, 48.1, 11.4, 48.1}), WATCH_CELL_LEVELS - 1);
}

static void a_point_in_an_area_is_in_one_of_its_cells(void **state)
{
    (void)state;
    struct box area = {-0.5, -0.25, 12.75, 31};
    const double lons[] = {-0.5, 0, 3.3, 12.75}, lats[] = {-0.25, 0, 17.1, 31};
    for (uint32_t level = 0; level < WATCH_CELL_LEVELS; level++)
        for (int i = 0; i < 4; i++) {
            struct box point = {lons[i], lats[3 - i], lons[i], lats[3 - i]};
            assert_int_equal(watch_cells_count(watch_cells_of(point, level)), 1);
            assert_true(has_cell(watch_cells_of(area, level), watch_cells_of(point, level)));
        }
}

static void the_edges_of_the_earth_are_in_the_grid(void **state)
{
    (void)state;
    struct watch_cells c = watch_cells_of((struct box){-180, -90, 180, 90}, 3);
    assert_int_equal(c.west, 0);
    assert_int_equal(c.south, 0);
    assert_int_equal(c.east, 7);
    assert_int_equal(c.north, 7);
    assert_int_equal(watch_cells_count(c), 64);
}

static void what_is_too_wide_or_wraps_around_is_not_told_by_cells(void **state)
{
    (void)state;
    assert_true(watch_cells_tell((struct box){-180, -90, -91, -46}));
    assert_true(watch_cells_tell((struct box){180, 90, 180, 90}));
    assert_false(watch_cells_tell((struct box){179, 0, -179, 1})); /* over the date line */
    assert_false(watch_cells_tell((struct box){0, 0, 90, 1}));
    assert_false(watch_cells_tell((struct box){0, 0, 1, 45}));
    assert_false(watch_cells_tell((struct box){0, 89, 1, 91}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_area_touches_four_cells_at_most_on_its_level),
        cmocka_unit_test(a_point_in_an_area_is_in_one_of_its_cells),
        cmocka_unit_test(the_edges_of_the_earth_are_in_the_grid),
        cmocka_unit_test(what_is_too_wide_or_wraps_around_is_not_told_by_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
