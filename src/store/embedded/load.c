/* Start-up: the base is read into memory (load_base.c), then the log is replayed on top of it. */
#include "store/embedded/load.h"

#include "base/hash.h"
#include "store/embedded/base_read.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_item.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct replaying {
    struct journal_replay replay;
    struct embedded *e;
    uint64_t folded_seq;
    uint64_t told_seq; /* what listeners have saved is of changes up to this one; the base has none younger */
    bool telling;      /* that point is passed */
};

/* ---- listeners ---- */

static void tell_documents(struct embedded *e, struct tenant *t, uint8_t kind)
{
    for (struct name_cursor c = name_map_from(t->documents[kind], STR_NONE, false);
         name_next(&c);) {
        const struct document *d = c.value;
        struct change change = {
            .seq = d->seq,
            .kind = CHANGE_DOCUMENT,
            .tenant = t->name,
            .document_kind = kind,
            .key = d->key,
            .bytes = d->bytes,
        };
        for (struct store_listener *l = e->listeners; l; l = l->next)
            l->changes(l, &change, 1);
    }
}

struct restoring {
    struct base_reader reader;
    struct embedded *e;
};

static enum status restore(struct base_reader *reader, struct str listener, struct str key,
                           struct str bytes, struct why *why)
{
    struct restoring *r = container_of(reader, struct restoring, reader);
    (void)why;
    for (struct store_listener *l = r->e->listeners; l; l = l->next)
        if (l->restore && str_eq(l->name, listener))
            l->restore(l, key, bytes);
    return OK;
}

/* Documents of all tenants, kind after kind, then what was saved: all is as it was at told_seq. */
static enum status begin_telling(struct replaying *l, struct why *why)
{
    struct embedded *e = l->e;
    struct restoring r = {.reader = {.saved = restore}, .e = e};
    l->telling = true;
    if (!e->listeners)
        return OK;
    for (uint8_t kind = 1; kind < STORE_KIND_COUNT; kind++)
        for (uint32_t i = 0; i <= e->tenants->mask; i++)
            if (e->tenants->cells[i])
                tell_documents(e, e->tenants->cells[i], kind);
    return e->fold.base ? base_read_saved(e->fold.base, &r.reader, why) : OK;
}

static enum status replay_terms(struct embedded *e, const struct record *r, struct why *why)
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
            return why_set(why, E_DAMAGED, NULL, "term %u of the log is read as %u", id, got);
        rest = str_from(rest, n);
    }
    return OK;
}

/* Newer than what is there already? The base may hold changes behind its position. */
static bool is_newer(const struct record *r, struct tenant *t, struct str key, uint64_t hash)
{
    if (r->kind == RECORD_HISTORY) /* an evolution knows what it has got */
        return true;
    if (r->kind == RECORD_ENTITY || r->kind == RECORD_ENTITY_DELETE) {
        const struct doc *d = state_find(tenant_state(t), key, hash, NULL);
        return d ? doc_seq(d) < r->seq : r->kind == RECORD_ENTITY;
    }
    const struct document *d = name_map_get(t->documents[r->document_kind], key);
    return d ? d->seq < r->seq : r->kind == RECORD_DOCUMENT;
}

static struct pending *pending_of(struct embedded *e, const struct record *r, struct tenant *t)
{
    struct pending *p = r->kind == RECORD_HISTORY ? pending_new_history(r->key, r->block)
                                                  : pending_new(r->kind, 0, r->kind == RECORD_ENTITY ? STR_NONE : r->key);
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

static void publish_one(struct replaying *l, struct pending *p)
{
    struct embedded *e = l->e;
    publish_group(e, p);
    if (l->telling)
        publish_tell(e, p);
    publish_retire(e, p);
    (void)reclaim_run(e->reclaim);
}

static void replay_tenant(struct replaying *l, const struct record *r, struct tenant *t)
{
    struct embedded *e = l->e;
    if (r->tenant > e->commit.tenant_id)
        e->commit.tenant_id = r->tenant;
    if (r->kind == RECORD_TENANT && !t)
        publish_one(l, pending_of(e, r, tenant_new(e->reclaim, &e->blocks, r->tenant, r->key)));
    if (r->kind == RECORD_TENANT_DELETE && t)
        publish_one(l, pending_of(e, r, t));
}

static enum status check_record(const struct embedded *e, const struct record *r, struct why *why)
{
    if (r->kind == RECORD_ENTITY)
        return doc_check(r->block.p, r->block.n, terms_count(e->terms), why);
    if (r->kind == RECORD_HISTORY)
        return items_check(r->block, terms_count(e->terms), why);
    bool document = r->kind == RECORD_DOCUMENT || r->kind == RECORD_DOCUMENT_DELETE;
    if (document && (r->document_kind == 0 || r->document_kind >= STORE_KIND_COUNT))
        return why_set(why, E_DAMAGED, NULL, "a document of kind %u", r->document_kind);
    return OK;
}

static enum status replay_record(struct journal_replay *replay, const struct record *r,
                                 struct why *why)
{
    struct replaying *l = container_of(replay, struct replaying, replay);
    struct embedded *e = l->e;
    if (r->kind == RECORD_TERMS)
        return replay_terms(e, r, why);
    if (r->seq <= l->folded_seq)
        return OK;
    if (r->seq > e->commit.seq)
        e->commit.seq = r->seq;
    enum status st = r->seq > l->told_seq && !l->telling ? begin_telling(l, why) : OK;
    if (st != OK)
        return st;
    struct tenant *t = tenants_find_id(e->tenants, r->tenant);
    if (r->kind == RECORD_TENANT || r->kind == RECORD_TENANT_DELETE) {
        replay_tenant(l, r, t);
        return OK;
    }
    st = check_record(e, r, why);
    if (st != OK || !t) /* no tenant: it is deleted later, as the base knows already */
        return st;
    struct str key =
        r->kind == RECORD_ENTITY ? doc_id((const struct doc *)(const void *)r->block.p) : r->key;
    if (is_newer(r, t, key, hash_str(key)))
        publish_one(l, pending_of(e, r, t));
    return OK;
}

static enum status open_journal(struct embedded *e, uint64_t from, struct why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log", e->dir);
    struct journal_options o = {
        .io = e->io,
        .dir = path,
        .store_id = e->store_id,
        .segment_bytes = e->o.segment_bytes,
    };
    return journal_open(&e->journal, &o, from, why);
}

enum status load_all(struct embedded *e, struct journal_replay *figures, struct why *why)
{
    struct base_position p;
    struct replaying l = {.replay = {.record = replay_record}, .e = e};
    enum status st = load_base(e, &p, &l.told_seq, why);
    if (st != OK)
        return st;
    if (p.last_seq > e->commit.seq)
        e->commit.seq = p.last_seq;
    if (p.tenant_id > e->commit.tenant_id)
        e->commit.tenant_id = p.tenant_id;
    l.folded_seq = p.seq;
    if (l.told_seq < p.seq)
        l.told_seq = p.seq;
    e->folding_seq = UINT64_MAX; /* what an unfinished fold left needs tombstones, too */
    st = open_journal(e, p.segment, why);
    if (st == OK)
        st = journal_read(e->journal, &l.replay, why);
    if (st == OK && !l.telling)
        st = begin_telling(&l, why);
    if (st != OK)
        return st;
    for (uint32_t i = 0; i <= e->tenants->mask; i++)
        if (e->tenants->cells[i] && e->tenants->cells[i]->unsorted)
            tenant_renumber(e->tenants->cells[i]);
    *figures = l.replay;
    e->committed_seq = e->commit.seq;
    e->folding_seq = e->commit.seq;
    e->published_segment = journal_segment(e->journal);
    e->commit.terms_queued = e->commit.terms_durable = terms_count(e->terms);
    e->commit.tenant_count = e->tenants->count;
    return OK;
}
