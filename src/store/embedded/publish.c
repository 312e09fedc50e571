/* A committed change becomes visible: state, indexes, documents, the directory; and what
 * the next fold must write is noted. Also used to replay the log. One thread at a time. */
#include "base/arena.h"
#include "base/hash.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_recent.h"

#include <stdlib.h>
#include <string.h>

static void release_plain(void *arg, void *thing)
{
    (void)arg;
    free(thing);
}

static void release_doc(void *arg, void *thing)
{
    block_free(arg, thing);
}

static void set_directory(struct embedded *e, struct tenants *fresh)
{
    struct tenants *old = e->tenants;
    atomic_store_explicit(&e->tenants, fresh, memory_order_release);
    reclaim_retire(e->reclaim, (void *[]){old}, 1, release_plain, NULL);
}

/* Holes cost memory and steps; they go when they are the greater part. */
static void renumber_if_holey(struct tenant *t)
{
    enum { HOLES_MIN = 1024 };
    uint32_t slots = state_slots(tenant_state(t)), count = state_count(tenant_state(t));
    if (slots - count > HOLES_MIN && slots - count > count)
        tenant_renumber(t);
}

/* The committed version that p replaces; NULL: none. A base that its writer found committed can only
 * have moved to another slot since: nothing else came between the two, or p would not have been
 * queued. */
static const struct doc *replaced_by(const struct state *s, const struct pending *p, uint32_t *slot)
{
    *slot = p->slot;
    if (p->base && p->slot < state_slots(s) && state_at(s, p->slot) == p->base)
        return p->base;
    return state_find(s, p->key, p->hash, slot);
}

static void publish_entity(struct embedded *e, struct tenant *t, struct pending *p)
{
    struct state *s = tenant_state(t);
    uint32_t slot;
    const struct doc *old = replaced_by(s, p, &slot);
    p->before = old;
    history_capture(e, t, p, old);
    if (old) {
        tenant_keep_version(t, slot, old);
        state_replace(s, slot, p->doc);
        index_replace(t->index, slot, old, p->doc, p->changed, p->changed_count);
    } else {
        slot = state_insert(s, p->doc, p->hash);
        index_add(t->index, slot, p->doc);
        t->unsorted = t->unsorted || doc_created_seq(p->doc) < t->last_created;
        t->last_created = doc_created_seq(p->doc);
    }
    bitmap_add(t->dirty, slot);
}

static void publish_entity_delete(struct embedded *e, struct tenant *t, struct pending *p)
{
    struct state *s = tenant_state(t);
    uint32_t slot;
    const struct doc *old = replaced_by(s, p, &slot);
    p->before = old;
    if (!old)
        return;
    history_capture(e, t, p, old);
    tenant_keep_version(t, slot, old);
    state_remove(s, slot, p->hash);
    index_remove(t->index, slot, old);
    bitmap_remove(t->dirty, slot);
    bitmap_remove(t->folding, slot);
    if (doc_created_seq(old) <= e->folding_seq)
        tenant_mark_tombstone(t, doc_created_seq(old));
    renumber_if_holey(t);
}

static void publish_document(struct embedded *e, struct tenant *t, struct pending *p)
{
    struct name_map *m = t->documents[p->document_kind];
    struct document *old = p->document
                               ? name_map_put(m, p->document->key, document_ref(p->document))
                               : name_map_remove(m, p->key);
    if (tenant_keep_document(t, p->document_kind, p->key, old))
        old = NULL;
    tenant_mark_document(t, p->document_kind, p->key);
    document_unref(&e->blocks, old);
}

void publish_dropped(struct embedded *e, uint32_t id)
{
    if (e->dropped_count == e->dropped_room) {
        e->dropped_room = e->dropped_room ? 2 * e->dropped_room : 8;
        e->dropped = mem_realloc(e->dropped, e->dropped_room * sizeof e->dropped[0]);
    }
    e->dropped[e->dropped_count++] = id;
}

static void publish_tenant(struct embedded *e, struct pending *p)
{
    if (p->kind == RECORD_TENANT) {
        set_directory(e, tenants_with(e->tenants, p->tenant));
        return;
    }
    set_directory(e, tenants_without(e->tenants, p->tenant));
    e->history.bytes -= recent_bytes(p->tenant->recent);
    publish_dropped(e, p->tenant->id);
}

/* What publishing p reads first is far from what the one before did: it is asked for some changes ahead. */
struct ahead {
    const struct pending *near, *far;
    uint32_t n; /* that far has come */
};

static void look_ahead(struct ahead *a)
{
    enum { FAR = 8, NEAR = 4 }; /* changes */
    do {
        if (a->far) {
            if (a->far->tenant)
                recent_prefetch(a->far->tenant->recent, a->far->hash);
            a->far = a->far->next;
        }
        if (++a->n > FAR - NEAR && a->near) {
            if (a->near->tenant)
                recent_prefetch_entry(a->near->tenant->recent, a->near->hash);
            a->near = a->near->next;
        }
    } while (a->n < FAR);
}

void publish_group(struct embedded *e, struct pending *first)
{
    struct tenant *locked = NULL;
    struct ahead ahead = {first, first, 0};
    for (struct pending *p = first; p; p = p->next) {
        look_ahead(&ahead);
        bool inside = p->kind == RECORD_ENTITY || p->kind == RECORD_ENTITY_DELETE ||
                      p->kind == RECORD_DOCUMENT || p->kind == RECORD_DOCUMENT_DELETE || p->kind == RECORD_HISTORY;
        if (locked && (!inside || p->tenant != locked)) {
            pthread_rwlock_unlock(&locked->lock);
            locked = NULL;
        }
        if (inside && !locked) {
            locked = p->tenant;
            pthread_rwlock_wrlock(&locked->lock);
        }
        if (p->kind == RECORD_ENTITY)
            publish_entity(e, p->tenant, p);
        else if (p->kind == RECORD_ENTITY_DELETE)
            publish_entity_delete(e, p->tenant, p);
        else if (p->kind == RECORD_HISTORY)
            history_note(e, p->tenant, p);
        else if (inside)
            publish_document(e, p->tenant, p);
        else if (p->kind == RECORD_TENANT || p->kind == RECORD_TENANT_DELETE)
            publish_tenant(e, p);
        if (inside)
            locked->version = p->seq;
        if (p->seq)
            atomic_store_explicit(&e->committed_seq, p->seq, memory_order_release);
    }
    if (locked)
        pthread_rwlock_unlock(&locked->lock);
}

static struct change change_of(const struct pending *p)
{
    struct change c = {
        .seq = p->seq,
        .tenant = p->tenant->name,
        .at_us = p->at_us,
        .key = p->key,
    };
    if (p->kind == RECORD_ENTITY || p->kind == RECORD_ENTITY_DELETE) {
        c.kind = CHANGE_ENTITY;
        c.before = p->before;
        c.after = p->doc;
    } else if (p->kind == RECORD_TENANT || p->kind == RECORD_TENANT_DELETE) {
        c.kind = CHANGE_TENANT;
        c.gone = p->kind == RECORD_TENANT_DELETE;
    } else {
        c.kind = CHANGE_DOCUMENT;
        c.document_kind = p->document_kind;
        c.bytes = p->document ? p->document->bytes : STR_NONE;
    }
    return c;
}

void publish_tell(struct embedded *e, struct pending *first)
{
    enum { AT_ONCE = 256 };
    struct change changes[AT_ONCE];
    if (!e->listeners)
        return;
    reclaim_online(e->reclaim); /* they may read */
    uint32_t n = 0;
    for (struct pending *p = first; p; p = p->next) {
        if (p->seq && p->kind != RECORD_HISTORY) /* the entity of today is as it was */
            changes[n++] = change_of(p);
        if (n == AT_ONCE || (n && !p->next)) {
            for (struct store_listener *l = e->listeners; l; l = l->next)
                l->changes(l, changes, n);
            n = 0;
        }
    }
    reclaim_offline(e->reclaim);
}

void publish_retire(struct embedded *e, struct pending *first)
{
    size_t n = 0, count = 0;
    for (struct pending *p = first; p; p = p->next)
        count += p->before != NULL;
    void **old = mem_alloc(count * sizeof *old);
    for (struct pending *p = first, *next; p; p = next) {
        next = p->next;
        if (p->before)
            old[n++] = (void *)p->before;
        document_unref(&e->blocks, p->document);
        if (p->kind == RECORD_TENANT_DELETE)
            tenant_release(p->tenant);
        free(p);
    }
    reclaim_retire(e->reclaim, old, n, release_doc, &e->blocks);
    free(old);
}

void publish_discard(struct embedded *e, struct pending *first)
{
    for (struct pending *p = first, *next; p; p = next) {
        next = p->next;
        if (p->doc)
            reclaim_retire(e->reclaim, (void *[]){p->doc}, 1, release_doc, &e->blocks);
        document_unref(&e->blocks, p->document);
        if (p->kind == RECORD_TENANT)
            tenant_release(p->tenant);
        free(p);
    }
}
