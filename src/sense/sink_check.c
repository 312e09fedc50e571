/* Why: --dry-run tells what would be rejected before anything is sent. Start at check_entity(). */
#include "sense/sink_check.h"

#include "base/task.h"

#include <stddef.h>
#include <stdlib.h>

#define CHECK_DEPTH_MAX 64

static const struct context_limits context_limits = {
    .terms_max = 20000, .remotes_max = 32, .depth_max = 16};

struct check_sink {
    struct sink sink;
    struct sink_check_options options;
};

struct checking {
    struct task task;
    struct sink_batch *batch;
};

/* What of an @context is at hand: inline parts, and core contexts. Others are left out. */
static struct json *check_spec(const struct json *spec, struct arena *a)
{
    struct json *out = arena_zarray(a, struct json, 1);
    out->kind = JSON_ARRAY;
    uint32_t n = spec->kind == JSON_ARRAY ? spec->n : 1;
    const struct json *parts = spec->kind == JSON_ARRAY ? spec->items : spec;
    out->items = arena_zarray(a, struct json, n + 1);
    for (uint32_t i = 0; i < n; i++)
        if (parts[i].kind != JSON_STRING)
            out->items[out->n++] = parts[i];
    return out;
}

/* One reference, or NULL with why. */
static struct context *check_context(const struct json *entity, struct arena *a, struct why *why)
{
    const struct json *spec = json_get(entity, STR("@context"));
    struct context *c = NULL;
    struct str missing;
    if (!spec)
        return context_ref(context_core());
    enum status st =
        context_build(&c, check_spec(spec, a), STR_NONE, NULL, &context_limits, a, &missing, why);
    return st == OK ? c : NULL;
}

static enum status check_read(const struct check_sink *c, struct str text, struct arena *a,
                              struct why *why)
{
    struct json tree;
    struct entity entity;
    const struct json_limits limits = {.depth_max = CHECK_DEPTH_MAX, .bytes_max = text.n + 1};
    enum status st = json_read(a, text, &limits, &tree, why);
    if (st != OK)
        return st;
    struct context *context = check_context(&tree, a, why);
    if (!context)
        return why->status;
    struct reader r = {.context = context,
                       .limits = &c->options.limits,
                       .arena = a,
                       .mode = READER_ENTITY,
                       .observed_at = TIME_NONE};
    st = reader_entity(&r, &tree, STR_NONE, NULL, &entity, why);
    context_unref(context);
    return st;
}

static void check_entity(const struct check_sink *c, struct sink_entity *e, struct arena *out)
{
    struct arena *a = arena_new(0);
    struct why why;
    why_clear(&why);
    e->fate = SINK_STORED;
    e->status = check_read(c, e->json, a, &why);
    if (e->status != OK) {
        e->status = E_BAD_DATA;
        e->reason = arena_printf(out, "%s%s%s%s", why.text, why.pointer[0] ? " (at " : "",
                                 why.pointer, why.pointer[0] ? ")" : "");
    }
    arena_free(a);
}

static void check_done(struct task *task)
{
    struct checking *c = container_of(task, struct checking, task);
    struct sink_batch *b = c->batch;
    free(c);
    b->done(b);
}

static void check_send(struct sink *sink, struct sink_batch *b)
{
    const struct check_sink *c = (struct check_sink *)sink;
    struct checking *checking = mem_zalloc(sizeof *checking);
    for (uint32_t i = 0; i < b->count; i++)
        check_entity(c, b->entities[i], b->arena);
    b->status = OK;
    checking->batch = b;
    checking->task.run = check_done;
    runner_post(c->options.runner, &checking->task);
}

static void check_free(struct sink *sink)
{
    free(sink);
}

struct sink *sink_check_new(const struct sink_check_options *o)
{
    struct check_sink *c = mem_zalloc(sizeof *c);
    c->sink = (struct sink){.send = check_send, .free = check_free};
    c->options = *o;
    return &c->sink;
}
