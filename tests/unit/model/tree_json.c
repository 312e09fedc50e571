/* See tree_json.h. */
#include "tree_json.h"

#include "model/doc.h"

#include <stdio.h>
#include <stdlib.h>

struct json *tree_parse(struct arena *a, struct str text)
{
    struct json_limits limits = {.depth_max = 1000, .bytes_max = SIZE_MAX};
    struct json *v = arena_alloc(a, sizeof *v);
    struct why why = {0};
    if (json_read(a, text, &limits, v, &why) != OK) {
        fprintf(stderr, "%.*s: %s\n", STR_ARG(text), why.text);
        abort();
    }
    return v;
}

static const struct str NULL_TEXT = {"urn:ngsi-ld:null", 16};

static const char *const VALUE_MEMBERS[ATTR_KIND_COUNT] = {
    [ATTR_PROPERTY] = "value",          [ATTR_RELATIONSHIP] = "object",
    [ATTR_GEO_PROPERTY] = "value",      [ATTR_LANGUAGE_PROPERTY] = "languageMap",
    [ATTR_VOCAB_PROPERTY] = "vocab",    [ATTR_JSON_PROPERTY] = "json",
    [ATTR_LIST_PROPERTY] = "valueList", [ATTR_LIST_RELATIONSHIP] = "objectList",
};

/* The four forms of NGSI-LD Null, clause 4.5.0. */
static bool is_null(const struct json *v)
{
    if (json_is_string(v, NULL_TEXT))
        return true;
    if (json_is(v, JSON_ARRAY) && v->n == 1)
        return json_is_string(&v->items[0], NULL_TEXT);
    return json_is(v, JSON_OBJECT) && v->n == 1 &&
           json_is_string(json_get(v, STR("@none")), NULL_TEXT);
}

static struct value read_value(struct arena *a, enum attr_kind kind, const struct json *v)
{
    if (!v)
        return (struct value){.kind = VALUE_NONE};
    if (is_null(v))
        return (struct value){.kind = VALUE_NULL};
    if (kind == ATTR_GEO_PROPERTY)
        return (struct value){
            .kind = VALUE_GEO, .point = true, .text = json_text(a, v), .box = {1, 2, 1, 2}};
    switch ((enum json_kind)v->kind) {
    case JSON_BOOL:
        return (struct value){.kind = VALUE_BOOL, .boolean = v->boolean};
    case JSON_INT:
        return (struct value){.kind = VALUE_INT, .integer = v->integer};
    case JSON_REAL:
        return (struct value){.kind = VALUE_REAL, .real = v->real};
    case JSON_STRING:
        return (struct value){
            .kind = VALUE_STRING, .text = v->string, .plain = json_plain(v->string)};
    default:
        return (struct value){.kind = VALUE_JSON, .text = json_text(a, v)};
    }
}

static enum attr_kind kind_of(const struct json *v, uint32_t *guesses)
{
    const struct json *type = json_get(v, STR("type"));
    for (enum attr_kind k = ATTR_PROPERTY; k < ATTR_KIND_COUNT; k++) {
        if (type ? json_is_string(type, str_of(attr_kind_name(k)))
                 : json_get(v, str_of(VALUE_MEMBERS[k])) != NULL) {
            *guesses |= !type && k == ATTR_PROPERTY ? ATTR_GUESS_KIND : 0;
            return k;
        }
    }
    return ATTR_UNKNOWN;
}

static void read_text(const struct json *v, uint32_t null_bit, struct str *out, uint32_t *nulls)
{
    if (json_is_string(v, NULL_TEXT))
        *nulls |= null_bit;
    else if (v)
        *out = v->string;
}

static void read_time(const struct json *v, uint32_t null_bit, int64_t *out, uint32_t *nulls)
{
    if (json_is_string(v, NULL_TEXT))
        *nulls |= null_bit;
    else if (v)
        *out = v->integer;
}

static bool is_member(struct str key)
{
    static const char *const NAMES[] = {"type",      "datasetId",  "unitCode",
                                        "valueType", "objectType", "observedAt",
                                        "expiresAt", "createdAt",  "modifiedAt"};
    if (key.p[0] == '@')
        return true;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_eq(key, str_of(NAMES[i])))
            return true;
    for (size_t i = 1; i < ATTR_KIND_COUNT; i++)
        if (str_eq(key, str_of(VALUE_MEMBERS[i])))
            return true;
    return false;
}

static uint32_t read_attrs(struct arena *a, struct terms *terms, const struct json *v,
                           struct attr **out)
{
    struct attr *attrs = arena_array(a, struct attr, 64), *some;
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        if (is_member(v->members[i].key))
            continue;
        uint32_t count = tree_read_attr(a, terms, v->members[i].key, &v->members[i].value, &some);
        for (uint32_t k = 0; k < count; k++)
            attrs[n++] = some[k];
    }
    const struct attr *dup;
    if (n > 64 || !attrs_sort(attrs, n, &dup))
        abort();
    *out = attrs;
    return n;
}

static void read_instance(struct arena *a, struct terms *terms, uint32_t term, const struct json *v,
                          struct attr *out)
{
    *out = (struct attr){
        .term = term, .dataset = STR(""), .observed_at = TIME_NONE, .expires_at = TIME_NONE};
    if (v->kind != JSON_OBJECT) {
        out->kind = ATTR_PROPERTY;
        out->guesses = ATTR_GUESS_KIND;
        out->value = read_value(a, ATTR_PROPERTY, v);
        return;
    }
    out->kind = (uint8_t)kind_of(v, &out->guesses);
    if (out->kind != ATTR_UNKNOWN)
        out->value = read_value(a, out->kind, json_get(v, str_of(VALUE_MEMBERS[out->kind])));
    uint32_t *nulls = &out->null_members, none = 0;
    read_text(json_get(v, STR("datasetId")), 0, &out->dataset, &none);
    read_text(json_get(v, STR("@lang")), 0, &out->lang, &none);
    read_text(json_get(v, STR("unitCode")), ATTR_NULL_UNIT_CODE, &out->unit_code, nulls);
    read_text(json_get(v, STR("valueType")), ATTR_NULL_VALUE_TYPE, &out->value_type, nulls);
    read_text(json_get(v, STR("objectType")), ATTR_NULL_OBJECT_TYPE, &out->object_type, nulls);
    read_time(json_get(v, STR("observedAt")), ATTR_NULL_OBSERVED_AT, &out->observed_at, nulls);
    read_time(json_get(v, STR("expiresAt")), ATTR_NULL_EXPIRES_AT, &out->expires_at, nulls);
    read_time(json_get(v, STR("createdAt")), 0, &out->created_at, &none);
    read_time(json_get(v, STR("modifiedAt")), 0, &out->modified_at, &none);
    const struct json *seq = json_get(v, STR("@seq")), *common = json_get(v, STR("@observedAt"));
    out->seq = seq ? (uint64_t)seq->integer : 0;
    if (common && out->observed_at == TIME_NONE) {
        out->observed_at = common->integer;
        out->guesses |= ATTR_GUESS_OBSERVED_AT;
    }
    out->sub_count = read_attrs(a, terms, v, &out->subs);
}

uint32_t tree_read_attr(struct arena *a, struct terms *terms, struct str name, const struct json *v,
                        struct attr **out)
{
    bool many = v->kind == JSON_ARRAY && v->n && v->items[0].kind == JSON_OBJECT;
    uint32_t n = many ? v->n : 1, term = terms_intern(terms, name, NULL);
    *out = arena_array(a, struct attr, n);
    for (uint32_t i = 0; i < n; i++)
        read_instance(a, terms, term, many ? &v->items[i] : v, &(*out)[i]);
    const struct attr *dup;
    if (!attrs_sort(*out, n, &dup))
        abort();
    return n;
}

static uint32_t strings_of(const struct json *v)
{
    return !v || is_null(v) ? 0 : v->kind == JSON_ARRAY ? v->n : 1;
}

static struct str string_at(const struct json *v, uint32_t i)
{
    return v->kind == JSON_ARRAY ? v->items[i].string : v->string;
}

void tree_read(struct arena *a, struct terms *terms, struct str id, const struct json *v,
               struct entity *out)
{
    const struct json *types = json_get(v, STR("type")), *scopes = json_get(v, STR("scope"));
    uint32_t nulls = 0;
    *out = (struct entity){.id = id, .expires_at = TIME_NONE};
    out->type_count = strings_of(types);
    out->types = arena_array(a, uint32_t, out->type_count);
    for (uint32_t i = 0; i < out->type_count; i++)
        out->types[i] = terms_intern(terms, string_at(types, i), NULL);
    out->scope_count = strings_of(scopes);
    out->scopes = arena_array(a, struct str, out->scope_count);
    for (uint32_t i = 0; i < out->scope_count; i++)
        out->scopes[i] = string_at(scopes, i);
    out->scope_null = scopes && is_null(scopes);
    read_time(json_get(v, STR("expiresAt")), 1, &out->expires_at, &nulls);
    out->expires_null = nulls;
    read_time(json_get(v, STR("createdAt")), 0, &out->created_at, &nulls);
    read_time(json_get(v, STR("modifiedAt")), 0, &out->modified_at, &nulls);
    const struct json *seq = json_get(v, STR("@seq")), *created = json_get(v, STR("@createdSeq"));
    out->seq = seq ? (uint64_t)seq->integer : 0;
    out->created_seq = created ? (uint64_t)created->integer : 0;
    struct json rest = {.kind = JSON_OBJECT, .members = arena_array(a, struct json_member, v->n)};
    for (uint32_t i = 0; i < v->n; i++)
        if (!str_eq(v->members[i].key, STR("scope")) && !str_eq(v->members[i].key, STR("id")))
            rest.members[rest.n++] = v->members[i];
    out->attr_count = read_attrs(a, terms, &rest, &out->attrs);
}

/* ---- writing ---- */

static void write_value(struct buf *b, const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        buf_printf(b, "%s", v->boolean ? "true" : "false");
        break;
    case VALUE_INT:
        buf_i64(b, v->integer);
        break;
    case VALUE_REAL:
        buf_double(b, v->real);
        break;
    case VALUE_STRING:
        json_write_str(b, v->text);
        break;
    case VALUE_JSON:
    case VALUE_GEO:
        buf_str(b, v->text);
        break;
    case VALUE_NONE:
    case VALUE_NULL:
        abort();
    }
}

static void write_text(struct buf *b, const char *key, struct str s)
{
    if (str_absent(s) || s.n == 0)
        return;
    buf_printf(b, ",\"%s\":", key);
    json_write_str(b, s);
}

static void write_time(struct buf *b, const char *key, int64_t t)
{
    if (t != TIME_NONE)
        buf_printf(b, ",\"%s\":%lld", key, (long long)t);
}

static void write_attrs(struct buf *b, const struct terms *terms, const struct attr *attrs,
                        uint32_t n);

static void write_instance(struct buf *b, const struct terms *terms, const struct attr *a)
{
    buf_printf(b, "{\"type\":\"%s\",\"%s\":", attr_kind_name(a->kind), VALUE_MEMBERS[a->kind]);
    write_value(b, &a->value);
    write_text(b, "datasetId", a->dataset);
    write_text(b, "unitCode", a->unit_code);
    write_text(b, "valueType", a->value_type);
    write_text(b, "objectType", a->object_type);
    write_time(b, "observedAt", a->observed_at);
    write_time(b, "expiresAt", a->expires_at);
    write_time(b, "createdAt", a->created_at);
    write_time(b, "modifiedAt", a->modified_at);
    buf_printf(b, ",\"@seq\":%llu", (unsigned long long)a->seq);
    write_attrs(b, terms, a->subs, a->sub_count);
    buf_char(b, '}');
}

static void write_attrs(struct buf *b, const struct terms *terms, const struct attr *attrs,
                        uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        bool first = i == 0 || attrs[i - 1].term != attrs[i].term;
        if (first) {
            buf_lit(b, ",");
            json_write_str(b, terms_iri(terms, attrs[i].term));
            buf_lit(b, ":[");
        } else {
            buf_lit(b, ",");
        }
        write_instance(b, terms, &attrs[i]);
        if (i + 1 == n || attrs[i + 1].term != attrs[i].term)
            buf_lit(b, "]");
    }
}

void tree_write(struct buf *b, const struct terms *terms, const struct entity *e)
{
    buf_lit(b, "{\"type\":[");
    for (uint32_t i = 0; i < e->type_count; i++) {
        buf_str(b, i ? STR(",") : STR(""));
        json_write_str(b, terms_iri(terms, e->types[i]));
    }
    buf_lit(b, "]");
    for (uint32_t i = 0; i < e->scope_count; i++) {
        buf_str(b, i ? STR(",") : STR(",\"scope\":["));
        json_write_str(b, e->scopes[i]);
    }
    buf_str(b, e->scope_count ? STR("]") : STR(""));
    write_time(b, "expiresAt", e->expires_at);
    write_time(b, "createdAt", e->created_at);
    write_time(b, "modifiedAt", e->modified_at);
    buf_printf(b, ",\"@seq\":%llu,\"@createdSeq\":%llu", (unsigned long long)e->seq,
               (unsigned long long)e->created_seq);
    write_attrs(b, terms, e->attrs, e->attr_count);
    buf_char(b, '}');
}
