/* Heads: the newest version of what has changes on their way to the log, seen only by the
 * preconditions of later writes. Whatever has none is as committed. Used under the writers'
 * lock. */
#ifndef STORE_EMBEDDED_HEAD_H
#define STORE_EMBEDDED_HEAD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct pending;
struct tenant;

/* A part of each change in the queue: its place in the table. */
struct head {
    struct pending *next; /* in its bucket */
    bool newest;          /* it is in the table */
};

/* The kind of an entity's history, beside enum store_kind. */
#define HEAD_HISTORY UINT8_C(255)

struct heads {
    struct pending **buckets;
    uint32_t count, size;
};

void heads_init(struct heads *h);
void heads_free(struct heads *h);
/* The newest change, borrowed: it is in the queue. NULL: as committed. kind 0: entity, else enum
 * store_kind; hash: hash_str(key). */
struct pending *heads_find(const struct heads *h, struct tenant *t, uint8_t kind, struct str key,
                           uint64_t hash);
/* p, whose tenant, kind, key and hash are given, is now the newest change of its kind. */
void heads_set(struct heads *h, struct pending *p);
/* p is committed: it is no head any more. */
void heads_drop(struct heads *h, struct pending *p);
/* All go: what they promised will not come. */
void heads_clear(struct heads *h);

#endif
