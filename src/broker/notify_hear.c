/* What the store tells: subscriptions and their states, tenants that go, and entities that
 * change. On the store's thread, so nothing here waits or computes more than it must. */
#include "broker/notify_int.h"

#include "base/log.h"

/* ---- subscriptions ---- */

static void learnt(void *arg, void *owner, struct subscription *s)
{
    struct notify *n = arg;
    (void)owner;
    outbox_set(n->outbox, s);
}

static void unwatch(void *arg, struct lane *lane)
{
    struct notify *n = arg;
    if (lane_watcher(lane))
        watch_remove(n->watch, lane_watcher(lane));
    lane_set_watcher(lane, NULL);
}

static void hear_subscription(struct notify *n, const struct change *c)
{
    struct lane *lane = outbox_find(n->outbox, c->tenant, c->key);
    if (lane)
        unwatch(n, lane);
    if (str_absent(c->bytes)) {
        if (lane)
            outbox_remove(n->outbox, lane);
        return;
    }
    struct subscription *s;
    struct why why = {0};
    if (subscription_compile(&s, c->tenant, c->bytes, n->terms, &n->o.limits, &why) != OK) {
        log_error("a subscription is damaged", log_s("id", c->key), log_z("why", why.text));
        return;
    }
    lane = outbox_set(n->outbox, s);
    lane_set_watcher(lane, watch_add(n->watch, s, lane));
    subscription_unref(s);
}

/* Written by ourselves: news only after a start. */
static void hear_state(struct notify *n, const struct change *c)
{
    if (atomic_load_explicit(&n->live, memory_order_relaxed) || str_absent(c->bytes))
        return;
    if (c->key.n == 0)
        outbox_reposition(n->outbox, c->bytes);
    else
        outbox_restore_counters(n->outbox, c->tenant, c->key, c->bytes);
}

/* ---- entities ---- */

struct hearing {
    struct watch_found found;
    struct filter_env env;
    struct notify *notify;
    struct caller caller;
    struct outbox_change change;
};

static const struct doc *lookup(struct filter_env *env, struct str id)
{
    struct hearing *h = container_of(env, struct hearing, env);
    struct store_get g = {.caller = &h->caller, .id = id};
    bool now = h->notify->listener.store && store_get(h->notify->listener.store, &g);
    return now && g.call.status == OK ? g.doc : NULL;
}

static void found(struct watch_found *f, void *owner, const struct subscription *s,
                  const struct delta *delta)
{
    struct hearing *h = container_of(f, struct hearing, found);
    bool gone = delta->triggers & TRIGGER_ATTR_DELETED;
    outbox_put(h->notify->outbox, owner, &h->change, gone || s->show_changes);
}

static void hear_entity(struct notify *n, const struct change *c)
{
    struct hearing h = {
        .found = {found},
        .env = {.arena = n->scratch, .lookup_doc = lookup},
        .notify = n,
        .caller = {.tenant = c->tenant},
        .change = {.seq = c->seq, .at_us = c->at_us, .before = c->before, .after = c->after},
    };
    watch_change(n->watch, c, &h.env, &h.found);
    outbox_end(n->outbox, &h.change);
    arena_reset(n->scratch);
}

/* ---- the listener ---- */

static void changes(struct store_listener *l, const struct change *c, uint32_t count)
{
    struct notify *n = container_of(l, struct notify, listener);
    for (uint32_t i = 0; i < count; i++) {
        if (c[i].kind == CHANGE_ENTITY)
            hear_entity(n, &c[i]);
        else if (c[i].kind == CHANGE_TENANT && c[i].gone)
            outbox_remove_tenant(n->outbox, c[i].tenant, unwatch, n);
        else if (c[i].kind == CHANGE_DOCUMENT && c[i].document_kind == STORE_SUBSCRIPTION)
            hear_subscription(n, &c[i]);
        else if (c[i].kind == CHANGE_DOCUMENT && c[i].document_kind == STORE_SUBSCRIPTION_STATE)
            hear_state(n, &c[i]);
    }
    outbox_flush(n->outbox, c[count - 1].seq);
}

/* What waits is of changes up to seq: the store tells no others meanwhile. */
static void *freeze(struct store_listener *l, uint64_t seq)
{
    (void)seq;
    return outbox_freeze(container_of(l, struct notify, listener)->outbox);
}

static void put(void *saver, struct str key, struct str bytes)
{
    struct store_saver *s = saver;
    s->put(s, key, bytes);
}

static void save(struct store_listener *l, void *frozen, struct store_saver *saver)
{
    outbox_save(container_of(l, struct notify, listener)->outbox, frozen, put, saver);
}

static void restore(struct store_listener *l, struct str key, struct str bytes)
{
    outbox_restore(container_of(l, struct notify, listener)->outbox, key, bytes);
}

void hear_init(struct notify *n)
{
    struct watch_options o = {n->terms, &n->o.limits, learnt, n};
    n->watch = watch_new(&o);
    n->listener = (struct store_listener){.name = STR("outbox"),
                                          .changes = changes,
                                          .freeze = freeze,
                                          .save = save,
                                          .restore = restore};
}
