/* Series under load whose instances are swept into aggregates as they come, made to be killed: instances are recorded (of
 * today and of days ago), modified and forgotten, evolutions dropped, while folds and sweeps never rest. However instances and
 * aggregates share them at the moment, number, sum and squares of all values must be those of what was done.
 *
 * usage: sweep_driver drive DIR MODEL [--shadow DIR --crash-at N] [--ops N] [--wide N] [--interval] [--seed N]
 *                         goes on where the MODEL file stands (absent: at the start). Says what it does before it does it
 *                         ("s …"), what became of it ("a ENTITY 1", refused: 0); reads now and then, and exits with 1
 *                         when something is not as it must be; at the end "syncs N"
 *        sweep_driver rebuild SHADOW DIR   makes DIR of what a crash left
 *        sweep_driver verify DIR MODEL [--interval]   reads these lines: every series must be as after what was
 *                         acknowledged, and what was asked for last may have happened (with --interval: after some of it).
 *                         Writes what it found into MODEL, checks the store, says how many values aggregates had
 *                         ("chunks N"). Exits with 1 when something is wrong. */
#include "amount.h"
#include "base/time.h"
#include "drive.h"
#include "fault_shim.h"
#include "loop.h"
#include "store/embedded/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTITIES = 8, SERIES = AMOUNT_SERIES, RING = 16, POINTS_MAX = 200 };

#define S INT64_C(1000000)
#define DAY (86400 * S)

/* Instances that may be edited: some are swept meanwhile. */
struct instance {
    uint64_t seq;
    uint32_t index;
    int64_t value;
};

/* What can be done: R: n values from `value` on are recorded; M: an instance of `value` becomes `other`; I: it goes; Z: all goes. */
struct op {
    char kind;
    unsigned entity, k;
    long long n, value, other;
    struct instance instance; /* M, I: that of the ring's slot */
    uint32_t slot;
};

static struct {
    struct store *store;
    struct terms *terms;
    struct caller caller;
    struct arena *arena;
    uint32_t type, name;
    struct amount model[ENTITIES][SERIES];
    struct instance ring[ENTITIES][SERIES][RING];
    uint32_t ring_count[ENTITIES][SERIES];
    uint64_t aggregated;
} city;

static struct str id_of(struct arena *a, unsigned entity)
{
    return arena_printf(a, "urn:swept:%u", entity);
}

static void open_city(const char *dir, bool interval)
{
    struct str line = STR("keep=1s minutes=1h hours=1d days=forever");
    struct why why = {0};
    struct embedded_options o = loop_store(dir, interval);
    o.log_bytes_max = 512 << 10;
    o.history_bytes_max = 48 << 10;
    city.terms = terms_new(1000);
    city.arena = arena_new(0);
    city.caller.tenant = STR("town");
    city.store = loop_open(&o, city.terms);
    city.type = terms_intern(city.terms, STR("https://example.org/Thing"), &why);
    city.name = terms_intern(city.terms, STR("https://example.org/level"), &why);
    store_retain(city.store, &(struct store_retention){.rules = retention_new(&line, 1, &why), .sweep_interval_us = 1000});
}

static void close_city(void)
{
    struct store_stats stats;
    store_stats(city.store, &stats);
    city.aggregated = stats.history.swept.aggregated;
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        city.aggregated += stats.history.kept[k];
    loop_close(city.terms, city.arena);
}

/* ---- reading ---- */

static void read_entity(unsigned entity, struct amount out[SERIES])
{
    arena_reset(city.arena);
    amount_read(&city.caller, id_of(city.arena, entity), city.arena, out);
}

static void apply(struct amount model[SERIES], const struct op *op)
{
    struct amount *a = &model[op->k];
    if (op->kind == 'Z')
        memset(model, 0, SERIES * sizeof model[0]);
    for (long long i = 0; op->kind == 'R' && i < op->n; i++)
        amount_add(a, op->value + i, 1);
    if (op->kind == 'M' || op->kind == 'I')
        amount_add(a, op->value, -1);
    if (op->kind == 'M')
        amount_add(a, op->other, 1);
}

/* ---- doing ---- */

static void remember(const struct op *op, uint64_t seq)
{
    struct instance *ring = city.ring[op->entity][op->k];
    uint32_t *count = &city.ring_count[op->entity][op->k];
    if (op->kind == 'Z')
        memset(city.ring_count[op->entity], 0, sizeof city.ring_count[0]);
    if (op->kind == 'I')
        ring[op->slot] = ring[--*count];
    if (op->kind == 'M')
        ring[op->slot].value = op->other;
    if (op->kind == 'R')
        ring[*count < RING ? (*count)++ : loop_below(RING)] =
            (struct instance){seq, (uint32_t)op->n - 1, op->value + op->n - 1};
}

static void happened(const struct drive_job *j)
{
    apply(city.model[j->entity], j->op);
    remember(j->op, j->result.seq);
}

/* Of today and of some days ago; those of the second series have no time of their own. */
static const struct evolution *fragment_of(struct drive_job *j)
{
    const struct op *op = j->op;
    uint32_t n = op->kind == 'M' ? 1 : (uint32_t)op->n;
    struct evolution *e = arena_zalloc(j->arena, sizeof *e);
    struct series *s = arena_zalloc(j->arena, sizeof *s);
    int64_t back = loop_below(3) ? 2 * S : loop_below(2) ? DAY / 10 : 5 * DAY;
    *s = (struct series){.term = city.name, .dataset = AMOUNT_DATASETS[op->k], .count = n};
    s->points = arena_array(j->arena, struct point, n);
    for (uint32_t i = 0; i < n; i++) {
        s->points[i] = (struct point){.attr = loop_number(s->term, op->kind == 'M' ? op->other : op->value + i), .deleted_at = TIME_NONE};
        s->points[i].attr.dataset = s->dataset;
        s->points[i].attr.observed_at = op->k ? TIME_NONE : j->record.now_us - (int64_t)loop_below(1000) * back / 1000;
    }
    *e = (struct evolution){.id = id_of(j->arena, op->entity), .type_count = 1, .types = &city.type, .count = 1, .series = s};
    e->created_at = e->modified_at = e->deleted_at = e->expires_at = TIME_NONE;
    return e;
}

static void name_instance(struct drive_job *j)
{
    char id[INSTANCE_ID_MAX];
    const struct op *op = j->op;
    struct record_edit *e = &j->edit;
    e->instance_seq = op->instance.seq;
    e->instance_index = op->instance.index;
    size_t n = instance_id_write(e->id, terms_iri(city.terms, e->term), e->dataset, e->instance_seq, e->instance_index, id);
    e->instance_id = arena_dup(j->arena, (struct str){id, n});
}

static void choose(struct op *op, unsigned entity)
{
    static const char OFTEN[] = "RRRRRRRRMMMI";
    static long long value;
    *op = (struct op){.entity = entity, .k = loop_below(SERIES), .n = 1 + loop_below(POINTS_MAX), .value = value = (value + 7) % 10000};
    uint32_t count = city.ring_count[entity][op->k];
    op->kind = loop_below(300) ? OFTEN[loop_below(sizeof OFTEN - 1)] : 'Z';
    if ((op->kind == 'M' || op->kind == 'I') && !count)
        op->kind = 'R';
    if (op->kind == 'M' || op->kind == 'I') {
        op->slot = loop_below(4) ? count - 1 : loop_below(count);
        op->instance = city.ring[entity][op->k][op->slot];
        op->value = op->instance.value;
        op->other = loop_below(10000);
    }
}

static void start(struct drive_job *j)
{
    char line[DRIVE_LINE_MAX];
    struct op *op = j->op = arena_zalloc(j->arena, sizeof *op);
    j->record.now_us = time_now();
    choose(op, j->entity);
    snprintf(line, sizeof line, "s %c %u %u %lld %lld %lld\n", op->kind, op->entity, op->k, op->n, op->value, op->other);
    loop_say(line);
    j->edit = (struct record_edit){.id = id_of(j->arena, op->entity), .term = city.name, .dataset = AMOUNT_DATASETS[op->k]};
    j->edit.kind = op->kind == 'R'   ? RECORD_EDIT_UPSERT
                   : op->kind == 'M' ? RECORD_EDIT_MODIFY_INSTANCE
                   : op->kind == 'I' ? RECORD_EDIT_DELETE_INSTANCE
                                     : RECORD_EDIT_DELETE;
    if (op->kind == 'R' || op->kind == 'M')
        j->edit.fragment = fragment_of(j);
    if (op->kind == 'M' || op->kind == 'I')
        name_instance(j);
}

/* One that nothing happens to, while it is swept and things happen to others. */
static void look_at(unsigned entity)
{
    struct amount found[SERIES];
    read_entity(entity, found);
    if (amount_same(found, city.model[entity]))
        return;
    for (int k = 0; k < SERIES; k++)
        fprintf(stderr, "entity %u, while it runs: series %d has %lld values, sum %lld, and should have %lld, sum %lld\n", entity, k,
                (long long)found[k].count, (long long)found[k].sum, (long long)city.model[entity][k].count,
                (long long)city.model[entity][k].sum);
    exit(1);
}

/* ---- verifying ---- */

static struct op read_op(const char *text)
{
    struct op op = {0};
    if (sscanf(text, "%c %u %u %lld %lld %lld", &op.kind, &op.entity, &op.k, &op.n, &op.value, &op.other) != 6 ||
        op.entity >= ENTITIES || op.k >= SERIES)
        loop_die("what was told", text);
    return op;
}

/* As after all of it, the last of which may not have happened; with --interval, after some of it. */
static bool verify_entity(unsigned entity, bool interval)
{
    struct amount found[SERIES], *model = city.model[entity];
    read_entity(entity, found);
    for (uint32_t n = 0;; n++) {
        const struct drive_told *t = drive_told(entity, n);
        if ((interval || !t || !t->known) && amount_same(model, found))
            return true;
        if (!t)
            break;
        struct op op = read_op(t->op);
        if (!t->known || t->happened)
            apply(model, &op);
    }
    for (int k = 0; k < SERIES; k++)
        fprintf(stderr, "entity %u: series %d has %lld values, sum %lld, and should have %lld, sum %lld\n", entity, k,
                (long long)found[k].count, (long long)found[k].sum, (long long)model[k].count, (long long)model[k].sum);
    return false;
}

/* Sweeps have passed since the start: twice, so that one began behind it. */
static void wait_for_sweeps(void)
{
    struct store_stats stats;
    for (int i = 0; i < 3000; i++) {
        store_stats(city.store, &stats);
        if (stats.history.sweeps >= 2)
            return;
        store_thread_offline(city.store);
        usleep(2000);
        store_thread_online(city.store);
    }
    loop_die("sweeps", "none comes");
}

static int verify(const char *dir, const char *path, bool interval)
{
    unsigned wrong = 0;
    drive_hear(NULL);
    for (unsigned i = 0; i < ENTITIES; i++)
        wrong += !verify_entity(i, interval);
    wait_for_sweeps();
    for (unsigned i = 0; i < ENTITIES && !wrong; i++)
        look_at(i);
    close_city();
    wrong += !loop_check(dir);
    FILE *f = fopen(path, "w");
    if (!f)
        return 2;
    fwrite(city.model, sizeof city.model, 1, f);
    printf("chunks %llu\n", (unsigned long long)city.aggregated);
    return fclose(f) || wrong;
}

int main(int argc, char **argv)
{
    loop_begin(argc, argv);
    if (argc < 4)
        return 2;
    FILE *f = fopen(argv[3], "r");
    if (f) {
        if (fread(city.model, sizeof city.model, 1, f) != 1)
            loop_die("model", "it is cut off");
        fclose(f);
    }
    bool interval = loop_flag(argc, argv, "--interval");
    open_city(argv[2], interval);
    if (!strcmp(argv[1], "verify"))
        return verify(argv[2], argv[3], interval);
    drive_run(&(struct drive){.store = city.store, .caller = &city.caller, .entities = ENTITIES, .look_each = 6,
                              .start = start, .happened = happened, .look = look_at}, argc, argv);
    close_city();
    printf("syncs %u\n", fault_shim_syncs());
    return 0;
}
