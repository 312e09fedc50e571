/* The cell index against looking at every box: never one too few, and few too many. */
#include "fixture.h"

#include "model/geometry.h"
#include "store/embedded/bitmap.h"
#include "store/embedded/index_geo.h"

#include <math.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252u;

static double between(double low, double high)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

static struct box random_box(double size_max)
{
    double w = size_max > 0 ? exp(between(-14, log(size_max))) : 0,
           h = size_max > 0 ? w * between(0, 2) : 0;
    double x = between(-180, 180), y = between(-90, 90);
    return (struct box){x, y, fmin(x + w, 180), fmin(y + h, 90)};
}

enum { N = 4000 };

static struct box boxes[N];

static struct ordered *index_of_boxes(void)
{
    struct ordered *o = ordered_new();
    for (uint32_t i = 0; i < N; i++)
        ordered_add(o, index_geo_key(boxes[i]), i);
    return o;
}

/* Returns how many candidates there were beyond those that touch. */
static uint64_t assert_covers(const struct ordered *o, struct box reach)
{
    struct slots slots = {0};
    index_geo_collect(o, reach, &slots);
    struct bitmap *found = slots_take(&slots);
    uint64_t touching = 0;
    for (uint32_t i = 0; i < N; i++) {
        if (!box_touches(boxes[i], reach))
            continue;
        touching++;
        if (!bitmap_has(found, i))
            fail_msg("box %u (%.9f %.9f %.9f %.9f) is not found in %.9f %.9f %.9f %.9f", i,
                     boxes[i].west, boxes[i].south, boxes[i].east, boxes[i].north, reach.west,
                     reach.south, reach.east, reach.north);
    }
    uint64_t n = bitmap_count(found);
    assert_true(index_geo_estimate(o, reach) >= n);
    bitmap_free(found);
    return n - touching;
}

static void test_points(void **state_)
{
    (void)state_;
    for (uint32_t i = 0; i < N; i++)
        boxes[i] = random_box(0);
    boxes[0] = (struct box){-180, -90, -180, -90};
    boxes[1] = (struct box){180, 90, 180, 90};
    boxes[2] = (struct box){0, 0, 0, 0};
    struct ordered *o = index_of_boxes();
    uint64_t extra = 0;
    for (int i = 0; i < 1000; i++)
        extra += assert_covers(o, random_box(i % 2 ? 40 : 0.5));
    assert_int_equal(extra, 0); /* a point is in its cell, to 7 cm */
    for (uint32_t i = 0; i < 100; i++)
        assert_covers(o, boxes[i]);
    assert_covers(o, (struct box){-180, -90, 180, 90});
    ordered_free(o);
}

static void test_boxes_of_all_sizes(void **state_)
{
    (void)state_;
    for (uint32_t i = 0; i < N; i++)
        boxes[i] = random_box(i % 10 ? 0.1 : 300);
    boxes[0] = (struct box){-180, -90, 180, 90};
    boxes[1] = (struct box){-0.0001, -0.0001, 0.0001, 0.0001}; /* across the middle of the square */
    struct ordered *o = index_of_boxes();
    for (int i = 0; i < 1000; i++)
        assert_covers(o, random_box(i % 2 ? 40 : 0.5));
    for (uint32_t i = 0; i < 200; i++)
        assert_covers(o, boxes[i]);
    ordered_free(o);
}

/* Corners on, beside and between cell borders. */
static void test_borders_of_cells(void **state_)
{
    (void)state_;
    for (uint32_t i = 0; i < N; i++) {
        double cell = 360.0 / pow(2, i % 30), x = -180 + cell * (double)(i % 7),
               y = -90 + cell * (double)(i % 3);
        double d = i % 5 == 0   ? 0
                   : i % 5 == 1 ? cell
                   : i % 5 == 2 ? cell / 2
                   : i % 5 == 3 ? cell * 1.5
                                : 1e-9;
        x = x > 180 ? 180 : x;
        y = y > 90 ? 90 : y;
        boxes[i] = (struct box){x, y, fmin(x + d, 180), fmin(y + d, 90)};
    }
    struct ordered *o = index_of_boxes();
    for (uint32_t i = 0; i < N; i += 3)
        assert_covers(o, boxes[i]);
    ordered_free(o);
}

/* Work follows the answer: a search of a small place looks at few of many. */
static void test_small_searches_look_at_few(void **state_)
{
    (void)state_;
    for (uint32_t i = 0; i < N; i++) {
        double x = 117 + (double)(i % 64) * 0.001, y = 36 + (double)(i / 64) * 0.001;
        boxes[i] = (struct box){x, y, x, y};
    }
    struct ordered *o = index_of_boxes();
    for (int i = 0; i < 100; i++) {
        double x = between(117, 117.06), y = between(36, 36.06);
        struct box reach = {x, y, x + 0.004, y + 0.004};
        assert_true(index_geo_estimate(o, reach) <= 80); /* 16 to 25 are inside */
    }
    ordered_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_boxes_of_all_sizes),
        cmocka_unit_test(test_borders_of_cells),
        cmocka_unit_test(test_small_searches_look_at_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
