/* Why: key-values are what people export and write by hand, but what kind of attribute a member is
 * has to be inferred; the rules stand in the header and in docs/import.md. */
#include "sense/simplified.h"

#include "model/geometry.h"

static bool is_keyword(struct str key)
{
    static const char *const keywords[] = {
        "id", "type", "@id", "@type", "@context", "scope", "createdAt", "modifiedAt", "expiresAt"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (str_eq(key, str_of(keywords[i])))
            return true;
    return false;
}

/* "Property", "GeoProperty" … "ListRelationship". */
static bool is_attribute_type(const struct json *v)
{
    return json_is(v, JSON_STRING) &&
           (str_ends(v->string, STR("Property")) || str_ends(v->string, STR("Relationship")));
}

static bool is_attribute(const struct json *v)
{
    if (v->kind == JSON_ARRAY)
        return v->n > 0 && is_attribute(&v->items[0]);
    if (v->kind != JSON_OBJECT)
        return false;
    if (is_attribute_type(json_get(v, STR("type"))))
        return true;
    bool special =
        json_get(v, STR("languageMap")) || json_get(v, STR("vocab")) || json_get(v, STR("json"));
    return (special && v->n > 1) || json_get(v, STR("value")) || json_get(v, STR("object")) ||
           json_get(v, STR("valueList")) || json_get(v, STR("objectList"));
}

bool simplified_is(const struct json *entity)
{
    for (uint32_t i = 0; i < entity->n; i++) {
        const struct json_member *m = &entity->members[i];
        if (!is_keyword(m->key) && is_attribute(&m->value))
            return false;
    }
    return true;
}

static bool is_reference(const struct json *v)
{
    if (v->kind == JSON_STRING)
        return str_starts(v->string, STR("urn:ngsi-ld:"));
    if (v->kind != JSON_ARRAY || v->n == 0)
        return false;
    for (uint32_t i = 0; i < v->n; i++)
        if (v->items[i].kind != JSON_STRING || !is_reference(&v->items[i]))
            return false;
    return true;
}

/* {"languageMap": …} and its like, which stand for a whole attribute. */
static const char *special_type(const struct json *v)
{
    if (v->kind != JSON_OBJECT || v->n != 1)
        return NULL;
    if (str_eq(v->members[0].key, STR("languageMap")))
        return "LanguageProperty";
    if (str_eq(v->members[0].key, STR("vocab")))
        return "VocabProperty";
    if (str_eq(v->members[0].key, STR("json")))
        return "JsonProperty";
    return NULL;
}

void simplified_write_attr(const struct json *value, struct buf *out)
{
    const char *special = special_type(value);
    if (special) {
        buf_printf(out, "{\"type\":\"%s\",", special);
        json_write_str(out, value->members[0].key);
        buf_char(out, ':');
        value = &value->members[0].value;
    } else if (geometry_looks_like(value)) {
        buf_lit(out, "{\"type\":\"GeoProperty\",\"value\":");
    } else if (is_reference(value)) {
        buf_lit(out, "{\"type\":\"Relationship\",\"object\":");
    } else {
        buf_lit(out, "{\"type\":\"Property\",\"value\":");
    }
    json_write(out, value);
    buf_char(out, '}');
}

void simplified_write(const struct json *entity, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < entity->n; i++) {
        const struct json_member *m = &entity->members[i];
        if (i > 0)
            buf_char(out, ',');
        json_write_str(out, m->key);
        buf_char(out, ':');
        if (is_keyword(m->key))
            json_write(out, &m->value);
        else
            simplified_write_attr(&m->value, out);
    }
    buf_char(out, '}');
}
