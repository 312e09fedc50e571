/* What an entity's series amount to, whether their values are instances or aggregates of such: how many, their sum, the sum of their squares. */
#ifndef TESTS_FAULT_AMOUNT_H
#define TESTS_FAULT_AMOUNT_H

#include "base/arena.h"
#include "store/store.h"

enum { AMOUNT_SERIES = 2 }; /* of an entity, of one attribute */
extern const struct str AMOUNT_DATASETS[AMOUNT_SERIES];

struct amount {
    int64_t count, sum, squares;
};

/* A value comes (times 1) or goes (-1). */
void amount_add(struct amount *a, int64_t value, int times);
bool amount_same(const struct amount a[AMOUNT_SERIES], const struct amount b[AMOUNT_SERIES]);
/* What the store says; zeros of what it does not know. Waits, on the loop's thread. */
void amount_read(const struct caller *caller, struct str id, struct arena *a, struct amount out[AMOUNT_SERIES]);

#endif
