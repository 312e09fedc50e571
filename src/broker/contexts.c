/* A context that is in the cache is found without a lock. One mutex guards all else: the cache's changes, the list of
 * fetches under way and the counters; it is held while a context is built, which happens once per context, and while
 * a fetch is handed to the port, never while anything waits.
 *
 * Time stands still while the mutex is held: a document that one build borrows must
 * not expire under it.
 *
 * A call that misses a document joins the fetch of its URL; when the fetch ends its
 * waiters run again, on the thread of the port, and either complete (posted to their
 * home) or join the next fetch. Documents may be evicted or become stale before the
 * last one of a context has come, so a call waits for a bounded number of fetches, and
 * for a bounded time: each of many nested documents may be slow. */
#include "broker/contexts_int.h"

#include "base/json.h"
#include "broker/preload.h"

#include <assert.h>
#include <stdlib.h>

enum { FAILURE_US = 5 * 1000 * 1000, FRESH_MIN_US = 5 * 1000 * 1000,
       TIMEOUTS_MAX = 4 /* a call waits as long as for so many fetches that end in time */ };

struct contexts *contexts_new(const struct contexts_options *o)
{
    struct contexts *c = mem_zalloc(sizeof *c);
    c->o = *o;
    c->cache = context_cache_new(o->cache_bytes_max);
    pthread_mutex_init(&c->lock, NULL);
    c->start_us = c->o.ports->clock->now_us(c->o.ports->clock);
    return c;
}

void contexts_free(struct contexts *c)
{
    if (!c)
        return;
    assert(!c->fetching && !c->reloading_count);
    context_cache_free(c->cache);
    named_free(&c->implicit);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void contexts_stop(struct contexts *c)
{
    pthread_mutex_lock(&c->lock);
    c->stopped = true;
    pthread_mutex_unlock(&c->lock);
}

static int64_t now(const struct contexts *c)
{
    return c->o.ports->clock->now_us(c->o.ports->clock);
}

void contexts_lock(struct contexts *c)
{
    pthread_mutex_lock(&c->lock);
    c->now_us = now(c);
}

void contexts_unlock(struct contexts *c)
{
    pthread_mutex_unlock(&c->lock);
}

/* ---- documents ---- */

void contexts_document_free(struct document *d)
{
    arena_free(d->arena);
    free(d);
}

enum status contexts_document(const struct contexts *c, struct str url, struct str text, struct document **out,
                              struct why *why)
{
    struct document *d = mem_zalloc(sizeof *d);
    d->arena = arena_new(0);
    d->created_us = now(c);
    struct json_limits limits = {.depth_max = c->o.json_depth_max, .bytes_max = c->o.document_bytes_max};
    struct why inner;
    why_clear(&inner);
    enum status st = json_read(d->arena, text, &limits, &d->json, &inner);
    if (st == OK && !json_get(&d->json, STR("@context")))
        why_set(&inner, st = E_BAD_DATA, NULL, "it has no member \"@context\"");
    if (st != OK) {
        contexts_document_free(d);
        return why_set(why, E_BAD_DATA, NULL, "the @context %.*s is invalid: %s", STR_ARG(url), inner.text);
    }
    *out = d;
    return OK;
}

struct cached *contexts_entry(struct document *d, int64_t expires_us)
{
    struct cached *e = mem_zalloc(sizeof *e);
    e->document = d;
    e->bytes = d->refs++ == 0 ? sizeof *d + arena_held(d->arena) : 0;
    e->expires_us = expires_us;
    return e;
}

/* ---- building ---- */

struct loader {
    struct context_loader base;
    struct contexts *owner;
    struct arena *arena;
    int64_t expires_us; /* the earliest of the documents used */
    struct str *parts;  /* their keys, each once */
    uint32_t part_count;
};

static void part_add(struct loader *l, struct str key)
{
    for (uint32_t i = 0; i < l->part_count; i++)
        if (str_eq(l->parts[i], key))
            return;
    l->parts = arena_grow(l->arena, l->parts, l->part_count * sizeof key, (l->part_count + 1) * sizeof key);
    l->parts[l->part_count++] = key;
}

static const struct json *load(struct context_loader *base, struct str url)
{
    struct loader *l = container_of(base, struct loader, base);
    struct contexts *c = l->owner;
    const struct cached *e = context_cache_find(c->cache, CACHED_DOCUMENT, contexts_local(url, l->arena), c->now_us);
    if (!e)
        e = context_cache_find(c->cache, CACHED_DOCUMENT, url, c->now_us);
    if (!e)
        return NULL;
    part_add(l, e->key);
    if (e->expires_us < l->expires_us)
        l->expires_us = e->expires_us;
    return &e->document->json;
}

/* Its parts are used from now on: this once, and at each hit. */
static void context_add(struct contexts *c, struct str key, struct context *context, const struct loader *l)
{
    if (context_bytes(context) + key.n > c->o.cache_bytes_max)
        return; /* would drive out everything else */
    struct cached *e = mem_zalloc(sizeof *e);
    e->context = context_ref(context);
    e->expires_us = l->expires_us;
    e->hits = e->hits_seen = 1;
    e->used_us = c->now_us;
    e->parts = mem_zalloc((l->part_count + 1) * sizeof *e->parts);
    e->part_count = l->part_count;
    for (uint32_t i = 0; i < l->part_count; i++) {
        e->parts[i] = mem_dup(l->parts[i]);
        e->bytes += sizeof *e->parts + l->parts[i].n;
    }
    context_cache_add(c->cache, e, CACHED_CONTEXT, key);
}

struct port_fetch contexts_fetch(const struct contexts *c, struct str url, void (*done)(struct port_fetch *f))
{
    return (struct port_fetch){
        .url = mem_dup(url),
        .accept = "application/ld+json, application/json;q=0.9, */*;q=0.1",
        .bytes_max = c->o.document_bytes_max,
        .timeout_ms = c->o.timeout_ms,
        .done = done,
    };
}

static void fetch_done(struct port_fetch *f);

static struct fetching *fetch_start(struct contexts *c, struct str url)
{
    struct fetching *f = mem_zalloc(sizeof *f);
    f->owner = c;
    f->fetch = contexts_fetch(c, url, fetch_done);
    f->next = c->fetching;
    c->fetching = f;
    c->fetching_count++;
    c->fetches++;
    c->o.ports->fetch(c->o.ports, &f->fetch);
    return f;
}

/* Joins the fetch of url, starting it when nobody has. Else a refusal. */
static enum status fetch_join(struct contexts *c, struct contexts_call *call, struct str url)
{
    struct fetching *f = c->fetching;
    while (f && !str_eq(f->fetch.url, url))
        f = f->next;
    if (c->stopped)
        return why_set(&call->why, E_CANCELLED, NULL, "the @context %.*s is not fetched: the city is stopping",
                       STR_ARG(url));
    if (call->fetches++ == 2 * c->o.limits.remotes_max)
        return why_limit(&call->why, E_CONTEXT, NULL, "contexts.cache_bytes",
                         "the documents of the @context do not stay in the cache until all are there");
    if (c->now_us - call->since_us > (int64_t)TIMEOUTS_MAX * c->o.timeout_ms * 1000)
        return why_limit(&call->why, E_CONTEXT, NULL, "contexts.timeout",
                         "the documents of the @context were not there in time: %.*s is still missing", STR_ARG(url));
    if (!f && c->fetching_count >= c->o.fetches_max)
        return why_limit(&call->why, E_TOO_MANY_REQUESTS, NULL, "contexts.fetches",
                         "more than %u @contexts are being fetched", c->o.fetches_max);
    if (!f)
        f = fetch_start(c, url);
    call->next = f->waiters;
    f->waiters = call;
    return OK;
}

static bool find_ready(struct contexts *c, struct contexts_call *call)
{
    const struct cached *ready = context_cache_find(c->cache, CACHED_CONTEXT, call->key, c->now_us);
    if (!ready)
        return false;
    call->context = context_ref(ready->context);
    call->status = OK;
    return true;
}

/* With the lock held. True: completed; else the call waits for a fetch. */
static bool attempt(struct contexts *c, struct contexts_call *call)
{
    if (find_ready(c, call))
        return true;
    struct loader loader = {.base.load = load, .owner = c, .arena = call->arena, .expires_us = INT64_MAX};
    struct str missing = STR_NONE;
    why_clear(&call->why);
    call->status = context_build(&call->context, call->spec, STR_NONE, &loader.base, &c->o.limits,
                                 call->arena, &missing, &call->why);
    if (call->status == OK) {
        context_add(c, call->key, call->context, &loader);
        return true;
    }
    if (call->status != E_CONTEXT)
        return true;
    const struct cached *failure = context_cache_find(c->cache, CACHED_FAILURE, missing, c->now_us);
    if (failure) {
        call->why = failure->why;
        call->status = failure->why.status;
        return true;
    }
    why_clear(&call->why);
    call->status = fetch_join(c, call, missing);
    return call->status != OK;
}

enum status contexts_try(struct contexts *c, const struct json *spec, struct arena *a, struct str *missing,
                         struct why *why)
{
    struct loader loader = {.base.load = load, .owner = c, .arena = a, .expires_us = INT64_MAX};
    struct context *context = NULL;
    enum status st = context_build(&context, spec, STR_NONE, &loader.base, &c->o.limits, a, missing, why);
    if (st == OK)
        context_unref(context);
    return st;
}

static void complete_task(struct task *t)
{
    struct contexts_call *call = container_of(t, struct contexts_call, task);
    call->done(call);
}

static void failure_add(struct contexts *c, struct port_fetch *f, const struct why *why)
{
    struct cached *e = mem_zalloc(sizeof *e);
    e->why = *why;
    e->expires_us = c->now_us + FAILURE_US;
    context_cache_add(c->cache, e, CACHED_FAILURE, f->url);
    c->failures++;
}

struct document *contexts_fetched(const struct contexts *c, const struct port_fetch *f, struct why *why)
{
    struct document *d = NULL;
    if (f->status != OK)
        why_set(why, E_CONTEXT, NULL, "the @context %.*s could not be retrieved: %s", STR_ARG(f->url),
                f->why.text[0] ? f->why.text : status_name(f->status));
    else if (contexts_document(c, f->url, f->body, &d, why) != OK)
        return NULL;
    return d;
}

/* Fresh at least as long as the requests that wait for it need it. */
int64_t contexts_fresh_until(const struct contexts *c, const struct port_fetch *f)
{
    int64_t fresh_us = f->max_age_s < 0 ? c->o.fresh_us : f->max_age_s * 1000 * 1000;
    return c->now_us + (fresh_us < FRESH_MIN_US ? FRESH_MIN_US : fresh_us);
}

static void fetch_done(struct port_fetch *f)
{
    struct fetching *ended = container_of(f, struct fetching, fetch);
    struct contexts *c = ended->owner;
    struct contexts_call *completed = NULL;
    struct why why;
    why_clear(&why);
    struct document *document = contexts_fetched(c, f, &why);
    contexts_lock(c);
    struct fetching **at = &c->fetching;
    while (*at != ended)
        at = &(*at)->next;
    *at = ended->next;
    c->fetching_count--;
    if (document)
        context_cache_add(c->cache, contexts_entry(document, contexts_fresh_until(c, f)), CACHED_DOCUMENT, f->url);
    else
        failure_add(c, f, &why);
    for (struct contexts_call *call = ended->waiters, *next; call; call = next) {
        next = call->next;
        if (attempt(c, call)) {
            call->next = completed;
            completed = call;
        }
    }
    contexts_unlock(c);
    free((void *)(uintptr_t)f->url.p);
    free(ended);
    while (completed) {
        struct contexts_call *call = completed;
        completed = call->next;
        call->task.run = complete_task;
        runner_post(call->home, &call->task);
    }
}

bool contexts_resolve(struct contexts *c, struct contexts_call *call)
{
    call->owner = c;
    call->context = NULL;
    call->status = OK;
    call->fetches = 0;
    why_clear(&call->why);
    if (!call->spec) {
        call->context = context_ref(context_core());
        return true;
    }
    call->key = call->spec->kind == JSON_STRING ? call->spec->string : json_text(call->arena, call->spec);
    call->context = context_cache_hit(c->cache, call->home, call->key, now(c));
    bool completed = call->context != NULL;
    if (completed && !context_cache_is_over(c->cache))
        return true;
    contexts_lock(c);
    context_cache_trim(c->cache);
    if (!completed) {
        call->since_us = c->now_us;
        c->misses++;
        completed = attempt(c, call);
    }
    contexts_unlock(c);
    return completed;
}

static enum status preload_one(void *arg, const struct str *urls, size_t count, struct str text, struct why *why)
{
    struct contexts *c = arg;
    struct document *d;
    enum status st = contexts_document(c, urls[0], text, &d, why);
    if (st != OK)
        return st;
    d->origin = DOCUMENT_PRELOADED;
    contexts_lock(c);
    for (size_t i = 0; i < count; i++) {
        struct cached *e = contexts_entry(d, INT64_MAX);
        e->pinned = true;
        context_cache_add(c->cache, e, CACHED_DOCUMENT, urls[i]);
    }
    contexts_unlock(c);
    return OK;
}

enum status contexts_preload(struct contexts *c, const char *dir, uint32_t *count, struct why *why)
{
    struct preload p = {.bytes_max = c->o.document_bytes_max, .arg = c, .document = preload_one};
    enum status st = preload_run(&p, dir, why);
    *count = p.count;
    return st;
}

void contexts_stats(struct contexts *c, struct contexts_stats *out)
{
    struct context_cache_stats cache;
    pthread_mutex_lock(&c->lock);
    context_cache_stats(c->cache, &cache);
    *out = (struct contexts_stats){
        .documents = cache.documents,
        .contexts = cache.contexts,
        .bytes = cache.bytes,
        .hits = cache.hits,
        .misses = c->misses,
        .fetches = c->fetches,
        .failures = c->failures,
        .evictions = cache.evictions,
    };
    pthread_mutex_unlock(&c->lock);
}
