/* Normalized and concise attributes (clauses 4.5.2, 4.5.3, 4.5.18, 4.5.20 to 4.5.22,
 * 4.5.24, 4.7.3). Concise output leaves out whatever the reader infers again, and
 * nothing more: reading it gives the same tree. */
#include "model/represent_int.h"

#include "model/geometry.h"
#include "model/reader_int.h"

#define HEAD_OF(literal)                                                                           \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define HEADS(type, member)                                                                        \
    {                                                                                              \
        HEAD_OF("{\"type\":\"" type "\",\"" member "\":"), HEAD_OF("{\"" member "\":")             \
    }
/* What an attribute begins with, normalized and concise. */
static const struct str HEAD[ATTR_KIND_COUNT][2] = {
    [ATTR_UNKNOWN] = HEADS("Property", "value"),
    [ATTR_PROPERTY] = HEADS("Property", "value"),
    [ATTR_RELATIONSHIP] = HEADS("Relationship", "object"),
    [ATTR_GEO_PROPERTY] = HEADS("GeoProperty", "value"),
    [ATTR_LANGUAGE_PROPERTY] = HEADS("LanguageProperty", "languageMap"),
    [ATTR_VOCAB_PROPERTY] = HEADS("VocabProperty", "vocab"),
    [ATTR_JSON_PROPERTY] = HEADS("JsonProperty", "json"),
    [ATTR_LIST_PROPERTY] = HEADS("ListProperty", "valueList"),
    [ATTR_LIST_RELATIONSHIP] = HEADS("ListRelationship", "objectList"),
};

static void write_time(struct buf *b, const char *name, size_t n, int64_t us)
{
    if (us == TIME_NONE)
        return;
    buf_put(b, name, n);
    buf_time(b, us);
    buf_char(b, '"');
}
#define WRITE_TIME(b, name, us) write_time(b, ",\"" name "\":\"", sizeof(name) + 4, us)

/* entityIdSealed and entityTypeSealed of a proof: not reified (clause 4.5.2.2). */
static bool write_sealed(struct buf *b, const struct represent *r, const struct attr *sub)
{
    static const char *const IRIS[] = {NGSI_LD "entityIdSealed", NGSI_LD "entityTypeSealed"};
    for (int i = 0; i < 2; i++) {
        struct str iri = str_of(IRIS[i]);
        if (sub->term != context_expand_term(r->context, iri, false, r->arena, NULL))
            continue;
        represent_name(b, str_from(iri, sizeof NGSI_LD - 1), false);
        represent_value(b, r, sub, false);
        return true;
    }
    return false;
}

static void write_subs(struct buf *b, const struct represent *r, struct str name,
                       const struct attr *a)
{
    bool proof = reader_is_proof(name);
    for (uint32_t i = 0, n; i < a->sub_count; i += n) {
        const struct attr *sub = &a->subs[i];
        for (n = 1; i + n < a->sub_count && a->subs[i + n].term == sub->term; n++)
            ;
        if (proof && write_sealed(b, r, sub))
            continue;
        struct str sub_name = context_compact_term(r->context, sub->term);
        represent_name(b, sub_name, false);
        if (n > 1)
            buf_char(b, '[');
        for (uint32_t j = 0; j < n; j++) {
            if (j)
                buf_char(b, ',');
            represent_instance(b, r, sub_name, &sub[j], n == 1);
        }
        if (n > 1)
            buf_char(b, ']');
    }
}

static void write_meta(struct buf *b, const struct represent *r, const struct attr *a)
{
    WRITE_TIME(b, "observedAt", a->observed_at);
    if (!str_absent(a->unit_code)) {
        buf_lit(b, ",\"unitCode\":");
        json_write_str(b, a->unit_code);
    }
    if (!str_absent(a->value_type) && a->kind != ATTR_UNKNOWN) {
        buf_lit(b, ",\"valueType\":");
        represent_iri(b, r, a->value_type);
    }
    if (!str_absent(a->object_type)) {
        buf_lit(b, ",\"objectType\":");
        represent_iris(b, r, a->object_type);
    }
    if (a->dataset.n) {
        buf_lit(b, ",\"datasetId\":");
        represent_plain(b, a->dataset);
    }
    if (r->sys_attrs) {
        WRITE_TIME(b, "expiresAt", a->expires_at);
        WRITE_TIME(b, "createdAt", a->created_at);
        WRITE_TIME(b, "modifiedAt", a->modified_at);
    }
}

/* ---- concise ---- */

static bool has_more(const struct represent *r, const struct attr *a)
{
    return a->sub_count || a->dataset.n || a->observed_at != TIME_NONE ||
           !str_absent(a->unit_code) || !str_absent(a->value_type) || !str_absent(a->object_type) ||
           (r->sys_attrs && (a->expires_at != TIME_NONE || a->created_at != TIME_NONE ||
                             a->modified_at != TIME_NONE));
}

enum concise_form { CONCISE_BARE, CONCISE_VALUE, CONCISE_TYPED };

/* How little of a Property or GeoProperty still reads back as the same. */
static enum concise_form concise_form(const struct represent *r, const struct attr *a)
{
    struct json v;
    const struct json_limits limits = {.depth_max = 1024, .bytes_max = SIZE_MAX};
    if (a->value.kind != VALUE_JSON && a->value.kind != VALUE_GEO)
        return a->value.kind == VALUE_NULL ? CONCISE_VALUE : CONCISE_BARE;
    if (json_read(r->arena, a->value.text, &limits, &v, NULL) != OK)
        return CONCISE_TYPED;
    if (a->kind == ATTR_PROPERTY)
        return geometry_looks_like(&v)   ? CONCISE_TYPED
               : reader_attr_is_bare(&v) ? CONCISE_BARE
                                         : CONCISE_VALUE;
    for (uint32_t i = 0; i < v.n; i++) /* a geometry's foreign members */
        if (MEMBERS_WITH_VALUE & MEMBER_BIT(reader_member_of(v.members[i].key)))
            return CONCISE_VALUE;
    return CONCISE_BARE;
}

/* Writes the whole when it is nothing but a value; else the head, which says the kind. */
static bool begin_concise(struct buf *b, const struct represent *r, const struct attr *a,
                          bool alone)
{
    bool typed = false;
    if (a->kind == ATTR_PROPERTY || a->kind == ATTR_GEO_PROPERTY) {
        enum concise_form form = concise_form(r, a);
        if (form == CONCISE_BARE && alone && !has_more(r, a)) {
            represent_value(b, r, a, false);
            return true;
        }
        typed = form == CONCISE_TYPED;
    }
    buf_str(b, HEAD[a->kind][!typed]);
    return false;
}

/* ---- instances ---- */

/* A LanguageProperty as the Property of one language (clause 4.15). */
static bool write_translation(struct buf *b, const struct represent *r, const struct attr *a)
{
    struct str tag, text;
    if (!represent_language(a->value.text, r->lang, &tag, &text))
        return false;
    buf_str(b, HEAD[ATTR_PROPERTY][r->format == REPRESENT_CONCISE]);
    buf_str(b, text);
    buf_lit(b, ",\"lang\":");
    represent_plain(b, tag);
    return true;
}

void represent_instance(struct buf *b, const struct represent *r, struct str name,
                        const struct attr *a, bool alone)
{
    bool concise = r->format == REPRESENT_CONCISE;
    bool translated = a->kind == ATTR_LANGUAGE_PROPERTY && !str_absent(r->lang) &&
                      a->value.kind == VALUE_JSON && write_translation(b, r, a);
    if (!translated) {
        if (!concise)
            buf_str(b, HEAD[a->kind][0]);
        else if (begin_concise(b, r, a, alone))
            return;
        represent_value(b, r, a, !concise);
    }
    write_meta(b, r, a);
    if (a->sub_count)
        write_subs(b, r, name, a);
    buf_char(b, '}');
}
