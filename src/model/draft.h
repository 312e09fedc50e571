/* Drafts: what is stored of subscriptions and registrations while it is made from an
 * input, member by member. Each member has a function that checks it and gives its
 * stored form, which needs no @context: names are IRIs, texts of the query languages as
 * model/iri_text.h has them. Refusals carry the JSON Pointer of the member. */
#ifndef MODEL_DRAFT_H
#define MODEL_DRAFT_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "model/context.h"
#include "model/filter.h"
#include "model/represent.h"
#include "model/temporal.h"

enum { DRAFT_VERSION = 1, DRAFT_BYTES_MAX = 16 << 20, DRAFT_DEPTH_MAX = 64 };

struct draft {
    const struct context *context;
    struct arena *arena; /* of all that is made */
    struct why *why;
    const struct filter_limits *filter;
    const struct projection_limits *projection;
    uint32_t items_max; /* elements of an array */
    const char *items_limit;
};

/* A function that checks v, which stands at `at`, and gives its stored form. */
struct draft_member {
    const char *name;
    enum status (*read)(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out);
};

/* Reads v, an object, by a table. Members that are in no table, or have no function, are left out
 * (clause 5.2.12: what is read-only is ignored). NGSI-LD Null, and null itself, is E_BAD_DATA, or
 * with `fragment`, which is a JSON Merge Patch, becomes JSON_NULL (5.4, 5.5.8). */
MUST_USE enum status draft_object(struct draft *d, const struct draft_member *members, size_t count,
                                  bool fragment, const struct json *v, const struct at *at,
                                  struct json *out);
/* Is name that of a member of the table? */
bool draft_member_known(const struct draft_member *members, size_t count, struct str name);
/* An array of at least one element. */
MUST_USE enum status draft_array(struct draft *d,
                                 enum status (*read)(struct draft *, const struct json *,
                                                     const struct at *, struct json *),
                                 const struct json *v, const struct at *at, struct json *out);
/* Is v the NGSI-LD Null? */
bool draft_is_null(const struct json *v);
/* A stored document as a tree; E_DAMAGED when it is none of this version. */
MUST_USE enum status draft_parse(struct arena *a, struct str stored, struct json *out,
                                 struct why *why);
/* Writes an object that has members; at_context: JSON text of one more, "@context", absent: none.
 */
void draft_write(struct buf *b, const struct json *object, struct str at_context);
/* A string member, or absent; a boolean one that is true. */
static inline struct str draft_text_of(const struct json *o, struct str key)
{
    const struct json *v = json_get(o, key);
    return json_is(v, JSON_STRING) ? v->string : STR_NONE;
}
static inline bool draft_is_true(const struct json *o, struct str key)
{
    const struct json *v = json_get(o, key);
    return json_is(v, JSON_BOOL) && v->boolean;
}
/* Adds a member to an object that grows, or sets the one that is there. */
void draft_set(struct arena *a, struct json *object, struct str key, struct json value);
void draft_remove(struct json *object, struct str key);
struct json draft_text(struct str s); /* a JSON string, borrowed */
struct json draft_time(int64_t us, struct arena *a);
/* A refusal of `at` for what w says. */
enum status draft_relay(struct draft *d, const struct at *at, enum status st, const struct why *w);
/* E_BAD_DATA unless v is of that kind. */
MUST_USE enum status draft_kind(struct draft *d, const struct json *v, enum json_kind kind,
                                const struct at *at);

/* ---- members that several types have ---- */

enum status draft_string(struct draft *d, const struct json *v, const struct at *at,
                         struct json *out);
enum status draft_uri(struct draft *d, const struct json *v, const struct at *at, struct json *out);
/* An http or https URL with a host. */
enum status draft_url(struct draft *d, const struct json *v, const struct at *at, struct json *out);
enum status draft_bool(struct draft *d, const struct json *v, const struct at *at,
                       struct json *out);
enum status draft_positive(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out); /* a number above 0 */
enum status draft_count(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out); /* an integer above 0 */
enum status draft_datetime(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out);
enum status draft_pattern(struct draft *d, const struct json *v, const struct at *at,
                          struct json *out);
enum status draft_name(struct draft *d, const struct json *v, const struct at *at,
                       struct json *out); /* IRI */
enum status draft_names(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out); /* IRIs */
enum status draft_datasets(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out);
enum status draft_name_list(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out); /* "a,b" */
enum status draft_types(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out); /* type selection */
enum status draft_q(struct draft *d, const struct json *v, const struct at *at, struct json *out);
enum status draft_scopes(struct draft *d, const struct json *v, const struct at *at,
                         struct json *out);
enum status draft_geo_query(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out);
/* Of a checked TemporalQuery, which instances it means. E_BAD_DATA. */
MUST_USE enum status draft_read_temporal_query(const struct json *v, struct temporal_query *out,
                                               struct why *why);
enum status draft_temporal_query(struct draft *d, const struct json *v, const struct at *at,
                                 struct json *out);
/* KeyValuePair[] (5.2.22): keys are tokens of RFC 9110, values have no control characters, so that
 * neither can add lines to a message. */
enum status draft_pairs(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out);
/* Language ranges with weights (4.15). */
enum status draft_languages(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out);

/* The coordinates of a GeoQuery as an array: they may come as a string that contains JSON (4.7.1).
 */
MUST_USE enum status draft_coordinates(const struct json *v, struct arena *a, struct json *out,
                                       struct why *why);
/* q, with the names of expandValues and jsonKeys ("a,b", absent: none) as written. */
MUST_USE enum status draft_query(struct draft *d, struct str q, struct str expand_values,
                                 struct str json_keys, const struct at *at, struct json *out);

#endif
