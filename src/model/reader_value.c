/* Values of each kind of attribute (clauses 4.5.2, 4.5.3, 4.5.18, 4.5.20 to 4.5.22,
 * 4.5.24, 4.6.3, 4.6.5, 4.7) and what of them is refused: JSON null, and the NGSI-LD
 * Null outside fragments (4.5.0, 5.5.4). */
#include "model/reader_int.h"

#include <stdlib.h>

/* ---- any JSON ---- */

static int by_key(const void *a, const void *b)
{
    const struct json_member *const *x = a, *const *y = b;
    return str_cmp((*x)->key, (*y)->key);
}

/* A member whose key is there twice, or NULL. */
static const struct json_member *find_duplicate(struct reading *rd, const struct json *v)
{
    enum { FEW = 12 };
    if (v->n <= FEW) {
        for (uint32_t i = 1; i < v->n; i++)
            for (uint32_t j = 0; j < i; j++)
                if (str_eq(v->members[i].key, v->members[j].key))
                    return &v->members[i];
        return NULL;
    }
    const struct json_member **sorted = arena_array(rd->r->arena, const struct json_member *, v->n);
    for (uint32_t i = 0; i < v->n; i++)
        sorted[i] = &v->members[i];
    qsort(sorted, v->n, sizeof *sorted, by_key);
    for (uint32_t i = 1; i < v->n; i++)
        if (str_eq(sorted[i]->key, sorted[i - 1]->key))
            return sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1];
    return NULL;
}

/* {"@type": "@json", "@value": anything}: a JSON literal, never expanded (clause 4.5.0). */
static bool is_json_literal(const struct json *v)
{
    const struct json *type = json_get(v, STR("@type"));
    if (!type)
        type = json_get(v, STR("type"));
    return json_is_string(type, STR("@json")) && json_get(v, STR("@value"));
}

static enum status check_json(struct reading *rd, const struct json *v, const struct at *at,
                              bool nulls);

static enum status check_object(struct reading *rd, const struct json *v, const struct at *at,
                                bool nulls)
{
    const struct json_member *twice = find_duplicate(rd, v);
    if (twice) {
        struct at here = {at, twice->key, 0};
        return why_set(rd->why, E_BAD_DATA, &here, "the member \"%.*s\" is there twice",
                       STR_ARG(str_head(twice->key, 64)));
    }
    bool literal = is_json_literal(v);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        struct at here = {at, m->key, 0};
        if (str_eq(m->key, STR("@context")))
            return why_set(rd->why, E_BAD_DATA, &here,
                           "an @context stands at the top level only (clause 5.5.7)");
        if (literal && str_eq(m->key, STR("@value")))
            continue;
        enum status st = check_json(rd, &m->value, &here, nulls);
        if (st != OK)
            return st;
    }
    return OK;
}

/* No JSON null, @context or duplicate member at any depth. The NGSI-LD Null only where it says
 * `nulls`: in the members of objects, which a merge goes into; it replaces arrays as a whole. */
static enum status check_json(struct reading *rd, const struct json *v, const struct at *at,
                              bool nulls)
{
    switch ((enum json_kind)v->kind) {
    case JSON_NULL:
        return why_set(
            rd->why, E_BAD_DATA, at,
            "null is no value in JSON-LD; the literal {\"@type\": \"@json\", \"@value\": "
            "null} or a JsonProperty can hold it (clause 4.5.0)");
    case JSON_STRING:
        if (reader_is_null(v) && !nulls)
            return why_set(rd->why, E_BAD_DATA, at,
                           "an NGSI-LD Null inside a value is for the members of objects, in "
                           "merges only (clause 5.5.4)");
        return OK;
    case JSON_ARRAY:
        for (uint32_t i = 0; i < v->n; i++) {
            struct at here = {at, STR_NONE, i};
            enum status st = check_json(rd, &v->items[i], &here, false);
            if (st != OK)
                return st;
        }
        return OK;
    case JSON_OBJECT:
        return check_object(rd, v, at, nulls);
    case JSON_BOOL:
    case JSON_INT:
    case JSON_REAL:
        break;
    }
    return OK;
}

struct str reader_value_text(struct reading *rd, const struct json *v)
{
    char small[512]; /* most values: no malloc on the way */
    struct buf b = {.p = small, .cap = sizeof small, .max = sizeof small};
    json_write(&b, v);
    return b.full ? json_text(rd->r->arena, v) : arena_dup(rd->r->arena, buf_view(&b));
}

enum status reader_value_length(struct reading *rd, struct str s, const struct at *at,
                                const char *what)
{
    size_t most = rd->r->limits->name_bytes_max;
    if (s.n <= most)
        return OK;
    return why_limit(rd->why, E_LIMIT, at, "limits.name_bytes", "%s has at most %zu bytes", what,
                     most);
}

static void set_json(struct reading *rd, struct value *out, const struct json *v)
{
    out->kind = VALUE_JSON;
    out->text = reader_value_text(rd, v);
}

static void set_string(struct value *out, struct str s)
{
    out->kind = VALUE_STRING;
    out->plain = json_plain(s);
    out->text = s;
}

/* A number without a fraction is an integer, however it was written (clause 4.5.2.2). */
static void set_real(struct value *out, double d)
{
    if (d >= -0x1p63 && d < 0x1p63 && d == (double)(int64_t)d) {
        out->kind = VALUE_INT;
        out->integer = (int64_t)d;
    } else {
        out->kind = VALUE_REAL;
        out->real = d;
    }
}

/* ---- kinds ---- */

static enum status read_property(struct reading *rd, const struct json *v, const struct at *at,
                                 struct value *out)
{
    switch ((enum json_kind)v->kind) {
    case JSON_BOOL:
        out->kind = VALUE_BOOL;
        out->boolean = v->boolean;
        return OK;
    case JSON_INT:
        out->kind = VALUE_INT;
        out->integer = v->integer;
        return OK;
    case JSON_REAL:
        set_real(out, v->real);
        return OK;
    case JSON_STRING:
        set_string(out, v->string);
        return OK;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    enum status st = check_json(rd, v, at, rd->r->mode == READER_MERGE);
    if (st == OK)
        set_json(rd, out, v);
    return st;
}

/* A geometry, or the JSON text of one in a string (clause 4.7.2). */
static enum status read_geometry(struct reading *rd, const struct json *v, const struct at *at,
                                 struct value *out)
{
    struct json parsed;
    if (v->kind == JSON_STRING) {
        const struct json_limits limits = {.depth_max = 32, .bytes_max = SIZE_MAX};
        if (json_read(rd->r->arena, v->string, &limits, &parsed, NULL) != OK)
            return why_set(rd->why, E_BAD_DATA, at,
                           "the value of a GeoProperty must be a GeoJSON geometry (clause 4.7)");
        v = &parsed;
    }
    if (v->kind != JSON_OBJECT)
        return why_set(rd->why, E_BAD_DATA, at,
                       "the value of a GeoProperty must be a GeoJSON geometry (clause 4.7), not %s",
                       json_kind_name((enum json_kind)v->kind));
    enum status st = check_object(rd, v, at, false);
    if (st != OK)
        return st;
    return geometry_value(v, rd->r->limits->coordinates_max, rd->r->arena, at, out, rd->why);
}

static enum status check_target(struct reading *rd, const struct json *v, const struct at *at,
                                const char *what)
{
    if (v->kind != JSON_STRING || !reader_is_uri(v->string))
        return why_set(rd->why, E_BAD_DATA, at, "%s must be a URI", what);
    if (reader_is_null(v))
        return why_set(rd->why, E_BAD_DATA, at,
                       "the NGSI-LD Null cannot be one of several targets (clause 4.5.0)");
    return reader_value_length(rd, v->string, at, what);
}

static enum status read_object(struct reading *rd, const struct json *v, const struct at *at,
                               struct value *out)
{
    static const char WHAT[] = "a Relationship's object";
    if (v->kind != JSON_ARRAY) {
        enum status st = check_target(rd, v, at, WHAT);
        if (st == OK)
            set_string(out, v->string);
        return st;
    }
    if (v->n == 0)
        return why_set(rd->why, E_BAD_DATA, at,
                       "a Relationship's object must be a URI or an array of one or more URIs");
    for (uint32_t i = 0; i < v->n; i++) {
        struct at here = {at, STR_NONE, i};
        enum status st = check_target(rd, &v->items[i], &here, WHAT);
        if (st != OK)
            return st;
    }
    set_json(rd, out, v);
    return OK;
}

/* The URI of an element of objectList: "uri" or {"object": "uri"}. */
static const struct json *list_target(const struct json *v)
{
    if (v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->members[0].key, STR("object")))
        return &v->members[0].value;
    return v;
}

static enum status read_object_list(struct reading *rd, const struct json *v, const struct at *at,
                                    struct value *out)
{
    if (v->kind != JSON_ARRAY)
        return why_set(rd->why, E_BAD_DATA, at,
                       "a ListRelationship's objectList must be an array of URIs or of "
                       "{\"object\": URI}");
    struct json uris = {.kind = JSON_ARRAY, .n = v->n};
    uris.items = arena_array(rd->r->arena, struct json, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        struct at here = {at, STR_NONE, i};
        uris.items[i] = *list_target(&v->items[i]);
        enum status st = check_target(rd, &uris.items[i], &here,
                                      "an element of a ListRelationship's objectList");
        if (st != OK)
            return st;
    }
    set_json(rd, out, &uris);
    return OK;
}

static enum status read_value_list(struct reading *rd, const struct json *v, const struct at *at,
                                   struct value *out)
{
    if (v->kind != JSON_ARRAY)
        return why_set(rd->why, E_BAD_DATA, at, "a ListProperty's valueList must be an array");
    enum status st = check_json(rd, v, at, false);
    if (st == OK)
        set_json(rd, out, v);
    return st;
}

static enum status read_json(struct reading *rd, const struct json *v, const struct at *at,
                             struct value *out)
{
    if (v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)
        return why_set(rd->why, E_BAD_DATA, at,
                       "a JsonProperty's json must be an object or an array of objects, not %s",
                       json_kind_name((enum json_kind)v->kind));
    set_json(rd, out, v);
    return OK;
}

static enum status check_translation(struct reading *rd, const struct json *v, const struct at *at,
                                     bool nulls)
{
    if (v->kind != JSON_STRING)
        return why_set(rd->why, E_BAD_DATA, at,
                       "a languageMap's values must be strings or arrays of strings, not %s",
                       json_kind_name((enum json_kind)v->kind));
    if (reader_is_null(v) && !nulls)
        return why_set(rd->why, E_BAD_DATA, at,
                       "the NGSI-LD Null of a languageMap is {\"@none\": \"urn:ngsi-ld:null\"} "
                       "(clause 4.6.5)");
    return OK;
}

static enum status read_language_map(struct reading *rd, const struct json *v, const struct at *at,
                                     struct value *out)
{
    if (v->kind != JSON_OBJECT)
        return why_set(rd->why, E_BAD_DATA, at,
                       "a LanguageProperty's languageMap must be an object, not %s",
                       json_kind_name((enum json_kind)v->kind));
    if (v->n == 0 && rd->r->mode != READER_MERGE)
        return why_set(rd->why, E_BAD_DATA, at, "a languageMap must have at least one language");
    const struct json_member *twice = find_duplicate(rd, v);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        struct at here = {at, m->key, 0};
        if (m == twice)
            return why_set(rd->why, E_BAD_DATA, &here, "the language \"%.*s\" is there twice",
                           STR_ARG(str_head(m->key, 64)));
        if (!reader_is_language(m->key))
            return why_set(rd->why, E_BAD_DATA, &here,
                           "a languageMap's keys must be language tags of RFC 5646 or \"@none\"");
        bool array = m->value.kind == JSON_ARRAY;
        for (uint32_t j = 0; j < (array ? m->value.n : 1); j++) {
            struct at element = {&here, STR_NONE, j};
            enum status st =
                array ? check_translation(rd, &m->value.items[j], &element, false)
                      : check_translation(rd, &m->value, &here, rd->r->mode == READER_MERGE);
            if (st != OK)
                return st;
        }
    }
    set_json(rd, out, v);
    return OK;
}

static enum status expand_iri(struct reading *rd, const struct json *v, const struct at *at,
                              const char *what, struct str *out)
{
    if (v->kind != JSON_STRING || v->string.n == 0)
        return why_set(rd->why, E_BAD_DATA, at, "%s must be a string that expands to an IRI", what);
    if (reader_is_null(v))
        return why_set(rd->why, E_BAD_DATA, at, "%s cannot be the NGSI-LD Null here (clause 5.5.4)",
                       what);
    enum status st = reader_value_length(rd, v->string, at, what);
    if (st != OK)
        return st;
    *out = context_expand(rd->r->context, v->string, rd->r->arena);
    if (str_absent(*out) || !reader_is_uri(*out))
        return why_set(rd->why, E_BAD_DATA, at, "%s: \"%.*s\" does not expand to an IRI", what,
                       STR_ARG(str_head(v->string, 64)));
    return OK;
}

enum status reader_value_iris(struct reading *rd, const struct json *v, bool many,
                              const struct at *at, const char *what, struct str *out, bool *is_json)
{
    *is_json = many && v->kind == JSON_ARRAY;
    if (!*is_json)
        return expand_iri(rd, v, at, what, out);
    if (v->n == 0)
        return why_set(rd->why, E_BAD_DATA, at, "%s must name at least one term", what);
    struct json iris = {.kind = JSON_ARRAY, .n = v->n};
    iris.items = arena_array(rd->r->arena, struct json, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        struct at here = {at, STR_NONE, i};
        iris.items[i].kind = JSON_STRING;
        enum status st = expand_iri(rd, &v->items[i], &here, what, &iris.items[i].string);
        if (st != OK)
            return st;
    }
    *out = reader_value_text(rd, &iris);
    return OK;
}

static enum status read_vocab(struct reading *rd, const struct json *v, const struct at *at,
                              struct value *out)
{
    struct str iris;
    bool is_json;
    enum status st = reader_value_iris(rd, v, true, at, "a VocabProperty's vocab", &iris, &is_json);
    if (st != OK)
        return st;
    if (is_json)
        *out = (struct value){.kind = VALUE_JSON, .text = iris};
    else
        set_string(out, iris);
    return OK;
}

/* ---- entry ---- */

/* The encodings of clause 4.5.0; the bare string stands for any kind. */
static bool is_null_of(enum attr_kind kind, const struct json *v)
{
    if (reader_is_null(v))
        return true;
    if (kind == ATTR_LANGUAGE_PROPERTY)
        return v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->members[0].key, STR("@none")) &&
               reader_is_null(&v->members[0].value);
    if (kind == ATTR_LIST_PROPERTY || kind == ATTR_LIST_RELATIONSHIP)
        return v->kind == JSON_ARRAY && v->n == 1 && reader_is_null(list_target(&v->items[0]));
    return false;
}

enum status reader_value(struct reading *rd, const struct json *v, const struct at *at,
                         struct attr *a)
{
    enum attr_kind kind = (enum attr_kind)a->kind;
    if (is_null_of(kind, v)) {
        if (!reading_takes_null(rd))
            return why_set(rd->why, E_BAD_DATA, at,
                           "the NGSI-LD Null is for updates and merges only (clause 5.5.4)");
        a->value.kind = VALUE_NULL;
        return OK;
    }
    switch (kind) {
    case ATTR_RELATIONSHIP:
        return read_object(rd, v, at, &a->value);
    case ATTR_GEO_PROPERTY:
        return read_geometry(rd, v, at, &a->value);
    case ATTR_LANGUAGE_PROPERTY:
        return read_language_map(rd, v, at, &a->value);
    case ATTR_VOCAB_PROPERTY:
        return read_vocab(rd, v, at, &a->value);
    case ATTR_JSON_PROPERTY:
        return read_json(rd, v, at, &a->value);
    case ATTR_LIST_PROPERTY:
        return read_value_list(rd, v, at, &a->value);
    case ATTR_LIST_RELATIONSHIP:
        return read_object_list(rd, v, at, &a->value);
    case ATTR_UNKNOWN:
    case ATTR_PROPERTY:
    case ATTR_KIND_COUNT:
        break;
    }
    return read_property(rd, v, at, &a->value);
}

enum status reader_value_time(struct reading *rd, const struct json *v, const struct at *at,
                              int64_t *us)
{
    if (v->kind != JSON_STRING || !time_parse(v->string, us))
        return why_set(rd->why, E_BAD_DATA, at,
                       "expected a DateTime in UTC, as \"2020-01-31T23:59:59.5Z\" (clause 4.6.3)");
    return OK;
}
