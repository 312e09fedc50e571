/* Why: a mapping is written by hand, so every slip must be named where it stands; hence one table
 * of members for each object and no silent defaults. Start at mapping_read(). */
#include "sense/mapping.h"

#include "sense/mapping_attr.h"
#include "sense/member.h"

#define MAPPING_ENTITIES_MAX 64
#define MAPPING_ATTRS_MAX 1024

/* ---- an entity ---- */

static enum status entity_id(struct member_reader *r, const struct json *v, const struct at *at,
                             void *into)
{
    return member_template(r, v, at, &((struct mapping_entity *)into)->id);
}

static enum status entity_type(struct member_reader *r, const struct json *v, const struct at *at,
                               void *into)
{
    bool good = v->kind == JSON_STRING || (v->kind == JSON_ARRAY && v->n > 0);
    for (uint32_t i = 0; good && v->kind == JSON_ARRAY && i < v->n; i++)
        good = v->items[i].kind == JSON_STRING;
    if (!good)
        return MEMBER_REFUSE(r, at, "a string or an array of strings was expected");
    ((struct mapping_entity *)into)->type = json_text(r->arena, v);
    return OK;
}

static enum status entity_scope(struct member_reader *r, const struct json *v, const struct at *at,
                                void *into)
{
    return member_new_template(r, v, at, &((struct mapping_entity *)into)->scope);
}

static enum status entity_observed_at(struct member_reader *r, const struct json *v,
                                      const struct at *at, void *into)
{
    return member_new_template(r, v, at, &((struct mapping_entity *)into)->observed_at);
}

static enum status entity_only_if(struct member_reader *r, const struct json *v,
                                  const struct at *at, void *into)
{
    struct mapping_entity *e = into;
    if (v->kind != JSON_ARRAY || v->n > MEMBER_LIST_MAX)
        return MEMBER_REFUSE(r, at, "an array of columns was expected");
    e->only_if = arena_array(r->arena, uint32_t, v->n + 1);
    for (uint32_t i = 0; i < v->n; i++) {
        enum status st =
            member_column(r, &v->items[i], &(struct at){at, STR_NONE, i}, &e->only_if[i]);
        if (st != OK)
            return st;
    }
    e->only_if_count = v->n;
    return OK;
}

static enum status entity_attributes(struct member_reader *r, const struct json *v,
                                     const struct at *at, void *into)
{
    struct mapping_entity *e = into;
    if (v->kind != JSON_OBJECT || v->n > MAPPING_ATTRS_MAX)
        return MEMBER_REFUSE(r, at, "an object of at most %d attributes was expected",
                             MAPPING_ATTRS_MAX);
    e->attrs = arena_zarray(r->arena, struct mapping_attr, v->n + 1);
    e->attr_count = v->n;
    for (uint32_t i = 0; i < v->n; i++) {
        struct at here = {at, v->members[i].key, 0};
        enum status st = mapping_read_attr(r, here.key, &v->members[i].value, &here, &e->attrs[i]);
        if (st != OK)
            return st;
    }
    return OK;
}

static const struct member entity_members[] = {
    {"id", entity_id},
    {"type", entity_type},
    {"scope", entity_scope},
    {"observedAt", entity_observed_at},
    {"onlyIf", entity_only_if},
    {"attributes", entity_attributes},
    {NULL, NULL},
};

/* ---- the mapping ---- */

static enum status mapping_about(struct member_reader *r, const struct json *v, const struct at *at,
                                 void *into)
{
    struct str text;
    (void)into;
    return member_string(r, v, at, &text);
}

static enum status mapping_format(struct member_reader *r, const struct json *v,
                                  const struct at *at, void *into)
{
    static const char *const names[] = {"csv", "geojson"};
    return member_choice(r, v, at, names, 2, &((struct mapping *)into)->kind);
}

static enum status mapping_delimiter(struct member_reader *r, const struct json *v,
                                     const struct at *at, void *into)
{
    return member_char(r, v, at, &((struct mapping *)into)->delimiter);
}

static enum status mapping_encoding(struct member_reader *r, const struct json *v,
                                    const struct at *at, void *into)
{
    return member_string(r, v, at, &((struct mapping *)into)->encoding);
}

static enum status mapping_columns(struct member_reader *r, const struct json *v,
                                   const struct at *at, void *into)
{
    struct mapping *m = into;
    return member_strings(r, v, at, &m->columns, &m->column_count);
}

static enum status mapping_missing(struct member_reader *r, const struct json *v,
                                   const struct at *at, void *into)
{
    struct mapping *m = into;
    return member_strings(r, v, at, &m->missing, &m->missing_count);
}

static enum status mapping_optional(struct member_reader *r, const struct json *v,
                                    const struct at *at, void *into)
{
    struct mapping *m = into;
    return member_strings(r, v, at, &m->optional, &m->optional_count);
}

static enum status mapping_split(struct member_reader *r, const struct json *v, const struct at *at,
                                 void *into)
{
    static const char *const names[] = {"none", "lines"};
    uint8_t choice = 0;
    enum status st = member_choice(r, v, at, names, 2, &choice);
    ((struct mapping *)into)->split_lines = choice == 1;
    return st;
}

static enum status mapping_zone(struct member_reader *r, const struct json *v, const struct at *at,
                                void *into)
{
    struct str s = v->kind == JSON_STRING ? v->string : STR("");
    unsigned long long hours, minutes;
    if (str_eq(s, STR("Z")))
        return OK;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' ||
        !str_to_u64((struct str){s.p + 1, 2}, 14, &hours) ||
        !str_to_u64((struct str){s.p + 4, 2}, 59, &minutes))
        return MEMBER_REFUSE(r, at, "an offset from UTC such as \"+08:00\" or \"Z\" was expected");
    int total = (int)(hours * 60 + minutes);
    ((struct mapping *)into)->zone_minutes = s.p[0] == '-' ? -total : total;
    return OK;
}

static enum status mapping_context(struct member_reader *r, const struct json *v,
                                   const struct at *at, void *into)
{
    if (v->kind != JSON_STRING && v->kind != JSON_ARRAY && v->kind != JSON_OBJECT)
        return MEMBER_REFUSE(r, at, "an @context was expected: a string, an array or an object");
    ((struct mapping *)into)->context = json_text(r->arena, v);
    return OK;
}

static enum status mapping_entities(struct member_reader *r, const struct json *v,
                                    const struct at *at, void *into)
{
    struct mapping *m = into;
    if (v->kind != JSON_ARRAY || v->n == 0 || v->n > MAPPING_ENTITIES_MAX)
        return MEMBER_REFUSE(r, at, "an array of 1 to %d entities was expected",
                             MAPPING_ENTITIES_MAX);
    m->entities = arena_zarray(r->arena, struct mapping_entity, v->n);
    m->entity_count = v->n;
    for (uint32_t i = 0; i < v->n; i++) {
        struct at here = {at, STR_NONE, i};
        struct mapping_entity *e = &m->entities[i];
        enum status st = member_read_all(r, &v->items[i], &here, entity_members, e);
        if (st != OK)
            return st;
        if (e->id.count == 0 || str_absent(e->type))
            return MEMBER_REFUSE(r, &here, "an entity needs \"id\" and \"type\"");
        if (template_is_constant(&e->id))
            return MEMBER_REFUSE(r, &here, "\"id\" is the same for every row: use {column}");
    }
    return OK;
}

static const struct member mapping_members[] = {
    {"about", mapping_about},         {"format", mapping_format},
    {"delimiter", mapping_delimiter}, {"encoding", mapping_encoding},
    {"columns", mapping_columns},     {"missing", mapping_missing},
    {"split", mapping_split},         {"zone", mapping_zone},
    {"@context", mapping_context},    {"entities", mapping_entities},
    {"optional", mapping_optional},   {NULL, NULL},
};

enum status mapping_read(struct mapping *out, struct str text, struct arena *a, struct why *why)
{
    static const struct json_limits limits = {.depth_max = 64, .bytes_max = 16u << 20};
    static const struct str missing[] = {{"", 0}};
    struct json *tree = arena_zarray(a, struct json, 1);
    enum status st = json_read(a, text, &limits, tree, why);
    if (st != OK)
        return st;
    *out = (struct mapping){.delimiter = ',', .context = STR_NONE};
    struct member_reader r = {.arena = a, .why = why, .fields = &out->fields};
    st = member_read_all(&r, tree, NULL, mapping_members, out);
    if (st != OK)
        return st;
    if (out->entity_count == 0)
        return why_set(why, E_BAD_DATA, NULL, "a mapping needs \"entities\"");
    if (!out->missing) {
        out->missing = missing;
        out->missing_count = 1;
    }
    return OK;
}
