/* Geoquery language (CIM 009 clause 4.10): reading georel, and asking geometries.
 *
 * "near" measures between the nearest points of the two geometries: with maxDistance
 * something of the target lies in the buffer around the reference, with minDistance
 * nothing of it does. The clause says that the target "has to be within the buffer";
 * read so that a road that begins nearby is near, as every broker does. */
#include "model/filter_int.h"
#include "model/filter_text.h"

#include "base/number.h"

#include <math.h>

static const struct {
    struct str name;
    enum georel rel;
} RELATIONS[] = {
    {{"near", 4}, GEOREL_NEAR},         {{"within", 6}, GEOREL_WITHIN},
    {{"contains", 8}, GEOREL_CONTAINS}, {{"intersects", 10}, GEOREL_INTERSECTS},
    {{"equals", 6}, GEOREL_EQUALS},     {{"disjoint", 8}, GEOREL_DISJOINT},
    {{"overlaps", 8}, GEOREL_OVERLAPS},
};

/* ";maxDistance==2000": one of the two, a number above 0. */
static enum status read_distance(struct filter_text *t, struct geo_filter *g)
{
    double *metres = &g->max_m;
    filter_text_skip_spaces(t);
    if (!filter_text_take(t, ';'))
        return filter_text_fault(t, "expected ';maxDistance==…' or ';minDistance==…', in metres");
    filter_text_skip_spaces(t);
    if (filter_text_take_word(t, STR("maxDistance"))) {
        g->has_max = true;
    } else if (filter_text_take_word(t, STR("minDistance"))) {
        g->has_min = true;
        metres = &g->min_m;
    } else {
        return filter_text_fault(t, "expected maxDistance or minDistance");
    }
    filter_text_skip_spaces(t);
    if (!filter_text_take_word(t, STR("==")))
        return filter_text_fault(t, "expected '=='");
    filter_text_skip_spaces(t);
    size_t n = number_length(filter_text_rest(t));
    if (!number_parse(str_head(filter_text_rest(t), n), metres) || !isfinite(*metres) ||
        !(*metres > 0))
        return filter_text_fault(t, "expected a number of metres above 0");
    t->at += n;
    return OK;
}

static enum status read_relation(struct filter_text *t, struct geo_filter *g)
{
    filter_text_skip_spaces(t);
    struct str rest = filter_text_rest(t);
    struct str word = str_head(rest, filter_name_length(rest));
    for (size_t i = 0; i < sizeof RELATIONS / sizeof *RELATIONS; i++) {
        if (!str_eq(word, RELATIONS[i].name))
            continue;
        g->rel = (uint8_t)RELATIONS[i].rel;
        t->at += word.n;
        enum status st = g->rel == GEOREL_NEAR ? read_distance(t, g) : OK;
        filter_text_skip_spaces(t);
        if (st == OK && !filter_text_end(t))
            st = filter_text_fault(t, "expected the end");
        return st;
    }
    return filter_text_fault(
        t, "expected near, within, contains, intersects, equals, disjoint or overlaps");
}

static void set_reach(struct geo_filter *g, struct box box)
{
    g->reach = (struct box){-180, -90, 180, 90};
    g->bounded = g->rel != GEOREL_DISJOINT && !g->has_min;
    if (g->bounded)
        g->reach = g->rel == GEOREL_NEAR ? geometry_grow(box, g->max_m) : box;
}

enum status filter_read_geo(const struct filter_reader *r, struct str georel, struct str geometry,
                            const struct json *coordinates, struct str property,
                            struct filter **out, struct why *why)
{
    struct filter_text t = {"georel", georel, 0, r, why};
    struct filter_text name = {"geoproperty", property.n ? property : STR("location"), 0, r, why};
    struct geo_filter *g = arena_zalloc(r->arena, sizeof *g);
    enum status st = filter_text_check(&name);
    if (st == OK)
        st = read_relation(&t, g);
    if (st == OK && (name.all.n != filter_iri_length(name.all)))
        st = filter_text_fault(&name, "expected the name of a GeoProperty");
    if (st == OK)
        st = filter_text_name(&name, name.all, &g->property);
    struct box box;
    if (st == OK)
        st = geometry_new(geometry, coordinates, r->limits->coordinates_max, &g->reference, &box,
                          why);
    if (st != OK)
        return st;
    set_reach(g, box);
    *out = arena_zalloc(r->arena, sizeof **out);
    (*out)->kind = FILTER_GEO;
    (*out)->geo = g;
    return OK;
}

static bool near(const struct geo_filter *g, const struct value *v)
{
    return g->has_max ? geometry_is_near(g->reference, v, g->max_m)
                      : geometry_is_beyond(g->reference, v, g->min_m);
}

bool filter_geo_match(const struct geo_filter *g, const struct value *v)
{
    if (v->kind != VALUE_GEO || (g->bounded && !box_touches(g->reach, v->box)))
        return false;
    switch ((enum georel)g->rel) {
    case GEOREL_NEAR:
        return near(g, v);
    case GEOREL_WITHIN:
        return geometry_within(g->reference, v);
    case GEOREL_CONTAINS:
        return geometry_contains(g->reference, v);
    case GEOREL_INTERSECTS:
        return geometry_intersects(g->reference, v);
    case GEOREL_EQUALS:
        return geometry_equals(g->reference, v);
    case GEOREL_DISJOINT:
        return geometry_disjoint(g->reference, v);
    case GEOREL_OVERLAPS:
        return geometry_overlaps(g->reference, v);
    }
    return false;
}
