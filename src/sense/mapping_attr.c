/* Why: the largest part of a mapping is what it says of each attribute: one source, a type, and
 * what happens to the value on its way. Start at mapping_read_attr(). */
#include "sense/mapping_attr.h"

#include "model/geometry.h"

#define MAPPING_PAIRS_MAX 10000

/* Reader for a member NAME of an attribute that is stored as it is. */
#define ATTR_MEMBER(name, call)                                                                    \
    static enum status attr_##name(struct member_reader *r, const struct json *v,                  \
                                   const struct at *at, void *into)                                \
    {                                                                                              \
        struct mapping_attr *a = into;                                                             \
        return call;                                                                               \
    }

/* Notes where the value comes from; FROM_COUNT until then. */
static enum status attr_from(struct member_reader *r, struct mapping_attr *a, const struct at *at,
                             enum mapping_from from)
{
    if (a->from != FROM_COUNT)
        return MEMBER_REFUSE(r, at, "an attribute has one source, not two");
    a->from = (uint8_t)from;
    return OK;
}

static enum status attr_column(struct member_reader *r, const struct json *v, const struct at *at,
                               void *into)
{
    struct mapping_attr *a = into;
    enum status st = attr_from(r, a, at, FROM_COLUMN);
    return st != OK ? st : member_column(r, v, at, &a->column);
}

static enum status attr_template(struct member_reader *r, const struct json *v, const struct at *at,
                                 void *into)
{
    struct mapping_attr *a = into;
    enum status st = attr_from(r, a, at, FROM_TEMPLATE);
    return st != OK ? st : member_template(r, v, at, &a->template);
}

static enum status attr_relationship(struct member_reader *r, const struct json *v,
                                     const struct at *at, void *into)
{
    struct mapping_attr *a = into;
    enum status st = attr_from(r, a, at, FROM_RELATIONSHIP);
    return st != OK ? st : member_template(r, v, at, &a->template);
}

static enum status attr_constant(struct member_reader *r, const struct json *v, const struct at *at,
                                 void *into)
{
    struct mapping_attr *a = into;
    a->constant = json_text(r->arena, v);
    a->geo = geometry_looks_like(v);
    return attr_from(r, a, at, FROM_CONSTANT);
}

static enum status attr_point(struct member_reader *r, const struct json *v, const struct at *at,
                              void *into)
{
    struct mapping_attr *a = into;
    if (v->kind != JSON_ARRAY || v->n != 2)
        return MEMBER_REFUSE(r, at, "[longitude column, latitude column] was expected");
    enum status st = attr_from(r, a, at, FROM_POINT);
    if (st == OK)
        st = member_column(r, &v->items[0], &(struct at){at, STR_NONE, 0}, &a->column);
    if (st == OK)
        st = member_column(r, &v->items[1], &(struct at){at, STR_NONE, 1}, &a->latitude);
    return st;
}

static enum status attr_geometry(struct member_reader *r, const struct json *v, const struct at *at,
                                 void *into)
{
    static const char *const names[SHAPE_COUNT] = {"shape", "start", "end", "length"};
    struct mapping_attr *a = into;
    enum status st = attr_from(r, a, at, FROM_GEOMETRY);
    return st != OK ? st : member_choice(r, v, at, names, SHAPE_COUNT, &a->shape);
}

static enum status attr_type(struct member_reader *r, const struct json *v, const struct at *at,
                             void *into)
{
    static const char *const names[MAPPING_TYPE_COUNT] = {
        "as-is", "string", "number", "integer", "boolean", "datetime", "json"};
    struct mapping_attr *a = into;
    return member_choice(r, v, at, names, MAPPING_TYPE_COUNT, &a->type);
}

static enum status attr_scale(struct member_reader *r, const struct json *v, const struct at *at,
                              void *into)
{
    struct mapping_attr *a = into;
    a->scaled = true;
    return member_number(r, v, at, &a->scale);
}

static enum status attr_offset(struct member_reader *r, const struct json *v, const struct at *at,
                               void *into)
{
    struct mapping_attr *a = into;
    a->scaled = true;
    return member_number(r, v, at, &a->offset);
}

static enum status attr_min(struct member_reader *r, const struct json *v, const struct at *at,
                            void *into)
{
    struct mapping_attr *a = into;
    a->has_min = true;
    return member_number(r, v, at, &a->min);
}

static enum status attr_max(struct member_reader *r, const struct json *v, const struct at *at,
                            void *into)
{
    struct mapping_attr *a = into;
    a->has_max = true;
    return member_number(r, v, at, &a->max);
}

static enum status attr_map(struct member_reader *r, const struct json *v, const struct at *at,
                            void *into)
{
    struct mapping_attr *a = into;
    if (v->kind != JSON_OBJECT || v->n > MAPPING_PAIRS_MAX)
        return MEMBER_REFUSE(r, at, "an object of at most %d members was expected",
                             MAPPING_PAIRS_MAX);
    a->pairs = arena_array(r->arena, struct mapping_pair, v->n + 1);
    a->pair_count = v->n;
    for (uint32_t i = 0; i < v->n; i++)
        a->pairs[i] = (struct mapping_pair){v->members[i].key, &v->members[i].value};
    return OK;
}

static enum status attr_otherwise(struct member_reader *r, const struct json *v,
                                  const struct at *at, void *into)
{
    (void)r, (void)at;
    ((struct mapping_attr *)into)->otherwise = v;
    return OK;
}

static enum status attr_observed_at(struct member_reader *r, const struct json *v,
                                    const struct at *at, void *into)
{
    static const struct template none;
    struct mapping_attr *a = into;
    if (v->kind == JSON_BOOL && !v->boolean) {
        a->observed_at = &none;
        return OK;
    }
    return member_new_template(r, v, at, &a->observed_at);
}

ATTR_MEMBER(unit_code, member_string(r, v, at, &a->unit_code))
ATTR_MEMBER(lang, member_string(r, v, at, &a->lang))
ATTR_MEMBER(required, member_bool(r, v, at, &a->required))
ATTR_MEMBER(separator, member_char(r, v, at, &a->separator))

static const struct member attr_members[] = {
    {"column", attr_column},
    {"template", attr_template},
    {"relationship", attr_relationship},
    {"constant", attr_constant},
    {"point", attr_point},
    {"geometry", attr_geometry},
    {"type", attr_type},
    {"unitCode", attr_unit_code},
    {"lang", attr_lang},
    {"scale", attr_scale},
    {"offset", attr_offset},
    {"min", attr_min},
    {"max", attr_max},
    {"map", attr_map},
    {"otherwise", attr_otherwise},
    {"observedAt", attr_observed_at},
    {"required", attr_required},
    {"separator", attr_separator},
    {NULL, NULL},
};

/* What the members say together. */
static enum status check_attr(struct member_reader *r, const struct mapping_attr *a,
                              const struct at *at)
{
    bool numeric = a->type == MAPPING_NUMBER || a->type == MAPPING_INTEGER;
    if (a->from == FROM_COUNT)
        return MEMBER_REFUSE(
            r, at, "no source: column, template, constant, point, geometry, relationship");
    if ((a->scaled || a->has_min || a->has_max) && !(a->from == FROM_COLUMN && numeric))
        return MEMBER_REFUSE(r, at,
                             "scale, offset, min and max need a column of type number or integer");
    if (a->pair_count && a->from != FROM_COLUMN)
        return MEMBER_REFUSE(r, at, "map needs a column");
    if (a->otherwise && !a->pair_count)
        return MEMBER_REFUSE(r, at, "otherwise needs a map");
    if (!str_absent(a->lang) && a->type > MAPPING_STRING)
        return MEMBER_REFUSE(r, at, "lang needs a string");
    if (a->separator && a->from != FROM_COLUMN)
        return MEMBER_REFUSE(r, at, "separator needs a column");
    return OK;
}

enum status mapping_read_attr(struct member_reader *r, struct str name, const struct json *v,
                              const struct at *at, struct mapping_attr *out)
{
    *out = (struct mapping_attr){.name = name, .from = FROM_COUNT, .scale = 1};
    enum status st = member_read_all(r, v, at, attr_members, out);
    return st != OK ? st : check_attr(r, out, at);
}
