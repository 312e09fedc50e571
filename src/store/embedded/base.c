/* Opening and writing: how keys are made, what values begin with, and how RocksDB's answers
 * become statuses. */
#include "store/embedded/base.h"

#include "base/arena.h"
#include "base/log.h"
#include "store/embedded/base_int.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH_BYTES = 1 << 20, VERSION = 1, VERSION_PAST_HEAD = 2, TENANT_END = 5 };

bool base_exists(const char *path)
{
    char current[4096];
    struct stat st;
    snprintf(current, sizeof current, "%s/CURRENT", path);
    return stat(current, &st) == 0;
}

/* Frees error. */
enum status base_failed(char *error, const char *what, struct why *why)
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
        return base_failed(error, path, why);
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

/* ---- what values begin with ---- */

/* In front of every value but an entity's block, which has its own. */
struct head {
    char magic[2]; /* "WS" */
    uint8_t version;
    uint8_t kind; /* the key's first byte */
    uint32_t zero;
};
static_assert(sizeof(struct head) == 8, "docs/formats/keys.md");

enum status base_damaged(const char *what, struct why *why)
{
    return why_set(why, E_DAMAGED, NULL, "the base store: %s", what);
}

/* Checks and cuts off the head. */
enum status base_open_value(char kind, struct str *v, struct why *why)
{
    struct head h;
    if (v->n < sizeof h)
        return base_damaged("a value is shorter than its head", why);
    memcpy(&h, v->p, sizeof h);
    if (h.magic[0] != 'W' || h.magic[1] != 'S' || h.kind != (uint8_t)kind || h.zero)
        return base_damaged("a value has a wrong head", why);
    int known = kind == KEY_PAST ? VERSION_PAST_HEAD : VERSION;
    if (h.version > known)
        return why_set(
            why, E_NOT_SUPPORTED, NULL,
            "the base store has a value of version %u; this program knows versions up to %d",
            h.version, known);
    *v = str_from(*v, sizeof h);
    return OK;
}

enum status base_take_position(struct str v, struct base_position *p, struct why *why)
{
    if (v.n != sizeof *p)
        return base_damaged("the position has a wrong length", why);
    memcpy(p, v.p, sizeof *p);
    return OK;
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
    return error ? base_failed(error, "compacting", why) : OK;
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
    return error ? base_failed(error, "writing", why) : OK;
}

enum status base_checkpoint(struct base *b, const char *path, struct why *why)
{
    char *error = base_db_checkpoint(b->db, path);
    return error ? base_failed(error, "copying", why) : OK;
}
