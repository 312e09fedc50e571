/* A small city that remembers, under load, made to be killed: entities are changed and deleted, instances recorded (late ones
 * too), modified and forgotten, all at once; folds and sealing never rest. What it must remember: history_model.h.
 *
 * usage: history_driver drive DIR MODEL [--shadow DIR --crash-at N] [--ops N] [--wide N] [--entities N] [--most N] [--interval]
 *                         goes on where the MODEL file stands (absent: at the start). Says what it does before
 *                         it does it ("s …"), when that is acknowledged ("a ENTITY SEQ"); reads now and then, and
 *                         exits with 1 when something is not as it must be; at the end "syncs N"
 *        history_driver rebuild SHADOW DIR   makes DIR of what a crash left
 *        history_driver verify DIR MODEL [--interval]   reads these lines: every entity must be as after what was
 *                         acknowledged (with --interval: after some of it), and what was asked for last may have happened.
 *                         Writes what it found into MODEL, checks the store. Exits with 1 when something is wrong. */
#include "base/time.h"
#include "fault_shim.h"
#include "history_model.h"
#include "loop.h"
#include "store/embedded/embedded.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLS_MAX = 64 };

static struct {
    struct store *store;
    struct terms *terms;
    struct caller caller;
    struct arena *arena; /* of reading */
    uint32_t type, name[MODEL_SERIES];
    struct model_entity model[MODEL_ENTITIES_MAX];
    bool busy[MODEL_ENTITIES_MAX];
    unsigned entities, most;
    int64_t now;
    uint64_t chunks; /* met by reading */
} city;

static const struct str DATASETS[MODEL_SERIES] = {{"", 0}, {"urn:d:1", 7}, {"", 0}};

static struct str name_of(struct arena *a, unsigned i)
{
    return arena_printf(a, "urn:thing:%u", i);
}

static void open_city(const char *dir, bool interval)
{
    struct embedded_options o = loop_store(dir, interval);
    o.log_bytes_max = 512 << 10;
    o.history_bytes_max = 48 << 10;
    struct why why = {0};
    city.terms = terms_new(1000);
    city.arena = arena_new(0);
    city.caller.tenant = STR("town");
    city.store = loop_open(&o, city.terms);
    city.type = terms_intern(city.terms, STR("https://example.org/Thing"), &why);
    city.name[0] = city.name[1] = terms_intern(city.terms, STR("https://example.org/left"), &why);
    city.name[2] = terms_intern(city.terms, STR("https://example.org/right"), &why);
}

/* ---- reading ---- */

static unsigned series_of(const struct series *s)
{
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        if (s->term == city.name[k] && str_eq(s->dataset, DATASETS[k]))
            return k;
    loop_die("read", "a series that nobody made");
}

static void take_today(unsigned i, struct model_entity *out)
{
    struct store_get g = {.call = {.home = loop_runner()}, .caller = &city.caller, .id = name_of(city.arena, i)};
    store_get(city.store, &g);
    out->there = g.doc != NULL;
    for (uint32_t n = 0; g.doc && n < doc_attr_count(g.doc); n++) {
        struct attr a;
        doc_attr_alone(g.doc, n, &a);
        struct series s = {.term = a.term, .dataset = a.dataset};
        struct model_series *to = &out->series[series_of(&s)];
        to->current = true;
        to->value = a.value.integer;
    }
}

static void take_series(const struct series *s, struct model_series *to)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct point *p = &s->points[i];
        if (i && point_order(p - 1, p) >= 0)
            loop_die("read", "instances are out of order");
        model_add(to, &(struct model_point){p->attr.seq, p->index, point_place(p),
                                            p->attr.value.kind == VALUE_NULL ? 0 : p->attr.value.integer,
                                            p->deleted_at != TIME_NONE});
    }
}

/* Evolution and entity, as they stand. Nothing of it is on its way. */
static void read_entity(unsigned i, struct model_entity *out)
{
    memset(out, 0, sizeof *out);
    arena_reset(city.arena);
    struct store_evolve v = loop_evolve(&city.caller, name_of(city.arena, i), 0, city.arena);
    city.chunks += v.explain.chunks_read;
    for (uint32_t k = 0; v.evolution_count && k < v.evolutions[0].count; k++)
        take_series(&v.evolutions[0].series[k], &out->series[series_of(&v.evolutions[0].series[k])]);
    take_today(i, out);
}

/* ---- doing ---- */

struct job {
    struct model_op op;
    struct arena *arena;
    union {
        struct store_apply apply;
        struct store_record record;
    };
    struct edit edit;
    struct edit_result edited;
    struct record_edit record_edit;
    struct record_result recorded;
    bool busy, records;
};

static void end_job(struct job *j, const struct store_call *call)
{
    char line[MODEL_LINE_MAX], kind[] = {j->op.kind, 0};
    enum status st = j->records ? j->recorded.status : j->edited.status;
    uint64_t seq = j->records ? j->recorded.seq : j->edited.seq;
    if (call->status != OK)
        loop_die(kind, call->why.text);
    if (st != OK)
        loop_die(kind, j->records ? j->recorded.why->text : j->edited.why->text);
    snprintf(line, sizeof line, "a %u %llu\n", j->op.entity, (unsigned long long)seq);
    loop_say(line);
    model_apply(&city.model[j->op.entity], &j->op, seq);
    city.busy[j->op.entity] = j->busy = false;
}

static void applied(struct store_call *call)
{
    end_job(container_of(call, struct job, apply.call), call);
}

static void recorded(struct store_call *call)
{
    end_job(container_of(call, struct job, record.call), call);
}

static void start_edit(struct job *j)
{
    const struct model_op *op = &j->op;
    struct str id = name_of(j->arena, op->entity);
    struct entity *f = arena_zalloc(j->arena, sizeof *f);
    bool there = city.model[op->entity].there;
    *f = (struct entity){.id = id, .type_count = 1, .types = &city.type};
    f->created_at = f->modified_at = f->expires_at = TIME_NONE;
    f->attrs = arena_array(j->arena, struct attr, MODEL_SERIES);
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        if (op->mask >> k & 1) {
            struct attr *a = &f->attrs[f->attr_count++];
            *a = loop_number(city.name[k], op->value);
            a->dataset = DATASETS[k];
            a->observed_at = op->at == MODEL_NO_TIME ? TIME_NONE : op->at;
        }
    j->edit = (struct edit){.id = id, .fragment = f, .term = city.name[op->k], .dataset = DATASETS[op->k]};
    j->edit.kind = op->kind == 'P'   ? EDIT_UPSERT_REPLACE
                   : op->kind == 'D' ? EDIT_DELETE
                   : op->kind == 'X' ? EDIT_ATTR_DELETE
                   : there           ? EDIT_APPEND
                                     : EDIT_CREATE;
    if (op->kind == 'D' || op->kind == 'X')
        j->edit.fragment = NULL;
    j->apply = (struct store_apply){.call = {.home = loop_runner(), .done = applied},
                                    .caller = &city.caller,
                                    .edits = &j->edit,
                                    .count = 1,
                                    .results = &j->edited,
                                    .arena = j->arena,
                                    .create_tenant = true,
                                    .now_us = op->now};
    if (store_apply(city.store, &j->apply))
        end_job(j, &j->apply.call);
}

static const struct evolution *fragment_of(struct job *j)
{
    const struct model_op *op = &j->op;
    uint32_t n = op->kind == 'M' ? 1 : op->n;
    struct evolution *e = arena_zalloc(j->arena, sizeof *e);
    struct series *s = arena_zalloc(j->arena, sizeof *s);
    *s = (struct series){.term = city.name[op->k], .dataset = DATASETS[op->k], .count = n};
    s->points = arena_array(j->arena, struct point, n);
    for (uint32_t i = 0; i < n; i++) {
        s->points[i] = (struct point){.attr = loop_number(s->term, op->value + i), .deleted_at = TIME_NONE};
        s->points[i].attr.dataset = s->dataset;
        s->points[i].attr.observed_at = op->at + (int64_t)i * MODEL_STEP_US;
    }
    *e = (struct evolution){.id = name_of(j->arena, op->entity), .type_count = 1, .types = &city.type, .count = 1, .series = s};
    e->created_at = e->modified_at = e->deleted_at = e->expires_at = TIME_NONE;
    return e;
}

static void start_record(struct job *j)
{
    const struct model_op *op = &j->op;
    struct record_edit *e = &j->record_edit;
    char id[INSTANCE_ID_MAX];
    *e = (struct record_edit){.id = name_of(j->arena, op->entity), .term = city.name[op->k], .dataset = DATASETS[op->k]};
    switch (op->kind) {
    case 'R':
        e->kind = RECORD_EDIT_UPSERT;
        break;
    case 'M':
    case 'I':
        e->kind = op->kind == 'M' ? RECORD_EDIT_MODIFY_INSTANCE : RECORD_EDIT_DELETE_INSTANCE;
        e->instance_seq = op->seq;
        e->instance_index = op->index;
        e->instance_id.n =
            instance_id_write(e->id, terms_iri(city.terms, e->term), e->dataset, op->seq, op->index, id);
        e->instance_id = arena_dup(j->arena, (struct str){id, e->instance_id.n});
        break;
    case 'A':
        e->kind = RECORD_EDIT_DELETE_ATTR;
        break;
    case 'Z':
        e->kind = RECORD_EDIT_DELETE;
        break;
    default:
        e->kind = RECORD_EDIT_MARK_DELETED;
        e->whole = true;
    }
    e->fragment = op->kind == 'R' || op->kind == 'M' ? fragment_of(j) : NULL;
    j->record = (struct store_record){.call = {.home = loop_runner(), .done = recorded},
                                      .caller = &city.caller,
                                      .edits = e,
                                      .count = 1,
                                      .results = &j->recorded,
                                      .arena = j->arena,
                                      .create_tenant = true,
                                      .blind = op->kind == 'R' && op->value % 2,
                                      .now_us = op->now};
    if (store_record(city.store, &j->record))
        end_job(j, &j->record.call);
}

/* ---- choosing ---- */

/* False: that cannot be done to the entity. */
static bool is_possible(struct model_op *op)
{
    const struct model_entity *e = &city.model[op->entity];
    const struct model_series *s = &e->series[op->k];
    uint32_t points = 0;
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        points += e->series[k].count;
    switch (op->kind) {
    case 'D':
        return e->there;
    case 'X':
        return s->current;
    case 'M':
    case 'I':
        if (s->count) {
            uint32_t i = loop_below(4) ? loop_below(s->count) : s->count - 1;
            op->seq = s->points[i].seq;
            op->index = s->points[i].index;
        }
        return s->count > 0;
    case 'A':
        return s->count > 0;
    case 'Z':
        return points > 0;
    case 'K':
        return model_can_end(e);
    default:
        return true;
    }
}

/* Of what is done: ends and what forgets much are rare, so that chunks are sealed. */
static const char OFTEN[] = "RRRRRRRRRRRRUUUUUUPPMMMMIIIIDXXK", RARE[] = "AAZ";

static void choose(struct model_op *op, unsigned entity)
{
    static int64_t value;
    int64_t now = time_now();
    city.now = now > city.now ? now : city.now + 1;
    do {
        *op = (struct model_op){.entity = entity, .now = city.now, .value = value};
        op->k = loop_below(MODEL_SERIES);
        op->n = 1 + loop_below(city.most);
        op->kind = loop_below(60) ? OFTEN[loop_below(sizeof OFTEN - 1)] : RARE[loop_below(sizeof RARE - 1)];
        op->at = city.now - (int64_t)loop_below(1000000) * 100000;
        if ((op->kind == 'U' || op->kind == 'P') && loop_below(3))
            op->at = MODEL_NO_TIME;
        op->mask = 1 + loop_below((1 << MODEL_SERIES) - 1);
        if (op->kind != 'U' && op->kind != 'P')
            op->mask = 0;
    } while (!is_possible(op));
    value += op->n;
}

/* UINT32_MAX: all are busy. */
static unsigned idle_entity(void)
{
    unsigned from = loop_below(city.entities);
    for (unsigned n = 0; n < city.entities; n++)
        if (!city.busy[(from + n) % city.entities])
            return (from + n) % city.entities;
    return UINT32_MAX;
}

static bool start_job(struct job *j)
{
    char line[MODEL_LINE_MAX];
    unsigned i = idle_entity();
    if (i == UINT32_MAX)
        return false;
    if (!j->arena)
        j->arena = arena_new(0);
    arena_reset(j->arena);
    j->busy = city.busy[i] = true;
    choose(&j->op, i);
    model_op_write(&j->op, line);
    loop_say(line);
    j->records = strchr("RMIAZK", j->op.kind) != NULL;
    j->edited = (struct edit_result){0};
    j->recorded = (struct record_result){0};
    if (j->records)
        start_record(j);
    else
        start_edit(j);
    return true;
}

/* One that nothing happens to, while things happen to others. */
static void look_at_one(void)
{
    struct model_entity found;
    unsigned i = idle_entity();
    if (i == UINT32_MAX)
        return;
    city.busy[i] = true;
    read_entity(i, &found);
    const char *wrong = model_compare(&city.model[i], &found);
    if (wrong) {
        fprintf(stderr, "entity %u, while it runs: %s\n", i, wrong);
        exit(1);
    }
    model_free(&found);
    city.busy[i] = false;
}

static void drive(unsigned ops, uint32_t wide)
{
    static struct job jobs[CALLS_MAX];
    for (unsigned n = 0; n < ops;) {
        bool any = false;
        for (uint32_t k = 0; k < wide && k < CALLS_MAX && n < ops; k++)
            if (!jobs[k].busy && start_job(&jobs[k])) {
                any = true;
                n++;
            }
        if (!loop_below(8))
            look_at_one();
        if (!any || wide == 1)
            for (uint32_t k = 0; k < CALLS_MAX; k++)
                if (jobs[k].busy) {
                    loop_run();
                    break;
                }
    }
    for (uint32_t k = 0; k < CALLS_MAX; k++) {
        while (jobs[k].busy)
            loop_run();
        arena_free(jobs[k].arena);
    }
}

/* ---- verifying ---- */

/* What was done to one entity. */
struct told {
    struct model_op *ops;
    uint64_t *seqs; /* MODEL_UNKNOWN: not acknowledged */
    uint32_t count;
};

static void hear(struct told *all)
{
    char line[MODEL_LINE_MAX];
    while (fgets(line, sizeof line, stdin)) {
        struct model_op op;
        unsigned entity;
        unsigned long long seq;
        if (model_op_read(&op, line)) {
            struct told *t = &all[op.entity];
            t->ops = realloc(t->ops, (t->count + 1) * sizeof *t->ops);
            t->seqs = realloc(t->seqs, (t->count + 1) * sizeof *t->seqs);
            t->ops[t->count] = op;
            t->seqs[t->count++] = MODEL_UNKNOWN;
        } else if (sscanf(line, "a %u %llu", &entity, &seq) == 2 && entity < MODEL_ENTITIES_MAX && all[entity].count) {
            all[entity].seqs[all[entity].count - 1] = seq;
        }
    }
}

/* NULL: it is as it may be. */
static const char *verify_entity(unsigned i, const struct told *t, bool interval)
{
    struct model_entity found, *model = &city.model[i];
    const char *wrong = "";
    read_entity(i, &found);
    for (uint32_t n = 0; wrong; n++) {
        if (interval || n == t->count || t->seqs[n] == MODEL_UNKNOWN)
            wrong = model_compare(model, &found);
        if (!wrong || n == t->count)
            break;
        model_apply(model, &t->ops[n], t->seqs[n]);
    }
    model_free(&found);
    return wrong;
}

static int verify(const char *dir, const char *path, bool interval)
{
    static struct told told[MODEL_ENTITIES_MAX];
    unsigned wrong = 0;
    hear(told);
    for (unsigned i = 0; i < MODEL_ENTITIES_MAX; i++) {
        const char *what = verify_entity(i, &told[i], interval);
        if (what)
            fprintf(stderr, "entity %u: %s\n", i, what);
        wrong += what != NULL;
        free(told[i].ops);
        free(told[i].seqs);
    }
    loop_close(city.terms, city.arena);
    wrong += !loop_check(dir);
    FILE *f = fopen(path, "w");
    if (!f)
        return 2;
    model_write(city.model, f);
    printf("chunks %llu\n", (unsigned long long)city.chunks);
    return fclose(f) || wrong;
}

int main(int argc, char **argv)
{
    loop_begin(argc, argv);
    if (argc < 4)
        return 2;
    FILE *f = fopen(argv[3], "r");
    if (f) {
        model_read(city.model, f);
        fclose(f);
    }
    city.entities = loop_figure(argc, argv, "--entities", "12");
    city.most = loop_figure(argc, argv, "--most", "64");
    open_city(argv[2], loop_flag(argc, argv, "--interval"));
    int exit_code = 0;
    if (!strcmp(argv[1], "verify")) {
        exit_code = verify(argv[2], argv[3], loop_flag(argc, argv, "--interval"));
    } else {
        drive(loop_figure(argc, argv, "--ops", "200"), loop_figure(argc, argv, "--wide", "8"));
        loop_close(city.terms, city.arena);
        printf("syncs %u\n", fault_shim_syncs());
    }
    for (unsigned i = 0; i < MODEL_ENTITIES_MAX; i++)
        model_free(&city.model[i]);
    return exit_code;
}
