/* What a store's tests provide to the contract suite (contract_test.c), which knows nothing but
 * store.h. */
#ifndef TESTS_STORE_CONTRACT_H
#define TESTS_STORE_CONTRACT_H

#include "fixture.h"

/* An empty store in f, its terms beside it, this thread entered. At most three tenants. */
void contract_open(struct fixture *f);
/* Closed and opened again, where the store is durable; f->terms may change. */
void contract_reopen(struct fixture *f);
void contract_close(struct fixture *f);

#endif
