/* Fetching anew what is cached: it stays until what came is known to be good. */
#include "broker/contexts_int.h"

#include <stdlib.h>

static void finish(struct task *t)
{
    struct contexts_reload *r = container_of(t, struct contexts_reload, task);
    free((void *)(uintptr_t)r->fetch.url.p);
    r->done(r);
}

/* With the lock. What came takes the place of what is there, if it is any good. */
static void keep(struct contexts_reload *r, struct document *d)
{
    struct contexts *c = r->owner;
    struct str missing;
    enum status st = contexts_try(c, json_get(&d->json, STR("@context")), r->arena, &missing, &r->why);
    if (st != OK && st != E_CONTEXT) {
        contexts_document_free(d);
        r->status = r->why.status = E_CONTEXT;
        return;
    }
    why_clear(&r->why);
    const struct cached *old = context_cache_document(c->cache, r->fetch.url, c->now_us);
    bool pinned = old && old->pinned;
    d->origin = pinned ? DOCUMENT_PRELOADED : DOCUMENT_FETCHED;
    struct cached *e = contexts_entry(d, pinned ? INT64_MAX : contexts_fresh_until(c, &r->fetch));
    e->pinned = pinned;
    context_cache_forget(c->cache, r->fetch.url);
    context_cache_add(c->cache, e, CACHED_DOCUMENT, r->fetch.url);
}

static void fetched(struct port_fetch *f)
{
    struct contexts_reload *r = container_of(f, struct contexts_reload, fetch);
    struct contexts *c = r->owner;
    struct document *d = contexts_fetched(c, f, &r->why);
    contexts_lock(c);
    c->reloading_count--;
    if (d)
        keep(r, d);
    else
        r->status = r->why.status = E_CONTEXT;
    contexts_unlock(c);
    r->task.run = finish;
    runner_post(r->home, &r->task);
}

bool contexts_reload(struct contexts *c, struct contexts_reload *r)
{
    r->owner = c;
    r->status = OK;
    why_clear(&r->why);
    contexts_lock(c);
    if (c->stopped)
        r->status = why_set(&r->why, E_CANCELLED, NULL, "the @context is not fetched: the city is stopping");
    else if (c->fetching_count + c->reloading_count >= c->o.fetches_max)
        r->status = why_limit(&r->why, E_TOO_MANY_REQUESTS, NULL, "contexts.fetches",
                              "more than %u @contexts are being fetched", c->o.fetches_max);
    bool refused = r->status != OK;
    if (!refused) {
        c->reloading_count++;
        c->fetches++;
        r->fetch = contexts_fetch(c, r->url, fetched);
        c->o.ports->fetch(c->o.ports, &r->fetch);
    }
    contexts_unlock(c);
    return refused;
}
