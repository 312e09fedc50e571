/* The members that qualify an attribute: datasetId (clause 4.5.5), observedAt and
 * expiresAt (4.8), unitCode, valueType (4.5.2.2), objectType (4.5.3.2). */
#include "model/reader_int.h"

/* Is the member the NGSI-LD Null, for removal? Refused where the mode has none. */
static enum status take_null(struct reading *rd, const struct json *v, const struct at *at,
                             struct attr *out, uint32_t bit, bool *is_null)
{
    *is_null = reader_is_null(v);
    if (!*is_null)
        return OK;
    if (!reading_takes_null(rd))
        return why_set(rd->why, E_BAD_DATA, at,
                       "the NGSI-LD Null is for updates and merges only (clause 5.5.4)");
    out->null_members |= bit;
    return OK;
}

enum status reader_meta_dataset(struct reading *rd, const struct json *v, const struct at *at,
                                struct attr *out)
{
    if (json_is_string(v, STR("@none"))) {
        out->dataset = STR("");
        return OK;
    }
    if (v->kind != JSON_STRING || !reader_is_uri(v->string))
        return why_set(rd->why, E_BAD_DATA, at, "a datasetId must be a URI or \"@none\"");
    if (reader_is_null(v))
        return why_set(rd->why, E_BAD_DATA, at,
                       "a datasetId cannot be removed by an NGSI-LD Null (clause 5.5.8)");
    out->dataset = v->string;
    return reader_value_length(rd, v->string, at, "a datasetId");
}

static enum status read_unit_code(struct reading *rd, const struct json *v, const struct at *at,
                                  struct attr *out)
{
    if (v->kind != JSON_STRING || v->string.n == 0)
        return why_set(rd->why, E_BAD_DATA, at,
                       "a unitCode must be a string, a code of UNECE/CEFACT");
    out->unit_code = v->string;
    return reader_value_length(rd, v->string, at, "a unitCode");
}

static enum status read_value_type(struct reading *rd, const struct json *v, const struct at *at,
                                   struct attr *out)
{
    bool is_json;
    enum status st = reader_value_iris(rd, v, false, at, "a valueType", &out->value_type, &is_json);
    if (st == OK && out->kind == ATTR_LANGUAGE_PROPERTY &&
        !str_eq(out->value_type, RDF_LANG_STRING))
        return why_set(rd->why, E_BAD_DATA, at,
                       "the valueType of a LanguageProperty must be \"langString\"");
    return st;
}

static enum status read_object_type(struct reading *rd, const struct json *v, const struct at *at,
                                    struct attr *out)
{
    bool is_json;
    struct str iri;
    enum status st = reader_value_iris(rd, v, true, at, "an objectType", &iri, &is_json);
    if (st != OK)
        return st;
    struct json one = {.kind = JSON_STRING, .string = iri};
    out->object_type = is_json ? iri : reader_value_text(rd, &one);
    return OK;
}

static enum status read_observed_at(struct reading *rd, const struct json *v, const struct at *at,
                                    struct attr *out)
{
    return reader_value_time(rd, v, at, &out->observed_at);
}

static enum status read_expires_at(struct reading *rd, const struct json *v, const struct at *at,
                                   struct attr *out)
{
    return reader_value_time(rd, v, at, &out->expires_at);
}

enum status reader_meta(struct reading *rd, const struct parts *p, const struct at *at,
                        struct attr *out)
{
    static const struct {
        enum member member;
        uint32_t null_bit; /* 0: cannot be removed */
        enum status (*read)(struct reading *, const struct json *, const struct at *,
                            struct attr *);
    } META[] = {
        {MEMBER_DATASET_ID, 0, reader_meta_dataset},
        {MEMBER_OBSERVED_AT, ATTR_NULL_OBSERVED_AT, read_observed_at},
        {MEMBER_UNIT_CODE, ATTR_NULL_UNIT_CODE, read_unit_code},
        {MEMBER_EXPIRES_AT, ATTR_NULL_EXPIRES_AT, read_expires_at},
        {MEMBER_VALUE_TYPE, ATTR_NULL_VALUE_TYPE, read_value_type},
        {MEMBER_OBJECT_TYPE, ATTR_NULL_OBJECT_TYPE, read_object_type},
    };
    if (!(p->seen & MEMBERS_OF_META))
        return OK;
    for (size_t i = 0; i < sizeof META / sizeof *META; i++) {
        if (!(p->seen & MEMBER_BIT(META[i].member)))
            continue;
        const struct json_member *m = p->of[META[i].member];
        struct at here = {at, m->key, 0};
        bool is_null = false;
        enum status st = OK;
        if (META[i].null_bit)
            st = take_null(rd, &m->value, &here, out, META[i].null_bit, &is_null);
        if (st == OK && !is_null)
            st = META[i].read(rd, &m->value, &here, out);
        if (st != OK)
            return st;
    }
    return OK;
}
