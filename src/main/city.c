/* Every loop is a thread with a server of its own on the shared address.
 *
 * Start: terms → contexts' core → store → egress → contexts → loops and servers.
 * Stop, so that every completion finds the loop that it is posted to:
 *   1. drain: nobody new comes in; open requests may finish for server.drain_timeout
 *   2. close: what still comes is refused, fetches and purges are cancelled; loops run until no
 *      handler waits for the store or an @context any more, then end. When one still does after
 *      server.close_timeout, nothing is freed and the process ends
 *   3. servers, then the store, then the loops are freed. */
#include "main/city.h"

#include "base/log.h"
#include "base/machine.h"
#include "broker/entity_map.h"
#include "broker/hosted.h"
#include "broker/snapshots.h"
#include "front/front.h"
#include "main/control.h"
#include "main/delivery.h"
#include "main/egress.h"
#include "main/options.h"
#include "store/embedded/embedded.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_DEFAULT_MAX = 4, POLL_US = 5000, JOIN_US = 1000000, DELIVERY_US = 2000000, SEND_TIMEOUT_MS = 10000, ALIAS_BYTES_MAX = 128 };

struct worker {
    struct city *city;
    struct loop *loop;
    struct http_server *server;
    pthread_t thread;
    bool running;
    struct task drain, end;
    struct loop_timer poll; /* is it idle, is nothing held */
    atomic_bool idle;
    size_t held; /* requests that were not answered in time; once the thread has ended */
};

struct city {
    struct broker broker;
    struct egress *egress;
    struct notify *notify;
    struct source_watch *sources;
    struct delivery_host *delivery;
    struct control *control;
    struct front front;
    struct loop_hooks hooks;
    struct worker *workers;
    struct http_server **servers;
    size_t worker_count;
    int64_t drain_us, close_us;
    int64_t close_until_us; /* monotonic */
    char alias[ALIAS_BYTES_MAX];
    struct hosted_listener hosted;
};

/* ---- options ---- */

static uint32_t limit(const struct config *c, const char *key)
{
    return (uint32_t)config_int(c, "limits", key);
}

static void limits_read(const struct config *c, struct ngsild_limits *l)
{
    *l = (struct ngsild_limits){
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

static void subscriptions_read(const struct config *c, const struct ngsild_limits *l, struct broker_subscriptions *s)
{
    s->most = limit(c, "subscriptions");
    s->bytes_max = (size_t)config_int(c, "limits", "subscription_bytes");
    s->limits = (struct subscription_limits){
        .filter = l->filter,
        .projection = l->projection,
        .selectors_max = limit(c, "subscription_selectors"),
        .names_max = limit(c, "subscription_names"),
        .pairs_max = limit(c, "subscription_pairs"),
        .timeout_max_ms = (uint32_t)(config_int(c, "subscriptions", "timeout") / 1000),
        .interval_min_us = config_int(c, "subscriptions", "interval_min"),
    };
}

static void registrations_read(const struct config *c, const struct ngsild_limits *l, struct broker_registrations *r)
{
    r->most = limit(c, "registrations");
    r->bytes_max = (size_t)config_int(c, "limits", "registration_bytes");
    r->compiled = registration_cache_new((size_t)config_int(c, "limits", "registration_cache"));
    r->limits = (struct registration_limits){
        .filter = l->filter,
        .projection = l->projection,
        .reader = l->reader,
        .items_max = limit(c, "registration_items"),
    };
}

static void notify_make(struct city *city, const struct config *c)
{
    struct notify_options o = {
        .limits = city->broker.subscriptions.limits,
        .waiting_max = (uint32_t)config_int(c, "subscriptions", "waiting"),
        .waiting_bytes_max = (size_t)config_int(c, "subscriptions", "waiting_bytes"),
        .message_bytes_max = (size_t)config_int(c, "subscriptions", "message_bytes"),
        .entities_max = (uint32_t)config_int(c, "subscriptions", "message_entities"),
        .interval_max = (uint32_t)config_int(c, "subscriptions", "interval_entities"),
        .linked_max = city->front.ngsild.limits.linked_entities,
        .attempts_max = (uint32_t)config_int(c, "subscriptions", "attempts"),
        .http_max = (uint32_t)config_int(c, "egress", "connections_per_host"),
        .mqtt_max = (uint32_t)config_int(c, "egress", "mqtt_under_way"),
        .timeout_ms = (uint32_t)(config_int(c, "subscriptions", "timeout_default") / 1000),
        .cooldown_us = config_int(c, "subscriptions", "cooldown"),
        .cooldown_max_us = config_int(c, "subscriptions", "cooldown_max"),
    };
    city->notify = notify_new(&o, city->broker.terms);
    city->broker.notify = city->notify;
    city->broker.subscriptions.counters = notify_counters;
    city->broker.subscriptions.counters_arg = city->notify;
    city->broker.subscriptions.contexts = notify_contexts;
    city->sources = source_watch_new(&o, city->broker.terms);
    city->broker.subscriptions.source_counters = source_watch_counters;
    city->broker.subscriptions.source_counters_arg = city->sources;
    city->broker.subscriptions.source_contexts = source_watch_contexts;
    notify_listener(city->notify)->next = source_watch_listener(city->sources);
}

/* What the configuration says of how long history is kept. */
static enum status retention_read(const struct config *c, struct store_retention *out, struct why *why)
{
    const struct str *lines;
    size_t n = config_strs(c, "history", "policies", &lines);
    *out = (struct store_retention){.rules = retention_new(lines, n, why),
                                    .disk_bytes_max = (uint64_t)config_int(c, "history", "disk_bytes"),
                                    .sweep_interval_us = config_int(c, "history", "sweep_interval")};
    return out->rules ? OK : why->status;
}

static enum status store_open(struct city *city, const struct config *c, struct why *why)
{
    struct store_retention retention;
    enum status st = retention_read(c, &retention, why);
    if (st != OK)
        return st;
    struct embedded_options o = {
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
        .visit_slice = 4096,
        .clock = &clock_system,
        .listeners = notify_listener(city->notify),
    };
    st = embedded_open(&city->broker.store, city->broker.terms, &o, why);
    if (st == OK)
        store_retain(city->broker.store, &retention);
    else
        retention_free(retention.rules);
    return st;
}

/* The alias is a token of RFC 7230, of which only plain characters are taken. */
static enum status identity_read(struct city *city, const struct config *c, struct why *why)
{
    struct str alias = config_str(c, "server", "alias");
    struct store_stats stats;
    store_stats(city->broker.store, &stats);
    if (!alias.n)
        snprintf(city->alias, sizeof city->alias, "wellspring-%016llx", (unsigned long long)stats.id);
    else if (alias.n >= sizeof city->alias)
        return why_set(why, E_BAD_DATA, NULL, "server.alias must have less than %zu characters", sizeof city->alias);
    else
        snprintf(city->alias, sizeof city->alias, "%.*s", STR_ARG(alias));
    for (const char *p = city->alias; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.", *p)))
            return why_set(why, E_BAD_DATA, NULL, "server.alias may contain letters, digits, '-', '_' and '.' only");
    city->front.ngsild.alias = str_of(city->alias);
    city->front.ngsild.url = config_str(c, "server", "url");
    city->front.ngsild.version = WELLSPRING_VERSION;
    city->front.ngsild.start_us = time_monotonic();
    return OK;
}

static void maps_open(struct city *city, const struct config *c)
{
    struct entity_map_options o = {
        .maps_max = limit(c, "entity_maps"),
        .entities_max = limit(c, "entity_map_entities"),
        .bytes_max = (size_t)config_int(c, "limits", "entity_map_bytes"),
        .lifetime_us = config_int(c, "limits", "entity_map_lifetime"),
        .clock = &clock_system,
    };
    city->broker.maps = entity_maps_new(&o);
}

static enum status snapshots_open(struct city *city, const struct config *c, struct why *why)
{
    struct snapshots_options o = {
        .snapshots_max = limit(c, "snapshots"),
        .entities_max = limit(c, "snapshot_entities"),
        .instances_max = limit(c, "snapshot_instances"),
        .lifetime_us = config_int(c, "limits", "snapshot_lifetime"),
        .linked_max = limit(c, "linked_entities"),
        .send_timeout_ms = SEND_TIMEOUT_MS,
    };
    return snapshots_start(&city->broker.snapshots, &city->broker, &o, why);
}

static enum status contexts_open(struct city *city, const struct config *c, struct why *why)
{
    struct contexts_options o = {
        .ports = city->broker.ports,
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
    city->broker.contexts = contexts_new(&o);
    struct str dir = config_str(c, "contexts", "preload");
    uint32_t count;
    if (!dir.n)
        return OK;
    enum status st = contexts_preload(city->broker.contexts, dir.p, &count, why);
    if (st == OK)
        log_info("contexts preloaded", log_s("dir", dir), log_i("documents", count));
    return st;
}

static void server_options(struct city *city, const struct config *c, struct http_server_options *o)
{
    *o = (struct http_server_options){
        .address = config_str(c, "server", "listen"),
        .connections_max = limit(c, "connections") / (uint32_t)city->worker_count + 1,
        .connections_per_peer_max = limit(c, "connections_per_peer"),
        .idle_timeout_s = (uint32_t)(config_int(c, "server", "idle_timeout") / 1000000),
        .request_timeout_s = (uint32_t)(config_int(c, "server", "request_timeout") / 1000000),
        .uri_bytes_max = (size_t)config_int(c, "limits", "uri_bytes"),
        .header_bytes_max = (size_t)config_int(c, "limits", "header_bytes"),
        .body_bytes_max = (size_t)config_int(c, "limits", "body_bytes"),
        .arena_bytes_max = options_request_memory((size_t)config_int(c, "limits", "request_memory"), machine_memory()),
        .stream_pending_bytes_max = (size_t)config_int(c, "live", "pending_bytes"),
        .arg = &city->front,
        .handle = front_handle,
        .refuse = front_refuse,
        .answered = front_answered,
    };
}

/* ---- threads ---- */

static void hook_start(void *arg)
{
    store_thread_enter(((struct city *)arg)->broker.store);
}

static void hook_stop(void *arg)
{
    store_thread_leave(((struct city *)arg)->broker.store);
}

static void hook_before(void *arg)
{
    store_thread_offline(((struct city *)arg)->broker.store);
}

static void hook_after(void *arg)
{
    store_thread_online(((struct city *)arg)->broker.store);
}

static void hook_between(void *arg)
{
    store_thread_quiescent(((struct city *)arg)->broker.store);
}

const struct reader_limits *city_reader_limits(const struct city *c)
{
    return &c->front.ngsild.limits.reader;
}

struct loop_hooks city_hooks(struct city *c)
{
    return (struct loop_hooks){c, hook_start, hook_stop, hook_before, hook_after, hook_between};
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    pthread_setname_np(pthread_self(), "http");
    loop_run(w->loop);
    return NULL;
}

static size_t thread_count(const struct config *c)
{
    int64_t wanted = config_int(c, "server", "threads");
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (wanted > 0)
        return (size_t)wanted;
    return cpus < 1 ? 1 : cpus > THREADS_DEFAULT_MAX ? THREADS_DEFAULT_MAX : (size_t)cpus;
}

/* All servers listen on the address the first one got, so that port 0 is one port. */
static enum status servers_start(struct city *city, const struct config *c, struct why *why)
{
    struct http_server_options o;
    server_options(city, c, &o);
    for (size_t i = 0; i < city->worker_count; i++) {
        struct worker *w = &city->workers[i];
        w->city = city;
        enum status st = loop_new(&w->loop, &city->hooks);
        if (st != OK)
            return why_set(why, st, NULL, "no event loop");
        st = http_server_start(&w->server, w->loop, &o, why);
        if (st != OK)
            return st;
        city->servers[i] = w->server;
        o.address = http_server_address(city->workers[0].server);
        o.address_shared = true;
    }
    return OK;
}

static enum status workers_start(struct city *city, struct why *why)
{
    for (size_t i = 0; i < city->worker_count; i++) {
        struct worker *w = &city->workers[i];
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            return why_set(why, E_IO, NULL, "no thread for event loop %zu", i);
        w->running = true;
    }
    return OK;
}

static void end_poll(struct loop_timer *t)
{
    struct worker *w = container_of(t, struct worker, poll);
    int64_t now = time_monotonic();
    w->held = http_server_held(w->server);
    if (w->held && now < w->city->close_until_us)
        loop_timer_set(w->loop, t, now + POLL_US);
    else
        loop_stop(w->loop);
}

static void end_run(struct task *task)
{
    struct worker *w = container_of(task, struct worker, end);
    w->poll.fire = end_poll;
    loop_timer_set(w->loop, &w->poll, 0);
}

/* False when that cannot be waited for, which is logged. */
static bool workers_end(struct city *city)
{
    size_t held = 0, busy = 0;
    city->close_until_us = time_monotonic() + city->close_us;
    for (size_t i = 0; i < city->worker_count; i++) {
        struct worker *w = &city->workers[i];
        w->end.run = end_run;
        if (w->running)
            runner_post(loop_runner(w->loop), &w->end);
    }
    for (size_t i = 0; i < city->worker_count; i++) {
        struct worker *w = &city->workers[i];
        if (w->running && !loop_thread_join(w->thread, city->close_until_us + JOIN_US))
            busy++;
        else
            held += w->held;
    }
    if (held || busy)
        log_error("ending without answers", log_i("requests", (int64_t)held), log_i("busy_loops", (int64_t)busy));
    return !held && !busy;
}

static bool parts_close(struct city *city)
{
    if (city->control)
        control_stop(city->control);
    atomic_store(&city->broker.closing, true);
    if (city->broker.contexts)
        contexts_stop(city->broker.contexts);
    if (city->delivery)
        delivery_drain(city->delivery, time_monotonic() + (city->drain_us < DELIVERY_US ? city->drain_us : DELIVERY_US));
    snapshots_stop(city->broker.snapshots);
    if (city->egress)
        egress_cancel(city->egress);
    bool delivered = !city->delivery || delivery_end(city->delivery, time_monotonic() + city->close_us);
    if (!delivered)
        log_error("ending without answers", log_z("part", "notifications"));
    if (city->egress && delivered)
        egress_stop(city->egress);
    sql_stop(city->front.statements.sql);
    if (!workers_end(city) || !delivered)
        return false;
    for (size_t i = 0; i < city->worker_count; i++)
        http_server_stop(city->workers[i].server);
    live_stop(city->front.live);
    sql_free(city->front.statements.sql);
    snapshots_free(city->broker.snapshots);
    entity_maps_free(city->broker.maps);
    if (city->broker.store)
        store_close(city->broker.store);
    delivery_free(city->delivery);
    notify_free(city->notify);
    live_free(city->front.live);
    source_watch_free(city->sources);
    registration_cache_free(city->broker.registrations.compiled);
    contexts_free(city->broker.contexts); /* the store tells of tenants that end */
    egress_free(city->egress);
    for (size_t i = 0; i < city->worker_count; i++)
        loop_free(city->workers[i].loop);
    free(city->workers);
    free(city->servers);
    free(city);
    return true;
}

static void live_open(struct city *city, const struct config *c)
{
    struct live_options o = {
        .api = &city->front.ngsild,
        .streams_max = (uint32_t)config_int(c, "live", "streams"),
        .ring_bytes_max = (size_t)config_int(c, "live", "ring_bytes"),
        .heartbeat_us = config_int(c, "live", "heartbeat"),
        .pending_bytes_max = (size_t)config_int(c, "live", "pending_bytes"),
    };
    city->front.live = city->front.admin.live = live_new(&o);
    live_listen(city->front.live);
}

/* Does the city listen where this machine alone can reach it? */
static bool listens_on_loopback(struct str address)
{
    return str_starts(address, STR("127.")) || str_starts(address, STR("[::1]")) || str_starts(address, STR("localhost:"));
}

static void sql_open(struct city *city, const struct config *c)
{
    enum { NEVER, LOOPBACK, ALWAYS };
    struct sql_options o = {
        .store = city->broker.store,
        .terms = city->broker.terms,
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
    int64_t enabled = config_int(c, "sql", "enabled");
    city->front.statements = (struct statements){
        .api = &city->front.ngsild,
        .sql = city->front.admin.sql = sql_new(&o),
        .enabled = enabled == ALWAYS || (enabled == LOOPBACK && listens_on_loopback(config_str(c, "server", "listen"))),
    };
}

static enum status parts_open(struct city *city, const struct config *c, struct why *why)
{
    struct str dir = config_str(c, "store", "dir");
    enum status st = store_open(city, c, why);
    if (st == OK) {
        live_open(city, c);
        sql_open(city, c);
    }
    if (st == OK)
        st = identity_read(city, c, why);
    if (st == OK)
        st = egress_start(&city->egress, c, &city->hooks, why);
    if (st == OK) {
        city->broker.ports = egress_ports(city->egress);
        st = contexts_open(city, c, why);
    }
    if (st == OK)
        st = hosted_load(&city->broker, &city->hosted, why);
    if (st == OK)
        st = snapshots_open(city, c, why);
    if (st == OK) /* asks whose tenant a change is in */
        city->delivery = delivery_start(city->notify, city->sources, &city->broker, egress_loop(city->egress));
    if (st == OK)
        st = servers_start(city, c, why);
    if (st == OK)
        st = control_start(&city->control, city->broker.store, dir.p, why);
    return st == OK ? workers_start(city, why) : st;
}

enum status city_start(struct city **out, const struct config *c, struct why *why)
{
    struct city *city = mem_zalloc(sizeof *city);
    city->worker_count = thread_count(c);
    city->workers = mem_zalloc(city->worker_count * sizeof *city->workers);
    city->servers = mem_zalloc(city->worker_count * sizeof(struct http_server *));
    city->drain_us = config_int(c, "server", "drain_timeout");
    city->close_us = config_int(c, "server", "close_timeout");
    city->hooks = city_hooks(city);
    city->broker.terms = terms_new(limit(c, "terms"));
    context_setup(city->broker.terms);
    city->front.ngsild.broker = &city->broker;
    limits_read(c, &city->front.ngsild.limits);
    subscriptions_read(c, &city->front.ngsild.limits, &city->broker.subscriptions);
    city->front.ngsild.split_entities = config_bool(c, "query", "split_entities");
    maps_open(city, c);
    registrations_read(c, &city->front.ngsild.limits, &city->broker.registrations);
    city->front.access_log = config_bool(c, "log", "access");
    city->front.admin = (struct admin){
        .broker = &city->broker,
        .version = WELLSPRING_VERSION,
        .start_us = time_now(),
        .servers = city->servers,
        .server_count = city->worker_count,
    };
    notify_make(city, c);
    enum status st = parts_open(city, c, why);
    if (st != OK) {
        if (!parts_close(city))
            abort(); /* nobody was served yet */
        return st;
    }
    *out = city;
    return OK;
}

struct str city_address(const struct city *c)
{
    return http_server_address(c->servers[0]);
}

struct broker *city_broker(struct city *c)
{
    return &c->broker;
}

void city_reload(struct city *city, const struct config *c)
{
    struct store_retention retention;
    struct why why = {0};
    atomic_store(&city->front.access_log, config_bool(c, "log", "access"));
    if (retention_read(c, &retention, &why) == OK)
        store_retain(city->broker.store, &retention);
    else
        log_error("retention stays as it was", log_z("why", why.text));
}

/* ---- signals and the end ---- */

static void signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void city_block_signals(void)
{
    sigset_t set;
    signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void city_wait(struct city *c, void (*reload)(void *arg), void *arg)
{
    sigset_t set;
    int signal_number = 0;
    (void)c;
    signals(&set);
    while (sigwait(&set, &signal_number) == 0 && signal_number == SIGHUP)
        reload(arg);
}

static void drain_poll(struct loop_timer *t)
{
    struct worker *w = container_of(t, struct worker, poll);
    bool idle = http_server_idle(w->server);
    atomic_store(&w->idle, idle);
    if (!idle)
        loop_timer_set(w->loop, t, time_monotonic() + POLL_US);
}

static void drain_run(struct task *task)
{
    struct worker *w = container_of(task, struct worker, drain);
    http_server_drain(w->server);
    w->poll.fire = drain_poll;
    drain_poll(&w->poll);
}

static bool all_idle(const struct city *c)
{
    for (size_t i = 0; i < c->worker_count; i++)
        if (!atomic_load(&c->workers[i].idle))
            return false;
    return true;
}

bool city_stop(struct city *c)
{
    for (size_t i = 0; i < c->worker_count; i++) {
        c->workers[i].drain.run = drain_run;
        runner_post(loop_runner(c->workers[i].loop), &c->workers[i].drain);
    }
    int64_t until = time_monotonic() + c->drain_us;
    while (!all_idle(c) && time_monotonic() < until)
        usleep(POLL_US);
    return parts_close(c);
}
