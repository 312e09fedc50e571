/* The base into memory. One thread reads and checks entities while another puts them into tables
 * and indexes. */
#include "base/arena.h"
#include "base/hash.h"
#include "store/embedded/base_read.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/index_bulk.h"
#include "store/embedded/load.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, BATCHES_AHEAD = 4 }; /* what waits stays in the cache */
enum { AHEAD = 8 };                      /* entities whose places are asked for before their turn */

/* Checked entities of one tenant, on their way to the thread that keeps the tables. */
struct batch {
    struct batch *next;
    struct tenant *tenant;
    uint32_t n;
    struct doc *docs[BATCH];
    uint64_t hashes[BATCH]; /* of their ids */
};

struct reading {
    struct base_reader reader;
    struct embedded *e;
    struct tenant *tenant; /* of the last entity or document */
    struct batch *filling;
    uint32_t term_max;
    struct index_bulk *bulk;  /* of the inserting thread */
    struct tenant *inserting; /* whose index it is for */

    pthread_mutex_t lock; /* below */
    pthread_cond_t moved;
    struct batch *first, **last;
    uint32_t ahead;
    bool ended;
};

static enum status read_term(struct base_reader *reader, uint32_t id, struct str iri,
                             struct why *why)
{
    struct reading *r = container_of(reader, struct reading, reader);
    uint32_t got = terms_intern(r->e->terms, iri, why);
    if (got == TERM_NONE)
        return why->status;
    if (got != id)
        return why_set(why, E_DAMAGED, NULL, "term %u of the base is read as %u", id, got);
    return OK;
}

static void add_tenant(struct embedded *e, struct tenant *t)
{
    struct tenants *old = e->tenants;
    e->tenants = tenants_with(old, t);
    free(old);
    if (t->id > e->commit.tenant_id)
        e->commit.tenant_id = t->id;
}

static enum status read_tenant_name(struct base_reader *reader, uint32_t id, struct str name,
                                    struct why *why)
{
    (void)why;
    struct embedded *e = container_of(reader, struct reading, reader)->e;
    if (!tenants_find_id(e->tenants, id))
        add_tenant(e, tenant_new(e->reclaim, &e->blocks, id, name));
    return OK;
}

static struct tenant *tenant_of(struct reading *r, uint32_t id)
{
    if (!r->tenant || r->tenant->id != id)
        r->tenant = tenants_find_id(r->e->tenants, id);
    return r->tenant;
}

static enum status read_document(struct base_reader *reader, uint32_t tenant, uint8_t kind,
                                 struct str key, uint64_t seq, struct str bytes, struct why *why)
{
    struct reading *r = container_of(reader, struct reading, reader);
    struct tenant *t = tenant_of(r, tenant);
    if (kind == 0 || kind >= STORE_KIND_COUNT)
        return why_set(why, E_DAMAGED, NULL, "the base has a document of kind %u", kind);
    if (!t)
        return OK; /* left behind by a deleted tenant */
    struct document *d = document_new(&r->e->blocks, seq, key, bytes);
    document_unref(&r->e->blocks, name_map_put(t->documents[kind], d->key, d));
    return OK;
}

static void hand_over(struct reading *r)
{
    struct batch *b = r->filling;
    r->filling = NULL;
    if (!b)
        return;
    b->next = NULL;
    pthread_mutex_lock(&r->lock);
    while (r->ahead == BATCHES_AHEAD)
        pthread_cond_wait(&r->moved, &r->lock);
    *r->last = b;
    r->last = &b->next;
    r->ahead++;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
}

static enum status read_entity(struct base_reader *reader, uint32_t tenant, uint64_t created_seq,
                               struct str block, struct why *why)
{
    struct reading *r = container_of(reader, struct reading, reader);
    struct tenant *t = tenant_of(r, tenant);
    if (!t)
        return OK;
    struct doc *d = block_new(&r->e->blocks, block.n);
    memcpy(d, block.p, block.n);
    enum status st = doc_check(d, block.n, r->term_max, why);
    if (st == OK && doc_created_seq(d) != created_seq)
        st = why_set(why, E_DAMAGED, NULL, "the base has an entity under the key of another");
    if (st != OK) {
        atomic_fetch_sub(&r->e->blocks.bytes, block.n);
        free(d);
        return st;
    }
    if (r->filling && (r->filling->tenant != t || r->filling->n == BATCH))
        hand_over(r);
    if (!r->filling) {
        r->filling = mem_alloc(sizeof *r->filling);
        r->filling->tenant = t;
        r->filling->n = 0;
    }
    r->filling->docs[r->filling->n] = d;
    r->filling->hashes[r->filling->n++] = hash_str(doc_id(d));
    return OK;
}

/* An unfinished fold can leave two entities of one id: the younger is the one that lives. */
static void keep_younger(struct embedded *e, struct tenant *t, uint32_t slot, const struct doc *old,
                         uint64_t hash)
{
    state_remove(tenant_state(t), slot, hash);
    index_remove(t->index, slot, old);
    tenant_mark_tombstone(t, doc_created_seq(old));
    block_free(&e->blocks, old);
}

static void insert(struct reading *r, struct tenant *t, struct doc *d, uint64_t hash)
{
    struct embedded *e = r->e;
    uint32_t slot;
    const struct doc *old = state_find(tenant_state(t), doc_id(d), hash, &slot);
    if (old) {
        index_bulk_flush(r->bulk, t->index);
        keep_younger(e, t, slot, old, hash);
    }
    index_bulk_add(r->bulk, t->index, state_insert(tenant_state(t), d, hash), d);
    t->last_created = doc_created_seq(d);
    if (doc_seq(d) > e->commit.seq)
        e->commit.seq = doc_seq(d);
}

static void insert_batch(struct reading *r, struct batch *b)
{
    if (r->inserting != b->tenant) {
        if (r->inserting)
            index_bulk_flush(r->bulk, r->inserting->index);
        r->inserting = b->tenant;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        if (i + AHEAD < b->n)
            state_prefetch(tenant_state(b->tenant), b->hashes[i + AHEAD]);
        insert(r, b->tenant, b->docs[i], b->hashes[i]);
    }
}

static void *insert_batches(void *arg)
{
    struct reading *r = arg;
    pthread_setname_np(pthread_self(), "load");
    for (;;) {
        pthread_mutex_lock(&r->lock);
        while (!r->first && !r->ended)
            pthread_cond_wait(&r->moved, &r->lock);
        struct batch *b = r->first;
        if (b) {
            r->first = b->next;
            if (!r->first)
                r->last = &r->first;
            r->ahead--;
            pthread_cond_broadcast(&r->moved);
        }
        pthread_mutex_unlock(&r->lock);
        if (!b)
            break;
        insert_batch(r, b);
        free(b);
    }
    if (r->inserting)
        index_bulk_flush(r->bulk, r->inserting->index);
    return NULL;
}

/* Names first: entities are checked against them, by both threads. */
static enum status read_names(struct embedded *e, struct base *b, struct why *why)
{
    struct reading r = {.e = e};
    r.reader = (struct base_reader){
        .term = read_term, .tenant = read_tenant_name, .document = read_document};
    return base_read_names(b, &r.reader, why);
}

static enum status read_entities(struct embedded *e, struct base *b, struct why *why)
{
    struct reading r = {.e = e, .term_max = terms_count(e->terms), .bulk = index_bulk_new()};
    r.reader = (struct base_reader){.entity = read_entity};
    r.last = &r.first;
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.moved, NULL);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, insert_batches, &r);
    enum status st = error
                         ? why_set(why, E_INTERNAL, NULL, "starting a thread: %s", strerror(error))
                         : base_read_rest(b, &r.reader, why);
    hand_over(&r);
    pthread_mutex_lock(&r.lock);
    r.ended = true;
    pthread_cond_broadcast(&r.moved);
    pthread_mutex_unlock(&r.lock);
    if (!error)
        pthread_join(thread, NULL);
    pthread_mutex_destroy(&r.lock);
    pthread_cond_destroy(&r.moved);
    index_bulk_free(r.bulk);
    return st;
}

enum status load_base(struct embedded *e, struct base_position *p, uint64_t *told_seq,
                      struct why *why)
{
    char path[PATH_MAX];
    struct base *b;
    fold_path(e, path, sizeof path);
    *p = (struct base_position){.store_id = e->store_id};
    if (!base_exists(path))
        return OK;
    enum status st = base_open(&b, path, false, why);
    if (st != OK)
        return st;
    st = base_read_position(b, p, why);
    if (st == E_NOT_FOUND) /* the first fold never ended: the log has everything */
        st = OK;
    if (st == OK && p->store_id != e->store_id)
        st = why_set(why, E_DAMAGED, NULL, "%s belongs to another store", path);
    if (st == OK)
        st = base_read_told(b, told_seq, why);
    if (st == OK)
        st = read_names(e, b, why);
    if (st == OK)
        st = read_entities(e, b, why);
    if (st == OK) {
        e->fold.base = b;
        e->fold.terms = terms_count(e->terms);
        e->fold.segment = p->segment;
        e->fold.seq = p->seq;
    } else {
        base_close(b);
    }
    return st;
}
