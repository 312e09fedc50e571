/* Context source registrations (CIM 009 clauses 5.2.9 … 5.2.11, 5.2.34), as they are
 * stored (a JSON document that needs no @context, like subscriptions), compiled for
 * matching, and shown; and which of them a query or a subscription means (5.10.2,
 * 5.11.2, 5.12). */
#ifndef MODEL_REGISTRATION_H
#define MODEL_REGISTRATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "model/context.h"
#include "model/entity.h"
#include "model/filter.h"
#include "model/reader.h"
#include "model/represent.h"
#include "model/subscription.h"
#include "model/temporal.h"

struct registration_limits {
    struct filter_limits filter;
    struct projection_limits projection;
    struct reader_limits reader;
    uint32_t items_max; /* elements of an array, "limits.registration_items" */
};

struct registration_reader {
    const struct context *context;
    const struct registration_limits *limits;
    struct arena *arena;
    int64_t now_us;
};

/* body: the CSourceRegistration as it came. id: given to one that has none. E_BAD_DATA and others
 * with the member's pointer. */
MUST_USE enum status registration_read(const struct registration_reader *r, const struct json *body,
                                       struct str id, struct buf *stored, struct why *why);
/* stored with the fragment applied (5.9.3.4, 5.5.8). */
MUST_USE enum status registration_change(const struct registration_reader *r, struct str stored,
                                         const struct json *fragment, struct buf *changed,
                                         struct why *why);

/* ---- compiled ---- */

enum registration_mode { MODE_INCLUSIVE, MODE_EXCLUSIVE, MODE_REDIRECT, MODE_AUXILIARY };

struct entity_info {
    struct str *types; /* IRIs: an entity has all of them */
    uint32_t type_count;
    struct str id; /* absent: none; goes before id_pattern */
    struct pattern *id_pattern;
};

struct registration_info {
    struct entity_info *entities; /* none: any entity */
    uint32_t entity_count;
    struct str *names; /* IRIs of properties and relationships; none: any */
    uint32_t name_count;
};

struct time_span {
    bool given;
    int64_t start, end; /* µs; end TIME_NONE: open */
};

struct registration {
    struct str id;
    uint8_t mode; /* enum registration_mode */
    struct registration_info *infos;
    uint32_t info_count;
    struct str *datasets;
    uint32_t dataset_count;
    struct time_span observed, managed; /* observationInterval, managementInterval */
    int64_t expires_at;                 /* µs, TIME_NONE: never */
    struct entity properties;           /* its Context Source Properties, places and scopes */
};
/* Into the arena; free what is not there with registration_free(). stored as written by the two
 * above: E_DAMAGED when it is not. */
MUST_USE enum status registration_compile(struct registration **out, struct str stored,
                                          const struct registration_limits *limits, struct arena *a,
                                          struct why *why);
void registration_free(struct registration *r); /* NULL is fine */
/* When it ends, without compiling: µs, TIME_NONE for never. */
int64_t registration_expiry(struct str stored, struct arena *a);

/* ---- matching ---- */

struct registration_query {
    const struct entity_selector *selectors; /* any of these; none: any entity */
    uint32_t selector_count;
    struct str *names; /* IRIs, at least one of them; none: any attribute */
    uint32_t name_count;
    const struct filter *geo, *scope, *csf; /* resolved; NULL: not given */
    const struct str *datasets;
    uint32_t dataset_count;
    struct temporal_query temporal; /* no relation: those of today */
};
/* infos: for each RegistrationInfo of r, does it match? One at least when true is returned. */
bool registration_matches(const struct registration *r, const struct registration_query *q,
                          bool *infos, struct arena *scratch);
/* Adds the attributes that f looks at, IRIs that live as long as f, to q->names (5.10.2.4). */
void registration_query_names(struct registration_query *q, const struct filter *f,
                              struct arena *a);
void registration_query_name(struct registration_query *q, struct str iri, struct arena *a);
/* What a registration subscription asks for (5.11.2.4). s and stored: the same subscription; *csf
 * is the caller's to filter_free(). */
MUST_USE enum status registration_query_of(struct registration_query *q, struct subscription *s,
                                           struct str stored, const struct terms *terms,
                                           const struct filter_limits *limits, struct arena *a,
                                           struct filter **csf, struct why *why);
/* Entities that r says are elsewhere: of an exclusive one, those with such an id and attribute; of
 * a redirect one, all that it describes. A filter for the store, in the arena (patterns are r's).
 */
struct filter *registration_entities(const struct registration *r, const struct terms *terms,
                                     struct arena *a);
/* May no two such stand beside one another (4.3.6.3, 5.9.2.4)? */
bool registration_conflicts(const struct registration *x, const struct registration *y);

/* As retrieved (5.10.1): names compacted. infos: those to show, NULL for all. */
MUST_USE enum status registration_represent(struct buf *b, struct str stored,
                                            const struct context *context, const bool *infos,
                                            struct str at_context, bool sys_attrs, struct arena *a,
                                            struct why *why);

#endif
