/* Keys, values and RocksDB's calls. */
#include "store/embedded/base.h"

#include "base/arena.h"

#include <assert.h>
#include <endian.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BATCH_BYTES = 1 << 20,
    WRITE_BUFFER = 32 << 20,
    BLOCK_CACHE = 4 << 20,
    READ_AHEAD = 2 << 20,
    OPEN_FILES = 128,
    VERSION = 1
};

/* First byte of a key. */
enum { KEY_POSITION = 'p', KEY_TERM = '1', KEY_TENANT = '2', KEY_DOCUMENT = '3', KEY_ENTITY = '4' };

/* In front of every value but an entity's block, which has its own. */
struct head {
    char magic[2]; /* "WS" */
    uint8_t version;
    uint8_t kind; /* the key's first byte */
    uint32_t zero;
};
static_assert(sizeof(struct head) == 8, "docs/formats/keys.md");

struct base {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_writeoptions_t *write;
    rocksdb_writebatch_t *batch;
    size_t batch_bytes;
    char *fault; /* first one since the last flush */
    uint64_t last_seq;
};

bool base_exists(const char *path)
{
    char current[4096];
    struct stat st;
    snprintf(current, sizeof current, "%s/CURRENT", path);
    return stat(current, &st) == 0;
}

static void set_options(struct base *b, bool create)
{
    rocksdb_options_t *o = b->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(o, create);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_atomic_flush(o, 1);
    rocksdb_options_set_write_buffer_size(o, WRITE_BUFFER);
    rocksdb_options_set_max_write_buffer_number(o, 2);
    rocksdb_options_set_max_open_files(o, OPEN_FILES);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_info_log_level(o, 2); /* warnings */
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_log_file_size(o, 1 << 20);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
    b->table = rocksdb_block_based_options_create();
    b->cache = rocksdb_cache_create_lru(BLOCK_CACHE);
    rocksdb_block_based_options_set_block_cache(b->table, b->cache);
    rocksdb_block_based_options_set_block_size(b->table, 16 << 10);
    rocksdb_options_set_block_based_table_factory(o, b->table);
    b->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(b->write, 1);
    b->batch = rocksdb_writebatch_create();
}

/* Takes over error, which RocksDB allocated. */
static enum status failed(char *error, const char *what, struct why *why)
{
    bool full = strstr(error, "No space left") != NULL,
         damaged = strstr(error, "Corruption") != NULL;
    enum status st = why_set(why,
                             full      ? E_NO_SPACE
                             : damaged ? E_DAMAGED
                                       : E_IO,
                             NULL, "the base store: %s: %s", what, error);
    rocksdb_free(error);
    return st;
}

enum status base_open(struct base **out, const char *path, bool create, struct why *why)
{
    struct base *b = mem_zalloc(sizeof *b);
    set_options(b, create);
    char *error = NULL;
    b->db = rocksdb_open(b->options, path, &error);
    if (error) {
        b->db = NULL;
        base_close(b);
        return failed(error, path, why);
    }
    *out = b;
    return OK;
}

void base_close(struct base *b)
{
    if (!b)
        return;
    if (b->db)
        rocksdb_close(b->db);
    rocksdb_writebatch_destroy(b->batch);
    rocksdb_writeoptions_destroy(b->write);
    rocksdb_options_destroy(b->options);
    rocksdb_block_based_options_destroy(b->table);
    rocksdb_cache_destroy(b->cache);
    if (b->fault)
        rocksdb_free(b->fault);
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

static void write_batch(struct base *b)
{
    char *error = NULL;
    if (!b->fault)
        rocksdb_write(b->db, b->write, b->batch, &error);
    if (error)
        b->fault = error;
    rocksdb_writebatch_clear(b->batch);
    b->batch_bytes = 0;
}

static void wrote(struct base *b, size_t n)
{
    b->batch_bytes += n;
    if (b->batch_bytes >= BATCH_BYTES)
        write_batch(b);
}

/* head, then first and second, under the key. */
static void put(struct base *b, const char *key, size_t key_n, struct str first, struct str second)
{
    struct head h = {{'W', 'S'}, VERSION, (uint8_t)key[0], 0};
    const char *parts[3] = {(const char *)&h, first.p, second.p};
    size_t sizes[3] = {sizeof h, first.n, second.n};
    rocksdb_writebatch_putv(b->batch, 1, &key, &key_n, 3, parts, sizes);
    wrote(b, key_n + first.n + second.n);
}

void base_put_term(struct base *b, uint32_t id, struct str iri)
{
    struct key k = key_of(KEY_TERM, id);
    put(b, k.bytes, k.n, iri, STR(""));
}

void base_put_tenant(struct base *b, uint32_t id, struct str name)
{
    struct key k = key_of(KEY_TENANT, id);
    put(b, k.bytes, k.n, name, STR(""));
}

static void drop_range(struct base *b, char kind, uint32_t tenant)
{
    struct key from = key_of(kind, tenant), to = key_of(kind, tenant + 1);
    rocksdb_writebatch_delete_range(b->batch, from.bytes, from.n, to.bytes, to.n);
}

void base_drop_tenant(struct base *b, uint32_t id)
{
    struct key k = key_of(KEY_TENANT, id);
    rocksdb_writebatch_delete(b->batch, k.bytes, k.n);
    drop_range(b, KEY_DOCUMENT, id);
    drop_range(b, KEY_ENTITY, id);
    wrote(b, k.n);
}

void base_put_entity(struct base *b, uint32_t tenant, const struct doc *d)
{
    struct key k = entity_key(tenant, doc_created_seq(d));
    rocksdb_writebatch_put(b->batch, k.bytes, k.n, (const char *)d, doc_bytes(d));
    if (doc_seq(d) > b->last_seq)
        b->last_seq = doc_seq(d);
    wrote(b, k.n + doc_bytes(d));
}

void base_drop_entity(struct base *b, uint32_t tenant, uint64_t created_seq)
{
    struct key k = entity_key(tenant, created_seq);
    rocksdb_writebatch_delete(b->batch, k.bytes, k.n);
    wrote(b, k.n);
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
    put(b, p, n, (struct str){(char *)&little, sizeof little}, bytes);
    if (seq > b->last_seq)
        b->last_seq = seq;
    free(p);
}

void base_drop_document(struct base *b, uint32_t tenant, uint8_t kind, struct str key)
{
    size_t n;
    char *p = document_key(tenant, kind, key, &n);
    rocksdb_writebatch_delete(b->batch, p, n);
    wrote(b, n);
    free(p);
}

enum status base_flush(struct base *b, const struct base_position *p, struct why *why)
{
    struct base_position all = *p;
    if (b->last_seq > all.last_seq)
        all.last_seq = b->last_seq;
    char key = KEY_POSITION;
    put(b, &key, 1, (struct str){(char *)&all, sizeof all}, STR(""));
    write_batch(b);
    char *error = b->fault;
    b->fault = NULL;
    if (!error) {
        rocksdb_flushoptions_t *o = rocksdb_flushoptions_create();
        rocksdb_flushoptions_set_wait(o, 1);
        rocksdb_flush(b->db, o, &error);
        rocksdb_flushoptions_destroy(o);
    }
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
    if (h.magic[0] != 'W' || h.magic[1] != 'S' || h.kind != (uint8_t)kind)
        return damaged("a value has a wrong head", why);
    if (h.version > VERSION)
        return why_set(
            why, E_NOT_SUPPORTED, NULL,
            "the base store has a value of version %u; this program knows versions up to %d",
            h.version, VERSION);
    *v = str_from(*v, sizeof h);
    return OK;
}

enum status base_read_position(struct base *b, struct base_position *p, struct why *why)
{
    char *error = NULL, key = KEY_POSITION;
    size_t n = 0;
    rocksdb_readoptions_t *o = rocksdb_readoptions_create();
    char *value = rocksdb_get(b->db, o, &key, 1, &n, &error);
    rocksdb_readoptions_destroy(o);
    if (error)
        return failed(error, "reading the position", why);
    if (!value)
        return E_NOT_FOUND;
    struct str v = {value, n};
    enum status st = open_value(KEY_POSITION, &v, why);
    if (st == OK && v.n != sizeof *p)
        st = damaged("the position has a wrong length", why);
    if (st == OK)
        memcpy(p, v.p, sizeof *p);
    rocksdb_free(value);
    b->last_seq = st == OK ? p->last_seq : 0;
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

static enum status read_pair(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    char kind = key.p[0];
    if (kind == KEY_POSITION)
        return OK;
    enum status st = kind == KEY_ENTITY ? OK : open_value(kind, &v, why);
    if (st != OK)
        return st;
    if (key.n < 5)
        return damaged("a key is cut off", why);
    switch (kind) {
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

enum status base_read(struct base *b, struct base_reader *r, struct why *why)
{
    rocksdb_readoptions_t *o = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(o, 0);
    rocksdb_readoptions_set_verify_checksums(o, 1);
    rocksdb_readoptions_set_readahead_size(o, READ_AHEAD);
    rocksdb_iterator_t *it = rocksdb_create_iterator(b->db, o);
    enum status st = OK;
    for (rocksdb_iter_seek_to_first(it); st == OK && rocksdb_iter_valid(it);
         rocksdb_iter_next(it)) {
        struct str key, v;
        key.p = rocksdb_iter_key(it, &key.n);
        v.p = rocksdb_iter_value(it, &v.n);
        st = read_pair(r, key, v, why);
    }
    char *error = NULL;
    rocksdb_iter_get_error(it, &error);
    rocksdb_iter_destroy(it);
    rocksdb_readoptions_destroy(o);
    if (error)
        return st == OK ? failed(error, "reading", why) : (rocksdb_free(error), st);
    return st;
}

enum status base_checkpoint(struct base *b, const char *path, struct why *why)
{
    char *error = NULL;
    rocksdb_checkpoint_t *c = rocksdb_checkpoint_object_create(b->db, &error);
    if (!error)
        rocksdb_checkpoint_create(c, path, 0, &error);
    if (c)
        rocksdb_checkpoint_object_destroy(c);
    return error ? failed(error, "copying", why) : OK;
}
