/* Order of an addition: check, reserve room, write, then serve: nobody gets a URL that a crash could undo. */
#include "broker/hosted.h"

#include "broker/snapshots.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

enum { PAGE = 100, DEPTH_MAX = 1000 };

/* ---- documents of the store ---- */

static struct str record_write(struct arena *a, enum context_kind kind, int64_t created_us, struct str text)
{
    return arena_printf(a, "{\"kind\":\"%s\",\"createdAt\":%" PRId64 ",\"content\":%.*s}", context_kind_name(kind),
                        created_us, STR_ARG(text));
}

static enum status record_read(struct arena *a, struct str bytes, enum context_kind *kind, int64_t *created_us,
                               struct str *text, struct why *why)
{
    struct json_limits limits = {.depth_max = DEPTH_MAX, .bytes_max = bytes.n};
    struct json record;
    enum status st = json_read(a, bytes, &limits, &record, why);
    const struct json *created = json_get(&record, STR("createdAt")), *content = json_get(&record, STR("content"));
    if (st == OK && (!json_is(created, JSON_INT) || !json_is(content, JSON_OBJECT)))
        st = why_set(why, E_DAMAGED, NULL, "it has not the form of one");
    if (st != OK)
        return st;
    bool hosted = json_is_string(json_get(&record, STR("kind")), str_of(context_kind_name(CONTEXT_HOSTED)));
    *kind = hosted ? CONTEXT_HOSTED : CONTEXT_IMPLICIT;
    *created_us = created->integer;
    *text = json_text(a, content);
    return OK;
}

/* ---- add ---- */

/* 128 random bits: whoever is not told of one cannot guess it. */
static enum status make_id(struct hosted_add *h)
{
    uint64_t r[2];
    if (getrandom(r, sizeof r, 0) != sizeof r)
        return why_set(&h->why, E_INTERNAL, NULL, "no random number for an identifier");
    h->id = arena_printf(h->arena, "urn:ngsi-ld:Context:%016" PRIx64 "%016" PRIx64, r[0], r[1]);
    return OK;
}

/* ---- room ---- */

enum { SHARE = 16 };                       /* of what may be there goes at once, so that few looks are needed */
enum { UNUSED_US = 10 * 60 * 1000000 };    /* who was given one may still be about to store a reference */

/* One that goes; waits for nobody. */
struct removal {
    struct store_put put;
    struct caller caller;
    struct arena *arena;
};

static void removed(struct store_call *call)
{
    struct store_put *put = container_of(call, struct store_put, call);
    arena_free(container_of(put, struct removal, put)->arena);
}

/* After a crash before that it is there again, and goes again in its time. */
static void remove_unused(struct broker *b, struct runner *home, const struct context_unused *u)
{
    struct arena *a = arena_new(0);
    struct removal *r = arena_zarray(a, struct removal, 1);
    *r = (struct removal){.caller = {.tenant = arena_dup(a, u->tenant)}, .arena = a};
    r->put = (struct store_put){
        .call = {.home = home, .done = removed},
        .caller = &r->caller,
        .kind = STORE_CONTEXT,
        .key = arena_dup(a, u->id),
        .bytes = STR_NONE,
        .only_present = true,
    };
    contexts_drop(b->contexts, u->id);
    if (store_put(b->store, &r->put))
        removed(&r->put.call);
}

struct referred {
    struct contexts_referred referred;
    const struct broker_subscriptions *subscriptions;
};

static void referred_call(struct contexts_referred *referred, void (*mark)(void *arg, struct str url), void *arg)
{
    const struct broker_subscriptions *s = container_of(referred, struct referred, referred)->subscriptions;
    if (s->contexts)
        s->contexts(s->counters_arg, mark, arg);
    if (s->source_contexts)
        s->source_contexts(s->source_counters_arg, mark, arg);
}

/* False: there is none that may go. */
static bool make_room(struct broker *b, struct hosted_add *h)
{
    struct referred r = {{referred_call}, &b->subscriptions};
    struct context_unused *list;
    uint32_t n = contexts_unused(b->contexts, h->created_us - UNUSED_US, &r.referred,
                                 contexts_hosted_max(b->contexts) / SHARE + 1, h->arena, &list);
    for (uint32_t i = 0; i < n; i++)
        remove_unused(b, h->home, &list[i]);
    return n > 0;
}

static enum status reserve(struct broker *b, struct hosted_add *h)
{
    enum status st;
    do {
        why_clear(&h->why);
        st = contexts_reserve(b->contexts, h->text.n, &h->why);
    } while (st == E_TOO_MANY_REQUESTS && make_room(b, h));
    return st;
}

static void add_finish(struct hosted_add *h)
{
    h->status = h->put.call.status;
    h->why = h->put.call.why;
    if (h->status == OK)
        h->status = contexts_host(h->broker->contexts, h->id, h->text, h->kind, h->caller->tenant, h->created_us, &h->why);
    if (h->status != OK)
        contexts_unreserve(h->broker->contexts, h->text.n);
}

static void add_done(struct store_call *call)
{
    struct store_put *put = container_of(call, struct store_put, call);
    struct hosted_add *h = container_of(put, struct hosted_add, put);
    add_finish(h);
    h->done(h);
}

bool hosted_add(struct broker *b, struct hosted_add *h)
{
    struct json_member member = {STR("@context"), *h->spec};
    struct json content = {.kind = JSON_OBJECT, .n = 1, .members = &member};
    h->broker = b;
    h->created_us = b->ports->clock->now_us(b->ports->clock);
    h->text = json_text(h->arena, &content);
    why_clear(&h->why);
    h->status = contexts_check(b->contexts, h->spec, h->arena, &h->why);
    if (h->status == OK)
        h->status = make_id(h);
    if (h->status == OK)
        h->status = reserve(b, h);
    if (h->status != OK)
        return true;
    h->put = (struct store_put){
        .call = {.home = h->home, .deadline_us = h->deadline_us, .done = add_done},
        .caller = h->caller,
        .kind = STORE_CONTEXT,
        .key = h->id,
        .bytes = record_write(h->arena, h->kind, h->created_us, h->text),
        .only_absent = true,
        .create_tenant = !snapshots_held(h->caller->tenant),
    };
    if (!store_put(b->store, &h->put))
        return false;
    add_finish(h);
    return true;
}

/* ---- a URL ---- */

static void url_finish(struct hosted_url *u)
{
    u->status = u->add.status;
    u->why = u->add.why;
    if (u->status == OK)
        u->url = arena_printf(u->arena, "%.*s" HOSTED_PATH "%.*s", STR_ARG(u->base), STR_ARG(u->add.id));
}

static void url_done(struct hosted_add *h)
{
    struct hosted_url *u = container_of(h, struct hosted_url, add);
    url_finish(u);
    u->done(u);
}

/* The URL that says the same as spec, to which the core belongs in any case; absent when there is none. */
static struct str own_url(const struct json *spec)
{
    if (!spec)
        return context_core_iri();
    if (spec->kind == JSON_STRING)
        return spec->string;
    if (spec->kind != JSON_ARRAY)
        return STR_NONE;
    struct str url = context_core_iri();
    for (uint32_t i = 0; i < spec->n; i++) {
        const struct json *item = &spec->items[i];
        if (json_is(item, JSON_STRING) && context_is_core_iri(item->string))
            continue;
        if (!json_is(item, JSON_STRING) || !context_is_core_iri(url))
            return STR_NONE;
        url = item->string;
    }
    return url;
}

bool hosted_url(struct broker *b, struct hosted_url *u)
{
    u->status = OK;
    why_clear(&u->why);
    u->url = own_url(u->spec);
    if (!str_absent(u->url))
        return true;
    struct json_member member = {STR("@context"), *u->spec};
    struct json content = {.kind = JSON_OBJECT, .n = 1, .members = &member};
    u->add = (struct hosted_add){
        .caller = u->caller,
        .home = u->home,
        .deadline_us = u->deadline_us,
        .arena = u->arena,
        .spec = u->spec,
        .kind = CONTEXT_IMPLICIT,
        .done = url_done,
    };
    u->add.status = OK;
    u->add.id = contexts_implicit(b->contexts, u->caller->tenant, json_text(u->arena, &content), u->arena);
    if (str_absent(u->add.id) && !hosted_add(b, &u->add))
        return false;
    url_finish(u);
    return true;
}

/* ---- delete ---- */

static void delete_finish(struct hosted_delete *h)
{
    h->status = h->put.call.status;
    h->why = h->put.call.why;
    if (h->status == OK)
        contexts_drop(h->broker->contexts, h->id);
}

static void delete_done(struct store_call *call)
{
    struct store_put *put = container_of(call, struct store_put, call);
    struct hosted_delete *h = container_of(put, struct hosted_delete, put);
    delete_finish(h);
    h->done(h);
}

bool hosted_delete(struct broker *b, struct hosted_delete *h)
{
    h->broker = b;
    h->put = (struct store_put){
        .call = {.home = h->home, .deadline_us = h->deadline_us, .done = delete_done},
        .caller = h->caller,
        .kind = STORE_CONTEXT,
        .key = h->id,
        .bytes = STR_NONE,
        .only_present = true,
    };
    if (!store_put(b->store, &h->put))
        return false;
    delete_finish(h);
    return true;
}

/* ---- load ---- */

/* Waits for what a store completes later. */
struct waiting {
    struct runner runner;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct task *task;
};

static void post(struct runner *runner, struct task *task)
{
    struct waiting *w = container_of(runner, struct waiting, runner);
    pthread_mutex_lock(&w->lock);
    w->task = task;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void nothing(struct store_call *call)
{
    (void)call;
}

static void list_page(struct broker *b, struct waiting *w, struct store_list *l)
{
    l->call = (struct store_call){.home = &w->runner, .done = nothing};
    if (store_list(b->store, l))
        return;
    store_thread_offline(b->store);
    pthread_mutex_lock(&w->lock);
    while (!w->task)
        pthread_cond_wait(&w->wake, &w->lock);
    struct task *task = w->task;
    w->task = NULL;
    pthread_mutex_unlock(&w->lock);
    store_thread_online(b->store);
    task->run(task);
}

static enum status load_one(struct broker *b, struct str tenant, const struct store_document *d, struct arena *a,
                            struct why *why)
{
    enum context_kind kind;
    int64_t created_us;
    struct str text;
    struct why inner;
    why_clear(&inner);
    enum status st = record_read(a, d->bytes, &kind, &created_us, &text, &inner);
    if (st == OK)
        st = contexts_reserve(b->contexts, text.n, &inner);
    if (st == OK)
        st = contexts_host(b->contexts, d->key, text, kind, tenant, created_us, &inner);
    return st == OK ? OK : why_set(why, st, NULL, "the @context %.*s: %s", STR_ARG(d->key), inner.text);
}

static enum status load_tenant(struct broker *b, struct waiting *w, struct str tenant, struct why *why)
{
    struct caller caller = {.tenant = tenant};
    struct arena *a = arena_new(0);
    char after[128] = "";
    enum status st = OK;
    struct store_list l;
    do {
        l = (struct store_list){.caller = &caller, .kind = STORE_CONTEXT, .after = str_of(after), .limit = PAGE, .arena = a};
        list_page(b, w, &l);
        st = l.call.status;
        for (uint32_t i = 0; st == OK && i < l.count; i++) {
            st = load_one(b, tenant, &l.documents[i], a, why);
            snprintf(after, sizeof after, "%.*s", STR_ARG(l.documents[i].key));
        }
        arena_reset(a);
    } while (st == OK && l.more);
    arena_free(a);
    return st;
}

static void heard(struct store_listener *listener, const struct change *changes, uint32_t count)
{
    struct broker *b = container_of(listener, struct hosted_listener, listener)->broker;
    for (uint32_t i = 0; i < count; i++)
        if (changes[i].kind == CHANGE_TENANT && changes[i].gone)
            contexts_drop_tenant(b->contexts, changes[i].tenant);
}

enum status hosted_load(struct broker *b, struct hosted_listener *listener, struct why *why)
{
    struct waiting w = {.runner.post = post};
    struct arena *a = arena_new(0);
    struct str *tenants;
    enum status st = OK;
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.wake, NULL);
    store_thread_enter(b->store);
    for (uint32_t i = 0, n = store_tenants(b->store, a, &tenants); st == OK && i < n; i++)
        st = load_tenant(b, &w, tenants[i], why);
    store_thread_leave(b->store);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.wake);
    arena_free(a);
    listener->listener.changes = heard;
    listener->broker = b;
    store_listen(b->store, &listener->listener);
    return st;
}
