/* What the store has of the snapshots: a document of its tenant for each (what GET shows, and
 * where the entities are) and a tenant, whose name no client can give, that holds the entities.
 * The document is written first and deleted last but for the entities, so that a tenant
 * without a document is rubbish; the start clears it away. */
#include "broker/snapshots_int.h"

#include "base/log.h"
#include "broker/entity_map.h"

enum { LOAD_AT_ONCE = 64 };

/* ---- documents ---- */

struct waited_put {
    struct store_put put;
    bool done;
};

static void put_done(struct store_call *call)
{
    container_of(container_of(call, struct store_put, call), struct waited_put, put)->done = true;
}

static enum status put(struct snapshots *s, struct waited_put *w, struct why *why)
{
    w->put.call = (struct store_call){.home = &s->completions.runner, .done = put_done};
    w->done = store_put(s->broker->store, &w->put);
    snapshots_wait(s, &w->done);
    if (w->put.call.status != OK)
        *why = w->put.call.why;
    return w->put.call.status;
}

enum status snapshot_keep_put(struct snapshots *s, struct snapshot_entry *e, const struct snapshot *to,
                              bool only_absent, struct why *why)
{
    struct buf b;
    struct caller caller = {.tenant = e->tenant};
    struct snapshot as_stored = *to;
    e->stored_used_at = as_stored.last_used_at = e->last_used_at;
    buf_init(&b, DOCUMENT_BYTES_MAX);
    snapshot_store(&b, &as_stored, e->held_in);
    struct waited_put w = {.put = {.caller = &caller, .kind = STORE_SNAPSHOT, .key = e->s.id, .bytes = buf_view(&b),
                                   .only_absent = only_absent, .create_tenant = true}};
    enum status st = put(s, &w, why);
    buf_free(&b);
    return st;
}

enum status snapshot_keep_delete(struct snapshots *s, const struct snapshot_entry *e, struct why *why)
{
    struct caller caller = {.tenant = e->tenant};
    struct waited_put w = {.put = {.caller = &caller, .kind = STORE_SNAPSHOT, .key = e->s.id}};
    return put(s, &w, why);
}

/* ---- the tenants that hold the entities ---- */

enum status snapshot_keep_hold(struct snapshots *s, const struct snapshot_entry *e, struct why *why)
{
    struct caller caller = {.tenant = e->held_in};
    struct waited_put w = {.put = {.caller = &caller, .kind = STORE_SETTING, .key = STR("snapshot"), .bytes = e->s.id,
                                   .create_tenant = true}};
    return put(s, &w, why);
}

struct waited_delete {
    struct store_tenant_delete d;
    bool done;
};

static void delete_done(struct store_call *call)
{
    container_of(container_of(call, struct store_tenant_delete, call), struct waited_delete, d)->done = true;
}

void snapshot_keep_release(struct snapshots *s, struct str held_in)
{
    struct waited_delete w = {.d = {.call = {.home = &s->completions.runner, .done = delete_done}, .tenant = held_in}};
    w.done = store_tenant_delete(s->broker->store, &w.d);
    snapshots_wait(s, &w.done);
    if (w.d.call.status != OK && w.d.call.status != E_NO_TENANT)
        log_warn("snapshot not cleared away", log_s("tenant", held_in), log_s("why", str_of(w.d.call.why.text)));
    entity_maps_forget(s->broker->maps, held_in);
}

/* ---- what is stored, at the start ---- */

struct waited_list {
    struct store_list list;
    bool done;
};

static void list_done(struct store_call *call)
{
    container_of(container_of(call, struct store_list, call), struct waited_list, list)->done = true;
}

static enum status load_one(struct snapshots *s, struct str tenant, struct str bytes, struct arena *a, struct why *why)
{
    struct snapshot stored;
    struct str held_in;
    enum status st = snapshot_load(bytes, a, &stored, &held_in, why);
    if (st != OK)
        return st;
    struct snapshot_entry *e = snapshot_entry_new(tenant, held_in, &stored);
    snapshot_entry_add(s, e);
    if (stored.status == SNAPSHOT_PREPARING) {
        struct str problem = snapshot_problem(a, E_INTERNAL, "the city stopped while the snapshot was being prepared");
        snapshot_entry_finish(s, e, SNAPSHOT_FAILURE, snapshot_failures(a, stored.queries, problem),
                              snapshot_failures(a, stored.temporal_queries, problem));
    }
    return OK;
}

static enum status load_tenant(struct snapshots *s, struct str tenant, struct why *why)
{
    struct caller caller = {.tenant = tenant};
    struct arena *a = arena_new(0);
    struct str after = STR_NONE;
    enum status st = OK;
    bool more = true;
    while (more && st == OK) {
        struct waited_list w = {.list = {.call = {.home = &s->completions.runner, .done = list_done},
                                         .caller = &caller, .kind = STORE_SNAPSHOT, .after = after,
                                         .limit = LOAD_AT_ONCE, .arena = a}};
        w.done = store_list(s->broker->store, &w.list);
        snapshots_wait(s, &w.done);
        st = w.list.call.status;
        if (st != OK)
            *why = w.list.call.why;
        for (uint32_t i = 0; i < w.list.count && st == OK; i++)
            st = load_one(s, tenant, w.list.documents[i].bytes, a, why);
        more = st == OK && w.list.more;
        if (more)
            after = w.list.documents[w.list.count - 1].key;
    }
    arena_free(a);
    return st;
}

enum status snapshot_keep_load(struct snapshots *s, struct why *why)
{
    struct arena *a = arena_new(0);
    struct str *names, tenant, id;
    enum status st = OK;
    uint32_t n = store_tenants(s->broker->store, a, &names);
    for (uint32_t i = 0; i < n && st == OK; i++)
        if (!snapshots_held(names[i]))
            st = load_tenant(s, names[i], why);
    for (uint32_t i = 0; i < n && st == OK; i++)
        if (snapshots_held(names[i]) && !snapshots_owner(s, names[i], a, &tenant, &id))
            snapshot_keep_release(s, names[i]);
    arena_free(a);
    return st;
}
