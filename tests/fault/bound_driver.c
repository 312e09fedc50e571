/* Series under load that are too large for history's bound on the disk, made to be killed: instances of now and late ones are
 * recorded and forgotten, while folds, surveys, sweeps by force and RocksDB's compactions never rest. The hours pass quickly: each thing that
 * is done takes 40 minutes of the store's clock.
 *
 * Half of the entities keep aggregates of what is dropped: number and sum of all their values must always be those of what was done. Of the
 * others, instances go for good: those that are there are as they were recorded, none twice; those that are not are older
 * than all that are left but late ones, and older than those that the bound has room for in any case.
 *
 * usage: bound_driver drive DIR MODEL [--shadow DIR --crash-at N] [--ops N] [--wide N] [--interval] [--seed N]
 *                         goes on where the MODEL file stands (absent: at the start). Says what it does before it does it
 *                         ("s …"), what became of it ("a ENTITY 1", refused: 0); reads now and then, and exits with 1
 *                         when something is not as it must be; at the end "syncs N"
 *        bound_driver rebuild SHADOW DIR   makes DIR of what a crash left
 *        bound_driver verify DIR MODEL [--interval]   reads these lines: every entity must be as after what was
 *                         acknowledged, and what was asked for last may have happened (with --interval: after some of it).
 *                         Then the bound must be kept, and all be still so. Writes what it found into MODEL, checks the store, says
 *                         how many instances are gone ("chunks N"). Exits with 1 when something is wrong. */
#include "amount.h"
#include "base/time.h"
#include "drive.h"
#include "fault_shim.h"
#include "loop.h"
#include "store/embedded/embedded.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTITIES = 6, SERIES = AMOUNT_SERIES, POINTS_MAX = 400, OPS_NOTED = 4096 };
enum { BOUND = 64 << 10, ROOM = 4500 }; /* for so many instances of the entities without aggregates, and many more, in any case */

#define S INT64_C(1000000)
#define STEP (2400 * S)
#define BEGIN (18000 * 86400 * S)
#define LATE_MAX (30 * 86400 * S)

/* What can be done: R: n values are recorded, from time `at` on; Z: all is forgotten. */
struct op {
    char kind;
    unsigned entity, k;
    int late;
    long long n, value, at, now;
};

struct instance {
    int64_t at, value;
    uint32_t k;
    bool late;
};

struct instances {
    struct instance *all;
    uint32_t count, room;
};

/* Written to the file as it is, and the instances behind it. */
struct model {
    int64_t now;
    struct amount amounts[ENTITIES][SERIES];
    uint64_t ops;
    struct {
        int64_t at, n;
    } noted[OPS_NOTED]; /* in a ring: those that were not late, of entities without aggregates */
    struct instances instances[ENTITIES];
};

static struct {
    struct store *store;
    struct terms *terms;
    struct caller caller;
    struct arena *arena;
    uint32_t types[2], name;
    uint64_t gone;
} city;

static struct model model;
static _Atomic int64_t hands = BEGIN;

static int64_t clock_now(struct clock *clock)
{
    (void)clock;
    return hands;
}

static bool keeps_aggregates(unsigned entity)
{
    return entity % 2;
}

static struct str id_of(struct arena *a, unsigned entity)
{
    return arena_printf(a, "urn:bounded:%u", entity);
}

static void open_city(const char *dir, bool interval)
{
    static struct clock clock = {clock_now};
    struct str line = STR("type=https://example.org/Summed keep=30y days=forever");
    struct why why = {0};
    struct embedded_options o = loop_store(dir, interval);
    o.log_bytes_max = 512 << 10;
    o.history_bytes_max = 48 << 10;
    o.clock = &clock;
    hands = model.now;
    city.terms = terms_new(1000);
    city.arena = arena_new(0);
    city.caller.tenant = STR("town");
    city.store = loop_open(&o, city.terms);
    city.types[0] = terms_intern(city.terms, STR("https://example.org/Thing"), &why);
    city.types[1] = terms_intern(city.terms, STR("https://example.org/Summed"), &why);
    city.name = terms_intern(city.terms, STR("https://example.org/level"), &why);
    struct retention *rules = retention_new(&line, 1, &why);
    if (!rules)
        loop_die("rules", why.text);
    store_retain(city.store,
                 &(struct store_retention){.rules = rules, .disk_bytes_max = BOUND, .sweep_interval_us = 1000});
}

/* ---- instances ---- */

static void add(struct instances *to, struct instance i)
{
    if (to->count == to->room) {
        to->room = to->room ? 2 * to->room : 1024;
        to->all = realloc(to->all, to->room * sizeof to->all[0]);
        if (!to->all)
            abort();
    }
    to->all[to->count++] = i;
}

static int by_time(const void *x, const void *y)
{
    const struct instance *a = x, *b = y;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    if (a->k != b->k)
        return a->k < b->k ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static void sort(struct instances *all)
{
    if (all->count)
        qsort(all->all, all->count, sizeof all->all[0], by_time);
}

/* That of time and value, whose `late` is not known; NULL: none. */
static const struct instance *next_like(const struct instances *in, uint32_t *from, const struct instance *i)
{
    while (*from < in->count && by_time(&in->all[*from], i) < 0)
        ++*from;
    return *from < in->count && by_time(&in->all[*from], i) == 0 ? &in->all[(*from)++] : NULL;
}

/* What is younger must be there. */
static int64_t room_from(void)
{
    int64_t left = ROOM;
    for (uint64_t i = model.ops; i > 0 && i + OPS_NOTED > model.ops; i--) {
        left -= model.noted[(i - 1) % OPS_NOTED].n;
        if (left <= 0)
            return model.noted[(i - 1) % OPS_NOTED].at;
    }
    return INT64_MIN;
}

/* NULL: the instances found may be what is left of those in m; else what is wrong. Both are sorted, `late` filled in. */
static const char *compare(struct instances *m, struct instances *found)
{
    uint32_t at = 0;
    int64_t first = INT64_MAX, room = room_from(); /* first: of those that are left, without late ones */
    sort(m);
    sort(found);
    for (uint32_t i = 0; i < found->count; i++) {
        const struct instance *was = next_like(m, &at, &found->all[i]);
        if (!was)
            return "an instance is there twice, or was dropped before, or was never recorded";
        found->all[i].late = was->late;
        if (!was->late && was->at < first)
            first = was->at;
    }
    at = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (next_like(found, &at, &m->all[i]))
            continue;
        if (m->all[i].at >= room)
            return "an instance is gone that the bound has room for";
        if (m->all[i].at >= first)
            return "an instance is gone and an older one is not";
    }
    return NULL;
}

/* ---- reading ---- */

static void read_instances(unsigned entity, struct instances *out)
{
    arena_reset(city.arena);
    struct store_evolve v = loop_evolve(&city.caller, id_of(city.arena, entity), 0, city.arena);
    for (uint32_t i = 0; v.evolution_count && i < v.evolutions[0].count; i++) {
        const struct series *s = &v.evolutions[0].series[i];
        for (uint32_t n = 0; n < s->count; n++)
            add(out, (struct instance){point_place(&s->points[n]), s->points[n].attr.value.integer, s->dataset.n > 0, false});
    }
}

/* Is it as in the model, which then is what was found? */
static const char *compare_entity(unsigned entity)
{
    struct amount sums[SERIES];
    struct instances found = {0}, *m = &model.instances[entity];
    if (keeps_aggregates(entity)) {
        arena_reset(city.arena);
        amount_read(&city.caller, id_of(city.arena, entity), city.arena, sums);
        return amount_same(sums, model.amounts[entity]) ? NULL : "instances and aggregates together are not what was recorded";
    }
    read_instances(entity, &found);
    const char *wrong = compare(m, &found);
    if (!wrong) {
        city.gone += m->count - found.count;
        struct instances was = *m;
        *m = found;
        found = was;
    }
    free(found.all);
    return wrong;
}

/* What compresses badly, so that there are few in the room that there is; the sum of so many squares still is a whole number. */
static uint64_t mix(const struct op *op, long long i)
{
    return ((uint64_t)op->value * 1000003 + (uint64_t)i) * 0x9e3779b97f4a7c15u;
}

static int64_t value_at(const struct op *op, long long i)
{
    return (int64_t)(mix(op, i) >> 46);
}

static int64_t time_at(const struct op *op, long long i)
{
    return op->at + i * (STEP / POINTS_MAX) + (int64_t)(mix(op, i) >> 24 & 0xfffff);
}

static void apply(const struct op *op)
{
    struct amount *amounts = model.amounts[op->entity];
    if (op->kind == 'Z') {
        memset(amounts, 0, sizeof model.amounts[0]);
        model.instances[op->entity].count = 0;
    }
    for (long long i = 0; op->kind == 'R' && i < op->n; i++) {
        amount_add(&amounts[op->k], value_at(op, i), 1);
        if (!keeps_aggregates(op->entity))
            add(&model.instances[op->entity], (struct instance){time_at(op, i), value_at(op, i), op->k, op->late});
    }
}

/* It is going to happen. */
static void note(const struct op *op)
{
    if (op->now > model.now)
        model.now = op->now;
    if (op->kind != 'R' || op->late || keeps_aggregates(op->entity))
        return;
    model.noted[model.ops % OPS_NOTED].at = op->at;
    model.noted[model.ops++ % OPS_NOTED].n = op->n;
}

/* ---- doing ---- */

static void happened(const struct drive_job *j)
{
    apply(j->op);
}

static const struct evolution *fragment_of(struct drive_job *j)
{
    const struct op *op = j->op;
    struct evolution *e = arena_zalloc(j->arena, sizeof *e);
    struct series *s = arena_zalloc(j->arena, sizeof *s);
    *s = (struct series){.term = city.name, .dataset = AMOUNT_DATASETS[op->k], .count = (uint32_t)op->n};
    s->points = arena_array(j->arena, struct point, s->count);
    for (uint32_t i = 0; i < s->count; i++) {
        s->points[i] = (struct point){.attr = loop_number(s->term, value_at(op, i)), .deleted_at = TIME_NONE};
        s->points[i].attr.dataset = s->dataset;
        s->points[i].attr.observed_at = time_at(op, i);
    }
    *e = (struct evolution){.id = id_of(j->arena, op->entity), .type_count = 1, .count = 1, .series = s};
    e->types = &city.types[keeps_aggregates(op->entity)];
    e->created_at = e->modified_at = e->deleted_at = e->expires_at = TIME_NONE;
    return e;
}

static void choose(struct op *op, unsigned entity)
{
    static long long value;
    hands += STEP;
    *op = (struct op){.kind = loop_below(200) ? 'R' : 'Z', .entity = entity, .k = loop_below(SERIES), .n = 1 + loop_below(POINTS_MAX)};
    op->value = value = value + 1 + loop_below(1000);
    op->now = hands;
    op->late = loop_below(8) == 0;
    op->at = op->now - STEP - (op->late ? (int64_t)loop_below(1000) * LATE_MAX / 1000 : 0);
}

static void start(struct drive_job *j)
{
    char line[DRIVE_LINE_MAX];
    struct op *op = j->op = arena_zalloc(j->arena, sizeof *op);
    choose(op, j->entity);
    snprintf(line, sizeof line, "s %c %u %u %d %lld %lld %lld %lld\n", op->kind, op->entity, op->k, op->late, op->n, op->value,
             op->at, op->now);
    loop_say(line);
    note(op);
    j->edit = (struct record_edit){.kind = op->kind == 'R' ? RECORD_EDIT_UPSERT : RECORD_EDIT_DELETE,
                                   .id = id_of(j->arena, op->entity),
                                   .term = city.name,
                                   .fragment = op->kind == 'R' ? fragment_of(j) : NULL};
    j->record.now_us = op->now;
}

/* One that nothing happens to, while it is swept and things happen to others. */
static void look_at(unsigned entity)
{
    const char *wrong = compare_entity(entity);
    if (!wrong)
        return;
    fprintf(stderr, "entity %u, while it runs: %s\n", entity, wrong);
    _exit(1);
}

/* ---- verifying ---- */

static struct op read_op(const char *text)
{
    struct op op;
    if (sscanf(text, "%c %u %u %d %lld %lld %lld %lld", &op.kind, &op.entity, &op.k, &op.late, &op.n, &op.value, &op.at,
               &op.now) != 8 ||
        op.entity >= ENTITIES || op.k >= SERIES)
        loop_die("what was told", text);
    return op;
}

static void note_told(const char *text)
{
    struct op op = read_op(text);
    note(&op);
}

/* As after all of it, the last of which may not have happened; with --interval, after some of it. */
static bool verify_entity(unsigned entity, bool interval)
{
    const char *wrong = "";
    for (uint32_t n = 0;; n++) {
        const struct drive_told *t = drive_told(entity, n);
        if (interval || !t || !t->known)
            wrong = compare_entity(entity);
        if (!t || !wrong)
            break;
        struct op op = read_op(t->op);
        if (!t->known || t->happened)
            apply(&op);
    }
    if (wrong)
        fprintf(stderr, "entity %u: %s\n", entity, wrong);
    return !wrong;
}

/* Sweeps have passed since the start, and what history takes is within the bound. */
static void wait_for_the_bound(void)
{
    struct store_stats stats;
    for (int i = 0; i < 5000; i++) {
        store_stats(city.store, &stats);
        if (stats.history.sweeps >= 2 && stats.history.disk_bytes <= BOUND)
            return;
        store_thread_offline(city.store);
        usleep(2000);
        store_thread_online(city.store);
    }
    loop_die("the bound", "it is not kept");
}

static void read_model(const char *path)
{
    FILE *f = fopen(path, "r");
    model.now = BEGIN;
    if (!f)
        return;
    bool ok = fread(&model, sizeof model, 1, f) == 1;
    for (unsigned i = 0; i < ENTITIES && ok; i++) {
        struct instances *m = &model.instances[i];
        m->room = m->count;
        m->all = m->count ? malloc(m->count * sizeof m->all[0]) : NULL;
        ok = !m->count || fread(m->all, sizeof m->all[0], m->count, f) == m->count;
    }
    if (!ok)
        loop_die("model", "it is cut off");
    fclose(f);
}

static bool write_model(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fwrite(&model, sizeof model, 1, f);
    for (unsigned i = 0; i < ENTITIES; i++)
        if (model.instances[i].count)
            fwrite(model.instances[i].all, sizeof model.instances[i].all[0], model.instances[i].count, f);
    return fclose(f) == 0;
}

static int verify(const char *dir, const char *path, bool interval)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < ENTITIES; i++)
        wrong += !verify_entity(i, interval);
    if (!wrong)
        wait_for_the_bound();
    for (unsigned i = 0; i < ENTITIES && !wrong; i++)
        look_at(i);
    loop_close(city.terms, city.arena);
    wrong += !loop_check(dir);
    printf("chunks %llu\n", (unsigned long long)city.gone);
    return !write_model(path) || wrong;
}

int main(int argc, char **argv)
{
    loop_begin(argc, argv);
    if (argc < 4)
        return 2;
    read_model(argv[3]);
    bool interval = loop_flag(argc, argv, "--interval");
    bool verifies = !strcmp(argv[1], "verify");
    if (verifies)
        drive_hear(note_told);
    open_city(argv[2], interval);
    int exit_code = 0;
    if (verifies) {
        exit_code = verify(argv[2], argv[3], interval);
    } else {
        drive_run(&(struct drive){.store = city.store, .caller = &city.caller, .entities = ENTITIES, .look_each = 16,
                                  .start = start, .happened = happened, .look = look_at}, argc, argv);
        loop_close(city.terms, city.arena);
        printf("syncs %u\n", fault_shim_syncs());
    }
    for (unsigned i = 0; i < ENTITIES; i++)
        free(model.instances[i].all);
    return exit_code;
}
