/* What a query says, from URL parameters or from a Query body (CIM 009 clauses
 * 5.2.23, 6.4.3.2, 6.23.3.1), brought to one form, then to a filter, an order and a
 * representation. */
#ifndef FRONT_NGSILD_QUERY_INPUT_H
#define FRONT_NGSILD_QUERY_INPUT_H

#include "front/ngsild/exchange.h"
#include "model/links.h"

/* Absent members were not given. */
struct query_selector {
    struct str type;
    struct str *ids;
    uint32_t id_count;
    struct str id_pattern;
};

struct query_input {
    struct query_selector *selectors; /* any of these */
    uint32_t selector_count;
    struct str q, scope_q, csf;
    struct str georel, geometry, geoproperty;
    const struct json *coordinates;
    struct str *attrs;
    uint32_t attr_count;
    struct str pick, omit;
    struct str lang;
    struct str *datasets;
    uint32_t dataset_count;
    struct str *expand_values;
    uint32_t expand_value_count;
    struct str *json_keys;
    uint32_t json_key_count;
    struct str order_by, collation, order_from, order_geometry;
    struct str geometry_property;
    struct str join;
    uint64_t join_level; /* 1 when not given */
    struct str *contained;
    uint32_t contained_count;
    bool entity_map, split, split_given;
    struct str map_lifetime;
    bool local;
    bool all_types; /* type is "*" */
};

MUST_USE enum status query_input_params(struct exchange *x, struct query_input *in);
MUST_USE enum status query_input_body(struct exchange *x, struct query_input *in);
/* Sets x->filter, and x->order when one is asked for; refuses a query that is too wide (5.7.2.4). */
MUST_USE enum status query_input_filter(struct exchange *x, const struct query_input *in);
/* The filter of the candidates of an entity map: x->filter, or, where entities may be split (5.7.2.4), the selectors
 * alone. Call it behind query_input_filter(). */
MUST_USE enum status query_input_candidates(struct exchange *x, const struct query_input *in, struct filter **out);
/* A hash of what decides which entities match: equal for the requests that belong to one entity map (5.5.14). */
uint64_t query_input_print(struct exchange *x, const struct query_input *in);
/* The same of a query of temporal evolutions (5.7.4.4), whose parts are asked of different things. x->filter has the
 * values; the rest is released with it. x->order, when one is asked for, is of ids. */
struct query_parts {
    struct filter *entities, *values; /* types, ids, patterns; q and geo-query. NULL: any */
    struct scope_expr *scopes;
};
MUST_USE enum status query_input_parts(struct exchange *x, const struct query_input *in, struct query_parts *out);
/* Fills the representation: format, projection, language, datasets, GeoJSON; and join. */
MUST_USE enum status query_input_represent(struct exchange *x, const struct query_input *in, struct represent *r,
                                           struct join *join);
/* All of that but the format, which temporal representations have of their own. */
MUST_USE enum status query_input_show(struct exchange *x, const struct query_input *in, struct represent *r, struct join *join);
/* query_links.c: what is said of linked entities and entity maps, by the URL, by the body; then what to join. */
MUST_USE enum status query_links_params(struct exchange *x, struct query_input *in);
MUST_USE enum status query_links_body(struct exchange *x, struct query_input *in);
MUST_USE enum status query_links_read(struct exchange *x, const struct query_input *in, struct join *out);
/* Members of the body: a string; a string or an array of strings. None may be empty. */
MUST_USE enum status query_string_member(struct exchange *x, const char *name, struct str *out);
MUST_USE enum status query_strings_member(struct exchange *x, const char *name, struct str **out, uint32_t *count);
/* Parameters of merge operations (6.5.3.4): format, lang, observedAt. */
MUST_USE enum status query_input_merge(struct exchange *x, struct reader *reader);

#endif
