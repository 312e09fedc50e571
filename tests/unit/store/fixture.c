/* See fixture.h. */
#include "fixture.h"

#include "base/time.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t manual_now(struct clock *clock)
{
    struct manual_clock *c = container_of(clock, struct manual_clock, clock);
    return c->alone && !pthread_equal(c->thread, pthread_self()) ? 0 : c->now;
}

void manual_clock_init(struct manual_clock *c, int64_t now, bool alone)
{
    *c = (struct manual_clock){{manual_now}, now, alone, pthread_self()};
}

struct embedded_options fixture_options(const char *dir, struct clock *clock)
{
    return (struct embedded_options){
        .dir = dir,
        .durability = EMBEDDED_SYNC,
        .interval_ms = 20,
        .segment_bytes = 256 << 10,
        .log_bytes_max = 4 << 20,
        .group_bytes_max = 64 << 10,
        .state_bytes_max = (size_t)1 << 30,
        .tenants_max = 100,
        .value_indexes_max = 8,
        .visit_slice = 100,
        .clock = clock,
    };
}

void fixture_directory(char *path, size_t n)
{
    const char *base = getenv("TMPDIR");
    snprintf(path, n, "%s/wellspring-store-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void fixture_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fixture_init(struct fixture *f)
{
    *f = (struct fixture){
        .arena = arena_new(0), .terms = terms_new(10000), .now_us = 1700000000000000};
    waiter_init(&f->waiter);
    manual_clock_init(&f->clock, f->now_us, true);
    f->caller.tenant = STR("");
}

void fixture_free(struct fixture *f)
{
    arena_free(f->arena);
    terms_free(f->terms);
}

uint32_t fixture_term(struct fixture *f, const char *name)
{
    return terms_intern(f->terms, str_of(name), NULL);
}

/* ---- calls ---- */

struct flagged {
    struct store_call *call;
    struct flagged *next;
    bool done;
};
static _Thread_local struct flagged *waiting;

static void set_done(struct store_call *call)
{
    for (struct flagged *w = waiting; w; w = w->next)
        if (w->call == call)
            w->done = true;
}

/* at_once: what the call returned. */
static enum status wait_for(struct fixture *f, struct store_call *call, struct flagged *w,
                            bool at_once)
{
    w->done = at_once;
    if (!at_once)
        waiter_until(&f->waiter, f->store, &w->done);
    waiting = w->next;
    return call->status;
}

static void prepare(struct fixture *f, struct store_call *call, struct flagged *w)
{
    call->home = &f->waiter.runner;
    call->done = set_done;
    *w = (struct flagged){call, waiting, false};
    waiting = w;
}

enum status fixture_apply_in(struct fixture *f, const struct edit *edits, uint32_t n,
                             struct edit_result *results, bool create_tenant)
{
    struct store_apply a = {
        .caller = &f->caller,
        .edits = edits,
        .count = n,
        .results = results,
        .arena = f->arena,
        .create_tenant = create_tenant,
        .now_us = f->now_us++,
    };
    struct flagged w;
    prepare(f, &a.call, &w);
    return wait_for(f, &a.call, &w, store_apply(f->store, &a));
}

enum status fixture_apply(struct fixture *f, const struct edit *edits, uint32_t n,
                          struct edit_result *results)
{
    return fixture_apply_in(f, edits, n, results, true);
}

static void async_done(struct store_call *call)
{
    container_of(call, struct async, apply.call)->done = true;
}

void fixture_start(struct fixture *f, struct async *a, const struct edit *edits, uint32_t n)
{
    *a = (struct async){
        .apply = {
            .call = {.home = &f->waiter.runner, .done = async_done, .deadline_us = f->deadline_us},
            .caller = &f->caller,
            .edits = edits,
            .count = n,
            .arena = f->arena,
            .create_tenant = true,
            .now_us = f->now_us++,
        }};
    assert_true(n <= sizeof a->results / sizeof *a->results);
    a->apply.results = a->results;
    a->done = store_apply(f->store, &a->apply);
}

enum status fixture_wait(struct fixture *f, struct async *a)
{
    waiter_until(&f->waiter, f->store, &a->done);
    return a->apply.call.status;
}

struct edit_result fixture_edit(struct fixture *f, const struct edit *edit)
{
    struct edit_result r = {0};
    enum status st = fixture_apply(f, edit, 1, &r);
    if (st != OK)
        r.status = st;
    return r;
}

const struct doc *fixture_get(struct fixture *f, const char *id)
{
    struct store_get g = {.caller = &f->caller, .id = str_of(id)};
    struct flagged w;
    prepare(f, &g.call, &w);
    (void)wait_for(f, &g.call, &w, store_get(f->store, &g));
    return g.doc;
}

enum status fixture_query(struct fixture *f, struct store_query *q)
{
    struct flagged w;
    q->caller = &f->caller;
    q->arena = f->arena;
    prepare(f, &q->call, &w);
    return wait_for(f, &q->call, &w, store_query(f->store, q));
}

enum status fixture_census(struct fixture *f, struct store_census *c)
{
    struct flagged w;
    c->caller = &f->caller;
    c->arena = f->arena;
    prepare(f, &c->call, &w);
    return wait_for(f, &c->call, &w, store_census(f->store, c));
}

enum status fixture_evolve(struct fixture *f, struct store_evolve *v)
{
    struct flagged w;
    v->caller = &f->caller;
    v->arena = f->arena;
    prepare(f, &v->call, &w);
    return wait_for(f, &v->call, &w, store_evolve(f->store, v));
}

enum status fixture_record(struct fixture *f, struct store_record *r)
{
    struct flagged w;
    prepare(f, &r->call, &w);
    return wait_for(f, &r->call, &w, store_record(f->store, r));
}

enum status fixture_call_put(struct fixture *f, struct store_put *p)
{
    struct flagged w;
    p->caller = &f->caller;
    prepare(f, &p->call, &w);
    return wait_for(f, &p->call, &w, store_put(f->store, p));
}

enum status fixture_put(struct fixture *f, uint8_t kind, const char *key, const char *bytes)
{
    struct store_put p = {
        .kind = kind, .key = str_of(key), .bytes = str_of(bytes), .create_tenant = true};
    return fixture_call_put(f, &p);
}

enum status fixture_list(struct fixture *f, struct store_list *l)
{
    struct flagged w;
    l->caller = &f->caller;
    l->arena = f->arena;
    prepare(f, &l->call, &w);
    return wait_for(f, &l->call, &w, store_list(f->store, l));
}

enum status fixture_drop_tenant(struct fixture *f, const char *name)
{
    struct store_tenant_delete d = {.tenant = str_of(name)};
    struct flagged w;
    prepare(f, &d.call, &w);
    return wait_for(f, &d.call, &w, store_tenant_delete(f->store, &d));
}

/* ---- entities ---- */

struct entity *fixture_entity(struct fixture *f, const char *id, const char *type, const char *attr,
                              int64_t value)
{
    struct entity *e = arena_zalloc(f->arena, sizeof *e);
    e->id = arena_dup(f->arena, str_of(id));
    e->type_count = 1;
    e->types = arena_array(f->arena, uint32_t, 1);
    e->types[0] = fixture_term(f, type);
    e->created_at = e->modified_at = e->expires_at = TIME_NONE;
    e->attr_count = 1;
    e->attrs = arena_zarray(f->arena, struct attr, 1);
    e->attrs[0] = (struct attr){
        .term = fixture_term(f, attr),
        .kind = ATTR_PROPERTY,
        .dataset = STR(""),
        .value = {.kind = VALUE_INT, .integer = value},
        .observed_at = TIME_NONE,
        .expires_at = TIME_NONE,
        .created_at = TIME_NONE,
        .modified_at = TIME_NONE,
    };
    return e;
}

struct edit fixture_create(struct fixture *f, const char *id, const char *type, int64_t value)
{
    const struct entity *e = fixture_entity(f, id, type, "value", value);
    return (struct edit){.kind = EDIT_CREATE, .id = e->id, .fragment = e};
}

struct filter *fixture_of_type(struct fixture *f, const char *type)
{
    struct type_expr *x = arena_zalloc(f->arena, sizeof *x);
    x->count = 1;
    x->any = arena_zalloc(f->arena, sizeof *x->any);
    x->any[0].count = 1;
    x->any[0].types = arena_zalloc(f->arena, sizeof(struct name));
    x->any[0].types[0] = (struct name){str_of(type), terms_find(f->terms, str_of(type))};
    return filter_of_type(f->arena, x);
}
