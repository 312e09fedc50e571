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

#include <stdbool.h>
#include <stdint.h>

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
    } *any;
};

/* Disjunction of conjunctions of scope patterns, clause 4.19; '+' and a trailing '/#' are wildcards. */
struct scope_expr {
    uint32_t count;
    struct scope_all {
        uint32_t count;
        struct str *patterns;
    } *any;
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

/* One step of a linked path, AttrName{…}: types may narrow the target (clause 4.9, 4.5.23). */
struct link_step {
    struct name relationship;
    uint32_t type_count;
    struct name *types;
};

struct compare {
    uint32_t link_count; /* relationships to follow first: sensor{humidity} */
    struct link_step *links;
    uint32_t path_count; /* attribute, then sub-attributes or system members */
    struct name *path;
    uint32_t value_path_count; /* [a.b] */
    struct str *value_path;
    uint8_t op; /* enum compare_op */
    /* COMPARE_EQ, COMPARE_NE: any of these values; a range is low..high. Others: exactly one. */
    uint32_t operand_count;
    struct operand *operands;
    bool range; /* operands[0] .. operands[1] */
    struct pattern *pattern;
    struct str lang; /* attr[lang] on a LanguageProperty is a value path; this is the lang parameter */
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
    uint8_t kind; /* enum filter_kind */
    uint32_t count; /* parts, ids, names */
    union {
        struct filter **parts;     /* AND, OR, NOT (one) */
        struct str *ids;           /* IDS, sorted, unique */
        struct pattern *id_pattern;
        struct type_expr *type;
        struct scope_expr *scope;
        struct name *attrs;        /* ATTRS */
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
    double max_m, min_m; /* metres, near only */
    struct name property; /* location unless said otherwise */
    struct geometry *reference;
    struct box reach; /* box that a matching geometry must touch (near: grown by max_m); whole world when unbounded */
    bool bounded;     /* reach means something */
};

struct filter_limits {
    uint32_t nodes_max;         /* terms of a query: "limits.query_terms" → E_TOO_COMPLEX */
    uint32_t depth_max;         /* "limits.query_depth" */
    size_t pattern_bytes_max;   /* "limits.pattern_bytes" */
    uint32_t coordinates_max;   /* "limits.coordinates" */
};

struct filter_reader {
    const struct context *context;
    const struct filter_limits *limits;
    struct arena *arena; /* everything parsed lives here; patterns and geometries too (freed with filter_free) */
    struct str lang;
    const struct str *expand_values; /* attribute names, as given, whose operands are expanded */
    uint32_t expand_value_count;
    const struct str *json_keys;
    uint32_t json_key_count;
};

/* Parsers: text is percent-decoded. Errors: E_BAD_DATA with the column and what was expected. */
MUST_USE enum status filter_read_q(const struct filter_reader *r, struct str q, struct filter **out, struct why *why);
MUST_USE enum status filter_read_types(const struct filter_reader *r, struct str text, struct type_expr **out,
                                       struct why *why);
MUST_USE enum status filter_read_scopes(const struct filter_reader *r, struct str text, struct scope_expr **out,
                                        struct why *why);
/* georel as "near;maxDistance==100"; geometry "Point"; coordinates JSON (tree, for POST, or parsed from text). */
MUST_USE enum status filter_read_geo(const struct filter_reader *r, struct str georel, struct str geometry,
                                     const struct json *coordinates, struct str property,
                                     struct filter **out, struct why *why);
MUST_USE enum status filter_read_pattern(const struct filter_reader *r, struct str text, struct pattern **out,
                                         struct why *why);
struct filter *filter_and(struct arena *a, struct filter *x, struct filter *y); /* either may be NULL */
struct filter *filter_of_ids(struct arena *a, const struct str *ids, uint32_t count);
struct filter *filter_of_pattern(struct arena *a, struct pattern *p);
struct filter *filter_of_type(struct arena *a, struct type_expr *t);
struct filter *filter_of_scope(struct arena *a, struct scope_expr *s);
struct filter *filter_of_attrs(struct arena *a, struct name *names, uint32_t count);
/* Names that read_q saw, for the rule that a query needs at least one non-system attribute (5.7.2.4). */
bool filter_has_attribute(const struct filter *f);
/* Releases compiled patterns and geometries; the rest belongs to the arena. NULL is fine. */
void filter_free(struct filter *f);

/* How evaluation reaches linked entities: NULL when not found. The tree lives in the arena. */
struct filter_env {
    struct arena *arena; /* scratch */
    const struct entity *(*lookup)(struct filter_env *env, struct str id);
};
bool filter_match(const struct filter *f, const struct entity *e, struct filter_env *env);
bool type_expr_match(const struct type_expr *t, const struct entity *e);
bool scope_expr_match(const struct scope_expr *s, const struct str *scopes, uint32_t count);
bool scope_pattern_match(struct str pattern, struct str scope);

/* orderBy, clause 4.23. */
struct order_key {
    uint32_t path_count; /* 1 with term of id/type/…: see system */
    struct name *path;
    uint32_t value_path_count;
    struct str *value_path;
    uint8_t system; /* 0: attribute; else enum order_system */
    bool descending;
    bool by_distance;
};
enum order_system { ORDER_ATTR, ORDER_ID, ORDER_TYPE, ORDER_SCOPE, ORDER_CREATED, ORDER_MODIFIED };
struct order {
    uint32_t count;
    struct order_key *keys;
    struct geometry *from; /* for distance */
    void *collator;        /* ICU; freed with order_free */
};
MUST_USE enum status order_read(const struct filter_reader *r, struct str order_by, struct str collation,
                                struct str order_from, struct str order_geometry, struct order **out,
                                struct why *why);
void order_free(struct order *o);
/* Total: ties are broken by created_seq by the caller. */
int order_compare(const struct order *o, const struct entity *a, const struct entity *b, struct arena *scratch);

#endif
