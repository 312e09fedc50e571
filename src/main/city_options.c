/* What the configuration says, as the parts take it. The keys and their bounds: options.c. */
#include "main/city_options.h"

#include "base/machine.h"
#include "main/options.h"

#include <unistd.h>

enum { THREADS_DEFAULT_MAX = 4, VISIT_SLICE = 4096, SEND_TIMEOUT_MS = 10000 };

static uint32_t limit(const struct config *c, const char *key)
{
    return (uint32_t)config_int(c, "limits", key);
}

struct ngsild_limits city_options_limits(const struct config *c)
{
    return (struct ngsild_limits){
        .body_bytes = (size_t)config_int(c, "limits", "body_bytes"),
        .answer_bytes = (size_t)config_int(c, "limits", "answer_bytes"),
        .json_depth = limit(c, "json_depth"),
        .batch = limit(c, "batch"),
        .page = limit(c, "page"),
        .page_default = limit(c, "page_default"),
        .offset = (uint64_t)config_int(c, "limits", "offset"),
        .visit = limit(c, "visit"),
        .ids = limit(c, "ids"),
        .join_level = limit(c, "join_level"),
        .linked_entities = limit(c, "linked_entities"),
        .temporal_points = limit(c, "temporal_points"),
        .last_n = limit(c, "last_n"),
        .aggregation_periods = limit(c, "aggregation_periods"),
        .aggregation_values = limit(c, "aggregation_values"),
        .tenant_bytes = limit(c, "tenant_bytes"),
        .request_us = config_int(c, "server", "answer_timeout"),
        .reader = {.attrs_max = limit(c, "attributes"),
                   .depth_max = limit(c, "attribute_depth"),
                   .types_max = limit(c, "types"),
                   .scopes_max = limit(c, "scopes"),
                   .name_bytes_max = limit(c, "name_bytes"),
                   .coordinates_max = limit(c, "coordinates"),
                   .instances_max = limit(c, "instances")},
        .filter = {.nodes_max = limit(c, "query_terms"),
                   .depth_max = limit(c, "query_depth"),
                   .pattern_bytes_max = limit(c, "pattern_bytes"),
                   .coordinates_max = limit(c, "coordinates")},
        .projection = {.names_max = limit(c, "projection_names"), .depth_max = limit(c, "projection_depth")},
    };
}

struct broker_subscriptions city_options_subscriptions(const struct config *c)
{
    struct ngsild_limits l = city_options_limits(c);
    return (struct broker_subscriptions){
        .most = limit(c, "subscriptions"),
        .bytes_max = (size_t)config_int(c, "limits", "subscription_bytes"),
        .limits = {
            .filter = l.filter,
            .projection = l.projection,
            .selectors_max = limit(c, "subscription_selectors"),
            .names_max = limit(c, "subscription_names"),
            .pairs_max = limit(c, "subscription_pairs"),
            .timeout_max_ms = (uint32_t)(config_int(c, "subscriptions", "timeout") / 1000),
            .interval_min_us = config_int(c, "subscriptions", "interval_min"),
        },
    };
}

struct broker_registrations city_options_registrations(const struct config *c)
{
    struct ngsild_limits l = city_options_limits(c);
    return (struct broker_registrations){
        .most = limit(c, "registrations"),
        .bytes_max = (size_t)config_int(c, "limits", "registration_bytes"),
        .limits = {
            .filter = l.filter,
            .projection = l.projection,
            .reader = l.reader,
            .items_max = limit(c, "registration_items"),
        },
    };
}

struct notify_options city_options_notify(const struct config *c)
{
    return (struct notify_options){
        .limits = city_options_subscriptions(c).limits,
        .waiting_max = (uint32_t)config_int(c, "subscriptions", "waiting"),
        .waiting_bytes_max = (size_t)config_int(c, "subscriptions", "waiting_bytes"),
        .message_bytes_max = (size_t)config_int(c, "subscriptions", "message_bytes"),
        .entities_max = (uint32_t)config_int(c, "subscriptions", "message_entities"),
        .interval_max = (uint32_t)config_int(c, "subscriptions", "interval_entities"),
        .linked_max = limit(c, "linked_entities"),
        .attempts_max = (uint32_t)config_int(c, "subscriptions", "attempts"),
        .http_max = (uint32_t)config_int(c, "egress", "connections_per_host"),
        .mqtt_max = (uint32_t)config_int(c, "egress", "mqtt_under_way"),
        .timeout_ms = (uint32_t)(config_int(c, "subscriptions", "timeout_default") / 1000),
        .cooldown_us = config_int(c, "subscriptions", "cooldown"),
        .cooldown_max_us = config_int(c, "subscriptions", "cooldown_max"),
    };
}

enum status city_options_retention(const struct config *c, struct store_retention *out, struct why *why)
{
    const struct str *lines;
    size_t n = config_strs(c, "history", "policies", &lines);
    *out = (struct store_retention){.rules = retention_new(lines, n, why),
                                    .disk_bytes_max = (uint64_t)config_int(c, "history", "disk_bytes"),
                                    .sweep_interval_us = config_int(c, "history", "sweep_interval")};
    return out->rules ? OK : why->status;
}

struct embedded_options city_options_store(const struct config *c)
{
    return (struct embedded_options){
        .dir = config_str(c, "store", "dir").p,
        .durability = config_int(c, "store", "durability") ? EMBEDDED_INTERVAL : EMBEDDED_SYNC,
        .interval_ms = (uint32_t)(config_int(c, "store", "interval") / 1000),
        .segment_bytes = (size_t)config_int(c, "store", "segment_bytes"),
        .log_bytes_max = (size_t)config_int(c, "store", "log_bytes"),
        .group_bytes_max = (size_t)config_int(c, "store", "group_bytes"),
        .state_bytes_max = (size_t)config_int(c, "store", "state_bytes"),
        .disk_reserve_bytes = (size_t)config_int(c, "store", "disk_reserve"),
        .history_bytes_max = (size_t)config_int(c, "store", "history_bytes"),
        .tenants_max = limit(c, "tenants"),
        .growth = {.bytes_max = (size_t)config_int(c, "limits", "entity_bytes"),
                   .attrs_max = limit(c, "attributes"),
                   .types_max = limit(c, "types"),
                   .scopes_max = limit(c, "scopes")},
        .value_indexes_max = (uint32_t)config_int(c, "store", "value_indexes"),
        .visit_slice = VISIT_SLICE,
        .clock = &clock_system,
    };
}

struct entity_map_options city_options_maps(const struct config *c)
{
    return (struct entity_map_options){
        .maps_max = limit(c, "entity_maps"),
        .entities_max = limit(c, "entity_map_entities"),
        .bytes_max = (size_t)config_int(c, "limits", "entity_map_bytes"),
        .lifetime_us = config_int(c, "limits", "entity_map_lifetime"),
        .clock = &clock_system,
    };
}

struct snapshots_options city_options_snapshots(const struct config *c)
{
    return (struct snapshots_options){
        .snapshots_max = limit(c, "snapshots"),
        .entities_max = limit(c, "snapshot_entities"),
        .instances_max = limit(c, "snapshot_instances"),
        .lifetime_us = config_int(c, "limits", "snapshot_lifetime"),
        .linked_max = limit(c, "linked_entities"),
        .send_timeout_ms = SEND_TIMEOUT_MS,
    };
}

struct contexts_options city_options_contexts(const struct config *c)
{
    return (struct contexts_options){
        .limits = {.terms_max = limit(c, "context_terms"),
                   .remotes_max = limit(c, "context_remotes"),
                   .depth_max = limit(c, "context_depth"),
                   .scoped_refused = true /* clause 5.5.7 */},
        .cache_bytes_max = (size_t)config_int(c, "contexts", "cache_bytes"),
        .document_bytes_max = (size_t)config_int(c, "contexts", "document_bytes"),
        .fetches_max = (uint32_t)config_int(c, "contexts", "fetches"),
        .timeout_ms = (uint32_t)(config_int(c, "contexts", "timeout") / 1000),
        .fresh_us = config_int(c, "contexts", "fresh"),
        .json_depth_max = limit(c, "json_depth"),
        .hosted_max = (uint32_t)config_int(c, "contexts", "hosted"),
        .hosted_bytes_max = (size_t)config_int(c, "contexts", "hosted_bytes"),
    };
}

struct http_server_options city_options_server(const struct config *c, size_t threads)
{
    return (struct http_server_options){
        .address = config_str(c, "server", "listen"),
        .connections_max = limit(c, "connections") / (uint32_t)threads + 1,
        .connections_per_peer_max = limit(c, "connections_per_peer"),
        .idle_timeout_s = (uint32_t)(config_int(c, "server", "idle_timeout") / 1000000),
        .request_timeout_s = (uint32_t)(config_int(c, "server", "request_timeout") / 1000000),
        .uri_bytes_max = (size_t)config_int(c, "limits", "uri_bytes"),
        .header_bytes_max = (size_t)config_int(c, "limits", "header_bytes"),
        .body_bytes_max = (size_t)config_int(c, "limits", "body_bytes"),
        .arena_bytes_max = options_request_memory((size_t)config_int(c, "limits", "request_memory"), machine_memory()),
        .stream_pending_bytes_max = (size_t)config_int(c, "live", "pending_bytes"),
    };
}

struct live_options city_options_live(const struct config *c)
{
    return (struct live_options){
        .streams_max = (uint32_t)config_int(c, "live", "streams"),
        .ring_bytes_max = (size_t)config_int(c, "live", "ring_bytes"),
        .heartbeat_us = config_int(c, "live", "heartbeat"),
        .pending_bytes_max = (size_t)config_int(c, "live", "pending_bytes"),
    };
}

/* Does the city listen where this machine alone can reach it? */
static bool listens_on_loopback(struct str address)
{
    return str_starts(address, STR("127.")) || str_starts(address, STR("[::1]")) || str_starts(address, STR("localhost:"));
}

struct sql_options city_options_sql(const struct config *c)
{
    return (struct sql_options){
        .threads = (uint32_t)config_int(c, "sql", "threads"),
        .waiting_max = limit(c, "sql_waiting"),
        .time_us = config_int(c, "limits", "sql_seconds"),
        .rows_max = (uint64_t)config_int(c, "limits", "sql_rows"),
        .bytes_max = (size_t)config_int(c, "limits", "answer_bytes"),
        .memory_max = (size_t)config_int(c, "limits", "sql_memory"),
        .text_max = (size_t)config_int(c, "limits", "sql_bytes"),
        .periods_max = limit(c, "aggregation_periods"),
        .values_max = limit(c, "aggregation_values"),
    };
}

bool city_options_sql_enabled(const struct config *c)
{
    enum { NEVER, LOOPBACK, ALWAYS };
    int64_t enabled = config_int(c, "sql", "enabled");
    return enabled == ALWAYS || (enabled == LOOPBACK && listens_on_loopback(config_str(c, "server", "listen")));
}

size_t city_options_threads(const struct config *c)
{
    int64_t wanted = config_int(c, "server", "threads");
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (wanted > 0)
        return (size_t)wanted;
    return cpus < 1 ? 1 : cpus > THREADS_DEFAULT_MAX ? THREADS_DEFAULT_MAX : (size_t)cpus;
}
