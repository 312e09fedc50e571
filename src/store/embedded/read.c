/* Reading one entity, listing documents. No lock for an entity: readers are online. */
#include "base/hash.h"
#include "store/embedded/embedded_int.h"

#include <assert.h>

struct tenant *read_tenant(struct embedded *e, struct str name, struct store_call *call)
{
    struct tenant *t = tenants_find(atomic_load_explicit(&e->tenants, memory_order_acquire), name);
    why_clear(&call->why);
    call->status = OK;
    if (!t)
        call->status =
            why_set(&call->why, E_NO_TENANT, NULL, "tenant %.*s does not exist", STR_ARG(name));
    return t;
}

/* ---- what has expired is not there, swept away or not ---- */

int64_t read_now(struct embedded *e)
{
    return e->o.clock->now_us(e->o.clock);
}

/* The tree of what is left of d. False: nothing. */
static bool left_of(const struct doc *d, int64_t now_us, struct arena *a, struct entity *left)
{
    struct entity all;
    doc_decode(d, a, &all);
    return edit_left(&all, now_us, a, left);
}

const struct doc *read_seen(const struct doc *d, int64_t now_us, struct arena *a)
{
    struct entity left;
    if (!read_is_over(d, now_us))
        return d;
    if (!left_of(d, now_us, a, &left))
        return NULL;
    struct doc *seen = arena_alloc(a, doc_size(&left));
    doc_encode(&left, seen);
    return seen;
}

static void release_doc(void *arg, void *thing)
{
    block_free(arg, thing);
}

/* The same for one that is handed out without an arena: lives as long as what was found. */
static const struct doc *hand_out(struct embedded *e, const struct doc *d)
{
    if (doc_expires_at(d) == TIME_NONE || !read_is_over(d, read_now(e)))
        return d;
    struct arena *scratch = arena_new(0);
    struct entity left;
    struct doc *seen = NULL;
    if (left_of(d, read_now(e), scratch, &left)) {
        seen = block_new(&e->blocks, doc_size(&left));
        doc_encode(&left, seen);
        reclaim_retire(e->reclaim, (void *[]){seen}, 1, release_doc, &e->blocks);
    }
    arena_free(scratch);
    return seen;
}

/* ---- one entity ---- */

static const struct doc *lookup(struct filter_env *env, struct str id)
{
    struct read_env *r = container_of(env, struct read_env, env);
    const struct doc *d = state_find(tenant_state(r->tenant), id, hash_str(id), NULL);
    return d ? read_seen(d, r->now_us, env->arena) : NULL;
}

void read_env_init(struct read_env *env, struct tenant *t, int64_t now_us, struct arena *scratch)
{
    *env = (struct read_env){
        .env = {.arena = scratch, .lookup_doc = lookup}, .tenant = t, .now_us = now_us};
}

static bool allowed(struct embedded *e, struct tenant *t, const struct caller *caller,
                    const struct doc *d)
{
    if (!caller->filter)
        return true;
    struct arena *scratch = arena_new(0);
    struct read_env env;
    read_env_init(&env, t, read_now(e), scratch);
    bool yes = filter_match_doc(caller->filter, d, &env.env);
    arena_free(scratch);
    return yes;
}

bool read_get(struct store *s, struct store_get *g)
{
    struct embedded *e = embedded_of(s);
    assert(reclaim_is_online(e->reclaim));
    g->doc = NULL;
    struct tenant *t = read_tenant(e, g->caller->tenant, &g->call);
    if (!t)
        return true;
    g->doc = state_find(tenant_state(t), g->id, hash_str(g->id), NULL);
    if (g->doc)
        g->doc = hand_out(e, g->doc);
    if (g->doc && !allowed(e, t, g->caller, g->doc))
        g->doc = NULL;
    if (!g->doc)
        g->call.status =
            why_set(&g->call.why, E_NOT_FOUND, NULL, "entity %.*s does not exist", STR_ARG(g->id));
    return true;
}

/* ---- documents ---- */

static void list_add(struct store_list *l, const struct document *d, uint32_t room)
{
    assert(l->count < room);
    (void)room;
    l->documents[l->count++] = (struct store_document){
        .key = arena_dup(l->arena, d->key),
        .bytes = arena_dup(l->arena, d->bytes),
        .seq = d->seq,
    };
}

static void list_page(struct store_list *l, const struct name_map *m)
{
    size_t all = name_map_count(m);
    uint64_t skip = l->offset;
    uint32_t room = all < l->limit ? (uint32_t)all : l->limit;
    l->documents = arena_array(l->arena, struct store_document, room);
    for (struct name_cursor c = name_map_from(m, l->after, true); name_next(&c);) {
        if (skip) {
            skip--;
            continue;
        }
        if (l->count == l->limit) {
            l->more = true;
            return;
        }
        list_add(l, c.value, room);
    }
}

bool read_list(struct store *s, struct store_list *l)
{
    struct embedded *e = embedded_of(s);
    assert(l->kind > 0 && l->kind < STORE_KIND_COUNT);
    l->documents = NULL;
    l->count = 0;
    l->total = 0;
    l->more = false;
    struct tenant *t = read_tenant(e, l->caller->tenant, &l->call);
    if (!t)
        return true;
    pthread_rwlock_rdlock(&t->lock);
    const struct name_map *m = t->documents[l->kind];
    l->total = name_map_count(m);
    if (str_absent(l->key)) {
        list_page(l, m);
    } else {
        const struct document *d = name_map_get(m, l->key);
        l->documents = arena_array(l->arena, struct store_document, 1);
        if (d)
            list_add(l, d, 1);
        else
            l->call.status =
                why_set(&l->call.why, E_NOT_FOUND, NULL, "%.*s does not exist", STR_ARG(l->key));
    }
    pthread_rwlock_unlock(&t->lock);
    return true;
}
