/* Heads: the newest version of what has changes on their way to the log, seen only by the
 * preconditions of later writes. Whatever has none is as committed. Used under the writers'
 * lock. */
#ifndef STORE_EMBEDDED_HEAD_H
#define STORE_EMBEDDED_HEAD_H

#include "base/str.h"

#include <stdint.h>

struct pending;
struct tenant;

struct head {
    struct head *next; /* in its bucket */
    uint64_t hash;
    struct tenant *tenant;
    uint8_t kind;           /* 0: entity; else enum store_kind */
    struct str key;         /* of the newest change */
    struct pending *newest; /* borrowed: it is in the queue */
};

struct heads {
    struct head **buckets;
    uint32_t count, size;
};

void heads_init(struct heads *h);
void heads_free(struct heads *h);
/* NULL: as committed. hash: hash_str(key). */
struct head *heads_find(const struct heads *h, struct tenant *t, uint8_t kind, struct str key,
                        uint64_t hash);
/* p, whose key is given, is now the newest change of its kind. */
void heads_set(struct heads *h, struct tenant *t, uint8_t kind, struct str key, uint64_t hash,
               struct pending *p);
/* p is committed: its head goes, unless there is a newer one. */
void heads_drop(struct heads *h, struct tenant *t, uint8_t kind, struct str key, uint64_t hash,
                struct pending *p);
/* All go: what they promised will not come. */
void heads_clear(struct heads *h);

#endif
