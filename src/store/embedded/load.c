/* Start-up: what the log says is replayed into memory. */
#include "base/arena.h"
#include "base/hash.h"
#include "store/embedded/embedded_int.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct journal_replay replay;
    struct embedded *e;
    struct tenant *unsorted; /* has an entity that was inserted behind younger ones */
    bool any_unsorted;
};

static enum status load_terms(struct embedded *e, const struct record *r, struct why *why)
{
    struct str rest = r->block;
    for (uint32_t id = (uint32_t)r->origin; rest.n; id++) {
        uint32_t n;
        if (rest.n < sizeof n)
            return why_set(why, E_DAMAGED, NULL, "a term is cut off");
        memcpy(&n, rest.p, sizeof n);
        rest = str_from(rest, sizeof n);
        if (n > rest.n)
            return why_set(why, E_DAMAGED, NULL, "a term is longer than its record");
        uint32_t got = terms_intern(e->terms, str_head(rest, n), why);
        if (got == TERM_NONE)
            return why->status;
        if (got != id)
            return why_set(why, E_DAMAGED, NULL, "term %u is read as %u", id, got);
        rest = str_from(rest, n);
    }
    return OK;
}

/* Newer than what is there already? Replay repeats changes that the base has. */
static bool is_newer(const struct record *r, struct tenant *t, struct str key, uint64_t hash)
{
    if (r->kind == RECORD_ENTITY || r->kind == RECORD_ENTITY_DELETE) {
        const struct doc *d = state_find(tenant_state(t), key, hash, NULL);
        return d ? doc_seq(d) < r->seq : r->kind == RECORD_ENTITY;
    }
    const struct document *d = name_map_get(t->documents[r->document_kind], key);
    return d ? d->seq < r->seq : r->kind == RECORD_DOCUMENT;
}

static struct pending *pending_of(struct embedded *e, const struct record *r, struct tenant *t)
{
    struct pending *p = pending_new(r->kind, 0, r->kind == RECORD_ENTITY ? STR_NONE : r->key);
    p->tenant = t;
    p->seq = r->seq;
    p->origin = r->origin;
    p->at_us = r->at_us;
    p->document_kind = r->document_kind;
    if (r->kind == RECORD_ENTITY) {
        p->doc = block_new(&e->blocks, r->block.n);
        memcpy(p->doc, r->block.p, r->block.n);
        p->key = doc_id(p->doc);
    }
    if (r->kind == RECORD_DOCUMENT)
        p->document = document_new(&e->blocks, r->seq, r->key, r->block);
    p->hash = hash_str(p->key);
    return p;
}

static void publish_one(struct embedded *e, struct pending *p)
{
    publish_group(e, p);
    publish_retire(e, p);
}

static enum status load_tenant(struct embedded *e, const struct record *r, struct tenant *t)
{
    if (r->tenant > e->commit.tenant_id)
        e->commit.tenant_id = r->tenant;
    if (r->kind == RECORD_TENANT && !t)
        publish_one(e, pending_of(e, r, tenant_new(e->reclaim, &e->blocks, r->tenant, r->key)));
    if (r->kind == RECORD_TENANT_DELETE && t)
        publish_one(e, pending_of(e, r, t));
    return OK;
}

static enum status load_record(struct journal_replay *replay, const struct record *r, struct why *why)
{
    struct loading *l = container_of(replay, struct loading, replay);
    struct embedded *e = l->e;
    if (r->kind == RECORD_TERMS)
        return load_terms(e, r, why);
    if (r->seq > e->commit.seq)
        e->commit.seq = r->seq;
    struct tenant *t = tenants_find_id(e->tenants, r->tenant);
    if (r->kind == RECORD_TENANT || r->kind == RECORD_TENANT_DELETE)
        return load_tenant(e, r, t);
    if (!t)
        return OK; /* deleted later; the base knows */
    enum status st = OK;
    struct str key = r->key;
    if (r->kind == RECORD_ENTITY) {
        st = doc_check(r->block.p, r->block.n, terms_count(e->terms), why);
        if (st == OK)
            key = doc_id((const struct doc *)(const void *)r->block.p);
    } else if (r->kind != RECORD_ENTITY_DELETE &&
               (r->document_kind == 0 || r->document_kind >= STORE_KIND_COUNT)) {
        st = why_set(why, E_DAMAGED, NULL, "a document of kind %u", r->document_kind);
    }
    if (st == OK && is_newer(r, t, key, hash_str(key)))
        publish_one(e, pending_of(e, r, t));
    return st;
}

enum status load_all(struct embedded *e, struct why *why)
{
    struct loading l = {.replay = {.record = load_record}, .e = e};
    enum status st = journal_read(e->journal, &l.replay, why);
    e->commit.terms_queued = e->commit.terms_durable = terms_count(e->terms);
    e->commit.tenant_count = e->tenants->count;
    e->committed_seq = e->commit.seq;
    return st;
}
