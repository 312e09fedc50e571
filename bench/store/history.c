/* W8 and W9 below the sockets: points in batches, durable, into many series; what they take on the disk; aggregates over
 * one long series, beside a pass over the same columns that lie in memory uncompressed.
 *
 * usage: history [--series N] [--points N] [--long N] [--readings yes] [--dir DIR]; prints one figure a line.
 * --readings: what peer/readings.h says, temperatures and counts, else temperatures alone. --points 0: W9 alone. */
#include "../peer/readings.h"
#include "base/arena.h"
#include "base/time.h"
#include "model/aggregate.h"
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 10000, LONG_BATCH = 10000, RUNS = 501, PERIODS = 100 };

static const int64_t START_US = INT64_C(1700000000) * 1000000, STEP_US = INT64_C(60) * 1000000;

static struct store *store;
static struct terms *terms;
static struct waiter waiter;
static struct caller caller = {.tenant = {"", 0}, .subject = {"", 0}};
static uint32_t series = 100000, points = 5000000, long_points = 100000;
static const char *dir = "/tmp/wellspring-bench-history";
static uint32_t sensor, temperature;
static bool wanted;        /* readings */
static int16_t *readings;  /* of `of` sensors; NULL: made up as they are asked for */
static struct arena *names_arena;
static struct str *names; /* of sensors */
static uint32_t readings_of, readings_first;

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
        waiter_run(&waiter, store);
}

/* Before the clock starts, as what follows: who sends points is not what is measured. */
static void names_want(uint32_t sensors)
{
    names_arena = arena_new(0);
    names = arena_array(names_arena, struct str, sensors);
    for (uint32_t i = 0; i < sensors; i++)
        names[i] = arena_printf(names_arena, "urn:ngsi-ld:Sensor:bench:%06u", i);
}

/* As for other stores. */
static void readings_want(uint32_t first, uint32_t sensors, uint32_t count)
{
    free(readings);
    readings = wanted && count ? readings_make(first, sensors, count) : NULL;
    readings_first = first;
    readings_of = sensors;
}

static struct value value_of(uint32_t of, uint32_t n)
{
    if (readings) {
        int16_t reading = readings[(size_t)n * readings_of + of - readings_first];
        if (readings_counts(of) || reading % 10 == 0) /* as JSON has it: 20, 20.5 */
            return (struct value){.kind = VALUE_INT, .integer = readings_counts(of) ? reading : reading / 10};
        return (struct value){.kind = VALUE_REAL, .real = reading / 10.0};
    }
    /* Temperatures to a tenth of a degree, wandering. */
    uint32_t noise = (of * 2654435761u + n * 40503u) >> 16;
    return (struct value){.kind = VALUE_REAL, .real = (double)(150 + n / 60 % 80 + noise % 7) / 10};
}

static struct point point_of(uint32_t of, uint32_t n)
{
    return (struct point){.attr = {.term = temperature,
                                   .kind = ATTR_PROPERTY,
                                   .dataset = STR(""),
                                   .value = value_of(of, n),
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
    *e = (struct evolution){.id = names[of],
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

/* ---- the store ---- */

static void open_again(void)
{
    if (terms)
        terms_free(terms);
    terms = terms_new(1000);
    sensor = terms_intern(terms, STR("https://uri.etsi.org/ngsi-ld/default-context/Sensor"), NULL);
    temperature = terms_intern(terms, STR("https://uri.etsi.org/ngsi-ld/default-context/temperature"), NULL);
    store = bench_open(dir, terms);
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

/* Leaves the store closed: what it folds then is counted apart. */
static void stream(void)
{
    struct arena *a = arena_new(0);
    struct record_edit *edits = malloc(BATCH * sizeof *edits);
    readings_want(0, series, (points + series - 1) / series);
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
    bench_close(store);
    figure("points a CPU second, closing included", written / (cpu() - spent), "points/s");
    free(edits);
    arena_free(a);
}

/* ---- W9 ---- */

static void one_long(void)
{
    struct arena *a = arena_new(0);
    readings_want(series + series % 2, 1, long_points); /* one of temperatures */
    for (uint32_t n = 0; n < long_points; n += LONG_BATCH) {
        struct record_edit edit;
        arena_reset(a);
        edit_of(a, &edit, series + series % 2, n, LONG_BATCH);
        record(&edit, 1, a);
    }
    arena_free(a);
}

/* The same of columns that lie in memory; ms. */
static double bound(void)
{
    struct sum {
        double n, sum, squares, least, most;
    };
    int64_t *times = malloc(long_points * sizeof *times);
    double *values = malloc(long_points * sizeof *values), took[RUNS], total = 0;
    for (uint32_t i = 0; i < long_points; i++) {
        times[i] = START_US + i * STEP_US;
        values[i] = (double)(150 + i % 97) / 10;
    }
    for (int r = 0; r < RUNS; r++) {
        struct sum sums[PERIODS] = {0};
        double start = now();
        for (uint32_t i = 0; i < long_points; i++) {
            struct sum *s = &sums[(times[i] - START_US) / (long_points / PERIODS * STEP_US)];
            s->least = s->n == 0 || values[i] < s->least ? values[i] : s->least;
            s->most = s->n == 0 || values[i] > s->most ? values[i] : s->most;
            s->n++;
            s->sum += values[i];
            s->squares += values[i] * values[i];
        }
        for (int i = 0; i < PERIODS; i++)
            total += sums[i].most - sums[i].least + sqrt(sums[i].squares / sums[i].n - pow(sums[i].sum / sums[i].n, 2));
        took[r] = (now() - start) * 1e3;
    }
    if (!(total > 0))
        abort();
    free(times);
    free(values);
    qsort(took, RUNS, sizeof *took, compare_doubles);
    return took[RUNS / 2];
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
                               .period = {.us = long_points / PERIODS * STEP_US}};
    char id[64];
    double times[RUNS];
    snprintf(id, sizeof id, "urn:ngsi-ld:Sensor:bench:%06u", series + series % 2);
    struct store_evolve v;
    double spent = cpu();
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
        if (aggregates_count(v.evolutions[0].series[0].aggregates) != PERIODS)
            abort();
        arena_free(a);
    }
    spent = (cpu() - spent) * 1e3 / RUNS;
    qsort(times, RUNS, sizeof times[0], compare_doubles);
    figure("aggregate of one series into 100 periods, median", times[RUNS / 2], "ms");
    figure("the same, least", times[0], "ms");
    figure("the same, exceeded by 5 %", times[RUNS * 95 / 100], "ms");
    figure("the same, of all threads' processor", spent, "ms");
    figure("a pass over both columns in memory, median", bound(), "ms");
    figure("chunks summed by their headers", (double)v.explain.chunks_summed, "chunks");
    figure("chunks read", (double)v.explain.chunks_read, "chunks");
}

int main(int argc, char **argv)
{
    series = argument_number(argc, argv, "--series", series);
    points = argument_number(argc, argv, "--points", points);
    long_points = argument_number(argc, argv, "--long", long_points);
    wanted = argument_yes(argc, argv, "--readings");
    dir = argument(argc, argv, "--dir", dir);
    waiter_init(&waiter);
    names_want(series + 2);
    if (points) {
        open_again();
        stream();
        figure("bytes a point on the disk, all included", disk_bytes() / points, "bytes");
    }
    open_again();
    one_long();
    bench_close(store);
    open_again();
    aggregate();
    bench_close(store);
    terms_free(terms);
    free(readings);
    arena_free(names_arena);
    return 0;
}
