/* The embedded store below the sockets: batches, single updates, reads, queries, memory,
 * restart, one thread against two.
 *
 * usage: store [--entities N] [--dir DIR] [--only restart|reads|updates]; prints one figure a line.
 * With --only, on what an earlier run has left. */
#include "base/arena.h"
#include "base/time.h"
#include "model/filter.h"
#include "runner.h"
#include "store/embedded/embedded.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BATCH = 1000, THREADS = 2, SINGLES = 64 };

static struct store *store;
static struct terms *terms;
static uint32_t entities = 1000000;
static const char *dir = "/tmp/wellspring-bench-store";
static uint32_t type_vehicle, type_room, speed, brand, location, parked, observed;

/* Kilobytes of anonymous and all resident memory. */
static void resident(long *anonymous, long *all)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    *anonymous = *all = 0;
    while (f && fgets(line, sizeof line, f)) {
        (void)sscanf(line, "VmRSS: %ld", all);
        (void)sscanf(line, "RssAnon: %ld", anonymous);
    }
    if (f)
        fclose(f);
}

/* ---- entities ---- */

static struct attr attr_of(uint32_t term, enum attr_kind kind, struct value value)
{
    return (struct attr){.term = term,
                         .kind = (uint8_t)kind,
                         .dataset = STR(""),
                         .value = value,
                         .observed_at = TIME_NONE,
                         .expires_at = TIME_NONE,
                         .created_at = TIME_NONE,
                         .modified_at = TIME_NONE};
}

static void place(uint32_t i, double *lon, double *lat)
{
    *lon = 116.9 + (double)(i * 2654435761u % 100000) / 100000.0 * 0.4;
    *lat = 36.5 + (double)(i * 40503u % 100003) / 100003.0 * 0.3;
}

/* About 700 bytes as normalized JSON. */
static struct entity *entity_of(struct arena *a, uint32_t i)
{
    struct entity *e = arena_zalloc(a, sizeof *e);
    e->id = arena_printf(a, "urn:ngsi-ld:Vehicle:bench:%07u", i);
    e->types = arena_array(a, uint32_t, 1);
    e->type_count = 1;
    e->types[0] = i % 10 ? type_vehicle : type_room;
    e->created_at = e->modified_at = e->expires_at = TIME_NONE;
    e->attrs = arena_array(a, struct attr, 5);
    e->attr_count = 5;
    double lon, lat;
    place(i, &lon, &lat);
    struct str geo = arena_printf(a, "{\"type\":\"Point\",\"coordinates\":[%.5f,%.5f]}", lon, lat);
    e->attrs[0] = attr_of(
        brand, ATTR_PROPERTY,
        (struct value){.kind = VALUE_STRING, .plain = true, .text = STR("Mercedes-Benz Citaro")});
    e->attrs[1] = attr_of(speed, ATTR_PROPERTY,
                          (struct value){.kind = VALUE_REAL, .real = (double)(i % 10000) / 100});
    e->attrs[1].unit_code = STR("KMH");
    e->attrs[1].observed_at = 1700000000000000 + i;
    e->attrs[2] = attr_of(
        location, ATTR_GEO_PROPERTY,
        (struct value){.kind = VALUE_GEO, .point = true, .text = geo, .box = {lon, lat, lon, lat}});
    e->attrs[3] =
        attr_of(parked, ATTR_RELATIONSHIP,
                (struct value){
                    .kind = VALUE_STRING,
                    .plain = true,
                    .text = arena_printf(a, "urn:ngsi-ld:OffStreetParking:bench:%05u", i % 1000)});
    e->attrs[4] =
        attr_of(observed, ATTR_PROPERTY, (struct value){.kind = VALUE_BOOL, .boolean = i & 1});
    const struct attr *dup;
    (void)attrs_sort(e->attrs, 5, &dup);
    return e;
}

/* ---- writing ---- */

struct writer {
    struct store_apply apply;
    struct waiter *waiter;
    struct arena *arena;
    struct edit edits[BATCH];
    struct edit_result results[BATCH];
    struct caller caller;
    bool busy;
};

static void written(struct store_call *call)
{
    struct writer *w = container_of(call, struct writer, apply.call);
    if (call->status != OK) {
        fprintf(stderr, "apply: %s\n", call->why.text);
        exit(1);
    }
    w->busy = false;
}

static void submit(struct writer *w, uint32_t n)
{
    w->apply = (struct store_apply){.call = {.home = &w->waiter->runner, .done = written},
                                    .caller = &w->caller,
                                    .edits = w->edits,
                                    .count = n,
                                    .results = w->results,
                                    .arena = w->arena,
                                    .create_tenant = true,
                                    .now_us = time_now()};
    w->busy = true;
    if (store_apply(store, &w->apply))
        written(&w->apply.call);
    for (uint32_t i = 0; i < n; i++)
        if (w->results[i].status != OK) {
            fprintf(stderr, "edit: %s\n", w->results[i].why ? w->results[i].why->text : "?");
            exit(1);
        }
}

static struct writer *writer_new(struct waiter *waiter)
{
    struct writer *w = calloc(1, sizeof *w);
    w->waiter = waiter;
    w->arena = arena_new(0);
    w->caller.tenant = STR("");
    return w;
}

/* Upserts everything, two batches under way. */
static void load(struct waiter *waiter)
{
    struct writer *w[2] = {writer_new(waiter), writer_new(waiter)};
    double start = now(), cpu_start = cpu();
    for (uint32_t i = 0, turn = 0; i < entities; turn ^= 1) {
        while (w[turn]->busy)
            waiter_run(waiter, store);
        arena_reset(w[turn]->arena);
        uint32_t n = 0;
        for (; n < BATCH && i < entities; n++, i++) {
            struct entity *e = entity_of(w[turn]->arena, i);
            w[turn]->edits[n] =
                (struct edit){.kind = EDIT_UPSERT_REPLACE, .id = e->id, .fragment = e};
        }
        submit(w[turn], n);
    }
    for (int k = 0; k < 2; k++)
        while (w[k]->busy)
            waiter_run(waiter, store);
    figure("batches of 1,000 creations, durable: wall", entities / (now() - start), "entities/s");
    figure("batches of 1,000 creations, durable: processor", entities / (cpu() - cpu_start),
           "entities/s a core");
    for (int k = 0; k < 2; k++) {
        arena_free(w[k]->arena);
        free(w[k]);
    }
}

/* PATCH of one number, SINGLES calls under way a thread. */
static _Atomic uint64_t updates;

static void *update(void *arg)
{
    struct waiter waiter;
    waiter_init(&waiter);
    store_thread_enter(store);
    struct writer *w[SINGLES];
    uint64_t seed = 88172645463325252u + (uintptr_t)arg, done = 0;
    for (int k = 0; k < SINGLES; k++)
        w[k] = writer_new(&waiter);
    for (double end = now() + 3; now() < end;) {
        for (int k = 0; k < SINGLES; k++) {
            if (w[k]->busy)
                continue;
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            struct arena *a = w[k]->arena;
            arena_reset(a);
            struct entity *e = arena_zalloc(a, sizeof *e);
            e->id = arena_printf(a, "urn:ngsi-ld:Vehicle:bench:%07u",
                                 (uint32_t)(seed >> 20) % entities);
            e->created_at = e->modified_at = e->expires_at = TIME_NONE;
            e->attr_count = 1;
            e->attrs = arena_array(a, struct attr, 1);
            e->attrs[0] =
                attr_of(speed, ATTR_PROPERTY,
                        (struct value){.kind = VALUE_REAL, .real = (double)(seed % 10000) / 100});
            w[k]->edits[0] = (struct edit){.kind = EDIT_UPDATE, .id = e->id, .fragment = e};
            submit(w[k], 1);
            done++;
        }
        waiter_run(&waiter, store);
    }
    for (int k = 0; k < SINGLES; k++) {
        while (w[k]->busy)
            waiter_run(&waiter, store);
        arena_free(w[k]->arena);
        free(w[k]);
    }
    updates += done;
    store_thread_leave(store);
    return NULL;
}

/* ---- reading ---- */

static void at_once(struct store_call *call)
{
    (void)call;
}

static _Atomic uint64_t reads, read_ns;

static uint64_t thread_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *get(void *arg)
{
    struct waiter waiter;
    waiter_init(&waiter);
    store_thread_enter(store);
    struct caller caller = {.tenant = STR("")};
    uint64_t seed = 88172645463325252u + (uintptr_t)arg, done = 0, start_ns = thread_ns();
    for (double end = now() + 2; now() < end;
         store_thread_offline(store), store_thread_online(store)) {
        for (int k = 0; k < 1000; k++) {
            char id[64];
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            memcpy(id, "urn:ngsi-ld:Vehicle:bench:", 26);
            uint32_t number = (uint32_t)(seed >> 20) % entities;
            for (int d = 32; d >= 26; d--, number /= 10)
                id[d] = (char)('0' + number % 10);
            struct store_get g = {.call = {.home = &waiter.runner, .done = at_once},
                                  .caller = &caller,
                                  .id = {id, 33}};
            store_get(store, &g);
            if (!g.doc) {
                fprintf(stderr, "get: %.33s %s\n", id, g.call.why.text);
                exit(1);
            }
        }
        done += 1000;
    }
    reads += done;
    read_ns += thread_ns() - start_ns;
    store_thread_leave(store);
    return NULL;
}

static double on_threads(void *(*work)(void *), _Atomic uint64_t *counter, int n)
{
    pthread_t t[THREADS];
    *counter = 0;
    double start = now();
    for (int i = 0; i < n; i++)
        pthread_create(&t[i], NULL, work, (void *)(uintptr_t)(i * 7919 + 1));
    for (int i = 0; i < n; i++)
        pthread_join(t[i], NULL);
    return (double)*counter / (now() - start);
}

struct answer {
    struct store_query query;
    bool done;
};

static void answered(struct store_call *call)
{
    container_of(container_of(call, struct store_query, call), struct answer, query)->done = true;
}

static void query(struct waiter *waiter, const char *name,
                  struct filter *(*make)(struct arena *a, uint32_t i), uint32_t limit, bool count,
                  int rounds)
{
    struct caller caller = {.tenant = STR("")};
    double *us = calloc((size_t)rounds, sizeof *us);
    struct arena *a = arena_new(0);
    struct store_explain explain = {0};
    uint64_t total = 0;
    for (int i = 0; i < rounds; i++) {
        arena_reset(a);
        struct filter *f = make(a, (uint32_t)i);
        struct answer x = {.query = {.call = {.home = &waiter->runner, .done = answered},
                                     .caller = &caller,
                                     .filter = f,
                                     .limit = limit,
                                     .count = count,
                                     .arena = a}};
        double start = now();
        struct timespec t0, t1;
        clock_gettime(CLOCK_MONOTONIC, &t0);
        if (!store_query(store, &x.query))
            while (!x.done)
                waiter_run(waiter, store);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        (void)start;
        us[i] = (double)(t1.tv_sec - t0.tv_sec) * 1e6 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e3;
        explain = x.query.explain;
        total = x.query.doc_count;
        filter_free(f);
        store_thread_offline(store);
        store_thread_online(store);
    }
    qsort(us, (size_t)rounds, sizeof *us, compare_doubles);
    printf("%-52s %14.2f us (p99 %.2f) index %s, candidates %lu, visited %lu, returned %lu\n", name,
           us[rounds / 2], us[rounds * 99 / 100], explain.index, (unsigned long)explain.candidates,
           (unsigned long)explain.visited, (unsigned long)total);
    fflush(stdout);
    free(us);
    arena_free(a);
}

static struct filter *q_type(struct arena *a, uint32_t i)
{
    (void)i;
    struct type_expr *t = arena_zalloc(a, sizeof *t);
    t->count = 1;
    t->any = arena_zalloc(a, sizeof *t->any);
    t->any[0].count = 1;
    t->any[0].types = arena_zalloc(a, sizeof(struct name));
    t->any[0].types[0] = (struct name){terms_iri(terms, type_vehicle), type_vehicle};
    return filter_of_type(a, t);
}

static struct filter *compare(struct arena *a, uint32_t term, enum compare_op op, double low,
                              double high)
{
    struct filter *f = arena_zalloc(a, sizeof *f);
    struct compare *c = arena_zalloc(a, sizeof *c);
    f->kind = FILTER_COMPARE;
    f->compare = c;
    c->path_count = 1;
    c->path = arena_zalloc(a, sizeof *c->path);
    c->path[0] = (struct name){terms_iri(terms, term), term};
    c->op = (uint8_t)op;
    c->range = op == COMPARE_EQ;
    c->operand_count = c->range ? 2 : 1;
    c->operands = arena_zalloc(a, 2 * sizeof *c->operands);
    c->operands[0] = (struct operand){.kind = OPERAND_NUMBER, .number = low};
    c->operands[1] = (struct operand){.kind = OPERAND_NUMBER, .number = high};
    return f;
}

static struct filter *q_value(struct arena *a, uint32_t i)
{
    double low = i % 99;
    return compare(a, speed, COMPARE_EQ, low, low + 0.999);
}

static struct filter *q_type_value(struct arena *a, uint32_t i)
{
    return filter_and(a, q_type(a, i), q_value(a, i));
}

static struct filter *q_near(struct arena *a, uint32_t i)
{
    double lon, lat;
    place(i * 7919, &lon, &lat);
    char text[64];
    snprintf(text, sizeof text, "[%.5f,%.5f]", lon, lat);
    struct json_limits limits = {4, 64};
    struct json coordinates;
    struct why why = {0};
    struct filter *f = arena_zalloc(a, sizeof *f);
    struct geo_filter *g = f->geo = arena_zalloc(a, sizeof *g);
    f->kind = FILTER_GEO;
    g->rel = GEOREL_NEAR;
    g->has_max = g->bounded = true;
    g->max_m = 1000;
    g->property = (struct name){terms_iri(terms, location), location};
    if (json_read(a, arena_dup(a, str_of(text)), &limits, &coordinates, &why) != OK ||
        geometry_new(STR("Point"), &coordinates, 10, &g->reference, &g->reach, &why) != OK) {
        fprintf(stderr, "near: %s\n", why.text);
        exit(1);
    }
    g->reach = geometry_grow(g->reach, 1000);
    return f;
}

static struct filter *q_type_near(struct arena *a, uint32_t i)
{
    return filter_and(a, q_type(a, i), q_near(a, i));
}

static void open_store(void)
{
    struct why why = {0};
    struct embedded_options o = {.dir = dir,
                                 .durability = EMBEDDED_SYNC,
                                 .interval_ms = 100,
                                 .segment_bytes = 64 << 20,
                                 .log_bytes_max = 1 << 30,
                                 .group_bytes_max = 4 << 20,
                                 .tenants_max = 100,
                                 .value_indexes_max = 16,
                                 .visit_slice = 4096,
                                 .clock = &clock_system};
    terms = terms_new(100000);
    double start = now();
    if (embedded_open(&store, terms, &o, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    figure("open", (now() - start) * 1e3, "ms");
    store_thread_enter(store);
    struct why w = {0};
    type_vehicle = terms_intern(terms, STR("https://example.org/Vehicle"), &w);
    type_room = terms_intern(terms, STR("https://example.org/Room"), &w);
    brand = terms_intern(terms, STR("https://example.org/brandName"), &w);
    speed = terms_intern(terms, STR("https://example.org/speed"), &w);
    location = terms_intern(terms, STR("https://uri.etsi.org/ngsi-ld/location"), &w);
    parked = terms_intern(terms, STR("https://example.org/isParked"), &w);
    observed = terms_intern(terms, STR("https://example.org/inService"), &w);
}

static void memory(const char *when)
{
    long anonymous, all;
    char name[80];
    resident(&anonymous, &all);
    snprintf(name, sizeof name, "resident memory %s", when);
    figure(name, (double)all / 1024, "MiB");
    snprintf(name, sizeof name, "resident bytes an entity %s", when);
    figure(name, (double)all * 1024 / entities, "bytes");
}

/* Waits until the background has built the index of speeds. */
static void wait_for_index(struct waiter *waiter)
{
    struct caller caller = {.tenant = STR("")};
    for (bool there = false; !there;) {
        store_thread_offline(store);
        sleep(1);
        store_thread_online(store);
        struct arena *a = arena_new(0);
        struct store_query q = {.call = {.home = &waiter->runner, .done = at_once},
                                .caller = &caller,
                                .filter = q_value(a, 1),
                                .limit = 100,
                                .arena = a};
        there = store_query(store, &q) && !strcmp(q.explain.index, "value");
        arena_free(a);
    }
}

static void measure_reads(void)
{
    store_thread_offline(store);
    double one = on_threads(get, &reads, 1);
    double one_ns = (double)read_ns / (double)reads;
    read_ns = 0;
    double two = on_threads(get, &reads, 2);
    figure("get by id, one thread: wall", 1e9 / one, "ns");
    figure("get by id, one thread: processor", one_ns, "ns");
    figure("get by id, two threads against one: wall", two / one, "times");
    figure("get by id, two threads: processor each", (double)read_ns / (double)reads, "ns");
    store_thread_online(store);
}

static void measure_queries(struct waiter *waiter)
{
    query(waiter, "type=Vehicle&limit=20", q_type, 20, false, 1000);
    query(waiter, "type=Vehicle&limit=20&count", q_type, 20, true, 1000);
    query(waiter, "near 1 km, limit 100", q_near, 100, false, 200);
    query(waiter, "type and near 1 km, limit 100", q_type_near, 100, false, 200);
    query(waiter, "q 1% of a number, limit 100, first", q_value, 100, false, 1);
    wait_for_index(waiter);
    query(waiter, "q 1% of a number, limit 100, indexed", q_value, 100, false, 200);
    query(waiter, "type and q 1%, limit 100, indexed", q_type_value, 100, false, 200);
    memory("with a value index");
}

static void measure_updates(void)
{
    struct store_stats before, after;
    store_stats(store, &before);
    double cpu_start = cpu();
    store_thread_offline(store);
    double one = on_threads(update, &updates, 1);
    store_thread_online(store);
    store_stats(store, &after);
    figure("updates of one number, 64 under way: wall", one, "updates/s");
    figure("updates of one number: processor", (double)updates / (cpu() - cpu_start),
           "updates/s a core");
    figure("records a group",
           (double)(after.commits - before.commits) / (double)(after.groups - before.groups),
           "records");
    store_thread_offline(store);
    double two = on_threads(update, &updates, 2);
    store_thread_online(store);
    figure("updates, two threads against one", two / one, "times");
    memory("after updates");
}

static void shut_store(void)
{
    store_thread_leave(store);
    double start = now();
    store_close(store);
    figure("close", (now() - start) * 1e3, "ms");
    terms_free(terms);
}

static void restart(void)
{
    double cpu_start = cpu();
    open_store();
    figure("open: processor", (cpu() - cpu_start) * 1e3, "ms");
    memory("after restart");
}

static void measure_all(struct waiter *waiter)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command))
        exit(1);
    open_store();
    load(waiter);
    memory("loaded");
    struct store_stats s;
    store_stats(store, &s);
    figure("state_bytes an entity", (double)s.state_bytes / (double)s.entities, "bytes");
    measure_reads();
    measure_queries(waiter);
    measure_updates();
    shut_store();
    restart();
}

int main(int argc, char **argv)
{
    const char *only = "";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--entities"))
            entities = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--dir"))
            dir = argv[i + 1];
        if (!strcmp(argv[i], "--only"))
            only = argv[i + 1];
    }
    struct waiter waiter;
    waiter_init(&waiter);
    if (*only)
        restart();
    else
        measure_all(&waiter);
    if (!strcmp(only, "reads")) {
        measure_reads();
        measure_queries(&waiter);
    }
    if (!strcmp(only, "updates"))
        measure_updates();
    shut_store();
    return 0;
}
