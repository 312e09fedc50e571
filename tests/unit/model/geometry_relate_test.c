/* Relations of clause 4.10 against oracles: set algebra on axis-parallel shapes, and
 * one way of answering against the other. Distances against dense sampling. */
#include "model/geometry.h"

#include <geodesic.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct json_limits LIMITS = {32, 1 << 20};

static struct json parse(struct arena *a, struct str text)
{
    struct json v;
    struct why why = {0};
    assert_int_equal(json_read(a, text, &LIMITS, &v, &why), OK);
    return v;
}

static struct value geo(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static struct value geo(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct json tree = parse(a, arena_vprintf(a, fmt, ap));
    va_end(ap);
    struct value v;
    struct why why = {0};
    enum status st = geometry_value(&tree, 100000, a, NULL, &v, &why);
    if (st != OK)
        fail_msg("%s at %s", why.text, why.pointer);
    return v;
}

/* The same geometry as a reference. */
static struct geometry *reference(struct arena *a, const struct value *v)
{
    struct json tree = parse(a, v->text);
    struct geometry *g = NULL;
    struct box box;
    struct why why = {0};
    assert_int_equal(geometry_new(json_get(&tree, STR("type"))->string,
                                  json_get(&tree, STR("coordinates")), 100000, &g, &box, &why),
                     OK);
    assert_memory_equal(&box, &v->box, sizeof box);
    return g;
}

enum { WITHIN, CONTAINS, INTERSECTS, EQUALS, DISJOINT, OVERLAPS, RELATIONS };

/* Bits in that order, of "target REL reference". */
static unsigned relations(const struct geometry *g, const struct value *t)
{
    return (unsigned)geometry_within(g, t) << WITHIN |
           (unsigned)geometry_contains(g, t) << CONTAINS |
           (unsigned)geometry_intersects(g, t) << INTERSECTS |
           (unsigned)geometry_equals(g, t) << EQUALS |
           (unsigned)geometry_disjoint(g, t) << DISJOINT |
           (unsigned)geometry_overlaps(g, t) << OVERLAPS;
}

/* Axis-parallel shapes on a grid: a point, a segment or a rectangle. */
struct cell {
    int x0, x1, y0, y1;
};

static int dimension(struct cell c)
{
    return (c.x1 > c.x0) + (c.y1 > c.y0);
}

static struct value cell_value(struct arena *a, struct cell c)
{
    switch (dimension(c)) {
    case 0:
        return geo(a, "{\"type\":\"Point\",\"coordinates\":[%d,%d]}", c.x0, c.y0);
    case 1:
        return geo(a, "{\"type\":\"LineString\",\"coordinates\":[[%d,%d],[%d,%d]]}", c.x0, c.y0,
                   c.x1, c.y1);
    default:
        return geo(a,
                   "{\"type\":\"Polygon\",\"coordinates\":[[[%d,%d],[%d,%d],[%d,%d],[%d,%d],"
                   "[%d,%d]]]}",
                   c.x0, c.y0, c.x1, c.y0, c.x1, c.y1, c.x0, c.y1, c.x0, c.y0);
    }
}

static int max(int a, int b)
{
    return a > b ? a : b;
}
static int min(int a, int b)
{
    return a < b ? a : b;
}

/* Does the relative interior of a meet that of b, along one axis? Intervals of one point are their
 * own interior. */
static bool interiors_meet(int a0, int a1, int b0, int b1)
{
    if (a0 == a1)
        return b0 == b1 ? a0 == b0 : b0 < a0 && a0 < b1;
    return b0 == b1 ? a0 < b0 && b0 < a1 : max(a0, b0) < min(a1, b1);
}

static bool cell_inside(struct cell a, struct cell b)
{
    return b.x0 <= a.x0 && a.x1 <= b.x1 && b.y0 <= a.y0 && a.y1 <= b.y1;
}

static unsigned cell_relations(struct cell t, struct cell r)
{
    bool meet = max(t.x0, r.x0) <= min(t.x1, r.x1) && max(t.y0, r.y0) <= min(t.y1, r.y1);
    bool inner = interiors_meet(t.x0, t.x1, r.x0, r.x1) && interiors_meet(t.y0, t.y1, r.y0, r.y1);
    /* within: no point outside, and the interiors meet (OGC 06-103r4, 6.1.15.3). */
    bool within = cell_inside(t, r) && inner, contains = cell_inside(r, t) && inner;
    bool equals = cell_inside(t, r) && cell_inside(r, t);
    /* overlaps: same dimension, the common part has it too, and neither holds the other. */
    struct cell both = {max(t.x0, r.x0), min(t.x1, r.x1), max(t.y0, r.y0), min(t.y1, r.y1)};
    bool overlaps = meet && dimension(t) == dimension(r) && dimension(both) == dimension(t) &&
                    !cell_inside(t, r) && !cell_inside(r, t);
    return (unsigned)within << WITHIN | (unsigned)contains << CONTAINS |
           (unsigned)meet << INTERSECTS | (unsigned)equals << EQUALS | (unsigned)!meet << DISJOINT |
           (unsigned)overlaps << OVERLAPS;
}

static void axis_parallel_shapes_follow_set_algebra(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    unsigned seen = 0;
    for (int i = 0; i < 81; i++) {
        struct cell r = {i % 3, i % 3 + i / 3 % 3, i / 9 % 3, i / 9 % 3 + i / 27 % 3};
        struct value rv = cell_value(a, r);
        struct geometry *g = reference(a, &rv);
        for (int j = 0; j < 81; j++) {
            struct cell t = {j % 3, j % 3 + j / 3 % 3, j / 9 % 3, j / 9 % 3 + j / 27 % 3};
            struct value tv = cell_value(a, t);
            unsigned expected = cell_relations(t, r), found = relations(g, &tv);
            if (found != expected)
                fail_msg("%.*s to %.*s: %x, expected %x", STR_ARG(tv.text), STR_ARG(rv.text), found,
                         expected);
            seen |= found;
        }
        geometry_free(g);
        arena_reset(a);
    }
    assert_int_equal(seen, (1u << RELATIONS) - 1);
    arena_free(a);
}

/* A deterministic source of numbers. */
static uint64_t random_state = 88172645463325252u;
static double uniform(double low, double high)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return low + (high - low) * (double)(random_state >> 11) / 9007199254740992.0;
}
static int whole(int low, int high)
{
    return (int)floor(uniform(low, high + 1 - 1e-9));
}

/* A star-shaped ring of n corners around (x, y), on the grid of 1/2 where round is set. */
static struct str ring(struct arena *a, double x, double y, double radius, int n, bool round_it)
{
    struct str s = STR("[");
    double first[2] = {0, 0};
    for (int i = 0; i <= n; i++) {
        double angle = 2 * M_PI * i / n, r = radius * uniform(0.4, 1);
        double px = x + r * cos(angle), py = y + r * sin(angle);
        if (round_it) {
            px = round(px * 2) / 2;
            py = round(py * 2) / 2;
        }
        if (i == 0)
            first[0] = px, first[1] = py;
        if (i == n)
            px = first[0], py = first[1];
        s = arena_printf(a, "%.*s%s[%.17g,%.17g]", STR_ARG(s), i ? "," : "", px, py);
    }
    return arena_printf(a, "%.*s]", STR_ARG(s));
}

/* A point and a MultiPoint of it must relate alike; one is answered by counting crossings, one by
 * GEOS. */
static void points_in_polygons_both_ways(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    unsigned seen[4] = {0};
    for (int round_no = 0; round_no < 400; round_no++) {
        bool grid = round_no % 2 == 0;
        struct str shell = ring(a, 0, 0, 8, whole(3, 9), grid);
        struct str hole = ring(a, 0, 0, 2.5, 4, grid);
        struct value v =
            round_no % 3 == 0
                ? geo(a, "{\"type\":\"Polygon\",\"coordinates\":[%.*s]}", STR_ARG(shell))
            : round_no % 3 == 1
                ? geo(a, "{\"type\":\"Polygon\",\"coordinates\":[%.*s,%.*s]}", STR_ARG(shell),
                      STR_ARG(hole))
                : geo(a,
                      "{\"type\":\"MultiPolygon\",\"coordinates\":[[%.*s],[[[20,0],[21,0],[21,1],"
                      "[20,0]]]]}",
                      STR_ARG(shell));
        struct geometry *g = reference(a, &v);
        for (int i = 0; i < 60; i++) {
            double x = grid ? whole(-18, 18) / 2.0 : uniform(-9, 9);
            double y = grid ? whole(-18, 18) / 2.0 : uniform(-9, 9);
            struct value point = geo(a, "{\"type\":\"Point\",\"coordinates\":[%.17g,%.17g]}", x, y);
            struct value multi =
                geo(a, "{\"type\":\"MultiPoint\",\"coordinates\":[[%.17g,%.17g]]}", x, y);
            unsigned one = relations(g, &point), other = relations(g, &multi);
            if (one != other)
                fail_msg("(%.17g %.17g) in %.*s: %x, by GEOS %x", x, y, STR_ARG(v.text), one,
                         other);
            seen[!!(one & 1u << WITHIN) * 2 + !!(one & 1u << INTERSECTS)]++;
        }
        geometry_free(g);
        arena_reset(a);
    }
    assert_true(seen[0] > 1000 && seen[1] > 50 && seen[3] > 1000); /* outside, on an edge, inside */
    arena_free(a);
}

static void doubtful_turns_are_left_to_geos(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    /* On the diagonal of a triangle, at coordinates that doubles cannot hold. */
    struct value v = geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[0.1,0.1],[0.7,0.7],[0.1,0.7],"
                            "[0.1,0.1]]]}");
    struct geometry *g = reference(a, &v);
    for (int i = 1; i < 600; i++) {
        double c = 0.1 + i * 0.001;
        struct value on = geo(a, "{\"type\":\"Point\",\"coordinates\":[%.17g,%.17g]}", c, c);
        assert_int_equal(relations(g, &on), 1u << INTERSECTS);
        struct value in =
            geo(a, "{\"type\":\"Point\",\"coordinates\":[%.17g,%.17g]}", nextafter(c, 0), c);
        assert_int_equal(relations(g, &in), 1u << INTERSECTS | 1u << WITHIN);
        struct value out =
            geo(a, "{\"type\":\"Point\",\"coordinates\":[%.17g,%.17g]}", nextafter(c, 1), c);
        assert_int_equal(relations(g, &out), 1u << DISJOINT);
    }
    geometry_free(g);
    arena_free(a);
}

static void holes_are_outside(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct value v = geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[10,0],[10,10],[0,10],"
                            "[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]}");
    struct geometry *g = reference(a, &v);
    struct value hole = geo(a, "{\"type\":\"Point\",\"coordinates\":[5,5]}");
    struct value shell = geo(a, "{\"type\":\"Point\",\"coordinates\":[2,2]}");
    struct value line = geo(a, "{\"type\":\"LineString\",\"coordinates\":[[5,5],[5.5,5.5]]}");
    assert_int_equal(relations(g, &hole), 1u << DISJOINT);
    assert_int_equal(relations(g, &shell), 1u << INTERSECTS | 1u << WITHIN);
    assert_int_equal(relations(g, &line), 1u << DISJOINT);
    assert_true(geometry_distance_m(g, &shell) == 0);
    assert_in_range((long)geometry_distance_m(g, &hole), 110000, 111200);
    geometry_free(g);
    /* A ring that crosses itself is a geometry of RFC 7946 still: an answer, no crash. */
    v = geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}");
    g = reference(a, &v);
    (void)relations(g, &v);
    geometry_free(g);
    arena_free(a);
}

/* A polygon that crosses itself has no inside to compare, but equals itself. */
static void same_positions_are_equal(void **state)
{
    struct arena *a = arena_new(0);
    (void)state;
    struct value bow =
        geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[0,2],[2,2],[0,0]]]}");
    struct value other =
        geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[0,2],[2,3],[0,0]]]}");
    struct geometry *g = reference(a, &bow);
    assert_true(geometry_equals(g, &bow));
    assert_false(geometry_equals(g, &other));
    geometry_free(g);
    arena_free(a);
}

static void other_values_match_nothing(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct value v = geo(a, "{\"type\":\"Point\",\"coordinates\":[1,2]}");
    struct geometry *g = reference(a, &v);
    struct value text = {.kind = VALUE_STRING, .text = STR("x")};
    assert_int_equal(relations(g, &text), 0);
    assert_true(isnan(geometry_distance_m(g, &text)));
    assert_true(isnan(geometry_haversine_m(g, &text)));
    assert_false(geometry_is_near(g, &text, 1e9));
    geometry_free(g);
    arena_free(a);
}

/* ---- distances ---- */

static struct geod_geodesic wgs84;

static double geodesic(double lon1, double lat1, double lon2, double lat2)
{
    double m;
    geod_inverse(&wgs84, lat1, lon1, lat2, lon2, &m, NULL, NULL);
    return m;
}

static void points_are_exact_and_wrap(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    /* JFK to LHR, from Karney's documentation: 5,551,759.400 m. */
    struct value jfk = geo(a, "{\"type\":\"Point\",\"coordinates\":[-73.8,40.6]}");
    struct value lhr = geo(a, "{\"type\":\"Point\",\"coordinates\":[-0.5,51.6]}");
    struct geometry *g = reference(a, &jfk);
    assert_true(fabs(geometry_distance_m(g, &lhr) - 5551759.400) < 0.001);
    assert_true(geometry_is_near(g, &lhr, 5551759.401));
    assert_false(geometry_is_near(g, &lhr, 5551759.399));
    assert_true(geometry_is_near(g, &lhr, 6000000));
    assert_false(geometry_is_near(g, &lhr, 5000000));
    geometry_free(g);
    struct value east = geo(a, "{\"type\":\"Point\",\"coordinates\":[179.9,0]}");
    struct value west = geo(a, "{\"type\":\"Point\",\"coordinates\":[-179.9,0]}");
    struct value line =
        geo(a, "{\"type\":\"LineString\",\"coordinates\":[[-179.9,-1],[-179.9,1]]}");
    g = reference(a, &east);
    assert_true(fabs(geometry_distance_m(g, &west) - 22263.898) < 0.001);
    assert_true(fabs(geometry_distance_m(g, &line) - 22263.898) < 0.01);
    assert_true(fabs(geometry_haversine_m(g, &west) - 22239.016) < 0.001);
    geometry_free(g);
    arena_free(a);
}

static void haversine_brackets_the_geodesic(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    for (int i = 0; i < 3000; i++) {
        struct value x = geo(a, "{\"type\":\"Point\",\"coordinates\":[%.9f,%.9f]}",
                             uniform(-180, 180), uniform(-90, 90));
        double scale = pow(10, -uniform(0, 6));
        struct value y = geo(a, "{\"type\":\"Point\",\"coordinates\":[%.9f,%.9f]}",
                             fmax(-180, fmin(180, x.box.west + uniform(-180, 180) * scale)),
                             fmax(-90, fmin(90, x.box.south + uniform(-90, 90) * scale)));
        struct geometry *g = reference(a, &x);
        double exact = geometry_distance_m(g, &y);
        double expected = geodesic(x.box.west, x.box.south, y.box.west, y.box.south);
        assert_true(exact == expected);
        /* The answer of the prefilter never differs from the exact one. */
        for (double f = 0.985; f < 1.016; f += 0.001)
            assert_true(geometry_is_near(g, &y, exact * f) == (exact <= exact * f));
        geometry_free(g);
        arena_reset(a);
    }
    arena_free(a);
}

static void extended_shapes_in_metres(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct value line = geo(a, "{\"type\":\"LineString\",\"coordinates\":[[0,60],[10,60]]}");
    struct value off = geo(a, "{\"type\":\"LineString\",\"coordinates\":[[0,61],[10,61]]}");
    struct value probe = geo(a, "{\"type\":\"Point\",\"coordinates\":[10,60.009]}");
    struct geometry *g = reference(a, &line), *h = reference(a, &off);
    assert_true(fabs(geometry_distance_m(g, &probe) - geodesic(10, 60, 10, 60.009)) < 0.5);
    assert_false(geometry_is_near(h, &probe, 100000));
    assert_true(geometry_is_near(h, &probe, 111000));
    geometry_free(g);
    geometry_free(h);
    /* Near the pole a degree of longitude is short: the metric decides, not the degrees. */
    struct value centre = geo(a, "{\"type\":\"Point\",\"coordinates\":[0,85]}");
    struct value ends = geo(a, "{\"type\":\"MultiPoint\",\"coordinates\":[[1,85],[0,85.6]]}");
    g = reference(a, &centre);
    assert_true(fabs(geometry_distance_m(g, &ends) - geodesic(0, 85, 1, 85)) < 1e-6);
    geometry_free(g);
    /* Inside, across, and around the antimeridian. */
    struct value area = geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[170,-5],[180,-5],[180,5],"
                               "[170,5],[170,-5]]]}");
    struct value inside = geo(a, "{\"type\":\"Point\",\"coordinates\":[175,0]}");
    struct value beyond = geo(a, "{\"type\":\"Point\",\"coordinates\":[-179,0]}");
    g = reference(a, &area);
    assert_true(geometry_distance_m(g, &inside) == 0 && geometry_haversine_m(g, &inside) == 0);
    assert_true(fabs(geometry_distance_m(g, &beyond) - geodesic(180, 0, -179, 0)) < 0.5);
    geometry_free(g);
    g = reference(a, &inside);
    assert_true(geometry_distance_m(g, &area) == 0);
    geometry_free(g);
    arena_free(a);
}

/* On the other side of the globe a line is as far as its nearest end, wherever it passes the
 * antipode. */
static void lines_past_the_antipode_are_far(void **state)
{
    (void)state;
    static const struct {
        double lon, lat;
        const char *line;
        double end_lon, end_lat;
    } CASES[] = {
        {4, 90, "{\"type\":\"LineString\",\"coordinates\":[[-102,-90],[180,45]]}", 180, 45},
        {0, 0, "{\"type\":\"LineString\",\"coordinates\":[[180,-30],[180,20]]}", 180, -30},
        {0, 0, "{\"type\":\"LineString\",\"coordinates\":[[179.99,-30],[179.99,20]]}", 179.99, -30},
        {10, -40, "{\"type\":\"LineString\",\"coordinates\":[[-170.01,30],[-169.99,70]]}", -169.99,
         70},
    };
    struct arena *a = arena_new(0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct value line = geo(a, "%s", CASES[i].line);
        struct value point =
            geo(a, "{\"type\":\"Point\",\"coordinates\":[%g,%g]}", CASES[i].lon, CASES[i].lat);
        struct geometry *g = reference(a, &point);
        double metres = geometry_distance_m(g, &line);
        double end = geodesic(CASES[i].lon, CASES[i].lat, CASES[i].end_lon, CASES[i].end_lat);
        if (!(fabs(metres - end) < 0.002 * end))
            fail_msg("case %zu: %f, not %f", i, metres, end);
        geometry_free(g);
    }
    arena_free(a);
}

/* Every way in which two shapes can share a point without their boundaries' ends telling. */
static void what_meets_has_no_distance(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct value area =
        geo(a, "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[50,50],[51,50],[51,51],"
               "[50,50]]],[[[0,0],[10,0],[10,10],[0,10],[0,0]]]]}");
    struct value others[] = {
        geo(a, "{\"type\":\"MultiPoint\",\"coordinates\":[[20,20],[5,5]]}"),
        geo(a, "{\"type\":\"MultiLineString\",\"coordinates\":[[[20,20],[21,21]],[[4,4],[5,5]]]}"),
        geo(a, "{\"type\":\"LineString\",\"coordinates\":[[-1,5],[11,5.5]]}"),
        geo(a, "{\"type\":\"LineString\",\"coordinates\":[[5,5],[5,5]]}"), /* no length */
        geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[4,4],[6,4],[6,6],[4,4]]]}"),
        geo(a,
            "{\"type\":\"Polygon\",\"coordinates\":[[[-4,-4],[60,-4],[60,60],[-4,60],[-4,-4]]]}"),
        geo(a, "{\"type\":\"Polygon\",\"coordinates\":[[[-1,4],[11,4],[11,6],[-1,6],[-1,4]]]}"),
    };
    struct geometry *g = reference(a, &area);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct geometry *h = reference(a, &others[i]);
        if (geometry_distance_m(g, &others[i]) != 0 || geometry_haversine_m(h, &area) != 0)
            fail_msg("%.*s: %f", STR_ARG(others[i].text), geometry_distance_m(g, &others[i]));
        geometry_free(h);
    }
    /* A line without length, beside others; and what has many facets on both sides. */
    struct value dot = geo(a, "{\"type\":\"LineString\",\"coordinates\":[[1,60],[1,60]]}");
    struct value far =
        geo(a, "{\"type\":\"MultiLineString\",\"coordinates\":[[[179,1],[178,1]],[[1,90],[0,1]],"
               "[[1,90],[0,3],[-178,1]]]}");
    struct geometry *h = reference(a, &dot);
    assert_true(geometry_distance_m(h, &far) > 0 && geometry_distance_m(h, &far) < 60000);
    geometry_free(h);
    geometry_free(g);
    arena_free(a);
}

/* Nearest distance between two segments, by sampling both densely. */
static double sampled(const double *s, const double *t)
{
    double best = INFINITY;
    for (int i = 0; i <= 120; i++) {
        for (int j = 0; j <= 120; j++) {
            double u = i / 120.0, w = j / 120.0;
            double d = geodesic(s[0] + (s[2] - s[0]) * u, s[1] + (s[3] - s[1]) * u,
                                t[0] + (t[2] - t[0]) * w, t[1] + (t[3] - t[1]) * w);
            best = fmin(best, d);
        }
    }
    return best;
}

static void lines_agree_with_sampling(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    for (int i = 0; i < 40; i++) {
        double lon = uniform(-170, 170), lat = uniform(-80, 80), size = pow(10, -uniform(0, 3));
        double s[4], t[4];
        for (int k = 0; k < 4; k++) {
            s[k] = (k % 2 ? lat : lon) + uniform(-1, 1) * size;
            t[k] = (k % 2 ? lat : lon) + uniform(-1, 1) * size + (k % 2 ? 0 : 1.5 * size);
        }
        const char *fmt = "{\"type\":\"LineString\",\"coordinates\":[[%.17g,%.17g],[%.17g,%.17g]]}";
        struct value x = geo(a, fmt, s[0], s[1], s[2], s[3]);
        struct value y = geo(a, fmt, t[0], t[1], t[2], t[3]);
        struct geometry *g = reference(a, &x);
        double found = geometry_distance_m(g, &y), oracle = sampled(s, t);
        /* Sampling finds no less than the truth, and up to a half step more. */
        double step = size * 111000 * 2.9 / 120;
        if (!(found <= oracle * 1.001 + 0.5 && found >= oracle * 0.999 - step - 0.5))
            fail_msg("%.*s to %.*s: %.3f, sampled %.3f", STR_ARG(x.text), STR_ARG(y.text), found,
                     oracle);
        geometry_free(g);
        arena_reset(a);
    }
    arena_free(a);
}

/* Whatever is within the distance lies in the grown box. */
static void grown_boxes_hold_the_whole_reach(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double lat = i % 3 == 0 ? uniform(88, 90) * (i % 2 ? 1 : -1) : uniform(-89, 89);
        double lon = i % 5 == 0 ? uniform(179.5, 180) : uniform(-180, 180);
        double metres = pow(10, uniform(0, 7.2));
        struct box b = {lon, lat, fmin(180, lon + uniform(0, 1)), fmin(90, lat + uniform(0, 1))};
        struct box grown = geometry_grow(b, metres);
        double from_lon = i % 2 ? b.west : b.east, from_lat = i % 4 < 2 ? b.south : b.north;
        double to_lat, to_lon;
        geod_direct(&wgs84, from_lat, from_lon, uniform(-180, 180), metres, &to_lat, &to_lon, NULL);
        struct box p = {to_lon, to_lat, to_lon, to_lat};
        if (!box_touches(grown, p))
            fail_msg("%.17g %.17g + %.3f m: %.17g %.17g", from_lon, from_lat, metres, to_lon,
                     to_lat);
        /* And it is no more than it must be: within 1 % and a little, away from the seams. */
        if (metres < 1e5 && fabs(lat) < 60 && grown.east - grown.west < 300)
            assert_true(grown.north - b.north < metres / 110000 + 1e-6);
    }
}

int main(void)
{
    geod_init(&wgs84, 6378137, 1 / 298.257223563);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axis_parallel_shapes_follow_set_algebra),
        cmocka_unit_test(points_in_polygons_both_ways),
        cmocka_unit_test(doubtful_turns_are_left_to_geos),
        cmocka_unit_test(holes_are_outside),
        cmocka_unit_test(same_positions_are_equal),
        cmocka_unit_test(other_values_match_nothing),
        cmocka_unit_test(points_are_exact_and_wrap),
        cmocka_unit_test(haversine_brackets_the_geodesic),
        cmocka_unit_test(extended_shapes_in_metres),
        cmocka_unit_test(lines_past_the_antipode_are_far),
        cmocka_unit_test(what_meets_has_no_distance),
        cmocka_unit_test(lines_agree_with_sampling),
        cmocka_unit_test(grown_boxes_hold_the_whole_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
