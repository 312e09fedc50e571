/* Tenants and their directory. */
#include "store/embedded/tenant.h"

#include "base/arena.h"
#include "base/hash.h"
#include "store/embedded/history_recent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct tenant *tenant_new(struct reclaim *r, struct blocks *b, uint32_t id, struct str name)
{
    struct tenant *t = mem_zalloc(sizeof *t + name.n + 1);
    memcpy(t + 1, name.n ? name.p : "", name.n);
    t->id = id;
    t->name = (struct str){(char *)(t + 1), name.n};
    t->hash = hash_str(t->name);
    t->holders = 1;
    t->reclaim = r;
    t->blocks = b;
    t->state = state_new(r);
    t->index = index_new();
    t->dirty = bitmap_new();
    t->folding = bitmap_new();
    t->dirty_documents = name_map_new();
    t->recent = recent_new();
    for (int k = 1; k < STORE_KIND_COUNT; k++)
        t->documents[k] = name_map_new();
    pthread_rwlockattr_t attr; /* queries must not keep the committer waiting for ever */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&t->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    return t;
}

struct tenant *tenant_hold(struct tenant *t)
{
    t->holders++;
    return t;
}

static void free_documents(struct tenant *t, struct name_map *m)
{
    for (struct name_cursor c = name_map_from(m, STR_NONE, false); name_next(&c);)
        document_unref(t->blocks, c.value);
    name_map_free(m);
}

void tenant_free_dirty(struct tenant *t, struct name_map *dirty)
{
    for (struct name_cursor c = name_map_from(dirty, STR_NONE, false); name_next(&c);) {
        document_unref(t->blocks, ((struct dirty_key *)c.value)->kept);
        free(c.value);
    }
    name_map_free(dirty);
}

static void tenant_free(void *arg, void *thing)
{
    (void)arg;
    struct tenant *t = thing;
    struct state *s = t->state;
    for (uint32_t slot = 0; slot < state_slots(s); slot++)
        block_free(t->blocks, state_at(s, slot));
    state_free(s);
    index_free(t->index);
    bitmap_free(t->dirty);
    bitmap_free(t->folding);
    tenant_free_dirty(t, t->dirty_documents);
    for (int k = 1; k < STORE_KIND_COUNT; k++)
        free_documents(t, t->documents[k]);
    free(t->tombstones);
    recent_free(t->recent);
    recent_free(t->folding_recent);
    pthread_rwlock_destroy(&t->lock);
    free(t);
}

void tenant_release(struct tenant *t)
{
    if (--t->holders == 0)
        reclaim_retire(t->reclaim, (void *[]){t}, 1, tenant_free, NULL);
}

void tenant_mark_document(struct tenant *t, uint8_t kind, struct str key)
{
    struct dirty_key *d = mem_alloc(sizeof *d + 1 + key.n);
    char *at = (char *)(d + 1);
    at[0] = (char)kind;
    if (key.n)
        memcpy(at + 1, key.p, key.n);
    *d = (struct dirty_key){.kind = kind, .key = {at, 1 + key.n}};
    free(name_map_put(t->dirty_documents, d->key, d));
}

void tenant_keep_version(struct tenant *t, uint32_t slot, const struct doc *old)
{
    if (!t->keeps || slot < t->folded_to || doc_seq(old) > t->folding_seq ||
        !bitmap_has(t->folding, slot))
        return;
    bitmap_remove(t->folding, slot);
    if (t->kept_count == t->kept_room) {
        t->kept_room = t->kept_room ? 2 * t->kept_room : 16;
        t->kept = mem_realloc(t->kept, t->kept_room * sizeof t->kept[0]);
    }
    struct doc *copy = mem_alloc(doc_bytes(old));
    memcpy(copy, old, doc_bytes(old));
    t->kept[t->kept_count++] = copy;
}

bool tenant_keep_document(struct tenant *t, uint8_t kind, struct str key, struct document *old)
{
    if (!t->folding_documents)
        return false;
    char *name = mem_alloc(1 + key.n);
    name[0] = (char)kind;
    if (key.n)
        memcpy(name + 1, key.p, key.n);
    struct dirty_key *d = name_map_get(t->folding_documents, (struct str){name, 1 + key.n});
    free(name);
    if (!d || d->written || d->replaced)
        return false;
    d->replaced = true;
    d->kept = old;
    return true;
}

void tenant_mark_tombstone(struct tenant *t, uint64_t created_seq)
{
    if (t->tombstone_count == t->tombstone_room) {
        t->tombstone_room = t->tombstone_room ? 2 * t->tombstone_room : 16;
        t->tombstones = mem_realloc(t->tombstones, t->tombstone_room * sizeof t->tombstones[0]);
    }
    t->tombstones[t->tombstone_count++] = created_seq;
}

size_t tenant_bytes(const struct tenant *t)
{
    size_t n = sizeof *t + state_bytes(tenant_state(t)) + index_bytes(t->index) +
               bitmap_bytes(t->dirty) + name_map_bytes(t->dirty_documents) +
               t->tombstone_room * sizeof t->tombstones[0];
    for (int k = 1; k < STORE_KIND_COUNT; k++)
        n += name_map_bytes(t->documents[k]);
    return n;
}

/* ---- renumbering ---- */

static int by_creation(const void *x, const void *y)
{
    uint64_t a = doc_created_seq(*(const struct doc *const *)x);
    uint64_t b = doc_created_seq(*(const struct doc *const *)y);
    return (a > b) - (a < b);
}

static void release_state(void *arg, void *thing)
{
    (void)arg;
    state_free(thing);
}

/* Entities of `slots` in old, at their new slots. */
static struct bitmap *translate(const struct bitmap *slots, const struct state *old,
                                const struct state *fresh)
{
    struct bitmap *out = bitmap_new();
    for (uint32_t slot = 0, to; bitmap_read(slots, slot, &slot, 1); slot++) {
        const struct doc *d = state_at(old, slot);
        if (d && state_find(fresh, doc_id(d), hash_str(doc_id(d)), &to))
            bitmap_add(out, to);
    }
    return out;
}

void tenant_renumber(struct tenant *t)
{
    struct state *old = t->state, *fresh = state_new(t->reclaim);
    uint32_t n = 0, count = state_count(old);
    const struct doc **docs = mem_alloc(count * sizeof *docs);
    bool sorted = true;
    for (uint32_t slot = 0; slot < state_slots(old); slot++) {
        const struct doc *d = state_at(old, slot);
        if (!d)
            continue;
        sorted = sorted && (!n || doc_created_seq(docs[n - 1]) < doc_created_seq(d));
        docs[n++] = d;
    }
    assert(n == count);
    if (!sorted)
        qsort(docs, n, sizeof *docs, by_creation);
    struct index *ix = index_new();
    for (struct index_value *v = t->index->values, **at = &ix->values; v; v = v->next) {
        *at = index_value_new(v->term);
        (*at)->used_us = v->used_us;
        (*at)->built = v->built == INDEX_VALUE_BUILT ? INDEX_VALUE_BUILT : 0;
        at = &(*at)->next;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = state_insert(fresh, docs[i], hash_str(doc_id(docs[i])));
        index_add(ix, slot, docs[i]);
    }
    free(docs);
    struct bitmap *dirty = translate(t->dirty, old, fresh),
                  *folding = translate(t->folding, old, fresh);
    bitmap_free(t->dirty);
    bitmap_free(t->folding);
    t->dirty = dirty;
    t->folding = folding;
    index_free(t->index);
    t->index = ix;
    t->renumbered++;
    t->folded_to = 0; /* the fold begins again; younger versions it leaves out */
    t->unsorted = false;
    atomic_store_explicit(&t->state, fresh, memory_order_release);
    reclaim_retire(t->reclaim, (void *[]){old}, 1, release_state, NULL);
}

/* ---- the directory ---- */

struct tenant *tenants_find(const struct tenants *d, struct str name)
{
    for (uint64_t i = hash_str(name);; i++) {
        struct tenant *t = d->cells[i & d->mask];
        if (!t || str_eq(t->name, name))
            return t;
    }
}

struct tenant *tenants_find_id(const struct tenants *d, uint32_t id)
{
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i] && d->cells[i]->id == id)
            return d->cells[i];
    return NULL;
}

static struct tenants *tenants_new(uint32_t count)
{
    uint32_t size = 4;
    while (size < 2 * count)
        size *= 2;
    struct tenants *d = mem_zalloc(sizeof *d + size * sizeof d->cells[0]);
    d->mask = size - 1;
    return d;
}

static void put(struct tenants *d, struct tenant *t)
{
    uint64_t at = t->hash;
    while (d->cells[at & d->mask])
        at++;
    d->cells[at & d->mask] = t;
    d->count++;
}

struct tenants *tenants_with(const struct tenants *d, struct tenant *t)
{
    struct tenants *out = tenants_new((d ? d->count : 0) + 1);
    for (uint32_t i = 0; d && i <= d->mask; i++)
        if (d->cells[i])
            put(out, d->cells[i]);
    put(out, t);
    return out;
}

struct tenants *tenants_without(const struct tenants *d, const struct tenant *t)
{
    struct tenants *out = tenants_new(d->count);
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i] && d->cells[i] != t)
            put(out, d->cells[i]);
    return out;
}
