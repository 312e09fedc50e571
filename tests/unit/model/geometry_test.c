/* Geometries: what is accepted (CIM 009 clause 4.7.1, RFC 7946), boxes and growing. */
#include "model/geometry.h"
#include "model/geometry_shape.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct json_limits LIMITS = {32, 1 << 20};

static struct json parse(struct arena *a, const char *text)
{
    struct json v;
    struct why why = {0};
    assert_int_equal(json_read(a, str_of(text), &LIMITS, &v, &why), OK);
    return v;
}

static enum status check(struct arena *a, const char *text, uint32_t max, struct value *out,
                         struct why *why)
{
    struct json v = parse(a, text);
    struct at at = {NULL, STR("location"), 0};
    why_clear(why);
    return geometry_value(&v, max, a, &at, out, why);
}

static void takes_every_type(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct box box;
        bool point;
    } cases[] = {
        {"{\"type\":\"Point\",\"coordinates\":[-8.5,41.2]}", {-8.5, 41.2, -8.5, 41.2}, true},
        {"{\"type\":\"Point\",\"coordinates\":[180,-90,12]}", {180, -90, 180, -90}, true},
        {"{\"coordinates\":[[1,2],[3,-4]],\"type\":\"MultiPoint\"}", {1, -4, 3, 2}, false},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4],[0,9]]}", {0, 2, 3, 9}, false},
        {"{\"type\":\"MultiLineString\",\"coordinates\":[[[1,2],[3,4]],[[5,6],[7,8,9]]]}",
         {1, 2, 7, 8},
         false},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[10,0],[10,10],[0,0]],"
         "[[4,2],[6,2],[6,3],[4,2]]]}",
         {0, 0, 10, 10},
         false},
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[1,0],[1,1],[0,0]]],"
         "[[[-5,-5],[-4,-5],[-4,-4],[-5,-5]]]],\"bbox\":[1,2,{\"]\":\"}\\\"\"}]}",
         {-5, -5, 1, 1},
         false},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        struct why why;
        assert_int_equal(check(a, cases[i].text, 100, &v, &why), OK);
        assert_int_equal(v.kind, VALUE_GEO);
        assert_int_equal(v.point, cases[i].point);
        assert_memory_equal(&v.box, &cases[i].box, sizeof v.box);
        assert_true(str_eq(v.text, str_of(cases[i].text)));
        struct json tree = parse(a, cases[i].text);
        assert_true(geometry_looks_like(&tree));
        /* The scanner of stored text sees the same. */
        struct geometry_shape shape = {0};
        assert_true(geometry_shape_scan(v.text, &shape));
        assert_memory_equal(&shape.box, &cases[i].box, sizeof shape.box);
        assert_string_equal(geometry_kind_name(shape.kind),
                            arena_dup(a, json_get(&tree, STR("type"))->string).p);
        geometry_shape_free(&shape);
    }
    arena_free(a);
}

static void shapes_keep_rings_and_polygons(void **state)
{
    (void)state;
    struct geometry_shape s = {0};
    assert_true(geometry_shape_scan(
        STR("{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[9,0],[9,9],[0,0]],"
            "[[3,1],[4,1],[4,2],[3,1]]],[[[-5,-5],[-4,-5],[-4,-4],[-5,-4],[-5,-5]]]]}"),
        &s));
    assert_int_equal(s.polygon_count, 2);
    assert_int_equal(s.polygon_ends[0], 2);
    assert_int_equal(s.polygon_ends[1], 3);
    assert_int_equal(s.line_count, 3);
    assert_int_equal(s.line_ends[0], 4);
    assert_int_equal(s.line_ends[1], 8);
    assert_int_equal(s.line_ends[2], 13);
    assert_int_equal(s.position_count, 13);
    assert_true(
        geometry_shape_scan(STR("{\"type\":\"Point\",\"coordinates\":[-8.5e0,41.25]}"), &s));
    assert_int_equal(s.position_count, 1);
    assert_true(s.positions[0].lon == -8.5 && s.positions[0].lat == 41.25);
    static const char *const bad[] = {
        "",
        "{}",
        "{\"type\":\"Point\"}",
        "{\"type\":\"Point\",\"coordinates\":[1,2}",
        "{\"type\":\"Point\",\"coordinates\":[1]}",
        "{\"type\":\"Pt\",\"coordinates\":[1,2]}",
        "{\"type\":\"LineString\",\"coordinates\":[1,2]}",
        "{\"type\":\"Point\",\"coordinates\":[1,2]",
        "{\"type\":\"Point\\",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(geometry_shape_scan(str_of(bad[i]), &s));
    geometry_shape_free(&s);
}

static void refuses_with_pointer_and_rule(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pointer, *rule;
        enum status status;
    } cases[] = {
        {"[1,2]", "/location", "expected a GeoJSON geometry", E_BAD_DATA},
        {"{\"type\":\"GeometryCollection\",\"coordinates\":[]}", "/location/type",
         "other than GeometryCollection", E_BAD_DATA},
        {"{\"coordinates\":[1,2]}", "/location", "geometry type", E_BAD_DATA},
        {"{\"type\":\"Point\"}", "/location", "coordinates", E_BAD_DATA},
        {"{\"type\":\"Point\",\"coordinates\":[]}", "/location/coordinates", "position",
         E_BAD_DATA},
        {"{\"type\":\"Point\",\"coordinates\":[1,2,3,4]}", "/location/coordinates", "position",
         E_BAD_DATA},
        {"{\"type\":\"Point\",\"coordinates\":[1,\"2\"]}", "/location/coordinates/1", "a string",
         E_BAD_DATA},
        {"{\"type\":\"Point\",\"coordinates\":[180.1,2]}", "/location/coordinates/0", "longitude",
         E_BAD_DATA},
        {"{\"type\":\"Point\",\"coordinates\":[1,-90.5]}", "/location/coordinates/1", "latitude",
         E_BAD_DATA},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2]]}", "/location/coordinates",
         "2 or more positions", E_BAD_DATA},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[0,0]]]}", "/location/coordinates/0",
         "4 or more positions", E_BAD_DATA},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,1]]]}",
         "/location/coordinates/0", "closed", E_BAD_DATA},
        {"{\"type\":\"Polygon\",\"coordinates\":[]}", "/location/coordinates", "rings", E_BAD_DATA},
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[1,0],[1,1],[0,0]]],[[[0,0],[1,0],"
         "[1,91],[0,0]]]]}",
         "/location/coordinates/1/0/2/1", "latitude", E_BAD_DATA},
        {"{\"type\":\"MultiPoint\",\"coordinates\":[[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2]"
         ",[1,2]]}",
         "/location/coordinates/8", "at most 8 positions", E_LIMIT},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        struct why why;
        assert_int_equal(check(a, cases[i].text, 8, &v, &why), cases[i].status);
        assert_string_equal(why.pointer, cases[i].pointer);
        assert_non_null(strstr(why.text, cases[i].rule));
        assert_string_equal(why.limit, cases[i].status == E_LIMIT ? "limits.coordinates" : "");
    }
    arena_free(a);
}

static void looks_like_a_geometry(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct json yes = parse(a, "{\"type\":\"Point\",\"coordinates\":[1]}"); /* wrong, but meant */
    struct json no[] = {
        parse(a, "{\"type\":\"Property\",\"coordinates\":[1,2]}"),
        parse(a, "{\"type\":\"GeometryCollection\",\"coordinates\":[1,2]}"),
        parse(a, "{\"type\":\"Point\",\"value\":[1,2]}"),
        parse(a, "{\"type\":[\"Point\"],\"coordinates\":[1,2]}"),
        parse(a, "\"Point\""),
    };
    assert_true(geometry_looks_like(&yes));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(geometry_looks_like(&no[i]));
    arena_free(a);
}

static void boxes_touch(void **state)
{
    (void)state;
    struct box b = {0, 0, 10, 10};
    assert_true(box_touches(b, (struct box){10, 10, 20, 20}));
    assert_true(box_touches(b, (struct box){-5, -5, 20, 20}));
    assert_false(box_touches(b, (struct box){10.0001, 0, 20, 10}));
    assert_false(box_touches(b, (struct box){0, -10, 10, -0.0001}));
}

static void growing_near_poles_and_antimeridian(void **state)
{
    (void)state;
    struct box g = geometry_grow((struct box){10, 89.9, 10, 89.9}, 20000);
    assert_true(g.west == -180 && g.east == 180 && g.north == 90 && g.south < 89.73);
    g = geometry_grow((struct box){179.99, 0, 179.99, 0}, 20000);
    assert_true(g.west == -180 && g.east == 180 && g.north < 1);
    g = geometry_grow((struct box){0, 0, 0, 0}, 1e9);
    assert_true(g.west == -180 && g.east == 180 && g.south == -90 && g.north == 90);
    g = geometry_grow((struct box){1, 2, 3, 4}, INFINITY);
    assert_true(g.west == -180 && g.east == 180 && g.south == -90 && g.north == 90);
    g = geometry_grow((struct box){1, 2, 3, 4}, 0);
    assert_true(g.west == 1 && g.south == 2 && g.east == 3 && g.north == 4);
    g = geometry_grow((struct box){8, 40, 8, 40}, 2000);
    assert_true(g.west > 7.97 && g.east < 8.03 && g.south > 39.98 && g.north < 40.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_type),
        cmocka_unit_test(shapes_keep_rings_and_polygons),
        cmocka_unit_test(refuses_with_pointer_and_rule),
        cmocka_unit_test(looks_like_a_geometry),
        cmocka_unit_test(boxes_touch),
        cmocka_unit_test(growing_near_poles_and_antimeridian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
