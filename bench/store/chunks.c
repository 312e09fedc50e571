/* What a chunk of the history costs: bytes an instance, ns to write one, ns of a processor to read its columns and all of
 * it. Series of 4096 instances a minute apart, observed, with a unit: temperatures to a tenth of a degree, counts of
 * vehicles, doubles of full length, places of a bus; and roads of a city, if a file of them is given. "alone": as one change would record them all; "+server": each from
 * a batch of its own, with a commit time in ms and a number of the change; "+order": batches in which the series come in
 * any order. Prints the median of five runs; the bound is a copy of the same columns, uncompressed. */
#include "base/number.h"
#include "store/embedded/history_chunk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 5, N = CHUNK_POINTS_MAX, RUN_NS = 50000000 };
#define T0 (INT64_C(1700000000) / 60 * 60000000)
#define MINUTE INT64_C(60000000)

enum server { ALONE, SERVER, ORDER, SERVERS };

struct bench {
    struct arena *arena;
    struct point *points;
    struct buf bytes;
    struct chunk chunk;
    int64_t times[N], copied_times[N];
    double numbers[N], copied_numbers[N];
    struct point out[N];
};

static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

static double uniform(void)
{
    return (below(1u << 30) + 0.5) / (double)(1u << 30);
}

static struct value number(double d)
{
    if (d == floor(d)) /* as JSON has it: 20, 20.5 */
        return (struct value){.kind = VALUE_INT, .integer = (int64_t)d};
    return (struct value){.kind = VALUE_REAL, .real = d};
}

/* A day's curve, weather that drifts, a sensor's noise. */
static struct value temperature(uint32_t i)
{
    static double drift;
    drift += (uniform() - 0.5) * 0.06;
    double d = 18 + 7 * sin(i * 2 * M_PI / 1440) + drift + (uniform() - 0.5) * 0.15;
    return number(round(d * 10) / 10);
}

/* Poisson, by products of uniforms. */
static struct value vehicles(uint32_t i)
{
    double mean = 14 + 12 * sin(i * 2 * M_PI / 1440), left = exp(-mean), product = uniform();
    int64_t n = 0;
    for (; product > left; product *= uniform())
        n++;
    return (struct value){.kind = VALUE_INT, .integer = n};
}

static struct value true_double(uint32_t i)
{
    return (struct value){.kind = VALUE_REAL, .real = 18 + 7 * sin(i * 2 * M_PI / 1440) + uniform()};
}

static char place_text[N][80];

static struct value place(uint32_t i)
{
    static int64_t x = 117000000, y = 36650000;
    x += (int64_t)below(800) - 300;
    y += (int64_t)below(600) - 300;
    double lon = (double)x / 1e6, lat = (double)y / 1e6;
    struct buf b;
    buf_init(&b, sizeof place_text[i]);
    buf_lit(&b, "{\"type\":\"Point\",\"coordinates\":[");
    buf_double(&b, lon);
    buf_char(&b, ',');
    buf_double(&b, lat);
    buf_lit(&b, "]}");
    struct str text = {place_text[i], b.n};
    memcpy(place_text[i], b.p, b.n);
    buf_free(&b);
    return (struct value){.kind = VALUE_GEO, .point = true, .text = text, .box = {lon, lat, lon, lat}};
}

/* ---- roads of a city (GeoJSON), as lines and as the rings of polygons ---- */

static struct str roads; /* what is left of the file; p NULL: there is none */
static struct arena *road_texts;

/* The next line's positions: "[[x,y],[x,y]…]". */
static struct str next_road(void)
{
    for (size_t at = 0; at + 2 < roads.n; at++)
        if (roads.p[at] == '[' && roads.p[at + 1] == '[' && roads.p[at + 2] != '[') {
            struct str rest = str_from(roads, at);
            size_t n = 2;
            while (n < rest.n && !(rest.p[n - 2] == ']' && rest.p[n - 1] == ']'))
                n++;
            roads = str_from(rest, n);
            return str_head(rest, n);
        }
    return STR_NONE;
}

static struct box box_of(struct str positions)
{
    struct box box = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
    double at[2];
    for (int axis = 0; positions.n; positions = str_from(positions, 1)) {
        size_t n = number_length(positions);
        if (!n || !number_parse(str_head(positions, n), &at[axis]))
            continue;
        positions = str_from(positions, n);
        if (axis) {
            box.west = fmin(box.west, at[0]);
            box.east = fmax(box.east, at[0]);
            box.south = fmin(box.south, at[1]);
            box.north = fmax(box.north, at[1]);
        }
        axis = !axis;
    }
    return box;
}

static struct value line(uint32_t i)
{
    struct str positions = next_road();
    (void)i;
    struct str text = arena_printf(road_texts, "{\"type\":\"LineString\",\"coordinates\":%.*s}", STR_ARG(positions));
    return (struct value){.kind = VALUE_GEO, .text = text, .box = box_of(positions)};
}

static struct value polygon(uint32_t i)
{
    struct str positions = next_road();
    struct str first = str_head(str_from(positions, 1), str_find_char(positions, ']'));
    (void)i;
    struct str text = arena_printf(road_texts, "{\"type\":\"Polygon\",\"coordinates\":[%.*s,%.*s]}",
                                   STR_ARG(str_head(positions, positions.n - 1)), STR_ARG(first));
    text = arena_printf(road_texts, "%.*s]}", STR_ARG(str_head(text, text.n - 1)));
    return (struct value){.kind = VALUE_GEO, .text = text, .box = box_of(positions)};
}

static char *read_file(const char *path, struct str *out)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return NULL;
    size_t most = 16 << 20;
    char *p = mem_alloc(most);
    *out = (struct str){p, fread(p, 1, most, file)};
    fclose(file);
    return p;
}

static void make(struct bench *b, struct value (*value)(uint32_t i), enum server server)
{
    seed = 1;
    for (uint32_t i = 0; i < N; i++) {
        int64_t observed = T0 + i * MINUTE;
        int64_t commit = server == ALONE ? T0 + N * MINUTE : observed + 300000 + (int64_t)below(50) * 1000;
        struct value v = value(i);
        b->points[i] = (struct point){.attr = {.term = 3,
                                               .kind = v.kind == VALUE_GEO ? ATTR_GEO_PROPERTY : ATTR_PROPERTY,
                                               .dataset = STR(""),
                                               .value = v,
                                               .unit_code = STR("CEL"),
                                               .observed_at = observed,
                                               .expires_at = TIME_NONE,
                                               .created_at = commit,
                                               .modified_at = commit,
                                               .seq = 1000000},
                                      .deleted_at = TIME_NONE};
        if (server != ALONE)
            b->points[i].attr.seq += (uint64_t)i * 100000 + (server == ORDER ? below(10000) : 0);
    }
}

static void must(bool good)
{
    if (!good)
        abort();
}

static void run_write(struct bench *b)
{
    buf_clear(&b->bytes);
    chunk_write(&b->bytes, b->points, N);
}

static void run_open(struct bench *b)
{
    must(chunk_open(&b->chunk, buf_view(&b->bytes), NULL) == OK);
}

static void run_times(struct bench *b)
{
    must(chunk_times(&b->chunk, TIME_OBSERVED_AT, b->times, NULL) == OK);
}

static void run_numbers(struct bench *b)
{
    must(chunk_numbers(&b->chunk, b->numbers, NULL) == OK);
}

static void run_points(struct bench *b)
{
    must(chunk_points(&b->chunk, 3, STR(""), 3, b->arena, b->out, NULL) == OK);
    arena_reset(b->arena);
}

static void run_copy(struct bench *b)
{
    memcpy(b->copied_times, b->times, sizeof b->times);
    memcpy(b->copied_numbers, b->numbers, sizeof b->numbers);
    __asm__ volatile("" : : "r"(b) : "memory");
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* The processor's, since others may use it meanwhile. */
static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ns an instance. */
static double measure(struct bench *b, void (*run)(struct bench *b))
{
    double ns[RUNS];
    for (int r = 0; r < RUNS; r++) {
        int64_t from = now_ns(), took = 0;
        uint32_t rounds = 0;
        for (; took < RUN_NS; took = now_ns() - from, rounds++)
            run(b);
        ns[r] = (double)took / rounds / N;
    }
    qsort(ns, RUNS, sizeof *ns, by_size);
    return ns[RUNS / 2];
}

static void report(struct bench *b, const char *name, struct value (*value)(uint32_t i), enum server server)
{
    static const char *const SERVER_NAMES[SERVERS] = {"alone", "+server", "+order"};
    make(b, value, server);
    double write = measure(b, run_write), open = measure(b, run_open), times = measure(b, run_times);
    double numbers = b->chunk.summary.numbers ? measure(b, run_numbers) : NAN;
    double points = measure(b, run_points);
    printf("%-13s %-8s %6.2f bytes  write %5.1f  open %4.2f  observedAt %4.2f  numbers %4.2f  both %5.2f  whole %5.1f ns\n",
           name, SERVER_NAMES[server], (double)b->bytes.n / N, write, open, times, numbers, times + numbers, points);
}

/* What a fold pays for a series that has few. */
static void report_tail(struct bench *b, uint32_t n)
{
    double write[RUNS], read[RUNS];
    make(b, temperature, SERVER);
    for (int r = 0; r < RUNS; r++) {
        int64_t from = now_ns(), at;
        uint32_t rounds = 20000;
        for (uint32_t i = 0; i < rounds; i++) {
            buf_clear(&b->bytes);
            chunk_write(&b->bytes, b->points, n);
        }
        at = now_ns();
        write[r] = (double)(at - from) / rounds;
        for (uint32_t i = 0; i < rounds; i++) {
            run_open(b);
            run_points(b);
        }
        read[r] = (double)(now_ns() - at) / rounds;
    }
    qsort(write, RUNS, sizeof *write, by_size);
    qsort(read, RUNS, sizeof *read, by_size);
    printf("chunk of %u: %zu bytes, write %.0f, open and read %.0f ns\n", n, b->bytes.n, write[RUNS / 2], read[RUNS / 2]);
}

static void report_roads(struct bench *b, const char *path)
{
    struct str all;
    char *file = read_file(path, &all);
    if (!file) {
        printf("lines and polygons: no file of roads\n");
        return;
    }
    road_texts = arena_new(0);
    roads = all;
    report(b, "lines", line, SERVER);
    roads = all;
    report(b, "polygons", polygon, SERVER);
    arena_free(road_texts);
    free(file);
}

/* The first argument, if any: a file of roads. */
int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        struct value (*value)(uint32_t i);
    } DATA[] = {{"temperatures", temperature}, {"counts", vehicles}, {"doubles", true_double}, {"places", place}};
    struct bench *b = mem_zalloc(sizeof *b);
    b->arena = arena_new(0);
    b->points = mem_alloc(N * sizeof *b->points);
    buf_init(&b->bytes, 1 << 24);
    for (size_t d = 0; d < sizeof DATA / sizeof *DATA; d++)
        for (int server = 0; server < SERVERS; server++)
            report(b, DATA[d].name, DATA[d].value, (enum server)server);
    report_roads(b, count > 1 ? arguments[1] : NULL);
    report_tail(b, 1);
    report_tail(b, 4);
    report_tail(b, 64);
    printf("bound: both columns copied, %.2f ns\n", measure(b, run_copy));
    buf_free(&b->bytes);
    free(b->points);
    arena_free(b->arena);
    free(b);
    return 0;
}
