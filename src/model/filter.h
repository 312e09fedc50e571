/* Query trees: which entities are meant (CIM 009 clauses 4.9 q, 4.10 geo, 4.17
 * types, 4.19 scopes), parsed once, inspected by stores to find candidates, and
 * evaluated here, so that every store gives the same answer. */
#ifndef MODEL_FILTER_H
#define MODEL_FILTER_H

#include "base/arena.h"
#include "base/status.h"
#include "model/context.h"
#include "model/entity.h"
#include "model/geometry.h"
#include "model/terms.h"

#include <stdbool.h>
#include <stdint.h>

struct doc;
struct iri_edits;

/* A name in a query: its IRI always, its term when the city knows it. */
struct name {
    struct str iri;
    uint32_t term; /* TERM_NONE: nothing stored has it */
};

/* Disjunction of conjunctions of types, clause 4.17. */
struct type_expr {
    uint32_t count;
    struct type_all {
        uint32_t count;
        struct name *types;
    } * any;
};

/* Disjunction of conjunctions of scope patterns, clause 4.19; '+' and a trailing '/#' are
 * wildcards. */
struct scope_expr {
    uint32_t count;
    struct scope_all {
        uint32_t count;
        struct str *patterns;
    } * any;
};

enum compare_op {
    COMPARE_EXISTS, /* only an attribute path */
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_GT,
    COMPARE_GE,
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_MATCH,     /* ~= */
    COMPARE_NOT_MATCH, /* !~= */
};

enum operand_kind {
    OPERAND_NUMBER,
    OPERAND_STRING, /* quoted, or a URI */
    OPERAND_BOOL,
    OPERAND_DATETIME, /* µs */
    OPERAND_DATE,     /* µs of midnight UTC */
    OPERAND_TIME,     /* µs since midnight */
};

struct operand {
    uint8_t kind; /* enum operand_kind */
    bool boolean;
    double number;
    int64_t us;
    struct str text; /* as written, unquoted; an IRI when expandValues asked for it */
};

struct pattern; /* compiled regular expression (POSIX syntax, linear time), model/pattern.h */

/* Members of an attribute (or, those so marked, of the entity itself) that a path may end in. */
enum compare_member {
    MEMBER_NONE,
    MEMBER_CREATED_AT,  /* also of the entity */
    MEMBER_MODIFIED_AT, /* also of the entity */
    MEMBER_EXPIRES_AT,  /* also of the entity */
    MEMBER_DELETED_AT,  /* in the temporal evolution alone: never there */
    MEMBER_OBSERVED_AT,
    MEMBER_INSTANCE_ID, /* likewise */
    MEMBER_UNIT_CODE,
    MEMBER_DATASET_ID,
    MEMBER_TYPE, /* "Property" … */
    MEMBER_VALUE_TYPE,
    MEMBER_OBJECT_TYPE,
};

/* One step of a linked path, AttrName{…}: types may narrow the target (clause 4.9, 4.5.23). */
struct link_step {
    struct name relationship;
    uint32_t type_count;
    struct name *types;
};

struct compare {
    uint32_t link_count; /* relationships to follow first: sensor{humidity} */
    struct link_step *links;
    uint32_t path_count; /* attribute, then sub-attributes; 0: member is one of the entity itself */
    struct name *path;
    uint8_t
        member; /* enum compare_member: what the path ends in, when not in the attribute's value */
    uint32_t value_path_count; /* [a.b] */
    struct str *value_path;
    uint8_t op; /* enum compare_op */
    /* COMPARE_EQ, COMPARE_NE: any of these values; a range is low..high. Others: exactly one. */
    uint32_t operand_count;
    struct operand *operands;
    bool range; /* operands[0] .. operands[1] */
    struct pattern *pattern;
};

enum filter_kind {
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_IDS,
    FILTER_ID_PATTERN,
    FILTER_TYPE,
    FILTER_SCOPE,
    FILTER_ATTRS, /* has at least one of these attributes */
    FILTER_COMPARE,
    FILTER_GEO,
};

struct filter {
    uint8_t kind;   /* enum filter_kind */
    uint32_t count; /* parts, ids, names */
    union {
        struct filter **parts; /* AND, OR, NOT (one) */
        struct str *ids;       /* IDS, sorted, unique */
        struct pattern *id_pattern;
        struct type_expr *type;
        struct scope_expr *scope;
        struct name *attrs; /* ATTRS */
        struct compare *compare;
        struct geo_filter *geo;
    };
};

/* clause 4.10 */
enum georel {
    GEOREL_NEAR,
    GEOREL_WITHIN,
    GEOREL_CONTAINS,
    GEOREL_INTERSECTS,
    GEOREL_EQUALS,
    GEOREL_DISJOINT,
    GEOREL_OVERLAPS,
};

struct geo_filter {
    uint8_t rel; /* enum georel */
    bool has_max, has_min;
    double max_m, min_m;  /* metres, near only */
    struct name property; /* location unless said otherwise */
    struct geometry *reference;
    struct box reach; /* box that a matching geometry must touch (near: grown by max_m); whole world
                         when unbounded */
    bool bounded;     /* reach means something */
};

struct filter_limits {
    uint32_t nodes_max;       /* terms of a query: "limits.query_terms" → E_TOO_COMPLEX */
    uint32_t depth_max;       /* "limits.query_depth" */
    size_t pattern_bytes_max; /* "limits.pattern_bytes" */
    uint32_t coordinates_max; /* "limits.coordinates" */
};

struct filter_reader {
    const struct context *context;
    const struct filter_limits *limits;
    struct arena *arena; /* of all that is parsed, but patterns and geometries: see filter_free */
    const struct str *expand_values; /* attribute names, as given, whose operands are expanded … */
    uint32_t expand_value_count;
    const struct str *json_keys; /* … unless they are here too */
    uint32_t json_key_count;
    const struct terms *stored; /* texts are stored ones (model/iri_text.h): names are looked up
                                   here, and context is not needed */
    bool *unknown;              /* set when one of them is not there; not NULL with stored */
    struct iri_edits *edits;    /* where names were met, to make a stored text; NULL: not wanted */
};

/* Parsers: text is percent-decoded. Errors: E_BAD_DATA with the column and what was expected.
 * Beyond the grammar, read_q takes spaces around operators and values, full and compact IRIs as
 * names, bare words as values of == and !=, and '!' before a query term or an association: the
 * entities that do not match it. read_types gives NULL for "*", every type. */
MUST_USE enum status filter_read_q(const struct filter_reader *r, struct str q, struct filter **out,
                                   struct why *why);
MUST_USE enum status filter_read_types(const struct filter_reader *r, struct str text,
                                       struct type_expr **out, struct why *why);
MUST_USE enum status filter_read_scopes(const struct filter_reader *r, struct str text,
                                        struct scope_expr **out, struct why *why);
/* georel as "near;maxDistance==100"; geometry "Point"; coordinates JSON (tree, for POST, or parsed
 * from text). */
MUST_USE enum status filter_read_geo(const struct filter_reader *r, struct str georel,
                                     struct str geometry, const struct json *coordinates,
                                     struct str property, struct filter **out, struct why *why);
MUST_USE enum status filter_read_pattern(const struct filter_reader *r, struct str text,
                                         struct pattern **out, struct why *why);
struct filter *filter_and(struct arena *a, struct filter *x,
                          struct filter *y); /* either may be NULL */
struct filter *filter_of_ids(struct arena *a, const struct str *ids, uint32_t count);
struct filter *filter_of_pattern(struct arena *a, struct pattern *p);
struct filter *filter_of_type(struct arena *a, struct type_expr *t);
struct filter *filter_of_scope(struct arena *a, struct scope_expr *s);
struct filter *filter_of_attrs(struct arena *a, struct name *names, uint32_t count);
/* Names that read_q saw, for the rule that a query needs at least one non-system attribute
 * (5.7.2.4). */
bool filter_has_attribute(const struct filter *f);
/* Most relationships that a term of it follows, for the rule that a query may not follow more than
 * joinLevel of them (5.7.2.4). */
uint32_t filter_link_depth(const struct filter *f);
/* Looks up again the names that nothing stored had when f was read. For filters that live long. */
void filter_resolve(struct filter *f, const struct terms *terms);
/* Releases compiled patterns and geometries; the rest belongs to the arena. NULL is fine. */
void filter_free(struct filter *f);

/* How evaluation reaches linked entities: NULL when not found. Set one of the two (or none: nothing
 * is found). What they return lives at least until the evaluation ends. */
struct filter_env {
    struct arena *arena; /* scratch: reset it now and then */
    const struct entity *(*lookup)(struct filter_env *env, struct str id);
    const struct doc *(*lookup_doc)(struct filter_env *env, struct str id);
};
/* NULL filters match everything. At most 1,000 linked entities are looked at for one entity. */
bool filter_match(const struct filter *f, const struct entity *e, struct filter_env *env);
/* The same on a stored block, decoding only the attributes that f looks at. */
bool filter_match_doc(const struct filter *f, const struct doc *d, struct filter_env *env);
bool type_expr_match(const struct type_expr *t, const struct entity *e);
bool scope_expr_match(const struct scope_expr *s, const struct str *scopes, uint32_t count);
bool scope_pattern_match(struct str pattern, struct str scope);

/* At the end, because it needs struct name and struct filter_reader. */
#include "model/order.h" /* orderBy, clause 4.23 */

#endif
