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
            represent_instance(b, r, sub_name, &sub[j], NULL, n == 1);
        }
        if (n > 1)
            buf_char(b, ']');
    }
}

static void write_meta(struct buf *b, const struct represent *r, const struct attr *a,
                       bool translated)
{
    WRITE_TIME(b, "observedAt", a->observed_at);
    if (!str_absent(a->unit_code)) {
        buf_lit(b, ",\"unitCode\":");
        json_write_str(b, a->unit_code);
    }
    if (!str_absent(a->value_type) && !translated) { /* the text alone is no langString */
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
        if (a->value.kind == VALUE_NULL && r->deleted_at)
            WRITE_TIME(b, "deletedAt", r->deleted_at);
    }
}

/* showChanges: what stood in its place before, under the name of its own kind. */
static void write_before(struct buf *b, const struct represent *r, const struct attr *before)
{
    static const struct str NAME[ATTR_KIND_COUNT] = {
        [ATTR_PROPERTY] = HEAD_OF(",\"previousValue\":"),
        [ATTR_RELATIONSHIP] = HEAD_OF(",\"previousObject\":"),
        [ATTR_GEO_PROPERTY] = HEAD_OF(",\"previousValue\":"),
        [ATTR_LANGUAGE_PROPERTY] = HEAD_OF(",\"previousLanguageMap\":"),
        [ATTR_VOCAB_PROPERTY] = HEAD_OF(",\"previousVocab\":"),
        [ATTR_JSON_PROPERTY] = HEAD_OF(",\"previousJson\":"),
        [ATTR_LIST_PROPERTY] = HEAD_OF(",\"previousValueList\":"),
        [ATTR_LIST_RELATIONSHIP] = HEAD_OF(",\"previousObjectList\":"),
    };
    struct str tag, text;
    if (before->kind == ATTR_LANGUAGE_PROPERTY && !str_absent(r->lang) &&
        represent_language(before->value.text, r->lang, &tag, &text)) {
        buf_str(b, NAME[ATTR_PROPERTY]);
        buf_str(b, text);
        return;
    }
    buf_str(b, NAME[before->kind]);
    represent_value(b, r, before, r->format == REPRESENT_NORMALIZED);
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

/* Has this text of a geometry no more members than "type" and "coordinates"? Then it has six
 * quotes. */
static bool is_plain_geometry(struct str text)
{
    unsigned quotes = 0;
    for (size_t at; quotes < 7 && (at = str_find_char(text, '"')) != STR_NPOS; quotes++)
        text = str_from(text, at + 1);
    return quotes == 6;
}

/* How little of a Property or GeoProperty still reads back as the same. lone: it is nothing but a
 * value. Values are only parsed when their text may mislead the reader. */
static enum concise_form concise_form(const struct represent *r, const struct attr *a, bool lone)
{
    struct json v;
    const struct json_limits limits = {.depth_max = 1024, .bytes_max = SIZE_MAX};
    struct str text = a->value.text;
    if (a->kind == ATTR_GEO_PROPERTY)
        return lone && is_plain_geometry(text) ? CONCISE_BARE : CONCISE_VALUE;
    if (a->value.kind != VALUE_JSON)
        return lone && a->value.kind != VALUE_NULL ? CONCISE_BARE : CONCISE_VALUE;
    if (!lone && str_find(text, STR("\"coordinates\"")) == STR_NPOS)
        return CONCISE_VALUE;
    if (json_read(r->arena, text, &limits, &v, NULL) != OK || geometry_looks_like(&v))
        return CONCISE_TYPED;
    return lone && reader_shape_is_bare(&v) ? CONCISE_BARE : CONCISE_VALUE;
}

/* Writes the whole when it is nothing but a value; else the head, which says the kind. */
static bool begin_concise(struct buf *b, const struct represent *r, const struct attr *a,
                          bool alone)
{
    enum concise_form form = CONCISE_VALUE;
    if (a->value.kind == VALUE_NULL && alone && !has_more(r, a)) { /* clause 5.8.6 */
        buf_lit(b, "\"urn:ngsi-ld:null\"");
        return true;
    }
    if (a->kind == ATTR_PROPERTY || a->kind == ATTR_GEO_PROPERTY)
        form = concise_form(r, a, alone && !has_more(r, a));
    if (form == CONCISE_BARE)
        represent_value(b, r, a, false);
    else
        buf_str(b, HEAD[a->kind][form == CONCISE_VALUE]);
    return form == CONCISE_BARE;
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

bool represent_instance_open(struct buf *b, const struct represent *r, struct str name,
                             const struct attr *a, const struct attr *before, bool alone)
{
    bool concise = r->format == REPRESENT_CONCISE;
    bool translated = a->kind == ATTR_LANGUAGE_PROPERTY && !str_absent(r->lang) &&
                      a->value.kind == VALUE_JSON && write_translation(b, r, a);
    if (!translated) {
        if (!concise)
            buf_str(b, HEAD[a->kind][0]);
        else if (begin_concise(b, r, a, alone && !before))
            return false;
        represent_value(b, r, a, !concise);
    }
    if (r->links)
        represent_linked(b, r, a);
    if (before)
        write_before(b, r, before);
    write_meta(b, r, a, translated);
    if (a->sub_count)
        write_subs(b, r, name, a);
    return true;
}

void represent_instance(struct buf *b, const struct represent *r, struct str name,
                        const struct attr *a, const struct attr *before, bool alone)
{
    if (represent_instance_open(b, r, name, a, before, alone))
        buf_char(b, '}');
}
