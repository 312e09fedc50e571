/* The table behind wellspring.toml, WELLSPRING_SECTION_KEY and the flags. Names of
 * limits are the ones that refusals quote. */
#include "main/options.h"

#define TEXT(section, key, preset, flag, help) {section, key, OPTION_STRING, preset, 0, 0, NULL, flag, false, help}
#define COUNT(section, key, preset, min, max, help) {section, key, OPTION_INT, preset, min, max, NULL, NULL, false, help}
#define SIZE(section, key, preset, min, max, help) {section, key, OPTION_BYTES, preset, min, max, NULL, NULL, false, help}
#define SPAN(section, key, preset, min, max, help) {section, key, OPTION_DURATION, preset, min, max, NULL, NULL, false, help}

#define MS INT64_C(1000)
#define S (1000 * MS)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

const struct config_option OPTIONS[] = {
    TEXT("server", "listen", "\"127.0.0.1:1026\"", "listen", "address and port; 0.0.0.0:1026 is every interface, port 0 any free one"),
    {"server", "threads", OPTION_INT, "0", 0, 64, NULL, "threads", false, "event loops; 0: one a processor, four at most"},
    TEXT("server", "url", "\"\"", NULL, "scheme and authority that clients know the city by, for URLs that it makes: \"https://city.example\"; empty: http:// and the Host of each request"),
    TEXT("server", "alias", "\"\"", "alias", "name of this context source in Via headers, letters, digits, '-', '_' and '.'; empty: made from the data's own number"),
    SPAN("server", "idle_timeout", "\"60 s\"", S, 86400 * S, "connections that are silent for so long are closed"),
    SPAN("server", "request_timeout", "\"30 s\"", S, 3600 * S, "head and body of a request must arrive within"),
    SPAN("server", "answer_timeout", "\"60 s\"", 100 * MS, 3600 * S, "the store must have answered within"),
    SPAN("server", "drain_timeout", "\"10 s\"", 0, 600 * S, "open requests may finish for so long after SIGTERM"),
    SPAN("server", "close_timeout", "\"20 s\"", 0, 3600 * S, "then notifications, and then requests that wait for the store, may take so long before the process ends without them"),

    TEXT("store", "dir", "\"wellspring-data\"", "data", "the data directory"),
    {"store", "durability", OPTION_CHOICE, "\"sync\"", 0, 0, "sync|interval", "durability", false, "sync: durable before the answer; interval: synced every store.interval"},
    SPAN("store", "interval", "\"100 ms\"", MS, 60 * S, "with durability interval: what a crash of the machine may lose"),
    SIZE("store", "segment_bytes", "\"64 MiB\"", 64 * KIB, 4 * GIB, "size of a log segment"),
    SIZE("store", "log_bytes", "\"1 GiB\"", MIB, TIB, "size of the log at which writes wait for a fold, or are refused when that fails; at least two segments"),
    SIZE("store", "group_bytes", "\"4 MiB\"", 64 * KIB, GIB, "size of a commit group"),
    SIZE("store", "state_bytes", "0", 0, 64 * TIB, "memory for documents and indexes; 0: three quarters of the machine's, or of what control groups allow"),
    SIZE("store", "disk_reserve", "\"256 MiB\"", 0, TIB, "free disk below which creations are refused"),
    SIZE("store", "history_bytes", "\"128 MiB\"", MIB, TIB, "memory for history that is not folded yet: a fold is begun at it, and writes wait at twice as much"),
    COUNT("store", "value_indexes", "16", 0, 4096, "ordered indexes on attributes that queries use, per tenant"),

    {"history", "policies", OPTION_STRINGS, "[]", 0, 0, NULL, NULL, true, "how long history is kept, a line of words each (docs/history.md): \"type=AirQualityObserved keep=90d minutes=1y days=forever\"; empty: everything, forever"},
    {"history", "disk_bytes", OPTION_BYTES, "0", 0, 1024 * TIB, NULL, NULL, true, "history on the disk, about, at which its oldest part goes, whatever policies say; 0: no bound"},
    {"history", "sweep_interval", OPTION_DURATION, "\"1 h\"", 100 * MS, 30 * 86400 * S, NULL, NULL, true, "what of the history is older than that is looked for every"},

    SIZE("limits", "body_bytes", "\"128 MiB\"", KIB, 4 * GIB, "body of a request"),
    SIZE("limits", "answer_bytes", "\"256 MiB\"", KIB, 4 * GIB, "body of an answer"),
    SIZE("limits", "uri_bytes", "\"8 KiB\"", 256, MIB, "path and query of a request"),
    SIZE("limits", "header_bytes", "\"10 KiB\"", KIB, MIB, "head of a request; each open connection keeps this much and 4 KiB"),
    SIZE("limits", "request_memory", "0", 0, 64 * GIB, "working memory of one request; 0: 2 GiB, or a quarter of the machine's or of what control groups allow where that is less"),
    COUNT("limits", "json_depth", "64", 4, 1000, "nesting of a JSON body"),
    COUNT("limits", "connections", "20000", 1, 10000000, "open connections"),
    COUNT("limits", "connections_per_peer", "0", 0, 10000000, "open connections of one address; 0: no limit"),
    COUNT("limits", "batch", "0", 0, 100000000, "elements of a batch; 0: bounded by body_bytes alone"),
    COUNT("limits", "page", "1000", 1, 1000000, "largest limit parameter"),
    COUNT("limits", "page_default", "20", 1, 1000000, "entities in a page when limit is not given"),
    COUNT("limits", "offset", "1000000000", 0, INT64_C(1) << 40, "largest offset parameter"),
    COUNT("limits", "ids", "10000", 1, 1000000, "parts of a list in a query"),
    COUNT("limits", "join_level", "10", 1, 64, "largest joinLevel parameter"),
    COUNT("limits", "linked_entities", "10000", 1, 10000000, "relationships followed for one answer with join"),
    COUNT("limits", "entity_maps", "1000", 1, 1000000, "entity maps at a time"),
    COUNT("limits", "entity_map_entities", "1000000", 1, INT64_C(1) << 31, "entities in an entity map"),
    SIZE("limits", "entity_map_bytes", "\"128 MiB\"", KIB, TIB, "memory for entity maps"),
    SPAN("limits", "entity_map_lifetime", "\"1 h\"", S, 365 * 86400 * S, "longest life of an entity map, and its life when none is asked for"),
    COUNT("limits", "snapshots", "100", 1, 100000, "snapshots at a time"),
    COUNT("limits", "snapshot_entities", "1000000", 1, INT64_C(1) << 31, "entities in a snapshot"),
    COUNT("limits", "snapshot_instances", "1000000", 1, INT64_C(1) << 31, "instances of temporal evolutions in a snapshot"),
    SPAN("limits", "snapshot_lifetime", "\"1 d\"", S, 3650 * 86400 * S, "longest life of a snapshot, and its life when none is asked for"),
    COUNT("limits", "temporal_points", "100000", 1, 100000000, "instances in an answer; of more the first are shown, or with lastN the last (206)"),
    COUNT("limits", "last_n", "100000", 1, 100000000, "largest lastN parameter"),
    COUNT("limits", "aggregation_periods", "100000", 1, 10000000, "periods of one aggregation"),
    COUNT("limits", "aggregation_values", "1000000", 1, INT64_C(1) << 30, "different values of all periods that distinctCount counts, in one aggregation"),
    COUNT("limits", "visit", "0", 0, INT64_C(1) << 31, "candidates one query may look at; 0: no limit"),
    COUNT("limits", "tenants", "10000", 1, 10000000, "tenants"),
    COUNT("limits", "tenant_bytes", "128", 1, 255, "length of a tenant's name"),
    COUNT("limits", "terms", "1000000", 1000, INT64_C(1) << 31, "distinct type and attribute names"),
    SIZE("limits", "entity_bytes", "\"16 MiB\"", KIB, GIB, "stored size of one entity"),
    COUNT("limits", "attributes", "2000", 1, 65000, "attributes of an entity, sub-attributes included"),
    COUNT("limits", "attribute_depth", "16", 1, 64, "nesting of sub-attributes"),
    COUNT("limits", "instances", "100000", 1, 10000000, "instances of a temporal evolution in one request"),
    COUNT("limits", "types", "64", 1, 1000, "types of an entity"),
    COUNT("limits", "scopes", "64", 1, 1000, "scopes of an entity"),
    COUNT("limits", "name_bytes", "2048", 16, 65000, "length of an id, a name, a datasetId"),
    COUNT("limits", "coordinates", "100000", 4, 10000000, "positions of a geometry"),
    COUNT("limits", "query_terms", "256", 1, 100000, "terms of a query"),
    COUNT("limits", "query_depth", "32", 1, 1000, "nesting of a query"),
    COUNT("limits", "pattern_bytes", "1024", 1, 65536, "length of a regular expression"),
    COUNT("limits", "projection_names", "1000", 1, 100000, "names in pick or omit"),
    COUNT("limits", "projection_depth", "10", 1, 64, "nesting of pick or omit"),
    SPAN("limits", "sql_seconds", "\"10 s\"", 10 * MS, 3600 * S, "time for one SQL statement"),
    COUNT("limits", "sql_rows", "100000", 1, 100000000, "rows of the answer to an SQL statement"),
    SIZE("limits", "sql_bytes", "\"64 KiB\"", 256, 16 * MIB, "length of an SQL statement"),
    SIZE("limits", "sql_memory", "\"256 MiB\"", 4 * MIB, TIB, "memory of SQL statements, all together"),
    COUNT("limits", "sql_waiting", "64", 1, 100000, "SQL statements that wait for their turn"),
    COUNT("limits", "subscriptions", "100000", 1, 10000000, "subscriptions of a tenant"),
    SIZE("limits", "subscription_bytes", "\"256 KiB\"", KIB, 16 * MIB, "size of one subscription"),
    COUNT("limits", "subscription_selectors", "1000", 1, 100000, "entities of a subscription"),
    COUNT("limits", "subscription_names", "1000", 1, 100000, "elements of any other list of a subscription"),
    COUNT("limits", "subscription_pairs", "64", 1, 10000, "receiverInfo, and notifierInfo, of a subscription"),
    COUNT("limits", "registrations", "10000", 1, 1000000, "context source registrations of a tenant"),
    SIZE("limits", "registration_bytes", "\"256 KiB\"", KIB, 16 * MIB, "size of one registration"),
    SIZE("limits", "registration_cache", "\"128 MiB\"", 0, 64 * GIB, "memory for registrations made ready for queries"),
    COUNT("limits", "registration_items", "1000", 1, 100000, "elements of a list of a registration"),
    COUNT("limits", "context_terms", "20000", 100, 1000000, "definitions in one @context"),
    COUNT("limits", "context_remotes", "32", 1, 1000, "remote documents in one @context"),
    COUNT("limits", "context_depth", "16", 1, 64, "nesting of an @context"),

    {"query", "split_entities", OPTION_BOOL, "false", 0, 0, NULL, NULL, false, "entities may be spread over several sources, when a query does not say"},

    TEXT("contexts", "preload", "\"\"", "contexts", "folder of @contexts to have without a network (docs/contexts.md)"),
    SIZE("contexts", "cache_bytes", "\"64 MiB\"", MIB, 64 * GIB, "memory for @contexts"),
    SIZE("contexts", "document_bytes", "\"4 MiB\"", KIB, GIB, "size of one @context document"),
    COUNT("contexts", "hosted", "10000", 0, 10000000, "@contexts that the city serves, added or made for subscriptions"),
    SIZE("contexts", "hosted_bytes", "\"64 MiB\"", 0, 64 * GIB, "their text"),
    COUNT("contexts", "fetches", "64", 1, 10000, "@contexts being fetched at once"),
    SPAN("contexts", "timeout", "\"5 s\"", 100 * MS, 600 * S, "time for fetching one @context"),
    SPAN("contexts", "fresh", "\"1 h\"", S, 365 * 86400 * S, "lifetime of an @context whose origin states none"),

    SPAN("subscriptions", "timeout", "\"10 s\"", 100 * MS, 600 * S, "longest that a subscription may wait for its receiver"),
    SPAN("subscriptions", "timeout_default", "\"5 s\"", 100 * MS, 600 * S, "time for the answer of a receiver whose subscription says none"),
    SPAN("subscriptions", "cooldown", "\"1 s\"", MS, 3600 * S, "pause after a failure where the subscription says none; doubled with every further one"),
    SPAN("subscriptions", "cooldown_max", "\"60 s\"", MS, 86400 * S, "longest such pause"),
    COUNT("subscriptions", "attempts", "8", 1, 1000, "attempts at one notification before it is given up"),
    COUNT("subscriptions", "waiting", "1000", 1, 1000000, "changes waiting for one receiver; more are merged, or the oldest dropped"),
    SIZE("subscriptions", "waiting_bytes", "\"256 MiB\"", MIB, TIB, "memory for all changes that wait"),
    SIZE("subscriptions", "message_bytes", "\"64 MiB\"", KIB, GIB, "size of one notification"),
    COUNT("subscriptions", "message_entities", "100", 1, 10000, "changed entities in one notification"),
    SPAN("subscriptions", "interval_min", "\"1 s\"", MS, 86400 * S, "shortest timeInterval"),
    COUNT("subscriptions", "interval_entities", "10000", 1, 1000000, "entities in one notification of a timeInterval"),

    {"egress", "refuse", OPTION_STRINGS, "[]", 0, 0, NULL, NULL, false, "address ranges never connected to, besides link-local and multicast: \"10.0.0.0/8\""},
    {"egress", "allow", OPTION_STRINGS, "[]", 0, 0, NULL, NULL, false, "address ranges allowed although refused"},
    COUNT("egress", "connections", "4096", 1, 100000, "outgoing connections"),
    COUNT("egress", "connections_per_host", "32", 1, 1000, "of these, notifications to one receiver"),
    COUNT("egress", "mqtt_under_way", "256", 1, 65535, "notifications on their way to one MQTT server"),
    COUNT("egress", "mqtt_servers", "256", 1, 100000, "MQTT servers (by address, credentials and version) published to at once"),

    COUNT("live", "streams", "1000", 1, 1000000, "open live streams (/live)"),
    SIZE("live", "ring_bytes", "\"32 MiB\"", 64 * KIB, 64 * GIB, "recent changes that a live stream can go on from"),
    SPAN("live", "heartbeat", "\"15 s\"", 100 * MS, 3600 * S, "a silent live stream says that it is there every"),
    SIZE("live", "pending_bytes", "\"1 MiB\"", 4 * KIB, GIB, "events that wait for one slow reader before it is dropped"),

    {"sql", "enabled", OPTION_CHOICE, "\"loopback\"", 0, 0, "never|loopback|always", NULL, false, "answer SQL statements (docs/sql.md) and Grafana: loopback, when server.listen is an address of this machine alone"},
    COUNT("sql", "threads", "2", 1, 64, "SQL statements at a time"),

    {"demo", "devices", OPTION_INT, "2000", 0, 1000000, NULL, "devices", false, "devices of the model city; 0: none"},
    {"demo", "seed", OPTION_INT, "1", 0, INT64_MAX, NULL, "seed", false, "another seed is another model city"},
    {"demo", "speed", OPTION_INT, "1", 1, 1000000, NULL, "speed", false, "simulated seconds a second: 60 plays a day in 24 minutes"},
    {"demo", "start", OPTION_STRING, "\"\"", 0, 0, NULL, "start", false, "simulated time at the beginning (2024-06-21T00:00:00Z); empty: now"},
    {"demo", "machine", OPTION_BOOL, "true", 0, 0, NULL, NULL, false, "observe this machine as the city's first device"},
    TEXT("demo", "tenant", "\"\"", NULL, "tenant that the demo's entities go into; empty: the default one"),

    {"log", "format", OPTION_CHOICE, "\"logfmt\"", 0, 0, "logfmt|json", "log-format", false, "format of messages on stderr"},
    {"log", "level", OPTION_CHOICE, "\"info\"", 0, 0, "debug|info|warn|error", "log-level", true, "least level written"},
    {"log", "access", OPTION_BOOL, "true", 0, 0, NULL, "access-log", true, "one line a request"},
};

const size_t OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS;

size_t options_request_memory(size_t configured, size_t machine_bytes)
{
    size_t quarter = machine_bytes / 4;
    if (configured)
        return configured;
    return quarter < 2 * GIB ? quarter : 2 * GIB;
}
