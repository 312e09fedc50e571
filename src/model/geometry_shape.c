/* From GeoJSON to flat coordinates, by two ways: a checked JSON tree (what clients
 * send) and the text of a stored value (what was checked before, so that a scanner
 * without error messages is enough). Nesting below "coordinates" is 0 arrays of
 * positions for a Point, 1 for MultiPoint and LineString, 2 for MultiLineString and
 * Polygon, 3 for MultiPolygon. */
#include "model/geometry_shape.h"

#include "base/json_scan.h"
#include "base/number.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    struct str name;
    int nesting;
} KINDS[GEOMETRY_KIND_COUNT] = {
    [GEOMETRY_POINT] = {{"Point", 5}, 0},      [GEOMETRY_MULTI_POINT] = {{"MultiPoint", 10}, 1},
    [GEOMETRY_LINE] = {{"LineString", 10}, 1}, [GEOMETRY_MULTI_LINE] = {{"MultiLineString", 15}, 2},
    [GEOMETRY_POLYGON] = {{"Polygon", 7}, 2},  [GEOMETRY_MULTI_POLYGON] = {{"MultiPolygon", 12}, 3},
};

enum geometry_kind geometry_kind_of(struct str name)
{
    for (int k = 0; k < GEOMETRY_KIND_COUNT; k++)
        if (str_eq(name, KINDS[k].name))
            return (enum geometry_kind)k;
    return GEOMETRY_KIND_COUNT;
}

const char *geometry_kind_name(enum geometry_kind kind)
{
    return KINDS[kind].name.p;
}

/* ---- building ---- */

void geometry_shape_clear(struct geometry_shape *s)
{
    s->position_count = s->line_count = s->polygon_count = 0;
    s->box = GEOMETRY_BOX_EMPTY;
}

void geometry_shape_add(struct geometry_shape *s, struct position p)
{
    if (s->position_count == s->position_room) {
        s->position_room = s->position_room ? s->position_room * 2 : 8;
        s->positions = mem_realloc(s->positions, s->position_room * sizeof *s->positions);
    }
    s->positions[s->position_count++] = p;
    geometry_box_add(&s->box, p);
}

static void push(uint32_t **ends, uint32_t *count, uint32_t *room, uint32_t end)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 4;
        *ends = mem_realloc(*ends, *room * sizeof **ends);
    }
    (*ends)[(*count)++] = end;
}

void geometry_shape_end_line(struct geometry_shape *s)
{
    push(&s->line_ends, &s->line_count, &s->line_room, s->position_count);
}

void geometry_shape_end_polygon(struct geometry_shape *s)
{
    push(&s->polygon_ends, &s->polygon_count, &s->polygon_room, s->line_count);
}

void geometry_shape_free(struct geometry_shape *s)
{
    free(s->positions);
    free(s->line_ends);
    free(s->polygon_ends);
    *s = (struct geometry_shape){0};
}

/* ---- checking a tree ---- */

struct check {
    enum geometry_kind kind;
    uint32_t count, count_max;
    struct geometry_shape *shape; /* NULL: only check */
    struct box box;
    struct why *why;
};

static enum status check_position(struct check *c, const struct json *v, const struct at *at,
                                  struct position *out)
{
    if (v->kind != JSON_ARRAY || v->n < 2 || v->n > 3)
        return why_set(c->why, E_BAD_DATA, at,
                       "expected a position: an array of longitude, latitude and at most an "
                       "altitude");
    double number[3] = {0, 0, 0};
    for (uint32_t i = 0; i < v->n; i++) {
        struct at element = {at, STR_NONE, i};
        if (!json_number(&v->items[i], &number[i]) || !isfinite(number[i]))
            return why_set(c->why, E_BAD_DATA, &element, "expected a number, found %s",
                           json_kind_name((enum json_kind)v->items[i].kind));
        double most = i == 0 ? 180 : i == 1 ? 90 : INFINITY;
        if (fabs(number[i]) > most)
            return why_set(c->why, E_BAD_DATA, &element, "%s must lie between -%g and %g",
                           i == 0 ? "a longitude" : "a latitude", most, most);
    }
    if (++c->count > c->count_max)
        return why_limit(c->why, E_LIMIT, at, "limits.coordinates",
                         "a geometry has at most %u positions", c->count_max);
    *out = (struct position){number[0], number[1]};
    geometry_box_add(&c->box, *out);
    if (c->shape)
        geometry_shape_add(c->shape, *out);
    return OK;
}

static bool is_area(enum geometry_kind kind)
{
    return kind == GEOMETRY_POLYGON || kind == GEOMETRY_MULTI_POLYGON;
}

/* A LineString's positions, a ring's, or a MultiPoint's. */
static enum status check_line(struct check *c, const struct json *v, const struct at *at)
{
    uint32_t least = is_area(c->kind) ? 4 : c->kind == GEOMETRY_MULTI_POINT ? 1 : 2;
    if (v->kind != JSON_ARRAY || v->n < least)
        return why_set(c->why, E_BAD_DATA, at, "expected an array of %u or more positions in a %s",
                       least, geometry_kind_name(c->kind));
    struct position first = {0, 0}, last = {0, 0};
    for (uint32_t i = 0; i < v->n; i++) {
        struct at element = {at, STR_NONE, i};
        enum status st = check_position(c, &v->items[i], &element, i ? &last : &first);
        if (st != OK)
            return st;
    }
    if (is_area(c->kind) && (first.lon != last.lon || first.lat != last.lat))
        return why_set(c->why, E_BAD_DATA, at,
                       "a ring must be closed: its first and last position must be the same");
    if (c->shape)
        geometry_shape_end_line(c->shape);
    return OK;
}

static enum status check_nested(struct check *c, const struct json *v, int nesting,
                                const struct at *at)
{
    if (nesting == 1)
        return check_line(c, v, at);
    if (v->kind != JSON_ARRAY || v->n == 0)
        return why_set(c->why, E_BAD_DATA, at, "expected an array of one or more %s in a %s",
                       nesting == 3       ? "polygons"
                       : is_area(c->kind) ? "rings"
                                          : "lines",
                       geometry_kind_name(c->kind));
    for (uint32_t i = 0; i < v->n; i++) {
        struct at element = {at, STR_NONE, i};
        enum status st = check_nested(c, &v->items[i], nesting - 1, &element);
        if (st != OK)
            return st;
    }
    if (nesting == 2 && is_area(c->kind) && c->shape)
        geometry_shape_end_polygon(c->shape);
    return OK;
}

enum status geometry_shape_check(enum geometry_kind kind, const struct json *coordinates,
                                 uint32_t coordinates_max, const struct at *at,
                                 struct geometry_shape *shape, struct box *box, struct why *why)
{
    struct check c = {kind, 0, coordinates_max, shape, GEOMETRY_BOX_EMPTY, why};
    if (shape) {
        geometry_shape_clear(shape);
        shape->kind = kind;
    }
    struct position p;
    enum status st = kind == GEOMETRY_POINT
                         ? check_position(&c, coordinates, at, &p)
                         : check_nested(&c, coordinates, KINDS[kind].nesting, at);
    if (st == OK && shape && kind == GEOMETRY_POINT)
        geometry_shape_end_line(shape);
    *box = c.box;
    return st;
}

/* ---- scanning stored text: minified JSON that was checked before ---- */

struct scan {
    struct str rest;
};

static bool eat(struct scan *s, char c)
{
    if (s->rest.n == 0 || s->rest.p[0] != c)
        return false;
    s->rest = str_from(s->rest, 1);
    return true;
}

static bool scan_number(struct scan *s, double *out)
{
    size_t n = number_length(s->rest);
    if (!number_parse(str_head(s->rest, n), out))
        return false;
    s->rest = str_from(s->rest, n);
    return true;
}

static bool scan_position(struct scan *s, struct geometry_shape *shape)
{
    struct position p;
    double altitude;
    if (!eat(s, '[') || !scan_number(s, &p.lon) || !eat(s, ',') || !scan_number(s, &p.lat))
        return false;
    if (eat(s, ',') && !scan_number(s, &altitude))
        return false;
    geometry_shape_add(shape, p);
    return eat(s, ']');
}

static bool scan_nested(struct scan *s, int nesting, struct geometry_shape *shape)
{
    if (nesting == 0)
        return scan_position(s, shape);
    if (!eat(s, '['))
        return false;
    do {
        if (!scan_nested(s, nesting - 1, shape))
            return false;
    } while (eat(s, ','));
    if (nesting == 1)
        geometry_shape_end_line(shape);
    else if (nesting == 2 && is_area(shape->kind))
        geometry_shape_end_polygon(shape);
    return eat(s, ']');
}

bool geometry_shape_scan(struct str text, struct geometry_shape *shape)
{
    struct str type = json_scan_get(text, STR("type"));
    struct scan coordinates = {json_scan_get(text, STR("coordinates"))};
    geometry_shape_clear(shape);
    shape->kind = GEOMETRY_KIND_COUNT;
    for (int k = 0; k < GEOMETRY_KIND_COUNT; k++)
        if (json_scan_string_is(type, KINDS[k].name))
            shape->kind = (enum geometry_kind)k;
    if (shape->kind == GEOMETRY_KIND_COUNT ||
        !scan_nested(&coordinates, KINDS[shape->kind].nesting, shape) || coordinates.rest.n)
        return false;
    if (shape->kind == GEOMETRY_POINT)
        geometry_shape_end_line(shape);
    return true;
}
