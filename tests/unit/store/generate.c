/* See generate.h. */
#include "generate.h"

#include "base/json.h"
#include "base/time.h"
#include "model/context.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPES = 5, ATTRS = 8, TEXTS = 6, SCOPES = 7 };

static const char *const TYPE_NAMES[TYPES] = {"Vehicle", "Room", "Building", "Device", "Road"};
static const char *const ATTR_NAMES[ATTRS] = {"speed", "name",  "open",  "location",
                                              "owner", "notes", "title", "area"};
static const char *const TEXT_VALUES[TEXTS] = {
    "", "blue", "green", "Blue", "2024-05-01T00:00:00Z", "a longer text, with \xc3\xa4"};
static const char *const SCOPE_NAMES[SCOPES] = {"/City",       "/City/North",  "/City/North/Park",
                                                "/City/South", "Country/City", "/Country/City/East",
                                                "Country"};
static const char *const SCOPE_PATTERNS[SCOPES] = {
    "/City/#", "City", "/City/+", "Country/+/East", "/+/North/#", "#", "/Country/City"};

void generate_init(struct generator *g, uint64_t seed, struct terms *terms, uint32_t ids)
{
    context_setup(terms);
    *g = (struct generator){seed * 2 + 1, arena_new(0), terms, ids, 1700000000000000};
}

static uint64_t next(struct generator *g)
{
    g->state ^= g->state >> 12;
    g->state ^= g->state << 25;
    g->state ^= g->state >> 27;
    return g->state * 0x2545F4914F6CDD1DULL;
}

uint32_t generate_below(struct generator *g, uint32_t n)
{
    return (uint32_t)(next(g) >> 33) % n;
}

static bool one_in(struct generator *g, uint32_t n)
{
    return generate_below(g, n) == 0;
}

struct str generate_id(struct generator *g)
{
    return arena_printf(g->arena, "urn:ngsi-ld:Thing:%u", generate_below(g, g->ids));
}

static uint32_t term(struct generator *g, const char *const *names, uint32_t n)
{
    struct str iri = arena_printf(g->arena, "https://example.org/%s", names[generate_below(g, n)]);
    uint32_t t = terms_intern(g->terms, iri, NULL);
    assert(t);
    return t;
}

/* ---- values ---- */

static void point(struct generator *g, double *lon, double *lat)
{
    *lon = 116.9 + generate_below(g, 40) * 0.01;
    *lat = 36.6 + generate_below(g, 20) * 0.01;
    if (one_in(g, 20))
        *lon = -*lon;
    if (one_in(g, 30)) {
        *lon = one_in(g, 2) ? 180 : -180;
        *lat = one_in(g, 2) ? 89.5 : -90;
    }
}

static struct value geo_value(struct generator *g)
{
    struct value v;
    double lon, lat;
    point(g, &lon, &lat);
    struct str text;
    if (!one_in(g, 4) || lon == 180 || lat > 80) {
        text = arena_printf(g->arena, "{\"type\":\"Point\",\"coordinates\":[%.3f,%.3f]}", lon, lat);
    } else {
        double w = 0.001 * (1 << generate_below(g, 11)), h = 0.001 * (1 << generate_below(g, 11));
        text = arena_printf(g->arena,
                            "{\"type\":\"Polygon\",\"coordinates\":[[[%.4f,%.4f],[%.4f,%.4f],[%.4f,"
                            "%.4f],[%.4f,%.4f],[%.4f,%.4f]]]}",
                            lon, lat, lon + w, lat, lon + w, lat + h, lon, lat + h, lon, lat);
    }
    struct json j;
    struct json_limits limits = {8, 4000};
    enum status st = json_read(g->arena, text, &limits, &j, NULL);
    assert(st == OK);
    st = geometry_value(&j, 100, g->arena, NULL, &v, NULL);
    assert(st == OK);
    (void)st;
    return v;
}

static struct str text_value(struct generator *g)
{
    return str_of(TEXT_VALUES[generate_below(g, TEXTS)]);
}

static struct value plain_value(struct generator *g)
{
    switch (generate_below(g, 6)) {
    case 0:
        return (struct value){.kind = VALUE_BOOL, .boolean = one_in(g, 2)};
    case 1:
        return (struct value){.kind = VALUE_STRING, .text = text_value(g)};
    case 2:
        return (struct value){.kind = VALUE_REAL, .real = (generate_below(g, 400) - 200.0) / 8};
    case 3:
        if (one_in(g, 3))
            return (struct value){.kind = VALUE_JSON,
                                  .text =
                                      arena_printf(g->arena, "[%u,\"blue\",%u]",
                                                   generate_below(g, 50), generate_below(g, 50))};
        return (struct value){.kind = VALUE_JSON,
                              .text = arena_printf(g->arena, "{\"a\":%u}", generate_below(g, 50))};
    default:
        return (struct value){.kind = VALUE_INT, .integer = (int64_t)generate_below(g, 50) - 10};
    }
}

static struct value value_of(struct generator *g, enum attr_kind kind)
{
    switch (kind) {
    case ATTR_GEO_PROPERTY:
        return geo_value(g);
    case ATTR_RELATIONSHIP:
        return (struct value){.kind = VALUE_STRING, .text = generate_id(g)};
    case ATTR_LANGUAGE_PROPERTY:
        return (struct value){.kind = VALUE_JSON,
                              .text = arena_printf(g->arena, "{\"en\":\"%s\",\"de\":\"blau\"}",
                                                   one_in(g, 2) ? "blue" : "green")};
    default:
        return plain_value(g);
    }
}

static struct attr make_attr(struct generator *g, uint32_t t, int depth)
{
    static const uint8_t KINDS[] = {ATTR_PROPERTY,         ATTR_PROPERTY,     ATTR_PROPERTY,
                                    ATTR_PROPERTY,         ATTR_GEO_PROPERTY, ATTR_RELATIONSHIP,
                                    ATTR_LANGUAGE_PROPERTY};
    struct attr a = {
        .term = t,
        .kind = KINDS[generate_below(g, sizeof KINDS)],
        .dataset = one_in(g, 5) ? STR("urn:d:1") : STR(""),
        .observed_at = one_in(g, 3) ? g->now_us - generate_below(g, 1000000) : TIME_NONE,
        .expires_at = one_in(g, 25) ? g->now_us + generate_below(g, 5000) : TIME_NONE,
        .created_at = TIME_NONE,
        .modified_at = TIME_NONE,
    };
    a.value = value_of(g, (enum attr_kind)a.kind);
    if (one_in(g, 4) && a.kind == ATTR_PROPERTY)
        a.unit_code = STR("KMH");
    if (depth && one_in(g, 6)) {
        a.subs = arena_array(g->arena, struct attr, 1);
        a.subs[0] = make_attr(g, term(g, ATTR_NAMES, ATTRS), depth - 1);
        a.sub_count = 1;
    }
    return a;
}

static struct entity *make_entity(struct generator *g, struct str id, bool partial)
{
    struct entity *e = arena_zalloc(g->arena, sizeof *e);
    e->id = id;
    e->created_at = e->modified_at = e->expires_at = TIME_NONE;
    if (!partial || one_in(g, 4)) {
        uint32_t n = one_in(g, 4) ? 2 : 1;
        e->types = arena_array(g->arena, uint32_t, 2);
        e->types[0] = term(g, TYPE_NAMES, TYPES);
        e->types[1] = term(g, TYPE_NAMES, TYPES);
        e->type_count = n == 2 && e->types[0] != e->types[1] ? 2 : 1;
    }
    if (one_in(g, 3)) {
        e->scopes = arena_array(g->arena, struct str, 2);
        e->scopes[0] = str_of(SCOPE_NAMES[generate_below(g, SCOPES)]);
        e->scopes[1] = str_of(SCOPE_NAMES[generate_below(g, SCOPES)]);
        e->scope_count = str_eq(e->scopes[0], e->scopes[1]) ? 1 : 2;
    }
    if (one_in(g, 20))
        e->expires_at = g->now_us + generate_below(g, 5000);
    uint32_t n = generate_below(g, 5) + (partial ? 1 : 0), kept = 0;
    e->attrs = arena_array(g->arena, struct attr, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        struct attr a = make_attr(g, term(g, ATTR_NAMES, ATTRS), 2);
        bool twice = false;
        for (uint32_t k = 0; k < kept; k++)
            twice = twice || (e->attrs[k].term == a.term && str_eq(e->attrs[k].dataset, a.dataset));
        if (!twice)
            e->attrs[kept++] = a;
    }
    e->attr_count = kept;
    const struct attr *dup;
    bool sorted = attrs_sort(e->attrs, kept, &dup);
    assert(sorted);
    (void)sorted;
    return e;
}

/* ---- edits ---- */

struct edit generate_edit(struct generator *g)
{
    static const uint8_t KINDS[] = {EDIT_CREATE,         EDIT_CREATE,        EDIT_REPLACE,
                                    EDIT_UPSERT_REPLACE, EDIT_UPSERT_UPDATE, EDIT_APPEND,
                                    EDIT_UPDATE,         EDIT_UPDATE,        EDIT_MERGE,
                                    EDIT_DELETE,         EDIT_ATTR_UPDATE,   EDIT_ATTR_REPLACE,
                                    EDIT_ATTR_DELETE,    EDIT_PRUNE,         EDIT_EXPIRE};
    struct edit e = {.kind = KINDS[generate_below(g, sizeof KINDS)], .id = generate_id(g)};
    bool whole = e.kind == EDIT_CREATE || e.kind == EDIT_REPLACE || e.kind == EDIT_UPSERT_REPLACE ||
                 e.kind == EDIT_UPSERT_UPDATE;
    if (whole || e.kind == EDIT_APPEND || e.kind == EDIT_UPDATE || e.kind == EDIT_MERGE)
        e.fragment = make_entity(g, e.id, !whole);
    if ((e.kind == EDIT_APPEND || e.kind == EDIT_MERGE) && one_in(g, 3))
        e.flags = EDIT_NO_OVERWRITE;
    e.term = term(g, ATTR_NAMES, ATTRS);
    if (e.kind == EDIT_ATTR_UPDATE || e.kind == EDIT_ATTR_REPLACE) {
        struct attr *a = arena_array(g->arena, struct attr, 1);
        *a = make_attr(g, e.term, 1);
        e.attrs = a;
        e.attr_count = 1;
    }
    if (e.kind == EDIT_ATTR_DELETE) {
        e.flags = one_in(g, 3) ? EDIT_ALL_INSTANCES : 0;
        e.dataset = one_in(g, 4) ? STR("urn:d:1") : STR("");
    }
    if (e.kind == EDIT_PRUNE) {
        uint32_t *terms = arena_array(g->arena, uint32_t, 1);
        terms[0] = e.term;
        e.terms = terms;
        e.term_count = 1;
        e.flags = one_in(g, 3) ? EDIT_KEEP : 0;
    }
    return e;
}

/* ---- filters ---- */

static struct filter *make_filter(struct generator *g, enum filter_kind kind)
{
    struct filter *f = arena_zalloc(g->arena, sizeof *f);
    f->kind = (uint8_t)kind;
    return f;
}

static struct name name_of(struct generator *g, uint32_t t)
{
    if (one_in(g, 30))
        return (struct name){STR("https://example.org/unknown"), TERM_NONE};
    return (struct name){terms_iri(g->terms, t), t};
}

static struct filter *types(struct generator *g)
{
    struct type_expr *x = arena_zalloc(g->arena, sizeof *x);
    x->count = 1 + generate_below(g, 2);
    x->any = arena_array(g->arena, struct type_all, x->count);
    for (uint32_t i = 0; i < x->count; i++) {
        x->any[i].count = one_in(g, 4) ? 2 : 1;
        x->any[i].types = arena_array(g->arena, struct name, 2);
        for (uint32_t k = 0; k < 2; k++)
            x->any[i].types[k] = name_of(g, term(g, TYPE_NAMES, TYPES));
    }
    return filter_of_type(g->arena, x);
}

static struct filter *scopes(struct generator *g)
{
    struct scope_expr *x = arena_zalloc(g->arena, sizeof *x);
    x->count = 1 + generate_below(g, 2);
    x->any = arena_array(g->arena, struct scope_all, x->count);
    for (uint32_t i = 0; i < x->count; i++) {
        x->any[i].count = one_in(g, 4) ? 2 : 1;
        x->any[i].patterns = arena_array(g->arena, struct str, 2);
        for (uint32_t k = 0; k < 2; k++)
            x->any[i].patterns[k] =
                str_of(one_in(g, 3) ? SCOPE_NAMES[generate_below(g, SCOPES)]
                                    : SCOPE_PATTERNS[generate_below(g, SCOPES)]);
    }
    return filter_of_scope(g->arena, x);
}

static struct operand operand(struct generator *g, enum compare_op op)
{
    switch (generate_below(g, op == COMPARE_EQ || op == COMPARE_NE ? 5 : 3)) {
    case 0:
        return (struct operand){.kind = OPERAND_STRING, .text = text_value(g), .us = TIME_NONE};
    case 3:
        return (struct operand){.kind = OPERAND_BOOL, .boolean = one_in(g, 2)};
    case 4:
        return (struct operand){.kind = OPERAND_STRING, .text = generate_id(g), .us = TIME_NONE};
    default:
        return (struct operand){.kind = OPERAND_NUMBER,
                                .number = (generate_below(g, 400) - 80.0) / 8};
    }
}

static struct filter *compare(struct generator *g)
{
    static const uint8_t OPS[] = {COMPARE_EXISTS, COMPARE_EQ, COMPARE_EQ, COMPARE_NE,
                                  COMPARE_GT,     COMPARE_GE, COMPARE_LT, COMPARE_LE};
    struct compare *c = arena_zalloc(g->arena, sizeof *c);
    c->op = OPS[generate_below(g, sizeof OPS)];
    c->path_count = one_in(g, 8) ? 2 : 1;
    c->path = arena_array(g->arena, struct name, 2);
    c->path[0] = name_of(g, term(g, ATTR_NAMES, ATTRS));
    c->path[1] = name_of(g, term(g, ATTR_NAMES, ATTRS));
    if (one_in(g, 10))
        c->member = one_in(g, 2) ? MEMBER_OBSERVED_AT : MEMBER_UNIT_CODE;
    if (one_in(g, 12)) {
        c->value_path_count = 1;
        c->value_path = arena_array(g->arena, struct str, 1);
        c->value_path[0] = one_in(g, 2) ? STR("a") : STR("en");
    }
    if (one_in(g, 12)) {
        c->link_count = 1;
        c->links = arena_zalloc(g->arena, sizeof *c->links);
        c->links[0].relationship = name_of(g, term(g, ATTR_NAMES, ATTRS));
    }
    if (c->op != COMPARE_EXISTS) {
        bool list = c->op == COMPARE_EQ || c->op == COMPARE_NE;
        c->range = list && one_in(g, 3);
        c->operand_count = c->range ? 2 : list ? 1 + generate_below(g, 3) : 1;
        c->operands = arena_array(g->arena, struct operand, c->operand_count);
        for (uint32_t i = 0; i < c->operand_count; i++)
            c->operands[i] = operand(g, (enum compare_op)c->op);
        if (c->range) {
            c->operands[0] =
                (struct operand){.kind = OPERAND_NUMBER, .number = generate_below(g, 30)};
            c->operands[1] = (struct operand){
                .kind = OPERAND_NUMBER, .number = c->operands[0].number + generate_below(g, 20)};
        }
    }
    struct filter *f = make_filter(g, FILTER_COMPARE);
    f->compare = c;
    return f;
}

static struct filter *geo(struct generator *g)
{
    struct geo_filter *x = arena_zalloc(g->arena, sizeof *x);
    struct json_limits limits = {8, 1000};
    struct json coordinates;
    struct box box;
    double lon, lat, w = 0.005 * (1 << generate_below(g, 8));
    point(g, &lon, &lat);
    bool area = !one_in(g, 3) && lon > 0 && lon < 179 && lat > 0 && lat < 80;
    struct str text =
        area ? arena_printf(g->arena,
                            "[[[%.4f,%.4f],[%.4f,%.4f],[%.4f,%.4f],[%.4f,%.4f],[%.4f,%.4f]]]", lon,
                            lat, lon + w, lat, lon + w, lat + w, lon, lat + w, lon, lat)
             : arena_printf(g->arena, "[%.4f,%.4f]", lon, lat);
    enum status st = json_read(g->arena, text, &limits, &coordinates, NULL);
    assert(st == OK);
    st = geometry_new(area ? STR("Polygon") : STR("Point"), &coordinates, 100, &x->reference, &box,
                      NULL);
    assert(st == OK);
    (void)st;
    x->rel = area ? (uint8_t)generate_below(g, 7) : (uint8_t)GEOREL_NEAR;
    x->property = name_of(g, term(g, ATTR_NAMES, ATTRS));
    x->bounded = x->rel != GEOREL_DISJOINT;
    x->reach = box;
    if (x->rel == GEOREL_NEAR && one_in(g, 4)) {
        x->has_min = true;
        x->min_m = 1000.0 * generate_below(g, 20);
        x->bounded = false;
    } else if (x->rel == GEOREL_NEAR) {
        x->has_max = true;
        x->max_m = 100.0 * (1 << generate_below(g, 12));
        x->reach = geometry_grow(box, x->max_m);
    }
    struct filter *f = make_filter(g, FILTER_GEO);
    f->geo = x;
    return f;
}

static struct filter *ids(struct generator *g)
{
    uint32_t n = 1 + generate_below(g, 6);
    struct str *all = arena_array(g->arena, struct str, n);
    for (uint32_t i = 0; i < n; i++)
        all[i] = generate_id(g);
    return filter_of_ids(g->arena, all, n);
}

static struct filter *attrs(struct generator *g)
{
    uint32_t n = 1 + generate_below(g, 2);
    struct name *names = arena_array(g->arena, struct name, n);
    for (uint32_t i = 0; i < n; i++)
        names[i] = name_of(g, term(g, ATTR_NAMES, ATTRS));
    return filter_of_attrs(g->arena, names, n);
}

struct filter *generate_filter(struct generator *g, int depth)
{
    if (depth > 0 && one_in(g, 2)) {
        struct filter *f = make_filter(g, one_in(g, 6)   ? FILTER_NOT
                                          : one_in(g, 3) ? FILTER_OR
                                                         : FILTER_AND);
        f->count = f->kind == FILTER_NOT ? 1 : 1 + generate_below(g, 3);
        f->parts = arena_array(g->arena, struct filter *, f->count);
        for (uint32_t i = 0; i < f->count; i++)
            f->parts[i] = generate_filter(g, depth - 1);
        return f;
    }
    switch (generate_below(g, 10)) {
    case 0:
        return ids(g);
    case 1:
    case 2:
        return types(g);
    case 3:
        return scopes(g);
    case 4:
        return attrs(g);
    case 5:
    case 6:
        return geo(g);
    default:
        return compare(g);
    }
}

static struct order *order_of(struct generator *g, struct str text)
{
    struct filter_limits limits = {100, 10, 1000, 100};
    struct filter_reader r = {.context = context_core(), .limits = &limits, .arena = g->arena};
    struct order *o = NULL;
    struct why why = {0};
    enum status st = order_read(&r, text, STR_NONE, STR_NONE, STR_NONE, &o, &why);
    if (st != OK) {
        fprintf(stderr, "%.*s: %s\n", STR_ARG(text), why.text);
        abort();
    }
    return o;
}

struct order *generate_id_order(struct generator *g)
{
    return order_of(g, one_in(g, 2) ? STR("id;desc") : STR("id"));
}

struct order *generate_order(struct generator *g)
{
    static const char *const SYSTEM[] = {"id", "modifiedAt", "createdAt", "type"};
    struct str text = STR("");
    uint32_t n = 1 + generate_below(g, 2);
    for (uint32_t i = 0; i < n; i++) {
        struct str name = one_in(g, 3) ? str_of(SYSTEM[generate_below(g, 4)])
                                       : arena_printf(g->arena, "https://example.org/%s",
                                                      ATTR_NAMES[generate_below(g, ATTRS)]);
        text = arena_printf(g->arena, "%.*s%s%.*s%s", STR_ARG(text), i ? "," : "", STR_ARG(name),
                            one_in(g, 2) ? ";desc" : "");
    }
    return order_of(g, text);
}
