/* What a JSON value is to the reader, by its look alone: an instance of an attribute, several of them, or nothing but a
 * value. */
#include "model/reader_int.h"

static uint64_t members_seen(const struct json *v)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < v->n; i++)
        seen |= MEMBER_BIT(reader_member_of(v->members[i].key));
    return seen;
}

bool reader_shape_is_typed_value(const struct json *v, uint64_t seen)
{
    return (seen & MEMBER_BIT(MEMBER_KEYWORD)) && json_get(v, STR("@value"));
}

bool reader_shape_is_bare_geometry(const struct json *v, uint64_t seen)
{
    return (seen & MEMBER_BIT(MEMBER_TYPE)) && !(seen & MEMBERS_WITH_VALUE) &&
           geometry_looks_like(v);
}

bool reader_shape_is_instance(const struct json *v)
{
    if (v->kind != JSON_OBJECT)
        return false;
    uint64_t seen = members_seen(v);
    return (seen & SAYS_ATTRIBUTE) && !reader_shape_is_typed_value(v, seen) && !reader_shape_is_bare_geometry(v, seen);
}

bool reader_shape_is_instances(const struct json *v)
{
    if (v->kind != JSON_ARRAY || v->n == 0)
        return false;
    for (uint32_t i = 0; i < v->n; i++)
        if (!reader_shape_is_instance(&v->items[i]))
            return false;
    return true;
}

bool reader_shape_is_bare(const struct json *v)
{
    return v->kind == JSON_ARRAY ? !reader_shape_is_instances(v)
                                 : !reader_shape_is_instance(v) && !geometry_looks_like(v) && !reader_is_null(v);
}

bool reader_shape_is_dataset_map(const struct json *v)
{
    return v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->members[0].key, STR("dataset")) &&
           v->members[0].value.kind == JSON_OBJECT && v->members[0].value.n > 0;
}

bool reader_shape_is_fragment(const struct reading *rd, const struct json *v)
{
    if (rd->r->mode != READER_MERGE || v->n == 0)
        return false;
    for (uint32_t i = 0; i < v->n; i++)
        if (!reader_shape_is_instance(&v->members[i].value) && !reader_shape_is_instances(&v->members[i].value))
            return false;
    return true;
}
