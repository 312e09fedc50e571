/* The base: what the log made durable, folded into RocksDB. Keys and values in
 * docs/formats/keys.md.
 *
 * Writes are gathered and become durable together with base_flush(), at the latest; RocksDB's
 * own log is off. What reaches the disk earlier is a beginning of what was written, in order,
 * which a replay of the log from the old position makes whole. One thread at a time.
 *
 * What is there is read by base_read.h, and as of one moment by base_view.h. */
#ifndef STORE_EMBEDDED_BASE_H
#define STORE_EMBEDDED_BASE_H

#include "base/status.h"
#include "base/str.h"
#include "model/doc.h"

#include <stdbool.h>
#include <stdint.h>

struct base;

/* How far the base goes. */
struct base_position {
    uint64_t store_id;
    uint64_t segment;   /* the log is replayed from its start */
    uint64_t seq;       /* every change up to this one is in the base */
    uint64_t last_seq;  /* given to any change the base holds */
    uint32_t tenant_id; /* last one given */
    uint32_t zero;
};

/* path need not exist when create. E_DAMAGED, E_IO. Caller owns. */
MUST_USE enum status base_open(struct base **out, const char *path, bool create, struct why *why);
void base_close(struct base *b);
bool base_exists(const char *path);

/* What is written, in this order, is found again in this order after a crash, or a beginning of it.
 * Faults are kept for base_flush(). */
void base_put_term(struct base *b, uint32_t id, struct str iri);
void base_put_tenant(struct base *b, uint32_t id, struct str name);
void base_drop_tenant(struct base *b, uint32_t id); /* with all that is its */
void base_put_entity(struct base *b, uint32_t tenant, const struct doc *d);
void base_drop_entity(struct base *b, uint32_t tenant, uint64_t created_seq);
void base_put_document(struct base *b, uint32_t tenant, uint8_t kind, struct str key, uint64_t seq,
                       struct str bytes);
void base_drop_document(struct base *b, uint32_t tenant, uint8_t kind, struct str key);
/* What listeners want back, first in a fold: with it the base holds changes up to seq, told. It
 * replaces what was saved before, and reaches the disk as a whole, before anything behind it. */
void base_save_begin(struct base *b, uint64_t seq);
void base_save(struct base *b, struct str listener, struct str key, struct str bytes);
void base_save_end(struct base *b);
/* What is written between the two reaches the disk as a whole, or not at all. */
void base_together_begin(struct base *b);
void base_together_end(struct base *b);
/* Instead of the end, in a fold that fails: what was written since the last batch is forgotten. */
void base_together_forget(struct base *b);
/* History, by keys of history_key.h. */
void base_put_past(struct base *b, struct str key, struct str bytes);
void base_put_past_head(struct base *b, struct str key, struct str bytes);
void base_drop_past(struct base *b, struct str key);
void base_drop_past_range(struct base *b, struct str from, struct str to);
/* Views that are opened from now on see what is written. E_IO after a fault, which stays for base_flush(). */
MUST_USE enum status base_show(struct base *b, struct why *why);
/* Bytes that history takes, about: on the disk, with what was replaced there, and in memory. */
uint64_t base_past_bytes(struct base *b);
/* Gives the disk back what dropped history took; any thread while the base stays open, may take long. */
struct base_db_cancel;
MUST_USE enum status base_compact_past(struct base *b, struct base_db_cancel *cancel, struct why *why);
/* The end of a fold: position, then everything durable. */
MUST_USE enum status base_flush(struct base *b, const struct base_position *p, struct why *why);

/* A consistent copy in an absent directory, by hard links where it can be. */
MUST_USE enum status base_checkpoint(struct base *b, const char *path, struct why *why);

#endif
