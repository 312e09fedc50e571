/* Shared by reader.c (entities), reader_attr.c (attributes), reader_instance.c (one
 * instance), reader_shape.c (what is one), reader_kind.c, reader_meta.c and reader_value.c
 * (its kind, members and value). Each reads one level and passes the place on for
 * pointers; nothing is kept between calls. */
#ifndef MODEL_READER_INT_H
#define MODEL_READER_INT_H

#include "model/geometry.h"
#include "model/reader.h"
#include "model/reader_member.h"

#define NGSI_LD_NULL STR("urn:ngsi-ld:null")
#define NGSI_LD "https://uri.etsi.org/ngsi-ld/"
#define RDF_LANG_STRING STR("http://www.w3.org/1999/02/22-rdf-syntax-ns#langString")

/* One call of reader_entity or reader_attr. */
struct reading {
    const struct reader *r;
    struct why *why;    /* never NULL */
    uint32_t instances; /* attribute instances so far, against limits.attributes */
    bool partial;       /* an attribute at the top may leave out type and value */
    uint32_t points;    /* instances of a temporal evolution so far, against limits.instances */
};

static inline bool reading_takes_null(const struct reading *rd)
{
    return rd->r->mode == READER_UPDATE || rd->r->mode == READER_MERGE;
}
static inline bool reader_is_null(const struct json *v)
{
    return v->kind == JSON_STRING && str_eq(v->string, NGSI_LD_NULL);
}

static inline bool reader_is_proof(struct str name)
{
    return str_eq(name, STR("ngsildproof"));
}
/* One of the GeoProperties that the core context defines (clause 4.7.1). */
static inline bool reader_is_geo(struct str name)
{
    return str_eq(name, STR("location")) || str_eq(name, STR("observationSpace")) ||
           str_eq(name, STR("operationSpace"));
}

/* A member that names an attribute. */
struct named {
    const struct json_member *member;
    struct str
        name; /* as the context compacts it, so that core terms are known whatever their spelling */
    uint32_t term;
    uint32_t count; /* instances */
    uint32_t slot;  /* of the first instance */
    uint8_t sealed; /* MEMBER_…_SEALED of a proof, which is no attribute; else 0 */
};

/* What an object that may be an attribute consists of. */
struct parts {
    uint64_t seen;                              /* MEMBER_BIT … */
    const struct json_member *of[MEMBER_COUNT]; /* where seen */
    uint32_t names;                             /* members that name sub-attributes */
};

/* ---- reader_attr.c ---- */

/* Refuses `more` instances when they are more than the entity may still have; asked before names are interned. */
MUST_USE enum status reader_attr_room(struct reading *rd, uint32_t more, const struct at *at);
/* The term of an attribute or a type, and its name as the context compacts it. */
MUST_USE enum status reader_attr_term(struct reading *rd, struct str given, const struct at *at,
                                      uint32_t *term, struct str *name);
/* Which member key is, whatever its spelling: MEMBER_NONE fills *out with an attribute's name. */
MUST_USE enum status reader_attr_classify(struct reading *rd, const struct json_member *m,
                                          const struct at *at, enum member *which,
                                          struct named *out);
/* Reads the attributes named, depth 0 for an entity's. Reorders named. */
MUST_USE enum status reader_attr_list(struct reading *rd, struct named *named, uint32_t count,
                                      uint32_t depth, const struct at *at, struct attr **attrs,
                                      uint32_t *attr_count);
/* Reads v as the instances of the attribute n alone. */
MUST_USE enum status reader_attr_instances(struct reading *rd, const struct named *n,
                                           const struct json *v, const struct at *at,
                                           struct attr **attrs, uint32_t *count);
/* Reads v, which is one, as a single instance of the attribute n. */
MUST_USE enum status reader_attr_instance(struct reading *rd, const struct named *n, const struct json *v,
                                          const struct at *at, struct attr *out);

/* ---- reader_instance.c ---- */

/* Reads v as one instance of the attribute n, at that depth. */
MUST_USE enum status reader_instance_read(struct reading *rd, const struct named *n, const struct json *v,
                                          const struct at *at, uint32_t depth, struct attr *out);
/* entityIdSealed and entityTypeSealed are kept as sub-attributes of the proof. */
MUST_USE enum status reader_instance_sealed(struct reading *rd, const struct named *n, const struct at *at,
                                            struct attr *out);

/* ---- reader_shape.c ---- */

/* Of members seen (MEMBER_BIT …), those that an attribute alone has. */
#define SAYS_ATTRIBUTE (MEMBER_BIT(MEMBER_TYPE) | MEMBERS_WITH_VALUE | MEMBERS_OF_META)
/* {"@type": …, "@value": …} (clause C.6), or a bare geometry: a value in spite of its "type". */
bool reader_shape_is_typed_value(const struct json *v, uint64_t seen);
bool reader_shape_is_bare_geometry(const struct json *v, uint64_t seen);
/* An object that is an instance of an attribute, rather than the value of a Property. */
bool reader_shape_is_instance(const struct json *v);
/* An array of nothing else. */
bool reader_shape_is_instances(const struct json *v);
/* True when v, as the value of an attribute's member, would be read as nothing but the value of a
 * Property: what a concise representation may leave bare. */
bool reader_shape_is_bare(const struct json *v);
/* {"dataset": {"@none": …, "urn:…": …}}: several instances, simplified (clause 4.5.4). */
bool reader_shape_is_dataset_map(const struct json *v);
/* In a merge, {"speed": {"source": {"value": …}}} goes on to sub-attributes, while
 * {"address": {"city": …}} goes into the value: told apart by what the members hold. */
bool reader_shape_is_fragment(const struct reading *rd, const struct json *v);

/* ---- reader.c ---- */

/* v is a scope or an array of them; fills the scopes of out. */
MUST_USE enum status reader_scopes(struct reading *rd, const struct json *v, const struct at *at, struct entity *out);

/* A fragment without its "@context", which belongs to the whole body. */
struct json reader_without_context(const struct json *v, struct arena *a);

/* ---- reader_point.c ---- */

/* Reads v as instances of the attribute n in any temporal representation, in the order of the document. */
MUST_USE enum status reader_points(struct reading *rd, const struct named *n, const struct json *v, const struct at *at,
                                   struct point **points, uint32_t *count);
/* The same of the scope. */
MUST_USE enum status reader_scope_points(struct reading *rd, const struct json *v, const struct at *at,
                                         struct point **points, uint32_t *count);

/* ---- reader_kind.c ---- */

/* Sets out->kind, and refuses members that the kind never has or, unless partial, a missing value.
 */
MUST_USE enum status reader_kind_settle(struct reading *rd, const struct named *n,
                                        const struct parts *p, bool partial, const struct at *at,
                                        struct attr *out);

/* ---- reader_meta.c ---- */

/* Reads datasetId, observedAt, unitCode, expiresAt, valueType and objectType of p into out, whose
 * kind is set. */
MUST_USE enum status reader_meta(struct reading *rd, const struct parts *p, const struct at *at,
                                 struct attr *out);
MUST_USE enum status reader_meta_dataset(struct reading *rd, const struct json *v,
                                         const struct at *at, struct attr *out);

/* ---- reader_value.c ---- */

/* v is the value of an attribute of a's kind; fills a->value. */
MUST_USE enum status reader_value(struct reading *rd, const struct json *v, const struct at *at,
                                  struct attr *a);
/* A string, or an array of them with `many`, as IRIs: *out is the one, or minified JSON with
 * *is_json. */
MUST_USE enum status reader_value_iris(struct reading *rd, const struct json *v, bool many,
                                       const struct at *at, const char *what, struct str *out,
                                       bool *is_json);
MUST_USE enum status reader_value_time(struct reading *rd, const struct json *v,
                                       const struct at *at, int64_t *us);
/* Minified, in the arena. */
struct str reader_value_text(struct reading *rd, const struct json *v);
/* Longer than the limit? */
MUST_USE enum status reader_value_length(struct reading *rd, struct str s, const struct at *at,
                                         const char *what);

#endif
