/* One request on its way through the NGSI-LD front end, from its first byte decoded
 * to its answer. It lives in the request's arena; exactly one answer_…() ends it. */
#ifndef FRONT_NGSILD_EXCHANGE_H
#define FRONT_NGSILD_EXCHANGE_H

#include "api_endpoints.h"
#include "base/json.h"
#include "broker/consume.h"
#include "front/ngsild/ngsild.h"
#include "front/ngsild/prefer.h"

enum media {
    MEDIA_JSON,
    MEDIA_LD_JSON,
    MEDIA_GEO_JSON,
};

struct exchange {
    struct ngsild *api;
    struct broker *broker;
    struct http_request *http;
    struct arena *arena;
    const struct endpoint *endpoint;
    struct str variables[3];    /* decoded path variables: entity id, attribute name, instance id */
    struct str params[PARAMS];  /* decoded; absent: not given or empty */
    uint64_t keywords;          /* KEYWORD_BIT of options */
    enum media accept;
    enum media content;         /* of the body */
    struct prefer prefer;
    struct caller caller;
    struct str tenant_echo;     /* NGSILD-Tenant as given; absent: none */
    struct str snapshot_echo;   /* NGSILD-Snapshot likewise: all is local to that snapshot (clause 5.5.13) */
    struct json body;
    struct json spec;           /* the @context asked for, when has_spec */
    bool has_spec;
    struct contexts_call resolving;
    void (*resolved)(struct exchange *x); /* what goes on behind it */
    struct context *context;    /* one reference, once resolved */
    struct filter *filter;      /* freed at the end */
    struct order *order;
    struct filter *extra_filters[4]; /* further owners of patterns and geometries */
    uint32_t extra_filter_count;
    struct why why;
};

static inline bool exchange_has(const struct exchange *x, uint32_t param)
{
    return !str_absent(x->params[param]);
}
static inline bool exchange_option(const struct exchange *x, uint32_t keyword)
{
    return (x->keywords & KEYWORD_BIT(keyword)) != 0;
}
/* Amends e to the version that the client prefers (clause 4.3.6.8); true: something was changed. */
bool exchange_conform(const struct exchange *x, struct entity *e);
/* The same of an evolution; bare: values are shown with their times alone. */
bool exchange_conform_evolution(const struct exchange *x, struct evolution *e, bool bare);
/* Where clients reach this city: server.url, else the authority that this one names. In the arena. */
struct str exchange_base(const struct exchange *x);
/* Runner of the request's loop. */
struct runner *exchange_home(const struct exchange *x);
/* Monotonic µs by which the store must have answered. */
int64_t exchange_deadline(const struct exchange *x);
/* The @context of the request as a URL that others can fetch (clause 5.8.1.4). */
struct str exchange_context_url(const struct exchange *x);
/* The tenant that the request names, checked. */
MUST_USE enum status exchange_set_tenant(struct exchange *x, struct str name);
/* The exchange of a page that is no operation of NGSI-LD; x is zero. */
void exchange_open(struct exchange *x, struct ngsild *api, struct http_request *http);
/* Its tenant and its @context, as headers name them. */
MUST_USE enum status exchange_read_headers(struct exchange *x);
/* Goes on with resolved, possibly before this returns: x has its context, or x->why says why not. */
void exchange_resolve(struct exchange *x, void (*resolved)(struct exchange *x));
/* Releases what does not live in the arena; called by the answers. */
void exchange_end(struct exchange *x);

/* Reader with the exchange's context, limits and arena. */
struct reader exchange_reader(const struct exchange *x, enum reader_mode mode);
struct filter_reader exchange_filter_reader(const struct exchange *x);
/* The entity id of the path, checked (clause 5.6.x: BadRequestData). */
MUST_USE enum status exchange_entity_id(struct exchange *x);
/* The attribute of the path, expanded; only looked up unless intern. */
MUST_USE enum status exchange_attr(struct exchange *x, bool intern, uint32_t *term);
/* The optional "type" parameter as a selection; *out NULL when not given. */
MUST_USE enum status exchange_only_type(struct exchange *x, struct type_expr **out);

/* Operations, one a line of api/endpoints.tsv; called with the context resolved. */
void provision_create(struct exchange *x);
void provision_replace(struct exchange *x);
void provision_merge(struct exchange *x);
void provision_delete(struct exchange *x);
void provision_append(struct exchange *x);
void provision_update(struct exchange *x);
void provision_update_attr(struct exchange *x);
void provision_replace_attr(struct exchange *x);
void provision_delete_attr(struct exchange *x);
void provision_purge(struct exchange *x);
void batch_run(struct exchange *x);
void batch_delete(struct exchange *x);
void snapshots_create(struct exchange *x);
void snapshots_purge(struct exchange *x);
void snapshots_retrieve(struct exchange *x);
void snapshots_update(struct exchange *x);
void snapshots_delete(struct exchange *x);
void snapshots_clone(struct exchange *x);
void entity_maps_retrieve(struct exchange *x);
void entity_maps_update(struct exchange *x);
void entity_maps_delete(struct exchange *x);
void entity_maps_create(struct exchange *x);
void entity_maps_create_post(struct exchange *x);
void consumption_retrieve(struct exchange *x);
void consumption_query(struct exchange *x);
void consumption_query_post(struct exchange *x);
void evolutions_create(struct exchange *x);
void evolutions_append(struct exchange *x);
void evolutions_delete(struct exchange *x);
void evolutions_delete_attr(struct exchange *x);
void evolutions_update_instance(struct exchange *x);
void evolutions_delete_instance(struct exchange *x);
void evolutions_retrieve(struct exchange *x);
void evolutions_query(struct exchange *x);
void evolutions_query_post(struct exchange *x);
void evolutions_map(struct exchange *x);
void evolutions_map_post(struct exchange *x);
void registrations_post(struct exchange *x);
void registrations_query(struct exchange *x);
void registrations_get(struct exchange *x);
void registrations_patch(struct exchange *x);
void registrations_remove(struct exchange *x);
/* Also of registration subscriptions. */
void subscriptions_post(struct exchange *x);
void subscriptions_query(struct exchange *x);
void subscriptions_get(struct exchange *x);
void subscriptions_patch(struct exchange *x);
void subscriptions_remove(struct exchange *x);
void discovery_types(struct exchange *x);
void discovery_type(struct exchange *x);
void discovery_attributes(struct exchange *x);
void discovery_attribute(struct exchange *x);
void info_source_identity(struct exchange *x);
void jsonld_contexts_add(struct exchange *x);
void jsonld_contexts_list(struct exchange *x);
void jsonld_contexts_serve(struct exchange *x);
void jsonld_contexts_delete(struct exchange *x);

#endif
