/* Things by their names: a hash table that links what is put into it. No locking of its own. */
#ifndef BROKER_NAMED_H
#define BROKER_NAMED_H

#include "base/str.h"

#include <stdint.h>

/* Part of whatever has a name, which lives as long as it is in the table. */
struct named {
    struct named *next;
    struct str name;
    uint64_t hash;
};

/* Empty when it is zero. */
struct named_table {
    struct named **buckets;
    uint32_t count, mask;
};

/* NULL: there is none. */
struct named *named_find(const struct named_table *t, struct str name);
/* name: one that is not in it. */
void named_add(struct named_table *t, struct named *n, struct str name);
void named_remove(struct named_table *t, struct named *n);
/* All, in no order; NULL: no more. The table may change once the next is known. */
struct named *named_first(const struct named_table *t);
struct named *named_next(const struct named_table *t, const struct named *n);
/* The table's own memory. */
void named_free(struct named_table *t);

#endif
