/* Entities and entity fragments (clauses 4.5.1, 5.2.4, 5.4): the members that every
 * entity has; the rest are attributes, read by reader_attr.c. */
#include "model/reader_int.h"

/* The members of an entity that are not attributes, where given. */
struct entity_parts {
    const struct json_member *id, *type, *scope, *expires_at;
};

static enum status keep(struct reading *rd, const struct json_member **slot,
                        const struct json_member *m, const struct at *at)
{
    struct at here = {at, m->key, 0};
    if (*slot)
        return why_set(rd->why, E_BAD_DATA, &here, "the member \"%s\" is there twice",
                       reader_member_name(reader_member_of(m->key)));
    *slot = m;
    return OK;
}

static enum status add_member(struct reading *rd, enum member which, const struct json_member *m,
                              const struct at *at, struct entity_parts *p)
{
    switch (which) {
    case MEMBER_ID:
        return keep(rd, &p->id, m, at);
    case MEMBER_TYPE:
        return keep(rd, &p->type, m, at);
    case MEMBER_SCOPE:
        return keep(rd, &p->scope, m, at);
    case MEMBER_EXPIRES_AT:
        return keep(rd, &p->expires_at, m, at);
    case MEMBER_CONTEXT:    /* the caller's */
    case MEMBER_CREATED_AT: /* ignored, clause 5.2.2 */
    case MEMBER_MODIFIED_AT:
    case MEMBER_DELETED_AT:
        return OK;
    default:
        break;
    }
    struct at here = {at, m->key, 0};
    return why_set(rd->why, E_BAD_DATA, &here,
                   "\"%.*s\" is reserved and cannot name an attribute (clause 4.5.1)",
                   STR_ARG(str_head(m->key, 64)));
}

static enum status split_members(struct reading *rd, const struct json *v, const struct at *at,
                                 struct entity_parts *p, struct named *named, uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        enum member which;
        enum status st = reader_attr_classify(rd, &v->members[i], at, &which, &named[*count]);
        if (st == OK && which == MEMBER_NONE)
            st = reader_attr_room(rd, ++*count, at);
        else if (st == OK)
            st = add_member(rd, which, &v->members[i], at, p);
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status read_id(struct reading *rd, const struct json_member *m, struct str expect_id,
                           const struct at *at, struct entity *out)
{
    out->id = expect_id;
    if (!m)
        return rd->r->mode == READER_ENTITY && str_absent(expect_id)
                   ? why_set(rd->why, E_BAD_DATA, at, "an entity needs an \"id\"")
                   : OK;
    struct at here = {at, m->key, 0};
    if (m->value.kind != JSON_STRING || !reader_is_uri(m->value.string))
        return why_set(rd->why, E_BAD_DATA, &here, "the id of an entity must be a URI");
    if (reader_is_null(&m->value))
        return why_set(rd->why, E_BAD_DATA, &here,
                       "the NGSI-LD Null is no id of an entity (clause 5.5.4)");
    if (!str_absent(expect_id) && !str_eq(m->value.string, expect_id))
        return why_set(rd->why, E_BAD_DATA, &here,
                       "the id must be that of the entity addressed, \"%.*s\"",
                       STR_ARG(str_head(expect_id, 200)));
    out->id = m->value.string;
    return reader_value_length(rd, out->id, &here, "an id");
}

static enum status add_type(struct reading *rd, const struct json *v, const struct at *at,
                            struct entity *out)
{
    const struct reader *r = rd->r;
    if (v->kind != JSON_STRING)
        return why_set(rd->why, E_BAD_DATA, at,
                       "the type of an entity must be a name or an array of names");
    if (reader_is_null(v))
        return why_set(rd->why, E_BAD_DATA, at, "the types of an entity cannot be removed");
    uint32_t term;
    struct str name;
    enum status st = reader_attr_term(rd, v->string, at, &term, &name);
    if (st != OK)
        return st;
    if (entity_has_type(out, term))
        return OK;
    if (out->type_count == r->limits->types_max)
        return why_limit(rd->why, E_LIMIT, at, "limits.types", "an entity has at most %u types",
                         r->limits->types_max);
    out->types[out->type_count++] = term;
    return OK;
}

static enum status read_types(struct reading *rd, const struct json_member *m, const struct at *at,
                              struct entity *out)
{
    if (!m)
        return rd->r->mode == READER_ENTITY
                   ? why_set(rd->why, E_BAD_DATA, at, "an entity needs a \"type\"")
                   : OK;
    struct at here = {at, m->key, 0};
    bool array = m->value.kind == JSON_ARRAY;
    uint32_t given = array ? m->value.n : 1, most = rd->r->limits->types_max;
    if (given == 0)
        return why_set(rd->why, E_BAD_DATA, &here, "an entity needs at least one type");
    out->types = arena_array(rd->r->arena, uint32_t, given < most ? given : most);
    if (!array)
        return add_type(rd, &m->value, &here, out);
    for (uint32_t i = 0; i < given; i++) {
        struct at element = {&here, STR_NONE, i};
        enum status st = add_type(rd, &m->value.items[i], &element, out);
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status add_scope(struct reading *rd, const struct json *v, const struct at *at,
                             struct entity *out)
{
    uint32_t most = rd->r->limits->scopes_max;
    if (v->kind != JSON_STRING || !reader_is_scope(v->string))
        return why_set(rd->why, E_BAD_DATA, at,
                       "a scope must be levels between '/', as \"/Madrid/Gardens\", each a letter "
                       "and then letters, digits or '_' (clause 4.18)");
    enum status st = reader_value_length(rd, v->string, at, "a scope");
    if (st != OK)
        return st;
    for (uint32_t i = 0; i < out->scope_count; i++)
        if (str_eq(out->scopes[i], v->string))
            return OK;
    if (out->scope_count == most)
        return why_limit(rd->why, E_LIMIT, at, "limits.scopes", "an entity has at most %u scopes",
                         most);
    out->scopes[out->scope_count++] = v->string;
    return OK;
}

static enum status take_null(struct reading *rd, const struct json *v, const struct at *at,
                             bool *is_null)
{
    *is_null = reader_is_null(v);
    if (*is_null && !reading_takes_null(rd))
        return why_set(rd->why, E_BAD_DATA, at,
                       "the NGSI-LD Null is for updates and merges only (clause 5.5.4)");
    return OK;
}

enum status reader_scopes(struct reading *rd, const struct json *v, const struct at *at, struct entity *out)
{
    bool array = v->kind == JSON_ARRAY;
    uint32_t given = array ? v->n : 1, most = rd->r->limits->scopes_max;
    if (given == 0)
        return why_set(rd->why, E_BAD_DATA, at, "an array of scopes needs at least one scope");
    out->scopes = arena_array(rd->r->arena, struct str, given < most ? given : most);
    if (!array)
        return add_scope(rd, v, at, out);
    for (uint32_t i = 0; i < given; i++) {
        struct at element = {at, STR_NONE, i};
        enum status st = add_scope(rd, &v->items[i], &element, out);
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status read_scopes(struct reading *rd, const struct json_member *m, const struct at *at,
                               struct entity *out)
{
    if (!m)
        return OK;
    struct at here = {at, m->key, 0};
    enum status st = take_null(rd, &m->value, &here, &out->scope_null);
    if (st != OK || out->scope_null)
        return st;
    return reader_scopes(rd, &m->value, &here, out);
}

static enum status read_expires_at(struct reading *rd, const struct json_member *m,
                                   const struct at *at, struct entity *out)
{
    if (!m)
        return OK;
    struct at here = {at, m->key, 0};
    enum status st = take_null(rd, &m->value, &here, &out->expires_null);
    if (st != OK || out->expires_null)
        return st;
    return reader_value_time(rd, &m->value, &here, &out->expires_at);
}

enum status reader_entity(const struct reader *r, const struct json *v, struct str expect_id,
                          const struct at *at, struct entity *out, struct why *why)
{
    struct why own; /* what the context says is asked for */
    if (!why) {
        why_clear(&own);
        why = &own;
    }
    struct reading rd = {.r = r, .why = why, .partial = r->mode == READER_MERGE};
    struct entity_parts parts = {0};
    uint32_t count = 0;
    *out =
        (struct entity){.created_at = TIME_NONE, .modified_at = TIME_NONE, .expires_at = TIME_NONE};
    if (!json_is(v, JSON_OBJECT))
        return why_set(why, E_BAD_DATA, at, "an entity must be an object, not %s",
                       v ? json_kind_name((enum json_kind)v->kind) : "nothing");
    struct named *named = arena_array(r->arena, struct named, v->n);
    enum status st = split_members(&rd, v, at, &parts, named, &count);
    if (st == OK)
        st = read_id(&rd, parts.id, expect_id, at, out);
    if (st == OK)
        st = read_types(&rd, parts.type, at, out);
    if (st == OK)
        st = read_scopes(&rd, parts.scope, at, out);
    if (st == OK)
        st = read_expires_at(&rd, parts.expires_at, at, out);
    if (st == OK && count)
        st = reader_attr_list(&rd, named, count, 0, at, &out->attrs, &out->attr_count);
    return st;
}

struct json reader_without_context(const struct json *v, struct arena *a)
{
    struct json copy = *v;
    if (v->kind != JSON_OBJECT || !json_get(v, STR("@context")))
        return copy;
    copy.members = arena_array(a, struct json_member, v->n);
    copy.n = 0;
    for (uint32_t i = 0; i < v->n; i++)
        if (!str_eq(v->members[i].key, STR("@context")))
            copy.members[copy.n++] = v->members[i];
    return copy;
}

enum status reader_attr(const struct reader *r, uint32_t term, const struct json *v,
                        const struct at *at, struct attr **out, uint32_t *count, struct why *why)
{
    struct why own;
    if (!why) {
        why_clear(&own);
        why = &own;
    }
    struct reading rd = {
        .r = r, .why = why, .partial = r->mode == READER_UPDATE || r->mode == READER_MERGE};
    *count = 0;
    if (!r->simplified && v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)
        return why_set(why, E_BAD_DATA, at,
                       "the fragment of an attribute must be an object, not %s",
                       json_kind_name((enum json_kind)v->kind));
    struct json fragment = reader_without_context(v, r->arena);
    struct named named = {.name = context_compact_term(r->context, term), .term = term};
    return reader_attr_instances(&rd, &named, &fragment, at, out, count);
}
