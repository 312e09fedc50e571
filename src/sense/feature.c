/* Why: a map file should go in without anybody writing a mapping first. Start at feature_add(). */
#include "sense/feature.h"

#include "model/geometry.h"
#include "model/reader.h"
#include "sense/simplified.h"

#define FEATURE_ID_MAX 65536

/* clause 4.5.16: the properties hold the type and at least the attributes of an entity. */
static bool feature_is_entity(const struct json *feature)
{
    const struct json *id = json_get(feature, STR("id"));
    const struct json *type = json_get(json_get(feature, STR("properties")), STR("type"));
    return json_is(id, JSON_STRING) && reader_is_uri(id->string) &&
           (json_is(type, JSON_STRING) || json_is(type, JSON_ARRAY));
}

/* A property's name as an attribute name (clause 4.6.2): what is not allowed becomes '_'. */
static struct str feature_attr_name(struct arena *a, struct str name)
{
    if (reader_is_name(name))
        return name;
    char *out = arena_alloc(a, name.n + 2);
    size_t n = 0;
    if (name.n == 0 || (name.p[0] >= '0' && name.p[0] <= '9'))
        out[n++] = '_';
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c >= 0x80;
        out[n++] = good ? (char)c : '_';
    }
    struct str made = {out, n};
    return reader_is_name(made) ? made : STR("_");
}

static struct str feature_id(struct source *s, const struct json *feature, struct str digest)
{
    const struct json *id = json_get(feature, STR("id"));
    struct json own = {.kind = JSON_STRING, .string = digest};
    struct arena *a = s->out.arena;
    struct buf text;
    struct str missing;
    if (json_is(id, JSON_STRING) && reader_is_uri(id->string))
        return id->string;
    if ((json_is(id, JSON_STRING) && id->string.n > 0) || json_is(id, JSON_INT))
        own = *id;
    struct template_part parts[] = {
        {.kind = TEMPLATE_LITERAL,
         .text = arena_printf(a, "urn:ngsi-ld:%.*s:", STR_ARG(s->options.type))},
        {.kind = TEMPLATE_FIELD, .index = 0},
    };
    struct template t = {2, parts};
    buf_init(&text, FEATURE_ID_MAX);
    bool good = template_fill(&t, &(struct record){.fields = &own}, true, &text, &missing);
    struct str made = good && !text.full ? arena_dup(a, buf_view(&text)) : digest;
    buf_free(&text);
    return made;
}

/* Properties of an entity in GeoJSON representation are its attributes already. */
static void feature_put_entity(struct buf *b, const struct json *properties)
{
    bool simplified = simplified_is(properties);
    for (uint32_t i = 0; i < properties->n; i++) {
        const struct json_member *m = &properties->members[i];
        buf_char(b, ',');
        json_write_str(b, m->key);
        buf_char(b, ':');
        if (simplified && !str_eq(m->key, STR("type")) && !str_eq(m->key, STR("scope")))
            simplified_write_attr(&m->value, b);
        else
            json_write(b, &m->value);
    }
}

static void feature_put_properties(struct source *s, const struct json *properties)
{
    struct buf *b = &s->out.json;
    for (uint32_t i = 0; i < properties->n; i++) {
        const struct json_member *m = &properties->members[i];
        if (m->value.kind == JSON_NULL || str_eq(m->key, STR("location")))
            continue;
        struct str name = feature_attr_name(s->out.arena, m->key);
        bool keyword =
            str_eq(name, STR("id")) || str_eq(name, STR("type")) || str_eq(name, STR("scope"));
        buf_lit(b, ",\"");
        if (keyword)
            buf_lit(b, "feature_");
        buf_str(b, name);
        buf_lit(b, "\":{\"type\":\"Property\",\"value\":");
        json_write(b, &m->value);
        buf_char(b, '}');
    }
}

void feature_add(struct source *s, const struct json *feature, const struct json *geometry,
                 struct str digest)
{
    struct buf *b = &s->out.json;
    const struct json *properties = json_get(feature, STR("properties"));
    const struct json *context = json_get(feature, STR("@context"));
    bool entity = feature_is_entity(feature);
    struct why why;
    why_clear(&why);
    if (!entity && str_absent(s->options.type)) {
        (void)why_set(&why, E_BAD_DATA, NULL, "the feature names no type: --type or --mapping");
        source_add_reject(s, STR_NONE, &why);
        return;
    }
    size_t from = b->n;
    struct str id = feature_id(s, feature, digest);
    buf_lit(b, "{\"id\":");
    json_write_str(b, id);
    if (!entity) {
        buf_lit(b, ",\"type\":");
        json_write_str(b, s->options.type);
    }
    if (json_is(properties, JSON_OBJECT) && entity)
        feature_put_entity(b, properties);
    else if (json_is(properties, JSON_OBJECT))
        feature_put_properties(s, properties);
    if (geometry && !(entity && json_get(properties, STR("location")))) {
        buf_lit(b, ",\"location\":{\"type\":\"GeoProperty\",\"value\":");
        json_write(b, geometry);
        buf_char(b, '}');
    }
    buf_char(b, '}');
    source_add_entity(s, from, id, false);
    if (context || !str_absent(s->options.context))
        source_put_context(s, context ? json_text(s->out.arena, context) : s->options.context);
}
