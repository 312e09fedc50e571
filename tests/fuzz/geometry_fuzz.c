/* Geometries from anywhere. The input is a JSON array of two. What is accepted must be
 * seen the same by the checker and the scanner, and relations and distances between the
 * two must not contradict one another. */
#include "fuzz.h"

#include "model/geometry.h"
#include "model/geometry_shape.h"

#include <math.h>

static const struct json_limits LIMITS = {16, 1 << 16};
enum { POSITIONS_MAX = 200 };

static bool read_value(const struct json *v, struct arena *a, struct value *out)
{
    struct why why = {0};
    enum status st = geometry_value(v, POSITIONS_MAX, a, NULL, out, &why);
    fuzz_require(st == why.status && (st == OK || st == E_BAD_DATA || st == E_LIMIT));
    (void)geometry_looks_like(v);
    return st == OK;
}

static void check_text(const struct value *v, struct arena *a)
{
    struct geometry_shape shape = {0};
    fuzz_require(v->kind == VALUE_GEO && geometry_shape_scan(v->text, &shape));
    fuzz_require(memcmp(&shape.box, &v->box, sizeof shape.box) == 0);
    fuzz_require(v->point == (shape.kind == GEOMETRY_POINT));
    fuzz_require(shape.position_count > 0 && shape.position_count <= POSITIONS_MAX);
    fuzz_require(shape.line_ends[shape.line_count - 1] == shape.position_count);
    geometry_shape_free(&shape);
    struct json again;
    struct value w;
    fuzz_require(json_read(a, v->text, &LIMITS, &again, NULL) == OK);
    fuzz_require(read_value(&again, a, &w) && str_eq(w.text, v->text));
}

static struct geometry *reference(const struct json *v)
{
    struct geometry *g = NULL;
    struct box box;
    fuzz_require(geometry_new(json_get(v, STR("type"))->string, json_get(v, STR("coordinates")),
                              POSITIONS_MAX, &g, &box, NULL) == OK);
    return g;
}

static void check_pair(const struct json *x, const struct value *xv, const struct value *yv)
{
    struct geometry *g = reference(x);
    bool intersects = geometry_intersects(g, yv), disjoint = geometry_disjoint(g, yv);
    fuzz_require(!(intersects && disjoint));
    if (disjoint)
        fuzz_require(!geometry_within(g, yv) && !geometry_contains(g, yv) &&
                     !geometry_equals(g, yv) && !geometry_overlaps(g, yv));
    double metres = geometry_distance_m(g, yv);
    fuzz_require(!(metres < 0) && !(metres > 20040000));
    if (!isnan(metres)) {
        fuzz_require(geometry_is_near(g, yv, metres + 1) && !geometry_is_beyond(g, yv, metres + 1));
        fuzz_require(box_touches(geometry_grow(xv->box, metres + 1), yv->box));
    }
    (void)geometry_haversine_m(g, yv);
    geometry_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);
    struct json pair;
    struct value x, y;
    if (size > 4000 ||
        json_read(a, (struct str){(const char *)data, size}, &LIMITS, &pair, NULL) != OK ||
        pair.kind != JSON_ARRAY || pair.n != 2) {
        arena_free(a);
        return 0;
    }
    bool both = read_value(&pair.items[0], a, &x);
    both &= read_value(&pair.items[1], a, &y);
    if (both) {
        check_text(&x, a);
        check_text(&y, a);
        check_pair(&pair.items[0], &x, &y);
        check_pair(&pair.items[1], &y, &x);
    }
    arena_free(a);
    return 0;
}
