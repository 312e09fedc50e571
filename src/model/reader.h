/* From JSON-LD to entity trees: expansion and validation (CIM 009 clauses 4.5, 4.6,
 * 5.5.4). Normalized and concise input are both read, also mixed, and simplified
 * (key-values) input where the operation takes it. Refusals carry the JSON Pointer
 * of the member and the rule it broke. */
#ifndef MODEL_READER_H
#define MODEL_READER_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "model/context.h"
#include "model/entity.h"
#include "model/evolution.h"

struct reader_limits {
    uint32_t attrs_max;  /* attribute instances of an entity, sub-attributes included: "limits.attributes" */
    uint32_t depth_max;  /* of sub-attributes: "limits.attribute_depth" */
    uint32_t types_max;  /* "limits.types" */
    uint32_t scopes_max; /* "limits.scopes" */
    size_t name_bytes_max; /* of an id, a name, a datasetId: "limits.name_bytes" */
    uint32_t coordinates_max; /* positions of a geometry: "limits.coordinates" */
    uint32_t instances_max; /* instances of all attributes of a temporal evolution: "limits.instances"; attrs_max is then
                               how many attributes it has, and how many sub-attributes each instance */
};

enum reader_mode {
    READER_ENTITY,   /* whole entity: id and type required, NGSI-LD Null refused */
    READER_UPDATE,   /* fragment, partial update patch (5.5.8): Null deletes an attribute or member */
    READER_APPEND,   /* fragment without Nulls */
    READER_MERGE,    /* fragment, merge patch (5.5.12): Null also inside values */
};

struct reader {
    const struct context *context;
    const struct reader_limits *limits;
    struct arena *arena;
    enum reader_mode mode;
    bool simplified;   /* key-values input: every member is a value */
    struct str lang;   /* merge with simplified input, clause 5.6.17: language of LanguageProperties */
    int64_t observed_at; /* merge: default observedAt for attributes, TIME_NONE when none */
};

/* v is one entity or fragment; "@context" is skipped. System attributes in the input are ignored (5.2.2).
 * expect_id: when present, an "id" in v must equal it. at: where v stands, for pointers; NULL for the whole body.
 * Strings of out live in the arena or borrow from v's. */
MUST_USE enum status reader_entity(const struct reader *r, const struct json *v, struct str expect_id,
                                   const struct at *at, struct entity *out, struct why *why);
/* v is the fragment of the attribute term (5.6.4 partial update, 5.6.19 replace): an object, or an array of
 * instances. In READER_UPDATE mode type and value may be missing. */
MUST_USE enum status reader_attr(const struct reader *r, uint32_t term, const struct json *v,
                                 const struct at *at, struct attr **out, uint32_t *count, struct why *why);

/* ---- temporal evolutions (clauses 5.2.20, 4.5.6 … 4.5.9); mode, simplified, lang and observed_at of r are not looked at ---- */

/* v is a whole EntityTemporal (5.6.11): id and type required, expect_id as above. Each attribute is an instance, an array
 * of instances, which may share a datasetId, or in the simplified temporal representation; normalized and concise are both
 * read, except that nothing but a value is no instance. scope is as in an entity, or a Property with none but temporal
 * members, or an array of these. createdAt, modifiedAt and instanceId are ignored (5.2.2).
 *
 * An instance whose value is the NGSI-LD Null tells of a deletion: value VALUE_NULL, deleted_at as given, else TIME_NONE,
 * for the store to set to when it learns of it; so is a scope of no levels ([]) with a deletedAt. In the simplified
 * representation its time is when it was deleted. Elsewhere deletedAt is ignored, and Nulls are refused (5.5.4).
 *
 * out has its series in order, each in point_order(); createdAt, modifiedAt and changes are the store's to set. Strings
 * live in the arena or borrow from v's. */
MUST_USE enum status reader_evolution(const struct reader *r, const struct json *v, struct str expect_id,
                                      const struct at *at, struct evolution *out, struct why *why);
/* The same of a fragment (5.6.12): id and type may be missing. */
MUST_USE enum status reader_evolution_fragment(const struct reader *r, const struct json *v, struct str expect_id,
                                               const struct at *at, struct evolution *out, struct why *why);
/* v is what replaces one instance of the attribute term, or TERM_SCOPE (5.6.14): an instance, an array of exactly one, or
 * a fragment whose only attribute is that one, with exactly one instance. */
MUST_USE enum status reader_instance(const struct reader *r, uint32_t term, const struct json *v, const struct at *at,
                                     struct point *out, struct why *why);

/* Valid URI/IRI with a scheme, RFC 3986/3987, no spaces or controls. */
bool reader_is_uri(struct str s);
/* Valid attribute or type name as clause 4.6.2, or a URI. */
bool reader_is_name(struct str s);
/* Valid scope as clause 4.18; not the NGSI-LD Null. */
bool reader_is_scope(struct str s);
/* Well-formed language tag, RFC 5646 section 2.1 (no registry is asked), or "@none". */
bool reader_is_language(struct str s);
/* Language ranges with weights, as "fr-CH,fr;q=0.9,*;q=0.5" (clause 4.15, RFC 3282). */
bool reader_is_language_ranges(struct str s);

#endif
