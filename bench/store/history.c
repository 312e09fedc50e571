/* W8 and W9 below the sockets: points in batches, durable, into many series; what they take on the disk; aggregates over
 * one long series.
 *
 * usage: history [--series N] [--points N] [--long N] [--dir DIR]; prints one figure a line. */
#include "base/arena.h"
#include "base/time.h"
#include "model/aggregate.h"
#include "runner.h"
#include "store/embedded/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 10000, LONG_BATCH = 10000, RUNS = 51 };

static const int64_t START_US = INT64_C(1700000000) * 1000000, STEP_US = INT64_C(60) * 1000000;

static struct store *store;
static struct terms *terms;
static struct waiter waiter;
static struct caller caller = {.tenant = {"", 0}, .subject = {"", 0}};
static uint32_t series = 100000, points = 5000000, long_points = 100000;
static const char *dir = "/tmp/wellspring-bench-history";
static uint32_t sensor, temperature;

/* ---- calls ---- */

static void done(struct store_call *call)
{
    if (call->status != OK) {
        fprintf(stderr, "%s\n", call->why.text);
        exit(1);
    }
    call->impl = &waiter; /* a mark: it is done */
}

static void wait_for(struct store_call *call, bool at_once)
{
    while (!at_once && call->impl != &waiter)
        waiter_run(store, &waiter);
}

/* Temperatures to a tenth of a degree, wandering. */
static double value_of(uint32_t of, uint32_t n)
{
    uint32_t noise = (of * 2654435761u + n * 40503u) >> 16;
    return (double)(150 + n / 60 % 80 + noise % 7) / 10;
}

static struct point point_of(uint32_t of, uint32_t n)
{
    return (struct point){.attr = {.term = temperature,
                                   .kind = ATTR_PROPERTY,
                                   .dataset = STR(""),
                                   .value = {.kind = VALUE_REAL, .real = value_of(of, n)},
                                   .unit_code = STR("CEL"),
                                   .observed_at = START_US + n * STEP_US,
                                   .expires_at = TIME_NONE,
                                   .created_at = TIME_NONE,
                                   .modified_at = TIME_NONE},
                          .deleted_at = TIME_NONE};
}

static void edit_of(struct arena *a, struct record_edit *edit, uint32_t of, uint32_t from, uint32_t count)
{
    struct evolution *e = arena_zalloc(a, sizeof *e);
    *e = (struct evolution){.id = arena_printf(a, "urn:ngsi-ld:Sensor:bench:%06u", of),
                            .type_count = 1,
                            .types = &sensor,
                            .created_at = TIME_NONE,
                            .modified_at = TIME_NONE,
                            .deleted_at = TIME_NONE,
                            .expires_at = TIME_NONE,
                            .count = 1,
                            .series = arena_zalloc(a, sizeof *e->series)};
    *e->series = (struct series){.term = temperature, .dataset = STR(""), .count = count};
    e->series->points = arena_array(a, struct point, count);
    for (uint32_t i = 0; i < count; i++)
        e->series->points[i] = point_of(of, from + i);
    *edit = (struct record_edit){.kind = RECORD_EDIT_UPSERT, .id = e->id, .fragment = e};
}

static void record(struct record_edit *edits, uint32_t n, struct arena *a)
{
    struct store_record r = {.call = {.home = &waiter.runner, .done = done},
                             .caller = &caller,
                             .edits = edits,
                             .count = n,
                             .results = arena_array(a, struct record_result, n),
                             .arena = a,
                             .create_tenant = true,
                             .blind = true,
                             .now_us = time_now()};
    bool at_once = store_record(store, &r);
    wait_for(&r.call, at_once);
}

/* ---- W8 ---- */

static double disk_bytes(void)
{
    char command[512];
    long n = 0;
    snprintf(command, sizeof command, "du -sb %s/base | cut -f1", dir);
    FILE *f = popen(command, "r");
    if (!f || fscanf(f, "%ld", &n) != 1)
        n = 0;
    if (f)
        pclose(f);
    return (double)n;
}

static void stream(void)
{
    struct arena *a = arena_new(0);
    struct record_edit *edits = malloc(BATCH * sizeof *edits);
    double wall = now(), spent = cpu();
    uint32_t written = 0;
    for (uint32_t of = 0, n = 0; written < points; written += BATCH) {
        arena_reset(a);
        for (uint32_t i = 0; i < BATCH; i++) {
            edit_of(a, &edits[i], of, n, 1);
            of = (of + 1) % series;
            n += of == 0;
        }
        record(edits, BATCH, a);
    }
    figure("points streamed", written, "points");
    figure("points a CPU second, folds included", written / (cpu() - spent), "points/s");
    figure("points a second", written / (now() - wall), "points/s");
    free(edits);
    arena_free(a);
}

/* ---- W9 ---- */

static void one_long(void)
{
    struct arena *a = arena_new(0);
    for (uint32_t n = 0; n < long_points; n += LONG_BATCH) {
        struct record_edit edit;
        arena_reset(a);
        edit_of(a, &edit, series, n, LONG_BATCH);
        record(&edit, 1, a);
    }
    arena_free(a);
}

static int by_value(const void *x, const void *y)
{
    return (*(const double *)x > *(const double *)y) - (*(const double *)x < *(const double *)y);
}

static void aggregate(void)
{
    struct temporal_query q = {.relation = TIMEREL_BETWEEN,
                               .property = TIME_OBSERVED_AT,
                               .must_have = true,
                               .from_us = START_US,
                               .to_us = START_US + long_points * STEP_US,
                               .methods = AGGREGATE_BIT(AGGREGATE_AVG) | AGGREGATE_BIT(AGGREGATE_MIN) |
                                          AGGREGATE_BIT(AGGREGATE_MAX) | AGGREGATE_BIT(AGGREGATE_SUM) |
                                          AGGREGATE_BIT(AGGREGATE_STDDEV),
                               .period = {.us = long_points / 100 * STEP_US}};
    char id[64];
    double times[RUNS];
    snprintf(id, sizeof id, "urn:ngsi-ld:Sensor:bench:%06u", series);
    struct store_evolve v;
    for (int i = 0; i < RUNS; i++) {
        struct arena *a = arena_new(0);
        v = (struct store_evolve){.call = {.home = &waiter.runner, .done = done},
                                  .caller = &caller,
                                  .id = str_of(id),
                                  .time = &q,
                                  .buckets_max = 1000,
                                  .arena = a};
        double start = now();
        bool at_once = store_evolve(store, &v);
        wait_for(&v.call, at_once);
        times[i] = (now() - start) * 1e3;
        if (aggregates_count(v.evolutions[0].series[0].aggregates) != 100)
            abort();
        arena_free(a);
    }
    qsort(times, RUNS, sizeof times[0], by_value);
    figure("aggregate of one series into 100 periods, median", times[RUNS / 2], "ms");
    figure("chunks summed by their headers", (double)v.explain.chunks_summed, "chunks");
    figure("chunks read", (double)v.explain.chunks_read, "chunks");
}

static void open_store(void)
{
    struct embedded_options o = {.dir = dir,
                                 .segment_bytes = 64 << 20,
                                 .log_bytes_max = (size_t)1 << 30,
                                 .group_bytes_max = 4 << 20,
                                 .tenants_max = 10,
                                 .clock = &clock_system};
    struct why why = {0};
    if (embedded_open(&store, terms, &o, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    store_thread_enter(store);
}

static void close_store(void)
{
    store_thread_leave(store);
    store_close(store);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        uint32_t n = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--series"))
            series = n;
        else if (!strcmp(argv[i], "--points"))
            points = n;
        else if (!strcmp(argv[i], "--long"))
            long_points = n;
        else if (!strcmp(argv[i], "--dir"))
            dir = argv[i + 1];
    }
    terms = terms_new(1000);
    sensor = terms_intern(terms, STR("https://uri.etsi.org/ngsi-ld/default-context/Sensor"), NULL);
    temperature = terms_intern(terms, STR("https://uri.etsi.org/ngsi-ld/default-context/temperature"), NULL);
    waiter_init(&waiter);
    open_store();
    stream();
    close_store();
    figure("bytes a point on the disk, all included", disk_bytes() / points, "bytes");
    terms_free(terms);
    terms = terms_new(1000);
    open_store();
    one_long();
    close_store();
    terms_free(terms);
    terms = terms_new(1000);
    open_store();
    aggregate();
    close_store();
    terms_free(terms);
    return 0;
}
