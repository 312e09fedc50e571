/* One fold: what changed is taken from the tenants at one moment, written while they change on,
 * and then settled, or given back when the base does not take it. */
#include "store/embedded/embedded_int.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 256 };

/* What one fold has to write of a tenant, besides the slots in `folding`. */
struct part {
    struct tenant *tenant; /* held */
    struct name_map *documents;
    uint64_t *tombstones;
    uint32_t tombstone_count;
};

struct task_list {
    struct base_position position;
    struct part *parts;
    uint32_t part_count;
    uint32_t *dropped;
    uint32_t dropped_count;
};

/* ---- taking ---- */

static void take_tenant(struct tenant *t, uint64_t seq, struct part *p)
{
    pthread_rwlock_wrlock(&t->lock);
    *p = (struct part){tenant_hold(t), t->dirty_documents, t->tombstones, t->tombstone_count};
    bitmap_free(t->folding);
    t->folding = t->dirty;
    t->folded_to = 0;
    t->keeps = true;
    t->folding_seq = seq;
    t->folding_documents = t->dirty_documents;
    t->dirty = bitmap_new();
    t->dirty_documents = name_map_new();
    t->tombstones = NULL;
    t->tombstone_count = t->tombstone_room = 0;
    history_take(t);
    pthread_rwlock_unlock(&t->lock);
}

struct saving {
    struct store_saver saver;
    struct base *base;
    struct str listener;
};

static void put_saved(struct store_saver *saver, struct str key, struct str bytes)
{
    struct saving *s = container_of(saver, struct saving, saver);
    base_save(s->base, s->listener, key, bytes);
}

static void freeze(struct embedded *e, uint64_t seq)
{
    for (struct store_listener *l = e->listeners; l; l = l->next)
        if (l->freeze)
            l->frozen = l->freeze(l, seq);
}

/* What listeners want back after a restart, first of all, so that the base never holds a change that
 * they would be told of again (docs/decisions/0014). */
static void save(struct embedded *e, uint64_t seq)
{
    struct saving s = {{put_saved}, e->fold.base, STR("")};
    base_save_begin(e->fold.base, seq);
    for (struct store_listener *l = e->listeners; l; l = l->next) {
        s.listener = l->name;
        if (l->freeze)
            l->save(l, l->frozen, &s.saver);
    }
    base_save_end(e->fold.base);
}

/* All that changed, as of one moment between two groups. */
static void take(struct embedded *e, struct task_list *l)
{
    pthread_mutex_lock(&e->publish_lock);
    const struct tenants *d = e->tenants;
    *l = (struct task_list){
        .position =
            {
                .store_id = e->store_id,
                .segment = e->published_segment,
                .seq = e->committed_seq,
                .last_seq = e->committed_seq,
            },
        .parts = mem_alloc(d->count * sizeof(struct part)),
        .dropped = e->dropped,
        .dropped_count = e->dropped_count,
    };
    for (uint32_t i = 0; i <= d->mask; i++)
        if (d->cells[i])
            take_tenant(d->cells[i], l->position.seq, &l->parts[l->part_count++]);
    e->dropped = NULL;
    e->dropped_count = e->dropped_room = 0;
    e->folding_seq = l->position.seq;
    freeze(e, l->position.seq);
    pthread_mutex_unlock(&e->publish_lock);
    commit_lock(e);
    l->position.tenant_id = e->commit.tenant_id;
    commit_unlock(e);
}

/* ---- writing ---- */

static void write_terms(struct embedded *e, uint32_t from, uint32_t to)
{
    for (uint32_t id = from + 1; id <= to; id++)
        base_put_term(e->fold.base, id, terms_iri(e->terms, id));
}

static void write_document(struct base *b, struct tenant *t, struct dirty_key *k)
{
    struct str key = str_from(k->key, 1);
    pthread_rwlock_rdlock(&t->lock);
    const struct document *d = k->replaced ? k->kept : name_map_get(t->documents[k->kind], key);
    k->written = true;
    if (d)
        base_put_document(b, t->id, k->kind, key, d->seq, d->bytes);
    else
        base_drop_document(b, t->id, k->kind, key);
    pthread_rwlock_unlock(&t->lock);
}

/* Versions of slots from *next on, borrowed while online. */
static uint32_t read_slots(struct tenant *t, uint64_t *renumbered, uint32_t *next,
                           const struct doc **docs)
{
    uint32_t slots[AT_ONCE];
    pthread_rwlock_rdlock(&t->lock);
    if (t->renumbered !=
        *renumbered) /* slots have moved: start again, what is written twice does no harm */
        *next = 0;
    *renumbered = t->renumbered;
    uint32_t n = bitmap_read(t->folding, *next, slots, AT_ONCE);
    for (uint32_t i = 0; i < n; i++)
        docs[i] = state_at(tenant_state(t), slots[i]);
    *next = n ? slots[n - 1] + 1 : UINT32_MAX;
    t->folded_to = *next; /* publication reads it under the lock for writing */
    pthread_rwlock_unlock(&t->lock);
    return n;
}

/* Versions that were replaced before the fold came to them. */
static void write_kept(struct embedded *e, struct tenant *t)
{
    pthread_rwlock_wrlock(&t->lock);
    struct doc **kept = t->kept;
    uint32_t n = t->kept_count;
    t->keeps = false; /* what were kept from here on would be written by the next fold, over what is younger */
    t->kept = NULL;
    t->kept_count = t->kept_room = 0;
    pthread_rwlock_unlock(&t->lock);
    for (uint32_t i = 0; i < n; i++) {
        base_put_entity(e->fold.base, t->id, kept[i]);
        free(kept[i]);
    }
    free(kept);
}

/* All as it was at seq: what is younger was written as it was before, or is kept. */
static void write_entities(struct embedded *e, struct tenant *t, uint64_t seq)
{
    const struct doc *docs[AT_ONCE];
    uint64_t renumbered = UINT64_MAX;
    uint32_t next = 0, n;
    while ((n = read_slots(t, &renumbered, &next, docs))) {
        for (uint32_t i = 0; i < n; i++)
            if (doc_seq(docs[i]) <= seq)
                base_put_entity(e->fold.base, t->id, docs[i]);
        reclaim_offline(e->reclaim);
        reclaim_online(e->reclaim);
    }
    write_kept(e, t);
}

static enum status write_part(struct embedded *e, const struct part *p, uint64_t seq, struct why *why)
{
    struct base *b = e->fold.base;
    base_put_tenant(b, p->tenant->id, p->tenant->name);
    enum status st = history_write_part(e, p->tenant, why);
    if (st != OK)
        return st;
    for (uint32_t i = 0; i < p->tombstone_count; i++)
        base_drop_entity(b, p->tenant->id, p->tombstones[i]);
    for (struct name_cursor c = name_map_from(p->documents, STR_NONE, false); name_next(&c);)
        write_document(b, p->tenant, c.value);
    write_entities(e, p->tenant, seq);
    return OK;
}

/* ---- giving back ---- */

static void free_part(struct part *p)
{
    tenant_free_dirty(p->tenant, p->documents);
    free(p->tombstones);
    tenant_release(p->tenant);
}

/* The base took it all. */
static void settle(struct embedded *e, struct task_list *l)
{
    for (uint32_t i = 0; i < l->part_count; i++) {
        struct tenant *t = l->parts[i].tenant;
        pthread_rwlock_wrlock(&t->lock);
        bitmap_free(t->folding);
        t->folding = bitmap_new();
        t->folding_documents = NULL;
        history_settle(e, t);
        pthread_rwlock_unlock(&t->lock);
        free_part(&l->parts[i]);
    }
    free(l->parts);
    free(l->dropped);
}

static void drop_kept(struct tenant *t)
{
    while (t->kept_count)
        free(t->kept[--t->kept_count]);
    free(t->kept);
    t->kept = NULL;
    t->kept_room = 0;
}

/* The base did not: the next fold writes it together with what changed meanwhile. */
static void give_back(struct embedded *e, struct task_list *l)
{
    pthread_mutex_lock(&e->publish_lock);
    for (uint32_t i = 0; i < l->part_count; i++) {
        struct part *p = &l->parts[i];
        struct tenant *t = p->tenant;
        pthread_rwlock_wrlock(&t->lock);
        bitmap_add_all(t->dirty, t->folding);
        for (uint32_t k = 0; k < p->tombstone_count; k++)
            tenant_mark_tombstone(t, p->tombstones[k]);
        for (struct name_cursor c = name_map_from(p->documents, STR_NONE, false); name_next(&c);) {
            const struct dirty_key *k = c.value;
            tenant_mark_document(t, k->kind, str_from(k->key, 1));
        }
        t->folding_documents = NULL;
        t->keeps = false;
        drop_kept(t);
        history_give_back(e, t);
        pthread_rwlock_unlock(&t->lock);
    }
    for (uint32_t i = 0; i < l->dropped_count; i++)
        publish_dropped(e, l->dropped[i]);
    pthread_mutex_unlock(&e->publish_lock);
    for (uint32_t i = 0; i < l->part_count; i++)
        free_part(&l->parts[i]);
    free(l->parts);
    free(l->dropped);
}

/* ---- a fold ---- */

static enum status open_base(struct embedded *e, struct why *why)
{
    struct fold *f = &e->fold;
    char path[PATH_MAX];
    if (f->base && !f->faulted)
        return OK;
    fold_path(e, path, sizeof path);
    /* RocksDB syncs what is in its directory, not its directory's name. */
    int error = e->io->mkdir(e->io, path);
    if (!error)
        error = e->io->sync_dir(e->io, e->dir);
    if (error)
        return why_set(why, error == ENOSPC ? E_NO_SPACE : E_IO, NULL, "making %s: %s", path,
                       strerror(error));
    f->terms = 0; /* written again: what an earlier attempt left is not known */
    bound_settle(e);
    pthread_rwlock_wrlock(&e->history.base_lock);
    base_close(f->base);
    f->base = NULL;
    enum status st = base_open(&f->base, path, true, why);
    f->lost = st != OK && (f->faulted || f->lost);
    f->faulted = f->faulted && st != OK;
    pthread_rwlock_unlock(&e->history.base_lock);
    return st;
}

enum status fold_now(struct embedded *e, struct why *why)
{
    struct fold *f = &e->fold;
    enum status st = open_base(e, why);
    if (st != OK)
        return st;
    struct task_list l;
    take(e, &l);
    save(e, l.position.seq);
    uint32_t terms = terms_count(e->terms);
    write_terms(e, f->terms, terms);
    for (uint32_t i = 0; i < l.dropped_count; i++)
        base_drop_tenant(f->base, l.dropped[i]);
    for (uint32_t i = 0; i < l.part_count && st == OK; i++)
        st = write_part(e, &l.parts[i], l.position.seq, why);
    if (st == OK)
        st = base_flush(f->base, &l.position, why);
    if (st != OK) { /* after a fault RocksDB takes nothing more until it is opened again */
        f->faulted = true;
        give_back(e, &l);
        return st;
    }
    f->terms = terms;
    f->segment = l.position.segment;
    f->seq = l.position.seq;
    settle(e, &l);
    journal_trim(e->journal, f->segment);
    bound_measure(e);
    return OK;
}
