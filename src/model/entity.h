/* An entity as a tree in an arena: what validation builds, edits work on, filters
 * look at and representations print. The stored form is the block of
 * model/doc.h; doc_decode() gives a tree whose strings borrow from the block.
 *
 * Names are interned terms. Attribute instances are sorted by (term, dataset),
 * byte order, default instance first; the pair is unique. */
#ifndef MODEL_ENTITY_H
#define MODEL_ENTITY_H

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "model/terms.h"

#include <stdbool.h>
#include <stdint.h>

enum attr_kind {
    ATTR_UNKNOWN = 0, /* only in fragments that leave out type and value */
    ATTR_PROPERTY,
    ATTR_RELATIONSHIP,
    ATTR_GEO_PROPERTY,
    ATTR_LANGUAGE_PROPERTY,
    ATTR_VOCAB_PROPERTY,
    ATTR_JSON_PROPERTY,
    ATTR_LIST_PROPERTY,
    ATTR_LIST_RELATIONSHIP,
    ATTR_KIND_COUNT
};

enum value_kind {
    VALUE_NONE = 0, /* only in fragments: no value given */
    VALUE_NULL,     /* NGSI-LD Null (clause 4.5.0): delete; never stored */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_STRING, /* unescaped UTF-8; also an IRI of a Relationship, an expanded IRI of a
                     VocabProperty */
    VALUE_JSON, /* minified JSON text: objects, arrays, null; list values; language maps; arrays of
                   IRIs */
    VALUE_GEO,  /* minified GeoJSON geometry text, with its bounding box */
};

struct box {
    double west, south, east, north; /* degrees, WGS84 */
};

struct value {
    uint8_t kind; /* enum value_kind */
    bool plain;   /* VALUE_STRING: needs no JSON escape */
    bool point;   /* VALUE_GEO: a Point; box.west, box.south are its longitude, latitude */
    union {
        bool boolean;
        int64_t integer;
        double real;
    };
    struct str text; /* VALUE_STRING, VALUE_JSON, VALUE_GEO */
    struct box box;  /* VALUE_GEO */
};

struct attr {
    uint32_t term;
    uint8_t kind;       /* enum attr_kind */
    struct str dataset; /* datasetId, "" for the default instance */
    struct value value;
    struct str unit_code;   /* absent when none; so are the next two */
    struct str value_type;  /* valueType of a Property, expanded IRI */
    struct str object_type; /* objectType of a Relationship: minified JSON of an expanded IRI or an
                               array of them */
    int64_t observed_at;    /* µs, TIME_NONE when none; so are the next three */
    int64_t expires_at;
    int64_t created_at;
    int64_t modified_at;
    uint64_t
        seq; /* sequence of the change that set this value; 0: the change that wrote this version */
    uint32_t sub_count;
    struct attr *subs; /* sub-attributes, sorted as attributes are */
    uint32_t
        null_members; /* fragments only: ATTR_NULL_… members given as NGSI-LD Null, to be removed */
    uint32_t guesses; /* fragments only: ATTR_GUESS_… */
    struct str lang;  /* fragments only: value is the text of this language, should the existing
                         instance be a LanguageProperty (clause 5.6.17); absent when none */
};

/* What a fragment leaves open, for the operation that knows the existing instance to settle. */
enum {
    ATTR_GUESS_KIND = 1,        /* "type" was not given and the value's shape fits several kinds: an
                                   existing        instance keeps its kind, `kind` is for a new one */
    ATTR_GUESS_OBSERVED_AT = 2, /* observed_at is the merge's common one: only for an existing
                                   instance that has an observedAt (clause 5.6.17) */
};

enum {
    ATTR_NULL_UNIT_CODE = 1,
    ATTR_NULL_OBSERVED_AT = 2,
    ATTR_NULL_EXPIRES_AT = 4,
    ATTR_NULL_VALUE_TYPE = 8,
    ATTR_NULL_OBJECT_TYPE = 16,
};

struct entity {
    struct str id;
    uint32_t type_count;
    uint32_t *types; /* in the order given, no duplicates */
    uint32_t scope_count;
    struct str *scopes;
    bool scope_null; /* fragments only: scope given as NGSI-LD Null; so the next */
    bool expires_null;
    int64_t created_at;
    int64_t modified_at;
    int64_t expires_at;   /* TIME_NONE when none */
    uint64_t seq;         /* sequence of the change that wrote this version */
    uint64_t created_seq; /* sequence of the change that created the entity: the paging order */
    uint32_t attr_count;
    struct attr *attrs;
};

/* First instance of that attribute, or NULL; *count: how many instances follow one another. */
const struct attr *entity_attr(const struct entity *e, uint32_t term, uint32_t *count);
/* The instance with that dataset ("" = default), or NULL. */
const struct attr *entity_instance(const struct entity *e, uint32_t term, struct str dataset);
const struct attr *attr_sub(const struct attr *a, uint32_t term, uint32_t *count);
/* Order of attribute instances: term, then dataset. */
int attr_order(const struct attr *a, const struct attr *b);
/* Sorts; false when two instances share term and dataset (*dup: the second). */
bool attrs_sort(struct attr *attrs, uint32_t n, const struct attr **dup);
bool entity_has_type(const struct entity *e, uint32_t type);
/* Same kind, value and members, apart from times, seq and sub-attribute times. */
bool attr_same(const struct attr *a, const struct attr *b);
const char *attr_kind_name(enum attr_kind k); /* "Property" … */

#endif
