/* Metrics are gathered when they are asked for; only answers are counted on the way. */
#include "front/admin.h"

#include "base/log.h"
#include "broker/notify.h"
#include "front/openapi.h"
#include "sql/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { METRICS_BYTES_MAX = 256 << 10, BUCKETS = 12 };

/* Upper bounds of the latency histogram, µs. */
static const int64_t BOUND_US[BUCKETS] = {100,   250,    500,    1000,   2500,    5000,
                                          10000, 25000, 100000, 250000, 1000000, 10000000};

static void respond(struct http_request *r, int status, const char *type, struct str body)
{
    struct http_response a = {.status = status, .body = body};
    http_response_header(&a, "Content-Type", str_of(type));
    http_respond(r, &a);
}

static void metric(struct buf *b, const char *name, const char *kind, const char *help, uint64_t value)
{
    buf_printf(b, "# HELP wellspring_%s %s\n# TYPE wellspring_%s %s\nwellspring_%s %" PRIu64 "\n", name, help, name,
               kind, name, value);
}

static uint64_t resident_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void process_metrics(struct admin *a, struct buf *b)
{
    buf_printf(b, "# HELP wellspring_info Version of the program.\n# TYPE wellspring_info gauge\n"
                  "wellspring_info{version=\"%s\"} 1\n", a->version);
    metric(b, "start_time_seconds", "gauge", "When the process started, Unix time.",
           (uint64_t)(a->start_us / 1000000));
    metric(b, "resident_memory_bytes", "gauge", "Resident memory of the process.", resident_bytes());
}

static void store_metrics(struct admin *a, struct buf *b)
{
    struct store_stats s;
    store_stats(a->broker->store, &s);
    metric(b, "entities", "gauge", "Entities stored, all tenants.", s.entities);
    metric(b, "tenants", "gauge", "Tenants.", s.tenants);
    metric(b, "terms", "gauge", "Interned type and attribute names.", s.terms);
    metric(b, "state_bytes", "gauge", "Memory of documents and indexes.", s.state_bytes);
    metric(b, "state_bytes_max", "gauge", "Memory of documents and indexes at which creations are refused.", s.state_bytes_max);
    metric(b, "log_bytes", "gauge", "Size of the log.", s.log_bytes);
    metric(b, "log_bytes_max", "gauge", "Size of the log at which writes wait.", s.log_bytes_max);
    metric(b, "fold_failing", "gauge", "1 while the log cannot be folded into the base store.", s.fold_failing);
    metric(b, "log_segments", "gauge", "Segments of the log.", s.log_segments);
    metric(b, "commits_total", "counter", "Changes made durable.", s.commits);
    metric(b, "commit_groups_total", "counter", "Groups of changes written together.", s.groups);
    metric(b, "syncs_total", "counter", "Synchronisations of the log with the disk.", s.syncs);
    metric(b, "commit_wait_microseconds_total", "counter", "Time from apply to durable, summed.", s.commit_us_total);
    metric(b, "committed_sequence", "gauge", "Sequence of the last committed change.", s.committed_seq);
    metric(b, "folded_sequence", "gauge", "Sequence folded into the base store.", s.folded_seq);
    metric(b, "queries_total", "counter", "Queries answered by the store.", s.queries_total);
    metric(b, "query_candidates_total", "counter", "Candidates of queries.", s.candidates_total);
    metric(b, "query_visited_total", "counter", "Documents looked at by queries.", s.visited_total);
    metric(b, "read_only", "gauge", "1 while writes are refused.", s.read_only);
}

static void history_metrics(struct admin *a, struct buf *b)
{
    struct store_stats s;
    store_stats(a->broker->store, &s);
    metric(b, "history_bytes", "gauge", "Memory of history that is not folded yet.", s.history.bytes);
    metric(b, "history_bytes_max", "gauge", "Memory of history at which a fold begins.", s.history.bytes_max);
    metric(b, "history_points_total", "counter", "Instances that changes left behind or that were recorded.", s.history.points);
    metric(b, "history_chunks_sealed_total", "counter", "Chunks of history sealed.", s.history.sealed);
    metric(b, "history_chunks_damaged_total", "counter", "Chunks of history met that could not be read.", s.history.damaged);
    metric(b, "history_heads_damaged_total", "counter", "Heads of entities' pasts met that could not be read whole.",
           s.history.heads_damaged);
    metric(b, "history_reads_total", "counter", "Temporal queries answered by the store.", s.history.reads);
    metric(b, "history_chunks_read_total", "counter", "Sealed chunks decoded by readers.", s.history.chunks_read);
    metric(b, "history_chunks_summed_total", "counter", "Sealed chunks whose header was enough.", s.history.chunks_summed);
    metric(b, "history_chunks_skipped_total", "counter", "Sealed chunks outside the time asked about.", s.history.chunks_skipped);
    metric(b, "history_sweeps_total", "counter", "Times that the history was looked through for what is too old.", s.history.sweeps);
    metric(b, "history_sweep_time_seconds", "gauge", "When that ended last, Unix time.", (uint64_t)(s.history.swept_at_us / 1000000));
    metric(b, "history_sweep_microseconds", "gauge", "How long it took then.", s.history.swept_us);
    metric(b, "history_disk_bytes", "gauge", "History on the disk, about.", s.history.disk_bytes);
    metric(b, "history_disk_bytes_max", "gauge", "History on the disk at which its oldest part goes; 0: no bound.", s.history.disk_bytes_max);
    metric(b, "history_forced_sweeps_total", "counter", "Sweeps because history took more of the disk than it may.", s.history.forced);
    metric(b, "history_forced_horizon_seconds", "gauge", "What was older went with the last of these, Unix time; 0: there was none.",
           s.history.forced_us > 0 ? (uint64_t)(s.history.forced_us / 1000000) : 0);
    metric(b, "history_points_dropped_total", "counter", "Instances dropped because they were older than their policy keeps.", s.history.swept.dropped);
    metric(b, "history_points_aggregated_total", "counter", "Of these, instances whose values are in a kept aggregate.", s.history.swept.aggregated);
    metric(b, "history_aggregates_moved_total", "counter", "Kept aggregates that became part of one of a longer span.", s.history.swept.kept_moved);
    metric(b, "history_aggregates_dropped_total", "counter", "Kept aggregates dropped because they were older than their policy keeps.", s.history.swept.kept_dropped);
    buf_printf(b, "# HELP wellspring_history_aggregates Aggregates kept of dropped instances, as of the last sweep.\n"
                  "# TYPE wellspring_history_aggregates gauge\n");
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        buf_printf(b, "wellspring_history_aggregates{level=\"%s\"} %" PRIu64 "\n", retention_level_name((enum retention_level)k),
                   s.history.kept[k]);
    metric(b, "history_chunks_dropped_total", "counter", "Sealed chunks dropped by sweeps.", s.history.swept.chunks_dropped);
    metric(b, "history_chunks_rewritten_total", "counter", "Sealed chunks rewritten by sweeps.", s.history.swept.chunks_rewritten);
}

static void context_metrics(struct admin *a, struct buf *b)
{
    struct contexts_stats s;
    contexts_stats(a->broker->contexts, &s);
    metric(b, "context_documents", "gauge", "Remote @context documents cached.", s.documents);
    metric(b, "contexts", "gauge", "Active @contexts cached.", s.contexts);
    metric(b, "context_cache_bytes", "gauge", "Memory of the @context cache.", s.bytes);
    metric(b, "context_hits_total", "counter", "Requests whose @context was cached.", s.hits);
    metric(b, "context_misses_total", "counter", "Requests whose @context had to be built.", s.misses);
    metric(b, "context_fetches_total", "counter", "@context documents fetched.", s.fetches);
    metric(b, "context_failures_total", "counter", "Fetches of @context documents that failed.", s.failures);
    metric(b, "context_evictions_total", "counter", "Cache entries evicted.", s.evictions);
}

static void notify_metrics(struct admin *a, struct buf *b)
{
    struct notify_stats s;
    if (!a->broker->notify)
        return;
    notify_stats(a->broker->notify, &s);
    metric(b, "subscriptions", "gauge", "Subscriptions to entities, all tenants.", s.outbox.lanes);
    metric(b, "subscriptions_changes_total", "counter", "Changes of entities in tenants with subscriptions.",
           s.watch.changes);
    metric(b, "subscriptions_keys_total", "counter", "Keys that changes were looked up by.", s.watch.keys);
    metric(b, "subscriptions_candidates_total", "counter", "Subscriptions looked at for changes.",
           s.watch.candidates);
    metric(b, "subscriptions_matched_total", "counter", "Subscriptions that a change was for.", s.watch.matched);
    metric(b, "notifications_waiting", "gauge", "Changes waiting to be delivered.", s.outbox.waiting);
    metric(b, "notifications_waiting_bytes", "gauge", "Memory of changes waiting.", s.outbox.bytes);
    metric(b, "notifications_under_way", "gauge", "Messages being delivered, and counters being written.", s.under_way);
    metric(b, "notifications_due_total", "counter", "Changes that were to be delivered.", s.outbox.put);
    metric(b, "notifications_delivered_total", "counter", "Changes delivered.", s.outbox.delivered);
    metric(b, "notifications_merged_total", "counter", "Changes merged into a later one of the same entity.",
           s.outbox.merged);
    metric(b, "notifications_dropped_total", "counter", "Changes dropped, for want of room or as not wanted any more.",
           s.outbox.dropped);
    metric(b, "notifications_given_up_total", "counter", "Changes given up after too many attempts.",
           s.outbox.given_up);
    metric(b, "notifications_sent_total", "counter", "Messages sent, again included.", s.outbox.sent);
    metric(b, "notifications_failed_total", "counter", "Of these, not taken by their receivers.", s.outbox.failed);
}

static void live_metrics(struct admin *a, struct buf *b)
{
    struct live_stats s;
    live_stats(a->live, &s);
    metric(b, "live_streams", "gauge", "Open live streams.", s.streams);
    metric(b, "live_streams_total", "counter", "Live streams opened.", s.opened);
    metric(b, "live_events_total", "counter", "Entities and changes told to live streams.", s.events);
    metric(b, "live_dropped_total", "counter", "Live streams ended because their readers were too slow.", s.dropped);
}

static void sql_metrics(struct admin *a, struct buf *b)
{
    struct sql_stats s;
    sql_stats(a->sql, &s);
    metric(b, "sql_running", "gauge", "SQL statements being answered.", s.running);
    metric(b, "sql_statements_total", "counter", "SQL statements answered.", s.statements);
    metric(b, "sql_refused_total", "counter", "Of these, refused or ended by a limit.", s.refused);
    metric(b, "sql_rows_total", "counter", "Rows of their answers.", s.rows);
}

static void http_metrics(struct admin *a, struct buf *b)
{
    struct http_server_stats sum = {0};
    for (size_t i = 0; i < a->server_count; i++) {
        struct http_server_stats s;
        http_server_stats(a->servers[i], &s);
        sum.connections_now += s.connections_now;
        sum.connections_total += s.connections_total;
        sum.requests_total += s.requests_total;
        sum.refused_total += s.refused_total;
        sum.timeouts_total += s.timeouts_total;
        sum.bytes_in += s.bytes_in;
        sum.bytes_out += s.bytes_out;
    }
    metric(b, "http_connections", "gauge", "Open connections.", sum.connections_now);
    metric(b, "http_connections_total", "counter", "Connections accepted.", sum.connections_total);
    metric(b, "http_requests_total", "counter", "Requests received.", sum.requests_total);
    metric(b, "http_refused_total", "counter", "Requests refused by a limit.", sum.refused_total);
    metric(b, "http_timeouts_total", "counter", "Connections closed for being silent or slow.", sum.timeouts_total);
    metric(b, "http_received_bytes_total", "counter", "Bytes received.", sum.bytes_in);
    metric(b, "http_sent_bytes_total", "counter", "Bytes of answers' bodies.", sum.bytes_out);
    buf_lit(b, "# HELP wellspring_http_answers_total Answers by class of status.\n"
               "# TYPE wellspring_http_answers_total counter\n");
    for (int i = 1; i < 6; i++)
        buf_printf(b, "wellspring_http_answers_total{class=\"%dxx\"} %" PRIu64 "\n", i,
                   atomic_load_explicit(&a->answers[i], memory_order_relaxed));
}

static void latency_metrics(struct admin *a, struct buf *b)
{
    uint64_t sum = 0;
    buf_lit(b, "# HELP wellspring_http_answer_seconds Time from a request's head to its answer.\n"
               "# TYPE wellspring_http_answer_seconds histogram\n");
    for (int i = 0; i < BUCKETS; i++) {
        sum += atomic_load_explicit(&a->slower[i], memory_order_relaxed);
        buf_printf(b, "wellspring_http_answer_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", (double)BOUND_US[i] / 1e6,
                   sum);
    }
    sum += atomic_load_explicit(&a->slower[BUCKETS], memory_order_relaxed);
    buf_printf(b, "wellspring_http_answer_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
    buf_printf(b, "wellspring_http_answer_seconds_sum %g\nwellspring_http_answer_seconds_count %" PRIu64 "\n",
               (double)atomic_load_explicit(&a->busy_us, memory_order_relaxed) / 1e6, sum);
}

static void metrics(struct admin *a, struct http_request *r)
{
    struct buf b;
    buf_init(&b, METRICS_BYTES_MAX);
    process_metrics(a, &b);
    store_metrics(a, &b);
    history_metrics(a, &b);
    context_metrics(a, &b);
    notify_metrics(a, &b);
    live_metrics(a, &b);
    sql_metrics(a, &b);
    http_metrics(a, &b);
    latency_metrics(a, &b);
    respond(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&b));
    buf_free(&b);
}

static void ready(struct admin *a, struct http_request *r)
{
    const char *reason = store_ready(a->broker->store);
    if (reason[0])
        respond(r, 503, "text/plain; charset=utf-8", arena_printf(r->arena, "%s\n", reason));
    else
        respond(r, 200, "text/plain; charset=utf-8", STR("ready\n"));
}

static void welcome(struct admin *a, struct http_request *r)
{
    respond(r, 200, "text/plain; charset=utf-8",
            arena_printf(r->arena,
                         "Wellspring %s, the digital base of a city.\n\n"
                         "API      /ngsi-ld/v1/entities?local=true   (NGSI-LD 1.9.1, ETSI GS CIM 009)\n"
                         "health   /healthz  /readyz\n"
                         "metrics  /metrics\n"
                         "OpenAPI  /openapi.json\n",
                         a->version));
}

static void openapi(struct admin *a, struct http_request *r)
{
    (void)a;
    respond(r, 200, "application/json", (struct str){OPENAPI_JSON, OPENAPI_JSON_BYTES});
}

void admin_count(struct admin *a, const struct http_request *r, int status)
{
    int64_t us = time_monotonic() - r->start_us;
    int bucket = 0;
    while (bucket < BUCKETS && us > BOUND_US[bucket])
        bucket++;
    atomic_fetch_add_explicit(&a->slower[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&a->busy_us, (uint64_t)us, memory_order_relaxed);
    if (status >= 100 && status < 600)
        atomic_fetch_add_explicit(&a->answers[status / 100], 1, memory_order_relaxed);
}

bool admin_handle(struct admin *a, struct http_request *r)
{
    void (*page)(struct admin *, struct http_request *) = str_eq(r->path, STR("/metrics"))  ? metrics
                                                          : str_eq(r->path, STR("/readyz")) ? ready
                                                          : str_eq(r->path, STR("/"))       ? welcome
                                                          : str_eq(r->path, STR("/openapi.json")) ? openapi
                                                                                            : NULL;
    bool health = str_eq(r->path, STR("/healthz"));
    if (!page && !health)
        return false;
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        struct http_response answer = {.status = 405};
        http_response_header(&answer, "Allow", STR("GET, HEAD"));
        http_respond(r, &answer);
    } else if (health) {
        respond(r, 200, "text/plain; charset=utf-8", STR("ok\n"));
    } else {
        page(a, r);
    }
    return true;
}
