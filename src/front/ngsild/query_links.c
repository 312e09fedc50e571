/* What a query says of linked entities (clause 4.5.23) and entity maps (clause 5.5.14), from
 * URL parameters or from a Query body. */
#include "base/hash.h"
#include "front/ngsild/params.h"
#include "front/ngsild/query_input.h"

/* ---- URL parameters ---- */

enum status query_links_params(struct exchange *x, struct query_input *in)
{
    in->join = x->params[PARAM_JOIN];
    in->join_level = 1;
    enum status st = params_u64(x, PARAM_JOIN_LEVEL, x->api->limits.join_level, "limits.join_level", &in->join_level);
    if (st == OK && !in->join_level)
        return why_set(&x->why, E_BAD_DATA, NULL, "joinLevel must be a positive integer");
    if (st == OK)
        st = params_list(x, PARAM_CONTAINED_BY, x->api->limits.ids, &in->contained, &in->contained_count);
    if (st == OK)
        st = params_bool(x, PARAM_ENTITY_MAP, &in->entity_map);
    if (st == OK)
        st = params_bool(x, PARAM_SPLIT_ENTITIES, &in->split);
    in->split_given = exchange_has(x, PARAM_SPLIT_ENTITIES);
    in->map_lifetime = x->params[PARAM_ENTITY_MAP_LIFETIME];
    return st;
}

/* ---- Query body ---- */

static enum status bool_member(struct exchange *x, const char *name, bool *out, bool *given)
{
    struct at at = {.key = str_of(name)};
    const struct json *v = json_get(&x->body, at.key);
    *given = v != NULL;
    if (v && v->kind != JSON_BOOL)
        return why_set(&x->why, E_BAD_DATA, &at, "true or false is expected");
    *out = v && v->boolean;
    return OK;
}

static enum status level_member(struct exchange *x, struct query_input *in)
{
    struct at at = {.key = STR("joinLevel")};
    const struct json *v = json_get(&x->body, at.key);
    in->join_level = 1;
    if (!v)
        return OK;
    if (v->kind != JSON_INT || v->integer < 1)
        return why_set(&x->why, E_BAD_DATA, &at, "a positive integer is expected");
    in->join_level = (uint64_t)v->integer;
    if (in->join_level > x->api->limits.join_level)
        return why_limit(&x->why, E_LIMIT, &at, "limits.join_level", "at most %u is allowed", x->api->limits.join_level);
    return OK;
}

enum status query_links_body(struct exchange *x, struct query_input *in)
{
    bool given;
    enum status st = query_string_member(x, "join", &in->join);
    if (st == OK)
        st = level_member(x, in);
    if (st == OK)
        st = query_strings_member(x, "containedBy", &in->contained, &in->contained_count);
    if (st == OK)
        st = bool_member(x, "entityMap", &in->entity_map, &given);
    if (st == OK)
        st = bool_member(x, "splitEntities", &in->split, &in->split_given);
    if (st == OK)
        st = query_string_member(x, "entityMapLifetime", &in->map_lifetime);
    return st;
}

/* ---- both ---- */

enum status query_links_read(struct exchange *x, const struct query_input *in, struct join *out)
{
    struct duration lifetime;
    *out = (struct join){
        .level = (uint32_t)in->join_level,
        .contained = in->contained,
        .contained_count = in->contained_count,
    };
    for (uint32_t i = 0; i < in->contained_count; i++)
        if (!reader_is_uri(in->contained[i]))
            return why_set(&x->why, E_BAD_DATA, NULL, "containedBy: \"%.*s\" is not a URI", STR_ARG(in->contained[i]));
    if (!str_absent(in->map_lifetime) && !duration_parse(in->map_lifetime, &lifetime))
        return why_set(&x->why, E_BAD_DATA, NULL, "entityMapLifetime must be a duration such as PT1H");
    if (str_eq(in->join, STR("flat")))
        out->kind = JOIN_FLAT;
    else if (str_eq(in->join, STR("inline")))
        out->kind = JOIN_INLINE;
    else if (!str_absent(in->join) && !str_eq(in->join, STR("@none")))
        return why_set(&x->why, E_BAD_DATA, NULL, "join must be flat, inline or @none");
    return OK;
}

/* ---- entity maps ---- */

static void print_list(struct buf *b, const struct str *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        json_write_str(b, list[i]);
        buf_char(b, ',');
    }
    buf_char(b, ';');
}

uint64_t query_input_print(struct exchange *x, const struct query_input *in)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (uint32_t i = 0; i < in->selector_count; i++) {
        const struct query_selector *s = &in->selectors[i];
        print_list(&b, (struct str[]){s->type, s->id_pattern}, 2);
        print_list(&b, s->ids, s->id_count);
    }
    struct str coordinates = in->coordinates ? json_text(x->arena, in->coordinates) : STR_NONE;
    struct str context = x->has_spec ? json_text(x->arena, &x->spec) : STR_NONE;
    struct str rest[] = {in->q, in->scope_q, in->georel, in->geometry, in->geoproperty, coordinates, context};
    print_list(&b, rest, sizeof rest / sizeof *rest);
    print_list(&b, in->attrs, in->attr_count);
    print_list(&b, in->expand_values, in->expand_value_count);
    print_list(&b, in->json_keys, in->json_key_count);
    uint64_t print = hash_str(buf_view(&b));
    buf_free(&b);
    return print;
}
