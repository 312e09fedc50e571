/* RocksDB behind a few C functions. Its own C interface cannot be given a logger, and the one that
 * RocksDB makes for itself asserts that no disk is ever full (Debian builds it with assertions).
 *
 * Errors are messages that the caller frees; NULL: none. */
#ifndef STORE_EMBEDDED_BASE_DB_H
#define STORE_EMBEDDED_BASE_DB_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct base_db;
struct base_db_cancel; /* whether something that takes long is to end */

/* NULL and an error when it cannot be opened. Caller owns. says: hears warnings, on any thread. in_sequence: keys like this
 * one are mostly written in their order, and none like it is where a range begins that is deleted; NULL: no
 * key is. */
struct base_db *base_db_open(const char *path, bool create, void (*says)(const char *text), bool (*in_sequence)(struct str key),
                             char **error);
void base_db_close(struct base_db *db);

/* Into the batch. */
void base_db_put(struct base_db *db, struct str key, const struct str *parts, int count);
void base_db_delete(struct base_db *db, struct str key);
void base_db_delete_range(struct base_db *db, struct str from, struct str to);
void base_db_forget_batch(struct base_db *db);
size_t base_db_batch_bytes(const struct base_db *db);
/* The batch into memory, and from there, with a flush, onto the disk. */
char *base_db_write(struct base_db *db);
char *base_db_flush(struct base_db *db);

/* Caller frees; NULL without an error: absent. */
char *base_db_get(struct base_db *db, struct str key, size_t *n, char **error);
/* Every pair from a key on, in order of keys, until `pair` says false. Checksums are verified. */
char *base_db_each(struct base_db *db, struct str from,
                   bool (*pair)(void *arg, struct str key, struct str value),
                   void *arg);
/* All as it is now, whatever is written meanwhile. Any thread; the database stays open longer. */
struct base_db_view;
struct base_db_view *base_db_view_open(struct base_db *db);
void base_db_view_close(struct base_db_view *v);
char *base_db_view_get(struct base_db_view *v, struct str key, size_t *n, char **error);
/* Pairs of the keys in [from, to), or backwards, until `pair` says false. */
char *base_db_view_range(struct base_db_view *v, struct str from, struct str to, bool backwards,
                         bool (*pair)(void *arg, struct str key, struct str value),
                         void *arg);
/* Pairs by ascending keys: what is asked for next mostly lies close behind, and is found there without a search. */
struct base_db_walk;
struct base_db_walk *base_db_walk_open(struct base_db_view *v);
void base_db_walk_close(struct base_db_walk *w);
/* Borrowed until the next one is asked for; false: absent, or an error. */
bool base_db_walk_get(struct base_db_walk *w, struct str key, struct str *value, char **error);
/* Bytes that keys in [from, to) take, about: on the disk, with what was replaced there, and in memory. */
uint64_t base_db_bytes(struct base_db *db, struct str from, struct str to);
/* Makes room of what is dropped or replaced there; any thread, may take long. base_db_cancel_set() ends it, without an error. */
char *base_db_compact(struct base_db *db, struct str from, struct str to, struct base_db_cancel *cancel);
struct base_db_cancel *base_db_cancel_new(void);
void base_db_cancel_free(struct base_db_cancel *c);
void base_db_cancel_set(struct base_db_cancel *c); /* any thread */
char *base_db_checkpoint(struct base_db *db, const char *path);

#ifdef __cplusplus
}
#endif

#endif
