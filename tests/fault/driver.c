/* A small city under load, made to be killed. Every entity goes through versions 1, 2, 3 …: a
 * version divisible by 7 is its deletion, any other sets two attributes to its number.
 *
 * usage: driver drive DIR [--shadow DIR --crash-at N] [--ops N] [--wide N] [--interval]
 *          prints "s I V" before a change is asked for, "a I V" when it is acknowledged, "r I V"
 * when it was read; at the end "syncs N". Goes on where DIR's city stands. driver rebuild SHADOW
 * DIR    makes DIR of what a crash left driver verify DIR            reads "I LOW HIGH" lines:
 * entity I must stand at a version between, and what a listener was told before and after the
 * start must lead there, change by change; then checks the whole store. Exits with 1 when something
 * is wrong. */
#include "base/arena.h"
#include "base/time.h"
#include "fault_shim.h"
#include "loop.h"
#include "store/embedded/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDE_MAX = 256, DELETED = 7, ENTITIES = 400 };

struct city {
    struct store *store;
    struct terms *terms;
    struct caller caller;
    uint32_t type, left, right;
    uint64_t versions[ENTITIES]; /* last one asked for */
    bool busy[ENTITIES];
};

static struct city city;

static void say(char what, uint32_t i, uint64_t version)
{
    char line[64];
    snprintf(line, sizeof line, "%c %u %llu\n", what, i, (unsigned long long)version);
    loop_say(line);
}

/* ---- the listener ---- */

/* It knows of every entity the version it was told last, and saves just that: whatever is not told,
 * told twice, or told with another version before it, it notices. */
struct witness {
    struct store_listener listener;
    uint64_t told[ENTITIES]; /* 0: absent */
    uint64_t changes, restored;
};

static struct witness witness;

static uint64_t version_of(const struct doc *d)
{
    struct value v;
    if (!d)
        return 0;
    doc_attr_value(d, doc_find_attr(d, doc_attr_term(d, 0)), &v);
    return (uint64_t)v.integer;
}

static void hear(struct store_listener *l, const struct change *c, uint32_t count)
{
    (void)l;
    for (uint32_t n = 0; n < count; n++) {
        unsigned i;
        if (c[n].kind != CHANGE_ENTITY)
            continue;
        struct str id = doc_id(c[n].after ? c[n].after : c[n].before);
        char text[32];
        snprintf(text, sizeof text, "%.*s", STR_ARG(id));
        if (sscanf(text, "urn:thing:%u", &i) != 1 || i >= ENTITIES)
            exit(2);
        if (version_of(c[n].before) != witness.told[i]) {
            fprintf(stderr, "change %llu of entity %u came after %llu, the listener knows %llu\n",
                    (unsigned long long)c[n].seq, i, (unsigned long long)version_of(c[n].before),
                    (unsigned long long)witness.told[i]);
            exit(1);
        }
        witness.told[i] = version_of(c[n].after);
        witness.changes++;
    }
}

static void *freeze(struct store_listener *l, uint64_t seq)
{
    (void)l;
    (void)seq;
    uint64_t *told = mem_alloc(sizeof witness.told);
    memcpy(told, witness.told, sizeof witness.told);
    return told;
}

static void save(struct store_listener *l, void *frozen, struct store_saver *saver)
{
    (void)l;
    const uint64_t *told = frozen;
    for (uint32_t i = 0; i < ENTITIES; i++)
        if (told[i])
            saver->put(saver, (struct str){(const char *)&i, sizeof i},
                       (struct str){(const char *)&told[i], sizeof told[i]});
    free(frozen);
}

static void restore(struct store_listener *l, struct str key, struct str bytes)
{
    (void)l;
    uint32_t i;
    if (key.n != sizeof i || bytes.n != sizeof witness.told[0] || witness.changes)
        exit(2);
    memcpy(&i, key.p, sizeof i);
    memcpy(&witness.told[i], bytes.p, bytes.n);
    witness.restored++;
}

/* ---- the store ---- */

static void open_city(const char *dir, bool interval)
{
    struct embedded_options o = loop_store(dir, interval);
    struct why why = {0};
    witness.listener = (struct store_listener){.name = STR("witness"),
                                               .changes = hear,
                                               .freeze = freeze,
                                               .save = save,
                                               .restore = restore};
    o.listeners = &witness.listener;
    city.terms = terms_new(1000);
    city.caller.tenant = STR("town");
    city.store = loop_open(&o, city.terms);
    city.type = terms_intern(city.terms, STR("https://example.org/Thing"), &why);
    city.left = terms_intern(city.terms, STR("https://example.org/left"), &why);
    city.right = terms_intern(city.terms, STR("https://example.org/right"), &why);
}

static void name_of(uint32_t i, char id[32])
{
    snprintf(id, 32, "urn:thing:%u", i);
}

/* Version that entity i stands at; 0: absent. Exits when it is half of one and half of another. */
static uint64_t standing(uint32_t i)
{
    char id[32];
    name_of(i, id);
    struct store_get g = {
        .call = {.home = loop_runner()}, .caller = &city.caller, .id = str_of(id)};
    store_get(city.store, &g);
    if (!g.doc)
        return 0;
    struct value a, b;
    doc_attr_value(g.doc, doc_find_attr(g.doc, city.left), &a);
    doc_attr_value(g.doc, doc_find_attr(g.doc, city.right), &b);
    if (a.integer != b.integer) {
        fprintf(stderr, "entity %u is half %lld and half %lld\n", i, (long long)a.integer,
                (long long)b.integer);
        exit(1);
    }
    return (uint64_t)a.integer;
}

/* ---- writing ---- */

struct job {
    struct store_apply apply;
    struct arena *arena;
    struct edit edits[2];
    struct edit_result results[2];
    uint32_t entities[2];
    uint32_t count;
    bool busy;
};

static struct edit next_version(struct arena *a, uint32_t i)
{
    char id[32];
    name_of(i, id);
    uint64_t v = ++city.versions[i];
    struct edit e = {.kind = EDIT_DELETE, .id = arena_dup(a, str_of(id))};
    if (v % DELETED == 0)
        return e;
    struct entity *f = arena_zalloc(a, sizeof *f);
    f->id = e.id;
    f->type_count = 1;
    f->types = arena_array(a, uint32_t, 1);
    f->types[0] = city.type;
    f->created_at = f->modified_at = f->expires_at = TIME_NONE;
    f->attr_count = 2;
    f->attrs = arena_array(a, struct attr, 2);
    f->attrs[0] = loop_number(city.left, (int64_t)v);
    f->attrs[1] = loop_number(city.right, (int64_t)v);
    e.kind = EDIT_UPSERT_REPLACE;
    e.fragment = f;
    return e;
}

static void done(struct store_call *call)
{
    struct job *c = container_of(call, struct job, apply.call);
    if (call->status != OK)
        loop_die("apply", call->why.text);
    for (uint32_t k = 0; k < c->count; k++) {
        if (c->results[k].status != OK)
            loop_die("edit", c->results[k].why->text);
        say('a', c->entities[k], city.versions[c->entities[k]]);
        city.busy[c->entities[k]] = false;
    }
    c->busy = false;
}

static uint32_t idle_entity(void)
{
    for (;;) {
        uint32_t i = loop_below(ENTITIES);
        if (!city.busy[i])
            return i;
    }
}

static void start_job(struct job *c)
{
    if (!c->arena)
        c->arena = arena_new(0);
    arena_reset(c->arena);
    c->count = 1 + loop_below(2);
    c->busy = true;
    for (uint32_t k = 0; k < c->count; k++) {
        uint32_t i = c->entities[k] = idle_entity();
        city.busy[i] = true;
        c->edits[k] = next_version(c->arena, i);
        say('s', i, city.versions[i]);
    }
    c->apply = (struct store_apply){.call = {.home = loop_runner(), .done = done},
                                    .caller = &city.caller,
                                    .edits = c->edits,
                                    .count = c->count,
                                    .results = c->results,
                                    .arena = c->arena,
                                    .create_tenant = true,
                                    .now_us = time_now()};
    if (store_apply(city.store, &c->apply))
        done(&c->apply.call);
}

static void drive(unsigned ops, uint32_t wide)
{
    static struct job changes[WIDE_MAX];
    for (uint32_t i = 0; i < ENTITIES; i++)
        if ((city.versions[i] = standing(i)))
            say('r', i, city.versions[i]);
    for (unsigned n = 0; n < ops;) {
        bool any = false;
        for (uint32_t k = 0; k < wide && n < ops; k++) {
            if (changes[k].busy)
                continue;
            start_job(&changes[k]);
            any = true;
            n++;
        }
        uint32_t i = loop_below(ENTITIES);
        uint64_t v = standing(i);
        if (v)
            say('r', i, v);
        if (!any || wide == 1)
            loop_run();
    }
    for (uint32_t k = 0; k < wide; k++) {
        while (changes[k].busy)
            loop_run();
        arena_free(changes[k].arena);
    }
}

/* ---- verifying ---- */

/* Is there a version between low and high that looks like this? */
static bool possible(uint64_t seen, uint64_t low, uint64_t high)
{
    for (uint64_t v = low; v <= high; v++)
        if (seen == (v % DELETED ? v : 0))
            return true;
    return false;
}

static int verify(const char *dir)
{
    unsigned i, wrong = 0;
    unsigned long long low, high;
    while (scanf("%u %llu %llu", &i, &low, &high) == 3) {
        uint64_t seen = standing(i);
        if (possible(seen, low, high))
            continue;
        fprintf(stderr, "entity %u stands at %llu, not between %llu and %llu\n", i,
                (unsigned long long)seen, low, high);
        wrong++;
    }
    for (i = 0; i < ENTITIES; i++)
        if (standing(i) != witness.told[i]) {
            fprintf(stderr, "entity %u stands at %llu, the listener knows %llu\n", i,
                    (unsigned long long)standing(i), (unsigned long long)witness.told[i]);
            wrong++;
        }
    loop_close(city.terms, NULL);
    return wrong || !loop_check(dir);
}

/* ---- the command line ---- */

int main(int argc, char **argv)
{
    loop_begin(argc, argv);
    open_city(argv[2], loop_flag(argc, argv, "--interval"));
    if (!strcmp(argv[1], "verify"))
        return verify(argv[2]);
    drive(loop_figure(argc, argv, "--ops", "200"), loop_figure(argc, argv, "--wide", "8"));
    loop_close(city.terms, NULL);
    printf("syncs %u\n", fault_shim_syncs());
    return 0;
}
