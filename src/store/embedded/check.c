/* Offline checking: every record of the log and the base by itself, then what start-up would make
 * of them, with every index compared with one made anew. */
#include "base/arena.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/embedded/base_read.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_check.h"
#include "store/embedded/history_item.h"
#include "store/embedded/identity.h"
#include "store/embedded/load.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 1 << 26 };

struct check {
    struct base_reader base;
    struct journal_replay journal;
    struct embedded_report *report;
    void (*error)(void *arg, const char *text);
    void *arg;
    const char *dir;
    uint64_t store_id;
    uint32_t term_max; /* highest id seen so far */
    struct history_check history;
};

__attribute__((format(printf, 2, 3))) static void found(struct check *c, const char *fmt, ...)
{
    char text[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->report->errors++;
    if (c->error)
        c->error(c->arg, text);
}

/* ---- the base ---- */

static enum status check_term(struct base_reader *r, uint32_t id, struct str iri, struct why *why)
{
    struct check *c = container_of(r, struct check, base);
    (void)why;
    if (id != c->term_max + 1 || !iri.n)
        found(c, "base: term %u follows term %u", id, c->term_max);
    c->term_max = id;
    c->report->terms++;
    return OK;
}

static enum status check_entity(struct base_reader *r, uint32_t tenant, uint64_t created_seq,
                                struct str block, struct why *why)
{
    struct check *c = container_of(r, struct check, base);
    (void)why;
    struct why inner = {0};
    char *copy = mem_alloc(block.n);
    memcpy(copy, block.p, block.n);
    const struct doc *d = (const struct doc *)(void *)copy;
    if (doc_check(copy, block.n, c->term_max, &inner) != OK)
        found(c, "base: entity %llu of tenant %u: %s", (unsigned long long)created_seq, tenant,
              inner.text);
    else if (doc_created_seq(d) != created_seq)
        found(c, "base: entity %llu of tenant %u is stored under the key of %llu",
              (unsigned long long)doc_created_seq(d), tenant, (unsigned long long)created_seq);
    free(copy);
    return OK;
}

static enum status check_document(struct base_reader *r, uint32_t tenant, uint8_t kind,
                                  struct str key, uint64_t seq, struct str bytes, struct why *why)
{
    struct check *c = container_of(r, struct check, base);
    (void)bytes;
    (void)why;
    if (kind == 0 || kind >= STORE_KIND_COUNT || !seq)
        found(c, "base: document %.*s of tenant %u has kind %u and sequence %llu", STR_ARG(key),
              tenant, kind, (unsigned long long)seq);
    return OK;
}

static enum status check_past(struct base_reader *r, uint32_t tenant, struct str key, struct str bytes, struct why *why)
{
    struct check *c = container_of(r, struct check, base);
    struct why inner = {0};
    (void)why;
    if (history_check_pair(&c->history, key, bytes, c->term_max, &inner) != OK)
        found(c, "base: history of tenant %u: %s", tenant, inner.text);
    return OK;
}

static enum status check_base(struct check *c, struct base_position *p, struct why *why)
{
    char path[PATH_MAX];
    struct base *b;
    snprintf(path, sizeof path, "%s/base", c->dir);
    *p = (struct base_position){.store_id = c->store_id};
    if (!base_exists(path))
        return OK;
    enum status st = base_open(&b, path, false, why);
    if (st != OK)
        return st;
    st = base_read_position(b, p, why);
    if (st == E_NOT_FOUND)
        st = OK;
    if (st == OK && p->store_id != c->store_id)
        found(c, "base: it belongs to another store");
    c->base = (struct base_reader){
        .term = check_term, .document = check_document, .entity = check_entity, .past = check_past};
    c->history.arena = arena_new(0);
    if (st == OK)
        st = base_read(b, &c->base, why);
    struct why inner = {0};
    if (st == OK && history_check_end(&c->history, &inner) != OK)
        found(c, "base: history: %s", inner.text);
    arena_free(c->history.arena);
    base_close(b);
    return st;
}

/* ---- the log ---- */

static enum status check_record(struct journal_replay *r, const struct record *record,
                                struct why *why)
{
    struct check *c = container_of(r, struct check, journal);
    struct why inner = {0};
    (void)why;
    c->report->records++;
    if (record->kind == RECORD_TERMS) {
        struct str rest = record->block;
        uint32_t id = (uint32_t)record->origin, n;
        for (; rest.n >= sizeof n; id++) {
            memcpy(&n, rest.p, sizeof n);
            rest = str_from(rest, sizeof n + (size_t)n);
        }
        c->term_max = id - 1 > c->term_max ? id - 1 : c->term_max;
    } else if (record->kind == RECORD_ENTITY) {
        if (doc_check(record->block.p, record->block.n, c->term_max, &inner) != OK)
            found(c, "log segment %016llx, offset %llu: %s", (unsigned long long)r->segment,
                  (unsigned long long)r->offset, inner.text);
        else if (doc_seq((const struct doc *)(const void *)record->block.p) != record->seq)
            found(c, "log segment %016llx, offset %llu: record and entity have different sequences",
                  (unsigned long long)r->segment, (unsigned long long)r->offset);
    } else if (record->kind == RECORD_HISTORY && items_check(record->block, c->term_max, &inner) != OK) {
        found(c, "log segment %016llx, offset %llu: %s", (unsigned long long)r->segment, (unsigned long long)r->offset,
              inner.text);
    }
    return OK;
}

static enum status check_log(struct check *c, const struct base_position *p, struct why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log", c->dir);
    struct journal_options o = {
        .io = &embedded_io_os, .dir = path, .store_id = c->store_id, .segment_bytes = 1};
    struct journal *j;
    enum status st = journal_open(&j, &o, p->segment, why);
    if (st != OK)
        return st;
    c->journal = (struct journal_replay){.record = check_record};
    st = journal_read(j, &c->journal, why);
    c->report->segments = c->journal.segments;
    c->report->groups = c->journal.groups;
    journal_close(j);
    return st;
}

/* ---- both together ---- */

static void check_tenant(struct check *c, struct tenant *t)
{
    char text[256];
    const struct state *s = tenant_state(t);
    uint64_t wrong = index_verify(t->index, s, text, sizeof text);
    if (wrong)
        found(c, "tenant %.*s: %s (%llu disagreements)", STR_ARG(t->name), text,
              (unsigned long long)wrong);
    for (uint32_t slot = 0, at; slot < state_slots(s); slot++) {
        const struct doc *d = state_at(s, slot);
        if (d && (!state_find(s, doc_id(d), hash_str(doc_id(d)), &at) || at != slot))
            found(c, "tenant %.*s: entity %.*s is not found by its id", STR_ARG(t->name),
                  STR_ARG(doc_id(d)));
    }
    c->report->entities += state_count(s);
    for (int k = 1; k < STORE_KIND_COUNT; k++)
        c->report->documents += name_map_count(t->documents[k]);
}

static enum status check_memory(struct check *c, struct why *why)
{
    struct terms *terms = terms_new(TERMS_MAX);
    struct embedded_options o = {
        .dir = c->dir, .segment_bytes = 1 << 20, .clock = &clock_system, .tenants_max = 1};
    struct embedded *e = embedded_new(terms, &o);
    struct journal_replay figures = {0};
    e->store_id = c->store_id;
    enum status st = load_all(e, &figures, why);
    for (uint32_t i = 0; st == OK && i <= e->tenants->mask; i++)
        if (e->tenants->cells[i])
            check_tenant(c, e->tenants->cells[i]);
    c->report->terms = terms_count(terms);
    embedded_free(e);
    terms_free(terms);
    return st;
}

enum status embedded_check(const char *dir, struct embedded_report *report,
                           void (*error)(void *arg, const char *text), void *arg, struct why *why)
{
    *report = (struct embedded_report){0};
    struct check c = {.report = report, .error = error, .arg = arg, .dir = dir};
    int lock;
    enum status st = identity_take(&embedded_io_os, dir, false, &c.store_id, &lock, why);
    if (st != OK)
        return st;
    struct base_position p;
    struct why inner = {0};
    st = check_base(&c, &p, &inner);
    if (st == OK)
        st = check_log(&c, &p, &inner);
    if (st == OK && !report->errors)
        st = check_memory(&c, &inner);
    embedded_io_os.close(&embedded_io_os, lock);
    if (st != OK)
        found(&c, "%s", inner.text);
    return report->errors ? why_set(why, E_DAMAGED, NULL, "%s has %llu errors", dir,
                                    (unsigned long long)report->errors)
                          : OK;
}
