/* A record of the log: one change, as bytes. Layout in docs/formats/log.md.
 *
 *   0  u8 version   1  u8 kind   2  u8 document kind   3  u8 0
 *   4  u32 length of the whole record, a multiple of 8
 *   8  u64 seq
 *  16  u64 origin: ENTITY…: created_seq; TERMS: first id
 *  24  i64 wall time, µs
 *  32  u32 tenant
 *  36  u32 number of changed terms (TERMS: 0)
 *  40  u32 bytes of the key
 *  44  u32 bytes of the block
 *  48  u32 changed terms …, padded to 8; key, padded to 8; block, padded to 8
 *
 * Little-endian. Records start at multiples of 8, so a block may be used in place. */
#ifndef STORE_EMBEDDED_RECORD_H
#define STORE_EMBEDDED_RECORD_H

#include "base/status.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { RECORD_VERSION = 1, RECORD_HEADER = 48 };

enum record_kind {
    RECORD_TERMS = 1,       /* block: IRIs, each a u32 length and its bytes; ids from origin on */
    RECORD_TENANT,          /* key: name */
    RECORD_TENANT_DELETE,   /* key: name */
    RECORD_ENTITY,          /* block: the next version */
    RECORD_ENTITY_DELETE,   /* key: id; origin: created_seq of what is deleted */
    RECORD_DOCUMENT,        /* key, block: its bytes */
    RECORD_DOCUMENT_DELETE, /* key */
    RECORD_HISTORY,         /* key: id; block: items (history_item.h) */
    RECORD_KIND_COUNT
};

struct record {
    uint8_t kind; /* enum record_kind */
    uint8_t document_kind;
    uint64_t seq; /* 0 for TERMS, which are no change */
    uint64_t origin;
    int64_t at_us;
    uint32_t tenant;
    uint32_t changed_count;
    const uint32_t *changed; /* terms of attributes set or removed by this change */
    struct str key;
    struct str block;
};

/* Bytes the record takes. */
size_t record_bytes(const struct record *r);
/* Writes them; out is 8-byte aligned. */
void record_write(const struct record *r, void *out);
/* Reads one from p (8-byte aligned); what it points to borrows from p. E_DAMAGED, or
 * E_NOT_SUPPORTED for a newer version. *used: its length. */
MUST_USE enum status record_read(const void *p, size_t n, struct record *r, size_t *used,
                                 struct why *why);

#endif
