/* W10's half below the sockets: messages of 200 bytes as devices send them, each read and applied to its entity on its own,
 * durable before it counts as taken, with history; many are under way, as from an MQTT server that has not been answered.
 *
 * usage: messages [--entities N] [--seconds S] [--dir DIR]; prints one figure a line. */
#include "../peer/message.h"
#include "base/time.h"
#include "model/reader.h"
#include "runner.h"

#include <string.h>

enum { UNDER_WAY = 1000, BATCH = 1000, ID_BYTES = 40 };

static const struct reader_limits READER_LIMITS = {.attrs_max = 2000,
                                                   .depth_max = 16,
                                                   .types_max = 64,
                                                   .scopes_max = 64,
                                                   .name_bytes_max = 2048,
                                                   .coordinates_max = 100000,
                                                   .instances_max = 100000};
static const struct json_limits JSON_LIMITS = {.depth_max = 64, .bytes_max = 1 << 20};

static struct store *store;
static struct terms *terms;
static struct waiter waiter;
static struct caller caller = {.tenant = {"", 0}, .subject = {"", 0}};
static uint32_t entities = 10000;
static double seconds;
static const char *dir = "/tmp/wellspring-bench-messages";
static uint64_t taken;

/* A message under way, or a batch of new entities. */
struct message {
    struct store_apply apply;
    struct arena *arena;
    struct edit *edits;
    struct edit_result *results;
    struct message *next; /* of those that are free */
};
static struct message *idle;

static void fail(const char *text)
{
    fprintf(stderr, "messages: %s\n", text);
    exit(1);
}

static void message_finish(struct message *m)
{
    if (m->apply.call.status != OK)
        fail(m->apply.call.why.text);
    for (uint32_t i = 0; i < m->apply.count; i++)
        if (m->results[i].status != OK)
            fail(m->results[i].why ? m->results[i].why->text : "refused");
    taken += m->apply.count;
    m->next = idle;
    idle = m;
}

static void message_done(struct store_call *call)
{
    message_finish(container_of(container_of(call, struct store_apply, call), struct message, apply));
}

/* One that is free, its arena empty. */
static struct message *message_take(uint32_t edits)
{
    while (!idle)
        waiter_run(&waiter, store);
    struct message *m = idle;
    idle = m->next;
    arena_reset(m->arena);
    m->edits = arena_array(m->arena, struct edit, edits);
    m->results = arena_zarray(m->arena, struct edit_result, edits);
    return m;
}

static void message_apply(struct message *m, uint32_t count)
{
    m->apply = (struct store_apply){.call = {.home = &waiter.runner, .done = message_done},
                                    .caller = &caller,
                                    .edits = m->edits,
                                    .count = count,
                                    .results = m->results,
                                    .arena = m->arena,
                                    .create_tenant = true,
                                    .now_us = time_now()};
    if (store_apply(store, &m->apply))
        message_finish(m);
}

static struct entity *entity_read(struct arena *a, enum reader_mode mode, struct str text)
{
    struct json *tree = arena_zalloc(a, sizeof *tree);
    struct entity *e = arena_zalloc(a, sizeof *e);
    struct reader r = {.context = context_core(), .limits = &READER_LIMITS, .arena = a, .mode = mode, .observed_at = TIME_NONE};
    struct why why;
    why_clear(&why);
    if (json_read(a, text, &JSON_LIMITS, tree, &why) != OK || reader_entity(&r, tree, STR_NONE, NULL, e, &why) != OK)
        fail(why.text);
    return e;
}

static struct str device_id(struct arena *a, uint32_t device)
{
    return arena_printf(a, "urn:ngsi-ld:Device:%06u", device);
}

/* Ends when all that was given is durable. */
static void finish(uint64_t given)
{
    while (taken < given)
        waiter_run(&waiter, store);
}

static void create(void)
{
    char body[MESSAGE_BYTES + 1];
    for (uint32_t i = 0; i < entities;) {
        struct message *m = message_take(BATCH);
        uint32_t n = 0;
        for (; n < BATCH && i < entities; n++, i++) {
            struct str id = device_id(m->arena, i);
            message_write(body, i, i);
            struct entity *e = entity_read(
                m->arena, READER_ENTITY,
                arena_printf(m->arena, "{\"id\":\"%.*s\",\"type\":\"Device\",%s", (int)id.n, id.p, body + 1));
            m->edits[n] = (struct edit){.kind = EDIT_CREATE, .id = id, .fragment = e};
        }
        message_apply(m, n);
    }
    finish(entities);
}

static void receive(void)
{
    char body[MESSAGE_BYTES + 1];
    struct store_stats before, after;
    store_stats(store, &before);
    taken = 0;
    double wall = now(), spent = cpu();
    uint32_t n = 0;
    for (; now() < wall + seconds; n++) {
        uint32_t device = message_device(n, entities);
        struct message *m = message_take(1);
        message_write(body, n, device);
        m->edits[0] = (struct edit){.kind = EDIT_UPDATE,
                                    .id = device_id(m->arena, device),
                                    .fragment = entity_read(m->arena, READER_UPDATE, (struct str){body, MESSAGE_BYTES})};
        message_apply(m, 1);
    }
    finish(n);
    wall = now() - wall;
    spent = cpu() - spent;
    store_stats(store, &after);
    figure("messages a second", n / wall, "messages/s");
    figure("messages a CPU second, folds included", n / spent, "messages/s");
    figure("messages a commit group", (double)n / (double)(after.groups - before.groups), "messages");
    figure("instances that became history, a message", (double)(after.history.points - before.history.points) / n, "points");
}

int main(int argc, char **argv)
{
    entities = argument_number(argc, argv, "--entities", entities);
    seconds = strtod(argument(argc, argv, "--seconds", "3"), NULL);
    dir = argument(argc, argv, "--dir", dir);
    waiter_init(&waiter);
    terms = terms_new(1000);
    context_setup(terms);
    store = bench_open(dir, terms);
    struct message *messages = mem_zalloc(UNDER_WAY * sizeof *messages);
    for (int i = 0; i < UNDER_WAY; i++) {
        messages[i].arena = arena_new(0);
        messages[i].next = idle;
        idle = &messages[i];
    }
    create();
    receive();
    bench_close(store);
    for (int i = 0; i < UNDER_WAY; i++)
        arena_free(messages[i].arena);
    free(messages);
    terms_free(terms);
    return 0;
}
