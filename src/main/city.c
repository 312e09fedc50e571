/* The parts of a running city, wired together; what the configuration says to each is city_options.c.
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
#include "broker/hosted.h"
#include "main/city_options.h"
#include "main/control.h"
#include "main/delivery.h"
#include "main/egress.h"
#include "main/workers.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELIVERY_US = 2000000, ALIAS_BYTES_MAX = 128 };

struct city {
    struct broker broker;
    struct egress *egress;
    struct notify *notify;
    struct source_watch *sources;
    struct delivery_host *delivery;
    struct control *control;
    struct front front;
    struct loop_hooks hooks;
    struct workers *workers;
    int64_t drain_us, close_us;
    char alias[ALIAS_BYTES_MAX];
    struct hosted_listener hosted;
};

/* ---- parts ---- */

static void notify_make(struct city *city, const struct config *c)
{
    struct notify_options o = city_options_notify(c);
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

static enum status store_open(struct city *city, const struct config *c, struct why *why)
{
    struct store_retention retention;
    enum status st = city_options_retention(c, &retention, why);
    if (st != OK)
        return st;
    struct embedded_options o = city_options_store(c);
    o.listeners = notify_listener(city->notify);
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

static enum status contexts_open(struct city *city, const struct config *c, struct why *why)
{
    struct contexts_options o = city_options_contexts(c);
    o.ports = city->broker.ports;
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

static void live_open(struct city *city, const struct config *c)
{
    struct live_options o = city_options_live(c);
    o.api = &city->front.ngsild;
    city->front.live = city->front.admin.live = live_new(&o);
    live_listen(city->front.live);
}

static void sql_open(struct city *city, const struct config *c)
{
    struct sql_options o = city_options_sql(c);
    o.store = city->broker.store;
    o.terms = city->broker.terms;
    city->front.statements = (struct statements){
        .api = &city->front.ngsild,
        .sql = city->front.admin.sql = sql_new(&o),
        .enabled = city_options_sql_enabled(c),
    };
}

static enum status listen_open(struct city *city, const struct config *c, struct why *why)
{
    struct http_server_options o = city_options_server(c, city->front.admin.server_count);
    o.arg = &city->front;
    o.handle = front_handle;
    o.refuse = front_refuse;
    o.answered = front_answered;
    return workers_listen(city->workers, &o, &city->hooks, why);
}

/* ---- hooks of the threads ---- */

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

struct loop_hooks city_hooks(struct city *c)
{
    return (struct loop_hooks){c, hook_start, hook_stop, hook_before, hook_after, hook_between};
}

/* ---- start and end ---- */

static enum status parts_open(struct city *city, const struct config *c, struct why *why)
{
    struct str dir = config_str(c, "store", "dir");
    struct snapshots_options snapshots = city_options_snapshots(c);
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
        st = snapshots_start(&city->broker.snapshots, &city->broker, &snapshots, why);
    if (st == OK) /* asks whose tenant a change is in */
        city->delivery = delivery_start(city->notify, city->sources, &city->broker, egress_loop(city->egress));
    if (st == OK)
        st = listen_open(city, c, why);
    if (st == OK)
        st = control_start(&city->control, city->broker.store, dir.p, why);
    return st == OK ? workers_start(city->workers, why) : st;
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
    if (!workers_end(city->workers, time_monotonic() + city->close_us) || !delivered)
        return false;
    workers_stop(city->workers);
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
    workers_free(city->workers);
    free(city);
    return true;
}

enum status city_start(struct city **out, const struct config *c, struct why *why)
{
    struct entity_map_options maps = city_options_maps(c);
    struct city *city = mem_zalloc(sizeof *city);
    size_t threads = city_options_threads(c);
    city->workers = workers_new(threads);
    city->drain_us = config_int(c, "server", "drain_timeout");
    city->close_us = config_int(c, "server", "close_timeout");
    city->hooks = city_hooks(city);
    city->broker.terms = terms_new((uint32_t)config_int(c, "limits", "terms"));
    context_setup(city->broker.terms);
    city->front.ngsild.broker = &city->broker;
    city->front.ngsild.limits = city_options_limits(c);
    city->broker.subscriptions = city_options_subscriptions(c);
    city->front.ngsild.split_entities = config_bool(c, "query", "split_entities");
    city->broker.maps = entity_maps_new(&maps);
    city->broker.registrations = city_options_registrations(c);
    city->broker.registrations.compiled = registration_cache_new((size_t)config_int(c, "limits", "registration_cache"));
    city->front.access_log = config_bool(c, "log", "access");
    city->front.admin = (struct admin){
        .broker = &city->broker,
        .version = WELLSPRING_VERSION,
        .start_us = time_now(),
        .servers = workers_servers(city->workers),
        .server_count = threads,
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

bool city_stop(struct city *c)
{
    workers_drain(c->workers, time_monotonic() + c->drain_us);
    return parts_close(c);
}

void city_reload(struct city *city, const struct config *c)
{
    struct store_retention retention;
    struct why why = {0};
    atomic_store(&city->front.access_log, config_bool(c, "log", "access"));
    if (city_options_retention(c, &retention, &why) == OK)
        store_retain(city->broker.store, &retention);
    else
        log_error("retention stays as it was", log_z("why", why.text));
}

/* ---- what others ask ---- */

struct str city_address(const struct city *c)
{
    return workers_address(c->workers);
}

struct broker *city_broker(struct city *c)
{
    return &c->broker;
}

const struct reader_limits *city_reader_limits(const struct city *c)
{
    return &c->front.ngsild.limits.reader;
}

/* ---- signals ---- */

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
