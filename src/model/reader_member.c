/* Names are told apart by length, then first character, then the whole: a name
 * that is no member costs one switch in most cases. */
#include "model/reader_member.h"

#include <assert.h>

#define IS(literal, m)                                                                             \
    if (memcmp(p, literal, sizeof(literal) - 1) == 0)                                              \
    return m

static enum member of_9(const char *p)
{
    switch (p[0]) {
    case 'd':
        IS("datasetId", MEMBER_DATASET_ID);
        IS("deletedAt", MEMBER_DELETED_AT);
        break;
    case 'e':
        IS("expiresAt", MEMBER_EXPIRES_AT);
        break;
    case 'c':
        IS("createdAt", MEMBER_CREATED_AT);
        break;
    case 'v':
        IS("valueType", MEMBER_VALUE_TYPE);
        IS("valueList", MEMBER_VALUE_LIST);
        break;
    }
    return MEMBER_NONE;
}

static enum member of_10(const char *p)
{
    switch (p[0]) {
    case 'o':
        IS("observedAt", MEMBER_OBSERVED_AT);
        IS("objectType", MEMBER_OBJECT_TYPE);
        IS("objectList", MEMBER_OBJECT_LIST);
        break;
    case 'm':
        IS("modifiedAt", MEMBER_MODIFIED_AT);
        break;
    case 'i':
        IS("instanceId", MEMBER_INSTANCE_ID);
        break;
    case 'e':
        IS("entityList", MEMBER_ENTITY_LIST);
        break;
    }
    return MEMBER_NONE;
}

static enum member of_short(const char *p, size_t n)
{
    switch (n) {
    case 2:
        IS("id", MEMBER_ID);
        break;
    case 4:
        IS("type", MEMBER_TYPE);
        IS("json", MEMBER_JSON);
        IS("lang", MEMBER_LANG);
        break;
    case 5:
        IS("value", MEMBER_VALUE);
        IS("vocab", MEMBER_VOCAB);
        IS("scope", MEMBER_SCOPE);
        break;
    case 6:
        IS("object", MEMBER_OBJECT);
        IS("entity", MEMBER_ENTITY);
        break;
    }
    return MEMBER_NONE;
}

static enum member of_long(const char *p, size_t n)
{
    switch (n) {
    case 8:
        IS("unitCode", MEMBER_UNIT_CODE);
        break;
    case 11:
        IS("languageMap", MEMBER_LANGUAGE_MAP);
        break;
    case 12:
        IS("previousJson", MEMBER_PREVIOUS);
        break;
    case 13:
        IS("previousValue", MEMBER_PREVIOUS);
        IS("previousVocab", MEMBER_PREVIOUS);
        break;
    case 14:
        IS("previousObject", MEMBER_PREVIOUS);
        IS("entityIdSealed", MEMBER_ENTITY_ID_SEALED);
        break;
    case 16:
        IS("entityTypeSealed", MEMBER_ENTITY_TYPE_SEALED);
        break;
    case 17:
        IS("previousValueList", MEMBER_PREVIOUS);
        break;
    case 18:
        IS("previousObjectList", MEMBER_PREVIOUS);
        break;
    case 19:
        IS("previousLanguageMap", MEMBER_PREVIOUS);
        break;
    }
    return MEMBER_NONE;
}

static enum member of_keyword(struct str name)
{
    if (str_eq(name, STR("@context")))
        return MEMBER_CONTEXT;
    if (str_eq(name, STR("@id")))
        return MEMBER_ID;
    if (str_eq(name, STR("@type")))
        return MEMBER_TYPE;
    return MEMBER_KEYWORD;
}

enum member reader_member_of(struct str name)
{
    if (name.n < 2 || name.n > 19)
        return MEMBER_NONE;
    if (name.p[0] == '@')
        return of_keyword(name);
    if (name.n <= 6)
        return of_short(name.p, name.n);
    if (name.n == 9)
        return of_9(name.p);
    if (name.n == 10)
        return of_10(name.p);
    return of_long(name.p, name.n);
}

static const char *const NAMES[MEMBER_COUNT] = {
    [MEMBER_NONE] = "",
    [MEMBER_ID] = "id",
    [MEMBER_TYPE] = "type",
    [MEMBER_SCOPE] = "scope",
    [MEMBER_CONTEXT] = "@context",
    [MEMBER_KEYWORD] = "@…",
    [MEMBER_VALUE] = "value",
    [MEMBER_OBJECT] = "object",
    [MEMBER_LANGUAGE_MAP] = "languageMap",
    [MEMBER_VOCAB] = "vocab",
    [MEMBER_JSON] = "json",
    [MEMBER_VALUE_LIST] = "valueList",
    [MEMBER_OBJECT_LIST] = "objectList",
    [MEMBER_DATASET_ID] = "datasetId",
    [MEMBER_OBSERVED_AT] = "observedAt",
    [MEMBER_EXPIRES_AT] = "expiresAt",
    [MEMBER_UNIT_CODE] = "unitCode",
    [MEMBER_VALUE_TYPE] = "valueType",
    [MEMBER_OBJECT_TYPE] = "objectType",
    [MEMBER_ENTITY_ID_SEALED] = "entityIdSealed",
    [MEMBER_ENTITY_TYPE_SEALED] = "entityTypeSealed",
    [MEMBER_CREATED_AT] = "createdAt",
    [MEMBER_MODIFIED_AT] = "modifiedAt",
    [MEMBER_DELETED_AT] = "deletedAt",
    [MEMBER_INSTANCE_ID] = "instanceId",
    [MEMBER_LANG] = "lang",
    [MEMBER_ENTITY] = "entity",
    [MEMBER_ENTITY_LIST] = "entityList",
    [MEMBER_PREVIOUS] = "previous…",
};

const char *reader_member_name(enum member m)
{
    return NAMES[m];
}

static const uint8_t VALUES[ATTR_KIND_COUNT] = {
    [ATTR_UNKNOWN] = MEMBER_VALUE,
    [ATTR_PROPERTY] = MEMBER_VALUE,
    [ATTR_RELATIONSHIP] = MEMBER_OBJECT,
    [ATTR_GEO_PROPERTY] = MEMBER_VALUE,
    [ATTR_LANGUAGE_PROPERTY] = MEMBER_LANGUAGE_MAP,
    [ATTR_VOCAB_PROPERTY] = MEMBER_VOCAB,
    [ATTR_JSON_PROPERTY] = MEMBER_JSON,
    [ATTR_LIST_PROPERTY] = MEMBER_VALUE_LIST,
    [ATTR_LIST_RELATIONSHIP] = MEMBER_OBJECT_LIST,
};

enum member reader_member_of_value(enum attr_kind kind)
{
    return (enum member)VALUES[kind];
}

enum attr_kind reader_member_kind(enum member m)
{
    for (int k = ATTR_PROPERTY; k < ATTR_KIND_COUNT; k++)
        if (VALUES[k] == m)
            return (enum attr_kind)k;
    return ATTR_UNKNOWN;
}

#define COMMON                                                                                     \
    (MEMBERS_OF_SYSTEM | MEMBER_BIT(MEMBER_TYPE) | MEMBER_BIT(MEMBER_DATASET_ID) |                 \
     MEMBER_BIT(MEMBER_OBSERVED_AT) | MEMBER_BIT(MEMBER_EXPIRES_AT))
#define UNIT MEMBER_BIT(MEMBER_UNIT_CODE)
#define VALUE_TYPE MEMBER_BIT(MEMBER_VALUE_TYPE)
#define OBJECT_TYPE MEMBER_BIT(MEMBER_OBJECT_TYPE)

uint64_t reader_member_allowed(enum attr_kind kind)
{
    static const uint64_t ALLOWED[ATTR_KIND_COUNT] = {
        [ATTR_UNKNOWN] = COMMON | UNIT | VALUE_TYPE | OBJECT_TYPE,
        [ATTR_PROPERTY] = COMMON | UNIT | VALUE_TYPE | MEMBER_BIT(MEMBER_VALUE),
        [ATTR_RELATIONSHIP] = COMMON | OBJECT_TYPE | MEMBER_BIT(MEMBER_OBJECT),
        [ATTR_GEO_PROPERTY] = COMMON | UNIT | VALUE_TYPE | MEMBER_BIT(MEMBER_VALUE),
        [ATTR_LANGUAGE_PROPERTY] = COMMON | VALUE_TYPE | MEMBER_BIT(MEMBER_LANGUAGE_MAP),
        [ATTR_VOCAB_PROPERTY] = COMMON | VALUE_TYPE | MEMBER_BIT(MEMBER_VOCAB),
        [ATTR_JSON_PROPERTY] = COMMON | VALUE_TYPE | MEMBER_BIT(MEMBER_JSON),
        [ATTR_LIST_PROPERTY] = COMMON | UNIT | VALUE_TYPE | MEMBER_BIT(MEMBER_VALUE_LIST),
        [ATTR_LIST_RELATIONSHIP] = COMMON | OBJECT_TYPE | MEMBER_BIT(MEMBER_OBJECT_LIST),
    };
    return ALLOWED[kind];
}

const char *reader_member_reason(enum member m)
{
    static const char *const REASONS[MEMBER_COUNT] = {
        [MEMBER_ID] = "only entities have an id",
        [MEMBER_SCOPE] = "only entities have a scope",
        [MEMBER_CONTEXT] = "an @context stands at the top level only (clause 5.5.7)",
        [MEMBER_KEYWORD] = "this JSON-LD keyword has no meaning here",
        [MEMBER_VALUE] = "it holds the value of a Property or a GeoProperty",
        [MEMBER_OBJECT] = "it holds the target of a Relationship",
        [MEMBER_LANGUAGE_MAP] = "it holds the value of a LanguageProperty",
        [MEMBER_VOCAB] = "it holds the value of a VocabProperty",
        [MEMBER_JSON] = "it holds the value of a JsonProperty",
        [MEMBER_VALUE_LIST] = "it holds the value of a ListProperty",
        [MEMBER_OBJECT_LIST] = "it holds the targets of a ListRelationship",
        [MEMBER_UNIT_CODE] = "its values have no unit",
        [MEMBER_VALUE_TYPE] = "it qualifies the value of a Property",
        [MEMBER_OBJECT_TYPE] = "it qualifies the target of a Relationship",
        [MEMBER_ENTITY_ID_SEALED] = "it belongs to ngsildproof",
        [MEMBER_ENTITY_TYPE_SEALED] = "it belongs to ngsildproof",
        [MEMBER_LANG] = "it is output only",
        [MEMBER_ENTITY] = "it is output only",
        [MEMBER_ENTITY_LIST] = "it is output only",
        [MEMBER_PREVIOUS] = "it is output only",
    };
    return REASONS[m] ? REASONS[m] : "it is reserved";
}

enum attr_kind reader_member_kind_of(struct str name)
{
    switch (name.n) {
    case 8:
        return str_eq(name, STR("Property")) ? ATTR_PROPERTY : ATTR_UNKNOWN;
    case 11:
        return str_eq(name, STR("GeoProperty")) ? ATTR_GEO_PROPERTY : ATTR_UNKNOWN;
    case 12:
        if (str_eq(name, STR("Relationship")))
            return ATTR_RELATIONSHIP;
        if (str_eq(name, STR("JsonProperty")))
            return ATTR_JSON_PROPERTY;
        return str_eq(name, STR("ListProperty")) ? ATTR_LIST_PROPERTY : ATTR_UNKNOWN;
    case 13:
        return str_eq(name, STR("VocabProperty")) ? ATTR_VOCAB_PROPERTY : ATTR_UNKNOWN;
    case 16:
        if (str_eq(name, STR("LanguageProperty")))
            return ATTR_LANGUAGE_PROPERTY;
        return str_eq(name, STR("ListRelationship")) ? ATTR_LIST_RELATIONSHIP : ATTR_UNKNOWN;
    default:
        return ATTR_UNKNOWN;
    }
}
