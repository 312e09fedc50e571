/* Keys and values, and how RocksDB's answers become statuses. */
#include "store/embedded/base.h"

#include "base/arena.h"
#include "base/log.h"
#include "store/embedded/base_db.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH_BYTES = 1 << 20, VERSION = 1, VERSION_PAST_HEAD = 2, TENANT_END = 5 };

/* First byte of a key. */
enum { KEY_POSITION = 'p', KEY_TERM = '1', KEY_TENANT = '2', KEY_DOCUMENT = '3', KEY_ENTITY = '4',
       KEY_SAVED = '5', KEY_PAST = '6', KEY_GONE = '7', KEY_KEPT = '8', KEY_TOLD = 't' };

/* In front of every value but an entity's block, which has its own. */
struct head {
    char magic[2]; /* "WS" */
    uint8_t version;
    uint8_t kind; /* the key's first byte */
    uint32_t zero;
};
static_assert(sizeof(struct head) == 8, "docs/formats/keys.md");

struct base {
    struct base_db *db;
    char *fault; /* first one since the last flush */
    uint64_t last_seq;
    bool together;  /* one batch must hold it all */
    bool has_saved; /* something is saved, or may be */
};

bool base_exists(const char *path)
{
    char current[4096];
    struct stat st;
    snprintf(current, sizeof current, "%s/CURRENT", path);
    return stat(current, &st) == 0;
}

/* Frees error. */
static enum status failed(char *error, const char *what, struct why *why)
{
    bool full = strstr(error, "No space left") != NULL,
         damaged = strstr(error, "Corruption") != NULL;
    enum status st = why_set(why,
                             full      ? E_NO_SPACE
                             : damaged ? E_DAMAGED
                                       : E_IO,
                             NULL, "the base store: %s: %s", what, error);
    free(error);
    return st;
}

static void says(const char *text)
{
    log_warn("base store", log_z("says", text));
}

/* Entities, and heads of pasts: nothing is behind the id. */
static bool in_sequence(struct str key)
{
    if (key.p[0] == KEY_ENTITY)
        return key.n > TENANT_END;
    return key.p[0] == KEY_PAST && key.n > TENANT_END && str_find_char(str_from(key, TENANT_END), 0) == key.n - TENANT_END - 1;
}

enum status base_open(struct base **out, const char *path, bool create, struct why *why)
{
    char *error;
    struct base_db *db = base_db_open(path, create, says, in_sequence, &error);
    if (!db)
        return failed(error, path, why);
    *out = mem_zalloc(sizeof **out);
    (*out)->db = db;
    (*out)->has_saved = true;
    return OK;
}

void base_close(struct base *b)
{
    if (!b)
        return;
    base_db_close(b->db);
    free(b->fault);
    free(b);
}

/* ---- keys ---- */

struct key {
    size_t n;
    char bytes[1 + 4 + 8];
};

static struct key key_of(char kind, uint32_t number)
{
    struct key k = {.n = 5, .bytes = {kind}};
    uint32_t big = htobe32(number);
    memcpy(k.bytes + 1, &big, sizeof big);
    return k;
}

static struct key entity_key(uint32_t tenant, uint64_t created_seq)
{
    struct key k = key_of(KEY_ENTITY, tenant);
    uint64_t big = htobe64(created_seq);
    memcpy(k.bytes + 5, &big, sizeof big);
    k.n = 13;
    return k;
}

/* ---- writing ---- */

static struct str bytes_of(const struct key *k)
{
    return (struct str){k->bytes, k->n};
}

static void write_batch(struct base *b)
{
    char *error = base_db_write(b->db);
    if (b->fault)
        free(error);
    else
        b->fault = error;
}

static void write_if_large(struct base *b)
{
    if (!b->together && base_db_batch_bytes(b->db) >= BATCH_BYTES)
        write_batch(b);
}

/* head, then first and second, under the key. */
static void put_version(struct base *b, uint8_t version, struct str key, struct str first, struct str second)
{
    struct head h = {{'W', 'S'}, version, (uint8_t)key.p[0], 0};
    struct str parts[3] = {{(const char *)&h, sizeof h}, first, second};
    base_db_put(b->db, key, parts, 3);
    write_if_large(b);
}

static void put(struct base *b, struct str key, struct str first, struct str second)
{
    put_version(b, VERSION, key, first, second);
}

void base_put_term(struct base *b, uint32_t id, struct str iri)
{
    struct key k = key_of(KEY_TERM, id);
    put(b, bytes_of(&k), iri, STR(""));
}

void base_put_tenant(struct base *b, uint32_t id, struct str name)
{
    struct key k = key_of(KEY_TENANT, id);
    put(b, bytes_of(&k), name, STR(""));
}

static void drop_range(struct base *b, char kind, uint32_t tenant)
{
    struct key from = key_of(kind, tenant), to = key_of(kind, tenant + 1);
    base_db_delete_range(b->db, bytes_of(&from), bytes_of(&to));
}

void base_drop_tenant(struct base *b, uint32_t id)
{
    struct key k = key_of(KEY_TENANT, id);
    base_db_delete(b->db, bytes_of(&k));
    drop_range(b, KEY_DOCUMENT, id);
    drop_range(b, KEY_ENTITY, id);
    drop_range(b, KEY_PAST, id);
    drop_range(b, KEY_GONE, id);
    drop_range(b, KEY_KEPT, id);
    write_if_large(b);
}

void base_put_entity(struct base *b, uint32_t tenant, const struct doc *d)
{
    struct key k = entity_key(tenant, doc_created_seq(d));
    struct str block = {(const char *)d, doc_bytes(d)};
    base_db_put(b->db, bytes_of(&k), &block, 1);
    if (doc_seq(d) > b->last_seq)
        b->last_seq = doc_seq(d);
    write_if_large(b);
}

void base_drop_entity(struct base *b, uint32_t tenant, uint64_t created_seq)
{
    struct key k = entity_key(tenant, created_seq);
    base_db_delete(b->db, bytes_of(&k));
    write_if_large(b);
}

/* Caller frees. */
static char *document_key(uint32_t tenant, uint8_t kind, struct str key, size_t *n)
{
    struct key k = key_of(KEY_DOCUMENT, tenant);
    char *p = mem_alloc(k.n + 1 + key.n);
    memcpy(p, k.bytes, k.n);
    p[k.n] = (char)kind;
    if (key.n)
        memcpy(p + k.n + 1, key.p, key.n);
    *n = k.n + 1 + key.n;
    return p;
}

void base_put_document(struct base *b, uint32_t tenant, uint8_t kind, struct str key, uint64_t seq,
                       struct str bytes)
{
    size_t n;
    char *p = document_key(tenant, kind, key, &n);
    uint64_t little = htole64(seq);
    put(b, (struct str){p, n}, (struct str){(char *)&little, sizeof little}, bytes);
    if (seq > b->last_seq)
        b->last_seq = seq;
    free(p);
}

void base_drop_document(struct base *b, uint32_t tenant, uint8_t kind, struct str key)
{
    size_t n;
    char *p = document_key(tenant, kind, key, &n);
    base_db_delete(b->db, (struct str){p, n});
    write_if_large(b);
    free(p);
}

void base_together_begin(struct base *b)
{
    b->together = true;
}

void base_together_end(struct base *b)
{
    b->together = false;
    write_if_large(b);
}

void base_together_forget(struct base *b)
{
    b->together = false;
    base_db_forget_batch(b->db);
}

void base_save_begin(struct base *b, uint64_t seq)
{
    uint64_t little = htole64(seq);
    write_batch(b);
    b->together = true;
    if (b->has_saved)
        base_db_delete_range(b->db, STR("5"), STR("6"));
    b->has_saved = false;
    put(b, STR("t"), (struct str){(char *)&little, sizeof little}, STR(""));
}

void base_save(struct base *b, struct str listener, struct str key, struct str bytes)
{
    assert(b->together && listener.n < 256);
    size_t n = 2 + listener.n + key.n;
    char *p = mem_alloc(n);
    p[0] = KEY_SAVED;
    p[1] = (char)listener.n;
    memcpy(p + 2, listener.p, listener.n);
    if (key.n)
        memcpy(p + 2 + listener.n, key.p, key.n);
    put(b, (struct str){p, n}, bytes, STR(""));
    b->has_saved = true;
    free(p);
}

void base_save_end(struct base *b)
{
    b->together = false;
    write_batch(b);
}

/* ---- history ---- */

void base_put_past(struct base *b, struct str key, struct str bytes)
{
    put(b, key, bytes, STR(""));
}

void base_put_past_head(struct base *b, struct str key, struct str bytes)
{
    put_version(b, VERSION_PAST_HEAD, key, bytes, STR(""));
}

void base_drop_past(struct base *b, struct str key)
{
    base_db_delete(b->db, key);
    write_if_large(b);
}

void base_drop_past_range(struct base *b, struct str from, struct str to)
{
    base_db_delete_range(b->db, from, to);
    write_if_large(b);
}

enum status base_show(struct base *b, struct why *why)
{
    write_batch(b);
    return b->fault ? why_set(why, E_IO, NULL, "the base store: writing: %s", b->fault) : OK;
}

uint64_t base_past_bytes(struct base *b)
{
    return base_db_bytes(b->db, STR("6"), STR("9"));
}

enum status base_compact_past(struct base *b, struct base_db_cancel *cancel, struct why *why)
{
    char *error = base_db_compact(b->db, STR("6"), STR("9"), cancel);
    return error ? failed(error, "compacting", why) : OK;
}

enum status base_flush(struct base *b, const struct base_position *p, struct why *why)
{
    struct base_position all = *p;
    if (b->last_seq > all.last_seq)
        all.last_seq = b->last_seq;
    put(b, STR("p"), (struct str){(char *)&all, sizeof all}, STR(""));
    write_batch(b);
    char *error = b->fault;
    b->fault = NULL;
    if (!error)
        error = base_db_flush(b->db);
    return error ? failed(error, "writing", why) : OK;
}

/* ---- reading ---- */

static enum status damaged(const char *what, struct why *why)
{
    return why_set(why, E_DAMAGED, NULL, "the base store: %s", what);
}

/* Checks and cuts off the head. */
static enum status open_value(char kind, struct str *v, struct why *why)
{
    struct head h;
    if (v->n < sizeof h)
        return damaged("a value is shorter than its head", why);
    memcpy(&h, v->p, sizeof h);
    if (h.magic[0] != 'W' || h.magic[1] != 'S' || h.kind != (uint8_t)kind || h.zero)
        return damaged("a value has a wrong head", why);
    int known = kind == KEY_PAST ? VERSION_PAST_HEAD : VERSION;
    if (h.version > known)
        return why_set(
            why, E_NOT_SUPPORTED, NULL,
            "the base store has a value of version %u; this program knows versions up to %d",
            h.version, known);
    *v = str_from(*v, sizeof h);
    return OK;
}

static enum status take_position(struct str v, struct base_position *p, struct why *why)
{
    if (v.n != sizeof *p)
        return damaged("the position has a wrong length", why);
    memcpy(p, v.p, sizeof *p);
    return OK;
}

enum status base_read_position(struct base *b, struct base_position *p, struct why *why)
{
    char *error;
    size_t n = 0;
    char *value = base_db_get(b->db, STR("p"), &n, &error);
    if (error)
        return failed(error, "reading the position", why);
    if (!value)
        return E_NOT_FOUND;
    struct str v = {value, n};
    enum status st = open_value(KEY_POSITION, &v, why);
    if (st == OK)
        st = take_position(v, p, why);
    free(value);
    b->last_seq = st == OK ? p->last_seq : 0;
    return st;
}

enum status base_read_told(struct base *b, uint64_t *seq, struct why *why)
{
    char *error;
    size_t n = 0;
    *seq = 0;
    char *value = base_db_get(b->db, STR("t"), &n, &error);
    if (error)
        return failed(error, "reading what was told", why);
    if (!value)
        return OK;
    struct str v = {value, n};
    enum status st = open_value(KEY_TOLD, &v, why);
    if (st == OK && v.n != sizeof *seq)
        st = damaged("what was told has a wrong length", why);
    if (st == OK)
        memcpy(seq, v.p, sizeof *seq);
    *seq = le64toh(*seq);
    free(value);
    return st;
}

static uint32_t number_at(struct str key)
{
    uint32_t big;
    memcpy(&big, key.p + 1, sizeof big);
    return be32toh(big);
}

static enum status read_document(struct base_reader *r, struct str key, struct str v,
                                 struct why *why)
{
    uint64_t seq;
    if (key.n < 6 || v.n < sizeof seq)
        return damaged("a document is cut off", why);
    memcpy(&seq, v.p, sizeof seq);
    return r->document(r, number_at(key), (uint8_t)key.p[5], str_from(key, 6), le64toh(seq),
                       str_from(v, sizeof seq), why);
}

static enum status read_entity(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    uint64_t big;
    if (key.n != 13)
        return damaged("an entity's key has a wrong length", why);
    memcpy(&big, key.p + 5, sizeof big);
    return r->entity(r, number_at(key), be64toh(big), v, why);
}

static enum status read_saved(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    size_t n = key.n < 2 ? 0 : (uint8_t)key.p[1];
    if (key.n < 2 + n)
        return damaged("the key of something saved is cut off", why);
    struct str rest = str_from(key, 2);
    return r->saved(r, str_head(rest, n), str_from(rest, n), v, why);
}

static enum status read_pair(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    char kind = key.p[0];
    if (kind == KEY_POSITION || kind == KEY_TOLD)
        return OK;
    enum status st = kind == KEY_ENTITY ? OK : open_value(kind, &v, why);
    if (kind == KEY_PAST && st != OK) { /* as base_view_range() does */
        st = OK;
        v = STR("");
    }
    if (st != OK)
        return st;
    if (kind == KEY_SAVED)
        return r->saved ? read_saved(r, key, v, why) : OK;
    if (key.n < 5)
        return damaged("a key is cut off", why);
    switch (kind) {
    case KEY_PAST:
    case KEY_GONE:
    case KEY_KEPT:
        return r->past ? r->past(r, number_at(key), key, v, why) : OK;
    case KEY_TERM:
        return r->term ? r->term(r, number_at(key), v, why) : OK;
    case KEY_TENANT:
        return r->tenant ? r->tenant(r, number_at(key), v, why) : OK;
    case KEY_DOCUMENT:
        return r->document ? read_document(r, key, v, why) : OK;
    case KEY_ENTITY:
        return r->entity ? read_entity(r, key, v, why) : OK;
    default:
        return damaged("a key of an unknown kind", why);
    }
}

struct walk {
    struct base_reader *reader;
    struct why *why;
    enum status status;
};

static bool walk_pair(void *arg, struct str key, struct str v)
{
    struct walk *w = arg;
    if (!w->reader->past && key.p[0] >= KEY_PAST && key.p[0] <= KEY_KEPT)
        return false; /* the last, and the greatest part of all */
    w->status = read_pair(w->reader, key, v, w->why);
    return w->status == OK;
}

static bool walk_saved(void *arg, struct str key, struct str v)
{
    return key.p[0] == KEY_SAVED && walk_pair(arg, key, v);
}

static bool walk_name(void *arg, struct str key, struct str v)
{
    return key.p[0] < KEY_ENTITY && walk_pair(arg, key, v);
}

static enum status read_from(struct base *b, struct str from,
                             bool (*pair)(void *arg, struct str key, struct str value),
                             struct base_reader *r, struct why *why)
{
    struct walk w = {r, why, OK};
    char *error = base_db_each(b->db, from, pair, &w);
    return error ? failed(error, "reading", why) : w.status;
}

enum status base_read(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR(""), walk_pair, r, why);
}

enum status base_read_names(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR(""), walk_name, r, why);
}

enum status base_read_rest(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR("4"), walk_pair, r, why);
}

enum status base_read_saved(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR("5"), walk_saved, r, why);
}

/* ---- views ---- */

struct base_view {
    struct base_db_view *view;
};

struct base_view *base_view_open(struct base *b)
{
    struct base_view *v = mem_alloc(sizeof *v);
    v->view = base_db_view_open(b->db);
    return v;
}

void base_view_close(struct base_view *v)
{
    base_db_view_close(v->view);
    free(v);
}

enum status base_view_get(struct base_view *v, struct str key, struct str *bytes, char **owned, struct why *why)
{
    char *error;
    size_t n = 0;
    *owned = base_db_view_get(v->view, key, &n, &error);
    if (error)
        return failed(error, "reading history", why);
    if (!*owned)
        return E_NOT_FOUND;
    *bytes = (struct str){*owned, n};
    enum status st = open_value(key.p[0], bytes, why);
    if (st != OK)
        free(*owned);
    return st;
}

enum status base_view_position(struct base_view *v, struct base_position *p, struct why *why)
{
    struct str bytes;
    char *owned;
    enum status st = base_view_get(v, STR("p"), &bytes, &owned, why);
    if (st != OK)
        return st;
    st = take_position(bytes, p, why);
    free(owned);
    return st;
}

struct base_walk {
    struct base_db_walk *walk;
};

struct base_walk *base_walk_open(struct base_view *v)
{
    struct base_walk *w = mem_alloc(sizeof *w);
    w->walk = base_db_walk_open(v->view);
    return w;
}

void base_walk_close(struct base_walk *w)
{
    base_db_walk_close(w->walk);
    free(w);
}

enum status base_walk_get(struct base_walk *w, struct str key, struct str *bytes, struct why *why)
{
    char *error;
    bool there = base_db_walk_get(w->walk, key, bytes, &error);
    if (error)
        return failed(error, "reading history", why);
    return there ? open_value(key.p[0], bytes, why) : E_NOT_FOUND;
}

struct range {
    bool (*pair)(void *arg, struct str key, struct str bytes);
    void *arg;
};

static bool range_pair(void *arg, struct str key, struct str v)
{
    struct range *r = arg;
    struct why why = {0};
    if (open_value(key.p[0], &v, &why) != OK) /* this one alone; who hears of it sees that it is nothing */
        v = STR("");
    return r->pair(r->arg, key, v);
}

enum status base_view_range(struct base_view *v, struct str from, struct str to, bool backwards,
                            bool (*pair)(void *arg, struct str key, struct str bytes), void *arg, struct why *why)
{
    struct range r = {pair, arg};
    char *error = base_db_view_range(v->view, from, to, backwards, range_pair, &r);
    return error ? failed(error, "reading history", why) : OK;
}

enum status base_checkpoint(struct base *b, const char *path, struct why *why)
{
    char *error = base_db_checkpoint(b->db, path);
    return error ? failed(error, "copying", why) : OK;
}
