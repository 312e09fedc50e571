/* One mutex guards both caches, the list of fetches under way and the counters; it
 * is held while a context is built, which happens once per context, and while a fetch
 * is handed to the port, never while anything waits. Entries of both caches share one
 * hash and one LRU list.
 *
 * Time stands still while the mutex is held: a document that one build borrows must
 * not expire under it.
 *
 * A call that misses a document joins the fetch of its URL; when the fetch ends its
 * waiters run again, on the thread of the port, and either complete (posted to their
 * home) or join the next fetch. Documents may be evicted or become stale before the
 * last one of a context has come, so a call waits for a bounded number of fetches, and
 * for a bounded time: each of many nested documents may be slow. */
#include "broker/contexts.h"

#include "base/hash.h"
#include "base/json.h"
#include "broker/preload.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 1024, FAILURE_US = 5 * 1000 * 1000, FRESH_MIN_US = 5 * 1000 * 1000, DOCUMENT_OVERHEAD = 1024,
       TIMEOUTS_MAX = 4 /* a call waits as long as for so many fetches that end in time */ };

enum entry_kind { ENTRY_DOCUMENT, ENTRY_CONTEXT, ENTRY_FAILURE };

struct entry {
    struct entry *chain;
    struct entry *newer, *older; /* LRU; not for pinned entries */
    uint8_t kind;
    bool pinned;
    uint64_t hash;
    struct str key; /* owned */
    int64_t expires_us;
    size_t bytes;
    struct arena *arena;  /* ENTRY_DOCUMENT: holds json */
    struct json json;
    struct context *context; /* ENTRY_CONTEXT: one reference */
    struct why why;          /* ENTRY_FAILURE */
};

struct fetching {
    struct port_fetch fetch;
    struct fetching *next;
    struct contexts *owner;
    struct contexts_call *waiters;
};

struct contexts {
    struct contexts_options o;
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    struct fetching *fetching;
    uint32_t fetching_count;
    bool stopped;
    int64_t now_us;      /* when the lock was taken */
    size_t pinned_bytes; /* not subject to the bound */
    struct contexts_stats stats;
};

struct contexts *contexts_new(const struct contexts_options *o)
{
    struct contexts *c = mem_zalloc(sizeof *c);
    c->o = *o;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void entry_free(struct entry *e)
{
    arena_free(e->arena);
    if (e->context)
        context_unref(e->context);
    free((void *)(uintptr_t)e->key.p);
    free(e);
}

void contexts_free(struct contexts *c)
{
    if (!c)
        return;
    assert(!c->fetching);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (c->buckets[i]) {
            struct entry *e = c->buckets[i];
            c->buckets[i] = e->chain;
            entry_free(e);
        }
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void contexts_stop(struct contexts *c)
{
    pthread_mutex_lock(&c->lock);
    c->stopped = true;
    pthread_mutex_unlock(&c->lock);
}

static void lock(struct contexts *c)
{
    pthread_mutex_lock(&c->lock);
    c->now_us = c->o.ports->clock->now_us(c->o.ports->clock);
}

static void unlock(struct contexts *c)
{
    pthread_mutex_unlock(&c->lock);
}

/* ---- entries ---- */

static void lru_remove(struct contexts *c, struct entry *e)
{
    if (e->newer)
        e->newer->older = e->older;
    else
        c->newest = e->older;
    if (e->older)
        e->older->newer = e->newer;
    else
        c->oldest = e->newer;
    e->newer = e->older = NULL;
}

static void lru_add(struct contexts *c, struct entry *e)
{
    e->older = c->newest;
    e->newer = NULL;
    if (c->newest)
        c->newest->newer = e;
    else
        c->oldest = e;
    c->newest = e;
}

static void entry_remove(struct contexts *c, struct entry *e)
{
    struct entry **at = &c->buckets[e->hash % BUCKETS];
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    if (e->pinned)
        c->pinned_bytes -= e->bytes;
    else
        lru_remove(c, e);
    c->stats.bytes -= e->bytes;
    c->stats.documents -= e->kind == ENTRY_DOCUMENT;
    c->stats.contexts -= e->kind == ENTRY_CONTEXT;
    entry_free(e);
}

static struct entry *entry_find(struct contexts *c, enum entry_kind kind, struct str key)
{
    uint64_t hash = hash_str(key) + kind;
    for (struct entry *e = c->buckets[hash % BUCKETS]; e; e = e->chain) {
        if (e->hash != hash || e->kind != kind || !str_eq(e->key, key))
            continue;
        if (!e->pinned) {
            if (e->expires_us <= c->now_us) {
                entry_remove(c, e);
                return NULL;
            }
            if (c->newest != e) {
                lru_remove(c, e);
                lru_add(c, e);
            }
        }
        return e;
    }
    return NULL;
}

/* Takes ownership of what e holds; evicts what was used least recently. */
static void entry_add(struct contexts *c, struct entry *e, enum entry_kind kind, struct str key)
{
    char *copy = mem_alloc(key.n + 1);
    memcpy(copy, key.p, key.n);
    copy[key.n] = 0;
    struct entry *old = entry_find(c, kind, key);
    if (old)
        entry_remove(c, old);
    e->kind = (uint8_t)kind;
    e->key = (struct str){copy, key.n};
    e->hash = hash_str(key) + kind;
    e->bytes += sizeof *e + key.n;
    e->chain = c->buckets[e->hash % BUCKETS];
    c->buckets[e->hash % BUCKETS] = e;
    c->stats.bytes += e->bytes;
    c->stats.documents += kind == ENTRY_DOCUMENT;
    c->stats.contexts += kind == ENTRY_CONTEXT;
    if (e->pinned) {
        c->pinned_bytes += e->bytes;
        return;
    }
    lru_add(c, e);
    while (c->stats.bytes - c->pinned_bytes > c->o.cache_bytes_max && c->oldest != e) {
        entry_remove(c, c->oldest);
        c->stats.evictions++;
    }
}

/* Parses text as a context document, into an entry of its own. Needs no lock. */
static enum status document_read(const struct contexts *c, struct str url, struct str text, struct entry **out,
                                 struct why *why)
{
    struct entry *e = mem_zalloc(sizeof *e);
    e->arena = arena_new(0);
    struct json_limits limits = {.depth_max = c->o.json_depth_max, .bytes_max = c->o.document_bytes_max};
    struct why inner;
    why_clear(&inner);
    enum status st = json_read(e->arena, text, &limits, &e->json, &inner);
    if (st == OK && !json_get(&e->json, STR("@context")))
        why_set(&inner, st = E_BAD_DATA, NULL, "it has no member \"@context\"");
    if (st != OK) {
        entry_free(e);
        return why_set(why, E_BAD_DATA, NULL, "the @context %.*s is invalid: %s", STR_ARG(url), inner.text);
    }
    e->bytes = arena_bytes(e->arena) + DOCUMENT_OVERHEAD;
    *out = e;
    return OK;
}

/* ---- building ---- */

struct loader {
    struct context_loader base;
    struct contexts *owner;
    int64_t expires_us; /* the earliest of the documents used */
};

static const struct json *load(struct context_loader *base, struct str url)
{
    struct loader *l = container_of(base, struct loader, base);
    struct entry *e = entry_find(l->owner, ENTRY_DOCUMENT, url);
    if (!e)
        return NULL;
    if (e->expires_us < l->expires_us)
        l->expires_us = e->expires_us;
    return &e->json;
}

static void context_add(struct contexts *c, struct str key, struct context *context, int64_t expires_us)
{
    size_t bytes = context_bytes(context);
    if (bytes + key.n > c->o.cache_bytes_max)
        return; /* would drive out everything else */
    struct entry *e = mem_zalloc(sizeof *e);
    e->context = context_ref(context);
    e->bytes = bytes;
    e->expires_us = expires_us;
    entry_add(c, e, ENTRY_CONTEXT, key);
}

static void fetch_done(struct port_fetch *f);

static struct fetching *fetch_start(struct contexts *c, struct str url)
{
    struct fetching *f = mem_zalloc(sizeof *f);
    char *copy = mem_alloc(url.n + 1);
    memcpy(copy, url.p, url.n);
    copy[url.n] = 0;
    f->owner = c;
    f->fetch = (struct port_fetch){
        .url = {copy, url.n},
        .accept = "application/ld+json, application/json;q=0.9, */*;q=0.1",
        .bytes_max = c->o.document_bytes_max,
        .timeout_ms = c->o.timeout_ms,
        .done = fetch_done,
    };
    f->next = c->fetching;
    c->fetching = f;
    c->fetching_count++;
    c->stats.fetches++;
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
    struct entry *ready = entry_find(c, ENTRY_CONTEXT, call->key);
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
    struct loader loader = {.base.load = load, .owner = c, .expires_us = INT64_MAX};
    struct str missing = STR_NONE;
    why_clear(&call->why);
    call->status = context_build(&call->context, call->spec, STR_NONE, &loader.base, &c->o.limits,
                                 call->arena, &missing, &call->why);
    if (call->status == OK) {
        context_add(c, call->key, call->context, loader.expires_us);
        return true;
    }
    if (call->status != E_CONTEXT)
        return true;
    struct entry *failure = entry_find(c, ENTRY_FAILURE, missing);
    if (failure) {
        call->why = failure->why;
        call->status = failure->why.status;
        return true;
    }
    why_clear(&call->why);
    call->status = fetch_join(c, call, missing);
    return call->status != OK;
}

static void complete_task(struct task *t)
{
    struct contexts_call *call = container_of(t, struct contexts_call, task);
    call->done(call);
}

static void failure_add(struct contexts *c, struct port_fetch *f, const struct why *why)
{
    struct entry *e = mem_zalloc(sizeof *e);
    e->why = *why;
    e->expires_us = c->now_us + FAILURE_US;
    entry_add(c, e, ENTRY_FAILURE, f->url);
    c->stats.failures++;
}

/* What came, as an entry; NULL with the reason. Without the lock: reading takes its time. */
static struct entry *fetched_read(const struct contexts *c, const struct port_fetch *f, struct why *why)
{
    struct entry *e = NULL;
    if (f->status != OK)
        why_set(why, E_CONTEXT, NULL, "the @context %.*s could not be retrieved: %s", STR_ARG(f->url),
                f->why.text[0] ? f->why.text : status_name(f->status));
    else if (document_read(c, f->url, f->body, &e, why) != OK)
        return NULL;
    return e;
}

/* Fresh at least as long as the requests that wait for it need it. */
static void fetched_keep(struct contexts *c, const struct port_fetch *f, struct entry *e)
{
    int64_t fresh_us = f->max_age_s < 0 ? c->o.fresh_us : f->max_age_s * 1000 * 1000;
    e->expires_us = c->now_us + (fresh_us < FRESH_MIN_US ? FRESH_MIN_US : fresh_us);
    entry_add(c, e, ENTRY_DOCUMENT, f->url);
}

static void fetch_done(struct port_fetch *f)
{
    struct fetching *ended = container_of(f, struct fetching, fetch);
    struct contexts *c = ended->owner;
    struct contexts_call *completed = NULL;
    struct why why;
    why_clear(&why);
    struct entry *document = fetched_read(c, f, &why);
    lock(c);
    struct fetching **at = &c->fetching;
    while (*at != ended)
        at = &(*at)->next;
    *at = ended->next;
    c->fetching_count--;
    if (document)
        fetched_keep(c, f, document);
    else
        failure_add(c, f, &why);
    for (struct contexts_call *call = ended->waiters, *next; call; call = next) {
        next = call->next;
        if (attempt(c, call)) {
            call->next = completed;
            completed = call;
        }
    }
    unlock(c);
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
    lock(c);
    call->since_us = c->now_us;
    bool completed = find_ready(c, call);
    c->stats.hits += completed;
    c->stats.misses += !completed;
    completed = completed || attempt(c, call);
    unlock(c);
    return completed;
}

static enum status preload_one(void *arg, struct str url, struct str text, struct why *why)
{
    struct contexts *c = arg;
    struct entry *e;
    enum status st = document_read(c, url, text, &e, why);
    if (st != OK)
        return st;
    e->pinned = true;
    e->expires_us = INT64_MAX;
    lock(c);
    entry_add(c, e, ENTRY_DOCUMENT, url);
    unlock(c);
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
    pthread_mutex_lock(&c->lock);
    *out = c->stats;
    pthread_mutex_unlock(&c->lock);
}
