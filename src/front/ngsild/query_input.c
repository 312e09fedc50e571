/* Reading the two spellings of a query. The filter is built in query_filter.c. */
#include "front/ngsild/query_input.h"

#include "front/ngsild/params.h"

enum { JSON_PARAM_DEPTH = 8 };

static enum status json_param(struct exchange *x, uint32_t param, const struct json **out)
{
    *out = NULL;
    if (!exchange_has(x, param))
        return OK;
    struct json_limits limits = {.depth_max = JSON_PARAM_DEPTH, .bytes_max = x->params[param].n + 1};
    struct json *v = arena_array(x->arena, struct json, 1);
    struct why why;
    why_clear(&why);
    if (json_read(x->arena, x->params[param], &limits, v, &why) != OK)
        return why_set(&x->why, E_BAD_DATA, NULL, "%s: %s", PARAM_NAMES[param], why.text);
    *out = v;
    return OK;
}

/* attrs may list ids, type and scope nowhere; datasetId and the like are plain lists. */
static enum status lists(struct exchange *x, struct query_input *in)
{
    uint32_t max = x->api->limits.ids;
    enum status st = params_list(x, PARAM_ATTRS, max, &in->attrs, &in->attr_count);
    if (st == OK)
        st = params_list(x, PARAM_DATASET_ID, max, &in->datasets, &in->dataset_count);
    if (st == OK)
        st = params_list(x, PARAM_EXPAND_VALUES, max, &in->expand_values, &in->expand_value_count);
    if (st == OK)
        st = params_list(x, PARAM_JSON_KEYS, max, &in->json_keys, &in->json_key_count);
    return st;
}

static enum status selector_params(struct exchange *x, struct query_input *in)
{
    struct query_selector *s = arena_zarray(x->arena, struct query_selector, 1);
    s->type = x->params[PARAM_TYPE];
    s->id_pattern = x->params[PARAM_ID_PATTERN];
    in->all_types = str_eq(s->type, STR("*"));
    if (in->all_types)
        s->type = STR_NONE;
    in->selectors = s;
    in->selector_count = 1;
    return params_list(x, PARAM_ID, x->api->limits.ids, &s->ids, &s->id_count);
}

/* All operations on a snapshot are local, whatever is said (clause 6.3.18). */
static enum status query_local(struct exchange *x, struct query_input *in)
{
    enum status st = params_bool(x, PARAM_LOCAL, &in->local);
    in->local |= !str_absent(x->snapshot_echo);
    return st;
}

enum status query_input_params(struct exchange *x, struct query_input *in)
{
    *in = (struct query_input){
        .q = x->params[PARAM_Q],
        .scope_q = x->params[PARAM_SCOPE_Q],
        .csf = x->params[PARAM_CSF],
        .georel = x->params[PARAM_GEOREL],
        .geometry = x->params[PARAM_GEOMETRY],
        .geoproperty = x->params[PARAM_GEOPROPERTY],
        .pick = x->params[PARAM_PICK],
        .omit = x->params[PARAM_OMIT],
        .lang = x->params[PARAM_LANG],
        .order_by = x->params[PARAM_ORDER_BY],
        .collation = x->params[PARAM_COLLATION],
        .order_from = x->params[PARAM_ORDER_FROM],
        .order_geometry = x->params[PARAM_ORDER_GEOMETRY],
        .geometry_property = x->params[PARAM_GEOMETRY_PROPERTY],
    };
    enum status st = selector_params(x, in);
    if (st == OK)
        st = query_links_params(x, in);
    if (st == OK)
        st = lists(x, in);
    if (st == OK)
        st = json_param(x, PARAM_COORDINATES, &in->coordinates);
    if (st == OK)
        st = query_local(x, in);
    return st;
}

enum status query_input_merge(struct exchange *x, struct reader *reader)
{
    reader->lang = x->params[PARAM_LANG];
    struct str format = x->params[PARAM_FORMAT];
    reader->simplified = str_absent(format)
                             ? exchange_option(x, KEYWORD_SIMPLIFIED) || exchange_option(x, KEYWORD_KEY_VALUES)
                             : str_eq(format, STR("simplified")) || str_eq(format, STR("keyValues"));
    bool known = reader->simplified || str_absent(format) || str_eq(format, STR("normalized")) ||
                 str_eq(format, STR("concise"));
    if (!known)
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "format must be normalized, concise, simplified or keyValues");
    if (exchange_has(x, PARAM_LANG) && !reader_is_language(reader->lang))
        return why_set(&x->why, E_BAD_DATA, NULL, "lang must be a language tag (RFC 5646)");
    if (exchange_has(x, PARAM_OBSERVED_AT) && !time_parse(x->params[PARAM_OBSERVED_AT], &reader->observed_at))
        return why_set(&x->why, E_BAD_DATA, NULL, "observedAt must be a DateTime such as 2026-01-31T12:00:00Z");
    return OK;
}

/* ---- Query body, clause 5.2.23 ---- */

static enum status expected(struct exchange *x, const struct at *at, const char *what)
{
    return why_set(&x->why, E_BAD_DATA, at, "%s is expected", what);
}

static enum status string_member(struct exchange *x, const struct json *o, const struct at *up, const char *name,
                                 struct str *out)
{
    const struct json *v = json_get(o, str_of(name));
    struct at at = {.up = up, .key = str_of(name)};
    if (!v)
        return OK;
    if (v->kind != JSON_STRING || !v->string.n)
        return expected(x, &at, "a string that is not empty");
    *out = v->string;
    return OK;
}

/* A string (then a comma separated list, where commas is set) or an array of strings, none empty. */
static enum status strings_member(struct exchange *x, const struct json *o, const struct at *up, const char *name,
                                  struct str **out, uint32_t *count)
{
    const struct json *v = json_get(o, str_of(name));
    struct at at = {.up = up, .key = str_of(name)};
    if (!v)
        return OK;
    uint32_t n = v->kind == JSON_ARRAY ? v->n : 1;
    if (!n || n > x->api->limits.ids)
        return why_limit(&x->why, E_LIMIT, &at, "limits.ids", "1 to %u strings are expected", x->api->limits.ids);
    *out = arena_array(x->arena, struct str, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct json *item = v->kind == JSON_ARRAY ? &v->items[i] : v;
        struct at place = {.up = &at, .index = i};
        if (item->kind != JSON_STRING || !item->string.n)
            return expected(x, v->kind == JSON_ARRAY ? &place : &at, "a string that is not empty");
        (*out)[i] = item->string;
    }
    *count = n;
    return OK;
}

enum status query_string_member(struct exchange *x, const char *name, struct str *out)
{
    return string_member(x, &x->body, NULL, name, out);
}

enum status query_strings_member(struct exchange *x, const char *name, struct str **out, uint32_t *count)
{
    return strings_member(x, &x->body, NULL, name, out, count);
}

static enum status joined_member(struct exchange *x, const struct json *o, const char *name, struct str *out)
{
    struct str *parts = NULL;
    uint32_t n = 0;
    enum status st = strings_member(x, o, NULL, name, &parts, &n);
    for (uint32_t i = 0; i < n; i++)
        *out = i ? arena_printf(x->arena, "%.*s,%.*s", STR_ARG(*out), STR_ARG(parts[i])) : parts[0];
    return st;
}

static enum status selector_body(struct exchange *x, const struct json *v, const struct at *at,
                                 struct query_input *in, struct query_selector *s)
{
    *s = (struct query_selector){0};
    if (v->kind != JSON_OBJECT)
        return expected(x, at, "an EntitySelector object");
    enum status st = string_member(x, v, at, "type", &s->type);
    if (st == OK)
        st = strings_member(x, v, at, "id", &s->ids, &s->id_count);
    if (st == OK)
        st = string_member(x, v, at, "idPattern", &s->id_pattern);
    if (st == OK && str_absent(s->type))
        return expected(x, at, "a member \"type\" (a selection of entity types, or \"*\")");
    if (s->id_count)
        s->id_pattern = STR_NONE; /* 5.2.33: id takes precedence */
    if (str_eq(s->type, STR("*"))) {
        s->type = STR_NONE;
        in->all_types = true;
    }
    return st;
}

static enum status selectors_body(struct exchange *x, struct query_input *in)
{
    const struct json *v = json_get(&x->body, STR("entities"));
    struct at at = {.key = STR("entities")};
    if (!v)
        return OK;
    if (v->kind != JSON_ARRAY || !v->n)
        return expected(x, &at, "an array of EntitySelectors that is not empty");
    if (v->n > x->api->limits.ids)
        return why_limit(&x->why, E_LIMIT, &at, "limits.ids", "at most %u are allowed", x->api->limits.ids);
    in->selectors = arena_array(x->arena, struct query_selector, v->n);
    in->selector_count = v->n;
    for (uint32_t i = 0; i < v->n; i++) {
        struct at place = {.up = &at, .index = i};
        enum status st = selector_body(x, &v->items[i], &place, in, &in->selectors[i]);
        if (st != OK)
            return st;
    }
    return OK;
}

/* coordinates may be an array or, as in a URL, its JSON text. */
static enum status coordinates_body(struct exchange *x, const struct json *o, const struct at *up,
                                    const struct json **out)
{
    const struct json *v = json_get(o, STR("coordinates"));
    struct at at = {.up = up, .key = STR("coordinates")};
    *out = v;
    if (!v || v->kind == JSON_ARRAY)
        return OK;
    if (v->kind != JSON_STRING)
        return expected(x, &at, "an array of coordinates");
    struct json_limits limits = {.depth_max = JSON_PARAM_DEPTH, .bytes_max = v->string.n + 1};
    struct json *parsed = arena_array(x->arena, struct json, 1);
    if (json_read(x->arena, v->string, &limits, parsed, NULL) != OK)
        return expected(x, &at, "the JSON text of an array of coordinates");
    *out = parsed;
    return OK;
}

static enum status geo_body(struct exchange *x, struct query_input *in)
{
    const struct json *v = json_get(&x->body, STR("geoQ"));
    struct at at = {.key = STR("geoQ")};
    if (!v)
        return OK;
    if (v->kind != JSON_OBJECT)
        return expected(x, &at, "a GeoQuery object");
    enum status st = string_member(x, v, &at, "georel", &in->georel);
    if (st == OK)
        st = string_member(x, v, &at, "geometry", &in->geometry);
    if (st == OK)
        st = string_member(x, v, &at, "geoproperty", &in->geoproperty);
    return st == OK ? coordinates_body(x, v, &at, &in->coordinates) : st;
}

static enum status ordering_body(struct exchange *x, struct query_input *in)
{
    const struct json *v = json_get(&x->body, STR("ordering")), *from;
    struct at at = {.key = STR("ordering")};
    if (!v)
        return OK;
    if (v->kind != JSON_OBJECT)
        return expected(x, &at, "an OrderingParams object");
    enum status st = joined_member(x, v, "orderBy", &in->order_by);
    if (st == OK)
        st = string_member(x, v, &at, "collation", &in->collation);
    if (st == OK)
        st = string_member(x, v, &at, "geometry", &in->order_geometry);
    if (st == OK)
        st = coordinates_body(x, v, &at, &from);
    if (st == OK && from)
        in->order_from = json_text(x->arena, from);
    return st;
}

/* A comma separated list in a string, as expandValues and jsonKeys are. */
static enum status comma_body(struct exchange *x, const char *name, struct str **out, uint32_t *count)
{
    struct str text = STR_NONE, part;
    enum status st = string_member(x, &x->body, NULL, name, &text);
    if (st != OK || str_absent(text))
        return st;
    *out = arena_array(x->arena, struct str, text.n + 1);
    while (str_split(&text, ',', &part))
        (*out)[(*count)++] = str_trim(part);
    return OK;
}

/* Members of Query that belong to the temporal operation alone. */
static enum status members_refused(struct exchange *x)
{
    static const char *const TEMPORAL[] = {"temporalQ", "aggrParams"};
    if (x->endpoint->body == BODY_TEMPORAL_QUERY)
        return OK;
    for (size_t i = 0; i < sizeof TEMPORAL / sizeof *TEMPORAL; i++) {
        struct at at = {.key = str_of(TEMPORAL[i])};
        if (json_get(&x->body, at.key))
            return why_set(&x->why, E_BAD_DATA, &at, "only queries of temporal evolutions have this member");
    }
    return OK;
}

enum status query_input_body(struct exchange *x, struct query_input *in)
{
    static const struct at TYPE = {.key = {"type", 4}};
    *in = (struct query_input){.geometry_property = x->params[PARAM_GEOMETRY_PROPERTY]}; /* 6.3.15: no member */
    if (x->body.kind != JSON_OBJECT)
        return expected(x, NULL, "a Query object");
    if (!json_is_string(json_get(&x->body, STR("type")), STR("Query")))
        return expected(x, &TYPE, "\"Query\"");
    enum status st = selectors_body(x, in);
    if (st == OK)
        st = members_refused(x);
    if (st == OK)
        st = geo_body(x, in);
    if (st == OK)
        st = ordering_body(x, in);
    if (st == OK)
        st = string_member(x, &x->body, NULL, "q", &in->q);
    if (st == OK)
        st = string_member(x, &x->body, NULL, "scopeQ", &in->scope_q);
    if (st == OK)
        st = string_member(x, &x->body, NULL, "csf", &in->csf);
    if (st == OK)
        st = string_member(x, &x->body, NULL, "lang", &in->lang);
    if (st == OK)
        st = query_links_body(x, in);
    if (st == OK)
        st = strings_member(x, &x->body, NULL, "attrs", &in->attrs, &in->attr_count);
    if (st == OK)
        st = strings_member(x, &x->body, NULL, "datasetId", &in->datasets, &in->dataset_count);
    if (st == OK)
        st = joined_member(x, &x->body, "pick", &in->pick);
    if (st == OK)
        st = joined_member(x, &x->body, "omit", &in->omit);
    if (st == OK)
        st = comma_body(x, "expandValues", &in->expand_values, &in->expand_value_count);
    if (st == OK)
        st = comma_body(x, "jsonKeys", &in->json_keys, &in->json_key_count);
    if (st == OK)
        st = query_local(x, in);
    return st;
}
