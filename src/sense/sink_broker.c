/* Why: the demo's devices live inside the city; they use the same gate as every front end. Start at
 * broker_send(). */
#include "sense/sink_broker.h"

#include "base/time.h"
#include "broker/provide.h"

#include <stdlib.h>

#define BROKER_DEPTH_MAX 64

struct broker_sink {
    struct sink sink;
    struct sink_broker_options options;
    struct caller caller;
};

struct broker_sending {
    struct task task;
    struct broker_sink *sink;
    struct sink_batch *batch;
    struct arena *arena;
    struct store_apply apply;
    struct edit *edits;
    struct edit_result *results;
    struct sink_entity **of; /* edit → entity */
    uint32_t count;
};

static void entity_refuse(struct sink_entity *e, struct arena *out, enum status status,
                          const struct why *why)
{
    e->status = status == E_BUSY || status == E_NO_SPACE ? E_BUSY : E_BAD_DATA;
    e->reason = why ? arena_printf(out, "%s (at %s)", why->text, why->pointer) : STR("refused");
}

static void sending_finish(struct broker_sending *s)
{
    struct sink_batch *b = s->batch;
    arena_free(s->arena); /* s itself lives there */
    b->done(b);
}

static void sending_applied(struct broker_sending *s)
{
    struct sink_batch *b = s->batch;
    b->status = s->apply.call.status;
    b->why = s->apply.call.why;
    for (uint32_t i = 0; b->status == OK && i < s->count; i++) {
        const struct edit_result *r = &s->results[i];
        s->of[i]->status = OK;
        s->of[i]->fate = r->created ? SINK_CREATED : SINK_UPDATED;
        if (r->status != OK)
            entity_refuse(s->of[i], b->arena, r->status, r->why);
    }
}

static void sending_done(struct store_call *call)
{
    struct broker_sending *s =
        container_of(container_of(call, struct store_apply, call), struct broker_sending, apply);
    sending_applied(s);
    sending_finish(s);
}

static void sending_posted(struct task *task)
{
    sending_finish(container_of(task, struct broker_sending, task));
}

static void sending_read(struct broker_sending *s, struct sink_entity *e)
{
    struct json *tree = arena_array(s->arena, struct json, 1);
    struct entity *entity = arena_array(s->arena, struct entity, 1);
    struct reader r = {.context = context_core(),
                       .limits = &s->sink->options.limits,
                       .arena = s->arena,
                       .mode = READER_ENTITY,
                       .observed_at = TIME_NONE};
    const struct json_limits limits = {.depth_max = BROKER_DEPTH_MAX, .bytes_max = e->json.n + 1};
    struct why why;
    why_clear(&why);
    enum status st = json_read(s->arena, e->json, &limits, tree, &why);
    if (st == OK)
        st = reader_entity(&r, tree, STR_NONE, NULL, entity, &why);
    if (st != OK) {
        entity_refuse(e, s->batch->arena, st, &why);
        return;
    }
    s->of[s->count] = e;
    s->edits[s->count++] = (struct edit){
        .kind = s->sink->options.update ? EDIT_UPSERT_UPDATE : EDIT_UPSERT_REPLACE,
        .id = entity->id,
        .fragment = entity,
    };
}

static void broker_send(struct sink *sink, struct sink_batch *b)
{
    struct broker_sink *k = (struct broker_sink *)sink;
    struct arena *a = arena_new(0);
    struct broker_sending *s = arena_zarray(a, struct broker_sending, 1);
    s->arena = a;
    s->sink = k;
    s->batch = b;
    s->edits = arena_zarray(a, struct edit, b->count);
    s->results = arena_zarray(a, struct edit_result, b->count);
    s->of = arena_zarray(a, struct sink_entity *, b->count);
    for (uint32_t i = 0; i < b->count; i++)
        sending_read(s, b->entities[i]);
    b->status = OK;
    s->apply = (struct store_apply){
        .call = {.home = k->options.runner,
                 .deadline_us = time_monotonic() + k->options.timeout_ms * INT64_C(1000),
                 .done = sending_done},
        .caller = &k->caller,
        .edits = s->edits,
        .count = s->count,
        .results = s->results,
        .arena = a,
    };
    if (s->count > 0 && !provide_edits(k->options.broker, &s->apply))
        return;
    if (s->count > 0)
        sending_applied(s);
    s->task.run = sending_posted; /* never inside send */
    runner_post(k->options.runner, &s->task);
}

static void broker_free(struct sink *sink)
{
    free(sink);
}

struct sink *sink_broker_new(const struct sink_broker_options *o)
{
    struct broker_sink *k = mem_zalloc(sizeof *k);
    k->sink = (struct sink){.send = broker_send, .free = broker_free};
    k->options = *o;
    k->caller = (struct caller){.tenant = o->tenant, .subject = STR("demo")};
    return &k->sink;
}
